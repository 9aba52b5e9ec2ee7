/// What the tests of verify share: a sound journal with rows in every table.
#pragma once

#include "core/clock.hpp"
#include "core/random.hpp"
#include "journal/directory.hpp"
#include "journal/memory_store.hpp"
#include "journal/row_key.hpp"
#include "journal/step_path.hpp"
#include "journal/user_rows.hpp"
#include "journal/verify.hpp"
#include "tests/journal/journal_fixture.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>

namespace perdure::journal {

/// A journal with five runs: one running with a retry due, one completed, one parked, and one,
/// number 4, that waits for a signal and for a reply, in a session that keeps what came for it:
/// two messages, of the queued runs 5 and 6, a signal for anybody and one for the run, and a
/// message that joined the run. Run 4 has three children: run 1, run 2, which has ended, and one
/// whose message nobody has looked at. Run 10 is running, and has five sagas: 1, which is open and
/// has a deadline at 95, an action, a call, and in it saga 2, which is committed; 3, which is stuck
/// behind its pivot, and in it saga 4, which is undone with it; and 5, which is in a saga of run 1.
class VerifyTest : public testing::Test {
 protected:
  static constexpr std::array<std::uint32_t, 1> kPath{3};
  static constexpr std::array<std::uint32_t, 1> kCallPath{4};
  static constexpr std::array<std::uint32_t, 1> kFirstChild{5};
  static constexpr std::array<std::uint32_t, 1> kEndedChild{6};
  static constexpr std::array<std::uint32_t, 1> kUnreadChild{7};
  // Of run 10, whose records 1 to 3 end the steps 1 and 2 and the commit of saga 2.
  static constexpr std::array<std::uint32_t, 1> kFirst{1};
  static constexpr std::array<std::uint32_t, 1> kSecond{2};
  static constexpr std::array<std::uint32_t, 1> kCommit{3};
  static constexpr std::array<std::uint32_t, 1> kCalled{4};
  static constexpr std::array<std::uint32_t, 1> kPivot{5};
  static constexpr std::array<std::uint32_t, 2> kDeadline{0, 1};

  void SetUp() override {
    journal_ = JournalForWriting::open_in(memory_, clock_, random_).value();
    TestRows rows;
    rows.run(1, 4, RunStatus::running).session(1).ready(1);
    rows.run(2, 3, RunStatus::completed).session(2).end(2, 3, std::nullopt);
    rows.run(3, 2, RunStatus::parked).session(3).ready(3);
    rows.put(Table::due, due_key(70, 1), DueRow{DueRow::What::retry, kPath});
    rows.put(Table::attempts, Key{}.add(run_id(1)).add(StepPath(kPath).hash()),
             AttemptsRow{kPath, "step 3", 1, 0, {}, {}, 0, 70});
    rows.run(4, 3, RunStatus::waiting).session(4);
    budgets(rows);
    waits(rows);
    kept(rows);
    children(rows);
    sagas(rows);
    ASSERT_TRUE(rows.commit(journal_->store()));
    next_ = rows.next_number();
  }

  /// Of the session `s4`.
  static SessionId session_id() { return session_hash("cart", "s4"); }
  static Key due_key(std::uint64_t at, std::uint64_t run) {
    return Key{}.add(at).add(run_id(run)).add(StepPath(kPath).hash());
  }
  static Key record_key(std::uint64_t run, std::uint32_t index) {
    return Key{}.add(run_id(run)).add(index);
  }
  static Key wait_key(std::span<const std::uint32_t> path) {
    return Key{}.add(run_id(4)).add(StepPath(path).hash());
  }
  static ArrivalRow arrival(ArrivalRow::What what) {
    ArrivalRow row;
    row.what = what;
    row.agent = "cart";
    row.session_key = "s4";
    row.name = what == ArrivalRow::What::signal ? "approval" : "add";
    row.type = "int";
    row.payload = kPayload;
    row.stamp = 100;
    return row;
  }
  static ArrivalRow message(std::uint64_t run) {
    ArrivalRow row = arrival(ArrivalRow::What::message);
    row.agent_version = 2;
    row.run = run_id(run);
    return row;
  }
  static RunRow queued(std::string_view session_key = "s4") {
    return RunRow{session_hash("cart", session_key), "cart", 2, "add", session_key, 100, 1};
  }
  static WaitRow receive() {
    return WaitRow{StepKind::receive, kPath, "approval", 100, 90, 0, {}, {}};
  }

  /// A child of run 4, which is the run `run` of `cart/SESSION_KEY`.
  static ChildRow child(std::span<const std::uint32_t> path, std::uint64_t run,
                        std::string_view session_key) {
    ChildRow row;
    row.path = path;
    row.session = session_hash("cart", session_key);
    row.agent = "cart";
    row.session_key = session_key;
    row.run = run_id(run);
    return row;
  }

