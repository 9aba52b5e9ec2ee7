/// Who uses the workload's sessions.
///
/// What this is: the callers of session_agents.hpp: they start runs, send, signal, cancel, kill and
/// resume, in each life anew, and wait for all that follows.
/// What it promises: what they ask for a second time is the same: a message has a key, but where
/// one may be joined; a run that was told to end may have ended.
/// What it does not: judge what they are told (session_checker.cpp).
#pragma once

#include "tests/crash/callers.hpp"

namespace perdure::crash {

void serve_sessions(Runtime& runtime);
/// `runtime` and `parked` outlive the callers.
void add_session_callers(Callers& callers, Runtime& runtime, ParkedRuns& parked);
/// A run was parked. Whether that belongs to the workload: then somebody resumes it.
[[nodiscard]] bool is_to_be_resumed(const Event& event);

}  // namespace perdure::crash
