/// The JSON Schema of a stored type, by which a program that knows no C++ can make a value.
///
/// What this is: `json_schema<T>()`, the schema of a `T` in JSON (draft 2020-12), for every type
/// that has a `Codec` (codec.hpp): a language model is offered a tool by it. The words in it are
/// those of PERDURE_EXPLAIN (explain.hpp).
/// What it promises: JSON that the schema accepts is read as a `T`, and a value shown as JSON is
/// accepted by it; what no schema can say is listed below. Equal types give equal text under every
/// compiler.
/// What it does not: accept all that is read. It is stricter on purpose:
///
/// - Every field but an optional one is required, and no other is allowed. Reading gives a field
///   that is missing its default and ignores an unknown one, for the sake of older releases.
/// - A duration or time is given in the type's own unit.
/// - `{"$number": "NaN"}` and its kin, and `{"$text": …}` for text that is no UTF-8, are refused.
///
/// Nor can it say all that reading asks for. Accepted, and then an error when it is read, are:
///
/// - `1.0` or `1e3` for a whole number: a schema takes them for one, reading goes by the point.
/// - A whole number beyond 64 bits, or beyond the sign of an `std::int64_t`; one beyond 2^53, or
///   with more digits than 32 bits hold, for a `double` or a `float`.
/// - A key that stands twice in a map which is given as pairs, and keys or elements that only the
///   container's own comparison holds for equal.
/// - Lists and maps nested deeper than 64, keys of an object that are longer than 4096 bytes or
///   have a NUL inside.
///
/// A type with a codec of its own says in it what its JSON is like, by one of
///
///     using JsonLike = std::string;       // written and read as that type is
///     static std::string json_schema();   // complete; it refers to nothing outside of itself
#pragma once

#include <perdure/detail/schema_nodes.hpp>
#include <perdure/explain.hpp>

#include <string>

namespace perdure {
inline namespace v0 {

/// The schema, compact, on one line. A described struct that stands in it once is written where it
/// stands, any other under `$defs`, and the outermost is `#` to itself. Thread: any.
template <class T>
[[nodiscard]] std::string json_schema() {
  return detail::schema_text(detail::schema_node<T>());
}

}  // namespace v0
}  // namespace perdure
