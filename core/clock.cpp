#include "core/clock.hpp"

#include "core/assert.hpp"

#include <ctime>

namespace perdure::core {

WallTime SystemClock::wall() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

Elapsed SystemClock::elapsed() {
  timespec now{};
  const int failed = clock_gettime(CLOCK_BOOTTIME, &now);
  PERDURE_ASSERT(failed == 0, "CLOCK_BOOTTIME is there on every Linux since 2.6.39");
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

ManualClock::ManualClock(WallTime start) : wall_us_(start.time_since_epoch().count()) {}

WallTime ManualClock::wall() { return WallTime{std::chrono::microseconds{wall_us_.load()}}; }

Elapsed ManualClock::elapsed() { return Elapsed{elapsed_ns_.load()}; }

void ManualClock::advance(std::chrono::microseconds by) {
  PERDURE_ASSERT(by.count() >= 0, "elapsed time never decreases; use jump_wall");
  wall_us_ += by.count();
  elapsed_ns_ += std::chrono::nanoseconds(by).count();
}

void ManualClock::jump_wall(std::chrono::microseconds by) { wall_us_ += by.count(); }

}  // namespace perdure::core
