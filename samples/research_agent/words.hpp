/// Words: what a text is compared by.
///
/// What this is: a text becomes lower-case words, and words become stems, so that "licensed" and
/// "licenses" count as one.
/// What it promises: the same words everywhere; nothing here asks the locale.
/// What it does not: know languages other than English. In others the stems and the list of stop
/// words do little, and writing without blanks between words is not split at all.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace research {

/// A word where it stands in its text. A word is a run of letters, digits and inner apostrophes.
struct Token {
  std::string_view text;  ///< As written; points into the text.
  std::size_t begin = 0;  ///< Its first byte.
};

/// The words of `text`, in order. They live as long as the bytes of `text`.
[[nodiscard]] std::vector<Token> tokens_of(std::string_view text);

/// How many words `text` has.
[[nodiscard]] std::size_t count_words(std::string_view text);

/// `word` in lower case (ASCII and Latin-1), without a possessive "'s".
[[nodiscard]] std::string folded(std::string_view word);

/// Whether a folded word says nothing about its text: "the", "of", "shall", single letters, bare
/// numbers.
[[nodiscard]] bool is_stop_word(std::string_view word) noexcept;

/// The stem of a folded word by step 1 of Porter's algorithm (M. F. Porter, "An algorithm for
/// suffix stripping", Program 14(3), 1980): plurals, "-ed", "-ing" and a final "y".
/// Words with other characters than a to z, and words of two letters or fewer, stay as they are.
[[nodiscard]] std::string stem(std::string_view word);

/// The stems of the words of `text` that are no stop words, in order, repeated where they repeat.
[[nodiscard]] std::vector<std::string> stems_of(std::string_view text);

}  // namespace research
