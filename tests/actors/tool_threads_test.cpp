// Tools on threads: attempts that are given up while they run, completions from everywhere, ends of
// the runtime that nobody has to wait for.
#include "tests/actors/engine_fixture.hpp"

#include "journal/verify.hpp"
#include "tests/support/sanitized.hpp"

namespace perdure::test {
namespace {

std::mutex completions_mutex;
std::vector<pd::Completion<int>>* completions = nullptr;

pd::Result<int> stubborn_function(pd::Step& step, int) {
  const std::string number = std::to_string(step.attempt());
  world->trace.add("began " + number);
  world->door(number).pass();  // Whatever its stop token says.
  world->trace.add("returns " + number);
  return step.attempt() * 100;
}
void later_function(pd::Step step, int, pd::Completion<int> completion) {
  const std::lock_guard lock(completions_mutex);
  completions->push_back(std::move(completion));
  world->trace.add("later " + std::to_string(step.attempt()));
}
pd::Result<int> beating_function(pd::Step& step, int) {
  const int from = step.last_heartbeat<int>().value_or(0);
  world->trace.add("from " + std::to_string(from));
  if (from == 0) {
    EXPECT_TRUE(step.heartbeat(6).has_value());
    world->trace.add("told");
    world->door("beat").pass();
  }
  return from;
}
inline constexpr pd::Tool stubborn{
    "stubborn", &stubborn_function, {.retry = {.attempts_max = 3, .jitter = 0}, .timeout = 10s}};
inline constexpr pd::Tool later{"later", &later_function, {.effect = pd::Effect::keyed}};
inline constexpr pd::Tool beating{"beating", &beating_function};

pd::Task<int> stubborn_handler(pd::Context& ctx, int) { co_return co_await ctx.call(stubborn, 0); }
inline constexpr pd::Agent calls_stubborn{"stubborn", &stubborn_handler};
pd::Task<int> later_handler(pd::Context& ctx, int) { co_return co_await ctx.call(later, 0); }
inline constexpr pd::Agent calls_later{"later", &later_handler};
pd::Task<int> beating_handler(pd::Context& ctx, int) { co_return co_await ctx.call(beating, 0); }
inline constexpr pd::Agent calls_beating{"beating", &beating_handler};

class ToolThreadsTest : public EngineFixture {
 protected:
  ToolThreadsTest() { completions = &completions_; }
  ~ToolThreadsTest() override { completions = nullptr; }
  std::vector<pd::Completion<int>> completions_;
};

TEST_F(ToolThreadsTest, AnAttemptThatIgnoresItsStopIsGivenUpAndAnotherRunsBesideIt) {
  TestEngine engine(disk_);
  engine.start(calls_stubborn, stubborn);
  const auto run = engine.runtime().session(calls_stubborn, "s").start(0).value();
  world_.trace.wait_for("began 1");
  engine.advance(10s);
  engine.wait_for_log("step_retry");
  // It is armed when what it stands for is durable.
  while (!engine.engine().timers().next()) std::this_thread::yield();
  engine.advance(100ms);
  world_.trace.wait_for("began 2");
  world_.door("2").open();
  EXPECT_EQ(run.wait().value(), 200);
  world_.door("1").open();
  engine.wait_for_log("late_completion");
  EXPECT_TRUE(engine.shutdown().has_value());
  EXPECT_EQ(disk_.records(run.id()),
            (Lines{"run_created", "step_result 1 'stubborn' ok", "run_ended ok"}));
}

TEST_F(ToolThreadsTest, TheRuntimesEndDoesNotWaitForAToolBeyondItsBound) {
  pd::RunId id;
  {
    TestEngine engine(disk_, {.shutdown_within = 1ms});
    engine.start(calls_stubborn, stubborn);
    const auto run = engine.runtime().session(calls_stubborn, "s").start(0).value();
    id = run.id();
    world_.trace.wait_for("began 1");
    EXPECT_TRUE(engine.shutdown().has_value());
    // It owns what it uses: its session is gone, and only the thread is left behind.
    EXPECT_EQ(engine.engine().sessions_in_memory(), 0U);
    engine.wait_for_event(pd::EventKind::body_abandoned);
  }
  world_.door("1").open();
  world_.trace.wait_for("returns 1");
  world_.door("2").open();
  TestEngine engine(disk_);
  engine.start(calls_stubborn, stubborn);
  EXPECT_EQ(engine.runtime().run<int>(id).wait().value(), 100);
  EXPECT_EQ(world_.trace.count("returns 1"), 2U);
}

TEST_F(ToolThreadsTest, CompletionsComeFromManyThreadsAndEachCountsOnce) {
  constexpr int kRuns = kSanitized ? 60 : 400;
  constexpr int kThreads = 4;
  TestEngine engine(disk_, {.step_threads = 2});
  engine.start(calls_later, later);
  std::vector<pd::Run<int>> runs;
  for (int i = 0; i < kRuns; ++i)
    runs.push_back(engine.runtime().session(calls_later, std::to_string(i)).start(0).value());
  world_.trace.wait_for("later 1", kRuns);
  std::atomic<int> accepted = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t)
      threads.emplace_back([&] {
        for (const pd::Completion<int>& each : completions_)
          if (each(7).has_value()) ++accepted;
      });
  }
  EXPECT_EQ(accepted, kRuns);
  for (const auto& run : runs) EXPECT_EQ(run.wait().value(), 7);
  EXPECT_TRUE(engine.shutdown().has_value());
  for (const pd::Completion<int>& each : completions_)
    EXPECT_EQ(each(8).error().code, pd::Code::closed);
  EXPECT_TRUE(journal::verify(*disk_.store).value().findings.empty());
}

