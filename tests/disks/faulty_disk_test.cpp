// Writes and syncs of the tables that fail: the calls fail in this very process (faulty_calls.hpp).
#include "journal/lmdb_store.hpp"
#include "tests/disks/faulty_calls.hpp"
#include "tests/journal/store_fixture.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <string>

namespace perdure::test {
namespace {

using journal::LmdbAccess;
using journal::LmdbStore;
using journal::number_key;
using journal::Table;

class FaultyStoreTest : public testing::Test {
 protected:
  FaultyStoreTest() {
    LmdbStore::create(directory_.path()).value();
    reopen();
    put(1, "before").value();
  }
  void reopen() {
    store_.reset();
    store_ = LmdbStore::open(directory_.path(), LmdbAccess::write).value();
  }
  Result<void> put(std::uint64_t key, std::string value) {
    return journal::TestBatch{}.put(Table::runs, number_key(key), std::move(value)).commit(*store_);
  }
  [[nodiscard]] std::string at(std::uint64_t key) const {
    return value_at(*store_, Table::runs, number_key(key));
  }

  /// The next commit fails with `code`; nothing can be written any more, until the file is opened
  /// again, and then what was there before is.
  void expect_the_end() {
    EXPECT_EQ(put(2, std::string(50'000, 'x')).error().code, Code::storage_failed);
    faults.clear();
    EXPECT_EQ(put(3, "three").error().code, Code::storage_failed) << "the disk works again";
    {
      // After a failed meta page LMDB does not even let anybody read.
      const auto snapshot = store_->snapshot();
      if (!snapshot) EXPECT_EQ(snapshot.error().code, Code::storage_failed);
      if (snapshot) EXPECT_EQ(value_at(*snapshot.value(), Table::runs, number_key(1)), "before");
    }
    reopen();
    EXPECT_EQ(at(1), "before");
    EXPECT_EQ(at(2), "-");
    EXPECT_EQ(at(3), "-");
    EXPECT_TRUE(put(3, "three"));
  }
  /// The next commit finds the disk full and leaves things as they were; with room it succeeds.
  void expect_full() {
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(put(2, std::string(500'000, 'x')).error().code, Code::storage_full);
      EXPECT_EQ(at(1), "before");
      EXPECT_EQ(at(2), "-");
    }
    faults.clear();
    EXPECT_TRUE(put(2, std::string(500'000, 'y')));
    reopen();
    EXPECT_EQ(at(1), "before");
    EXPECT_TRUE(at(2) == std::string(500'000, 'y'));
  }

  journal::TemporaryDirectory directory_;
  std::unique_ptr<LmdbStore> store_;
  NoFaultsAround faultless_;
};

TEST_F(FaultyStoreTest, TheFaultsReachLmdb) {
  const int syncs = faults.syncs;
  const int pages = faults.page_writes;
  const int metas = faults.meta_writes;
  EXPECT_TRUE(put(1, "one"));
  EXPECT_EQ(faults.syncs, syncs + 1);
  EXPECT_GT(faults.page_writes, pages);
  EXPECT_EQ(faults.meta_writes, metas + 1);
}

/// LMDB without syncs could lose the whole file to a power loss.
TEST_F(FaultyStoreTest, ACommitIsSyncedInDurabilityNoneToo) {
  const int syncs = faults.syncs;
  const auto commit = [&](const char* value) {
    return journal::TestBatch{}
        .put(Table::runs, number_key(1), value)
        .commit(*store_, journal::Durability::none);
  };
  EXPECT_TRUE(commit("one"));
  EXPECT_EQ(faults.syncs, syncs + 1);
  faults.sync = EIO;
  EXPECT_EQ(commit("two").error().code, Code::storage_failed);
}

TEST_F(FaultyStoreTest, AFailedSyncIsTheEnd) {
  faults.sync = EIO;
  expect_the_end();
}

TEST_F(FaultyStoreTest, AFailedWriteOfPagesIsTheEnd) {
  faults.pages = EIO;
  expect_the_end();
}

TEST_F(FaultyStoreTest, AFailedWriteInTheMiddleOfABatchIsTheEnd) {
  faults.pages = EIO;
  faults.bytes_left = 20'000;
  expect_the_end();
}

TEST_F(FaultyStoreTest, AFailedWriteOfTheMetaPageIsTheEnd) {
  faults.meta = EIO;
  expect_the_end();
}

TEST_F(FaultyStoreTest, AFullDiskAtTheMetaPageIsTheEnd) {
  faults.meta = ENOSPC;
  expect_the_end();
}

TEST_F(FaultyStoreTest, AFullDiskAtTheFirstPageLeavesThingsAsTheyWere) {
  faults.pages = ENOSPC;
  expect_full();
}

TEST_F(FaultyStoreTest, AFullDiskInTheMiddleOfABatchLeavesThingsAsTheyWere) {
  faults.pages = ENOSPC;
  faults.bytes_left = 4096;
  expect_full();
}

TEST_F(FaultyStoreTest, RoomThatComesInTheMiddleOfARetryIsNoFailure) {
  faults.pages = ENOSPC;
  faults.bytes_left = 4096;
  EXPECT_EQ(put(2, std::string(500'000, 'x')).error().code, Code::storage_full);
  faults.bytes_left = 4096;
  faults.room_comes = true;
  EXPECT_EQ(put(2, std::string(500'000, 'x')).error().code, Code::storage_full);
  EXPECT_EQ(faults.pages, 0) << "now there is room";
  EXPECT_TRUE(put(2, std::string(500'000, 'x')));
}

TEST_F(FaultyStoreTest, AnExhaustedQuotaIsAFullDisk) {
  faults.pages = EDQUOT;
  expect_full();
}

/// Where blocks are allocated late, it is the sync that finds no room. All pages of the batch are
/// written again when it is tried again, and nothing else was unsynced.
TEST_F(FaultyStoreTest, AFullDiskAtTheSyncLeavesThingsAsTheyWere) {
  faults.sync = ENOSPC;
  expect_full();
}

}  // namespace
}  // namespace perdure::test
