#include "tests/crash/random_deaths.hpp"

#include "core/crash_point.hpp"

#include <random>

namespace perdure::crash {

std::string live_dangerously(const std::filesystem::path& directory, Mode mode,
                             std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto below = [&](std::uint64_t bound) { return static_cast<int>(random() % bound); };
  Lives lives(directory, mode);
  const int deaths = 1 + below(6);
  for (int i = 0; i < deaths; ++i) {
    Plan plan;
    if (below(3) == 0) {
      plan.crash_at = std::string(core::kCrashPointNames[random() % core::kCrashPointCount]) + ":" +
                      std::to_string(1 + below(30));
    } else {
      plan.kill_after_notes = 2 + below(70);
    }
    // A shutdown with work under way, which the death may still interrupt.
    if (below(3) == 0) plan.stop_after_notes = 2 + below(70);
    lives.live(plan);
  }
  lives.complete();
  if (lives.findings().empty()) return {};
  return "seed " + std::to_string(seed) + "\n" + lives.report();
}

}  // namespace perdure::crash
