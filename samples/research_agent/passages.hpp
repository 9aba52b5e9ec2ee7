/// Distinctive passages: what one document says and no other does.
///
/// What this is: sentences that speak of the document's own matters, in words that stand in no
/// other document of the folder.
/// What it promises: none rather than a poor one. A document that is contained in another has none.
#pragma once

#include "terms.hpp"
#include "types.hpp"
#include "wording.hpp"

#include <string>
#include <vector>

namespace research {

/// The most passages of one document.
inline constexpr std::size_t passages_max = 2;

/// The distinctive sentences of `study`, which is the document `position` of `corpus` and `runs`,
/// in the document's order and without those of its summary.
[[nodiscard]] std::vector<std::string> distinctive_passages(Corpus& corpus,
                                                            const std::vector<WordRuns>& runs,
                                                            const Study& study,
                                                            std::size_t position);

}  // namespace research
