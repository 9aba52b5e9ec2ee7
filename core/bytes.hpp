/// Bytes and their checksums.
///
/// What this is: the names for owned and borrowed bytes that every module uses, and the one
/// checksum.
/// What it promises: `checksum` is XXH3-64 (xxhash 0.8, canonical on little-endian machines), the
/// same under every compiler; it is written to journals.
/// What it does not: protect against somebody who wants a collision; it finds damage.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace perdure::core {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;

[[nodiscard]] std::uint64_t checksum(ByteView bytes, std::uint64_t seed = 0) noexcept;

/// 128 bits of XXH3, big-endian first half first.
struct Hash128 {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend auto operator<=>(const Hash128&, const Hash128&) = default;
};
[[nodiscard]] Hash128 hash128(ByteView bytes, std::uint64_t seed = 0) noexcept;

[[nodiscard]] inline ByteView as_bytes(std::string_view text) noexcept {
  return std::as_bytes(std::span(text.data(), text.size()));
}
[[nodiscard]] inline std::string_view as_text(ByteView bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Lower-case hexadecimal, two digits a byte.
[[nodiscard]] std::string to_hex(ByteView bytes);

}  // namespace perdure::core
