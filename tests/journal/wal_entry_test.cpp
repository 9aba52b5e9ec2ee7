// Entries of the log: what goes in comes out, and nothing that was changed does.
#include "journal/wal_entry.hpp"
#include "tests/journal/wal_fixture.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <limits>

namespace perdure::journal {
namespace {

constexpr std::uint64_t kSeed = 77;
constexpr std::size_t kRowHeader = 8;

std::string all_of(const WalEntry& entry) { return std::string(core::as_text(entry.bytes())); }

/// As a reader of the file would have it.
WalEntry copy_of(std::string_view bytes) {
  WalEntry entry = WalEntry::with_room_for(bytes.size());
  std::memcpy(entry.padded().data(), bytes.data(), bytes.size());
  return entry;
}

/// The rows of `entry` in its order, in words.
std::string rows_in(const WalEntry& entry) {
  std::string rows;
  const Result<void> read = entry.each_row([&](const WalEntry::Row& row) {
    rows += std::string(to_string(row.table)) + " " +
            (row.kind == Mutation::Kind::put ? "put " : "erase ") + core::to_hex(row.key) + " " +
            core::to_hex(row.value) + "\n";
  });
  EXPECT_TRUE(read) << read.error().message;
  return rows;
}
std::string rows_in(const std::vector<Mutation>& batch) {
  std::string rows;
  for (const Mutation& row : batch)
    rows += std::string(to_string(row.table)) + " " +
            (row.kind == Mutation::Kind::put ? "put " : "erase ") + core::to_hex(row.key.view()) +
            " " + core::to_hex(row.value) + "\n";
  return rows;
}

void expect_round_trip(const Changes& changes, const WalLink& link) {
  const std::vector<Mutation> batch = changes.mutations();
  WalEntry entry = WalEntry::encode(batch, link, kSeed);
  EXPECT_EQ(entry.bytes().size(), WalEntry::size_of(batch));
  EXPECT_EQ(entry.padded_size(), wal_padded(entry.bytes().size()));
  for (const std::byte one : entry.padded().subspan(entry.bytes().size()))
    ASSERT_EQ(one, std::byte{0});
  const WalEntry read = copy_of(all_of(entry));
  const auto header = WalEntry::header(read.bytes());
  ASSERT_TRUE(header);
  EXPECT_EQ(header->size, read.bytes().size());
  EXPECT_EQ(header->checksum, entry.checksum());
  EXPECT_EQ(header->link.batch, link.batch);
  EXPECT_EQ(header->link.previous, link.previous);
  EXPECT_EQ(header->link.is_sure, link.is_sure);
  EXPECT_EQ(read.batch(), link.batch);
  ASSERT_TRUE(read.holds(kSeed));
  EXPECT_EQ(rows_in(read), rows_in(batch));
}

TEST(WalEntryTest, GivesBackWhatWasPutIntoIt) {
  Dice dice(3);
  expect_round_trip({}, {1, 0, true});
  for (std::uint64_t batch = 1; batch < 200; ++batch)
    expect_round_trip(dice.changes(30, 300), {batch, dice.below(~0ULL), dice.below(2) == 0});
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  expect_round_trip(dice.changes(3, 3), {kMost, kMost, false});
}

TEST(WalEntryTest, KeysAndValuesOfEverySizeStandWhereTheyShould) {
  for (std::size_t key = 0; key <= Key::kCapacity; ++key)
    for (std::size_t value = 0; value <= 17; ++value) {
      const std::string bytes(Key::kCapacity, '\xA5');
      Changes changes;
      changes.put(Table::due, Key{}.add(core::as_bytes(bytes).first(key)), bytes.substr(0, value))
          .erase(Table::attempts, Key{}.add(core::as_bytes(bytes).first(key)));
      expect_round_trip(changes, {1, 2, true});
    }
}

TEST(WalEntryTest, SizesAroundAUnit) {
  for (const std::size_t unit : {kWalUnit, 2 * kWalUnit, 3 * kWalUnit})
    for (std::size_t size = unit - 24; size <= unit + 24; size += 8) {
      const std::size_t value = size - kWalEntryHeader - kRowHeader - 8;
      Changes changes;
      changes.put(Table::runs, number_key(1), std::string(value, 'v'));
      ASSERT_EQ(WalEntry::size_of(changes.mutations()), size);
      expect_round_trip(changes, {1, 2, true});
      EXPECT_EQ(wal_padded(size), size <= unit ? unit : unit + kWalUnit);
    }
}

TEST(WalEntryTest, TheSameBatchHasTheSameBytes) {
  // What lay in memory before must not come into the file.
  Changes changes;
  changes.put(Table::runs, number_key(1), "12345").erase(Table::due, number_key(2));
  const std::string first = all_of(WalEntry::encode(changes.mutations(), {5, 6, true}, kSeed));
  for (int i = 0; i < 20; ++i) {
    WalEntry dirty = WalEntry::with_room_for(first.size());
    std::ranges::fill(dirty.padded(), std::byte{0xEE});
    dirty = {};
    EXPECT_EQ(all_of(WalEntry::encode(changes.mutations(), {5, 6, true}, kSeed)), first);
  }
}

TEST(WalEntryTest, EveryFlippedBitIsFound) {
  Dice dice(4);
  const std::string good =
      all_of(WalEntry::encode(dice.changes(12, 60).mutations(), {7, 8, true}, kSeed));
  ASSERT_TRUE(copy_of(good).holds(kSeed));
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bytes = good;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_FALSE(copy_of(bytes).holds(kSeed)) << bit;
  }
}

TEST(WalEntryTest, AnEntryThatIsCutOffDoesNotHold) {
  Dice dice(5);
  const std::string good =
      all_of(WalEntry::encode(dice.changes(12, 60).mutations(), {7, 8, true}, kSeed));
  for (std::size_t size = kWalEntryHeader; size < good.size(); ++size)
    ASSERT_FALSE(copy_of(std::string_view(good).substr(0, size)).holds(kSeed)) << size;
  EXPECT_FALSE(copy_of(good + std::string(8, '\0')).holds(kSeed));
}

TEST(WalEntryTest, AnotherJournalsEntryDoesNotHold) {
  const WalEntry entry = WalEntry::encode({}, {1, 0, true}, wal_seed({1, 2}));
  EXPECT_TRUE(entry.holds(wal_seed({1, 2})));
  for (const core::Hash128 other : {core::Hash128{2, 1}, {1, 3}, {3, 2}, {0, 0}})
    EXPECT_FALSE(entry.holds(wal_seed(other)));
}

TEST(WalEntryTest, AHeaderOfAnImpossibleSizeIsNone) {
  const std::string good = all_of(WalEntry::encode({}, {1, 0, true}, kSeed));
  const auto with_size = [&](std::uint32_t size) {
    std::string bytes = good;
    std::memcpy(bytes.data() + 24, &size, sizeof size);
    return WalEntry::header(core::as_bytes(bytes)).has_value();
  };
  EXPECT_TRUE(with_size(kWalEntryHeader));
  EXPECT_TRUE(with_size(kWalEntryMax));
  for (const std::uint32_t size :
       {std::uint32_t{0}, std::uint32_t{kWalEntryHeader - 1}, std::uint32_t{kWalEntryMax + 1}, ~0U})
    EXPECT_FALSE(with_size(size)) << size;
  EXPECT_FALSE(WalEntry::header(core::as_bytes(std::string(kWalEntryHeader, '\0'))));
}

/// A sealed entry of one row, changed at `offset` of that row.
Code code_with(std::size_t offset, std::string_view change) {
  Changes changes;
  changes.put(Table::runs, number_key(1), std::string(100, 'v'));
  std::string bytes = all_of(WalEntry::encode(changes.mutations(), {1, 0, true}, kSeed));
  bytes.replace(offset, change.size(), change);
  const WalEntry entry = sealed(bytes, kSeed);
  EXPECT_TRUE(entry.holds(kSeed));
  std::size_t rows = 0;
  const Result<void> read = entry.each_row([&](const WalEntry::Row& row) {
    ++rows;
    EXPECT_GE(row.value.data(), entry.bytes().data());
    EXPECT_LE(row.value.data() + row.value.size(), entry.bytes().data() + entry.bytes().size());
  });
  return read ? Code::user : read.error().code;
}

TEST(WalEntryTest, WhatHoldsAndCantBeReadIsOfANewerPerdure) {
  constexpr std::size_t kRow = kWalEntryHeader;
  EXPECT_EQ(code_with(kRow, "\x04"), Code::user) << "the table that it is";
  EXPECT_EQ(code_with(kRow, std::string(1, '\0')), Code::newer_format);
  EXPECT_EQ(code_with(kRow, std::string(1, char{kTableCount + 1})), Code::newer_format);
  EXPECT_EQ(code_with(kRow, "\xff"), Code::newer_format);
  EXPECT_EQ(code_with(kRow + 1, "\x01"), Code::user) << "erase is a kind";
  EXPECT_EQ(code_with(kRow + 1, "\x02"), Code::newer_format);
  // With a value so short that the row ends within the entry.
  const std::string no_value(5, '\0');
  EXPECT_EQ(code_with(kRow + 2, char{Key::kCapacity} + no_value), Code::user);
  EXPECT_EQ(code_with(kRow + 2, char{Key::kCapacity + 1} + no_value), Code::newer_format);
  EXPECT_EQ(code_with(kRow + 2, "\xff\xff"), Code::newer_format);
  const std::string long_key{16, 0, char{Key::kCapacity + 1}, 0, 0, 0, 0, 0};
  EXPECT_EQ(code_with(kRow, long_key), Code::user) << "users' keys may be longer";
  EXPECT_EQ(code_with(kRow + 4, "\x69"), Code::newer_format) << "a value past the end";
  EXPECT_EQ(code_with(kRow + 4, "\xff\xff\xff\xff"), Code::newer_format);
  constexpr std::size_t kRows = 28;
  EXPECT_EQ(code_with(kRows, "\x02"), Code::newer_format) << "more rows than there are";
  EXPECT_EQ(code_with(kRows, "\xff\xff\xff\xff"), Code::newer_format);
}

}  // namespace
}  // namespace perdure::journal
