/// Calls of tools: values, failures, retries, replay, replacement.
#include "tests/calls/call_fixture.hpp"

namespace perdure::test {
namespace {

pd::Result<Receipt> buy_function(pd::Step& step, const Order& order) {
  far_side->trace.push_back("buy " + order.item + " #" + std::to_string(step.attempt()));
  if (far_side->mode == 1) return pd::Error{pd::Code::refused, "sold out"};
  if (far_side->mode == 2 && step.attempt() < 3) return pd::Error{pd::Code::overloaded, "later"};
  if (far_side->mode == 3) throw std::runtime_error("the wire broke");
  if (far_side->mode == 4) return pd::Error{pd::Code::context_overflow, "too many tokens"};
  if (far_side->mode == 5 && step.attempt() == 1)
    return pd::Error{pd::Code::rate_limited, "slow down", {}, 7s};
  return far_side->do_once(step);
}
pd::Result<void> notify_function(pd::Step& step, std::string text) {
  far_side->trace.push_back("notify " + text);
  (void)far_side->do_once(step);
  return pd::success();
}
inline constexpr pd::Tool buy{"buy", &buy_function, {.effect = pd::Effect::keyed, .retry = kEven}};
inline constexpr pd::Tool notify{"notify", &notify_function};

pd::Task<std::string> shop_handler(pd::Context& ctx, std::string item) {
  const Receipt receipt = co_await ctx.call(buy, {item});
  co_await ctx.call(notify, "bought " + receipt.id);
  co_return receipt.id;
}
inline constexpr pd::Agent shop{"shop", &shop_handler};

pd::Task<std::string> both_handler(pd::Context& ctx, int) {
  auto both = co_await ctx.all(ctx.call(buy, {"a"}, {.name = "buy the first"}),
                               ctx.call(buy, {"b"}, {.name = "buy the second"}));
  co_return std::get<0>(both).id + std::get<1>(both).id;
}
inline constexpr pd::Agent both{"both", &both_handler};

pd::Task<std::string> stubborn_handler(pd::Context& ctx, int) {
  const auto receipt = co_await pd::as_result(ctx.call(buy, {"x"}, {.retry = {.attempts_max = 1}}));
  co_return receipt.has_value() ? receipt.assume_value().id : receipt.error().to_string();
}
inline constexpr pd::Agent stubborn{"stubborn", &stubborn_handler};

class CallTest : public CallFixture {};
PERDURE_TEST_FRAMES(CallTest);

TEST_P(CallTest, GivesTheValueAndRecordsItOnce) {
  kit::Runtime test(options());
  auto run = test.session(shop, "s").start("book").value();
  EXPECT_EQ(run.wait().value(), "r1");
  EXPECT_EQ(far_.trace, (Lines{"buy book #1", "notify bought r1"}));
  EXPECT_EQ(disk_of(test).records(run.id()), (Lines{"run_created", "step_result 1 'buy' ok",
                                                    "step_result 2 'notify' ok", "run_ended ok"}));
}

TEST_P(CallTest, HasTheToolsNameInItsKeyUnlessTheCallGivesOne) {
  kit::Runtime test(options());
  auto run = test.session(both, "s").start(0).value();
  EXPECT_TRUE(run.wait().has_value());
  const std::string id = to_string(run.id());
  ASSERT_EQ(far_.effects.size(), 2U);
  EXPECT_EQ(far_.effects[0], id + "/1.0/buy%20the%20first");
  EXPECT_EQ(far_.effects[1], id + "/1.1/buy%20the%20second");
}

TEST_P(CallTest, FailsWithWhatTheToolSaid) {
  far_.mode = 1;
  kit::Runtime test(options());
  auto run = test.session(shop, "s").start("book").value();
  EXPECT_EQ(run.wait().error().to_string(), "refused: sold out");
  EXPECT_EQ(far_.trace, Lines{"buy book #1"});
}

TEST_P(CallTest, IsTriedAgainByTheToolsPolicy) {
  far_.mode = 2;
  kit::Runtime test(options());
  auto run = test.session(shop, "s").start("book").value();
  test.advance(299ms);
  EXPECT_EQ(far_.count("buy book #3"), 0U);
  test.advance(1ms);
  EXPECT_EQ(far_.count("buy book #3"), 1U);
  EXPECT_EQ(run.wait().value(), "r1");
}

/// The run is loaded for an attempt that is due; that must not hurry the one behind it.
TEST_P(CallTest, IsTriedAgainAtItsTimesInANewProcess) {
  far_.mode = 2;
  kit::Runtime test(options());
  auto run = test.session(shop, "s").start("book").value();
  test.run_until_idle();
  test.restart(kit::End::unclean, {.down_for = 1s});
  test.run_until_idle();
  EXPECT_EQ(far_.count("buy book #2"), 1U);
  test.advance(199ms);
  EXPECT_EQ(far_.count("buy book #3"), 0U);
  test.advance(1ms);
  EXPECT_EQ(far_.count("buy book #3"), 1U);
  EXPECT_EQ(run.wait().value(), "r1");
}

TEST_P(CallTest, MayChangeThePolicyForItself) {
  far_.mode = 2;
  kit::Runtime test(options());
  auto run = test.session(stubborn, "s").start(0).value();
  EXPECT_EQ(run.wait().value(), "overloaded: later");
}

TEST_P(CallTest, ThatThrewFailsAsException) {
  far_.mode = 3;
  kit::Runtime test(options());
  auto run = test.session(stubborn, "s").start(0).value();
  EXPECT_TRUE(contains(run.wait().value(), "exception: the tool's function threw: the wire broke"));
}

TEST_P(CallTest, WithMoreThanAModelsContextIsNeverTriedAgain) {
  far_.mode = 4;
  kit::Runtime test(options());
  auto run = test.session(shop, "s").start("book").value();
  EXPECT_EQ(run.wait().error().code, pd::Code::context_overflow);
  EXPECT_EQ(far_.trace.size(), 1U);
}

TEST_P(CallTest, WaitsAsLongAsAFarSideAsksForThatIsRateLimited) {
  far_.mode = 5;
  kit::Runtime test(options());
  auto run = test.session(shop, "s").start("book").value();
  test.advance(6999ms);
  EXPECT_EQ(far_.trace.size(), 1U);
  test.advance(1ms);
  EXPECT_EQ(run.wait().value(), "r1");
}

TEST_P(CallTest, IsReplacedByTypeInTests) {
  kit::Runtime test(options());
  test.replace(buy, [](pd::Step& step, const Order& order) -> pd::Result<Receipt> {
    return Receipt{"fake " + order.item, step.attempt()};
  });
  auto run = test.session(shop, "s").start("book").value();
  EXPECT_EQ(run.wait().value(), "fake book");
  test.restore(buy);
  EXPECT_EQ(test.session(shop, "t").start("pen").value().wait().value(), "r2");
  EXPECT_EQ(test.times("buy"), 2U);
}

TEST_P(CallTest, CanBeServedWithStateOfTheProgram) {
  static constexpr pd::Tool<Order, Receipt> declared{"buy", {.effect = pd::Effect::keyed}};
  Lines seen;
  kit::Runtime test(options());
  test.serve(declared.by([&seen](pd::Step& step, const Order& order) -> pd::Result<Receipt> {
    seen.push_back(order.item);
    return Receipt{"c", step.attempt()};
  }));
  EXPECT_EQ(test.session(shop, "s").start("book").value().wait().value(), "c");
  EXPECT_EQ(seen, Lines{"book"});
}

TEST_P(CallTest, SurvivesACrashAtEveryCommit) {
  const auto scenario = [this](kit::Runtime& test) {
    far_ = FarSide{};
    return test.session(shop, "s").start("book").value().wait().value();
  };
  const kit::CrashReport report =
      kit::crash_everywhere({.runtime = options(), .second_within = 4}, scenario);
  EXPECT_TRUE(report.ok()) << to_string(report);
  EXPECT_GT(report.crashes, 6U);
}

}  // namespace
}  // namespace perdure::test
