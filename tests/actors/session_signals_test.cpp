/// Signals: kept when early, received once, in order, and never by a receive that lost.
#include "tests/actors/engine_fixture.hpp"

#include <tuple>

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

pd::Task<std::vector<int>> collect(pd::Context& ctx, int count) {
  std::vector<int> all;
  for (int i = 0; i < count; ++i) {
    all.push_back(co_await ctx.receive(number));
    co_await ctx.step("note", [&](pd::Step&) { world->trace.add(std::to_string(all.back())); });
  }
  co_return all;
}
inline constexpr pd::Agent collector{"collector", &collect};

pd::Task<int> both(pd::Context& ctx, int) {
  auto pair = co_await ctx.all(ctx.receive(number), ctx.receive(number));
  co_return std::get<0>(pair) * 10 + std::get<1>(pair);
}
inline constexpr pd::Agent pairing{"pairing", &both};

/// Sends its signal when its body has returned: on the thread of the body.
pd::Task<int> approve_when_told(pd::Context& ctx, int) {
  co_await ctx.step("wait", [](pd::Step&) { world->door("approve").pass(); });
  co_await ctx.session(hasty, "s").send(approval, {.approved = true, .by = "ann"});
  co_return 0;
}
inline constexpr pd::Agent approver{"approver", &approve_when_told};

/// Holds the thread that sessions run on.
pd::Task<int> hold_thread(pd::Context&, int) {
  world->trace.add("held");
  world->door("hold").pass();
  co_return 0;
}
inline constexpr pd::Agent holder{"holder", &hold_thread};

class SignalTest : public EngineFixture, public ::testing::WithParamInterface<pd::Frames> {
 protected:
  [[nodiscard]] pd::RuntimeOptions options() const {
    pd::RuntimeOptions options;
    options.frames = GetParam();
    options.frame_budget_bytes = 0;
    return options;
  }
};
INSTANTIATE_TEST_SUITE_P(Frames, SignalTest,
                         ::testing::Values(pd::Frames::keep, pd::Frames::within_budget),
                         [](const auto& given) {
                           return given.param == pd::Frames::keep ? "kept" : "given_up";
                         });

TEST_P(SignalTest, WakesTheReceiveThatWaits) {
  TestEngine engine(disk_, options());
  engine.start(decider);
  auto session = engine.runtime().session(decider, "s");
  auto run = session.start(0).value();
  engine.settle();
  ASSERT_TRUE(session.send(approval, {.approved = true, .by = "ada"}));
  EXPECT_EQ(run.wait().value(), "ada yes");
  EXPECT_EQ(disk_.records(run.id()).at(1), "receive 1 'approval' ok");
}

TEST_P(SignalTest, WaitsForItsReceiveWhenItIsEarly) {
  TestEngine engine(disk_, options());
  engine.start(decider);
  auto session = engine.runtime().session(decider, "s");
  ASSERT_TRUE(session.send(approval, {.approved = false, .by = "bob"}));
  EXPECT_EQ(session.start(0).value().wait().value(), "bob no");
}

TEST_P(SignalTest, SurvivesTheProcessThatGotIt) {
  {
    TestEngine engine(disk_, options());
    engine.start(decider);
    ASSERT_TRUE(
        engine.runtime().session(decider, "s").send(approval, {.approved = true, .by = "eve"}));
  }
  TestEngine engine(disk_, options());
  engine.start(decider);
  EXPECT_EQ(engine.runtime().session(decider, "s").start(0).value().wait().value(), "eve yes");
}

TEST_P(SignalTest, ReachesARunThatWaitsSinceAnEarlierProcess) {
  pd::RunId id;
  {
    TestEngine engine(disk_, options());
    engine.start(decider);
    id = engine.runtime().session(decider, "s").start(0).value().id();
    ASSERT_TRUE(engine.shutdown());
  }
  EXPECT_EQ(disk_.head(id).status, journal::RunStatus::waiting);
  EXPECT_FALSE(disk_.is_ready(id)) << "recovery need not load it";
  TestEngine engine(disk_, options());
  engine.start(decider);
  EXPECT_EQ(engine.engine().sessions_in_memory(), 0U);
  ASSERT_TRUE(
      engine.runtime().session(decider, "s").send(approval, {.approved = true, .by = "kim"}));
  EXPECT_EQ(engine.runtime().run<std::string>(id).wait().value(), "kim yes");
}

TEST_P(SignalTest, TheDeadlineOfAReceiveIsNoFailure) {
  TestEngine engine(disk_, options());
  engine.start(hasty);
  auto run = engine.runtime().session(hasty, "s").start(72).value();
  engine.settle();
  engine.advance(72h - 1ms);
  engine.settle();
  EXPECT_FALSE(run.result().has_value());
  engine.advance(1ms);
  EXPECT_EQ(run.wait().value(), "nobody");
}

