/// Deploys of other code while a run waits, or tries a step again.
#include "tests/sessions/session_fixture.hpp"

namespace perdure::test {
namespace {

inline constexpr pd::Signal<int> go{"go"};

/// `outside->mode` is the deploy: what stands in the second place.
pd::Task<std::string> changing(pd::Context& ctx, int) {
  co_await ctx.step("first", [](pd::Step&) {});
  std::string got = "nothing";
  switch (outside->mode) {
    case 0: co_await ctx.sleep(1h); break;
    case 1: co_await ctx.step("second", [](pd::Step&) {}); break;
    case 2: got = std::to_string(co_await ctx.receive(go)); break;
    case 3:
      co_await ctx.step(
          "try", [](pd::Step&) -> pd::Result<void> { return pd::Error{pd::Code::user, "no"}; },
          {.retry = {.attempts_max = 0, .delay = 1h}});
      break;
    default: co_return "it ends there";
  }
  co_await ctx.step("third", [](pd::Step&) { outside->add("third"); });
  co_return got;
}
inline constexpr pd::Agent changer{"changer", &changing};

class DeployTest : public SessionFixture {
 protected:
  /// Begins with one version of the code, and goes on with another.
  pd::Run<std::string> deploy(kit::Runtime& test, int from, int to) {
    outside_ = {};
    outside_.mode = from;
    auto run = test.session(changer, "c").start(0).value();
    test.run_until_idle();
    outside_.mode = to;
    test.restart(kit::End::unclean);
    test.run_until_idle();
    wake(test);
    return run;
  }
  /// Everything that the run may wait for comes.
  static void wake(kit::Runtime& test) {
    test.advance(2h);
    test.session(changer, "c").send(go, 7).value();
    test.run_until_idle();
  }
  static std::string sound(kit::Runtime& test) {
    return disk_of(test).damage() + (disk_of(test).due().empty() ? "" : "something is due");
  }
};
PERDURE_TEST_FRAMES(DeployTest);

TEST_P(DeployTest, CodeThatWaitsForSomethingElseIsToldSoAndTheRunWaits) {
  for (const int from : {0, 2}) {
    for (const int to : {0, 1, 2, 3}) {
      if (from == to) continue;
      kit::Runtime test(options());
      auto run = deploy(test, from, to);
      EXPECT_FALSE(run.result()) << from << " " << to;
      EXPECT_EQ(disk_of(test).head(run.id()).code, pd::Code::diverged) << from << " " << to;
      const std::string words = test.explain(run.id()).value();
      EXPECT_TRUE(contains(words, from == 0 ? "step 2, sleep" : "step 2, receive 'go'")) << words;
      EXPECT_EQ(disk_of(test).damage(), "");
      outside_.mode = from;
      test.restart();
      wake(test);
      EXPECT_EQ(run.wait().value(), from == 0 ? "nothing" : "7");
      EXPECT_EQ(sound(test), "");
    }
  }
}

TEST_P(DeployTest, CodeThatEndsWhereTheRunWaitedLeavesNothingOfTheWait) {
  for (const int from : {0, 2, 3}) {
    kit::Runtime test(options());
    EXPECT_EQ(deploy(test, from, 4).wait().value(), "it ends there");
    EXPECT_EQ(sound(test), "") << from;
  }
}

TEST_P(DeployTest, AStepThatIsTriedInPlaceOfAnotherBeginsAnew) {
  for (const int to : {0, 1, 2}) {
    kit::Runtime test(options());
    auto run = deploy(test, 3, to);
    wake(test);
    EXPECT_EQ(run.wait().value(), to == 2 ? "7" : "nothing");
    EXPECT_EQ(sound(test), "") << to;
  }
}

TEST_P(DeployTest, WhereverTheProcessDies) {
  for (const int from : {0, 3}) {
    for (const int to : {1, 4}) {
      const kit::CrashReport report =
          kit::crash_everywhere({.runtime = options()}, [&](kit::Runtime& test) {
            auto run = deploy(test, from, to);
            EXPECT_EQ(disk_of(test).damage(), "");
            outside_.mode = to == 1 && from == 0 ? 0 : to;
            test.restart();
            test.advance(2h);
            const std::string reply = run.wait().value();
            EXPECT_EQ(sound(test), "");
            return reply;
          });
      EXPECT_TRUE(report.ok()) << from << " " << to << "\n" << to_string(report);
    }
  }
}

}  // namespace
}  // namespace perdure::test
