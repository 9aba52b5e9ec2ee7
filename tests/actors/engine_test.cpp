// One run's life: steps, replay after a crash, attaching, failing.
#include "tests/support/test_engine.hpp"

#include <gtest/gtest.h>

namespace perdure::test {
namespace {

namespace pd = perdure;
using namespace std::chrono_literals;

Trace* trace = nullptr;
Door* door = nullptr;

pd::Task<int> three_steps(pd::Context& ctx, int start) {
  const int a = co_await ctx.step("one", [&](pd::Step& step) {
    trace->add("one@" + step.id());
    return start + 1;
  });
  const int b = co_await ctx.step("two", [&](pd::Step& step) {
    trace->add("two@" + step.id());
    if (door != nullptr) door->pass();
    return a * 10;
  });
  co_return co_await ctx.step("three", [&](pd::Step& step) {
    trace->add("three@" + step.id());
    return b + a;
  });
}
inline constexpr pd::Agent counting{"counting", &three_steps};

class EngineTest : public ::testing::Test {
 protected:
  void SetUp() override {
    trace = &trace_;
    door = nullptr;
  }
  void TearDown() override {
    trace = nullptr;
    door = nullptr;
  }
  TestDisk disk_;
  Trace trace_;
  Door door_;
};

TEST_F(EngineTest, RunsEveryStepOnceAndGivesTheReply) {
  TestEngine engine(disk_);
  engine.start(counting);
  auto run = engine.runtime().session(counting, "a").start(1).value();
  EXPECT_EQ(run.wait().value(), 22);
  EXPECT_EQ(trace_.all(), (std::vector<std::string>{"one@1", "two@2", "three@3"}));
}

TEST_F(EngineTest, ASecondStartWithEqualInputAttachesAlsoAfterTheEnd) {
  TestEngine engine(disk_);
  engine.start(counting);
  auto session = engine.runtime().session(counting, "a");
  auto first = session.start(1).value();
  auto second = session.start(1).value();
  EXPECT_EQ(first.id(), second.id());
  EXPECT_EQ(first.wait().value(), 22);
  auto third = session.start(1).value();
  EXPECT_EQ(first.id(), third.id());
  EXPECT_EQ(third.wait().value(), 22);
  EXPECT_EQ(trace_.all().size(), 3U);
}

TEST_F(EngineTest, AStartWithAnotherInputIsRefused) {
  TestEngine engine(disk_);
  engine.start(counting);
  auto session = engine.runtime().session(counting, "a");
  auto run = session.start(1).value();
  const auto refused = session.start(2);
  ASSERT_TRUE(refused.has_error());
  EXPECT_EQ(refused.error().code, pd::Code::already_started);
  EXPECT_NE(refused.error().message.find("counting/a"), std::string::npos);
  EXPECT_EQ(run.wait().value(), 22);
  const auto again = session.start(2);
  ASSERT_TRUE(again.has_error());
  EXPECT_EQ(again.error().code, pd::Code::already_started);
}

TEST_F(EngineTest, AfterACrashRecordedStepsAreReplayedAndTheRestRuns) {
  pd::RunId id;
  {
    door = &door_;
    TestEngine engine(disk_);
    engine.start(counting);
    id = engine.runtime().session(counting, "a").start(1).value().id();
    trace_.wait_for("two@2");
    // The process dies while the second body runs: what it returns is lost.
    engine.die_at_commit(0);
    door_.open();
  }
  door = nullptr;
  TestEngine engine(disk_);
  engine.start(counting);
  EXPECT_EQ(engine.runtime().run<int>(id).wait().value(), 22);
  EXPECT_EQ(trace_.count("one@1"), 1U);
  EXPECT_EQ(trace_.count("two@2"), 2U);
  EXPECT_EQ(trace_.count("three@3"), 1U);
}

TEST_F(EngineTest, ABodyStartsOnlyWhenTheResultBeforeItIsDurable) {
  TestEngine engine(disk_);
  engine.start(counting);
  auto session = engine.runtime().session(counting, "a");
  door = &door_;
  auto run = session.start(1).value();
  trace_.wait_for("two@2");
  disk_.store->hold_commits();
  door_.open();
  // The second result is on its way to the disk and not there: the third body must not have begun.
  disk_.store->wait_for_held_commit();
  EXPECT_EQ(trace_.count("three@3"), 0U);
  disk_.store->release_commits();
  EXPECT_EQ(run.wait().value(), 22);
}

TEST_F(EngineTest, AnEndedRunIsNotRunAgainByTheNextProcess) {
  pd::RunId id;
  {
    TestEngine engine(disk_);
    engine.start(counting);
    auto run = engine.runtime().session(counting, "a").start(1).value();
    id = run.id();
    EXPECT_EQ(run.wait().value(), 22);
    ASSERT_TRUE(engine.shutdown().has_value());
  }
  TestEngine engine(disk_);
  engine.start(counting);
  EXPECT_EQ(engine.runtime().run<int>(id).wait().value(), 22);
  EXPECT_EQ(engine.runtime().explain(id).value(), "it has ended: completed");
  EXPECT_EQ(trace_.all().size(), 3U);
}

pd::Task<int> fails(pd::Context& ctx, int kind) {
  const auto caught = co_await pd::as_result(ctx.step("soft", [&](pd::Step&) -> pd::Result<int> {
    return pd::Error{pd::Code::refused, "soft refusal"};
  }));
  EXPECT_EQ(caught.error().message, "soft refusal");
  if (kind == 1) throw pd::Exception(pd::Error{pd::Code::refused, "thrown as failure"});
  if (kind == 2) co_await pd::fail({pd::Code::refused, "failed on purpose"});
  if (kind == 3) co_return pd::Error{pd::Code::refused, "returned"};
  co_return co_await ctx.step("hard", [&](pd::Step&) -> pd::Result<int> {
    return pd::Error{pd::Code::refused, "hard refusal"};
  });
}
inline constexpr pd::Agent failing{"failing", &fails};

TEST_F(EngineTest, FailuresEndTheRunWithTheirWords) {
  TestEngine engine(disk_);
  engine.start(failing);
  const std::vector<std::string> expected{"hard refusal", "thrown as failure", "failed on purpose",
                                          "returned"};
  for (int kind = 0; kind < 4; ++kind) {
    auto run = engine.runtime().session(failing, std::to_string(kind)).start(kind).value();
    const pd::Result<int> reply = run.wait();
    ASSERT_TRUE(reply.has_error());
    EXPECT_EQ(reply.error().message, expected[static_cast<std::size_t>(kind)]);
    EXPECT_EQ(reply.error().known_effect(), pd::ErrorEffect::refused);
  }
}

}  // namespace
}  // namespace perdure::test
