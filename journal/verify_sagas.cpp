// The verifier's look at sagas: what they are, what of them is to be undone, when they end.

#include "journal/verifier.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace perdure::journal {
namespace {

constexpr std::size_t kSagaKeyBytes = kIdBytes + 4;
constexpr std::size_t kUndoKeyBytes = kIdBytes + 8;

std::uint32_t word_at(core::ByteView key, std::size_t offset) {
  return static_cast<std::uint32_t>(number_at(key, offset, 4));
}

bool is_open(SagaState state) { return state == SagaState::open || state == SagaState::forward; }

std::string named(std::uint32_t saga) { return "saga " + std::to_string(saga); }

/// A path that no step has, since awaits count from 1.
StepPath deadline_path(std::uint32_t saga) {
  return StepPath(std::array<std::uint32_t, 2>{0, saga});
}

}  // namespace

Result<void> Verifier::sagas() {
  return each(Table::sagas, kSagaKeyBytes, [&](core::ByteView key) -> Result<void> {
    const auto saga = row<SagaRow>(Table::sagas, key);
    if (!saga) return success();
    const RunId run = id_at<RunId>(key, 0);
    PERDURE_TRY(const auto of_run, other<RunRow>(Table::runs, Key{}.add(run)));
    if (!of_run)
      findings_.add(Table::sagas, key, "its run is missing or damaged");
    else if (of_run->queued != 0)
      findings_.add(Table::sagas, key, "its run is queued, and has begun nothing");
    if (word_at(key, kIdBytes) == 0) findings_.add(Table::sagas, key, "sagas count from 1");
    if (saga->name.empty()) findings_.add(Table::sagas, key, "it has no name");
    const bool may_be_stuck = !is_open(saga->state) && saga->state != SagaState::committed;
    if (saga->stuck != 0 && !may_be_stuck)
      findings_.add(Table::sagas, key,
                    "it is " + std::string(to_string(saga->state)) +
                        ", and says that something could not be undone");
    PERDURE_TRY(check_parent(key, *saga));
    PERDURE_TRY(check_payer(key, *saga));
    return check_deadline(key, *saga);
  });
}

/// A saga of the same run was begun, and has its row, before those within it do.
Result<void> Verifier::check_parent(core::ByteView key, const SagaRow& saga) {
  if (saga.parent_run) {
    if (saga.parent == 0)
      findings_.add(Table::sagas, key, "it does not say in which saga of another run it is");
    return success();
  }
  if (saga.parent == 0) return success();
  if (saga.parent >= word_at(key, kIdBytes)) {
    findings_.add(Table::sagas, key,
                  "it is in " + named(saga.parent) + ", which did not begin before it");
    return success();
  }
  PERDURE_TRY(const auto parent,
              other<SagaRow>(Table::sagas, saga_row(id_at<RunId>(key, 0), saga.parent)));
  if (!parent)
    findings_.add(Table::sagas, key,
                  named(saga.parent) + ", which it is in, is missing or damaged");
  return success();
}

/// Sagas are undone with one that they are in, or alone.
Result<void> Verifier::check_payer(core::ByteView key, const SagaRow& saga) {
  if (saga.paid_with == 0) return success();
  if (is_open(saga.state)) {
    findings_.add(Table::sagas, key,
                  "it is " + std::string(to_string(saga.state)) + ", and is undone with " +
                      named(saga.paid_with));
    return success();
  }
  const std::uint32_t number = word_at(key, kIdBytes);
  if (saga.paid_with == number) return success();
  PERDURE_TRY(const auto payer,
              other<SagaRow>(Table::sagas, saga_row(id_at<RunId>(key, 0), saga.paid_with)));
  if (saga.paid_with > number || !payer)
    findings_.add(Table::sagas, key,
                  "it is undone with " + named(saga.paid_with) +
                      (payer ? ", which is not around it" : ", which is missing or damaged"));
  return success();
}

/// Of a run that was killed, open sagas stay as they were.
Result<void> Verifier::check_deadline(core::ByteView key, const SagaRow& saga) {
  if (saga.deadline == 0 || !is_open(saga.state)) return success();
  const RunId run = id_at<RunId>(key, 0);
  PERDURE_TRY(const auto status, status_of(run));
  if (!status || !is_unfinished(*status)) return success();
  PERDURE_TRY(
      const bool is_due,
      is_there(Table::due, due_row(saga.deadline, run, deadline_path(word_at(key, kIdBytes)))));
  if (!is_due) findings_.add(Table::sagas, key, "nothing is due at its deadline");
  return success();
}

