/// Values as bytes.
///
/// What this is: `encode` and `decode`, by which messages, results and state become payloads and
/// come back. Stored are: numbers, bool, char, enums, `std::string`, byte vectors and arrays,
/// vector, deque, array, set, map and their unordered kin, optional, variant, tuple, pair,
/// monostate, durations and system times, and structs described by PERDURE_DESCRIBE (describe.hpp)
/// of all these. FlatBuffers types: perdure/flatbuffers.hpp. Anything else: specialise `Codec`
/// (detail/codec_core.hpp).
/// What it promises: equal values give equal bytes under every compiler. Payloads are FlexBuffers
/// and describe themselves. Reading is strict: a stored value of another kind, or out of range, is
/// an error that names the place; it is safe on any bytes, damaged or hostile. How a struct may
/// change between releases: detail/codec_described.hpp.
/// What it does not: check that bytes were written as a `T`: what fits is read. Nor follow
/// pointers, or keep more than a value: shared objects are written out each time.
#pragma once

#include <perdure/detail/codec_chrono.hpp>
#include <perdure/detail/codec_containers.hpp>
#include <perdure/detail/codec_core.hpp>
#include <perdure/detail/codec_described.hpp>
#include <perdure/detail/codec_reader.hpp>
#include <perdure/detail/codec_scalars.hpp>
#include <perdure/detail/codec_sums.hpp>
#include <perdure/detail/codec_writer.hpp>
#include <perdure/result.hpp>

#include <string_view>
#include <type_traits>
#include <utility>

namespace perdure {
inline namespace v0 {
namespace detail {

/// `error` with the type's name before its message.
[[nodiscard]] Error codec_error(std::string_view what, std::string_view type, Error error);

}  // namespace detail

/// The payload of `value`. Errors: `too_large` (over 1 GiB, or nested deeper than 64), `misuse`
/// (an enum's number that has no name, a valueless variant, a codec that writes no or two values).
template <class T>
[[nodiscard]] Result<Bytes> encode(const T& value) {
  detail::require_codable<T>();
  Writer writer;
  Codec<T>::write(writer, value);
  Result<Bytes> bytes = writer.finish();
  if (!bytes.has_value()) {
    return detail::codec_error("cannot encode a value of type", type_name<T>(),
                               std::move(bytes).assume_error());
  }
  return bytes;
}

/// The payload of nothing (void): empty.
[[nodiscard]] inline Result<Bytes> encode() { return Bytes{}; }

/// The value that a payload holds; `decode<void>` checks that it holds none. Errors: `undecodable`.
template <class T>
[[nodiscard]] Result<T> decode(ByteView bytes) {
  detail::require_codable<T>();
  detail::Source source(bytes);
  const Reader reader(source);
  if constexpr (std::is_void_v<T>) {
    Result<void> done = reader.null();
    if (done.has_value()) return done;
    return detail::codec_error("cannot decode as", type_name<T>(), std::move(done).assume_error());
  } else {
    static_assert(std::is_default_constructible_v<T>,
                  "perdure: a stored type needs a default constructor, because reading starts from "
                  "T{}");
    T value{};
    Result<void> done = Codec<T>::read(reader, value);
    if (!done.has_value()) {
      return detail::codec_error("cannot decode as", type_name<T>(),
                                 std::move(done).assume_error());
    }
    return value;
  }
}

}  // namespace v0
}  // namespace perdure
