/// `perdure runs`: what runs there are.
///
/// What it promises: memory for the runs that are shown, not for those in the journal; with `--all`
/// for none of them. The newest comes last, where a terminal leaves the eye.
#pragma once

#include "cli/arguments.hpp"
#include "cli/screen.hpp"
#include "journal/reader.hpp"

namespace perdure::cli {

/// Errors: whatever reading gives; what was written before stands.
[[nodiscard]] Result<void> list_runs(journal::Reader& reader, const RunsRequest& request,
                                     const Screen& screen);

}  // namespace perdure::cli
