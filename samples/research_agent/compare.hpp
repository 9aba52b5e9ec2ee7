/// Documents held against each other.
///
/// What this is: words weighed by TF-IDF (G. Salton and C. Buckley, "Term-weighting approaches in
/// automatic text retrieval", 1988), documents compared by the cosine of their weights, near
/// variants gathered by average linkage, and for each document what sets it apart.
/// What it promises: integers throughout (exact.hpp), ties by position or bytewise: the same
/// comparison everywhere.
/// What it does not: understand. Two documents are alike if they use the same words as often.
#pragma once

#include "types.hpp"

#include <vector>

namespace research {

/// Documents that are on average at least this alike, in thousandths, are one family.
inline constexpr std::uint32_t family_similarity_min = 600;
/// The most pairs in `Comparison::closest`.
inline constexpr std::size_t closest_pairs_max = 8;

/// Compares the documents of `studies`; positions in the result are positions there.
[[nodiscard]] Comparison compare(const std::vector<Study>& studies);

}  // namespace research
