/// A journal's whole life, drawn from a seed.
///
/// What this is: what the tests do a few times and the soak for as long as it is told.
/// What it promises: the plan is a function of the seed. What the threads of the process do until
/// it dies is not, so a seed may have to be tried again until it fails once more.
/// What it does not: take longer when it finds something.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "tests/crash/process.hpp"

namespace perdure::crash {

/// Killed again and again, at a crash point or from outside, or shut down, then left alone. What
/// was found, with the plan; empty when all is well.
[[nodiscard]] std::string live_dangerously(const std::filesystem::path& directory, Mode mode,
                                           std::uint64_t seed);

}  // namespace perdure::crash
