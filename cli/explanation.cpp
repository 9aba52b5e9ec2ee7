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

/// `2026-07-30T14:03:11+02:00 (in 45.0s)`.
std::string when(journal::Stamp stamp, const Screen& screen) {
  return iso_time(stamp, screen.zone) + " (" + relative(stamp, screen.now) + ")";
}

/// The saga that a step waits for which is called so: its name stands behind what is done.
const SagaFacts* undone_by(const std::vector<SagaFacts>& sagas, std::string_view step) {
  for (const SagaFacts& saga : sagas) {
    if (saga.is_over()) continue;
    for (const char* const verb : {"undo ", "compensate ", "back to "})
      if (step == verb + saga.saga.name) return &saga;
  }
  return nullptr;
}

std::string undoing_text(const Unfinished& step, const Standing& standing) {
  const SagaFacts* const saga = undone_by(standing.sagas, step.name);
  if (saga == nullptr) return "waits until what it has to undo is undone, in " + step_text(step);
  std::string text = "waits until saga " + saga->id() + " '" + saga->saga.name + "' is undone";
  if (step.name.starts_with("back to"))
    text += " to its save-point";
  else if (const std::string owed = owed_text(*saga); !owed.empty())
    text += " (" + owed + ")";
  return text + ", in step " + path_text(step.path);
}

/// What one step waits for, as what follows "it"; empty where it waits for nothing.
std::string wait_text(const Unfinished& step, const Standing& standing, const Screen& screen) {
  if (step.in_backoff()) {
    const journal::Stamp due = step.attempts->next_due;
    return "waits for " + step_text(step) + ", whose attempt " +
           std::to_string(step.attempts->count + 1) +
           (due > screen.now ? " is due " : " was due ") + relative(due, screen.now);
  }
  if (!step.wait) return "";
  const journal::Wait& wait = *step.wait;
  const std::string until = wait.due == 0 ? "" : " until " + when(wait.due, screen);
  switch (wait.kind) {
    case journal::StepKind::sleep: return "sleeps" + until + ", in step " + path_text(step.path);
    case journal::StepKind::receive:
      return "waits for the signal '" + wait.name + "'" + until + ", in step " +
             path_text(step.path);
    case journal::StepKind::call:
      return "waits for the reply of run " + (wait.run ? to_string(*wait.run) : "?") + ", which " +
             step_text(step) + " called";
    case journal::StepKind::join:
      return "waits for the end of its child, run " + (wait.run ? to_string(*wait.run) : "?") +
             ", in " + step_text(step);
    case journal::StepKind::compensate: return undoing_text(step, standing);
    case journal::StepKind::step:
    case journal::StepKind::commit:
    case journal::StepKind::send:
    case journal::StepKind::spawn: break;
  }
  return "";
}

/// How many children a sentence names.
constexpr std::size_t kNamedChildren = 8;

std::string run_text(const journal::Child& child) {
  return "run " + to_string(child.run) + " of " + child.agent + "/" + child.session_key;
}

/// Empty: it waits for no child. Where it waits for a step too, its handler has not ended.
std::string children_text(const Standing& standing) {
  std::string text;
  std::size_t count = 0;
  for (const journal::Child& child : standing.children) {
    if (child.ended || child.parent_end != journal::ParentEnd::wait) continue;
    if (++count > kNamedChildren) continue;
    text += (text.empty() ? "Its handler has ended, and it waits for its child, " : ",\nand for ") +
            run_text(child);
  }
  if (count > kNamedChildren)
    text += ",\nand for " + std::to_string(count - kNamedChildren) + " more";
  return text;
}

std::string waiting(const Standing& standing, const std::optional<std::string>& holder,
                    const Screen& screen) {
  std::string text;
  for (const Unfinished& step : standing.unfinished) {
    const std::string waits = wait_text(step, standing, screen);
    if (waits.empty()) continue;
    text += (text.empty() ? "It " : ",\nand ") + waits;
  }
  if (text.empty()) text = children_text(standing);
  if (text.empty()) return "It waits, and its journal does not say for what: run `perdure verify`.";
  text += '.';
  if (!holder)
    text += "\nNo process has the journal open: nothing happens until its runtime starts.";
  return text;
}

std::string queued(const Queued& queued, const std::optional<std::string>& holder,
                   const Screen& screen) {
  std::string text;
  if (queued.due > screen.now) {
    text = "Its message is not handled before " + when(queued.due, screen) + ".";
  } else if (queued.behind) {
    text = "Its message is queued behind run " + to_string(*queued.behind);
    if (queued.ahead != 0)
      text += " and " + counted(queued.ahead, "message") + " that came earlier";
    text += '.';
  } else {
    text = "The time of its message has come: it is handled next.";
  }
  if (!holder)
    text += "\nNo process has the journal open: nothing happens until its runtime starts.";
  return text;
}

/// Who wants the run to end, as a line in front of why it has not.
std::string cancelled(const CancelFacts& cancel, const Screen& screen) {
  std::string text = "It was asked to end (" + std::string(to_string(cancel.code)) + ") " +
                     relative(cancel.stamp, screen.now);
  if (!cancel.who.empty()) text += " by " + cancel.who;
  if (!cancel.why.empty()) text += ": " + cancel.why;
  return text + "\nIts handler may tidy up until " +
         when(cancel.stamp + cancel.grace_ms * 1000, screen) + ".\n";
}

std::string running(const Standing& standing, const std::optional<std::string>& holder) {
  if (!holder)
    return "It is unfinished, and no process has the journal open: it goes on when its runtime "
           "starts.";
  std::string text = "It is unfinished, and " + *holder + " has the journal open to work on it.";
  if (standing.unfinished.empty())
    text +=
        "\nA step's first attempt is in the journal when it has ended, so what runs now is not "
        "seen "
        "here.";
  return text;
}

}  // namespace

std::string child_text(const journal::Child& child) {
  std::string text = "child of step " + path_text(child.path) + ": ";
  if (child.error) return text + "its message was refused: " + child.error->to_string();
  text += run_text(child);
  if (child.ended) return text + ", has ended";
  switch (child.parent_end) {
    case journal::ParentEnd::wait: return text + ", which this run does not end without";
    case journal::ParentEnd::cancel: return text + ", which is cancelled if this run ends first";
    case journal::ParentEnd::abandon: return text + ", which goes on if this run ends first";
  }
  return text;
}

std::string saga_text(const SagaFacts& saga) {
  std::string text = "saga " + saga.id() + " '" + saga.saga.name + "': " + state_text(saga);
  if (const std::string owed = owed_text(saga); !owed.empty()) text += ", " + owed;
  return text;
}

std::string step_text(const Unfinished& step) {
  return "step " + path_text(step.path) + " '" + step.name + "'";
}

std::string explain(const RunInfo& run, const Standing& standing,
                    const std::optional<std::string>& holder, const Screen& screen) {
  const std::string asked = standing.cancel ? cancelled(*standing.cancel, screen) : "";
  switch (run.head.status) {
    case RunStatus::queued: return queued(standing.queued.value_or(Queued{}), holder, screen);
    case RunStatus::running: return asked + running(standing, holder);
    case RunStatus::waiting: return asked + waiting(standing, holder, screen);
    case RunStatus::parked: return asked + parked(run);
    case RunStatus::completed: return "It has ended: completed.";
    case RunStatus::failed: return "It has ended: failed.";
    case RunStatus::cancelled: return "It has ended: cancelled.";
  }
  return "";
}

}  // namespace perdure::cli
