// What every Store promises (store.hpp), held against each of them.

#include "core/random.hpp"
#include "journal/lmdb_store.hpp"
#include "journal/memory_store.hpp"
#include "journal/wal_store.hpp"
#include "tests/journal/store_fixture.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <map>
#include <thread>

namespace perdure::journal {
namespace {

/// A store, and how to close and open it again.
class Bench {
 public:
  virtual ~Bench() = default;
  virtual Store& store() = 0;
  virtual void reopen() = 0;
};

class MemoryBench final : public Bench {
 public:
  Store& store() override { return store_; }
  void reopen() override { store_.restart(); }

 private:
  MemoryStore store_;
};

class LmdbBench final : public Bench {
 public:
  LmdbBench() {
    EXPECT_TRUE(LmdbStore::create(directory_.path()));
    reopen();
  }
  Store& store() override { return *store_; }
  void reopen() override {
    store_.reset();
    store_ = LmdbStore::open(directory_.path(), LmdbAccess::write).value();
  }

 private:
  TemporaryDirectory directory_;
  std::unique_ptr<LmdbStore> store_;
};

/// As after a death: what is in the log is not in the tables.
class WalBench final : public Bench {
 public:
  explicit WalBench(WalOptions options) : options_(options) {
    EXPECT_TRUE(LmdbStore::create(directory_.path()));
    EXPECT_TRUE(WalFile::create(directory_.path(), {1, 2}));
    reopen();
  }
  Store& store() override { return *store_; }
  void reopen() override {
    store_.reset();
    tables_.reset();
    tables_ = LmdbStore::open(directory_.path(), LmdbAccess::write).value();
    store_ = WalStore::open(directory_.path(), {1, 2}, *tables_, options_).value();
  }

