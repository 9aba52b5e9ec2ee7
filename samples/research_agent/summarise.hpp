/// Summaries out of a text's own sentences.
///
/// What this is: sentences are ranked (rank.hpp) and a few are picked, so that together they say
/// much and none repeats another.
/// What it promises: the same choice everywhere; ties go to the sentence that comes first;
/// sentences come in the document's order and are quoted, but for a shortening at "…".
/// What it does not: write. What no sentence of the document says, no summary says.
#pragma once

#include "prose.hpp"
#include "types.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace research {

/// Bounds of a picked sentence, in words: shorter ones say little alone, longer ones tire. They
/// give way where a document has nothing else.
inline constexpr std::size_t picked_words_min = 7;
inline constexpr std::size_t picked_words_max = 45;

/// The summary of `document`: three to six sentences, by its length, where it has as many.
[[nodiscard]] Summary summarise(const DocumentText& document, const Outline& outline);

/// The positions, in ascending order, of the `count` sentences (or fewer) that say most.
[[nodiscard]] std::vector<std::size_t> pick_sentences(const std::vector<Sentence>& sentences,
                                                      std::size_t count);

/// Whether a sentence can stand by itself in a report: whole, of a good length, no copyright line,
/// no form to fill in, not in capitals.
[[nodiscard]] bool reads_well(const Sentence& sentence);

/// A sentence ready to be quoted: without the number of a list item, and of at most
/// `picked_words_max` words.
[[nodiscard]] std::string quotable(std::string_view sentence);

}  // namespace research
