// A disk whose writes and syncs fail, on LMDB: the calls fail in this very process
// (faulty_calls.hpp).
#include <perdure/perdure.hpp>

#include "journal/lmdb_store.hpp"
#include "tests/disks/faulty_calls.hpp"
#include "tests/journal/store_fixture.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace perdure::test {
namespace {

namespace pd = perdure;
using journal::LmdbAccess;
using journal::LmdbStore;
using journal::number_key;
using journal::Table;

void clear_faults() {
  faults.sync = 0;
  faults.pages = 0;
  faults.bytes_left = -1;
  faults.room_comes = false;
  faults.meta = 0;
  faults.file_system = 0;
}

class FaultyStoreTest : public testing::Test {
 protected:
  FaultyStoreTest() {
    clear_faults();
    LmdbStore::create(directory_.path()).value();
    reopen();
    put(1, "before").value();
  }
  ~FaultyStoreTest() override { clear_faults(); }
  void reopen() {
    store_.reset();
    store_ = LmdbStore::open(directory_.path(), LmdbAccess::write).value();
  }
  pd::Result<void> put(std::uint64_t key, std::string value) {
    return journal::TestBatch{}.put(Table::runs, number_key(key), std::move(value)).commit(*store_);
  }
  [[nodiscard]] std::string at(std::uint64_t key) const {
    return value_at(*store_, Table::runs, number_key(key));
  }

