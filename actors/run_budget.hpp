/// What one run uses of budgets.
///
/// What this is: the run's side of the book (budget_book.hpp): the accounts that it draws on, what
/// it reserved for attempts that run, and the rows that say so.
/// What it promises: what was reserved is in the journal before the attempt begins, where it could
/// cost something; so an attempt that nobody lives to tell of is counted.
/// What it does not: decide what becomes of a run without room; the run core does.
#pragma once

#include "actors/body_job.hpp"
#include "actors/budget_book.hpp"
#include "journal/change.hpp"
#include "journal/reader.hpp"
#include "tools/budget.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace perdure::actors {

/// Thread: the run's session's.
class RunBudget {
 public:
  /// `payers`: the runs whose limits it is held to, the nearest first, itself included when it has
  /// some. The book outlives the run.
  RunBudget(const RunId& run, const std::vector<RunId>& payers, BudgetBook& book)
      : run_(run), payers_(payers), book_(book) {}

  /// The run begins, with limits of its own.
  void create(const journal::StoredBudget& own);
  /// What the journal says that it used.
  [[nodiscard]] Result<void> load(journal::Reader& reader);

  /// Somebody limits it.
  [[nodiscard]] bool is_limited() const noexcept { return !payers_.empty(); }
  struct Grant {
    std::optional<BudgetBook::Refusal> refusal = {};
    /// The attempt must not begin before the change is durable.
    bool write_ahead = false;
  };
  /// For an attempt of the step with this hash. Errors: as BudgetBook::open.
  [[nodiscard]] Result<Grant> reserve(std::uint64_t step, const Cost& cost, journal::Stamp now,
                                      const SessionAddress& session);
  /// An attempt without cost, of which no row told that it had begun, ended with its process.
  void lost_attempt();
  using End = tools::AttemptEnd;
  [[nodiscard]] static End end_of(const BodyCompletion& completion);
  /// The step's attempt has ended so.
  void settle(std::uint64_t step, const End& end);
  /// The run ends: it waits for no room any more, and nobody will say how attempts ended that still
  /// run.
  void settle_all();
  /// Its rows, if they have changed since the last call.
  void put(journal::Change& change);
  /// The change with its rows was submitted.
  void submitted(journal::RecordNumber number) {
    if (!accounts_.empty()) book_.submitted(accounts_, number);
  }

 private:
  [[nodiscard]] Result<void> open_accounts();
  void count(const journal::Amounts& reserved, const tools::Counted& counted);

  const RunId run_;
  const std::vector<RunId> payers_;
  BudgetBook& book_;
  BudgetAccounts accounts_;  ///< Those of `payers_`, once it has asked for something.
  journal::Amounts used_;
  journal::Amounts assumed_;
  journal::Amounts reserved_;
  std::map<std::uint64_t, journal::Amounts> attempts_;  ///< By step: what was reserved.
  bool changed_ = false;
  bool ended_ = false;
};

}  // namespace perdure::actors
