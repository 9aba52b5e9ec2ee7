/// Payment: the order of undoing.
#include "saga/payment.hpp"

#include "core/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace perdure::test {
namespace {

using saga::Payment;
using Items = std::vector<Payment::Item>;
using List = std::vector<std::size_t>;

constexpr Payment::Policy kParallel{Payment::Order::parallel, Payment::WhenStuck::stop};
constexpr Payment::Policy kGoOn{Payment::Order::reverse, Payment::WhenStuck::go_on};

Payment::Item item(std::uint32_t begun, std::uint32_t ended) {
  return {Payment::kNoGroup, false, begun, ended};
}
Payment::Item in(std::size_t group, std::uint32_t begun, std::uint32_t ended) {
  return {group, false, begun, ended};
}
Payment::Item group(std::uint32_t begun, std::uint32_t ended) {
  return {Payment::kNoGroup, true, begun, ended};
}

/// Undoes everything, one by one, taking what may begin in order.
List order_of(Payment payment) {
  List order;
  for (;;) {
    const List next = payment.take_startable();
    if (next.empty()) return order;
    for (const std::size_t each : next) {
      order.push_back(each);
      payment.over(each);
    }
  }
}

TEST(Payment, OfNothingIsSettled) {
  Payment payment({}, {});
  EXPECT_TRUE(payment.is_settled());
  EXPECT_FALSE(payment.is_stuck());
  EXPECT_TRUE(payment.take_startable().empty());
}

TEST(Payment, IsInReverseOfWhatEnded) {
  // The second began first and ended last.
  EXPECT_EQ(order_of(Payment({item(2, 3), item(1, 5), item(6, 7)}, {})), (List{2, 1, 0}));
  // What never ended, as far as anybody knows, comes first.
  EXPECT_EQ(order_of(Payment({item(1, Payment::kNever), item(2, 3)}, {})), (List{0, 1}));
}

TEST(Payment, InReverseTakesOneAtATime) {
  Payment payment({item(1, 2), item(3, 4)}, {});
  EXPECT_EQ(payment.take_startable(), List{1});
  EXPECT_TRUE(payment.take_startable().empty());
  payment.over(1);
  EXPECT_EQ(payment.take_startable(), List{0});
  payment.over(0);
  EXPECT_TRUE(payment.is_settled());
}

TEST(Payment, InParallelUndoesWhatRanSideBySideSideBySide) {
  // 0, then 1 and 2 side by side, then 3.
  Payment payment({item(1, 1), item(2, 3), item(2, 4), item(5, 5)}, kParallel);
  EXPECT_EQ(payment.take_startable(), List{3});
  payment.over(3);
  EXPECT_EQ(payment.take_startable(), (List{2, 1}));
  payment.over(1);
  EXPECT_TRUE(payment.take_startable().empty());
  payment.over(2);
  EXPECT_EQ(payment.take_startable(), List{0});
}

TEST(Payment, InParallelHoldsUpOnlyWhatCameBefore) {
  // 0 then 1; 2 beside both.
  Payment payment({item(1, 1), item(2, 2), item(1, 3)}, kParallel);
  EXPECT_EQ(payment.take_startable(), (List{2, 1}));
  payment.failed(1);
  payment.over(2);
  EXPECT_TRUE(payment.take_startable().empty());
  EXPECT_TRUE(payment.is_stuck());
}

TEST(Payment, TakesAGroupAsOneThatEndedWithItsCommit) {
  // 0; a group of 2 and 3 that ended at 6, although 4 ran inside its time.
  EXPECT_EQ(order_of(Payment({item(1, 1), group(2, 6), in(1, 2, 3), in(1, 4, 5), item(2, 4)}, {})),
            (List{3, 2, 4, 0}));
}

TEST(Payment, OfAnEmptyGroupIsOver) {
  EXPECT_EQ(order_of(Payment({item(1, 1), group(2, 3)}, {})), List{0});
  EXPECT_TRUE(Payment({group(2, 3)}, {}).is_settled());
}

TEST(Payment, StopsWhereItIsStuck) {
  Payment payment({item(1, 2), item(3, 4)}, {});
  (void)payment.take_startable();
  payment.failed(1);
  EXPECT_TRUE(payment.take_startable().empty());
  EXPECT_TRUE(payment.is_stuck());
  EXPECT_EQ(payment.stuck(), 1U);
  payment.again(1);
  EXPECT_FALSE(payment.is_stuck());
  EXPECT_EQ(payment.take_startable(), List{1});
  payment.over(1);
  EXPECT_EQ(payment.take_startable(), List{0});
}

TEST(Payment, GoesOnWithOthersIfItMay) {
  Payment payment({item(1, 2), group(3, 8), in(1, 4, 5), in(1, 6, 7)}, kGoOn);
  EXPECT_EQ(payment.take_startable(), List{3});
  payment.failed(3);
  EXPECT_EQ(payment.take_startable(), List{2});
  EXPECT_FALSE(payment.is_stuck());
  payment.over(2);
  EXPECT_EQ(payment.take_startable(), List{0});
  payment.over(0);
  EXPECT_TRUE(payment.is_stuck());
  payment.over(3);
  EXPECT_TRUE(payment.is_settled());
  EXPECT_FALSE(payment.is_stuck());
}

TEST(Payment, GivenUpByAPersonIsOver) {
  Payment payment({item(1, 2), item(3, 4)}, {});
  payment.over(1);
  EXPECT_EQ(payment.take_startable(), List{0});
  payment.over(0);
  payment.over(0);
  EXPECT_TRUE(payment.is_settled());
}

/// Whether `first` has to be over before `second` may begin: at the level where they part.
bool comes_before(const Items& items, std::size_t first, std::size_t second, bool parallel) {
  const auto chain = [&](std::size_t at) {
    List up{at};
    while (items[at].group != Payment::kNoGroup) up.push_back(at = items[at].group);
    std::ranges::reverse(up);
    return up;
  };
  const List a = chain(first);
  const List b = chain(second);
  for (std::size_t level = 0; level < std::min(a.size(), b.size()); ++level) {
    if (a[level] == b[level]) continue;
    const Payment::Item& x = items[a[level]];
    const Payment::Item& y = items[b[level]];
    if (parallel) return x.begun > y.ended;
    return std::pair(x.ended, a[level]) > std::pair(y.ended, b[level]);
  }
  return false;
}

/// Random trees, times, failures and decisions: nothing begins before what it has to wait for, and
/// in the end everything is over.
TEST(PaymentWalks, KeepTheOrder) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    core::SeededRandom random(seed);
    const bool parallel = random.next() % 2 == 0;
    Items items;
    const std::size_t count = random.next() % 12;
    for (std::size_t i = 0; i < count; ++i) {
      Payment::Item made;
      made.is_group = random.next() % 4 == 0;
      made.begun = static_cast<std::uint32_t>(random.next() % 20);
      made.ended = random.next() % 6 == 0
                       ? Payment::kNever
                       : made.begun + static_cast<std::uint32_t>(random.next() % 8);
      List groups;
      for (std::size_t k = 0; k < i; ++k)
        if (items[k].is_group) groups.push_back(k);
      if (!groups.empty() && random.next() % 2 == 0)
        made.group = groups[random.next() % groups.size()];
      items.push_back(made);
    }
    Payment payment(items, {parallel ? Payment::Order::parallel : Payment::Order::reverse,
                            Payment::WhenStuck::stop});
    std::set<std::size_t> under_way;
    std::set<std::size_t> failed;
    std::set<std::size_t> over;
    for (int turn = 0; turn < 400 && !payment.is_settled(); ++turn) {
      for (const std::size_t begun : payment.take_startable()) {
        ASSERT_FALSE(items[begun].is_group);
        for (std::size_t other = 0; other < items.size(); ++other)
          if (!items[other].is_group && !over.contains(other))
            ASSERT_FALSE(comes_before(items, other, begun, parallel)) << other << " " << begun;
        under_way.insert(begun);
      }
      ASSERT_EQ(payment.is_stuck(), under_way.empty() && !failed.empty());
      if (!under_way.empty()) {
        const std::size_t ends = *under_way.begin();
        under_way.erase(ends);
        if (random.next() % 3 == 0) {
          payment.failed(ends);
          failed.insert(ends);
        } else {
          payment.over(ends);
          over.insert(ends);
        }
      } else if (!failed.empty()) {
        const std::size_t seen_to = *failed.begin();
        failed.erase(seen_to);
        if (random.next() % 2 == 0) {
          payment.again(seen_to);
        } else {
          payment.over(seen_to);
          over.insert(seen_to);
        }
      }
    }
    ASSERT_TRUE(payment.is_settled());
  }
}

}  // namespace
}  // namespace perdure::test
