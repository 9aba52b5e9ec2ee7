/// Budgets: whether an attempt has room in one, and what an attempt used.
///
/// What this is: pure functions from limits, what was used and what is wanted to "yes" or to a
/// sentence that says which limit is against it.
/// What it promises: no limit is exceeded by an attempt that uses no more than it said. Negative
/// amounts count as none.
/// What it does not: remember anything; actors/budget_book.hpp does.
#pragma once

#include <perdure/budget.hpp>

#include "journal/budget_rows.hpp"

#include <optional>
#include <string>

namespace perdure::tools {

[[nodiscard]] journal::Amounts amounts_of(const Cost& cost) noexcept;
[[nodiscard]] Cost cost_of(const journal::Amounts& amounts) noexcept;
[[nodiscard]] journal::Limits limits_of(const Budget& budget) noexcept;
[[nodiscard]] Budget budget_of(const journal::StoredBudget& stored) noexcept;

struct BudgetQuestion {
  const journal::Limits& limits;
  const journal::Amounts& used;
  const journal::Amounts& reserved;
  /// What the attempt uses at most.
  const journal::Amounts& wanted;
  journal::Stamp created = 0;
  journal::Stamp now = 0;
};
/// Empty: there is room. Else what there is too little of, in words.
[[nodiscard]] std::optional<std::string> no_room(const BudgetQuestion& question);

/// How an attempt ended, as far as its cost goes.
struct AttemptEnd {
  /// What it said that it used; empty: it said nothing.
  std::optional<Cost> told = {};
  bool never_began = false;
  /// Nobody knows what it did: it was given up, or its process ended.
  bool unknown = false;
  bool refused = false;  ///< It failed, and had no effect.
};
struct Counted {
  journal::Amounts used;
  journal::Amounts assumed;  ///< Of it, what nobody told of.
  friend bool operator==(const Counted&, const Counted&) = default;
};
/// What it counts as. Who says nothing used as much as was reserved, unless nothing came of it; of
/// what nobody knows the most is taken, and that is so much more than was told.
[[nodiscard]] Counted used_by(const journal::Amounts& reserved, const AttemptEnd& end);

}  // namespace perdure::tools
