/// Why a run is where it is, in words.
///
/// What this is: the sentences under a timeline, made of what the journal says and of whether
/// somebody has it open. (A live runtime knows more: `Runtime::explain`.)
/// What it does not: make text safe; who shows it does.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "cli/timeline.hpp"
#include "journal/reader.hpp"

namespace perdure::cli {

/// One or several lines, without a newline at the end. `holder`: who has the journal open for
/// writing.
[[nodiscard]] std::string explain(const journal::RunInfo& run,
                                  std::span<const Unfinished> unfinished,
                                  const std::optional<std::string>& holder, journal::Stamp now);

/// `step 3.1 'fetch page'`.
[[nodiscard]] std::string step_text(const Unfinished& step);

}  // namespace perdure::cli
