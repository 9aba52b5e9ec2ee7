#include "core/clock.hpp"

#include <gtest/gtest.h>

namespace perdure::core {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

TEST(ManualClock, StandsStillUntilItIsMoved) {
  ManualClock clock(WallTime{microseconds{5}});
  EXPECT_EQ(clock.wall(), WallTime{microseconds{5}});
  EXPECT_EQ(clock.elapsed(), Elapsed{0});
  EXPECT_EQ(clock.wall(), WallTime{microseconds{5}});
  clock.advance(microseconds{7});
  EXPECT_EQ(clock.wall(), WallTime{microseconds{12}});
  EXPECT_EQ(clock.elapsed(), microseconds{7});
}

TEST(ManualClock, OnlyTheCalendarJumps) {
  ManualClock clock;
  const WallTime start = clock.wall();
  clock.advance(seconds{10});
  clock.jump_wall(-seconds{3600});
  EXPECT_EQ(clock.wall(), start - seconds{3590});
  EXPECT_EQ(clock.elapsed(), seconds{10});
  clock.jump_wall(seconds{3600});
  EXPECT_EQ(clock.wall(), start + seconds{10});
}

TEST(ManualClockDeathTest, ElapsedTimeNeverDecreases) {
  ManualClock clock;
  EXPECT_DEATH(clock.advance(microseconds{-1}), "elapsed time never decreases");
}

TEST(SystemClock, ElapsedNeverDecreases) {
  SystemClock clock;
  Elapsed before = clock.elapsed();
  EXPECT_GT(before, Elapsed{0});
  for (int i = 0; i < 1000; ++i) {
    const Elapsed now = clock.elapsed();
    EXPECT_GE(now, before);
    before = now;
  }
}

TEST(SystemClock, WallIsTheCalendarInMicroseconds) {
  SystemClock clock;
  const auto before = std::chrono::floor<microseconds>(std::chrono::system_clock::now());
  const WallTime now = clock.wall();
  EXPECT_GE(now, before);
  // 2024-01-01, and 2200-01-01: a wrong unit is off by more.
  EXPECT_GT(now, WallTime{seconds{1'704'067'200}});
  EXPECT_LT(now, WallTime{seconds{7'258'118'400}});
}

}  // namespace
}  // namespace perdure::core
