/// The report.
///
/// What this is: studies and their comparison become one Markdown document, from an overview to the
/// single documents, to how they relate, to a closing word in the documents' own sentences.
/// What it promises: a function of its arguments and nothing else. No date, no path, no duration: a
/// report that was interrupted anywhere equals one that was not, byte for byte.
#pragma once

#include "types.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace research {

/// What a report is made of.
struct Findings {
  std::string folder = {};  ///< The name of the folder, without its path.
  std::vector<Study> studies = {};
  std::vector<LeftOut> left_out = {};
  Comparison comparison = {};
};

/// How many words a minute a reader of such texts reads.
inline constexpr std::uint64_t words_a_minute = 230;
/// With more documents than this, the table of all similarities is left out.
inline constexpr std::size_t similarity_table_max = 20;

/// The report.
[[nodiscard]] Report write_report(const Findings& findings);

}  // namespace research
