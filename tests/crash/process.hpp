/// Lives of the workload, as a test begins and ends them.
///
/// What this is: starting the workload on a journal, killing it where the plan says, and the
/// harness that goes through many lives and has the checker look at each.
/// What it promises: a life that hangs ends (the workload sets itself an alarm) and is told as a
/// finding; nothing here sleeps.
/// What it does not: choose where to kill.
#pragma once

#include "tests/crash/checker.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace perdure::crash {

/// The durability that a journal lives with.
enum class Mode : std::uint8_t { full, interval, none };
[[nodiscard]] std::string_view to_string(Mode mode) noexcept;
/// For GoogleTest.
inline void PrintTo(Mode mode, std::ostream* out) { *out << to_string(mode); }
[[nodiscard]] Ahead ahead_in(Mode mode) noexcept;

/// While it is there, lives of this process do what sessions do, and not what steps do.
class SessionsPart {
 public:
  SessionsPart();
  SessionsPart(const SessionsPart&) = delete;
  SessionsPart& operator=(const SessionsPart&) = delete;
  ~SessionsPart();
};

/// How a life is to end.
struct Plan {
  /// Instead of the workload, with the same arguments.
  std::string program = {};
  /// `PERDURE_CRASH_AT`, or empty.
  std::string crash_at = {};
  /// SIGKILL from outside, when the process has noted this many lines. 0: not.
  int kill_after_notes = 0;
  /// It shuts its runtime down itself, when it has noted as many lines. 0: when all has ended.
  int stop_after_notes = 0;
  /// More of its environment.
  std::map<std::string, std::string> environment = {};
};

struct Outcome {
  int status = 0;
  [[nodiscard]] bool killed() const;     ///< By SIGKILL, as planned.
  [[nodiscard]] bool completed() const;  ///< It says that every run has ended.
  [[nodiscard]] bool parked() const;     ///< It says that a run is parked as a suspect.
  [[nodiscard]] bool stopped() const;    ///< It was shut down before all had ended, as planned.
  [[nodiscard]] bool as_planned() const { return killed() || completed() || parked() || stopped(); }
  [[nodiscard]] std::string words() const;
};

/// One life, to its end.
[[nodiscard]] Outcome live(const std::filesystem::path& journal,
                           const std::filesystem::path& outside, const std::string& label,
                           Mode mode, const Plan& plan = {});

/// What `look` found, in a process of its own, so that what kills it is a finding: how that process
/// ended when it did not end well. Throws nothing that `look` throws: that is a finding too.
[[nodiscard]] std::vector<std::string> look_in_a_process(
    const std::function<std::vector<std::string>()>& look);

/// A directory of this process's own, empty, and gone with this object.
class TemporaryDirectory {
 public:
  explicit TemporaryDirectory(const std::string& name);
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// One journal's lives, one after the other, with the checker behind each.
class Lives {
 public:
  explicit Lives(std::filesystem::path directory, Mode mode = Mode::full);

  /// Lives once. Findings name `plan` and the life.
  Outcome live(const Plan& plan);
  /// Lives without a plan until everything has ended; a run parked as a suspect takes one more.
  void complete();

  [[nodiscard]] const std::vector<std::string>& findings() const { return findings_; }
  [[nodiscard]] const JournalFacts& journal() const { return facts_; }
  /// The findings, a line each, and where the files are that they speak of.
  [[nodiscard]] std::string report() const;
  [[nodiscard]] std::filesystem::path journal_path() const { return directory_ / "journal"; }
  [[nodiscard]] std::filesystem::path outside_path() const { return directory_ / "outside"; }

 private:
  std::filesystem::path directory_;
  Mode mode_;
  std::vector<Recorded> before_;
  std::vector<std::string> plans_;
  JournalFacts facts_;
  std::vector<std::string> findings_;
};

/// One line for each, to be looked at.
[[nodiscard]] inline std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

}  // namespace perdure::crash
