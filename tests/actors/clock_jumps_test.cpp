/// The wall clock is set: what counts elapsed time goes on as before, what follows the clock
/// follows it, and nothing is lost.
#include "tests/actors/engine_fixture.hpp"

#include <algorithm>
#include <optional>

namespace perdure::test {
namespace {

using std::chrono::microseconds;

constexpr auto kWait = 60s;
constexpr auto kBeforeJump = 20s;
constexpr auto kJump = 1h;

inline constexpr pd::Signal<int> never{"never"};
inline constexpr pd::Signal<int> go{"go"};

pd::Task<std::string> wait_in_the_way_of(pd::Context& ctx, std::string way) {
  if (way == "sleep") {
    co_await ctx.sleep(kWait);
  } else if (way == "sleep_until") {
    co_await ctx.sleep_until(ctx.now() + kWait);
  } else if (way == "within") {
    (void)co_await pd::as_result(ctx.within(kWait, ctx.receive(never)));
  } else if (way == "receive") {
    (void)co_await ctx.receive(never, {.within = kWait});
  } else if (way == "grace") {
    (void)co_await pd::catch_cancelled(ctx.receive(never));
    co_await ctx.receive(never);
  } else if (way == "retry") {
    co_await ctx.step("fails once",
                      [](pd::Step& step) -> pd::Result<void> {
                        world->trace.add("attempt");
                        if (step.attempt() == 1) return pd::Error{pd::Code::user, "not yet"};
                        return pd::success();
                      },
                      {.retry = {.delay = kWait, .delay_max = kWait, .jitter = 0.0}});
  } else if (way == "deadline") {
    co_await ctx.receive(never);
  }
  co_return "over";
}
inline constexpr pd::Handler wait{"wait", &wait_in_the_way_of};
inline constexpr pd::Handler wait_with_deadline{
    "deadline", &wait_in_the_way_of, {.deadline = kWait}};
inline constexpr pd::Agent waiter{"waiter", wait, wait_with_deadline};

pd::Task<int> tell(pd::Context& ctx, int number) {
  co_await ctx.step("tell", [&](pd::Step&) { world->trace.add(std::to_string(number)); });
  co_return number;
}
pd::Task<int> be_busy(pd::Context& ctx, int number) {
  co_await ctx.receive(go);
  co_return number;
}
pd::Task<int> hold_out(pd::Context& ctx, int number) {
  (void)co_await pd::catch_cancelled(ctx.receive(never));
  co_await ctx.receive(never);
  co_return number;
}
inline constexpr pd::Handler telling{"tell", &tell};
inline constexpr pd::Handler busy{"busy", &be_busy};
inline constexpr pd::Handler holding{"hold", &hold_out};
inline constexpr pd::Agent worker{"worker", telling, busy, holding};

pd::Task<int> send_later(pd::Context& ctx, int number) {
  co_await ctx.receive(go);
  co_await ctx.session(worker, "w").send(telling, number, {.delay = kWait});
  co_return number;
}
inline constexpr pd::Agent sender{"sender", &send_later};

pd::Task<int> try_twice(pd::Context& ctx) {
  co_return co_await ctx.step("fails once",
                              [](pd::Step& step) -> pd::Result<int> {
                                world->trace.add("attempt");
                                if (step.attempt() == 1)
                                  return pd::Error{pd::Code::user, "not yet"};
                                return step.attempt();
                              },
                              {.retry = {.delay = kWait, .delay_max = kWait, .jitter = 0.0}});
}
pd::Task<int> listen(pd::Context& ctx) {
  const int first = co_await ctx.receive(go);
  co_return first + co_await ctx.receive(go);
}
pd::Task<int> try_and_listen(pd::Context& ctx, int) {
  auto both = co_await ctx.all(try_twice(ctx), listen(ctx));
  co_return std::get<0>(both) * 100 + std::get<1>(both);
}
inline constexpr pd::Agent trying{"trying", &try_and_listen};

/// What the tests of jumps share.
class JumpFixture : public EngineFixture {
 protected:
  [[nodiscard]] static pd::RuntimeOptions options(pd::Frames frames) {
    return {.frames = frames, .frame_budget_bytes = 0};
  }
  /// Until what is waited for stands in the journal, and a timer for it.
  void wait_until_armed(TestEngine& engine) {
    const auto armed = [&] {
      const auto next = engine.engine().timers().next();
      return next && *next <= disk_.clock->elapsed() + kWait;
    };
    while (disk_.due().empty() || !armed()) std::this_thread::yield();
    finish(engine);
  }
  /// What sessions have to do is done, and durable.
  static void finish(TestEngine& engine) {
    for (int round = 0; round < 3; ++round) {
      engine.settle();
      engine.engine().writer().commit_here();
    }
    engine.settle();
  }
  static void advance(TestEngine& engine, microseconds by) {
    engine.advance(std::chrono::duration_cast<std::chrono::milliseconds>(by));
    finish(engine);
  }
};

enum class Jump : std::uint8_t { back, forward };
enum class When : std::uint8_t { live, across_a_restart };
struct Case {
  const char* way;
  Jump jump;
  When when;
  pd::Frames frames;
};
std::string name_of(const ::testing::TestParamInfo<Case>& info) {
  std::string name = info.param.way;
  name += info.param.jump == Jump::back ? "_back" : "_forward";
  name += info.param.when == When::live ? "_live" : "_across_a_restart";
  return name + (info.param.frames == pd::Frames::keep ? "_kept" : "_given_up");
}
std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const char* way : {"sleep", "sleep_until", "within", "receive", "deadline", "grace",
                          "delayed_message", "message_at_a_time", "retry"})
    for (const Jump jump : {Jump::back, Jump::forward})
      for (const When when : {When::live, When::across_a_restart})
        for (const pd::Frames frames : {pd::Frames::keep, pd::Frames::within_budget})
          cases.push_back({way, jump, when, frames});
  return cases;
}

