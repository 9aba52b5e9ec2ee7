/// The run core's mail: calls, sends and children.
#include <perdure/child.hpp>

#include "actors/registry.hpp"
#include "actors/run_core.hpp"

#include "core/ids.hpp"
#include "core/limits.hpp"

#include <algorithm>

namespace perdure::actors {
namespace {

using detail::WaitRequest;
using detail::WaitUntil;
using journal::Key;
using journal::Pending;
using journal::StepKind;
using journal::Table;
using What = journal::ArrivalRow::What;

/// How `callee` ended, for the run that called or started it, which was not cancelled with it.
detail::BodyResult seen_by_caller(const RunId& callee, const detail::BodyResult& result) {
  if (!result.has_error() || result.assume_error().code != Code::cancelled) return result;
  Error error = result.assume_error();
  error.code = Code::peer_cancelled;
  error.message = "run " + to_string(callee) + ", which was called or started: " + error.message;
  return error;
}

/// A word for the child's session: its run is to end.
Outgoing cancel_of(const journal::SessionId& session, const std::string& agent,
                   const std::string& session_key, const RunId& run) {
  Outgoing word{session, {}, {}};
  word.what.what = What::cancel;
  word.what.agent = agent;
  word.what.session_key = session_key;
  word.what.run = run;
  return word;
}

}  // namespace

/// What the pending call, send or spawn has to say. Errors: as Reader, and `misuse`.
Result<Outgoing> RunCore::message_of(const Pending& pending) {
  const WaitRequest& request = wait_of(pending).request();
  if (request.input.size() > core::limits::kPayloadBytes)
    return Error{Code::too_large, "the message has " + std::to_string(request.input.size()) +
                                      " bytes, more than the limit of " +
                                      std::to_string(core::limits::kPayloadBytes)};
  PERDURE_TRY(check_name("session's key", request.session_key, core::limits::kKeyBytes));
  if (!request.message_key.empty())
    PERDURE_TRY(check_name("message's key", request.message_key, core::limits::kKeyBytes));
  PERDURE_TRY(const journal::SessionId to, host_.resolve(request.agent, request.session_key));
  Outgoing outgoing{to, {}, {}};
  journal::Arrival& what = outgoing.what;
  what.what = request.what == WaitRequest::What::signal ? What::signal : What::message;
  what.agent = request.agent;
  what.session_key = request.session_key;
  what.name = request.handler;
  what.type = request.input_type.substr(0, core::limits::kKeyBytes);
  what.payload.bytes = request.input;
  what.stamp = stamp_;
  if (what.what == What::signal) return outgoing;
  what.message_key = request.message_key;
  what.agent_version = static_cast<std::uint32_t>(request.agent_version);
  what.run = core::draw_run_id(clock_, random_);
  if (request.not_before) {
    what.due = stamp_of(*request.not_before, stamp_);
    what.by_wall_clock = request.not_before->counted == WaitUntil::Counted::by_wall_clock;
    what.sent_at = clock_.elapsed();
  }
  if (pending.what.kind == StepKind::send) return outgoing;
  if (facts_.payers.size() >= core::limits::kNestedBudgets)
    return Error{Code::misuse, "run " + to_string(facts_.id) + " is held to " +
                                   std::to_string(facts_.payers.size()) +
                                   " budgets, its own and those of the runs that it works for, "
                                   "and can start no others: nest fewer of them"};
  what.caller = journal::CallerInfo{facts_.session,    facts_.agent,  facts_.session_key, facts_.id,
                                    pending.what.path, facts_.payers, request.saga.number};
  return outgoing;
}

void RunCore::begin_send(Pending& pending) {
  const WaitRequest& request = wait_of(pending).request();
  if (request.what == WaitRequest::What::cancel) {
    const Result<ChildState*> child = own_child(request.child);
    if (child.has_error()) return settle_wait(pending, child.error());
    if (child.assume_value() == nullptr) return settle_wait(pending, stray(request.child));
    cancel_child(*child.assume_value(), request.by, request.why, request.grace);
    return settle_wait(pending, core::Bytes{});
  }
  Result<Outgoing> message = message_of(pending);
  if (message.has_error()) return settle_wait(pending, message.error());
  effects_.posts.push_back(std::move(message).assume_value());
  settle_wait(pending, core::Bytes{});
}

void RunCore::begin_call(Pending& pending) {
  const bool found = std::exchange(pending.found_unfinished, false);
  const auto row = waits_.find(pending.what.path.hash());
  if (found && row != waits_.end()) return wait_for(pending, row->second);
  const detail::SagaRef& saga = wait_of(pending).request().saga;
  if (saga.number != 0)
    if (std::optional<Error> refused = refuse_member(saga, pending.what.path))
      return settle_wait(pending, std::move(*refused));
  Result<Outgoing> message = message_of(pending);
  if (message.has_error()) return settle_wait(pending, message.error());
  if (saga.number != 0)
    register_action(pending.what.path, {}, std::chrono::milliseconds(0),
                    &message.assume_value().what);
  journal::Wait wait;
  wait.kind = StepKind::call;
  wait.name = pending.what.name;
  wait.begun = stamp_;
  wait.session = message.assume_value().to;
  wait.run = message.assume_value().what.run;
  wait_for(pending, std::move(wait));
  effects_.posts.push_back(std::move(message).assume_value());
}

/// Its record names the child, and goes with the message and the child's row.
void RunCore::begin_spawn(Pending& pending) {
  Result<Outgoing> message = message_of(pending);
  if (message.has_error()) return settle_wait(pending, message.error());
  const WaitRequest& request = wait_of(pending).request();
  const auto path = pending.what.path.components();
  Outgoing& outgoing = message.assume_value();
  ChildState child;
  child.row.path.assign(path.begin(), path.end());
  child.row.session = outgoing.to;
  child.row.agent = request.agent;
  child.row.session_key = request.session_key;
  child.row.run = *outgoing.what.run;
  child.row.parent_end = static_cast<journal::ParentEnd>(request.parent_ends);
  put_child(child);
  const detail::ChildRef ref{request.agent, request.session_key, request.handler,
                             to_string(child.row.run), child.row.path};
  children_.emplace(pending.what.path.hash(), std::move(child));
  effects_.posts.push_back(std::move(outgoing));
  settle_wait(pending, encode(ref));
}

void RunCore::begin_join(Pending& pending) {
  const detail::ChildRef& ref = wait_of(pending).request().child;
  const bool found = std::exchange(pending.found_unfinished, false);
  const Result<ChildState*> own = own_child(ref);
  if (own.has_error()) return settle_wait(pending, own.error());
  ChildState* const child = own.assume_value();
  if (child == nullptr) return settle_wait(pending, stray(ref));
  if (!child->row.ended) {
    const auto row = waits_.find(pending.what.path.hash());
    if (found && row != waits_.end()) return wait_for(pending, row->second);
    journal::Wait wait;
    wait.kind = StepKind::join;
    wait.name = pending.what.name;
    wait.begun = stamp_;
    wait.session = child->row.session;
    wait.run = child->row.run;
    return wait_for(pending, std::move(wait));
  }
  if (child->result || child->row.error) {
    const detail::BodyResult result = child->result ? *child->result : *child->row.error;
    return settle_wait(pending, result);
  }
  const RunId ended = child->row.run;
  const Result<std::optional<RunEnd>> end = host_.end_of_any(ended);
  if (end.has_error()) return settle_wait(pending, end.error());
  if (end.assume_value())
    return settle_wait(pending, seen_by_caller(ended, end.assume_value()->reply));
  settle_wait(pending, Error{Code::corrupt, "run " + to_string(ended) +
                                                " told of its end and has none: run `perdure "
                                                "verify`"});
}

Error RunCore::stray(const detail::ChildRef& ref) const {
  return Error{Code::misuse,
               "run " + ref.run + " is no child of run " + to_string(facts_.id) +
                   ": a ChildRun means something in the run alone that spawned it",
               std::nullopt, std::nullopt, ErrorEffect::refused};
}

/// Null: it is another run's. What was attached to a run that was there has that one's id when it
/// has ended, and its own was never a run's. Errors: as Reader.
Result<ChildState*> RunCore::own_child(const detail::ChildRef& ref) {
  PERDURE_TRY(const RunId run, RunId::parse(ref.run));
  ChildState* const child = find_child(journal::StepPath(ref.step));
  if (child == nullptr || child->row.run == run) return child;
  if (!child->row.ended || child->row.agent != ref.agent ||
      child->row.session_key != ref.session_key)
    return nullptr;
  PERDURE_TRY(const std::optional<RunEnd> end, host_.end_of_any(run));
  return end ? nullptr : child;
}

void RunCore::reply(const journal::StepPath& path, const RunId& from,
                    const detail::BodyResult& result) {
  if (machine_.state() != journal::MachineState::running) return;
  stamp_now();
  if (ChildState* const child = find_child(path)) {
    child_ended(*child, from, result);
    return settle();
  }
  Pending* const pending = machine_.find(path.components());
  if (pending == nullptr || pending->what.kind != StepKind::call || !waits_.contains(path.hash()))
    return;
  settle_wait(*pending, seen_by_caller(from, result));
  settle();
}

void RunCore::child_ended(ChildState& child, const RunId& from, const detail::BodyResult& result) {
  child.row.ended = true;
  // Its message may have been attached to a run that was there.
  const bool was_refused = from == child.row.run && result.has_error() &&
                           result.assume_error().known_effect() == ErrorEffect::refused;
  child.row.run = from;
  if (was_refused) child.row.error = result.assume_error();
  child.result = seen_by_caller(from, result);
  put_child(child);
  const detail::BodyResult outcome = *child.result;
  const std::vector<std::uint32_t> spawned_at = child.row.path;
  // What a join wakes may end others, or begin them: each round looks again.
  for (;;) {
    const auto& all = machine_.pending();
    const auto joined = std::ranges::find_if(all, [&](const Pending* each) {
      return each->what.kind == StepKind::join && each->phase() == Pending::Phase::waiting &&
             wait_of(*each).request().child.step == spawned_at;
    });
    if (joined == all.end() || machine_.state() != journal::MachineState::running) return;
    settle_wait(**joined, outcome);
  }
}

ChildState* RunCore::find_child(const journal::StepPath& spawned_at) {
  const auto found = children_.find(spawned_at.hash());
  return found == children_.end() ? nullptr : &found->second;
}

void RunCore::put_child(const ChildState& child) {
  effects_.change.put(Table::children,
                      Key{}.add(facts_.id).add(journal::StepPath(child.row.path).hash()),
                      journal::view_of(child.row));
}

/// Whether it had children, ended or not, that its end waits for: their rows stay as long as it.
bool RunCore::has_children_to_wait_for() const noexcept {
  return std::ranges::any_of(children_, [](const auto& each) {
    return each.second.row.parent_end == journal::ParentEnd::wait;
  });
}

bool RunCore::waits_for_children() const noexcept {
  return root_ != nullptr && root_->ended() && std::ranges::any_of(children_, [](const auto& each) {
           const journal::Child& child = each.second.row;
           return !child.ended && child.parent_end == journal::ParentEnd::wait;
         });
}

void RunCore::cancel_child(const ChildState& child, const std::string& who, const std::string& why,
                           std::chrono::milliseconds grace) {
  if (child.row.ended) return;
  Outgoing word =
      cancel_of(child.row.session, child.row.agent, child.row.session_key, child.row.run);
  word.what.who = who.empty() ? "run " + to_string(facts_.id) : who;
  word.what.why = why;
  word.what.grace_ms = grace.count();
  word.what.stamp = stamp_;
  effects_.posts.push_back(std::move(word));
}

/// To the children that this run does not end without.
void RunCore::pass_cancel_on(const CancelOrder& order) {
  for (const auto& [hash, child] : children_)
    if (child.row.parent_end == journal::ParentEnd::wait)
      cancel_child(child, order.who, order.why, order.grace);
}

/// The run has ended: who is not abandoned and has not ended is cancelled.
void RunCore::part_from_children() {
  for (const auto& [hash, child] : children_) {
    if (child.row.parent_end != journal::ParentEnd::abandon)
      cancel_child(child, {}, "the run that had started it has ended", CancelOptions{}.grace);
    effects_.change.erase(Table::children, Key{}.add(facts_.id).add(hash));
  }
  children_.clear();
}

}  // namespace perdure::actors
