#include "actors/run_budget.hpp"

#include <utility>

namespace perdure::actors {

using journal::Amounts;

namespace {

/// Whether more than an attempt is wanted: then it is in the journal before that begins.
bool may_cost(const Amounts& wanted) {
  return wanted.money != 0 || wanted.tokens != 0 || wanted.gpu_us != 0;
}

}  // namespace

void RunBudget::create(const journal::StoredBudget& own) {
  accounts_.push_back(book_.create(run_, own));
}

Result<void> RunBudget::load(journal::Reader& reader) {
  const RunId& payer = payers_.empty() ? run_ : payers_.front();
  PERDURE_TRY(const std::optional<journal::Usage> usage, reader.usage(payer, run_));
  // What was reserved when the process ended may have been used.
  if (!usage) return success();
  used_ = usage->used + usage->reserved;
  assumed_ = usage->assumed + usage->reserved;
  changed_ = usage->reserved != Amounts{};
  return success();
}

Result<void> RunBudget::open_accounts() {
  while (accounts_.size() < payers_.size()) {
    PERDURE_TRY(std::shared_ptr<BudgetAccount> account, book_.open(payers_[accounts_.size()]));
    accounts_.push_back(std::move(account));
  }
  return success();
}

Result<RunBudget::Grant> RunBudget::reserve(std::uint64_t step, const Cost& cost,
                                            journal::Stamp now, const SessionAddress& session) {
  Amounts wanted = tools::amounts_of(cost);
  if (!is_limited() && !may_cost(wanted)) return Grant{};
  wanted.attempts = 1;
  PERDURE_TRY(open_accounts());
  Grant grant;
  grant.refusal = book_.reserve(accounts_, wanted, now, run_, session);
  if (grant.refusal) return grant;
  attempts_.insert_or_assign(step, wanted);
  // Of one without cost the row says nothing before it has ended, or the next process begins
  // another.
  if (!may_cost(wanted)) return grant;
  reserved_ = reserved_ + wanted;
  grant.write_ahead = is_limited();
  changed_ |= grant.write_ahead;
  return grant;
}

void RunBudget::lost_attempt() {
  const Amounts one{.attempts = 1};
  if (is_limited()) count({}, {one, one});
}

RunBudget::End RunBudget::end_of(const BodyCompletion& completion) {
  const bool refused = completion.result.has_error() &&
                       completion.result.assume_error().known_effect() == ErrorEffect::refused;
  return {.told = completion.charged,
          .never_began = completion.never_ran,
          .unknown = completion.abandoned || completion.lost || (completion.given_up && !refused),
          .refused = refused};
}

void RunBudget::settle(std::uint64_t step, const End& end) {
  const auto found = attempts_.find(step);
  if (ended_ || (found == attempts_.end() && !end.told)) return;
  const Amounts reserved = found == attempts_.end() ? Amounts{} : attempts_.extract(found).mapped();
  count(reserved, tools::used_by(reserved, end));
}

void RunBudget::settle_all() {
  ended_ = true;
  book_.forget(payers_, run_);
  for (const auto& [step, reserved] : std::exchange(attempts_, {}))
    count(reserved, tools::used_by(reserved, {.unknown = true}));
}

void RunBudget::count(const Amounts& reserved, const tools::Counted& counted) {
  if (may_cost(reserved)) reserved_ = reserved_ - reserved;
  used_ = used_ + counted.used;
  assumed_ = assumed_ + counted.assumed;
  // An account that can't be read now has it from the row, when it is read again.
  if (open_accounts().has_value()) book_.settle(accounts_, reserved, counted.used);
  changed_ = true;
}

void RunBudget::put(journal::Change& change) {
  if (!std::exchange(changed_, false)) return;
  const journal::UsageRow row{used_, reserved_, assumed_};
  if (payers_.empty()) change.put(journal::Table::usage, journal::usage_row(run_, run_), row);
  for (const RunId& payer : payers_)
    change.put(journal::Table::usage, journal::usage_row(payer, run_), row);
}

}  // namespace perdure::actors
