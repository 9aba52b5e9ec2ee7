#include "actors/timers.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <random>
#include <vector>

namespace perdure::actors {
namespace {

using std::chrono::milliseconds;

/// Notes which timers fired.
struct Log {
  std::function<void()> entry(int name) {
    return [this, name] { fired.push_back(name); };
  }
  std::vector<int> fired;
};

TEST(Timers, FireWhenDueAndNeverEarly) {
  Timers timers;
  Log log;
  EXPECT_EQ(timers.next(), std::nullopt);
  timers.schedule(milliseconds(10), log.entry(1));
  EXPECT_EQ(timers.next(), milliseconds(10));
  EXPECT_EQ(timers.fire_due(core::Elapsed(9'999'999)), 0U);
  EXPECT_TRUE(log.fired.empty());
  EXPECT_EQ(timers.fire_due(milliseconds(10)), 1U);
  EXPECT_EQ(timers.fire_due(milliseconds(10)), 0U) << "once";
  EXPECT_EQ(log.fired, std::vector{1});
  EXPECT_EQ(timers.next(), std::nullopt);
}

TEST(Timers, FireInTheOrderOfDueTimesAndOfSchedulingAmongEquals) {
  Timers timers;
  Log log;
  timers.schedule(milliseconds(30), log.entry(5));
  timers.schedule(milliseconds(10), log.entry(1));
  timers.schedule(milliseconds(20), log.entry(3));
  timers.schedule(milliseconds(10), log.entry(2));
  timers.schedule(milliseconds(20), log.entry(4));
  timers.schedule(milliseconds(41), log.entry(6));
  EXPECT_EQ(timers.fire_due(milliseconds(40)), 5U);
  EXPECT_EQ(log.fired, (std::vector{1, 2, 3, 4, 5}));
  EXPECT_EQ(timers.next(), milliseconds(41));
}

TEST(Timers, ACancelledTimerNeverFires) {
  Timers timers;
  Log log;
  const TimerId first = timers.schedule(milliseconds(10), log.entry(1));
  const TimerId second = timers.schedule(milliseconds(10), log.entry(2));
  EXPECT_TRUE(timers.cancel(first));
  EXPECT_FALSE(timers.cancel(first)) << "it was cancelled before";
  timers.fire_due(milliseconds(10));
  EXPECT_EQ(log.fired, std::vector{2});
  EXPECT_FALSE(timers.cancel(second)) << "it has fired";
  EXPECT_FALSE(timers.cancel(99));
}

TEST(Timers, ACallbackMayCancelScheduleAndFire) {
  Timers timers;
  Log log;
  TimerId self = 0;
  TimerId later = 0;
  self = timers.schedule(milliseconds(1), [&] {
    log.fired.push_back(1);
    EXPECT_FALSE(timers.cancel(self)) << "it is firing";
    EXPECT_TRUE(timers.cancel(later)) << "due at the same time, not begun";
    timers.schedule(milliseconds(1), log.entry(4));
  });
  timers.schedule(milliseconds(2), log.entry(2));
  later = timers.schedule(milliseconds(2), log.entry(3));
  EXPECT_EQ(timers.fire_due(milliseconds(5)), 2U);
  EXPECT_EQ(log.fired, (std::vector{1, 2})) << "what a callback schedules is for the next call";
  EXPECT_EQ(timers.fire_due(milliseconds(5)), 1U);
  EXPECT_EQ(log.fired, (std::vector{1, 2, 4}));
}

TEST(Timers, NotifyOnlyOfAnEarlierNext) {
  Timers timers;
  Log log;
  int notified = 0;
  timers.on_earlier([&] {
    ++notified;
    EXPECT_TRUE(timers.next().has_value()) << "the lock is free";
  });
  timers.schedule(milliseconds(20), log.entry(1));
  EXPECT_EQ(notified, 1);
  timers.schedule(milliseconds(30), log.entry(2));
  timers.schedule(milliseconds(20), log.entry(3));
  EXPECT_EQ(notified, 1);
  timers.schedule(milliseconds(10), log.entry(4));
  EXPECT_EQ(notified, 2);
  timers.on_earlier({});
  timers.schedule(milliseconds(1), log.entry(5));
  EXPECT_EQ(notified, 2);
}

TEST(Timers, ACancelledCallbackIsDestroyedWithoutTheLock) {
  Timers timers;
  bool destroyed = false;
  std::shared_ptr<void> owned(nullptr, [&](void*) {
    EXPECT_EQ(timers.next(), std::nullopt);
    destroyed = true;
  });
  const TimerId id = timers.schedule(milliseconds(1), [owned = std::move(owned)] {});
  EXPECT_TRUE(timers.cancel(id));
  EXPECT_TRUE(destroyed);
}

TEST(TimerThread, FiresByTheMachinesClock) {
  core::SystemClock clock;
  Timers timers;
  std::latch fired(3);
  std::atomic<bool> early = false;
  const core::Elapsed start = clock.elapsed();
  const TimerThread pump(timers, clock);
  // The later one first: the thread has to be told of an earlier one while it waits.
  for (const int after_ms : {20, 1, 5}) {
    const core::Elapsed at = start + milliseconds(after_ms);
    timers.schedule(at, [&, at] {
      if (clock.elapsed() < at) early = true;
      fired.count_down();
    });
  }
  fired.wait();
  EXPECT_FALSE(early);
}

TEST(TimerThread, ALateTimerDoesNotKeepItFromEnding) {
  core::SystemClock clock;
  Timers timers;
  timers.schedule(std::chrono::hours(24 * 365 * 200), [] { ADD_FAILURE(); });
  const TimerThread pump(timers, clock);
}

TEST(TimerThread, AnotherMayPumpTheSameTimersLater) {
  core::SystemClock clock;
  Timers timers;
  {
    const TimerThread first(timers, clock);
  }
  std::latch fired(1);
  timers.schedule(core::Elapsed(0), [&] { fired.count_down(); });
  const TimerThread second(timers, clock);
  fired.wait();
}

TEST(TimersStress, EachTimerFiresOnceOrIsCancelled) {
  constexpr std::size_t kEach = 2000;
  core::SystemClock clock;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    Timers timers;
    std::vector<std::atomic<int>> ends(3 * kEach);
    std::latch all(3 * kEach);
    std::vector<std::thread> threads;
    {
      const TimerThread pump(timers, clock);
      for (std::size_t t = 0; t < 3; ++t)
        threads.emplace_back([&, t] {
          std::mt19937_64 random(seed * 3 + t);
          for (std::size_t i = t * kEach; i < (t + 1) * kEach; ++i) {
            const auto in = std::chrono::microseconds(random() % 400);
            const TimerId id = timers.schedule(clock.elapsed() + in, [&, i] {
              ++ends[i];
              all.count_down();
            });
            if (random() % 3 == 0 && timers.cancel(id)) {
              ++ends[i];
              all.count_down();
            }
            if (random() % 50 == 0) timers.fire_due(clock.elapsed());
          }
        });
      for (std::thread& thread : threads) thread.join();
      all.wait();
    }
    for (std::size_t i = 0; i < ends.size(); ++i) EXPECT_EQ(ends[i].load(), 1) << "timer " << i;
  }
}

}  // namespace
}  // namespace perdure::actors
