// Processes that put blobs die and lose power at each of their moments; what was acknowledged as
// durable is there, and nothing torn stands under a blob's name.
#include "tests/crash/blob_lives.hpp"

#include <gtest/gtest.h>

namespace perdure::crash {
namespace {

class BlobPowerLossTest : public ::testing::Test {
 protected:
  std::vector<std::string> lose(Syncs syncs, Torn torn, const std::vector<double>& kept) {
    return lose_power_of_blobs(lives_, syncs, torn, kept);
  }
  static bool any_says(const std::vector<std::string>& findings, std::string_view what) {
    return std::ranges::any_of(
        findings, [&](const std::string& each) { return each.find(what) != std::string::npos; });
  }

  TemporaryDirectory directory_{"blob-power"};
  BlobLives lives_{directory_.path() / "lives"};
};

TEST_F(BlobPowerLossTest, TakesNothingAcknowledgedAndLeavesNothingTorn) {
  ASSERT_TRUE(lives_.live(BlobMode::full, 4).completed());
  EXPECT_EQ(lives_.acknowledged().size(), 4U);
  EXPECT_EQ(joined(lives_.findings()), "");
  EXPECT_EQ(joined(lose(Syncs::honoured, Torn::refused, {0.0, 0.5})), "");
}

/// What was put without syncs may be torn; what was acknowledged as durable afterwards is not.
TEST_F(BlobPowerLossTest, TakesNothingDurableThatWasPutWithoutSyncsBefore) {
  ASSERT_TRUE(lives_.live(BlobMode::mixed, 4).completed());
  EXPECT_EQ(joined(lives_.findings()), "");
  EXPECT_EQ(joined(lose(Syncs::honoured, Torn::allowed, {0.0, 0.5})), "");
}

/// A process dies behind each record. What it had renamed and not synced the next one finds, and
/// acknowledges; then power is lost.
TEST_F(BlobPowerLossTest, AfterAProcessDiedTakesNothingThatTheNextOneAcknowledged) {
  bool was_killed = true;
  int deaths = 0;
  // Of the shelves, which are made first, some.
  constexpr long kShelves = journal::BlobPlace::kShelves;
  for (long kill_at = 1; was_killed; kill_at += kill_at < kShelves - 84 ? 84 : 19) {
    BlobLives lives(directory_.path() / std::to_string(kill_at));
    was_killed =
        lives.live(deaths % 2 == 0 ? BlobMode::full : BlobMode::mixed, 2, kill_at).killed();
    const std::size_t first = lives.records().size();
    ASSERT_TRUE(lives.live(BlobMode::full, 2).completed());
    ASSERT_EQ(joined(lives.findings()), "") << "killed behind record " << kill_at;
    ASSERT_EQ(joined(lose_power_of_blobs(lives, Syncs::honoured, Torn::allowed, {0.0}, first)), "")
        << "killed behind record " << kill_at;
    ++deaths;
  }
  EXPECT_GT(deaths, 6);
}

// What follows shows that these tests can fail.

TEST_F(BlobPowerLossTest, OnDisksThatDontSyncTheTestFindsLosses) {
  ASSERT_TRUE(lives_.live(BlobMode::full, 2).completed());
  EXPECT_TRUE(any_says(lose(Syncs::without_directories, Torn::refused, {0.0}), "not_found"));
  EXPECT_TRUE(any_says(lose(Syncs::without_files, Torn::refused, {0.5}), "torn"));
  EXPECT_TRUE(any_says(lose(Syncs::without_data, Torn::refused, {0.0}), "content"));
}

}  // namespace
}  // namespace perdure::crash
