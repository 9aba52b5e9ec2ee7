/// The workload's agents: sessions whose steps do everything that steps can do.
///
/// What this is: handlers, and the bodies of their steps, which note themselves the moment they run
/// (history.hpp) with all that they were given.
/// What it promises: a handler's steps are numbered as docs/programming_model.md says, and failures
/// that are handed over as values are noted under the number counted by hand.
/// What it does not: open a runtime (workload.cpp).
#pragma once

#include <perdure/perdure.hpp>

#include "tests/crash/workload_types.hpp"

#include <string>

namespace perdure::crash {

Task<std::string> journey(Context& ctx, Order order);
inline constexpr Agent traveller{"traveller", &journey};

/// Three steps at once, whose results take several pages, and then two tasks of which each has two
/// at once.
Task<std::string> spread(Context& ctx, Order order);
inline constexpr Agent spreader{"spreader", &spread};

/// Ends with the failure of a step that nobody caught.
Task<std::string> doomed(Context& ctx, Order order);
inline constexpr Agent loser{"loser", &doomed};

/// Tools, whose inputs are what was seen so far. An attempt uses one token.
Result<Token> run_errand(Step& step, const std::string& seen);
inline constexpr Tool errand{
    "errand",
    &run_errand,
    {.effect = perdure::Effect::keyed,
     .retry = {.attempts_max = 0, .delay = std::chrono::milliseconds(1), .factor = 1.0},
     .cost_max = {.tokens = 1}}};
/// Ended by another thread.
void answer_later(Step step, std::string seen, Completion<Token> completion);
inline constexpr Tool question{"question", &answer_later, {.cost_max = {.tokens = 1}}};
/// Refuses once.
Result<Token> pay_once(Step& step, const std::string& seen);
inline constexpr Tool payment{
    "payment",
    &pay_once,
    {.effect = perdure::Effect::at_most_once,
     .retry = {.attempts_max = 0, .delay = std::chrono::milliseconds(1), .factor = 1.0},
     .cost_max = {.tokens = 1}}};

/// Calls the tools, one after the other and side by side. Its budget has room for all that many
/// crashes can take.
Task<std::string> shopping(Context& ctx, Order order);
inline constexpr Agent shopper{
    "shopper", Handler{"run", &shopping, {.budget = {.tokens = 10'000, .attempts = 10'000}}}};

}  // namespace perdure::crash
