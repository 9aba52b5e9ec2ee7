// Code that does not match its journal, throws, or is not served: the run waits for better code.
#include "tests/actors/engine_fixture.hpp"

namespace perdure::test {
namespace {

using journal::RunStatus;

/// The code as it first was: two steps, then one that keeps the process until it dies.
pd::Task<std::string> original(pd::Context& ctx, int) {
  const int a = co_await ctx.step("read", [](pd::Step&) { return 1; });
  const auto b = co_await ctx.step("translate", [](pd::Step&) { return std::string("two"); });
  const auto both = co_await ctx.all(ctx.step("left", [](pd::Step&) { return 3; }),
                                     ctx.step("right", [](pd::Step&) { return 4; }));
  co_await ctx.step("hold", [](pd::Step&) {
    world->trace.add("hold");
    world->door("hold").pass();
  });
  co_return std::to_string(a) + b + std::to_string(std::get<0>(both) + std::get<1>(both));
}
inline constexpr pd::Agent original_agent{"changing", &original};

auto one() {
  return [](pd::Step&) { return 1; };
}
auto text() {
  return [](pd::Step&) { return std::string("two"); };
}

pd::Task<std::string> renamed(pd::Context& ctx, int) {
  co_await ctx.step("read", one());
  co_return co_await ctx.step("translate it", text());
}
pd::Task<std::string> reordered(pd::Context& ctx, int) {
  const auto b = co_await ctx.step("translate", text());
  co_await ctx.step("read", one());
  co_return b;
}
pd::Task<std::string> removed(pd::Context& ctx, int) {
  co_return co_await ctx.step("translate", text());
}
pd::Task<std::string> added(pd::Context& ctx, int) {
  co_await ctx.step("check", one());
  co_await ctx.step("read", one());
  co_return co_await ctx.step("translate", text());
}
pd::Task<std::string> retyped(pd::Context& ctx, int) {
  co_await ctx.step("read", text());
  co_return co_await ctx.step("translate", text());
}
pd::Task<std::string> ends_early(pd::Context& ctx, int) {
  co_await ctx.step("read", one());
  co_return "early";
}
pd::Task<std::string> unbranched(pd::Context& ctx, int) {
  co_await ctx.step("read", one());
  co_await ctx.step("translate", text());
  co_await ctx.step("left", one());
  co_return "no branches";
}
pd::Task<std::string> other_input(pd::Context&, std::string) { co_return "never"; }

class DivergenceTest : public EngineFixture {
 protected:
  void SetUp() override {
    TestEngine engine(disk_);
    engine.start(original_agent);
    id_ = engine.runtime().session(original_agent, "s").start(0).value().id();
    world_.trace.wait_for("hold");
    engine.die_at_commit(0);
    world_.door("hold").open();
  }
  /// The words with which the code parks the run. The journal keeps its records.
  std::string diverges(pd::Task<std::string> (*code)(pd::Context&, int)) {
    return parks(pd::Agent("changing", code), pd::EventKind::run_diverged, pd::Code::diverged);
  }
  template <class A>
  std::string parks(const A& agent, pd::EventKind kind, pd::Code code) {
    const Lines before = disk_.records(id_);
    // A park that is found again has nothing to add to the journal.
    bool known = disk_.head(id_).code == code && code == pd::Code::not_registered;
    std::string text;
    for (int life = 0; life < 2; ++life) {
      TestEngine engine(disk_);
      engine.start(agent);
      engine.wait_for_event(kind);
      engine.settle();
      EXPECT_TRUE(engine.shutdown().has_value());
      const auto events = engine.events();
      EXPECT_EQ(events.size(), 1U);
      EXPECT_EQ(events[0].run, id_);
      EXPECT_EQ(events[0].error.code, code);
      // The second process finds the same and has nothing to add.
      // The last commit is the mark of a clean end.
      EXPECT_EQ(engine.commits(), known ? 1U : 2U);
      known = true;
      text = events[0].error.message;
    }
    EXPECT_EQ(disk_.records(id_), before)
        << "a journal is never changed by code that does not match it";
    const journal::Head head = disk_.head(id_);
    EXPECT_EQ(head.status, RunStatus::parked);
    EXPECT_EQ(head.code, code);
    EXPECT_EQ(head.reason, text);
    EXPECT_TRUE(disk_.is_ready(id_));
    return text;
  }
  pd::RunId id_;
};

TEST_F(DivergenceTest, ARenamedStepIsShownWithBothNamesAndItsLine) {
  const std::string text = diverges(&renamed);
  EXPECT_TRUE(contains(text, "the code attempts another step")) << text;
  EXPECT_TRUE(contains(text, "recorded:  step 2, step 'translate', payload ")) << text;
  EXPECT_TRUE(contains(text, "attempted: step 2, step 'translate it', payload ")) << text;
  EXPECT_TRUE(contains(text, "parking_test.cpp:")) << text;
  EXPECT_TRUE(contains(text, "(record 2 of the run)")) << text;
}

TEST_F(DivergenceTest, ReorderedRemovedAndAddedStepsDiverge) {
  EXPECT_TRUE(contains(diverges(&reordered), "recorded:  step 1, step 'read'"));
  EXPECT_TRUE(contains(diverges(&removed), "attempted: step 1, step 'translate'"));
  EXPECT_TRUE(contains(diverges(&added), "attempted: step 1, step 'check'"));
}

TEST_F(DivergenceTest, AChangedPayloadTypeIsShownWithTheDecodersWords) {
  const std::string text = diverges(&retyped);
  EXPECT_TRUE(contains(text, "does not decode as the type that the code expects")) << text;
  EXPECT_TRUE(contains(text, "\n  decoder:   ")) << text;
  EXPECT_TRUE(contains(text, "a field was renamed or its type changed")) << text;
}

TEST_F(DivergenceTest, AHandlerThatEndsBeforeItsRecordsDoDiverges) {
  const std::string text = diverges(&ends_early);
  EXPECT_TRUE(contains(text, "the handler ended, but the journal holds further results")) << text;
  EXPECT_TRUE(contains(text, "recorded:  step 2, step 'translate'")) << text;
  EXPECT_TRUE(contains(text, "attempted: the end of the handler")) << text;
}

TEST_F(DivergenceTest, AStepInsteadOfBranchesDiverges) {
  const std::string text = diverges(&unbranched);
  EXPECT_TRUE(contains(text, "that the code does not reach here")) << text;
  EXPECT_TRUE(contains(text, "attempted: step 3, step 'left'")) << text;
}

TEST_F(DivergenceTest, AChangedMessageTypeDiverges) {
  const std::string text =
      parks(pd::Agent("changing", &other_input), pd::EventKind::run_diverged, pd::Code::diverged);
  EXPECT_TRUE(contains(text, "the recorded message does not decode")) << text;
}

TEST_F(DivergenceTest, RepairedCodeGoesOnFromWhereTheJournalEnds) {
  (void)diverges(&renamed);
  (void)diverges(&removed);
  world_.trace.clear();
  TestEngine engine(disk_);
  engine.start(original_agent);
  EXPECT_EQ(engine.runtime().run<std::string>(id_).wait().value(), "1two7");
  EXPECT_EQ(world_.trace.all(), Lines{"hold"});
  EXPECT_TRUE(engine.events().empty());
}

TEST_F(DivergenceTest, WhoWaitsForAParkedRunIsToldWhy) {
  TestEngine engine(disk_);
  engine.start(pd::Agent("changing", &renamed));
  engine.wait_for_event(pd::EventKind::run_diverged);
  while (disk_.head(id_).status != RunStatus::parked) std::this_thread::yield();
  const auto waited = engine.runtime().run<std::string>(id_).wait({.within = 1ms});
  EXPECT_EQ(waited.error().code, pd::Code::timeout);
  EXPECT_TRUE(contains(waited.error().message, "it is parked (diverged): "))
      << waited.error().message;
}

TEST_F(DivergenceTest, AnAgentOrVersionThatIsNotServedIsWaitedFor) {
  const std::string text =
      parks(pd::Agent("another", &renamed), pd::EventKind::run_parked, pd::Code::not_registered);
  EXPECT_TRUE(
      contains(text, "the runtime does not serve agent 'changing' version 1 with handler 'run'"))
      << text;
  (void)parks(pd::Agent("changing", &renamed, {.version = 2}), pd::EventKind::run_parked,
              pd::Code::not_registered);
  TestEngine engine(disk_);
  engine.start(original_agent);
  EXPECT_EQ(engine.runtime().run<std::string>(id_).wait().value(), "1two7");
}

TEST_F(DivergenceTest, ARunStaysOnTheVersionThatItStartedWith) {
  constexpr pd::Agent newer{"changing", &renamed, {.version = 2}};
  TestEngine engine(disk_);
  engine.start(newer, original_agent);
  EXPECT_EQ(engine.runtime().run<std::string>(id_).wait().value(), "1two7");
  // The newer agent attaches to the older's run, and starts its own sessions itself.
  EXPECT_EQ(engine.runtime().session(newer, "s").start(0).value().id(), id_);
  EXPECT_EQ(engine.runtime().session(newer, "other").start(0).value().wait().value(), "two");
}

pd::Task<int> throws(pd::Context& ctx, int) {
  const Local local("handler");
  const int a = co_await ctx.step("before", [](pd::Step&) {
    world->trace.add("before ran");
    return 1;
  });
  if (world->mode == 0) throw std::runtime_error("division by a bug");
  if (world->mode == 1) throw 7;
  co_return a + co_await ctx.step("after", [](pd::Step&) { return 1; });
}
inline constexpr pd::Agent throwing{"throwing", &throws};

class HandlerThrewTest : public EngineFixture {};

TEST_F(HandlerThrewTest, TheRunParksRecordsNothingAndGoesOnWithRepairedCode) {
  pd::RunId id;
  {
    TestEngine engine(disk_);
    engine.start(throwing);
    id = engine.runtime().session(throwing, "s").start(0).value().id();
    engine.wait_for_event(pd::EventKind::run_parked);
    const auto event = engine.events().at(0);
    EXPECT_EQ(event.error.code, pd::Code::handler_threw);
    EXPECT_TRUE(contains(event.error.message, "division by a bug")) << event.error.message;
    ASSERT_TRUE(engine.shutdown().has_value());
  }
  const Lines records{"run_created", "step_result 1 'before' ok"};
  EXPECT_EQ(disk_.records(id), records);
  EXPECT_EQ(disk_.head(id).code, pd::Code::handler_threw);
  {
    TestEngine engine(disk_);
    engine.start(throwing);
    engine.wait_for_event(pd::EventKind::run_parked);
    engine.settle();
    EXPECT_EQ(engine.commits(), 0U) << "it is known already";
    ASSERT_TRUE(engine.shutdown().has_value());
  }
  world_.mode = 1;
  {
    TestEngine engine(disk_);
    engine.start(throwing);
    engine.wait_for_event(pd::EventKind::run_parked);
    ASSERT_TRUE(engine.shutdown().has_value());
    EXPECT_TRUE(contains(disk_.head(id).reason, "no std::exception")) << disk_.head(id).reason;
  }
  EXPECT_EQ(disk_.records(id), records);
  world_.mode = 2;
  TestEngine engine(disk_);
  engine.start(throwing);
  EXPECT_EQ(engine.runtime().run<int>(id).wait().value(), 2);
  EXPECT_EQ(world_.trace.count("before ran"), 1U);
}

pd::Task<int> throws_in_branch(pd::Context& ctx) {
  co_await ctx.step("first", [](pd::Step&) { world->door("first").pass(); });
  if (world->mode == 0) throw std::runtime_error("in a branch");
  co_return 1;
}
pd::Task<int> throws_beside(pd::Context& ctx, int) {
  std::string borrowed(1000, 'b');
  const auto both = co_await ctx.all(throws_in_branch(ctx), ctx.step("beside", [&](pd::Step&) {
    world->trace.add("beside");
    world->door("beside").pass();
    return static_cast<int>(borrowed.size());
  }));
  co_return std::get<0>(both) + std::get<1>(both);
}
inline constexpr pd::Agent throwing_beside{"beside", &throws_beside};

TEST_F(HandlerThrewTest, BodiesThatRunBesideKeepTheirFrameAndTheirResult) {
  pd::RunId id;
  {
    TestEngine engine(disk_);
    engine.start(throwing_beside);
    id = engine.runtime().session(throwing_beside, "s").start(0).value().id();
    world_.trace.wait_for("beside");
    world_.door("first").open();
    engine.wait_for_event(pd::EventKind::run_parked);
    // Whether the park is durable by now decides who answers.
    const std::string why = engine.runtime().explain(id).value();
    EXPECT_TRUE(why.starts_with("it is parked (handler_threw)")) << why;
    world_.door("beside").open();
    while (disk_.records(id).size() < 3) std::this_thread::yield();
  }
  world_.mode = 1;
  TestEngine engine(disk_);
  engine.start(throwing_beside);
  EXPECT_EQ(engine.runtime().run<int>(id).wait().value(), 1001);
  EXPECT_EQ(world_.trace.count("beside"), 1U)
      << "its result was recorded although the run had parked";
}

TEST_F(HandlerThrewTest, ThousandsOfParkedAndEndedSessionsCostNoMemory) {
  world_.mode = 0;
  TestEngine engine(disk_);
  engine.start(throwing);
  constexpr std::size_t kParked = 500;
  constexpr std::size_t kEnded = 1500;
  std::vector<pd::Run<int>> runs;
  for (std::size_t i = 0; i < kParked; ++i)
    (void)engine.runtime().session(throwing, "p" + std::to_string(i)).start(0).value();
  engine.wait_for_event(pd::EventKind::run_parked, kParked);
  world_.mode = 2;
  for (std::size_t i = 0; i < kEnded; ++i)
    runs.push_back(engine.runtime().session(throwing, "e" + std::to_string(i)).start(0).value());
  for (auto& run : runs) EXPECT_EQ(run.wait().value(), 2);
  while (engine.engine().sessions_in_memory() != 0) std::this_thread::yield();
}

}  // namespace
}  // namespace perdure::test
