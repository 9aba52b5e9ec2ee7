// Timeouts, and timers that outlive what they were for.
#include "tests/actors/engine_fixture.hpp"

namespace perdure::test {
namespace {

class TimeoutTest : public EngineFixture {};

enum Kind { returns_a_value, fails, fails_refused };

pd::Task<int> timed(pd::Context& ctx, int kind) {
  co_return co_await ctx.step(
      "timed",
      [&](pd::Step& step) -> pd::Result<int> {
        const std::stop_callback stopped(step.stop_token(), [] { world->trace.add("stop"); });
        if (step.deadline())
          world->trace.add("deadline " + std::to_string(step.deadline()->time_since_epoch() / 1ms));
        world->in_body();
        if (kind == returns_a_value) return 5;
        if (kind == fails_refused) return pd::Error{pd::Code::refused, "gave up"};
        return pd::Error{pd::Code::user, "gave up"};
      },
      {.retry = kNoRetry, .timeout = 250ms});
}
inline constexpr pd::Agent timed_agent{"timed", &timed};

TEST_F(TimeoutTest, TheDeadlineIsToldAndTheBodyIsAskedToStopThenAndNotBefore) {
  kit::Runtime test(kit_with_frames());
  const auto begun_ms = test.now().time_since_epoch() / 1ms;
  world_.in_body = [&] {
    test.advance(249ms);
    EXPECT_EQ(world_.trace.all(), Lines{"deadline " + std::to_string(begun_ms + 250)});
    test.advance(1ms);
    EXPECT_EQ(world_.trace.count("stop"), 1U);
  };
  const pd::Result<int> reply = test.session(timed_agent, "s").start(fails).value().wait();
  EXPECT_EQ(reply.error().code, pd::Code::timeout);
  EXPECT_EQ(reply.error().message,
            "the step's timeout of 250 ms had passed when its body returned: user: gave up");
  EXPECT_EQ(reply.error().known_effect(), pd::ErrorEffect::unknown);
}

TEST_F(TimeoutTest, AValueStandsAlsoAfterTheDeadlineAndAFailureDoesNot) {
  kit::Runtime test(kit_with_frames());
  const auto reply_of = [&](Kind kind, std::chrono::milliseconds takes) {
    world_.trace.clear();
    world_.in_body = [&test, takes] { test.advance(takes); };
    auto session =
        test.session(timed_agent, std::to_string(kind) + "/" + std::to_string(takes / 1ms));
    const pd::Result<int> reply = session.start(kind).value().wait();
    test.advance(1s);
    EXPECT_EQ(world_.trace.count("stop"), takes < 250ms ? 0U : 1U);
    return reply;
  };
  EXPECT_EQ(reply_of(returns_a_value, 250ms).value(), 5);
  EXPECT_EQ(reply_of(fails, 249ms).error().message, "gave up");
  const pd::Error late = reply_of(fails, 250ms).error();
  EXPECT_EQ(late.code, pd::Code::timeout);
  EXPECT_EQ(late.known_effect(), pd::ErrorEffect::unknown);
  const pd::Error refused_late = reply_of(fails_refused, 250ms).error();
  EXPECT_EQ(refused_late.code, pd::Code::timeout);
  EXPECT_EQ(refused_late.known_effect(), pd::ErrorEffect::refused);
}

pd::Task<int> retried_after_timeout(pd::Context& ctx, int) {
  co_return co_await ctx.step("slow once",
                              [](pd::Step& step) -> pd::Result<int> {
                                if (step.attempt() == 2) return step.stop_requested() ? -1 : 2;
                                world->in_body();
                                return pd::Error{pd::Code::cancelled, "stopped"};
                              },
                              {.retry = kPlainRetry, .timeout = 1s});
}
inline constexpr pd::Agent retried{"retried", &retried_after_timeout};

TEST_F(TimeoutTest, ATimeoutIsTriedAgainWithATimeOfItsOwn) {
  kit::Runtime test(kit_with_frames());
  world_.in_body = [&] { test.advance(1s); };
  auto run = test.session(retried, "s").start(0).value();
  test.run_until_idle();
  test.advance(100ms);
  EXPECT_EQ(run.wait().value(), 2);
}

enum Loser { returns, throws };

pd::Task<int> loses(pd::Context& ctx, int how) {
  const auto after = [](int what) {
    if (what == throws) throw std::runtime_error("not repaired");
  };
  const auto in_backoff = ctx.step(
      "tries",
      [](pd::Step&) -> pd::Result<int> { return pd::Error{pd::Code::user, "again later"}; },
      {.retry = {.delay = 30s, .jitter = 0.0}});
  // Its body begins when the other one's failure is recorded and its timer stands.
  const auto decides = ctx.step("decides", [](pd::Step&) -> pd::Result<int> {
    world->in_body();
    return pd::Error{pd::Code::refused, "decided"};
  });
  auto both = ctx.all(std::move(in_backoff), std::move(decides));
  const auto result = co_await pd::as_result(std::move(both));
  after(how);
  co_return result.error();
}
inline constexpr pd::Agent loser{"loser", &loses};

class StaleTimerTest : public EngineFixture {
 protected:
  StaleTimerTest() {
    world_.in_body = [this] { EXPECT_EQ(disk_of(test_).due().size(), 1U); };
  }
  kit::Runtime test_{kit_with_frames()};
};

TEST_F(StaleTimerTest, AnEndedRunIsLeftAloneByATimerOfAStepThatLost) {
  auto run = test_.session(loser, "s").start(returns).value();
  EXPECT_EQ(run.wait().error().message, "decided");
  test_.run_until_idle();
  EXPECT_TRUE(disk_of(test_).due().empty());
  const Lines records = disk_of(test_).records(run.id());
  EXPECT_EQ(records, (Lines{"run_created", "step_result 1.1 'decides' refused",
                            "step_result 1.0 'tries' cancelled", "run_ended failed"}));
  const auto commits = engine_of(test_).store().commits();
  test_.advance(30s);
  EXPECT_EQ(engine_of(test_).store().commits(), commits);
  EXPECT_EQ(disk_of(test_).records(run.id()), records);
  EXPECT_EQ(test_.times("tries"), 1U);
}

TEST_F(StaleTimerTest, AParkedRunIsNotResumedByATimer) {
  (void)test_.session(loser, "s").start(throws).value();
  test_.run_until_idle();
  const std::size_t events = test_.events().size();
  EXPECT_GE(events, 1U) << "it has parked, also where the process began anew meanwhile";
  test_.advance(30s);
  EXPECT_EQ(test_.events().size(), events) << "the same code would only park again";
}

}  // namespace
}  // namespace perdure::test
