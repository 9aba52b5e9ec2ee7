#include "tests/crash/checker.hpp"

#include "tests/crash/session_checker.hpp"

#include <algorithm>
#include <array>

namespace perdure::crash {
namespace {

using StepId = std::pair<std::string, std::string>;  ///< Run and step.

/// Runs of one step's body, in their order over all lives.
struct BodyRuns {
  std::vector<const Effect*> effects;
  std::vector<std::size_t> lives;  ///< In which life each was.
};

class Judge {
 public:
  Judge(const History& history, const JournalFacts& journal, const std::vector<Recorded>& before,
        Ahead ahead)
      : history_(history), journal_(journal), before_(before), ahead_(ahead) {
    for (std::size_t life = 0; life < history.size(); ++life) {
      for (const Effect& effect : history[life].effects) {
        BodyRuns& runs = bodies_[{effect.run, effect.step}];
        runs.effects.push_back(&effect);
        runs.lives.push_back(life);
      }
    }
  }

  std::vector<std::string> all(Ended ended) {
    for (const std::string& finding : journal_.findings) found(1, finding);
    for (std::size_t life = 0; life < history_.size(); ++life) judge_life(life);
    for (const auto& [id, runs] : bodies_) judge_step(id, runs);
    for (const auto& [id, run] : journal_.runs) judge_run(id, run);
    if (ended == Ended::all_of_it)
      for (const Life& life : history_)
        for (const Started& started : life.started) judge_ended(started);
    return std::move(findings_);
  }

 private:
  void found(int promise, const std::string& what) {
    findings_.push_back("promise " + std::to_string(promise) + ": " + what);
  }
  static std::string name_of(const StepId& id) {
    return "step " + id.second + " of run " + id.first;
  }
  [[nodiscard]] const RecordedRun* run_of(const std::string& id) const {
    const auto found = journal_.runs.find(id);
    return found == journal_.runs.end() ? nullptr : &found->second;
  }
  [[nodiscard]] const RecordedResult* result_of(const StepId& id) const {
    const RecordedRun* const run = run_of(id.first);
    if (run == nullptr) return nullptr;
    const auto found = run->results.find(id.second);
    return found == run->results.end() ? nullptr : &found->second;
  }

  /// By a cancel of its run, or by its deadline, before its body ran again.
  [[nodiscard]] bool is_stopped(const std::string& run, const RecordedResult& result) const {
    return run_of(run)->cancelled != 0 &&
           (result.code == "cancelled" ||
            result.text.starts_with("!timeout: the run was cancelled"));
  }
  /// Whether it is known again although what was recorded meanwhile may be lost.
  [[nodiscard]] bool stays(const Source& source) const {
    return source.first.starts_with('~') && (ahead_ == Ahead::nothing || source.first == "~order" ||
                                             source.first == "~random" || source.first == "~uuid");
  }

  void judge_life(std::size_t index);
  void judge_started(const Started& started);
  void judge_reply(const Replied& replied);
  void judge_step(const StepId& id, const BodyRuns& runs);
  void judge_attempts(const StepId& id, const BodyRuns& runs);
  void judge_at_most_once(const StepId& id, const BodyRuns& runs);
  void judge_result(const StepId& id, const BodyRuns& runs, const RecordedResult& result);
  void judge_sources(const std::string& what, const std::string& run, const Sources& sources);
  void judge_budget(const std::string& id, const RecordedRun& run);
  void judge_run(const std::string& id, const RecordedRun& run);
  void judge_ended(const Started& started);

