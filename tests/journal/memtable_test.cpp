// The memtable against maps: every batch as it was when it was published, also while it grows.
#include "journal/memtable.hpp"
#include "tests/journal/wal_fixture.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace perdure::journal {
namespace {

/// What a memtable shows: erased rows stand in it too, as such.
using Versions = std::map<RowKey, std::optional<std::string>>;

WalEntry entry_of(const Changes& changes, std::uint64_t batch) {
  return WalEntry::encode(changes.mutations(), {batch, 0, true}, 0);
}

/// The rows from where `cursor` stands.
Versions rest(Memtable::Cursor& cursor) {
  Versions rows;
  for (; cursor.valid(); cursor.next()) {
    const Memtable::Row row = cursor.row();
    std::optional<std::string> value;
    if (row.kind == Mutation::Kind::put) value = core::as_text(row.value);
    const RowKey key{row.table, Key{}.add(row.key)};
    EXPECT_TRUE(rows.empty() || rows.rbegin()->first < key) << "in order, each row once";
    rows.emplace(key, std::move(value));
  }
  return rows;
}
Versions rows_at(const Memtable& memtable, std::uint64_t batch) {
  Memtable::Cursor cursor(memtable, batch);
  cursor.seek(Table::meta, {});
  return rest(cursor);
}

TEST(MemtableTest, ShowsEachBatchAsItWas) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Dice dice(seed);
    Memtable memtable;
    EXPECT_TRUE(memtable.empty());
    std::vector<Versions> models{{}};
    for (std::uint64_t batch = 1; batch <= 100; ++batch) {
      const Changes changes = dice.changes(12, 40);
      Versions model = models.back();
      for (const auto& [row, value] : changes.rows()) model[row] = value;
      models.push_back(std::move(model));
      ASSERT_TRUE(memtable.add(entry_of(changes, batch)));
      ASSERT_EQ(memtable.empty(), models.back().empty());
      const std::uint64_t published = dice.below(batch + 1);
      ASSERT_TRUE(rows_at(memtable, published) == models[published])
          << published << " at " << batch;
    }
    for (std::uint64_t batch = 0; batch <= 100; ++batch) {
      ASSERT_TRUE(rows_at(memtable, batch) == models[batch]) << batch;
      const RowKey from{static_cast<Table>(1 + dice.below(kTableCount)), dice.key()};
      Memtable::Cursor cursor(memtable, batch);
      cursor.seek(from.first, from.second.view());
      ASSERT_TRUE(rest(cursor) == Versions(models[batch].lower_bound(from), models[batch].end()));
    }
  }
}

TEST(MemtableTest, KeysThatBeginAlikeAndTheEmptyKeyKeepTheirOrder) {
  Memtable memtable;
  std::vector<std::string> keys = {"",
                                   std::string(1, '\0'),
                                   std::string(8, '\0'),
                                   std::string(9, '\0'),
                                   "12345678",
                                   std::string("12345678\0", 9),
                                   "123456789",
                                   "12345678\x7f",
                                   "12345678\xff",
                                   "\xff"};
  std::uint64_t batch = 0;
  // From the last to the first, so that each goes in front of what is there.
  for (auto key = keys.rbegin(); key != keys.rend(); ++key) {
    Changes changes;
    changes.put(Table::runs, Key{}.add(core::as_bytes(*key)), "value of " + *key);
    ASSERT_TRUE(memtable.add(entry_of(changes, ++batch)));
  }
  Memtable::Cursor cursor(memtable, batch);
  cursor.seek(Table::meta, {});
  for (const std::string& key : keys) {
    ASSERT_TRUE(cursor.valid());
    EXPECT_EQ(core::as_text(cursor.row().key), key);
    EXPECT_EQ(core::as_text(cursor.row().value), "value of " + key);
    cursor.next();
  }
  EXPECT_FALSE(cursor.valid());
}

