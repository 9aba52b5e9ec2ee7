/// One sentence why a run is not moving.
#include "actors/engine.hpp"

#include <future>

namespace perdure::actors {
namespace {

/// A commit that takes as long as this is worth telling.
constexpr std::chrono::milliseconds kSlowCommit{1000};

std::string step_text(const journal::StepPath& path, std::string_view name) {
  return "step " + path.to_string() + " '" + std::string(name) + "'";
}

std::string seconds_until(journal::Stamp due, journal::Stamp now) {
  const journal::Stamp left = std::max<journal::Stamp>(due - now, 0);
  return std::to_string(left / 1'000'000) + "." + std::to_string(left / 100'000 % 10) + " s";
}

/// Of a step that waits for its next attempt.
std::string backoff_text(const journal::Attempts& attempts, journal::Stamp now) {
  return "waits " + seconds_until(attempts.next_due, now) + " for attempt " +
         std::to_string(attempts.count + 1) + ", the last one failed with " +
         (attempts.last_error ? attempts.last_error->to_string() : "nothing recorded");
}

std::string wait_text(const journal::Wait& wait, journal::Stamp now) {
  std::string text;
  switch (wait.kind) {
    case journal::StepKind::sleep: return "sleeps for another " + seconds_until(wait.due, now);
    case journal::StepKind::receive: text = "waits for the signal '" + wait.name + "'"; break;
    case journal::StepKind::call:
      text = "waits for the reply of '" + wait.name + "'";
      if (wait.run) text += ", run " + to_string(*wait.run);
      break;
    case journal::StepKind::join:
      text = "waits for the end of its child '" + wait.name + "'";
      if (wait.run) text += ", run " + to_string(*wait.run);
      break;
    case journal::StepKind::compensate:
      return "waits until its saga is undone ('" + wait.name + "'): see `perdure sagas`";
    case journal::StepKind::step:
    case journal::StepKind::commit:
    case journal::StepKind::send:
    case journal::StepKind::spawn: return "waits";
  }
  if (wait.due != 0) text += ", for another " + seconds_until(wait.due, now) + " at most";
  return text;
}

std::string child_text(const journal::Child& child) {
  return "its handler has ended, and it waits for its child, run " + to_string(child.run) + " of " +
         child.agent + "/" + child.session_key;
}

bool is_waited_for(const journal::Child& child) {
  return !child.ended && child.parent_end == journal::ParentEnd::wait;
}

}  // namespace

std::string RunCore::explain() const {
  using Phase = journal::Pending::Phase;
  if (machine_.state() == journal::MachineState::closed &&
      head_.status == journal::RunStatus::parked)
    return "it is parked (" + std::string(to_string(head_.code)) +
           ") and its last bodies are returning";
  const journal::Stamp now = clock_.wall().time_since_epoch().count();
  std::string text;
  if (waits_for_children())
    for (const auto& [hash, child] : children_)
      if (is_waited_for(child.row)) return child_text(child.row);
  for (const journal::Pending* const pending : machine_.pending()) {
    if (!text.empty()) text += "; ";
    text += step_text(pending->what.path, pending->what.name);
    if (pending->phase() == Phase::active && pending->stop_requested) {
      text += " was asked to stop and its body has not returned";
    } else if (pending->phase() == Phase::active && pending->asked) {
      text += " asks what became of its attempt " + std::to_string(pending->attempt);
    } else if (pending->phase() == Phase::active) {
      text +=
          " runs its attempt " + std::to_string(pending->attempt) + " or waits for a step thread";
    } else if (const auto found = attempts_.find(pending->what.path.hash());
               pending->phase() == Phase::backoff && found != attempts_.end()) {
      text += " " + backoff_text(found->second, now);
    } else if (const auto wait = waits_.find(pending->what.path.hash());
               pending->phase() == Phase::waiting && wait != waits_.end()) {
      text += " " + wait_text(wait->second, now);
    } else {
      text += " is about to begin";
    }
  }
  return text.empty() ? "its handler runs between two steps" : text;
}

Result<std::string> Engine::explain_stored(journal::Reader& reader, const journal::RunInfo& info) {
  switch (info.head.status) {
    case journal::RunStatus::completed: return std::string("it has ended: completed");
    case journal::RunStatus::failed: return std::string("it has ended: failed");
    case journal::RunStatus::cancelled: return std::string("it has ended: cancelled");
    case journal::RunStatus::parked:
      return "it is parked (" + std::string(to_string(info.head.code)) + "): " + info.head.reason;
    case journal::RunStatus::waiting: {
      PERDURE_TRY(const std::vector<journal::Attempts> attempts, reader.attempts(info.id));
      const journal::Stamp now = seams_.clock->wall().time_since_epoch().count();
      for (const journal::Attempts& each : attempts)
        if (each.next_due != 0)
          return step_text(journal::StepPath(each.path), each.name) + " " + backoff_text(each, now);
      PERDURE_TRY(const std::vector<journal::Wait> waits, reader.waits(info.id));
      std::string text;
      for (const journal::Wait& each : waits)
        text += (text.empty() ? "" : "; ") + step_text(journal::StepPath(each.path), each.name) +
                " " + wait_text(each, now);
      if (!text.empty()) return text;
      PERDURE_TRY(const std::vector<journal::Child> children, reader.children(info.id));
      for (const journal::Child& child : children)
        if (is_waited_for(child)) return child_text(child);
      return std::string("it waits, and its journal does not say for what: run `perdure verify`");
    }
    case journal::RunStatus::queued: {
      PERDURE_TRY(const std::optional<RunId> open, reader.open_run(info.session));
      if (open)
        return "its message waits for its turn: the session handles run " + to_string(*open);
      return std::string("its message waits for its time");
    }
    case journal::RunStatus::running: break;
  }
  if (state_ == State::opened) return std::string("the runtime was not started: call start()");
  return std::string("it is unfinished and about to be resumed");
}

/// What the run's session says, while it has it in memory.
std::optional<std::string> Engine::explain_loaded(const journal::RunInfo& info) {
  const std::shared_ptr<SessionShell> shell = directory_.find(info.session);
  if (!shell) return std::nullopt;
  const auto promise = std::make_shared<std::promise<std::optional<std::string>>>();
  std::future<std::optional<std::string>> answer = promise->get_future();
  SessionInput input = ExplainOrder{
      info.id, [promise](std::optional<std::string> text) { promise->set_value(std::move(text)); }};
  if (!shell->post(input, RunOn::scheduler)) return std::nullopt;
  if (!take_turns([&] { return is_ready(answer); })) return std::nullopt;
  return answer.get();
}

Result<std::string> Engine::explain_unloaded(const RunId& run) {
  PERDURE_TRY(journal::Reader reader, journal::Reader::open(seams_.journal->store()));
  PERDURE_TRY(const std::optional<journal::RunInfo> info, reader.run(run));
  if (!info) return Error{Code::not_found, "the journal has no run " + to_string(run)};
  return explain_stored(reader, *info);
}

Result<std::string> Engine::explain(const RunId& run) {
  PERDURE_TRY(journal::Reader reader, journal::Reader::open(seams_.journal->store()));
  PERDURE_TRY(const std::optional<journal::RunInfo> info, reader.run(run));
  if (!info) return Error{Code::not_found, "the journal has no run " + to_string(run)};
  if (const std::optional<Error> failure = watchers_.failure())
    return "the runtime does not work any more: " + failure->message;
  if (info->head.status >= journal::RunStatus::completed) return explain_stored(reader, *info);
  std::optional<std::string> text;
  if (info->head.status < journal::RunStatus::parked) text = explain_loaded(*info);
  if (!text) {
    // What was loaded a moment ago may have gone meanwhile: the journal is read as it is now.
    PERDURE_TRY(std::string stored, explain_unloaded(run));
    text = std::move(stored);
  }
  if (const std::optional<std::string> pinned = seams_.journal->store().pinned_by())
    text = *pinned + "; " + *text;
  if (const std::optional<Error> full = writer_->full())
    return "the disk is full, so nothing new begins (" + full->message + "); " + *text;
  if (const auto committing = writer_->committing_for(); committing >= kSlowCommit)
    return "the disk is slow: a commit has been under way for " +
           std::to_string(committing->count() / 1000) +
           " s, and nothing new begins before it ends; " + *text;
  return *std::move(text);
}

}  // namespace perdure::actors
