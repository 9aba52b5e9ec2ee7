#include "tests/format/sample_sagas.hpp"

#include <perdure/error.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/ids.hpp"
#include "core/limits.hpp"
#include "journal/change.hpp"
#include "journal/reader.hpp"
#include "journal/step_path.hpp"
#include "tests/format/checked.hpp"
#include "tests/format/payload_samples.hpp"

namespace perdure::format_test {
namespace {

using namespace journal;
using Path = std::vector<std::uint32_t>;
using What = ArrivalRow::What;

constexpr Stamp kSecond = 1'000'000;

/// The session `sagas/anna`, and its run.
class SagaSession {
 public:
  SagaSession(Writer& writer, core::ManualClock& clock, core::Random& random)
      : writer_(writer),
        clock_(clock),
        run_(core::draw_run_id(clock, random)),
        called_(core::draw_run_id(clock, random)) {}

  void create() {
    Change change = start();
    change.put(Table::sessions, Key{}.add(session_), SessionRow{"sagas", "anna", now()});
    change.put(Table::runs, Key{}.add(run_), RunRow{session_, "sagas", 3, "main", "anna", now()});
    change.put(Table::open, Key{}.add(session_), OpenRow{run_});
    RunCreated created{"sagas", 3, "main", "anna", "", "void", {}, 5, now()};
    created.caller = Caller{session_hash("shop", "s"), "shop", "s", called_, call_, {}, 9};
    change.append(run_, count_++, created);
    finish(std::move(change));
  }
  /// Saga 1, and saga 2 in it, are committed; an action of saga 2 had failed.
  void commit() {
    Change change = start();
    put(change, 1, saga("Größe", SagaState::committed));
    put(change, 1, 0, action(UndoWhat::undo, {1}));
    ended(change, StepKind::step, {1}, "book");
    put_state(change, 1, 0, state(UndoState::happened, count_ - 1));
    SagaRow hotel = saga("hotel", SagaState::committed);
    hotel.parent = 1;
    put(change, 2, hotel);
    put(change, 1, 1, within(2));
    // What it was given is a blob.
    const Sample large = text_sample(40'000);
    UndoRow room = action(UndoWhat::undo, {2});
    room.payload = large.second;
    put(change, 2, 0, room);
    ended(change, StepKind::step, {2}, "book room");
    UndoStateRow unknown = state(UndoState::unknown, count_ - 1);
    unknown.not_before = now() + 60 * kSecond;
    unknown.error = view_of(failure_);
    put_state(change, 2, 0, unknown);
    ended(change, StepKind::commit, {3}, "commit hotel");
    put_state(change, 1, 1, state(UndoState::happened, count_ - 1));
    UndoRow called = action(UndoWhat::run, {4});
    called.run = called_;
    called.agent = "pay";
    called.session_key = "東京";
    put(change, 1, 2, called);
    ended(change, StepKind::call, {4}, "pay/東京 add");
    put_state(change, 1, 2, state(UndoState::happened, count_ - 1));
    ended(change, StepKind::commit, {5}, "commit Größe");
    finish(std::move(change));
  }
  /// Saga 3 was aborted, and is stuck; saga 4 is undone with it.
  void abort() {
    Change change = start();
    change.append(run_, count_++,
                  SagaAborted{3, Code::saga_aborted, "ann", "it takes\ntoo long", now()});
    SagaRow stuck = saga("flight", SagaState::stuck);
    stuck.stuck = 1;
    stuck.parallel = stuck.goes_on = 1;
    stuck.code = Code::saga_aborted;
    stuck.who = "ann";
    stuck.why = "it takes\ntoo long";
    stuck.paid_with = 3;
    put(change, 3, stuck);
    std::uint32_t index = 0;
    for (const UndoState each : {UndoState::refused, UndoState::paid, UndoState::stuck,
                                 UndoState::skipped, UndoState::marked}) {
      put(change, 3, index, action(UndoWhat::undo, {6, index}));
      UndoStateRow became = state(each, 0);
      if (each == UndoState::stuck) became.error = view_of(failure_);
      if (each == UndoState::skipped) became.who = "ann";
      if (each == UndoState::marked) became.why = "by phone";
      put_state(change, 3, index++, became);
    }
    SagaRow seats = saga("seats", SagaState::compensating);
    seats.parent = seats.paid_with = 3;
    put(change, 4, seats);
    put(change, 3, index, within(4));
    ended(change, StepKind::compensate, {6}, "undo seats");
    put_wait(change, {StepKind::compensate, wait_, "undo flight", now(), 0, 0, {}, {}});
    finish(std::move(change));
  }
  /// Saga 5 is open and has a deadline, saga 6 is behind its pivot, and saga 7 is in one of another
  /// run, and undone.
  void go_on() {
    Change change = start();
    SagaRow open = saga("open", SagaState::open);
    open.deadline = now() + 3600 * kSecond;
    open.reaches_parked = 1;
    put(change, 5, open);
    const Path path{0, 5};
    change.put(Table::due, due_row(open.deadline, run_, StepPath(path)),
               DueRow{DueRow::What::saga, path, 0, now()});
    put(change, 5, 0, action(UndoWhat::undo, {8}));
    put(change, 6, saga("forward", SagaState::forward));
    put(change, 6, 0, action(UndoWhat::pivot, {9}));
    ended(change, StepKind::step, {9}, "pay");
    put_state(change, 6, 0, state(UndoState::happened, count_ - 1));
    SagaRow undone = saga("undone", SagaState::compensated);
    undone.parent_run = called_;
    undone.parent = 2;
    undone.paid_with = 7;
    put(change, 7, undone);
    finish(std::move(change));
  }
  void come() {
    ArrivalRow asked = arrival(What::abort_saga);
    asked.saga = 5;
    asked.who = "ann";
    asked.why = "it takes too long";
    arrive(asked);
    // Another saga's payer asks.
    asked.saga = kAllSagas;
    const std::string payer = saga_id(called_, 1);
    asked.caller = Caller{session_hash(kSagaAgent, payer), kSagaAgent, payer, called_, call_};
    arrive(asked);
    ArrivalRow told = arrival(What::saga_told);
    told.saga = 3;
    arrive(told);
    told.path = call_;
    told.error = ErrorView{Code::saga_stuck, "noch nicht", {}, {}, ErrorEffect::happened};
    arrive(told);
  }

 private:
  [[nodiscard]] static Change start() { return Change(core::limits::kBlobThresholdBytes); }
  [[nodiscard]] Stamp now() const { return clock_.wall().time_since_epoch().count(); }
  [[nodiscard]] SagaRow saga(std::string_view name, SagaState state) const {
    SagaRow row;
    row.name = name;
    row.state = state;
    row.created = now() - kSecond;
    row.changed = now();
    return row;
  }
  /// As it began; `path` is kept.
  [[nodiscard]] UndoRow action(UndoWhat what, Path path) {
    paths_.push_back(std::make_unique<Path>(std::move(path)));
    UndoRow row;
    row.what = what;
    row.path = *paths_.back();
    row.name = "book";
    row.tool = what == UndoWhat::run ? "" : "hotel.book";
    row.undo = what == UndoWhat::undo ? "hotel.cancel" : "";
    row.input_type = value_.first;
    row.output_type = "Größe";
    if (what != UndoWhat::run) row.payload = value_.second;
    row.settle_ms = 60'000;
    row.begun = count_;
    row.stamp = now();
    return row;
  }
  [[nodiscard]] UndoRow within(std::uint32_t number) const {
    UndoRow row;
    row.what = UndoWhat::saga;
    row.name = "hotel";
    row.saga = number;
    row.begun = count_;
    row.stamp = now();
    return row;
  }
  [[nodiscard]] UndoStateRow state(UndoState state, std::uint32_t ended) const {
    UndoStateRow row;
    row.state = state;
    row.ended = ended;
    row.stamp = now();
    return row;
  }
  [[nodiscard]] ArrivalRow arrival(What what) const {
    ArrivalRow row;
    row.what = what;
    row.agent = "sagas";
    row.session_key = "anna";
    row.run = run_;
    row.stamp = now();
    return row;
  }
  void put(Change& change, std::uint32_t number, const SagaRow& row) {
    change.put(Table::sagas, saga_row(run_, number), row);
  }
  void put(Change& change, std::uint32_t number, std::uint32_t index, const UndoRow& row) {
    change.put(Table::undos, undo_row(run_, number, index), row);
  }
  void put_state(Change& change, std::uint32_t number, std::uint32_t index,
                 const UndoStateRow& row) {
    change.put(Table::undos, undo_state_row(run_, number, index), row);
  }
  void put_wait(Change& change, const WaitRow& row) {
    change.put(Table::waits, Key{}.add(run_).add(StepPath(row.path).hash()), row);
  }
  void ended(Change& change, StepKind kind, const Path& path, const std::string& name) {
    StepResult record;
    record.path = path;
    record.step_kind = kind;
    record.name = name;
    record.type = "void";
    record.stamp = now();
    change.append(run_, count_++, record);
  }
  void arrive(const ArrivalRow& row) {
    Change change = start();
    change.put_numbered(Table::inbox, Key{}.add(session_), row);
    submit(std::move(change));
  }
  void finish(Change&& change) {
    change.put(Table::ready, Key{}.add(run_), ReadyRow{session_});
    change.put(Table::records, Key{}.add(run_).add(kHeadIndex),
               HeadRow{count_, RunStatus::running, now(), Code::user, ""});
    submit(std::move(change));
  }
  void submit(Change&& change) {
    static_cast<void>(checked(writer_.submit(std::move(change), Admission::new_work)));
    writer_.commit_here();
    clock_.advance(std::chrono::milliseconds(3));
  }

  Writer& writer_;
  core::ManualClock& clock_;
  const SessionId session_ = session_hash("sagas", "anna");
  const RunId run_;
  const RunId called_;
  const Sample value_ = text_sample(20);
  const Error failure_{Code::busy, "später", true, std::chrono::milliseconds(5)};
  const Path call_{12, 2, 7};
  const Path wait_{7};
  std::vector<std::unique_ptr<Path>> paths_;
  std::uint32_t count_ = 0;
};

}  // namespace

void write_sagas(Writer& writer, core::ManualClock& clock, core::Random& random) {
  SagaSession session(writer, clock, random);
  session.create();
  session.commit();
  session.abort();
  session.go_on();
  session.come();
}

}  // namespace perdure::format_test
