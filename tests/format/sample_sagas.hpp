/// Sagas of a journal, written without a runtime.
///
/// What this is: a run with sagas in every state, with actions of every sort in every state, and
/// what comes for its session because of them.
/// What it promises: a journal that `perdure verify` finds sound. What it does not: run any code.
#pragma once

#include "core/clock.hpp"
#include "core/random.hpp"
#include "journal/writer.hpp"

namespace perdure::format_test {

/// Each step of it is a change and a commit of its own.
void write_sagas(journal::Writer& writer, core::ManualClock& clock, core::Random& random);

}  // namespace perdure::format_test
