/// What this process has used so far, to be compared before and after.
#pragma once

#include <cstdint>

namespace perdure::bench {

struct Used {
  std::uint64_t allocations = 0;    ///< Calls of operator new, on all threads.
  double cpu_seconds = 0;           ///< User and system time of all threads.
  std::uint64_t written_bytes = 0;  ///< Handed to write calls, as /proc/self/io counts them.

  Used& operator+=(const Used& other) {
    allocations += other.allocations;
    cpu_seconds += other.cpu_seconds;
    written_bytes += other.written_bytes;
    return *this;
  }
  friend Used operator-(const Used& after, const Used& before) {
    return {after.allocations - before.allocations, after.cpu_seconds - before.cpu_seconds,
            after.written_bytes - before.written_bytes};
  }
};
[[nodiscard]] Used used_so_far();

}  // namespace perdure::bench
