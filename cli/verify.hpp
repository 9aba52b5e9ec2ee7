/// `perdure verify`: what is wrong with a journal, if anything.
#pragma once

#include "cli/exit_code.hpp"
#include "cli/screen.hpp"
#include "journal/store.hpp"

namespace perdure::cli {

/// Writes the findings and a summary. `ok` for a sound journal, else `findings`. Errors: the
/// journal cannot be read to its end; nothing was written.
[[nodiscard]] Result<ExitCode> verify_journal(journal::Store& store, const Screen& screen);

}  // namespace perdure::cli
