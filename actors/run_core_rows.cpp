/// The run core's rows: attempts, status, the end, the frame's end.
#include "actors/run_core.hpp"

#include "core/assert.hpp"
#include "core/crash_point.hpp"
#include "core/limits.hpp"

#include <algorithm>

namespace perdure::actors {

using journal::Key;
using journal::Pending;
using journal::RunStatus;
using journal::Table;

journal::Attempts* RunCore::attempts_of(const journal::StepPath& path) {
  if (attempts_.empty()) return nullptr;
  const auto found = attempts_.find(path.hash());
  return found == attempts_.end() ? nullptr : &found->second;
}

void RunCore::put_attempts(const journal::Attempts& attempts) {
  journal::AttemptsRow row;
  row.path = attempts.path;
  row.name = attempts.name;
  row.count = attempts.count;
  row.unclean_ends = attempts.unclean_ends;
  if (attempts.first_error) row.first_error = journal::view_of(*attempts.first_error);
  if (attempts.last_error) row.last_error = journal::view_of(*attempts.last_error);
  row.last_stamp = attempts.last_stamp;
  row.next_due = attempts.next_due;
  if (attempts.progress) row.progress = *attempts.progress;
  row.asks = attempts.asks;
  row.asked_ms = attempts.asked_ms;
  row.spent_ms = attempts.spent_ms;
  effects_.change.put(Table::attempts,
                      Key{}.add(facts_.id).add(journal::StepPath(attempts.path).hash()), row);
}

void RunCore::forget_attempts(const journal::StepPath& path, Forget what) {
  journal::Attempts* const attempts = attempts_of(path);
  if (attempts == nullptr) return;
  if (attempts->next_due != 0) {
    effects_.change.erase(Table::due, journal::due_row(attempts->next_due, facts_.id, path));
    attempts->next_due = 0;
  }
  if (what == Forget::due_only) return;
  effects_.change.erase(Table::attempts, Key{}.add(facts_.id).add(path.hash()));
  attempts_.erase(path.hash());
}

/// The step's row, made where there was none, with no time due any more.
journal::Attempts& RunCore::attempts_for(const Pending& pending) {
  forget_attempts(pending.what.path, Forget::due_only);
  const auto path = pending.what.path.components();
  journal::Attempts& attempts = attempts_[pending.what.path.hash()];
  attempts.path.assign(path.begin(), path.end());
  attempts.name = pending.what.name;
  return attempts;
}

/// The journal learns of an attempt that begins only where it has reason to keep count: after a
/// failed attempt, or after the process ended during one.
void RunCore::note_begun(const Pending& pending, const Begin& begin) {
  if (!begin.record_unclean_end && attempts_of(pending.what.path) == nullptr) return;
  journal::Attempts& attempts = attempts_for(pending);
  attempts.count = begin.attempt;
  attempts.last_stamp = 0;
  // What is counted are unclean ends in a row: a clean end in between speaks for the step. A
  // question in between is none.
  if (begin.record_unclean_end) {
    ++attempts.unclean_ends;
  } else if (!pending.asked) {
    attempts.unclean_ends = 0;
  }
  put_attempts(attempts);
}

/// A run that only waits for time leaves `ready`: recovery need not load it before its time.
void RunCore::touch_status() {
  const bool waits = nothing_but_waits();
  const RunStatus status = waits ? RunStatus::waiting : RunStatus::running;
  if (head_.status != status) {
    head_.status = status;
    head_changed_ = true;
  }
  if (waits && in_ready_) effects_.change.erase(Table::ready, Key{}.add(facts_.id));
  if (!waits && !in_ready_)
    effects_.change.put(Table::ready, Key{}.add(facts_.id), journal::ReadyRow{facts_.session});
  in_ready_ = !waits;
  note_circles();
}

/// Where a call is the newest thing that it did, who is called looks for circles, and until then
/// the message is in that session's inbox. Else the row stands in for it, should the process end
/// before this one has looked.
void RunCore::note_circles() {
  const bool calls = waits_for_calls_only();
  if (!calls && circle_due_) {
    effects_.change.erase(Table::due, circle_row(facts_.id));
    circle_due_ = false;
  }
  const bool called_now = std::ranges::any_of(
      effects_.posts, [](const Outgoing& post) { return post.what.caller.has_value(); });
  // A frame that was replayed, and nothing more, has not moved.
  if (!calls || called_now || effects_.change.empty()) return;
  circle_suspected_ = true;
  if (needs_circle_row()) effects_.change.put(Table::due, circle_row(facts_.id), circle_due());
}

void RunCore::finish() {
  Result<core::Bytes> reply = root_->take_reply();
  if (reply.has_value() && reply.assume_value().size() > core::limits::kPayloadBytes)
    reply =
        Error{Code::too_large,
              "the handler's reply has " + std::to_string(reply.assume_value().size()) +
                  " bytes, more than the limit of " + std::to_string(core::limits::kPayloadBytes)};
  stamp_now();
  const bool cancelled =
      cancel_ && reply.has_error() && reply.assume_error().code == Code::cancelled;
  end_with(std::move(reply), cancelled ? RunStatus::cancelled : RunStatus::failed);
  core::crash_point(core::CrashPoint::end_submitted);
  machine_.ended();
  discard_frame();
}

/// The end, and the rows that go with it. `failed_as`: what the run is when `reply` is an error.
/// There may be rows of steps that the code of today does not have.
void RunCore::end_with(Result<core::Bytes> reply, RunStatus failed_as) {
  while (!waits_.empty()) forget_wait(journal::StepPath(waits_.begin()->second.path));
  while (!attempts_.empty()) forget_attempts(journal::StepPath(attempts_.begin()->second.path));
  effects_.change.erase(Table::ready, Key{}.add(facts_.id));
  effects_.change.erase(Table::open, Key{}.add(facts_.session));
  in_ready_ = false;
  part_from_children();
  forget_deadlines_of_sagas();
  if (facts_.deadline != 0) erase_due(journal::DueRow::What::deadline, facts_.deadline);
  if (cancel_) erase_due(journal::DueRow::What::grace, grace_ends_);
  if (std::exchange(circle_due_, false)) effects_.change.erase(Table::due, circle_row(facts_.id));
  budget_.settle_all();
  record_end(std::move(reply), failed_as);
}

/// The end record, and the word to whoever waits for it.
void RunCore::record_end(Result<core::Bytes> reply, RunStatus failed_as) {
  journal::RunEnded record;
  record.stamp = stamp_;
  record.type = reply_type_;
  if (reply.has_error()) {
    std::string& message = reply.assume_error().message;
    if (message.size() > core::limits::kErrorMessageBytes)
      message.resize(core::limits::kErrorMessageBytes);
    record.error = journal::view_of(reply.assume_error());
  } else {
    record.payload = reply.assume_value();
  }
  effects_.change.append(facts_.id, head_.count++, record);
  head_.status = reply.has_error() ? failed_as : RunStatus::completed;
  head_.stamp = stamp_;
  head_changed_ = true;
  effects_.ended = head_.status;
  if (!facts_.caller) return;
  journal::Arrival told;
  told.what = journal::ArrivalRow::What::reply;
  told.agent = facts_.caller->agent;
  told.session_key = facts_.caller->session_key;
  told.run = facts_.caller->run;
  told.path = facts_.caller->path;
  told.other = facts_.id;
  told.stamp = stamp_;
  effects_.posts.push_back({facts_.caller->session, std::move(told), std::move(reply)});
}

/// Whether the agent would rather have the run end. What an exception means is known only where the
/// handler goes where it never was: in a replay it may be the code that is wrong.
bool RunCore::fails_for(const Error& why) const noexcept {
  if (why.code == Code::diverged) return on_divergence_ == WhenStuck::fail;
  return why.code == Code::handler_threw && on_exception_ == WhenStuck::fail &&
         (machine_.state() == journal::MachineState::running ||
          (on_new_ground() && head_.status != RunStatus::parked));
}

void RunCore::park(Error why) {
  if (fails_for(why)) {
    // What the code does not match is not held against it: nothing is undone because of that.
    if (why.code == Code::handler_threw)
      abort_for_end({journal::kAllSagas, Code::saga_aborted, {}, "its handler failed"});
    return end_now(std::move(why), RunStatus::failed);
  }
  // A change of words is worth a record; the same park found again at the next start is not.
  if (head_.status != RunStatus::parked || head_.code != why.code || head_.reason != why.message) {
    stamp_now();
    head_.status = RunStatus::parked;
    head_.code = why.code;
    head_.reason = why.message;
    head_.stamp = stamp_;
    head_changed_ = true;
  }
  if (!in_ready_) {
    effects_.change.put(Table::ready, Key{}.add(facts_.id), journal::ReadyRow{facts_.session});
    in_ready_ = true;
  }
  effects_.parked = std::move(why);
  state_.drop_dirty();
  machine_.close();
  if (idle()) discard_frame();
}

void RunCore::close() {
  closing_ = true;
  for (const Pending* const pending : machine_.pending())
    if (pending->phase() == Pending::Phase::active) body_of(*pending).stop_source().request_stop();
  if (machine_.state() == journal::MachineState::waiting) return;
  machine_.close();
  if (idle()) discard_frame();
}

void RunCore::abandon() {
  abandoned_ = true;
  close();
}

/// The pool has stopped, or nothing becomes durable any more: ordering the body again would go
/// round in a circle.
void RunCore::never_ran(Pending& pending, const BodyCompletion& completion) {
  using journal::EffectClass;
  machine_.set_phase(pending, Pending::Phase::opened);
  const bool start_matters = pending.started_as == EffectClass::at_most_once ||
                             pending.started_as == EffectClass::queryable;
  if (start_matters && completion.never_ran && !completion.asked)
    plan_retry(pending,
               Error{Code::closed, "the runtime stopped before the body had begun", true,
                     std::nullopt, ErrorEffect::refused},
               std::chrono::milliseconds(0));
  close();
}

/// It can't be recorded, as if the process had ended behind the body: the step's class decides at
/// the next start.
void RunCore::result_lost(Pending& pending, const Error& why) {
  effects_.logs.push_back({LogLevel::error, "result_lost",
                           "the result of '" + std::string(pending.what.name) +
                               "' is too large for a record and could not be stored as a blob; the "
                               "run goes on from its journal at the next start: " +
                               why.to_string(),
                           pending.what.path.to_string()});
  machine_.set_phase(pending, Pending::Phase::opened);
  close();
}

/// A body that failed after it was asked to stop because the runtime ends. It failed for no reason
/// of its own, so it runs again at the next start; where that is not allowed, its failure is the
/// step's outcome.
void RunCore::stopped_by_close(Pending& pending, const detail::BodyResult& result,
                               std::int64_t busy_us) {
  if (pending.started_as != journal::EffectClass::at_most_once) return;
  const Error& error = result.assume_error();
  if (error.known_effect() == ErrorEffect::refused) {
    plan_retry(pending, error, std::chrono::milliseconds(0));
    return;
  }
  record_result(pending, result, busy_us);
  machine_.delivered(pending);
}

/// From here on every destructor of Perdure's in the frame finds the run discarding and does
/// nothing.
void RunCore::discard_frame() {
  forget_runnables();
  RunCore* const before = enter_handler();
  set_discarding(true);
  stopped_waits_.clear();
  root_.reset();
  settling_.clear();
  left_.clear();
  set_discarding(false);
  leave_handler(before);
  machine_.suspended();
}

void RunCore::handler_threw(const char* what) noexcept {
  thrown_ =
      Error{Code::handler_threw,
            std::string("an exception escaped the handler: ") + what +
                ". Catch it, or throw pd::Exception to fail the run; the run goes on from its "
                "journal when the runtime starts with repaired code"};
}

void RunCore::log(std::string_view message) {
  if (machine_.state() != journal::MachineState::running) return;
  effects_.logs.push_back({LogLevel::info, "handler", std::string(message), {}});
}

RunEffects RunCore::take_effects() {
  if (abandoned_) {
    head_changed_ = false;
    effects_ = RunEffects(host_.new_change());
  } else {
    budget_.put(effects_.change);
  }
  if (machine_.state() == journal::MachineState::running && !thrown_) passed_ = head_.count;
  if (std::exchange(head_changed_, false))
    effects_.change.put(Table::records, Key{}.add(facts_.id).add(journal::kHeadIndex), head_row());
  return std::exchange(effects_, RunEffects(host_.new_change()));
}

}  // namespace perdure::actors
