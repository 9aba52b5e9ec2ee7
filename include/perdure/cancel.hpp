/// Why and how a run is cancelled.
///
/// What this is: the options of every cancel, from outside (`Run::cancel`) and from a parent
/// (`ChildRun::cancel`).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace perdure {
inline namespace v0 {

/// What becomes of sagas that a run has open when it is killed, or is cancelled while it is parked.
enum class OpenSagas : std::uint8_t {
  leave,       ///< They stay open until somebody decides (`perdure sagas`).
  compensate,  ///< They are aborted: what they did is undone, without asking the run's code.
};

/// Why a run is to end, and how long it may take.
struct CancelOptions {
  /// Why, in words: recorded, and part of the error that the run's waits fail with.
  std::string why = {};
  /// Who wants it: recorded. At most 256 bytes.
  std::string by = {};
  /// How long the handler may go on, to tidy up, before its run is recorded as cancelled anyway.
  std::chrono::milliseconds grace = std::chrono::seconds(30);
  /// A handler that is asked to end leaves its sagas by itself, and they are undone; this is about
  /// those that are not asked.
  OpenSagas open_sagas = OpenSagas::leave;
};

/// What a person decides about a saga that is being undone.
struct SagaResolution {
  enum class What : std::uint8_t {
    retry,      ///< What is stuck is tried again.
    skip,       ///< It stays as it is, and counts as dealt with.
    mark_done,  ///< It was undone by hand. Of a saga behind its pivot: it was finished by hand.
  };
  What what = What::retry;
  /// The action's number in the saga, as `perdure saga show` has it. Empty: all that are not
  /// undone.
  std::optional<std::uint32_t> action = {};
  std::string why = {};  ///< Recorded.
  std::string by = {};   ///< Recorded. At most 256 bytes.
};

}  // namespace v0
}  // namespace perdure
