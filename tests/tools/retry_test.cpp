#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <random>
#include <type_traits>

#include "tools/retry.hpp"

namespace perdure::tools {
namespace {

using std::chrono::milliseconds;

const Error kTransient{Code::user, "try later"};
constexpr std::uint64_t kNoJitter = 0;  // The drawn part is zero.
constexpr std::uint64_t kMostJitter = std::numeric_limits<std::uint64_t>::max();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::optional<milliseconds> ask(const Retry& policy, std::uint32_t attempts,
                                const Error& error = kTransient, Effect effect = Effect::idempotent,
                                std::uint64_t random = kNoJitter) {
  return next_attempt_in(
      {.policy = policy, .effect = effect, .error = error, .attempts = attempts, .random = random});
}

Error with_effect(Code code, std::optional<ErrorEffect> effect,
                  std::optional<bool> retryable = {}) {
  return {
      .code = code, .message = "m", .retryable = retryable, .retry_after = {}, .effect = effect};
}

TEST(Retry, DelaysGrowByTheFactorUpToTheMaximum) {
  const Retry policy{.attempts_max = 0,
                     .delay = milliseconds(100),
                     .factor = 3.0,
                     .delay_max = milliseconds(2000)};
  EXPECT_EQ(ask(policy, 1), milliseconds(100));
  EXPECT_EQ(ask(policy, 2), milliseconds(300));
  EXPECT_EQ(ask(policy, 3), milliseconds(900));
  EXPECT_EQ(ask(policy, 4), milliseconds(2000));
  EXPECT_EQ(ask(policy, 400'000'000), milliseconds(2000));
}

TEST(Retry, GivesUpWhenTheAttemptsAreUsedUp) {
  EXPECT_TRUE(ask({.attempts_max = 3}, 2));
  EXPECT_FALSE(ask({.attempts_max = 3}, 3));
  EXPECT_FALSE(ask({.attempts_max = 3}, 4));
  EXPECT_FALSE(ask({.attempts_max = 1}, 1));
  EXPECT_TRUE(ask({.attempts_max = 0}, std::numeric_limits<std::uint32_t>::max()));
  EXPECT_FALSE(ask({.attempts_max = -5}, 1)) << "read as 1";
}

TEST(Retry, TriesAgainOnlyWhatMaySucceedLater) {
  const Retry policy;
  EXPECT_FALSE(ask(policy, 1, {Code::refused, "no"}));
  EXPECT_FALSE(ask(policy, 1, {Code::outcome_unknown, "no"}));
  EXPECT_TRUE(ask(policy, 1, {Code::timeout, "slow"}));
  EXPECT_FALSE(ask(policy, 1, with_effect(Code::user, {}, false)));
  EXPECT_TRUE(ask(policy, 1, with_effect(Code::refused, {}, true)));
}

TEST(Retry, NeverTriesAgainTheCodesNamed) {
  const Retry policy{.never = {Code::timeout, Code::exception}};
  EXPECT_FALSE(ask(policy, 1, {Code::timeout, "slow"}));
  EXPECT_FALSE(ask(policy, 1, with_effect(Code::exception, {}, true)));
  EXPECT_TRUE(ask(policy, 1));
  EXPECT_TRUE(ask(policy, 1, {static_cast<Code>(999), "of a newer version"}));
}

TEST(Retry, TriesAtMostOnceAgainOnlyAfterARefusal) {
  const Retry policy;
  const Effect effect = Effect::at_most_once;
  EXPECT_FALSE(ask(policy, 1, with_effect(Code::user, {}), effect));
  EXPECT_FALSE(ask(policy, 1, with_effect(Code::timeout, ErrorEffect::unknown, true), effect));
  EXPECT_FALSE(ask(policy, 1, with_effect(Code::user, ErrorEffect::happened, true), effect));
  EXPECT_TRUE(ask(policy, 1, with_effect(Code::user, ErrorEffect::refused), effect));
  EXPECT_TRUE(ask(policy, 1, with_effect(Code::refused, {}, true), effect));
}

TEST(Retry, WaitsAsLongAsTheErrorAsksAlsoAboveTheMaximum) {
  const Retry policy{.delay = milliseconds(100), .delay_max = milliseconds(1000), .jitter = 0.0};
  Error error = kTransient;
  error.retry_after = milliseconds(50);
  EXPECT_EQ(ask(policy, 1, error), milliseconds(100));
  error.retry_after = milliseconds(60'000);
  EXPECT_EQ(ask(policy, 1, error), milliseconds(60'000));
  error.retry_after = milliseconds(-1);
  EXPECT_EQ(ask(policy, 1, error), milliseconds(100));
  error.retry_after = milliseconds::max();
  EXPECT_EQ(ask(policy, 1, error), kLongestWait);
}

TEST(Retry, JitterTakesAwayUpToItsPart) {
  const Retry policy{.delay = milliseconds(1000), .jitter = 0.2};
  EXPECT_EQ(ask(policy, 1, kTransient, Effect::idempotent, kNoJitter), milliseconds(1000));
  EXPECT_EQ(ask(policy, 1, kTransient, Effect::idempotent, kMostJitter), milliseconds(800));
  EXPECT_EQ(ask(policy, 1, kTransient, Effect::idempotent, kMostJitter / 2), milliseconds(900));
  const Retry full{.delay = milliseconds(1000), .jitter = 1.0};
  EXPECT_EQ(ask(full, 1, kTransient, Effect::idempotent, kMostJitter), milliseconds(0));
}

TEST(Retry, ReadsOptionsOutOfRangeAsTheNearestThatMakesSense) {
  const milliseconds second(1000);
  EXPECT_EQ(ask({.delay = second, .factor = 0.1}, 2), second);
  EXPECT_EQ(ask({.delay = second, .factor = -2.0}, 2), second);
  EXPECT_EQ(ask({.delay = second, .factor = kNaN}, 2), second);
  EXPECT_EQ(ask({.delay = second, .factor = kInfinity}, 2), milliseconds(30'000));
  EXPECT_EQ(ask({.delay = milliseconds(0), .factor = kInfinity}, 2), milliseconds(0));
  EXPECT_EQ(ask({.delay = milliseconds(-5)}, 1), milliseconds(0));
  EXPECT_EQ(ask({.delay = second, .delay_max = milliseconds(-5)}, 1), milliseconds(0));
  EXPECT_EQ(ask({.delay = milliseconds::max(), .delay_max = milliseconds::max()}, 2), kLongestWait);
  EXPECT_EQ(ask({.delay = milliseconds::min()}, 1), milliseconds(0));
  for (const double jitter : {kNaN, -1.0, -kInfinity})
    EXPECT_EQ(
        ask({.delay = second, .jitter = jitter}, 1, kTransient, Effect::idempotent, kMostJitter),
        second);
  EXPECT_EQ(ask({.delay = second, .jitter = 7.0}, 1, kTransient, Effect::idempotent, kMostJitter),
            milliseconds(0));
  EXPECT_EQ(ask({.delay = second}, 0), second) << "no attempts so far: as the first";
}

/// Any policy, any error: what retry.hpp promises holds.
TEST(RetryProperty, PromisesHoldForAnything) {
  std::mt19937_64 random(20'261);
  const auto pick = [&](auto... values) {
    const std::array<std::common_type_t<decltype(values)...>, sizeof...(values)> all{values...};
    return all[random() % all.size()];
  };
  for (int i = 0; i < 200'000; ++i) {
    Retry policy;
    policy.attempts_max = pick(-1, 0, 1, 2, 5, std::numeric_limits<int>::max());
    policy.delay =
        milliseconds(pick(-7LL, 0LL, 1LL, 250LL, 1'000'000LL, milliseconds::max().count()));
    policy.factor = pick(kNaN, -1.0, 0.0, 1.0, 1.5, 2.0, 1e300, kInfinity);
    policy.delay_max = milliseconds(pick(-7LL, 0LL, 1LL, 30'000LL, milliseconds::max().count()));
    policy.jitter = pick(kNaN, -1.0, 0.0, 0.2, 1.0, 5.0);
    const bool never_timeout = random() % 4 == 0;
    if (never_timeout) policy.never = {Code::timeout};
    Error error =
        with_effect(pick(Code::user, Code::refused, Code::timeout),
                    pick(std::optional<ErrorEffect>{}, std::optional(ErrorEffect::refused),
                         std::optional(ErrorEffect::happened)),
                    pick(std::optional<bool>{}, std::optional(true), std::optional(false)));
    if (random() % 2 == 0) error.retry_after = milliseconds(pick(-1LL, 0LL, 500LL, 90'000LL));
    const Effect effect = pick(Effect::idempotent, Effect::keyed, Effect::at_most_once);
    const auto attempts = pick(1U, 2U, 3U, 100U, std::numeric_limits<std::uint32_t>::max());

    const auto wait = ask(policy, attempts, error, effect, random());
    if (!wait) continue;
    EXPECT_TRUE(error.is_retryable());
    EXPECT_TRUE(!never_timeout || error.code != Code::timeout);
    EXPECT_TRUE(effect != Effect::at_most_once || error.known_effect() == ErrorEffect::refused);
    if (policy.attempts_max != 0) {
      EXPECT_LT(attempts, static_cast<std::uint32_t>(std::max(policy.attempts_max, 1)));
    }
    EXPECT_GE(*wait, milliseconds(0));
    EXPECT_LE(*wait, kLongestWait);
    const milliseconds asked = error.retry_after.value_or(milliseconds(0));
    EXPECT_GE(*wait, asked);
    EXPECT_LE(*wait, std::max({asked, std::max(policy.delay_max, milliseconds(0))}));
    if (policy.jitter == 0.2 && asked <= milliseconds(0)) {
      policy.jitter = 0.0;
      const auto whole = static_cast<double>(ask(policy, attempts, error, effect)->count());
      EXPECT_GE(static_cast<double>(wait->count()), std::floor(whole * 0.8));
    }
  }
}

}  // namespace
}  // namespace perdure::tools
