// A user's test of a user's agent: nothing but public headers, and any test framework.
#include <perdure/perdure.hpp>
#include <perdure/testing.hpp>

#include <gtest/gtest.h>

#include <map>

namespace {

namespace pd = perdure;
using namespace std::chrono_literals;

struct Order {
  std::string item;
  int count = 0;
};
PERDURE_DESCRIBE(Order, item, count);

/// The far side, as tests imitate it: it books under a key once, however often it is asked.
struct Bank {
  std::map<std::string, int> booked;
  int down_for_calls = 0;
  pd::Result<std::string> charge(const std::string& key, int cents) {
    if (down_for_calls-- > 0) return pd::Error{pd::Code::user, "the bank is down"};
    return booked.try_emplace(key, cents).first->first;
  }
  [[nodiscard]] int total() const {
    int sum = 0;
    for (const auto& [key, cents] : booked) sum += cents;
    return sum;
  }
};
Bank* bank = nullptr;

pd::Task<std::string> buy(pd::Context& ctx, Order order) {
  const int cents =
      co_await ctx.step("ask the price", [&](pd::Step&) { return order.count * 250; });
  const std::string receipt = co_await ctx.step(
      "charge the card", [&](pd::Step& step) { return bank->charge(step.key(), cents); },
      {.effect = pd::Effect::keyed, .retry = {.attempts_max = 5, .delay = 1min}});
  co_return order.item + ", receipt " + receipt;
}
constexpr pd::Agent shop{"shop", &buy};

class Shop : public ::testing::Test {
 protected:
  Shop() { bank = &bank_; }
  ~Shop() override { bank = nullptr; }
  Bank bank_;
};

TEST_F(Shop, ChargesTheCardOnce) {
  pd::testing::Runtime test;
  auto run = test.session(shop, "order-1").start({.item = "tea", .count = 3}).value();
  EXPECT_TRUE(run.wait().value().starts_with("tea, receipt "));
  EXPECT_EQ(bank_.total(), 750);
}

TEST_F(Shop, WaitsForABankThatIsDown) {
  bank_.down_for_calls = 2;
  pd::testing::Runtime test;
  auto run = test.session(shop, "order-1").start({.item = "tea", .count = 3}).value();
  EXPECT_EQ(run.wait().error().code, pd::Code::timeout) << "only time is missing";
  test.advance(5min);
  EXPECT_TRUE(run.wait().has_value());
  EXPECT_EQ(test.times("charge the card"), 3U);
}

TEST_F(Shop, FailsWhereThePriceIsRefused) {
  pd::testing::Runtime test;
  test.replace("ask the price", [](pd::Step&) -> pd::Result<int> {
    return pd::Error{pd::Code::refused, "not for sale"};
  });
  auto run = test.session(shop, "order-1").start({.item = "tea", .count = 3}).value();
  EXPECT_EQ(run.wait().error().message, "not for sale");
  EXPECT_EQ(bank_.total(), 0);
}

TEST_F(Shop, IsTheSameWhereverTheProcessDies) {
  const auto report = pd::testing::crash_everywhere([](pd::testing::Runtime& test) {
    *bank = Bank{.booked = {}, .down_for_calls = 1};
    auto run = test.session(shop, "order-1").start({.item = "tea", .count = 3}).value();
    test.advance(10min);
    const std::string receipt = run.wait().value();
    EXPECT_EQ(bank->total(), 750) << "the card was charged once";
    return receipt;
  });
  EXPECT_TRUE(report.ok()) << to_string(report);
}

}  // namespace
