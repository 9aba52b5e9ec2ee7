/// The budgets of runs, as this process knows them.
///
/// What this is: for each run with limits that somebody draws on, what all of them have used and
/// reserved together, and who waits for more.
/// What it promises: what is granted never exceeds a limit, whichever sessions ask at once. What it
/// adds up is what the table `usage` will hold when everything submitted is durable, with what was
/// reserved in an earlier process counted as used.
/// What it does not: write. Each run writes its own rows (run_budget.hpp).
///
/// Invariant: an account leaves memory only when nobody holds it or waits at it, and all that was
/// submitted of it is durable; so whoever reads it from the journal then finds all of it.
#pragma once

#include <perdure/result.hpp>

#include "actors/session_address.hpp"
#include "journal/budget_rows.hpp"
#include "journal/gate.hpp"
#include "journal/store.hpp"

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace perdure::actors {

/// A run with limits. Its fields are the book's.
class BudgetAccount {
 public:
  BudgetAccount(RunId payer, journal::StoredBudget budget)
      : payer_(payer), budget_(std::move(budget)) {}
  [[nodiscard]] const RunId& payer() const noexcept { return payer_; }

 private:
  friend class BudgetBook;
  const RunId payer_;
  journal::StoredBudget budget_;
  journal::Amounts used_;
  journal::Amounts reserved_;
  std::map<RunId, SessionAddress> waiting_;
  journal::RecordNumber last_number_ = 0;
};
using BudgetAccounts = std::vector<std::shared_ptr<BudgetAccount>>;

/// Thread: any.
class BudgetBook {
 public:
  /// Both outlive the book. `durable` tells what is in the store.
  BudgetBook(journal::Store& store, const journal::Gate& durable)
      : store_(store), durable_(durable) {}

  /// Of a run that begins, whose row is not in the store yet.
  [[nodiscard]] std::shared_ptr<BudgetAccount> create(const RunId& payer,
                                                      const journal::StoredBudget& budget);
  /// Errors: as Reader, `corrupt` where the run has no limits.
  [[nodiscard]] Result<std::shared_ptr<BudgetAccount>> open(const RunId& payer);

  struct Refusal {
    RunId payer;
    bool fails_steps = false;
    std::string words;  ///< Which limit.
  };
  /// Sets `wanted` aside in all of `accounts`, or in none of them. `run` of `session` waits from
  /// here on where it was refused, unless its step fails of it.
  [[nodiscard]] std::optional<Refusal> reserve(const BudgetAccounts& accounts,
                                               const journal::Amounts& wanted, journal::Stamp now,
                                               const RunId& run, const SessionAddress& session);
  /// What was reserved is no longer; `used` is.
  void settle(const BudgetAccounts& accounts, const journal::Amounts& reserved,
              const journal::Amounts& used);
  /// `run` waits for nothing any more, from those that have these limits.
  void forget(std::span<const RunId> payers, const RunId& run);
  /// A change with this number says what was used of them.
  void submitted(const BudgetAccounts& accounts, journal::RecordNumber number);

  /// The account with limits that take the place of its own: what is to be written. Errors:
  /// `refused` where one is lower than it was.
  [[nodiscard]] Result<journal::StoredBudget> raised(const BudgetAccount& account,
                                                     const journal::Limits& limits,
                                                     const std::string& who, journal::Stamp now);
  /// It was submitted, with this number: these runs may go on.
  [[nodiscard]] std::map<RunId, SessionAddress> raise(BudgetAccount& account,
                                                      journal::StoredBudget budget,
                                                      journal::RecordNumber number);

 private:
  void drop_unused();

  journal::Store& store_;
  const journal::Gate& durable_;
  std::mutex mutex_;
  std::map<RunId, std::shared_ptr<BudgetAccount>> accounts_;
  std::size_t look_at_ = 64;  ///< As many accounts are worth a look at which are not needed.
};

}  // namespace perdure::actors
