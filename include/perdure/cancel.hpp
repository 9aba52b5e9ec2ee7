/// Why and how a run is cancelled.
///
/// What this is: the options of every cancel, from outside (`Run::cancel`) and from a parent
/// (`ChildRun::cancel`).
#pragma once

#include <chrono>
#include <string>

namespace perdure {
inline namespace v0 {

/// Why a run is to end, and how long it may take.
struct CancelOptions {
  /// Why, in words: recorded, and part of the error that the run's waits fail with.
  std::string why = {};
  /// Who wants it: recorded. At most 256 bytes.
  std::string by = {};
  /// How long the handler may go on, to tidy up, before its run is recorded as cancelled anyway.
  std::chrono::milliseconds grace = std::chrono::seconds(30);
};

}  // namespace v0
}  // namespace perdure
