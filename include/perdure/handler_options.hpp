/// Options of handlers.
///
/// What this is: what a handler's definition says beside its name and function.
#pragma once

#include <perdure/budget.hpp>

#include <chrono>
#include <cstdint>

namespace perdure {
inline namespace v0 {

/// What becomes of a message that comes while a run of the session is unfinished.
enum class WhenBusy : std::uint8_t {
  queue,   ///< It waits for its turn.
  reject,  ///< It is refused with `busy`; nobody handles it.
  /// The unfinished run is cancelled, and the message is handled when that has ended.
  cancel_and_replace,
  /// It is dropped, and its sender gets the reply of the unfinished run, when that is one of the
  /// same handler; else it waits for its turn.
  join,
};

/// What becomes of a child when the run that started it ends first.
enum class ParentEnds : std::uint8_t {
  /// That run does not end before the child has; a cancel of it is passed on to the child.
  wait_for_child = 1,
  cancel_child = 2,
  abandon_child = 3,  ///< It goes on, and nobody gets its reply.
};

/// What becomes of a run that its code cannot go on with.
enum class WhenStuck : std::uint8_t {
  /// It is parked, and each start of a runtime tries it again: a deploy of repaired code is enough.
  retry_at_start,
  park,  ///< It is parked until an operator resumes it.
  fail,  ///< It ends as failed, with the reason.
};

struct HandlerOptions {
  WhenBusy when_busy = WhenBusy::queue;
  /// How long a run may take from its creation until it is cancelled, with `timeout`. Zero: for
  /// ever.
  std::chrono::microseconds deadline{0};
  /// What a run may use. It is the run's own from its creation on, whatever the code says later; an
  /// operator can raise it.
  Budget budget = {};
};

}  // namespace v0
}  // namespace perdure
