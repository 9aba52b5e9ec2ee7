/// Sleeps and deadlines: never early, never lost.
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

pd::Task<int> slow_step(pd::Context& ctx) {
  co_return co_await ctx.step("slow", [](pd::Step& step) -> pd::Result<int> {
    world->trace.add("slow begins");
    world->door("slow").pass();
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

class TimeTest : public EngineFixture, public ::testing::WithParamInterface<pd::Frames> {
 protected:
  [[nodiscard]] pd::RuntimeOptions options() const {
    pd::RuntimeOptions options;
    options.frames = GetParam();
    return options;
  }
};
INSTANTIATE_TEST_SUITE_P(Frames, TimeTest, ::testing::Values(pd::Frames::keep, pd::Frames::give_up),
                         [](const auto& info) {
                           return info.param == pd::Frames::keep ? "kept" : "given_up";
                         });

TEST_P(TimeTest, ASleepIsNotOverEarly) {
  TestEngine engine(disk_, options());
  engine.start(napper);
  auto run = engine.runtime().session(napper, "s").start(60).value();
  engine.settle();
  engine.advance(60s - 1ms);
  engine.settle();
  EXPECT_EQ(world_.trace.count("awake"), 0U);
  engine.advance(1ms);
  EXPECT_EQ(run.wait().value(), 60);
  EXPECT_EQ(disk_.records(run.id()).at(1), "sleep 1 'sleep' ok");
  EXPECT_TRUE(disk_.due().empty());
}

TEST_P(TimeTest, ASleepOfNothingIsOverAtOnce) {
  TestEngine engine(disk_, options());
  engine.start(napper);
  EXPECT_EQ(engine.runtime().session(napper, "s").start(0).value().wait().value(), 0);
  EXPECT_EQ(engine.runtime().session(napper, "t").start(-5).value().wait().value(), -5);
}

TEST_P(TimeTest, ASleepGoesOnInTheNextProcessWithWhatIsLeft) {
  pd::RunId id;
  {
    TestEngine engine(disk_, options());
    engine.start(napper);
    id = engine.runtime().session(napper, "s").start(60).value().id();
    engine.settle();
    engine.advance(20s);
  }
  disk_.clock->advance(30s);
  TestEngine engine(disk_, options());
  engine.start(napper);
  engine.settle();
  EXPECT_EQ(engine.engine().sessions_in_memory(), 0U);
  engine.advance(10s - 1ms);
  engine.settle();
  EXPECT_FALSE(engine.engine().has_ended(id));
  engine.advance(1ms);
  EXPECT_EQ(engine.runtime().run<int>(id).wait().value(), 60);
}

TEST_P(TimeTest, AClockThatWasSetMovesNoSleepButWhatWaitsForATime) {
  TestEngine engine(disk_, options());
  engine.start(napper, waker);
  auto nap_run = engine.runtime().session(napper, "s").start(60).value();
  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(disk_.clock->wall().time_since_epoch());
  auto wake_run = engine.runtime().session(waker, "w").start(now.count() + 3600).value();
  engine.settle();
  disk_.clock->jump_wall(-2h);
  engine.advance(59s);
  engine.settle();
  EXPECT_EQ(world_.trace.count("awake"), 0U);
  engine.advance(1s);
  EXPECT_EQ(nap_run.wait().value(), 60);
  // The wall clock now needs three hours less a minute.
  engine.advance(1h);
  engine.settle();
  EXPECT_FALSE(wake_run.result().has_value());
  disk_.clock->jump_wall(2h);
  engine.advance(1s);
  EXPECT_EQ(wake_run.wait().value(), 1);
}

TEST_P(TimeTest, WithinLeavesAnOperationThatIsInTimeAlone) {
  TestEngine engine(disk_, options());
  engine.start(bounding);
  auto run = engine.runtime().session(bounding, "s").start(0).value();
  world_.trace.wait_for("slow begins");
  world_.door("slow").open();
  EXPECT_EQ(run.wait().value(), "7");
  EXPECT_TRUE(disk_.due().empty()) << "the deadline is gone";
}

TEST_P(TimeTest, WithinStopsAnOperationThatIsNot) {
  TestEngine engine(disk_, options());
  engine.start(bounding);
  auto run = engine.runtime().session(bounding, "s").start(0).value();
  world_.trace.wait_for("slow begins");
  engine.settle();
  engine.advance(5s);
  engine.settle();
  EXPECT_FALSE(run.result().has_value()) << "its body has not returned";
  world_.door("slow").open();
  EXPECT_EQ(run.wait().value(), "timeout");
}

TEST_P(TimeTest, WithinAroundASleep) {
  TestEngine engine(disk_, options());
  engine.start(bounding_sleep);
  auto in_time = engine.runtime().session(bounding_sleep, "a").start(4).value();
  auto too_long = engine.runtime().session(bounding_sleep, "b").start(6).value();
  engine.settle();
  engine.advance(4s);
  EXPECT_EQ(in_time.wait().value(), "slept");
  engine.advance(1s);
  EXPECT_TRUE(contains(too_long.wait().value(), "5000 ms")) << too_long.wait().value();
  EXPECT_TRUE(disk_.due().empty());
}

TEST_P(TimeTest, ARunThatOutlivesItsDeadlineIsCancelled) {
  TestEngine engine(disk_, options());
  engine.start(mortal);
  auto run = engine.runtime().session(mortal, "s").start(0).value();
  engine.settle();
  engine.advance(10s - 1ms);
  engine.settle();
  EXPECT_FALSE(run.result().has_value());
  engine.advance(1ms);
  const auto ended = run.wait();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, pd::Code::timeout);
  EXPECT_TRUE(contains(ended.error().message, "deadline")) << ended.error().message;
  EXPECT_TRUE(disk_.due().empty());
}

TEST_P(TimeTest, WakesOnceWhereverTheProcessDies) {
  for (const LastCommit last : {LastCommit::lost, LastCommit::kept}) {
    for (std::uint64_t death = 1; death <= 6; ++death) {
      TestDisk disk;
      World fresh;
      world = &fresh;
      {
        TestEngine engine(disk, options());
        engine.start(napper);
        engine.die_at_commit(death, last);
        (void)engine.runtime().session(napper, "s").start(60);
        engine.settle();
        engine.advance(60s);
        engine.settle();
      }
      TestEngine engine(disk, options());
      engine.start(napper);
      auto run = engine.runtime().session(napper, "s").start(60).value();
      engine.settle();
      engine.advance(60s);
      EXPECT_EQ(run.wait().value(), 60) << "death at commit " << death;
      EXPECT_TRUE(disk.due().empty());
    }
  }
  world = &world_;
}

}  // namespace
}  // namespace perdure::test
