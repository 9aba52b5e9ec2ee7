/// `perdure saga show SAGA`: one saga, what it did, and what became of undoing that.
///
/// What this is: the saga, its actions and those of the sagas that were begun in it, who undoes it,
/// and what persons decided.
/// What it promises: memory for the actions of one saga, and for one input.
#pragma once

#include <optional>
#include <string>

#include "cli/screen.hpp"
#include "journal/reader.hpp"
#include "journal/saga_rows.hpp"

namespace perdure::cli {

/// `saga` is in the journal. `holder`: who has the journal open for writing. Errors: whatever
/// reading gives; what was written before stands.
[[nodiscard]] Result<void> show_saga(journal::Reader& reader, const journal::SagaId& saga,
                                     const std::optional<std::string>& holder,
                                     const Screen& screen);

}  // namespace perdure::cli
