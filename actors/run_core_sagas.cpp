/// The run core's sagas: what is registered before an action begins, and what is owed when one is
/// left open or aborted.
#include "actors/run_core.hpp"

#include <perdure/saga.hpp>

#include "core/ids.hpp"
#include "core/limits.hpp"
#include "saga/pay_order.hpp"

#include <algorithm>

namespace perdure::actors {

using detail::SagaMember;
using detail::SagaRef;
using journal::Pending;
using journal::SagaState;
using journal::StepKind;
using journal::StoredUndo;
using journal::Table;
using journal::UndoState;
using journal::UndoWhat;
using What = journal::ArrivalRow::What;

namespace {

UndoState state_after(saga::UndoEvent event) {
  return *saga::next_state(UndoState::registered, event);
}

/// A step's path that no step has: numbers of awaits begin with 1.
journal::StepPath deadline_path(std::uint32_t saga) {
  return journal::StepPath(std::vector<std::uint32_t>{0, saga});
}

}  // namespace

/// What waits for a saga that a frame left open to be undone. The frame is gone, so it has its own
/// copy of where that stood.
class RunCore::Settling final : private detail::Parent {
 public:
  Settling(RunCore& core, const RunSaga& saga, const detail::Place& at,
           const detail::PromiseBase* task)
      : saga_(saga.row.number), task_(task), core_(core) {
    for (const detail::Place* node = &at; node != nullptr; node = node->parent)
      places_.push_back(*node);
    for (std::size_t i = 0; i + 1 < places_.size(); ++i) places_[i].parent = &places_[i + 1];
    detail::WaitRequest request;
    request.handler = "undo " + saga.row.name;
    request.saga = {core.facts_.id, saga_};
    state_.emplace(detail::SagaOperation{detail::LeafKind::compensate, std::move(request), {}});
  }
  void start() { state_->start({core_, places_.front(), *this, 0}); }

  [[nodiscard]] const detail::PromiseBase* task() const noexcept { return task_; }
  detail::SagaWaiter* waiter = nullptr;

