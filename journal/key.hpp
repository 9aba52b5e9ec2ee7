/// Keys: short, of fixed numbers.
///
/// What this is: the key of a row, built of big-endian numbers and ids so that bytes sort as the
/// numbers do; it lives in place, no allocation. Names and paths are values, never keys, but for
/// rows of users' tables, whose keys are the users' (user_rows.hpp): those may be longer, and are
/// then on the heap. LMDB's keys end at 511 bytes.
#pragma once

#include <perdure/run_id.hpp>

#include "core/assert.hpp"
#include "core/bytes.hpp"

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

namespace perdure::journal {

/// A session's number: a 128-bit hash of its address (agent, key), moved on by one while another
/// address holds the row. Stable for the life of the journal.
struct SessionId {
  std::array<std::byte, 16> bytes{};
  friend auto operator<=>(const SessionId&, const SessionId&) = default;
};

/// As rows sort: by bytes, a beginning before what goes on.
[[nodiscard]] inline std::strong_ordering compare_keys(core::ByteView a,
                                                       core::ByteView b) noexcept {
  const std::size_t common = std::min(a.size(), b.size());
  const int order = common == 0 ? 0 : std::memcmp(a.data(), b.data(), common);
  if (order != 0) return order < 0 ? std::strong_ordering::less : std::strong_ordering::greater;
  return a.size() <=> b.size();
}

/// Invariant: up to kCapacity bytes are in place; with more, all of them are in `long_`.
class Key {
 public:
  /// Of all tables but `rows`.
  static constexpr std::size_t kCapacity = 40;
  static constexpr std::size_t kLongest = 511;

  Key() = default;
  Key(const Key& other) : bytes_(other.bytes_), size_(other.size_) {
    if (other.long_) copy_long(other);
  }
  Key(Key&& other) noexcept
      : bytes_(other.bytes_),
        size_(std::exchange(other.size_, std::uint16_t{0})),
        long_(std::move(other.long_)) {}
  Key& operator=(const Key& other) {
    if (this != &other) *this = Key(other);
    return *this;
  }
  Key& operator=(Key&& other) noexcept {
    bytes_ = other.bytes_;
    size_ = std::exchange(other.size_, std::uint16_t{0});
    long_ = std::move(other.long_);
    return *this;
  }
  ~Key() = default;

  Key& add(core::ByteView bytes) {
    if (size_ + bytes.size() > kCapacity) return add_long(bytes);
    // No bytes may be nowhere, which memcpy does not take.
    if (bytes.empty()) return *this;
    std::memcpy(bytes_.data() + size_, bytes.data(), bytes.size());
    size_ = static_cast<std::uint16_t>(size_ + bytes.size());
    return *this;
  }
  Key& add(const RunId& run) { return add(core::ByteView(run.bytes)); }
  Key& add(const SessionId& session) { return add(core::ByteView(session.bytes)); }
  Key& add(std::uint32_t number) { return add_big_endian(number, 4); }
  Key& add(std::uint64_t number) { return add_big_endian(number, 8); }
  /// Makes it the first key that can stand behind this one.
  Key& add_zero_byte() { return add_big_endian(0, 1); }

  /// Puts `number` in the place of the last eight bytes.
  void set_last_number(std::uint64_t number) {
    PERDURE_ASSERT(size_ >= 8 && !long_, "a key that ends with a number has eight bytes");
    size_ = static_cast<std::uint16_t>(size_ - 8);
    add(number);
  }

  [[nodiscard]] core::ByteView view() const noexcept {
    return {long_ ? long_.get() : bytes_.data(), size_};
  }

  friend bool operator==(const Key& a, const Key& b) noexcept { return (a <=> b) == 0; }
  friend std::strong_ordering operator<=>(const Key& a, const Key& b) noexcept {
    return compare_keys(a.view(), b.view());
  }

 private:
  Key& add_big_endian(std::uint64_t number, std::size_t width) {
    std::array<std::byte, 8> bytes;
    for (std::size_t i = 0; i < width; ++i)
      bytes[i] = std::byte{static_cast<unsigned char>(number >> ((width - 1 - i) * 8U))};
    return add(core::ByteView(bytes.data(), width));
  }
  Key& add_long(core::ByteView bytes);
  void copy_long(const Key& other);

  std::array<std::byte, kCapacity> bytes_{};
  std::uint16_t size_ = 0;
  std::unique_ptr<std::byte[]> long_;
};

}  // namespace perdure::journal
