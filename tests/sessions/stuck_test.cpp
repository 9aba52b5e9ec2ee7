/// Runs that their code cannot go on with: parked, tried again, or ended, as their agent says.
#include "tests/sessions/session_fixture.hpp"

#include <stdexcept>

namespace perdure::test {
namespace {

inline constexpr pd::Signal<int> go{"go"};

/// Version by version of one agent: `outside->mode` says which deploy it is.
pd::Task<int> changing(pd::Context& ctx, int) {
  if (outside->mode == 0) co_await ctx.step("first", [](pd::Step&) { outside->add("first"); });
  if (outside->mode == 1) co_await ctx.step("other", [](pd::Step&) { outside->add("other"); });
  if (outside->mode == 2) co_await ctx.step("first", [](pd::Step&) { outside->add("again"); });
  co_return co_await ctx.receive(go);
}
inline constexpr pd::Agent retried{"retried", &changing};
inline constexpr pd::Agent parked{"parked", &changing, {.on_divergence = pd::WhenStuck::park}};
inline constexpr pd::Agent failing{"failing", &changing, {.on_divergence = pd::WhenStuck::fail}};
inline constexpr pd::Handler anew{
    "anew", &changing, {.when_busy = pd::WhenBusy::cancel_and_replace}};
inline constexpr pd::Agent replacing{"replacing", anew};

pd::Task<int> throwing(pd::Context& ctx, int) {
  co_await ctx.step("first", [](pd::Step&) { outside->add("first"); });
  if (outside->mode != 2) throw std::runtime_error("a bug");
  co_return 7;
}
inline constexpr pd::Agent throws_and_fails{
    "throws-and-fails", &throwing, {.on_exception = pd::WhenStuck::fail}};
inline constexpr pd::Agent throws_and_parks{
    "throws-and-parks", &throwing, {.on_exception = pd::WhenStuck::park}};
inline constexpr pd::Agent throws_and_retries{"throws-and-retries", &throwing};

/// Throws at its first line in deploys of mode 1, so in a replay too.
pd::Task<int> throwing_early(pd::Context& ctx, int) {
  if (outside->mode == 1) throw std::runtime_error("a bug");
  co_await ctx.step("first", [](pd::Step&) { outside->add("first"); });
  co_return co_await ctx.receive(go);
}
inline constexpr pd::Agent throws_early{
    "throws-early", &throwing_early, {.on_exception = pd::WhenStuck::fail}};

/// Another one's run, which diverges, is what it waits for.
pd::Task<std::string> calling(pd::Context& ctx, int) {
  const auto child =
      co_await ctx.session(throws_and_fails, "x").spawn(std::get<0>(throws_and_fails.handlers), 0);
  const pd::Result<int> reply = co_await pd::as_result(child.result());
  co_return reply ? "a value" : std::string(to_string(reply.error().code));
}
inline constexpr pd::Agent caller{"caller", &calling};

class StuckTest : public SessionFixture {
 protected:
  template <class A>
  pd::Run<int> diverge(kit::Runtime& test, const A& agent) {
    auto run = test.session(agent, "s").start(0).value();
    test.run_until_idle();
    outside_.mode = 1;
    test.restart(kit::End::unclean);
    test.run_until_idle();
    return run;
  }
  static journal::RunStatus status(kit::Runtime& test, const pd::RunId& run) {
    return disk_of(test).head(run).status;
  }
};
PERDURE_TEST_FRAMES(StuckTest);

TEST_P(StuckTest, ADivergedRunIsTriedAgainAtEachStart) {
  kit::Runtime test(options());
  auto run = diverge(test, retried);
  ASSERT_TRUE(test.session(retried, "s").send(go, 5));
  EXPECT_EQ(status(test, run.id()), journal::RunStatus::parked);
  outside_.mode = 2;
  test.restart();
  EXPECT_EQ(run.wait().value(), 5);
  EXPECT_EQ(outside_.trace, Lines{"first"});
}

TEST_P(StuckTest, ADivergedRunWaitsForAnOperatorIfItsAgentSaysSo) {
  kit::Runtime test(options());
  auto run = diverge(test, parked);
  ASSERT_TRUE(test.session(parked, "s").send(go, 5));
  EXPECT_EQ(status(test, run.id()), journal::RunStatus::parked);
  outside_.mode = 2;
  test.restart();
  test.run_until_idle();
  EXPECT_EQ(status(test, run.id()), journal::RunStatus::parked);
  EXPECT_FALSE(run.result());
  ASSERT_TRUE(test.core().retry_now(run.id()));
  EXPECT_EQ(run.wait().value(), 5);
}

TEST_P(StuckTest, ADivergedRunEndsIfItsAgentSaysSo) {
  kit::Runtime test(options());
  auto run = diverge(test, failing);
  if (GetParam() == kit::Frames::kept)
    EXPECT_EQ(status(test, run.id()), journal::RunStatus::waiting);
  // A run that waits is replayed when something comes for it.
  ASSERT_TRUE(test.session(failing, "s").send(go, 5));
  const auto reply = run.wait();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, pd::Code::diverged);
  EXPECT_EQ(status(test, run.id()), journal::RunStatus::failed);
  // The session is free for the next message, and the signal was not lost.
  outside_.mode = 0;
  EXPECT_EQ(
      test.session(failing, "s").send(std::get<0>(failing.handlers), 1).value().wait().value(), 5);
}

TEST_P(StuckTest, AnExceptionEndsTheRunIfItsAgentSaysSo) {
  kit::Runtime test(options());
  auto run = test.session(throws_and_fails, "s").start(0).value();
  const auto reply = run.wait();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, pd::Code::handler_threw);
  EXPECT_TRUE(contains(reply.error().message, "a bug")) << reply.error().message;
  EXPECT_EQ(status(test, run.id()), journal::RunStatus::failed);
  test.serve(throws_and_fails);
  EXPECT_EQ(test.session(caller, "c").start(0).value().wait().value(), "handler_threw");
}

