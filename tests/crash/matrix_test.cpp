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

/// Those of blobs are passed by tests/journal/blob_crash_test.cpp: this workload has no blobs.
constexpr auto kPointsHere = static_cast<std::size_t>(core::CrashPoint::blob_written);

INSTANTIATE_TEST_SUITE_P(Every, CrashMatrix, ::testing::Range<std::size_t>(0, kPointsHere),
                         [](const auto& which) {
                           return std::string(core::kCrashPointNames[which.param]);
                         });

/// The points that are passed when the log is brought into the tables: at the opening after a
/// death, when much has been written, and at a clean end.
class CheckpointMatrix : public ::testing::TestWithParam<const char*> {
 protected:
  [[nodiscard]] std::string point(int passing) const {
    return std::string(GetParam()) + ":" + std::to_string(passing);
  }
  TemporaryDirectory directory_{"checkpoint-matrix-" + std::string(GetParam())};
};

/// Each death is followed by deaths of those who recover from it, each of which has something in
/// the log: what the one before brought below, or what it opened with.
TEST_P(CheckpointMatrix, ARecoveryThatDiesAgainAndAgainBreaksNothing) {
  int life = 0;
  for (const char* first : {"recovery_scanned:1", "commit_after:2", "commit_written:9",
                            "body_after:25", "gate_opened:12"}) {
    Lives lives(directory_.path() / std::to_string(++life));
    ASSERT_TRUE(lives.live({.crash_at = first}).killed()) << lives.report();
    for (int again = 1; again <= 3; ++again) {
      ASSERT_TRUE(lives.live({.crash_at = point(1)}).killed()) << lives.report();
      ASSERT_TRUE(lives.live({.crash_at = "recovery_scanned:1"}).killed()) << lives.report();
    }
    // What these two leave, one recovery after the other is to bring below.
    ASSERT_TRUE(lives.live({.crash_at = "checkpoint_before:1"}).killed()) << lives.report();
    ASSERT_TRUE(lives.live({.crash_at = "checkpoint_written:1"}).killed()) << lives.report();
    ASSERT_TRUE(lives.live({.crash_at = point(1)}).killed()) << lives.report();
    lives.complete();
    ASSERT_TRUE(lives.findings().empty()) << lives.report();
  }
}

TEST_P(CheckpointMatrix, ACleanEndThatDiesBreaksNothing) {
  for (const int stop_after : {0, 20, 45}) {
    Lives lives(directory_.path() / std::to_string(stop_after));
    ASSERT_TRUE(lives.live({.crash_at = "commit_after:5"}).killed()) << lives.report();
    // Its 1st passing is the opening's.
    ASSERT_TRUE(lives.live({.crash_at = point(2), .stop_after_notes = stop_after}).killed())
        << lives.report();
    ASSERT_TRUE(lives.live({.crash_at = point(1)}).killed()) << lives.report();
    lives.complete();
    ASSERT_TRUE(lives.findings().empty()) << lives.report();
  }
}

/// Results of half a megabyte: the log is full several times while steps run.
TEST_P(CheckpointMatrix, DyingWhileMuchIsBeingWrittenBreaksNothing) {
  const std::map<std::string, std::string> heavy{{"PERDURE_CRASH_BALLAST", "500000"},
                                                 {"PERDURE_CRASH_IN_LOG", "1"}};
  for (const int passing : {1, 2}) {
    Lives lives(directory_.path() / std::to_string(passing));
    ASSERT_TRUE(lives.live({.crash_at = point(passing), .environment = heavy}).killed())
        << lives.report();
    ASSERT_TRUE(lives.live({.crash_at = point(1), .environment = heavy}).killed())
        << lives.report();
    lives.live({.crash_at = point(2), .environment = heavy});
    lives.complete();
    ASSERT_TRUE(lives.findings().empty()) << lives.report();
  }
}

INSTANTIATE_TEST_SUITE_P(Every, CheckpointMatrix,
                         ::testing::Values("checkpoint_before", "checkpoint_written",
                                           "checkpoint_after"),
                         [](const auto& which) { return std::string(which.param); });

TEST(LogGrowth, KilledAtAnyOfItsStepsLeavesALogThatIsRead) {
  const TemporaryDirectory directory("log-growth");
  const std::map<std::string, std::string> heavy{{"PERDURE_CRASH_BALLAST", "500000"},
                                                 {"PERDURE_CRASH_IN_LOG", "1"}};
  for (int passing = 1; passing <= 4; ++passing) {
    Lives lives(directory.path() / std::to_string(passing));
    const std::string point = "log_extended:" + std::to_string(passing);
    ASSERT_TRUE(lives.live({.crash_at = point, .environment = heavy}).killed()) << lives.report();
    lives.live({.crash_at = "log_extended:1", .environment = heavy});
    lives.complete();
    ASSERT_TRUE(lives.findings().empty()) << lives.report();
  }
}

/// Results that are blobs: they are there before the records that refer to them.
TEST(LargeResults, KilledWhileOneIsWrittenAreWholeOrNotThere) {
  const TemporaryDirectory directory("large-results");
  const std::map<std::string, std::string> large{{"PERDURE_CRASH_BALLAST", "100000"}};
  for (const char* const point : {"blob_written", "blob_synced", "blob_renamed"}) {
    Lives lives(directory.path() / point);
    for (const char* const passing : {":1", ":9"})
      ASSERT_TRUE(
          lives.live({.crash_at = point + std::string(passing), .environment = large}).killed())
          << lives.report();
    lives.live({.crash_at = "commit_written:12", .environment = large});
    lives.complete();
    ASSERT_TRUE(lives.findings().empty()) << lives.report();
  }
}

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
