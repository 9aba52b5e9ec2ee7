/// The journal of a runtime of the testing kit, for tests that know nothing of the engine.
#pragma once

#include <perdure/testing_runtime.hpp>

#include "tests/support/disk_view.hpp"

namespace perdure::test {

/// `test` outlives it.
[[nodiscard]] DiskView disk_of(testing::Runtime& test);

}  // namespace perdure::test
