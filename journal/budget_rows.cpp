#include "journal/budget_rows.hpp"

#include <cstring>

namespace perdure::journal {
namespace {

constexpr std::size_t kRunIdBytes = 16;
static_assert(sizeof(RunId) == kRunIdBytes);

}  // namespace

StoredBudget owned(const BudgetRow& row) {
  return {row.limits, row.fails_steps != 0, row.created, std::string(row.raised_by), row.raised};
}

BudgetRow view_of(const StoredBudget& budget) noexcept {
  return {budget.limits, static_cast<std::uint8_t>(budget.fails_steps ? 1 : 0), budget.created,
          budget.raised_by, budget.raised};
}

Limits with(Limits limits, const Limits& raised) noexcept {
  if (raised.money) limits.money = raised.money;
  if (raised.tokens) limits.tokens = raised.tokens;
  if (raised.gpu_us) limits.gpu_us = raised.gpu_us;
  if (raised.attempts) limits.attempts = raised.attempts;
  if (raised.wall_us) limits.wall_us = raised.wall_us;
  return limits;
}

std::string money_text(std::int64_t micros) {
  std::string fraction = std::to_string(1'000'000 + micros % 1'000'000).substr(1);
  while (fraction.size() > 2 && fraction.back() == '0') fraction.pop_back();
  return std::to_string(micros / 1'000'000) + "." + fraction;
}

std::optional<std::string> lowered(const Limits& limits, const Limits& raised) {
  struct Line {
    const char* name;
    const std::optional<std::int64_t>& before;
    const std::optional<std::int64_t>& now;
  };
  for (const Line& line :
       {Line{"money", limits.money, raised.money}, Line{"tokens", limits.tokens, raised.tokens},
        Line{"GPU time", limits.gpu_us, raised.gpu_us},
        Line{"attempts", limits.attempts, raised.attempts},
        Line{"wall time", limits.wall_us, raised.wall_us}}) {
    if (!line.now) continue;
    if (!line.before) return std::string(line.name) + " has no limit, and would get one";
    if (*line.now < *line.before)
      return std::string("the limit of ") + line.name + " is higher already";
  }
  return std::nullopt;
}

std::vector<RunId> payers_of(core::ByteView ids) {
  std::vector<RunId> payers(ids.size() / kRunIdBytes);
  for (std::size_t at = 0; at < payers.size(); ++at)
    std::memcpy(payers[at].bytes.data(), ids.data() + at * kRunIdBytes, kRunIdBytes);
  return payers;
}

core::ByteView ids_of(std::span<const RunId> payers) noexcept { return std::as_bytes(payers); }

Key budget_row(const RunId& run) noexcept { return Key{}.add(run); }

Key usage_row(const RunId& payer, const RunId& run) noexcept { return Key{}.add(payer).add(run); }

}  // namespace perdure::journal
