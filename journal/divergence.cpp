#include "journal/divergence.hpp"

namespace perdure::journal {
namespace {

std::string describe(const StepFacts& step) {
  std::string text = "step " + step.path.to_string() + ", " + std::string(to_string(step.kind)) +
                     " '" + step.name + "', payload " + (step.type.empty() ? "?" : step.type);
  if (!step.file.empty())
    text += "\n             at " + step.file + ":" + std::to_string(step.line);
  return text;
}

std::string headline(const Divergence& divergence) {
  switch (divergence.what) {
    case Divergence::What::not_attempted:
      return "the journal holds the result of a step that the code does not reach here";
    case Divergence::What::differs:
      return "the code attempts another step than the journal recorded at this place";
    case Divergence::What::undecodable:
      return "a recorded result does not decode as the type that the code expects";
    case Divergence::What::ended_early:
      return "the handler ended, but the journal holds further results";
    case Divergence::What::already_ended:
      return "the journal says that the run ended, but the handler goes on";
    case Divergence::What::bad_input:
      return "the recorded message does not decode as the handler's parameter";
  }
  return "the code does not match its journal";
}

const char* causes(const Divergence& divergence) {
  switch (divergence.what) {
    case Divergence::What::undecodable:
    case Divergence::What::bad_input:
      return "a field was renamed or its type changed; add fields or remove them, one of the two "
             "at a "
             "time, or serve the new code as a new agent version";
    default:
      return "steps were added, removed, reordered or renamed while this run was unfinished; a "
             "branch "
             "depends on something that is not recorded (the wall clock, an environment variable, "
             "unordered iteration, a random number not drawn by ctx.random()). Deploy code that "
             "matches "
             "the journal, or serve the new code as a new agent version";
  }
}

}  // namespace

Error Divergence::to_error() const {
  std::string text = headline(*this) + " (record " + std::to_string(index) + " of the run)";
  if (recorded) text += "\n  recorded:  " + describe(*recorded);
  for (const StepFacts& step : attempted) text += "\n  attempted: " + describe(step);
  if (attempted.empty() && what == What::ended_early)
    text += "\n  attempted: the end of the handler";
  if (attempted.empty() && what == What::not_attempted) text += "\n  attempted: nothing";
  if (!detail.empty()) text += "\n  decoder:   " + detail;
  text += "\n  likely:    ";
  text += causes(*this);
  return Error{Code::diverged, std::move(text)};
}

}  // namespace perdure::journal
