/// The step pool: threads on which blocking step bodies run.
///
/// What this is: a queue of jobs and a bounded number of threads, started when they are needed.
/// What it promises: jobs begin in the order they were pushed; a push wakes at most one thread, and
/// a thread that takes a job and sees more wakes one more, so a burst costs its pusher one wake-up;
/// the first job that a pool thread pushes from inside `after_job` costs none, it is for that
/// thread itself; `stop` starts nothing more and waits for what runs, up to a bound.
/// Where an owner drives it, jobs run in the same order when the owner says so, without any thread.
/// What it does not: know steps, journals or actors. No CAF in here: it runs under tsan.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace perdure::actors {

/// Something to run. It owns or keeps alive what it uses: it may outlive the pool (see `stop`).
class Job {
 public:
  virtual ~Job() = default;
  /// Runs on a pool thread. The job is destroyed on that thread right afterwards.
  virtual void run() noexcept = 0;
};

/// What a pool thread finds when its job has ended.
enum class AfterJob : std::uint8_t { queue_empty, more_jobs };

struct StepPoolOptions {
  /// Who runs jobs: threads of the pool's, or its owner by `run_next`. With `owner` there is no
  /// thread, and `after_job` is not called.
  enum class Driver : std::uint8_t { threads, owner } driver = Driver::threads;
  /// Threads at most (at least 1); they start when jobs wait and none is idle.
  std::size_t threads_max = 32;
  /// Called on the pool thread after each job, before it looks for another; no more once `stop` has
  /// begun.
  /// With `queue_empty` it may take its time (commit what is queued): jobs that others push
  /// meanwhile wake other threads. It must not throw.
  std::function<void(AfterJob)> after_job = {};
};

/// Thread: any.
class StepPool {
 public:
  explicit StepPool(StepPoolOptions options);
  /// Like `stop` without a bound, unless `stop` was called before.
  ~StepPool();
  StepPool(const StepPool&) = delete;
  StepPool& operator=(const StepPool&) = delete;

  /// Queues the jobs. After `stop` they are destroyed without running.
  void push(std::unique_ptr<Job> job);
  void push(std::vector<std::unique_ptr<Job>> jobs);

  /// While one lives, what its thread pushes to `pool` is kept back and pushed at once at its end:
  /// many jobs for one lock and one wake-up. What the outermost one keeps back is in the order of
  /// pushing.
  class Gather {
   public:
    explicit Gather(StepPool& pool);
    ~Gather();
    Gather(const Gather&) = delete;
    Gather& operator=(const Gather&) = delete;

   private:
    friend class StepPool;
    StepPool& pool_;
    Gather* outer_;
    std::vector<std::unique_ptr<Job>> jobs_;
  };

  /// Drops what has not begun and waits for what runs. False when the bound passed first: the
  /// threads are then left behind on purpose, with what they use kept alive, and `after_job` is not
  /// called by them any more (a call that is under way is waited for beyond the bound). Called on a
  /// thread of the pool it does not wait for that thread. Later calls return what the first did;
  /// one from a body that an earlier call waits for returns false at once.
  [[nodiscard]] bool stop(std::chrono::milliseconds bound);

  /// What its owner says of a queued job. Called with the lock held.
  using Rank = std::function<std::uint64_t(const Job&)>;
  /// With the driver `owner`: runs a queued job, by `run`, on this thread, also from inside another
  /// job; the one of the least rank, of several or without ranks the oldest. False: none is queued.
  bool run_next(const std::function<void(Job&)>& run, const Rank& rank = nullptr);
  /// Whether `wanted` says yes to a job that has not begun. Called with the lock held.
  [[nodiscard]] bool any_queued(const std::function<bool(const Job&)>& wanted) const;

  /// Jobs that run, and jobs that have not begun.
  [[nodiscard]] std::size_t running() const;
  [[nodiscard]] std::size_t queued() const;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace perdure::actors
