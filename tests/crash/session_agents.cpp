#include "tests/crash/session_agents.hpp"

#include "tests/crash/bodies.hpp"

#include <atomic>
#include <stdexcept>
#include <utility>

namespace perdure::crash {
namespace {

using namespace std::chrono_literals;

/// Nobody sends it.
constexpr Signal<std::string> kNever{"never"};

std::atomic<bool> repaired{false};

/// The operations of a handler that does one after the other, counted as Perdure counts them.
class Walk {
 public:
  explicit Walk(const Order& order) : trail_({{"~order", words_of(order)}}) {}

  void saw(const Token& token) {
    ++taken_;
    trail_.saw(token);
  }
  void saw(std::string text) { trail_.saw(std::to_string(++taken_), std::move(text)); }
  void saw(const Result<std::string>& result) {
    saw(result ? result.value() : words_of(result.error()));
  }
  /// What the branch `branch` of a combinator gave.
  void saw_branch(int branch, std::string text) {
    trail_.saw(std::to_string(++taken_) + "." + std::to_string(branch), std::move(text));
  }
  /// An operation that gave nothing that is recorded as a value.
  void passed() { ++taken_; }
  /// Something that must be the same when the handler comes by again.
  void found(const char* what, std::string text) { trail_.saw(what, std::move(text)); }

  /// What the message or the signal that the next operation sends is called.
  [[nodiscard]] std::string next(Context& ctx) const {
    return to_string(ctx.run_id()) + "/" + std::to_string(taken_ + 1);
  }
  [[nodiscard]] auto body() const {
    return [this](Step& step) { return act(step, trail_); };
  }
  [[nodiscard]] std::string text() const { return to_text(trail_.sources()); }
  [[nodiscard]] const Trail& trail() const { return trail_; }

