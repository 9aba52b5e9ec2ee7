// The process dies at each named crash point, at several of its passings, several times in a row;
// and at random moments. After each death the checker looks at what is left.
#include "core/crash_point.hpp"
#include "tests/crash/process.hpp"
#include "tests/crash/random_deaths.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>
#include <tuple>

namespace perdure::crash {
namespace {

constexpr std::array kPassings{1, 2, 3, 7, 19, 43};

std::string at(std::size_t point, int passing) {
  return std::string(core::kCrashPointNames[point]) + ":" + std::to_string(passing);
}

class CrashMatrix : public ::testing::TestWithParam<std::size_t> {
 protected:
  TemporaryDirectory directory_{"crash-matrix-" + std::to_string(GetParam())};
};

/// Dies at the point, at the same point again, at another one, and then completes.
TEST_P(CrashMatrix, NothingPromisedIsBrokenByDyingHereOnceAndAgain) {
  int reached = 0;
  for (std::size_t i = 0; i < kPassings.size(); ++i) {
    const int passing = kPassings[i];
    Lives lives(directory_.path() / std::to_string(passing));
    if (!lives.live({.crash_at = at(GetParam(), passing)}).killed()) {
      // It is passed less often than that, so nothing kept it from its end.
      ASSERT_TRUE(lives.findings().empty()) << lives.report();
      continue;
    }
    ++reached;
    lives.live({.crash_at = at(GetParam(), 1 + static_cast<int>(i))});
    const std::size_t other = (GetParam() + 1 + i) % core::kCrashPointCount;
    lives.live({.crash_at = at(other, 1 + passing % 3)});
    lives.complete();
    ASSERT_TRUE(lives.findings().empty()) << lives.report();
  }
  EXPECT_GT(reached, 0) << "nothing passes the crash point " << at(GetParam(), 1);
}

INSTANTIATE_TEST_SUITE_P(Every, CrashMatrix,
                         ::testing::Range<std::size_t>(0, core::kCrashPointCount),
                         [](const auto& which) {
                           return std::string(core::kCrashPointNames[which.param]);
                         });

class RandomDeaths : public ::testing::TestWithParam<std::tuple<Mode, std::uint64_t>> {};

TEST_P(RandomDeaths, BreakNothingThatIsPromised) {
  const auto [mode, seed] = GetParam();
  const TemporaryDirectory directory("random-deaths-" + std::string(to_string(mode)) +
                                     std::to_string(seed));
  for (std::uint64_t i = 0; i < 5; ++i)
    ASSERT_EQ(live_dangerously(directory.path() / std::to_string(i), mode, seed * 1000 + i), "");
}

/// `full_3`.
std::string words_of_mode_and_seed(
    const ::testing::TestParamInfo<std::tuple<Mode, std::uint64_t>>& info) {
  return std::string(to_string(std::get<0>(info.param))) + "_" +
         std::to_string(std::get<1>(info.param));
}

INSTANTIATE_TEST_SUITE_P(InModeFull, RandomDeaths,
                         ::testing::Combine(::testing::Values(Mode::full),
                                            ::testing::Range<std::uint64_t>(1, 6)),
                         words_of_mode_and_seed);
INSTANTIATE_TEST_SUITE_P(InModesIntervalAndNone, RandomDeaths,
                         ::testing::Combine(::testing::Values(Mode::interval, Mode::none),
                                            ::testing::Range<std::uint64_t>(1, 3)),
                         words_of_mode_and_seed);

}  // namespace
}  // namespace perdure::crash
