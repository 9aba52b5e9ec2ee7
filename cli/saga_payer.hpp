/// Who undoes a saga, and how far that is.
///
/// What this is: the run of the agent `perdure.saga` that undoes it, and what that run's steps say
/// of the attempts at each action.
/// What it promises: memory for the actions of the order, not for the run's records.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "journal/reader.hpp"

namespace perdure::cli {

/// Attempts to undo one action.
struct Paying {
  std::uint32_t attempts = 0;       ///< Known to have begun.
  journal::Stamp next_due = 0;      ///< 0: none is waited for.
  std::optional<Error> last_error;  ///< Of the last one, if another one is to come.
};
struct Payer {
  journal::RunInfo run;
  // Why the saga was aborted, as it was told.
  std::string code;
  std::string who;
  std::string why;
  /// By the number of a saga of the run and the index in it.
  std::map<std::pair<std::uint32_t, std::uint32_t>, Paying> actions;
};

/// Empty: nobody undoes it, or whoever is to has not looked at its mail. An order that can't be
/// read leaves the rest empty. Errors: as Reader.
[[nodiscard]] Result<std::optional<Payer>> payer_of(journal::Reader& reader,
                                                    const journal::StoredSaga& saga);

}  // namespace perdure::cli
