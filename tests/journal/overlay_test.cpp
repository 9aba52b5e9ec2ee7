// An overlay against the map that its parts mean together.
#include "journal/overlay.hpp"
#include "journal/memory_store.hpp"
#include "tests/journal/wal_fixture.hpp"

#include <gtest/gtest.h>

namespace perdure::journal {
namespace {

std::unique_ptr<Snapshot> over(Store& below, Memtables newest_first, std::uint64_t batch) {
  return make_overlay(below.snapshot().value(), std::move(newest_first), batch);
}

void add(Memtable& memtable, const Changes& changes, std::uint64_t batch) {
  ASSERT_TRUE(memtable.add(WalEntry::encode(changes.mutations(), {batch, 0, true}, 0)));
}

bool begins_with(core::ByteView key, core::ByteView prefix) {
  return key.size() >= prefix.size() && std::ranges::equal(key.first(prefix.size()), prefix);
}

/// The rows that a scan has to give, each as "key=value" in one text.
std::string expected(const Model& model, Table table, const Key& from, const Key& prefix) {
  std::string rows;
  for (const auto& [row, value] : model)
    if (row.first == table && row.second >= from && begins_with(row.second.view(), prefix.view()))
      rows += core::to_hex(row.second.view()) + "=" + value + "\n";
  return rows;
}
std::string scanned(Snapshot& snapshot, Table table, const Key& from, const Key& prefix) {
  std::string rows;
  const auto cursor = snapshot.scan(table, from, prefix).value();
  while (cursor->next().value())
    rows += core::to_hex(cursor->key()) + "=" + std::string(core::as_text(cursor->value())) + "\n";
  EXPECT_FALSE(cursor->next().value()) << "it stays at its end";
  EXPECT_FALSE(cursor->next().value());
  return rows;
}

/// Of every key that may be there: it, what stands right behind it, and its beginnings.
std::vector<Key> edges(const Model& model) {
  std::set<Key> keys{Key{}, Key{}.add(core::as_bytes("\xff\xff"))};
  for (const auto& row : model) {
    const Key& key = row.first.second;
    keys.insert(key);
    if (key.view().size() < Key::kCapacity) keys.insert(Key(key).add_zero_byte());
    keys.insert(Key{}.add(key.view().first(key.view().size() / 2)));
  }
  return {keys.begin(), keys.end()};
}

TEST(OverlayTest, AgreesWithAMapFromEveryKeyAndWithinEveryPrefix) {
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    Dice dice(seed);
    MemoryStore below;
    auto older = std::make_shared<Memtable>();
    auto newer = std::make_shared<Memtable>();
    Model model;
    for (std::uint64_t batch = 1; batch <= 30; ++batch) {
      const Changes changes = dice.changes(10, 12);
      if (batch <= 10)
        ASSERT_TRUE(below.commit(changes.mutations(), Durability::full));
      else
        add(batch <= 20 ? *older : *newer, changes, batch);
      // Of a batch behind the one that is read nothing may be seen.
      if (batch <= 28) changes.apply(model);
    }
    const auto snapshot = over(below, {newer, older}, 28);
    ASSERT_TRUE(contents(*snapshot) == model);
    const std::vector<Key> keys = edges(model);
    for (std::size_t i = 1; i <= kTableCount; ++i) {
      const auto table = static_cast<Table>(i);
      for (const Key& from : keys) {
        const auto row = model.find({table, from});
        ASSERT_EQ(value_at(*snapshot, table, from), row == model.end() ? "-" : row->second);
        for (const Key& prefix : keys)
          ASSERT_EQ(scanned(*snapshot, table, from, prefix), expected(model, table, from, prefix))
              << core::to_hex(from.view()) << " " << core::to_hex(prefix.view());
      }
    }
  }
}

TEST(OverlayTest, AnErasedRowStaysErasedOverARowBelowAndInAnOlderMemtable) {
  MemoryStore below;
  ASSERT_TRUE(below.commit(Changes{}
                               .put(Table::runs, number_key(1), "below")
                               .put(Table::runs, number_key(2), "below")
                               .put(Table::runs, number_key(3), "below")
                               .mutations(),
                           Durability::full));
  auto older = std::make_shared<Memtable>();
  auto newer = std::make_shared<Memtable>();
  add(*older, Changes{}.put(Table::runs, number_key(1), "older").erase(Table::runs, number_key(2)),
      1);
  add(*newer, Changes{}.erase(Table::runs, number_key(1)).put(Table::runs, number_key(2), "newer"),
      2);
  const auto at = [&](std::uint64_t batch) {
    return scanned(*over(below, {newer, older}, batch), Table::runs, {}, {});
  };
  const auto row = [](std::uint64_t number, const std::string& value) {
    return core::to_hex(number_key(number).view()) + "=" + value + "\n";
  };
  EXPECT_EQ(at(0), row(1, "below") + row(2, "below") + row(3, "below"));
  EXPECT_EQ(at(1), row(1, "older") + row(3, "below"));
  EXPECT_EQ(at(2), row(2, "newer") + row(3, "below"));
}

TEST(OverlayTest, WithoutRowsOnTopItIsTheSnapshotBelow) {
  MemoryStore below;
  auto snapshot = below.snapshot().value();
  const Snapshot* const same = snapshot.get();
  EXPECT_EQ(make_overlay(std::move(snapshot), {std::make_shared<Memtable>(), nullptr}, 9).get(),
            same);
}

TEST(OverlayTest, ItHoldsItsMemtables) {
  MemoryStore below;
  auto memtable = std::make_shared<Memtable>();
  add(*memtable, Changes{}.put(Table::runs, number_key(1), "kept"), 1);
  const std::weak_ptr<Memtable> watched = memtable;
  auto snapshot = over(below, {std::move(memtable)}, 1);
  EXPECT_FALSE(watched.expired());
  EXPECT_EQ(value_at(*snapshot, Table::runs, number_key(1)), "kept");
  snapshot.reset();
  EXPECT_TRUE(watched.expired());
}

TEST(OverlayTest, CursorsGoTheirOwnWays) {
  MemoryStore below;
  ASSERT_TRUE(
      below.commit(Changes{}.put(Table::runs, number_key(1), "one").mutations(), Durability::full));
  auto memtable = std::make_shared<Memtable>();
  add(*memtable, Changes{}.put(Table::runs, number_key(2), "two"), 1);
  const auto snapshot = over(below, {memtable}, 1);
  const auto first = snapshot->scan(Table::runs, {}, {}).value();
  ASSERT_TRUE(first->next().value());
  const auto second = snapshot->scan(Table::runs, {}, {}).value();
  ASSERT_TRUE(second->next().value());
  ASSERT_TRUE(second->next().value());
  EXPECT_EQ(core::as_text(first->value()), "one");
  EXPECT_EQ(core::as_text(second->value()), "two");
  ASSERT_TRUE(first->next().value());
  EXPECT_EQ(core::as_text(first->value()), "two");
}

}  // namespace
}  // namespace perdure::journal
