/// Runs and sessions of a journal whose payloads are blobs, written without a runtime.
///
/// What this is: each field of a row that a blob can stand in, with content of one chunk and of
/// several, stored as it is, as zstd frames, and as both; payloads that speak of blobs; and a blob
/// that nothing refers to.
/// What it promises: a journal that `perdure verify` finds sound. What it does not: run any code.
#pragma once

#include "core/clock.hpp"
#include "core/random.hpp"
#include "journal/store.hpp"
#include "journal/writer.hpp"

namespace perdure::format_test {

/// `store` has blobs, and is the writer's.
void write_blobs(journal::Store& store, journal::Writer& writer, core::ManualClock& clock,
                 core::Random& random);

}  // namespace perdure::format_test
