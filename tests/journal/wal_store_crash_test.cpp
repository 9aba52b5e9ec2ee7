// The process ends without a checkpoint, at any moment: the next one finds everything.
#include "tests/journal/wal_store_fixture.hpp"

#include <thread>

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
  /// Everything in the tables, as a batch; borrowed from `copied_`.
  [[nodiscard]] std::vector<Mutation> rows_below() {
    copied_ = below_.snapshot().value();
    std::vector<Mutation> rows;
    for (std::size_t i = 1; i <= kTableCount; ++i) {
      const auto table = static_cast<Table>(i);
      const auto cursor = copied_->scan(table, {}, {}).value();
      while (cursor->next().value()) {
        const Key key = Key{}.add(cursor->key());
        rows.push_back({table, Mutation::Kind::put, key, *copied_->get(table, key).value()});
      }
    }
    return rows;
  }
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

  std::unique_ptr<Snapshot> copied_;
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

/// The log is full, around its end, of what is not below: it says so, and everything is in it.
TEST_F(WalStoreCrashTest, AFullLogThatGoesAroundItsEndIsWholeAfterwards) {
  options_.file_bytes_max = 24 * kWalUnit;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    Dice dice(seed);
    const auto bytes = [&] { return dice.below(3) * kWalUnit; };
    open();
    std::uint64_t number = model_.size();
    for (std::uint64_t i = 1 + dice.below(4); i > 0; --i)
      commit_row(++number, Durability::full, bytes());
    // While these go below, others begin in the middle of the file.
    below_.inner().hold_commits();
    std::thread checkpoint([&] { EXPECT_TRUE(store_->checkpoint()); });
    below_.inner().wait_for_held_commit();
    commit_row(++number, Durability::full, bytes());
    below_.inner().release_commits();
    checkpoint.join();
    below_.inner().fill_disk();
    for (;;) {
      const Changes next = row(++number, bytes());
      const Result<void> done = store_->commit(next.mutations(), Durability::full);
      if (!done) {
        ASSERT_EQ(done.error().code, Code::storage_full);
        break;
      }
      next.apply(model_);
    }
    ASSERT_TRUE(is_as_it_should_be()) << seed;
    ASSERT_GE(store_->figures().log_bytes, options_.file_bytes_max / 2) << "it used its room";
    store_.reset();
    below_.inner().free_room();
    open();
    ASSERT_TRUE(is_as_it_should_be()) << seed;
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
  flip(log(), place_of(4) + 20);
  const auto damaged = try_open();
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, Code::corrupt);
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

TEST_F(WalStoreCrashTest, AnEntryOfANewerPerdureIsRefusedAndNothingGoesBelow) {
  open();
  commit_row(1, Durability::full);
  commit_row(2, Durability::full);
  store_.reset();
  const std::size_t place = place_of(2);
  const auto size = WalEntry::size_of(row(2).mutations());
  std::string bytes = bytes_of(log()).substr(place, size);
  bytes[kWalEntryHeader] = 100;  // A table that nobody knows.
  const WalEntry newer = sealed(bytes, wal_seed(kLogJournal));
  patch(log(), place, core::as_text(newer.bytes()));
  const auto opened = try_open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::newer_format) << opened.error().message;
  EXPECT_EQ(below_.commits(), 0U);
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
  const auto damaged = try_open();
  ASSERT_FALSE(damaged) << "batch 4 says that 3 was durable";
  EXPECT_EQ(damaged.error().code, Code::corrupt);
  set_bytes(log(), good);
  wipe(4);
  model_.erase({Table::runs, number_key(4)});
  open();
  EXPECT_TRUE(is_as_it_should_be());
}

/// A half that was restored is told in every mode: what is behind a checkpoint was written when all
/// before it was durable, in the tables.
TEST_F(WalStoreCrashTest, OlderTablesWithALogThatWentOnAreDamageInEveryMode) {
  open();
  commit_row(1);
  ASSERT_TRUE(store_->checkpoint());
  // The tables as they are here come back later: nothing more goes into this store.
  ToldStore newer;
  ASSERT_TRUE(newer.commit(rows_below(), Durability::full));
  auto store = WalStore::open(directory_.path(), kLogJournal, newer, options_).value();
  for (std::uint64_t batch = 2; batch <= 4; ++batch) {
    ASSERT_TRUE(store->commit(row(batch).mutations(), Durability::none));
    ASSERT_TRUE(store->checkpoint());
  }
  ASSERT_TRUE(store->commit(row(5).mutations(), Durability::none));
  store.reset();
  const auto opened = try_open();
  ASSERT_FALSE(opened) << "batches 2 to 4 are lost";
  EXPECT_EQ(opened.error().code, Code::corrupt);
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
