#include "actors/run_sagas.hpp"

#include <algorithm>
#include <utility>

namespace perdure::actors {
namespace {

using journal::SagaState;
using journal::StoredUndo;
using journal::UndoState;
using journal::UndoWhat;
using saga::OwedAction;

Error other_code(const std::string& words) {
  return Error{Code::diverged, words +
                                   ": serve the code that it was begun with, or abort it with "
                                   "`perdure saga compensate`"};
}

std::string key_of(const RunId& run, const StoredUndo& action) {
  return Step(Step::Facts{run, journal::StepPath(action.path).to_string(), &action.name}).key();
}

/// How it stands in a log that was not kept while it went on.
void restore(saga::UndoLog& log, const StoredUndo& action) {
  using saga::UndoEvent;
  const std::uint32_t index = log.add(action.what);
  log.registered(index);
  switch (action.state) {
    case UndoState::registered: break;
    case UndoState::happened: log.ended(index, UndoEvent::happened); break;
    case UndoState::refused: log.ended(index, UndoEvent::refused); break;
    case UndoState::unknown: log.ended(index, UndoEvent::failed); break;
    case UndoState::paid:
    case UndoState::stuck:
    case UndoState::skipped:
    case UndoState::marked:
      log.ended(index, UndoEvent::failed);
      log.ended(index, action.state == UndoState::stuck     ? UndoEvent::stuck
                       : action.state == UndoState::skipped ? UndoEvent::skipped
                                                            : UndoEvent::paid);
      break;
  }
}

}  // namespace

Error saga_misuse(std::string words) {
  return Error{Code::misuse, std::move(words), std::nullopt, std::nullopt, ErrorEffect::refused};
}

Error strange_saga(const detail::SagaRef& ref, const RunId& run) {
  return saga_misuse("saga " + journal::saga_id(ref.run, ref.number) + " is not one of run " +
                     to_string(run) + ": a saga is used in the run that began it");
}

Result<void> RunSagas::load(journal::Reader& reader, const RunId& run) {
  found_.clear();
  PERDURE_TRY(std::vector<journal::StoredSaga> sagas, reader.sagas(run));
  for (journal::StoredSaga& each : sagas) {
    const std::uint32_t number = each.number;
    PERDURE_TRY(std::vector<StoredUndo> actions, reader.undos(run, number));
    found_.emplace(number, Found{std::move(each), std::move(actions)});
  }
  return success();
}

void RunSagas::take_what_is_stored() {
  all_.clear();
  members_.clear();
  if (found_.empty()) return;
  for (std::uint32_t number = 1; number <= found_.rbegin()->first; ++number) {
    const auto found = found_.find(number);
    if (found == found_.end()) {
      // It began, and nothing of it was recorded.
      journal::StoredSaga none;
      none.number = number;
      all_.push_back(std::make_unique<RunSaga>(std::move(none)));
      (void)all_.back()->log.commit();
      continue;
    }
    RunSaga& saga = *all_.emplace_back(std::make_unique<RunSaga>(found->second.row));
    saga.stored = true;
    for (const StoredUndo& action : found->second.actions) {
      // Actions that were refused before they began have no rows.
      while (saga.actions.size() < action.index) {
        saga.actions.emplace_back().index = saga.log.add(UndoWhat::undo);
        saga.log.ended(saga.actions.back().index, saga::UndoEvent::refused);
      }
      restore(saga.log, action);
      saga.actions.push_back(action);
    }
    const SagaState state = saga.row.state;
    if (state == SagaState::committed) {
      (void)saga.log.commit();
      saga.log.hand_over_leftovers();
    }
    if (state == SagaState::open || state == SagaState::forward || state == SagaState::committed)
      continue;
    (void)saga.log.abort_saga();
    saga.ordered = true;
    if (state == SagaState::compensated) saga.known.emplace();
  }
  for (const auto& saga : all_)
    for (const StoredUndo& action : saga->actions)
      if (RunSaga* const child = action.what == UndoWhat::saga ? find(action.saga) : nullptr)
        child->entry = action.index;
}

Result<void> RunSagas::note_paid(journal::Reader& reader, RunSaga& saga) {
  PERDURE_TRY(const std::vector<StoredUndo> rows, reader.undos(saga.row.run, saga.row.number));
  for (const StoredUndo& row : rows) {
    const bool is_over = row.state == UndoState::paid || row.state == UndoState::skipped ||
                         row.state == UndoState::marked;
    if (is_over) saga.log.ended(row.index, saga::UndoEvent::paid);
    if (RunSaga* const child = row.what == UndoWhat::saga ? find(row.saga) : nullptr)
      PERDURE_TRY(note_paid(reader, *child));
  }
  return success();
}

const journal::StoredSaga* RunSagas::gone_on_with() const {
  for (const auto& saga : all_)
    if (const auto found = found_.find(saga->row.number);
        found != found_.end() && saga->log.is_open() && found->second.row.paid_with != 0)
      return &found->second.row;
  return nullptr;
}

const journal::StoredSaga* RunSagas::not_begun() const {
  for (const auto& [number, found] : found_)
    if (number > all_.size() && !is_over(found.row.state)) return &found.row;
  return nullptr;
}

Result<RunSaga*> RunSagas::begin(journal::StoredSaga begun) {
  begun.number = size() + 1;
  const auto found = found_.find(begun.number);
  const bool stored = found != found_.end();
  if (stored && found->second.row.name != begun.name)
    return other_code("the run's saga " + std::to_string(begun.number) + " is '" +
                      found->second.row.name + "', and the code begins '" + begun.name + "' there");
  if (stored && (found->second.row.parent != begun.parent ||
                 found->second.row.parent_run != begun.parent_run))
    return other_code("the run's saga " + std::to_string(begun.number) + " '" + begun.name +
                      "' was begun in another saga than in the code, or in none");
  // What was promised when it began.
  if (stored) begun.deadline = found->second.row.deadline;
  if (stored) begun.reaches_parked = found->second.row.reaches_parked;
  RunSaga& saga = *all_.emplace_back(std::make_unique<RunSaga>(std::move(begun)));
  saga.stored = stored;
  if (stored) {
    // Whoever undoes it was told, whatever the handler is at now.
    saga.row.paid_with = found->second.row.paid_with;
    saga.ordered = saga.row.paid_with != 0;
    if (found->second.row.state == SagaState::compensated) saga.known.emplace();
    if (found->second.row.state == SagaState::stuck)
      saga.known = SagaEnd{Error{Code::saga_stuck, found->second.row.why, std::nullopt,
                                 std::nullopt, ErrorEffect::happened}};
  }
  if (RunSaga* const parent = parent_of(saga)) {
    StoredUndo within;
    within.what = UndoWhat::saga;
    within.name = saga.row.name;
    within.saga = saga.row.number;
    within.index = saga.entry = parent->log.add(UndoWhat::saga);
    parent->actions.push_back(std::move(within));
    if (stored) {
      parent->log.registered(saga.entry);
      if (const auto in = found_.find(saga.row.parent); in != found_.end()) {
        const auto& actions = in->second.actions;
        const auto at = std::ranges::find(actions, saga.entry, &StoredUndo::index);
        if (at == actions.end() || at->what != UndoWhat::saga || at->saga != saga.row.number)
          return other_code("saga '" + saga.row.name + "' was begun in saga '" + parent->row.name +
                            "' at another place than in the code");
        parent->actions.back().begun = at->begun;
      }
    }
  }
  return &saga;
}

Result<void> RunSagas::opened(RunSaga& saga, StoredUndo action, Member member) {
  const journal::StepPath path(action.path);
  if (!member.refused && (member.as == detail::SagaMember::As::undoable ||
                          member.as == detail::SagaMember::As::pivot)) {
    member.index = action.index = saga.log.add(action.what);
    if (const auto found = found_.find(saga.row.number); found != found_.end()) {
      const auto& actions = found->second.actions;
      const auto stored = std::ranges::find(actions, action.index, &StoredUndo::index);
      if (stored != actions.end()) {
        if (stored->path != action.path || stored->undo != action.undo ||
            stored->what != action.what)
          return other_code(
              "action " + std::to_string(action.index) + " of saga '" + saga.row.name +
              "' is step " + journal::StepPath(stored->path).to_string() + " '" + stored->name +
              "', undone by '" + stored->undo + "', and the code has step " + path.to_string() +
              " '" + action.name + "', undone by '" + action.undo + "', there");
        action.begun = stored->begun;
        action.stamp = stored->stamp;
        action.settle_ms = stored->settle_ms;
        action.run = stored->run;
        action.agent = stored->agent;
        action.session_key = stored->session_key;
        saga.log.registered(action.index);
      }
    }
    saga.actions.push_back(std::move(action));
  }
  members_.insert_or_assign(path.hash(), std::pair(path, std::move(member)));
  return success();
}

std::vector<journal::StoredSaga> RunSagas::with_deadlines() const {
  std::vector<journal::StoredSaga> open;
  const auto add = [&](const journal::StoredSaga& row, bool is_stored) {
    const bool is_open = row.state == SagaState::open || row.state == SagaState::forward;
    if (is_stored && is_open && row.deadline != 0) open.push_back(row);
  };
  for (const auto& saga : all_) add(saga->row, saga->stored);
  for (const auto& [number, found] : found_)
    if (number > all_.size()) add(found.row, true);
  return open;
}

RunSagas::Member* RunSagas::member(const journal::StepPath& path) noexcept {
  if (members_.empty()) return nullptr;
  const auto found = members_.find(path.hash());
  return found == members_.end() ? nullptr : &found->second.second;
}

std::optional<RunSagas::Member> RunSagas::take_member(const journal::StepPath& path) {
  if (members_.empty()) return std::nullopt;
  const auto found = members_.find(path.hash());
  if (found == members_.end()) return std::nullopt;
  return std::move(members_.extract(found).mapped().second);
}

std::vector<journal::StepPath> RunSagas::members_of(const std::vector<std::uint32_t>& sagas) const {
  std::vector<journal::StepPath> paths;
  for (const auto& [hash, each] : members_)
    if (std::ranges::find(sagas, each.second.saga) != sagas.end()) paths.push_back(each.first);
  return paths;
}

std::vector<std::uint32_t> RunSagas::abort_saga(RunSaga& saga) {
  std::vector<std::uint32_t> aborted{saga.row.number};
  (void)saga.log.abort_saga();
  // Those within come behind those that they are in.
  for (const auto& each : all_) {
    if (each->row.parent_run || each->row.parent == 0 ||
        std::ranges::find(aborted, each->row.parent) == aborted.end())
      continue;
    if (!each->log.is_open() && each->log.state() != SagaState::committed) continue;
    // Its pivot stands, whatever becomes of the saga that it is in.
    if (each->log.state() == SagaState::forward) continue;
    if (each->log.abort_saga()) aborted.push_back(each->row.number);
  }
  return aborted;
}

RunSaga& RunSagas::outermost_unordered(RunSaga& saga) {
  RunSaga* outermost = &saga;
  for (RunSaga* at = parent_of(saga); at != nullptr; at = parent_of(*at))
    if (!at->log.is_open() && at->log.state() != SagaState::committed && !at->ordered)
      outermost = at;
  return *outermost;
}

saga::PayOrder RunSagas::order(const Facts& facts, RunSaga& saga, std::string what,
                               const std::vector<std::uint32_t>& owed,
                               std::vector<RunSaga*>& within) {
  saga::PayOrder order;
  order.what = std::move(what);
  order.run = to_string(facts.run);
  order.agent = facts.agent;
  order.session_key = facts.session_key;
  order.saga = saga.row.number;
  order.name = saga.row.name;
  order.parallel = saga.row.parallel;
  order.goes_on = saga.row.goes_on;
  order.code = to_string(saga.row.code);
  order.who = saga.row.who;
  order.why = saga.row.why;
  add_owed(facts, order, saga, owed, -1, within);
  return order;
}

void RunSagas::add_owed(const Facts& facts, saga::PayOrder& order, RunSaga& saga,
                        const std::vector<std::uint32_t>& owed, std::int64_t group,
                        std::vector<RunSaga*>& within) {
  for (const std::uint32_t index : owed) {
    const StoredUndo& from = saga.actions[index];
    OwedAction action;
    action.what = to_string(from.what);
    action.group = group;
    action.saga = action.of = saga.row.number;
    action.index = index;
    action.name = from.name;
    action.begun = from.begun;
    action.ended = from.ended;
    action.not_before_us = from.not_before;
    switch (from.what) {
      case UndoWhat::undo:
        action.undo = from.undo;
        action.input_type = from.input_type;
        action.output_type = from.output_type;
        action.happened = from.state == UndoState::happened;
        action.key = key_of(facts.run, from);
        break;
      case UndoWhat::pivot: action.key = key_of(facts.run, from); break;
      case UndoWhat::run:
        action.what = "ask";
        action.saga = 0;
        action.run = from.run ? to_string(*from.run) : std::string();
        action.agent = from.agent;
        action.session_key = from.session_key;
        break;
      case UndoWhat::saga: add_child(facts, order, std::move(action), from.saga, within); continue;
    }
    order.owed.push_back(std::move(action));
  }
}

/// A saga within is undone with the one that it is in, unless it is undone by itself already.
void RunSagas::add_child(const Facts& facts, saga::PayOrder& order, OwedAction action,
                         std::uint32_t number, std::vector<RunSaga*>& within) {
  RunSaga* const child = find(number);
  if (child == nullptr || (child->known && !child->known->stuck)) return;
  const bool by_itself = child->ordered || child->log.state() == SagaState::forward ||
                         child->log.state() == SagaState::stuck;
  if (by_itself) {
    action.what = "ask";
    action.saga = number;
    action.run = to_string(facts.run);
    action.agent = facts.agent;
    action.session_key = facts.session_key;
    order.owed.push_back(std::move(action));
    return;
  }
  child->ordered = true;
  child->row.paid_with = order.saga;
  within.push_back(child);
  action.what = "group";
  action.saga = number;
  const auto group = static_cast<std::int64_t>(order.owed.size());
  order.owed.push_back(std::move(action));
  add_owed(facts, order, *child, child->log.owed(), group, within);
}

std::vector<RunSaga*> RunSagas::paid_with(std::uint32_t number) {
  std::vector<RunSaga*> found;
  for (const auto& each : all_)
    if (each->ordered && each->row.paid_with == number) found.push_back(each.get());
  return found;
}

}  // namespace perdure::actors
