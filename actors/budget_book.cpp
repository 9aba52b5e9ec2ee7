#include "actors/budget_book.hpp"

#include "journal/reader.hpp"
#include "tools/budget.hpp"

#include <algorithm>
#include <utility>

namespace perdure::actors {
namespace {

constexpr std::size_t kLookAtLeast = 64;

}  // namespace

std::shared_ptr<BudgetAccount> BudgetBook::create(const RunId& payer,
                                                  const journal::StoredBudget& budget) {
  const std::lock_guard lock(mutex_);
  drop_unused();
  auto account = std::make_shared<BudgetAccount>(payer, budget);
  accounts_.insert_or_assign(payer, account);
  return account;
}

Result<std::shared_ptr<BudgetAccount>> BudgetBook::open(const RunId& payer) {
  const std::lock_guard lock(mutex_);
  if (const auto found = accounts_.find(payer); found != accounts_.end()) return found->second;
  drop_unused();
  PERDURE_TRY(journal::Reader reader, journal::Reader::open(store_));
  PERDURE_TRY(std::optional<journal::StoredBudget> budget, reader.budget(payer));
  if (!budget)
    return Error{Code::corrupt, "run " + to_string(payer) +
                                    " has no budget, and others draw on it: run `perdure verify`"};
  PERDURE_TRY(const journal::Usage usage, reader.usage_of_all(payer));
  auto account = std::make_shared<BudgetAccount>(payer, *std::move(budget));
  account->used_ = usage.used + usage.reserved;
  accounts_.emplace(payer, account);
  return account;
}

void BudgetBook::drop_unused() {
  if (accounts_.size() < look_at_) return;
  const journal::RecordNumber durable = durable_.watermark();
  std::erase_if(accounts_, [&](const auto& each) {
    const BudgetAccount& account = *each.second;
    return each.second.use_count() == 1 && account.waiting_.empty() &&
           account.last_number_ <= durable;
  });
  look_at_ = std::max(kLookAtLeast, 2 * accounts_.size());
}

std::optional<BudgetBook::Refusal> BudgetBook::reserve(const BudgetAccounts& accounts,
                                                       const journal::Amounts& wanted,
                                                       journal::Stamp now, const RunId& run,
                                                       const SessionAddress& session) {
  const std::lock_guard lock(mutex_);
  for (const auto& account : accounts) {
    const journal::StoredBudget& budget = account->budget_;
    std::optional<std::string> words = tools::no_room(
        {budget.limits, account->used_, account->reserved_, wanted, budget.created, now});
    if (!words) continue;
    if (!budget.fails_steps) account->waiting_.insert_or_assign(run, session);
    return Refusal{account->payer_, budget.fails_steps, *std::move(words)};
  }
  for (const auto& account : accounts) account->reserved_ = account->reserved_ + wanted;
  return std::nullopt;
}

void BudgetBook::settle(const BudgetAccounts& accounts, const journal::Amounts& reserved,
                        const journal::Amounts& used) {
  const std::lock_guard lock(mutex_);
  for (const auto& account : accounts) {
    account->reserved_ = account->reserved_ - reserved;
    account->used_ = account->used_ + used;
  }
}

void BudgetBook::forget(std::span<const RunId> payers, const RunId& run) {
  if (payers.empty()) return;
  const std::lock_guard lock(mutex_);
  for (const RunId& payer : payers)
    if (const auto account = accounts_.find(payer); account != accounts_.end())
      account->second->waiting_.erase(run);
}

void BudgetBook::submitted(const BudgetAccounts& accounts, journal::RecordNumber number) {
  const std::lock_guard lock(mutex_);
  for (const auto& account : accounts)
    account->last_number_ = std::max(account->last_number_, number);
}

Result<journal::StoredBudget> BudgetBook::raised(const BudgetAccount& account,
                                                 const journal::Limits& limits,
                                                 const std::string& who, journal::Stamp now) {
  const std::lock_guard lock(mutex_);
  if (const std::optional<std::string> words = journal::lowered(account.budget_.limits, limits))
    return Error{Code::refused, "the budget of run " + to_string(account.payer_) +
                                    " can only be raised: " + *words};
  journal::StoredBudget budget = account.budget_;
  budget.limits = journal::with(budget.limits, limits);
  budget.raised_by = who;
  budget.raised = now;
  return budget;
}

std::map<RunId, SessionAddress> BudgetBook::raise(BudgetAccount& account,
                                                  journal::StoredBudget budget,
                                                  journal::RecordNumber number) {
  const std::lock_guard lock(mutex_);
  account.budget_ = std::move(budget);
  account.last_number_ = std::max(account.last_number_, number);
  return std::exchange(account.waiting_, {});
}

}  // namespace perdure::actors
