/// The engine without threads: calls that would block take turns instead.
#include "actors/engine.hpp"

namespace perdure::actors {

bool Engine::take_turns(const std::function<bool()>& done) {
  if (!seams_.turn) return true;
  // A handler must not be entered from a handler; what it asks for is refused elsewhere, in words.
  while (!done())
    if (RunCore::inside_a_handler() || !seams_.turn()) return done();
  return true;
}

/// The clock is its owner's, so `within` says only whether turns are taken at all.
Result<Bytes> Engine::wait_by_turns(const RunId& run, std::chrono::milliseconds within) {
  if (within > std::chrono::milliseconds(0))
    (void)take_turns([&] { return has_ended(run) || watchers_.failure().has_value(); });
  PERDURE_TRY(std::optional<Ended> ended, ended_result(run));
  if (ended) return std::move(ended->reply);
  if (const std::optional<Error> failure = watchers_.failure()) return *failure;
  return nothing_moves(run);
}

/// Why a wait is over although the run has not ended: waiting longer would change nothing.
Error Engine::nothing_moves(const RunId& run) {
  std::string text = "run " + to_string(run) + " has not ended";
  if (const Result<std::string> why = explain(run); why.has_value())
    text += ": " + why.assume_value();
  const std::optional<core::Elapsed> next = timers_.next();
  if (!next) {
    text += "; nothing moves and no timer is set, so waiting longer would not help";
  } else {
    const auto in = std::chrono::ceil<std::chrono::milliseconds>(*next - seams_.clock->elapsed());
    text += "; only time is missing, the next timer is due in " + std::to_string(in.count()) +
            " ms: advance the clock";
  }
  return Error{Code::timeout, std::move(text)};
}

}  // namespace perdure::actors
