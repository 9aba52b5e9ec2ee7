/// The part of the FlexBuffers format that payloads use.
///
/// What this is: the numbers that the codec's writer and reader share. The format is that of
/// flatbuffers/flexbuffers.h (google.github.io/flatbuffers, "FlexBuffers"), written and read here
/// by code of our own: the library's reader converts silently and reads misaligned, its verifier
/// (2.0.8) lets keys without an end pass, and payloads are compared byte by byte, so that their
/// bytes must not change with the library's version.
/// What it promises: nothing about types that a `Writer` doesn't write; those are read as damaged.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace perdure::journal::flex {

static_assert(std::endian::native == std::endian::little,
              "payloads are little-endian, and so must be the machine");

inline constexpr std::uint8_t kNull = 0;
inline constexpr std::uint8_t kInt = 1;
inline constexpr std::uint8_t kUint = 2;
inline constexpr std::uint8_t kFloat = 3;
inline constexpr std::uint8_t kKey = 4;
inline constexpr std::uint8_t kString = 5;
inline constexpr std::uint8_t kMap = 9;
inline constexpr std::uint8_t kVector = 10;
inline constexpr std::uint8_t kVectorInt = 11;
inline constexpr std::uint8_t kVectorUint = 12;
inline constexpr std::uint8_t kVectorFloat = 13;
inline constexpr std::uint8_t kBlob = 25;
inline constexpr std::uint8_t kBool = 26;
inline constexpr std::uint8_t kVectorBool = 36;

/// Not a FlexBuffers type: what the reader makes of a root that makes no sense.
inline constexpr std::uint8_t kDamaged = 63;

/// Whether the value itself stands in the slot, not an offset.
[[nodiscard]] constexpr bool is_inline(std::uint8_t type) noexcept {
  return type <= kFloat || type == kBool;
}

/// A type and log2 of a width in one byte.
[[nodiscard]] constexpr std::byte packed(std::uint8_t type, std::uint8_t log_width) noexcept {
  return static_cast<std::byte>(type << 2U | log_width);
}

/// log2 of the bytes that hold `value`: 0 to 3.
[[nodiscard]] constexpr std::uint8_t log_width(std::uint64_t value) noexcept {
  return value < 1U << 8U ? 0 : value < 1U << 16U ? 1 : value < std::uint64_t{1} << 32U ? 2 : 3;
}
[[nodiscard]] constexpr std::uint8_t log_width_signed(std::int64_t value) noexcept {
  const std::uint64_t doubled = static_cast<std::uint64_t>(value) << 1U;
  return log_width(value >= 0 ? doubled : ~doubled);
}

/// The number in `width` (1, 2, 4, 8) bytes at `at`, however it is aligned.
[[nodiscard]] inline std::uint64_t load(const std::byte* at, std::uint8_t width) noexcept {
  const auto as = [at]<class T>(T value) {
    std::memcpy(&value, at, sizeof value);
    return std::uint64_t{value};
  };
  switch (width) {
    case 1: return as(std::uint8_t{});
    case 2: return as(std::uint16_t{});
    case 4: return as(std::uint32_t{});
    default: return as(std::uint64_t{});
  }
}

[[nodiscard]] inline std::int64_t load_signed(const std::byte* at, std::uint8_t width) noexcept {
  const unsigned spare = 64U - 8U * width;
  return static_cast<std::int64_t>(load(at, width) << spare) >> spare;
}

/// Stores the low `width` bytes.
inline void store(std::byte* at, std::uint64_t value, std::uint8_t width) noexcept {
  switch (width) {
    case 1: std::memcpy(at, &value, 1); break;
    case 2: std::memcpy(at, &value, 2); break;
    case 4: std::memcpy(at, &value, 4); break;
    default: std::memcpy(at, &value, 8); break;
  }
}

}  // namespace perdure::journal::flex
