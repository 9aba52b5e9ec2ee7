/// Payloads as JSON, and JSON as payloads.
///
/// What this is: how the command and the inspector show any payload without its C++ type, and how a
/// person gives one. Null, true and false, integers, numbers, text, lists and maps are those of
/// JSON; a number always has a point or an exponent, an integer never. What JSON lacks stands in an
/// object whose first key begins with `$`:
///
///     {"$bytes": "3q2+7w=="}                            bytes, in base64
///     {"$text": "caf\ufffd", "$bytes": "Y2Fm6Q=="}      text that is no UTF-8; the bytes count
///     {"$number": "NaN"}                                or "Infinity", "-Infinity", or the bits
///                                                       of any other NaN, "0xfff8000000000000"
///     {"$flatbuffer": "shop.Order", "$bytes": "…"}      a FlatBuffer (perdure/flatbuffers.hpp)
///
/// and a key that begins with `$` itself is shown with another `$` before it.
/// What it promises: the JSON of one payload is always the same; the payload of a payload's JSON is
/// the same payload, if its keys are UTF-8. What C++ reads from JSON is what it wrote: a map may be
/// given as a list of pairs or, with text keys, as an object.
/// What it does not: know C++ types: whether the JSON fits one is seen when it is decoded.
#pragma once

#include <perdure/codec.hpp>
#include <perdure/result.hpp>

#include <string>
#include <string_view>

namespace perdure::journal {

/// Whether every value in the payload can be read. Errors: `undecodable` with the place and the
/// damage.
[[nodiscard]] Result<void> check_payload(ByteView payload);

/// The payload as JSON on one line; `null` for an empty one. Errors: `undecodable`: it is damaged.
[[nodiscard]] Result<std::string> payload_to_json(ByteView payload);

/// The payload of a JSON text; empty for `null`. The order of an object's keys makes no difference.
/// Errors: `misuse`, saying what (no JSON, and where; an integer that 64 bits don't hold; a key
/// twice in one object; an unknown `$` key; broken base64); `too_large`.
[[nodiscard]] Result<Bytes> json_to_payload(std::string_view json);

}  // namespace perdure::journal
