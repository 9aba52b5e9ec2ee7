// As matrix_test.cpp, with what sessions do: messages, signals, state, times, children, cancels,
// versions, and frames that are given up in every second life.
#include "core/crash_point.hpp"
#include "tests/crash/operator.hpp"
#include "tests/crash/power_loss.hpp"
#include "tests/crash/process.hpp"
#include "tests/crash/random_deaths.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>

namespace perdure::crash {
namespace {

constexpr std::array kPassings{1, 4, 23};

std::string at(std::size_t point, int passing) {
  return std::string(core::kCrashPointNames[point]) + ":" + std::to_string(passing);
}

class SessionMatrix : public ::testing::TestWithParam<std::size_t> {
 protected:
  SessionsPart sessions_;
  TemporaryDirectory directory_{"session-matrix-" + std::to_string(GetParam())};
};

/// Dies at the point, has an operator's orders queued for it, dies at another point, and completes.
TEST_P(SessionMatrix, NothingPromisedIsBrokenByDyingHere) {
  int reached = 0;
  for (const int passing : kPassings) {
    Lives lives(directory_.path() / std::to_string(passing));
    if (!lives.live({.crash_at = at(GetParam(), passing)}).killed()) {
      // It is passed less often than that, so nothing kept it from its end.
      ASSERT_TRUE(lives.findings().empty()) << lives.report();
      continue;
    }
    ++reached;
    give_orders(lives.journal_path(), lives.outside_path(), "an order");
    const std::size_t other = (GetParam() + static_cast<std::size_t>(passing)) %
                              static_cast<std::size_t>(core::CrashPoint::blob_written);
    lives.live({.crash_at = at(other, passing)});
    lives.complete();
    ASSERT_TRUE(lives.findings().empty()) << lives.report();
  }
  EXPECT_GT(reached, 0) << "nothing passes the crash point " << at(GetParam(), 1);
}

/// Blobs have their own (blob_test.cpp).
constexpr auto kPointsHere = static_cast<std::size_t>(core::CrashPoint::blob_written);

INSTANTIATE_TEST_SUITE_P(Every, SessionMatrix, ::testing::Range<std::size_t>(0, kPointsHere),
                         [](const auto& which) {
                           return std::string(core::kCrashPointNames[which.param]);
                         });

class SessionDeaths : public ::testing::TestWithParam<Mode> {
 protected:
  SessionsPart sessions_;
  TemporaryDirectory directory_{"session-deaths-" + std::string(to_string(GetParam()))};
};

TEST_P(SessionDeaths, AtRandomBreakNothingThatIsPromised) {
  const std::uint64_t seeds = GetParam() == Mode::full ? 8 : 3;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed)
    ASSERT_EQ(live_dangerously(directory_.path() / std::to_string(seed), GetParam(), seed), "");
}

/// One story of each mode; the soak tells more.
TEST_P(SessionDeaths, OfPowerTakeNothingAcknowledged) {
  EXPECT_EQ(lose_power_at_random(directory_.path(), GetParam(), 1, 20), "");
}

INSTANTIATE_TEST_SUITE_P(InMode, SessionDeaths,
                         ::testing::Values(Mode::full, Mode::interval, Mode::none),
                         [](const auto& mode) { return std::string(to_string(mode.param)); });

}  // namespace
}  // namespace perdure::crash
