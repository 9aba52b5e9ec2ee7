/// `perdure show RUN`: one run as a timeline, and why it is where it is.
///
/// What it promises: memory for what is unfinished and a block of lines, not for the run's length.
#pragma once

#include <optional>
#include <string>

#include "cli/screen.hpp"
#include "journal/reader.hpp"

namespace perdure::cli {

/// Payloads above this are left out of `show --json`; `perdure journal` has them whole.
inline constexpr std::size_t kShownPayloadBytes = 64U << 10U;

/// `holder`: who has the journal open for writing. Errors: whatever reading gives; what was written
/// before stands.
[[nodiscard]] Result<void> show_run(journal::Reader& reader, const journal::RunInfo& run,
                                    const std::optional<std::string>& holder, const Screen& screen);

/// The two forms of it. Contract as above.
[[nodiscard]] Result<void> show_run_as_text(journal::Reader& reader, const journal::RunInfo& run,
                                            const std::optional<std::string>& holder,
                                            const Screen& screen);
[[nodiscard]] Result<void> show_run_as_json(journal::Reader& reader, const journal::RunInfo& run,
                                            const std::optional<std::string>& holder,
                                            const Screen& screen);

}  // namespace perdure::cli
