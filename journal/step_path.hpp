/// Step paths: where in a run a step stands.
///
/// What this is: the id of a step as numbers, printed `3` or `3.0.1`. A number in a task counts its
/// awaits from 1; a number under a combinator is the argument's position from 0, as in std::get.
/// What it promises: equal code gives equal paths, whatever the interleaving.
#pragma once

#include "core/bytes.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace perdure::journal {

/// Up to four components live in place; deeper paths allocate.
class StepPath {
 public:
  StepPath() = default;
  explicit StepPath(std::span<const std::uint32_t> components) { assign(components); }

  void assign(std::span<const std::uint32_t> components);
  /// This path and one component more.
  [[nodiscard]] StepPath child(std::uint32_t component) const;
  [[nodiscard]] std::span<const std::uint32_t> components() const noexcept {
    return deep_.empty() ? std::span(near_).first(size_) : std::span(deep_);
  }
  [[nodiscard]] std::size_t depth() const noexcept { return components().size(); }
  [[nodiscard]] bool empty() const noexcept { return depth() == 0; }
  /// The key of the step's rows: XXH3-64 of the components as little-endian 32-bit numbers.
  [[nodiscard]] std::uint64_t hash() const noexcept;
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const StepPath& a, const StepPath& b) noexcept {
    return equal(a.components(), b.components());
  }
  friend bool operator==(const StepPath& a, std::span<const std::uint32_t> b) noexcept {
    return equal(a.components(), b);
  }

 private:
  static bool equal(std::span<const std::uint32_t> a, std::span<const std::uint32_t> b) noexcept;

  std::array<std::uint32_t, 4> near_{};
  std::uint32_t size_ = 0;
  std::vector<std::uint32_t> deep_;
};

}  // namespace perdure::journal
