#include "saga/undo_log.hpp"

#include "core/assert.hpp"

namespace perdure::saga {

std::optional<SagaState> next_state(SagaState state, SagaEvent event) noexcept {
  switch (state) {
    case SagaState::open:
      if (event == SagaEvent::pivoted) return SagaState::forward;
      if (event == SagaEvent::commit) return SagaState::committed;
      if (event == SagaEvent::abort) return SagaState::compensating;
      break;
    case SagaState::forward:
      if (event == SagaEvent::commit) return SagaState::committed;
      if (event == SagaEvent::abort) return SagaState::stuck;
      break;
    case SagaState::committed:
      if (event == SagaEvent::abort) return SagaState::compensating;
      if (event == SagaEvent::stuck) return SagaState::stuck;
      if (event == SagaEvent::kept) return SagaState::committed;
      break;
    case SagaState::compensating:
      if (event == SagaEvent::settled) return SagaState::compensated;
      if (event == SagaEvent::stuck) return SagaState::stuck;
      break;
    case SagaState::compensated:
      if (event == SagaEvent::abort) return SagaState::compensated;
      break;
    case SagaState::stuck:
      if (event == SagaEvent::resumed) return SagaState::compensating;
      if (event == SagaEvent::settled) return SagaState::compensated;
      if (event == SagaEvent::kept) return SagaState::committed;
      if (event == SagaEvent::stuck || event == SagaEvent::abort) return SagaState::stuck;
      break;
  }
  return std::nullopt;
}

std::optional<UndoState> next_state(UndoState state, UndoEvent event) noexcept {
  if (state == UndoState::registered) {
    if (event == UndoEvent::happened) return UndoState::happened;
    if (event == UndoEvent::refused) return UndoState::refused;
    if (event == UndoEvent::failed) return UndoState::unknown;
    return std::nullopt;
  }
  if (!is_owed(state)) return std::nullopt;
  switch (event) {
    case UndoEvent::paid: return UndoState::paid;
    case UndoEvent::stuck: return UndoState::stuck;
    case UndoEvent::skipped: return UndoState::skipped;
    case UndoEvent::marked: return UndoState::marked;
    case UndoEvent::happened:
    case UndoEvent::refused:
    case UndoEvent::failed: break;
  }
  return std::nullopt;
}

Error UndoLog::wrong(Code code, std::string_view why) const {
  return Error{code, "saga '" + name_ + "' " + std::string(why), std::nullopt, std::nullopt,
               ErrorEffect::refused};
}

/// Why `what` can't be done to a saga that is not open any more.
std::optional<Error> UndoLog::refuse_closed(std::string_view what) const {
  const std::string could_not = ": " + std::string(what);
  switch (state_) {
    case SagaState::open:
    case SagaState::forward: break;
    case SagaState::committed: return wrong(Code::misuse, "is committed" + could_not);
    case SagaState::compensating:
    case SagaState::compensated:
      return wrong(Code::saga_aborted, "was aborted, and what it did is undone" + could_not);
    case SagaState::stuck: return wrong(Code::saga_stuck, "is stuck" + could_not);
  }
  if (!lost_) return std::nullopt;
  return wrong(Code::saga_stuck, "could not go back to its save-point" + could_not);
}

std::optional<Error> UndoLog::refuse(ActionClass action) const {
  if (std::optional<Error> closed = refuse_closed("no step of it can begin")) return closed;
  const bool behind_pivot = state_ == SagaState::forward;
  switch (action) {
    case ActionClass::undoable:
      if (!behind_pivot) break;
      return wrong(Code::misuse,
                   "is behind its pivot, and never undoes anything any more: give the step "
                   "pd::retriable in place of a compensation");
    case ActionClass::pivot:
      if (!behind_pivot) break;
      return wrong(Code::misuse, "is behind its pivot already: it can have one");
    case ActionClass::retriable:
      if (behind_pivot) break;
      return wrong(Code::misuse,
                   "is not behind its pivot: before it a step needs a compensation, or is "
                   "pd::read_only");
    case ActionClass::read_only: break;
  }
  return std::nullopt;
}

std::uint32_t UndoLog::add(UndoWhat what) {
  entries_.push_back({what});
  return save_point() - 1;
}

void UndoLog::registered(std::uint32_t index) { entries_.at(index).registered = true; }

void UndoLog::ended(std::uint32_t index, UndoEvent event) {
  Entry& entry = entries_.at(index);
  const std::optional<UndoState> next = next_state(entry.state, event);
  if (!next) return;
  entry.state = *next;
  if (entry.what != UndoWhat::pivot || event != UndoEvent::happened) return;
  if (const auto forward = next_state(state_, SagaEvent::pivoted)) state_ = *forward;
}

Result<void> UndoLog::commit() {
  if (std::optional<Error> closed = refuse_closed("it can't be committed")) return *closed;
  for (const Entry& entry : entries_)
    if (entry.state == UndoState::registered)
      return wrong(Code::misuse, entry.what == UndoWhat::saga
                                     ? "can't be committed while a saga in it is open: commit that "
                                       "one first, or end its task"
                                     : "can't be committed while one of its steps is under way: "
                                       "await all of them first");
  state_ = SagaState::committed;
  return success();
}

bool UndoLog::abort_saga() {
  const std::optional<SagaState> next = next_state(state_, SagaEvent::abort);
  if (!next || *next == state_) return false;
  state_ = *next;
  // Fenced: whatever still comes of it is not recorded any more.
  for (Entry& entry : entries_)
    if (entry.state == UndoState::registered)
      entry.state = entry.registered ? UndoState::unknown : UndoState::refused;
  return true;
}

std::vector<std::uint32_t> UndoLog::owed(std::uint32_t from) const {
  std::vector<std::uint32_t> found;
  // There is no way back behind a pivot, nor beside it.
  for (const Entry& entry : entries_)
    if (entry.what == UndoWhat::pivot && entry.state == UndoState::happened) return found;
  for (std::uint32_t index = from; index < entries_.size(); ++index) {
    const Entry& entry = entries_[index];
    if (is_owed(entry.state) && entry.registered) found.push_back(index);
  }
  return found;
}

std::vector<std::uint32_t> UndoLog::leftovers() const {
  std::vector<std::uint32_t> found;
  for (std::uint32_t index = 0; index < entries_.size(); ++index)
    if (entries_[index].state == UndoState::unknown && entries_[index].registered)
      found.push_back(index);
  return found;
}

void UndoLog::hand_over_leftovers() {
  for (const std::uint32_t index : leftovers()) entries_[index].state = UndoState::paid;
}

void UndoLog::went_back(std::uint32_t from) {
  for (std::uint32_t index = from; index < entries_.size(); ++index)
    if (is_owed(entries_[index].state)) entries_[index].state = UndoState::paid;
}

}  // namespace perdure::saga