  const History& history_;
  const JournalFacts& journal_;
  const std::vector<Recorded>& before_;
  const Ahead ahead_;
  std::map<StepId, BodyRuns> bodies_;
  std::map<std::pair<std::string, std::string>, std::string> run_of_message_;
  std::vector<std::string> findings_;
};

void Judge::judge_life(std::size_t index) {
  const Life& life = history_[index];
  for (const Started& started : life.started) judge_started(started);
  for (const Replied& replied : life.replies) judge_reply(replied);
  for (const std::string& trouble : life.troubles)
    found(13, "life " + life.label + " had trouble: " + trouble);
  for (const Parked& parked : life.parked)
    if (parked.code != "suspected_crash" || index < 3)
      found(13, "run " + parked.run + " was parked in life " + life.label + ": " + parked.code +
                    ": " + parked.message);
  if (index >= before_.size()) return;
  for (const Effect& effect : life.effects) {
    const auto run = before_[index].find(effect.run);
    if (run != before_[index].end() && run->second.contains(effect.step))
      found(4, name_of({effect.run, effect.step}) + " was recorded before life " + life.label +
                   " began, and ran in it");
  }
}

void Judge::judge_started(const Started& started) {
  const RecordedRun* const run = run_of(started.run);
  // What an operator queued is a message until its session looks at it.
  const bool waits =
      std::ranges::find(journal_.waiting, started.run, &Waiting::run) != journal_.waiting.end();
  if (run == nullptr && !waits) {
    found(2, "the acknowledged run " + started.run + " is not in the journal");
  } else if (run != nullptr && (run->agent != started.agent || run->session != started.session ||
                                run->order != started.order)) {
    found(2, "the acknowledged run " + started.run + " of " + started.agent + "/" +
                 started.session + " stands in the journal as one of " + run->agent + "/" +
                 run->session + " with the order '" + run->order + "'");
  }
  if (started.key.empty()) return;
  const auto [known, is_new] = run_of_message_.try_emplace(
      {started.agent + "/" + started.session, started.key}, started.run);
  if (!is_new && known->second != started.run)
    found(3, "the message '" + started.key + "' of session " + started.agent + "/" +
                 started.session + " was given run " + known->second + " and run " + started.run);
}

void Judge::judge_reply(const Replied& replied) {
  const RecordedRun* const run = run_of(replied.run);
  if (run == nullptr || !run->reply) {
    found(12, "the reply of run " + replied.run + " was given out, and its end is not recorded");
  } else if (*run->reply != replied.text) {
    found(12, "the reply of run " + replied.run + " was '" + replied.text +
                  "', and is recorded as '" + *run->reply + "'");
  }
}

void Judge::judge_step(const StepId& id, const BodyRuns& runs) {
  const RecordedResult* const result = result_of(id);
  for (const Effect* effect : runs.effects) {
    if (ahead_ == Ahead::an_interval && effect->effect_class != "at_most_once") continue;
    judge_sources(name_of(id), id.first, effect->inputs);
    if (run_of(id.first) == nullptr)
      found(6, name_of(id) + " ran, and the run is not in the journal");
  }
  const std::string key_begin = id.first + "/" + id.second + "/";
  const std::string& key = runs.effects.front()->key;
  if (!key.starts_with(key_begin) || key.size() == key_begin.size())
    found(7, name_of(id) + " has the key " + key);
  for (const Effect* effect : runs.effects)
    if (effect->key != key) found(7, name_of(id) + " had the keys " + key + " and " + effect->key);
  judge_attempts(id, runs);
  if (runs.effects.front()->effect_class == "at_most_once") judge_at_most_once(id, runs);
  if (result != nullptr) judge_result(id, runs, *result);
}

void Judge::judge_attempts(const StepId& id, const BodyRuns& runs) {
  for (std::size_t i = 1; i < runs.effects.size(); ++i) {
    const Effect& one = *runs.effects[i - 1];
    const Effect& next = *runs.effects[i];
    const bool other_life = runs.lives[i - 1] != runs.lives[i];
    const bool stopped = other_life && history_[runs.lives[i - 1]].stopped;
    const int least = stopped && one.will == Will::fail ? one.attempt : one.attempt + 1;
    if (next.attempt < least && ahead_ == Ahead::nothing)
      found(8, name_of(id) + " ran as attempt " + std::to_string(one.attempt) + " and then as " +
                   std::to_string(next.attempt));
    // A body that was not cut off by a crash, and succeeds, is the step's result.
    if (one.will == Will::succeed && (stopped || !other_life))
      found(5, name_of(id) + " ran again in life " + history_[runs.lives[i]].label +
                   " after it had succeeded");
    for (const Source& source : one.inputs)
      if (stays(source) && std::ranges::find(next.inputs, source) == next.inputs.end())
        found(11, name_of(id) + " saw " + source.first + "=" + source.second +
                      ", and then something else");
  }
}

void Judge::judge_at_most_once(const StepId& id, const BodyRuns& runs) {
  for (std::size_t i = 0; i < runs.effects.size(); ++i) {
    const Effect& effect = *runs.effects[i];
    if (i + 1 < runs.effects.size() && effect.will != Will::refuse)
      found(9, name_of(id) + " may run at most once, and ran again after attempt " +
                   std::to_string(effect.attempt));
    const RecordedRun* const run = run_of(id.first);
    if (run == nullptr) continue;
    const auto starts = run->starts.find(id.second);
    if (starts == run->starts.end() ||
        std::ranges::find(starts->second, effect.attempt) == starts->second.end())
      found(9, name_of(id) + " ran its attempt " + std::to_string(effect.attempt) +
                   ", and no start of it is recorded");
  }
}

void Judge::judge_result(const StepId& id, const BodyRuns& runs, const RecordedResult& result) {
  const Effect& last = *runs.effects.back();
  if (result.failed && result.code == "outcome_unknown") return;  // judge_run looks at it.
  // It was to run again, and was asked to stop first.
  if (is_stopped(id.first, result)) return;
  const bool is_timeout = result.failed && result.code == "timeout" && last.will == Will::fail;
  const std::string expected = result.failed ? "!user: " + last.nonce : last.nonce;
  if (!is_timeout && result.text != expected)
    found(5, name_of(id) + " is recorded with '" + result.text +
                 "', and its body was about to give '" + expected + "' when it last ran");
  if ((last.will == Will::succeed) == result.failed)
    found(5, name_of(id) + " is recorded as " + (result.failed ? "failed" : "done") +
                 ", and its body was about to " + std::string(to_string(last.will)));
  if (result.attempts != last.attempt)
    found(5, name_of(id) + " is recorded with " + std::to_string(result.attempts) +
                 " attempts, and its body last ran as attempt " + std::to_string(last.attempt));
}

/// Results that something was made of: each is recorded, as it was seen.
void Judge::judge_sources(const std::string& what, const std::string& run, const Sources& sources) {
  for (const auto& [source, text] : sources) {
    const RecordedRun* const recorded = run_of(run);
    if (source == "~order" && recorded != nullptr && recorded->order != text)
      found(6, what + " saw the order '" + text + "', recorded is '" + recorded->order + "'");
    if (source.starts_with('~')) continue;
    const RecordedResult* const result = result_of({run, source});
    if (result == nullptr) {
      found(6, what + " was made of the result of step " + source + ", which is not recorded");
    } else if (result->text != text) {
      found(6, what + " was made of '" + text + "' from step " + source + ", recorded is '" +
                   result->text + "'");
    }
  }
}

/// Each attempt of a run with a budget used one token.
void Judge::judge_budget(const std::string& id, const RecordedRun& run) {
  if (!run.tokens || ahead_ != Ahead::nothing) return;
  std::int64_t attempts = 0;
  for (const Life& life : history_) attempts += std::ranges::count(life.effects, id, &Effect::run);
  if (attempts > *run.tokens)
    found(24, std::to_string(attempts) + " attempts of run " + id + " used a token each, and " +
                  std::to_string(*run.tokens) + " are counted");
}

void Judge::judge_run(const std::string& id, const RecordedRun& run) {
  judge_budget(id, run);
  for (const auto& [step, result] : run.results) {
    if (result.kind != "step") continue;
    const auto runs = bodies_.find({id, step});
    const bool ran = runs != bodies_.end();
    if (!result.failed || result.code != "outcome_unknown") {
      if (!ran && !is_stopped(id, result))
        found(5, name_of({id, step}) + " has a result, and its body never ran");
      continue;
    }
    if (history_.size() < 2)
      found(10, name_of({id, step}) + " has an unknown outcome, and no process ended before it");
    if (!run.starts.contains(step))
      found(10, name_of({id, step}) + " has an unknown outcome, and no start of it is recorded");
    if (ran && runs->second.lives.back() + 1 == history_.size())
      found(10, name_of({id, step}) +
                    " has an unknown outcome, and no process ended since its body ran");
  }
  if (!run.reply || run.reply->starts_with('!')) return;
  judge_sources("the reply of run " + id, id, sources_of(*run.reply));
}

void Judge::judge_ended(const Started& started) {
  const RecordedRun* const run = run_of(started.run);
  if (run == nullptr || !run->reply)
    found(14, "run " + started.run + " is " + (run == nullptr ? "not there" : run->status) +
                  ", and all was said to be done");
}

}  // namespace

Recorded recorded_steps(const JournalFacts& journal) {
  Recorded steps;
  for (const auto& [id, run] : journal.runs)
    for (const auto& [step, result] : run.results) steps[id].insert(step);
  return steps;
}

std::vector<std::string> judge(const History& history, const JournalFacts& journal,
                               const std::vector<Recorded>& before, Ended ended, Ahead ahead) {
  std::vector<std::string> findings = Judge(history, journal, before, ahead).all(ended);
  for (std::string& finding : judge_sessions(history, journal, ended, ahead))
    findings.push_back(std::move(finding));
  return findings;
}

}  // namespace perdure::crash
