/// An operator gives a run more.
#include "tests/budgets/budget_fixture.hpp"

namespace perdure::test {
namespace {

class BudgetRaiseTest : public BudgetFixture {};
PERDURE_TEST_FRAMES(BudgetRaiseTest);

TEST_P(BudgetRaiseTest, HasTheRunGoOn) {
  kit::Runtime test(options());
  auto run = test.session(thrifty, "s").start(5).value();
  test.run_until_idle();
  EXPECT_EQ(far_.trace.size(), 2U);
  ASSERT_TRUE(run.raise({.tokens = 350}).has_value());
  test.run_until_idle();
  EXPECT_EQ(far_.trace.size(), 3U);
  EXPECT_EQ(disk_of(test).head(run.id()).code, pd::Code::over_budget);
  ASSERT_TRUE(run.raise({.tokens = 500}).has_value());
  EXPECT_EQ(run.wait().value(), 5);
  EXPECT_EQ(spending(run).limits, pd::Budget{.tokens = 500});
  EXPECT_EQ(spending(run).used.tokens, 500);
  expect_sound(test);
}

TEST_P(BudgetRaiseTest, IsKeptAcrossProcesses) {
  kit::Runtime test(options());
  auto run = test.session(thrifty, "s").start(4).value();
  test.run_until_idle();
  ASSERT_TRUE(run.raise({.tokens = 300}).has_value());
  test.run_until_idle();
  test.restart(kit::End::unclean);
  test.run_until_idle();
  EXPECT_EQ(far_.trace.size(), 3U);
  EXPECT_EQ(disk_of(test).head(run.id()).code, pd::Code::over_budget);
  ASSERT_TRUE(run.raise({.tokens = 400}).has_value());
  EXPECT_EQ(run.wait().value(), 4);
}

/// Each park closes the frame; the process died once, long before.
TEST_P(BudgetRaiseTest, IsNoCrashOfTheStepThatWaitedForIt) {
  kit::Runtime test(options());
  auto run = test.session(thrifty, "s").start(9).value();
  test.run_until_idle();
  test.restart(kit::End::unclean);
  for (std::int64_t tokens = 300; tokens <= 900; tokens += 100) {
    test.run_until_idle();
    EXPECT_EQ(disk_of(test).head(run.id()).code, pd::Code::over_budget) << tokens;
    ASSERT_TRUE(run.raise({.tokens = tokens}).has_value()) << tokens;
  }
  EXPECT_EQ(run.wait().value(), 9);
}

/// It waited while its process died, and again: it was never running.
TEST_P(BudgetRaiseTest, IsNoCrashOfTheStepThatWaitedWhileProcessesDied) {
  kit::Runtime test(options());
  auto run = test.session(thrifty, "s").start(3).value();
  for (int i = 0; i < 5; ++i) {
    test.run_until_idle();
    EXPECT_EQ(disk_of(test).head(run.id()).code, pd::Code::over_budget) << i;
    expect_sound(test);
    test.restart(kit::End::unclean);
  }
  ASSERT_TRUE(run.raise({.tokens = 300}).has_value());
  EXPECT_EQ(run.wait().value(), 3);
  EXPECT_EQ(far_.trace, (Lines{"ask 0 #1", "ask 1 #1", "ask 2 #1"}));
  EXPECT_EQ(spending(run).attempts, 3);
  expect_sound(test);
}

TEST_P(BudgetRaiseTest, OnlyRaises) {
  kit::Runtime test(options());
  auto run = test.session(thrifty, "s").start(1).value();
  EXPECT_EQ(run.wait().value(), 1);
  const auto lower = run.raise({.tokens = 249});
  ASSERT_TRUE(lower.has_error());
  EXPECT_EQ(lower.error().code, pd::Code::refused);
  EXPECT_TRUE(contains(lower.error().message, "the limit of tokens is higher already"))
      << lower.error().message;
  const auto other = run.raise({.money = pd::Money::units(1)});
  ASSERT_TRUE(other.has_error());
  EXPECT_TRUE(contains(other.error().message, "money has no limit, and would get one"))
      << other.error().message;
  EXPECT_EQ(spending(run).limits, pd::Budget{.tokens = 250});
}

TEST_P(BudgetRaiseTest, NeedsABudget) {
  kit::Runtime test(options());
  auto run = test.session(unlimited, "s").start(1).value();
  EXPECT_EQ(run.wait().value(), 1);
  const auto raised = run.raise({.tokens = 1});
  ASSERT_TRUE(raised.has_error());
  EXPECT_EQ(raised.error().code, pd::Code::refused);
  EXPECT_TRUE(contains(raised.error().message, "HandlerOptions::budget")) << raised.error().message;
}

pd::Task<int> two_at_once(pd::Context& ctx, int) {
  const auto both = co_await ctx.all(ctx.call(stall, "a"), ctx.call(ask, "b"));
  co_return static_cast<int>(std::get<0>(both).size() + std::get<1>(both).size());
}
inline constexpr pd::Agent doubler{"doubler",
                                   pd::Handler{"run", &two_at_once, {.budget = {.tokens = 150}}}};

/// What was begun beside it is recorded, and then the run goes on.
TEST_P(BudgetRaiseTest, WaitsForAttemptsThatStillRun) {
  kit::Runtime test(options());
  auto run = test.session(doubler, "s").start(0).value();
  test.run_until_idle();
  EXPECT_EQ(far_.trace, Lines{"stall a #1"});
  ASSERT_TRUE(run.raise({.tokens = 300}).has_value());
  test.run_until_idle();
  EXPECT_EQ(far_.trace, Lines{"stall a #1"});
  EXPECT_TRUE(left_open.at(0)(std::string("x")).has_value());
  EXPECT_EQ(run.wait().value(), 8);
  EXPECT_EQ(far_.trace, (Lines{"stall a #1", "ask b #1"}));
  expect_sound(test);
}

TEST_P(BudgetRaiseTest, OfARunThatIsKilledMeanwhileIsNothing) {
  kit::Runtime test(options());
  auto run = test.session(thrifty, "s").start(5).value();
  test.run_until_idle();
  EXPECT_TRUE(run.kill().has_value());
  EXPECT_TRUE(run.raise({.tokens = 900}).has_value());
  test.run_until_idle();
  EXPECT_EQ(far_.trace.size(), 2U);
  EXPECT_EQ(run.wait().error().code, pd::Code::cancelled);
  expect_sound(test);
}

}  // namespace
}  // namespace perdure::test
