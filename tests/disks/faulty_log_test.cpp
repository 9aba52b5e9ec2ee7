// The log on a bad disk, in front of LMDB: its writes and syncs fail, or those of the tables below
// it do. The calls fail in this very process (faulty_calls.hpp).
#include "journal/lmdb_store.hpp"
#include "journal/wal_store.hpp"
#include "tests/disks/faulty_calls.hpp"
#include "tests/journal/store_fixture.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <fstream>
#include <memory>
#include <string>

namespace perdure::test {
namespace {

using journal::Durability;
using journal::kWalUnit;
using journal::LmdbAccess;
using journal::LmdbStore;
using journal::number_key;
using journal::Table;
using journal::WalFile;
using journal::WalStore;

constexpr core::Hash128 kJournal{1, 2};

class FaultyLogTest : public testing::Test {
 protected:
  FaultyLogTest() {
    LmdbStore::create(directory_.path()).value();
    WalFile::create(directory_.path(), kJournal).value();
    reopen();
    put(1, "before").value();
  }
  /// What is in the log stays there, as when the process dies.
  void close() {
    log_.reset();
    tables_.reset();
  }
  /// Nothing goes below unless it is asked for or the log is full.
  Result<void> try_open() {
    close();
    PERDURE_TRY(tables_, LmdbStore::open(directory_.path(), LmdbAccess::write));
    PERDURE_TRY(log_, WalStore::open(directory_.path(), kJournal, *tables_,
                                     {.checkpoint_bytes = std::uint64_t{1} << 40U,
                                      .checkpoint_age = std::chrono::hours(24)}));
    return success();
  }
  void reopen() { try_open().value(); }
  Result<void> put(std::uint64_t key, std::string value, Durability durability = Durability::full) {
    return journal::TestBatch{}
        .put(Table::runs, number_key(key), std::move(value))
        .commit(*log_, durability);
  }
  [[nodiscard]] std::string at(std::uint64_t key) const {
    return value_at(*log_, Table::runs, number_key(key));
  }
  void expect_rows(std::uint64_t first, std::uint64_t end, const std::string& value) const {
    for (std::uint64_t key = first; key < end; ++key) EXPECT_TRUE(at(key) == value) << key;
  }
  /// Puts rows of about a page until one is refused: its number.
  std::uint64_t put_until_refused(std::uint64_t first) {
    while (put(first, page_)) ++first;
    return first;
  }
  [[nodiscard]] std::filesystem::path file() const { return directory_.path() / WalFile::kName; }

