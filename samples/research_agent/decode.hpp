/// Making clean text of a file's bytes.
///
/// What this is: one function, and the few facts about UTF-8 that other files need.
/// What it promises: valid UTF-8 without byte order mark, tabs or control characters; each line
/// ends in one line feed and carries no blanks at its end.
/// What it does not: guess encodings beyond two. What is not UTF-8 is read as Windows-1252, of
/// which
/// Latin-1 is the greater part, because old plain text in Western languages is one of the two.
#pragma once

#include <perdure/result.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace research {

/// `bytes` as clean text. Fails for what is not text, with a message that lacks its subject: the
/// caller knows the file's name.
[[nodiscard]] perdure::Result<std::string> decode_text(std::string_view bytes);

/// Whether `bytes` is well-formed UTF-8 (no overlong forms, no surrogates).
[[nodiscard]] bool is_utf8(std::string_view bytes) noexcept;

/// A character and the number of bytes it takes. For malformed input: U+FFFD and 1.
struct Character {
  char32_t code = 0;
  std::size_t bytes = 1;
};

/// The character at `position`, which lies inside `text`.
[[nodiscard]] Character character_at(std::string_view text, std::size_t position) noexcept;

/// Appends `code` to `text` as UTF-8.
void append_utf8(std::string& text, char32_t code);

}  // namespace research
