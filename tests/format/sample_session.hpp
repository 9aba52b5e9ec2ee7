/// Sessions of a journal, written without a runtime.
///
/// What this is: rows of every table of sessions, and records of every sort that sessions write
/// into runs: one session whose run waits while messages and signals come for it, and mail for one
/// that is not there yet.
/// What it promises: a journal that `perdure verify` finds sound. What it does not: run any code.
#pragma once

#include "core/clock.hpp"
#include "core/random.hpp"
#include "journal/writer.hpp"

namespace perdure::format_test {

/// Each step of it is a change and a commit of its own.
void write_sessions(journal::Writer& writer, core::ManualClock& clock, core::Random& random);

}  // namespace perdure::format_test