 private:
  Trail trail_;
  int taken_ = 0;
};

/// In the first life the code is an old one.
bool is_old_code() { return notes.label == "L1"; }

}  // namespace

int read_sum(const View& view, int) { return view.get(sum); }

Task<std::string> book(Context& ctx, Order order) {
  Walk walk(order);
  const int before = ctx.get(sum);
  walk.found("~before", std::to_string(before));
  walk.found("~mark", ctx.find(mark) ? "there" : "absent");
  ctx.set(mark, order.size);
  walk.saw(co_await ctx.step("look", walk.body()));
  ctx.set(sum, before + order.size);
  walk.found("~marked", ctx.find(mark) ? "there" : "absent");
  walk.saw(co_await ctx.step("write down", walk.body()));
  ctx.erase(mark);
  walk.found("~sum", std::to_string(ctx.get(sum)));
  co_return walk.text();
}

Task<std::string> pay(Context& ctx, Order order) {
  Walk walk(order);
  auto bank = ctx.session(ledger, order.flavour);
  walk.saw(co_await ctx.step("decide", walk.body()));
  co_await bank.send(booking, {walk.next(ctx), kDelayed},
                     {.key = "later " + std::string(ctx.session_key()), .delay = kNap});
  walk.passed();
  co_await bank.send(booking, {walk.next(ctx), 10});
  walk.passed();
  walk.saw(co_await bank.call(booking, {walk.next(ctx), 1}));
  walk.saw(co_await ctx.step("file the receipt", walk.body()));
  co_return walk.text();
}

Task<std::string> talk(Context& ctx, Order order) {
  Walk walk(order);
  for (int i = 0; i < order.size; ++i) {
    co_await ctx.session(listener, order.flavour).send(word, walk.next(ctx));
    walk.passed();
    walk.saw(co_await ctx.step("breathe", walk.body()));
  }
  co_return walk.text();
}

Task<std::string> listen(Context& ctx, Order order) {
  Walk walk(order);
  for (int i = 0; i < order.size; ++i) {
    const int before = ctx.get(heard);
    bool lost = true;
    if (i % 2 == 0) {
      const std::optional<std::string> told = co_await ctx.receive(word, {.within = 1ms});
      lost = !told;
      told ? walk.saw(*told) : walk.passed();
    } else {
      const auto first = co_await ctx.race(ctx.receive(word), ctx.sleep(1ms));
      lost = first.index() == 1;
      lost ? walk.passed() : walk.saw_branch(0, std::get<0>(first));
    }
    if (lost) walk.saw(co_await ctx.receive(word));
    walk.found("~heard", std::to_string(before));
    ctx.set(heard, before + 1);
    walk.saw(co_await ctx.step("note it down", walk.body()));
  }
  walk.saw(co_await ctx.receive(outer_word));
  walk.saw(co_await ctx.step("note it down", walk.body()));
  co_return walk.text();
}

Task<std::string> bring_up(Context& ctx, Order order) {
  Walk walk(order);
  const auto spawn = [&](const char* name, const Handler<std::string, Order>& handler,
                         ParentEnds ends) {
    return ctx.session(helper, std::string(ctx.session_key()) + name)
        .spawn(handler, {walk.next(ctx), static_cast<int>(ends)},
               {.key = "child", .parent_ends = ends});
  };
  const ChildRun<std::string> awaited =
      co_await spawn("-awaited", toiling, ParentEnds::wait_for_child);
  walk.saw(to_string(awaited.id()));
  const ChildRun<std::string> cancelled =
      co_await spawn("-cancelled", idling, ParentEnds::cancel_child);
  walk.saw(to_string(cancelled.id()));
  const ChildRun<std::string> left = co_await spawn("-left", toiling, ParentEnds::abandon_child);
  walk.saw(to_string(left.id()));
  const ChildRun<std::string> joined =
      co_await spawn("-joined", toiling, ParentEnds::wait_for_child);
  walk.saw(to_string(joined.id()));
  const ChildRun<std::string> stopped =
      co_await spawn("-stopped", idling, ParentEnds::wait_for_child);
  walk.saw(to_string(stopped.id()));
  walk.saw(co_await ctx.step("bring up", walk.body()));
  co_await stopped.cancel({.why = "it is enough", .grace = kLongGrace});
  walk.passed();
  walk.saw(co_await joined.result());
  const Result<std::string> end = co_await as_result(stopped.result());
  walk.saw(end);
  walk.saw(co_await ctx.step("see them off", walk.body()));
  co_return walk.text();
}

Task<std::string> toil(Context& ctx, Order order) {
  Walk walk(order);
  walk.saw(co_await ctx.step("begin", walk.body()));
  co_await ctx.sleep(kNap);
  walk.passed();
  walk.saw(co_await ctx.step("end", walk.body()));
  co_return walk.text();
}

Task<std::string> idle(Context& ctx, Order order) {
  Walk walk(order);
  walk.saw(co_await ctx.step("begin", walk.body()));
  const Result<std::string> never = co_await catch_cancelled(ctx.receive(kNever));
  walk.passed();
  walk.saw(co_await ctx.shielded(ctx.step("tidy up", walk.body())));
  co_return never.error();
}

Task<std::string> wait_and_tidy_up(Context& ctx, Order order) {
  Walk walk(order);
  walk.saw(co_await ctx.step("begin", walk.body()));
  const Result<std::string> never = co_await catch_cancelled(ctx.receive(kNever));
  walk.passed();
  walk.saw(co_await ctx.step("tidy up", walk.body()));
  co_return walk.text();
}

Task<std::string> wait_for_ever(Context& ctx, Order order) {
  Walk walk(order);
  walk.saw(co_await ctx.step("begin", walk.body()));
  walk.saw(co_await ctx.receive(kNever));
  co_return walk.text();
}

Task<std::string> wait_and_not_heed(Context& ctx, Order order) {
  Walk walk(order);
  walk.saw(co_await ctx.step("begin", walk.body()));
  for (;;) static_cast<void>(co_await catch_cancelled(ctx.receive(kNever)));
}

Task<std::string> two_steps(Context& ctx, Order order) {
  Walk walk(order);
  walk.saw(co_await ctx.step("first", walk.body()));
  co_await ctx.sleep(kNap);
  walk.passed();
  walk.saw(co_await ctx.step("second", walk.body()));
  co_return walk.text();
}

Task<std::string> evolve(Context& ctx, Order order) {
  Walk walk(order);
  walk.saw(co_await ctx.step("before", walk.body()));
  const int way = is_old_code() ? 1 : ctx.version("a change", 1, 2);
  walk.found("~version", std::to_string(way));
  walk.saw(co_await ctx.step("the way", walk.body()));
  co_await ctx.sleep(kNap);
  walk.passed();
  walk.saw(co_await ctx.step("behind", walk.body()));
  co_return walk.text();
}

Task<std::string> shift(Context& ctx, Order order) {
  Walk walk(order);
  walk.saw(co_await ctx.step("before", walk.body()));
  if (is_old_code()) {
    co_await ctx.sleep(1ms);
    walk.passed();
  } else {
    walk.saw(co_await ctx.step("instead of a nap", walk.body()));
  }
  walk.saw(co_await ctx.step("behind", walk.body()));
  co_return walk.text();
}

void repair() { repaired = true; }

Task<std::string> throw_always(Context& ctx, Order order) {
  Walk walk(order);
  walk.saw(co_await ctx.step("begin", walk.body()));
  throw std::runtime_error("it always does");
}

Task<std::string> throw_at_first(Context& ctx, Order order) {
  Walk walk(order);
  walk.saw(co_await ctx.step("begin", walk.body()));
  if (!repaired) throw std::runtime_error("a bug");
  walk.saw(co_await ctx.step("go on", walk.body()));
  co_return walk.text();
}

Task<std::string> try_later(Context& ctx, Order order) {
  Walk walk(order);
  walk.saw(co_await ctx.step("try",
                             [&](Step& step) {
                               return act(step, walk.trail(),
                                          step.attempt() == 1 ? Will::fail : Will::succeed);
                             },
                             {.retry = {.attempts_max = 0, .delay = 10min}}));
  co_return walk.text();
}

}  // namespace perdure::crash
