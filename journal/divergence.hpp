/// Divergence: code that does not match its journal, told in words a person can act on.
///
/// What this is: what the journal recorded, what the code attempted, and the text that shows both.
/// What it promises: the text names run position, step id, kind, name and payload type of both
/// sides, the source line of the attempt, and the likely causes.
/// What it does not: decide what happens; the run parks.
#pragma once

#include <perdure/error.hpp>

#include "journal/record.hpp"
#include "journal/step_path.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace perdure::journal {

/// One side's view of a step.
struct StepFacts {
  StepPath path;
  StepKind kind = StepKind::step;
  std::string name;
  std::string type;
  std::string file;  ///< Empty on the journal's side.
  std::uint32_t line = 0;
};

struct Divergence {
  enum class What : std::uint8_t {
    not_attempted,  ///< A record speaks of a step that the code did not reach.
    differs,        ///< Same step id, other kind or name.
    undecodable,    ///< The payload does not decode as the type that the code expects.
    ended_early,    ///< The handler ended, and there are records left.
    already_ended,  ///< The journal says the run ended, the handler goes on.
    bad_input,      ///< The message does not decode as the handler's parameter.
  };
  What what = What::differs;
  std::uint32_t index = 0;  ///< Of the record, in its run.
  std::optional<StepFacts> recorded;
  /// What the code waits for at this point: for `differs` the one step, else up to three.
  std::vector<StepFacts> attempted;
  std::string detail;  ///< The decoder's words, for `undecodable` and `bad_input`.

  /// `Code::diverged` with several lines of text.
  [[nodiscard]] Error to_error() const;
};

}  // namespace perdure::journal
