#include "tests/crash/workload_agents.hpp"

#include "tests/crash/bodies.hpp"
#include "tests/crash/history.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <tuple>

namespace perdure::crash {
namespace {

using namespace std::chrono_literals;

/// For steps whose attempts fail or refuse before one succeeds.
constexpr Retry kOften{.attempts_max = 0, .delay = 1ms, .factor = 1.0, .jitter = 0.0};

Task<Trail> branch(Context& ctx, Trail trail, int steps) {
  for (int i = 0; i < steps; ++i)
    trail.saw(co_await ctx.step("stride " + std::to_string(i),
                                [&](Step& step) { return act(step, trail); }));
  co_return trail;
}

Task<Trail> stubborn(Context& ctx, Trail trail) {
  trail.saw(co_await ctx.step(
      "stubborn",
      [&](Step& step) {
        return act(step, trail, step.attempt() < 3 ? Will::fail : Will::succeed, "keyed");
      },
      {.effect = perdure::Effect::keyed, .retry = kOften}));
  co_return trail;
}

Task<Trail> side_by_side(Context& ctx, Trail trail) {
  const std::size_t common = trail.sources().size();
  auto both = co_await ctx.all(branch(ctx, trail, 2), stubborn(ctx, trail));
  trail.saw_beyond(std::get<0>(both), common);
  trail.saw_beyond(std::get<1>(both), common);
  co_return trail;
}

/// Everything that can go wrong with a step. `prefix` is what the ids of this task's steps begin
/// with.
Task<Trail> troubles(Context& ctx, Trail trail, std::string prefix) {
  const auto body = [&trail](Will will, const char* effect_class) {
    return
        [&trail, will, effect_class](Step& step) { return act(step, trail, will, effect_class); };
  };
  const Result<Token> once = co_await as_result(ctx.step(
      "once", body(Will::succeed, "at_most_once"), {.effect = perdure::Effect::at_most_once}));
  trail.saw(prefix + "1", once);
  const Result<Token> hopeless = co_await as_result(
      ctx.step("hopeless", body(Will::fail, "idempotent"), {.retry = {.attempts_max = 1}}));
  trail.saw(prefix + "2", hopeless);
  const Result<Token> late =
      co_await as_result(ctx.step("late",
                                  [&](Step& step) -> Result<Token> {
                                    const Result<Token> failed = act(step, trail, Will::fail);
                                    std::mutex mutex;
                                    std::condition_variable_any stopped;
                                    std::unique_lock lock(mutex);
                                    stopped.wait(lock, step.stop_token(), [] { return false; });
                                    return failed.error();
                                  },
                                  {.retry = {.attempts_max = 1}, .timeout = 3ms}));
  trail.saw(prefix + "3", late);
  const Result<Token> second = co_await as_result(ctx.step(
      "second try",
      [&](Step& step) {
        return act(step, trail, step.attempt() == 1 ? Will::refuse : Will::succeed, "at_most_once");
      },
      {.effect = perdure::Effect::at_most_once, .retry = kOften}));
  trail.saw(prefix + "4", second);
  co_return trail;
}

/// What a tool's attempt gives, after it has said what it used.
Result<Token> act_for_a_token(Step& step, const std::string& seen, Will will,
                              const char* effect_class) {
  Result<Token> outcome = act(step, Trail(sources_of(seen)), will, effect_class);
  step.charge({.tokens = 1});
  return outcome;
}

}  // namespace

Result<Token> run_errand(Step& step, const std::string& seen) {
  return act_for_a_token(step, seen, step.attempt() % 2 != 0 ? Will::fail : Will::succeed, "keyed");
}

void answer_later(Step step, std::string seen, Completion<Token> completion) {
  std::thread([step = std::move(step), seen = std::move(seen),
               completion = std::move(completion)]() mutable {
    (void)completion(act_for_a_token(step, seen, Will::succeed, "idempotent"));
  }).detach();
}

Result<Token> pay_once(Step& step, const std::string& seen) {
  return act_for_a_token(step, seen, step.attempt() == 1 ? Will::refuse : Will::succeed,
                         "at_most_once");
}

Task<std::string> shopping(Context& ctx, Order order) {
  Trail trail({{"~order", words_of(order)}});
  for (int i = 0; i < order.size; ++i)
    trail.saw(co_await ctx.call(errand, to_text(trail.sources())));
  const std::string seen = to_text(trail.sources());
  auto both = co_await ctx.all(ctx.call(question, seen, {.name = "ask the left"}),
                               ctx.call(question, seen, {.name = "ask the right"}));
  trail.saw(std::get<0>(both));
  trail.saw(std::get<1>(both));
  const Result<Token> paid = co_await as_result(ctx.call(payment, to_text(trail.sources())));
  trail.saw(std::to_string(order.size + 2), paid);
  co_return to_text(trail.sources());
}

Task<std::string> journey(Context& ctx, Order order) {
  Trail trail({{"~order", words_of(order)}, {"~random", std::to_string(ctx.random())}});
  for (int i = 0; i < order.size; ++i)
    trail.saw(co_await ctx.step("count " + std::to_string(i),
                                [&](Step& step) { return act(step, trail); }));
  trail.saw(co_await side_by_side(ctx, trail));
  trail.saw(co_await troubles(ctx, trail, std::to_string(order.size + 2) + "."));
  co_return to_text(trail.sources());
}

Task<std::string> spread(Context& ctx, Order order) {
  Trail trail({{"~order", words_of(order)}, {"~uuid", ctx.uuid()}});
  const auto body = [&trail](Step& step) {
    return act(step, trail, Will::succeed, "idempotent", 9000);
  };
  auto three =
      co_await ctx.all(ctx.step("left", body), ctx.step("middle", body), ctx.step("right", body));
  std::apply([&](const auto&... token) { (trail.saw(token), ...); }, three);
  const std::size_t common = trail.sources().size();
  auto two = co_await ctx.all(side_by_side(ctx, trail), side_by_side(ctx, trail));
  trail.saw_beyond(std::get<0>(two), common);
  trail.saw_beyond(std::get<1>(two), common);
  co_return to_text(trail.sources());
}

Task<std::string> doomed(Context& ctx, Order order) {
  Trail trail({{"~order", words_of(order)}});
  for (int i = 0; i < order.size; ++i)
    trail.saw(co_await ctx.step("count " + std::to_string(i),
                                [&](Step& step) { return act(step, trail); }));
  co_await ctx.step("fail", [&](Step& step) { return act(step, trail, Will::fail); },
                    {.retry = {.attempts_max = 2, .delay = 1ms}});
  co_return "it did not fail";
}

}  // namespace perdure::crash