 private:
  const WalOptions options_;
  TemporaryDirectory directory_;
  std::unique_ptr<LmdbStore> tables_;
  std::unique_ptr<WalStore> store_;
};

/// With these, batches are moved into the tables all the time.
constexpr WalOptions kTinyLog{.checkpoint_bytes = kWalUnit,
                              .checkpoint_age = std::chrono::milliseconds(1),
                              .file_bytes_max = 4 * kWalUnit};

class StoreContract : public testing::TestWithParam<std::string_view> {
 protected:
  void SetUp() override {
    if (GetParam() == "memory")
      bench_ = std::make_unique<MemoryBench>();
    else if (GetParam() == "lmdb")
      bench_ = std::make_unique<LmdbBench>();
    else
      bench_ = std::make_unique<WalBench>(GetParam() == "log" ? WalOptions{} : kTinyLog);
  }
  Store& store() { return bench_->store(); }
  /// Without the one row that a log adds for itself.
  static std::vector<std::pair<std::string, std::string>> rows_of(Snapshot& snapshot, Table table,
                                                                  const Key& from = {},
                                                                  const Key& prefix = {}) {
    auto rows = journal::rows_of(snapshot, table, from, prefix);
    const std::string own = core::to_hex(Key{}.add(kCheckpointRow).view());
    if (table == Table::meta)
      std::erase_if(rows, [&](const auto& row) { return row.first == own; });
    return rows;
  }
  std::unique_ptr<Bench> bench_;
};

INSTANTIATE_TEST_SUITE_P(Stores, StoreContract,
                         testing::Values("memory", "lmdb", "log", "tiny_log"),
                         [](const auto& which) { return std::string(which.param); });

TEST_P(StoreContract, BeginsEmpty) {
  const auto snapshot = store().snapshot().value();
  for (std::size_t i = 1; i <= kTableCount; ++i) {
    EXPECT_TRUE(rows_of(*snapshot, static_cast<Table>(i)).empty()) << i;
    EXPECT_EQ(value_at(*snapshot, static_cast<Table>(i), number_key(1)), "-");
  }
}

TEST_P(StoreContract, PutsOverwritesAndErases) {
  ASSERT_TRUE(TestBatch{}
                  .put(Table::runs, number_key(1), "one")
                  .put(Table::runs, number_key(2), "two")
                  .put(Table::due, number_key(1), "other table")
                  .commit(store()));
  EXPECT_EQ(value_at(store(), Table::runs, number_key(1)), "one");
  EXPECT_EQ(value_at(store(), Table::due, number_key(1)), "other table");
  EXPECT_EQ(value_at(store(), Table::due, number_key(2)), "-");
  ASSERT_TRUE(TestBatch{}
                  .put(Table::runs, number_key(1), "a longer value than before")
                  .erase(Table::runs, number_key(2))
                  .erase(Table::runs, number_key(3))
                  .commit(store()));
  EXPECT_EQ(value_at(store(), Table::runs, number_key(1)), "a longer value than before");
  EXPECT_EQ(value_at(store(), Table::runs, number_key(2)), "-");
}

TEST_P(StoreContract, KeepsWhatWasCommitted) {
  ASSERT_TRUE(
      TestBatch{}.put(Table::meta, Key{}.add(std::uint32_t{1}), "identity").commit(store()));
  ASSERT_TRUE(TestBatch{}.put(Table::runs, number_key(1), "one").commit(store(), Durability::none));
  bench_->reopen();
  EXPECT_EQ(value_at(store(), Table::meta, Key{}.add(std::uint32_t{1})), "identity");
  EXPECT_EQ(value_at(store(), Table::runs, number_key(1)), "one");
  ASSERT_TRUE(TestBatch{}.put(Table::runs, number_key(2), "two").commit(store()));
  EXPECT_EQ(value_at(store(), Table::runs, number_key(2)), "two");
}

TEST_P(StoreContract, TakesEmptyAndLargeValuesAndEveryByte) {
  std::string large(3U << 20U, 'x');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 31U >> 3U);
  ASSERT_TRUE(TestBatch{}
                  .put(Table::records, number_key(1), "")
                  .put(Table::records, number_key(2), large)
                  .put(Table::records, number_key(3), std::string("\0\xff", 2))
                  .commit(store()));
  EXPECT_EQ(value_at(store(), Table::records, number_key(1)), "");
  EXPECT_EQ(value_at(store(), Table::records, number_key(2)), large);
  EXPECT_EQ(value_at(store(), Table::records, number_key(3)), std::string("\0\xff", 2));
}

TEST_P(StoreContract, ScansInTheOrderOfKeys) {
  TestBatch batch;
  for (const std::uint64_t number : {9U, 256U, 1U, 65536U, 255U})
    batch.put(Table::due, number_key(number), std::to_string(number));
  ASSERT_TRUE(batch.commit(store()));
  const auto snapshot = store().snapshot().value();
  std::string order;
  for (const auto& row : rows_of(*snapshot, Table::due)) order += row.second + " ";
  EXPECT_EQ(order, "1 9 255 256 65536 ");
}

TEST_P(StoreContract, ScansFromAKeyWithinAPrefix) {
  TestBatch batch;
  for (std::uint64_t run = 1; run <= 3; ++run)
    for (std::uint32_t index = 0; index < 4; ++index)
      batch.put(Table::records, Key{}.add(run).add(index),
                std::to_string(run) + "/" + std::to_string(index));
  batch.put(Table::records, Key{}.add(std::uint64_t{2}).add(kHeadIndex), "2/head");
  ASSERT_TRUE(batch.commit(store()));
  const auto snapshot = store().snapshot().value();
  const Key two = number_key(2);
  const auto values = [&](const Key& from, const Key& prefix) {
    std::string all;
    for (const auto& row : rows_of(*snapshot, Table::records, from, prefix))
      all += row.second + " ";
    return all;
  };
  EXPECT_EQ(values({}, two), "2/0 2/1 2/2 2/3 2/head ");
  EXPECT_EQ(values(two, two), "2/0 2/1 2/2 2/3 2/head ");
  EXPECT_EQ(values(Key(two).add(std::uint32_t{2}), two), "2/2 2/3 2/head ");
  EXPECT_EQ(values(Key(two).add(std::uint32_t{9}), two), "2/head ");
  EXPECT_EQ(values(number_key(3), two), "");
  EXPECT_EQ(values(number_key(4), {}), "");
  EXPECT_EQ(values(Key(number_key(3)).add(std::uint32_t{3}), {}), "3/3 ");
  EXPECT_EQ(values({}, number_key(7)), "");
}

TEST_P(StoreContract, ACursorStaysAtItsEnd) {
  ASSERT_TRUE(TestBatch{}.put(Table::runs, number_key(1), "one").commit(store()));
  const auto snapshot = store().snapshot().value();
  const auto cursor = snapshot->scan(Table::runs, {}, {}).value();
  EXPECT_TRUE(cursor->next().value());
  EXPECT_FALSE(cursor->next().value());
  EXPECT_FALSE(cursor->next().value());
}

TEST_P(StoreContract, SeveralCursorsGoTheirOwnWays) {
  ASSERT_TRUE(TestBatch{}
                  .put(Table::runs, number_key(1), "one")
                  .put(Table::runs, number_key(2), "two")
                  .commit(store()));
  const auto snapshot = store().snapshot().value();
  const auto first = snapshot->scan(Table::runs, {}, {}).value();
  ASSERT_TRUE(first->next().value());
  const auto second = snapshot->scan(Table::runs, number_key(2), {}).value();
  ASSERT_TRUE(second->next().value());
  EXPECT_EQ(core::as_text(first->value()), "one");
  EXPECT_EQ(core::as_text(second->value()), "two");
  ASSERT_TRUE(first->next().value());
  EXPECT_EQ(core::as_text(first->value()), "two");
}

TEST_P(StoreContract, MetaRowsStandAlone) {
  // The LMDB store keeps them beside the names of its tables.
  ASSERT_TRUE(TestBatch{}
                  .put(Table::meta, Key{}.add(std::uint32_t{1}), "identity")
                  .put(Table::meta, Key{}.add(std::uint32_t{2}), "counters")
                  .put(Table::attempts, number_key(1), "x")
                  .commit(store()));
  const auto snapshot = store().snapshot().value();
  EXPECT_EQ(rows_of(*snapshot, Table::meta),
            (std::vector<std::pair<std::string, std::string>>{{"00000001", "identity"},
                                                              {"00000002", "counters"}}));
}

TEST_P(StoreContract, ASnapshotNeverChanges) {
  ASSERT_TRUE(TestBatch{}
                  .put(Table::runs, number_key(1), "one")
                  .put(Table::runs, number_key(2), "two")
                  .commit(store()));
  const auto before = store().snapshot().value();
  const core::ByteView borrowed = *before->get(Table::runs, number_key(1)).value();
  const auto cursor = before->scan(Table::runs, {}, {}).value();
  ASSERT_TRUE(cursor->next().value());
  for (int i = 0; i < 50; ++i)
    ASSERT_TRUE(TestBatch{}
                    .put(Table::runs, number_key(1), "changed " + std::to_string(i))
                    .erase(Table::runs, number_key(2))
                    .put(Table::runs, number_key(3), "three")
                    .commit(store()));
  EXPECT_EQ(core::as_text(borrowed), "one");
  EXPECT_EQ(core::as_text(cursor->value()), "one");
  ASSERT_TRUE(cursor->next().value());
  EXPECT_EQ(core::as_text(cursor->value()), "two");
  EXPECT_FALSE(cursor->next().value());
  EXPECT_EQ(value_at(*before, Table::runs, number_key(3)), "-");
  EXPECT_EQ(value_at(store(), Table::runs, number_key(1)), "changed 49");
  EXPECT_EQ(value_at(store(), Table::runs, number_key(2)), "-");
}

TEST_P(StoreContract, ManySnapshotsAtOnce) {
  std::vector<std::unique_ptr<Snapshot>> snapshots;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(TestBatch{}
                    .put(Table::runs, number_key(1), std::to_string(i))
                    .commit(store(), Durability::none));
    snapshots.push_back(store().snapshot().value());
  }
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(value_at(*snapshots[static_cast<std::size_t>(i)], Table::runs, number_key(1)),
              std::to_string(i));
}

