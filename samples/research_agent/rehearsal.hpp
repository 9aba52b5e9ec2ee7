/// Rehearsing a crash.
///
/// What this is: what somebody may ask of one process while it works: to note each step's body that
/// runs, and to kill itself in the middle of one. The demo and the crash tests need both.
/// What it promises: a line is one write(2) at the file's end, so that no crash leaves half of one.
/// What it does not: belong to the run. It is asked of a process by its command line and must not
/// travel in the request, because a process that goes on with the run is asked something else.
/// Handlers are plain functions, so it is kept for the process: set it once, before the runtime
/// starts.
#pragma once

#include <perdure/result.hpp>
#include <perdure/step.hpp>

#include <cstddef>
#include <string>

namespace research {

struct Rehearsal {
  /// Appends a line to this file whenever a body begins: run id, step id, attempt and step name,
  /// with tabs between them. Empty: none.
  std::string effects = {};
  /// The id of the step in the middle of whose body the process kills itself. Empty: none.
  std::string crash_at = {};
};

/// Sets what this process rehearses; opens the effects file. Fails if that cannot be opened.
[[nodiscard]] perdure::Result<void> rehearse(const Rehearsal& rehearsal);

/// How many bodies began in this process. Thread: any.
[[nodiscard]] std::size_t bodies_begun() noexcept;

/// Notes that the body of `step` begins. Fails if the effects file cannot be written.
[[nodiscard]] perdure::Result<void> note_body(const perdure::Step& step);

/// Kills the process with SIGKILL if it was asked to in this step.
void crash_if_asked(const perdure::Step& step);

/// Does a step's `work`: noted before, and killed, where that was asked, at the worst moment: the
/// work is done, and nobody has recorded it.
template <class Work>
auto observed(const perdure::Step& step, Work work) {
  note_body(step).value();
  auto result = work();
  crash_if_asked(step);
  return result;
}

}  // namespace research
