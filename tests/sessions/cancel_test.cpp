/// Cancel and kill: delivered once, with who and why; shields; the grace period.
#include "tests/sessions/session_fixture.hpp"

namespace perdure::test {
namespace {

inline constexpr pd::Signal<int> go{"go"};

pd::Task<void> tidy(pd::Context& ctx, int seconds) {
  co_await ctx.sleep(std::chrono::seconds(seconds));
  co_await ctx.step("tidy", [](pd::Step&) { outside->add("tidied"); });
}
pd::Task<int> patient(pd::Context& ctx, int) {
  co_await ctx.sleep(24h);
  co_return 1;
}
inline constexpr pd::Agent sleeper{"sleeper", &patient};

pd::Task<std::string> careful(pd::Context& ctx, int seconds) {
  const pd::Result<int> got = co_await pd::catch_cancelled(ctx.receive(go));
  if (got) co_return "got it";
  co_await ctx.shielded(tidy(ctx, seconds));
  co_return got.error().message;
}
inline constexpr pd::Handler being_careful{"careful", &careful};
inline constexpr pd::Agent tidier{"tidier", being_careful};

pd::Task<std::string> shielded_wait(pd::Context& ctx, int) {
  co_await ctx.shielded(tidy(ctx, 1));
  co_await ctx.sleep(1s);
  co_return "never cancelled";
}
inline constexpr pd::Agent shielding{"shielding", &shielded_wait};

/// Asks one model, then another: the failure of the first is a value, a cancel is none.
pd::Task<std::string> ask_two(pd::Context& ctx, std::string how) {
  pd::Result<int> first = 0;
  if (how == "receive") first = co_await pd::as_result(ctx.receive(go));
  if (how == "task") first = co_await pd::as_result(patient(ctx, 0));
  if (how == "within") first = co_await pd::as_result(ctx.within(1h, ctx.receive(go)));
  if (how == "all") {
    const auto both = co_await pd::as_result(ctx.all(patient(ctx, 0), ctx.receive(go)));
    if (!both) first = both.error();
  }
  co_await ctx.step("ask the other", [](pd::Step&) { outside->add("asked the other"); });
  co_return first ? "the first" : "the other";
}
inline constexpr pd::Agent asker{"asker", &ask_two};

/// Catches its cancel and goes on waiting.
pd::Task<std::string> stubborn(pd::Context& ctx, std::string name) {
  co_await ctx.step("begin", [&](pd::Step&) { outside->add("begin " + name); });
  const pd::Result<int> first = co_await pd::catch_cancelled(ctx.receive(go));
  if (first) co_return name + " got it";
  outside->add("cancelled " + name);
  const int second = co_await ctx.receive(go);
  co_return name + " got " + std::to_string(second);
}
inline constexpr pd::Handler hold_on{"hold-on", &stubborn};
inline constexpr pd::Handler hold_on_anew{
    "hold-on-anew", &stubborn, {.when_busy = pd::WhenBusy::cancel_and_replace}};
inline constexpr pd::Agent holder{"holder", hold_on, hold_on_anew};

class CancelTest : public SessionFixture {
 protected:
  static journal::RunStatus status(kit::Runtime& test, const pd::RunId& run) {
    return disk_of(test).head(run).status;
  }
  template <class R>
  static void expect_cancelled(const pd::Result<R>& ended, std::string_view message = {}) {
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().code, pd::Code::cancelled);
    if (!message.empty()) EXPECT_EQ(ended.error().message, message);
  }
};
PERDURE_TEST_FRAMES(CancelTest);

TEST_P(CancelTest, EndsARunThatWaitsAndSaysWhoAndWhy) {
  kit::Runtime test(options());
  auto run = test.session(sleeper, "s").start(0).value();
  test.run_until_idle();
  ASSERT_TRUE(run.cancel({.why = "the trip is off", .by = "alice"}));
  expect_cancelled(run.wait(), "the run was cancelled by alice: the trip is off");
  EXPECT_EQ(status(test, run.id()), journal::RunStatus::cancelled);
  EXPECT_TRUE(disk_of(test).due().empty());
  EXPECT_EQ(run.cancel().error().code, pd::Code::not_found) << "it has ended";
}

TEST_P(CancelTest, IsCaughtByTheHandlerThatAsksAndTidiesUpInAShield) {
  kit::Runtime test(options());
  auto run = test.session(tidier, "s").start(being_careful, 1).value();
  test.run_until_idle();
  ASSERT_TRUE(run.cancel({.why = "enough", .by = "bob"}));
  test.run_until_idle();
  ASSERT_TRUE(run.cancel({.why = "a second one"})) << "changes nothing";
  test.advance(1s);
  EXPECT_EQ(run.wait().value(), "the run was cancelled by bob: enough");
  EXPECT_EQ(outside_.count("tidied"), 1U);
  EXPECT_EQ(status(test, run.id()), journal::RunStatus::completed);
  EXPECT_TRUE(disk_of(test).due().empty()) << "the grace period is over";
}

TEST_P(CancelTest, ReachesTheNextWaitWhenAllThatWaitsIsShielded) {
  kit::Runtime test(options());
  auto run = test.session(shielding, "s").start(0).value();
  test.run_until_idle();
  ASSERT_TRUE(run.cancel());
  test.run_until_idle();
  EXPECT_FALSE(run.result().has_value());
  test.advance(1s);
  expect_cancelled(run.wait());
  EXPECT_EQ(outside_.count("tidied"), 1U);
}

TEST_P(CancelTest, IsNotSwallowedByAsResult) {
  for (const std::string how : {"receive", "task", "within", "all"}) {
    kit::Runtime test(options());
    auto run = test.session(asker, how).start(how).value();
    test.run_until_idle();
    ASSERT_TRUE(run.cancel({.why = "enough"}));
    expect_cancelled(run.wait(), "the run was cancelled: enough");
    EXPECT_EQ(status(test, run.id()), journal::RunStatus::cancelled);
  }
  EXPECT_EQ(outside_.count("asked the other"), 0U);
}

TEST_P(CancelTest, TheEndOfTheGracePeriodEndsAHandlerThatGoesOnWaiting) {
  kit::Runtime test(options());
  auto run = test.session(holder, "s").send(hold_on, "a").value();
  test.run_until_idle();
  ASSERT_TRUE(run.cancel({.grace = 10s}));
  test.advance(10s - 1us);
  EXPECT_FALSE(run.result().has_value());
  test.advance(1us);
  expect_cancelled(run.wait());
  EXPECT_EQ(status(test, run.id()), journal::RunStatus::cancelled);
}

TEST_P(CancelTest, TheEndOfTheGracePeriodCutsOffAShield) {
  kit::Runtime test(options());
  auto run = test.session(tidier, "s").send(being_careful, 60).value();
  test.run_until_idle();
  ASSERT_TRUE(run.cancel({.grace = 10s}));
  test.advance(10s - 1us);
  EXPECT_FALSE(run.result().has_value()) << "the shield keeps the cancel out, and its end waits";
  test.advance(1us);
  expect_cancelled(run.wait());
  EXPECT_EQ(status(test, run.id()), journal::RunStatus::cancelled);
  EXPECT_TRUE(disk_of(test).due().empty()) << "what the shield waited for is gone";
  test.restart(kit::End::unclean);
  test.advance(1h);
  EXPECT_EQ(outside_.count("tidied"), 0U);
}

TEST_P(CancelTest, AGracePeriodIsOverThoughNobodyRan) {
  kit::Runtime test(options());
  auto run = test.session(holder, "s").send(hold_on, "a").value();
  test.run_until_idle();
  ASSERT_TRUE(run.cancel({.grace = 10s}));
  test.restart(kit::End::unclean, {.down_for = 1h});
  expect_cancelled(run.wait());
  EXPECT_TRUE(disk_of(test).due().empty());
}

TEST_P(CancelTest, ARunThatIsReplacedAndHoldsOnIsEndedByItsGracePeriod) {
  for (const bool restarts : {false, true}) {
    outside_ = {};
    kit::Runtime test(options());
    auto session = test.session(holder, "s");
    auto old = session.send(hold_on, "old").value();
    test.run_until_idle();
    auto anew = session.send(hold_on_anew, "new").value();
    test.run_until_idle();
    if (restarts) test.restart(kit::End::unclean);
    test.advance(30s - 1us);
    EXPECT_FALSE(old.result());
    EXPECT_EQ(outside_.count("begin new"), 0U) << "the old run has not ended";
    test.advance(1us);
    expect_cancelled(old.wait());
    EXPECT_EQ(outside_.count("begin new"), 1U);
    // The signal is for the run that is there now.
    ASSERT_TRUE(session.send(go, 1));
    EXPECT_EQ(anew.wait().value(), "new got it");
    EXPECT_TRUE(disk_of(test).due().empty());
  }
}

TEST_P(CancelTest, IsStillKnownToTheNextProcess) {
  const kit::CrashReport report =
      kit::crash_everywhere({.runtime = options()}, [](kit::Runtime& test) {
        auto run = test.session(tidier, "s").send(being_careful, 1).value();
        test.run_until_idle();
        // Asked again after a crash, it is the same.
        EXPECT_TRUE(run.cancel({.why = "enough", .by = "bob"}));
        test.advance(1s);
        return run.wait().value();
      });
  EXPECT_TRUE(report.ok()) << to_string(report);
  EXPECT_GE(report.commits, 4U);
}

TEST_P(CancelTest, AKillAsksNobody) {
  kit::Runtime test(options());
  auto run = test.session(tidier, "s").send(being_careful, 1).value();
  test.run_until_idle();
  ASSERT_TRUE(run.kill({.why = "now", .by = "carol"}));
  expect_cancelled(run.wait(), "the run was cancelled by carol: now");
  EXPECT_EQ(outside_.count("tidied"), 0U);
  EXPECT_TRUE(disk_of(test).due().empty());
}

}  // namespace
}  // namespace perdure::test
