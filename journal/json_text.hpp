/// Text as JSON and bytes as text.
///
/// What this is: the three encodings that payloads need to stand in JSON.
/// What it promises: what `append_quoted` writes is valid JSON, whatever the text; base64 is that
/// of RFC 4648 with padding, and reading it accepts nothing else.
/// What it does not: parse JSON.
#pragma once

#include <perdure/codec.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace perdure::journal {

/// Whether `text` is UTF-8 (RFC 3629: no surrogates, nothing overlong).
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

/// Appends `text` in quotes. Bytes that are no UTF-8 become U+FFFD, one for each.
void append_quoted(std::string& out, std::string_view text);

void append_base64(std::string& out, ByteView bytes);

/// Empty if `text` is no base64.
[[nodiscard]] std::optional<Bytes> from_base64(std::string_view text);

}  // namespace perdure::journal
