/// Words for the codec's errors.
///
/// What this is: how a payload's values and the expectations of a type read in a sentence.
/// What it promises: text from payloads is cut and made printable before it stands in a message.
/// What it does not: run on the way that succeeds.
#pragma once

#include <perdure/detail/codec_reader.hpp>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace perdure::journal::words {

[[nodiscard]] std::string join(std::initializer_list<std::string_view> parts);

/// "text", "the integer 300", "a list", "nothing (null)".
[[nodiscard]] std::string what_is(const Reader& reader);

/// "an 8-bit integer (-128 to 127)", by the bounds; from 32 bits on without them.
[[nodiscard]] std::string integer_between(std::int64_t least, std::int64_t most);
[[nodiscard]] std::string natural_up_to(std::uint64_t most);

/// `text` with what can't be printed as `?`, cut after 64 bytes.
[[nodiscard]] std::string printable(std::string_view text);

/// Whether both have the same shortest decimal form, as 1.1f and 1.1 have.
[[nodiscard]] bool same_in_decimal(float narrow, double wide);

/// The shortest decimal form that reads back as `value`, always with a point or an exponent.
[[nodiscard]] std::string decimal(double value);

}  // namespace perdure::journal::words
