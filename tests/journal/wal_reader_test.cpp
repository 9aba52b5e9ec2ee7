// Reading a journal's log from outside while its writer commits, moves batches and dies.
#include "journal/wal_reader.hpp"
#include "journal/lmdb_store.hpp"
#include "journal/memory_store.hpp"
#include "journal/wal_store.hpp"
#include "tests/journal/wal_fixture.hpp"

#include <gtest/gtest.h>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <new>
#include <thread>

namespace perdure::journal {
namespace {

constexpr std::uint64_t kRows = 16;

/// Checkpoints all the time, and a file that is gone around every few batches.
constexpr WalOptions kTiny{.checkpoint_bytes = 4 * kWalUnit,
                           .checkpoint_age = std::chrono::milliseconds(1),
                           .file_bytes_max = 16 * kWalUnit};

/// Batch `number` gives one row its number and erases the one behind it, so that the highest
/// number says what all rows are.
Changes batch_of(std::uint64_t number) {
  Changes changes;
  changes.put(Table::runs, number_key(number % kRows), std::to_string(number));
  changes.erase(Table::runs, number_key((number + 1) % kRows));
  if (number % 50 == 0) changes.put(Table::due, number_key(1), std::string(9000, 'd'));
  return changes;
}
Model after(std::uint64_t number) {
  Model model;
  for (std::uint64_t i = number < 200 ? 1 : number - 200; i <= number; ++i)
    batch_of(i).apply(model);
  return model;
}
/// The newest batch in it, if it is what the tables were after that; else "none".
std::string moment_of(Snapshot& snapshot) {
  const Model rows = contents(snapshot);
  std::uint64_t newest = 0;
  for (const auto& [row, value] : rows)
    if (row.first == Table::runs) newest = std::max<std::uint64_t>(newest, std::stoull(value));
  return rows == after(newest) ? std::to_string(newest) : "none";
}

/// What a writer says about itself.
struct Progress {
  std::atomic<std::uint64_t> begun = 0;
  std::atomic<std::uint64_t> committed = 0;
};
void write(Store& store, Progress& progress, std::uint64_t from, std::uint64_t to) {
  for (std::uint64_t number = from; number <= to; ++number) {
    progress.begun = number;
    if (!store.commit(batch_of(number).mutations(), Durability::none)) std::abort();
    progress.committed = number;
  }
}
/// Reads until everything up to `last` is there; says how many snapshots were wrong.
std::uint64_t read_until(WalReader& reader, const Progress& progress, std::uint64_t last) {
  std::uint64_t wrong = 0;
  for (std::uint64_t committed = 0; committed < last;) {
    committed = progress.committed;
    auto snapshot = reader.snapshot();
    if (!snapshot) {
      ADD_FAILURE() << snapshot.error().message;
      return wrong + 1;
    }
    const std::uint64_t begun = progress.begun;
    const std::string moment = moment_of(*snapshot.value());
    const std::uint64_t seen = moment == "none" ? 0 : std::stoull(moment);
    if (moment == "none" || seen < committed || seen > begun) ++wrong;
  }
  return wrong;
}

class WalReaderTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(LmdbStore::create(directory_.path()));
    ASSERT_TRUE(WalFile::create(directory_.path(), kLogJournal));
  }
  void open_for_writing(WalOptions options = kTiny) {
    tables_ = LmdbStore::open(directory_.path(), LmdbAccess::write).value();
    log_ = WalStore::open(directory_.path(), kLogJournal, *tables_, options).value();
  }
  [[nodiscard]] std::unique_ptr<WalReader> reader_over(Store& below) const {
    return WalReader::open(directory_.path(), kLogJournal, below).value();
  }

  TemporaryDirectory directory_;
  std::unique_ptr<LmdbStore> tables_;
  std::unique_ptr<WalStore> log_;
};

TEST_F(WalReaderTest, SeesWhatIsInTheTablesAndWhatIsOnlyInTheLog) {
  open_for_writing({.checkpoint_age = std::chrono::hours(24)});
  const auto reader = reader_over(*tables_);
  Progress progress;
  EXPECT_EQ(moment_of(*reader->snapshot().value()), "0");
  write(*log_, progress, 1, 30);
  EXPECT_EQ(moment_of(*tables_->snapshot().value()), "0") << "nothing of it is in the tables";
  EXPECT_EQ(moment_of(*reader->snapshot().value()), "30");
  EXPECT_EQ(reader->check(false).value().batches, 30U);
  ASSERT_TRUE(log_->checkpoint());
  EXPECT_EQ(moment_of(*reader->snapshot().value()), "30");
  EXPECT_EQ(reader->check(false).value().batches, 0U);
  write(*log_, progress, 31, 33);
  EXPECT_EQ(moment_of(*reader->snapshot().value()), "33");
  log_.reset();
  EXPECT_EQ(moment_of(*reader->snapshot().value()), "33") << "the writer has died";
  EXPECT_EQ(reader->commit({}, Durability::full).error().code, Code::misuse);
}

TEST_F(WalReaderTest, ASnapshotStaysAsItWas) {
  open_for_writing();
  const auto reader = reader_over(*tables_);
  Progress progress;
  write(*log_, progress, 1, 10);
  const auto before = reader->snapshot().value();
  write(*log_, progress, 11, 400);
  ASSERT_TRUE(log_->checkpoint());
  EXPECT_EQ(moment_of(*before), "10");
  EXPECT_EQ(moment_of(*reader->snapshot().value()), "400");
}

