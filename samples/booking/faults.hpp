/// What goes wrong with a service, drawn from a seed.
///
/// What this is: for each request, how slow it is and whether its answer is lost or the process
/// dies; and for each trip, whether the service refuses it.
/// What it promises: refusals depend on seed, service and trip alone. Whatever is killed meanwhile,
/// the same trips are refused.
/// What it does not: do any of it. The service sleeps, cuts and dies.
#pragma once

#include "random.hpp"

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace booking {

/// Probabilities from 0 to 1.
struct FaultLevels {
  double refuse = 0;
  std::uint32_t latency_ms = 0;  ///< The most, before the effect and again after it.
  double lose_reply = 0;
  double crash = 0;
};

enum class Fate : std::uint8_t { answered, reply_lost, crashes_before, crashes_after };

/// For the log; empty where nothing goes wrong.
[[nodiscard]] std::string_view to_string(Fate fate) noexcept;

struct Draw {
  std::chrono::milliseconds before{0};
  std::chrono::milliseconds after{0};
  Fate fate = Fate::answered;
};

/// Thread-safe.
class Faults {
 public:
  /// `past`: how many requests the service has had in earlier lives. Without it a service that
  /// draws a crash for its first request would die of it in every life.
  Faults(const FaultLevels& levels, std::uint64_t seed, std::uint64_t past);
  Draw draw();

 private:
  FaultLevels levels_;
  std::mutex mutex_;
  Random random_;
};

/// Why this service refuses this trip; empty where it does not.
[[nodiscard]] std::string refusal_of(std::string_view kind, std::string_view trip,
                                     std::uint64_t seed, double probability);

}  // namespace booking
