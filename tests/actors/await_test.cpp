// What co_await promises: failures end the task, frames go in order, all waits for its branches.
#include "tests/actors/engine_fixture.hpp"

namespace perdure::test {
namespace {

class AwaitTest : public EngineFixture {
 protected:
  /// Runs `agent` to its end in an engine of its own, which must not have to be repaired.
  template <class A, class M>
  auto run(const A& agent, M message) {
    TestEngine engine(disk_);
    engine.start(agent);
    auto run = engine.runtime().session(agent, "s").start(message).value();
    id_ = run.id();
    auto reply = run.wait();
    EXPECT_TRUE(engine.shutdown().has_value());
    return reply;
  }
  pd::RunId id_;
};

pd::Result<int> refuse(std::string what) { return pd::Error{pd::Code::refused, std::move(what)}; }

pd::Task<int> inner(pd::Context& ctx) {
  const Local local("inner");
  const int value = co_await ctx.step("fails", [](pd::Step&) { return refuse("no"); });
  world->trace.add("inner went on");
  co_return value;
}
pd::Task<int> middle(pd::Context& ctx) {
  const Local first("middle 1");
  const Local second("middle 2");
  const int value = co_await inner(ctx);
  world->trace.add("middle went on");
  co_return value;
}
pd::Task<int> outer(pd::Context& ctx, int) {
  const Local local("outer");
  const pd::Result<int> result = co_await pd::as_result(middle(ctx));
  world->trace.add("outer goes on: " + result.error().message);
  co_await middle(ctx);
  world->trace.add("outer went on");
  co_return 1;
}
inline constexpr pd::Agent nested{"nested", &outer};

TEST_F(AwaitTest, AFailureEndsTaskAfterTaskWithTheirLocalsDestroyedBeforeTheAwaiterGoesOn) {
  const pd::Result<int> reply = run(nested, 0);
  EXPECT_EQ(reply.error().message, "no");
  EXPECT_EQ(world_.trace.all(), (Lines{"~inner", "~middle 2", "~middle 1", "outer goes on: no",  //
                                       "~inner", "~middle 2", "~middle 1", "~outer"}));
}

pd::Task<int> branch(pd::Context& ctx, std::string name, int fails) {
  const Local local(name);
  std::string borrowed = "frame of " + name;
  const int value = co_await ctx.step("body of " + name, [&](pd::Step& step) -> pd::Result<int> {
    const std::stop_callback stopped(step.stop_token(), [&] { world->trace.add("stop " + name); });
    world->trace.add("began " + name);
    world->door(name).pass();
    if (borrowed != "frame of " + name) world->trace.add("the frame of " + name + " is gone");
    if (fails != 0) return refuse(name + " fails");
    return 7;
  });
  world->trace.add(name + " went on");
  co_return value;
}

pd::Task<int> race(pd::Context& ctx, int) {
  const auto result = co_await pd::as_result(
      ctx.all(branch(ctx, "a", 0), branch(ctx, "b", 1), branch(ctx, "c", 1)));
  world->trace.add("all ended: " + result.error().message);
  co_return 1;
}
inline constexpr pd::Agent racing{"racing", &race};

TEST_F(AwaitTest, TheFirstFailureByDeliveryDecidesAndAllWaitsForTheStoppedBranches) {
  TestEngine engine(disk_);
  engine.start(racing);
  auto run = engine.runtime().session(racing, "s").start(0).value();
  for (const char* name : {"began a", "began b", "began c"}) world_.trace.wait_for(name);
  world_.door("c").open();
  world_.trace.wait_for("stop a");
  world_.trace.wait_for("stop b");
  EXPECT_EQ(world_.trace.count("all ended: c fails"), 0U)
      << "a and b still borrow from their frames";
  world_.door("b").open();
  world_.door("a").open();
  EXPECT_EQ(run.wait().value(), 1);
  EXPECT_EQ(world_.trace.count("all ended: c fails"), 1U) << "b fails too, but later";
  EXPECT_EQ(world_.trace.count("a went on"), 0U) << "a lost: its value is recorded and not wanted";
  EXPECT_EQ(world_.trace.all().back(), "all ended: c fails");
  for (const char* name : {"~a", "~b", "~c"}) EXPECT_EQ(world_.trace.count(name), 1U) << name;
}

TEST_F(AwaitTest, ACrashBetweenTheFailureAndTheStoppedBranchesChangesNothing) {
  pd::RunId id;
  {
    TestEngine engine(disk_);
    engine.start(racing);
    id = engine.runtime().session(racing, "s").start(0).value().id();
    for (const char* name : {"began a", "began b", "began c"}) world_.trace.wait_for(name);
    world_.door("c").open();
    world_.trace.wait_for("stop b");
    // What `c` recorded is durable before anything else can be.
    while (disk_.records(id).size() < 2) std::this_thread::yield();
    engine.die_at_commit(0);
    world_.door("a").open();
    world_.door("b").open();
  }
  world_.trace.clear();
  TestEngine engine(disk_);
  engine.start(racing);
  EXPECT_EQ(engine.runtime().run<int>(id).wait().value(), 1);
  EXPECT_EQ(world_.trace.count("all ended: c fails"), 1U);
  EXPECT_EQ(world_.trace.count("began c"), 0U) << "recorded";
  EXPECT_EQ(world_.trace.count("began a") + world_.trace.count("began b"), 0U)
      << "nobody wants their outcome any more";
}

pd::Task<std::string> ordered(pd::Context& ctx, int) {
  const auto parts =
      co_await ctx.all(ctx.step("zero",
                                [](pd::Step&) {
                                  world->door("0").pass();
                                  return 10;
                                }),
                       ctx.step("one", [](pd::Step&) { world->door("1").pass(); }),
                       ctx.step("two", [](pd::Step&) { return std::string("twenty"); }), ctx.all());
  co_return std::to_string(std::get<0>(parts)) + "," + std::get<2>(parts);
}
inline constexpr pd::Agent ordering{"ordering", &ordered};

TEST_F(AwaitTest, AllGivesItsValuesInTheOrderOfItsArguments) {
  TestEngine engine(disk_);
  engine.start(ordering);
  auto run = engine.runtime().session(ordering, "s").start(0).value();
  world_.door("1").open();
  world_.door("0").open();
  EXPECT_EQ(run.wait().value(), "10,twenty");
}

pd::Task<void> fails_at_once(pd::Context&) { co_await pd::fail({pd::Code::refused, "at once"}); }

pd::Task<int> all_of_failures(pd::Context& ctx, int which) {
  const auto body = [](pd::Step&) { world->trace.add("the step ran"); };
  // The failure is there before the later branches have started.
  if (which == 0) co_await ctx.all(pd::fail({pd::Code::refused, "first"}), ctx.step("later", body));
  if (which == 1)
    co_await ctx.all(ctx.all(pd::fail({pd::Code::refused, "first"}), ctx.step("deep", body)),
                     ctx.all(ctx.step("late", body)), ctx.step("later", body));
  if (which == 2)
    co_await ctx.all(pd::fail({pd::Code::refused, "first"}),
                     pd::fail({pd::Code::refused, "second"}));
  if (which == 3) co_await ctx.all(fails_at_once(ctx), ctx.step("later", body));
  co_return 1;
}
inline constexpr pd::Agent failing_all{"failing-all", &all_of_failures};

TEST_F(AwaitTest, AnAllWhoseFirstBranchHasFailedAlreadyStopsBranchesThatStartLater) {
  for (int which = 0; which < 4; ++which) {
    TestDisk disk;
    TestEngine engine(disk);
    engine.start(failing_all);
    const auto reply = engine.runtime().session(failing_all, "s").start(which).value().wait();
    ASSERT_TRUE(reply.has_error());
    EXPECT_EQ(reply.error().message, which == 3 ? "at once" : "first") << which;
  }
  EXPECT_EQ(world_.trace.count("the step ran"), 0U);
}

pd::Task<int> throwing_body(pd::Context& ctx, int kind) {
  co_return co_await ctx.step("throws",
                              [&](pd::Step&) -> int {
                                if (kind == 0) throw std::runtime_error("boom");
                                if (kind == 1) throw 5;
                                throw pd::Exception(pd::Error{pd::Code::refused, "thrown error"});
                              },
                              {.retry = kNoRetry});
}
inline constexpr pd::Agent throwing{"throwing", &throwing_body};

TEST_F(AwaitTest, WhatABodyThrowsIsItsStepsFailure) {
  const std::vector<std::pair<pd::Code, std::string>> expected{
      {pd::Code::exception, "the step's body threw: boom"},
      {pd::Code::exception, "the step's body threw something that is no std::exception"},
      {pd::Code::refused, "thrown error"}};
  for (int kind = 0; kind < 3; ++kind) {
    disk_ = TestDisk{};
    const auto reply = run(throwing, kind);
    const auto& [code, message] = expected[static_cast<std::size_t>(kind)];
    EXPECT_EQ(reply.error().code, code);
    EXPECT_EQ(reply.error().message, message);
    EXPECT_EQ(reply.error().known_effect(),
              kind == 2 ? pd::ErrorEffect::refused : pd::ErrorEffect::unknown);
  }
}

pd::Task<int> names(pd::Context& ctx, int kind) {
  const std::vector<std::string> bad{"", std::string("a\nb"), std::string(300, 'n')};
  const auto result = co_await pd::as_result(
      ctx.step(bad[static_cast<std::size_t>(kind)], [](pd::Step&) { world->trace.add("ran"); }));
  world->trace.add(result.error().message);
  const int after = co_await ctx.step("after", [](pd::Step&) { return 4; });
  co_return after;
}
inline constexpr pd::Agent naming{"naming", &names};

TEST_F(AwaitTest, AStepWithABadNameFailsWithMisuseAndReplaysThatWay) {
  const Lines words{"has no name", "has a control character", "has a name of 300 bytes"};
  for (int kind = 0; kind < 3; ++kind) {
    disk_ = TestDisk{};
    world_.trace.clear();
    pd::RunId id;
    {
      TestEngine engine(disk_);
      engine.start(naming);
      id = engine.runtime().session(naming, "s").start(kind).value().id();
      EXPECT_EQ(engine.runtime().run<int>(id).wait().value(), 4);
    }
    ASSERT_EQ(world_.trace.all().size(), 1U);
    EXPECT_TRUE(contains(world_.trace.all()[0], words[static_cast<std::size_t>(kind)]))
        << world_.trace.all()[0];
    EXPECT_TRUE(contains(world_.trace.all()[0], "await_test.cpp:")) << world_.trace.all()[0];
    EXPECT_EQ(disk_.records(id).size(), 4U);
  }
}

}  // namespace
}  // namespace perdure::test
