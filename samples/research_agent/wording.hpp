/// Wording: what two texts say in the same words.
///
/// What this is: a text as the set of its runs of five words in a row.
/// What it promises: punctuation, capitals and line breaks make no difference.
/// What it does not: keep the words. A run is a 64-bit hash; two runs of one hash count as one.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace research {

/// How many words make a run.
inline constexpr std::size_t run_words = 5;
/// A sorted set of hashes.
using WordRuns = std::vector<std::uint64_t>;

/// The runs of `text`.
[[nodiscard]] WordRuns word_runs(std::string_view text);

/// The runs that both have, as a part of those of the text that has fewer, in thousandths.
[[nodiscard]] std::uint32_t shared_wording(const WordRuns& a, const WordRuns& b);

}  // namespace research
