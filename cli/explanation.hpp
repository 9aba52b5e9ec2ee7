/// Why a run is where it is, in words.
///
/// What this is: the sentences under a timeline, made of what the journal says and of whether
/// somebody has it open. (A live runtime knows more: `Runtime::explain`.)
/// What it does not: make text safe; who shows it does.
#pragma once

#include <optional>
#include <string>

#include "cli/screen.hpp"
#include "cli/timeline.hpp"
#include "journal/reader.hpp"

namespace perdure::cli {

/// One or several lines, without a newline at the end. `holder`: who has the journal open for
/// writing. Of `screen` it takes the time and the zone.
[[nodiscard]] std::string explain(const journal::RunInfo& run, const Standing& standing,
                                  const std::optional<std::string>& holder, const Screen& screen);

/// What becomes of a child, and what is known of it, on one line: `child of step 2: run 01JD…`.
[[nodiscard]] std::string child_text(const journal::Child& child);

/// A saga of the run, and how far it is: `saga 01JD….1 'trip': stuck, 2 of 5 to undo`.
[[nodiscard]] std::string saga_text(const SagaFacts& saga);

/// `step 3.1 'fetch page'`.
[[nodiscard]] std::string step_text(const Unfinished& step);

}  // namespace perdure::cli