TEST_P(StuckTest, AnExceptionInAReplayParksTheRunAlsoIfItsAgentSaysThatItEnds) {
  kit::Runtime test(options());
  auto run = diverge(test, throws_early);
  ASSERT_TRUE(test.session(throws_early, "s").send(go, 5));
  test.run_until_idle();
  EXPECT_EQ(status(test, run.id()), journal::RunStatus::parked);
  ASSERT_FALSE(test.events().empty());
  EXPECT_EQ(test.events().back().kind, pd::EventKind::run_parked);
  EXPECT_EQ(test.events().back().error.code, pd::Code::handler_threw);
  // New ground is another matter: there it ends, as its agent says.
  const auto fresh = test.session(throws_early, "t").start(0).value().wait();
  ASSERT_FALSE(fresh);
  EXPECT_EQ(fresh.error().code, pd::Code::handler_threw);
  outside_.mode = 0;
  test.restart();
  EXPECT_EQ(run.wait().value(), 5) << "repaired, it goes on, and its signal was kept";
  EXPECT_EQ(outside_.trace, Lines{"first"});
}

TEST_P(StuckTest, AnExceptionParksTheRunUntilARestartOrAnOperator) {
  for (const bool by_operator : {false, true}) {
    outside_.mode = 0;
    kit::Runtime test(options());
    auto run = by_operator ? test.session(throws_and_parks, "s").start(0).value()
                           : test.session(throws_and_retries, "s").start(0).value();
    test.run_until_idle();
    EXPECT_EQ(status(test, run.id()), journal::RunStatus::parked);
    outside_.mode = 2;
    test.restart();
    test.run_until_idle();
    EXPECT_EQ(status(test, run.id()) == journal::RunStatus::parked, by_operator);
    if (by_operator) ASSERT_TRUE(test.core().retry_now(run.id()));
    EXPECT_EQ(run.wait().value(), 7);
  }
}

TEST_P(StuckTest, AParkedRunIsReplacedByANewerMessage) {
  kit::Runtime test(options());
  auto session = test.session(replacing, "s");
  auto old = session.send(anew, 0).value();
  test.run_until_idle();
  outside_.mode = 1;
  test.restart(kit::End::unclean);
  ASSERT_TRUE(session.send(go, 5));
  EXPECT_EQ(status(test, old.id()), journal::RunStatus::parked);
  auto next = session.send(anew, 1).value();
  test.run_until_idle();
  EXPECT_FALSE(next.result()) << "better code may still tidy up";
  test.advance(30s);
  EXPECT_EQ(old.wait().error().code, pd::Code::cancelled);
  EXPECT_EQ(next.wait().value(), 5);
  EXPECT_EQ(disk_of(test).damage(), "");
}

TEST_P(StuckTest, AParkedRunThatIsReplacedMayTidyUpWithBetterCode) {
  kit::Runtime test(options());
  auto session = test.session(replacing, "s");
  auto old = session.send(anew, 0).value();
  test.run_until_idle();
  outside_.mode = 1;
  test.restart(kit::End::unclean);
  ASSERT_TRUE(session.send(go, 5));
  auto next = session.send(anew, 1).value();
  outside_.mode = 2;
  test.restart();
  EXPECT_EQ(old.wait().error().code, pd::Code::cancelled);
  EXPECT_EQ(next.wait().value(), 5);
  EXPECT_TRUE(disk_of(test).due().empty());
}

TEST_P(StuckTest, AWordForARunThatEndsByBeingLoadedIsNotForTheNext) {
  kit::Runtime test(options());
  const auto& handler = std::get<0>(failing.handlers);
  auto session = test.session(failing, "s");
  auto first = session.send(handler, 0).value();
  test.run_until_idle();
  auto second = session.send(handler, 1).value();
  outside_.mode = 1;
  test.restart(kit::End::unclean);
  test.run_until_idle();
  EXPECT_EQ(status(test, first.id()), journal::RunStatus::waiting);
  const auto cancelled = first.cancel();
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().code, pd::Code::not_found) << "it ended as diverged";
  EXPECT_EQ(first.wait().error().code, pd::Code::diverged);
  ASSERT_TRUE(session.send(go, 5));
  EXPECT_EQ(second.wait().value(), 5);
}

}  // namespace
}  // namespace perdure::test
