// Keys of users' tables: their bytes sort as they do, and come back; what is no key is refused.
#include "journal/row_key.hpp"
#include "journal/key.hpp"
#include "journal/user_rows.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace perdure::journal {
namespace {

using detail::decode_key;
using detail::encode_key;

/// For each two of `keys`: their bytes compare as they do. And each comes back.
template <class K>
void expect_ordered(const std::vector<K>& keys) {
  for (const K& a : keys) {
    const core::Bytes bytes = encode_key(a);
    const Result<K> back = decode_key<K>(bytes);
    ASSERT_TRUE(back.has_value()) << back.error().message;
    EXPECT_EQ(back.assume_value(), a);
    EXPECT_TRUE(parse_row_key(bytes).has_value());
    for (const K& b : keys)
      EXPECT_EQ(compare_keys(bytes, encode_key(b)) < 0, a < b)
          << row_key_json(bytes) << " and " << row_key_json(encode_key(b));
  }
}

/// Numbers near all powers of two, where encodings change their length.
template <class N>
std::vector<N> edges() {
  std::set<N> numbers{N{0}, std::numeric_limits<N>::min(), std::numeric_limits<N>::max()};
  for (int bit = 0; bit < std::numeric_limits<N>::digits; ++bit)
    for (const int step : {-1, 0, 1}) {
      const auto number =
          static_cast<N>((std::uint64_t{1} << bit) + static_cast<std::uint64_t>(step));
      numbers.insert(number);
      if constexpr (std::is_signed_v<N>) numbers.insert(static_cast<N>(-(number + 1)));
    }
  return {numbers.begin(), numbers.end()};
}

TEST(RowKeyTest, IntegersSortByValue) {
  expect_ordered(edges<std::int64_t>());
  expect_ordered(edges<std::uint64_t>());
  expect_ordered(edges<std::int8_t>());
  expect_ordered(edges<std::uint16_t>());
}

TEST(RowKeyTest, AKeysTypeMayGrowWider) {
  EXPECT_EQ(encode_key(std::int16_t{-300}), encode_key(std::int64_t{-300}));
  EXPECT_EQ(encode_key(std::uint8_t{200}), encode_key(std::int32_t{200}));
}

std::string random_text(std::mt19937_64& dice) {
  // Few letters, so that many texts are beginnings of others; zeros and 255 are escaped.
  static constexpr char kLetters[] = {'\0', '\1', 'a', '\xFF'};
  std::string text(dice() % 5, ' ');
  for (char& c : text) c = kLetters[dice() % 4];
  return text;
}

TEST(RowKeyTest, TextAndTuplesSortByTheirElements) {
  std::mt19937_64 dice(7);
  std::vector<std::string> texts;
  std::vector<std::tuple<std::string, std::int32_t, std::pair<bool, std::string>>> tuples;
  for (int i = 0; i < 120; ++i) {
    texts.push_back(random_text(dice));
    tuples.push_back({random_text(dice),
                      static_cast<std::int32_t>(dice() % 5) - 2,
                      {dice() % 2 == 0, random_text(dice)}});
  }
  expect_ordered(texts);
  expect_ordered(tuples);
}

TEST(RowKeyTest, RunsSortByTheirBytes) {
  std::mt19937_64 dice(8);
  std::vector<RunId> runs(20);
  for (RunId& run : runs)
    for (std::byte& byte : run.bytes)
      byte = std::byte{static_cast<unsigned char>(dice() % 3 * 127)};
  expect_ordered(runs);
}

TEST(RowKeyTest, EnumsSortByTheirNumbers) {
  enum class Floor : std::int8_t { cellar = -1, ground = 0, roof = 9 };
  expect_ordered(std::vector{Floor::roof, Floor::cellar, Floor::ground});
  EXPECT_EQ(row_key_json(encode_key(Floor::cellar)), "-1");
}

TEST(RowKeyTest, AnotherTypeOfKeyIsAnErrorThatSaysWhatStandsThere) {
  const core::Bytes text = encode_key(std::string("alice"));
  EXPECT_EQ(decode_key<int>(text).error().code, Code::undecodable);
  EXPECT_NE(decode_key<int>(text).error().message.find("holds text where an integer"),
            std::string::npos);
  EXPECT_EQ(decode_key<std::int8_t>(encode_key(200)).error().code, Code::undecodable);
  EXPECT_EQ(decode_key<unsigned>(encode_key(-1)).error().code, Code::undecodable);
  EXPECT_EQ(decode_key<int>(encode_key(std::pair(1, 2))).error().code, Code::undecodable);
  using Pair = std::pair<int, int>;
  EXPECT_EQ(decode_key<Pair>(encode_key(1)).error().code, Code::undecodable);
  EXPECT_EQ(decode_key<bool>(encode_key(1)).error().code, Code::undecodable);
  EXPECT_EQ(decode_key<RunId>(encode_key(true)).error().code, Code::undecodable);
}

TEST(RowKeyTest, WhatNoWriterWritesIsNoKey) {
  const auto bytes = [](std::initializer_list<int> from) {
    core::Bytes all;
    for (const int byte : from) all.push_back(std::byte{static_cast<unsigned char>(byte)});
    return all;
  };
  EXPECT_FALSE(parse_row_key({}));
  EXPECT_FALSE(parse_row_key(bytes({0x40})));
  EXPECT_FALSE(parse_row_key(bytes({0x12, 0x01}))) << "an integer of two bytes, one of them there";
  EXPECT_FALSE(parse_row_key(bytes({0x12, 0x00, 0x05}))) << "5 in two bytes";
  EXPECT_TRUE(parse_row_key(bytes({0x11, 0x05})));
  EXPECT_FALSE(parse_row_key(bytes({0x08, 0, 0, 0, 0, 0, 0, 0, 0}))) << "below -2^63";
  EXPECT_FALSE(parse_row_key(bytes({0x28, 'a'}))) << "text without an end";
  EXPECT_FALSE(parse_row_key(bytes({0x28, 'a', 0x00, 0xFF}))) << "text that ends in an escape";
  EXPECT_FALSE(parse_row_key(bytes({0x30, 1, 2})));
  EXPECT_TRUE(parse_row_key(bytes({0x28, 'a', 0x00, 0x20})));
}

/// The example of docs/journal_format.md.
TEST(RowKeyTest, BytesAreThoseOfThePage) {
  const Key key = user_row("notes", encode_key(std::pair(std::string("alice"), -300)));
  EXPECT_EQ(core::to_hex(key.view()), "6e6f7465730028616c696365000efed3");
}

TEST(RowKeyTest, IsShownAsJson) {
  EXPECT_EQ(row_key_json(encode_key(std::string("a\"b"))), R"("a\"b")");
  EXPECT_EQ(row_key_json(encode_key(std::tuple(std::string("x"), -5, true))), R"(["x",-5,true])");
  EXPECT_EQ(row_key_json(encode_key(std::numeric_limits<std::uint64_t>::max())),
            "18446744073709551615");
}

TEST(RowKeyTest, LongKeysAreCopiedMovedAndCompared) {
  const auto key_of = [](char last) {
    return user_row("t", encode_key(std::string(300, 'k') + last));
  };
  const Key a = key_of('a');
  Key b = key_of('b');
  EXPECT_LT(a, b);
  const Key copy = b;
  const Key moved = std::move(b);
  EXPECT_EQ(copy, moved);
  b = a;
  EXPECT_EQ(b, a);
  b = Key{}.add(std::uint32_t{7});
  EXPECT_EQ(b, Key{}.add(std::uint32_t{7}));
  Key next = a;
  EXPECT_LT(a, next.add_zero_byte());
  EXPECT_LT(next, copy);
}

TEST(RowKeyTest, TablesAreKeptApart) {
  const core::Bytes key = encode_key(1);
  // A name that another one begins with, and whose rows would stand among the other's.
  EXPECT_LT(user_row("a", encode_key(std::string(400, '\xFF'))), first_user_row("ab"));
  EXPECT_LE(behind_user_rows("a"), first_user_row("a!"));
  const Key whole = user_row("accounts", key);
  const auto row = split_user_row(whole.view());
  ASSERT_TRUE(row.has_value());
  EXPECT_EQ(row->table, "accounts");
  EXPECT_TRUE(std::ranges::equal(row->key, key));
  EXPECT_FALSE(split_user_row(Key{}.add(core::as_bytes("accounts")).view()));
  EXPECT_FALSE(split_user_row(user_row("", key).view()));
  EXPECT_FALSE(split_user_row(user_row("a\n", key).view()));
  EXPECT_FALSE(split_user_row(first_user_row("a").view()));
  EXPECT_FALSE(split_user_row(user_row(std::string(65, 'n'), key).view()));
}

TEST(RowKeyTest, NamesAndKeysHaveLimits) {
  EXPECT_EQ(check_table_name("").error().code, Code::misuse);
  EXPECT_EQ(check_table_name("a\tb").error().code, Code::misuse);
  EXPECT_EQ(check_table_name(std::string(65, 'n')).error().code, Code::too_large);
  EXPECT_TRUE(check_table_name(std::string(64, 'n')).has_value());
  EXPECT_TRUE(check_row_key("t", core::Bytes(440)).has_value());
  const Result<void> refused = check_row_key("accounts", core::Bytes(441));
  ASSERT_TRUE(refused.has_error());
  EXPECT_EQ(refused.error().code, Code::too_large);
  for (const char* part : {"'accounts'", "441", "440", "kRowKeyBytes"})
    EXPECT_NE(refused.error().message.find(part), std::string::npos) << part;
}

}  // namespace
}  // namespace perdure::journal
