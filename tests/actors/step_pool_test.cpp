#include "actors/step_pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <latch>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace perdure::actors {
namespace {

class Function final : public Job {
 public:
  explicit Function(std::function<void()> function) : function_(std::move(function)) {}
  void run() noexcept override { function_(); }

 private:
  std::function<void()> function_;
};

std::unique_ptr<Job> job(std::function<void()> function) {
  return std::make_unique<Function>(std::move(function));
}
constexpr std::chrono::milliseconds kNoWait{0};
constexpr std::chrono::milliseconds kLong = std::chrono::hours(24 * 365 * 1000);

TEST(StepPool, RunsJobsInTheOrderTheyWerePushed) {
  std::vector<int> order;
  std::latch done(1);
  StepPool pool({.threads_max = 1});
  std::latch begin(1);
  pool.push(job([&] { begin.wait(); }));
  for (int i = 0; i < 100; ++i) pool.push(job([&order, i] { order.push_back(i); }));
  std::vector<std::unique_ptr<Job>> more;
  for (int i = 100; i < 200; ++i) more.push_back(job([&order, i] { order.push_back(i); }));
  pool.push(std::move(more));
  EXPECT_EQ(pool.queued() + pool.running(), 201U);
  pool.push(job([&] { done.count_down(); }));
  begin.count_down();
  done.wait();
  ASSERT_EQ(order.size(), 200U);
  for (int i = 0; i < 200; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(StepPool, RunsAsManyAtOnceAsItMayAndNoMore) {
  constexpr std::size_t kThreads = 8;
  std::latch all_there(kThreads);
  std::latch go_on(1);
  std::latch done(kThreads + 1);
  StepPool pool({.threads_max = kThreads});
  std::vector<std::unique_ptr<Job>> jobs;
  for (std::size_t i = 0; i < kThreads; ++i)
    jobs.push_back(job([&] {
      all_there.count_down();
      go_on.wait();
      done.count_down();
    }));
  jobs.push_back(job([&] { done.count_down(); }));
  pool.push(std::move(jobs));
  // One push woke one thread; each that found more woke another, or this never ends.
  all_there.wait();
  EXPECT_EQ(pool.running(), kThreads);
  EXPECT_EQ(pool.queued(), 1U);
  go_on.count_down();
  done.wait();
}

TEST(StepPool, TellsTheHookWhatTheThreadFinds) {
  std::vector<AfterJob> found;
  std::latch done(3);
  StepPool pool({.threads_max = 1, .after_job = [&](AfterJob what) {
                   found.push_back(what);
                   done.count_down();
                 }});
  std::vector<std::unique_ptr<Job>> jobs;
  for (int i = 0; i < 3; ++i) jobs.push_back(job([] {}));
  pool.push(std::move(jobs));
  done.wait();
  EXPECT_EQ(found, (std::vector{AfterJob::more_jobs, AfterJob::more_jobs, AfterJob::queue_empty}));
}

/// Two threads that exist, one of them idle or about to be.
void start_two_threads(StepPool& pool) {
  std::latch both(2);
  std::latch done(2);
  for (int i = 0; i < 2; ++i)
    pool.push(job([&] {
      both.arrive_and_wait();
      done.count_down();
    }));
  done.wait();
}

TEST(StepPool, WhatTheHookPushesFirstIsForItsOwnThread) {
  constexpr int kRounds = 2000;
  StepPool* the_pool = nullptr;
  int rounds = 0;
  std::latch done(1);
  std::optional<std::thread::id> own;
  int changes = 0;
  std::atomic<bool> armed = false;
  StepPool pool({.threads_max = 2, .after_job = [&](AfterJob) {
                   if (!armed || own != std::this_thread::get_id()) return;
                   if (++rounds > kRounds) return done.count_down();
                   the_pool->push(job([&] {
                     if (*own != std::this_thread::get_id()) {
                       ++changes;
                       own = std::this_thread::get_id();
                     }
                   }));
                   // A thread that was woken by the push would take the job now.
                   for (int i = 0; i < 3; ++i) std::this_thread::yield();
                 }});
  the_pool = &pool;
  start_two_threads(pool);
  pool.push(job([&] {
    own = std::this_thread::get_id();
    armed = true;
  }));
  done.wait();
  EXPECT_EQ(changes, 0);
}

TEST(StepPool, WhatOthersPushDuringTheHookRunsElsewhere) {
  std::latch in_hook(1);
  std::latch other_ran(1);
  std::latch done(1);
  std::atomic<bool> first = true;
  StepPool pool({.threads_max = 2, .after_job = [&](AfterJob) {
                   if (!first.exchange(false)) return;
                   in_hook.count_down();
                   other_ran.wait();
                   done.count_down();
                 }});
  pool.push(job([] {}));
  in_hook.wait();
  pool.push(job([&] { other_ran.count_down(); }));
  done.wait();
}

TEST(StepPool, WhatTheHookPushesSecondRunsElsewhere) {
  StepPool* the_pool = nullptr;
  std::latch one_ran(1);
  std::latch both_ran(2);
  std::atomic<bool> first = true;
  StepPool pool({.threads_max = 2, .after_job = [&](AfterJob) {
                   if (!first.exchange(false)) return;
                   the_pool->push(job([&] {
                     one_ran.count_down();
                     both_ran.count_down();
                   }));
                   the_pool->push(job([&] { both_ran.count_down(); }));
                   one_ran.wait();
                 }});
  the_pool = &pool;
  pool.push(job([] {}));
  both_ran.wait();
}

TEST(StepPool, GatherPushesAtItsEndInOrder) {
  std::vector<int> order;
  std::latch done(4);
  const auto numbered = [&](int i) {
    return job([&order, &done, i] {
      order.push_back(i);
      done.count_down();
    });
  };
  StepPool pool({.threads_max = 1});
  StepPool other({.threads_max = 1});
  std::latch other_done(1);
  {
    const StepPool::Gather gather(pool);
    pool.push(numbered(1));
    {
      const StepPool::Gather inner_of_other(other);
      const StepPool::Gather inner(pool);
      pool.push(numbered(2));
      other.push(job([&] { other_done.count_down(); }));
    }
    other_done.wait();
    std::vector<std::unique_ptr<Job>> more;
    more.push_back(numbered(3));
    more.push_back(numbered(4));
    pool.push(std::move(more));
    EXPECT_EQ(pool.queued() + pool.running(), 0U) << "all is kept back";
  }
  done.wait();
  EXPECT_EQ(order, (std::vector{1, 2, 3, 4}));
}

/// Counts its destructions.
class Counted final : public Job {
 public:
  Counted(std::atomic<int>& ran, std::atomic<int>& destroyed) : ran_(ran), destroyed_(destroyed) {}
  ~Counted() override { ++destroyed_; }
  void run() noexcept override { ++ran_; }

 private:
  std::atomic<int>& ran_;
  std::atomic<int>& destroyed_;
};

TEST(StepPool, StopDropsWhatHasNotBegunAndWaitsForWhatRuns) {
  std::atomic<int> ran = 0;
  std::atomic<int> destroyed = 0;
  std::atomic<bool> ended = false;
  std::latch begun(1);
  std::latch go_on(1);
  StepPool pool({.threads_max = 1});
  pool.push(job([&] {
    begun.count_down();
    go_on.wait();
    ended = true;
  }));
  begun.wait();
  for (int i = 0; i < 3; ++i) pool.push(std::make_unique<Counted>(ran, destroyed));
  std::thread stopper([&] { EXPECT_TRUE(pool.stop(kLong)); });
  while (pool.queued() != 0) std::this_thread::yield();
  EXPECT_FALSE(ended);
  go_on.count_down();
  stopper.join();
  EXPECT_TRUE(ended);
  EXPECT_TRUE(pool.stop(kNoWait)) << "as the first call";
  pool.push(std::make_unique<Counted>(ran, destroyed));
  EXPECT_EQ(ran, 0);
  EXPECT_EQ(destroyed, 4);
}

/// Calls `function` when its last copy is destroyed.
std::shared_ptr<void> at_the_end(std::function<void()> function) {
  return {nullptr, [function = std::move(function)](void*) { function(); }};
}

TEST(StepPool, StopLeavesABodyBehindThatDoesNotReturn) {
  std::latch begun(1);
  std::latch go_on(1);
  std::latch all_gone(1);
  std::atomic<int> hooks = 0;
  {
    StepPool pool({.threads_max = 2, .after_job = [&hooks, end = at_the_end([&] {
                                                             all_gone.count_down();
                                                           })](AfterJob) { ++hooks; }});
    pool.push(job([&] {
      begun.count_down();
      go_on.wait();
    }));
    begun.wait();
    EXPECT_FALSE(pool.stop(kNoWait));
    EXPECT_EQ(pool.running(), 1U);
    EXPECT_FALSE(pool.stop(kLong)) << "as the first call, and without waiting";
  }
  // The pool is gone; the thread has kept what it uses, and lets go of it when it ends.
  go_on.count_down();
  all_gone.wait();
  EXPECT_EQ(hooks, 0) << "what the hook refers to may be gone";
}

TEST(StepPool, StopWaitsForAHookThatIsUnderWayBeyondTheBound) {
  std::atomic<int> ran = 0;
  std::atomic<int> destroyed = 0;
  std::latch in_hook(1);
  std::atomic<bool> hook_ended = false;
  StepPool pool({.threads_max = 1, .after_job = [&](AfterJob) {
                   in_hook.count_down();
                   // The stop has begun when it has dropped the queued job.
                   while (destroyed == 0) std::this_thread::yield();
                   for (int i = 0; i < 100; ++i) std::this_thread::yield();
                   hook_ended = true;
                 }});
  pool.push(job([] {}));
  in_hook.wait();
  pool.push(std::make_unique<Counted>(ran, destroyed));
  static_cast<void>(pool.stop(kNoWait));
  EXPECT_TRUE(hook_ended);
  EXPECT_EQ(ran, 0);
}

TEST(StepPool, MayBeStoppedAndDestroyedByABody) {
  std::latch done(1);
  auto* pool = new StepPool({.threads_max = 2});
  pool->push(job([&] {
    EXPECT_TRUE(pool->stop(kLong)) << "it does not wait for itself";
    delete pool;
    done.count_down();
  }));
  done.wait();
}

TEST(StepPool, ABodyCanNotWaitForTheStopThatWaitsForIt) {
  std::latch begun(1);
  std::atomic<bool> returned_false = false;
  StepPool pool({.threads_max = 1});
  std::atomic<bool> stopping = false;
  pool.push(job([&] {
    begun.count_down();
    // The queued job goes when the other stop has begun.
    while (pool.queued() != 0 || !stopping) std::this_thread::yield();
    returned_false = !pool.stop(kLong);
  }));
  begun.wait();
  pool.push(job([] {}));
  stopping = true;
  EXPECT_TRUE(pool.stop(kLong));
  EXPECT_TRUE(returned_false);
}

TEST(StepPoolDeathTest, NeedsAThread) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(StepPool({.threads_max = 0}), "at least one thread");
}

}  // namespace
}  // namespace perdure::actors