TEST_F(WalReaderTest, EverySnapshotHasWhatWasCommittedBeforeItAndIsOneMoment) {
  constexpr std::uint64_t kBatches = 3000;
  open_for_writing();
  const auto reader = reader_over(*tables_);
  Progress progress;
  std::thread writer([&] { write(*log_, progress, 1, kBatches); });
  EXPECT_EQ(read_until(*reader, progress, kBatches), 0U);
  writer.join();
  EXPECT_GT(log_->figures().checkpoints, 100U);
  EXPECT_EQ(moment_of(*reader->snapshot().value()), std::to_string(kBatches));
}

/// The same from another process, until the writer is killed.
TEST_F(WalReaderTest, AnotherProcessReadsWhatAWriterCommittedBeforeItWasKilled) {
  constexpr std::uint64_t kBatches = 1500;
  void* const shared =
      ::mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(shared, MAP_FAILED);
  Progress& progress = *std::construct_at(static_cast<Progress*>(shared));
  const pid_t child = ::fork();
  if (child == 0) {
    open_for_writing();
    write(*log_, progress, 1, kBatches);
    for (std::uint64_t number = kBatches + 1;; ++number) write(*log_, progress, number, number);
  }
  {
    const auto tables = LmdbStore::open(directory_.path(), LmdbAccess::read).value();
    const auto reader = reader_over(*tables);
    EXPECT_EQ(read_until(*reader, progress, kBatches), 0U);
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    const std::string moment = moment_of(*reader->snapshot().value());
    ASSERT_NE(moment, "none");
    EXPECT_GE(std::stoull(moment), progress.committed);
    EXPECT_LE(std::stoull(moment), progress.begun);
    EXPECT_FALSE(reader->check(false).value().damage);
  }
  open_for_writing();
  const std::string moment = moment_of(*log_->snapshot().value());
  ASSERT_NE(moment, "none");
  EXPECT_GE(std::stoull(moment), progress.committed) << "and the next writer finds it";
  ::munmap(shared, sizeof(Progress));
}

/// Does something right behind a snapshot, as another process might.
class Interrupted final : public Store {
 public:
  Interrupted(Store& inner, std::function<void()> behind)
      : inner_(inner), behind_(std::move(behind)) {}
  Result<void> commit(std::span<const Mutation> batch, Durability durability) override {
    return inner_.commit(batch, durability);
  }
  Result<std::unique_ptr<Snapshot>> snapshot() override {
    auto snapshot = inner_.snapshot();
    behind_();
    return snapshot;
  }

 private:
  Store& inner_;
  const std::function<void()> behind_;
};

TEST_F(WalReaderTest, WhatTheWriterWritesOverMeanwhileIsReadAgainFromTheTables) {
  open_for_writing();
  Progress progress;
  write(*log_, progress, 1, 3);
  std::uint64_t times = 0;
  Interrupted store(*tables_, [&] {
    if (++times > 5) return;
    const std::uint64_t next = progress.committed + 1;
    write(*log_, progress, next, next + 40);
    ASSERT_TRUE(log_->checkpoint());
    write(*log_, progress, next + 41, next + 42);
  });
  const auto reader = reader_over(store);
  // What was committed counts when the snapshot is there.
  const auto snapshot = reader->snapshot().value();
  EXPECT_EQ(moment_of(*snapshot), std::to_string(progress.committed));
  EXPECT_EQ(times, 7U) << "the last two showed the same";
}

TEST_F(WalReaderTest, AWriterThatNeverRestsIsAnErrorAndNoEndlessLoop) {
  open_for_writing();
  Progress progress;
  Interrupted store(*tables_, [&] {
    write(*log_, progress, progress.committed + 1, progress.committed + 3);
    ASSERT_TRUE(log_->checkpoint());
  });
  const auto reader = reader_over(store);
  EXPECT_EQ(reader->snapshot().error().code, Code::storage_failed);
}

/// Nobody was writing when the reader looked for who holds the journal, and then somebody did.
TEST_F(WalReaderTest, AWriterThatBeginsWhileTheEndIsCheckedIsNoDamage) {
  open_for_writing({.checkpoint_age = std::chrono::hours(24)});
  Progress progress;
  write(*log_, progress, 1, 3);
  bool is_first = true;
  Interrupted store(*tables_, [&] {
    if (!std::exchange(is_first, false)) return;
    ASSERT_TRUE(log_->checkpoint());
    for (std::uint64_t number = 4; number <= 6; ++number)
      ASSERT_TRUE(log_->commit(batch_of(number).mutations(), Durability::full));
  });
  const auto reader = reader_over(store);
  const auto report = reader->check(false).value();
  EXPECT_FALSE(report.damage) << report.damage->what;
}

TEST_F(WalReaderTest, DamageIsTold) {
  open_for_writing({.checkpoint_age = std::chrono::hours(24)});
  for (std::uint64_t number = 1; number <= 6; ++number)
    ASSERT_TRUE(log_->commit(batch_of(number).mutations(), Durability::full));
  log_.reset();
  flip(directory_.path() / "wal", WalFile::kFirst + 2 * kWalUnit + 50);
  const auto reader = reader_over(*tables_);
  EXPECT_EQ(moment_of(*reader->snapshot().value()), "2") << "what is before it can be read";
  const auto report = reader->check(false).value();
  EXPECT_EQ(report.batches, 2U);
  ASSERT_TRUE(report.damage);
  EXPECT_EQ(report.damage->place, WalFile::kFirst + 2 * kWalUnit);
  EXPECT_EQ(reader->error(*report.damage).code, Code::corrupt);
  EXPECT_FALSE(reader->check(true).value().damage) << "somebody may be in the middle of a write";
}

}  // namespace
}  // namespace perdure::journal
