#include "actors/testing_random.hpp"

#include "core/bytes.hpp"

#include <cstring>

namespace perdure::actors {

void SessionDice::fill(std::span<std::byte> out) {
  const std::uint64_t stream = core::checksum(std::as_bytes(std::span(session_)), seed_);
  std::uint64_t& drawn = drawn_[session_];
  not_kept_.emplace(session_, drawn);
  while (!out.empty()) {
    const std::uint64_t value = core::split_mix(stream + ++drawn * core::kSplitMixStep);
    const std::size_t count = out.size() < sizeof value ? out.size() : sizeof value;
    std::memcpy(out.data(), &value, count);
    out = out.subspan(count);
  }
}

void SessionDice::take_back() {
  for (const auto& [session, drawn] : not_kept_) drawn_[session] = drawn;
  not_kept_.clear();
}

}  // namespace perdure::actors
