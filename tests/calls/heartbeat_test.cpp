/// Heartbeats: silence is loss, and what was reported the next attempt reads.
#include "tests/calls/call_fixture.hpp"

namespace perdure::test {
namespace {

std::vector<std::pair<pd::Step, pd::Completion<int>>>* attempts = nullptr;

void trains_function(pd::Step step, int, pd::Completion<int> completion) {
  far_side->trace.push_back("#" + std::to_string(step.attempt()) + " from " +
                            std::to_string(step.last_heartbeat<int>().value_or(0)));
  attempts->emplace_back(std::move(step), std::move(completion));
}
inline constexpr pd::Tool trains{
    "trains", &trains_function, {.retry = kEven, .heartbeat_timeout = 10s}};
pd::Task<int> trainer_handler(pd::Context& ctx, int input) {
  co_return co_await ctx.call(trains, input);
}
inline constexpr pd::Agent trainer{"trainer", &trainer_handler};
pd::Task<std::string> lambda_handler(pd::Context& ctx, int) {
  const auto beat = co_await pd::as_result(
      ctx.step("beats", [](pd::Step& step) -> pd::Result<void> { return step.heartbeat(1); }));
  co_return beat.error().to_string();
}
inline constexpr pd::Agent lambda{"lambda", &lambda_handler};

class HeartbeatTest : public CallFixture {
 protected:
  HeartbeatTest() { attempts = &attempts_; }
  ~HeartbeatTest() override { attempts = nullptr; }
  std::vector<std::pair<pd::Step, pd::Completion<int>>> attempts_;
};
PERDURE_TEST_FRAMES(HeartbeatTest);

TEST_P(HeartbeatTest, KeepAnAttemptAlive) {
  kit::Runtime test(options());
  auto run = test.session(trainer, "s").start(0).value();
  for (int i = 0; i < 10; ++i) {
    test.advance(9s);
    EXPECT_TRUE(attempts_.at(0).first.heartbeat(i).has_value());
  }
  EXPECT_TRUE(attempts_.at(0).second(7).has_value());
  EXPECT_EQ(run.wait().value(), 7);
  EXPECT_EQ(far_.trace, Lines{"#1 from 0"});
}

TEST_P(HeartbeatTest, ThatStopDeclareTheAttemptLost) {
  kit::Runtime test(options());
  auto run = test.session(trainer, "s").start(0).value();
  test.advance(9s);
  EXPECT_TRUE(attempts_.at(0).first.heartbeat(41).has_value());
  EXPECT_TRUE(attempts_.at(0).first.heartbeat(42).has_value());
  EXPECT_TRUE(attempts_.at(0).first.heartbeat().has_value());
  test.advance(10s + 100ms);
  EXPECT_EQ(far_.trace, (Lines{"#1 from 0", "#2 from 42"}));
  // The lost one hears of it when it comes to itself.
  const pd::Code why = GetParam() == kit::Frames::kept ? pd::Code::timeout : pd::Code::closed;
  EXPECT_EQ(attempts_.at(0).first.heartbeat(99).error().code, why);
  EXPECT_EQ(attempts_.at(0).second(1).error().code, why);
  EXPECT_TRUE(attempts_.at(1).second(2).has_value());
  EXPECT_EQ(run.wait().value(), 2);
}

TEST_P(HeartbeatTest, CarryProgressToTheNextProcess) {
  for (const kit::End end : {kit::End::clean, kit::End::unclean}) {
    far_.trace.clear();
    attempts_.clear();
    kit::Runtime test(options());
    auto run = test.session(trainer, "s").start(0).value();
    test.run_until_idle();
    EXPECT_TRUE(attempts_.at(0).first.heartbeat(16).has_value());
    EXPECT_TRUE(attempts_.at(0).first.heartbeat(17).has_value());
    // The second was told too soon after the first to be recorded at once.
    test.advance(200ms);
    test.restart(end);
    test.run_until_idle();
    EXPECT_EQ(far_.trace, (Lines{"#1 from 0", "#2 from 17"}));
    EXPECT_TRUE(attempts_.at(1).second(1).has_value());
    EXPECT_EQ(run.wait().value(), 1);
  }
}

TEST_P(HeartbeatTest, TellAnAttemptThatItIsAskedToStop) {
  kit::Runtime test(options());
  auto run = test.session(trainer, "s").start(0).value();
  test.run_until_idle();
  EXPECT_TRUE(run.cancel().has_value());
  test.run_until_idle();
  EXPECT_EQ(attempts_.at(0).first.heartbeat(1).error().code, pd::Code::cancelled);
  EXPECT_TRUE(attempts_.at(0).second(pd::Error{pd::Code::cancelled, "stopped"}).has_value());
  EXPECT_EQ(run.wait().error().code, pd::Code::cancelled);
}

TEST_P(HeartbeatTest, AreNotForLambdas) {
  kit::Runtime test(options());
  EXPECT_TRUE(contains(test.session(lambda, "s").start(0).value().wait().value(),
                       "misuse: a heartbeat of step 'beats', which is a lambda"));
}

TEST_P(HeartbeatTest, OfMoreThanTheLimitAreRefused) {
  kit::Runtime test(options());
  (void)test.session(trainer, "s").start(0).value();
  test.run_until_idle();
  const auto beat = attempts_.at(0).first.heartbeat(std::string(70'000, 'x'));
  EXPECT_EQ(beat.error().code, pd::Code::too_large);
  EXPECT_TRUE(contains(beat.error().message, "write a blob"));
}

TEST_P(HeartbeatTest, OfAnotherTypeAreNoProgress) {
  kit::Runtime test(options());
  (void)test.session(trainer, "s").start(0).value();
  test.run_until_idle();
  EXPECT_TRUE(attempts_.at(0).first.heartbeat(std::string("page 3")).has_value());
  test.advance(10s + 100ms);
  EXPECT_EQ(far_.trace.back(), "#2 from 0");
}

}  // namespace
}  // namespace perdure::test
