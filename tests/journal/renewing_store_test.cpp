// Snapshots for slow readers: renewed after a bound, let go of when asked.
#include "journal/renewing_store.hpp"
#include "journal/lmdb_store.hpp"
#include "journal/memory_store.hpp"
#include "journal/wal_store.hpp"
#include "tests/journal/journal_fixture.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace perdure::journal {
namespace {

using Numbers = std::vector<std::uint64_t>;

class RenewingStoreTest : public testing::TestWithParam<std::string_view> {
 protected:
  void SetUp() override {
    if (GetParam() == "memory") {
      inner_ = std::make_unique<MemoryStore>();
    } else {
      ASSERT_TRUE(LmdbStore::create(directory_.path()));
      auto tables = LmdbStore::open(directory_.path(), LmdbAccess::write).value();
      lmdb_ = tables.get();
      inner_ = std::move(tables);
    }
    if (GetParam() == "log") {
      ASSERT_TRUE(WalFile::create(directory_.path(), {1, 2}));
      tables_ = std::move(inner_);
      inner_ = WalStore::open(directory_.path(), {1, 2}, *tables_).value();
    }
    for (const std::uint64_t number : {10U, 20U, 30U, 40U}) add(number);
    store_ = std::make_unique<RenewingStore>(*inner_, clock_);
  }
  void add(std::uint64_t number) {
    TestRows rows;
    ASSERT_TRUE(rows.run(number, 1, RunStatus::running).commit(*inner_));
  }
  void remove(std::uint64_t number) {
    ASSERT_TRUE(TestBatch{}.erase(Table::runs, Key{}.add(run_id(number))).commit(*inner_));
  }
  static std::uint64_t number_of(const Cursor& cursor) {
    return std::to_integer<std::uint64_t>(cursor.key().back());
  }
  /// What is left of a scan.
  static Numbers rest(Cursor& cursor) {
    Numbers numbers;
    while (cursor.next().value()) numbers.push_back(number_of(cursor));
    return numbers;
  }

  TemporaryDirectory directory_;
  core::ManualClock clock_;
  LmdbStore* lmdb_ = nullptr;      ///< Where snapshots are counted, if anywhere.
  std::unique_ptr<Store> tables_;  ///< Below the log, where there is one.
  std::unique_ptr<Store> inner_;
  std::unique_ptr<RenewingStore> store_;
};

INSTANTIATE_TEST_SUITE_P(Stores, RenewingStoreTest, testing::Values("memory", "lmdb", "log"),
                         [](const auto& which) { return std::string(which.param); });

TEST_P(RenewingStoreTest, WithinTheBoundItShowsOneMoment) {
  const auto snapshot = store_->snapshot().value();
  const auto cursor = snapshot->scan(Table::runs, {}, {}).value();
  ASSERT_TRUE(cursor->next().value());
  add(25);
  clock_.advance(RenewingStore::kOldest);
  EXPECT_EQ(rest(*cursor), (Numbers{20, 30, 40}));
  EXPECT_FALSE(snapshot->get(Table::runs, Key{}.add(run_id(25))).value());
}

TEST_P(RenewingStoreTest, BehindTheBoundItGoesOnBehindTheLastRowWithWhatIsThereNow) {
  const auto snapshot = store_->snapshot().value();
  const auto cursor = snapshot->scan(Table::runs, {}, {}).value();
  ASSERT_TRUE(cursor->next().value());
  ASSERT_TRUE(cursor->next().value());
  EXPECT_EQ(number_of(*cursor), 20U);
  for (const std::uint64_t number : {5U, 15U, 25U}) add(number);
  remove(20);
  remove(30);
  clock_.advance(RenewingStore::kOldest + std::chrono::microseconds(1));
  EXPECT_TRUE(snapshot->get(Table::runs, Key{}.add(run_id(25))).value());
  EXPECT_EQ(rest(*cursor), (Numbers{25, 40}));
}

TEST_P(RenewingStoreTest, ARowStaysReadableWhenItsSnapshotWasLetGo) {
  const auto snapshot = store_->snapshot().value();
  const auto cursor = snapshot->scan(Table::runs, {}, {}).value();
  ASSERT_TRUE(cursor->next().value());
  const core::ByteView value = cursor->value();
  const core::Bytes before(value.begin(), value.end());
  const auto row = snapshot->get(Table::runs, Key{}.add(run_id(30))).value().value();
  const core::Bytes row_before(row.begin(), row.end());
  store_->release();
  remove(10);
  remove(30);
  add(35);
  EXPECT_TRUE(std::ranges::equal(cursor->value(), before));
  EXPECT_TRUE(std::ranges::equal(row, row_before));
  EXPECT_EQ(number_of(*cursor), 10U);
  EXPECT_EQ(rest(*cursor), (Numbers{20, 35, 40}));
}

TEST_P(RenewingStoreTest, BetweenReleaseAndTheNextReadNothingIsHeld) {
  if (lmdb_ == nullptr) GTEST_SKIP() << "a memory store pins nothing";
  const auto snapshot = store_->snapshot().value();
  const auto cursor = snapshot->scan(Table::runs, {}, {}).value();
  const auto another = snapshot->scan(Table::records, {}, {}).value();
  ASSERT_TRUE(cursor->next().value());
  ASSERT_TRUE(another->next().value());
  EXPECT_EQ(lmdb_->open_snapshots().size(), 1U);
  store_->release();
  EXPECT_EQ(lmdb_->open_snapshots().size(), 0U);
  ASSERT_TRUE(cursor->next().value());
  EXPECT_EQ(lmdb_->open_snapshots().size(), 1U);
}

TEST_P(RenewingStoreTest, IsForReading) {
  EXPECT_EQ(store_->commit({}, Durability::full).error().code, Code::misuse);
}

}  // namespace
}  // namespace perdure::journal
