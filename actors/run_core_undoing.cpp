/// The run core's sagas, once they are aborted: who is told to undo what, and who waits for it.
#include "actors/run_core.hpp"

#include "core/ids.hpp"
#include "core/limits.hpp"
#include "saga/pay_order.hpp"

#include <algorithm>

namespace perdure::actors {

using journal::Pending;
using journal::SagaState;
using journal::StepKind;
using journal::StoredUndo;
using journal::UndoState;
using journal::UndoWhat;
using What = journal::ArrivalRow::What;

namespace {

/// Why the saga is aborted, and who wanted it.
void note_order(RunSaga& saga, const AbortOrder& order) {
  saga.row.code = order.code;
  saga.row.who = order.who;
  saga.row.why = order.why;
}

}  // namespace

// --- Undoing -------------------------------------------------------------------------------------

/// The saga is aborted, with those within it; what of them is under way is fenced.
void RunCore::abort_with_members(RunSaga& saga) {
  const std::vector<std::uint32_t> aborted = sagas_.abort_saga(saga);
  for (const journal::StepPath& path : sagas_.members_of(aborted)) {
    Pending* const pending = machine_.find(path.components());
    if (pending == nullptr) continue;
    (void)sagas_.take_member(path);
    const bool running = machine_.state() == journal::MachineState::running;
    if (running && pending->phase() == Pending::Phase::active) effects_.fenced.push_back(path);
    if (running) forget_attempts(path);
    Error why{Code::saga_aborted, "saga '" + saga.row.name +
                                      "' was aborted while this was under way: it is undone, "
                                      "whether it has happened or not"};
    drop_wait(*pending, std::move(why));
  }
}

/// Nothing was registered, so nothing is owed and nobody outside has to know.
void RunCore::settle_in_place(RunSaga& saga) {
  saga.ordered = true;
  saga.row.paid_with = saga.row.number;
  saga.end.emplace();
  saga.known.emplace();
  if (RunSaga* const parent = sagas_.parent_of(saga))
    parent->log.ended(saga.entry, saga::UndoEvent::refused);
}

/// Tells the payer what is to be undone. Errors: as Reader.
Result<void> RunCore::send_order(RunSaga& saga, const std::string& what,
                                 const std::vector<std::uint32_t>& owed,
                                 const journal::StepPath& step) {
  note_fenced(saga, owed);
  std::vector<RunSaga*> within;
  saga::PayOrder order =
      sagas_.order({facts_.id, facts_.agent, facts_.session_key}, saga, what, owed, within);
  for (RunSaga* const each : within) {
    each->row.code = saga.row.code;
    each->row.why = "saga '" + saga.row.name + "', which it is in, " +
                    (what == "back" ? "went back" : "was aborted");
    close_saga(*each, SagaState::compensating);
  }
  order.step.assign(step.components().begin(), step.components().end());
  order.forward = what == "abort" && saga.log.state() == SagaState::stuck;
  const std::string key = journal::saga_id(facts_.id, saga.row.number);
  PERDURE_TRY(const journal::SessionId to, host_.resolve(std::string(journal::kSagaAgent), key));
  Outgoing message{to, {}, {}};
  journal::Arrival& arrival = message.what;
  arrival.what = What::message;
  arrival.agent = journal::kSagaAgent;
  arrival.session_key = key;
  arrival.name = saga::kPayHandler;
  arrival.type = type_name<saga::PayOrder>();
  PERDURE_TRY(arrival.payload.bytes, encode(order));
  arrival.agent_version = 1;
  arrival.message_key = what == "back" ? "back " + step.to_string() : what;
  arrival.run = core::draw_run_id(clock_, random_);
  arrival.stamp = stamp_;
  effects_.posts.push_back(std::move(message));
  return success();
}

/// What was under way as the saga was aborted has no record that says so.
void RunCore::note_fenced(RunSaga& saga, const std::vector<std::uint32_t>& owed) {
  for (const std::uint32_t index : owed) {
    StoredUndo& action = saga.actions[index];
    if (action.what == UndoWhat::saga) {
      if (RunSaga* const child = sagas_.find(action.saga); child != nullptr && !child->ordered)
        note_fenced(*child, child->log.owed());
      continue;
    }
    if (action.state != UndoState::registered) continue;
    action.state = UndoState::unknown;
    action.changed = stamp_;
    if (action.settle_ms != 0) action.not_before = stamp_ + action.settle_ms * 1000;
    put_undo_state(saga, index);
  }
}

/// An aborted saga is handed to its payer, unless that was done. Errors: as Reader.
Result<void> RunCore::order_undoing(RunSaga& of) {
  RunSaga& saga = sagas_.outermost_unordered(of);
  if (saga.ordered) return success();
  if (saga.log.has_gone_back_in_vain()) {
    PERDURE_TRY(journal::Reader reader, host_.reader());
    PERDURE_TRY(sagas_.note_paid(reader, saga));
  }
  const std::vector<std::uint32_t> owed = saga.log.owed();
  saga.ordered = true;
  saga.row.paid_with = saga.row.number;
  if (owed.empty() && saga.log.state() != SagaState::stuck) {
    close_saga(saga, SagaState::compensated);
    settle_in_place(saga);
    return success();
  }
  PERDURE_TRY(send_order(saga, "abort", owed, {}));
  close_saga(saga,
             saga.log.state() == SagaState::stuck ? SagaState::stuck : SagaState::compensating);
  return success();
}

void RunCore::begin_compensate(Pending& pending) {
  const bool found = std::exchange(pending.found_unfinished, false);
  const detail::WaitRequest& request = wait_of(pending).request();
  if (request.what == detail::WaitRequest::What::abort_saga) return begin_ask(pending, found);
  RunSaga* const saga = own_saga(request.saga);
  if (saga == nullptr) return settle_wait(pending, strange_saga(request.saga, facts_.id));
  const auto row = waits_.find(pending.what.path.hash());
  const bool waits_already = found && row != waits_.end();
  if (request.save_point) {
    if (waits_already) return wait_for(pending, row->second);
    return begin_going_back(pending, *saga);
  }
  if (saga->log.state() == SagaState::committed)
    return settle_wait(pending, saga_misuse("saga '" + saga->row.name +
                                            "' is committed: nothing of it is undone any more"));
  if (!waits_already)
    if (const Result<void> ordered = order_undoing(*saga); ordered.has_error())
      return park(ordered.error());
  const RunSaga* const payer = sagas_.find(saga->row.paid_with);
  const std::optional<SagaEnd>& end = payer != nullptr && payer->known ? payer->known : saga->known;
  if (end) {
    if (end->stuck) return settle_wait(pending, *end->stuck);
    return settle_wait(pending, core::Bytes{});
  }
  wait_for_payer(pending);
}

void RunCore::wait_for_payer(Pending& pending) {
  journal::Wait wait;
  wait.kind = StepKind::compensate;
  wait.name = pending.what.name;
  wait.begun = stamp_;
  wait_for(pending, std::move(wait));
}

void RunCore::begin_going_back(Pending& pending, RunSaga& saga) {
  const detail::WaitRequest& request = wait_of(pending).request();
  const std::string named = "saga '" + saga.row.name + "' ";
  if (request.child.run != to_string(facts_.id) ||
      request.child.step != std::vector<std::uint32_t>{saga.row.number} ||
      *request.save_point > saga.log.save_point())
    return settle_wait(pending,
                       saga_misuse(named + "has no such save-point: it is another saga's"));
  if (std::optional<Error> closed = saga.log.refuse(saga::ActionClass::undoable))
    return settle_wait(pending, std::move(*closed));
  for (std::uint32_t index = *request.save_point; index < saga.log.save_point(); ++index)
    if (saga.log.entries()[index].state == UndoState::registered)
      return settle_wait(pending,
                         saga_misuse(named + "can't go back while one of its steps, or a saga "
                                             "in it, is under way: await all of them first"));
  const std::vector<std::uint32_t> owed = saga.log.owed(*request.save_point);
  if (owed.empty()) return settle_wait(pending, core::Bytes{});
  for (const std::uint32_t index : owed)
    if (RunSaga* const child = saga.actions[index].what == UndoWhat::saga
                                   ? sagas_.find(saga.actions[index].saga)
                                   : nullptr;
        child != nullptr && child->log.state() == SagaState::committed) {
      (void)sagas_.abort_saga(*child);
    }
  if (const Result<void> sent = send_order(saga, "back", owed, pending.what.path); sent.has_error())
    return park(sent.error());
  wait_for_payer(pending);
}

/// Of the payer alone: another session is asked to undo what a run of it did.
void RunCore::begin_ask(Pending& pending, bool found) {
  const auto row = waits_.find(pending.what.path.hash());
  if (found && row != waits_.end()) return wait_for(pending, row->second);
  const detail::WaitRequest& request = wait_of(pending).request();
  const Result<journal::SessionId> to = host_.resolve(request.agent, request.session_key);
  if (to.has_error()) return park(to.error());
  Outgoing word{to.assume_value(), {}, {}};
  word.what.what = What::abort_saga;
  word.what.agent = request.agent;
  word.what.session_key = request.session_key;
  const Result<RunId> run = RunId::parse(request.child.run);
  if (run.has_error()) return settle_wait(pending, run.error());
  word.what.run = run.assume_value();
  word.what.saga = request.saga.number == 0 ? journal::kAllSagas : request.saga.number;
  word.what.name = request.message_key;
  word.what.who = request.by;
  word.what.why = request.why;
  word.what.stamp = stamp_;
  word.what.caller = journal::CallerInfo{facts_.session, facts_.agent,      facts_.session_key,
                                         facts_.id,      pending.what.path, {}};
  wait_for_payer(pending);
  effects_.posts.push_back(std::move(word));
}

void RunCore::saga_told(std::uint32_t number, const journal::StepPath& path,
                        const std::optional<Error>& stuck) {
  if (machine_.state() != journal::MachineState::running) return;
  stamp_now();
  const auto outcome = [&]() -> detail::BodyResult {
    if (stuck) return *stuck;
    return core::Bytes{};
  };
  if (!path.components().empty()) {
    Pending* const pending = machine_.find(path.components());
    if (pending == nullptr || pending->what.kind != StepKind::compensate ||
        !waits_.contains(path.hash()))
      return;
    settle_wait(*pending, outcome());
    return settle();
  }
  for (RunSaga* const each : sagas_.paid_with(number)) each->known = SagaEnd{stuck};
  for (;;) {
    const auto& all = machine_.pending();
    const auto waits = std::ranges::find_if(all, [&](const Pending* each) {
      if (each->what.kind != StepKind::compensate || each->phase() != Pending::Phase::waiting)
        return false;
      const detail::WaitRequest& request = wait_of(*each).request();
      const RunSaga* const saga = own_saga(request.saga);
      return saga != nullptr && !request.save_point && saga->row.paid_with == number;
    });
    if (waits == all.end() || machine_.state() != journal::MachineState::running) break;
    settle_wait(**waits, outcome());
  }
  settle();
}

// --- Aborts from outside -------------------------------------------------------------------------

void RunCore::abort_sagas(const AbortOrder& order) {
  if (closing_ || abandoned_ || head_.status >= journal::RunStatus::completed) return;
  const bool live = machine_.state() == journal::MachineState::running;
  if (!record_abort(order)) return;
  if (live) {
    apply_abort(order);
    if (const Result<void> ordered = order_all(); ordered.has_error()) return park(ordered.error());
    pump();
    return settle();
  }
  mark_aborted(order);
  if (const Result<void> ordered = order_all(); ordered.has_error()) park(ordered.error());
  for (Pending* const pending : machine_.pending()) {
    const bool runs = pending->phase() == Pending::Phase::active;
    detail::ToolLeaf* const tool = runs ? body_of(*pending).tool() : nullptr;
    if (tool != nullptr && tool->member() != nullptr) effects_.fenced.push_back(pending->what.path);
  }
}

/// The run is about to end, and somebody wants its sagas undone.
void RunCore::abort_for_end(const AbortOrder& order) {
  if (record_abort(order)) mark_aborted(order);
  // An exception has abandoned others as it left the handler.
  if (const Result<void> ordered = order_all(); ordered.has_error())
    effects_.logs.push_back({LogLevel::error, "saga_unreadable", ordered.error().message, {}});
}

/// False: it has none that it is about.
bool RunCore::record_abort(const AbortOrder& order) {
  if (machine_.state() != journal::MachineState::running) sagas_.take_what_is_stored();
  bool any = false;
  for (std::uint32_t number = 1; number <= sagas_.size(); ++number)
    any |= is_target(*sagas_.find(number), order.saga);
  if (!any) return false;
  stamp_now();
  effects_.change.append(
      facts_.id, head_.count++,
      journal::SagaAborted{order.saga, order.code, order.who, order.why, stamp_});
  head_.stamp = stamp_;
  head_changed_ = true;
  return true;
}

/// In the logs alone: no handler is told.
void RunCore::mark_aborted(const AbortOrder& order) {
  for (std::uint32_t number = 1; number <= sagas_.size(); ++number) {
    RunSaga* const saga = sagas_.find(number);
    if (!is_target(*saga, order.saga)) continue;
    note_order(*saga, order);
    (void)sagas_.abort_saga(*saga);
  }
}

Result<void> RunCore::order_all() {
  for (std::uint32_t number = 1; number <= sagas_.size(); ++number) {
    RunSaga& saga = *sagas_.find(number);
    const bool aborted =
        saga.log.state() == SagaState::compensating || saga.log.state() == SagaState::stuck;
    if (aborted && !saga.ordered) PERDURE_TRY(order_undoing(saga));
  }
  return success();
}

Result<void> RunCore::undo_ended(const AbortOrder& order, bool committed_too) {
  stamp_now();
  sagas_.take_what_is_stored();
  for (std::uint32_t number = 1; number <= sagas_.size(); ++number) {
    RunSaga& saga = *sagas_.find(number);
    const bool asked = order.saga == number || (order.saga == journal::kAllSagas &&
                                                (saga.row.parent == 0 || saga.row.parent_run));
    const bool is_committed = saga.log.state() == SagaState::committed;
    if (!asked || !saga.stored || !(is_target(saga, order.saga) || (is_committed && committed_too)))
      continue;
    note_order(saga, order);
    (void)sagas_.abort_saga(saga);
  }
  return order_all();
}

bool RunCore::is_target(const RunSaga& saga, std::uint32_t asked) const {
  if (asked != journal::kAllSagas && saga.row.number != asked) return false;
  return saga.log.state() == SagaState::open ||
         (saga.log.state() == SagaState::forward && asked == saga.row.number);
}

/// The one delivery of an abort: the saga is aborted, and the task that began it ends.
void RunCore::apply_abort(const AbortOrder& order) {
  for (std::uint32_t number = 1; number <= sagas_.size(); ++number) {
    RunSaga* const saga = sagas_.find(number);
    if (!is_target(*saga, order.saga)) continue;
    note_order(*saga, order);
    std::string words = "saga '" + saga->row.name + "' was aborted";
    if (!order.who.empty()) words += " by " + order.who;
    if (!order.why.empty()) words += ": " + order.why;
    saga->stops_with = Error{order.code, std::move(words)};
    abort_with_members(*saga);
    if (saga->task != nullptr) saga->task->request_stop();
  }
}

void RunCore::saga_due(std::uint32_t number) {
  const bool live = machine_.state() == journal::MachineState::running;
  if (!live) sagas_.take_what_is_stored();
  RunSaga* const saga = sagas_.find(number);
  if (saga == nullptr || saga->log.state() != SagaState::open) return;
  if (!live && !saga->row.reaches_parked) return;
  abort_sagas({number, Code::timeout, "deadline", "its deadline has passed"});
}

}  // namespace perdure::actors
