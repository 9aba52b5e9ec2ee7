/// Journals as a process leaves them that ended in the middle of its runs.
///
/// What this is: unfinished runs written row by row, as the engine would have; much faster than
/// running them.
#pragma once

#include <perdure/run_id.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace perdure::bench {

struct UnfinishedRuns {
  std::string_view agent;      ///< Version 1; its handler takes a std::uint32_t.
  std::string_view step_name;  ///< Of every step.
  std::uint32_t runs = 1;      ///< Each of a session of its own, with its number as key.
  std::uint32_t steps = 0;     ///< Recorded in each run: step i gave the std::uint64_t i.
  std::uint32_t message = 0;   ///< What each run was started with.
  bool are_finished = false;   ///< They have ended, with the std::uint64_t 0 as reply.
};

/// Writes them into the journal at `directory`, which may exist, and closes it cleanly. Throws when
/// that fails.
std::vector<RunId> write_unfinished_runs(const std::string& directory, const UnfinishedRuns& what);

}  // namespace perdure::bench
