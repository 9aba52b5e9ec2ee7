/// The Random seam, and the generator that handlers draw from.
///
/// What this is: `Random` is where unpredictable bytes come from (ids, seeds, jitter). `Draws` is
/// what a handler's `ctx.random()` is made of: a pure function of the run's seed, the place in the
/// code and the number of the draw, so that replay draws the same without a record.
/// What it promises: `Draws` gives the same numbers under every compiler, for ever.
/// What it does not: serve for secrets; `Draws` is predictable from the journal.
#pragma once

#include "core/bytes.hpp"

#include <cstdint>
#include <mutex>
#include <span>

namespace perdure::core {

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::byte> out) = 0;
  [[nodiscard]] std::uint64_t next();
};

/// The kernel's random numbers. Thread: any.
class SystemRandom final : public Random {
 public:
  void fill(std::span<std::byte> out) override;
};

/// A reproducible stream for tests. Thread: any.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  void fill(std::span<std::byte> out) override;

 private:
  std::mutex mutex_;
  std::uint64_t state_;
};

/// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014):
/// the output for state `state`, which the caller advances by `kSplitMixStep`.
inline constexpr std::uint64_t kSplitMixStep = 0x9e3779b97f4a7c15ULL;
[[nodiscard]] std::uint64_t split_mix(std::uint64_t state) noexcept;

/// The `draw`-th number (from 0) at `place` (the bytes of a step path) of a run seeded with `seed`.
[[nodiscard]] std::uint64_t draw_at(std::uint64_t seed, ByteView place,
                                    std::uint64_t draw) noexcept;

}  // namespace perdure::core
