/// The step pool: threads on which blocking step bodies run.
///
/// What this is: a queue of jobs and a bounded number of threads, started when they are needed.
/// What it promises: jobs begin in the order they were pushed; a job pushed by a pool thread that is about
/// to look for work costs no wake-up of another; `stop` starts nothing more and waits for what runs, up
/// to a bound.
/// What it does not: know steps, journals or actors. No CAF in here: it runs under tsan.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace perdure::actors {

class Job {
 public:
  virtual ~Job() = default;
  /// Runs on a pool thread.
  virtual void run() noexcept = 0;
};

/// What a pool thread finds when its job has ended.
enum class AfterJob : std::uint8_t { queue_empty, more_jobs };

struct StepPoolOptions {
  /// Threads at most; they start when jobs wait and none is idle.
  std::size_t threads_max = 32;
  /// Called on the pool thread after each job, before it looks for another. With `queue_empty` it may
  /// take its time (commit what is queued): jobs pushed meanwhile wake other threads.
  std::function<void(AfterJob)> after_job = {};
};

/// Thread: any.
class StepPool {
 public:
  explicit StepPool(StepPoolOptions options);
  /// Like `stop` without a bound.
  ~StepPool();
  StepPool(const StepPool&) = delete;
  StepPool& operator=(const StepPool&) = delete;

  /// Queues the jobs. After `stop` they are destroyed without running.
  void push(std::unique_ptr<Job> job);
  void push(std::vector<std::unique_ptr<Job>> jobs);

  /// Drops what has not begun and waits for what runs. False when the bound passed first: the threads
  /// are then left behind on purpose, with what they use kept alive.
  [[nodiscard]] bool stop(std::chrono::milliseconds bound);

  [[nodiscard]] std::size_t running() const;
  [[nodiscard]] std::size_t queued() const;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace perdure::actors
