/// Keys of rows as bytes.
///
/// What this is: how a key of a table becomes the bytes that it is stored under, and comes back.
/// Keys are integers of any width, bool, enums (by their number), `std::string`, run ids, and pairs
/// and tuples of these, nested as they like.
/// What it promises: bytes sort as the keys do: integers by value, `false` first, text by its
/// bytes, tuples by their first element that differs. The same number has the same bytes in every
/// integer type, so a key's type may grow wider. docs/journal_format.md has the bytes.
/// What it does not: belong to the API. Names in `perdure::detail` may change with every version.
#pragma once

#include <perdure/detail/codec_core.hpp>
#include <perdure/result.hpp>
#include <perdure/run_id.hpp>

#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace perdure {
inline namespace v0 {
namespace detail {

/// A whole number: any of 64 bits, with sign or without.
struct KeyInteger {
  bool is_negative = false;
  std::uint64_t magnitude = 0;
};
void append_key(Bytes& to, const KeyInteger& number);
void append_key(Bytes& to, std::string_view text);
void append_key(Bytes& to, const RunId& run);
/// Named apart: everything converts to bool.
void append_key_flag(Bytes& to, bool flag);

/// Takes the elements of a key off its bytes, one after the other. Errors of every method:
/// `undecodable`, saying what stands there instead.
class KeySource {
 public:
  explicit KeySource(ByteView bytes) : left_(bytes) {}
  [[nodiscard]] Result<KeyInteger> integer();
  [[nodiscard]] Result<std::string> text();
  [[nodiscard]] Result<RunId> run();
  [[nodiscard]] Result<bool> flag();
  [[nodiscard]] bool at_end() const noexcept { return left_.empty(); }
  [[nodiscard]] ByteView left() const noexcept { return left_; }

 private:
  [[nodiscard]] Error wrong(std::string_view wanted) const;
  ByteView left_;
};
/// The key has more elements than its type, or an integer is out of its type's range.
[[nodiscard]] Error key_too_long();
[[nodiscard]] Error key_out_of_range();

template <class T>
inline constexpr bool kIsKeyTuple = false;
template <class A, class B>
inline constexpr bool kIsKeyTuple<std::pair<A, B>> = true;
template <class... T>
inline constexpr bool kIsKeyTuple<std::tuple<T...>> = sizeof...(T) > 0;

template <class T>
inline constexpr bool kIsKey = std::same_as<T, bool> || std::integral<T> || std::is_enum_v<T> ||
                               std::same_as<T, std::string> || std::same_as<T, RunId>;
template <class A, class B>
inline constexpr bool kIsKey<std::pair<A, B>> = kIsKey<A> && kIsKey<B>;
template <class... T>
inline constexpr bool kIsKey<std::tuple<T...>> = sizeof...(T) > 0 && (kIsKey<T> && ...);

template <class K>
void write_key(Bytes& to, const K& key) {
  if constexpr (std::same_as<K, bool>) {
    append_key_flag(to, key);
  } else if constexpr (std::is_enum_v<K>) {
    write_key(to, static_cast<std::underlying_type_t<K>>(key));
  } else if constexpr (std::signed_integral<K>) {
    const auto wide = static_cast<std::int64_t>(key);
    const auto bits = static_cast<std::uint64_t>(wide);
    append_key(to, KeyInteger{wide < 0, wide < 0 ? 0 - bits : bits});
  } else if constexpr (std::unsigned_integral<K>) {
    append_key(to, KeyInteger{false, static_cast<std::uint64_t>(key)});
  } else if constexpr (kIsKeyTuple<K>) {
    std::apply([&](const auto&... each) { (write_key(to, each), ...); }, key);
  } else {
    append_key(to, key);
  }
}

template <class K>
[[nodiscard]] Result<void> read_integer(KeySource& from, K& key) {
  PERDURE_TRY(const KeyInteger number, from.integer());
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<K>::max());
  // The least of a signed type has a magnitude of one more.
  const std::uint64_t most = number.is_negative ? (std::is_signed_v<K> ? kMost + 1 : 0) : kMost;
  if (number.magnitude > most) return key_out_of_range();
  key = static_cast<K>(number.is_negative ? 0 - number.magnitude : number.magnitude);
  return success();
}

template <class K>
[[nodiscard]] Result<void> read_key(KeySource& from, K& key) {
  if constexpr (std::same_as<K, bool>) {
    PERDURE_TRY(key, from.flag());
  } else if constexpr (std::is_enum_v<K>) {
    std::underlying_type_t<K> number{};
    PERDURE_TRY(read_key(from, number));
    key = static_cast<K>(number);
  } else if constexpr (std::integral<K>) {
    return read_integer(from, key);
  } else if constexpr (kIsKeyTuple<K>) {
    Result<void> done = success();
    std::apply(
        [&](auto&... each) {
          ((done.has_value() ? (void)(done = read_key(from, each)) : (void)0), ...);
        },
        key);
    return done;
  } else if constexpr (std::same_as<K, RunId>) {
    PERDURE_TRY(key, from.run());
  } else {
    PERDURE_TRY(key, from.text());
  }
  return success();
}

template <class K>
[[nodiscard]] Bytes encode_key(const K& key) {
  Bytes bytes;
  write_key(bytes, key);
  return bytes;
}
/// Errors: `undecodable`.
template <class K>
[[nodiscard]] Result<K> decode_key(ByteView bytes) {
  K key{};
  KeySource from(bytes);
  PERDURE_TRY(read_key(from, key));
  if (!from.at_end()) return key_too_long();
  return key;
}

}  // namespace detail
}  // namespace v0
}  // namespace perdure
