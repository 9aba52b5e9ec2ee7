// The kit's processes: clean and unclean ends, deploys, and frames that are replayed each time.
#include "tests/testing/kit_fixture.hpp"

namespace perdure::test {
namespace {

pd::Task<int> sum(pd::Context& ctx, int count) {
  int total = 0;
  for (int i = 1; i <= count; ++i)
    total += co_await ctx.step("add " + std::to_string(i), [&](pd::Step&) {
      outside->trace.push_back("add " + std::to_string(i));
      if (outside->in_body) outside->in_body();
      return i;
    });
  co_return total;
}
inline constexpr pd::Agent summing{"sum", &sum};

class TestingLivesTest : public KitFixture {};

TEST_F(TestingLivesTest, HandlesGoOnWorkingAcrossRestarts) {
  for (const kit::End end : {kit::End::clean, kit::End::unclean}) {
    outside_.trace.clear();
    kit::Runtime test;
    auto session = test.session(summing, "s");
    auto run = session.start(3).value();
    test.restart(end);
    EXPECT_EQ(run.wait().value(), 6);
    EXPECT_EQ(session.start(3).value().id(), run.id());
    test.restart(end);
    EXPECT_EQ(run.wait().value(), 6) << "its end is in the journal";
    EXPECT_EQ(outside_.trace, (Lines{"add 1", "add 2", "add 3"}));
    EXPECT_EQ(test.steps().front().life, 2);
    EXPECT_TRUE(test.events().empty());
    EXPECT_TRUE(test.log().empty()) << "nobody hears a dying process";
  }
}

pd::Task<int> waits(pd::Context& ctx, int) {
  co_return co_await ctx.step("try",
                              [](pd::Step& step) -> pd::Result<int> {
                                if (step.attempt() == 1) return pd::Error{pd::Code::user, "later"};
                                return step.attempt();
                              },
                              {.retry = {.delay = 10s, .delay_max = 10s, .jitter = 0.0}});
}
inline constexpr pd::Agent waiting{"waiting", &waits};

TEST_F(TestingLivesTest, TimePassesWhileNobodyRuns) {
  kit::Runtime test;
  auto run = test.session(waiting, "s").start(0).value();
  test.run_until_idle();
  const auto before = test.now();
  test.restart(kit::End::clean, {.down_for = 4s});
  EXPECT_EQ(test.now(), before + 4s);
  test.advance(5999ms);
  EXPECT_FALSE(run.result().has_value()) << "early";
  test.advance(1ms);
  EXPECT_EQ(run.result()->value(), 2);
}

TEST_F(TestingLivesTest, AnUncleanEndIsCountedAndACleanOneIsNot) {
  kit::Runtime test;
  auto run = test.session(summing, "s").start(1).value();
  for (int i = 0; i < 5; ++i) test.restart(kit::End::clean);
  EXPECT_TRUE(test.events().empty());
  for (int i = 0; i < 3; ++i) {
    test.restart(kit::End::unclean);
    // The step begins durably, and its body has not run when the process dies.
    (void)test.session(summing, "other" + std::to_string(i)).start(0).value();
  }
  ASSERT_FALSE(test.events().empty());
  EXPECT_EQ(test.events().front().error.code, pd::Code::suspected_crash);
  EXPECT_TRUE(contains(run.wait().error().message, "suspected_crash"));
}

pd::Task<int> sum_repaired(pd::Context& ctx, int count) {
  co_return co_await ctx.step("all at once", [&](pd::Step&) { return count * 100; });
}
inline constexpr pd::Agent repaired{"sum", &sum_repaired};

TEST_F(TestingLivesTest, WhatIsServedUnderTheSameNameIsADeployAtTheNextRestart) {
  kit::Runtime test;
  auto old_run = test.session(summing, "s").start(2).value();
  test.run_until_idle();
  test.serve(repaired);
  EXPECT_EQ(test.session(summing, "before").start(2).value().wait().value(), 3);
  auto under_way = test.session(summing, "under way").start(2).value();
  test.restart();
  EXPECT_EQ(test.session(summing, "after").start(2).value().wait().value(), 200);
  EXPECT_EQ(under_way.wait().value(), 200) << "nothing of it was recorded";
  EXPECT_EQ(old_run.wait().value(), 3);
}

TEST_F(TestingLivesTest, ADeployThatDoesNotMatchIsTold) {
  kit::Runtime test;
  outside_.in_body = [&] { outside_.counter++; };
  auto run = test.session(summing, "s").start(2).value();
  test.replace("add 2", [](pd::Step&) -> pd::Result<int> {
    return pd::Error{pd::Code::user, "not today", true, 1h, {}};
  });
  test.run_until_idle();
  test.serve(repaired);
  test.restart();
  test.advance(1h);
  ASSERT_EQ(test.events().size(), 1U);
  EXPECT_EQ(test.events()[0].kind, pd::EventKind::run_diverged);
  EXPECT_TRUE(contains(test.events()[0].error.message, "all at once"))
      << test.events()[0].error.message;
  test.serve(summing);
  test.restore("add 2");
  test.restart();
  EXPECT_EQ(run.wait().value(), 3) << "repaired, it goes on";
}

TEST_F(TestingLivesTest, ReplayedFramesGiveTheSameAndReplayEachTime) {
  kit::Runtime test({.frames = kit::Frames::replayed});
  EXPECT_EQ(test.session(summing, "s").start(4).value().wait().value(), 10);
  EXPECT_EQ(outside_.trace, (Lines{"add 1", "add 2", "add 3", "add 4"}));
  std::vector<int> lives;
  for (const kit::StepRun& step : test.steps()) {
    lives.push_back(step.life);
    EXPECT_EQ(step.attempt, 1);
  }
  EXPECT_EQ(lives, (std::vector<int>{1, 2, 3, 4}));
  EXPECT_TRUE(test.events().empty());
}

TEST_F(TestingLivesTest, ReplayedFramesKeepTime) {
  kit::Runtime test({.frames = kit::Frames::replayed});
  auto run = test.session(waiting, "s").start(0).value();
  test.advance(9999ms);
  EXPECT_FALSE(run.result().has_value());
  test.advance(1ms);
  EXPECT_EQ(run.wait().value(), 2);
}

pd::Task<int> once(pd::Context& ctx, int) {
  int total = 0;
  for (int i = 0; i < 3; ++i)
    total += co_await ctx.step("once",
                               [](pd::Step& step) {
                                 outside->trace.push_back("once");
                                 return step.attempt();
                               },
                               {.effect = pd::Effect::at_most_once});
  co_return total;
}
inline constexpr pd::Agent once_agent{"once", &once};

TEST_F(TestingLivesTest, ReplayedFramesLeaveAStepThatHasBegunItsProcess) {
  kit::Runtime test({.frames = kit::Frames::replayed});
  EXPECT_EQ(test.session(once_agent, "s").start(0).value().wait().value(), 3);
  EXPECT_EQ(outside_.trace, (Lines{"once", "once", "once"}));
}

/// Its second step depends on something outside the run.
pd::Task<int> depends(pd::Context& ctx, int) {
  co_await ctx.step("first", [](pd::Step&) {});
  const std::string name = outside->counter++ % 2 == 0 ? "odd" : "even";
  co_await ctx.step(name, [](pd::Step&) {});
  co_await ctx.step("last", [](pd::Step&) {});
  co_return 1;
}
inline constexpr pd::Agent depending{"depending", &depends};

TEST_F(TestingLivesTest, ReplayedFramesFindAHandlerThatIsNotDeterministic) {
  {
    kit::Runtime kept;
    EXPECT_EQ(kept.session(depending, "s").start(0).value().wait().value(), 1);
  }
  outside_.counter = 0;
  kit::Runtime test({.frames = kit::Frames::replayed});
  const pd::Result<int> reply = test.session(depending, "s").start(0).value().wait();
  ASSERT_TRUE(reply.has_error());
  EXPECT_TRUE(contains(reply.error().message, "parked (diverged)")) << reply.error().message;
  EXPECT_TRUE(contains(reply.error().message, "even")) << reply.error().message;
  EXPECT_EQ(test.events().front().kind, pd::EventKind::run_diverged);
}

}  // namespace
}  // namespace perdure::test
