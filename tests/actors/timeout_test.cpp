// Timeouts, and timers that outlive what they were for.
#include "tests/actors/engine_fixture.hpp"

namespace perdure::test {
namespace {

class TimeoutTest : public EngineFixture {};

enum Kind { honours_stop, returns_a_value, fails_late, fails_in_time, fails_refused_late };

pd::Task<int> timed(pd::Context& ctx, int kind) {
  co_return co_await ctx.step(
      "timed",
      [&](pd::Step& step) -> pd::Result<int> {
        const std::stop_callback stopped(step.stop_token(), [] { world->trace.add("stop"); });
        if (step.deadline())
          world->trace.add("deadline " + std::to_string(step.deadline()->time_since_epoch() / 1ms));
        world->trace.add("began");
        if (kind == honours_stop) world->trace.wait_for("stop");
        if (kind != honours_stop) world->door("go on").pass();
        if (kind == returns_a_value) return 5;
        if (kind == fails_refused_late) return pd::Error{pd::Code::refused, "gave up"};
        return pd::Error{pd::Code::user, "gave up"};
      },
      {.retry = kNoRetry, .timeout = 250ms});
}
inline constexpr pd::Agent timed_agent{"timed", &timed};

TEST_F(TimeoutTest, TheDeadlineIsToldAndTheBodyIsAskedToStopThenAndNotBefore) {
  TestEngine engine(disk_);
  engine.start(timed_agent);
  const auto begun_ms = disk_.clock->wall().time_since_epoch() / 1ms;
  auto run = engine.runtime().session(timed_agent, "s").start(honours_stop).value();
  world_.trace.wait_for("began");
  EXPECT_EQ(world_.trace.count("deadline " + std::to_string(begun_ms + 250)), 1U);
  engine.advance(249ms);
  EXPECT_EQ(world_.trace.count("stop"), 0U);
  engine.advance(1ms);
  const pd::Result<int> reply = run.wait();
  EXPECT_EQ(reply.error().code, pd::Code::timeout);
  EXPECT_EQ(reply.error().message,
            "the step's timeout of 250 ms had passed when its body returned: user: gave up");
  EXPECT_EQ(reply.error().known_effect(), pd::ErrorEffect::unknown);
}

TEST_F(TimeoutTest, AValueStandsAlsoAfterTheDeadlineAndAFailureDoesNot) {
  for (const int kind : {returns_a_value, fails_late, fails_in_time, fails_refused_late}) {
    world_.trace.clear();
    TestDisk disk;
    World fresh;
    world = &fresh;
    TestEngine engine(disk);
    engine.start(timed_agent);
    auto run = engine.runtime().session(timed_agent, "s").start(kind).value();
    fresh.trace.wait_for("began");
    if (kind != fails_in_time) {
      engine.advance(250ms);
      fresh.trace.wait_for("stop");
      EXPECT_FALSE(run.result().has_value()) << "the body has not returned";
    }
    fresh.door("go on").open();
    const pd::Result<int> reply = run.wait();
    if (kind == returns_a_value) {
      EXPECT_EQ(reply.value(), 5);
    } else if (kind == fails_in_time) {
      EXPECT_EQ(reply.error().message, "gave up");
    } else {
      EXPECT_EQ(reply.error().code, pd::Code::timeout);
      EXPECT_EQ(reply.error().known_effect(),
                kind == fails_refused_late ? pd::ErrorEffect::refused : pd::ErrorEffect::unknown);
    }
    engine.advance(1s);
    EXPECT_EQ(fresh.trace.count("stop"), kind == fails_in_time ? 0U : 1U);
  }
  world = &world_;
}

pd::Task<int> retried_after_timeout(pd::Context& ctx, int) {
  co_return co_await ctx.step("slow once",
                              [](pd::Step& step) -> pd::Result<int> {
                                world->trace.add("attempt " + std::to_string(step.attempt()));
                                if (step.attempt() == 2) return step.stop_requested() ? -1 : 2;
                                const std::stop_callback stopped(step.stop_token(),
                                                                 [] { world->trace.add("stop"); });
                                world->trace.wait_for("stop");
                                return pd::Error{pd::Code::cancelled, "stopped"};
                              },
                              {.retry = kPlainRetry, .timeout = 1s});
}
inline constexpr pd::Agent retried{"retried", &retried_after_timeout};

TEST_F(TimeoutTest, ATimeoutIsTriedAgainWithATimeOfItsOwn) {
  TestEngine engine(disk_);
  engine.start(retried);
  auto run = engine.runtime().session(retried, "s").start(0).value();
  world_.trace.wait_for("attempt 1");
  engine.advance(1s);
  engine.wait_for_log("step_retry");
  while (!engine.engine().timers().next()) std::this_thread::yield();
  engine.advance(100ms);
  EXPECT_EQ(run.wait().value(), 2);
}

enum Loser { fails, throws };

pd::Task<int> loses(pd::Context& ctx, int how) {
  const auto after = [](int what) {
    if (what == throws) throw std::runtime_error("not repaired");
  };
  const auto in_backoff = ctx.step("tries",
                                   [](pd::Step&) -> pd::Result<int> {
                                     world->trace.add("tries");
                                     return pd::Error{pd::Code::user, "again later"};
                                   },
                                   {.retry = {.delay = 30s, .jitter = 0.0}});
  const auto decides = ctx.step("decides", [](pd::Step&) -> pd::Result<int> {
    world->door("decide").pass();
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
  pd::Run<int> until_backoff(TestEngine& engine, Loser how) {
    engine.start(loser);
    auto run = engine.runtime().session(loser, "s").start(how).value();
    engine.wait_for_log("step_retry");
    while (!engine.engine().timers().next()) std::this_thread::yield();
    world_.door("decide").open();
    return run;
  }
};

TEST_F(StaleTimerTest, AnEndedRunIsLeftAloneByATimerOfAStepThatLost) {
  TestEngine engine(disk_);
  auto run = until_backoff(engine, fails);
  EXPECT_EQ(run.wait().error().message, "decided");
  EXPECT_TRUE(disk_.due().empty());
  const Lines records = disk_.records(run.id());
  EXPECT_EQ(records, (Lines{"run_created", "step_result 1.1 'decides' refused",
                            "step_result 1.0 'tries' cancelled", "run_ended failed"}));
  while (engine.engine().sessions_in_memory() != 0) std::this_thread::yield();
  const auto commits = engine.commits();
  engine.advance(30s);
  engine.settle();
  EXPECT_EQ(engine.engine().sessions_in_memory(), 0U);
  EXPECT_EQ(engine.commits(), commits);
  EXPECT_EQ(disk_.records(run.id()), records);
  EXPECT_EQ(world_.trace.count("tries"), 1U);
}

TEST_F(StaleTimerTest, AParkedRunIsNotResumedByATimer) {
  TestEngine engine(disk_);
  auto run = until_backoff(engine, throws);
  engine.wait_for_event(pd::EventKind::run_parked);
  engine.settle();
  engine.advance(30s);
  engine.settle();
  EXPECT_EQ(engine.events().size(), 1U) << "the same code would only park again";
}

}  // namespace
}  // namespace perdure::test