class ClockJumpTest : public JumpFixture, public ::testing::WithParamInterface<Case> {
 protected:
  /// A run that ends when it has waited for `kWait` from now.
  static pd::Run<std::string> begin(TestEngine& engine) {
    const std::string way = GetParam().way;
    auto session = engine.runtime().session(waiter, "w");
    if (way == "deadline") return session.send(wait_with_deadline, way).value();
    if (way == "delayed_message") return session.send(wait, way, {.delay = kWait}).value();
    if (way == "message_at_a_time") {
      const auto now = std::chrono::sys_time<microseconds>(microseconds(1'700'000'000'000'000));
      return session.send(wait, way, {.at = now + kWait}).value();
    }
    auto run = session.send(wait, way).value();
    if (way == "grace") {
      engine.settle();
      run.cancel({.grace = kWait}).value();
    }
    return run;
  }
  /// How long it has to wait from now, when the clock has been set.
  [[nodiscard]] static microseconds left() {
    const std::string way = GetParam().way;
    const microseconds rest = kWait - kBeforeJump;
    const bool back = GetParam().jump == Jump::back;
    // A time of the clock is reached when the clock shows it; it is looked at each second.
    if (way == "sleep_until" || way == "message_at_a_time") return back ? kJump + rest : 0s;
    if (GetParam().when == When::live) return rest;
    // The wall clock is the only witness of the time between, and is believed within the delay.
    return back ? microseconds(kWait) : 0s;
  }
};
INSTANTIATE_TEST_SUITE_P(All, ClockJumpTest, ::testing::ValuesIn(all_cases()), name_of);

TEST_P(ClockJumpTest, MakesNothingEarlyAndLosesNothing) {
  std::optional<TestEngine> engine(std::in_place, disk_, options(GetParam().frames));
  engine->start(waiter);
  const pd::RunId id = begin(*engine).id();
  wait_until_armed(*engine);
  advance(*engine, kBeforeJump);
  const bool restarts = GetParam().when == When::across_a_restart;
  if (restarts) ASSERT_TRUE(engine->shutdown());
  if (restarts) engine.reset();
  disk_.clock->jump_wall(GetParam().jump == Jump::back ? -kJump : microseconds(kJump));
  if (restarts) engine.emplace(disk_, options(GetParam().frames));
  if (restarts) engine->start(waiter);
  if (left() > 0s) {
    advance(*engine, left() - 1ms);
    EXPECT_EQ(disk_.due().size(), 1U) << "early";
    advance(*engine, 1ms);
  } else {
    advance(*engine, 1s);
  }
  const auto reply = engine->runtime().run<std::string>(id).wait({.within = 10s});
  if (reply) {
    EXPECT_EQ(reply.value(), "over");
  } else {
    const std::string way = GetParam().way;
    EXPECT_TRUE((way == "deadline" && contains(reply.error().message, "deadline")) ||
                (way == "grace" && reply.error().code == pd::Code::cancelled))
        << reply.error().to_string();
  }
  finish(*engine);
  EXPECT_TRUE(disk_.due().empty());
}

class BusyJumpTest : public JumpFixture, public ::testing::WithParamInterface<pd::Frames> {};
INSTANTIATE_TEST_SUITE_P(Frames, BusyJumpTest,
                         ::testing::Values(pd::Frames::keep, pd::Frames::within_budget),
                         [](const auto& given) {
                           return given.param == pd::Frames::keep ? "kept" : "given_up";
                         });

TEST_P(BusyJumpTest, ForwardDoesNotEndTheDelayOfAMessageWhenARunEnds) {
  TestEngine engine(disk_, options(GetParam()));
  engine.start(worker);
  auto session = engine.runtime().session(worker, "w");
  auto first = session.send(busy, 1).value();
  auto delayed = session.send(telling, 2, {.delay = kWait}).value();
  wait_until_armed(engine);
  advance(engine, kBeforeJump);
  disk_.clock->jump_wall(kJump);
  ASSERT_TRUE(session.send(go, 1));
  EXPECT_EQ(first.wait().value(), 1);
  advance(engine, kWait - kBeforeJump - 1ms);
  EXPECT_EQ(disk_.due().size(), 1U) << "early";
  EXPECT_EQ(world_.trace.count("2"), 0U);
  advance(engine, 1ms);
  EXPECT_EQ(delayed.wait({.within = 10s}).value(), 2);
}

TEST_P(BusyJumpTest, BackDoesNotHoldAMessageWhoseTimeHasComeMeanwhile) {
  for (const bool by_wall_clock : {false, true}) {
    TestDisk disk;
    TestEngine engine(disk, options(GetParam()));
    engine.start(worker);
    auto session = engine.runtime().session(worker, "w");
    auto first = session.send(busy, 1).value();
    pd::MessageOptions when;
    if (by_wall_clock) {
      when.at = disk.clock->wall() + kWait;
    } else {
      when.delay = kWait;
    }
    auto delayed = session.send(telling, 2, when).value();
    auto last = session.send(telling, 3).value();
    while (disk.due().empty() || !engine.engine().timers().next()) std::this_thread::yield();
    advance(engine, kWait);
    EXPECT_TRUE(disk.due().empty()) << "it is in the queue, and waits for no clock";
    // It has left memory, where what it knew of the clock would be.
    while (GetParam() == pd::Frames::within_budget && engine.engine().sessions_in_memory() != 0)
      std::this_thread::yield();
    EXPECT_EQ(disk.view().damage(), "");
    disk.clock->jump_wall(-kJump);
    ASSERT_TRUE(session.send(go, 1));
    EXPECT_EQ(first.wait().value(), 1);
    EXPECT_EQ(delayed.wait({.within = 10s}).value(), 2);
    EXPECT_EQ(last.wait().value(), 3);
  }
  EXPECT_EQ(world_.trace.all(), (Lines{"2", "3", "2", "3"})) << "it stands where it was accepted";
}

TEST_P(BusyJumpTest, AQueuedMessageWhoseTimeHasComeOutlivesTheProcess) {
  for (const LastCommit last : {LastCommit::lost, LastCommit::kept}) {
    TestDisk disk;
    pd::RunId id;
    {
      TestEngine engine(disk, options(GetParam()));
      engine.start(worker);
      auto session = engine.runtime().session(worker, "w");
      ASSERT_TRUE(session.send(busy, 1));
      id = session.send(telling, 2, {.delay = kWait}).value().id();
      while (disk.due().empty() || !engine.engine().timers().next()) std::this_thread::yield();
      engine.die_at_commit(1, last);
      engine.advance(kWait);
      finish(engine);
    }
    disk.clock->jump_wall(-kJump);
    TestEngine engine(disk, options(GetParam()));
    engine.start(worker);
    ASSERT_TRUE(engine.runtime().session(worker, "w").send(go, 1));
    // Nobody knows that its time had come; what is left stays within the delay.
    if (last == LastCommit::lost) advance(engine, kWait);
    EXPECT_EQ(engine.runtime().run<int>(id).wait({.within = 10s}).value(), 2);
  }
}

TEST_P(BusyJumpTest, BackMakesNoGracePeriodLonger) {
  TestEngine engine(disk_, options(GetParam()));
  engine.start(worker);
  auto run = engine.runtime().session(worker, "w").send(holding, 1).value();
  finish(engine);
  disk_.clock->jump_wall(-kJump);
  ASSERT_TRUE(run.cancel({.grace = kWait}));
  advance(engine, kWait - 1ms);
  EXPECT_FALSE(run.result().has_value());
  advance(engine, 1ms);
  EXPECT_EQ(run.wait({.within = 10s}).error().code, pd::Code::cancelled);
}

TEST_P(BusyJumpTest, BackMakesNoDelayOfAHandlerLonger) {
  TestEngine engine(disk_, options(GetParam()));
  engine.start(worker, sender);
  auto sending = engine.runtime().session(sender, "s").start(2).value();
  finish(engine);
  disk_.clock->jump_wall(-kJump);
  ASSERT_TRUE(engine.runtime().session(sender, "s").send(go, 1));
  EXPECT_EQ(sending.wait().value(), 2);
  wait_until_armed(engine);
  advance(engine, kWait - 1ms);
  EXPECT_EQ(world_.trace.count("2"), 0U);
  EXPECT_EQ(disk_.due().size(), 1U) << "early";
  advance(engine, 1ms);
  EXPECT_TRUE(disk_.due().empty());
  world_.trace.wait_for("2");
}

TEST_P(BusyJumpTest, ForwardBeginsNoAttemptEarlyWhenSomethingElseWakesTheRun) {
  TestEngine engine(disk_, options(GetParam()));
  engine.start(trying);
  auto session = engine.runtime().session(trying, "t");
  auto run = session.start(0).value();
  wait_until_armed(engine);
  advance(engine, kBeforeJump);
  disk_.clock->jump_wall(kJump);
  ASSERT_TRUE(session.send(go, 1));
  advance(engine, kWait - kBeforeJump - 1ms);
  EXPECT_EQ(disk_.due().size(), 1U) << "early";
  EXPECT_EQ(world_.trace.count("attempt"), 1U);
  advance(engine, 1ms);
  world_.trace.wait_for("attempt", 2);
  ASSERT_TRUE(session.send(go, 2));
  EXPECT_EQ(run.wait({.within = 10s}).value(), 203);
}

}  // namespace
}  // namespace perdure::test
