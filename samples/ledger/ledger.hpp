/// A small bank: accounts, transfers between them, and an audit.
///
/// The rows of both tables change in the commit of the step that changes them. So a transfer is
/// made once or not at all, whenever the process dies, and an audit always finds the same sum.
#pragma once

#include <perdure/perdure.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace ledger {

namespace pd = perdure;

struct Account {
  std::int64_t cents = 0;
};
PERDURE_DESCRIBE(Account, cents);

struct Transfer {
  std::string from;
  std::string to;
  std::int64_t cents = 0;
};
PERDURE_DESCRIBE(Transfer, from, to, cents);

/// What a bank is opened with: so many accounts, each with so much money.
struct Opening {
  int accounts = 0;
  std::int64_t cents_each = 0;
};
PERDURE_DESCRIBE(Opening, accounts, cents_each);

/// What a teller does in one run: so many transfers, drawn at random.
struct Shift {
  int transfers = 0;
  int accounts = 0;
};
PERDURE_DESCRIBE(Shift, transfers, accounts);

/// What became of a shift.
struct Outcome {
  int made = 0;
  int refused = 0;
};
PERDURE_DESCRIBE(Outcome, made, refused);

/// What an audit found.
struct Audit {
  std::int64_t accounts = 0;
  std::int64_t cents = 0;
  std::int64_t transfers = 0;  ///< In the book.
};
PERDURE_DESCRIBE(Audit, accounts, cents, transfers);

inline constexpr pd::Table<std::string, Account> accounts{"accounts"};
/// The book: what was transferred, by the run that did it and its number in there.
inline constexpr pd::Table<std::pair<pd::RunId, std::int32_t>, Transfer> book{"book"};

/// `account-0007`.
[[nodiscard]] std::string account_name(std::uint64_t number);

/// Moves the money and writes it down. `refused` where there is too little.
[[nodiscard]] pd::Result<void> transfer(pd::Transaction& tx, const Transfer& order,
                                        const std::pair<pd::RunId, std::int32_t>& place);

[[nodiscard]] pd::Task<int> open_bank(pd::Context& ctx, Opening opening);
[[nodiscard]] pd::Task<Outcome> work_a_shift(pd::Context& ctx, Shift shift);
[[nodiscard]] pd::Task<Audit> audit_bank(pd::Context& ctx, int number);

inline constexpr pd::Agent bank{"bank", &open_bank};
inline constexpr pd::Agent teller{"teller", &work_a_shift};
inline constexpr pd::Agent auditor{"auditor", &audit_bank};

}  // namespace ledger
