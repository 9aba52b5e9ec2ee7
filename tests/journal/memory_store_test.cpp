// The memory store's own: faults where they were ordered, power loss, held commits, memory given
// back.

#include "journal/memory_store.hpp"
#include "tests/journal/store_fixture.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace perdure::journal {
namespace {

Result<void> put(Store& store, std::uint64_t key, std::string value,
                 Durability durability = Durability::full) {
  return TestBatch{}.put(Table::runs, number_key(key), std::move(value)).commit(store, durability);
}
std::string at(Store& store, std::uint64_t key) {
  return value_at(store, Table::runs, number_key(key));
}

TEST(MemoryStore, PowerLossTakesWhatWasNotSynced) {
  MemoryStore store;
  ASSERT_TRUE(put(store, 1, "synced"));
  ASSERT_TRUE(put(store, 2, "goes"));
  ASSERT_TRUE(put(store, 1, "changed", Durability::none));
  ASSERT_TRUE(put(store, 3, "new", Durability::none));
  ASSERT_TRUE(TestBatch{}.erase(Table::runs, number_key(2)).commit(store, Durability::none));
  EXPECT_EQ(at(store, 1), "changed");
  EXPECT_EQ(at(store, 2), "-");
  store.power_loss();
  EXPECT_EQ(at(store, 1), "synced");
  EXPECT_EQ(at(store, 2), "goes");
  EXPECT_EQ(at(store, 3), "-");
  ASSERT_TRUE(put(store, 3, "again"));
  store.power_loss();
  EXPECT_EQ(at(store, 3), "again");
}

TEST(MemoryStore, ASyncCoversWhatCameBefore) {
  MemoryStore store;
  ASSERT_TRUE(put(store, 1, "one", Durability::none));
  ASSERT_TRUE(put(store, 2, "two"));
  store.power_loss();
  EXPECT_EQ(at(store, 1), "one");
  EXPECT_EQ(store.figures().commits, 2U);
  EXPECT_EQ(store.figures().syncs, 1U);
  EXPECT_EQ(store.figures().mutations, 2U);
}

TEST(MemoryStore, AFullDiskPasses) {
  MemoryStore store;
  store.order_fault(MemoryFault::disk_full, 2, 2);
  EXPECT_TRUE(put(store, 1, "one"));
  EXPECT_EQ(put(store, 2, "two").error().code, Code::storage_full);
  EXPECT_EQ(put(store, 2, "two").error().code, Code::storage_full);
  EXPECT_EQ(at(store, 2), "-");
  EXPECT_TRUE(put(store, 2, "two"));
  store.fill_disk();
  EXPECT_EQ(put(store, 3, "three").error().code, Code::storage_full);
  store.free_room();
  EXPECT_TRUE(put(store, 3, "three"));
}

TEST(MemoryStore, AFailedWriteIsNotThereAndEndsWriting) {
  MemoryStore store;
  store.order_fault(MemoryFault::write_failed);
  EXPECT_EQ(put(store, 1, "one").error().code, Code::storage_failed);
  EXPECT_EQ(at(store, 1), "-");
  EXPECT_EQ(put(store, 2, "two").error().code, Code::storage_failed);
  store.restart();
  EXPECT_TRUE(put(store, 2, "two"));
  EXPECT_EQ(at(store, 1), "-");
}

TEST(MemoryStore, AFailedSyncIsSeenUntilThePowerGoes) {
  for (const bool power_goes : {false, true}) {
    MemoryStore store;
    ASSERT_TRUE(put(store, 1, "one"));
    store.order_fault(MemoryFault::sync_failed);
    EXPECT_EQ(put(store, 1, "two").error().code, Code::storage_failed);
    EXPECT_EQ(at(store, 1), "two");
    EXPECT_EQ(put(store, 3, "x").error().code, Code::storage_failed);
    if (power_goes) store.power_loss();
    store.restart();
    EXPECT_EQ(at(store, 1), power_goes ? "one" : "two");
    EXPECT_TRUE(put(store, 3, "x"));
  }
}

TEST(MemoryStore, CommitsWaitWhileTheyAreHeld) {
  MemoryStore store;
  std::atomic<bool> done = false;
  store.hold_commits();
  std::thread writer([&] {
    EXPECT_TRUE(put(store, 1, "one"));
    done = true;
  });
  store.wait_for_held_commit();
  EXPECT_FALSE(done);
  EXPECT_EQ(at(store, 1), "-");
  store.release_commits();
  writer.join();
  EXPECT_EQ(at(store, 1), "one");
}

TEST(MemoryStore, ForgetsWhatNobodyCanRead) {
  MemoryStore store;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(put(store, 1, std::to_string(i)));
    ASSERT_TRUE(put(store, 2, "comes"));
    ASSERT_TRUE(TestBatch{}.erase(Table::runs, number_key(2)).commit(store));
  }
  EXPECT_EQ(store.versions(), 1U);
  {
    const auto snapshot = store.snapshot().value();
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(put(store, 1, std::to_string(i)));
    EXPECT_EQ(value_at(*snapshot, Table::runs, number_key(1)), "99");
  }
  ASSERT_TRUE(put(store, 1, "last"));
  EXPECT_EQ(store.versions(), 1U);
  // What a power loss brings back is kept.
  ASSERT_TRUE(put(store, 1, "unsynced", Durability::none));
  EXPECT_EQ(store.versions(), 2U);
}

TEST(MemoryStoreDeathTest, ABatchOutOfOrderIsAProgrammersError) {
  MemoryStore store;
  const std::array batch{Mutation{Table::runs, Mutation::Kind::put, number_key(2), {}},
                         Mutation{Table::runs, Mutation::Kind::put, number_key(1), {}}};
  EXPECT_DEATH((void)store.commit(batch, Durability::full), "a batch is sorted");
}

}  // namespace
}  // namespace perdure::journal
