/// Text for people: safe on a terminal, and as wide as it looks.
///
/// What this is: names, messages and payloads come from users; here they become one line (or
/// several) that a terminal shows and does not obey.
/// What it promises: what comes out is valid UTF-8 without control characters, escape sequences or
/// marks that turn the direction of text; they stand there as `\n`, `\x1b`, `\u{202e}`, a byte that
/// is no UTF-8 as `\xff`.
/// What it does not: say the original exactly (a backslash of the original is not doubled);
/// `--json` does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace perdure::cli {

/// Wider than any line.
inline constexpr std::size_t kAnyWidth = static_cast<std::size_t>(-1);

/// A character of a text, as decoding found it.
struct Character {
  char32_t code = 0;
  std::size_t bytes = 0;  ///< At least 1.
  bool valid = false;     ///< No: one byte that begins no UTF-8 sequence; `code` is that byte.
};
/// The character at `at`, which is before the end.
[[nodiscard]] Character character_at(std::string_view text, std::size_t at) noexcept;
/// Whether a terminal could obey it instead of showing it.
[[nodiscard]] bool is_unsafe(char32_t code) noexcept;

/// `text` as one safe line of at most `columns` columns; what does not fit ends in `…`.
[[nodiscard]] std::string safe_line(std::string_view text, std::size_t columns = kAnyWidth);
/// The same for each of the lines of `text`; at least one.
[[nodiscard]] std::vector<std::string> safe_lines(std::string_view text);
/// Only the first line of `text`, with `…` behind it when there are more.
[[nodiscard]] std::string first_line(std::string_view text, std::size_t columns);
/// Columns that `line`, a safe line, takes on a terminal.
[[nodiscard]] std::size_t columns_of(std::string_view line) noexcept;

}  // namespace perdure::cli
