// The page checker and LMDB agree on sound files of every shape.

#include "core/clock.hpp"
#include "journal/counted_store.hpp"
#include "journal/lmdb_file.hpp"
#include "journal/lmdb_store.hpp"
#include "journal/page_checker.hpp"
#include "journal/page_lookup.hpp"
#include "tests/journal/page_fixture.hpp"

#include <gtest/gtest.h>

#include <lmdb.h>

#include <array>
#include <vector>

namespace perdure::journal {
namespace {

namespace fs = std::filesystem;

/// An environment that LMDB opens by itself, for what the store does not offer.
class RawLmdb {
 public:
  RawLmdb(const fs::path& directory, unsigned flags) {
    EXPECT_EQ(mdb_env_create(&env_), 0);
    EXPECT_EQ(mdb_env_set_maxdbs(env_, 32), 0);
    EXPECT_EQ(mdb_env_set_mapsize(env_, std::size_t{256} << 20U), 0);
    EXPECT_EQ(mdb_env_open(env_, directory.c_str(), flags | MDB_NOLOCK, 0600), 0);
    EXPECT_EQ(mdb_txn_begin(env_, nullptr, flags & MDB_RDONLY, &txn), 0);
  }
  RawLmdb(const RawLmdb&) = delete;
  RawLmdb& operator=(const RawLmdb&) = delete;
  ~RawLmdb() {
    if (txn != nullptr) mdb_txn_abort(txn);
    mdb_env_close(env_);
  }
  MDB_dbi table(const char* name, unsigned flags = 0) const {
    MDB_dbi handle = 0;
    EXPECT_EQ(mdb_dbi_open(txn, name, flags, &handle), 0) << name;
    return handle;
  }
  MDB_stat stat(MDB_dbi handle) const {
    MDB_stat found{};
    EXPECT_EQ(mdb_stat(txn, handle, &found), 0);
    return found;
  }
  std::uint64_t last_page() const {
    MDB_envinfo info{};
    EXPECT_EQ(mdb_env_info(env_, &info), 0);
    return info.me_last_pgno;
  }
  void commit() { EXPECT_EQ(mdb_txn_commit(std::exchange(txn, nullptr)), 0); }

  MDB_txn* txn = nullptr;

 private:
  MDB_env* env_ = nullptr;
};

class LmdbPagesTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(LmdbStore::create(path())); }
  [[nodiscard]] const fs::path& path() const { return directory_.path(); }
  [[nodiscard]] fs::path file() const { return path() / "data.mdb"; }
  std::unique_ptr<LmdbStore> open() { return LmdbStore::open(path(), LmdbAccess::write).value(); }
  /// The checker calls the file sound, and counts what LMDB counts.
  PageReport expect_agreement() {
    const auto report = check_pages(file(), {.values = PageValues::check, .stop = {}, .hold = {}});
    EXPECT_TRUE(report) << report.error().message;
    if (!report) return {};
    const PageReport& found = report.assume_value();
    EXPECT_TRUE(found.sound()) << words_of(found);
    EXPECT_TRUE(found.complete);
    EXPECT_EQ(found.pages_lost, 0U);
    const RawLmdb lmdb(path(), MDB_RDONLY);
    EXPECT_EQ(found.last_page, lmdb.last_page());
    EXPECT_EQ(found.pages_used + found.pages_free + found.pages_lost, found.last_page + 1);
    EXPECT_EQ(found.trees.size(), kTableCount + 1);
    for (const PageTree& tree : found.trees) {
      const MDB_stat stat = lmdb.stat(
          tree.name == "free list" ? 0
                                   : lmdb.table(tree.name == "meta" ? nullptr : tree.name.c_str()));
      EXPECT_EQ(tree.counted.depth, stat.ms_depth) << tree.name;
      EXPECT_EQ(tree.counted.branch_pages, stat.ms_branch_pages) << tree.name;
      EXPECT_EQ(tree.counted.leaf_pages, stat.ms_leaf_pages) << tree.name;
      EXPECT_EQ(tree.counted.overflow_pages, stat.ms_overflow_pages) << tree.name;
      EXPECT_EQ(tree.counted.entries, stat.ms_entries) << tree.name;
    }
    return found;
  }
  static Key key(std::uint64_t number) { return Key{}.add(number).add(std::uint64_t{0}); }

  TemporaryDirectory directory_;
};

TEST_F(LmdbPagesTest, AnEmptyJournalAndOneRow) {
  EXPECT_EQ(expect_agreement().pages_used, 3U);  // Two meta pages and the names of the tables.
  {
    const auto store = open();
    TestRows rows;
    rows.ready(1);
    ASSERT_TRUE(rows.commit(*store));
  }
  EXPECT_EQ(expect_agreement().values.rows[static_cast<std::size_t>(Table::ready) - 1], 1U);
}

