// The verifier's look at users' tables, and at budgets.

#include "journal/user_rows.hpp"
#include "journal/verifier.hpp"

namespace perdure::journal {

Result<void> Verifier::user_rows() {
  return each(Table::rows, kAnyBytes, [&](core::ByteView key) -> Result<void> {
    if (!split_user_row(key)) {
      findings_.add(Table::rows, key, std::string(kNoUserRowKey));
      return success();
    }
    if (const auto entry = row<UserRow>(Table::rows, key))
      payloads_.check(Table::rows, key, entry->payload);
    return success();
  });
}

Result<void> Verifier::budgets() {
  return each(Table::budgets, kIdBytes, [&](core::ByteView key) -> Result<void> {
    const auto budget = row<BudgetRow>(Table::budgets, key);
    if (!budget) return success();
    PERDURE_TRY(const auto run, other<RunRow>(Table::runs, Key{}.add(id_at<RunId>(key, 0))));
    if (!run)
      findings_.add(Table::budgets, key, "its run is missing or damaged");
    else if (run->created != budget->created)
      findings_.add(Table::budgets, key, "it does not say when its run was created");
    if (budget->limits == Limits{}) findings_.add(Table::budgets, key, "it limits nothing");
    return success();
  });
}

Result<void> Verifier::usage() {
  return each(Table::usage, 2 * kIdBytes, [&](core::ByteView key) -> Result<void> {
    if (!row<UsageRow>(Table::usage, key)) return success();
    const RunId payer = id_at<RunId>(key, 0);
    const RunId run = id_at<RunId>(key, kIdBytes);
    PERDURE_TRY(const auto session, session_of(run));
    if (!session) findings_.add(Table::usage, key, "its run is missing or damaged");
    if (payer == run) return success();
    PERDURE_TRY(const bool has_budget, is_there(Table::budgets, budget_row(payer)));
    if (!has_budget) findings_.add(Table::usage, key, "the budget that it speaks of is missing");
    return success();
  });
}

}  // namespace perdure::journal
