/// TextRank: which sentences say most.
///
/// What this is: the sentence extraction of R. Mihalcea and P. Tarau, "TextRank: Bringing Order
/// into
/// Texts", EMNLP 2004. Sentences are the nodes of a graph, edges weigh the words that two of them
/// share over the logarithms of their lengths, and a sentence is important if important sentences
/// resemble it: WS(i) = (1 - d) + d · Σ_j w(j,i) / Σ_k w(j,k) · WS(j), with d = 0.85.
/// What it promises: integers (exact.hpp), so the same scores everywhere; an end, after
/// `rank_rounds_max` rounds at the latest.
/// What it does not: choose. A score of 1 is average; who picks minds length and repetition.
#pragma once

#include "exact.hpp"
#include "similarity.hpp"

#include <cstddef>
#include <vector>

namespace research {

/// The most sentences in one graph, which bounds its edges. Longer texts are ranked in blocks.
inline constexpr std::size_t rank_sentences_max = 1000;
/// The most rounds of the iteration; it converges in a few dozen.
inline constexpr int rank_rounds_max = 100;

/// The score of each of at most `rank_sentences_max` sentences. Log(1 + length) stands where the
/// paper has log(length), because there are sentences of one word.
[[nodiscard]] std::vector<Exact> rank_sentences(const std::vector<StemSet>& sentences);

}  // namespace research
