// Reading users' tables, and rows that are damaged.
#include "journal/user_rows.hpp"

#include <perdure/codec.hpp>

#include "journal/batch.hpp"
#include "journal/memory_store.hpp"
#include "journal/meta_row.hpp"
#include "journal/row_key.hpp"
#include "journal/session_rows.hpp"
#include "journal/verify.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace perdure::journal {
namespace {

using Lines = std::vector<std::string>;

core::Bytes key_of(std::string_view text) { return detail::encode_key(std::string(text)); }

class UserRowsTest : public ::testing::Test {
 protected:
  void put(std::string_view table, std::string_view key, std::string_view payload) {
    Change change;
    change.put(Table::rows, user_row(table, key_of(key)), UserRow{"text", core::as_bytes(payload)});
    commit(std::move(change));
  }
  void commit(Change change) {
    std::vector<NumberedChange> numbered(1);
    numbered[0].last = ++number_;
    numbered[0].change = std::move(change);
    Batch batch;
    store_.commit(batch.build(numbered), Durability::full).value();
  }
  /// As it stands in the store, whatever it is.
  void put_raw(const Key& key, core::ByteView value) {
    const Mutation mutation{Table::rows, Mutation::Kind::put, key, value};
    store_.commit(std::span(&mutation, 1), Durability::full).value();
  }
  Lines scan(std::string_view table, const UserRowRange& range = {}) {
    Lines lines;
    UserRows rows = UserRows::open(store_).value();
    rows.scan(table, range,
              [&](const UserRows::Row& row) -> Result<bool> {
                lines.push_back(row_key_text(row.key) + "=" +
                                std::string(core::as_text(row.payload.inlined())));
                return true;
              })
        .value();
    return lines;
  }
  static std::string row_key_text(core::ByteView key) {
    return detail::decode_key<std::string>(key).value();
  }
  Lines findings() {
    Lines lines;
    const VerifyReport report = verify(store_).value();
    for (const Finding& finding : report.findings)
      if (finding.table == Table::rows) lines.push_back(finding.place + ": " + finding.what);
    return lines;
  }

  MemoryStore store_;
  RecordNumber number_ = 0;
};

TEST_F(UserRowsTest, ATableHasItsOwnRowsInOrder) {
  put("b", "1", "x");
  put("ab", "k", "y");
  put("a", "2", "two");
  put("a", "10", "ten");
  put("a", "1", "one");
  EXPECT_EQ(scan("a"), (Lines{"1=one", "10=ten", "2=two"}));
  EXPECT_EQ(scan("ab"), Lines{"k=y"});
  EXPECT_EQ(scan("c"), Lines{});
  const core::Bytes from = key_of("10");
  const core::Bytes to = key_of("2");
  EXPECT_EQ(scan("a", {from, to}), Lines{"10=ten"});
  EXPECT_EQ(scan("a", {from, std::nullopt}), (Lines{"10=ten", "2=two"}));
  Lines tables;
  UserRows rows = UserRows::open(store_).value();
  rows.each_table([&](std::string_view table) {
        tables.emplace_back(table);
        return true;
      })
      .value();
  EXPECT_EQ(tables, (Lines{"a", "ab", "b"}));
}

TEST_F(UserRowsTest, KnowsUpToWhichChangeItIs) {
  put("a", "1", "x");
  EXPECT_EQ(UserRows::open(store_, 7).value().number(), 7U);
  Counters counters;
  counters.last_number = 9;
  core::Bytes row;
  encode_row(counters, meta_key(kCountersRow), 9, row);
  const Mutation mutation{Table::meta, Mutation::Kind::put, meta_key(kCountersRow), row};
  store_.commit(std::span(&mutation, 1), Durability::full).value();
  EXPECT_EQ(UserRows::open(store_, 7).value().number(), 9U);
  EXPECT_EQ(UserRows::open(store_, 11).value().number(), 11U);
}

TEST_F(UserRowsTest, ADamagedRowIsNamed) {
  const core::Bytes five = perdure::encode(5).value();
  put("accounts", "alice", core::as_text(five));
  EXPECT_EQ(findings(), Lines{});
  const Key key = user_row("accounts", key_of("alice"));
  core::Bytes value;
  {
    const auto snapshot = store_.snapshot().value();
    const core::ByteView stored = *snapshot->get(Table::rows, key).value();
    value.assign(stored.begin(), stored.end());
  }
  value.back() ^= std::byte{1};
  put_raw(key, value);
  const Result<std::optional<core::Bytes>> read =
      UserRows::open(store_).value().get("accounts", key_of("alice"));
  ASSERT_TRUE(read.has_error());
  EXPECT_EQ(read.error().code, Code::corrupt);
  EXPECT_NE(read.error().message.find("row \"alice\" of the user's table 'accounts'"),
            std::string::npos)
      << read.error().message;
  ASSERT_EQ(findings().size(), 1U);
  EXPECT_NE(findings()[0].find("row \"alice\" of the user's table 'accounts': its checksum"),
            std::string::npos)
      << findings()[0];
}

TEST_F(UserRowsTest, VerifyFindsRowsThatNoTableHas) {
  const auto finding_at = [&](const Key& key) {
    Change change;
    change.put(Table::rows, key, UserRow{"text", core::as_bytes("")});
    commit(std::move(change));
    const Lines found = findings();
    Change away;
    away.erase(Table::rows, key);
    commit(std::move(away));
    return found.size() == 1 && found[0].find(kNoUserRowKey) != std::string::npos;
  };
  EXPECT_TRUE(finding_at(Key{}.add(core::as_bytes("no zero byte"))));
  EXPECT_TRUE(finding_at(user_row("t", core::as_bytes("no encoded key"))));
  EXPECT_TRUE(finding_at(user_row("", key_of("1"))));
  EXPECT_FALSE(finding_at(user_row("t", key_of("1"))));
}

TEST_F(UserRowsTest, VerifyLooksIntoTheValues) {
  put("t", "1", "\xFF is no FlexBuffer");
  ASSERT_EQ(findings().size(), 1U);
  Change change;
  change.put(Table::rows, user_row("t", key_of("1")), ReadyRow{});
  commit(std::move(change));
  ASSERT_EQ(findings().size(), 1U);
  EXPECT_NE(findings()[0].find("it is a ready where a user_row belongs"), std::string::npos)
      << findings()[0];
}

}  // namespace
}  // namespace perdure::journal
