/// The Clock seam.
///
/// What this is: the only way Perdure reads time. `wall` is the calendar; `elapsed` counts also
/// while the machine sleeps (CLOCK_BOOTTIME) and never jumps.
/// What it promises: `elapsed` never decreases. `wall` may jump in both directions.
/// What it does not: wait. Whoever waits uses timers that count `elapsed`.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace perdure::core {

/// Microseconds since 1970-01-01 UTC, as journals store them.
using WallTime = std::chrono::sys_time<std::chrono::microseconds>;
/// Time since some fixed moment of this boot.
using Elapsed = std::chrono::nanoseconds;

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual WallTime wall() = 0;
  [[nodiscard]] virtual Elapsed elapsed() = 0;
};

/// The machine's clocks. Thread: any.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] WallTime wall() override;
  [[nodiscard]] Elapsed elapsed() override;
};

/// A clock that stands still until somebody moves it. Thread: any.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallTime start = WallTime{std::chrono::microseconds{1'700'000'000'000'000}});
  [[nodiscard]] WallTime wall() override;
  [[nodiscard]] Elapsed elapsed() override;
  /// Both clocks go on by `by` (not negative).
  void advance(std::chrono::microseconds by);
  /// Only the calendar jumps, in either direction.
  void jump_wall(std::chrono::microseconds by);

 private:
  std::atomic<std::int64_t> wall_us_;
  std::atomic<std::int64_t> elapsed_ns_{0};
};

}  // namespace perdure::core