/// The deadline of a saga.
Result<void> Verifier::check_due_saga(core::ByteView key, const DueRow& due) {
  if (!std::ranges::equal(Key{}.add(StepPath(due.path).hash()).view(), key.last(kHashBytes)))
    findings_.add(Table::due, key, "it does not stand at the hash of its path");
  if (due.path.size() != 2 || due.path.front() != 0) {
    findings_.add(Table::due, key, "it does not say which saga's deadline it is");
    return success();
  }
  const std::uint32_t number = due.path.back();
  PERDURE_TRY(const auto saga,
              other<SagaRow>(Table::sagas, saga_row(id_at<RunId>(key, 8), number)));
  if (!saga)
    findings_.add(Table::due, key, named(number) + " of its run is missing or damaged");
  else if (!is_open(saga->state))
    findings_.add(Table::due, key,
                  named(number) + " of its run is " + std::string(to_string(saga->state)));
  else if (static_cast<std::uint64_t>(saga->deadline) != number_at(key, 0, 8))
    findings_.add(Table::due, key, named(number) + " of its run has another deadline");
  return success();
}

Result<void> Verifier::undos() {
  return each(Table::undos, kUndoKeyBytes, [&](core::ByteView key) -> Result<void> {
    const std::uint32_t index = word_at(key, kIdBytes + 4);
    if ((index & kUndoStateBit) != 0) {
      const auto state = row<UndoStateRow>(Table::undos, key);
      return state ? check_undo_state(key, *state) : success();
    }
    const auto undo = row<UndoRow>(Table::undos, key);
    if (!undo) return success();
    const RunId run = id_at<RunId>(key, 0);
    const std::uint32_t number = word_at(key, kIdBytes);
    payloads_.check(Table::undos, key, undo->payload);
    PERDURE_TRY(const auto saga, other<SagaRow>(Table::sagas, saga_row(run, number)));
    if (!saga) findings_.add(Table::undos, key, "its saga is missing or damaged");
    PERDURE_TRY(const auto head, other<HeadRow>(Table::records, Key{}.add(run).add(kHeadIndex)));
    if (head && (undo->begun == 0 || undo->begun > head->count))
      findings_.add(Table::undos, key,
                    "it began behind " + std::to_string(undo->begun) +
                        " records, and its run has " + std::to_string(head->count));
    check_undo(key, *undo);
    return undo->what == UndoWhat::saga ? check_undo_of_saga(key, *undo) : success();
  });
}

void Verifier::check_undo(core::ByteView key, const UndoRow& undo) {
  const std::string what = "a " + std::string(to_string(undo.what));
  if (undo.path.empty() != (undo.what == UndoWhat::saga))
    findings_.add(Table::undos, key,
                  undo.path.empty() ? "its action has no path" : what + " has no path of a step");
  if (undo.undo.empty() == (undo.what == UndoWhat::undo))
    findings_.add(Table::undos, key,
                  undo.undo.empty() ? "it does not say what undoes its action"
                                    : what + " is not undone by a compensation");
  if (undo.what == UndoWhat::run && (!undo.run || undo.agent.empty()))
    findings_.add(Table::undos, key, "it does not say which run was called");
}

Result<void> Verifier::check_undo_of_saga(core::ByteView key, const UndoRow& undo) {
  const std::uint32_t number = word_at(key, kIdBytes);
  PERDURE_TRY(const auto within,
              other<SagaRow>(Table::sagas, saga_row(id_at<RunId>(key, 0), undo.saga)));
  if (!within)
    findings_.add(Table::undos, key, named(undo.saga) + " of its run is missing or damaged");
  else if (within->parent_run || within->parent != number)
    findings_.add(Table::undos, key, named(undo.saga) + " of its run is not in " + named(number));
  return success();
}

/// What became of an action: its run's record says so too.
Result<void> Verifier::check_undo_state(core::ByteView key, const UndoStateRow& state) {
  const RunId run = id_at<RunId>(key, 0);
  const std::uint32_t index = word_at(key, kIdBytes + 4) & ~kUndoStateBit;
  if (state.state == UndoState::registered)
    findings_.add(Table::undos, key, "it says that nothing became of its action");
  if (state.not_before < 0)
    findings_.add(Table::undos, key, "it may be undone from before 1970 on");
  PERDURE_TRY(const auto undo,
              other<UndoRow>(Table::undos, undo_row(run, word_at(key, kIdBytes), index)));
  if (!undo) {
    findings_.add(Table::undos, key, "its action is missing or damaged");
    return success();
  }
  if (state.ended == 0) return success();
  const bool is_saga = undo->what == UndoWhat::saga;
  const std::vector<std::uint32_t> path(undo->path.begin(), undo->path.end());
  PERDURE_TRY(const auto result,
              other<StepResult>(Table::records, Key{}.add(run).add(state.ended)));
  const bool fits = result && (is_saga ? result->step_kind == StepKind::commit
                                       : std::ranges::equal(result->path, path));
  if (!fits)
    findings_.add(
        Table::undos, key,
        "record " + std::to_string(state.ended) + " of its run is not the end of its action");
  return success();
}

}  // namespace perdure::journal