  const std::string page_ = std::string(3000, 'x');
  journal::TemporaryDirectory directory_;
  std::unique_ptr<LmdbStore> tables_;
  std::unique_ptr<WalStore> log_;
  NoFaultsAround faultless_;
};

TEST_F(FaultyLogTest, ACommitSyncsTheLogAlone) {
  const int log_syncs = faults.log_syncs;
  const int syncs = faults.syncs;
  EXPECT_TRUE(put(2, "two"));
  EXPECT_EQ(faults.log_syncs, log_syncs + 1);
  EXPECT_EQ(faults.syncs, syncs);
  EXPECT_TRUE(put(3, "three", Durability::none));
  EXPECT_EQ(faults.log_syncs, log_syncs + 1) << "that is what `none` leaves out";
  EXPECT_TRUE(log_->checkpoint());
  EXPECT_EQ(faults.syncs, syncs + 1) << "and nothing else";
}

/// A loss of power is imitated by zeros where an entry was that nobody had synced.
TEST_F(FaultyLogTest, APowerLossInDurabilityNoneTakesTheNewestBatchesAndNotTheJournal) {
  constexpr std::uint64_t kRows = 6;
  for (std::uint64_t lost = 0; lost < kRows; ++lost) {
    const std::uint64_t first = 10 * (lost + 1);
    reopen();  // So the next entry lies at the log's beginning.
    for (std::uint64_t i = 0; i < kRows; ++i) EXPECT_TRUE(put(first + i, page_, Durability::none));
    close();
    std::fstream(file(), std::ios::in | std::ios::out | std::ios::binary)
            .seekp(static_cast<std::streamoff>(WalFile::kFirst + lost * kWalUnit))
        << std::string(kWalUnit, '\0') << std::flush;
    reopen();
    expect_rows(first, first + lost, page_);
    expect_rows(first + lost, first + kRows, "-");
    EXPECT_EQ(at(1), "before");
  }
}

class EndOfTheLogTest : public FaultyLogTest,
                        public testing::WithParamInterface<std::atomic<int>*> {};

TEST_P(EndOfTheLogTest, NothingMoreIsCommittedAndTheNextOpeningHasWhatWasAcknowledged) {
  // That it was for want of room helps nothing when a sync has failed.
  *GetParam() = GetParam() == &faults.log_sync ? ENOSPC : EIO;
  EXPECT_EQ(put(2, "two").error().code, Code::storage_failed);
  faults.clear();
  EXPECT_EQ(put(3, "three").error().code, Code::storage_failed) << "the disk works again";
  EXPECT_EQ(log_->checkpoint().error().code, Code::storage_failed);
  EXPECT_EQ(at(1), "before");
  EXPECT_EQ(at(2), "-");
  reopen();
  EXPECT_EQ(at(1), "before");
  EXPECT_EQ(at(3), "-");
  EXPECT_TRUE(put(3, "three"));
  EXPECT_EQ(at(3), "three");
}

TEST_P(EndOfTheLogTest, ALargeBatchDoesNotPassItBy) {
  ASSERT_TRUE(log_->checkpoint());
  *GetParam() = EIO;
  EXPECT_EQ(put(2, "two").error().code, Code::storage_failed);
  faults.clear();
  const std::string large(journal::kWalEntryMax, 'x');
  EXPECT_EQ(put(3, large).error().code, Code::storage_failed);
  reopen();
  EXPECT_EQ(at(3), "-");
}

INSTANTIATE_TEST_SUITE_P(OfASyncOrAWrite, EndOfTheLogTest,
                         testing::Values(&faults.log_sync, &faults.log_write),
                         [](const auto& given) { return fault_name(given.param); });

class FailedCheckpointTest : public FaultyLogTest,
                             public testing::WithParamInterface<std::atomic<int>*> {};

TEST_P(FailedCheckpointTest, EndsWritingAndNothingAcknowledgedIsLost) {
  EXPECT_TRUE(put(2, "two"));
  *GetParam() = EIO;
  EXPECT_EQ(log_->checkpoint().error().code, Code::storage_failed);
  faults.clear();
  EXPECT_EQ(put(3, "three").error().code, Code::storage_failed);
  reopen();
  EXPECT_EQ(at(1), "before");
  EXPECT_EQ(at(2), "two");
  EXPECT_EQ(at(3), "-");
  EXPECT_TRUE(put(3, "three"));
  EXPECT_TRUE(log_->checkpoint());
}

INSTANTIATE_TEST_SUITE_P(OfASyncOrAWrite, FailedCheckpointTest,
                         testing::Values(&faults.sync, &faults.pages, &faults.meta),
                         [](const auto& given) { return fault_name(given.param); });

TEST_F(FaultyLogTest, ACheckpointThatFindsTheDiskFullLeavesWorkGoingOn) {
  faults.pages = ENOSPC;
  for (std::uint64_t key = 10; key < 13; ++key) {
    EXPECT_EQ(log_->checkpoint().error().code, Code::storage_full);
    EXPECT_TRUE(put(key, page_));
    expect_rows(10, key + 1, page_);
  }
  faults.clear();
  EXPECT_TRUE(log_->checkpoint());
  EXPECT_EQ(log_->figures().log_bytes, 0U);
  reopen();
  EXPECT_EQ(at(1), "before");
  expect_rows(10, 13, page_);
}

TEST_F(FaultyLogTest, ALogThatCanNotGrowIsEmptiedAndUsedAgain) {
  faults.log_growth = ENOSPC;
  const std::uint64_t bytes = log_->figures().file_bytes;
  for (std::uint64_t key = 10; key < 110; ++key) ASSERT_TRUE(put(key, page_));
  EXPECT_EQ(log_->figures().file_bytes, bytes);
  EXPECT_EQ(std::filesystem::file_size(file()), bytes);
  EXPECT_GT(log_->figures().checkpoints, 5U);
  EXPECT_EQ(put(110, std::string(bytes, 'x')).error().code, Code::storage_full) << "too large";
  faults.clear();
  EXPECT_TRUE(put(110, std::string(bytes, 'x')));
  reopen();
  expect_rows(10, 110, page_);
  expect_rows(110, 111, std::string(bytes, 'x'));
}

TEST_F(FaultyLogTest, WhenLogAndTablesAreFullRoomInEitherLetsWorkGoOn) {
  std::uint64_t next = 10;
  for (std::atomic<int>* room : {&faults.pages, &faults.log_growth}) {
    faults.pages = ENOSPC;
    faults.log_growth = ENOSPC;
    const std::uint64_t refused = put_until_refused(next);
    EXPECT_GT(refused, next + 10) << "what has room in the log";
    for (int i = 0; i < 3; ++i) EXPECT_EQ(put(refused, page_).error().code, Code::storage_full);
    expect_rows(10, refused, page_);
    EXPECT_EQ(at(refused), "-");
    *room = 0;
    EXPECT_TRUE(put(refused, page_));
    next = refused + 1;
  }
  faults.clear();
  EXPECT_TRUE(log_->checkpoint());
  reopen();
  EXPECT_EQ(at(1), "before");
  expect_rows(10, next, page_);
}

TEST_F(FaultyLogTest, AFullDiskWhereTheLogHasItsBlocksAlreadyLeavesThingsAsTheyWere) {
  faults.log_write = ENOSPC;  // As where nothing is ever written in place.
  for (int i = 0; i < 3; ++i) EXPECT_EQ(put(2, "two").error().code, Code::storage_full);
  EXPECT_EQ(at(2), "-");
  faults.clear();
  EXPECT_TRUE(put(2, "two"));
  reopen();
  EXPECT_EQ(at(1), "before");
  EXPECT_EQ(at(2), "two");
}

/// The zeros behind an entry are written with it: it may be there whole when they are cut off.
TEST_F(FaultyLogTest, AnEntryThatWasCutOffIsNotThereWhenTheLogIsOpenedAgain) {
  const std::string value(6000, 'x');
  const std::array batch{journal::Mutation{Table::runs, journal::Mutation::Kind::put, number_key(2),
                                           core::as_bytes(value)}};
  const auto size = static_cast<long>(journal::WalEntry::size_of(batch));
  const auto padded = static_cast<long>(journal::wal_padded(journal::WalEntry::size_of(batch)));
  ASSERT_GT(padded, size + 2);
  for (const long left : {0L, 1L, 39L, 40L, 41L, 4096L, size - 1, size, size + 1, padded - 1}) {
    faults.log_bytes_left = left;
    EXPECT_EQ(put(2, value).error().code, Code::storage_full) << left;
    EXPECT_EQ(faults.log_bytes_left, -1) << "the disk works again";
    reopen();
    EXPECT_EQ(at(1), "before");
    EXPECT_EQ(at(2), "-") << left;
    EXPECT_TRUE(put(3, std::to_string(left)));
    reopen();
    EXPECT_EQ(at(3), std::to_string(left));
  }
}

TEST_F(FaultyLogTest, OpeningAfterADeathNeedsTheTablesAndPassesWhenTheyCanBeWritten) {
  EXPECT_TRUE(put(2, page_));
  for (const int why : {ENOSPC, EIO, ENOSPC}) {
    faults.pages = why;
    EXPECT_EQ(try_open().error().code, why == EIO ? Code::storage_failed : Code::storage_full);
  }
  faults.clear();
  reopen();
  EXPECT_EQ(at(1), "before");
  expect_rows(2, 3, page_);
}

TEST_F(FaultyLogTest, ABatchThatPassesTheLogByWaitsForRoomAndOthersDoNot) {
  const std::string large(journal::kWalEntryMax, 'x');
  faults.pages = ENOSPC;
  for (std::uint64_t key = 10; key < 13; ++key) {
    EXPECT_EQ(put(2, large).error().code, Code::storage_full);
    EXPECT_TRUE(put(key, page_));
  }
  faults.clear();
  EXPECT_TRUE(put(2, large));
  reopen();
  expect_rows(2, 3, large);
  expect_rows(10, 13, page_);
}

}  // namespace
}  // namespace perdure::test
