// Verify finds each kind of damage in the tables of sessions, where it is.

#include "tests/journal/verify_fixture.hpp"

namespace perdure::journal {
namespace {

class VerifySessionsTest : public VerifyTest {
 protected:
  using What = ArrivalRow::What;

  void SetUp() override {
    VerifyTest::SetUp();
    ASSERT_EQ(found(), "");
  }
  Key kept_key(RecordNumber number) const { return Key{}.add(session_id()).add(number); }
  std::string kept_place(RecordNumber number) const { return place(Table::kept, number); }
  static std::string place(Table table, RecordNumber number) {
    return "row " + core::to_hex(Key{}.add(session_id()).add(number).view()) + " of table " +
           std::string(to_string(table));
  }
  static std::string row_of(std::uint64_t run) {
    return "the row of run " + run_text(run) + " of table runs";
  }
  static std::string due_of(std::uint64_t run) { return "a due time of run " + run_text(run); }
  static std::string wait_of(std::uint64_t run) {
    return "what a step of run " + run_text(run) + " waits for";
  }
  static std::string child_of(std::uint64_t run) { return "a child of run " + run_text(run); }
  /// The row of `kept` at `number`, written over.
  void keep(RecordNumber number, const ArrivalRow& row) {
    TestRows rows(number);
    ASSERT_TRUE(rows.arrive(Table::kept, session_id(), row).commit(memory_));
  }
  template <class T>
  void put(Table table, const Key& key, const T& row) {
    ASSERT_TRUE(damage().put(table, key, row).commit(memory_));
  }
  void erase(Table table, const Key& key) {
    ASSERT_TRUE(TestBatch{}.erase(table, key).commit(memory_));
  }
};

TEST_F(VerifySessionsTest, FindsAnUnfinishedRunThatItsSessionDoesNotHave) {
  erase(Table::open, Key{}.add(session_hash("cart", "s1")));
  expect_found(row_of(1), "it is running, but its session does not have it as its open run");
}

TEST_F(VerifySessionsTest, FindsAnOpenRunThatIsNone) {
  const Key key = Key{}.add(session_hash("cart", "s2"));
  const std::string place = "row " + core::to_hex(key.view()) + " of table open";
  put(Table::open, key, OpenRow{run_id(2)});
  expect_found(place, "its run " + run_text(2) + " has ended: completed");
  put(Table::open, key, OpenRow{run_id(1)});
  expect_found(place, "its run " + run_text(1) + " belongs to another session");
  put(Table::open, key, OpenRow{run_id(77)});
  expect_found(place, "its run " + run_text(77) + " is missing or damaged");
  put(Table::open, key, OpenRow{run_id(5)});
  expect_found(place, "its run " + run_text(5) + " is missing or damaged");
}

TEST_F(VerifySessionsTest, FindsAWaitingRunThatWaitsForNothing) {
  erase(Table::children, wait_key(kFirstChild));
  erase(Table::waits, wait_key(kCallPath));
  EXPECT_EQ(found(), "");
  erase(Table::waits, wait_key(kPath));
  erase(Table::due, due_key(90, 4));
  expect_found(row_of(4), "it is waiting, but the journal does not say for what");
  const auto put_attempts = [&](Stamp next_due) {
    put(Table::attempts, wait_key(kPath), AttemptsRow{kPath, "step 3", 1, 0, {}, {}, 0, next_due});
  };
  put_attempts(0);
  expect_found(row_of(4), "it is waiting, but the journal does not say for what");
  put_attempts(60);
  EXPECT_EQ(found(), "");
}

TEST_F(VerifySessionsTest, KnowsThatARunMayWaitForAnUndoing) {
  erase(Table::children, wait_key(kFirstChild));
  erase(Table::waits, wait_key(kCallPath));
  erase(Table::due, due_key(90, 4));
  put(Table::waits, wait_key(kPath),
      WaitRow{StepKind::compensate, kPath, "undo trip", 100, 0, 0, {}, {}});
  EXPECT_EQ(found(), "");
}

TEST_F(VerifySessionsTest, KnowsThatARunMayWaitForAChild) {
  erase(Table::waits, wait_key(kPath));
  erase(Table::waits, wait_key(kCallPath));
  erase(Table::due, due_key(90, 4));
  EXPECT_EQ(found(), "");
  const auto put_child = [&](ParentEnd parent_end, std::uint8_t ended) {
    // Run 2 has ended, so that this row is sound of itself.
    ChildRow row = child(kFirstChild, 2, "s2");
    row.parent_end = parent_end;
    row.ended = ended;
    put(Table::children, wait_key(kFirstChild), row);
  };
  for (const ParentEnd parent_end : {ParentEnd::cancel, ParentEnd::abandon}) {
    put_child(parent_end, 0);
    expect_found(row_of(4), "it is waiting, but the journal does not say for what");
  }
  put_child(ParentEnd::wait, 1);
  expect_found(row_of(4), "it is waiting, but the journal does not say for what");
  put_child(ParentEnd::wait, 0);
  EXPECT_EQ(found(), "");
}

TEST_F(VerifySessionsTest, FindsAQueuedRunWithoutItsMessage) {
  put(Table::runs, Key{}.add(run_id(5)), queued());
  expect_found(row_of(5), "it is queued, but its session does not keep its message");
  ASSERT_TRUE(
      TestRows(later_ + 1).put(Table::runs, Key{}.add(run_id(5)), queued()).commit(memory_));
  expect_found(row_of(5), "it is queued, but its session does not keep its message");
}

TEST_F(VerifySessionsTest, FindsAQueuedRunThatHasRecords) {
  TestRows rows = damage();
  rows.append(run_id(5), 0, RunCreated{"cart", 2, "add", "s4", "", "int", kPayload, 5, 100});
  ASSERT_TRUE(rows.commit(memory_));
  EXPECT_NE(found().find("record 0 of run " + run_text(5) +
                         ": its run is queued, and has no records yet\n"),
            std::string::npos);
}

TEST_F(VerifySessionsTest, FindsDueTimesOfAWholeRunThatStandElsewhere) {
  const Key key = due_row(91, run_id(4), DueRow::What::grace);
  put(Table::due, key, DueRow{DueRow::What::deadline, {}, 0, 100});
  expect_found(due_of(4), "it does not stand where a deadline of a run stands");
}

TEST_F(VerifySessionsTest, FindsCirclesThatAreLookedForTooLate) {
  erase(Table::due, due_row(1, run_id(4), DueRow::What::circle));
  put(Table::due, due_row(2, run_id(4), DueRow::What::circle), DueRow{DueRow::What::circle});
  expect_found(due_of(4), "circles are looked for at the time 1");
  erase(Table::due, due_row(2, run_id(4), DueRow::What::circle));
  put(Table::due, due_row(1, run_id(2), DueRow::What::circle), DueRow{DueRow::What::circle});
  expect_found(due_of(2), "its run has ended: completed");
}

TEST_F(VerifySessionsTest, FindsDueTimesOfRunsThatAreOver) {
  put(Table::due, due_row(91, run_id(2), DueRow::What::grace), DueRow{DueRow::What::grace});
  expect_found(due_of(2), "its run has ended: completed");
  erase(Table::due, due_row(91, run_id(2), DueRow::What::grace));
  put(Table::due, due_row(91, run_id(77), DueRow::What::deadline), DueRow{DueRow::What::deadline});
  expect_found(due_of(77), "its run is missing or damaged");
}

TEST_F(VerifySessionsTest, FindsATimeForWhichNoStepWaits) {
  put(Table::due, due_key(89, 4), DueRow{DueRow::What::wait, kPath});
  expect_found(due_of(4), "no step waits for this time");
  erase(Table::due, due_key(89, 4));
  put(Table::due, due_key(70, 1), DueRow{DueRow::What::wait, kPath});
  expect_found(due_of(1), "no step waits for this time");
}

TEST_F(VerifySessionsTest, FindsTheTimeOfAStepThatStandsElsewhere) {
  // The wait that it speaks of is there, at the hash of the path in the row.
  const Key elsewhere = Key{}.add(std::uint64_t{90}).add(run_id(4)).add(std::uint64_t{1});
  put(Table::due, elsewhere, DueRow{DueRow::What::wait, kPath});
  expect_found(due_of(4), "it does not stand at the hash of its step path");
}

TEST_F(VerifySessionsTest, FindsTheTimeOfAMessageThatIsNotThere) {
  const DueRow::What what = DueRow::What::message;
  const Key key = due_row(80, run_id(6), what);
  put(Table::due, key, DueRow{what, {}, 0, 100, session_hash("cart", "s2")});
  expect_found(due_of(6), "it names another session than its run does");
  put(Table::due, key, DueRow{what, {}, 0, 100});
  expect_found(due_of(6), "it names another session than its run does");
  put(Table::due, key, DueRow{what, {}, 0, 100, session_id()});
  EXPECT_EQ(found(), "");
  put(Table::due, due_row(80, run_id(4), what), DueRow{what, {}, 0, 100, session_id()});
  expect_found(due_of(4), "its run is not queued");
  erase(Table::due, due_row(80, run_id(4), what));
  put(Table::due, due_row(80, run_id(77), what), DueRow{what, {}, 0, 100, session_id()});
  expect_found(due_of(77), "its run is missing or damaged");
}

TEST_F(VerifySessionsTest, FindsAnArrivalAtAnotherNumber) {
  const Key key = Key{}.add(session_id()).add(std::uint64_t{1});
  put(Table::inbox, key, message(8));
  expect_found(place(Table::inbox, 1), "it does not stand at its own number");
}

TEST_F(VerifySessionsTest, FindsAnArrivalThatDoesNotSayWhatItIsAbout) {
  const auto come = [&](const ArrivalRow& row) {
    TestRows rows(next_ - 1);
    ASSERT_TRUE(rows.arrive(Table::inbox, session_hash("cart", "nobody yet"), row).commit(memory_));
  };
  const std::string place =
      "row " + core::to_hex(Key{}.add(session_hash("cart", "nobody yet")).add(next_ - 1).view()) +
      " of table inbox";
  for (const What what :
       {What::message, What::cancel, What::kill, What::retry_now, What::saga_told}) {
    ArrivalRow row = arrival(what);
    row.session_key = "nobody yet";
    come(row);
    expect_found(place, "it names no run");
  }
  ArrivalRow reply = arrival(What::reply);
  reply.session_key = "nobody yet";
  reply.run = run_id(4);
  reply.path = kCallPath;
  come(reply);
  expect_found(place, "it does not say what it answers");
  reply.other = run_id(2);
  reply.path = {};
  come(reply);
  expect_found(place, "it does not say what it answers");
  reply.path = kCallPath;
  come(reply);
  EXPECT_EQ(found(), "");
  ArrivalRow abort = arrival(What::abort_saga);
  abort.session_key = "nobody yet";
  abort.run = run_id(4);
  come(abort);
  expect_found(place, "it does not say which saga is to be aborted");
  abort.saga = kAllSagas;
  come(abort);
  EXPECT_EQ(found(), "");
  reply.payload = core::as_bytes("no flexbuffer");
  come(reply);
  expect_found(place, "its payload is not encoded as values are");
}

TEST_F(VerifySessionsTest, FindsAnArrivalForAnotherAddress) {
  ArrivalRow row = message(8);
  row.session_key = "s2";
  TestRows rows(next_ - 1);
  ASSERT_TRUE(rows.arrive(Table::inbox, session_id(), row).commit(memory_));
  expect_found(place(Table::inbox, next_ - 1), "its session has another address");
  // Of a session that is not there yet.
  erase(Table::inbox, Key{}.add(session_id()).add(next_ - 1));
  row.session_key = "elsewhere";
  TestRows more(next_ - 1);
  ASSERT_TRUE(more.arrive(Table::inbox, session_hash("cart", "nobody yet"), row).commit(memory_));
  EXPECT_NE(found().find("the search for its address 'cart/elsewhere' does not find it\n"),
            std::string::npos);
}

TEST_F(VerifySessionsTest, FindsWhatIsKeptForAnotherAddress) {
  ArrivalRow row = arrival(What::signal);
  row.agent = "trip";
  keep(signal_, row);
  expect_found(kept_place(signal_), "its session has another address");
}

TEST_F(VerifySessionsTest, FindsWhatIsKeptForNoSession) {
  const SessionId nobody = session_hash("cart", "nobody yet");
  ArrivalRow row = arrival(What::signal);
  row.session_key = "nobody yet";
  TestRows rows(next_ - 1);
  ASSERT_TRUE(rows.arrive(Table::kept, nobody, row).commit(memory_));
  expect_found("row " + core::to_hex(Key{}.add(nobody).add(next_ - 1).view()) + " of table kept",
               "its session is missing or damaged");
}

TEST_F(VerifySessionsTest, FindsWhatNoSessionKeeps) {
  for (const What what :
       {What::cancel, What::kill, What::retry_now, What::abort_saga, What::saga_told}) {
    ArrivalRow row = arrival(what);
    row.run = run_id(4);
    row.saga = 1;
    keep(signal_, row);
    expect_found(kept_place(signal_), "no session keeps a " + std::string(to_string(what)));
  }
}

TEST_F(VerifySessionsTest, FindsSignalsOfRunsThatAreOver) {
  ArrivalRow row = arrival(What::signal);
  row.run = run_id(2);
  keep(for_run_, row);
  expect_found(kept_place(for_run_), "its run has ended: completed");
  row.run = run_id(77);
  keep(for_run_, row);
  expect_found(kept_place(for_run_), "its run is missing or damaged");
}

TEST_F(VerifySessionsTest, FindsMessagesThatJoinedARunThatIsOver) {
  ArrivalRow row = message(7);
  row.other = run_id(2);
  keep(joined_, row);
  expect_found(kept_place(joined_), "its run has ended: completed");
  row.other = run_id(77);
  keep(joined_, row);
  expect_found(kept_place(joined_), "its run is missing or damaged");
  row.other = run_id(5);
  keep(joined_, row);
  EXPECT_EQ(found(), "") << "it waits with a run that is queued itself";
}

TEST_F(VerifySessionsTest, FindsAKeptMessageWithoutAQueuedRun) {
  const auto run_row = [&](const RunRow& row) {
    ASSERT_TRUE(TestRows(at_once_ + 1).put(Table::runs, Key{}.add(run_id(5)), row).commit(memory_));
  };
  erase(Table::runs, Key{}.add(run_id(5)));
  expect_found(kept_place(at_once_), "its run " + run_text(5) + " is missing or damaged");
  run_row(queued("s1"));
  EXPECT_NE(found().find(kept_place(at_once_) + ": its run " + run_text(5) +
                         " belongs to another session\n"),
            std::string::npos);
  run_row(RunRow{session_id(), "cart", 2, "add", "s4", 100, 0});
  EXPECT_NE(found().find(kept_place(at_once_) + ": its run " + run_text(5) + " is not queued\n"),
            std::string::npos);
}

TEST_F(VerifySessionsTest, FindsAKeptMessageThatNothingBeginsWith) {
  erase(Table::due, due_row(80, run_id(6), DueRow::What::message));
  expect_found(kept_place(later_), "nothing is due when its time comes");
  put(Table::due, due_row(80, run_id(6), DueRow::What::message),
      DueRow{DueRow::What::message, {}, 0, 100, session_id()});
  erase(Table::open, Key{}.add(session_id()));
  EXPECT_EQ(found(), row_of(4) +
                         ": it is waiting, but its session does not have it as its open "
                         "run\n" +
                         kept_place(at_once_) +
                         ": its session handles no run, so nothing would begin with it\n");
}

TEST_F(VerifySessionsTest, FindsWaitsThatWaitForNothing) {
  for (const StepKind kind : {StepKind::step, StepKind::send, StepKind::spawn, StepKind::commit}) {
    WaitRow row = receive();
    row.step_kind = kind;
    put(Table::waits, wait_key(kPath), row);
    expect_found(wait_of(4), "a " + std::string(to_string(kind)) + " waits for nothing");
  }
  put(Table::waits, wait_key(kPath), receive());
  put(Table::waits, wait_key(kCallPath),
      WaitRow{StepKind::call, kCallPath, "other", 100, 0, 0, session_id(), {}});
  expect_found(wait_of(4), "it does not say who was called");
  put(Table::waits, wait_key(kCallPath),
      WaitRow{StepKind::call, kCallPath, "other", 100, 0, 0, {}, run_id(2)});
  expect_found(wait_of(4), "it does not say who was called");
  put(Table::waits, wait_key(kCallPath),
      WaitRow{StepKind::join, kCallPath, "other", 100, 0, 0, session_id(), {}});
  expect_found(wait_of(4), "it does not say which child it waits for");
  put(Table::waits, wait_key(kCallPath),
      WaitRow{StepKind::join, kCallPath, "other", 100, 0, 0, {}, run_id(2)});
  expect_found(wait_of(4), "it does not say which child it waits for");
  put(Table::waits, wait_key(kCallPath),
      WaitRow{StepKind::sleep, kCallPath, "sleep", 100, 0, 0, {}, {}});
  expect_found(wait_of(4), "it sleeps without an end");
}

TEST_F(VerifySessionsTest, FindsAWaitWhoseTimeWouldNotCome) {
  erase(Table::due, due_key(90, 4));
  expect_found(wait_of(4), "nothing is due when its time comes");
}

TEST_F(VerifySessionsTest, FindsStrayWaits) {
  put(Table::waits, Key{}.add(run_id(4)).add(std::uint64_t{1}), receive());
  expect_found(wait_of(4), "it does not stand at the hash of its step path");
  erase(Table::waits, Key{}.add(run_id(4)).add(std::uint64_t{1}));
  WaitRow row = receive();
  row.due = 0;
  put(Table::waits, Key{}.add(run_id(2)).add(StepPath(kPath).hash()), row);
  expect_found(wait_of(2), "its run has ended: completed");
  erase(Table::waits, Key{}.add(run_id(2)).add(StepPath(kPath).hash()));
  put(Table::waits, Key{}.add(run_id(77)).add(StepPath(kPath).hash()), row);
  expect_found(wait_of(77), "its run is missing or damaged");
}

TEST_F(VerifySessionsTest, FindsChildrenThatStandElsewhere) {
  const Key elsewhere = Key{}.add(run_id(4)).add(std::uint64_t{1});
  put(Table::children, elsewhere, child(kFirstChild, 1, "s1"));
  expect_found(child_of(4), "it does not stand at the hash of its step path");
  erase(Table::children, elsewhere);
  const auto put_of = [&](std::uint64_t run) {
    put(Table::children, Key{}.add(run_id(run)).add(StepPath(kFirstChild).hash()),
        child(kFirstChild, 1, "s1"));
  };
  put_of(2);
  expect_found(child_of(2), "its run has ended: completed");
  erase(Table::children, Key{}.add(run_id(2)).add(StepPath(kFirstChild).hash()));
  put_of(77);
  expect_found(child_of(77), "its run is missing or damaged");
}

TEST_F(VerifySessionsTest, FindsChildrenOfAnotherAddress) {
  ChildRow row = child(kFirstChild, 1, "s1");
  row.parent_end = ParentEnd::wait;
  row.session_key = "s2";
  put(Table::children, wait_key(kFirstChild), row);
  expect_found(child_of(4), "the child's session has another address");
  row = child(kFirstChild, 2, "s1");
  put(Table::children, wait_key(kFirstChild), row);
  expect_found(child_of(4), "its run " + run_text(2) + " belongs to another session");
  put(Table::children, wait_key(kFirstChild), child(kFirstChild, 1, "s1"));
  EXPECT_EQ(found(), "");
  row = child(kUnreadChild, 9, "nobody yet");
  row.session_key = "elsewhere";
  put(Table::children, wait_key(kUnreadChild), row);
  expect_found(child_of(4), "the search for its address 'cart/elsewhere' does not find it");
}

TEST_F(VerifySessionsTest, FindsChildrenThatHaveNotEndedAsTheirRowsSay) {
  ChildRow row = child(kFirstChild, 1, "s1");
  row.ended = 1;
  put(Table::children, wait_key(kFirstChild), row);
  expect_found(child_of(4),
               "it says that the child has ended, and its run " + run_text(1) + " has not");
  row.run = run_id(77);
  put(Table::children, wait_key(kFirstChild), row);
  expect_found(child_of(4),
               "it says that the child has ended, and its run " + run_text(77) + " has not");
  row.error = ErrorView{Code::busy, "later", {}, {}, ErrorEffect::refused};
  put(Table::children, wait_key(kFirstChild), row);
  EXPECT_EQ(found(), "") << "a message that was refused has no run";
  row.ended = 0;
  put(Table::children, wait_key(kFirstChild), row);
  expect_found(child_of(4), "it was refused and has not ended");
}

TEST_F(VerifySessionsTest, FindsDamagedState) {
  const Key key = state_row(session_id(), "total");
  const std::string place = "row " + core::to_hex(key.view()) + " of table state";
  put(Table::state, key, StateRow{"another", "int", 0, kPayload});
  expect_found(place, "it does not stand at the hash of its name");
  put(Table::state, key, StateRow{"total", "int", 1, {}});
  expect_found(place, "it says that it is not there");
  put(Table::state, key, StateRow{"total", "int", 0, core::as_bytes("no flexbuffer")});
  expect_found(place, "its payload is not encoded as values are");
  put(Table::state, key, StateRow{"total", "int", 0, kPayload});
  EXPECT_EQ(found(), "");
  const Key nobodys = state_row(session_hash("cart", "nobody yet"), "total");
  put(Table::state, nobodys, StateRow{"total", "int", 0, kPayload});
  expect_found("row " + core::to_hex(nobodys.view()) + " of table state", "its session is missing");
}

TEST_F(VerifySessionsTest, FindsDamagedValuesOfBefore) {
  const Key key = before_row(run_id(4), "total");
  const std::string place = "a value before run " + run_text(4);
  put(Table::before, key, StateRow{"another", "int", 1, {}});
  expect_found(place, "it does not stand at the hash of its name");
  put(Table::before, key, StateRow{"total", "int", 0, core::as_bytes("no flexbuffer")});
  expect_found(place, "its payload is not encoded as values are");
  put(Table::before, key, StateRow{"total", "int", 1, kPayload});
  expect_found(place, "it says that there was no value, and holds one");
  put(Table::before, key, StateRow{"total", "int", 0, kPayload});
  EXPECT_EQ(found(), "");
  put(Table::before, before_row(run_id(77), "total"), StateRow{"total", "int", 1, {}});
  expect_found("a value before run " + run_text(77), "its run is missing or damaged");
}

TEST_F(VerifySessionsTest, FindsMarksAndCancelsThatStandWrong) {
  TestRows rows(next_);
  rows.append(run_id(4), 3, VersionMark{"fee", 2, 50});
  ASSERT_TRUE(rows.commit(memory_));
  EXPECT_NE(found().find("record 3 of run " + run_text(4) +
                         ": its stamp is before that of the record before it\n"),
            std::string::npos);
  TestRows third(next_);
  third.append(run_id(4), 3, SagaAborted{1, Code::saga_aborted, "ann", "", 50});
  ASSERT_TRUE(third.commit(memory_));
  EXPECT_NE(found().find("record 3 of run " + run_text(4) +
                         ": its stamp is before that of the record before it\n"),
            std::string::npos);
  TestRows more(next_);
  more.append(run_id(4), 3, CancelRequested{Code::cancelled, "ann", "", 0, 50});
  ASSERT_TRUE(more.commit(memory_));
  EXPECT_NE(found().find("record 3 of run " + run_text(4) +
                         ": its stamp is before that of the record before it\n"),
            std::string::npos);
}

}  // namespace
}  // namespace perdure::journal
