/// Run ids.
///
/// What this is: the 128-bit name of a run, printed as a 26-character ULID (48 bits of milliseconds
/// since 1970, 80 random bits; Crockford's base 32; github.com/ulid/spec).
/// What it promises: unique, and sorted roughly by time of creation.
/// What it does not: tell order. Order is the journal's record number.
#pragma once

#include <perdure/result.hpp>

#include <array>
#include <compare>
#include <cstddef>
#include <string>
#include <string_view>

namespace perdure {
inline namespace v0 {

struct RunId {
  std::array<std::byte, 16> bytes{};  ///< Big-endian, as it sorts.

  /// Reads the 26 characters that `to_string` writes; letters in either case, and i, l, o as the
  /// spec reads them. Errors: `misuse`, saying what is wrong with the text.
  [[nodiscard]] static Result<RunId> parse(std::string_view text);

  friend auto operator<=>(const RunId&, const RunId&) = default;
};

/// The 26 characters.
[[nodiscard]] std::string to_string(const RunId& id);

}  // namespace v0
}  // namespace perdure

template <>
struct std::hash<perdure::RunId> {
  std::size_t operator()(const perdure::RunId& id) const noexcept {
    // The last eight bytes are random: they are the hash.
    std::size_t value = 0;
    for (std::size_t i = 8; i < 16; ++i)
      value = (value << 8U) | std::to_integer<std::size_t>(id.bytes[i]);
    return value;
  }
};
