#include <algorithm>
#include <numeric>
#include <random>

#include "tests/journal/writer_fixture.hpp"

namespace perdure::journal {
namespace {

using Numbers = std::vector<RecordNumber>;

TEST(Gate, OpensAtOnceWhatIsDurableAlready) {
  Gate gate;
  Calls calls;
  gate.advance(7);
  gate.when_durable(7, calls.waiter(7));
  EXPECT_EQ(calls.opened(), Numbers{7});
  EXPECT_EQ(gate.watermark(), 7U);
}

TEST(Gate, KeepsWhatIsNotDurableUntilItIs) {
  Gate gate;
  Calls calls;
  gate.when_durable(2, calls.waiter(2));
  gate.advance(1);
  EXPECT_TRUE(calls.opened().empty());
  gate.advance(2);
  EXPECT_EQ(calls.opened(), Numbers{2});
}

TEST(Gate, OpensInTheOrderOfNumbersAndOfArrivalAmongEquals) {
  Gate gate;
  Calls calls;
  // Names tell the two things that wait for 3 apart.
  gate.when_durable(3, calls.waiter(30));
  gate.when_durable(5, calls.waiter(50));
  gate.when_durable(1, calls.waiter(10));
  gate.when_durable(3, calls.waiter(31));
  gate.when_durable(9, calls.waiter(90));
  gate.advance(5);
  EXPECT_EQ(calls.opened(), (Numbers{10, 30, 31, 50}));
  gate.advance(9);
  EXPECT_EQ(calls.opened(), (Numbers{10, 30, 31, 50, 90}));
}

TEST(Gate, IgnoresNumbersThatAreNoNews) {
  Gate gate;
  Calls calls;
  gate.advance(5);
  gate.advance(3);
  EXPECT_EQ(gate.watermark(), 5U);
  gate.when_durable(5, calls.waiter(5));
  EXPECT_EQ(calls.opened(), Numbers{5});
}

TEST(Gate, FailsWhatWaitsAndWhateverComesLaterWithTheFirstReason) {
  Gate gate;
  Calls calls;
  gate.advance(1);
  gate.when_durable(2, calls.waiter(2));
  gate.fail(disk_broken());
  gate.fail(disk_full());
  gate.advance(10);
  gate.when_durable(1, calls.waiter(1));
  gate.when_durable(3, calls.waiter(3));
  EXPECT_TRUE(calls.opened().empty());
  EXPECT_EQ(calls.failed(), (Numbers{2, 1, 3}));
  EXPECT_EQ(calls.reasons(), std::vector<std::string>(3, disk_broken().message));
  EXPECT_EQ(gate.watermark(), 1U);
}

/// Runs a function when it is opened.
class Action final : public Gated {
 public:
  explicit Action(std::function<void()> action) : action_(std::move(action)) {}
  void open() noexcept override { action_(); }
  void fail(const Error&) noexcept override {}

