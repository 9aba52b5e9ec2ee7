#include "actors/attempt_policy.hpp"

#include "core/limits.hpp"

#include <algorithm>

namespace perdure::actors {
namespace {

using journal::EffectClass;

Begin settled(Error error) {
  Begin begin;
  begin.what = Begin::What::settle;
  begin.error = std::move(error);
  return begin;
}

/// Whether the attempt that was recorded as begun is also recorded as ended.
bool start_is_answered(const BeginQuestion& question) {
  return question.attempts != nullptr && question.attempts->last_error.has_value() &&
         question.attempts->last_stamp != 0 && question.attempts->count >= question.pending.attempt;
}

std::string where(const journal::Pending& pending) {
  return "step " + pending.what.path.to_string() + " '" + std::string(pending.what.name) + "'";
}

/// Of a step that was stopped and has no body that runs. Whether it happened is known only of one
/// that never began.
Begin stopped(const BeginQuestion& question) {
  const bool may_have_run = question.attempts != nullptr || question.last_end != LastEnd::none;
  Error error{Code::cancelled,
              where(question.pending) + (may_have_run ? " was stopped before it ran again"
                                                      : " was stopped before it ran")};
  if (!may_have_run) error.effect = ErrorEffect::refused;
  return settled(std::move(error));
}

/// Whether the last attempt may have happened, as far as anybody knows.
bool outcome_is_unknown(const BeginQuestion& question) {
  if (start_is_answered(question))
    return question.attempts->last_error->known_effect() != ErrorEffect::refused;
  return question.pending.started_as.has_value();
}

/// A queryable step is asked about first.
Begin ask(const BeginQuestion& question, Begin begin) {
  begin.attempt = question.pending.attempt;
  begin.what = Begin::What::ask;
  begin.record_start = false;
  if (question.can_ask) return begin;
  begin.what = Begin::What::park;
  begin.error = Error{Code::not_registered,
                      where(question.pending) +
                          " may have happened, and its tool was queryable when it began; the code "
                          "of today has no find to ask: serve the tool with ToolOptions::find"};
  return begin;
}

}  // namespace

Begin begin_step(const BeginQuestion& question) {
  const journal::Pending& pending = question.pending;
  const EffectClass effect = pending.started_as.value_or(static_cast<EffectClass>(question.effect));
  const bool at_most_once = effect == EffectClass::at_most_once;
  const bool queryable = effect == EffectClass::queryable;
  if (pending.started_as && at_most_once && !start_is_answered(question))
    return settled(Error{Code::outcome_unknown,
                         where(pending) +
                             " may run at most once; the process ended after it had begun and "
                             "before its result was recorded, so nobody knows whether it "
                             "happened: find out outside, then go on"});
  if (pending.stop_requested) return stopped(question);

  const std::uint32_t begun = question.attempts != nullptr ? question.attempts->count : 0;
  Begin begin;
  begin.record_start = at_most_once || queryable;
  // A row with a due time says that no attempt was under way when the process ended.
  const bool in_backoff = question.attempts != nullptr && question.attempts->next_due != 0;
  const journal::Stamp whole =
      in_backoff ? question.attempts->next_due - question.attempts->last_stamp : 0;
  if (whole > 0) {
    // That its time has come is said by who counts the time; the wall clock may have been set. It
    // only says how long at most, after a restart, and the remainder stays within the delay.
    begin.what = Begin::What::wait;
    begin.wait = std::chrono::microseconds(
        std::clamp<journal::Stamp>(question.attempts->next_due - question.now, 0, whole));
    return begin;
  }
  if (question.last_end == LastEnd::unclean && !in_backoff) {
    const std::uint32_t ends =
        1 + (question.attempts != nullptr ? question.attempts->unclean_ends : 0);
    if (ends >= core::limits::kUncleanEnds) {
      begin.what = Begin::What::park;
      begin.error =
          Error{Code::suspected_crash,
                where(pending) + " was unfinished at " + std::to_string(ends) +
                    " unclean ends of the process in a row: it is suspected to crash it. Repair "
                    "the step, then open the runtime with RuntimeOptions::suspected_crashes = "
                    "SuspectedCrashes::run_again"};
      return begin;
    }
    begin.record_unclean_end = true;
    // The attempt that ended with the process counts: it is the row's own when that one has not
    // ended, else the one after it, which began without a record.
    const bool last_ended = question.attempts == nullptr || question.attempts->last_stamp != 0;
    begin.attempt = begun + (last_ended ? 2 : 1);
  } else {
    begin.attempt = begun + 1;
  }
  return queryable && outcome_is_unknown(question) ? ask(question, std::move(begin)) : begin;
}

}  // namespace perdure::actors
