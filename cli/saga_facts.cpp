#include "cli/saga_facts.hpp"

#include <utility>

#include "cli/values.hpp"

namespace perdure::cli {
namespace {

using journal::SagaState;
using journal::StoredSaga;
using journal::StoredUndo;
using journal::UndoState;
using journal::UndoWhat;

/// Sagas within sagas, deeper than any code has them: a damaged row may name itself.
constexpr int kDepthMax = 64;

bool is_open(SagaState state) { return state == SagaState::open || state == SagaState::forward; }

/// It happened, and stays: the saga is committed with it.
bool is_kept(const StoredSaga& saga, const StoredUndo& undo) {
  return saga.state == SagaState::committed &&
         (undo.state == UndoState::happened || undo.state == UndoState::registered);
}

bool is_dealt_with(UndoState state) {
  return state == UndoState::refused || state == UndoState::paid || state == UndoState::skipped ||
         state == UndoState::marked;
}

/// Whether the saga `within` is, or would be, undone as a part of `root`.
bool is_undone_with(const StoredSaga& root, const StoredSaga& within) {
  if (root.paid_with != 0) return within.paid_with == root.paid_with;
  return within.paid_with == 0 && within.state != SagaState::forward;
}

class Counting {
 public:
  Counting(journal::Reader& reader, SagaFacts& facts) : reader_(reader), facts_(facts) {}

  Result<void> count(const StoredSaga& saga, int depth = 0) {
    PERDURE_TRY(const std::vector<StoredUndo> undos, reader_.undos(saga.run, saga.number));
    for (const StoredUndo& undo : undos) {
      if (undo.what != UndoWhat::saga) {
        add(saga, undo);
        continue;
      }
      PERDURE_TRY(auto within, reader_.saga(saga.run, undo.saga));
      if (!within || depth == kDepthMax || is_kept(saga, undo)) continue;
      if (!is_undone_with(facts_.saga, *within)) {
        if (!is_over(within->state)) add(saga, undo);
        continue;
      }
      // What it has committed is open as long as the one around it is.
      if (within->state == SagaState::committed) within->state = saga.state;
      PERDURE_TRY(count(*within, depth + 1));
    }
    return success();
  }

 private:
  void add(const StoredSaga& saga, const StoredUndo& undo) {
    // Nothing undoes a pivot: where nobody knows of it, a person has to find out.
    const bool stays = undo.what == UndoWhat::pivot && undo.state == UndoState::happened;
    const bool is_past = undo.state == UndoState::refused ||
                         (is_open(facts_.saga.state) && is_dealt_with(undo.state));
    if (stays || is_past || is_kept(saga, undo)) return;
    ++facts_.actions;
    if (is_owed(saga, undo)) ++facts_.owed;
  }

  journal::Reader& reader_;
  SagaFacts& facts_;
};

}  // namespace

bool is_owed(const StoredSaga& saga, const StoredUndo& undo) noexcept {
  const bool may_have_happened =
      undo.state == UndoState::unknown || undo.state == UndoState::stuck ||
      (is_being_undone(saga.state) &&
       (undo.state == UndoState::happened || undo.state == UndoState::registered));
  return may_have_happened && !is_open(saga.state);
}

Result<SagaFacts> facts_of(journal::Reader& reader, StoredSaga saga, journal::RunStatus status) {
  SagaFacts facts;
  facts.saga = std::move(saga);
  facts.is_left_open = is_open(facts.saga.state) && status >= journal::RunStatus::completed;
  PERDURE_TRY(Counting(reader, facts).count(facts.saga));
  return facts;
}

Result<std::vector<SagaFacts>> sagas_of(journal::Reader& reader, const journal::RunInfo& run) {
  PERDURE_TRY(std::vector<StoredSaga> rows, reader.sagas(run.id));
  std::vector<SagaFacts> all;
  for (StoredSaga& row : rows) {
    PERDURE_TRY(SagaFacts facts, facts_of(reader, std::move(row), run.head.status));
    all.push_back(std::move(facts));
  }
  return all;
}

std::string state_text(const SagaFacts& facts) {
  return facts.is_left_open ? "left open" : std::string(to_string(facts.saga.state));
}

Ink ink_of(const SagaFacts& facts) {
  if (facts.needs_a_person()) return Ink::red;
  if (facts.saga.state == SagaState::compensating) return Ink::yellow;
  return facts.is_over() ? Ink::green : Ink::plain;
}

std::string owed_text(const SagaFacts& facts) {
  if (facts.saga.state == SagaState::forward) return "behind its pivot";
  if (facts.actions == 0) return "";
  if (facts.saga.state == SagaState::open) return std::to_string(facts.actions) + " if aborted";
  return std::to_string(facts.owed) + " of " + std::to_string(facts.actions) + " to undo";
}

std::string decision_text(const std::string& who, const std::string& why) {
  if (who.empty()) return why;
  return "by " + who + (why.empty() ? "" : ": " + why);
}

void set_saga(JsonObject& object, std::string name, const RunId& run, std::uint32_t number) {
  if (number == 0)
    object.null(std::move(name));
  else
    object.text(std::move(name), journal::saga_id(run, number));
}

JsonObject json_of(const SagaFacts& facts) {
  const StoredSaga& saga = facts.saga;
  JsonObject object;
  object.text("id", facts.id())
      .text("run", to_string(saga.run))
      .number("number", saga.number)
      .text("name", saga.name)
      .text("state", to_string(saga.state))
      .truth("left_open", facts.is_left_open)
      .number("actions", facts.actions)
      .number("owed", facts.owed)
      .number("stuck", saga.stuck);
  set_saga(object, "parent", saga.parent_run.value_or(saga.run), saga.parent);
  set_saga(object, "paid_with", saga.run, saga.paid_with);
  set_time(object, "created", saga.created);
  set_time(object, "changed", saga.changed);
  object.text("undo_order", saga.parallel ? "parallel" : "reverse")
      .text("when_undo_fails", saga.goes_on ? "go_on" : "stop");
  set_time(object, "deadline", saga.deadline);
  object.truth("reaches_parked", saga.reaches_parked);
  if (is_open(saga.state) || saga.state == SagaState::committed)
    object.null("code");
  else
    object.text("code", to_string(saga.code));
  return object.text("who", saga.who).text("why", saga.why);
}

JsonObject json_of(const SagaFacts& facts, const journal::RunInfo& run) {
  return json_of(facts)
      .text("agent", run.agent)
      .text("key", run.session_key)
      .text("run_status", to_string(run.head.status));
}

}  // namespace perdure::cli
