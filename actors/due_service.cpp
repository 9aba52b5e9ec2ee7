#include "actors/due_service.hpp"

#include <algorithm>
#include <limits>
#include <vector>

namespace perdure::actors {

DueService::DueService(journal::Store& store, Timers& timers, core::Clock& clock, Tell tell)
    : store_(store), timers_(timers), clock_(clock), tell_(std::move(tell)) {}

Result<void> DueService::start() { return refill(); }

void DueService::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
}

void DueService::arm(Item item) {
  const std::lock_guard lock(mutex_);
  if (item.due <= horizon_) arm_locked(item);
}

void DueService::arm_locked(const Item& item) {
  if (stopped_ || !armed_.emplace(item.run, item.path.hash()).second) return;
  const auto in = std::max(item.in, std::chrono::microseconds(0));
  timers_.schedule(clock_.elapsed() + in, [this, item] { fire(item); });
}

void DueService::fire(const Item& item) {
  {
    const std::lock_guard lock(mutex_);
    armed_.erase({item.run, item.path.hash()});
    if (stopped_) return;
  }
  tell_(item.session, {item.run, item.path});
}

/// How long the wait was when it began.
Result<journal::Stamp> DueService::whole_delay(journal::Reader& reader, const journal::Due& due) {
  PERDURE_TRY(const std::vector<journal::Attempts> attempts, reader.attempts(due.run));
  for (const journal::Attempts& each : attempts)
    if (each.path == due.path) return std::max<journal::Stamp>(each.next_due - each.last_stamp, 0);
  return journal::Stamp{0};
}

Result<void> DueService::refill() {
  // First the horizon, then the snapshot: a row that becomes durable in between is armed by its own
  // session, one that is in both is armed once.
  const journal::Stamp now = clock_.wall().time_since_epoch().count();
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return success();
    horizon_ = std::numeric_limits<journal::Stamp>::max();
  }
  PERDURE_TRY(journal::Reader reader, journal::Reader::open(store_));
  std::vector<journal::Due> head;
  PERDURE_TRY(reader.each_due([&](const journal::Due& due) {
    head.push_back(due);
    return head.size() < kHead;
  }));
  for (const journal::Due& due : head) {
    PERDURE_TRY(const std::optional<journal::RunInfo> info, reader.run(due.run));
    if (!info) continue;
    PERDURE_TRY(const journal::Stamp whole, whole_delay(reader, due));
    // The wall clock may have been set back since the row was written: the remainder stays within
    // the delay.
    const Item item{{info->session, info->agent, info->session_key},
                    due.run,
                    journal::StepPath(due.path),
                    due.at,
                    std::chrono::microseconds(std::clamp<journal::Stamp>(due.at - now, 0, whole))};
    const std::lock_guard lock(mutex_);
    arm_locked(item);
  }
  if (head.size() < kHead) return success();
  // There are more rows than fit: the rest is read when the last of these is due.
  const journal::Stamp last = head.back().at;
  const std::lock_guard lock(mutex_);
  horizon_ = last;
  const auto in = std::max(std::chrono::microseconds(last - now), std::chrono::microseconds(0));
  timers_.schedule(clock_.elapsed() + in, [this] { (void)refill(); });
  return success();
}

}  // namespace perdure::actors
