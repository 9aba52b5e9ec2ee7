/// The run core's steps: an attempt begins, and what becomes of it when it has ended.
#include "actors/run_core.hpp"

#include "core/crash_point.hpp"

namespace perdure::actors {

using journal::Pending;
using journal::Table;

namespace {

/// Why a step with a body can't begin.
std::optional<Error> refuse_body(detail::BodyLeaf& leaf) {
  const Effect effect = leaf.options().effect;
  if (effect == Effect::transactional && !leaf.transacts())
    return Error{Code::misuse, "step '" + leaf.name().text +
                                   "' is no transaction: `ctx.transact` is what has the effect "
                                   "class transactional"};
  if (effect == Effect::queryable && leaf.tool() == nullptr)
    return Error{Code::misuse, "step '" + leaf.name().text +
                                   "' has nobody to ask: the effect class queryable is for tools "
                                   "with a `find`"};
  return refuse_step(leaf);
}

}  // namespace

void RunCore::begin_opened(Pending& pending) {
  if (pending.what.kind != journal::StepKind::step) return begin_wait(pending);
  detail::BodyLeaf& leaf = body_of(pending);
  journal::Attempts* const attempts = attempts_of(pending.what.path);
  Begin begin;
  std::optional<Error> refused = refuse_body(leaf);
  const detail::SagaMember* const member = leaf.tool() != nullptr ? leaf.tool()->member() : nullptr;
  if (!refused && member != nullptr) refused = refuse_member(member->saga, pending.what.path);
  if (refused) {
    begin.what = Begin::What::settle;
    begin.error = std::move(refused);
  } else {
    bool can_ask = false;
    if (detail::ToolLeaf* const tool = leaf.tool()) {
      const auto served = host_.tool(*tool);
      if (served.has_error()) return not_served(pending, served.error());
      if (member != nullptr && member->as == detail::SagaMember::As::undoable)
        if (const Result<void> checked = host_.check_undo(*tool); checked.has_error())
          return park(checked.error());
      tool->adopt(*served.assume_value());
      can_ask = served.assume_value()->find != nullptr;
    }
    stamp_now();
    begin = begin_step({pending, leaf.options().effect, can_ask, attempts,
                        pending.found_unfinished ? last_end_ : LastEnd::none, stamp_});
  }
  pending.found_unfinished = false;
  switch (begin.what) {
    case Begin::What::run: order_body(pending, begin); return;
    case Begin::What::ask: order_question(pending, begin); return;
    case Begin::What::wait:
      machine_.set_phase(pending, Pending::Phase::backoff);
      effects_.waits.push_back(
          {journal::DueRow::What::retry, pending.what.path, attempts->next_due, begin.wait, false});
      return;
    case Begin::What::settle: {
      if (cancel_ && begin.error->code == Code::cancelled) *begin.error = cancel_error();
      return refuse_attempt(pending, std::move(*begin.error));
    }
    case Begin::What::park: park(std::move(*begin.error)); return;
  }
}

/// Nobody serves the tool that the step calls.
void RunCore::not_served(Pending& pending, Error why) {
  switch (body_of(pending).tool()->when_unserved()) {
    case detail::Unserved::parks: return park(std::move(why));
    case detail::Unserved::waits:
      if (!pending.stop_requested) return machine_.set_phase(pending, Pending::Phase::unserved);
      break;
    case detail::Unserved::fails: break;
  }
  refuse_attempt(pending, std::move(why));
}

void RunCore::order_body(Pending& pending, const Begin& begin) {
  detail::BodyLeaf& leaf = body_of(pending);
  std::shared_ptr<const ToolOrder> tool;
  if (leaf.tool() != nullptr) {
    auto made = tool_order(pending, ToolOrder::What::attempt);
    if (made.has_error()) return refuse_attempt(pending, std::move(made).assume_error());
    tool = std::move(made).assume_value();
  }
  const Room room = reserve(pending, begin);
  if (room == Room::none) return;
  if (tool) register_action(pending.what.path, tool->input, tool->policy.settle_time, nullptr);
  pending.attempt = begin.attempt;
  note_begun(pending, begin);
  pending.asked = false;
  if (begin.record_start) {
    effects_.change.append(
        facts_.id, head_.count++,
        journal::StepStarted{pending.what.path.components(), pending.what.name,
                             static_cast<journal::EffectClass>(leaf.options().effect),
                             begin.attempt, stamp_});
    pending.started_as = static_cast<journal::EffectClass>(leaf.options().effect);
    head_.stamp = stamp_;
    head_changed_ = true;
  }
  BodyOrder& made = order(pending);
  made.start_recorded =
      begin.record_start || begin.record_unclean_end || room == Room::when_durable;
  made.tool = std::move(tool);
}

/// The attempt with the step's number is under way from here on.
BodyOrder& RunCore::order(Pending& pending) {
  detail::BodyLeaf& leaf = body_of(pending);
  machine_.set_phase(pending, Pending::Phase::active);
  leaf.stop_source() = std::stop_source();
  ++active_bodies_;
  BodyOrder& made = effects_.bodies.emplace_back();
  made.address = {facts_.id, pending.what.path, pending.attempt, machine_.generation()};
  made.leaf = &leaf;
  made.stop = leaf.stop_source();
  return made;
}

/// No attempt begins, and that is the step's outcome.
void RunCore::refuse_attempt(Pending& pending, Error why) {
  const detail::BodyResult outcome = std::move(why);
  record_result(pending, outcome, 0);
  deliver(pending, outcome);
}

void RunCore::complete(BodyCompletion completion) {
  if (completion.address.generation == machine_.generation()) --active_bodies_;
  Pending* const pending = machine_.completed(completion.address.path, completion.address.attempt,
                                              completion.address.generation);
  const bool open = machine_.state() == journal::MachineState::running;
  const RunBudget::End end = RunBudget::end_of(completion);
  const journal::StepPath path = completion.address.path;
  if (pending == nullptr && (completion.abandoned || completion.never_ran)) {
    // It was given up.
  } else if (pending == nullptr) {
    effects_.logs.push_back({LogLevel::warning, "late_completion",
                             "a completion came for a step that waits for none; it is discarded",
                             completion.address.path.to_string()});
  } else if (completion.never_ran || completion.abandoned) {
    never_ran(*pending, completion);
  } else if (completion.lost) {
    result_lost(*pending, *completion.lost);
  } else if (completion.asked) {
    answered(*pending, completion);
  } else if (!settle_transaction(*pending, completion)) {
    ended_by_itself(*pending, completion);
  }
  // A transaction that runs again is the same attempt.
  if (const Pending* const now = machine_.find(path.components());
      now == nullptr || now->phase() != Pending::Phase::active)
    budget_.settle(path.hash(), end);
  if (open) settle();
  if (machine_.state() == journal::MachineState::closed && idle()) discard_frame();
}

/// An attempt has ended: with an outcome, or to be tried again, or to be asked about.
void RunCore::ended_by_itself(Pending& pending, BodyCompletion& completion) {
  const bool open = machine_.state() == journal::MachineState::running;
  Error* const error = completion.result.has_error() ? &completion.result.assume_error() : nullptr;
  stamp_now();
  if (error != nullptr && completion.progress)
    attempts_for(pending).progress = std::move(completion.progress);
  std::optional<std::chrono::milliseconds> delay;
  if (error != nullptr && must_ask(pending, *error)) return plan_question(pending, *error);
  if (error != nullptr && !pending.stop_requested) delay = retry_in(pending, *error);
  if (delay) {
    plan_retry(pending, *error, *delay);
  } else if (error != nullptr && closing_ && !open) {
    stopped_by_close(pending, completion.result, completion.busy_us);
  } else {
    outcome(pending, completion.result, completion);
  }
}

journal::StepResult RunCore::result_record(const Pending& pending, const detail::BodyResult& result,
                                           std::int64_t busy_us,
                                           const std::optional<journal::BlobRef>& blob) const {
  journal::StepResult record;
  record.path = pending.what.path.components();
  record.step_kind = pending.what.kind;
  record.name = pending.what.name;
  record.type = pending.what.type;
  record.attempts = pending.attempt;
  record.busy_us = busy_us;
  record.stamp = stamp_;
  if (result.has_error()) {
    record.error = journal::view_of(result.assume_error());
  } else if (blob) {
    record.payload = *blob;
  } else {
    record.payload = result.assume_value();
  }
  return record;
}

void RunCore::record_result(Pending& pending, const detail::BodyResult& result,
                            std::int64_t busy_us, const std::optional<journal::BlobRef>& blob) {
  const std::uint32_t index = head_.count++;
  effects_.change.append(facts_.id, index, result_record(pending, result, busy_us, blob));
  if (!sagas_.empty()) note_in_sagas(pending, result, index, IsNew::yes);
  head_.stamp = stamp_;
  head_changed_ = true;
  forget_attempts(pending.what.path);
  core::crash_point(core::CrashPoint::result_submitted);
}

void RunCore::deliver(Pending& pending, const detail::BodyResult& result) {
  detail::Leaf& leaf = leaf_of(pending);
  if (result.has_error()) {
    const Error& error = result.assume_error();
    if (tells_of_cancel(error.code, error.message)) cancel_owed_ = false;
    leaf.refuse(error);
  } else if (const Result<void> taken = leaf.accept(result.assume_value()); taken.has_error()) {
    // A codec that cannot read what it wrote: the record stays, the run waits for better code.
    journal::StepResult recorded;
    recorded.path = pending.what.path.components();
    recorded.name = pending.what.name;
    recorded.type = pending.what.type;
    park(machine_.undecodable(head_.count - 1, recorded, pending, taken.error()).to_error());
    return;
  }
  machine_.delivered(pending);
  leaf.ended();
  pump();
}

void RunCore::plan_retry(Pending& pending, const Error& error, std::chrono::milliseconds delay) {
  journal::Attempts& attempts = attempts_for(pending);
  attempts.count = pending.attempt;
  attempts.unclean_ends = 0;
  if (!attempts.first_error) attempts.first_error = error;
  attempts.last_error = error;
  attempts.last_stamp = stamp_;
  attempts.next_due = stamp_ + std::chrono::microseconds(delay).count();
  attempts.asks = 0;
  attempts.asked_ms = 0;
  if (const auto left = overall_left(body_of(pending)))
    attempts.spent_ms = (body_of(pending).tool()->policy().overall_timeout - *left + delay).count();
  put_attempts(attempts);
  back_off(pending, attempts, delay);
  effects_.logs.push_back({LogLevel::info, "step_retry",
                           "attempt " + std::to_string(pending.attempt) + " of '" +
                               std::string(pending.what.name) + "' failed (" + error.to_string() +
                               "), the next one begins in " + std::to_string(delay.count()) + " ms",
                           pending.what.path.to_string()});
}

/// The step waits until the time in its row.
void RunCore::back_off(Pending& pending, const journal::Attempts& attempts,
                       std::chrono::milliseconds delay) {
  effects_.change.put(
      Table::due, journal::due_row(attempts.next_due, facts_.id, pending.what.path),
      journal::DueRow{journal::DueRow::What::retry, pending.what.path.components()});
  machine_.set_phase(pending, Pending::Phase::backoff);
  effects_.waits.push_back(
      {journal::DueRow::What::retry, pending.what.path, attempts.next_due, delay, false});
}

}  // namespace perdure::actors
