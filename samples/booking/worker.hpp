/// The process that makes the trips.
///
/// What this is: where the driver ends and the saga begins.
/// What it promises: to return 0 when every trip of the plan has settled, in this process or in
/// earlier ones that were killed. Called again afterwards, it finds that and returns 0 at once.
/// What it does not: judge the trips. The audit does.
#pragma once

#include <cstdint>
#include <string>

namespace booking {

struct WorkerOptions {
  std::string directory;
  std::uint32_t trips = 0;
  std::uint64_t seed = 1;
};

/// What the process is to end with: 0 when all trips have settled. What it says goes to stderr.
int run_worker(const WorkerOptions& options);

}  // namespace booking
