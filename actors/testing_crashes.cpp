/// The crash driver: the scenario, once for each place at which the process can die.
#include <perdure/testing_crashes.hpp>

#include "actors/testing_check.hpp"
#include "actors/testing_core.hpp"
#include "journal/reader.hpp"

#include <algorithm>
#include <exception>

namespace perdure {
inline namespace v0 {
namespace testing::detail {
namespace {

using actors::RunHistory;
using actors::ScenarioHistory;
using actors::TestingEngine;

TestingEngine& engine_of(Runtime& test) { return static_cast<TestingEngine&>(test.core()); }

Result<Bytes> outcome_of(const Scenario& scenario, Runtime& test) {
  try {
    PERDURE_TRY(Bytes outcome, scenario(test));
    // What goes on behind the scenario's back is part of it.
    PERDURE_TRY(test.core().run_until_idle());
    return outcome;
  } catch (const Exception& thrown) {
    return thrown.error();
  } catch (const std::exception& thrown) {
    return Error{Code::exception, std::string("the scenario threw: ") + thrown.what()};
  }
}

Result<RunHistory> history_of(journal::Reader& reader, TestingEngine& engine,
                              const journal::RunInfo& info) {
  RunHistory run;
  run.session = info.agent + "/" + info.session_key;
  run.id = info.id;
  run.status = info.head.status;
  if (run.status == journal::RunStatus::queued) {
    // It has no records yet, and its message still waits.
    PERDURE_TRY(const auto kept, reader.arrivals(journal::Table::kept, info.session));
    for (const journal::Arrival& message : kept)
      if (message.run == info.id) run.message_key = message.message_key;
    PERDURE_TRY(run.standing, engine.explain(info.id));
    return run;
  }
  PERDURE_TRY(journal::RecordStream records, reader.records(info.id));
  for (;;) {
    PERDURE_TRY(const journal::RecordBuffer* record, records.next());
    if (record == nullptr) break;
    if (record->kind() == journal::Kind::run_created) {
      PERDURE_TRY(const journal::RunCreated created, record->as<journal::RunCreated>());
      run.message_key = created.message_key;
    } else if (record->kind() == journal::Kind::step_result) {
      PERDURE_TRY(const journal::StepResult result, record->as<journal::StepResult>());
      if (result.error && result.error->code == Code::outcome_unknown)
        run.unknown.emplace_back(result.name);
    } else if (record->kind() == journal::Kind::run_ended) {
      PERDURE_TRY(const journal::RunEnded ended, record->as<journal::RunEnded>());
      if (ended.error) run.error = journal::to_error(*ended.error);
      PERDURE_TRY(run.reply, reader.copy_of(ended.payload));
    }
  }
  if (run.status < journal::RunStatus::completed) {
    PERDURE_TRY(run.standing, engine.explain(info.id));
  }
  return run;
}

Result<std::vector<RunHistory>> runs_of(TestingEngine& engine) {
  PERDURE_TRY(journal::Reader reader, journal::Reader::open(engine.store()));
  std::vector<RunHistory> runs;
  Result<void> read = success();
  PERDURE_TRY(journal::Reader other, journal::Reader::open(engine.store()));
  PERDURE_TRY(reader.each_run([&](const journal::RunInfo& info) {
    Result<RunHistory> run = history_of(other, engine, info);
    if (run.has_error()) {
      read = run.error();
      return false;
    }
    runs.push_back(std::move(run).assume_value());
    return true;
  }));
  PERDURE_TRY(read);
  return runs;
}

ScenarioHistory history_of(const Scenario& scenario, Runtime& test) {
  ScenarioHistory history;
  history.outcome = outcome_of(scenario, test);
  TestingEngine& engine = engine_of(test);
  Result<std::vector<RunHistory>> runs = runs_of(engine);
  if (runs.has_value()) {
    history.runs = std::move(runs).assume_value();
  } else if (history.outcome.has_value()) {
    history.outcome = runs.assume_error();
  }
  history.events = engine.events();
  for (std::size_t i = 0; i < engine.steps().size(); ++i)
    history.steps.push_back({engine.steps()[i], engine.repeated().contains(i)});
  return history;
}

std::string text_of(const journal::RecordBuffer& record) {
  if (record.kind() == journal::Kind::step_result) {
    const Result<journal::StepResult> result = record.as<journal::StepResult>();
    if (result.has_value())
      return "the result of step " + journal::StepPath(result.assume_value().path).to_string() +
             " '" + std::string(result.assume_value().name) + "'";
  }
  if (record.kind() == journal::Kind::step_started) {
    const Result<journal::StepStarted> started = record.as<journal::StepStarted>();
    if (started.has_value())
      return "the start of step " + journal::StepPath(started.assume_value().path).to_string() +
             " '" + std::string(started.assume_value().name) + "'";
  }
  if (record.kind() == journal::Kind::run_created) return "the creation of a run";
  if (record.kind() == journal::Kind::run_ended) return "the end of a run";
  return std::string(to_string(record.kind()));
}

/// What each commit of a scenario holds, in words.
std::vector<std::string> commits_of(TestingEngine& engine) {
  std::vector<std::string> texts;
  Result<journal::Reader> reader = journal::Reader::open(engine.store());
  for (const actors::MortalStore::Records& records : engine.store().records()) {
    std::string text;
    for (const auto& [run, index] : records) {
      if (reader.has_error()) break;
      Result<journal::RecordStream> stream = reader.assume_value().records(run, index);
      if (stream.has_error()) continue;
      const Result<const journal::RecordBuffer*> record = stream.assume_value().next();
      const Result<std::optional<journal::RunInfo>> info = reader.assume_value().run(run);
      if (record.has_error() || record.assume_value() == nullptr || info.has_error()) continue;
      text += (text.empty() ? "" : ", ") + text_of(*record.assume_value());
      if (info.assume_value())
        text += " of " + info.assume_value()->agent + "/" + info.assume_value()->session_key;
    }
    texts.push_back(text.empty() ? "nothing but bookkeeping" : text);
  }
  return texts;
}

void add_findings(CrashReport& report, const std::vector<std::string>& found,
                  const CrashPlace& place) {
  for (const std::string& what : found) {
    const auto known = std::ranges::find(report.findings, what, &Finding::what);
    if (known == report.findings.end()) {
      report.findings.push_back({what, {place}});
    } else {
      known->places.push_back(place);
    }
  }
}

ScenarioHistory crashed_at(const Options& options, const Scenario& scenario,
                           const CrashPlace& place) {
  Runtime test(options);
  actors::MortalStore& store = engine_of(test).store();
  store.die_at(place.commit, place.when);
  if (place.second != 0) store.die_at(place.second, CrashPlace::When::before);
  return history_of(scenario, test);
}

}  // namespace

CrashReport crash_everywhere(const CrashOptions& options, const Scenario& scenario) {
  CrashReport report;
  Runtime quiet(options.runtime);
  const ScenarioHistory reference = history_of(scenario, quiet);
  report.commits = engine_of(quiet).store().commits();
  const CrashPlace no_crash{CrashPlace::When::before, 0, {}};
  if (reference.outcome.has_error()) {
    add_findings(
        report,
        {"without any crash the scenario fails: " + reference.outcome.assume_error().to_string()},
        no_crash);
    return report;
  }
  const std::vector<std::string> commits = commits_of(engine_of(quiet));
  {
    Runtime again(options.runtime);
    add_findings(
        report, compare_histories(reference, history_of(scenario, again), options.unknown_outcomes),
        no_crash);
  }
  const std::uint64_t last = std::min(options.last, report.commits);
  for (std::uint64_t commit = std::max<std::uint64_t>(options.first, 1); commit <= last; ++commit)
    for (const auto when : {CrashPlace::When::before, CrashPlace::When::after})
      for (std::uint64_t behind = 0; behind <= options.second_within; ++behind) {
        const CrashPlace place{when, commit, commits[commit - 1],
                               behind == 0 ? 0 : commit + behind};
        ++report.crashes;
        add_findings(report,
                     compare_histories(reference, crashed_at(options.runtime, scenario, place),
                                       options.unknown_outcomes),
                     place);
      }
  return report;
}

}  // namespace testing::detail

namespace testing {
namespace {

std::string place_text(const CrashPlace& place) {
  if (place.commit == 0) return "without any crash, the second time";
  return std::string(place.when == CrashPlace::When::before ? "killed before" : "killed after") +
         " commit " + std::to_string(place.commit) + " (" + place.what + ")" +
         (place.second == 0 ? "" : ", and again before commit " + std::to_string(place.second));
}

}  // namespace

std::string to_string(const CrashReport& report) {
  std::string text = std::to_string(report.commits) + " commits, " +
                     std::to_string(report.crashes) + " crashes, " +
                     std::to_string(report.findings.size()) + " findings";
  for (const Finding& finding : report.findings) {
    text += "\n- " + finding.what;
    if (finding.places.empty()) continue;
    text += "\n  " + place_text(finding.places.front());
    if (finding.places.size() > 1)
      text += ", and at " + std::to_string(finding.places.size() - 1) + " other places";
  }
  return text + "\n";
}

}  // namespace testing
}  // namespace v0
}  // namespace perdure