TEST_P(SignalTest, ThatCameBeforeTheDeadlineWinsThoughBothCameWhileNobodyLooked) {
  pd::RunId id;
  {
    TestEngine engine(disk_, options());
    engine.start(hasty);
    auto session = engine.runtime().session(hasty, "s");
    id = session.start(1).value().id();
    engine.settle();
    // The signal is durable, and the process dies before it could be received.
    engine.die_at_commit(1, LastCommit::kept);
    (void)session.send(approval, {.approved = true, .by = "ann"});
  }
  disk_.clock->advance(2h);
  TestEngine engine(disk_, options());
  engine.start(hasty);
  EXPECT_EQ(engine.runtime().run<std::string>(id).wait().value(), "ann");
}

TEST_P(SignalTest, ThatWasRecordedBeforeTheDeadlineWinsThoughTheTimeHadPassed) {
  TestEngine engine(disk_, options());
  engine.start(hasty, approver, holder);
  auto run = engine.runtime().session(hasty, "s").start(1).value();
  auto approving = engine.runtime().session(approver, "a").start(0).value();
  while (disk_.due().empty() || !engine.engine().timers().next()) std::this_thread::yield();
  engine.settle();
  pd::detail::MessageRequest hold;
  const pd::Bytes input = pd::encode(0).value();
  hold.agent = "holder";
  hold.handler = std::get<0>(holder.handlers).name;
  hold.session_key = "h";
  hold.input = input;
  engine.engine().send_message_then(hold, [](const pd::Result<pd::RunId>&) {});
  world_.trace.wait_for("held");
  // The session is told of the time, and cannot look at it; then the signal is recorded.
  engine.advance(1h);
  world_.door("approve").open();
  EXPECT_EQ(approving.wait().value(), 0);
  world_.door("hold").open();
  EXPECT_EQ(run.wait().value(), "ann");
}

TEST_P(SignalTest, AreReceivedInTheOrderInWhichTheyCame) {
  TestEngine engine(disk_, options());
  engine.start(collector);
  auto session = engine.runtime().session(collector, "s");
  ASSERT_TRUE(session.send(number, 1));
  ASSERT_TRUE(session.send(number, 2));
  auto run = session.start(4).value();
  ASSERT_TRUE(session.send(number, 3));
  ASSERT_TRUE(session.send(number, 4));
  EXPECT_EQ(run.wait().value(), (std::vector{1, 2, 3, 4}));
}

TEST_P(SignalTest, OfOneNameServeReceivesInTheOrderInWhichTheseBegan) {
  TestEngine engine(disk_, options());
  engine.start(pairing);
  auto session = engine.runtime().session(pairing, "s");
  auto run = session.start(0).value();
  engine.settle();
  ASSERT_TRUE(session.send(number, 4));
  ASSERT_TRUE(session.send(number, 2));
  EXPECT_EQ(run.wait().value(), 42);
}

TEST_P(SignalTest, AreNeverLostNorReceivedTwiceWhereverTheProcessDies) {
  for (const LastCommit last : {LastCommit::lost, LastCommit::kept}) {
    for (std::uint64_t death = 1; death < 40; ++death) {
      TestDisk disk;
      World fresh;
      world = &fresh;
      std::vector<int> sent;
      {
        TestEngine engine(disk, options());
        engine.start(collector);
        auto session = engine.runtime().session(collector, "s");
        engine.die_at_commit(death, last);
        if (!session.start(5)) continue;
        for (int i = 1; i <= 5; ++i)
          if (session.send(number, i)) sent.push_back(i);
      }
      TestEngine engine(disk, options());
      engine.start(collector);
      auto session = engine.runtime().session(collector, "s");
      auto run = session.start(5).value();
      // One whose sending was not acknowledged may have come.
      std::vector<int> more = sent;
      for (int i = static_cast<int>(sent.size()) + 1; i <= 5 + 1; ++i) {
        more.push_back(i);
        ASSERT_TRUE(session.send(number, i));
      }
      const std::vector<int> got = run.wait().value();
      ASSERT_EQ(got.size(), 5U);
      for (std::size_t i = 0; i < sent.size(); ++i)
        EXPECT_EQ(got[i], sent[i]) << "death at commit " << death;
    }
  }
  world = &world_;
}

TEST_P(SignalTest, AreRefusedWhenTheSessionKeepsTooMany) {
  TestEngine engine(disk_, options());
  engine.start(collector);
  auto session = engine.runtime().session(collector, "s");
  for (std::size_t i = 0; i < core::limits::kKeptSignals; ++i) ASSERT_TRUE(session.send(number, 1));
  const pd::Result<void> refused = session.send(number, 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, pd::Code::busy);
  EXPECT_TRUE(contains(refused.error().message, "kKeptSignals")) << refused.error().message;
}

}  // namespace
}  // namespace perdure::test
