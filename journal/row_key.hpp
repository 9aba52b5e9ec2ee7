/// Keys of users' tables, without their types.
///
/// What this is: the elements of an encoded key (perdure/detail/row_key.hpp), for whoever shows or
/// checks one and does not know what it was made of.
/// What it promises: it is safe on any bytes. There is one encoding of each key, so what parses is
/// what a writer writes.
/// What it does not: tell a tuple of one element from that element.
#pragma once

#include <perdure/detail/row_key.hpp>

#include "core/bytes.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace perdure::journal {

using KeyElement = std::variant<bool, detail::KeyInteger, std::string, RunId>;

/// The elements, at least one. Empty: it is no key.
[[nodiscard]] std::optional<std::vector<KeyElement>> parse_row_key(core::ByteView key);
/// As JSON: the element, or a list of them. A run's id is text, bytes that are no UTF-8 stand as
/// U+FFFD. What is no key is text in hexadecimal.
[[nodiscard]] std::string row_key_json(core::ByteView key);

}  // namespace perdure::journal
