/// Which run somebody means.
///
/// What this is: from `RUN` as typed to a run of the journal.
/// What it promises: what names no run, or several, gets an error that lists the candidates;
/// nothing is guessed.
#pragma once

#include <string_view>

#include "journal/reader.hpp"

namespace perdure::cli {

/// `text` is a run's id (upper or lower case), the beginning or the end of one of at least 4
/// characters (ids that were drawn in the same second share their beginnings), or a session's
/// `agent/key`.
/// Errors: `misuse` for text that can be none of these, `not_found` for no run or several; whatever
/// reading gives.
[[nodiscard]] Result<journal::RunInfo> find_run(journal::Reader& reader, std::string_view text);
/// The same, but of a session its unfinished run, if it has one. Errors: as above.
[[nodiscard]] Result<journal::RunInfo> find_unfinished_run(journal::Reader& reader,
                                                           std::string_view text);

}  // namespace perdure::cli
