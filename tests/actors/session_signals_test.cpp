/// Signals from outside: what of them is acknowledged, and what recovery reads for them.
/// tests/sessions/signals_test.cpp has the rest.
#include "tests/actors/engine_fixture.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <tuple>
#include <utility>

namespace perdure::test {
namespace {

struct Decision {
  bool approved = false;
  std::string by;
};
PERDURE_DESCRIBE(Decision, approved, by);

inline constexpr pd::Signal<Decision> approval{"approval"};
inline constexpr pd::Signal<int> number{"number"};

pd::Task<std::string> decide_in_time(pd::Context& ctx, int hours) {
  const std::optional<Decision> decision =
      co_await ctx.receive(approval, {.within = std::chrono::hours(hours)});
  co_return decision ? decision->by : "nobody";
}
inline constexpr pd::Agent hasty{"hasty", &decide_in_time};

/// Waits for a signal in each of the ways in which time may be over for it.
pd::Task<std::string> decide(pd::Context& ctx, std::string how) {
  std::optional<Decision> decision;
  if (how == "receive") decision = co_await ctx.receive(approval, {.within = 1h});
  if (how == "within") {
    const pd::Result<Decision> made = co_await pd::as_result(ctx.within(1h, ctx.receive(approval)));
    if (made) decision = made.value();
  }
  if (how == "no time") {
    co_await ctx.step("work", [](pd::Step&) { world->in_body(); });
    decision = co_await ctx.receive(approval, {.within = 0s});
  }
  co_return decision ? decision->by : "nobody";
}
inline constexpr pd::Agent decider{"decider", &decide};

/// The test looks on when the handler has gone on from the end of the time.
pd::Task<std::string> decide_alone(pd::Context& ctx, int hours) {
  const auto decision = co_await ctx.receive(approval, {.within = std::chrono::hours(hours)});
  if (world->in_body) world->in_body();
  co_return decision ? decision->by : "nobody";
}
inline constexpr pd::Agent loner{"loner", &decide_alone};

pd::Task<std::vector<int>> collect(pd::Context& ctx, int count) {
  std::vector<int> all;
  for (int i = 0; i < count; ++i) {
    all.push_back(co_await ctx.receive(number));
    co_await ctx.step("note", [&](pd::Step&) { world->trace.add(std::to_string(all.back())); });
  }
  co_return all;
}
inline constexpr pd::Agent collector{"collector", &collect};

/// Sends its signal when its body has returned: on the thread of the body.
pd::Task<int> approve_when_told(pd::Context& ctx, std::string to) {
  co_await ctx.step("wait", [](pd::Step&) { world->door("approve").pass(); });
  const Decision yes{.approved = true, .by = "ann"};
  if (to == "hasty") co_await ctx.session(hasty, "s").send(approval, yes);
  if (to == "decider") co_await ctx.session(decider, "s").send(approval, yes);
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

/// Stands still, and has something happen when a session next asks it: a session that has seen that
/// a time is over asks before it records that.
class InterruptingClock final : public core::Clock {
 public:
  explicit InterruptingClock(std::shared_ptr<core::ManualClock> clock) : clock_(std::move(clock)) {}
  /// Not for the thread `except`.
  void interrupt(std::function<void()> what, std::thread::id except = {}) {
    const std::lock_guard lock(mutex_);
    what_ = std::move(what);
    except_ = except;
  }
  core::WallTime wall() override {
    std::function<void()> now;
    {
      const std::lock_guard lock(mutex_);
      if (std::this_thread::get_id() != except_) now = std::exchange(what_, nullptr);
    }
    if (now) now();
    return clock_->wall();
  }
  core::Elapsed elapsed() override { return clock_->elapsed(); }

 private:
  std::shared_ptr<core::ManualClock> clock_;
  std::mutex mutex_;
  std::function<void()> what_;
  std::thread::id except_;
};

class OutsideSignalTest : public EngineFixture, public ::testing::WithParamInterface<pd::Frames> {
 protected:
  [[nodiscard]] pd::RuntimeOptions options() const {
    pd::RuntimeOptions options;
    options.frames = GetParam();
    options.frame_budget_bytes = 0;
    return options;
  }
};
INSTANTIATE_TEST_SUITE_P(Frames, OutsideSignalTest,
                         ::testing::Values(pd::Frames::keep, pd::Frames::within_budget),
                         [](const auto& given) {
                           return given.param == pd::Frames::keep ? "kept" : "given_up";
                         });

TEST_P(OutsideSignalTest, ReachesARunThatWaitsSinceAnEarlierProcess) {
  pd::RunId id;
  {
    TestEngine engine(disk_, options());
    engine.start(collector);
    id = engine.runtime().session(collector, "s").start(1).value().id();
    ASSERT_TRUE(engine.shutdown());
  }
  EXPECT_EQ(disk_.head(id).status, journal::RunStatus::waiting);
  EXPECT_FALSE(disk_.is_ready(id)) << "recovery need not load it";
  TestEngine engine(disk_, options());
  engine.start(collector);
  EXPECT_EQ(engine.engine().sessions_in_memory(), 0U);
  ASSERT_TRUE(engine.runtime().session(collector, "s").send(number, 7));
  EXPECT_EQ(engine.runtime().run<std::vector<int>>(id).wait().value(), std::vector{7});
}

TEST_P(OutsideSignalTest, ThatWasRecordedBeforeTheDeadlineWinsThoughTheTimeHadPassed) {
  TestEngine engine(disk_, options());
  engine.start(hasty, approver, holder);
  auto run = engine.runtime().session(hasty, "s").start(1).value();
  auto approving = engine.runtime().session(approver, "a").start("hasty").value();
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

TEST_P(OutsideSignalTest, ThatWasRecordedWhileTheEndOfTheTimeWasAboutToBeWins) {
  for (const std::string how : {"receive", "within", "no time"}) {
    TestDisk disk;
    World fresh;
    world = &fresh;
    const auto clock = std::make_shared<InterruptingClock>(disk.clock);
    disk.clock_of_engines = clock;
    {
      TestEngine engine(disk, options());
      engine.start(decider, approver);
      auto approving = engine.runtime().session(approver, "a").start("decider").value();
      const auto approve = [&] {
        fresh.door("approve").open();
        EXPECT_EQ(approving.wait().value(), 0);
      };
      // On the body's thread, on which the session goes on.
      fresh.in_body = [&] { clock->interrupt(approve); };
      auto run = engine.runtime().session(decider, "s").start(how).value();
      if (how != "no time") {
        while (disk.due().empty() || !engine.engine().timers().next()) std::this_thread::yield();
        engine.settle();
        clock->interrupt(approve, std::this_thread::get_id());
        engine.advance(1h);
      }
      EXPECT_EQ(run.wait().value(), "ann") << how;
      EXPECT_TRUE(disk.due().empty()) << how;
    }
  }
  world = &world_;
}

TEST_P(OutsideSignalTest, WhoseTimeIsOverAreNotWaitedForAgainWhenTheHandlerDidNotGoOn) {
  pd::RunId id;
  {
    TestEngine engine(disk_, options());
    engine.start(loner);
    id = engine.runtime().session(loner, "s").start(1).value().id();
    while (disk_.due().empty() || !engine.engine().timers().next()) std::this_thread::yield();
    engine.settle();
    world_.in_body = [&] {
      // The end of the time is in the journal, and nothing that follows from it.
      const std::uint64_t before = engine.commits();
      engine.engine().wake_writer();
      while (engine.commits() == before) std::this_thread::yield();
      engine.die_at_commit(0);
      world_.trace.add("died");
    };
    engine.advance(1h);
    world_.trace.wait_for("died");
  }
  world_.in_body = nullptr;
  EXPECT_TRUE(disk_.due().empty());
  EXPECT_TRUE(disk_.is_ready(id));
  EXPECT_EQ(disk_.head(id).ahead, 1U) << "the handler has not gone on from it";
  TestEngine engine(disk_, options());
  engine.start(loner);
  EXPECT_EQ(engine.runtime().run<std::string>(id).wait().value(), "nobody");
  EXPECT_EQ(disk_.records(id).size(), 3U);
}

TEST_P(OutsideSignalTest, AreNeverLostNorReceivedTwiceWhereverTheProcessDies) {
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

}  // namespace
}  // namespace perdure::test
