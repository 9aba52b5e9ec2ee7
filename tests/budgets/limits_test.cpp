/// What is counted, and what becomes of a run without room.
#include "tests/budgets/budget_fixture.hpp"

namespace perdure::test {
namespace {

class BudgetTest : public BudgetFixture {};
PERDURE_TEST_FRAMES(BudgetTest);

TEST_P(BudgetTest, CountsWhatAttemptsSayThatTheyUsed) {
  far_.mode = 1;
  kit::Runtime test(options());
  auto run = test.session(thrifty, "s").start(3).value();
  EXPECT_EQ(run.wait().value(), 3);
  const pd::Spending spent = spending(run);
  EXPECT_EQ(spent.used, (pd::Cost{.money = pd::Money::cents(15), .tokens = 150}));
  EXPECT_EQ(spent.attempts, 3);
  EXPECT_EQ(spent.reserved, pd::Cost{});
  EXPECT_EQ(spent.limits, pd::Budget{.tokens = 250});
  EXPECT_EQ(spent.draws_on, std::vector<pd::RunId>{run.id()});
  expect_sound(test);
}

TEST_P(BudgetTest, ParksTheRunBeforeAnAttemptThatMayUseTooMuch) {
  kit::Runtime test(options());
  auto run = test.session(thrifty, "s").start(3).value();
  test.run_until_idle();
  EXPECT_EQ(far_.trace, (Lines{"ask 0 #1", "ask 1 #1"}));
  const journal::Head head = disk_of(test).head(run.id());
  EXPECT_EQ(head.status, journal::RunStatus::parked);
  EXPECT_EQ(head.code, pd::Code::over_budget);
  EXPECT_TRUE(contains(head.reason,
                       "has no room for attempt 1 of 'ask 2' (tokens: 200 used of "
                       "250, and the attempt may use 100)"))
      << head.reason;
  EXPECT_TRUE(contains(head.reason, "`perdure raise " + to_string(run.id()) + "`")) << head.reason;
  const auto events = test.events();
  // Once for each time that it was tried.
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(events[0].error.code, pd::Code::over_budget);
  expect_sound(test);
}

TEST_P(BudgetTest, TakesTheMostForWhoSaysNothing) {
  far_.mode = 2;
  kit::Runtime test(options());
  auto run = test.session(thrifty, "s").start(3).value();
  test.run_until_idle();
  EXPECT_EQ(far_.trace.size(), 2U);
  EXPECT_EQ(spending(run).used, (pd::Cost{.money = pd::Money::cents(20), .tokens = 200}));
}

TEST_P(BudgetTest, ChargesAttemptsThatFailed) {
  far_.mode = 5;
  kit::Runtime test(options());
  auto run = test.session(thrifty, "s").start(1).value();
  test.advance(1h);
  EXPECT_EQ(run.wait().error().message, "half an answer");
  EXPECT_EQ(spending(run).used.tokens, 150);
  EXPECT_EQ(spending(run).attempts, 3);
}

TEST_P(BudgetTest, HoldsBackARetryToo) {
  far_.mode = 3;
  kit::Runtime test(options());
  auto run = test.session(thrifty, "s").start(1).value();
  test.advance(1h);
  EXPECT_EQ(far_.trace, (Lines{"ask 0 #1", "ask 0 #2"}));
  EXPECT_EQ(disk_of(test).head(run.id()).code, pd::Code::over_budget);
  EXPECT_EQ(spending(run).used.tokens, 200);
}

TEST_P(BudgetTest, ChargesNothingForWhatWasRefused) {
  far_.mode = 4;
  kit::Runtime test(options());
  auto run = test.session(thrifty, "s").start(1).value();
  test.advance(1h);
  EXPECT_EQ(run.wait().error().code, pd::Code::overloaded);
  EXPECT_EQ(spending(run).used, pd::Cost{});
  EXPECT_EQ(spending(run).attempts, 3);
}

TEST_P(BudgetTest, CountsMoreThanWasSetAside) {
  far_.mode = 6;
  kit::Runtime test(options());
  auto run = test.session(thrifty, "s").start(2).value();
  test.run_until_idle();
  EXPECT_EQ(far_.trace, Lines{"ask 0 #1"});
  EXPECT_EQ(spending(run).used.tokens, 400);
  EXPECT_EQ(disk_of(test).head(run.id()).code, pd::Code::over_budget);
}

TEST_P(BudgetTest, CanFailTheStepInsteadOfParking) {
  kit::Runtime test(options());
  auto run = test.session(graceful, "s").start(5).value();
  EXPECT_EQ(run.wait().value(), 1002);
  const auto records = disk_of(test).records(run.id());
  ASSERT_FALSE(records.empty());
  EXPECT_EQ(records[records.size() - 2], "step_result 3 'ask 2' over_budget");
}

TEST_P(BudgetTest, OfARunWithoutLimitsIsCountedAllTheSame) {
  kit::Runtime test(options());
  auto run = test.session(unlimited, "s").start(4).value();
  EXPECT_EQ(run.wait().value(), 4);
  const pd::Spending spent = spending(run);
  EXPECT_EQ(spent.used.tokens, 400);
  EXPECT_FALSE(spent.limits.is_limited());
  EXPECT_EQ(spent.draws_on, std::vector<pd::RunId>{});
  expect_sound(test);
}

TEST_P(BudgetTest, OfARunThatDidNotBeginIsNotThere) {
  kit::Runtime test(options());
  const pd::Handler handler = std::get<0>(thrifty.handlers);
  auto run = test.session(thrifty, "s").send(handler, 1, {.delay = 1h}).value();
  EXPECT_EQ(run.spending().error().code, pd::Code::not_found);
  test.advance(2h);
  EXPECT_EQ(spending(run).used.tokens, 100);
}

// --- Steps -------------------------------------------------------------------------------------

pd::Task<int> stepping(pd::Context& ctx, int steps) {
  for (int i = 0; i < steps; ++i)
    co_await ctx.step("think",
                      [](pd::Step& step) {
                        far_side->trace.push_back("think");
                        step.charge({.gpu_time = 300ms});
                      },
                      {.cost_max = {.gpu_time = 1s}});
  co_return steps;
}
inline constexpr pd::Agent stepper{"stepper",
                                   pd::Handler{"run", &stepping, {.budget = {.gpu_time = 2s}}}};

TEST_P(BudgetTest, IsForStepsToo) {
  kit::Runtime test(options());
  auto run = test.session(stepper, "s").start(9).value();
  test.run_until_idle();
  // 0.3, 0.6, 0.9, 1.2 s used, and 1 s more may be.
  EXPECT_EQ(far_.count("think"), 4U);
  EXPECT_EQ(spending(run).used.gpu_time, 1200ms);
  EXPECT_TRUE(contains(disk_of(test).head(run.id()).reason,
                       "(GPU time: 1.200 s used of 2 s, and the attempt may use 1 s)"))
      << disk_of(test).head(run.id()).reason;
}

pd::Task<int> counting(pd::Context& ctx, int steps) {
  for (int i = 0; i < steps; ++i)
    co_await ctx.step("count",
                      [](pd::Step& step) -> pd::Result<void> {
                        far_side->trace.push_back("count");
                        if (far_side->mode == 1 && step.attempt() == 1)
                          return pd::Error{pd::Code::user, "again"};
                        return pd::success();
                      },
                      {.retry = kEven});
  co_return steps;
}
inline constexpr pd::Agent counter{"counter",
                                   pd::Handler{"run", &counting, {.budget = {.attempts = 3}}}};

TEST_P(BudgetTest, LimitsAttempts) {
  kit::Runtime test(options());
  auto run = test.session(counter, "s").start(9).value();
  test.run_until_idle();
  EXPECT_EQ(far_.count("count"), 3U);
  EXPECT_EQ(spending(run).attempts, 3);
  EXPECT_TRUE(contains(disk_of(test).head(run.id()).reason,
                       "(attempts: 3 used of 3, and the attempt may use 1)"))
      << disk_of(test).head(run.id()).reason;
}

TEST_P(BudgetTest, LimitsAttemptsThatAreTriedAgain) {
  far_.mode = 1;
  kit::Runtime test(options());
  auto run = test.session(counter, "s").start(9).value();
  test.advance(1h);
  EXPECT_EQ(far_.count("count"), 3U);
  EXPECT_EQ(spending(run).attempts, 3);
}

pd::Task<int> lasting(pd::Context& ctx, int) {
  co_await ctx.step("first", [](pd::Step&) { far_side->trace.push_back("first"); });
  co_await ctx.sleep(59min);
  co_await ctx.step("second", [](pd::Step&) { far_side->trace.push_back("second"); });
  co_await ctx.sleep(1min);
  co_await ctx.step("third", [](pd::Step&) { far_side->trace.push_back("third"); });
  co_return 3;
}
inline constexpr pd::Agent laster{"laster",
                                  pd::Handler{"run", &lasting, {.budget = {.wall_time = 1h}}}};

TEST_P(BudgetTest, LimitsTheTimeInWhichAttemptsBegin) {
  kit::Runtime test(options());
  auto run = test.session(laster, "s").start(0).value();
  test.advance(2h);
  EXPECT_EQ(far_.trace, (Lines{"first", "second"}));
  EXPECT_TRUE(contains(disk_of(test).head(run.id()).reason, "(wall time: 3600 s have passed)"))
      << disk_of(test).head(run.id()).reason;
}

}  // namespace
}  // namespace perdure::test
