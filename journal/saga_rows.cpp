#include "journal/saga_rows.hpp"

#include <charconv>

namespace perdure::journal {

std::string_view to_string(SagaState state) noexcept {
  switch (state) {
    case SagaState::open: return "open";
    case SagaState::forward: return "forward";
    case SagaState::committed: return "committed";
    case SagaState::compensating: return "compensating";
    case SagaState::compensated: return "compensated";
    case SagaState::stuck: return "stuck";
  }
  return "unrecognised";
}

std::string_view to_string(UndoWhat what) noexcept {
  switch (what) {
    case UndoWhat::undo: return "undo";
    case UndoWhat::pivot: return "pivot";
    case UndoWhat::saga: return "saga";
    case UndoWhat::run: return "run";
  }
  return "unrecognised";
}

std::string_view to_string(UndoState state) noexcept {
  switch (state) {
    case UndoState::registered: return "registered";
    case UndoState::happened: return "happened";
    case UndoState::refused: return "refused";
    case UndoState::unknown: return "unknown";
    case UndoState::paid: return "paid";
    case UndoState::stuck: return "stuck";
    case UndoState::skipped: return "skipped";
    case UndoState::marked: return "marked";
  }
  return "unrecognised";
}

StoredSaga owned(const RunId& run, std::uint32_t number, const SagaRow& row) {
  StoredSaga saga;
  saga.run = run;
  saga.number = number;
  saga.name = row.name;
  saga.state = row.state;
  saga.created = row.created;
  saga.changed = row.changed;
  saga.stuck = row.stuck;
  saga.parent_run = row.parent_run;
  saga.parent = row.parent;
  saga.parallel = row.parallel != 0;
  saga.goes_on = row.goes_on != 0;
  saga.code = row.code;
  saga.who = row.who;
  saga.why = row.why;
  saga.deadline = row.deadline;
  saga.reaches_parked = row.reaches_parked != 0;
  saga.paid_with = row.paid_with;
  return saga;
}

SagaRow view_of(const StoredSaga& saga) noexcept {
  SagaRow row;
  row.name = saga.name;
  row.state = saga.state;
  row.created = saga.created;
  row.changed = saga.changed;
  row.stuck = saga.stuck;
  row.parent_run = saga.parent_run;
  row.parent = saga.parent;
  row.parallel = saga.parallel ? 1 : 0;
  row.goes_on = saga.goes_on ? 1 : 0;
  row.code = saga.code;
  row.who = saga.who;
  row.why = saga.why;
  row.deadline = saga.deadline;
  row.reaches_parked = saga.reaches_parked ? 1 : 0;
  row.paid_with = saga.paid_with;
  return row;
}

StoredUndo owned(std::uint32_t index, const UndoRow& row) {
  StoredUndo undo;
  undo.index = index;
  undo.what = row.what;
  undo.path.assign(row.path.begin(), row.path.end());
  undo.name = row.name;
  undo.tool = row.tool;
  undo.undo = row.undo;
  undo.input_type = row.input_type;
  undo.output_type = row.output_type;
  undo.settle_ms = row.settle_ms;
  undo.begun = row.begun;
  undo.stamp = row.stamp;
  undo.saga = row.saga;
  undo.run = row.run;
  undo.agent = row.agent;
  undo.session_key = row.session_key;
  return undo;
}

void add_state(StoredUndo& undo, const UndoStateRow& row) {
  undo.state = row.state;
  undo.ended = row.ended;
  undo.not_before = row.not_before;
  undo.error.reset();
  if (row.error) undo.error = to_error(*row.error);
  undo.who = row.who;
  undo.why = row.why;
  undo.changed = row.stamp;
}

UndoRow view_of(const StoredUndo& undo) noexcept {
  UndoRow row;
  row.what = undo.what;
  row.path = undo.path;
  row.name = undo.name;
  row.tool = undo.tool;
  row.undo = undo.undo;
  row.input_type = undo.input_type;
  row.output_type = undo.output_type;
  row.settle_ms = undo.settle_ms;
  row.begun = undo.begun;
  row.stamp = undo.stamp;
  row.saga = undo.saga;
  row.run = undo.run;
  row.agent = undo.agent;
  row.session_key = undo.session_key;
  return row;
}

UndoStateRow state_of(const StoredUndo& undo) noexcept {
  UndoStateRow row;
  row.state = undo.state;
  row.ended = undo.ended;
  row.not_before = undo.not_before;
  if (undo.error) row.error = view_of(*undo.error);
  row.who = undo.who;
  row.why = undo.why;
  row.stamp = undo.changed;
  return row;
}

Key saga_row(const RunId& run, std::uint32_t number) noexcept { return Key{}.add(run).add(number); }

Key undo_row(const RunId& run, std::uint32_t number, std::uint32_t index) noexcept {
  return Key{}.add(run).add(number).add(index);
}

Key undo_state_row(const RunId& run, std::uint32_t number, std::uint32_t index) noexcept {
  return undo_row(run, number, index | kUndoStateBit);
}

std::string saga_id(const RunId& run, std::uint32_t number) {
  return perdure::to_string(run) + "." + std::to_string(number);
}

Result<SagaId> parse_saga_id(std::string_view text) {
  const Error wrong{Code::misuse, "'" + std::string(text.substr(0, 64)) +
                                      "' names no saga: it is a run's id, a dot and a number, as "
                                      "`perdure sagas` lists them"};
  const std::size_t dot = text.rfind('.');
  if (dot == std::string_view::npos) return wrong;
  SagaId id;
  const Result<RunId> run = RunId::parse(text.substr(0, dot));
  const std::string_view digits = text.substr(dot + 1);
  const auto [end, failed] =
      std::from_chars(digits.data(), digits.data() + digits.size(), id.number);
  if (run.has_error() || failed != std::errc() || end != digits.data() + digits.size() ||
      id.number == 0 || id.number == kAllSagas)
    return wrong;
  id.run = run.assume_value();
  return id;
}

}  // namespace perdure::journal
