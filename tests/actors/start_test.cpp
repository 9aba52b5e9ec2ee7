// Starting sessions: misuse, limits, attaching, and the gate in front of what start and wait tell.
#include "core/limits.hpp"
#include "tests/actors/engine_fixture.hpp"
#include "tests/support/huge.hpp"

namespace perdure::test {
namespace {

pd::Task<std::string> greet(pd::Context& ctx, std::string name) {
  co_return co_await ctx.step("greet", [&](pd::Step&) {
    world->trace.add("greet");
    return "hello " + name;
  });
}
inline constexpr pd::Agent greeting{"greeting", &greet};
pd::Task<int> instant(pd::Context&, int value) { co_return value + 1; }
inline constexpr pd::Agent instant_agent{"instant", &instant};

class StartTest : public EngineFixture {
 protected:
  static void expect_error(const auto& result, pd::Code code, std::string_view words) {
    ASSERT_TRUE(result.has_error());
    EXPECT_EQ(result.error().code, code) << result.error().message;
    EXPECT_TRUE(contains(result.error().message, words)) << result.error().message;
  }
};

TEST_F(StartTest, BeforeStartAndAfterShutdownItIsRefusedInWords) {
  TestEngine engine(disk_);
  engine.serve(greeting);
  auto session = engine.runtime().session(greeting, "s");
  expect_error(session.start("x"), pd::Code::misuse, "call start() after serve()");
  ASSERT_TRUE(engine.runtime().start().has_value());
  expect_error(engine.runtime().start(), pd::Code::misuse, "start() was called before");
  auto run = session.start("x").value();
  EXPECT_EQ(run.wait().value(), "hello x");
  ASSERT_TRUE(engine.shutdown().has_value());
  ASSERT_TRUE(engine.shutdown().has_value()) << "once more does nothing";
  expect_error(session.start("x"), pd::Code::closed, "was shut down");
  expect_error(run.wait(), pd::Code::closed, "was shut down");
}

TEST_F(StartTest, BadKeysAreRefused) {
  TestEngine engine(disk_);
  engine.start(greeting);
  auto start = [&](std::string key) {
    return engine.runtime().session(greeting, std::move(key)).start("x");
  };
  expect_error(start(""), pd::Code::misuse, "the session's key is empty");
  expect_error(start("a\x01"), pd::Code::misuse, "control character");
  expect_error(start("a\x7F"), pd::Code::misuse, "control character");
  expect_error(start(std::string(core::limits::kKeyBytes + 1, 'k')), pd::Code::too_large,
               "1025 bytes");
  EXPECT_EQ(start(std::string(core::limits::kKeyBytes, 'k')).value().wait().value(), "hello x");
  EXPECT_EQ(start("späte/ключ").value().wait().value(), "hello x");
}

pd::Task<int> take_huge(pd::Context&, Huge) { co_return 0; }
inline constexpr pd::Agent huge_taker{"taker", &take_huge};

TEST_F(StartTest, AMessageOverTheLimitIsRefused) {
  TestEngine engine(disk_);
  engine.start(huge_taker);
  const auto refused = engine.runtime().session(huge_taker, "s").start(Huge{});
  expect_error(refused, pd::Code::too_large, "1 GiB");
  EXPECT_EQ(engine.engine().sessions_in_memory(), 0U);
}

pd::Task<Huge> oversized(pd::Context& ctx, int where) {
  if (where == 0) co_return Huge{};
  co_return co_await ctx.step("big",
                              [&](pd::Step&) {
                                world->trace.add("big");
                                return Huge{};
                              },
                              {.retry = {.attempts_max = 5}});
}
inline constexpr pd::Agent oversized_agent{"oversized", &oversized};

TEST_F(StartTest, AResultOrAReplyOverTheLimitIsAFailure) {
  TestEngine engine(disk_);
  engine.start(oversized_agent);
  expect_error(engine.runtime().session(oversized_agent, "0").start(0).value().wait(),
               pd::Code::too_large, "1 GiB");
  expect_error(engine.runtime().session(oversized_agent, "1").start(1).value().wait(),
               pd::Code::too_large, "1 GiB");
  EXPECT_EQ(world_.trace.count("big"), 1U) << "it would be as large the next time";
}

TEST_F(StartTest, AnAgentThatIsNotServedIsNamed) {
  TestEngine engine(disk_);
  engine.start(greeting);
  expect_error(engine.runtime().session(instant_agent, "s").start(1), pd::Code::not_registered,
               "agent 'instant' version 1 with handler 'run': call serve()");
  constexpr pd::Agent newer{"greeting", &greet, {.version = 2}};
  expect_error(engine.runtime().session(newer, "s").start("x"), pd::Code::not_registered,
               "version 2");
}

pd::Task<int> one_more(pd::Context&, int value) { co_return value + 1; }

TEST_F(StartTest, WhatServeRefusedIsToldByStartAtOnce) {
  constexpr pd::Agent twice{"greeting", &one_more};
  constexpr pd::Agent slashed{"a/b", &one_more};
  constexpr pd::Agent nameless{"", &one_more};
  constexpr pd::Agent old{"old", &one_more, {.version = 0}};
  constexpr pd::Agent handlers{"handlers", pd::Handler{"h", &one_more},
                               pd::Handler{"h", &one_more}};
  TestEngine engine(disk_);
  engine.serve(greeting, twice, slashed, nameless, old, handlers);
  const auto started = engine.runtime().start();
  expect_error(started, pd::Code::misuse, "agent 'greeting' version 1 is served twice");
  expect_error(started, pd::Code::misuse, "agent 'a/b' version 1 has a '/' in its name");
  expect_error(started, pd::Code::misuse, "the agent's name is empty");
  expect_error(started, pd::Code::misuse,
               "agent 'old' version 0 must have a version of at least 1");
  expect_error(started, pd::Code::misuse, "agent 'handlers' version 1 has two handlers called 'h'");
}

TEST_F(StartTest, ManyThreadsThatStartOneSessionMakeOneRun) {
  TestEngine engine(disk_);
  engine.start(greeting, instant_agent);
  for (int round = 0; round < 20; ++round) {
    std::vector<std::thread> threads;
    std::mutex mutex;
    std::set<pd::RunId> greetings, instants;
    for (int i = 0; i < 8; ++i)
      threads.emplace_back([&] {
        auto first = engine.runtime().session(greeting, std::to_string(round)).start("x").value();
        // One that ends at once, before its creation can be durable.
        auto second =
            engine.runtime().session(instant_agent, std::to_string(round)).start(1).value();
        EXPECT_EQ(first.wait().value(), "hello x");
        EXPECT_EQ(second.wait().value(), 2);
        const std::lock_guard lock(mutex);
        greetings.insert(first.id());
        instants.insert(second.id());
      });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(greetings.size(), 1U);
    EXPECT_EQ(instants.size(), 1U);
  }
  EXPECT_EQ(world_.trace.count("greet"), 20U);
}

TEST_F(StartTest, ARunThatEndedBeforeItsCreationIsDurableIsAttachedTo) {
  TestEngine engine(disk_);
  engine.start(instant_agent);
  disk_.store->hold_commits();
  std::vector<pd::RunId> ids(2);
  std::vector<std::thread> threads;
  for (auto& id : ids)
    threads.emplace_back(
        [&] { id = engine.runtime().session(instant_agent, "s").start(1).value().id(); });
  disk_.store->wait_for_held_commit();
  engine.settle();
  disk_.store->release_commits();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ids[0], ids[1]);
  EXPECT_EQ(disk_.records(ids[0]), (Lines{"run_created", "run_ended ok"}));
}

TEST_F(StartTest, StartAndWaitTellOnlyWhatIsDurable) {
  TestEngine engine(disk_);
  engine.start(greeting);
  std::atomic<bool> started = false;
  std::atomic<bool> ended = false;
  disk_.store->hold_commits();
  std::thread caller([&] {
    auto run = engine.runtime().session(greeting, "s").start("x").value();
    started = true;
    EXPECT_EQ(run.wait().value(), "hello x");
    ended = true;
  });
  disk_.store->wait_for_held_commit();
  engine.settle();
  EXPECT_FALSE(started);
  EXPECT_EQ(world_.trace.count("greet"), 0U) << "the body waits for the run's creation";
  disk_.store->release_commits();
  while (!started) std::this_thread::yield();
  caller.join();
  EXPECT_TRUE(ended);
}

pd::Task<int> holds_at_the_end(pd::Context& ctx, int) {
  co_return co_await ctx.step("last", [](pd::Step&) {
    world->trace.add("last");
    world->door("last").pass();
    return 3;
  });
}
inline constexpr pd::Agent holding{"holding", &holds_at_the_end};

TEST_F(StartTest, ARunHasEndedForOthersOnlyWhenItsEndIsDurable) {
  TestEngine engine(disk_);
  engine.start(holding);
  auto run = engine.runtime().session(holding, "s").start(0).value();
  world_.trace.wait_for("last");
  disk_.store->hold_commits();
  world_.door("last").open();
  disk_.store->wait_for_held_commit();
  EXPECT_FALSE(run.result().has_value());
  EXPECT_EQ(run.wait({.within = 1ms}).error().code, pd::Code::timeout);
  disk_.store->release_commits();
  EXPECT_EQ(run.wait().value(), 3);
  EXPECT_EQ(run.result()->value(), 3);
}

/// Handlers get at the runtime only by what tests do here.
pd::Runtime* the_runtime = nullptr;
pd::Task<std::string> starts_another(pd::Context&, int what) {
  const auto started = the_runtime->session(instant_agent, "inner").start(1);
  const auto waited = the_runtime->run<int>(pd::RunId{}).wait();
  co_return std::to_string(what) + started.error().message + "; " + waited.error().message;
}
inline constexpr pd::Agent starting{"starting", &starts_another};

TEST_F(StartTest, AHandlerThatWouldHoldItsOwnThreadIsTold) {
  TestEngine engine(disk_);
  the_runtime = &engine.runtime();
  engine.start(starting, instant_agent);
  const std::string reply = engine.runtime().session(starting, "s").start(0).value().wait().value();
  EXPECT_TRUE(contains(reply, "a handler must not start sessions and wait")) << reply;
  EXPECT_TRUE(contains(reply, "a handler must not wait for a run")) << reply;
}

TEST_F(StartTest, AWaitEndsWithTheReasonWhenItsTimeIsOver) {
  TestEngine engine(disk_);
  engine.start(holding);
  auto run = engine.runtime().session(holding, "s").start(0).value();
  world_.trace.wait_for("last");
  const auto waited = run.wait({.within = 1ms});
  expect_error(waited, pd::Code::timeout,
               "has not ended within 1 ms: step 1 'last' runs its attempt 1");
  EXPECT_FALSE(run.result().has_value());
  world_.door("last").open();
  EXPECT_EQ(run.wait({.within = std::chrono::milliseconds::max()}).value(), 3);
}

TEST_F(StartTest, ARunThatTheJournalDoesNotHaveIsNotFound) {
  TestEngine engine(disk_);
  engine.start(holding);
  const pd::RunId unknown{};
  auto run = engine.runtime().run<int>(unknown);
  expect_error(run.wait(), pd::Code::not_found, "the journal has no run ");
  EXPECT_EQ(run.result()->error().code, pd::Code::not_found);
  expect_error(engine.runtime().explain(unknown), pd::Code::not_found, "the journal has no run ");
}

TEST_F(StartTest, AReplyIsReadAsTheTypeAskedFor) {
  TestEngine engine(disk_);
  engine.start(greeting);
  const auto id = engine.runtime().session(greeting, "s").start("x").value().id();
  EXPECT_EQ(engine.runtime().run<std::string>(id).wait().value(), "hello x");
  EXPECT_EQ(engine.runtime().run<std::vector<int>>(id).wait().error().code, pd::Code::undecodable);
}

}  // namespace
}  // namespace perdure::test
