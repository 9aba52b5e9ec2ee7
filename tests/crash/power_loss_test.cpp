// Power is lost at many moments of a journal's life; nothing that was acknowledged is lost with it.
#include "tests/crash/power_loss.hpp"
#include "tests/crash/process.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <tuple>

namespace perdure::crash {
namespace {

using ModeAndSeed = std::tuple<Mode, std::uint64_t>;

class PowerLoss : public ::testing::TestWithParam<ModeAndSeed> {
 protected:
  TemporaryDirectory directory_{"power-loss-" + std::string(to_string(std::get<0>(GetParam()))) +
                                std::to_string(std::get<1>(GetParam()))};
};

TEST_P(PowerLoss, TakesNothingAcknowledgedAndBreaksNoJournal) {
  const auto [mode, seed] = GetParam();
  EXPECT_EQ(lose_power_at_random(directory_.path(), mode, seed, 60), "");
}

/// `full_3`.
std::string words_of_mode_and_seed(
    const ::testing::TestParamInfo<std::tuple<Mode, std::uint64_t>>& info) {
  return std::string(to_string(std::get<0>(info.param))) + "_" +
         std::to_string(std::get<1>(info.param));
}

INSTANTIATE_TEST_SUITE_P(InModeFull, PowerLoss,
                         ::testing::Combine(::testing::Values(Mode::full),
                                            ::testing::Range<std::uint64_t>(1, 7)),
                         words_of_mode_and_seed);
INSTANTIATE_TEST_SUITE_P(InModeInterval, PowerLoss,
                         ::testing::Combine(::testing::Values(Mode::interval),
                                            ::testing::Range<std::uint64_t>(1, 4)),
                         words_of_mode_and_seed);

INSTANTIATE_TEST_SUITE_P(InModeNone, PowerLoss,
                         ::testing::Combine(::testing::Values(Mode::none),
                                            ::testing::Range<std::uint64_t>(1, 4)),
                         words_of_mode_and_seed);

class PowerLossTest : public ::testing::Test {
 protected:
  /// A journal that lived undisturbed.
  void SetUp() override {
    lives_.complete();
    ASSERT_EQ(joined(lives_.findings()), "");
  }
  std::vector<std::string> lose(Syncs syncs, const std::vector<Loss>& losses) {
    return lose_power(lives_, syncs, losses, random_);
  }
  static bool any_says(const std::vector<std::string>& findings, std::string_view what) {
    return std::ranges::any_of(
        findings, [&](const std::string& each) { return each.find(what) != std::string::npos; });
  }