  static SagaRow saga(std::string_view name, SagaState state, std::uint32_t parent = 0,
                      std::uint32_t paid_with = 0) {
    SagaRow row;
    row.name = name;
    row.state = state;
    row.created = row.changed = 100;
    row.parent = parent;
    row.paid_with = paid_with;
    return row;
  }
  /// Saga 1 of run 10.
  static SagaRow open_saga() {
    SagaRow row = saga("trip", SagaState::open);
    row.deadline = 95;
    return row;
  }
  static UndoRow undo(UndoWhat what, std::span<const std::uint32_t> path, std::uint32_t begun) {
    UndoRow row;
    row.what = what;
    row.path = path;
    row.name = "book";
    row.tool = "hotel.book";
    row.undo = what == UndoWhat::undo ? "hotel.cancel" : "";
    row.payload = kPayload;
    row.begun = begun;
    return row;
  }
  static UndoRow undo_of_saga(std::uint32_t number, std::uint32_t begun) {
    UndoRow row;
    row.what = UndoWhat::saga;
    row.saga = number;
    row.begun = begun;
    return row;
  }
  static UndoRow undo_of_run() {
    UndoRow row = undo(UndoWhat::run, kCalled, 4);
    row.run = run_id(2);
    row.agent = "cart";
    row.session_key = "s2";
    return row;
  }
  static UndoStateRow undo_state(UndoState state, std::uint32_t ended) {
    UndoStateRow row;
    row.state = state;
    row.ended = ended;
    return row;
  }
  static Key deadline_key(std::uint64_t at, std::uint32_t number) {
    return due_row(static_cast<Stamp>(at), run_id(10),
                   StepPath(std::array<std::uint32_t, 2>{0, number}));
  }

  /// Rows that go in behind the counters' back, as damage does.
  [[nodiscard]] TestRows damage() const { return TestRows(next_); }
  /// What is found, as "place: what" lines.
  std::string found() {
    const VerifyReport report = verify(memory_).value();
    EXPECT_EQ(report.findings_count, report.findings.size());
    std::string all;
    for (const Finding& finding : report.findings) {
      EXPECT_FALSE(finding.remedy.empty());
      all += finding.place + ": " + finding.what + "\n";
    }
    return all;
  }
  static std::string run_text(std::uint64_t run) { return perdure::to_string(run_id(run)); }
  /// Exactly one finding, at `place`, that says `what`.
  void expect_found(const std::string& place, const std::string& what) {
    EXPECT_EQ(found(), place + ": " + what + "\n");
  }

  MemoryStore memory_;
  core::ManualClock clock_;
  core::SeededRandom random_{1};
  std::unique_ptr<JournalForWriting> journal_;
  RecordNumber next_ = 0;
  RecordNumber at_once_ = 0;  ///< The number of run 5's message.
  RecordNumber later_ = 0;    ///< Of run 6's, which is due at 80.
  RecordNumber joined_ = 0;   ///< Of the message that joined run 4.
  RecordNumber signal_ = 0;   ///< Of the signal for anybody.
  RecordNumber for_run_ = 0;  ///< Of the signal for run 4.

