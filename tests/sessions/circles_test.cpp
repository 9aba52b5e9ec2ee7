/// Calls in circles: reported to the call that closed them, not waited for.
#include "tests/sessions/session_fixture.hpp"

namespace perdure::test {
namespace {

/// `next` calls the session named by the first letter, with the rest; the last replies. `!`: waits
/// for the signal `go` first. `+`: the call is made beside a sleep of a second.
pd::Task<std::string> walk(pd::Context& ctx, std::string way);
inline constexpr pd::Handler step_on{"walk", &walk};
inline constexpr pd::Handler step_on_joined{
    "walk-joined", &walk, {.when_busy = pd::WhenBusy::join}};
inline constexpr pd::Handler step_on_timed{"walk-timed", &walk, {.deadline = 1h}};
inline constexpr pd::Agent walker{"walker", step_on, step_on_joined, step_on_timed};
inline constexpr pd::Signal<int> go{"go"};

pd::Task<void> pause(pd::Context& ctx) { co_await ctx.sleep(1s); }
pd::Task<std::string> call_on(pd::Context& ctx, std::string way) {
  const std::string rest = way.substr(1);
  if (way[0] == 'J')
    co_return co_await ctx.session(walker, rest.substr(0, 1)).call(step_on_joined, rest.substr(1));
  co_return co_await ctx.session(walker, way.substr(0, 1)).call(step_on, rest);
}
pd::Task<std::string> spawn_on(pd::Context& ctx, std::string way) {
  const auto child = co_await ctx.session(walker, way.substr(0, 1)).spawn(step_on, way.substr(1));
  co_return co_await child.result();
}
pd::Task<std::string> walk(pd::Context& ctx, std::string way) {
  const std::string here(ctx.session_key());
  if (way.empty()) co_return here;
  if (way[0] == '!') {
    co_await ctx.receive(go);
    way.erase(0, 1);
    if (way.empty()) co_return here;
  }
  if (way[0] == '?') {  // Asks another one when it fails.
    const auto reply = co_await pd::as_result(call_on(ctx, way.substr(1)));
    co_return here + (reply ? reply.value() : "(" + reply.error().to_string() + ")");
  }
  if (way[0] == '<') co_return here + co_await ctx.within(1h, call_on(ctx, way.substr(1)));
  if (way[0] == '^') co_return here + co_await spawn_on(ctx, way.substr(1));
  if (way[0] == '+') {
    auto both = co_await ctx.all(call_on(ctx, way.substr(1)), pause(ctx));
    co_return here + std::get<0>(both);
  }
  co_return here + co_await call_on(ctx, way);
}

class CirclesTest : public SessionFixture {
 protected:
  static auto start(kit::Runtime& test, const std::string& at, const std::string& way) {
    return test.session(walker, at).send(step_on, way, {.key = at + way}).value();
  }
};
PERDURE_TEST_FRAMES(CirclesTest);

TEST_P(CirclesTest, ASessionThatCallsItselfIsToldSo) {
  kit::Runtime test(options());
  const auto reply = start(test, "a", "a").wait();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, pd::Code::deadlock);
  EXPECT_EQ(reply.error().known_effect(), pd::ErrorEffect::refused);
  EXPECT_EQ(reply.error().message, "the call would wait for ever: walker/a waits for walker/a");
  EXPECT_TRUE(disk_of(test).due().empty());
}

TEST_P(CirclesTest, TheCallThatClosesACircleIsToldSo) {
  kit::Runtime test(options());
  // a calls b, b calls c, c calls a, and c alone learns of it.
  EXPECT_EQ(start(test, "a", "bc?a").wait().value(),
            "abc(deadlock: the call would wait for ever: walker/a waits for walker/b, which waits "
            "for walker/c, which waits for walker/a)");
  EXPECT_TRUE(disk_of(test).due().empty());
}

TEST_P(CirclesTest, AQueueIsNoCircle) {
  kit::Runtime test(options());
  auto busy = start(test, "b", "!");
  auto waiting = start(test, "a", "b");
  auto third = start(test, "c", "a");
  test.run_until_idle();
  EXPECT_FALSE(third.result());
  ASSERT_TRUE(test.session(walker, "b").send(go, 1));
  EXPECT_EQ(busy.wait().value(), "b");
  EXPECT_EQ(waiting.wait().value(), "ab");
  EXPECT_EQ(third.wait().value(), "ca");
}

TEST_P(CirclesTest, ThatCloseWithoutACallAreFound) {
  kit::Runtime test(options());
  // b calls a while a still sleeps beside its call.
  auto first = start(test, "a", "+b?a");
  test.run_until_idle();
  EXPECT_FALSE(first.result());
  test.advance(1s);
  const std::string reply = first.wait().value();
  EXPECT_EQ(reply.substr(0, 12), "ab(deadlock:") << reply;
}

TEST_P(CirclesTest, WhoWaitsWithATimeIsLeftAlone) {
  kit::Runtime test(options());
  auto first = start(test, "a", "<ba");
  test.run_until_idle();
  EXPECT_FALSE(first.result());
  test.advance(1h);
  EXPECT_EQ(first.wait().error().code, pd::Code::timeout);

  auto timed = test.session(walker, "c").send(step_on_timed, "dc").value();
  test.run_until_idle();
  EXPECT_FALSE(timed.result());
  test.advance(1h);
  EXPECT_EQ(timed.wait().error().code, pd::Code::timeout);
}

TEST_P(CirclesTest, OfChildrenAreFound) {
  kit::Runtime test(options());
  const auto reply = start(test, "a", "^b^a").wait();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, pd::Code::deadlock);
}

TEST_P(CirclesTest, OfWhoJoinsARunAreFound) {
  kit::Runtime test(options());
  auto run = test.session(walker, "a").send(step_on_joined, "bJax").value();
  const auto reply = run.wait();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, pd::Code::deadlock);
}

TEST_P(CirclesTest, OfTwoThatCallEachOtherAtOnceOneGoesOn) {
  kit::Runtime test(options());
  auto one = start(test, "a", "!?b");
  auto other = start(test, "b", "!?a");
  test.run_until_idle();
  ASSERT_TRUE(test.session(walker, "a").send(go, 1));
  ASSERT_TRUE(test.session(walker, "b").send(go, 1));
  const std::string replies = one.wait().value() + " " + other.wait().value();
  std::size_t told = 0;
  for (std::size_t at = replies.find("deadlock:"); at != std::string::npos;
       at = replies.find("deadlock:", at + 1))
    ++told;
  EXPECT_EQ(told, 1U) << replies;
}

TEST_P(CirclesTest, AreReportedWhereverTheProcessDies) {
  for (const std::string way : {"bc?a", "+b?a", "^b?a"}) {
    const kit::CrashReport report =
        kit::crash_everywhere({.runtime = options(), .second_within = 3}, [&](kit::Runtime& test) {
          auto run = start(test, "a", way);
          test.run_until_idle();
          test.advance(2s);
          return run.wait().value();
        });
    EXPECT_TRUE(report.ok()) << way << "\n" << to_string(report);
    EXPECT_GT(report.crashes, 10U);
  }
}

}  // namespace
}  // namespace perdure::test
