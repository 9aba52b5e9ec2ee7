// Verify finds nothing in a sound journal and each kind of damage where it is.

#include "tests/journal/verify_fixture.hpp"

#include <array>

namespace perdure::journal {
namespace {

TEST_F(VerifyTest, ASoundJournalHasNoFindings) {
  const VerifyReport report = verify(memory_).value();
  EXPECT_TRUE(report.sound()) << report.findings.front().place << report.findings.front().what;
  EXPECT_EQ(report.runs, 7U);
  EXPECT_EQ(report.records, 18U);
  const std::array<std::uint64_t, kTableCount> rows{2, 5, 5, 7, 23, 3, 7, 1, 4, 2,
                                                    5, 2, 1, 1, 3,  1, 1, 3, 5, 10};
  EXPECT_EQ(report.rows, rows);
  EXPECT_GT(report.bytes, 1000U);
}

TEST_F(VerifyTest, FindsAChangedByteInAnyRow) {
  for (std::size_t t = 1; t <= kTableCount; ++t) {
    const auto table = static_cast<Table>(t);
    std::string value;
    Key key;
    {
      const auto snapshot = memory_.snapshot().value();
      const auto cursor = snapshot->scan(table, {}, {}).value();
      ASSERT_TRUE(cursor->next().value());
      key.add(cursor->key());
      value = core::as_text(cursor->value());
    }
    std::string changed = value;
    changed.back() = static_cast<char>(changed.back() ^ 1);
    ASSERT_TRUE(TestBatch{}.put(table, key, changed).commit(memory_));
    EXPECT_NE(found().find("its checksum does not match"), std::string::npos) << t;
    ASSERT_TRUE(TestBatch{}.put(table, key, value).commit(memory_));
    EXPECT_EQ(found(), "");
  }
}

TEST_F(VerifyTest, FindsKeysOfTheWrongLength) {
  for (std::size_t t = 1; t <= kTableCount; ++t) {
    const auto table = static_cast<Table>(t);
    const Key key = Key{}
                        .add(std::uint64_t{1})
                        .add(std::uint64_t{2})
                        .add(std::uint32_t{3})
                        .add(std::uint64_t{4})
                        .add(std::uint64_t{5});
    ASSERT_TRUE(TestBatch{}.put(table, key, "x").commit(memory_));
    // Users' rows have keys of any length (user_rows_test.cpp).
    if (table != Table::rows) {
      EXPECT_NE(found().find("its key has 36 bytes"), std::string::npos) << t;
    }
    ASSERT_TRUE(TestBatch{}.erase(table, key).commit(memory_));
  }
}

TEST_F(VerifyTest, FindsMissingMetaRows) {
  ASSERT_TRUE(TestBatch{}.erase(Table::meta, Key{}.add(kIdentityRow)).commit(memory_));
  expect_found("the journal's identity", "it is missing or damaged");
}

TEST_F(VerifyTest, FindsMissingCounters) {
  ASSERT_TRUE(TestBatch{}.erase(Table::meta, Key{}.add(kCountersRow)).commit(memory_));
  expect_found("the journal's counters", "they are missing or damaged");
}

TEST_F(VerifyTest, FindsAnUnknownMetaRow) {
  ASSERT_TRUE(damage().put(Table::meta, Key{}.add(std::uint32_t{9}), Counters{}).commit(memory_));
  expect_found("row 00000009 of table meta", "no version of the journal's format has such a row");
}

TEST_F(VerifyTest, FindsANumberAboveTheLast) {
  TestRows rows(next_ + 5);
  rows.put(Table::ready, Key{}.add(run_id(1)), ReadyRow{session_hash("cart", "s1")});
  ASSERT_TRUE(rows.commit(memory_));
  const std::string number = std::to_string(next_ + 4);
  expect_found(
      "the row of run " + run_text(1) + " of table ready",
      "its number " + number + " is above the journal's last number " + std::to_string(next_ - 1));
}

TEST_F(VerifyTest, FindsASessionThatTheSearchMisses) {
  const SessionId elsewhere = session_hash("no", "where");
  ASSERT_TRUE(damage()
                  .put(Table::sessions, Key{}.add(elsewhere), SessionRow{"cart", "lost", 1})
                  .commit(memory_));
  EXPECT_NE(found().find("the search for its address 'cart/lost' does not find it"),
            std::string::npos);
}

TEST_F(VerifyTest, FindsWhatAMissingSessionLeaves) {
  ASSERT_TRUE(
      TestBatch{}.erase(Table::sessions, Key{}.add(session_hash("cart", "s1"))).commit(memory_));
  expect_found("the row of run " + run_text(1) + " of table runs",
               "its session is missing or damaged");
}

TEST_F(VerifyTest, FindsASessionOfAnotherAddress) {
  ASSERT_TRUE(damage()
                  .put(Table::runs, Key{}.add(run_id(3)),
                       RunRow{session_hash("cart", "s2"), "cart", 2, "add", "s3", 100})
                  .commit(memory_));
  EXPECT_NE(found().find("its session has another address"), std::string::npos);
  EXPECT_NE(found().find("it names another session than its run does"), std::string::npos);
  EXPECT_NE(found().find("of table keys: its run " + run_text(3) + " belongs to another session"),
            std::string::npos);
}

TEST_F(VerifyTest, FindsAMessageKeyAtAnotherHash) {
  const SessionId session = session_hash("cart", "s1");
  ASSERT_TRUE(
      damage()
          .put(Table::keys, message_key_row(session, "one"), MessageKeyRow{"another", run_id(1)})
          .commit(memory_));
  EXPECT_NE(found().find("it does not stand at the hash of its message key"), std::string::npos);
}

TEST_F(VerifyTest, FindsAMissingRun) {
  ASSERT_TRUE(TestBatch{}.erase(Table::runs, Key{}.add(run_id(1))).commit(memory_));
  const std::string all = found();
  EXPECT_NE(all.find("of table keys: its run " + run_text(1) + " is missing or damaged"),
            std::string::npos);
  EXPECT_NE(all.find("record 0 of run " + run_text(1) + ": there is no row of its run"),
            std::string::npos);
  EXPECT_NE(all.find("of table ready: its run is missing"), std::string::npos);
}

TEST_F(VerifyTest, FindsMissingRecordsWhereverTheyAre) {
  ASSERT_TRUE(TestBatch{}.erase(Table::records, record_key(1, 2)).commit(memory_));
  expect_found("record 3 of run " + run_text(1), "record 2 before it is missing");
  ASSERT_TRUE(TestBatch{}.erase(Table::records, record_key(1, 1)).commit(memory_));
  expect_found("record 3 of run " + run_text(1), "records 1 to 2 before it are missing");
  ASSERT_TRUE(TestBatch{}.erase(Table::records, record_key(1, 3)).commit(memory_));
  expect_found("the head row of run " + run_text(1),
               "it counts 4 records, and the last one is number 0");
  ASSERT_TRUE(TestBatch{}.erase(Table::records, record_key(1, 0)).commit(memory_));
  expect_found("the head row of run " + run_text(1),
               "it counts 4 records, and the last one is missing");
}

TEST_F(VerifyTest, FindsAMissingHead) {
  ASSERT_TRUE(TestBatch{}.erase(Table::records, record_key(2, kHeadIndex)).commit(memory_));
  const std::string all = found();
  EXPECT_NE(all.find("the head row of run " + run_text(2) + ": it is missing"), std::string::npos);
  EXPECT_NE(all.find("of table runs: its head row is missing or damaged"), std::string::npos);
}

TEST_F(VerifyTest, FindsARunWithoutAnyRecords) {
  for (std::uint32_t i = 0; i < 4; ++i)
    ASSERT_TRUE(TestBatch{}.erase(Table::records, record_key(1, i)).commit(memory_));
  ASSERT_TRUE(TestBatch{}.erase(Table::records, record_key(1, kHeadIndex)).commit(memory_));
  EXPECT_NE(found().find("its head row is missing or damaged"), std::string::npos);
}

TEST_F(VerifyTest, FindsNumbersAndStampsThatGoBack) {
  StepResult result;
  result.path = kPath;
  result.stamp = 50;
  TestRows rows(1);
  rows.append(run_id(1), 2, result);
  ASSERT_TRUE(rows.commit(memory_));
  const std::string all = found();
  EXPECT_NE(all.find("its number 1 does not follow the number before it, 2"), std::string::npos);
  EXPECT_NE(all.find("its stamp is before that of the record before it"), std::string::npos);
}

TEST_F(VerifyTest, FindsACreationThatDisagreesOrComesLater) {
  RunCreated created{"cart", 3, "add", "s1", "start", "Order", {}, 5, 100};
  ASSERT_TRUE(TestRows(1).append(run_id(1), 0, created).commit(memory_));
  expect_found("record 0 of run " + run_text(1), "it does not agree with the row of its run");
  created.agent_version = 2;
  ASSERT_TRUE(TestRows(1).append(run_id(1), 0, created).commit(memory_));
  EXPECT_EQ(found(), "");
  created.stamp = 103;
  ASSERT_TRUE(TestRows(4).append(run_id(1), 3, created).commit(memory_));
  EXPECT_NE(found().find("a run is created by its first record only"), std::string::npos);
  StepResult result;
  result.path = kPath;
  ASSERT_TRUE(TestRows(1).append(run_id(1), 0, result).commit(memory_));
  EXPECT_NE(found().find("a run's first record is its creation, this is a step_result"),
            std::string::npos);
}

TEST_F(VerifyTest, FindsARowAmongRecords) {
  ASSERT_TRUE(TestRows(4).append(run_id(1), 3, HeadRow{}).commit(memory_));
  EXPECT_NE(found().find("it is a head, which is no record"), std::string::npos);
}

TEST_F(VerifyTest, FindsStatusesThatContradictTheRecords) {
  const auto set = [&](std::uint64_t run, std::uint32_t count, RunStatus status, Stamp stamp) {
    ASSERT_TRUE(TestRows(next_)
                    .put(Table::records, record_key(run, kHeadIndex),
                         HeadRow{count, status, stamp, Code::user, ""})
                    .commit(memory_));
  };
  set(1, 4, RunStatus::completed, 200);
  EXPECT_NE(found().find("it says that the run is completed, but its records do not end it"),
            std::string::npos);
  EXPECT_NE(found().find("of table ready: its run is completed"), std::string::npos);
  EXPECT_NE(found().find("a due time of run " + run_text(1) + ": its run has ended: completed"),
            std::string::npos);
  set(1, 4, RunStatus::waiting, 200);
  expect_found("the row of run " + run_text(1) + " of table ready", "its run is waiting");
  set(1, 4, RunStatus::running, 10);
  expect_found("the head row of run " + run_text(1),
               "its stamp is before that of the run's last record");
  set(1, 4, RunStatus::running, 200);
  set(2, 4, RunStatus::running, 200);
  EXPECT_NE(found().find("it says that the run is running, but its last record is its end"),
            std::string::npos);
  set(2, 4, RunStatus::failed, 200);
  EXPECT_NE(found().find("it says that the run is failed, but the run ended with a reply"),
            std::string::npos);
}

TEST_F(VerifyTest, FindsAHeadThatIsAheadOfAllItsRecords) {
  ASSERT_TRUE(TestRows(next_)
                  .put(Table::records, record_key(1, kHeadIndex),
                       HeadRow{4, RunStatus::running, 200, Code::user, "", 5})
                  .commit(memory_));
  expect_found("the head row of run " + run_text(1),
               "it counts more records that the handler has not gone on from than there are");
}

TEST_F(VerifyTest, FindsRecordsBehindTheEnd) {
  ASSERT_TRUE(TestRows(next_ - 3)
                  .append(run_id(2), 4, StepStarted{kPath, "s", {}, 1, 999})
                  .commit(memory_));
  EXPECT_NE(found().find("it stands behind the run's end"), std::string::npos);
}

TEST_F(VerifyTest, FindsARunThatRecoveryWouldMiss) {
  ASSERT_TRUE(TestBatch{}.erase(Table::ready, Key{}.add(run_id(3))).commit(memory_));
  expect_found("the row of run " + run_text(3) + " of table runs",
               "it is parked, but not in table ready: recovery would miss it");
}

TEST_F(VerifyTest, FindsStrayReadyDueAndAttempts) {
  TestRows rows = damage();
  rows.put(Table::ready, Key{}.add(run_id(8)), ReadyRow{});
  rows.put(Table::due, due_key(71, 8), DueRow{DueRow::What::retry, kPath});
  rows.put(Table::due, due_key(72, 1), DueRow{});
  rows.put(Table::attempts, Key{}.add(run_id(8)).add(StepPath().hash()), AttemptsRow{});
  rows.put(Table::attempts, Key{}.add(run_id(1)).add(std::uint64_t{1}), AttemptsRow{});
  ASSERT_TRUE(rows.commit(memory_));
  const std::string due = "a due time of run ";
  const std::string attempts = "the attempts of a step of run ";
  EXPECT_EQ(found(), "the row of run " + run_text(8) +
                         " of table ready: its run is missing or damaged\n" + due + run_text(8) +
                         ": its run is missing or damaged\n" + due + run_text(1) +
                         ": it does not stand at the hash of its step path\n" + attempts +
                         run_text(1) + ": it does not stand at the hash of its step path\n" +
                         attempts + run_text(8) + ": its run is missing or damaged\n");
}

TEST_F(VerifyTest, FindsPayloadsThatAreNotEncoded) {
  StepResult result;
  result.path = kPath;
  result.stamp = 103;
  result.payload = core::as_bytes("no flexbuffer");
  ASSERT_TRUE(TestRows(4).append(run_id(1), 3, result).commit(memory_));
  expect_found("record 3 of run " + run_text(1), "its payload is not encoded as values are");
  result.payload = core::as_bytes(std::string_view("\x05\x04\x01", 3));
  result.error = ErrorView{};
  result.path = {};
  ASSERT_TRUE(TestRows(4).append(run_id(1), 3, result).commit(memory_));
  EXPECT_EQ(found(), "record 3 of run " + run_text(1) + ": it holds an error and a payload\n" +
                         "record 3 of run " + run_text(1) + ": its step has no path\n");
}

TEST_F(VerifyTest, SaysWhenSomethingIsNewer) {
  StepResult result;
  result.path = kPath;
  result.stamp = 103;
  result.step_kind = static_cast<StepKind>(99);
  ASSERT_TRUE(TestRows(4).append(run_id(1), 3, result).commit(memory_));
  const VerifyReport report = verify(memory_).value();
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_EQ(report.findings[0].remedy, "verify it with the Perdure that wrote it");
  EXPECT_EQ(report.findings[0].table, Table::records);
  EXPECT_EQ(report.findings[0].key, core::to_hex(record_key(1, 3).view()));
}

TEST_F(VerifyTest, KeepsOnlySoManyFindings) {
  TestBatch batch;
  for (std::uint64_t i = 0; i < 50; ++i)
    batch.put(Table::ready, Key{}.add(run_id(1000 + i)), "damaged");
  ASSERT_TRUE(batch.commit(memory_));
  const VerifyReport report = verify(memory_, {.findings_max = 7}).value();
  EXPECT_EQ(report.findings.size(), 7U);
  EXPECT_EQ(report.findings_count, 50U);
  EXPECT_FALSE(report.sound());
}

TEST_F(VerifyTest, FindsBudgetsThatAreNobodys) {
  const std::string place = "the budget of run " + run_text(1);
  ASSERT_TRUE(
      damage().put(Table::budgets, budget_row(run_id(1)), BudgetRow{{}, 0, 100}).commit(memory_));
  expect_found(place, "it limits nothing");
  ASSERT_TRUE(damage()
                  .put(Table::budgets, budget_row(run_id(1)), BudgetRow{{.tokens = 9}, 0, 99})
                  .commit(memory_));
  expect_found(place, "it does not say when its run was created");
  ASSERT_TRUE(TestBatch{}.erase(Table::budgets, budget_row(run_id(1))).commit(memory_));
  const std::string missing = "the budget that it speaks of is missing";
  EXPECT_EQ(found(), "what run " + run_text(4) + " used of the budget of run " + run_text(1) +
                         ": " + missing + "\n");
}

TEST_F(VerifyTest, FindsWhatNoRunUsed) {
  ASSERT_TRUE(
      damage()
          .put(Table::usage, usage_row(run_id(1), run_id(77)), UsageRow{{.tokens = 1}, {}, {}})
          .commit(memory_));
  expect_found("what run " + run_text(77) + " used of the budget of run " + run_text(1),
               "its run is missing or damaged");
}

}  // namespace
}  // namespace perdure::journal
