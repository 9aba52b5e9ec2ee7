/// Sentences.
///
/// What this is: a document's sections become sentences, each on one line, with the marks of
/// Markdown taken off.
/// What it promises: a point ends a sentence only where one ends: not in "e.g.", "U.S.", "2.1",
/// "Inc. may", "2. You may" or "J. Smith", nor between brackets. List items and paragraphs are
/// sentences of their own. Code, tables and rules are no prose and yield nothing.
/// What it does not: parse. Where English itself is ambiguous, the longer sentence wins.
#pragma once

#include "types.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace research {

/// A sentence and where it was found.
struct Sentence {
  std::string text;
  std::size_t section = 0;  ///< Position in `Outline::sections`.
  /// Begins like a sentence and ends with a full stop, question mark or exclamation mark.
  bool complete = false;
};

/// The sentences of `document`, in order.
[[nodiscard]] std::vector<Sentence> sentences_of(const DocumentText& document,
                                                 const Outline& outline);

/// The paragraphs and list items of `text`, each with its white space collapsed and, for Markdown,
/// its marks taken off.
[[nodiscard]] std::vector<std::string> paragraphs_of(std::string_view text, Markup markup);

/// The bytes of a list item's mark at the start of `line` with the blank after it ("- ", "2. ",
/// "1.7. ", "(iv) ", "b) "), or 0.
[[nodiscard]] std::size_t item_mark(std::string_view line) noexcept;

/// The sentences of one paragraph.
[[nodiscard]] std::vector<std::string> split_sentences(std::string_view paragraph);

}  // namespace research
