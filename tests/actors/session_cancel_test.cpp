/// Cancel and kill: delivered once, with who and why; shields; the grace period.
#include "tests/actors/engine_fixture.hpp"

namespace perdure::test {
namespace {

inline constexpr pd::Signal<int> go{"go"};

pd::Task<void> tidy(pd::Context& ctx) {
  co_await ctx.sleep(1s);
  co_await ctx.step("tidy", [](pd::Step&) { world->trace.add("tidied"); });
}
pd::Task<int> patient(pd::Context& ctx, int) {
  const Local local("local");
  co_await ctx.sleep(std::chrono::hours(24));
  co_return 1;
}
inline constexpr pd::Agent sleeper{"sleeper", &patient};

pd::Task<std::string> careful(pd::Context& ctx, int) {
  const pd::Result<int> got = co_await pd::catch_cancelled(ctx.receive(go));
  if (got) co_return "got it";
  co_await ctx.shielded(tidy(ctx));
  co_return got.error().message;
}
inline constexpr pd::Agent tidier{"tidier", &careful};

pd::Task<std::string> shielded_wait(pd::Context& ctx, int) {
  co_await ctx.shielded(tidy(ctx));
  co_await ctx.sleep(1s);
  co_return "never cancelled";
}
inline constexpr pd::Agent shielding{"shielding", &shielded_wait};

pd::Task<int> stepping(pd::Context& ctx, int) {
  for (int i = 0; i < 100; ++i)
    co_await ctx.step("work", [](pd::Step& step) {
      world->trace.add("work");
      while (!step.stop_requested()) std::this_thread::yield();
    });
  co_return 100;
}
inline constexpr pd::Agent worker{"worker", &stepping};

pd::Task<std::string> stubborn(pd::Context& ctx, int) {
  const pd::Result<int> first = co_await pd::catch_cancelled(ctx.receive(go));
  if (first) co_return "got it";
  const int second = co_await ctx.receive(go);
  co_return "second " + std::to_string(second);
}
inline constexpr pd::Agent holding_on{"holding-on", &stubborn};

class CancelTest : public EngineFixture, public ::testing::WithParamInterface<pd::Frames> {
 protected:
  [[nodiscard]] pd::RuntimeOptions options() const {
    pd::RuntimeOptions options;
    options.frames = GetParam();
    options.frame_budget_bytes = 0;
    return options;
  }
};
INSTANTIATE_TEST_SUITE_P(Frames, CancelTest,
                         ::testing::Values(pd::Frames::keep, pd::Frames::within_budget),
                         [](const auto& given) {
                           return given.param == pd::Frames::keep ? "kept" : "given_up";
                         });

TEST_P(CancelTest, EndsARunThatWaitsAndSaysWhoAndWhy) {
  TestEngine engine(disk_, options());
  engine.start(sleeper);
  auto run = engine.runtime().session(sleeper, "s").start(0).value();
  engine.settle();
  ASSERT_TRUE(run.cancel({.why = "the trip is off", .by = "alice"}));
  const auto ended = run.wait();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, pd::Code::cancelled);
  EXPECT_EQ(ended.error().message, "the run was cancelled by alice: the trip is off");
  EXPECT_EQ(disk_.head(run.id()).status, journal::RunStatus::cancelled);
  EXPECT_TRUE(disk_.due().empty());
  EXPECT_EQ(run.cancel().error().code, pd::Code::not_found) << "it has ended";
}

TEST_P(CancelTest, IsCaughtByTheHandlerThatAsksAndTidiesUpInAShield) {
  TestEngine engine(disk_, options());
  engine.start(tidier);
  auto run = engine.runtime().session(tidier, "s").start(0).value();
  engine.settle();
  ASSERT_TRUE(run.cancel({.why = "enough", .by = "bob"}));
  engine.settle();
  ASSERT_TRUE(run.cancel({.why = "a second one"})) << "changes nothing";
  engine.advance(1s);
  EXPECT_EQ(run.wait().value(), "the run was cancelled by bob: enough");
  EXPECT_EQ(world_.trace.count("tidied"), 1U);
  EXPECT_EQ(disk_.head(run.id()).status, journal::RunStatus::completed);
  EXPECT_TRUE(disk_.due().empty()) << "the grace period is over";
}

TEST_P(CancelTest, ReachesTheNextWaitWhenAllThatWaitsIsShielded) {
  TestEngine engine(disk_, options());
  engine.start(shielding);
  auto run = engine.runtime().session(shielding, "s").start(0).value();
  engine.settle();
  ASSERT_TRUE(run.cancel());
  engine.settle();
  EXPECT_FALSE(run.result().has_value());
  engine.advance(1s);
  const auto ended = run.wait();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, pd::Code::cancelled);
  EXPECT_EQ(world_.trace.count("tidied"), 1U);
}