TEST_F(ToolThreadsTest, CompletionsRaceWithTheRuntimesEnd) {
  constexpr int kRuns = 40;
  std::vector<pd::RunId> ids;
  {
    TestEngine engine(disk_, {.shutdown_within = 1ms});
    engine.start(calls_later, later);
    for (int i = 0; i < kRuns; ++i)
      ids.push_back(engine.runtime().session(calls_later, std::to_string(i)).start(0).value().id());
    world_.trace.wait_for("later 1", kRuns);
    std::jthread completer([&] {
      for (const pd::Completion<int>& each : completions_) (void)each(7);
    });
    EXPECT_TRUE(engine.shutdown().has_value());
  }
  const std::vector<pd::Completion<int>> first = std::exchange(completions_, {});
  TestEngine engine(disk_);
  engine.start(calls_later, later);
  std::size_t left = 0;
  for (const pd::RunId& id : ids) left += engine.engine().has_ended(id) ? 0 : 1;
  // Those whose result was recorded, and whose end was not, end without another attempt.
  std::jthread completer([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const std::lock_guard lock(completions_mutex);
      for (const pd::Completion<int>& each : completions_) (void)each(7);
      std::this_thread::yield();
    }
  });
  for (const pd::RunId& id : ids) EXPECT_EQ(engine.runtime().run<int>(id).wait().value(), 7);
  completer.request_stop();
  completer.join();
  EXPECT_LE(completions_.size(), left);
  EXPECT_TRUE(engine.shutdown().has_value());
}

TEST_F(ToolThreadsTest, ProgressIsOnTheDiskWhileTheAttemptRuns) {
  pd::RunId id;
  {
    TestEngine engine(disk_);
    engine.start(calls_beating, beating);
    id = engine.runtime().session(calls_beating, "s").start(0).value().id();
    world_.trace.wait_for("told");
    while (disk_.attempts(id).empty()) std::this_thread::yield();
    engine.die_at_commit(0);
    world_.door("beat").open();
  }
  TestEngine engine(disk_);
  engine.start(calls_beating, beating);
  EXPECT_EQ(engine.runtime().run<int>(id).wait().value(), 6);
  EXPECT_EQ(world_.trace.count("from 6"), 1U);
}

}  // namespace
}  // namespace perdure::test
