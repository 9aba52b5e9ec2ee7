// The process ends without a checkpoint, at any moment: the next one finds everything.
#include "tests/journal/wal_store_fixture.hpp"

namespace perdure::journal {
namespace {

class WalStoreCrashTest : public WalStoreTest {
 protected:
  /// Where the entry of `batch` is, by the bytes in the file.
  [[nodiscard]] std::size_t place_of(std::uint64_t batch) const {
    const std::string bytes = bytes_of(log());
    for (std::size_t place = WalFile::kFirst; place < bytes.size(); place += kWalUnit) {
      const auto header = WalEntry::header(core::as_bytes(bytes).subspan(place));
      if (header && header->link.batch == batch) return place;
    }
    ADD_FAILURE() << "no entry of batch " << batch;
    return 0;
  }
  void wipe(std::uint64_t batch) { patch(log(), place_of(batch), std::string(kWalUnit, '\0')); }
  /// The number of the next batch, which is committed to find out.
  std::uint64_t next_number() {
    const std::uint64_t before = highest();
    commit_row(999);
    const std::uint64_t number = highest();
    EXPECT_GT(number, before) << "no entry in the file has the number already";
    return number;
  }
  [[nodiscard]] std::uint64_t highest() const {
    const auto file = WalFile::open(directory_.path(), kLogJournal, WalFile::Access::read).value();
    return file->find_later(0).value().highest_batch;
  }
};

TEST_F(WalStoreCrashTest, FindsWhatAnyNumberOfBatchesLeft) {
  std::uint64_t number = 0;
  for (std::uint64_t batches = 0; batches <= 20; ++batches) {
    open();
    ASSERT_TRUE(is_as_it_should_be()) << batches;
    for (std::uint64_t i = 0; i < batches; ++i) commit_row(++number);
    ASSERT_TRUE(is_as_it_should_be()) << batches;
    const std::uint64_t commits = below_.commits();
    store_.reset();
    ASSERT_EQ(below_.commits(), commits) << "what is in the log stays there";
    open();
    ASSERT_EQ(below_.commits(), commits + (batches == 0 ? 0 : 1)) << "all of it at once";
    ASSERT_TRUE(contents(below_) == model_) << batches;
  }
}

TEST_F(WalStoreCrashTest, ThousandsOfBatchesOfAllSizesAroundTheFileManyTimes) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    Dice dice(seed);
    options_.checkpoint_bytes = dice.below(2) == 0 ? 48U << 10U : 1U << 20U;
    options_.file_bytes_max = 256U << 10U;
    open();
    std::uint64_t written = 0;
    for (int round = 0; round < 1200; ++round) {
      const std::uint64_t size = dice.below(8) == 0 ? 12000 : 300;
      Changes changes = dice.changes(6, size);
      if (round % 2 == 0) changes.put(Table::meta, Key{}.add(kCountersRow), dice.text(30));
      written += wal_padded(WalEntry::size_of(changes.mutations()));
      commit(changes, dice.below(20) == 0 ? Durability::full : Durability::none);
      const std::uint64_t what = dice.below(60);
      if (what == 0) open();
      if (what == 1) ASSERT_TRUE(store_->checkpoint());
      if (what <= 4) ASSERT_TRUE(is_as_it_should_be()) << seed << " " << round;
    }
    ASSERT_TRUE(is_as_it_should_be());
    ASSERT_LE(store_->figures().file_bytes, options_.file_bytes_max);
    ASSERT_GT(written, 10 * store_->figures().file_bytes) << "it went around many times";
    open();
    ASSERT_TRUE(contents(below_) == model_);
  }
}

/// The disk below dies in the middle of the work: what was acknowledged is in the log.
TEST_F(WalStoreCrashTest, ACheckpointThatFailedLosesNothing) {
  for (const MemoryFault fault : {MemoryFault::write_failed, MemoryFault::sync_failed}) {
    open();
    const std::uint64_t first = model_.size();
    commit_row(first + 1);
    commit_row(first + 2);
    below_.inner().order_fault(fault);
    EXPECT_EQ(store_->checkpoint().error().code, Code::storage_failed);
    EXPECT_EQ(store_->commit(row(9999).mutations(), Durability::full).error().code,
              Code::storage_failed)
        << "nothing more may be committed by this process";
    EXPECT_TRUE(is_as_it_should_be());
    store_.reset();
    below_.inner().power_loss();
    below_.inner().restart();
    open();
    EXPECT_TRUE(contents(below_) == model_);
  }
}

