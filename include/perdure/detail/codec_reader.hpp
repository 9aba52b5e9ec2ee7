/// The reader of payloads.
///
/// What this is: what a `Codec` reads a value with: a cursor on one value inside a payload.
/// Compiled in journal/codec_reader.cpp.
/// What it promises: any bytes may be read, also a stranger's: every length and offset is checked
/// against the payload before it is followed, depth is bounded by 64, and the work is bounded by
/// the payload's size, because an honest payload refers to each of its bytes once. Nothing is
/// converted silently: a stored kind that is not the one asked for is an error which names the
/// place, what is there and what was expected, e.g. `field 'flight.price_cents': holds text,
/// expected a 32-bit integer`.
/// What it does not: copy. Views last as long as the payload; a reader must not outlive the reader
/// it came from. Errors are `Code::undecodable` throughout.
#pragma once

#include <perdure/detail/codec_writer.hpp>
#include <perdure/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace perdure {
inline namespace v0 {

/// What a payload, or a value inside, holds.
enum class PayloadKind : std::uint8_t {
  null,
  boolean,
  integer,  ///< A whole number that 64 bits with a sign hold.
  natural,  ///< A whole number above those.
  number,   ///< A number that may have a fraction.
  text,
  list,
  map,
  bytes,
  damaged,  ///< Not what a `Writer` writes.
};

class Reader;
class ListReader;
class MapReader;

namespace detail {

/// One payload being read: its bounds, and how much may still be visited.
struct Source {
  explicit Source(ByteView bytes) noexcept
      : begin(bytes.data()), end(bytes.data() + bytes.size()), budget(8 * bytes.size() + 1024) {}
  const std::byte* begin;
  const std::byte* end;
  /// Bytes that may still be looked at. An honest payload refers to each of its bytes once; the
  /// rest is for codecs that look at a value more than once.
  std::size_t budget;
};

/// Where a value lies and how it is stored.
struct Slot {
  const std::byte* at = nullptr;
  std::uint8_t slot_width = 1;   ///< Bytes of the slot: the number itself, or an offset.
  std::uint8_t value_width = 1;  ///< Bytes of each element of what the offset leads to.
  std::uint8_t type = 0;         ///< FlexBuffers' number for the type.
};

}  // namespace detail

class Reader {
 public:
  /// On the payload's one value. An empty payload is null.
  explicit Reader(detail::Source& source) noexcept;
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  [[nodiscard]] PayloadKind kind() const noexcept;
  [[nodiscard]] bool is_null() const noexcept { return kind() == PayloadKind::null; }

  /// Each sets `out` if the value is of that kind and in range, and leaves it alone otherwise.
  [[nodiscard]] Result<void> null() const;
  [[nodiscard]] Result<void> boolean(bool& out) const;
  [[nodiscard]] Result<void> integer(std::int64_t& out, std::int64_t least,
                                     std::int64_t most) const;
  [[nodiscard]] Result<void> natural(std::uint64_t& out, std::uint64_t most) const;
  /// A number, or a whole number that `out` holds exactly.
  [[nodiscard]] Result<void> number(double& out) const;
  /// The same; also a number that reads the same in shortest decimal as a float and as a double
  /// (1.1 from JSON), and any NaN. One that would lose digits is an error.
  [[nodiscard]] Result<void> number(float& out) const;
  [[nodiscard]] Result<std::string_view> text() const;
  [[nodiscard]] Result<ByteView> bytes() const;
  [[nodiscard]] Result<ListReader> list() const;
  [[nodiscard]] Result<MapReader> map() const;

  /// The error "holds …, expected `expected`", with the place.
  [[nodiscard]] Error mismatch(std::string_view expected) const;
  /// The error `what`, with the place.
  [[nodiscard]] Error error(std::string_view what) const;
  /// The place, e.g. `field 'flight.price_cents'` or `element [3]`; empty for the payload itself.
  [[nodiscard]] std::string path() const;

 private:
  friend class ListReader;
  friend class MapReader;
  Reader(const Reader& parent, detail::Slot slot, const char* name, std::size_t index) noexcept;

  /// Where the offset in the slot leads, or nullptr when that is outside of the payload.
  [[nodiscard]] const std::byte* target() const noexcept;
  /// The length stored before `target`, or an error if it is not inside the payload.
  [[nodiscard]] bool length_before(const std::byte* target, std::size_t& length) const noexcept;
  [[nodiscard]] bool charge(std::size_t cost) const noexcept;
  [[nodiscard]] bool holds_float(double& out) const noexcept;
  [[nodiscard]] bool run_of_bytes(ByteView& out) const noexcept;

  detail::Source* source_;
  const Reader* parent_ = nullptr;
  const char* name_ = nullptr;  ///< Of the field, or nullptr in a list.
  std::size_t index_ = 0;
  detail::Slot slot_;
  std::uint8_t depth_ = 0;
};

/// The elements of a list. Lives no longer than the `Reader` it came from.
class ListReader {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// `index` must be less than `size()`.
  [[nodiscard]] Reader operator[](std::size_t index) const noexcept;

 private:
  friend class Reader;
  ListReader(const Reader& list, const std::byte* elements, std::size_t size,
             std::uint8_t element_type) noexcept
      : list_(&list), elements_(elements), size_(size), element_type_(element_type) {}

  const Reader* list_;
  const std::byte* elements_;
  std::size_t size_;
  std::uint8_t element_type_;  ///< Zero: a byte after the elements says it for each.
};

/// The entries of a map, sorted by key. Lives no longer than the `Reader` it came from.
class MapReader {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// `index` must be less than `size()`. Errors: the key is damaged.
  [[nodiscard]] Result<std::string_view> key(std::size_t index) const;
  /// The value under that key; `index` must be less than `size()`. `name` stands in error messages
  /// and must outlive the reader.
  [[nodiscard]] Reader value(std::size_t index, const char* name) const noexcept;
  /// The same with the stored key as the name.
  [[nodiscard]] Reader value(std::size_t index) const noexcept;
  /// Less than, equal to or greater than zero as the key at `index` sorts before, is, or sorts
  /// after `name`. A damaged key sorts before everything.
  [[nodiscard]] int compare_key(std::size_t index, std::string_view name) const noexcept;

 private:
  friend class Reader;
  MapReader(const Reader& map, const std::byte* values, std::size_t size, const std::byte* keys,
            std::uint8_t key_width) noexcept
      : map_(&map), values_(values), size_(size), keys_(keys), key_width_(key_width) {}
  /// Where the key begins, or nullptr when that is outside of the payload.
  [[nodiscard]] const std::byte* key_at(std::size_t index) const noexcept;
  /// The NUL after the key, or nullptr when there is none where one must be.
  [[nodiscard]] const std::byte* key_end(const std::byte* at) const noexcept;

  const Reader* map_;
  const std::byte* values_;
  std::size_t size_;
  const std::byte* keys_;
  std::uint8_t key_width_;
};

}  // namespace v0
}  // namespace perdure
