/// The testing kit: your agents in memory, on one thread, on a clock that you move.
///
/// What this is: the umbrella of `perdure/testing_runtime.hpp` (a runtime for tests) and
/// `perdure/testing_crashes.hpp` (your scenario with a crash at every record). Opt-in.
/// What it promises: the engine is the one that runs in production; only disk, clock, dice and
/// threads are replaced. No test framework is needed; any will do.
/// What it does not: sleep, start threads, or write files. See docs/testing_agents.md.
#pragma once

#include <perdure/testing_crashes.hpp>
#include <perdure/testing_runtime.hpp>