TEST_F(WalStoreCrashTest, DamageInTheChainIsToldAndATornEndIsNot) {
  constexpr std::uint64_t kBatches = 5;
  for (std::uint64_t damaged = 1; damaged <= kBatches; ++damaged) {
    store_.reset();
    ASSERT_TRUE(WalFile::create(directory_.path(), kLogJournal));
    ToldStore below;
    auto store = WalStore::open(directory_.path(), kLogJournal, below, options_).value();
    for (std::uint64_t batch = 1; batch <= kBatches; ++batch)
      ASSERT_TRUE(store->commit(row(batch).mutations(), Durability::full));
    store.reset();
    flip(log(), place_of(damaged) + kWalEntryHeader + 9);
    const auto again = WalStore::open(directory_.path(), kLogJournal, below, options_);
    if (damaged == kBatches) {
      ASSERT_TRUE(again) << again.error().message;
      EXPECT_EQ(contents(*again.value()).size(), kBatches - 1);
      continue;
    }
    ASSERT_FALSE(again) << damaged;
    EXPECT_EQ(again.error().code, Code::corrupt);
    EXPECT_NE(again.error().message.find("batch " + std::to_string(damaged)), std::string::npos)
        << again.error().message;
    EXPECT_TRUE(contents(below).empty()) << "nothing of it was touched";
  }
}

TEST_F(WalStoreCrashTest, DamageBehindACheckpointIsToldToo) {
  open();
  for (std::uint64_t batch = 1; batch <= 3; ++batch) commit_row(batch, Durability::full);
  ASSERT_TRUE(store_->checkpoint());
  for (std::uint64_t batch = 4; batch <= 6; ++batch) commit_row(batch, Durability::full);
  store_.reset();
  const std::string good = bytes_of(log());
  // An entry that is below needs nobody any more.
  if (good.size() > 0) flip(log(), place_of(4) + 20);
  EXPECT_EQ(try_open().error().code, Code::corrupt);
  set_bytes(log(), good);
  open();
  EXPECT_TRUE(is_as_it_should_be());
}

/// In mode `none` power takes away any entries, and leaves later ones.
TEST_F(WalStoreCrashTest, AfterPowerLossWithoutSyncsTheBatchesBeforeTheGapAreThere) {
  open();
  commit_row(1);
  commit_row(2);
  const Model kept = model_;
  for (std::uint64_t batch = 3; batch <= 6; ++batch) commit_row(batch);
  store_.reset();
  wipe(3);
  model_ = kept;
  open();
  EXPECT_TRUE(is_as_it_should_be());
  EXPECT_EQ(next_number(), 7U) << "entries 4 to 6 are still in the file";
  store_.reset();
  open();
  EXPECT_TRUE(is_as_it_should_be());
  // The same again, with nothing in front of the gap.
  const Model before = model_;
  for (std::uint64_t row = 10; row <= 15; ++row) commit_row(row);
  const std::uint64_t last = highest();
  store_.reset();
  wipe(last - 5);
  model_ = before;
  open();
  EXPECT_TRUE(is_as_it_should_be());
  EXPECT_EQ(next_number(), last + 1);
  store_.reset();
  open();
  EXPECT_TRUE(is_as_it_should_be());
}

TEST_F(WalStoreCrashTest, AGapInFrontOfASyncIsDamageInEveryMode) {
  open();
  commit_row(1);
  commit_row(2);
  commit_row(3, Durability::full);
  commit_row(4);
  store_.reset();
  const std::string good = bytes_of(log());
  wipe(3);
  EXPECT_EQ(try_open().error().code, Code::corrupt) << "batch 4 says that 3 was durable";
  set_bytes(log(), good);
  wipe(4);
  model_.erase({Table::runs, number_key(4)});
  open();
  EXPECT_TRUE(is_as_it_should_be());
}

TEST_F(WalStoreCrashTest, ABatchThatPassedTheLogByIsThereAfterwards) {
  open();
  std::uint64_t number = 0;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < round; ++i) commit_row(++number);
    commit_row(++number, Durability::none, kWalEntryMax);
    if (round == 1) {
      store_.reset();
      open();
    }
    for (int i = 0; i < 2; ++i) commit_row(++number);
    ASSERT_TRUE(is_as_it_should_be());
    store_.reset();
    open();
    ASSERT_TRUE(is_as_it_should_be()) << round;
  }
}

}  // namespace
}  // namespace perdure::journal
