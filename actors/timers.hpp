/// Timers: callbacks by elapsed time.
///
/// What this is: `Timers` is the pure heap (no thread, no clock of its own), `TimerThread` pumps
/// one with a Clock. Tests pump by hand after they have advanced a manual clock.
/// What it promises: a callback never runs early, runs once, and in the order of due times (of
/// scheduling among equals); after `cancel` has returned true it never runs. After the machine
/// slept, what became due meanwhile fires within `TimerThread::kCheck`.
/// What it does not: remember anything across a restart. The journal's `due` table does.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>

#include "core/clock.hpp"

namespace perdure::actors {

using TimerId = std::uint64_t;

/// Invariant: `by_time_` and `by_id_` hold the same timers.
/// Thread: any. Everything may be called from inside a callback.
class Timers {
 public:
  /// `fire` is called by `fire_due`, without the lock held; it must be short and not throw.
  TimerId schedule(core::Elapsed at, std::function<void()> fire);
  /// False when it has fired, is firing or was cancelled before.
  bool cancel(TimerId id);
  /// Fires everything due at `now` that was scheduled before the call; returns how many. Two
  /// threads in here share the timers out between them: each fires once, in no order between the
  /// threads.
  std::size_t fire_due(core::Elapsed now);
  /// When the earliest is due; empty without timers.
  [[nodiscard]] std::optional<core::Elapsed> next() const;
  /// Called, without the lock held, whenever an earlier `next` was scheduled, on the scheduling
  /// thread.
  void on_earlier(std::function<void()> notify);

 private:
  using ByTime = std::map<std::pair<core::Elapsed, TimerId>, std::function<void()>>;
  [[nodiscard]] std::function<void()> take_due(core::Elapsed now, TimerId up_to);

  mutable std::mutex mutex_;
  ByTime by_time_;
  std::unordered_map<TimerId, core::Elapsed> by_id_;
  TimerId last_ = 0;
  std::shared_ptr<const std::function<void()>> notify_;
};

/// Pumps `timers` until destroyed. Both outlive it.
class TimerThread {
 public:
  /// The thread looks at the clock at least this often while a timer is pending: its own waits do
  /// not count the time the machine sleeps, `Clock::elapsed` does.
  static constexpr std::chrono::milliseconds kCheck{1000};

  TimerThread(Timers& timers, core::Clock& clock);
  /// Waits for a callback that is running. Not from inside a callback.
  ~TimerThread();
  TimerThread(const TimerThread&) = delete;
  TimerThread& operator=(const TimerThread&) = delete;

 private:
  struct Shared;
  void loop();

  Timers& timers_;
  core::Clock& clock_;
  /// Shared with `on_earlier`, which may be under way on another thread while this is destroyed.
  std::shared_ptr<Shared> shared_;
  std::thread thread_;
};

}  // namespace perdure::actors
