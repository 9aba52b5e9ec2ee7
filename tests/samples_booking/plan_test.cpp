#include "samples/booking/plan.hpp"

#include <stdexcept>

#include "tests/samples_booking/booking_fixture.hpp"

namespace booking {
namespace {

/// Why a folder is not to be had; empty where it is.
std::string refusal(const std::string& directory, const Plan& plan) {
  try {
    const Folder folder(directory, plan);
    return {};
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

TEST(Trips, AreTheSameForTheSamePlan) {
  const Plan plan{3, 7};
  const Trip trip = trip_of(plan, 2);
  EXPECT_EQ(trip.id, "trip-0002");
  EXPECT_EQ(trip.amount_cents, trip_of(plan, 2).amount_cents);
  EXPECT_NE(trip.amount_cents, trip_of({3, 8}, 2).amount_cents);
  EXPECT_FALSE(trip.traveller.empty() || trip.city.empty());
  EXPECT_EQ(trip_ids(3), (std::vector<std::string>{"trip-0001", "trip-0002", "trip-0003"}));
  EXPECT_EQ(trip_id(12'345), "trip-12345");
}

TEST(Folders, AreBegunAndResumed) {
  const TestFolder temporary;
  const std::string directory = temporary.of("deep/run");
  EXPECT_EQ(Folder(directory, {20, 7}).claim(), Claim::begun);
  EXPECT_TRUE(std::filesystem::is_directory(services_of(directory)));
  EXPECT_EQ(Folder(directory, {20, 7}).claim(), Claim::resumed);
}

TEST(Folders, WithAnotherPlanAreRefusedWithBoth) {
  const TestFolder temporary;
  ASSERT_EQ(refusal(temporary.of("run"), {20, 7}), "");
  for (const Plan& other : {Plan{21, 7}, Plan{20, 8}}) {
    const std::string sentence = refusal(temporary.of("run"), other);
    EXPECT_TRUE(contains(sentence, "--trips 20 --seed 7")) << sentence;
    EXPECT_TRUE(contains(sentence, "--trips " + std::to_string(other.trips))) << sentence;
  }
  EXPECT_EQ(refusal(temporary.of("run"), {20, 7}), "");
}

TEST(Folders, OfSomethingElseAreRefusedAndLeftAlone) {
  const TestFolder temporary;
  temporary.write("mine.txt", "x");
  EXPECT_TRUE(contains(refusal(temporary.path(), {20, 7}), "no earlier booking run"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(temporary.path()), {}), 1);
  EXPECT_TRUE(contains(refusal(temporary.of("mine.txt"), {20, 7}), "--dir"));
}

TEST(Folders, WithADamagedPlanAreRefused) {
  const TestFolder temporary;
  for (const char* plan : {"", "{", "[]", R"({"trips": 20})", R"({"trips": "20", "seed": 7})"}) {
    temporary.write("plan.json", plan);
    EXPECT_TRUE(contains(refusal(temporary.path(), {20, 7}), "plan.json")) << plan;
  }
}

TEST(Folders, AreOneDriversAtATime) {
  const TestFolder temporary;
  {
    const Folder first(temporary.path(), {20, 7});
    EXPECT_TRUE(contains(refusal(temporary.path(), {20, 7}), "Another driver"));
  }
  EXPECT_EQ(refusal(temporary.path(), {20, 7}), "");
}

TEST(Folders, OfADriverThatDiedBeforeItsPlanAreBegun) {
  const TestFolder temporary;
  temporary.write("driver.lock", "");
  temporary.write("plan.json.partial", "{");
  EXPECT_EQ(Folder(temporary.path(), {20, 7}).claim(), Claim::begun);
}

}  // namespace
}  // namespace booking
