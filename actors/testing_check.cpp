#include "actors/testing_check.hpp"

#include "journal/payload_json.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace perdure::actors {
namespace {

using testing::UnknownOutcomes;

using RunKey = std::pair<std::string, std::string>;
RunKey key_of(const RunHistory& run) { return {run.session, run.message_key}; }

/// Two spellings of the same run.
struct Renamed {
  std::string from;
  std::string to;
};

/// Replaces ids of the same length where they stand, in text and in encoded values alike.
void rename(std::span<char> text, const std::vector<Renamed>& names) {
  for (const Renamed& name : names) {
    auto at = text.begin();
    while ((at = std::search(at, text.end(), name.from.begin(), name.from.end())) != text.end())
      at = std::copy(name.to.begin(), name.to.end(), at);
  }
}
Bytes renamed(Bytes bytes, const std::vector<Renamed>& names) {
  rename({reinterpret_cast<char*>(bytes.data()), bytes.size()}, names);
  return bytes;
}
std::string renamed(std::string text, const std::vector<Renamed>& names) {
  rename(text, names);
  return text;
}

std::string shown(const Bytes& payload) {
  if (payload.empty()) return "nothing";
  const Result<std::string> json = journal::payload_to_json(payload);
  return json.has_value() ? json.assume_value() : "bytes that are no payload";
}

std::string ending_of(const RunHistory& run) {
  switch (run.status) {
    case journal::RunStatus::completed: return "replied " + shown(run.reply);
    case journal::RunStatus::failed:
      return "failed with " + (run.error ? run.error->to_string() : std::string("no error"));
    case journal::RunStatus::cancelled:
      return "was cancelled: " + (run.error ? run.error->message : std::string("no error"));
    default: return "has not ended: " + run.standing;
  }
}

bool same_ending(const RunHistory& reference, const RunHistory& crashed,
                 const std::vector<Renamed>& names) {
  const auto ended = [](const RunHistory& run) {
    return run.status >= journal::RunStatus::completed;
  };
  if (!ended(reference) && !ended(crashed))
    return (reference.status == journal::RunStatus::parked) ==
           (crashed.status == journal::RunStatus::parked);
  if (reference.status != crashed.status) return false;
  if (reference.error.has_value() != crashed.error.has_value()) return false;
  if (reference.error) {
    if (reference.error->code != crashed.error->code) return false;
    // Its words are its body's where that heeded the stop, and the runtime's where it never began.
    return reference.status == journal::RunStatus::cancelled ||
           reference.error->message == renamed(crashed.error->message, names);
  }
  return reference.reply == renamed(crashed.reply, names);
}

std::string step_text(const testing::StepRun& step) {
  return "step " + step.id + " '" + step.name + "' of " + step.session;
}

bool may_run_again(const testing::StepRun& step) {
  return step.error && step.error->known_effect() == ErrorEffect::refused;
}

class Comparison {
 public:
  Comparison(const ScenarioHistory& reference, const ScenarioHistory& crashed,
             UnknownOutcomes unknown)
      : reference_(reference), crashed_(crashed), unknown_(unknown) {
    for (const RunHistory& run : reference.runs) by_key_.emplace(key_of(run), &run);
    for (const RunHistory& run : crashed.runs)
      if (const auto found = by_key_.find(key_of(run)); found != by_key_.end())
        names_.push_back({to_string(run.id), to_string(found->second->id)});
  }

  std::vector<std::string> run() {
    events();
    steps();
    runs();
    outcome();
    return std::move(findings_);
  }

 private:
  /// Words that tell of the present ids would differ from crash to crash.
  void found(std::string what) {
    what = renamed(std::move(what), names_);
    if (std::ranges::find(findings_, what) == findings_.end()) findings_.push_back(std::move(what));
  }
  [[nodiscard]] std::string label(const RunId& id) const {
    for (const RunHistory& run : crashed_.runs)
      if (run.id == id) return "the run of " + run.session;
    return "run " + to_string(id);
  }

  void events() {
    for (const Event& event : crashed_.events) {
      const bool expected = std::ranges::any_of(reference_.events, [&](const Event& each) {
        return each.kind == event.kind && each.error.code == event.error.code;
      });
      if (expected) continue;
      const std::string who = event.run ? label(*event.run) : std::string("the runtime");
      found(std::string(to_string(event.kind)) + ": " + who + ": " + event.error.message);
    }
  }

  void steps() {
    std::map<std::pair<RunId, std::string>, const testing::StepRun*> at_most_once;
    for (const StepHistory& each : crashed_.steps) {
      const testing::StepRun& step = each.step;
      if (each.repeated) found(step_text(step) + " ran again although its result was recorded");
      if (step.effect != Effect::at_most_once) continue;
      const testing::StepRun*& before = at_most_once[{step.run, step.id}];
      if (before != nullptr && !may_run_again(*before))
        found(step_text(step) + " may run at most once and ran twice");
      before = &step;
    }
  }

  void runs() {
    std::set<RunKey> seen;
    for (const RunHistory& run : crashed_.runs) {
      seen.insert(key_of(run));
      const auto reference = by_key_.find(key_of(run));
      if (reference == by_key_.end()) {
        found("the run of " + run.session + " exists only after a crash");
        continue;
      }
      if (excused(run) && run.status >= journal::RunStatus::completed) continue;
      if (!same_ending(*reference->second, run, names_))
        found("the run of " + run.session + " " + ending_of(run) + "; without crashes it " +
              ending_of(*reference->second));
    }
    for (const RunHistory& run : reference_.runs)
      if (!seen.contains(key_of(run)))
        found("the run of " + run.session + " does not exist after a crash");
  }

  [[nodiscard]] bool excused(const RunHistory& run) const {
    return unknown_ == UnknownOutcomes::may_change_replies && !run.unknown.empty();
  }

  void outcome() {
    const bool some_excused =
        std::ranges::any_of(crashed_.runs, [this](const RunHistory& run) { return excused(run); });
    if (crashed_.outcome.has_error()) {
      const Error& error = crashed_.outcome.assume_error();
      if (some_excused && error.code == Code::outcome_unknown) return;
      found("the scenario fails: " + error.to_string());
      return;
    }
    if (some_excused || reference_.outcome.has_error()) return;
    if (renamed(crashed_.outcome.assume_value(), names_) != reference_.outcome.assume_value())
      found("the scenario gives " + shown(crashed_.outcome.assume_value()) +
            "; without crashes it gives " + shown(reference_.outcome.assume_value()));
  }

  const ScenarioHistory& reference_;
  const ScenarioHistory& crashed_;
  UnknownOutcomes unknown_;
  std::map<RunKey, const RunHistory*> by_key_;
  std::vector<Renamed> names_;
  std::vector<std::string> findings_;
};

}  // namespace

std::vector<std::string> compare_histories(const ScenarioHistory& reference,
                                           const ScenarioHistory& crashed,
                                           UnknownOutcomes unknown) {
  return Comparison(reference, crashed, unknown).run();
}

}  // namespace perdure::actors