 private:
  static void waits(TestRows& rows) {
    rows.put(Table::waits, wait_key(kPath), receive());
    rows.put(Table::due, due_key(90, 4), DueRow{DueRow::What::wait, kPath, 0, 100});
    rows.put(Table::waits, wait_key(kCallPath),
             WaitRow{StepKind::call, kCallPath, "other", 100, 0, 0, session_hash("cart", "s2"),
                     run_id(2)});
    rows.put(Table::due, due_row(91, run_id(4), DueRow::What::grace),
             DueRow{DueRow::What::grace, {}, 0, 100});
    rows.put(Table::due, due_row(92, run_id(4), DueRow::What::deadline),
             DueRow{DueRow::What::deadline, {}, 0, 100});
    rows.put(Table::state, state_row(session_id(), "total"), StateRow{"total", "int", 0, kPayload});
    rows.put(Table::before, before_row(run_id(4), "total"), StateRow{"total", "int", 1, {}});
    rows.put(Table::rows, user_row("accounts", detail::encode_key(7)), UserRow{"int", kPayload});
  }
  /// Run 1 has limits, and run 4 draws on them.
  static void budgets(TestRows& rows) {
    rows.put(Table::budgets, budget_row(run_id(1)), BudgetRow{{.tokens = 9}, 0, 100});
    for (const std::uint64_t run : {std::uint64_t{1}, std::uint64_t{4}})
      rows.put(Table::usage, usage_row(run_id(1), run_id(run)), UsageRow{{.tokens = 3}, {}, {}});
    rows.put(Table::usage, usage_row(run_id(2), run_id(2)), UsageRow{{.tokens = 3}, {}, {}});
  }
  static void children(TestRows& rows) {
    ChildRow first = child(kFirstChild, 1, "s1");
    first.parent_end = ParentEnd::wait;
    rows.put(Table::children, wait_key(kFirstChild), first);
    ChildRow ended = child(kEndedChild, 2, "s2");
    ended.ended = 1;
    rows.put(Table::children, wait_key(kEndedChild), ended);
    rows.put(Table::children, wait_key(kUnreadChild), child(kUnreadChild, 9, "nobody yet"));
    rows.put(Table::due, due_row(1, run_id(4), DueRow::What::circle),
             DueRow{DueRow::What::circle, {}, 0, 1});
  }
  static void sagas(TestRows& rows) {
    rows.run(10, 3, RunStatus::running).session(10).ready(10);
    StepResult commit;
    commit.path = kCommit;
    commit.step_kind = StepKind::commit;
    commit.stamp = 103;
    rows.append(run_id(10), 3, commit);
    rows.append(run_id(10), 4, SagaAborted{3, Code::saga_aborted, "ann", "late", 104});
    rows.put(Table::records, Key{}.add(run_id(10)).add(kHeadIndex),
             HeadRow{5, RunStatus::running, 104, Code::user, ""});
    const auto put_saga = [&](std::uint32_t number, const SagaRow& row) {
      rows.put(Table::sagas, saga_row(run_id(10), number), row);
    };
    const auto put_undo = [&](std::uint32_t number, std::uint32_t index, const UndoRow& row) {
      rows.put(Table::undos, undo_row(run_id(10), number, index), row);
    };
    const auto put_state = [&](std::uint32_t number, std::uint32_t index, UndoState state,
                               std::uint32_t ended) {
      rows.put(Table::undos, undo_state_row(run_id(10), number, index), undo_state(state, ended));
    };
    put_saga(1, open_saga());
    rows.put(Table::due, deadline_key(95, 1), DueRow{DueRow::What::saga, kDeadline, 0, 100});
    put_undo(1, 0, undo(UndoWhat::undo, kFirst, 1));
    put_state(1, 0, UndoState::paid, 1);
    put_undo(1, 1, undo_of_saga(2, 2));
    put_state(1, 1, UndoState::happened, 3);
    put_undo(1, 2, undo_of_run());
    put_saga(2, saga("hotel", SagaState::committed, 1));
    put_undo(2, 0, undo(UndoWhat::undo, kSecond, 2));
    put_state(2, 0, UndoState::happened, 2);
    SagaRow stuck = saga("flight", SagaState::stuck, 0, 3);
    stuck.stuck = 1;
    put_saga(3, stuck);
    put_undo(3, 0, undo(UndoWhat::pivot, kPivot, 5));
    put_state(3, 0, UndoState::stuck, 0);
    put_undo(3, 1, undo_of_saga(4, 5));
    put_saga(4, saga("seats", SagaState::compensating, 3, 3));
    SagaRow worked = saga("bags", SagaState::compensated, 7, 5);
    worked.parent_run = run_id(1);
    put_saga(5, worked);
  }
  void kept(TestRows& rows) {
    at_once_ = rows.next_number();
    rows.arrive(Table::kept, session_id(), message(5));
    rows.put(Table::runs, Key{}.add(run_id(5)), queued());
    later_ = rows.next_number();
    ArrivalRow later = message(6);
    later.due = 80;
    rows.arrive(Table::kept, session_id(), later);
    rows.put(Table::runs, Key{}.add(run_id(6)), queued());
    rows.put(Table::due, due_row(80, run_id(6), DueRow::What::message),
             DueRow{DueRow::What::message, {}, 0, 100, session_id()});
    joined_ = rows.next_number();
    ArrivalRow joined = message(7);
    joined.other = run_id(4);
    rows.arrive(Table::kept, session_id(), joined);
    signal_ = rows.next_number();
    rows.arrive(Table::kept, session_id(), arrival(ArrivalRow::What::signal));
    for_run_ = rows.next_number();
    ArrivalRow for_run = arrival(ArrivalRow::What::signal);
    for_run.run = run_id(4);
    rows.arrive(Table::kept, session_id(), for_run);
    rows.arrive(Table::inbox, session_id(), message(8));
    ArrivalRow unread = message(9);
    unread.session_key = "nobody yet";
    rows.arrive(Table::inbox, session_hash("cart", "nobody yet"), unread);
  }
};

}  // namespace perdure::journal
