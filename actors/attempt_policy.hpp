/// What to do about a pending step: begin, wait, settle or park; and what to do when an attempt
/// ended.
///
/// What this is: design.md section 5 and semantics.md section 5 as two pure functions.
/// What it promises: an at-most-once step with a recorded start and no known outcome is never run
/// again, and a queryable one is asked about before; a step that was unfinished at three unclean
/// ends parks its run; a step whose next attempt has a time waits until somebody takes that from
/// its row, whatever the wall clock shows.
/// What it does not: wait, write or run anything.
#pragma once

#include <perdure/step.hpp>

#include "journal/reader.hpp"
#include "journal/replay_machine.hpp"

#include <optional>

namespace perdure::actors {

/// How the process that last worked on the run ended, as far as this step is concerned.
enum class LastEnd : std::uint8_t {
  none,     ///< The step was opened in this process.
  clean,    ///< Found unfinished after a clean shutdown.
  unclean,  ///< Found unfinished after a crash: its body may have been running.
};

struct BeginQuestion {
  const journal::Pending& pending;
  /// What the code says now.
  Effect effect = Effect::idempotent;
  bool can_ask = false;                         ///< The tool has a `find`.
  const journal::Attempts* attempts = nullptr;  ///< The step's row, or null.
  LastEnd last_end = LastEnd::none;
  journal::Stamp now = 0;
};

struct Begin {
  enum class What : std::uint8_t {
    run,     ///< Attempt `attempt` may run.
    ask,     ///< `find` says what became of attempt `attempt`.
    wait,    ///< Its next attempt waits for its time: in `wait`, unless that is counted already.
    settle,  ///< Its outcome is `error`, without running.
    park,    ///< The run must wait for a person: `error`.
  };
  What what = What::run;
  std::uint32_t attempt = 1;
  /// A step_started record goes ahead of the body.
  bool record_start = false;
  /// The attempts row is written ahead of the body with one unclean end more.
  bool record_unclean_end = false;
  std::chrono::microseconds wait{0};
  std::optional<Error> error = {};
};

[[nodiscard]] Begin begin_step(const BeginQuestion& question);

}  // namespace perdure::actors
