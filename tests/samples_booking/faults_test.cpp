#include "samples/booking/faults.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "samples/booking/layout.hpp"
#include "samples/booking/plan.hpp"

namespace booking {
namespace {

constexpr std::uint32_t kMany = 2'000;

std::size_t refusals(double probability) {
  std::size_t count = 0;
  for (const std::string& trip : trip_ids(kMany)) {
    count += refusal_of("hotel", trip, 1, probability).empty() ? 0U : 1U;
  }
  return count;
}

TEST(Refusals, DependOnSeedServiceAndTripAlone) {
  std::size_t differ_by_seed = 0;
  std::size_t differ_by_kind = 0;
  for (const std::string& trip : trip_ids(kMany)) {
    const std::string refusal = refusal_of("hotel", trip, 1, 0.5);
    EXPECT_EQ(refusal, refusal_of("hotel", trip, 1, 0.5));
    differ_by_seed += refusal != refusal_of("hotel", trip, 2, 0.5) ? 1U : 0U;
    differ_by_kind += refusal != refusal_of("flight", trip, 1, 0.5) ? 1U : 0U;
  }
  EXPECT_NEAR(static_cast<double>(differ_by_seed), kMany / 2.0, kMany / 10.0);
  EXPECT_NEAR(static_cast<double>(differ_by_kind), kMany / 2.0, kMany / 10.0);
}

TEST(Refusals, AreAsManyAsTheirProbabilitySays) {
  EXPECT_EQ(refusals(0), 0U);
  EXPECT_EQ(refusals(1), kMany);
  EXPECT_NEAR(static_cast<double>(refusals(0.1)), kMany / 10.0, kMany / 50.0);
}

TEST(FaultDraws, AreTheSameForTheSameSeedAndPast) {
  const FaultLevels levels{.latency_ms = 50, .lose_reply = 0.3, .crash = 0.3};
  Faults one(levels, 1, 5);
  Faults same(levels, 1, 5);
  Faults later(levels, 1, 6);
  std::size_t differ = 0;
  for (std::uint32_t i = 0; i < kMany; ++i) {
    const Draw draw = one.draw();
    const Draw again = same.draw();
    ASSERT_EQ(draw.fate, again.fate);
    ASSERT_EQ(draw.before, again.before);
    ASSERT_EQ(draw.after, again.after);
    differ += draw.fate != later.draw().fate ? 1U : 0U;
  }
  EXPECT_GT(differ, kMany / 10);
}

TEST(FaultDraws, KeepToTheirLevels) {
  Faults faults({.latency_ms = 7, .lose_reply = 0.2, .crash = 0.2}, 1, 0);
  std::map<Fate, double> fates;
  std::chrono::milliseconds longest{0};
  for (std::uint32_t i = 0; i < kMany; ++i) {
    const Draw draw = faults.draw();
    fates[draw.fate] += 1.0 / kMany;
    longest = std::max({longest, draw.before, draw.after});
  }
  EXPECT_EQ(longest.count(), 7);
  EXPECT_NEAR(fates[Fate::crashes_before], 0.1, 0.03);
  EXPECT_NEAR(fates[Fate::crashes_after], 0.1, 0.03);
  EXPECT_NEAR(fates[Fate::reply_lost], 0.16, 0.03);
}

TEST(FaultDraws, WithoutLevelsAreNone) {
  Faults faults({}, 1, 0);
  for (std::uint32_t i = 0; i < kMany; ++i) {
    const Draw draw = faults.draw();
    ASSERT_EQ(draw.fate, Fate::answered);
    ASSERT_EQ((draw.before + draw.after).count(), 0);
  }
}

}  // namespace
}  // namespace booking
