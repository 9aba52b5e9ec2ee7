/// Cancel and kill while bodies run, on threads: what is waited for, and what is not.
/// tests/sessions/cancel_test.cpp has the rest.
#include "tests/actors/engine_fixture.hpp"

namespace perdure::test {
namespace {

pd::Task<int> stepping(pd::Context& ctx, int) {
  for (int i = 0; i < 100; ++i)
    co_await ctx.step("work", [](pd::Step& step) {
      world->trace.add("work");
      while (!step.stop_requested()) std::this_thread::yield();
    });
  co_return 100;
}
inline constexpr pd::Agent worker{"worker", &stepping};

/// Its bodies do not look at their stop, and borrow from its frame.
pd::Task<int> deaf(pd::Context& ctx, std::string name) {
  const Local local("local of " + name);
  for (int i = 0; i < 100; ++i)
    co_await ctx.step("work", [&](pd::Step&) {
      world->trace.add("begin " + name);
      world->door(name).pass();
      world->trace.add("end " + name);
    });
  co_return 100;
}
inline constexpr pd::Handler work{"work", &deaf};
inline constexpr pd::Agent deaf_worker{"deaf-worker", work};

class CancelBodiesTest : public EngineFixture, public ::testing::WithParamInterface<pd::Frames> {
 protected:
  [[nodiscard]] pd::RuntimeOptions options() const {
    pd::RuntimeOptions options;
    options.frames = GetParam();
    options.frame_budget_bytes = 0;
    return options;
  }
  /// The first run's frame goes when its body has returned, and nothing more comes of it.
  void expect_left_behind(TestEngine& engine, const pd::RunId& run, std::size_t records) {
    EXPECT_EQ(world_.trace.count("end a"), 0U);
    EXPECT_EQ(world_.trace.count("~local of a"), 0U) << "its body still borrows from it";
    world_.door("a").open();
    world_.trace.wait_for("~local of a");
    engine.settle();
    EXPECT_EQ(world_.trace.count("end a"), 1U);
    EXPECT_EQ(world_.trace.count("begin a"), 1U);
    EXPECT_EQ(disk_.records(run).size(), records) << "what it returns is discarded";
    EXPECT_EQ(disk_.head(run).status, journal::RunStatus::cancelled);
  }
};
INSTANTIATE_TEST_SUITE_P(Frames, CancelBodiesTest,
                         ::testing::Values(pd::Frames::keep, pd::Frames::within_budget),
                         [](const auto& given) {
                           return given.param == pd::Frames::keep ? "kept" : "given_up";
                         });

TEST_P(CancelBodiesTest, ACancelStopsABodyAndThenTheHandlerThatLoops) {
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

TEST_P(CancelBodiesTest, TheEndOfTheGracePeriodDoesNotWaitForABodyThatIgnoresItsStop) {
  TestEngine engine(disk_, options());
  engine.start(deaf_worker);
  auto session = engine.runtime().session(deaf_worker, "s");
  auto first = session.send(work, "a").value();
  world_.trace.wait_for("begin a");
  auto second = session.send(work, "b").value();
  ASSERT_TRUE(first.cancel({.why = "enough", .grace = 10s}));
  engine.settle();
  engine.advance(10s - 1ms);
  engine.settle();
  EXPECT_FALSE(first.result());
  EXPECT_EQ(world_.trace.count("begin b"), 0U);
  engine.advance(1ms);
  const auto ended = first.wait();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, pd::Code::cancelled);
  EXPECT_EQ(ended.error().message, "the run was cancelled: enough");
  world_.trace.wait_for("begin b");
  expect_left_behind(engine, first.id(), disk_.records(first.id()).size());
  ASSERT_TRUE(second.kill());
  world_.door("b").open();
  EXPECT_EQ(second.wait().error().code, pd::Code::cancelled);
}

TEST_P(CancelBodiesTest, AKilledRunMakesRoomForTheNextMessageThoughItsBodyHasNotReturned) {
  TestEngine engine(disk_, options());
  engine.start(deaf_worker);
  auto session = engine.runtime().session(deaf_worker, "s");
  auto first = session.send(work, "a").value();
  world_.trace.wait_for("begin a");
  auto second = session.send(work, "b").value();
  ASSERT_TRUE(first.kill());
  EXPECT_EQ(first.wait().error().code, pd::Code::cancelled);
  world_.trace.wait_for("begin b");
  expect_left_behind(engine, first.id(), disk_.records(first.id()).size());
  ASSERT_TRUE(second.kill());
  world_.door("b").open();
  EXPECT_EQ(second.wait().error().code, pd::Code::cancelled);
}

}  // namespace
}  // namespace perdure::test