  /// The next commit fails with `code`; nothing can be written any more, until the file is opened
  /// again, and then what was there before is.
  void expect_the_end() {
    EXPECT_EQ(put(2, std::string(50'000, 'x')).error().code, pd::Code::storage_failed);
    clear_faults();
    EXPECT_EQ(put(3, "three").error().code, pd::Code::storage_failed) << "the disk works again";
    {
      // After a failed meta page LMDB does not even let anybody read.
      const auto snapshot = store_->snapshot();
      if (!snapshot) EXPECT_EQ(snapshot.error().code, pd::Code::storage_failed);
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
      EXPECT_EQ(put(2, std::string(500'000, 'x')).error().code, pd::Code::storage_full);
      EXPECT_EQ(at(1), "before");
      EXPECT_EQ(at(2), "-");
    }
    clear_faults();
    EXPECT_TRUE(put(2, std::string(500'000, 'y')));
    reopen();
    EXPECT_EQ(at(1), "before");
    EXPECT_TRUE(at(2) == std::string(500'000, 'y'));
  }

  journal::TemporaryDirectory directory_;
  std::unique_ptr<LmdbStore> store_;
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
  EXPECT_EQ(put(2, std::string(500'000, 'x')).error().code, pd::Code::storage_full);
  faults.bytes_left = 4096;
  faults.room_comes = true;
  EXPECT_EQ(put(2, std::string(500'000, 'x')).error().code, pd::Code::storage_full);
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

pd::Task<int> two_steps(pd::Context& ctx, int start) {
  const int a = co_await ctx.step("one", [&](pd::Step&) { return start + 1; });
  co_return co_await ctx.step("two", [&](pd::Step&) { return a + 1; });
}
inline constexpr pd::Agent stepping{"stepping", &two_steps};

class FaultyRuntimeTest : public testing::Test {
 protected:
  FaultyRuntimeTest() { clear_faults(); }
  ~FaultyRuntimeTest() override { clear_faults(); }

  pd::Result<pd::Runtime> open() {
    pd::RuntimeOptions options;
    options.journal = (directory_.path() / "journal").string();
    auto runtime = pd::Runtime::open(std::move(options));
    if (!runtime) return runtime;
    runtime.value().on_event([this](const pd::Event& event) {
      const std::lock_guard lock(mutex_);
      events_.push_back(event.kind);
      changed_.notify_all();
    });
    runtime.value().serve(stepping);
    PERDURE_TRY(runtime.value().start());
    return runtime;
  }
  void wait_for(pd::EventKind kind) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return std::ranges::count(events_, kind) > 0; });
  }
  static pd::Result<int> run(pd::Runtime& runtime, const std::string& key) {
    PERDURE_TRY(const auto run, runtime.session(stepping, key).start(1));
    return run.wait();
  }

 private:
  journal::TemporaryDirectory directory_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<pd::EventKind> events_;
};

class EndOfTheRuntimeTest : public FaultyRuntimeTest,
                            public testing::WithParamInterface<std::atomic<int>*> {};

TEST_P(EndOfTheRuntimeTest, IsLoudAndTheNextGoesOnFromTheDisk) {
  {
    pd::Runtime runtime = open().value();
    EXPECT_EQ(run(runtime, "before").value(), 3);
    *GetParam() = EIO;
    const auto lost = run(runtime, "lost");
    EXPECT_EQ(lost.error().code, pd::Code::storage_failed) << lost.error().message;
    wait_for(pd::EventKind::storage_failed);
    clear_faults();
    EXPECT_EQ(run(runtime, "later").error().code, pd::Code::storage_failed);
    EXPECT_EQ(runtime.shutdown().error().code, pd::Code::storage_failed);
  }
  pd::Runtime runtime = open().value();
  for (const char* key : {"before", "lost", "later"}) EXPECT_EQ(run(runtime, key).value(), 3);
}

INSTANTIATE_TEST_SUITE_P(OfASyncOrAWrite, EndOfTheRuntimeTest,
                         testing::Values(&faults.sync, &faults.pages, &faults.meta));

TEST_F(FaultyRuntimeTest, AFullDiskIsToldToNewWorkAndRunningWorkGoesOnWhenThereIsRoom) {
  pd::Runtime runtime = open().value();
  EXPECT_EQ(run(runtime, "before").value(), 3);
  faults.pages = ENOSPC;
  // The first one finds the disk full and waits with its batch: it was taken on already.
  std::optional<pd::Result<int>> first;
  std::thread caller([&] { first = run(runtime, "first"); });
  wait_for(pd::EventKind::storage_full);
  const auto refused = runtime.session(stepping, "second").start(1);
  EXPECT_EQ(refused.error().code, pd::Code::storage_full);
  faults.pages = 0;
  wait_for(pd::EventKind::storage_recovered);
  caller.join();
  EXPECT_EQ(first->value(), 3);
  EXPECT_EQ(run(runtime, "second").value(), 3);
  EXPECT_TRUE(runtime.shutdown());
}

TEST_F(FaultyRuntimeTest, CreatingAndOpeningOnABadDiskAreErrorsThatPass) {
  faults.pages = ENOSPC;
  EXPECT_EQ(open().error().code, pd::Code::storage_full);
  faults.pages = 0;
  faults.sync = EIO;
  EXPECT_EQ(open().error().code, pd::Code::storage_failed);
  faults.sync = 0;
  {
    pd::Runtime runtime = open().value();
    EXPECT_EQ(run(runtime, "s").value(), 3);
  }
  faults.pages = ENOSPC;
  EXPECT_EQ(open().error().code, pd::Code::storage_full);
  faults.pages = 0;
  faults.sync = EIO;
  EXPECT_EQ(open().error().code, pd::Code::storage_failed);
  faults.sync = 0;
  pd::Runtime runtime = open().value();
  EXPECT_EQ(run(runtime, "s").value(), 3);
}

TEST_F(FaultyRuntimeTest, ANetworkFileSystemIsRefusedByName) {
  constexpr long kNfs = 0x6969;
  faults.file_system = kNfs;
  const auto refused = open();
  EXPECT_EQ(refused.error().code, pd::Code::unsupported);
  EXPECT_NE(refused.error().message.find("on a network file system (NFS)"), std::string::npos)
      << refused.error().message;
  faults.file_system = 0;
  EXPECT_TRUE(open());
}

TEST_F(FaultyRuntimeTest, TheMarkOfACleanEndMayFailAndNothingElseIsLost) {
  for (const int why : {ENOSPC, EIO}) {
    pd::Runtime runtime = open().value();
    EXPECT_EQ(run(runtime, std::to_string(why)).value(), 3);
    faults.pages = why;
    const auto closed = runtime.shutdown();
    faults.pages = 0;
    EXPECT_EQ(closed.error().code, why == EIO ? pd::Code::storage_failed : pd::Code::storage_full);
  }
  pd::Runtime runtime = open().value();
  for (const int why : {ENOSPC, EIO}) EXPECT_EQ(run(runtime, std::to_string(why)).value(), 3);
}

}  // namespace
}  // namespace perdure::test
