/// Drawing ids.
///
/// What this is: how run ids and journal ids are made from the Clock and Random seams.
/// What it promises: two draws from one `Random` differ (80 random bits and a millisecond stamp).
#pragma once

#include <perdure/run_id.hpp>

#include "core/clock.hpp"
#include "core/random.hpp"

namespace perdure::core {

/// A new run id. Thread: any, when `clock` and `random` are.
[[nodiscard]] RunId draw_run_id(Clock& clock, Random& random);

}  // namespace perdure::core
