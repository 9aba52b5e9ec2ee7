#include "journal/gate.hpp"

#include "core/assert.hpp"
#include "core/crash_point.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace perdure::journal {

void Gate::when_durable(RecordNumber number, std::unique_ptr<Gated> thing) {
  PERDURE_ASSERT(thing != nullptr, "something waits at the gate");
  std::unique_lock lock(mutex_);
  if (!releasing_ && (failure_ || number <= watermark_.load())) {
    const Error* failure = failure_ ? &*failure_ : nullptr;
    lock.unlock();
    if (failure != nullptr) {
      thing->fail(*failure);
    } else {
      thing->open();
    }
    return;
  }
  if (waiting_.empty() || waiting_.back().number <= number) {
    waiting_.push_back({number, std::move(thing)});
    return;
  }
  const auto after = std::ranges::upper_bound(waiting_, number, {}, &Waiting::number);
  waiting_.insert(after, {number, std::move(thing)});
}

void Gate::advance(RecordNumber number) {
  std::unique_lock lock(mutex_);
  if (failure_ || number <= watermark_.load()) return;
  watermark_.store(number);
  core::crash_point(core::CrashPoint::gate_opened);
  release(lock);
}

void Gate::fail(const Error& why) {
  std::unique_lock lock(mutex_);
  if (failure_) return;
  failure_ = why;
  release(lock);
}

void Gate::release(std::unique_lock<std::mutex>& lock) {
  // The thread that is calling things looks again before it stops, so it sees what is new.
  if (releasing_) return;
  releasing_ = true;
  while (const std::optional<Call> call = take_due()) {
    lock.unlock();
    if (around_ && due_.size() > 1) {
      around_([this, &call] { call_due(*call); });
      PERDURE_ASSERT(due_.empty(), "what stands around a release calls it");
    } else {
      call_due(*call);
    }
    lock.lock();
  }
  releasing_ = false;
}

/// Moves to `due_` what is durable, else, after a failure, everything.
std::optional<Gate::Call> Gate::take_due() {
  const RecordNumber watermark = watermark_.load();
  const bool some_durable = !waiting_.empty() && waiting_.front().number <= watermark;
  if (waiting_.empty() || (!some_durable && !failure_)) return std::nullopt;
  if (!some_durable || waiting_.back().number <= watermark) {
    // Also hands the capacity back and forth: nothing is allocated once it is large enough.
    due_.swap(waiting_);
  } else {
    const auto end = std::ranges::upper_bound(waiting_, watermark, {}, &Waiting::number);
    std::move(waiting_.begin(), end, std::back_inserter(due_));
    waiting_.erase(waiting_.begin(), end);
  }
  return some_durable ? Call::open : Call::fail;
}

void Gate::call_due(Call call) noexcept {
  for (Waiting& next : due_) {
    const std::unique_ptr<Gated> thing = std::move(next.thing);
    if (call == Call::open) {
      thing->open();
    } else {
      // Set once before anybody is told of it, so it needs no lock.
      thing->fail(*failure_);
    }
  }
  due_.clear();
}

}  // namespace perdure::journal
