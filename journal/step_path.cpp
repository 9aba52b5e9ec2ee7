#include "journal/step_path.hpp"

#include <algorithm>
#include <bit>

namespace perdure::journal {

void StepPath::assign(std::span<const std::uint32_t> components) {
  if (components.size() <= near_.size()) {
    std::ranges::copy(components, near_.begin());
    size_ = static_cast<std::uint32_t>(components.size());
    deep_.clear();
  } else {
    deep_.assign(components.begin(), components.end());
    size_ = 0;
  }
}

StepPath StepPath::child(std::uint32_t component) const {
  StepPath longer;
  const std::span<const std::uint32_t> mine = components();
  if (mine.size() < near_.size()) {
    longer.near_ = near_;
    longer.near_[mine.size()] = component;
    longer.size_ = static_cast<std::uint32_t>(mine.size()) + 1;
  } else {
    longer.deep_.reserve(mine.size() + 1);
    longer.deep_.assign(mine.begin(), mine.end());
    longer.deep_.push_back(component);
  }
  return longer;
}

std::uint64_t StepPath::hash() const noexcept {
  static_assert(std::endian::native == std::endian::little, "the hash is part of the format");
  return core::checksum(std::as_bytes(components()));
}

std::string StepPath::to_string() const {
  std::string text;
  for (const std::uint32_t component : components()) {
    if (!text.empty()) text.push_back('.');
    text += std::to_string(component);
  }
  return text;
}

bool StepPath::equal(std::span<const std::uint32_t> a, std::span<const std::uint32_t> b) noexcept {
  return std::ranges::equal(a, b);
}

}  // namespace perdure::journal
