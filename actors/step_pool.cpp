#include "actors/step_pool.hpp"

#include "core/assert.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <span>
#include <system_error>
#include <thread>
#include <utility>

namespace perdure::actors {
namespace {

using Jobs = std::vector<std::unique_ptr<Job>>;

/// What a thread knows of itself.
struct ThisThread {
  const void* pool = nullptr;  ///< Whose thread it is.
  bool in_hook = false;        ///< Inside `after_job`: about to look for work.
  bool has_claim = false;      ///< A job in the queue is meant for it.
  StepPool::Gather* gather = nullptr;
};
thread_local ThisThread this_thread;

/// Bounds above this are none: a deadline that far off does not fit a clock.
constexpr std::chrono::milliseconds kNoBound = std::chrono::hours(24 * 365);

}  // namespace

/// Invariants, under the lock:
/// - if there are more jobs than claims, a thread is coming, or none is idle and no more may start:
///   then all are busy, and each looks for work when it has ended what it does;
/// - each claim belongs to one thread inside `after_job`, which looks for work right afterwards.
///   Others leave as many jobs as there are claims: two threads that took each other's would go on
///   alternating.
struct StepPool::Shared : std::enable_shared_from_this<Shared> {
  explicit Shared(StepPoolOptions options) : options_(std::move(options)) {}

  void push(std::span<std::unique_ptr<Job>> jobs);
  bool stop(std::chrono::milliseconds bound);

  void work(std::size_t slot);
  std::unique_ptr<Job> next(std::unique_lock<std::mutex>& lock);
  void run_hook(std::unique_lock<std::mutex>& lock);
  [[nodiscard]] bool wake_if_needed();
  void start_thread();
  [[nodiscard]] bool wait_for_end(std::chrono::milliseconds bound);
  [[nodiscard]] bool is_own_thread() const { return this_thread.pool == this; }

  struct Thread {
    std::thread handle;  ///< Touched by who starts it and by `stop`.
    bool ended = false;
  };

  const StepPoolOptions options_;
  std::mutex stop_mutex_;
  std::optional<bool> stopped_;  ///< What `stop` returned. Guarded by `stop_mutex_`.

  mutable std::mutex mutex_;
  std::condition_variable work_;   ///< Idle threads wait for a token.
  std::condition_variable ended_;  ///< `stop` waits.
  std::deque<std::unique_ptr<Job>> jobs_;
  std::deque<Thread> threads_;
  std::size_t live_ = 0;     ///< Threads that have not ended.
  std::size_t idle_ = 0;     ///< Threads that wait and for which there is no token.
  std::size_t tokens_ = 0;   ///< Wake-ups given and not taken yet.
  std::size_t coming_ = 0;   ///< Threads woken or started that have not looked for work yet.
  std::size_t claims_ = 0;   ///< Jobs for which nobody is woken: their pushers come for them.
  std::size_t running_ = 0;  ///< Threads inside `Job::run`.
  std::size_t hooks_ = 0;    ///< Threads inside `after_job`.
  bool stopping_ = false;
};

void StepPool::Shared::push(std::span<std::unique_ptr<Job>> jobs) {
  if (jobs.empty()) return;
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;  // The caller destroys them, without the lock.
    for (std::unique_ptr<Job>& job : jobs) {
      PERDURE_ASSERT(job != nullptr, "a job is pushed");
      jobs_.push_back(std::move(job));
    }
    if (is_own_thread() && this_thread.in_hook && !this_thread.has_claim) {
      this_thread.has_claim = true;
      ++claims_;
    }
    wake = wake_if_needed();
  }
  if (wake) work_.notify_one();
}

/// Sees to it that a thread comes when one is needed. True: the caller notifies, after the lock.
bool StepPool::Shared::wake_if_needed() {
  if (options_.driver == StepPoolOptions::Driver::owner) return false;
  if (jobs_.size() <= claims_ || coming_ > 0) return false;
  if (idle_ > 0) {
    --idle_;
    ++tokens_;
    ++coming_;
    return true;
  }
  if (threads_.size() < options_.threads_max) start_thread();
  return false;
}

void StepPool::Shared::start_thread() {
  const std::size_t slot = threads_.size();
  Thread& thread = threads_.emplace_back();
  try {
    thread.handle = std::thread([self = shared_from_this(), slot] { self->work(slot); });
  } catch (const std::system_error&) {
    // The threads there are will come to these jobs, later.
    threads_.pop_back();
    PERDURE_ASSERT(!threads_.empty(),
                   "the system starts no thread for the step pool; raise its limit");
    return;
  }
  ++live_;
  ++coming_;
}

void StepPool::Shared::work(std::size_t slot) {
  this_thread.pool = this;
  std::unique_lock lock(mutex_);
  --coming_;
  while (std::unique_ptr<Job> job = next(lock)) {
    job->run();
    job.reset();
    lock.lock();
    --running_;
    run_hook(lock);
  }
  lock.lock();
  threads_[slot].ended = true;
  --live_;
  ended_.notify_all();
}

/// Waits for a job and leaves the lock. Empty when the pool stops.
std::unique_ptr<Job> StepPool::Shared::next(std::unique_lock<std::mutex>& lock) {
  while (jobs_.size() <= claims_ && !stopping_) {
    ++idle_;
    work_.wait(lock, [this] { return tokens_ > 0 || stopping_; });
    if (stopping_) break;
    --tokens_;
    --coming_;
  }
  std::unique_ptr<Job> job;
  bool wake = false;
  if (!stopping_) {
    job = std::move(jobs_.front());
    jobs_.pop_front();
    ++running_;
    wake = wake_if_needed();
  }
  lock.unlock();
  if (wake) work_.notify_one();
  return job;
}

