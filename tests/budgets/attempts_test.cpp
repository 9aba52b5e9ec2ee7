/// Attempts that nobody lives to tell of, and crashes anywhere.
#include <perdure/testing_crashes.hpp>

#include "tests/budgets/budget_fixture.hpp"

namespace perdure::test {
namespace {

pd::Task<std::string> stalling(pd::Context& ctx, std::string question) {
  co_return co_await ctx.call(stall, question);
}
inline constexpr pd::Agent staller{"staller",
                                   pd::Handler{"run", &stalling, {.budget = {.tokens = 250}}}};

pd::Task<std::string> stalling_free(pd::Context& ctx, std::string question) {
  co_return co_await ctx.call(stall_free, question);
}
inline constexpr pd::Agent free_staller{
    "free-staller", pd::Handler{"run", &stalling_free, {.budget = {.attempts = 5}}}};

class BudgetAttemptTest : public BudgetFixture {};
PERDURE_TEST_FRAMES(BudgetAttemptTest);

TEST_P(BudgetAttemptTest, IsSetAsideWhileItRuns) {
  kit::Runtime test(options());
  auto run = test.session(staller, "s").start("why").value();
  test.run_until_idle();
  EXPECT_EQ(spending(run).reserved, kMost);
  EXPECT_EQ(spending(run).attempts_reserved, 1);
  EXPECT_EQ(spending(run).used, pd::Cost{});
  EXPECT_TRUE(left_open.at(0)(std::string("because")).has_value());
  EXPECT_EQ(run.wait().value(), "because");
  EXPECT_EQ(spending(run).reserved, pd::Cost{});
  EXPECT_EQ(spending(run).assumed, pd::Cost{});
  EXPECT_EQ(spending(run).used, kMost);
  EXPECT_EQ(spending(run).attempts, 1);
}

TEST_P(BudgetAttemptTest, CountsAsTheMostWhenItsProcessEnds) {
  kit::Runtime test(options());
  auto run = test.session(staller, "s").start("why").value();
  test.run_until_idle();
  test.restart(kit::End::unclean);
  test.run_until_idle();
  EXPECT_EQ(far_.trace, (Lines{"stall why #1", "stall why #2"}));
  EXPECT_EQ(spending(run).assumed, kMost);
  EXPECT_EQ(spending(run).used, kMost);
  EXPECT_EQ(spending(run).reserved, kMost);
  test.restart(kit::End::unclean);
  test.run_until_idle();
  // 200 may have been used, and a third attempt may use 100.
  EXPECT_EQ(far_.trace.size(), 2U);
  EXPECT_EQ(disk_of(test).head(run.id()).code, pd::Code::over_budget);
  expect_sound(test);
}

inline constexpr pd::Agent poor_staller{"poor-staller",
                                        pd::Handler{"run", &stalling, {.budget = {.tokens = 150}}}};

/// It waited for room in between.
TEST_P(BudgetAttemptTest, HasANumberOfItsOwnAlsoWhenTheNextOneHadToWait) {
  kit::Runtime test(options());
  auto run = test.session(poor_staller, "s").start("why").value();
  test.run_until_idle();
  test.restart(kit::End::unclean);
  test.run_until_idle();
  EXPECT_EQ(disk_of(test).head(run.id()).code, pd::Code::over_budget);
  ASSERT_TRUE(run.raise({.tokens = 200}).has_value());
  test.run_until_idle();
  EXPECT_EQ(far_.trace, (Lines{"stall why #1", "stall why #2"}));
  ASSERT_EQ(left_open.size(), 2U);
  EXPECT_TRUE(left_open[1](std::string("because")).has_value());
  EXPECT_EQ(run.wait().value(), "because");
  EXPECT_EQ(spending(run).attempts, 2);
  expect_sound(test);
}

TEST_P(BudgetAttemptTest, CountsAsTheMostWhenItIsAbandoned) {
  kit::Runtime test(options());
  auto run = test.session(staller, "s").start("why").value();
  test.run_until_idle();
  test.restart(kit::End::clean);
  test.run_until_idle();
  EXPECT_EQ(far_.trace, (Lines{"stall why #1", "stall why #1"}));
  EXPECT_EQ(spending(run).used, kMost);
  EXPECT_EQ(spending(run).reserved, kMost);
}

TEST_P(BudgetAttemptTest, CountsAsAnAttemptWhenItsProcessEnds) {
  kit::Runtime test(options());
  auto run = test.session(free_staller, "s").start("why").value();
  test.run_until_idle();
  test.restart(kit::End::unclean);
  test.run_until_idle();
  EXPECT_EQ(far_.trace, (Lines{"stall why #1", "stall why #2"}));
  ASSERT_EQ(left_open.size(), 2U);
  EXPECT_TRUE(left_open[1](std::string("because")).has_value());
  EXPECT_EQ(run.wait().value(), "because");
  EXPECT_EQ(spending(run).attempts, 2);
}

pd::Task<int> one_ends(pd::Context& ctx, int) {
  const auto both =
      co_await ctx.all(ctx.call(stall_free, "a"), ctx.step("quick", [](pd::Step&) { return 1; }));
  co_return std::get<1>(both);
}
inline constexpr pd::Agent half_done{"half-done",
                                     pd::Handler{"run", &one_ends, {.budget = {.attempts = 5}}}};

/// The row was written while it ran.
TEST_P(BudgetAttemptTest, IsCountedOnceWhenItsProcessEnds) {
  kit::Runtime test(options());
  auto run = test.session(half_done, "s").start(0).value();
  test.run_until_idle();
  EXPECT_EQ(spending(run).attempts, 1);
  test.restart(kit::End::unclean);
  test.run_until_idle();
  ASSERT_EQ(left_open.size(), 2U);
  EXPECT_TRUE(left_open[1](std::string("x")).has_value());
  EXPECT_EQ(run.wait().value(), 1);
  EXPECT_EQ(spending(run).attempts, 3);
}

pd::Task<std::string> giving_up(pd::Context& ctx, std::string question) {
  co_return co_await ctx.call(stall, question,
                              {.retry = {.attempts_max = 1}, .timeout = 1s, .cost_max = kHalf});
}
inline constexpr pd::Agent giver_up{"giver-up",
                                    pd::Handler{"run", &giving_up, {.budget = {.tokens = 250}}}};

TEST_P(BudgetAttemptTest, CountsAsTheMostWhenItIsGivenUp) {
  kit::Runtime test(options());
  auto run = test.session(giver_up, "s").start("why").value();
  test.advance(2s);
  EXPECT_EQ(run.wait().error().code, pd::Code::timeout);
  EXPECT_EQ(spending(run).assumed, kHalf);
  EXPECT_EQ(spending(run).used, kHalf);
  EXPECT_TRUE(left_open.at(0)(std::string("late")).has_error());
  EXPECT_EQ(spending(run).used, kHalf);
}

TEST_P(BudgetAttemptTest, CountsAsTheMostWhenItsRunIsKilled) {
  kit::Runtime test(options());
  auto run = test.session(staller, "s").start("why").value();
  test.run_until_idle();
  EXPECT_TRUE(run.kill().has_value());
  EXPECT_EQ(spending(run).used, kMost);
  EXPECT_EQ(spending(run).reserved, pd::Cost{});
  (void)left_open.at(0)(std::string("late"));
  test.run_until_idle();
  EXPECT_EQ(spending(run).used, kMost);
}

inline constexpr pd::Agent careful{"careful",
                                   pd::Handler{"run", &asking, {.budget = {.tokens = 450}}}};

/// What the far side gave is never more than what the budget knows of, wherever the process dies.
TEST_P(BudgetAttemptTest, IsNeverForgottenWhereverTheProcessDies) {
  kit::CrashOptions crash{.runtime = options()};
  crash.second_within = 3;
  const kit::CrashReport report = kit::crash_everywhere(crash, [&](kit::Runtime& test) {
    far_ = {};
    // 200 are needed, and two processes may take 100 each with them.
    auto run = test.session(careful, "s").start(2).value();
    const int done = run.wait().value();
    const auto given = static_cast<std::int64_t>(far_.trace.size()) * 100;
    const pd::Spending spent = run.spending().value();
    EXPECT_LE(given, spent.used.tokens);
    EXPECT_LE(spent.used.tokens, 400);
    EXPECT_EQ(spent.reserved, pd::Cost{});
    return done;
  });
  EXPECT_TRUE(report.ok()) << kit::to_string(report);
  EXPECT_GT(report.crashes, 10U);
}

}  // namespace
}  // namespace perdure::test
