// A store with a log that goes round every few batches dies and loses power, again and again, also
// while it recovers; what was durable is there, and readers and the next writer see the same.
#include "tests/crash/log_lives.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace perdure::crash {
namespace {

class LogDeaths : public ::testing::TestWithParam<const char*> {
 protected:
  TemporaryDirectory directory_{"log-deaths-" + std::string(GetParam())};
};

/// Dies at the point, at each of its passings; then again and again at its first passing, which for
/// a checkpoint is that of the opening, and at the opening's others.
TEST_P(LogDeaths, AtAPointTakeNothingHoweverOftenTheyHappen) {
  for (int passing = 1; passing <= 8; ++passing) {
    LogLives lives(directory_.path() / std::to_string(passing));
    const std::string point = GetParam();
    ASSERT_TRUE(
        lives.live({.batches = 60, .crash_at = point + ":" + std::to_string(passing)}).killed())
        << "nothing passes the point so often: " << point << ":" << passing;
    for (int again = 1; again <= 3; ++again) lives.live({.batches = 60, .crash_at = point + ":1"});
    for (const char* other : {"checkpoint_after:1", "checkpoint_before:1", "checkpoint_written:1"})
      lives.live({.mode = LogMode::mixed, .batches = 9, .crash_at = other});
    EXPECT_TRUE(lives.live({.batches = 3, .settles = true}).completed());
    ASSERT_EQ(joined(lives.findings()), "") << point << ":" << passing;
  }
}

INSTANTIATE_TEST_SUITE_P(Every, LogDeaths,
                         ::testing::Values("commit_written", "checkpoint_before",
                                           "checkpoint_written", "checkpoint_after",
                                           "commit_after"),
                         [](const auto& which) { return std::string(which.param); });

class LogPowerLoss : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(LogPowerLoss, TakesNothingDurableAlsoWhileALossIsRecoveredFrom) {
  const TemporaryDirectory directory("log-power-" + std::to_string(GetParam()));
  EXPECT_EQ(lose_power_of_logs(directory.path(), GetParam(), 25, 2), "");
}

INSTANTIATE_TEST_SUITE_P(Seeds, LogPowerLoss, ::testing::Range<std::uint64_t>(1, 7));

/// A process dies behind each record of its life, whose end is a checkpoint. What it had not
/// synced, be it the meta page of the tables, the next one sees all the same, and writes over what
/// is not needed any more as it sees it; then power is lost.
TEST(LogPowerLossTest, AfterAProcessDiedTakesNothingThatTheNextOneSaw) {
  const TemporaryDirectory directory("log-power-died");
  std::mt19937_64 random(1);
  bool was_killed = true;
  for (long kill_at = 1; was_killed; ++kill_at) {
    // The same batches each time, which are drawn from the name too.
    std::filesystem::remove_all(directory.path() / "lives");
    LogLives lives(directory.path() / "lives");
    DiskModel disk(lives.root(), Syncs::honoured);
    was_killed = lives.live({.batches = 2, .settles = true, .kill_at = kill_at}).killed();
    const std::size_t first = read_disk_log(lives.disk_log()).size();
    KnownBatches known = lives.known();
    lives.live({.batches = 3});
    ASSERT_EQ(joined(lives.findings()), "") << "killed behind record " << kill_at;
    const std::vector<DiskRecord> records = read_disk_log(lives.disk_log());
    const std::filesystem::path image = lives.directory() / "image";
    for (std::size_t at = 0; at < records.size(); ++at) {
      disk.apply(records[at]);
      if (at < first) continue;
      if (records[at].event == DiskEvent::mark) known.take_lines(records[at].data);
      disk.lose_power(image, 0.0, random);
      ASSERT_EQ(joined(look_at_log(image, known, false)), "")
          << "killed behind record " << kill_at << ", power lost behind record " << at + 1;
    }
  }
}

/// The same on disks that don't do as they are told, to show that the tests above can fail.
TEST(LogPowerLossTest, WithoutSyncsFindsLosses) {
  const TemporaryDirectory directory("log-power-unsynced");
  for (const Syncs syncs : {Syncs::without_files, Syncs::without_data})
    EXPECT_NE(lose_power_of_logs(directory.path(), 1, 25, 0, syncs), "");
}

}  // namespace
}  // namespace perdure::crash
