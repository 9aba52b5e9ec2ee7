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

/// Sets aside what the attempt may use. `none`: there is too little, and the run is parked or the
/// step has failed.
RunCore::Room RunCore::reserve(Pending& pending, const Begin& begin) {
  const Cost& cost = body_of(pending).options().cost_max;
  // One that the process took with it, and that had reserved nothing, is counted here.
  const bool lost_another = begin.record_unclean_end && cost == Cost{};
  const Result<RunBudget::Grant> asked =
      budget_.reserve(pending.what.path.hash(), cost, lost_another ? 2 : 1, stamp_,
                      {facts_.session, facts_.agent, facts_.session_key});
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
    park(std::move(why));
    return Room::none;
  }
  // What is known of the step is what is known of its last attempt.
  if (const journal::Attempts* const attempts = attempts_of(pending.what.path);
      attempts != nullptr && attempts->last_error)
    why.effect = attempts->last_error->known_effect();
  pending.attempt = begin.attempt - 1;
  refuse_attempt(pending, std::move(why));
  return Room::none;
}

}  // namespace perdure::actors
