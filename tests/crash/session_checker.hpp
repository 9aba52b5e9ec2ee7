/// The checker's part about sessions: promises 15 to 23 of checker.hpp.
///
/// What this is: what the journal says of the workload's sessions (session_agents.hpp), held
/// against itself and against what callers were told.
/// What it promises: each promise that is broken is told with its number; session_checker_test.cpp
/// breaks each of them.
/// What it does not: look at bodies, but for what they saw of state and of versions (checker.cpp).
#pragma once

#include "tests/crash/checker.hpp"

#include <string>
#include <vector>

namespace perdure::crash {

[[nodiscard]] std::vector<std::string> judge_sessions(const History& history,
                                                      const JournalFacts& journal, Ended ended,
                                                      Ahead ahead);

}  // namespace perdure::crash
