/// `perdure verify`: what is wrong with a journal, if anything.
#pragma once

#include <perdure/result.hpp>

#include "cli/exit_code.hpp"
#include "cli/screen.hpp"

#include <filesystem>

namespace perdure::cli {

/// Checks the pages of the journal in `directory` before anything maps its file, and, if those are
/// sound, its log and its rows. Writes the findings and a summary. `ok` for a sound journal, else
/// `findings`.
/// Errors: there is no journal, or it cannot be read to its end; nothing was written.
[[nodiscard]] Result<ExitCode> verify_journal(const std::filesystem::path& directory,
                                              const Screen& screen);

}  // namespace perdure::cli
