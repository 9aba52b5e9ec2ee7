/// The journal of a runtime of the testing kit, for tests that know nothing of the engine.
#pragma once

#include <perdure/testing_runtime.hpp>

#include "tests/support/disk_view.hpp"

#include <chrono>

namespace perdure::test {

/// `test` outlives it.
[[nodiscard]] DiskView disk_of(testing::Runtime& test);

/// The process dies here, in a body: nothing more that it does is durable. The next one goes on.
void die(testing::Runtime& test);

struct QueuedSignal {
  std::string agent;
  std::string session_key;
  std::string name;
};
/// As `perdure send` does it on a journal that no process has open: `test` was shut down. `later`:
/// how long after that.
void queue_signal(testing::Runtime& test, const QueuedSignal& signal, const Bytes& payload,
                  std::chrono::microseconds later);

}  // namespace perdure::test
