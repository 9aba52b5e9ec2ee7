/// Why a journal is opened for writing.
///
/// What this is: the one choice that directory.hpp and counted_store.hpp share: a runtime's life,
/// or an operator's visit.
#pragma once

#include <cstdint>

namespace perdure::journal {

/// What a journal is opened for writing for.
enum class Opening : std::uint8_t {
  work,  ///< By a runtime. The journal is made when it is not there.
  /// By an operator's command, which adds a row. The journal is there (else `not_found`), and its
  /// mark of how the last runtime ended stays as it is, also when this opening ends in a crash.
  visit,
};

}  // namespace perdure::journal
