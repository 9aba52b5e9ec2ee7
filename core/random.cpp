#include "core/random.hpp"

#include "core/assert.hpp"

#include <sys/random.h>
#include <cerrno>
#include <cstring>

namespace perdure::core {

std::uint64_t Random::next() {
  std::uint64_t value = 0;
  fill(std::as_writable_bytes(std::span(&value, 1)));
  return value;
}

void SystemRandom::fill(std::span<std::byte> out) {
  while (!out.empty()) {
    const ssize_t got = getrandom(out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    PERDURE_ASSERT(got > 0, "getrandom gives bytes on every Linux since 3.17");
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

void SeededRandom::fill(std::span<std::byte> out) {
  const std::lock_guard lock(mutex_);
  while (!out.empty()) {
    state_ += kSplitMixStep;
    const std::uint64_t value = split_mix(state_);
    const std::size_t count = out.size() < sizeof value ? out.size() : sizeof value;
    std::memcpy(out.data(), &value, count);
    out = out.subspan(count);
  }
}

std::uint64_t split_mix(std::uint64_t state) noexcept {
  state = (state ^ (state >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  state = (state ^ (state >> 27U)) * 0x94d049bb133111ebULL;
  return state ^ (state >> 31U);
}

std::uint64_t draw_at(std::uint64_t seed, ByteView place, std::uint64_t draw) noexcept {
  const std::uint64_t start = checksum(place, seed);
  return split_mix(start + (draw + 1) * kSplitMixStep);
}

}  // namespace perdure::core
