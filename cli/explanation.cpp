#include "cli/explanation.hpp"

#include "cli/format.hpp"
#include "cli/values.hpp"

namespace perdure::cli {
namespace {

using journal::RunInfo;
using journal::RunStatus;

std::string indented(std::string_view text) {
  std::string lines;
  while (true) {
    const std::size_t end = text.find('\n');
    lines += "\n  " + std::string(text.substr(0, end));
    if (end == std::string_view::npos) return lines;
    text.remove_prefix(end + 1);
  }
}

std::string parked(const RunInfo& run) {
  std::string text =
      "It is parked (" + std::string(to_string(run.head.code)) + "):" + indented(run.head.reason);
  if (run.head.code == Code::suspected_crash)
    return text + "\nIt stays so until a runtime is opened with suspected_crashes = run_again.";
  return text + "\nIt is tried again each time its runtime starts.";
}

std::string waiting(std::span<const Unfinished> unfinished,
                    const std::optional<std::string>& holder, journal::Stamp now) {
  std::string text;
  for (const Unfinished& step : unfinished) {
    if (!step.in_backoff()) continue;
    const journal::Stamp due = step.attempts->next_due;
    text += (text.empty() ? "It waits for " : "\nand for ") + step_text(step) + ", whose attempt " +
            std::to_string(step.attempts->count + 1) +
            (due > now ? " is due " + relative(due, now) : " was due " + relative(due, now));
  }
  if (text.empty()) return "It waits, and its journal does not say for what: run `perdure verify`.";
  text += '.';
  if (!holder)
    text += "\nNo process has the journal open: nothing happens until its runtime starts.";
  return text;
}

std::string running(std::span<const Unfinished> unfinished,
                    const std::optional<std::string>& holder) {
  if (!holder)
    return "It is unfinished, and no process has the journal open: it goes on when its runtime "
           "starts.";
  std::string text = "It is unfinished, and " + *holder + " has the journal open to work on it.";
  if (unfinished.empty())
    text +=
        "\nA step's first attempt is in the journal when it has ended, so what runs now is not "
        "seen "
        "here.";
  return text;
}

}  // namespace

std::string step_text(const Unfinished& step) {
  return "step " + path_text(step.path) + " '" + step.name + "'";
}

std::string explain(const RunInfo& run, std::span<const Unfinished> unfinished,
                    const std::optional<std::string>& holder, journal::Stamp now) {
  switch (run.head.status) {
    case RunStatus::queued: return "Its message waits for its time, or for its session to be free.";
    case RunStatus::running: return running(unfinished, holder);
    case RunStatus::waiting: return waiting(unfinished, holder, now);
    case RunStatus::parked: return parked(run);
    case RunStatus::completed: return "It has ended: completed.";
    case RunStatus::failed: return "It has ended: failed.";
    case RunStatus::cancelled: return "It has ended: cancelled.";
  }
  return "";
}

}  // namespace perdure::cli
