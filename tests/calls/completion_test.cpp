/// Completion-style tools: ended from anywhere, once.
#include "tests/calls/call_fixture.hpp"

namespace perdure::test {
namespace {

struct Waiting {
  std::optional<pd::Completion<Receipt>> completion;
  std::optional<pd::Step> step;
};
std::vector<Waiting>* waiting = nullptr;

void later_function(pd::Step step, Order order, pd::Completion<Receipt> completion) {
  far_side->trace.push_back("later " + order.item + " #" + std::to_string(step.attempt()));
  if (far_side->mode == 1) return;  // Nobody has the completion any more.
  if (far_side->mode == 2) throw std::runtime_error("no socket");
  waiting->push_back({std::move(completion), std::move(step)});
}
inline constexpr pd::Tool later{
    "later", &later_function, {.effect = pd::Effect::keyed, .retry = kEven, .timeout = 30s}};

pd::Task<std::string> waiter_handler(pd::Context& ctx, std::string item) {
  const auto receipt = co_await pd::as_result(ctx.call(later, {item}));
  co_return receipt.has_value() ? receipt.assume_value().id : receipt.error().to_string();
}
inline constexpr pd::Agent waiter{"waiter", &waiter_handler};

pd::Task<std::string> many_handler(pd::Context& ctx, int count) {
  std::vector<int> numbers(static_cast<std::size_t>(count));
  auto ids = co_await ctx.map(std::move(numbers),
                              [&ctx](int&) { return ctx.call(later, {"one of many"}); });
  std::string text;
  for (const Receipt& receipt : ids) text += receipt.id;
  co_return text;
}
inline constexpr pd::Agent many{"many", &many_handler};

class CompletionTest : public CallFixture {
 protected:
  CompletionTest() { waiting = &waiting_; }
  ~CompletionTest() override { waiting = nullptr; }
  std::vector<Waiting> waiting_;
};
PERDURE_TEST_FRAMES(CompletionTest);

TEST_P(CompletionTest, EndsTheCallWhenSomebodyCallsIt) {
  kit::Runtime test(options());
  auto run = test.session(waiter, "s").start("a").value();
  test.run_until_idle();
  EXPECT_FALSE(run.result());
  ASSERT_EQ(waiting_.size(), 1U);
  EXPECT_TRUE((*waiting_[0].completion)(Receipt{"done"}).has_value());
  EXPECT_EQ(run.wait().value(), "done");
  EXPECT_EQ(test.steps().at(0).outcome, kit::StepOutcome::value);
}

TEST_P(CompletionTest, SaysThatTheSecondOneIsTooMany) {
  kit::Runtime test(options());
  auto run = test.session(waiter, "s").start("a").value();
  test.run_until_idle();
  EXPECT_TRUE((*waiting_.at(0).completion)(Receipt{"first"}).has_value());
  const auto second = (*waiting_.at(0).completion)(Receipt{"second"});
  EXPECT_EQ(second.error().code, pd::Code::misuse);
  EXPECT_TRUE(contains(second.error().message, "attempt 1 of 'later' was completed before"));
  EXPECT_EQ(run.wait().value(), "first");
}

TEST_P(CompletionTest, ThatIsLetGoOfFailsTheCallWithoutAnotherAttempt) {
  far_.mode = 1;
  kit::Runtime test(options());
  auto run = test.session(waiter, "s").start("a").value();
  EXPECT_TRUE(contains(run.wait().value(), "misuse: the tool let go of its completion"));
  EXPECT_EQ(far_.trace.size(), 1U);
}

TEST_P(CompletionTest, OfAFunctionThatThrowsFailsAsException) {
  far_.mode = 2;
  kit::Runtime test(options());
  auto run = test.session(waiter, "s").start("a").value();
  test.advance(1s);
  EXPECT_TRUE(contains(run.wait().value(), "exception: the tool's function threw: no socket"));
  EXPECT_EQ(far_.trace.size(), 3U);
}

TEST_P(CompletionTest, AfterTheTimeoutIsDiscardedAndLogged) {
  kit::Runtime test(options());
  auto run = test.session(waiter, "s").start("a").value();
  test.advance(30s + 100ms);
  ASSERT_EQ(waiting_.size(), 2U);
  EXPECT_TRUE(waiting_[0].step->stop_requested());
  EXPECT_FALSE(waiting_[1].step->stop_requested());
  const auto late = (*waiting_[0].completion)(Receipt{"late"});
  // Where the process was replaced meanwhile, that is the reason.
  const bool same_process = GetParam() == kit::Frames::kept;
  EXPECT_EQ(late.error().code, same_process ? pd::Code::timeout : pd::Code::closed);
  EXPECT_TRUE((*waiting_[1].completion)(Receipt{"in time"}).has_value());
  EXPECT_EQ(run.wait().value(), "in time");
  const auto log = test.log();
  EXPECT_EQ(std::ranges::any_of(log,
                                [](const kit::LogLine& line) {
                                  return line.event == "late_completion" &&
                                         line.session == "waiter/s" &&
                                         contains(line.message,
                                                  "attempt 1 of 'later' ended after it was given "
                                                  "up (its timeout)");
                                }),
            same_process);
}

TEST_P(CompletionTest, AfterTheRuntimeHasEndedSaysSo) {
  {
    kit::Runtime test(options());
    (void)test.session(waiter, "s").start("a").value();
    test.run_until_idle();
    test.restart();
    test.run_until_idle();
    // The next process does not know of the first one's attempt.
    const auto late = (*waiting_.at(0).completion)(Receipt{"late"});
    EXPECT_EQ(late.error().code, pd::Code::closed);
    EXPECT_EQ(waiting_.at(0).step->heartbeat().error().code, pd::Code::closed);
    ASSERT_EQ(waiting_.size(), 2U);
  }
  EXPECT_EQ((*waiting_.at(1).completion)(Receipt{"late"}).error().code, pd::Code::closed);
}

TEST_P(CompletionTest, ManyWaitSideBySide) {
  kit::Runtime test(options());
  auto run = test.session(many, "s").start(300).value();
  test.run_until_idle();
  ASSERT_EQ(waiting_.size(), 300U);
  for (std::size_t i = waiting_.size(); i-- > 0;)
    EXPECT_TRUE((*waiting_[i].completion)(Receipt{std::to_string(i % 10)}).has_value());
  std::string expected;
  for (int i = 0; i < 300; ++i) expected += std::to_string(i % 10);
  EXPECT_EQ(run.wait().value(), expected);
}

TEST_P(CompletionTest, OfARunThatWasKilledIsNobodys) {
  kit::Runtime test(options());
  auto run = test.session(waiter, "s").start("a").value();
  test.run_until_idle();
  EXPECT_TRUE(run.kill().has_value());
  test.run_until_idle();
  EXPECT_TRUE(waiting_.at(0).step->stop_requested());
  // Nothing of the run is kept for it.
  const auto late = (*waiting_.at(0).completion)(Receipt{"late"});
  ASSERT_TRUE(late.has_error());
  if (GetParam() == kit::Frames::kept) {
    EXPECT_TRUE(contains(late.error().message, "was given up (the end of its run)"))
        << late.error().message;
  }
  test.run_until_idle();
  EXPECT_EQ(run.wait().error().code, pd::Code::cancelled);
}

}  // namespace
}  // namespace perdure::test
