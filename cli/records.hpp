/// `perdure journal RUN`: every record of a run, with all that it says.
///
/// What it promises: one record in memory at a time; each is checked before it is shown.
#pragma once

#include "cli/screen.hpp"
#include "journal/reader.hpp"

namespace perdure::cli {

/// Errors: whatever reading gives, naming the record; those before it have been written.
[[nodiscard]] Result<void> show_records(journal::Reader& reader, const journal::RunInfo& run,
                                        const Screen& screen);

}  // namespace perdure::cli
