/// Recognising headings.
///
/// What this is: the rules by which sections.cpp knows a heading when it sees one, line by line.
/// What it promises: to look only at the lines of one block, which begins after a blank line.
/// What it does not: decide between candidates: numbered paragraphs become sections only where
/// their numbers form a sequence, and that is seen in sections.cpp.
#pragma once

#include "types.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace research {

/// One line without the blanks around it.
struct Line {
  std::string_view text;
  std::size_t begin = 0;  ///< Where `text` begins in the document.
  std::size_t indent = 0;
};

/// The lines of `text`.
[[nodiscard]] std::vector<Line> lines_of(std::string_view text);

/// A heading, or something that may be one.
struct Heading {
  std::string title;
  std::uint32_t level = 1;
  std::size_t begin = 0;  ///< The first byte of the heading.
  std::size_t body = 0;   ///< The first byte of what follows it.
  /// The number in front of it, where it is one whole number ("7."): these must form a sequence.
  std::optional<unsigned> number = {};
};

/// A block: lines `first` to `last` (one past the end), none of them blank.
struct Block {
  std::size_t first = 0;
  std::size_t last = 0;
};

/// The blocks of `lines`.
[[nodiscard]] std::vector<Block> blocks_of(const std::vector<Line>& lines);

/// The heading with which a block of a plain text begins, if it does.
[[nodiscard]] std::optional<Heading> plain_heading(const std::vector<Line>& lines, Block block);

/// The heading that begins at line `at` of a Markdown text, if one does. `fenced` lines are the
/// caller's to skip.
[[nodiscard]] std::optional<Heading> markdown_heading(const std::vector<Line>& lines,
                                                      std::size_t at);

/// Whether a line is nothing but a rule: three or more of one of `-=_*~#`.
[[nodiscard]] bool is_rule(std::string_view line) noexcept;

/// Whether a line could be a title: short, begins with a capital, does not end like a sentence.
[[nodiscard]] bool looks_like_title(std::string_view line);

}  // namespace research