void StepPool::Shared::run_hook(std::unique_lock<std::mutex>& lock) {
  if (!options_.after_job || stopping_) return;
  const AfterJob found = jobs_.size() <= claims_ ? AfterJob::queue_empty : AfterJob::more_jobs;
  ++hooks_;
  lock.unlock();
  this_thread.in_hook = true;
  options_.after_job(found);
  this_thread.in_hook = false;
  lock.lock();
  --hooks_;
  if (std::exchange(this_thread.has_claim, false)) --claims_;
  if (stopping_) ended_.notify_all();
}

bool StepPool::Shared::wait_for_end(std::chrono::milliseconds bound) {
  std::unique_lock lock(mutex_);
  const std::size_t own = is_own_thread() ? 1 : 0;
  const auto all_ended = [this, own] { return live_ <= own; };
  bool in_time = true;
  if (bound >= kNoBound) {
    ended_.wait(lock, all_ended);
  } else {
    in_time = ended_.wait_for(lock, bound, all_ended);
  }
  // Where the owner runs jobs, one that runs now is below this call.
  if (options_.driver == StepPoolOptions::Driver::owner) return running_ == 0;
  // What `after_job` uses may go as soon as `stop` has returned.
  const std::size_t own_hook = own == 1 && this_thread.in_hook ? 1 : 0;
  ended_.wait(lock, [this, own_hook] { return hooks_ <= own_hook; });
  return in_time;
}

bool StepPool::Shared::stop(std::chrono::milliseconds bound) {
  std::deque<std::unique_ptr<Job>> dropped;
  {
    const std::lock_guard lock(mutex_);
    // A body can't wait for a stop that waits for the body.
    if (stopping_ && is_own_thread()) return false;
    stopping_ = true;
    dropped.swap(jobs_);
  }
  work_.notify_all();
  dropped.clear();

  const std::lock_guard stopping(stop_mutex_);
  if (stopped_) return *stopped_;
  stopped_ = wait_for_end(bound);
  for (Thread& thread : threads_) {
    bool ended = false;
    {
      const std::lock_guard lock(mutex_);
      ended = thread.ended;
    }
    if (ended) {
      thread.handle.join();
    } else {
      thread.handle.detach();
    }
  }
  return *stopped_;
}

StepPool::StepPool(StepPoolOptions options)
    : shared_(std::make_shared<Shared>(std::move(options))) {
  PERDURE_ASSERT(shared_->options_.threads_max > 0, "a step pool has at least one thread");
}

StepPool::~StepPool() { static_cast<void>(shared_->stop(kNoBound)); }

void StepPool::push(std::unique_ptr<Job> job) {
  for (Gather* gather = this_thread.gather; gather != nullptr; gather = gather->outer_) {
    if (&gather->pool_ != this) continue;
    gather->jobs_.push_back(std::move(job));
    return;
  }
  shared_->push(std::span(&job, 1));
}

void StepPool::push(std::vector<std::unique_ptr<Job>> jobs) {
  for (Gather* gather = this_thread.gather; gather != nullptr; gather = gather->outer_) {
    if (&gather->pool_ != this) continue;
    for (std::unique_ptr<Job>& job : jobs) gather->jobs_.push_back(std::move(job));
    return;
  }
  shared_->push(jobs);
}

bool StepPool::stop(std::chrono::milliseconds bound) { return shared_->stop(bound); }

bool StepPool::run_next(const std::function<void(Job&)>& run, const Rank& rank) {
  std::unique_ptr<Job> job;
  {
    const std::lock_guard lock(shared_->mutex_);
    PERDURE_ASSERT(shared_->options_.driver == StepPoolOptions::Driver::owner,
                   "a pool with threads runs its jobs itself");
    if (shared_->jobs_.empty()) return false;
    const auto chosen = rank
                            ? std::ranges::min_element(
                                  shared_->jobs_, {}, [&](const auto& each) { return rank(*each); })
                            : shared_->jobs_.begin();
    job = std::move(*chosen);
    shared_->jobs_.erase(chosen);
    ++shared_->running_;
  }
  run(*job);
  job.reset();
  const std::lock_guard lock(shared_->mutex_);
  --shared_->running_;
  return true;
}

bool StepPool::any_queued(const std::function<bool(const Job&)>& wanted) const {
  const std::lock_guard lock(shared_->mutex_);
  return std::ranges::any_of(shared_->jobs_, [&](const auto& job) { return wanted(*job); });
}

std::size_t StepPool::running() const {
  const std::lock_guard lock(shared_->mutex_);
  return shared_->running_;
}

std::size_t StepPool::queued() const {
  const std::lock_guard lock(shared_->mutex_);
  return shared_->jobs_.size();
}

StepPool::Gather::Gather(StepPool& pool)
    : pool_(pool), outer_(std::exchange(this_thread.gather, this)) {}

StepPool::Gather::~Gather() {
  PERDURE_ASSERT(this_thread.gather == this, "gathers end in reverse order, on their thread");
  this_thread.gather = outer_;
  pool_.push(std::move(jobs_));
}

}  // namespace perdure::actors
