// The kit's clock: due times in order, bodies that take time, and nothing that moves by itself.
#include "tests/testing/kit_fixture.hpp"

namespace perdure::test {
namespace {

constexpr pd::Retry kPlain{.attempts_max = 4, .delay = 10s, .factor = 2.0, .jitter = 0.0};

/// Fails twice, and notes when it ran.
pd::Task<int> flaky(pd::Context& ctx, std::string name) {
  co_return co_await ctx.step("flaky",
                              [&](pd::Step& step) -> pd::Result<int> {
                                outside->trace.push_back(name + std::to_string(step.attempt()));
                                if (step.attempt() < 3) return pd::Error{pd::Code::user, "not yet"};
                                return step.attempt();
                              },
                              {.retry = kPlain});
}
inline constexpr pd::Agent flaky_agent{"flaky", &flaky};

class TestingTimeTest : public KitFixture {};

TEST_F(TestingTimeTest, TheClockStandsStillUntilItIsMoved) {
  kit::Runtime test;
  const auto start = test.now();
  EXPECT_EQ(start, kit::Options{}.start_time);
  auto run = test.session(flaky_agent, "s").start("a").value();
  const pd::Result<int> reply = run.wait();
  EXPECT_EQ(test.now(), start);
  EXPECT_EQ(reply.error().code, pd::Code::timeout);
  EXPECT_TRUE(contains(reply.error().message,
                       "step 1 'flaky' waits 10.0 s for attempt 2, the last one failed with user: "
                       "not yet; only time is missing, the next timer is due in 10000 ms"))
      << reply.error().message;
  test.advance(9999ms);
  EXPECT_EQ(outside_.trace, Lines{"a1"}) << "early";
  EXPECT_EQ(test.now(), start + 9999ms);
  test.advance(1ms);
  EXPECT_EQ(outside_.trace, (Lines{"a1", "a2"}));
}

TEST_F(TestingTimeTest, AdvanceStopsAtEachDueTimeAndRunsWhatFollows) {
  kit::Runtime test;
  const auto start = test.now();
  auto run = test.session(flaky_agent, "s").start("a").value();
  test.advance(72h);
  EXPECT_EQ(test.now(), start + 72h);
  EXPECT_EQ(run.result()->value(), 3) << "the third attempt was due only after the second";
  const auto steps = test.steps();
  ASSERT_EQ(steps.size(), 3U);
  EXPECT_EQ(steps[0].began, start);
  EXPECT_EQ(steps[1].began, start + 10s);
  EXPECT_EQ(steps[2].began, start + 30s);
}

TEST_F(TestingTimeTest, WhatIsDueOfSeveralRunsComesInTheOrderOfTime) {
  kit::Runtime test;
  (void)test.session(flaky_agent, "a").start("a").value();
  test.advance(5s);
  (void)test.session(flaky_agent, "b").start("b").value();
  test.advance(1h);
  EXPECT_EQ(outside_.trace, (Lines{"a1", "b1", "a2", "b2", "a3", "b3"}));
}

TEST_F(TestingTimeTest, TheClockBeginsWhereItIsSet) {
  const auto new_year = std::chrono::sys_days{std::chrono::year{2030} / 1 / 1};
  kit::Runtime test({.start_time = new_year});
  EXPECT_EQ(test.now(), new_year);
  test.advance(24h);
  EXPECT_EQ(test.now(), new_year + 24h);
}

TEST_F(TestingTimeTest, TimeNeverGoesBack) {
  kit::Runtime test;
  const auto start = test.now();
  EXPECT_THROW(test.advance(-1us), pd::Exception);
  EXPECT_THROW(test.restart(kit::End::clean, {.down_for = -1us}), pd::Exception);
  EXPECT_EQ(test.now(), start);
}

/// A body of three seconds, which may have two.
pd::Task<std::string> slow(pd::Context& ctx, int) {
  const pd::Result<int> answer =
      co_await pd::as_result(ctx.step("slow",
                                      [](pd::Step& step) -> pd::Result<int> {
                                        outside->in_body();
                                        if (step.stop_requested())
                                          return pd::Error{pd::Code::user, "stopped"};
                                        return 1;
                                      },
                                      {.retry = {.attempts_max = 1}, .timeout = 2s}));
  co_return answer ? "in time" : std::string(to_string(answer.error().code));
}
inline constexpr pd::Agent slow_agent{"slow", &slow};

TEST_F(TestingTimeTest, ABodyTakesTimeByMovingTheClock) {
  for (const auto& [takes, reply] :
       std::map<std::chrono::milliseconds, std::string>{{1999ms, "in time"}, {2000ms, "timeout"}}) {
    kit::Runtime test;
    outside_.in_body = [&test, time = takes] { test.advance(time); };
    const auto start = test.now();
    EXPECT_EQ(test.session(slow_agent, "s").start(0).value().wait().value(), reply);
    EXPECT_EQ(test.now(), start + takes);
  }
}

TEST_F(TestingTimeTest, WhatBecomesDueDuringABodyWaitsForItsTurn) {
  kit::Runtime test;
  (void)test.session(flaky_agent, "a").start("a").value();
  test.run_until_idle();
  outside_.in_body = [&] {
    test.advance(10s);
    outside->trace.push_back("body returns");
  };
  EXPECT_EQ(test.session(slow_agent, "s").start(0).value().wait().value(), "timeout");
  test.run_until_idle();
  EXPECT_EQ(outside_.trace, (Lines{"a1", "body returns", "a2"}));
}

}  // namespace
}  // namespace perdure::test