 private:
  void child_ended(std::size_t) noexcept override { core_.settling_ended(*this); }
  std::uint32_t saga_;
  const detail::PromiseBase* task_;
  RunCore& core_;
  std::vector<detail::Place> places_;
  std::optional<detail::SagaState> state_;
};

RunCore::SettlingList::SettlingList() = default;
RunCore::SettlingList::~SettlingList() = default;
void RunCore::SettlingList::clear() { all.clear(); }

// --- What the handler asks -----------------------------------------------------------------------

SagaRef RunCore::open_saga(const Name& name, const detail::SagaSpec& spec) {
  const auto refused = [&](const std::string& why) -> Error {
    return saga_misuse("the saga at " + std::string(name.where.file_name()) + ":" +
                       std::to_string(name.where.line()) + " " + why);
  };
  if (name.text.empty() || name.text.size() > core::limits::kNameBytes)
    throw Exception(refused("has a name of " + std::to_string(name.text.size()) +
                            " bytes: give 1 to " + std::to_string(core::limits::kNameBytes)));
  if (std::ranges::any_of(name.text, [](unsigned char c) { return c < 0x20 || c == 0x7F; }))
    throw Exception(refused("has a control character in its name"));
  journal::StoredSaga begun;
  begun.run = facts_.id;
  begun.name = name.text;
  begun.created = begun.changed = stamp_;
  begun.parallel = spec.parallel;
  begun.goes_on = spec.goes_on;
  begun.reaches_parked = spec.reaches_parked;
  if (spec.deadline.count() > 0)
    begun.deadline = stamp_ + std::chrono::microseconds(std::min<std::chrono::milliseconds>(
                                                            spec.deadline, core::limits::kDelayMax))
                                  .count();
  if (spec.parent) {
    RunSaga* const parent = own_saga(*spec.parent);
    if (parent == nullptr) throw Exception(strange_saga(*spec.parent, facts_.id));
    if (std::optional<Error> closed = parent->log.refuse(saga::ActionClass::undoable))
      throw Exception(std::move(*closed));
    begun.parent = spec.parent->number;
  } else if (facts_.caller && facts_.caller->saga != 0) {
    begun.parent_run = facts_.caller->run;
    begun.parent = facts_.caller->saga;
  }
  Result<RunSaga*> made = sagas_.begin(std::move(begun));
  if (made.has_error()) park_here(std::move(made).assume_error());
  made.assume_value()->task = current();
  return {facts_.id, made.assume_value()->row.number};
}

std::uint32_t RunCore::save_point(const SagaRef& ref) {
  RunSaga* const saga = own_saga(ref);
  if (saga == nullptr) throw Exception(strange_saga(ref, facts_.id));
  return saga->log.save_point();
}

void RunCore::leave_saga(const SagaRef& ref) noexcept {
  if (discarding() || ref.run != facts_.id) return;
  RunSaga* const saga = sagas_.find(ref.number);
  if (saga == nullptr) return;
  detail::PromiseBase* const task = current();
  saga->task = nullptr;
  if (saga->log.state() == SagaState::committed || task == nullptr) return;
  if (saga->log.is_open()) {
    set_has_left_sagas();
    left_.emplace_back(task, saga->row.name);
    saga->row.code = Code::saga_aborted;
    saga->row.why = "its task ended without committing it";
    abort_with_members(*saga);
  }
  if (saga->end && !saga->end->stuck) return;
  // Nothing is known of it outside, and nothing has to be.
  if (!saga->stored && saga->log.owed().empty() && saga->log.state() != SagaState::stuck) {
    settle_in_place(*saga);
    return;
  }
  set_has_left_sagas();
  auto settling = std::make_unique<Settling>(*this, *saga, task->next_place(), task);
  Settling& started = *settling;
  settling_.all.push_back(std::move(settling));
  started.start();
}

std::optional<Error> RunCore::sagas_left_by(const detail::PromiseBase* task) {
  std::string names;
  std::erase_if(left_, [&](const auto& each) {
    if (each.first != task) return false;
    names += (names.empty() ? "'" : ", '") + each.second + "'";
    return true;
  });
  if (names.empty()) return std::nullopt;
  return Error{Code::saga_aborted,
               "the task ended without committing saga " + names +
                   ": what it did was undone. Where it has succeeded, `co_await saga.commit()`"};
}

bool RunCore::wait_for_sagas(const detail::PromiseBase* task, detail::SagaWaiter& waiter) {
  bool waits = false;
  for (const auto& each : settling_.all) {
    if (each->task() != task || each->waiter != nullptr) continue;
    each->waiter = &waiter;
    waits = true;
  }
  return waits;
}

void RunCore::settling_ended(const Settling& settling) noexcept {
  const auto at = std::ranges::find_if(settling_.all,
                                       [&](const auto& each) { return each.get() == &settling; });
  // Kept until this returns: it is what called.
  const std::unique_ptr<Settling> ended = std::move(*at);
  settling_.all.erase(at);
  detail::SagaWaiter* const waiter = ended->waiter;
  const bool waits_on =
      std::ranges::any_of(settling_.all, [&](const auto& each) { return each->waiter == waiter; });
  if (waiter != nullptr && !waits_on) waiter->sagas_settled();
}

Error RunCore::stopped_error(const detail::PromiseBase& task) const {
  for (std::uint32_t number = 1; number <= sagas_.size(); ++number)
    if (const RunSaga* const saga = sagas_.find(number); saga->task == &task && saga->stops_with)
      return *saga->stops_with;
  return detail::cancelled_error();
}

// --- Actions -------------------------------------------------------------------------------------

/// A leaf of a saga is opened: its place in the saga is what the order of the code says.
void RunCore::note_member(detail::Leaf& leaf) {
  RunSagas::Member member;
  StoredUndo action;
  SagaRef ref;
  if (leaf.kind() == detail::LeafKind::step) {
    const detail::ToolLeaf* const tool = static_cast<detail::BodyLeaf&>(leaf).tool();
    if (tool == nullptr || tool->member() == nullptr) return;
    ref = tool->member()->saga;
    member.as = tool->member()->as;
    action.what = member.as == SagaMember::As::pivot ? UndoWhat::pivot : UndoWhat::undo;
    action.tool = tool->tool_name();
    action.undo = tool->undo_name();
    action.input_type = tool->input_type();
    action.output_type = tool->type();
  } else if (leaf.kind() == detail::LeafKind::call) {
    ref = static_cast<const detail::WaitLeaf&>(leaf).request().saga;
    if (ref.number == 0) return;
    action.what = UndoWhat::run;
  } else {
    return;
  }
  const journal::StepPath path = path_of(leaf.place());
  action.path.assign(path.components().begin(), path.components().end());
  action.name = leaf.name().text;
  RunSaga* const saga = own_saga(ref);
  if (saga == nullptr) return;  // It is refused as it begins.
  member.saga = ref.number;
  member.refused = saga->log.refuse(static_cast<saga::ActionClass>(member.as));
  if (Result<void> held = sagas_.opened(*saga, std::move(action), std::move(member));
      held.has_error())
    thrown_ = held.error();
}

/// Why a leaf that says that it is a saga's can't begin.
std::optional<Error> RunCore::refuse_member(const SagaRef& ref, const journal::StepPath& path) {
  const RunSagas::Member* const member = sagas_.member(path);
  if (ref.run != facts_.id || member == nullptr) return strange_saga(ref, facts_.id);
  return member->refused;
}

/// The action is about to begin: what undoes it is in the same change as what lets it.
void RunCore::register_action(const journal::StepPath& path, core::ByteView input,
                              std::chrono::milliseconds settle_time, const journal::Arrival* call) {
  RunSagas::Member* const member = sagas_.member(path);
  if (member == nullptr || !member->index) return;
  RunSaga& saga = *sagas_.find(member->saga);
  if (saga.log.entries()[*member->index].registered) return;
  StoredUndo& action = saga.actions[*member->index];
  action.begun = head_.count;
  action.stamp = stamp_;
  action.settle_ms = settle_time.count();
  if (call != nullptr) {
    action.run = call->run;
    action.agent = call->agent;
    action.session_key = call->session_key;
  }
  store_saga(saga);
  saga.log.registered(*member->index);
  journal::UndoRow row = view_of(action);
  row.payload = input;
  effects_.change.put(Table::undos, journal::undo_row(facts_.id, saga.row.number, action.index),
                      row);
}

/// It has its row from here on, and its place in the saga that it is in.
void RunCore::store_saga(RunSaga& saga) {
  if (saga.stored) return;
  if (RunSaga* const parent = sagas_.parent_of(saga)) {
    store_saga(*parent);
    StoredUndo& within = parent->actions[saga.entry];
    within.begun = head_.count;
    within.stamp = stamp_;
    parent->log.registered(saga.entry);
    effects_.change.put(Table::undos, journal::undo_row(facts_.id, parent->row.number, saga.entry),
                        view_of(within));
  }
  put_saga(saga);
  if (saga.row.deadline == 0) return;
  const journal::StepPath path = deadline_path(saga.row.number);
  effects_.change.put(
      Table::due, journal::due_row(saga.row.deadline, facts_.id, path),
      journal::DueRow{journal::DueRow::What::saga, path.components(), 0, saga.row.created});
  arm_deadline(saga);
}

void RunCore::arm_deadline(const RunSaga& saga) {
  if (saga.row.deadline == 0 || !saga.log.is_open()) return;
  const journal::Stamp whole = saga.row.deadline - saga.row.created;
  const journal::Stamp left = std::clamp<journal::Stamp>(
      saga.row.deadline - clock_.wall().time_since_epoch().count(), 0, whole);
  effects_.waits.push_back({journal::DueRow::What::saga, deadline_path(saga.row.number),
                            saga.row.deadline, std::chrono::microseconds(left), false});
}

/// The run ends, and leaves sagas open: a person sees to them.
void RunCore::forget_deadlines_of_sagas() {
  for (const journal::StoredSaga& saga : sagas_.with_deadlines())
    effects_.change.erase(Table::due,
                          journal::due_row(saga.deadline, facts_.id, deadline_path(saga.number)));
}

void RunCore::put_saga(RunSaga& saga) {
  saga.stored = true;
  saga.row.changed = stamp_;
  effects_.change.put(Table::sagas, journal::saga_row(facts_.id, saga.row.number),
                      view_of(saga.row));
}

/// The saga is not open any more.
void RunCore::close_saga(RunSaga& saga, SagaState state) {
  saga.row.state = state;
  if (!saga.stored) return;
  if (saga.row.deadline != 0)
    effects_.change.erase(
        Table::due, journal::due_row(saga.row.deadline, facts_.id, deadline_path(saga.row.number)));
  put_saga(saga);
}

void RunCore::put_undo_state(const RunSaga& saga, std::uint32_t index) {
  effects_.change.put(Table::undos, journal::undo_state_row(facts_.id, saga.row.number, index),
                      state_of(saga.actions[index]));
}

/// The action's outcome has the record `index`. `is_new`: its rows do not say so yet.
void RunCore::action_ended(const journal::StepPath& path, const Error* failure, std::uint32_t index,
                           IsNew is_new) {
  const std::optional<RunSagas::Member> member = sagas_.take_member(path);
  if (!member || !member->index) return;
  RunSaga& saga = *sagas_.find(member->saga);
  const bool registered = saga.log.entries()[*member->index].registered;
  const bool refused =
      !registered || (failure != nullptr && failure->known_effect() == ErrorEffect::refused);
  const saga::UndoEvent event = failure == nullptr ? saga::UndoEvent::happened
                                : refused          ? saga::UndoEvent::refused
                                                   : saga::UndoEvent::failed;
  if (failure == nullptr && !registered) {
    thrown_ = Error{Code::diverged,
                    "step " + path.to_string() + " was recorded outside of saga '" + saga.row.name +
                        "', to which it belongs in the code: nothing says how to undo it. Serve "
                        "the code that it was begun with"};
    return;
  }
  StoredUndo& action = saga.actions[*member->index];
  saga.log.ended(*member->index, event);
  action.state = state_after(event);
  action.ended = index;
  action.changed = stamp_;
  if (failure != nullptr) action.error = *failure;
  if (event == saga::UndoEvent::failed && action.settle_ms != 0)
    action.not_before = stamp_ + action.settle_ms * 1000;
  const bool pivoted = saga.log.state() == SagaState::forward && saga.row.state == SagaState::open;
  if (pivoted) saga.row.state = SagaState::forward;
  if (is_new == IsNew::no || !registered) return;
  put_undo_state(saga, *member->index);
  if (pivoted) put_saga(saga);
}

// --- Commit --------------------------------------------------------------------------------------

void RunCore::begin_commit(Pending& pending) {
  const SagaRef& ref = wait_of(pending).request().saga;
  RunSaga* const saga = own_saga(ref);
  if (saga == nullptr) return settle_wait(pending, strange_saga(ref, facts_.id));
  // Held against a copy: it is applied as its record is, live and on replay.
  saga::UndoLog judged = saga->log;
  if (const Result<void> allowed = judged.commit(); allowed.has_error())
    return settle_wait(pending, allowed.error());
  if (const std::vector<std::uint32_t> rest = saga->log.leftovers(); !rest.empty()) {
    if (const Result<void> sent = send_order(*saga, "rest", rest, {}); sent.has_error())
      return park(sent.error());
  }
  settle_wait(pending, core::Bytes{});
}

void RunCore::committed(RunSaga& saga, std::uint32_t index, IsNew is_new) {
  (void)saga.log.commit();
  saga.log.hand_over_leftovers();
  if (is_new == IsNew::yes) {
    close_saga(saga, SagaState::committed);
  } else {
    saga.row.state = SagaState::committed;
  }
  RunSaga* const parent = sagas_.parent_of(saga);
  if (parent == nullptr) return;
  const bool holds_something = parent->log.entries()[saga.entry].registered;
  const saga::UndoEvent event =
      holds_something ? saga::UndoEvent::happened : saga::UndoEvent::refused;
  StoredUndo& within = parent->actions[saga.entry];
  parent->log.ended(saga.entry, event);
  within.state = state_after(event);
  within.ended = index;
  within.changed = stamp_;
  if (is_new == IsNew::yes && holds_something) put_undo_state(*parent, saga.entry);
}

/// A commit or an undoing was recorded at `index`.
void RunCore::saga_step_ended(const Pending& pending, const Error* failure, std::uint32_t index,
                              IsNew is_new) {
  const detail::WaitRequest& request = wait_of(pending).request();
  RunSaga* const saga = own_saga(request.saga);
  if (saga == nullptr) return;
  if (pending.what.kind == StepKind::commit) {
    if (failure == nullptr) committed(*saga, index, is_new);
    return;
  }
  if (request.save_point) {
    if (failure == nullptr) went_back(*saga, *request.save_point);
    if (failure != nullptr && failure->code == Code::saga_stuck) went_back_in_vain(*saga);
    return;
  }
  if (failure != nullptr && failure->code != Code::saga_stuck) return;
  saga->end = SagaEnd{failure == nullptr ? std::nullopt : std::optional(*failure)};
  saga->known = saga->end;
  if (failure != nullptr) return;
  if (RunSaga* const parent = sagas_.parent_of(*saga))
    parent->log.ended(saga->entry, saga::UndoEvent::refused);
}

/// A result of this step is the record `index`: what that means to the run's sagas.
void RunCore::note_in_sagas(const Pending& pending, const detail::BodyResult& result,
                            std::uint32_t index, IsNew is_new) {
  const Error* const failure = result.has_error() ? &result.assume_error() : nullptr;
  const StepKind kind = pending.what.kind;
  if (kind == StepKind::commit || kind == StepKind::compensate)
    return saga_step_ended(pending, failure, index, is_new);
  if (kind == StepKind::step || kind == StepKind::call)
    action_ended(pending.what.path, failure, index, is_new);
}

/// `saga.compensate()` was awaited: what of it is under way is fenced before anything else happens.
bool RunCore::run_asked_aborts() {
  bool any = false;
  for (const std::uint32_t number : std::exchange(asked_aborts_, {})) {
    RunSaga* const saga = sagas_.find(number);
    if (saga == nullptr || !saga->log.is_open()) continue;
    saga->row.code = Code::saga_aborted;
    saga->row.why = "its handler aborted it";
    abort_with_members(*saga);
    any = true;
  }
  return any;
}

/// A part of it is undone. What is left, also of sagas within, is whoever's who undoes all of it.
void RunCore::went_back_in_vain(RunSaga& saga) {
  saga.log.went_back_in_vain();
  for (RunSaga* const each : sagas_.paid_with(saga.row.number)) {
    if (each == &saga || (each->known && !each->known->stuck)) continue;
    each->ordered = false;
    each->row.paid_with = 0;
  }
}

/// What began in the saga behind `from` is undone.
void RunCore::went_back(RunSaga& saga, std::uint32_t from) {
  saga.log.went_back(from);
  for (std::uint32_t index = from; index < saga.log.save_point(); ++index) {
    RunSaga* const child = saga.actions[index].what == UndoWhat::saga
                               ? sagas_.find(saga.actions[index].saga)
                               : nullptr;
    if (child == nullptr) continue;
    child->ordered = true;
    child->end.emplace();
    child->known.emplace();
  }
}

}  // namespace perdure::actors
