/// Lost wake-ups show as a test that never ends: each round waits until all of its jobs have run,
/// so no later push can make good for an earlier one. Run under the thread sanitizer.
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "actors/step_pool.hpp"

namespace perdure::actors {
namespace {

/// Counts what has yet to run. Thread: any.
class Open {
 public:
  void add(int count) { left_ += count; }
  void done() {
    if (--left_ > 0) return;
    const std::lock_guard lock(mutex_);
    changed_.notify_all();
  }
  void await() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return left_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<int> left_ = 0;
};

/// The pool and what its hook pushes: `follow_ups` wait for whichever thread comes to the hook.
struct World {
  explicit World(std::size_t threads, std::uint64_t seed)
      : random(seed),
        pool({.threads_max = threads, .after_job = [this](AfterJob what) { hook(what); }}) {}

  void hook(AfterJob what);
  /// One job, which has up to `depth` generations of jobs pushed by its body or the hook after it.
  std::unique_ptr<Job> make(int depth);

  Open open;
  std::mutex mutex;
  std::mt19937_64 random;
  std::vector<std::unique_ptr<Job>> follow_ups;
  StepPool pool;
};

class Work final : public Job {
 public:
  Work(World& world, int depth, std::uint64_t mood) : world_(world), depth_(depth), mood_(mood) {}
  void run() noexcept override {
    for (std::uint64_t i = 0; i < mood_ % 3; ++i) std::this_thread::yield();
    if (depth_ > 0) {
      world_.open.add(1);
      std::unique_ptr<Job> next = world_.make(depth_ - 1);
      if (mood_ % 2 == 0) {
        world_.pool.push(std::move(next));
      } else {
        // As a session does: the result is queued, and the gate pushes the next step.
        const std::lock_guard lock(world_.mutex);
        world_.follow_ups.push_back(std::move(next));
      }
    }
    world_.open.done();
  }

 private:
  World& world_;
  int depth_;
  std::uint64_t mood_;
};

std::unique_ptr<Job> World::make(int depth) {
  const std::lock_guard lock(mutex);
  return std::make_unique<Work>(*this, depth, random());
}

void World::hook(AfterJob what) {
  std::vector<std::unique_ptr<Job>> mine;
  std::uint64_t mood = 0;
  {
    const std::lock_guard lock(mutex);
    mine.swap(follow_ups);
    mood = random();
  }
  if (what == AfterJob::queue_empty)
    for (std::uint64_t i = 0; i < mood % 8; ++i) std::this_thread::yield();
  if (mood % 2 == 0) {
    pool.push(std::move(mine));
  } else {
    for (std::unique_ptr<Job>& job : mine) pool.push(std::move(job));
  }
  if (mood % 3 == 0) std::this_thread::yield();
}

TEST(StepPoolStress, NoPushIsForgotten) {
  constexpr int kRounds = 400;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    World world(1 + seed % 4, seed);
    std::mt19937_64 random(seed);
    for (int round = 0; round < kRounds; ++round) {
      const int jobs = static_cast<int>(1 + random() % 5);
      world.open.add(jobs);
      for (int i = 0; i < jobs; ++i) world.pool.push(world.make(static_cast<int>(random() % 6)));
      world.open.await();
    }
    EXPECT_EQ(world.pool.queued(), 0U);
  }
}

TEST(StepPoolStress, SeveralPushersAndBurstsLeaveNothingBehind) {
  constexpr int kRounds = 60;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    World world(6, seed);
    std::vector<std::thread> pushers;
    std::atomic<int> pushed = 0;
    for (std::uint64_t t = 0; t < 3; ++t)
      pushers.emplace_back([&, t] {
        std::mt19937_64 random(seed * 3 + t);
        for (int round = 0; round < kRounds; ++round) {
          const std::size_t burst = 1 + random() % 30;
          std::vector<std::unique_ptr<Job>> jobs;
          world.open.add(static_cast<int>(burst));
          for (std::size_t i = 0; i < burst; ++i) jobs.push_back(world.make(1));
          world.pool.push(std::move(jobs));
          pushed += static_cast<int>(burst);
          if (random() % 4 == 0) world.open.await();
        }
      });
    for (std::thread& pusher : pushers) pusher.join();
    world.open.await();
    EXPECT_GE(pushed, 3 * kRounds);
    EXPECT_TRUE(world.pool.stop(std::chrono::hours(1)));
  }
}

TEST(StepPoolStress, StopsInTheMiddleOfEverything) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    World world(4, seed);
    std::thread pusher([&] {
      for (int i = 0; i < 50; ++i) {
        world.open.add(1);
        world.pool.push(world.make(3));
      }
    });
    for (std::uint64_t i = 0; i < seed; ++i) std::this_thread::yield();
    EXPECT_TRUE(world.pool.stop(std::chrono::hours(1)));
    EXPECT_EQ(world.pool.running(), 0U);
    EXPECT_EQ(world.pool.queued(), 0U);
    pusher.join();
  }
}

}  // namespace
}  // namespace perdure::actors