 private:
  std::function<void()> action_;
};

TEST(Gate, MayBeUsedFromInsideOpen) {
  Gate gate;
  Calls calls;
  gate.when_durable(1, std::make_unique<Action>([&] {
                      gate.when_durable(1, calls.waiter(100));
                      gate.when_durable(3, calls.waiter(300));
                      gate.advance(3);
                    }));
  gate.when_durable(2, calls.waiter(200));
  gate.advance(2);
  // What arrives while a group is being called comes behind that group.
  EXPECT_EQ(calls.opened(), (Numbers{200, 100, 300}));
}

TEST(Gate, OpensWhatWasDurableBeforeAFailureInTheMiddleOfARelease) {
  Gate gate;
  Calls calls;
  gate.when_durable(1, std::make_unique<Action>([&] {
                      gate.when_durable(3, calls.waiter(3));
                      gate.when_durable(4, calls.waiter(4));
                      gate.advance(3);
                      gate.fail(disk_broken());
                    }));
  gate.advance(1);
  EXPECT_EQ(calls.opened(), Numbers{3});
  EXPECT_EQ(calls.failed(), Numbers{4});
}

TEST(Gate, HandsGroupsToWhatStandsAroundARelease) {
  Gate gate;
  Calls calls;
  std::vector<std::size_t> opened_by_group;
  gate.around_release([&](const std::function<void()>& release) {
    const std::size_t before = calls.opened().size();
    release();
    opened_by_group.push_back(calls.opened().size() - before);
  });
  for (RecordNumber n = 1; n <= 6; ++n) gate.when_durable(n, calls.waiter(n));
  gate.advance(3);
  gate.advance(4);  // One alone is no group.
  gate.advance(6);
  EXPECT_EQ(calls.opened(), (Numbers{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(opened_by_group, (std::vector<std::size_t>{3, 2}));
}

/// Notes its number without a lock: under the thread sanitizer this proves that calls never
/// overlap.
class Unlocked final : public Gated {
 public:
  Unlocked(std::vector<RecordNumber>& order, RecordNumber number)
      : order_(order), number_(number) {}
  void open() noexcept override { order_.push_back(number_); }
  void fail(const Error&) noexcept override { ADD_FAILURE() << "nothing failed"; }

 private:
  std::vector<RecordNumber>& order_;
  RecordNumber number_;
};

TEST(GateStress, SeveralThreadsOpenEverythingOnceAndInOrder) {
  constexpr RecordNumber kCount = 3000;
  constexpr std::uint64_t kThreads = 4;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Gate gate;
    std::vector<RecordNumber> order;
    std::vector<RecordNumber> arrivals(kCount);
    std::iota(arrivals.begin(), arrivals.end(), 1);
    std::mt19937_64 random(seed);
    std::ranges::shuffle(arrivals, random);
    for (const RecordNumber n : arrivals)
      gate.when_durable(n, std::make_unique<Unlocked>(order, n));

    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < kThreads; ++t)
      threads.emplace_back([&gate, seed, t] {
        std::mt19937_64 mine(seed * kThreads + t);
        for (RecordNumber n = 1; n <= kCount; n += 1 + mine() % 40) gate.advance(n);
      });
    for (std::thread& thread : threads) thread.join();
    gate.advance(kCount);
    std::vector<RecordNumber> expected(kCount);
    std::iota(expected.begin(), expected.end(), 1);
    EXPECT_EQ(order, expected) << "seed " << seed;
  }
}

/// Counts its calls and checks at `open` that its number was durable.
class Counted final : public Gated {
 public:
  Counted(Gate& gate, RecordNumber number, std::atomic<int>& calls)
      : gate_(gate), number_(number), calls_(calls) {}
  void open() noexcept override {
    EXPECT_LE(number_, gate_.watermark());
    ++calls_;
  }
  void fail(const Error&) noexcept override { ++calls_; }

 private:
  Gate& gate_;
  RecordNumber number_;
  std::atomic<int>& calls_;
};

TEST(GateStress, ArrivalsAdvancesAndAFailureCallEachThingExactlyOnce) {
  constexpr std::size_t kCount = 4000;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Gate gate;
    std::vector<std::atomic<int>> calls(kCount);
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < 3; ++t)
      threads.emplace_back([&, t] {
        for (std::size_t i = t; i < kCount; i += 3) {
          gate.when_durable(i + 1, std::make_unique<Counted>(gate, i + 1, calls[i]));
        }
      });
    for (std::uint64_t t = 0; t < 2; ++t)
      threads.emplace_back([&, t] {
        std::mt19937_64 mine(seed * 2 + t);
        for (RecordNumber n = 1; n < kCount / 2; n += 1 + mine() % 20) gate.advance(n);
        if (t == 0) gate.fail(disk_broken());
      });
    for (std::thread& thread : threads) thread.join();
    for (std::size_t i = 0; i < kCount; ++i) EXPECT_EQ(calls[i].load(), 1) << "thing " << i + 1;
  }
}

}  // namespace
}  // namespace perdure::journal
