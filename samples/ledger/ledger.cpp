#include "ledger.hpp"

#include <utility>

namespace ledger {

std::string account_name(std::uint64_t number) {
  std::string digits = std::to_string(number);
  digits.insert(0, digits.size() < 4 ? 4 - digits.size() : 0, '0');
  return "account-" + digits;
}

pd::Result<void> transfer(pd::Transaction& tx, const Transfer& order,
                          const std::pair<pd::RunId, std::int32_t>& place) {
  PERDURE_TRY(std::optional<Account> from, tx.get(accounts, order.from));
  PERDURE_TRY(std::optional<Account> to, tx.get(accounts, order.to));
  if (!from || !to) return pd::Error{pd::Code::refused, "there is no such account"};
  if (from->cents < order.cents) return pd::Error{pd::Code::refused, "there is too little money"};
  from->cents -= order.cents;
  to->cents += order.cents;
  PERDURE_TRY(tx.put(accounts, order.from, *from));
  PERDURE_TRY(tx.put(accounts, order.to, *to));
  return tx.put(book, place, order);
}

pd::Task<int> open_bank(pd::Context& ctx, Opening opening) {
  co_await ctx.transact("open accounts", [&](pd::Transaction& tx) -> pd::Result<void> {
    for (int i = 0; i < opening.accounts; ++i)
      PERDURE_TRY(
          tx.put(accounts, account_name(static_cast<std::uint64_t>(i)), {opening.cents_each}));
    return pd::success();
  });
  co_return opening.accounts;
}

pd::Task<Outcome> work_a_shift(pd::Context& ctx, Shift shift) {
  Outcome outcome;
  const auto customers = static_cast<std::uint64_t>(shift.accounts);
  for (std::int32_t number = 0; number < shift.transfers; ++number) {
    // Drawn here and not in the body, which may run several times: each run does the same.
    const std::uint64_t from = ctx.random_below(customers);
    const std::uint64_t further = 1 + ctx.random_below(customers - 1);
    const std::uint64_t cents = 1 + ctx.random_below(2'000);
    const Transfer order{account_name(from), account_name((from + further) % customers),
                         static_cast<std::int64_t>(cents)};
    const pd::Result<void> done =
        co_await pd::as_result(ctx.transact("transfer", [&](pd::Transaction& tx) {
          return transfer(tx, order, {ctx.run_id(), number});
        }));
    if (done.has_value())
      ++outcome.made;
    else if (done.error().code == pd::Code::refused)
      ++outcome.refused;
    else
      co_return done.error();
  }
  co_return outcome;
}

pd::Task<Audit> audit_bank(pd::Context& ctx, int) {
  // All at one moment, whoever transfers meanwhile: if a row changes, the body runs again.
  co_return co_await ctx.transact("audit", [](pd::Transaction& tx) -> pd::Result<Audit> {
    Audit audit;
    PERDURE_TRY(const auto all, tx.scan(accounts));
    for (const auto& row : all) audit.cents += row.value.cents;
    audit.accounts = static_cast<std::int64_t>(all.size());
    PERDURE_TRY(const auto written, tx.scan(book));
    audit.transfers = static_cast<std::int64_t>(written.size());
    return audit;
  });
}

}  // namespace ledger
