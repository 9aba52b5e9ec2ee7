/// What this process has used so far, to be compared before and after.
#pragma once

#include <cstdint>

namespace perdure::bench {

struct Used {
  std::uint64_t allocations = 0;  ///< Calls of operator new, on all threads.
  double cpu_seconds = 0;         ///< User and system time of all threads.
  std::uint64_t disk_bytes = 0;   ///< Handed to the disk, as /proc/self/io counts it.
};
[[nodiscard]] Used used_so_far();

}  // namespace perdure::bench
