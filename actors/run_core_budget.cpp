/// The run core's budget: whether another attempt has room in it.
#include "actors/run_core.hpp"

namespace perdure::actors {

using journal::Pending;

namespace {

Error over_budget(const RunId& run, const BudgetBook::Refusal& refusal,
                  const std::string& attempt) {
  const std::string payer = to_string(refusal.payer);
  std::string words = refusal.payer == run
                          ? "the budget of this run"
                          : "the budget of run " + payer + ", which this one draws on,";
  words += " has no room for " + attempt + " (" + refusal.words + ")";
  if (!refusal.fails_steps)
    words += ": `perdure raise " + payer + "` gives it more, and the run goes on";
  return Error{Code::over_budget, std::move(words), std::nullopt, std::nullopt,
               ErrorEffect::refused};
}

}  // namespace

/// No attempt is under way, whatever the next process finds: the one before it has ended, be it
/// with its process, and this one is due, but for the room.
void RunCore::note_waiting(const Pending& pending, const Begin& begin) {
  journal::Attempts& attempts = attempts_for(pending);
  attempts.count = begin.attempt - 1;
  if (begin.record_unclean_end) ++attempts.unclean_ends;
  attempts.last_stamp = attempts.next_due = stamp_;
  put_attempts(attempts);
  effects_.change.put(
      journal::Table::due, journal::due_row(stamp_, facts_.id, pending.what.path),
      journal::DueRow{journal::DueRow::What::retry, pending.what.path.components()});
}

/// Sets aside what the attempt may use. `none`: there is too little, and the run is parked or the
/// step has failed.
RunCore::Room RunCore::reserve(Pending& pending, const Begin& begin) {
  const Cost& cost = body_of(pending).options().cost_max;
  if (begin.record_unclean_end && cost == Cost{}) budget_.lost_attempt();
  const Result<RunBudget::Grant> asked = budget_.reserve(
      pending.what.path.hash(), cost, stamp_, {facts_.session, facts_.agent, facts_.session_key});
  if (asked.has_error()) {
    park(asked.error());
    return Room::none;
  }
  const RunBudget::Grant& grant = asked.assume_value();
  if (!grant.refusal) return grant.write_ahead ? Room::when_durable : Room::now;
  Error why = over_budget(
      facts_.id, *grant.refusal,
      "attempt " + std::to_string(begin.attempt) + " of '" + std::string(pending.what.name) + "'");
  if (!grant.refusal->fails_steps) {
    note_waiting(pending, begin);
    park(std::move(why));
    return Room::none;
  }
  // What is known of the step is what is known of its last attempt.
  const journal::Attempts* const attempts = attempts_of(pending.what.path);
  if (begin.attempt > 1)
    why.effect = !begin.record_unclean_end && attempts != nullptr && attempts->last_error
                     ? attempts->last_error->known_effect()
                     : ErrorEffect::unknown;
  pending.attempt = begin.attempt - 1;
  refuse_attempt(pending, std::move(why));
  return Room::none;
}

}  // namespace perdure::actors
