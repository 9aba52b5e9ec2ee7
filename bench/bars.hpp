/// Bars: figures that a build is held against.
///
/// What this is: one line per figure, `bar NAME VALUE LIMIT ok|short`, for people and for
/// automation.
/// What it promises: ratios are taken within one run, against raw limits measured beside them.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace perdure::bench {

struct Bar {
  enum class Kind { at_most, at_least };
  std::string name;
  double value = 0;
  double limit = 0;
  Kind kind = Kind::at_most;
  [[nodiscard]] bool ok() const { return kind == Kind::at_most ? value <= limit : value >= limit; }
};

/// A line of context under the bars: raw figures, spreads.
using Note = std::string;

struct Report {
  std::vector<Bar> bars;
  std::vector<Note> notes;
};

/// Each works in a directory of its own below `where`, which lies on the disk to be measured.
[[nodiscard]] Report measure_lone_session(const std::filesystem::path& where);
[[nodiscard]] Report measure_many_sessions(const std::filesystem::path& where);
[[nodiscard]] Report measure_flat_cost(const std::filesystem::path& where);
[[nodiscard]] Report measure_blobs(const std::filesystem::path& where);
[[nodiscard]] Report measure_large_results(const std::filesystem::path& where);
[[nodiscard]] Report measure_sessions(const std::filesystem::path& where);
[[nodiscard]] Report measure_sagas(const std::filesystem::path& where);
[[nodiscard]] Report measure_tools(const std::filesystem::path& where);
[[nodiscard]] Report measure_replay(const std::filesystem::path& where);

[[nodiscard]] double percentile(std::vector<double> samples, double share);

}  // namespace perdure::bench
