/// Sleeps and deadlines: never early, never lost.
#include <perdure/testing.hpp>

#include "tests/actors/engine_fixture.hpp"

namespace perdure::test {
namespace {

pd::Task<int> nap(pd::Context& ctx, int seconds) {
  co_await ctx.sleep(std::chrono::seconds(seconds));
  co_await ctx.step("awake", [](pd::Step&) { world->trace.add("awake"); });
  co_return seconds;
}
inline constexpr pd::Agent napper{"napper", &nap};

pd::Task<int> until(pd::Context& ctx, std::int64_t unix_seconds) {
  co_await ctx.sleep_until(
      std::chrono::sys_time<std::chrono::microseconds>(std::chrono::seconds(unix_seconds)));
  co_return 1;
}
inline constexpr pd::Agent waker{"waker", &until};

/// Takes as long as the test says.
pd::Task<int> slow_step(pd::Context& ctx) {
  co_return co_await ctx.step("slow", [](pd::Step& step) -> pd::Result<int> {
    world->in_body();
    if (step.stop_requested()) return pd::Error{pd::Code::user, "stopped"};
    return 7;
  });
}
pd::Task<std::string> bounded(pd::Context& ctx, int) {
  const pd::Result<int> value = co_await pd::as_result(ctx.within(5s, slow_step(ctx)));
  co_return value ? std::to_string(value.value()) : std::string(to_string(value.error().code));
}
inline constexpr pd::Agent bounding{"bounding", &bounded};

pd::Task<std::string> bounded_sleep(pd::Context& ctx, int seconds) {
  const pd::Result<void> slept =
      co_await pd::as_result(ctx.within(5s, ctx.sleep(std::chrono::seconds(seconds))));
  co_return slept ? "slept" : slept.error().message;
}
inline constexpr pd::Agent bounding_sleep{"bounding-sleep", &bounded_sleep};

pd::Task<int> forever(pd::Context& ctx, int) {
  co_await ctx.sleep(std::chrono::hours(1'000'000));
  co_return 0;
}
inline constexpr pd::Handler with_deadline{"run", &forever, {.deadline = 10s}};
inline constexpr pd::Agent mortal{"mortal", with_deadline};

class TimeTest : public EngineFixture, public ::testing::WithParamInterface<kit::Frames> {
 protected:
  [[nodiscard]] static kit::Options options() {
    kit::Options options;
    options.frames = GetParam();
    return options;
  }
};
INSTANTIATE_TEST_SUITE_P(Frames, TimeTest,
                         ::testing::Values(kit::Frames::kept, kit::Frames::replayed),
                         [](const auto& given) {
                           return given.param == kit::Frames::kept ? "kept" : "replayed";
                         });

TEST_P(TimeTest, ASleepIsNotOverEarly) {
  kit::Runtime test(options());
  auto run = test.session(napper, "s").start(60).value();
  test.advance(60s - 1us);
  EXPECT_EQ(test.times("awake"), 0U);
  test.advance(1us);
  EXPECT_EQ(run.wait().value(), 60);
  EXPECT_EQ(disk_of(test).records(run.id()).at(1), "sleep 1 'sleep' ok");
  EXPECT_TRUE(disk_of(test).due().empty());
}

TEST_P(TimeTest, ASleepOfNothingIsOverAtOnce) {
  kit::Runtime test(options());
  EXPECT_EQ(test.session(napper, "s").start(0).value().wait().value(), 0);
  EXPECT_EQ(test.session(napper, "t").start(-5).value().wait().value(), -5);
}

TEST_P(TimeTest, ASleepGoesOnInTheNextProcessWithWhatIsLeft) {
  for (const kit::End end : {kit::End::clean, kit::End::unclean}) {
    kit::Runtime test(options());
    auto run = test.session(napper, "s").start(60).value();
    test.advance(20s);
    test.restart(end, {.down_for = 30s});
    test.advance(10s - 1us);
    EXPECT_FALSE(run.result().has_value());
    test.advance(1us);
    EXPECT_EQ(run.wait().value(), 60);
  }
}

TEST_P(TimeTest, ASleepThatPassedWhileNobodyRanIsOverAtTheNextStart) {
  kit::Runtime test(options());
  auto run = test.session(napper, "s").start(60).value();
  test.run_until_idle();
  test.restart(kit::End::unclean, {.down_for = 1h});
  test.run_until_idle();
  EXPECT_EQ(run.wait().value(), 60);
}

TEST_P(TimeTest, ATimeOfTheWallClockIsWaitedFor) {
  kit::Runtime test(options());
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(test.now().time_since_epoch());
  auto run = test.session(waker, "w").start(now.count() + 3600).value();
  test.advance(1h - 1s);
  EXPECT_FALSE(run.result().has_value());
  test.advance(1s);
  EXPECT_EQ(run.wait().value(), 1);
  auto late = test.session(waker, "late").start(now.count()).value();
  EXPECT_EQ(late.wait().value(), 1) << "it has passed";
}

TEST_P(TimeTest, WithinLeavesAnOperationThatIsInTimeAlone) {
  kit::Runtime test(options());
  world_.in_body = [&] { test.advance(4s); };
  auto run = test.session(bounding, "s").start(0).value();
  EXPECT_EQ(run.wait().value(), "7");
  EXPECT_TRUE(disk_of(test).due().empty()) << "the deadline is gone";
}

TEST_P(TimeTest, WithinFailsWhenTheOperationDidNotEndInTime) {
  kit::Runtime test(options());
  auto in_time = test.session(bounding_sleep, "a").start(4).value();
  auto too_long = test.session(bounding_sleep, "b").start(6).value();
  test.advance(4s);
  EXPECT_EQ(in_time.wait().value(), "slept");
  test.advance(1s);
  EXPECT_TRUE(contains(too_long.wait().value(), "5000 ms")) << too_long.wait().value();
  EXPECT_TRUE(disk_of(test).due().empty());
}

TEST_P(TimeTest, ARunThatOutlivesItsDeadlineIsCancelled) {
  kit::Runtime test(options());
  auto run = test.session(mortal, "s").start(0).value();
  test.advance(10s - 1us);
  EXPECT_FALSE(run.result().has_value());
  test.advance(1us);
  const auto ended = run.wait();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, pd::Code::timeout);
  EXPECT_TRUE(contains(ended.error().message, "deadline")) << ended.error().message;
  EXPECT_TRUE(disk_of(test).due().empty());
}

TEST_P(TimeTest, NothingIsEarlyLostOrTwiceWhereverTheProcessDies) {
  const kit::CrashReport report =
      kit::crash_everywhere({.runtime = options()}, [](kit::Runtime& test) {
        auto nap_run = test.session(napper, "s").start(60).value();
        auto bounded_run = test.session(bounding_sleep, "b").start(6).value();
        auto mortal_run = test.session(mortal, "m").start(0).value();
        test.advance(120s);
        return std::pair(bounded_run.wait().value(),
                         nap_run.wait().value() + static_cast<int>(mortal_run.wait().error().code));
      });
  EXPECT_GT(report.crashes, 10U);
  EXPECT_TRUE(report.ok()) << to_string(report);
}

/// The wall clock is set while an engine runs: the kit's clock does not jump.
TEST_F(EngineFixture, AClockThatWasSetMovesNoSleepButWhatWaitsForATime) {
  TestEngine engine(disk_);
  engine.start(napper, waker);
  auto nap_run = engine.runtime().session(napper, "s").start(60).value();
  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(disk_.clock->wall().time_since_epoch());
  auto wake_run = engine.runtime().session(waker, "w").start(now.count() + 3600).value();
  // Both wait when they have been heard of in the journal and by the timers.
  while (disk_.due().size() < 2 || !engine.engine().timers().next()) std::this_thread::yield();
  engine.settle();
  disk_.clock->jump_wall(-2h);
  engine.advance(60s);
  EXPECT_EQ(nap_run.wait().value(), 60);
  // The wall clock now needs three hours less a minute.
  engine.advance(1h);
  engine.settle();
  EXPECT_FALSE(wake_run.result().has_value());
  disk_.clock->jump_wall(2h);
  engine.advance(1s);
  EXPECT_EQ(wake_run.wait().value(), 1);
}

}  // namespace
}  // namespace perdure::test
