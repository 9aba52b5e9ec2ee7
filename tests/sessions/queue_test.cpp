/// Messages that wait for their turn or their time: cancelled before they begin.
#include "tests/sessions/session_fixture.hpp"

namespace perdure::test {
namespace {

inline constexpr pd::Signal<int> go{"go"};

pd::Task<int> until_told(pd::Context& ctx, int number) {
  co_await ctx.step("begin", [&](pd::Step&) { outside->add("begin " + std::to_string(number)); });
  co_return number + co_await ctx.receive(go);
}
inline constexpr pd::Handler work{"work", &until_told};
inline constexpr pd::Agent worker{"worker", work};

pd::Task<std::string> call_worker(pd::Context& ctx, std::string key) {
  const pd::Result<int> reply =
      co_await pd::as_result(ctx.session(worker, "w").call(work, 2, {.key = key}));
  co_return reply ? std::to_string(reply.value()) : reply.error().to_string();
}
inline constexpr pd::Agent caller{"caller", &call_worker};

class QueueTest : public SessionFixture {};
PERDURE_TEST_FRAMES(QueueTest);

TEST_P(QueueTest, AQueuedMessageIsCancelledWithoutItsHandler) {
  for (const bool kills : {false, true}) {
    outside_ = {};
    kit::Runtime test(options());
    auto session = test.session(worker, "w");
    auto first = session.send(work, 1).value();
    auto second = session.send(work, 2, {.key = "second"}).value();
    auto third = session.send(work, 3).value();
    const pd::CancelOptions why{.why = "not needed", .by = "alice"};
    ASSERT_TRUE(kills ? second.kill(why) : second.cancel(why));
    const auto ended = second.wait();
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().code, pd::Code::cancelled);
    EXPECT_EQ(ended.error().message, "the run was cancelled by alice: not needed");
    EXPECT_EQ(disk_of(test).head(second.id()).status, journal::RunStatus::cancelled);
    EXPECT_EQ(second.cancel().error().code, pd::Code::not_found) << "it has ended";
    ASSERT_TRUE(session.send(go, 10));
    ASSERT_TRUE(session.send(go, 20));
    EXPECT_EQ(first.wait().value(), 11);
    EXPECT_EQ(third.wait().value(), 23);
    EXPECT_EQ(outside_.trace, (Lines{"begin 1", "begin 3"}));
    // Its key is known for as long as that of any run.
    EXPECT_EQ(session.send(work, 2, {.key = "second"}).value().id(), second.id());
  }
}

TEST_P(QueueTest, ADelayedMessageIsCancelledAndItsTimeForgotten) {
  kit::Runtime test(options());
  auto run = test.session(worker, "w").send(work, 1, {.delay = 1h}).value();
  ASSERT_EQ(disk_of(test).due().size(), 1U);
  ASSERT_TRUE(run.cancel());
  EXPECT_TRUE(disk_of(test).due().empty());
  EXPECT_EQ(run.wait().error().code, pd::Code::cancelled);
  test.advance(2h);
  EXPECT_TRUE(outside_.trace.empty());
}

TEST_P(QueueTest, WhoeverCalledOrAttachedLearnsOfTheCancel) {
  kit::Runtime test(options());
  auto busy = test.session(worker, "w").send(work, 1).value();
  auto one = test.session(caller, "c").start("k").value();
  auto other = test.session(caller, "d").start("k").value();
  test.run_until_idle();
  auto queued = test.session(worker, "w").run(work, "k").value();
  ASSERT_TRUE(queued.cancel({.why = "later", .by = "bob"}));
  const std::string told = "peer_cancelled: run " + to_string(queued.id()) +
                           ", which was called or started: the run was cancelled by bob: later";
  EXPECT_EQ(one.wait().value(), told);
  EXPECT_EQ(other.wait().value(), told);
  EXPECT_FALSE(busy.result());
}

TEST_P(QueueTest, ACancelOfAQueuedMessageIsOneWhereverTheProcessDies) {
  const kit::CrashReport report =
      kit::crash_everywhere({.runtime = options(), .second_within = 2}, [](kit::Runtime& test) {
        auto session = test.session(worker, "w");
        auto first = session.send(work, 1, {.key = "1"}).value();
        auto asked = test.session(caller, "c").start("2").value();
        test.run_until_idle();
        auto second = session.run(work, "2").value();
        auto third = session.send(work, 3, {.key = "3"}).value();
        // Asked again after a crash, it may find the run ended.
        const auto cancelled = second.cancel({.why = "enough", .by = "carol"});
        EXPECT_TRUE(cancelled || cancelled.error().code == pd::Code::not_found);
        (void)session.send(go, 10);
        const int one = first.wait().value();
        (void)session.send(go, 10);
        return asked.wait().value() + " " + std::to_string(one) + " " +
               std::to_string(third.wait().value());
      });
  EXPECT_TRUE(report.ok()) << to_string(report);
  EXPECT_GT(report.crashes, 20U);
}

TEST_P(QueueTest, ARunThatHasNotBegunHasNothingToTryAgain) {
  kit::Runtime test(options());
  auto session = test.session(worker, "w");
  ASSERT_TRUE(session.send(work, 1));
  auto second = session.send(work, 2).value();
  const auto again = test.core().retry_now(second.id());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, pd::Code::misuse);
  EXPECT_TRUE(contains(again.error().message, "has not begun")) << again.error().message;
}

}  // namespace
}  // namespace perdure::test
