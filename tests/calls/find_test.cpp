/// Queryable tools: nobody runs one again without having asked.
#include "tests/calls/call_fixture.hpp"

namespace perdure::test {
namespace {

/// What the next attempts do, in order; the last one goes on for ever.
enum class Does : std::uint8_t {
  value,        ///< It happens, and says so.
  fail_before,  ///< It fails, and nothing happened; it does not know.
  fail_after,   ///< It happens, and fails.
  refuse,       ///< It fails, and knows that nothing happened.
  die_before,   ///< The process dies first,
  die_after,    ///< or behind the effect.
};
struct Script {
  std::vector<Does> attempts;
  /// What find says, in order; the last goes on. v: looks; n: not yet; t: throws; e: an error.
  std::string finds = "v";
  std::size_t attempt = 0;
  std::size_t find = 0;
};
Script* script = nullptr;

pd::Result<Receipt> pay_function(pd::Step& step, const Order&) {
  far_side->trace.push_back("pay #" + std::to_string(step.attempt()));
  const Does does = script->attempts[std::min(script->attempt++, script->attempts.size() - 1)];
  const pd::Error broken{pd::Code::user, "the line broke", true};
  switch (does) {
    case Does::value: return far_side->do_it(step);
    case Does::fail_before: return broken;
    case Does::fail_after: (void)far_side->do_it(step); return broken;
    case Does::refuse: return pd::Error{pd::Code::overloaded, "come again"};
    case Does::die_before: die(*far_side->test); return broken;
    case Does::die_after: {
      const Receipt receipt = far_side->do_it(step);
      die(*far_side->test);
      return receipt;
    }
  }
  return broken;
}
pd::Result<pd::Finding<Receipt>> find_payment(pd::Step& step, const Order& order) {
  far_side->trace.push_back("find #" + std::to_string(step.attempt()) + " " + order.item);
  const char says = script->finds[std::min(script->find++, script->finds.size() - 1)];
  if (says == 'n') return pd::not_yet_known;
  if (says == 't') throw std::runtime_error("find is broken");
  if (says == 'e') return pd::Error{pd::Code::user, "no line"};
  const auto found = far_side->done.find(step.key());
  if (found == far_side->done.end()) return pd::never_will_be;
  return found->second;
}
inline constexpr pd::Tool pay{
    "pay",
    &pay_function,
    {.effect = pd::Effect::queryable, .retry = kEven, .find = &find_payment, .find_within = 10s}};
inline constexpr pd::Tool settling{"settling",
                                   &pay_function,
                                   {.effect = pd::Effect::queryable,
                                    .retry = kEven,
                                    .settle_time = 5s,
                                    .find = &find_payment,
                                    .find_within = 1s}};

pd::Task<std::string> payer_handler(pd::Context& ctx, int) {
  const auto paid = co_await pd::as_result(ctx.call(pay, {"bread"}));
  co_return paid.has_value() ? paid.assume_value().id : paid.error().to_string();
}
inline constexpr pd::Agent payer{"payer", &payer_handler};
pd::Task<std::string> settler_handler(pd::Context& ctx, int) {
  const auto paid = co_await pd::as_result(ctx.call(settling, {"bread"}));
  co_return paid.has_value() ? paid.assume_value().id : paid.error().to_string();
}
inline constexpr pd::Agent settler{"settler", &settler_handler};

class FindTest : public CallFixture {
 protected:
  FindTest() { script = &script_; }
  ~FindTest() override { script = nullptr; }
  template <class A>
  std::string outcome(const A& agent, std::vector<Does> attempts, std::string finds = "v") {
    script_ = {std::move(attempts), std::move(finds)};
    test_.emplace(options());
    far_.test = &*test_;
    auto run = test_->session(agent, "s").start(0).value();
    for (int i = 0; i < 200 && !run.result(); ++i) {
      test_->run_until_idle();
      test_->advance(100ms);
    }
    records_ = disk_of(*test_).records(run.id());
    EXPECT_TRUE(disk_of(*test_).due().empty());
    return run.wait().value();
  }
  Script script_;
  std::optional<kit::Runtime> test_;
  Lines records_;
};
PERDURE_TEST_FRAMES(FindTest);

TEST_P(FindTest, IsNotAskedAboutWhatIsKnown) {
  EXPECT_EQ(outcome(payer, {Does::value}), "r1");
  EXPECT_EQ(far_.trace, Lines{"pay #1"});
  EXPECT_EQ(records_, (Lines{"run_created", "step_started 1 'pay' #1", "step_result 1 'pay' ok",
                             "run_ended ok"}));
}

TEST_P(FindTest, IsNotAskedAboutWhatWasRefused) {
  EXPECT_EQ(outcome(payer, {Does::refuse, Does::value}), "r1");
  EXPECT_EQ(far_.trace, (Lines{"pay #1", "pay #2"}));
}

TEST_P(FindTest, GivesWhatHappenedBeforeAFailure) {
  EXPECT_EQ(outcome(payer, {Does::fail_after}), "r1");
  EXPECT_EQ(far_.trace, (Lines{"pay #1", "find #1 bread"}));
}

TEST_P(FindTest, LetsAnotherAttemptBeginThatHappens) {
  EXPECT_EQ(outcome(payer, {Does::fail_before, Does::value}), "r1");
  EXPECT_EQ(far_.trace, (Lines{"pay #1", "find #1 bread", "pay #2"}));
}

TEST_P(FindTest, DoesNotGiveMoreAttemptsThanThePolicy) {
  EXPECT_EQ(outcome(payer, {Does::fail_before}), "user: the line broke");
  EXPECT_EQ(far_.count("find #3 bread"), 1U);
  EXPECT_EQ(far_.trace.size(), 6U);
}

TEST_P(FindTest, IsAskedAfterACrash) {
  EXPECT_EQ(outcome(payer, {Does::die_after}), "r1");
  EXPECT_EQ(far_.trace, (Lines{"pay #1", "find #1 bread"}));
  EXPECT_EQ(far_.effects.size(), 1U);
}

TEST_P(FindTest, IsAskedAfterACrashBeforeTheEffect) {
  EXPECT_EQ(outcome(payer, {Does::die_before, Does::value}), "r1");
  EXPECT_EQ(far_.trace, (Lines{"pay #1", "find #1 bread", "pay #2"}));
  EXPECT_EQ(far_.effects.size(), 1U);
}

TEST_P(FindTest, IsAskedAgainUntilItKnows) {
  EXPECT_EQ(outcome(payer, {Does::die_after}, "nntev"), "r1");
  EXPECT_EQ(far_.count("find #1 bread"), 5U);
  EXPECT_EQ(far_.effects.size(), 1U);
  const auto log = test_->log();
  EXPECT_TRUE(std::ranges::any_of(log, [](const kit::LogLine& line) {
    return line.event == "find_failed" && contains(line.message, "find is broken");
  }));
}

TEST_P(FindTest, ThatNeverKnowsIsOutcomeUnknown) {
  EXPECT_TRUE(contains(outcome(payer, {Does::fail_after}, "n"), "outcome_unknown: nobody knows"));
  EXPECT_EQ(far_.count("pay #1"), 1U);
  EXPECT_EQ(far_.count("pay #2"), 0U);
}

TEST_P(FindTest, ThatThrowsForEverSaysSo) {
  const std::string outcome_text = outcome(payer, {Does::fail_after}, "t");
  EXPECT_TRUE(contains(outcome_text, "outcome_unknown")) << outcome_text;
  EXPECT_TRUE(contains(outcome_text, "find is broken")) << outcome_text;
}

TEST_P(FindTest, ThatFindsNothingWhenAllHasSettledKnowsThatItNeverWas) {
  EXPECT_EQ(outcome(settler, {Does::fail_before, Does::value}, "n"), "r1");
  EXPECT_EQ(far_.count("pay #2"), 1U);
}

TEST_P(FindTest, IsNotBelievedBeforeAllHasSettled) {
  script_ = {{Does::fail_before, Does::value}, "n"};
  test_.emplace(options());
  auto run = test_->session(settler, "s").start(0).value();
  test_->advance(4999ms);
  EXPECT_EQ(far_.count("pay #2"), 0U);
  test_->advance(200ms);
  EXPECT_EQ(run.wait().value(), "r1");
}

TEST_P(FindTest, ToolsThatCrashTheProcessAreSuspectedAllTheSame) {
  script_ = {{Does::die_before}, "v"};
  test_.emplace(options());
  far_.test = &*test_;
  auto run = test_->session(payer, "s").start(0).value();
  for (int i = 0; i < 10; ++i) test_->advance(1s);
  EXPECT_EQ(far_.count("pay #1") + far_.count("pay #2") + far_.count("pay #3"), 3U);
  EXPECT_TRUE(contains(test_->explain(run.id()).value(), "suspected_crash"))
      << test_->explain(run.id()).value();
}

TEST_P(FindTest, EachEffectHappensOnceWhereverTheProcessDies) {
  for (const Does first : {Does::value, Does::fail_before, Does::fail_after, Does::refuse}) {
    const auto scenario = [&](kit::Runtime& test) {
      far_ = FarSide{};
      script_ = {{first, Does::value}, "nv"};
      auto run = test.session(payer, "s").start(0).value();
      for (int i = 0; i < 20; ++i) test.advance(1s);
      const std::string reply = run.wait().value();
      EXPECT_EQ(far_.effects.size(), 1U) << reply;
      return reply;
    };
    const kit::CrashReport report =
        kit::crash_everywhere({.runtime = options(), .second_within = 3}, scenario);
    EXPECT_TRUE(report.ok()) << to_string(report);
  }
}

}  // namespace
}  // namespace perdure::test