  TemporaryDirectory directory_{"power-loss"};
  TappedLives lives_{directory_.path() / "lives", Mode::full};
  std::mt19937_64 random_{1};
};

/// Creation is short: power is lost behind each of its records, and behind those of the first
/// commits.
TEST_F(PowerLossTest, WhileAJournalComesIntoBeingLeavesNoneOrAWholeOne) {
  std::vector<Loss> losses;
  for (std::size_t at = 0; at <= 60; ++at)
    for (const double kept : {0.0, 0.5, 1.0})
      losses.push_back({at, kept, at % 5 == 0 ? Then::go_on : Then::look, 0});
  EXPECT_EQ(joined(lose(Syncs::honoured, losses)), "");
}

/// A process dies behind each record while the journal comes into being. What it had not synced,
/// the next one sees all the same, and acknowledges work on top of it; then power is lost.
TEST_F(PowerLossTest, AfterAProcessDiedTakesNothingThatTheNextOneAcknowledged) {
  const auto first_mark = std::ranges::find(lives_.records().begin() + 1, lives_.records().end(),
                                            DiskEvent::mark, &DiskRecord::event);
  const auto creation = std::distance(lives_.records().begin(), first_mark);
  for (long kill_at = 1; kill_at <= creation; ++kill_at) {
    // A plain write more or less makes no difference to what is named and synced.
    const DiskRecord& last = lives_.records()[static_cast<std::size_t>(kill_at - 1)];
    if (last.event == DiskEvent::write || last.event == DiskEvent::mark) continue;
    TappedLives lives(directory_.path() / std::to_string(kill_at), Mode::full);
    lives.live(kill_at);
    lives.complete();
    ASSERT_EQ(joined(lives.findings()), "") << "killed behind record " << kill_at;
    std::vector<Loss> losses = draw_losses(lives.records(), 4, 1000, random_);
    for (Loss& loss : losses) loss.kept = 0.0;
    losses.push_back({lives.records().size(), 0.0, Then::look, 0});
    EXPECT_EQ(joined(lose_power(lives, Syncs::honoured, losses, random_)), "")
        << "killed behind record " << kill_at << " of " << creation;
  }
}

/// The log is written by one write and one sync a batch, and grows by zeros; the tables are written
/// by checkpoints, whose last write is the meta page.
TEST_F(PowerLossTest, IsSeenByTheLogWithAllThatIsWritten) {
  const auto file_named = [&](std::string_view name) {
    const auto made = std::ranges::find_if(lives_.records(), [&](const DiskRecord& record) {
      return record.event == DiskEvent::create_file && record.path.ends_with(name);
    });
    return made == lives_.records().end() ? 0 : made->file;
  };
  const auto count = [&](std::uint64_t file, DiskEvent event) {
    return std::ranges::count_if(lives_.records(), [&](const DiskRecord& record) {
      return record.file == file && record.event == event;
    });
  };
  const auto is_growth = [](const DiskRecord& record) {
    return record.data.find_first_not_of('\0') == std::string::npos;
  };
  const std::uint64_t log = file_named("/wal");
  const auto growths = std::ranges::count_if(lives_.records(), [&](const DiskRecord& record) {
    return record.file == log && record.event == DiskEvent::write && is_growth(record);
  });
  EXPECT_GT(growths, 1);
  EXPECT_GT(count(log, DiskEvent::sync_end), 20);
  EXPECT_EQ(count(log, DiskEvent::write) - growths, count(log, DiskEvent::sync_end));
  EXPECT_EQ(count(log, DiskEvent::sync_begin), count(log, DiskEvent::sync_end));
  EXPECT_EQ(count(log, DiskEvent::write_through), 0);
  const std::uint64_t tables = file_named("/data.mdb");
  EXPECT_GE(count(tables, DiskEvent::write_through), 3) << "two of the creation, one of the end";
  EXPECT_GE(count(tables, DiskEvent::sync_end), count(tables, DiskEvent::write_through));
  EXPECT_GT(count(tables, DiskEvent::write), 2 * count(tables, DiskEvent::write_through));
}

// What follows shows that these tests can fail: the same journal on a disk that does not do as it
// is told.

TEST_F(PowerLossTest, WithoutSyncsTheTestFindsLosses) {
  std::vector<Loss> losses = draw_losses(lives_.records(), 30, 1000, random_);
  for (Loss& loss : losses) loss.kept = 0.0;
  const std::vector<std::string> findings = lose(Syncs::without_files, losses);
  EXPECT_GT(findings.size(), 10U);
}

TEST_F(PowerLossTest, WithoutSyncsOfDataTheTestFindsBrokenJournals) {
  std::vector<Loss> losses = draw_losses(lives_.records(), 30, 1000, random_);
  for (Loss& loss : losses) loss.kept = 0.5;
  const std::vector<std::string> findings = lose(Syncs::without_data, losses);
  EXPECT_GT(findings.size(), 10U);
}

TEST_F(PowerLossTest, WithoutSyncsOfDirectoriesTheTestFindsLostJournals) {
  std::vector<Loss> losses = draw_losses(lives_.records(), 30, 1000, random_);
  for (Loss& loss : losses) loss.kept = 0.0;
  const std::vector<std::string> findings = lose(Syncs::without_directories, losses);
  EXPECT_TRUE(any_says(findings, "promise 2")) << joined(findings);
}

TEST(PowerLossInModeNoneTest, WithoutSyncsTheTestFindsLosses) {
  const TemporaryDirectory directory("power-loss-none");
  TappedLives lives(directory.path() / "lives", Mode::none);
  lives.complete();
  ASSERT_EQ(joined(lives.findings()), "");
  std::mt19937_64 random(1);
  std::vector<Loss> losses = draw_losses(lives.records(), 30, 1000, random);
  for (Loss& loss : losses) loss.kept = 0.5;
  EXPECT_GT(lose_power(lives, Syncs::without_data, losses, random).size(), 10U);
}

}  // namespace
}  // namespace perdure::crash