TEST(MemtableTest, WhatWasReadStaysWhereItIs) {
  Memtable memtable;
  Dice dice(1);
  Changes first;
  first.put(Table::runs, number_key(1), "the first");
  ASSERT_TRUE(memtable.add(entry_of(first, 1)));
  Memtable::Cursor cursor(memtable, 1);
  cursor.seek(Table::runs, {});
  const Memtable::Row before = cursor.row();
  for (std::uint64_t batch = 2; batch < 2000; ++batch) {
    Changes changes = dice.changes(5, 100);
    changes.put(Table::runs, number_key(1), "later");
    ASSERT_TRUE(memtable.add(entry_of(changes, batch)));
  }
  EXPECT_EQ(cursor.row().value.data(), before.value.data());
  EXPECT_EQ(core::as_text(before.value), "the first");
  EXPECT_EQ(core::as_text(before.key), core::as_text(number_key(1).view()));
  cursor.next();
  EXPECT_FALSE(cursor.valid()) << "nothing of a later batch";
}

TEST(MemtableTest, OfABatchThatCantBeReadNothingIsSeenByWhoReadsTheOneBefore) {
  Memtable memtable;
  Changes changes;
  changes.put(Table::runs, number_key(1), "one").put(Table::due, number_key(1), "two");
  ASSERT_TRUE(memtable.add(entry_of(changes, 1)));
  const WalEntry good = entry_of(changes, 2);
  std::string bytes(core::as_text(good.bytes()));
  bytes[kWalEntryHeader + 8 + 8 + 8] = 99;  // The table of the second row.
  EXPECT_EQ(memtable.add(sealed(bytes, 0)).error().code, Code::newer_format);
  EXPECT_TRUE(rows_at(memtable, 1) == Versions(changes.rows().begin(), changes.rows().end()));
}

/// Each batch puts its number into some rows and erases others, so that a reader knows from the
/// number alone what has to be there.
TEST(MemtableTest, ReadersSeeWholeBatchesWhileOneAdds) {
  constexpr std::uint64_t kBatches = 400;
  constexpr std::uint64_t kRows = 24;
  Memtable memtable;
  std::atomic<std::uint64_t> published = 0;
  std::atomic<std::uint64_t> wrong = 0;
  const auto read = [&](std::uint64_t seed) {
    Dice dice(seed);
    std::uint64_t batch = 0;
    do {
      batch = published.load(std::memory_order_acquire);
      // An older moment is as good as the newest.
      if (dice.below(4) == 0) batch = dice.below(batch + 1);
      Memtable::Cursor cursor(memtable, batch);
      const std::uint64_t from = dice.below(kRows);
      cursor.seek(Table::runs, number_key(from).view());
      std::uint64_t row = from;
      for (; cursor.valid() && batch != 0; cursor.next(), ++row) {
        const bool is_erased = (batch + row) % 3 == 0;
        const bool is_right =
            std::ranges::equal(cursor.row().key, number_key(row).view()) &&
            (cursor.row().kind == Mutation::Kind::erase) == is_erased &&
            core::as_text(cursor.row().value) == (is_erased ? "" : std::to_string(batch));
        wrong += is_right ? 0 : 1;
      }
      wrong += batch == 0 || row == kRows ? 0 : 1;
    } while (published.load(std::memory_order_acquire) != kBatches);
  };
  std::thread one(read, 1);
  std::thread two(read, 2);
  for (std::uint64_t batch = 1; batch <= kBatches; ++batch) {
    Changes changes;
    for (std::uint64_t row = 0; row < kRows; ++row) {
      if ((batch + row) % 3 == 0)
        changes.erase(Table::runs, number_key(row));
      else
        changes.put(Table::runs, number_key(row), std::to_string(batch));
    }
    ASSERT_TRUE(memtable.add(entry_of(changes, batch)));
    published.store(batch, std::memory_order_release);
  }
  one.join();
  two.join();
  EXPECT_EQ(wrong, 0U);
}

}  // namespace
}  // namespace perdure::journal
