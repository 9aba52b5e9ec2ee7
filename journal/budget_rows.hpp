/// Rows of budgets: limits of runs, and what was used of them.
///
/// What this is: the plain structs of the tables `budgets` and `usage`, and what arithmetic they
/// need. Each run writes what it uses itself, once for each budget that it draws on: so no two
/// sessions ever write one row.
#pragma once

#include "journal/record.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace perdure::journal {

/// What budgets count. Never negative.
struct Amounts {
  std::int64_t money = 0;  ///< Millionths of a unit.
  std::int64_t tokens = 0;
  std::int64_t gpu_us = 0;
  std::int64_t attempts = 0;

  friend bool operator==(const Amounts&, const Amounts&) = default;
};

/// The sum, or the largest number there is.
[[nodiscard]] constexpr std::int64_t capped_sum(std::int64_t a, std::int64_t b) noexcept {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  return a > kMost - b ? kMost : a + b;
}
[[nodiscard]] constexpr Amounts operator+(const Amounts& a, const Amounts& b) noexcept {
  return {capped_sum(a.money, b.money), capped_sum(a.tokens, b.tokens),
          capped_sum(a.gpu_us, b.gpu_us), capped_sum(a.attempts, b.attempts)};
}
/// What is left of `a`, and nothing where `b` is more.
[[nodiscard]] constexpr Amounts operator-(const Amounts& a, const Amounts& b) noexcept {
  return {std::max<std::int64_t>(a.money - b.money, 0),
          std::max<std::int64_t>(a.tokens - b.tokens, 0),
          std::max<std::int64_t>(a.gpu_us - b.gpu_us, 0),
          std::max<std::int64_t>(a.attempts - b.attempts, 0)};
}

/// What may be used; what is empty has no limit.
struct Limits {
  std::optional<std::int64_t> money = {};
  std::optional<std::int64_t> tokens = {};
  std::optional<std::int64_t> gpu_us = {};
  std::optional<std::int64_t> attempts = {};
  std::optional<std::int64_t> wall_us = {};  ///< From `BudgetRow::created`.

  friend bool operator==(const Limits&, const Limits&) = default;
};

/// A run's own limits.
struct BudgetRow {
  static constexpr Kind kKind = Kind::budget;
  Limits limits;
  std::uint8_t fails_steps = 0;  ///< 1: a step that has no room fails; 0: its run is parked.
  Stamp created = 0;             ///< Of the run.
  std::string_view raised_by = {};
  Stamp raised = 0;  ///< When somebody changed the limits last; 0: nobody did.
};

/// What a run used of somebody's budget.
struct UsageRow {
  static constexpr Kind kKind = Kind::usage;
  Amounts used;
  Amounts reserved;  ///< For attempts that had begun when the row was written.
  Amounts assumed;   ///< Of `used`, what nobody told of and was counted as the most.
};

/// The same, owned.
struct StoredBudget {
  Limits limits;
  bool fails_steps = false;
  Stamp created = 0;
  std::string raised_by = {};
  Stamp raised = 0;
};
[[nodiscard]] StoredBudget owned(const BudgetRow& row);
/// Borrowed from `budget`.
[[nodiscard]] BudgetRow view_of(const StoredBudget& budget) noexcept;
/// Those that `raised` has take the place of those in `limits`.
[[nodiscard]] Limits with(Limits limits, const Limits& raised) noexcept;

/// `2.50`, with as many digits as there are, and at least two.
[[nodiscard]] std::string money_text(std::int64_t micros);
/// Empty: no limit in `raised` is lower than that in `limits`. Else the first one that is, in
/// words.
[[nodiscard]] std::optional<std::string> lowered(const Limits& limits, const Limits& raised);

/// The runs whose budgets something draws on, the nearest first, as records have them: their ids,
/// one behind the other.
[[nodiscard]] std::vector<RunId> payers_of(core::ByteView ids);
/// Borrowed from `payers`.
[[nodiscard]] core::ByteView ids_of(std::span<const RunId> payers) noexcept;

/// Key of the row in `budgets`.
[[nodiscard]] Key budget_row(const RunId& run) noexcept;
/// Key of the row in `usage`.
[[nodiscard]] Key usage_row(const RunId& payer, const RunId& run) noexcept;

}  // namespace perdure::journal
