// Typed reads over both stores: sessions, messages, runs, records, and what a missing or damaged
// row is.

#include "journal/reader.hpp"
#include "journal/change.hpp"
#include "journal/lmdb_store.hpp"
#include "journal/memory_store.hpp"
#include "journal/step_path.hpp"
#include "tests/journal/journal_fixture.hpp"

#include <gtest/gtest.h>

#include <array>

namespace perdure::journal {
namespace {

class ReaderTest : public testing::TestWithParam<std::string_view> {
 protected:
  void SetUp() override {
    if (GetParam() == "memory") {
      store_ = std::make_unique<MemoryStore>();
      return;
    }
    ASSERT_TRUE(LmdbStore::create(directory_.path()));
    store_ = LmdbStore::open(directory_.path(), LmdbAccess::write).value();
  }
  Store& store() { return *store_; }

 private:
  TemporaryDirectory directory_;
  std::unique_ptr<Store> store_;
};

INSTANTIATE_TEST_SUITE_P(Stores, ReaderTest, testing::Values("memory", "lmdb"),
                         [](const auto& which) { return std::string(which.param); });

TEST_P(ReaderTest, AnEmptyJournalHasNothing) {
  Reader reader = Reader::open(store()).value();
  EXPECT_FALSE(reader.identity().value());
  EXPECT_FALSE(reader.counters().value());
  EXPECT_FALSE(reader.run(run_id(1)).value());
  EXPECT_FALSE(reader.head(run_id(1)).value());
  EXPECT_EQ(reader.records(run_id(1)).error().code, Code::not_found);
  EXPECT_TRUE(reader.attempts(run_id(1)).value().empty());
  int seen = 0;
  ASSERT_TRUE(reader.each_run([&](const RunInfo&) { return ++seen != 0; }));
  ASSERT_TRUE(reader.each_ready([&](const ReadyRun&) { return ++seen != 0; }));
  ASSERT_TRUE(reader.each_due([&](const Due&) { return ++seen != 0; }));
  EXPECT_EQ(seen, 0);
}

TEST_P(ReaderTest, FindsSessionsAndTheNextFreeId) {
  Reader reader = Reader::open(store()).value();
  SessionId free;
  EXPECT_FALSE(reader.find_session("cart", "alice", &free).value());
  EXPECT_EQ(free, session_hash("cart", "alice"));
  // Another address stands where this one's hash leads, and one behind it.
  SessionId next = free;
  next.bytes[15] =
      std::byte{static_cast<unsigned char>(std::to_integer<unsigned>(next.bytes[15]) + 1)};
  TestRows rows;
  rows.put(Table::sessions, Key{}.add(free), SessionRow{"cart", "somebody else", 1});
  rows.put(Table::sessions, Key{}.add(next), SessionRow{"cart", "alice", 1});
  ASSERT_TRUE(rows.commit(store()));
  reader = Reader::open(store()).value();
  EXPECT_EQ(reader.find_session("cart", "alice").value(), next);
  EXPECT_NE(session_hash("cart", "alice"), session_hash("cart", "bob"));
  EXPECT_NE(session_hash("cart", "alice"), session_hash("car", "talice"));
}

TEST_P(ReaderTest, FindsTheRunOfAMessage) {
  const SessionId session = session_hash("cart", "alice");
  TestRows rows;
  rows.put(Table::keys, message_key_row(session, "start"), MessageKeyRow{"start", run_id(3)});
  // As if "other" had the hash of "clash".
  rows.put(Table::keys, message_key_row(session, "clash"), MessageKeyRow{"other", run_id(4)});
  ASSERT_TRUE(rows.commit(store()));
  Reader reader = Reader::open(store()).value();
  EXPECT_EQ(reader.find_message(session, "start").value(), run_id(3));
  EXPECT_FALSE(reader.find_message(session, "stop").value());
  EXPECT_FALSE(reader.find_message(session_hash("cart", "bob"), "start").value());
  EXPECT_EQ(reader.find_message(session, "clash").error().code, Code::misuse);
}

TEST_P(ReaderTest, ReadsARunWithItsHead) {
  TestRows rows;
  rows.run(7, 3, RunStatus::parked);
  ASSERT_TRUE(rows.commit(store()));
  Reader reader = Reader::open(store()).value();
  const RunInfo info = reader.run(run_id(7)).value().value();
  EXPECT_EQ(info.id, run_id(7));
  EXPECT_EQ(info.session, session_hash("cart", "s7"));
  EXPECT_EQ(info.agent, "cart");
  EXPECT_EQ(info.agent_version, 2U);
  EXPECT_EQ(info.handler, "add");
  EXPECT_EQ(info.session_key, "s7");
  EXPECT_EQ(info.head.count, 3U);
  EXPECT_EQ(info.head.status, RunStatus::parked);
  EXPECT_EQ(info.head.reason, "because");
}

TEST_P(ReaderTest, StreamsRecordsInOrder) {
  TestRows rows;
  rows.run(1, 3, RunStatus::running).run(2, 300, RunStatus::running).run(3, 3, RunStatus::running);
  ASSERT_TRUE(rows.commit(store()));
  Reader reader = Reader::open(store()).value();
  for (const std::uint32_t from : {0U, 1U, 256U, 299U, 300U}) {
    RecordStream stream = reader.records(run_id(2), from).value();
    std::uint32_t expected = from;
    while (const RecordBuffer* record = stream.next().value()) {
      EXPECT_EQ(stream.index(), expected);
      if (expected != 0) {
        EXPECT_EQ(record->as<StepResult>().value().name, "step " + std::to_string(expected));
        // The Reader may be used meanwhile.
        EXPECT_TRUE(reader.head(run_id(1)).value());
      }
      ++expected;
    }
    EXPECT_EQ(expected, 300U);
    EXPECT_EQ(stream.next().value(), nullptr);
  }
}

TEST_P(ReaderTest, AMissingRecordIsNamed) {
  TestRows rows;
  rows.run(5, 6, RunStatus::running);
  ASSERT_TRUE(rows.commit(store()));
  for (const std::uint32_t index : {5U, 2U, 0U}) {
    ASSERT_TRUE(TestBatch{}.erase(Table::records, Key{}.add(run_id(5)).add(index)).commit(store()));
    Reader reader = Reader::open(store()).value();
    RecordStream stream = reader.records(run_id(5)).value();
    for (std::uint32_t i = 0; i < index; ++i) ASSERT_NE(stream.next().value(), nullptr);
    const Result<const RecordBuffer*> next = stream.next();
    ASSERT_FALSE(next);
    EXPECT_EQ(next.error().code, Code::corrupt);
    EXPECT_TRUE(next.error().message.starts_with("record " + std::to_string(index) + " of run " +
                                                 perdure::to_string(run_id(5)) +
                                                 ": it is missing; the run's head row counts 6"))
        << next.error().message;
  }
}

TEST_P(ReaderTest, ADamagedRowIsNamed) {
  TestRows rows;
  rows.run(5, 2, RunStatus::running);
  ASSERT_TRUE(rows.commit(store()));
  ASSERT_TRUE(
      TestBatch{}
          .put(Table::records, Key{}.add(run_id(5)).add(std::uint32_t{1}), std::string(64, 'x'))
          .put(Table::runs, Key{}.add(run_id(6)), "short")
          .put(Table::ready, Key{}.add(std::uint32_t{1}), "")
          .commit(store()));
  Reader reader = Reader::open(store()).value();
  RecordStream stream = reader.records(run_id(5)).value();
  ASSERT_TRUE(stream.next());
  const Result<const RecordBuffer*> record = stream.next();
  EXPECT_EQ(record.error().code, Code::corrupt);
  EXPECT_TRUE(record.error().message.starts_with("record 1 of run ")) << record.error().message;
  const auto run = reader.run(run_id(6));
  EXPECT_EQ(run.error().code, Code::corrupt);
  EXPECT_TRUE(run.error().message.starts_with("the row of run ")) << run.error().message;
  const auto ready = reader.each_ready([](const ReadyRun&) { return true; });
  EXPECT_EQ(ready.error().message.substr(0, 68),
            "row 00000001 of table ready: its key has 4 bytes, not 16. Run 'perdu");
}

TEST_P(ReaderTest, ARunWithoutHeadIsCorrupt) {
  TestRows rows;
  rows.run(5, 2, RunStatus::running);
  ASSERT_TRUE(rows.commit(store()));
  ASSERT_TRUE(
      TestBatch{}.erase(Table::records, Key{}.add(run_id(5)).add(kHeadIndex)).commit(store()));
  Reader reader = Reader::open(store()).value();
  EXPECT_EQ(reader.run(run_id(5)).error().code, Code::corrupt);
}

TEST_P(ReaderTest, ListsRunsReadyDueAndAttempts) {
  TestRows rows;
  const std::array<std::uint32_t, 2> path{3, 1};
  const std::uint64_t hash = StepPath(path).hash();
  for (std::uint64_t i = 1; i <= 5; ++i) rows.run(i, 1, RunStatus::running);
  rows.put(Table::ready, Key{}.add(run_id(2)), ReadyRow{session_hash("cart", "s2")});
  rows.put(Table::due, Key{}.add(std::uint64_t{70'000}).add(run_id(1)).add(hash),
           DueRow{DueRow::What::retry, path});
  rows.put(Table::due, Key{}.add(std::uint64_t{300}).add(run_id(4)).add(hash), DueRow{});
  const ErrorView first{Code::timeout, "slow", {}, 250, {}};
  rows.put(Table::attempts, Key{}.add(run_id(1)).add(hash),
           AttemptsRow{path, "charge", 2, 1, first, {}, 8, 9});
  ASSERT_TRUE(rows.commit(store()));

  Reader reader = Reader::open(store()).value();
  std::vector<RunId> runs;
  ASSERT_TRUE(reader.each_run([&](const RunInfo& info) {
    runs.push_back(info.id);
    return runs.size() < 4;
  }));
  EXPECT_EQ(runs, (std::vector{run_id(1), run_id(2), run_id(3), run_id(4)}));
  int ready = 0;
  ASSERT_TRUE(reader.each_ready([&](const ReadyRun& run) {
    EXPECT_EQ(run.run, run_id(2));
    EXPECT_EQ(run.session, session_hash("cart", "s2"));
    return ++ready != 0;
  }));
  EXPECT_EQ(ready, 1);
  std::vector<Due> due;
  ASSERT_TRUE(reader.each_due([&](const Due& one) {
    due.push_back(one);
    return true;
  }));
  ASSERT_EQ(due.size(), 2U);
  EXPECT_EQ(due[0].at, 300);
  EXPECT_EQ(due[0].run, run_id(4));
  EXPECT_EQ(due[1].at, 70'000);
  EXPECT_EQ(due[1].path, (std::vector<std::uint32_t>{3, 1}));
  const std::vector<Attempts> attempts = reader.attempts(run_id(1)).value();
  ASSERT_EQ(attempts.size(), 1U);
  EXPECT_EQ(attempts[0].name, "charge");
  EXPECT_EQ(attempts[0].count, 2U);
  EXPECT_EQ(attempts[0].unclean_ends, 1U);
  EXPECT_EQ(attempts[0].first_error->retry_after, std::chrono::milliseconds(250));
  EXPECT_FALSE(attempts[0].last_error);
  EXPECT_TRUE(reader.attempts(run_id(2)).value().empty());
}

TEST_P(ReaderTest, SeesOneMoment) {
  TestRows rows;
  rows.run(1, 2, RunStatus::running);
  ASSERT_TRUE(rows.commit(store()));
  Reader reader = Reader::open(store()).value();
  TestRows more;
  more.run(1, 4, RunStatus::completed);
  ASSERT_TRUE(more.commit(store()));
  EXPECT_EQ(reader.head(run_id(1)).value()->count, 2U);
  reader = Reader::open(store()).value();
  EXPECT_EQ(reader.head(run_id(1)).value()->count, 4U);
}

}  // namespace
}  // namespace perdure::journal
