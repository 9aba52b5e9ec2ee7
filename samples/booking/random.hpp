/// Numbers that a seed decides.
///
/// What this is: SplitMix64, and a way to derive a seed from another one and a name.
/// What it promises: the same numbers on every machine and with every standard library, so that a
/// seed in a bug report means something.
/// What it does not: lock. One object belongs to one thread at a time.
#pragma once

#include <cstdint>
#include <string_view>

namespace booking {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
    return mixed ^ (mixed >> 31U);
  }
  /// From 0 to `bound` - 1; 0 for a bound of 0. What the remainder prefers is below 1 in 2^32.
  std::uint64_t below(std::uint32_t bound) { return bound == 0 ? 0 : next() % bound; }
  /// From 0 to below 1.
  double fraction() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }
  /// True this often, of one.
  [[nodiscard]] bool chance(double probability) { return fraction() < probability; }

 private:
  std::uint64_t state_;
};

/// A seed of its own for whatever has this name.
[[nodiscard]] inline std::uint64_t seed_for(std::uint64_t seed, std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325U ^ seed;
  for (const char letter : name) {
    hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3U;
  }
  return Random(hash).next();
}

}  // namespace booking