TEST_F(LmdbPagesTest, ThousandsOfRuns) {
  {
    const auto store = open();
    for (std::uint64_t i = 0; i < 3000; i += 100) {
      TestRows rows(1 + i * 4);
      for (std::uint64_t run = i; run < i + 100; ++run)
        rows.run(run, 4, RunStatus::running).session(run).ready(run);
      ASSERT_TRUE(rows.commit(*store, Durability::none));
    }
  }
  const PageReport report = expect_agreement();
  EXPECT_EQ(report.values.runs, 3000U);
  EXPECT_EQ(report.values.records, 12000U);
  EXPECT_TRUE(report.values.sound()) << report.values.findings.front().what;
}

TEST_F(LmdbPagesTest, ValuesOnPagesOfTheirOwn) {
  {
    const auto store = open();
    TestBatch batch;
    std::uint64_t number = 0;
    for (const std::size_t bytes : {1980U, 1990U, 2000U, 2006U, 2010U, 2020U, 4000U, 4050U, 4056U,
                                    4057U, 4080U, 4096U, 8152U, 8153U, 100'000U, 5'000'000U}) {
      const Key at = key(number++);
      batch.put(Table::ready, at, sealed(at, Kind::ready, bytes));
    }
    ASSERT_TRUE(batch.commit(*store));
  }
  const PageReport report = expect_agreement();
  EXPECT_TRUE(report.values.sound()) << report.values.findings.front().what;
}

/// The pages behind the first of such a value have no header that a check could miss.
TEST_F(LmdbPagesTest, AValueWhoseLastPagesWereCutOffIsFound) {
  std::string bytes;
  const auto ends_in_value = [&] {
    std::uint64_t own = 0;
    std::memcpy(&own, bytes.data() + bytes.size() - 4096, sizeof own);
    return own == 0x5A5A'5A5A'5A5A'5A5A;
  };
  {
    const auto store = open();
    for (std::uint64_t i = 0; i < 20; ++i) {
      ASSERT_TRUE(TestBatch{}
                      .put(Table::ready, key(i), sealed(key(i), Kind::ready, 30'000))
                      .commit(*store));
      bytes = content_of(file());
      if (ends_in_value()) break;
    }
  }
  ASSERT_TRUE(ends_in_value()) << "this LMDB ends no file so";
  EXPECT_TRUE(check_pages(file()).value().sound());
  write_content(file(), bytes.substr(0, bytes.size() - 4096));
  const PageReport report = check_pages(file()).value();
  EXPECT_NE(words_of(report).find("the file was cut off"), std::string::npos);
}

TEST_F(LmdbPagesTest, ManyTransactionsOfEveryKind) {
  constexpr int kTransactions = 200;
  const auto store = open();
  RandomChanges changes(*store, 1);
  std::unique_ptr<Snapshot> reader;
  for (int i = 0; i < kTransactions; ++i) {
    ASSERT_TRUE(changes.commit(i % 20 == 0 ? 400 : 20));
    // A snapshot that is kept for a while lets the free list grow.
    if (i % 16 == 0) reader.reset();
    if (i % 64 == 0) reader = store->snapshot().value();
    const PageReport report = check_pages(file()).value();
    ASSERT_TRUE(report.sound()) << "transaction " << i << ": " << words_of(report);
  }
  reader.reset();
  // All but a few rows go, at once.
  TestBatch batch;
  for (std::size_t t = 2; t <= kTableCount; ++t)
    for (std::uint64_t i = 0; i < 490; ++i)
      batch.erase(static_cast<Table>(t), Key{}.add(i).add(std::uint64_t{1}));
  ASSERT_TRUE(batch.commit(*store));
  ASSERT_TRUE(TestBatch{}.erase(Table::runs, key(1)).commit(*store));
  const PageReport report = expect_agreement();
  EXPECT_GT(report.pages_free, 100U);
}

TEST_F(LmdbPagesTest, AFreeListOnPagesOfItsOwn) {
  const auto store = open();
  for (std::uint64_t i = 0; i < 3; ++i) {
    TestBatch batch;
    for (std::uint64_t j = 0; j < 40; ++j)
      batch.put(Table::runs, key(j), sealed(key(j), Kind::ready, 100'000));
    ASSERT_TRUE(batch.commit(*store, Durability::none));
    TestBatch none;
    for (std::uint64_t j = 0; j < 40; ++j) none.erase(Table::runs, key(j));
    ASSERT_TRUE(none.commit(*store, Durability::none));
  }
  const PageReport report = expect_agreement();
  EXPECT_GT(report.trees.front().counted.overflow_pages, 0U);
  EXPECT_GT(report.pages_free, 1000U);
}

/// LMDB counts pages at the end that came and went in one transaction, and does not write them.
TEST_F(LmdbPagesTest, AFileThatLacksOnlyFreePagesIsWhole) {
  {
    // Pages that may be taken again: the last ones are not needed for the free list itself.
    const auto store = open();
    for (std::uint64_t i = 0; i < 6; ++i) {
      TestRows rows;
      rows.ready(i);
      ASSERT_TRUE(rows.commit(*store));
    }
  }
  {
    RawLmdb lmdb(path(), 0);
    const MDB_dbi runs = lmdb.table("runs");
    std::array<unsigned char, 16> bytes{};
    std::array<unsigned char, 100> value{};
    MDB_val row{value.size(), value.data()};
    for (unsigned round = 0; round < 2; ++round) {
      for (unsigned i = 0; i < 2000; ++i) {
        // The last pages go first, so that what LMDB takes again are the ones before them.
        const unsigned number = round == 0 ? i : 1999 - i;
        bytes[1] = static_cast<unsigned char>(number >> 8U);
        bytes[2] = static_cast<unsigned char>(number);
        MDB_val at{bytes.size(), bytes.data()};
        ASSERT_EQ(round == 0 ? mdb_put(lmdb.txn, runs, &at, &row, 0)
                             : mdb_del(lmdb.txn, runs, &at, nullptr),
                  0);
      }
    }
    lmdb.commit();
  }
  const PageReport report = expect_agreement();
  ASSERT_LT(fs::file_size(file()), (report.last_page + 1) * report.page_bytes)
      << "this LMDB writes them, so the test shows nothing";
  EXPECT_TRUE(inspect_lmdb_file(file()));
  const auto opened = LmdbStore::open(path(), LmdbAccess::write);
  ASSERT_TRUE(opened) << opened.error().message;
  TestRows rows;
  for (std::uint64_t i = 0; i < 200; ++i) rows.session(i);
  ASSERT_TRUE(rows.commit(*opened.value()));
  EXPECT_EQ(all_rows(*opened.value()).size(), 406U);
  EXPECT_TRUE(check_pages(file()).value().sound());
}

TEST_F(LmdbPagesTest, FindsARowWithoutAMap) {
  core::ManualClock clock;
  core::SeededRandom random{1};
  const Key row = Key{}.add(kCountersRow);
  EXPECT_FALSE(find_unnamed_row(file(), row.view()));
  {
    const auto store = open();
    ASSERT_TRUE(CountedStore::create(*store, clock, random));
  }
  const auto found = find_unnamed_row(file(), row.view());
  ASSERT_TRUE(found);
  EXPECT_EQ(std::string(core::as_text(*found)), value_at(*open(), Table::meta, row));
  EXPECT_FALSE(find_unnamed_row(file(), Key{}.add(std::uint32_t{7}).view()));
  EXPECT_FALSE(find_unnamed_row(path() / "none", row.view()));
  {
    // The table grows a second level.
    const auto store = open();
    TestBatch batch;
    for (std::uint32_t i = 100; i < 300; ++i)
      batch.put(Table::meta, Key{}.add(i), sealed(Key{}.add(i), Kind::ready, 100));
    ASSERT_TRUE(batch.commit(*store));
  }
  EXPECT_GT(expect_agreement().trees.at(1).counted.branch_pages, 0U);
  EXPECT_EQ(find_unnamed_row(file(), row.view()), found);
  const Key later = Key{}.add(std::uint32_t{299});
  EXPECT_EQ(std::string(core::as_text(find_unnamed_row(file(), later.view()).value())),
            sealed(later, Kind::ready, 100));
}

TEST_F(LmdbPagesTest, TablesOfAnotherKindAreFound) {
  {
    RawLmdb lmdb(path(), 0);
    const MDB_dbi twice = lmdb.table("twice", MDB_CREATE | MDB_DUPSORT);
    for (const char* text : {"one", "two"}) {
      MDB_val at{1, const_cast<char*>("k")};
      MDB_val row{3, const_cast<char*>(text)};
      ASSERT_EQ(mdb_put(lmdb.txn, twice, &at, &row, 0), 0);
    }
    lmdb.commit();
  }
  const PageReport report = check_pages(file()).value();
  ASSERT_EQ(report.findings.size(), 1U) << words_of(report);
  EXPECT_NE(report.findings[0].what.find("the table 'twice' has flags 4"), std::string::npos);
}

TEST_F(LmdbPagesTest, SomebodyElsesFileIsNoJournals) {
  const fs::path other = path() / "other";
  fs::create_directory(other);
  {
    RawLmdb lmdb(other, 0);
    lmdb.table("theirs", MDB_CREATE);
    lmdb.commit();
  }
  const PageReport report = check_pages(other / "data.mdb").value();
  ASSERT_EQ(report.findings.size(), 1U) << words_of(report);
  EXPECT_NE(report.findings[0].what.find("not a journal's file"), std::string::npos);
}

}  // namespace
}  // namespace perdure::journal
