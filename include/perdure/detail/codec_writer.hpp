/// The writer of payloads.
///
/// What this is: what a `Codec` writes a value with. Payloads are FlexBuffers (the public binary
/// format of the FlatBuffers project): every value carries its kind, so that any payload can be
/// shown without the C++ type. Compiled in journal/codec_writer.cpp; no FlatBuffers header is
/// needed.
/// What it promises: the same calls give the same bytes, under every compiler and library version.
/// Whole numbers are stored in one way only, whatever the width of their C++ type; keys of a map
/// are sorted by their bytes; a key of at most 64 bytes is stored once in a payload. A payload that
/// is only null is empty. The first failure is kept, what follows it is ignored and `finish`
/// reports it.
/// What it does not: throw, or know C++ types. One writer belongs to one thread at a time.
#pragma once

#include <perdure/result.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace perdure {
inline namespace v0 {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;

namespace detail {

struct WriterState;
/// Gives a state back to its thread for the next writer.
struct WriterStateReturn {
  void operator()(WriterState* state) const noexcept;
};

/// Lists and maps within each other, at writing and at reading.
inline constexpr std::size_t kPayloadDepth = 64;
/// The longest key of a map, in bytes.
inline constexpr std::size_t kPayloadKeyBytes = 4096;
/// Keys up to this length are stored once a payload.
inline constexpr std::size_t kSharedKeyBytes = 64;

}  // namespace detail

class Writer {
 public:
  Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// Each of these writes one value: the payload itself, an element of the list begun last, or,
  /// after `key`, an entry of the map begun last.
  void null();
  void boolean(bool value);
  void integer(std::int64_t value);
  void natural(std::uint64_t value);
  /// NaNs and the sign of zero are kept. A `float` is written as the `double` that equals it.
  void number(double value);
  /// Any bytes, also NUL and what is no UTF-8: they come back as they are.
  void text(std::string_view value);
  void bytes(ByteView value);

  void begin_list();
  void end_list();
  void begin_map();
  /// The name of the next value. At most 4096 bytes, none of them NUL; not twice in one map.
  void key(std::string_view name);
  void end_map();

  /// Records why the value can't be written; the first reason stands.
  void fail(Error error);
  /// Whether something failed: a codec may stop early then.
  [[nodiscard]] bool failed() const noexcept;

  /// The payload; the writer is empty afterwards. Errors: what `fail` was given; `too_large` (over
  /// 1 GiB, or lists and maps nested deeper than 64); `misuse` (not exactly one value was written,
  /// a map has a key without value, or a list was not ended).
  [[nodiscard]] Result<Bytes> finish();

 private:
  std::unique_ptr<detail::WriterState, detail::WriterStateReturn> state_;
};

}  // namespace v0
}  // namespace perdure
