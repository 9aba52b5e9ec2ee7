#include "tools/budget.hpp"

#include <algorithm>

namespace perdure::tools {
namespace {

using journal::Amounts;

std::int64_t none_below_zero(std::int64_t amount) noexcept {
  return std::max<std::int64_t>(amount, 0);
}

template <class T>
std::optional<std::int64_t> microseconds_of(const std::optional<T>& limit) noexcept {
  if (!limit) return std::nullopt;
  return none_below_zero(limit->count());
}

template <class T>
std::optional<std::int64_t> limit_of(const std::optional<T>& limit) noexcept {
  if (!limit) return std::nullopt;
  return none_below_zero(*limit);
}

std::string seconds_text(std::int64_t us) {
  std::string text = std::to_string(us / 1'000'000);
  if (const std::int64_t ms = us / 1000 % 1000; ms != 0) {
    const std::string digits = std::to_string(1000 + ms);
    text += "." + digits.substr(1);
  }
  return text + " s";
}

std::string number_text(std::int64_t count) { return std::to_string(count); }

struct Line {
  const char* name;
  const std::optional<std::int64_t>& limit;
  std::int64_t used;
  std::int64_t reserved;
  std::int64_t wanted;
  std::string (*text)(std::int64_t);
};

std::optional<std::string> over(const Line& line) {
  if (!line.limit) return std::nullopt;
  const std::int64_t all =
      journal::capped_sum(journal::capped_sum(line.used, line.reserved), line.wanted);
  if (all <= *line.limit) return std::nullopt;
  std::string words = std::string(line.name) + ": " + line.text(line.used) + " used";
  if (line.reserved != 0) words += " and " + line.text(line.reserved) + " reserved";
  words += " of " + line.text(*line.limit);
  if (line.wanted != 0) words += ", and the attempt may use " + line.text(line.wanted);
  return words;
}

}  // namespace

Amounts amounts_of(const Cost& cost) noexcept {
  return {none_below_zero(cost.money.in_micros()), none_below_zero(cost.tokens),
          none_below_zero(cost.gpu_time.count()), 0};
}

Cost cost_of(const Amounts& amounts) noexcept {
  return {Money::micros(amounts.money), amounts.tokens, std::chrono::microseconds(amounts.gpu_us)};
}

journal::Limits limits_of(const Budget& budget) noexcept {
  journal::Limits limits;
  if (budget.money) limits.money = none_below_zero(budget.money->in_micros());
  limits.tokens = limit_of(budget.tokens);
  limits.gpu_us = microseconds_of(budget.gpu_time);
  limits.attempts = limit_of(budget.attempts);
  limits.wall_us = microseconds_of(budget.wall_time);
  return limits;
}

Budget budget_of(const journal::StoredBudget& stored) noexcept {
  Budget budget;
  const journal::Limits& limits = stored.limits;
  if (limits.money) budget.money = Money::micros(*limits.money);
  budget.tokens = limits.tokens;
  if (limits.gpu_us) budget.gpu_time = std::chrono::microseconds(*limits.gpu_us);
  budget.attempts = limits.attempts;
  if (limits.wall_us) budget.wall_time = std::chrono::microseconds(*limits.wall_us);
  budget.when_exhausted = stored.fails_steps ? WhenExhausted::fail_step : WhenExhausted::park;
  return budget;
}

std::optional<std::string> no_room(const BudgetQuestion& question) {
  const journal::Limits& limits = question.limits;
  const Amounts& used = question.used;
  const Amounts& reserved = question.reserved;
  const Amounts& wanted = question.wanted;
  const std::int64_t passed = none_below_zero(question.now - question.created);
  for (const Line& line :
       {Line{"money", limits.money, used.money, reserved.money, wanted.money, &journal::money_text},
        Line{"tokens", limits.tokens, used.tokens, reserved.tokens, wanted.tokens, &number_text},
        Line{"GPU time", limits.gpu_us, used.gpu_us, reserved.gpu_us, wanted.gpu_us, &seconds_text},
        Line{"attempts", limits.attempts, used.attempts, reserved.attempts, wanted.attempts,
             &number_text}})
    if (std::optional<std::string> words = over(line)) return words;
  if (limits.wall_us && passed >= *limits.wall_us)
    return "wall time: " + seconds_text(*limits.wall_us) + " have passed";
  return std::nullopt;
}

Counted used_by(const Amounts& reserved, const AttemptEnd& end) {
  if (end.never_began) return {};
  Amounts told = end.told ? amounts_of(*end.told) : Amounts{};
  told.attempts = reserved.attempts;
  if (!end.unknown) return {end.told || end.refused ? told : reserved, {}};
  return {{std::max(told.money, reserved.money), std::max(told.tokens, reserved.tokens),
           std::max(told.gpu_us, reserved.gpu_us), reserved.attempts},
          reserved - told};
}

}  // namespace perdure::tools
