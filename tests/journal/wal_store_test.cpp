// The log in front of a store: when batches go below, what readers see meanwhile, a full disk.
#include "tests/journal/wal_store_fixture.hpp"

#include <atomic>
#include <future>
#include <thread>

namespace perdure::journal {
namespace {

TEST_F(WalStoreTest, NothingGoesBelowBeforeItsTime) {
  open();
  for (std::uint64_t i = 1; i <= 50; ++i) commit_row(i, Durability::full);
  EXPECT_EQ(store_->figures().log_bytes, 50 * kWalUnit);
  EXPECT_TRUE(is_as_it_should_be());
  store_.reset();
  EXPECT_EQ(below_.commits(), 0U);
  EXPECT_TRUE(contents(below_).empty());
}

TEST_F(WalStoreTest, SoManyBytesGoBelow) {
  options_.checkpoint_bytes = 10 * kWalUnit;
  open();
  for (std::uint64_t i = 1; i <= 9; ++i) commit_row(i);
  EXPECT_EQ(below_.commits(), 0U);
  commit_row(10);
  below_.await_commits(1);
  for (std::uint64_t i = 11; i <= 20; ++i) commit_row(i);
  below_.await_commits(2);
  EXPECT_TRUE(is_as_it_should_be());
  EXPECT_TRUE(contents(below_) == model_);
}

TEST_F(WalStoreTest, WhatHasWaitedSoLongGoesBelow) {
  options_.checkpoint_age = std::chrono::milliseconds(1);
  open();
  for (std::uint64_t i = 1; i <= 5; ++i) {
    commit_row(i);
    below_.await_commits(i);
    EXPECT_TRUE(contents(below_) == model_);
  }
}

TEST_F(WalStoreTest, OnDemandEverythingGoesBelow) {
  open();
  ASSERT_TRUE(store_->checkpoint());
  EXPECT_EQ(below_.commits(), 0U) << "there was nothing to do";
  Dice dice(1);
  for (int i = 0; i < 20; ++i) {
    for (int j = 0; j < i; ++j) commit(dice.changes(5, 100));
    ASSERT_TRUE(store_->checkpoint());
    ASSERT_TRUE(contents(below_) == model_);
    ASSERT_TRUE(is_as_it_should_be());
    ASSERT_EQ(store_->figures().log_bytes, 0U);
  }
  EXPECT_EQ(store_->figures().checkpoints, 19U);
}

TEST_F(WalStoreTest, ABatchTooLargeForTheLogGoesBelowAtOnce) {
  open();
  commit_row(1);
  const std::size_t most = kWalEntryMax - WalEntry::size_of(row(2).mutations());
  commit_row(2, Durability::none, most);
  EXPECT_EQ(store_->figures().passed_by, 0U) << "the largest that the log takes";
  EXPECT_EQ(below_.commits(), 0U);
  commit_row(3, Durability::none, most + 8);
  EXPECT_EQ(store_->figures().passed_by, 1U);
  EXPECT_EQ(below_.commits(), 2U) << "what was before it, and it";
  EXPECT_TRUE(contents(below_) == model_);
  commit_row(4);
  EXPECT_EQ(below_.commits(), 2U);
  EXPECT_TRUE(is_as_it_should_be());
}

TEST_F(WalStoreTest, ASnapshotReadsTheSameLongAfterwards) {
  options_.file_bytes_max = 64U << 10U;
  open();
  Dice dice(2);
  std::vector<std::pair<std::unique_ptr<Snapshot>, Model>> moments;
  std::vector<std::unique_ptr<Cursor>> cursors;
  for (int i = 0; i < 30; ++i) {
    for (int j = 0; j < 10; ++j) commit(dice.changes(8, 300));
    // Some with rows in the log, some just behind a checkpoint, some while one is being written.
    if (i % 3 == 1) ASSERT_TRUE(store_->checkpoint());
    const bool is_held = i % 3 == 2;
    std::thread checkpoint;
    if (is_held) {
      below_.inner().hold_commits();
      commit_row(1);
      checkpoint = std::thread([&] { EXPECT_TRUE(store_->checkpoint()); });
      below_.inner().wait_for_held_commit();
      commit_row(2);
    }
    moments.emplace_back(store_->snapshot().value(), model_);
    if (is_held) {
      below_.inner().release_commits();
      checkpoint.join();
    }
  }
  for (auto& moment : moments) ASSERT_TRUE(contents(*moment.first) == moment.second);
  EXPECT_GT(store_->figures().checkpoints, 20U);
}

TEST_F(WalStoreTest, WhatAWrittenCheckpointHasMovedIsSeenOnce) {
  open();
  commit(Changes{}.put(Table::runs, number_key(1), "one").put(Table::runs, number_key(2), "two"));
  below_.inner().hold_commits();
  std::thread checkpoint([&] { EXPECT_TRUE(store_->checkpoint()); });
  below_.inner().wait_for_held_commit();
  // Erased and changed in front of what is being written below.
  commit(Changes{}.erase(Table::runs, number_key(1)).put(Table::runs, number_key(3), "three"));
  EXPECT_TRUE(is_as_it_should_be());
  below_.inner().release_commits();
  checkpoint.join();
  EXPECT_TRUE(is_as_it_should_be());
  ASSERT_TRUE(store_->checkpoint());
  EXPECT_TRUE(contents(below_) == model_);
}

TEST_F(WalStoreTest, TheFileKeepsItsBound) {
  options_.file_bytes_max = 128U << 10U;
  open();
  for (std::uint64_t i = 0; i < 300; ++i) commit_row(i % 7, Durability::none, i * 40 % 20000);
  EXPECT_LE(std::filesystem::file_size(log()), options_.file_bytes_max);
  EXPECT_GT(store_->figures().checkpoints, 0U) << "the writer waits for room";
  EXPECT_TRUE(is_as_it_should_be());
  // A batch that alone needs more gets it.
  commit_row(8, Durability::none, 200U << 10U);
  EXPECT_GT(std::filesystem::file_size(log()), options_.file_bytes_max);
  EXPECT_EQ(store_->figures().passed_by, 0U);
  EXPECT_TRUE(is_as_it_should_be());
  open();
  EXPECT_TRUE(is_as_it_should_be());
}

TEST_F(WalStoreTest, WhileTheTablesHaveNoRoomTheLogTakesWhatItCan) {
  options_.file_bytes_max = 20 * kWalUnit;
  open();
  below_.inner().fill_disk();
  std::uint64_t number = 0;
  Result<void> done = success();
  while (done && number < 1000) {
    const Changes changes = row(++number);
    done = store_->commit(changes.mutations(), Durability::full);
    if (done) changes.apply(model_);
  }
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::storage_full);
  EXPECT_GE(number, 15U);
  EXPECT_EQ(store_->checkpoint().error().code, Code::storage_full);
  EXPECT_TRUE(is_as_it_should_be());
  below_.inner().free_room();
  commit_row(number, Durability::full);
  EXPECT_TRUE(is_as_it_should_be());
  open();
  EXPECT_TRUE(contents(below_) == model_);
}

TEST_F(WalStoreTest, WhileTheLogCantGrowWhatIsInItGoesBelow) {
  open();
  for (std::uint64_t i = 1; i <= 3; ++i) commit_row(i);
  const std::uint64_t size = store_->figures().file_bytes;
  {
    const FileSizeLimit limit(size);
    for (std::uint64_t i = 4; i <= 60; ++i) commit_row(i);
    EXPECT_EQ(store_->figures().file_bytes, size);
    EXPECT_GT(below_.commits(), 0U);
    EXPECT_EQ(store_->commit(row(99, size).mutations(), Durability::full).error().code,
              Code::storage_full)
        << "a batch that is larger than the log";
  }
  commit_row(61, Durability::full, size);
  EXPECT_TRUE(is_as_it_should_be());
  open();
  EXPECT_TRUE(is_as_it_should_be());
}

TEST_F(WalStoreTest, ABatchWhoseWriteFoundTheDiskFullIsNotThere) {
  open();
  commit_row(1);
  {
    const FileSizeLimit limit(WalFile::kFirst + kWalUnit + 512);
    EXPECT_EQ(store_->commit(row(2, 100).mutations(), Durability::full).error().code,
              Code::storage_full);
  }
  EXPECT_TRUE(is_as_it_should_be());
  open();
  EXPECT_TRUE(is_as_it_should_be());
  commit_row(3, Durability::full);
  {
    const FileSizeLimit limit(WalFile::kFirst + kWalUnit + 512);
    EXPECT_EQ(store_->commit(row(4, 100).mutations(), Durability::full).error().code,
              Code::storage_full);
  }
  commit_row(5, Durability::full);
  open();
  EXPECT_TRUE(is_as_it_should_be());
}

TEST_F(WalStoreTest, AfterAFailureNothingIsCommittedNotEvenPastTheLog) {
  open();
  commit_row(1);
  const auto code_of = [&](const Changes& changes) {
    const Result<void> done = store_->commit(changes.mutations(), Durability::full);
    return done ? "done" : to_string(done.error().code);
  };
  ASSERT_TRUE(store_->checkpoint());
  below_.inner().order_fault(MemoryFault::write_failed);
  EXPECT_EQ(code_of(row(2, kWalEntryMax)), to_string(Code::storage_failed));
  // A disk that seems well again: what is on it is not known all the same.
  below_.inner().restart();
  EXPECT_EQ(code_of(row(3)), to_string(Code::storage_failed));
  EXPECT_EQ(code_of(row(4, kWalEntryMax)), to_string(Code::storage_failed));
  EXPECT_TRUE(is_as_it_should_be());
  open();
  commit_row(5, Durability::full, kWalEntryMax);
  EXPECT_TRUE(is_as_it_should_be());
}

TEST_F(WalStoreTest, AFailedCheckpointIsToldWhileNobodyCommits) {
  options_ = on_demand();
  options_.checkpoint_age = std::chrono::milliseconds(1);
  open();
  std::promise<Code> told;
  store_->when_failed([&](const Error& why) { told.set_value(why.code); });
  below_.inner().order_fault(MemoryFault::write_failed);
  commit_row(1);
  EXPECT_EQ(told.get_future().get(), Code::storage_failed);
  // Who comes later is told at once, and nobody twice.
  int times = 0;
  store_->when_failed([&](const Error&) { ++times; });
  EXPECT_EQ(times, 1);
  EXPECT_FALSE(store_->checkpoint());
  store_->when_failed(nullptr);
  EXPECT_EQ(times, 1);
}

TEST_F(WalStoreTest, AMissingOrForeignLogIsRefused) {
  EXPECT_EQ(WalStore::open(directory_.path(), {1, 2}, below_).error().code, Code::corrupt);
  std::filesystem::remove(log());
  EXPECT_EQ(WalStore::open(directory_.path(), kLogJournal, below_).error().code, Code::not_found);
}

TEST_F(WalStoreTest, TwoReadWhileOneCommitsAndAThirdMovesBatches) {
  constexpr std::uint64_t kRounds = 400;
  constexpr std::uint64_t kRows = 12;
  options_ = {.checkpoint_bytes = 4 * kWalUnit,
              .checkpoint_age = std::chrono::milliseconds(1),
              .file_bytes_max = 16 * kWalUnit};
  open();
  std::atomic<std::uint64_t> published = 0;
  std::atomic<std::uint64_t> wrong = 0;
  const auto read = [&] {
    std::uint64_t seen = 0;
    do {
      const std::uint64_t before = published.load();
      const auto snapshot = store_->snapshot().value();
      const Model rows = contents(*snapshot);
      const std::uint64_t round = rows.empty() ? 0 : std::stoull(rows.begin()->second);
      wrong += round >= before && round <= published.load() + 1 ? 0 : 1;
      for (const auto& [key, value] : rows) wrong += value == std::to_string(round) ? 0 : 1;
      // The row with the round's number is the one that is not there.
      wrong += round == 0 || rows.size() == kRows - 1 ? 0 : 1;
      wrong += rows.contains({Table::runs, number_key(round % kRows)}) ? 1 : 0;
      seen = round;
      (void)store_->figures();
    } while (seen != kRounds);
  };
  std::thread one(read);
  std::thread two(read);
  for (std::uint64_t round = 1; round <= kRounds; ++round) {
    Changes changes;
    for (std::uint64_t i = 0; i < kRows; ++i) {
      if (i == round % kRows)
        changes.erase(Table::runs, number_key(i));
      else
        changes.put(Table::runs, number_key(i), std::to_string(round));
    }
    commit(changes);
    published = round;
  }
  one.join();
  two.join();
  EXPECT_EQ(wrong, 0U);
  EXPECT_GT(store_->figures().checkpoints, 10U);
}

}  // namespace
}  // namespace perdure::journal
