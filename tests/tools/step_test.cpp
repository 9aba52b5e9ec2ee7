#include <gtest/gtest.h>
#include <perdure/step.hpp>

namespace perdure {
namespace {

std::string key_of(std::string id, const std::string& name, std::uint32_t attempt = 1) {
  Step::Facts facts;
  facts.run = RunId::parse("01JD3Z5V7Q8R9S0T1V2W3X4Y5Z").value();
  facts.id = std::move(id);
  facts.name = &name;
  facts.attempt = attempt;
  return Step(std::move(facts)).key();
}

TEST(StepKey, IsRunStepAndName) {
  EXPECT_EQ(key_of("3.0.1", "write-itinerary_2.0~a"),
            "01JD3Z5V7Q8R9S0T1V2W3X4Y5Z/3.0.1/write-itinerary_2.0~a");
}

TEST(StepKey, IsTheSameOnEveryAttempt) { EXPECT_EQ(key_of("1", "a", 1), key_of("1", "a", 7)); }

TEST(StepKey, EncodesWhatAHeaderOrAPathWouldMisread) {
  EXPECT_EQ(key_of("1", "a b/c%\r\n"), "01JD3Z5V7Q8R9S0T1V2W3X4Y5Z/1/a%20b%2Fc%25%0D%0A");
  EXPECT_EQ(key_of("1", "Z\xC3\xBCrich"), "01JD3Z5V7Q8R9S0T1V2W3X4Y5Z/1/Z%C3%BCrich");
  EXPECT_EQ(key_of("1", std::string("\0\xFF", 2)), "01JD3Z5V7Q8R9S0T1V2W3X4Y5Z/1/%00%FF");
}

TEST(StepKey, TellsNamesApartThatLookAlikeEncoded) {
  EXPECT_NE(key_of("1", "a b"), key_of("1", "a%20b"));
  EXPECT_NE(key_of("1", "2/x"), key_of("1/2", "x"));
}

TEST(Step, TellsItsFacts) {
  std::stop_source source;
  const auto deadline = std::chrono::system_clock::time_point(std::chrono::seconds(1'700'000'000));
  Step::Facts facts;
  facts.id = "4";
  const std::string name = "read";
  facts.name = &name;
  facts.attempt = 2;
  facts.deadline = deadline;
  facts.stop = source.get_token();
  const Step step(std::move(facts));
  EXPECT_EQ(step.id(), "4");
  EXPECT_EQ(step.name(), "read");
  EXPECT_EQ(step.attempt(), 2);
  EXPECT_EQ(step.deadline(), deadline);
  EXPECT_FALSE(step.stop_requested());
  source.request_stop();
  EXPECT_TRUE(step.stop_requested());
  EXPECT_TRUE(step.stop_token().stop_requested());
}

}  // namespace
}  // namespace perdure
