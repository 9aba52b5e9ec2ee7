/// The workload's agents: sessions whose steps do everything that steps can do.
///
/// What this is: handlers, and the bodies of their steps, which note themselves the moment they run
/// (history.hpp) with all that they were given.
/// What it promises: a handler's steps are numbered as docs/programming_model.md says, and failures
/// that are handed over as values are noted under the number counted by hand.
/// What it does not: open a runtime (workload.cpp).
#pragma once

#include <perdure/perdure.hpp>

#include "tests/crash/workload_types.hpp"

#include <string>

namespace perdure::crash {

Task<std::string> journey(Context& ctx, Order order);
inline constexpr Agent traveller{"traveller", &journey};

/// Three steps at once, whose results take several pages, and then two tasks of which each has two
/// at once.
Task<std::string> spread(Context& ctx, Order order);
inline constexpr Agent spreader{"spreader", &spread};

/// Ends with the failure of a step that nobody caught.
Task<std::string> doomed(Context& ctx, Order order);
inline constexpr Agent loser{"loser", &doomed};

}  // namespace perdure::crash
