/// Timers: callbacks by elapsed time.
///
/// What this is: `Timers` is the pure heap (no thread, no clock of its own), `TimerThread` pumps one with
/// a Clock. Tests pump by hand after they have advanced a manual clock.
/// What it promises: a callback never runs early, runs once, and in the order of due times; after `cancel`
/// has returned true it never runs.
/// What it does not: remember anything across a restart. The journal's `due` table does.
#pragma once

#include "core/clock.hpp"

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>

namespace perdure::actors {

using TimerId = std::uint64_t;

/// Thread: any.
class Timers {
 public:
  /// `fire` is called by `fire_due`, without the lock held; it must be short.
  TimerId schedule(core::Elapsed at, std::function<void()> fire);
  /// False when it has fired, is firing or was cancelled before.
  bool cancel(TimerId id);
  /// Fires everything due at `now`; returns how many.
  std::size_t fire_due(core::Elapsed now);
  [[nodiscard]] std::optional<core::Elapsed> next() const;
  /// Called whenever an earlier `next` was scheduled. Set once, before use.
  void on_earlier(std::function<void()> notify);

 private:
  mutable std::mutex mutex_;
  std::multimap<core::Elapsed, TimerId> by_time_;
  std::unordered_map<TimerId, std::pair<std::multimap<core::Elapsed, TimerId>::iterator, std::function<void()>>> by_id_;
  TimerId last_ = 0;
  std::function<void()> notify_;
};

/// Pumps `timers` until destroyed. Both outlive it.
class TimerThread {
 public:
  TimerThread(Timers& timers, core::Clock& clock);
  ~TimerThread();
  TimerThread(const TimerThread&) = delete;
  TimerThread& operator=(const TimerThread&) = delete;

 private:
  void loop();
  Timers& timers_;
  core::Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stop_ = false;
  bool earlier_ = false;
  std::thread thread_;
};

}  // namespace perdure::actors
