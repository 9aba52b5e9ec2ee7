#include "cli/budget.hpp"

#include "cli/format.hpp"
#include "cli/text.hpp"
#include "journal/budget_rows.hpp"

namespace perdure::cli {
namespace {

using journal::Amounts;

std::string number_text(std::int64_t count) {
  return count_text(static_cast<std::uint64_t>(count));
}

struct Line {
  const char* name;
  std::int64_t used;
  std::int64_t assumed;
  std::int64_t reserved;
  std::optional<std::int64_t> limit;
  std::string (*text)(std::int64_t);
};

std::string line_text(const Line& line) {
  if (line.used == 0 && line.reserved == 0 && !line.limit) return {};
  std::string text = std::string(line.name) + " " + line.text(line.used);
  if (line.assumed != 0) text += " (" + line.text(line.assumed) + " of it at most)";
  if (line.reserved != 0) text += " + " + line.text(line.reserved) + " reserved";
  if (line.limit) text += " of " + line.text(*line.limit);
  return text;
}

std::string runs_text(const std::vector<RunId>& runs, const RunId& self) {
  std::string text;
  for (const RunId& run : runs)
    if (run != self) text += (text.empty() ? "run " : ", run ") + perdure::to_string(run);
  return text;
}

std::string json_of_runs(const std::vector<RunId>& runs) {
  std::string array = "[";
  for (const RunId& run : runs)
    array += (array.size() > 1 ? "," : "") + json_string(perdure::to_string(run));
  return array + "]";
}

JsonObject json_of(const Amounts& amounts) {
  JsonObject object;
  object.number("money_micros", amounts.money)
      .number("tokens", amounts.tokens)
      .number("gpu_us", amounts.gpu_us)
      .number("attempts", amounts.attempts);
  return object;
}

}  // namespace

bool has_budget(const journal::BudgetInfo& budget) {
  return budget.own || !budget.payers.empty() || budget.usage.used != Amounts{} ||
         budget.usage.reserved != Amounts{};
}

std::string budget_text(const journal::BudgetInfo& budget, const Screen& screen) {
  const journal::Limits limits = budget.own ? budget.own->limits : journal::Limits{};
  const Amounts& used = budget.usage.used;
  const Amounts& reserved = budget.usage.reserved;
  const Amounts& assumed = budget.usage.assumed;
  std::string text;
  const auto add = [&](const std::string& part) {
    if (!part.empty()) text += (text.empty() ? "" : ", ") + part;
  };
  for (const Line& line :
       {Line{"money", used.money, assumed.money, reserved.money, limits.money,
             &journal::money_text},
        Line{"tokens", used.tokens, assumed.tokens, reserved.tokens, limits.tokens, &number_text},
        Line{"GPU time", used.gpu_us, assumed.gpu_us, reserved.gpu_us, limits.gpu_us, &duration},
        Line{"attempts", used.attempts, assumed.attempts, reserved.attempts, limits.attempts,
             &number_text}})
    add(line_text(line));
  if (limits.wall_us) {
    const journal::Stamp ends = journal::capped_sum(budget.own->created, *limits.wall_us);
    add("wall time " + duration(*limits.wall_us) + " (" + relative(ends, screen.now) + ")");
  }
  if (budget.own && budget.own->raised != 0) {
    std::string raised = "raised " + relative(budget.own->raised, screen.now);
    if (!budget.own->raised_by.empty()) raised += " by " + safe_line(budget.own->raised_by);
    add(raised);
  }
  if (const std::string payers = runs_text(budget.payers, budget.usage.run); !payers.empty())
    add("drawing on " + payers);
  return text;
}

JsonObject json_of(const journal::Limits& limits) {
  JsonObject object;
  const auto set = [&](const char* name, const std::optional<std::int64_t>& limit) {
    if (limit)
      object.number(name, *limit);
    else
      object.null(name);
  };
  set("money_micros", limits.money);
  set("tokens", limits.tokens);
  set("gpu_us", limits.gpu_us);
  set("attempts", limits.attempts);
  set("wall_us", limits.wall_us);
  return object;
}

JsonObject json_of(const journal::BudgetInfo& budget) {
  JsonObject object;
  if (budget.own) {
    object.object("limits", json_of(budget.own->limits))
        .text("when_exhausted", budget.own->fails_steps ? "fail_step" : "park");
  } else {
    object.null("limits").null("when_exhausted");
  }
  object.object("used", json_of(budget.usage.used))
      .object("assumed", json_of(budget.usage.assumed))
      .object("reserved", json_of(budget.usage.reserved))
      .raw("draws_on", json_of_runs(budget.payers));
  if (budget.own && budget.own->raised != 0) {
    object.text("raised", json_time(budget.own->raised)).text("raised_by", budget.own->raised_by);
  } else {
    object.null("raised").null("raised_by");
  }
  return object;
}

std::string json_of_payers(core::ByteView payers) {
  return json_of_runs(journal::payers_of(payers));
}

}  // namespace perdure::cli
