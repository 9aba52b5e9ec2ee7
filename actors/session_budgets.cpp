/// What a session does about budgets: an operator raises one.
#include "actors/session_core.hpp"
#include "actors/session_shell.hpp"
#include "journal/control_queue.hpp"

namespace perdure::actors {

/// The new limits are written, and known from here on. Who was parked for want of room goes on,
/// also in other sessions.
void SessionCore::on_raise(Arrived arrived, const Self& self) {
  if (ahead_of_journal()) return defer(std::move(arrived), self);
  const journal::Arrival& asked = arrived.what;
  const RunId payer = asked.run.value_or(RunId{});
  const auto judged = [&]() -> Result<std::shared_ptr<BudgetAccount>> {
    PERDURE_TRY(journal::Reader reader, journal::Reader::open(services_.store));
    PERDURE_TRY(journal::judge_raise(reader, payer, asked.limits));
    return services_.budgets.open(payer);
  }();
  Result<journal::StoredBudget> raised =
      judged.has_error()
          ? Result<journal::StoredBudget>(judged.error())
          : services_.budgets.raised(*judged.assume_value(), asked.limits, asked.who,
                                     services_.clock.wall().time_since_epoch().count());
  const std::string session = address_.agent + "/" + address_.key;
  if (raised.has_error()) {
    services_.reporter.log(
        {LogLevel::warning, "raise_refused", raised.error().message, payer, session});
    return done_with(arrived, &raised.error());
  }
  RunEffects effects;
  effects.change.put(journal::Table::budgets, journal::budget_row(payer),
                     journal::view_of(raised.assume_value()));
  erase_row(asked, effects.change);
  Told told;
  if (arrived.reply)
    told = [reply = std::move(arrived.reply), payer](const Error* why) {
      why == nullptr ? reply(payer) : reply(*why);
    };
  if (!submit(effects, std::move(told))) return;
  services_.reporter.log(
      {LogLevel::info, "budget_raised",
       "the budget was raised" + (asked.who.empty() ? std::string() : " by " + asked.who), payer,
       session});
  for (const auto& [run, to] : services_.budgets.raise(
           *judged.assume_value(), std::move(raised).assume_value(), own_number_))
    services_.post(to, ResumeOrder{run});
}

}  // namespace perdure::actors
