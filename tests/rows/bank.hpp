// What the tests of transactions share: a small bank, and a look at its rows.
#pragma once

#include "tests/testing/kit_fixture.hpp"

namespace perdure::test {

struct Account {
  std::int64_t cents = 0;
  friend bool operator==(const Account&, const Account&) = default;
};
PERDURE_DESCRIBE(Account, cents);
struct Transfer {
  std::string from;
  std::string to;
  std::int64_t cents = 0;
};
PERDURE_DESCRIBE(Transfer, from, to, cents);

inline constexpr pd::Table<std::string, Account> accounts{"accounts"};
/// What was transferred, by run: one row each.
inline constexpr pd::Table<pd::RunId, Transfer> transfers{"transfers"};

/// `alice=100`, in the order of keys.
[[nodiscard]] inline Lines balances(kit::Runtime& test) {
  Lines lines;
  // Named, because a temporary would be gone before the first row is looked at.
  const auto rows = test.rows(accounts).scan().value();
  for (const auto& row : rows) lines.push_back(row.key + "=" + std::to_string(row.value.cents));
  return lines;
}
[[nodiscard]] inline std::int64_t money_in(kit::Runtime& test) {
  std::int64_t sum = 0;
  test.rows(accounts).each([&](const std::string&, const Account& a) { sum += a.cents; }).value();
  return sum;
}

/// Opens accounts with so much each.
inline pd::Task<int> open_accounts(pd::Context& ctx, std::map<std::string, std::int64_t> opened) {
  co_await ctx.transact("open accounts", [&](pd::Transaction& tx) -> pd::Result<void> {
    for (const auto& [name, cents] : opened) PERDURE_TRY(tx.put(accounts, name, Account{cents}));
    return pd::success();
  });
  co_return static_cast<int>(opened.size());
}
inline constexpr pd::Agent opening{"opening", &open_accounts};

/// Moves money. Fails with `refused` where there is not enough. What it returns is left of it.
inline pd::Result<std::int64_t> move_money(pd::Transaction& tx, const pd::RunId& run,
                                           const Transfer& transfer) {
  PERDURE_TRY(const std::optional<Account> from, tx.get(accounts, transfer.from));
  PERDURE_TRY(const std::optional<Account> to, tx.get(accounts, transfer.to));
  if (!from || !to) return pd::Error{pd::Code::refused, "there is no such account"};
  if (from->cents < transfer.cents) return pd::Error{pd::Code::refused, "too little money"};
  PERDURE_TRY(tx.put(accounts, transfer.from, Account{from->cents - transfer.cents}));
  PERDURE_TRY(tx.put(accounts, transfer.to, Account{to->cents + transfer.cents}));
  PERDURE_TRY(tx.put(transfers, run, transfer));
  return from->cents - transfer.cents;
}

}  // namespace perdure::test
