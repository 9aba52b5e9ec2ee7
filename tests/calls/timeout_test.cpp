/// Timeouts of calls: of an attempt, of the queue, of the call as a whole.
#include "tests/calls/call_fixture.hpp"

namespace perdure::test {
namespace {

std::vector<pd::Completion<int>>* kept = nullptr;

void never_function(pd::Step step, int, pd::Completion<int> completion) {
  far_side->trace.push_back("#" + std::to_string(step.attempt()));
  kept->push_back(std::move(completion));
}
pd::Result<int> fails_function(pd::Step& step, int) {
  far_side->trace.push_back("#" + std::to_string(step.attempt()));
  return pd::Error{pd::Code::user, "not now", true};
}
pd::Result<int> slow_function(pd::Step&, int input) {
  if (input == 1) far_side->test->advance(5s);
  far_side->trace.push_back("ran " + std::to_string(input));
  return input;
}
inline constexpr pd::Tool never{"never", &never_function, {.retry = kEven, .timeout = 10s}};
inline constexpr pd::Tool once{
    "once", &never_function, {.effect = pd::Effect::at_most_once, .retry = kEven, .timeout = 10s}};
inline constexpr pd::Tool overall{
    "overall",
    &fails_function,
    {.retry = {.attempts_max = 0, .delay = 1s, .factor = 1, .jitter = 0},
     .overall_timeout = 4500ms}};
inline constexpr pd::Tool overall_waits{
    "overall-waits", &never_function, {.retry = kEven, .timeout = 10s, .overall_timeout = 15s}};
inline constexpr pd::Tool queued{
    "queued", &slow_function, {.retry = {.attempts_max = 1}, .queue_timeout = 2s}};

template <const auto& kTool>
pd::Task<std::string> caller_handler(pd::Context& ctx, int input) {
  const auto got = co_await pd::as_result(ctx.call(kTool, input));
  if (got.has_value()) co_return std::to_string(got.assume_value());
  co_return got.error().to_string() + " / " +
      std::string(pd::to_string(got.error().known_effect()));
}
inline constexpr pd::Agent calls_never{"never", &caller_handler<never>};
inline constexpr pd::Agent calls_once{"once", &caller_handler<once>};
inline constexpr pd::Agent calls_overall{"overall", &caller_handler<overall>};
inline constexpr pd::Agent calls_overall_waits{"overall-waits", &caller_handler<overall_waits>};

pd::Task<std::string> two_handler(pd::Context& ctx, int) {
  auto both =
      co_await ctx.all(pd::as_result(ctx.call(queued, 1)), pd::as_result(ctx.call(queued, 2)));
  co_return std::get<1>(both).has_value() ? "ran" : std::get<1>(both).error().to_string();
}
inline constexpr pd::Agent two{"two", &two_handler};

class CallTimeoutTest : public CallFixture {
 protected:
  CallTimeoutTest() { kept = &kept_; }
  ~CallTimeoutTest() override { kept = nullptr; }
  std::vector<pd::Completion<int>> kept_;
};
PERDURE_TEST_FRAMES(CallTimeoutTest);

TEST_P(CallTimeoutTest, OfAnAttemptGivesItUpAndTriesAgainBesideIt) {
  kit::Runtime test(options());
  auto run = test.session(calls_never, "s").start(0).value();
  test.advance(9999ms);
  EXPECT_EQ(far_.trace, Lines{"#1"});
  test.advance(1ms + 100ms);
  EXPECT_EQ(far_.trace, (Lines{"#1", "#2"}));
  test.advance(1min);
  EXPECT_EQ(run.wait().value(),
            "timeout: attempt 3 of 'never' was given up: it had not ended within its timeout of "
            "10000 ms / unknown");
}

TEST_P(CallTimeoutTest, OfAnAttemptThatMustNotRunTwiceEndsTheCall) {
  kit::Runtime test(options());
  auto run = test.session(calls_once, "s").start(0).value();
  test.advance(1min);
  EXPECT_TRUE(contains(run.wait().value(), "timeout: attempt 1 of 'once'"));
  EXPECT_EQ(far_.trace, Lines{"#1"});
}

TEST_P(CallTimeoutTest, OfTheCallEndsItBeforeAnAttemptThatWouldComeTooLate) {
  kit::Runtime test(options());
  auto run = test.session(calls_overall, "s").start(0).value();
  test.advance(1min);
  EXPECT_EQ(far_.trace.size(), 5U);
  const std::string said = run.wait().value();
  EXPECT_TRUE(contains(said, "timeout: the overall timeout of 4500 ms ends before")) << said;
  EXPECT_TRUE(contains(said, "not now")) << said;
}

TEST_P(CallTimeoutTest, OfTheCallEndsAnAttempt) {
  kit::Runtime test(options());
  auto run = test.session(calls_overall_waits, "s").start(0).value();
  test.advance(14'999ms);
  EXPECT_FALSE(run.result());
  test.advance(1ms);
  EXPECT_EQ(far_.trace, (Lines{"#1", "#2"}));
  EXPECT_TRUE(contains(run.wait().value(), "the overall timeout of 15000 ms has passed"));
}

TEST_P(CallTimeoutTest, OfTheCallIsCountedOnInTheNextProcess) {
  kit::Runtime test(options());
  auto run = test.session(calls_overall, "s").start(0).value();
  test.advance(2500ms);
  EXPECT_EQ(far_.trace.size(), 3U);
  test.restart(kit::End::unclean);
  test.advance(1min);
  EXPECT_EQ(far_.trace.size(), 5U);
  EXPECT_TRUE(contains(run.wait().value(), "the overall timeout"));
}

TEST_P(CallTimeoutTest, OfTheQueueEndsAnAttemptThatNeverBegan) {
  kit::Runtime test(options());
  far_.test = &test;
  auto run = test.session(two, "s").start(0).value();
  const std::string said = run.wait().value();
  EXPECT_TRUE(contains(said, "timeout: attempt 1 of 'queued' was not begun")) << said;
  EXPECT_EQ(far_.trace, Lines{"ran 1"});
}

}  // namespace
}  // namespace perdure::test