TEST_P(StoreContract, ReadersOnOtherThreadsSeeWholeBatches) {
  constexpr std::uint64_t kRows = 20;
  const auto write = [&](std::uint64_t round) {
    TestBatch batch;
    for (std::uint64_t row = 0; row < kRows; ++row)
      batch.put(row % 2 == 0 ? Table::runs : Table::due, number_key(row), std::to_string(round));
    ASSERT_TRUE(batch.commit(store(), Durability::none));
  };
  write(0);
  std::atomic<bool> done = false;
  std::atomic<std::uint64_t> torn = 0;
  std::atomic<std::uint64_t> reads = 0;
  const auto read = [&] {
    do {
      const auto snapshot = store().snapshot().value();
      const std::string first = value_at(*snapshot, Table::runs, number_key(0));
      for (std::uint64_t row = 0; row < kRows; ++row)
        if (value_at(*snapshot, row % 2 == 0 ? Table::runs : Table::due, number_key(row)) != first)
          ++torn;
      ++reads;
    } while (!done);
  };
  std::thread one(read);
  std::thread two(read);
  for (std::uint64_t round = 1; round <= 300; ++round) write(round);
  done = true;
  one.join();
  two.join();
  EXPECT_EQ(torn, 0U);
  EXPECT_GE(reads, 2U);
}

/// Random batches against a plain map, which is the meaning of them.
TEST_P(StoreContract, AgreesWithAMapUnderRandomBatches) {
  core::SeededRandom random(20261121);
  const auto draw = [&](std::uint64_t below) { return random.next() % below; };
  std::map<std::pair<Table, Key>, std::string> model;
  for (int round = 0; round < 300; ++round) {
    std::map<std::pair<Table, Key>, std::optional<std::string>> changes;
    const std::uint64_t count = 1 + draw(20);
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto table = static_cast<Table>(2 + draw(kTableCount - 1));
      std::optional<std::string> value;
      if (draw(3) != 0)
        value =
            std::string(draw(20) == 0 ? draw(9000) : draw(200), static_cast<char>('a' + draw(26)));
      changes[{table, number_key(draw(60))}] = value;
    }
    TestBatch batch;
    for (const auto& [row, value] : changes) {
      if (value) {
        batch.put(row.first, row.second, *value);
        model[row] = *value;
      } else {
        batch.erase(row.first, row.second);
        model.erase(row);
      }
    }
    ASSERT_TRUE(batch.commit(store(), round % 10 == 0 ? Durability::full : Durability::none));
    if (round % 60 == 59) bench_->reopen();
    if (round % 7 != 0) continue;
    const auto snapshot = store().snapshot().value();
    auto expected = model.begin();
    for (std::size_t t = 1; t <= kTableCount; ++t)
      for (const auto& [key, value] : rows_of(*snapshot, static_cast<Table>(t))) {
        ASSERT_NE(expected, model.end());
        ASSERT_EQ(expected->first.first, static_cast<Table>(t));
        ASSERT_EQ(core::to_hex(expected->first.second.view()), key);
        ASSERT_EQ(expected->second, value);
        ++expected;
      }
    ASSERT_EQ(expected, model.end());
  }
}

}  // namespace
}  // namespace perdure::journal
