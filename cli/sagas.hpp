/// `perdure sagas`: what sagas there are, and what of them is not undone.
///
/// What it promises: memory for a block of lines, not for the sagas in the journal. The newest
/// comes last, as of runs.
#pragma once

#include <cstdint>

#include "cli/screen.hpp"
#include "journal/reader.hpp"

namespace perdure::cli {

struct SagasRequest {
  enum class Which : std::uint8_t {
    unfinished,  ///< Those that are not over.
    all,
    stuck,  ///< Those that need a person: stuck, or left open by a run that has ended.
  };
  Which which = Which::unfinished;
};

/// Errors: whatever reading gives; what was written before stands.
[[nodiscard]] Result<void> list_sagas(journal::Reader& reader, const SagasRequest& request,
                                      const Screen& screen);

}  // namespace perdure::cli
