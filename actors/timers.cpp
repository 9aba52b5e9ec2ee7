#include "actors/timers.hpp"

#include <algorithm>
#include <condition_variable>

#include "core/assert.hpp"

namespace perdure::actors {

TimerId Timers::schedule(core::Elapsed at, std::function<void()> fire) {
  PERDURE_ASSERT(fire != nullptr, "a timer has something to fire");
  std::shared_ptr<const std::function<void()>> notify;
  TimerId id = 0;
  {
    const std::lock_guard lock(mutex_);
    id = ++last_;
    if (by_time_.empty() || at < by_time_.begin()->first.first) notify = notify_;
    by_time_.emplace(std::pair(at, id), std::move(fire));
    by_id_.emplace(id, at);
  }
  if (notify) (*notify)();
  return id;
}

bool Timers::cancel(TimerId id) {
  // What the callback owns is freed without the lock: its destructor may come back here.
  std::function<void()> fire;
  const std::lock_guard lock(mutex_);
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return false;
  const auto at = by_time_.find(std::pair(found->second, id));
  fire = std::move(at->second);
  by_time_.erase(at);
  by_id_.erase(found);
  return true;
}

std::size_t Timers::fire_due(core::Elapsed now) {
  TimerId up_to = 0;
  {
    const std::lock_guard lock(mutex_);
    // Callbacks that schedule for at once would otherwise keep this call for ever.
    up_to = last_;
  }
  std::size_t fired = 0;
  while (const std::function<void()> fire = take_due(now, up_to)) {
    fire();
    ++fired;
  }
  return fired;
}

/// The earliest timer due at `now`, of those up to `up_to`; empty without one.
std::function<void()> Timers::take_due(core::Elapsed now, TimerId up_to) {
  const std::lock_guard lock(mutex_);
  for (auto at = by_time_.begin(); at != by_time_.end() && at->first.first <= now; ++at) {
    if (at->first.second > up_to) continue;
    std::function<void()> fire = std::move(at->second);
    by_id_.erase(at->first.second);
    by_time_.erase(at);
    return fire;
  }
  return {};
}

std::optional<core::Elapsed> Timers::next() const {
  const std::lock_guard lock(mutex_);
  if (by_time_.empty()) return std::nullopt;
  return by_time_.begin()->first.first;
}

void Timers::on_earlier(std::function<void()> notify) {
  auto shared = notify ? std::make_shared<const std::function<void()>>(std::move(notify)) : nullptr;
  const std::lock_guard lock(mutex_);
  notify_.swap(shared);
}

struct TimerThread::Shared {
  std::mutex mutex;
  std::condition_variable changed;
  bool stop = false;
  bool earlier = false;
};

TimerThread::TimerThread(Timers& timers, core::Clock& clock)
    : timers_(timers), clock_(clock), shared_(std::make_shared<Shared>()) {
  timers_.on_earlier([shared = shared_] {
    {
      const std::lock_guard lock(shared->mutex);
      shared->earlier = true;
    }
    shared->changed.notify_one();
  });
  thread_ = std::thread([this] { loop(); });
}

TimerThread::~TimerThread() {
  timers_.on_earlier({});
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->stop = true;
  }
  shared_->changed.notify_one();
  thread_.join();
}

void TimerThread::loop() {
  const auto told = [this] { return shared_->stop || shared_->earlier; };
  std::unique_lock lock(shared_->mutex);
  while (!shared_->stop) {
    // Cleared before the look at the timers: what is scheduled after it sets it again.
    shared_->earlier = false;
    lock.unlock();
    const core::Elapsed now = clock_.elapsed();
    timers_.fire_due(now);
    const std::optional<core::Elapsed> next = timers_.next();
    lock.lock();
    if (!next) {
      shared_->changed.wait(lock, told);
    } else if (*next > now) {
      shared_->changed.wait_for(lock, std::min<core::Elapsed>(*next - now, kCheck), told);
    }
  }
}

}  // namespace perdure::actors
