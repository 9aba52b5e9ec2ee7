// Retries and timeouts: when the next attempt begins, what the journal says meanwhile, what a
// restart makes of it.
#include "tests/actors/engine_fixture.hpp"

namespace perdure::test {
namespace {

using journal::RunStatus;

/// Fails `times` times, then gives the number of its attempt.
pd::Task<int> flaky(pd::Context& ctx, int times) {
  co_return co_await ctx.step(
      "flaky",
      [&](pd::Step& step) -> pd::Result<int> {
        world->trace.add("attempt " + std::to_string(step.attempt()));
        if (step.attempt() <= times) return pd::Error{pd::Code::user, "not yet", {}, {}, {}};
        return step.attempt();
      },
      {.retry = {
           .attempts_max = 5, .delay = 100ms, .factor = 3.0, .delay_max = 1s, .jitter = 0.0}});
}
inline constexpr pd::Agent flaky_agent{"flaky", &flaky};

class RetryTest : public EngineFixture {
 protected:
  /// Waits until the n-th retry of the process is in the journal and its timer stands.
  void in_backoff(TestEngine& engine, std::size_t n) {
    engine.wait_for_log("step_retry", n);
    // A run that only waits is out of `ready` by the same commit that sets its time. Who gave its
    // frame up was loaded for the attempt before, and armed that once more: it is let pass.
    const auto armed = [&] {
      const auto next = engine.engine().timers().next();
      return next && *next > disk_.clock->elapsed();
    };
    while (disk_.due().empty() || !armed()) {
      engine.advance(0ms);
      std::this_thread::yield();
    }
  }
};

TEST_F(RetryTest, AttemptsFollowTheirDelaysAndAreNeverEarly) {
  kit::Runtime test(kit_with_frames());
  auto run = test.session(flaky_agent, "s").start(4).value();
  std::size_t attempt = 1;
  for (const auto delay : {100ms, 300ms, 900ms, 1000ms}) {
    test.run_until_idle();
    const auto due = disk_of(test).due();
    ASSERT_EQ(due.size(), 1U);
    EXPECT_EQ(due[0].run, run.id());
    EXPECT_EQ(due[0].path, std::vector<std::uint32_t>{1});
    EXPECT_EQ(due[0].at - test.now().time_since_epoch().count(),
              std::chrono::microseconds(delay).count());
    test.advance(delay - 1ms);
    EXPECT_EQ(test.times("flaky"), attempt) << "early";
    test.advance(1ms);
    EXPECT_EQ(test.times("flaky"), ++attempt);
  }
  EXPECT_EQ(run.wait().value(), 5);
  EXPECT_TRUE(disk_of(test).due().empty());
  EXPECT_TRUE(disk_of(test).attempts(run.id()).empty()) << "a step that has ended leaves no rows";
  EXPECT_EQ(disk_of(test).records(run.id()).size(), 3U) << "attempts are a row, not records";
}

TEST_F(RetryTest, ARunThatOnlyWaitsLeavesReadyAndComesBack) {
  TestEngine engine(disk_);
  engine.start(flaky_agent);
  world_.mode = 0;
  auto run = engine.runtime().session(flaky_agent, "s").start(1).value();
  in_backoff(engine, 1);
  EXPECT_FALSE(disk_.is_ready(run.id()));
  EXPECT_EQ(disk_.head(run.id()).status, RunStatus::waiting);
  const auto rows = disk_.attempts(run.id());
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].name, "flaky");
  EXPECT_EQ(rows[0].count, 1U);
  EXPECT_EQ(rows[0].first_error->message, "not yet");
  EXPECT_EQ(rows[0].last_error->message, "not yet");
  EXPECT_EQ(rows[0].next_due - rows[0].last_stamp, 100'000);
  EXPECT_EQ(engine.runtime().explain(run.id()).value(),
            "step 1 'flaky' waits 0.1 s for attempt 2, the last one failed with user: not yet");
  disk_.store->hold_commits();
  engine.advance(100ms);
  disk_.store->wait_for_held_commit();
  EXPECT_EQ(world_.trace.count("attempt 2"), 0U) << "that it begins must be durable first";
  disk_.store->release_commits();
  EXPECT_EQ(run.wait().value(), 2);
  EXPECT_EQ(disk_.head(run.id()).status, RunStatus::completed);
  EXPECT_FALSE(disk_.is_ready(run.id()));
}

TEST_F(RetryTest, ARunThatIsTriedAgainIsReadyAgain) {
  TestEngine engine(disk_);
  engine.start(flaky_agent);
  auto run = engine.runtime().session(flaky_agent, "s").start(2).value();
  in_backoff(engine, 1);
  const auto commits = engine.commits();
  disk_.store->hold_commits();
  engine.advance(100ms);
  disk_.store->wait_for_held_commit();
  disk_.store->release_commits();
  world_.trace.wait_for("attempt 2");
  EXPECT_GT(engine.commits(), commits);
  in_backoff(engine, 2);
  engine.advance(300ms);
  EXPECT_EQ(run.wait().value(), 3);
}

TEST_F(RetryTest, TheLastFailureIsTheStepsOutcome) {
  kit::Runtime test(kit_with_frames());
  auto run = test.session(flaky_agent, "s").start(99).value();
  test.advance(1h);
  EXPECT_EQ(run.wait().error().message, "not yet");
  EXPECT_EQ(test.times("flaky"), 5U);
}

pd::Task<int> once(pd::Context& ctx, int kind) {
  const pd::StepOptions once_only{.retry = {.attempts_max = 1}};
  const pd::StepOptions never_this{.retry = {.never = {pd::Code::timeout}}};
  co_return co_await ctx.step(
      "once",
      [&](pd::Step&) -> pd::Result<int> {
        if (kind == 0) return pd::Error{pd::Code::user, "one attempt"};
        if (kind == 1) return pd::Error{pd::Code::timeout, "never that code"};
        if (kind == 2) return pd::Error{pd::Code::user, "not retryable", false, {}, {}};
        return pd::Error{pd::Code::refused, "refused"};
      },
      kind == 0 ? once_only : never_this);
}
inline constexpr pd::Agent once_agent{"once", &once};

TEST_F(RetryTest, SomeFailuresAreNeverTriedAgain) {
  kit::Runtime test(kit_with_frames());
  for (int kind = 0; kind < 4; ++kind) {
    auto run = test.session(once_agent, std::to_string(kind)).start(kind).value();
    EXPECT_TRUE(run.wait().has_error());
    EXPECT_TRUE(disk_of(test).attempts(run.id()).empty());
  }
  EXPECT_EQ(test.times("once"), 4U);
}

pd::Task<int> asks_for_time(pd::Context& ctx, int) {
  co_return co_await ctx.step("asks",
                              [&](pd::Step& step) -> pd::Result<int> {
                                if (step.attempt() == 1)
                                  return pd::Error{pd::Code::user, "rate limit", true, 60s, {}};
                                return step.attempt();
                              },
                              {.retry = {.delay = 100ms, .delay_max = 1s}});
}
inline constexpr pd::Agent asking{"asking", &asks_for_time};

TEST_F(RetryTest, AnErrorsRetryAfterIsKept) {
  kit::Runtime test(kit_with_frames());
  auto run = test.session(asking, "s").start(0).value();
  test.run_until_idle();
  EXPECT_EQ(disk_of(test).attempts(run.id()).at(0).last_error->retry_after, 60s);
  test.advance(59s);
  EXPECT_FALSE(run.result().has_value());
  test.advance(1s);
  EXPECT_EQ(run.wait().value(), 2);
}

pd::Task<int> jittery(pd::Context& ctx, int) {
  co_return co_await ctx.step(
      "jitter", [&](pd::Step&) -> pd::Result<int> { return pd::Error{pd::Code::user, "always"}; },
      {.retry = {.attempts_max = 0, .delay = 1s, .factor = 1.0, .jitter = 0.5}});
}
inline constexpr pd::Agent jittering{"jittering", &jittery};

TEST_F(RetryTest, JitterStaysWithinItsBoundsAndVaries) {
  kit::Runtime test(kit_with_frames());
  (void)test.session(jittering, "s").start(0).value();
  test.advance(1min);
  const auto steps = test.steps();
  ASSERT_GT(steps.size(), 30U);
  std::set<std::int64_t> seen;
  for (std::size_t n = 1; n < steps.size(); ++n) {
    const auto wait = steps[n].began - steps[n - 1].began;
    EXPECT_GE(wait, 500ms);
    EXPECT_LE(wait, 1s);
    seen.insert(wait.count());
  }
  EXPECT_GT(seen.size(), 10U);
}

class RestartInBackoffTest : public RetryTest {
 protected:
  /// A run in its first backoff, of 100 ms.
  static pd::Run<int> in_first_backoff(kit::Runtime& test) {
    auto run = test.session(flaky_agent, "s").start(1).value();
    test.run_until_idle();
    return run;
  }
};

TEST_F(RestartInBackoffTest, TheRemainderIsWaitedAfterACleanEndAndAfterACrash) {
  for (const kit::End end : {kit::End::clean, kit::End::unclean}) {
    kit::Runtime test(kit_with_frames());
    auto run = in_first_backoff(test);
    test.restart(end, {.down_for = 60ms});
    test.advance(39ms);
    EXPECT_EQ(test.times("flaky"), 1U) << "early";
    EXPECT_EQ(test.explain(run.id()).value(),
              "step 1 'flaky' waits 0.0 s for attempt 2, the last one failed with user: not yet");
    test.advance(1ms);
    EXPECT_EQ(run.wait().value(), 2);
  }
}

TEST_F(RestartInBackoffTest, ATimeThatPassedWhileNobodyRanIsDueAtOnce) {
  kit::Runtime test(kit_with_frames());
  auto run = in_first_backoff(test);
  test.restart(kit::End::unclean, {.down_for = 24h});
  EXPECT_EQ(run.wait().value(), 2);
}

TEST_F(RestartInBackoffTest, AWallClockThatWasSetBackCostsAtMostOneWholeDelay) {
  pd::RunId id;
  {
    TestEngine engine(disk_);
    engine.start(flaky_agent);
    id = engine.runtime().session(flaky_agent, "s").start(1).value().id();
    in_backoff(engine, 1);
    ASSERT_TRUE(engine.shutdown().has_value());
  }
  disk_.clock->jump_wall(-48h);
  TestEngine engine(disk_);
  engine.start(flaky_agent);
  engine.advance(99ms);
  EXPECT_EQ(world_.trace.all().size(), 1U);
  engine.advance(1ms);
  EXPECT_EQ(engine.runtime().run<int>(id).wait().value(), 2);
}

TEST_F(RestartInBackoffTest, AWallClockThatJumpsWhileTheProcessLivesChangesNothing) {
  TestEngine engine(disk_);
  engine.start(flaky_agent);
  auto run = engine.runtime().session(flaky_agent, "s").start(1).value();
  in_backoff(engine, 1);
  disk_.clock->jump_wall(72h);
  engine.advance(99ms);
  EXPECT_EQ(world_.trace.all().size(), 1U) << "delays count elapsed time";
  disk_.clock->jump_wall(-144h);
  engine.advance(1ms);
  EXPECT_EQ(run.wait().value(), 2);
}

}  // namespace
}  // namespace perdure::test
