#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "tools/budget.hpp"

namespace perdure::tools {
namespace {

using journal::Amounts;
using journal::Limits;

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

std::optional<std::string> ask(const Limits& limits, const Amounts& used, const Amounts& reserved,
                               const Amounts& wanted, journal::Stamp passed = 0) {
  return no_room({limits, used, reserved, wanted, 1000, 1000 + passed});
}

TEST(Budget, HasRoomUpToItsLimitAndNotBeyond) {
  const Limits limits{.tokens = 100};
  EXPECT_FALSE(ask(limits, {.tokens = 60}, {.tokens = 30}, {.tokens = 10}));
  EXPECT_TRUE(ask(limits, {.tokens = 60}, {.tokens = 30}, {.tokens = 11}));
  EXPECT_FALSE(ask(limits, {.tokens = 100}, {}, {})) << "nothing more is wanted";
  EXPECT_TRUE(ask(limits, {.tokens = 101}, {}, {})) << "it was exceeded before";
  EXPECT_TRUE(ask({.tokens = 0}, {}, {}, {.tokens = 1}));
}

TEST(Budget, HasNoLimitWhereItNamesNone) {
  EXPECT_FALSE(ask({}, {kMost, kMost, kMost, kMost}, {1, 1, 1, 1}, {1, 1, 1, 1}, kMost / 2));
  EXPECT_FALSE(ask({.tokens = 5}, {.money = kMost}, {}, {.tokens = 5}));
}

TEST(Budget, DoesNotOverflow) {
  EXPECT_TRUE(ask({.money = kMost - 1}, {.money = kMost - 1}, {.money = kMost}, {.money = kMost}));
  EXPECT_FALSE(ask({.money = kMost}, {.money = kMost}, {.money = kMost}, {.money = kMost}))
      << "a sum that can't be told counts as the largest number";
}

TEST(Budget, SaysWhatThereIsTooLittleOf) {
  EXPECT_EQ(ask({.money = 5'000'000}, {.money = 4'900'000}, {.money = 10}, {.money = 400'000}),
            "money: 4.90 used and 0.00001 reserved of 5.00, and the attempt may use 0.40");
  EXPECT_EQ(ask({.gpu_us = 2'000'000}, {.gpu_us = 1'200'000}, {}, {.gpu_us = 1'000'000}),
            "GPU time: 1.200 s used of 2 s, and the attempt may use 1 s");
  EXPECT_EQ(ask({.attempts = 3}, {.attempts = 3}, {}, {.attempts = 1}),
            "attempts: 3 used of 3, and the attempt may use 1");
  EXPECT_EQ(ask({.tokens = 1}, {.tokens = 4}, {}, {}), "tokens: 4 used of 1");
}

TEST(Budget, EndsWithItsWallTime) {
  const Limits limits{.wall_us = 3'600'000'000};
  EXPECT_FALSE(ask(limits, {}, {}, {}, 3'599'999'999));
  EXPECT_EQ(ask(limits, {}, {}, {}, 3'600'000'000), "wall time: 3600 s have passed");
  EXPECT_FALSE(ask(limits, {}, {}, {}, -500)) << "the clock was set back";
}

TEST(Budget, CountsAsUsedWhatAnAttemptTold) {
  const Amounts reserved{100, 50, 7, 1};
  const Cost told{Money::micros(30), 20, std::chrono::microseconds(0)};
  const auto known = [](const Amounts& used) { return Counted{used, {}}; };
  EXPECT_EQ(used_by(reserved, {.told = told}), known({30, 20, 0, 1}));
  EXPECT_EQ(used_by(reserved, {.told = told, .refused = true}), known({30, 20, 0, 1}));
  EXPECT_EQ(used_by(reserved, {}), known(reserved));
  EXPECT_EQ(used_by(reserved, {.refused = true}), known({0, 0, 0, 1}));
  EXPECT_EQ(used_by(reserved, {.never_began = true}), known({}));
}

TEST(Budget, TakesTheMostForWhatNobodyKnows) {
  const Amounts reserved{100, 50, 7, 2};
  EXPECT_EQ(used_by(reserved, {.unknown = true}), (Counted{reserved, {100, 50, 7, 0}}));
  EXPECT_EQ(used_by(reserved, {.told = Cost{Money::micros(30), 80, std::chrono::microseconds(0)},
                               .unknown = true}),
            (Counted{{100, 80, 7, 2}, {70, 0, 7, 0}}));
}

TEST(Budget, ReadsNegativeAmountsAsNone) {
  EXPECT_EQ(amounts_of({Money::micros(-5), -1, std::chrono::microseconds(-7)}), Amounts{});
  EXPECT_EQ(limits_of({.money = Money::units(-1), .attempts = -3}),
            (Limits{.money = 0, .attempts = 0}));
}

TEST(Budget, ComesBackAsItWent) {
  const Budget budget{.money = Money::cents(5),
                      .tokens = 7,
                      .gpu_time = std::chrono::seconds(1),
                      .attempts = 2,
                      .wall_time = std::chrono::hours(1),
                      .when_exhausted = WhenExhausted::fail_step};
  EXPECT_EQ(budget_of({.limits = limits_of(budget), .fails_steps = true}), budget);
  EXPECT_EQ(budget_of({.limits = limits_of({})}), Budget{});
}

TEST(Budget, OnlyRises) {
  using journal::lowered;
  const Limits limits{.money = 5, .tokens = 10};
  EXPECT_FALSE(lowered(limits, {.money = 5}));
  EXPECT_FALSE(lowered(limits, {.money = 6, .tokens = 11}));
  EXPECT_EQ(lowered(limits, {.money = 6, .tokens = 9}), "the limit of tokens is higher already");
  EXPECT_EQ(lowered(limits, {.gpu_us = 9}), "GPU time has no limit, and would get one");
  EXPECT_EQ(journal::with(limits, {.tokens = 20}), (Limits{.money = 5, .tokens = 20}));
}

TEST(Budget, WritesMoneyAsPeopleDo) {
  EXPECT_EQ(journal::money_text(0), "0.00");
  EXPECT_EQ(journal::money_text(2'500'000), "2.50");
  EXPECT_EQ(journal::money_text(1), "0.000001");
  EXPECT_EQ(journal::money_text(1'234'560), "1.23456");
}

/// Whoever asks, in whatever order attempts begin and end: what was used and what is reserved never
/// exceed the limit, if no attempt uses more than it said.
TEST(Budget, IsNeverExceededByHonestAttempts) {
  std::mt19937_64 random(7);
  const auto below = [&](std::uint64_t bound) {
    return static_cast<std::int64_t>(random() % bound);
  };
  for (int round = 0; round < 200; ++round) {
    const Limits limits{.money = below(1000), .tokens = below(1000)};
    Amounts used;
    Amounts reserved;
    std::vector<Amounts> running;
    for (int i = 0; i < 100; ++i) {
      const Amounts wanted{below(100), below(100), 0, 1};
      if (below(2) == 0 && !ask(limits, used, reserved, wanted)) {
        reserved = reserved + wanted;
        running.push_back(wanted);
      } else if (!running.empty()) {
        const Amounts ended = running.back();
        running.pop_back();
        const Cost told{Money::micros(below(static_cast<std::uint64_t>(ended.money) + 1)),
                        below(static_cast<std::uint64_t>(ended.tokens) + 1),
                        {}};
        reserved = reserved - ended;
        used = used + used_by(ended, {.told = below(3) != 0 ? std::optional(told) : std::nullopt,
                                      .unknown = below(4) == 0})
                          .used;
      }
      ASSERT_LE(used.money + reserved.money, *limits.money);
      ASSERT_LE(used.tokens + reserved.tokens, *limits.tokens);
    }
  }
}

}  // namespace
}  // namespace perdure::tools
