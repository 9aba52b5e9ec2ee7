// Verify finds each kind of damage in the tables of sagas, where it is.

#include "tests/journal/verify_fixture.hpp"

namespace perdure::journal {
namespace {

class VerifySagasTest : public VerifyTest {
 protected:
  void SetUp() override {
    VerifyTest::SetUp();
    ASSERT_EQ(found(), "");
  }
  /// Of run 10.
  static std::string saga_of(std::uint32_t number) {
    return "saga " + std::to_string(number) + " of run " + run_text(10);
  }
  static std::string undo_of(std::uint32_t number) {
    return "what is to be undone of saga " + std::to_string(number) + " of run " + run_text(10);
  }
  static std::string due_of(std::uint64_t run) { return "a due time of run " + run_text(run); }
  template <class T>
  void put(Table table, const Key& key, const T& row) {
    ASSERT_TRUE(damage().put(table, key, row).commit(memory_));
  }
  void put_saga(std::uint32_t number, const SagaRow& row) {
    put(Table::sagas, saga_row(run_id(10), number), row);
  }
  void put_undo(std::uint32_t number, std::uint32_t index, const UndoRow& row) {
    put(Table::undos, undo_row(run_id(10), number, index), row);
  }
  void put_state(std::uint32_t number, std::uint32_t index, const UndoStateRow& row) {
    put(Table::undos, undo_state_row(run_id(10), number, index), row);
  }
  void erase(Table table, const Key& key) {
    ASSERT_TRUE(TestBatch{}.erase(table, key).commit(memory_));
  }
};

// --- Sagas ---------------------------------------------------------------------------------------

TEST_F(VerifySagasTest, FindsSagasOfNoRun) {
  put(Table::sagas, saga_row(run_id(77), 1), saga("trip", SagaState::committed));
  expect_found("saga 1 of run " + run_text(77), "its run is missing or damaged");
  erase(Table::sagas, saga_row(run_id(77), 1));
  put(Table::sagas, saga_row(run_id(5), 1), saga("trip", SagaState::committed));
  expect_found("saga 1 of run " + run_text(5), "its run is queued, and has begun nothing");
}

TEST_F(VerifySagasTest, FindsSagasWithoutANumberOrAName) {
  put_saga(0, saga("trip", SagaState::committed));
  expect_found(saga_of(0), "sagas count from 1");
  erase(Table::sagas, saga_row(run_id(10), 0));
  put_saga(6, saga("", SagaState::committed));
  expect_found(saga_of(6), "it has no name");
}

TEST_F(VerifySagasTest, FindsSagasThatAreStuckAndSayThatTheyAreNot) {
  for (const SagaState state : {SagaState::open, SagaState::forward, SagaState::committed}) {
    SagaRow row = saga("cars", state);
    row.stuck = 2;
    put_saga(6, row);
    expect_found(saga_of(6), "it is " + std::string(to_string(state)) +
                                 ", and says that something could not be undone");
  }
  // What had failed before its commit can't be undone, or a person has seen to some of it.
  for (const SagaState state : {SagaState::stuck, SagaState::compensating}) {
    SagaRow row = saga("cars", state);
    row.stuck = 2;
    put_saga(6, row);
    EXPECT_EQ(found(), "");
  }
}

TEST_F(VerifySagasTest, FindsSagasInNone) {
  erase(Table::undos, undo_row(run_id(10), 1, 1));
  erase(Table::undos, undo_state_row(run_id(10), 1, 1));
  put_saga(2, saga("hotel", SagaState::committed, 2));
  expect_found(saga_of(2), "it is in saga 2, which did not begin before it");
  put_saga(2, saga("hotel", SagaState::committed, 3));
  expect_found(saga_of(2), "it is in saga 3, which did not begin before it");
  put_saga(7, saga("cars", SagaState::committed, 6));
  put_saga(2, saga("hotel", SagaState::committed, 1));
  expect_found(saga_of(7), "saga 6, which it is in, is missing or damaged");
  SagaRow row = saga("cars", SagaState::committed);
  row.parent_run = run_id(1);
  put_saga(7, row);
  expect_found(saga_of(7), "it does not say in which saga of another run it is");
  row.parent = 9;
  put_saga(7, row);
  EXPECT_EQ(found(), "");
}

TEST_F(VerifySagasTest, FindsOpenSagasThatAreUndone) {
  for (const SagaState state : {SagaState::open, SagaState::forward}) {
    put_saga(6, saga("cars", state, 0, 6));
    expect_found(saga_of(6),
                 "it is " + std::string(to_string(state)) + ", and is undone with saga 6");
  }
  // A person said that a saga behind its pivot is finished.
  put_saga(6, saga("cars", SagaState::committed, 0, 6));
  EXPECT_EQ(found(), "");
}

TEST_F(VerifySagasTest, FindsSagasThatAreUndoneWithNoneAroundThem) {
  put_saga(4, saga("seats", SagaState::compensating, 3, 5));
  expect_found(saga_of(4), "it is undone with saga 5, which is not around it");
  put_saga(7, saga("cars", SagaState::compensated, 0, 6));
  put_saga(4, saga("seats", SagaState::compensating, 3, 3));
  expect_found(saga_of(7), "it is undone with saga 6, which is missing or damaged");
  // It went back to a save-point, and goes on.
  put_saga(7, saga("cars", SagaState::compensated, 1, 1));
  EXPECT_EQ(found(), "");
}

TEST_F(VerifySagasTest, FindsDeadlinesThatWouldNotCome) {
  erase(Table::due, deadline_key(95, 1));
  expect_found(saga_of(1), "nothing is due at its deadline");
  SagaRow row = open_saga();
  row.state = SagaState::forward;
  put_saga(1, row);
  expect_found(saga_of(1), "nothing is due at its deadline");
  row.state = SagaState::committed;
  put_saga(1, row);
  EXPECT_EQ(found(), "");
}

TEST_F(VerifySagasTest, KnowsThatSagasOfRunsThatEndedMayBeOpen) {
  put(Table::sagas, saga_row(run_id(2), 1), open_saga());
  EXPECT_EQ(found(), "");
  const Key due = due_row(95, run_id(2), StepPath(kDeadline));
  put(Table::due, due, DueRow{DueRow::What::saga, kDeadline, 0, 100});
  EXPECT_EQ(found(), "");
}

TEST_F(VerifySagasTest, FindsDeadlinesOfSagasThatAreNotOpen) {
  const std::array<std::uint32_t, 2> path{0, 6};
  put(Table::due, deadline_key(96, 6), DueRow{DueRow::What::saga, path, 0, 100});
  expect_found(due_of(10), "saga 6 of its run is missing or damaged");
  for (const SagaState state :
       {SagaState::committed, SagaState::compensating, SagaState::compensated, SagaState::stuck}) {
    SagaRow row = saga("cars", state);
    row.deadline = 96;
    put_saga(6, row);
    expect_found(due_of(10), "saga 6 of its run is " + std::string(to_string(state)));
  }
  put_saga(6, saga("cars", SagaState::open));
  expect_found(due_of(10), "saga 6 of its run has another deadline");
}

TEST_F(VerifySagasTest, FindsDeadlinesThatStandElsewhere) {
  const Key elsewhere = due_row(95, run_id(10), StepPath(kFirst));
  put(Table::due, elsewhere, DueRow{DueRow::What::saga, kDeadline, 0, 100});
  expect_found(due_of(10), "it does not stand at the hash of its path");
  put(Table::due, elsewhere, DueRow{DueRow::What::saga, kFirst, 0, 100});
  expect_found(due_of(10), "it does not say which saga's deadline it is");
}

TEST_F(VerifySagasTest, FindsAbortsOfNoSaga) {
  TestRows rows(next_);
  rows.append(run_id(4), 3, SagaAborted{0, Code::saga_aborted, "ann", "", 150});
  ASSERT_TRUE(rows.commit(memory_));
  EXPECT_NE(
      found().find("record 3 of run " + run_text(4) + ": it does not say which saga was aborted\n"),
      std::string::npos);
}

// --- What is to be undone ------------------------------------------------------------------------

TEST_F(VerifySagasTest, FindsActionsOfNoSaga) {
  put_undo(6, 0, undo(UndoWhat::undo, kFirst, 1));
  expect_found(undo_of(6), "its saga is missing or damaged");
}

TEST_F(VerifySagasTest, FindsActionsThatBeganBehindRecordsThatAreNotThere) {
  put_undo(1, 0, undo(UndoWhat::undo, kFirst, 0));
  expect_found(undo_of(1), "it began behind 0 records, and its run has 5");
  put_undo(1, 0, undo(UndoWhat::undo, kFirst, 6));
  expect_found(undo_of(1), "it began behind 6 records, and its run has 5");
  put_undo(1, 0, undo(UndoWhat::undo, kFirst, 5));
  EXPECT_EQ(found(), "");
}

TEST_F(VerifySagasTest, FindsActionsWithoutAPath) {
  erase(Table::undos, undo_state_row(run_id(10), 3, 0));
  for (const UndoWhat what : {UndoWhat::undo, UndoWhat::pivot}) {
    put_undo(3, 0, undo(what, {}, 1));
    expect_found(undo_of(3), "its action has no path");
  }
  UndoRow run = undo_of_run();
  run.path = {};
  put_undo(3, 0, run);
  expect_found(undo_of(3), "its action has no path");
  put_undo(3, 0, undo(UndoWhat::pivot, kPivot, 1));
  UndoRow within = undo_of_saga(2, 2);
  within.path = kFirst;
  put_undo(1, 1, within);
  expect_found(undo_of(1), "a saga has no path of a step");
}

TEST_F(VerifySagasTest, FindsActionsThatDoNotSayWhatUndoesThem) {
  UndoRow row = undo(UndoWhat::undo, kFirst, 1);
  row.undo = "";
  put_undo(1, 0, row);
  expect_found(undo_of(1), "it does not say what undoes its action");
  put_undo(1, 0, undo(UndoWhat::undo, kFirst, 1));
  for (UndoRow each : {undo(UndoWhat::pivot, kPivot, 1), undo_of_run()}) {
    each.undo = "hotel.cancel";
    put_undo(3, 0, each);
    expect_found(undo_of(3),
                 "a " + std::string(to_string(each.what)) + " is not undone by a compensation");
  }
  put_undo(3, 0, undo(UndoWhat::pivot, kPivot, 1));
  row = undo_of_saga(2, 2);
  row.undo = "hotel.cancel";
  put_undo(1, 1, row);
  expect_found(undo_of(1), "a saga is not undone by a compensation");
}

TEST_F(VerifySagasTest, FindsCallsThatDoNotSayWhoWasCalled) {
  UndoRow row = undo_of_run();
  row.run = std::nullopt;
  put_undo(1, 2, row);
  expect_found(undo_of(1), "it does not say which run was called");
  row = undo_of_run();
  row.agent = "";
  put_undo(1, 2, row);
  expect_found(undo_of(1), "it does not say which run was called");
}

TEST_F(VerifySagasTest, FindsSagasThatAreNotWithinTheOneThatNamesThem) {
  put_undo(1, 1, undo_of_saga(3, 2));
  expect_found(undo_of(1), "saga 3 of its run is not in saga 1");
  put_undo(1, 1, undo_of_saga(6, 2));
  expect_found(undo_of(1), "saga 6 of its run is missing or damaged");
  SagaRow elsewhere = saga("cars", SagaState::committed, 1);
  elsewhere.parent_run = run_id(1);
  put_saga(6, elsewhere);
  expect_found(undo_of(1), "saga 6 of its run is not in saga 1");
}

TEST_F(VerifySagasTest, FindsInputsThatAreNotEncoded) {
  UndoRow row = undo(UndoWhat::undo, kFirst, 1);
  row.payload = core::as_bytes("no flexbuffer");
  put_undo(1, 0, row);
  expect_found(undo_of(1), "its payload is not encoded as values are");
}

// --- What became of it ---------------------------------------------------------------------------

TEST_F(VerifySagasTest, FindsWhatBecameOfNoAction) {
  put_state(1, 3, undo_state(UndoState::happened, 1));
  expect_found(undo_of(1), "its action is missing or damaged");
}

TEST_F(VerifySagasTest, FindsStatesThatSayNothing) {
  put_state(1, 2, undo_state(UndoState::registered, 0));
  expect_found(undo_of(1), "it says that nothing became of its action");
  UndoStateRow row = undo_state(UndoState::unknown, 0);
  row.not_before = -1;
  put_state(1, 2, row);
  expect_found(undo_of(1), "it may be undone from before 1970 on");
  row.not_before = 70;
  put_state(1, 2, row);
  EXPECT_EQ(found(), "");
}

TEST_F(VerifySagasTest, FindsActionsWhoseRecordIsNotTheirs) {
  // Record 2 ends another step, record 4 none, and record 9 is not there.
  for (const std::uint32_t ended : {2U, 4U, 9U}) {
    put_state(1, 0, undo_state(UndoState::happened, ended));
    expect_found(undo_of(1),
                 "record " + std::to_string(ended) + " of its run is not the end of its action");
  }
  put_state(1, 0, undo_state(UndoState::happened, 1));
  put_state(1, 1, undo_state(UndoState::happened, 2));
  expect_found(undo_of(1), "record 2 of its run is not the end of its action");
}

TEST_F(VerifySagasTest, FindsRowsThatStandInEachOthersPlaces) {
  put_state(1, 0, UndoStateRow{});
  put(Table::undos, undo_row(run_id(10), 2, 1), UndoStateRow{});
  expect_found(undo_of(2), "it is a undo_state where a undo belongs");
  erase(Table::undos, undo_row(run_id(10), 2, 1));
  put(Table::undos, undo_state_row(run_id(10), 2, 0), undo(UndoWhat::undo, kSecond, 2));
  expect_found(undo_of(2), "it is a undo where a undo_state belongs");
}

}  // namespace
}  // namespace perdure::journal
