/// What a crash must not change: two histories of one scenario, held against each other.
///
/// What this is: a scenario's history (what ran, how runs ended, what went wrong), and a pure
/// function that says in words what a crash made of it that it must not.
/// What it promises: run ids may differ between the histories; where a reply or an error holds one,
/// that is no difference.
#pragma once

#include <perdure/testing_crashes.hpp>

#include "journal/record.hpp"

#include <optional>
#include <string>
#include <vector>

namespace perdure::actors {

/// How one run stands at the end of a scenario.
struct RunHistory {
  std::string session;      ///< `agent/key`.
  std::string message_key;  ///< With the session: which run it is, whatever its id.
  RunId id;
  journal::RunStatus status = journal::RunStatus::running;
  Bytes reply;
  std::optional<Error> error;  ///< What it failed with.
  std::string standing;        ///< Not ended: why, in words.
  /// Steps that got `outcome_unknown`.
  std::vector<std::string> unknown;
};

struct StepHistory {
  testing::StepRun step;
  /// The journal held its result when the body began.
  bool repeated = false;
};

struct ScenarioHistory {
  std::vector<StepHistory> steps;
  std::vector<RunHistory> runs;
  std::vector<Event> events;
  Result<Bytes> outcome = Bytes{};
};

/// What is wrong with `crashed`, one finding a line; empty when nothing is.
[[nodiscard]] std::vector<std::string> compare_histories(const ScenarioHistory& reference,
                                                         const ScenarioHistory& crashed,
                                                         testing::UnknownOutcomes unknown);

}  // namespace perdure::actors
