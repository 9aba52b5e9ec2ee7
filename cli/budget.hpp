/// Budgets as people and as programs read them.
#pragma once

#include <optional>
#include <string>

#include "cli/json.hpp"
#include "cli/screen.hpp"
#include "journal/reader.hpp"

namespace perdure::cli {

/// It has limits, is held to others', or used something that is counted.
[[nodiscard]] bool has_budget(const journal::BudgetInfo& budget);
/// One line: what was used of which limits. Empty: it has none (`has_budget`).
[[nodiscard]] std::string budget_text(const journal::BudgetInfo& budget, const Screen& screen);
/// Amounts and limits with the units in their names; limits that are not there are null.
[[nodiscard]] JsonObject json_of(const journal::BudgetInfo& budget);
[[nodiscard]] JsonObject json_of(const journal::Limits& limits);
/// An array of ids of runs.
[[nodiscard]] std::string json_of_payers(core::ByteView payers);

}  // namespace perdure::cli