TEST_P(CancelTest, StopsABodyAndThenTheHandlerThatLoops) {
  TestEngine engine(disk_, options());
  engine.start(worker);
  auto run = engine.runtime().session(worker, "s").start(0).value();
  world_.trace.wait_for("work");
  ASSERT_TRUE(run.cancel());
  const auto ended = run.wait();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, pd::Code::cancelled);
  EXPECT_EQ(world_.trace.count("work"), 1U);
  EXPECT_EQ(disk_.records(run.id()).at(2), "step_result 1 'work' ok") << "its true result";
}

TEST_P(CancelTest, TheEndOfTheGracePeriodEndsAHandlerThatGoesOnWaiting) {
  TestEngine engine(disk_, options());
  engine.start(holding_on);
  auto run = engine.runtime().session(holding_on, "s").start(0).value();
  engine.settle();
  ASSERT_TRUE(run.cancel({.grace = 10s}));
  engine.settle();
  engine.advance(10s - 1ms);
  engine.settle();
  EXPECT_FALSE(run.result().has_value());
  engine.advance(1ms);
  const auto ended = run.wait();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, pd::Code::cancelled);
  EXPECT_EQ(disk_.head(run.id()).status, journal::RunStatus::cancelled);
}

TEST_P(CancelTest, IsStillKnownToTheNextProcess) {
  for (const LastCommit last : {LastCommit::lost, LastCommit::kept}) {
    for (std::uint64_t death = 1; death <= 8; ++death) {
      TestDisk disk;
      World fresh;
      world = &fresh;
      pd::RunId id;
      bool acknowledged = false;
      {
        TestEngine engine(disk, options());
        engine.start(tidier);
        auto run = engine.runtime().session(tidier, "s").start(0).value();
        id = run.id();
        engine.settle();
        engine.die_at_commit(death, last);
        acknowledged = run.cancel({.why = "enough", .by = "bob"}).has_value();
        engine.settle();
        engine.advance(1s);
        engine.settle();
      }
      TestEngine engine(disk, options());
      engine.start(tidier);
      auto run = engine.runtime().run<std::string>(id);
      engine.settle();
      if (!acknowledged && !run.result()) (void)run.cancel({.why = "enough", .by = "bob"});
      engine.settle();
      engine.advance(1s);
      EXPECT_EQ(run.wait().value(), "the run was cancelled by bob: enough") << death;
    }
  }
  world = &world_;
}

TEST_P(CancelTest, AKillAsksNobody) {
  TestEngine engine(disk_, options());
  engine.start(tidier);
  auto run = engine.runtime().session(tidier, "s").start(0).value();
  engine.settle();
  ASSERT_TRUE(run.kill({.why = "now", .by = "carol"}));
  const auto ended = run.wait();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().message, "the run was cancelled by carol: now");
  EXPECT_EQ(world_.trace.count("tidied"), 0U);
  EXPECT_TRUE(disk_.due().empty());
}

TEST_P(CancelTest, AKilledRunMakesRoomForTheNextMessageThoughItsBodyHasNotReturned) {
  TestEngine engine(disk_, options());
  engine.start(worker);
  auto session = engine.runtime().session(worker, "s");
  const auto& handler = std::get<0>(worker.handlers);
  auto first = session.send(handler, 0).value();
  world_.trace.wait_for("work");
  auto second = session.send(handler, 0).value();
  ASSERT_TRUE(first.kill());
  EXPECT_EQ(first.wait().error().code, pd::Code::cancelled);
  world_.trace.wait_for("work", 2);
  ASSERT_TRUE(second.kill());
  EXPECT_EQ(second.wait().error().code, pd::Code::cancelled);
}

}  // namespace
}  // namespace perdure::test
