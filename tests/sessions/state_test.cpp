/// State: committed with the step, never from the future on replay.
#include "tests/sessions/session_fixture.hpp"

#include <stdexcept>

namespace perdure::test {
namespace {

inline constexpr pd::State<std::vector<std::string>> items{"items"};
inline constexpr pd::State<int> total{"total"};
inline constexpr pd::Signal<int> amount{"amount"};

pd::Task<int> add_item(pd::Context& ctx, std::string sku) {
  auto all = ctx.get(items);
  all.push_back(sku);
  ctx.set(items, all);
  co_return static_cast<int>(all.size());
}
pd::Task<void> clear_items(pd::Context& ctx, int) {
  ctx.erase(items);
  co_return;
}
/// Reads, steps, writes, steps: on replay the first read must not see the write.
pd::Task<std::string> count_up(pd::Context& ctx, int) {
  const int before = ctx.get(total);
  co_await ctx.step("one", [](pd::Step&) { outside->add("one"); });
  ctx.set(total, before + 1);
  co_await ctx.step("two", [](pd::Step&) { outside->add("two"); });
  co_return std::to_string(before) + " " + std::to_string(ctx.get(total));
}
/// The same around waits: its frame may be given up between each two of them.
pd::Task<std::string> add_received(pd::Context& ctx, int) {
  const int found = ctx.get(total);
  const int first = co_await ctx.receive(amount);
  const int then = ctx.get(total);
  ctx.set(total, then + first);
  const int second = co_await ctx.receive(amount);
  const int now = ctx.get(total);
  ctx.set(total, now + second);
  co_await ctx.sleep(1h);
  co_return std::to_string(found) + " " + std::to_string(then) + " " + std::to_string(now) + " " +
      std::to_string(ctx.get(total));
}
std::string shown(const std::optional<int>& value) { return value ? std::to_string(*value) : "-"; }
/// What was there, gone, written anew and gone again, with a step or a wait behind each.
pd::Task<std::string> erase_and_look(pd::Context& ctx, int value) {
  std::string seen = shown(ctx.find(total));
  ctx.erase(total);
  seen += shown(ctx.find(total)) + std::to_string(ctx.get(total));
  co_await ctx.step("erased", [](pd::Step&) { outside->add("erased"); });
  seen += " " + shown(ctx.find(total));
  ctx.set(total, value);
  co_await ctx.receive(amount);
  seen += " " + shown(ctx.find(total));
  ctx.erase(total);
  co_await ctx.sleep(1h);
  seen += " " + shown(ctx.find(total));
  co_await ctx.step("gone", [](pd::Step&) { outside->add("gone"); });
  co_return seen + " " + shown(ctx.find(total));
}
pd::Task<int> fail_after_writing(pd::Context& ctx, int value) {
  ctx.set(total, value);
  co_return pd::Error{pd::Code::user, "failed"};
}
pd::Task<int> throw_after_writing(pd::Context& ctx, int value) {
  co_await ctx.step("begin", [](pd::Step&) {});
  ctx.set(total, value);
  if (outside->mode == 0) throw std::runtime_error("a bug");
  co_return ctx.get(total);
}
int how_many(const pd::View& view, int) { return static_cast<int>(view.get(items).size()); }
pd::Result<int> total_or_refuse(const pd::View& view, int) {
  const std::optional<int> value = view.find(total);
  if (!value) return pd::Error{pd::Code::refused, "nothing was counted"};
  return *value;
}

inline constexpr pd::Handler add{"add", &add_item};
inline constexpr pd::Handler clear{"clear", &clear_items};
inline constexpr pd::Handler count{"count", &count_up};
inline constexpr pd::Handler receive{"receive", &add_received};
inline constexpr pd::Handler erase{"erase", &erase_and_look};
inline constexpr pd::Handler failing{"failing", &fail_after_writing};
inline constexpr pd::Handler throwing{"throwing", &throw_after_writing};
inline constexpr pd::Query size{"size", &how_many};
inline constexpr pd::Query counted{"counted", &total_or_refuse};
inline constexpr pd::Agent cart{"cart", add,     clear,    count, receive,
                                erase,  failing, throwing, size,  counted};

class StateTest : public SessionFixture {};
PERDURE_TEST_FRAMES(StateTest);

TEST_P(StateTest, LivesFromRunToRunAndFromProcessToProcess) {
  kit::Runtime test(options());
  auto session = test.session(cart, "c");
  EXPECT_EQ(session.call(add, "a").value(), 1);
  EXPECT_EQ(session.call(add, "b").value(), 2);
  test.restart(kit::End::unclean);
  EXPECT_EQ(session.call(add, "c").value(), 3);
  EXPECT_TRUE(session.call(clear, 0).has_value());
  EXPECT_EQ(session.call(add, "d").value(), 1);
  EXPECT_EQ(test.session(cart, "other").call(add, "x").value(), 1);
}

TEST_P(StateTest, AReplayReadsWhatTheRunFoundAndNotWhatItWroteLater) {
  kit::Runtime test(options());
  auto session = test.session(cart, "c");
  bool died = false;
  test.replace("two", [&](pd::Step&) {
    // It has read 0 and written 1, which a query can see; and the process dies in its second step.
    EXPECT_EQ(session.query(counted, 0).value(), 1);
    if (!std::exchange(died, true)) die(test);
  });
  EXPECT_EQ(session.call(count, 0).value(), "0 1");
  EXPECT_EQ(test.times("one"), 1U);
  EXPECT_EQ(test.times("two"), 2U);
  EXPECT_EQ(session.query(counted, 0).value(), 1);
}

TEST_P(StateTest, IsReadAndWrittenBetweenWaitsAsIfTheFrameHadStayed) {
  for (const bool restarts : {false, true}) {
    kit::Runtime test(options());
    auto session = test.session(cart, "c");
    EXPECT_EQ(session.call(count, 0).value(), "0 1");
    auto run = session.send(receive, 0).value();
    const auto go_on = [&] {
      test.run_until_idle();
      if (restarts) test.restart(kit::End::unclean);
    };
    go_on();
    ASSERT_TRUE(session.send(amount, 10));
    go_on();
    EXPECT_EQ(session.query(counted, 0).value(), 11);
    ASSERT_TRUE(session.send(amount, 100));
    go_on();
    EXPECT_EQ(session.query(counted, 0).value(), 111);
    test.advance(1h);
    EXPECT_EQ(run.wait().value(), "1 1 11 111");
  }
}

TEST_P(StateTest, AbsenceIsReplayedAsAnyValueIs) {
  for (const bool restarts : {false, true}) {
    kit::Runtime test(options());
    auto session = test.session(cart, "c");
    // The first time there is nothing to erase.
    std::string found = "-";
    for (int i = 0; i < 2; ++i) {
      auto run = session.send(erase, 7).value();
      test.run_until_idle();
      EXPECT_EQ(session.query(counted, 0).value(), 7);
      if (restarts) test.restart(kit::End::unclean);
      ASSERT_TRUE(session.send(amount, 1));
      test.run_until_idle();
      EXPECT_EQ(session.query(counted, 0).error().code, pd::Code::refused);
      if (restarts) test.restart(kit::End::unclean);
      test.advance(1h);
      EXPECT_EQ(run.wait().value(), found + "-0 - 7 - -");
      EXPECT_EQ(session.call(count, 0).value(), "0 1");
      found = "1";
    }
  }
}

TEST_P(StateTest, WhatAFailedRunWroteStays) {
  kit::Runtime test(options());
  auto session = test.session(cart, "c");
  EXPECT_FALSE(session.call(failing, 7));
  EXPECT_EQ(session.query(counted, 0).value(), 7);
}

TEST_P(StateTest, WhatLedToAParkIsNotWrittenUntilRepairedCodeWritesIt) {
  kit::Runtime test(options());
  auto session = test.session(cart, "c");
  auto run = session.send(throwing, 5).value();
  test.run_until_idle();
  ASSERT_FALSE(test.events().empty());
  EXPECT_EQ(test.events().back().kind, pd::EventKind::run_parked);
  EXPECT_EQ(session.query(counted, 0).error().code, pd::Code::refused);
  outside_.mode = 1;
  test.restart();
  EXPECT_EQ(run.wait().value(), 5);
  EXPECT_EQ(session.query(counted, 0).value(), 5);
}

TEST_P(StateTest, AQueryOfASessionThatNothingWasSentToFindsNothing) {
  kit::Runtime test(options());
  EXPECT_EQ(test.session(cart, "c").query(size, 0).value(), 0);
}

TEST_P(StateTest, IsReadAndWrittenOnceWhereverTheProcessDies) {
  const kit::CrashReport report =
      kit::crash_everywhere({.runtime = options()}, [](kit::Runtime& test) {
        auto session = test.session(cart, "c");
        std::string seen;
        for (int i = 0; i < 3; ++i) seen += session.call(count, 0).value() + ", ";
        auto erased = session.send(erase, 7).value();
        test.run_until_idle();
        EXPECT_TRUE(session.send(amount, 1));
        test.advance(1h);
        return seen + erased.wait().value() + ", " + session.call(count, 0).value();
      });
  EXPECT_TRUE(report.ok()) << to_string(report);
  EXPECT_GT(report.crashes, 30U);
}

}  // namespace
}  // namespace perdure::test
