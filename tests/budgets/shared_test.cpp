/// Budgets of runs that others work for.
#include "tests/budgets/budget_fixture.hpp"

namespace perdure::test {
namespace {

inline constexpr pd::Handler ask_some{"ask-some", &asking};
inline constexpr pd::Handler ask_few{"ask-few", &asking, {.budget = {.tokens = 150}}};
inline constexpr pd::Agent asker{"asker", ask_some, ask_few};

pd::Task<int> hiring(pd::Context& ctx, int questions) {
  std::vector<pd::ChildRun<int>> children;
  for (int i = 0; i < 2; ++i)
    children.push_back(
        co_await ctx.session(asker, "a" + std::to_string(i)).spawn(ask_some, questions));
  int answers = 0;
  for (auto& child : children) answers += co_await child.result();
  co_return answers;
}
inline constexpr pd::Agent hirer{"hirer", pd::Handler{"run", &hiring, {.budget = {.tokens = 250}}}};

pd::Task<int> calling(pd::Context& ctx, int questions) {
  co_return co_await ctx.session(asker, "called").call(ask_few, questions);
}
inline constexpr pd::Agent caller{"caller",
                                  pd::Handler{"run", &calling, {.budget = {.tokens = 1000}}}};

pd::Task<int> sending(pd::Context& ctx, int questions) {
  co_await ctx.session(asker, "sent").send(ask_some, questions);
  co_return 0;
}
inline constexpr pd::Agent sender{"sender",
                                  pd::Handler{"run", &sending, {.budget = {.tokens = 50}}}};

class BudgetSharedTest : public BudgetFixture {
 protected:
  /// The runs of the agent `asker`, in the order of their sessions' keys.
  static std::vector<pd::RunId> askers(kit::Runtime& test) {
    std::map<std::string, pd::RunId> found;
    auto reader = disk_of(test).read();
    EXPECT_TRUE(reader
                    .each_run([&](const journal::RunInfo& run) {
                      if (run.agent == "asker") found.emplace(run.session_key, run.id);
                      return true;
                    })
                    .has_value());
    std::vector<pd::RunId> runs;
    for (const auto& [key, run] : found) runs.push_back(run);
    return runs;
  }
};
PERDURE_TEST_FRAMES(BudgetSharedTest);

TEST_P(BudgetSharedTest, HoldsChildrenTogether) {
  kit::Runtime test(options());
  test.serve(asker);
  auto run = test.session(hirer, "s").start(2).value();
  test.run_until_idle();
  EXPECT_EQ(far_.trace.size(), 2U);
  EXPECT_EQ(spending(run).used.tokens, 200);
  const std::vector<pd::RunId> children = askers(test);
  ASSERT_EQ(children.size(), 2U);
  for (const pd::RunId& child : children) {
    const journal::Head head = disk_of(test).head(child);
    EXPECT_EQ(head.code, pd::Code::over_budget);
    EXPECT_TRUE(contains(head.reason,
                         "the budget of run " + to_string(run.id()) + ", which this one draws on,"))
        << head.reason;
    const auto child_run = test.run<int>(child);
    EXPECT_EQ(spending(child_run).draws_on, std::vector<pd::RunId>{run.id()});
    EXPECT_EQ(spending(child_run).used.tokens, 100);
    EXPECT_FALSE(spending(child_run).limits.is_limited());
    const auto raised = child_run.raise({.tokens = 1000});
    ASSERT_TRUE(raised.has_error());
    EXPECT_TRUE(contains(raised.error().message, "draws on that of run " + to_string(run.id())))
        << raised.error().message;
  }
  expect_sound(test);
  // Both wait at it, and both go on.
  ASSERT_TRUE(run.raise({.tokens = 400}).has_value());
  EXPECT_EQ(run.wait().value(), 4);
  EXPECT_EQ(spending(run).used.tokens, 400);
  EXPECT_EQ(spending(run).attempts, 4);
  expect_sound(test);
}

TEST_P(BudgetSharedTest, IsAddedUpInTheNextProcess) {
  kit::Runtime test(options());
  test.serve(asker);
  auto run = test.session(hirer, "s").start(2).value();
  test.run_until_idle();
  for (const kit::End end : {kit::End::clean, kit::End::unclean}) {
    test.restart(end);
    test.run_until_idle();
    EXPECT_EQ(far_.trace.size(), 2U);
  }
  ASSERT_TRUE(run.raise({.tokens = 300}).has_value());
  test.run_until_idle();
  EXPECT_EQ(far_.trace.size(), 3U);
  ASSERT_TRUE(run.raise({.tokens = 400}).has_value());
  EXPECT_EQ(run.wait().value(), 4);
}

TEST_P(BudgetSharedTest, HoldsARunToItsOwnAndToItsCallers) {
  kit::Runtime test(options());
  test.serve(asker);
  auto run = test.session(caller, "s").start(3).value();
  test.run_until_idle();
  EXPECT_EQ(far_.trace.size(), 1U);
  const std::vector<pd::RunId> called = askers(test);
  ASSERT_EQ(called.size(), 1U);
  const auto called_run = test.run<int>(called[0]);
  EXPECT_EQ(spending(called_run).draws_on, (std::vector<pd::RunId>{called[0], run.id()}));
  EXPECT_EQ(spending(called_run).limits, pd::Budget{.tokens = 150});
  ASSERT_TRUE(called_run.raise({.tokens = 5000}).has_value());
  EXPECT_EQ(run.wait().value(), 3);
  EXPECT_EQ(spending(run).used.tokens, 300);
  EXPECT_EQ(spending(called_run).used.tokens, 300);
}

TEST_P(BudgetSharedTest, IsNotForOneWaySends) {
  kit::Runtime test(options());
  test.serve(asker);
  auto run = test.session(sender, "s").start(3).value();
  EXPECT_EQ(run.wait().value(), 0);
  test.run_until_idle();
  EXPECT_EQ(far_.trace.size(), 3U);
  EXPECT_EQ(spending(run).used, pd::Cost{});
}

TEST_P(BudgetSharedTest, OutlivesTheRunThatHasIt) {
  kit::Runtime test(options());
  test.serve(asker);
  auto run = test.session(hirer, "s").start(2).value();
  test.run_until_idle();
  EXPECT_TRUE(run.kill().has_value());
  test.run_until_idle();
  // Its children are cancelled with it, which needs no budget.
  test.advance(1h);
  for (const pd::RunId& child : askers(test))
    EXPECT_EQ(disk_of(test).head(child).status, journal::RunStatus::cancelled);
  EXPECT_EQ(spending(run).used.tokens, 200);
  expect_sound(test);
}

}  // namespace
}  // namespace perdure::test
