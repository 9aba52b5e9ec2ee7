#include "journal/saga_orders.hpp"

#include <algorithm>

namespace perdure::journal {
namespace {

std::string named(const StoredSaga& saga) {
  return "saga " + saga_id(saga.run, saga.number) + " ('" + saga.name + "')";
}

Error refused(std::string words) { return Error{Code::refused, std::move(words)}; }

Error not_there(const RunId& run, std::uint32_t number) {
  return Error{Code::not_found,
               "the journal has no saga " + saga_id(run, number) +
                   ": `perdure sagas` lists what there is. A saga is recorded with its first "
                   "action that has to be undone"};
}

std::string why_not_aborted(const StoredSaga& saga) {
  switch (saga.state) {
    case SagaState::open: break;
    case SagaState::forward:
      return " is behind its pivot: nothing of it can be undone, it only goes forward";
    case SagaState::committed: return " is committed: what it did stays";
    case SagaState::compensating: return " is being undone already";
    case SagaState::compensated: return " is undone already";
    case SagaState::stuck: return " is being undone already, and is stuck: see to that";
  }
  return {};
}

}  // namespace

std::string_view to_string(SagaResolution::What what) noexcept {
  switch (what) {
    case SagaResolution::What::retry: return "retry";
    case SagaResolution::What::skip: return "skip";
    case SagaResolution::What::mark_done: return "mark-done";
  }
  return "unrecognised";
}

Result<void> judge_compensate(Reader& reader, const RunId& run, std::uint32_t number) {
  if (number != kAllSagas) {
    PERDURE_TRY(const std::optional<StoredSaga> saga, reader.saga(run, number));
    if (!saga) return not_there(run, number);
    // Nobody will commit it any more: it becomes stuck, and a person finishes it.
    PERDURE_TRY(const std::optional<Head> head, reader.head(run));
    if (saga->state == SagaState::forward && head && head->status >= RunStatus::completed)
      return success();
    if (const std::string why = why_not_aborted(*saga); !why.empty())
      return refused(named(*saga) + why);
    return success();
  }
  PERDURE_TRY(const std::vector<StoredSaga> sagas, reader.sagas(run));
  if (std::ranges::any_of(sagas,
                          [](const StoredSaga& saga) { return saga.state == SagaState::open; }))
    return success();
  if (sagas.empty()) return refused("run " + perdure::to_string(run) + " has no saga");
  return refused("run " + perdure::to_string(run) + " has no saga that can be aborted: " +
                 named(sagas.back()) + why_not_aborted(sagas.back()));
}

Result<std::string> judge_resolution(Reader& reader, const SagaId& id, SagaResolution::What what,
                                     const std::optional<std::uint32_t>& action) {
  PERDURE_TRY(const std::optional<StoredSaga> saga, reader.saga(id.run, id.number));
  if (!saga) return not_there(id.run, id.number);
  const bool is_undone = saga->state == SagaState::compensating || saga->state == SagaState::stuck;
  // What had failed in a saga that is committed is undone all the same.
  if (!is_undone && saga->state != SagaState::committed)
    return refused(named(*saga) + " is " + std::string(to_string(saga->state)) +
                   ": there is nothing to " + std::string(to_string(what)) +
                   (is_over(saga->state) ? "" : ". `perdure saga compensate` aborts it"));
  PERDURE_TRY(const std::vector<StoredUndo> undos, reader.undos(id.run, id.number));
  const auto needs_it = [&](const StoredUndo& undo) {
    if (what == SagaResolution::What::retry) return undo.state == UndoState::stuck;
    return undo.state == UndoState::happened || undo.state == UndoState::unknown ||
           undo.state == UndoState::registered || undo.state == UndoState::stuck;
  };
  if (action) {
    const auto found = std::ranges::find(undos, *action, &StoredUndo::index);
    if (found == undos.end())
      return Error{Code::not_found, named(*saga) + " has no action " + std::to_string(*action) +
                                        ": `perdure saga show` lists them"};
    if (!needs_it(*found))
      return refused("action " + std::to_string(*action) + " ('" + found->name + "') of " +
                     named(*saga) + " is " + std::string(to_string(found->state)) +
                     ": there is nothing to " + std::string(to_string(what)));
  } else if (saga->state == SagaState::committed ||
             (std::ranges::none_of(undos, needs_it) && saga->state != SagaState::stuck)) {
    return refused(named(*saga) + " has no action to " + std::string(to_string(what)));
  }
  return saga_id(id.run, saga->paid_with == 0 ? id.number : saga->paid_with);
}

Error undoing_is_not_ended() {
  return refused(
      "the run undoes a saga, which nothing ends but its own end: `perdure saga skip` or "
      "`mark-done` "
      "ends what is left of it");
}

}  // namespace perdure::journal
