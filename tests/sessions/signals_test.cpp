/// Signals: kept when early, received once, in order, and never by a receive that lost; and who
/// wins when a signal and a deadline are found together.
#include "core/limits.hpp"
#include "tests/sessions/session_fixture.hpp"

namespace perdure::test {
namespace {

struct Decision {
  bool approved = false;
  std::string by;
};
PERDURE_DESCRIBE(Decision, approved, by);

inline constexpr pd::Signal<Decision> approval{"approval"};
inline constexpr pd::Signal<int> number{"number"};

pd::Task<std::string> decide(pd::Context& ctx, int) {
  const Decision decision = co_await ctx.receive(approval);
  co_return decision.by + (decision.approved ? " yes" : " no");
}
inline constexpr pd::Agent decider{"decider", &decide};

pd::Task<std::string> decide_in_time(pd::Context& ctx, int hours) {
  const std::optional<Decision> decision =
      co_await ctx.receive(approval, {.within = std::chrono::hours(hours)});
  co_return decision ? decision->by : "nobody";
}
inline constexpr pd::Agent hasty{"hasty", &decide_in_time};

/// The first receive, a while, and another one.
pd::Task<std::string> decide_twice(pd::Context& ctx, int hours) {
  const std::optional<Decision> first =
      co_await ctx.receive(approval, {.within = std::chrono::hours(hours)});
  co_await ctx.step("note", [&](pd::Step&) { outside->add(first ? first->by : "nobody"); });
  co_await ctx.receive(number);
  const std::optional<Decision> second =
      co_await ctx.receive(approval, {.within = std::chrono::hours(hours)});
  co_return (first ? first->by : "nobody") + ", " + (second ? second->by : "nobody");
}
inline constexpr pd::Agent hasty_twice{"hasty-twice", &decide_twice};

pd::Task<std::vector<int>> collect(pd::Context& ctx, int count) {
  std::vector<int> all;
  for (int i = 0; i < count; ++i) {
    all.push_back(co_await ctx.receive(number));
    co_await ctx.step("note", [&](pd::Step&) { outside->add(std::to_string(all.back())); });
  }
  co_return all;
}
inline constexpr pd::Agent collector{"collector", &collect};

pd::Task<int> both(pd::Context& ctx, int) {
  auto pair = co_await ctx.all(ctx.receive(number), ctx.receive(number));
  co_return std::get<0>(pair) * 10 + std::get<1>(pair);
}
inline constexpr pd::Agent pairing{"pairing", &both};

/// Sends to the session of `hasty` of the same key; and so many numbers to a collector.
pd::Task<void> approve(pd::Context& ctx, std::string by) {
  co_await ctx.session(hasty, std::string(ctx.session_key()))
      .send(approval, {.approved = true, .by = by});
}
pd::Task<void> count_for(pd::Context& ctx, int count) {
  auto to = ctx.session(collector, std::string(ctx.session_key()));
  for (int i = 1; i <= count; ++i) co_await to.send(number, i);
}
inline constexpr pd::Handler approving{"approve", &approve};
inline constexpr pd::Handler counting{"count", &count_for};
inline constexpr pd::Agent sender{"sender", approving, counting};

class SignalTest : public SessionFixture {
 protected:
  /// Signals that nobody has looked at.
  static std::size_t unread(kit::Runtime& test) {
    std::size_t count = 0;
    disk_of(test)
        .read()
        .each_unread([&](const journal::SessionId&, const journal::Arrival& each) {
          count += each.what == journal::ArrivalRow::What::signal ? 1 : 0;
          return true;
        })
        .value();
    return count;
  }
  static std::string status(kit::Runtime& test, const pd::RunId& run) {
    return std::string(to_string(disk_of(test).head(run).status));
  }
};
PERDURE_TEST_FRAMES(SignalTest);

TEST_P(SignalTest, WakesTheReceiveThatWaits) {
  kit::Runtime test(options());
  auto session = test.session(decider, "s");
  auto run = session.start(0).value();
  test.run_until_idle();
  ASSERT_TRUE(session.send(approval, {.approved = true, .by = "ada"}));
  EXPECT_EQ(run.wait().value(), "ada yes");
  EXPECT_EQ(disk_of(test).records(run.id()).at(1), "receive 1 'approval' ok");
}

TEST_P(SignalTest, WaitsForItsReceiveWhenItIsEarly) {
  kit::Runtime test(options());
  auto session = test.session(decider, "s");
  ASSERT_TRUE(session.send(approval, {.approved = false, .by = "bob"}));
  EXPECT_EQ(session.start(0).value().wait().value(), "bob no");
}

TEST_P(SignalTest, SurvivesTheProcessThatGotIt) {
  kit::Runtime test(options());
  auto session = test.session(decider, "s");
  ASSERT_TRUE(session.send(approval, {.approved = true, .by = "eve"}));
  test.restart(kit::End::unclean);
  EXPECT_EQ(session.start(0).value().wait().value(), "eve yes");
}

TEST_P(SignalTest, TheDeadlineOfAReceiveIsNoFailure) {
  kit::Runtime test(options());
  auto run = test.session(hasty, "s").start(72).value();
  test.advance(72h - 1us);
  EXPECT_FALSE(run.result().has_value());
  test.advance(1us);
  EXPECT_EQ(run.wait().value(), "nobody");
  EXPECT_TRUE(disk_of(test).due().empty());
}

TEST_P(SignalTest, ThatIsRecordedBeforeTheDeadlineWinsThoughBothAreFoundAfterIt) {
  kit::Runtime test(options());
  test.serve(sender);
  auto run = test.session(hasty, "s").start(1).value();
  test.run_until_idle();
  // The sender's commit is durable, and the process dies before the receiver looks.
  ASSERT_TRUE(test.session(sender, "s").send(approving, "ann"));
  ASSERT_EQ(unread(test), 1U);
  test.restart(kit::End::unclean, {.down_for = 2h});
  ASSERT_EQ(unread(test), 1U);
  ASSERT_EQ(status(test, run.id()), "waiting");
  EXPECT_EQ(run.wait().value(), "ann");
  EXPECT_EQ(unread(test), 0U);
  EXPECT_TRUE(disk_of(test).due().empty());
}

TEST_P(SignalTest, ThatWasKeptBeforeTheDeadlineWinsThoughTheRunComesLater) {
  kit::Runtime test(options());
  ASSERT_TRUE(test.session(hasty, "s").send(approval, {.approved = true, .by = "ann"}));
  auto run = test.session(hasty, "s").start(1).value();
  test.restart(kit::End::unclean, {.down_for = 2h});
  EXPECT_EQ(run.wait().value(), "ann");
}

TEST_P(SignalTest, ThatIsQueuedWhileNobodyHasTheJournalOpenWinsOverADeadlineThatNobodyRecorded) {
  for (const auto queued_at : {30min, 90min}) {
    kit::Runtime test(options());
    auto run = test.session(hasty, "s").start(1).value();
    test.run_until_idle();
    ASSERT_TRUE(test.core().shutdown());
    queue_signal(test, {.agent = "hasty", .session_key = "s", .name = "approval"},
                 pd::encode(Decision{true, "an operator"}).value(), queued_at);
    test.restart(kit::End::clean, {.down_for = 2h});
    EXPECT_EQ(run.wait().value(), "an operator");
  }
}

TEST_P(SignalTest, ThatCameAfterARecordedDeadlineIsKeptForTheNextReceive) {
  kit::Runtime test(options());
  auto session = test.session(hasty_twice, "s");
  auto run = session.start(1).value();
  test.advance(1h);
  ASSERT_EQ(outside_.trace, Lines{"nobody"});
  ASSERT_TRUE(session.send(approval, {.approved = true, .by = "late"}));
  for (const kit::End end : {kit::End::unclean, kit::End::clean}) {
    test.restart(end);
    test.run_until_idle();
    EXPECT_FALSE(run.result());
  }
  ASSERT_TRUE(session.send(number, 1));
  EXPECT_EQ(run.wait().value(), "nobody, late");
  EXPECT_EQ(outside_.trace, Lines{"nobody"}) << "no replay changed its mind";
}

TEST_P(SignalTest, AndDeadlinesAreDecidedAlikeWhereverTheProcessDies) {
  for (const auto told_at : {59min, 61min}) {
    const kit::CrashReport report =
        kit::crash_everywhere({.runtime = options()}, [&](kit::Runtime& test) {
          test.serve(sender);
          auto run = test.session(hasty, "s").start(1).value();
          test.advance(told_at);
          auto sent = test.session(sender, "s").send(approving, "ann").value();
          test.advance(1h);
          EXPECT_TRUE(sent.wait());
          return run.wait().value() + " " + std::to_string(unread(test));
        });
    EXPECT_TRUE(report.ok()) << to_string(report);
    EXPECT_GT(report.crashes, 6U);
  }
}

TEST_P(SignalTest, AreReceivedInTheOrderInWhichTheyCame) {
  kit::Runtime test(options());
  auto session = test.session(collector, "s");
  ASSERT_TRUE(session.send(number, 1));
  ASSERT_TRUE(session.send(number, 2));
  auto run = session.start(4).value();
  ASSERT_TRUE(session.send(number, 3));
  ASSERT_TRUE(session.send(number, 4));
  EXPECT_EQ(run.wait().value(), (std::vector{1, 2, 3, 4}));
}

TEST_P(SignalTest, OfOneNameServeReceivesInTheOrderInWhichTheseBegan) {
  kit::Runtime test(options());
  auto session = test.session(pairing, "s");
  auto run = session.start(0).value();
  test.run_until_idle();
  ASSERT_TRUE(session.send(number, 4));
  ASSERT_TRUE(session.send(number, 2));
  EXPECT_EQ(run.wait().value(), 42);
}

TEST_P(SignalTest, OfASessionAreNeverLostNorReceivedTwiceWhereverTheProcessDies) {
  const kit::CrashReport report =
      kit::crash_everywhere({.runtime = options()}, [](kit::Runtime& test) {
        test.serve(sender);
        auto run = test.session(collector, "s").start(5).value();
        auto sent = test.session(sender, "s").send(counting, 6).value();
        EXPECT_TRUE(sent.wait());
        const std::vector<int> got = run.wait().value();
        EXPECT_EQ(got, (std::vector{1, 2, 3, 4, 5}));
        // The sixth is left for the next run.
        const auto& handler = std::get<0>(collector.handlers);
        EXPECT_EQ(test.session(collector, "s").call(handler, 1).value(), std::vector{6});
        return got;
      });
  EXPECT_TRUE(report.ok()) << to_string(report);
  EXPECT_GT(report.crashes, 30U);
}

TEST_P(SignalTest, AreRefusedWhenTheSessionKeepsTooMany) {
  kit::Runtime test(options());
  auto session = test.session(collector, "s");
  for (std::size_t i = 0; i < core::limits::kKeptSignals; ++i) ASSERT_TRUE(session.send(number, 1));
  const pd::Result<void> refused = session.send(number, 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, pd::Code::busy);
  EXPECT_TRUE(contains(refused.error().message, "kKeptSignals")) << refused.error().message;
}

}  // namespace
}  // namespace perdure::test
