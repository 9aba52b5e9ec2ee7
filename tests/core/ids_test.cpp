#include "core/ids.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <unordered_set>

namespace perdure {
namespace {

RunId filled(unsigned char value) {
  RunId id;
  id.bytes.fill(std::byte{value});
  return id;
}

TEST(RunId, PrintsAsTheUlidSpecSays) {
  EXPECT_EQ(to_string(RunId{}), "00000000000000000000000000");
  EXPECT_EQ(to_string(filled(0xff)), "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
}

/// The example of github.com/ulid/spec: 1469918176385 ms is 01ARYZ6S41.
TEST(RunId, DrawsTheMillisecondFirst) {
  core::ManualClock clock(core::WallTime{std::chrono::microseconds{1'469'918'176'385'999}});
  core::SeededRandom random(1);
  const RunId id = core::draw_run_id(clock, random);
  EXPECT_EQ(to_string(id).substr(0, 10), "01ARYZ6S41");
  EXPECT_NE(to_string(id).substr(10), std::string(16, '0'));
}

TEST(RunId, LaterOnesSortBehind) {
  core::ManualClock clock;
  core::SystemRandom random;
  RunId before = core::draw_run_id(clock, random);
  for (int i = 0; i < 100; ++i) {
    clock.advance(std::chrono::milliseconds{1 + i * i * 1000});
    const RunId id = core::draw_run_id(clock, random);
    EXPECT_LT(before, id);
    EXPECT_LT(to_string(before), to_string(id)) << "text sorts as bytes do";
    before = id;
  }
}

TEST(RunId, DrawsOfOneMillisecondDiffer) {
  core::ManualClock clock;
  core::SeededRandom random(1);
  std::unordered_set<RunId> ids;
  for (int i = 0; i < 10'000; ++i) ids.insert(core::draw_run_id(clock, random));
  EXPECT_EQ(ids.size(), 10'000U);
}

TEST(RunId, ParsesWhatItPrints) {
  core::SystemClock clock;
  core::SeededRandom random(2);
  for (int i = 0; i < 1000; ++i) {
    RunId id;
    random.fill(id.bytes);
    EXPECT_EQ(RunId::parse(to_string(id)).value(), id);
  }
}

TEST(RunId, ReadsLettersAsTheSpecDoes) {
  const RunId id = RunId::parse("01JD3Z5V7Q8R9S0T1V2W3X4Y5Z").value();
  EXPECT_EQ(RunId::parse("01jd3z5v7q8r9s0t1v2w3x4y5z").value(), id);
  EXPECT_EQ(RunId::parse("OIJD3Z5V7Q8R9SoTlV2W3X4Y5Z").value(), id);
  EXPECT_EQ(RunId::parse("0LJD3Z5V7Q8R9S0TiV2W3X4Y5Z").value(), id);
}

TEST(RunId, SaysWhatIsWrongWithAText) {
  const auto message_of = [](std::string_view text) {
    const Result<RunId> id = RunId::parse(text);
    EXPECT_FALSE(id) << text;
    EXPECT_EQ(id.error().code, Code::misuse);
    return id.error().message;
  };
  const auto says = [&](std::string_view text, std::string_view part) {
    const std::string message = message_of(text);
    EXPECT_NE(message.find(part), std::string::npos) << message;
    EXPECT_NE(message.find(text.substr(0, 64)), std::string::npos) << message;
  };
  says("", "it has 0 characters");
  says("01JD3Z5V7Q8R9S0T1V2W3X4Y5", "it has 25 characters");
  says("01JD3Z5V7Q8R9S0T1V2W3X4Y5ZZ", "it has 27 characters");
  says("01JD3Z5V7Q8R9S0T1V2W3X4Y5U", "character 26 is not of base 32");
  says("01JD-Z5V7Q8R9S0T1V2W3X4Y5Z", "character 5 is not of base 32");
  says("81JD3Z5V7Q8R9S0T1V2W3X4Y5Z", "above 128 bits");
  // A text of any length comes back cut, so that an error stays an error message.
  EXPECT_LT(message_of(std::string(100'000, 'x')).size(), 300U);
}

}  // namespace
}  // namespace perdure
