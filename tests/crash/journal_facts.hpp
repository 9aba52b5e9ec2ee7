/// What a journal says of the workload's runs.
///
/// What this is: a journal on disk, read as another process would (journal/reader.hpp), as plain
/// values that the checker holds against the outside world. Nobody writes it meanwhile.
/// What it promises: nothing of it comes from the process that wrote the journal but by the
/// journal; everything `verify` finds stands in `findings`, and so it does where the rows are not
/// the same by another way (log_rows.hpp).
/// What it does not: judge (checker.hpp).
#pragma once

#include "tests/crash/history.hpp"

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace perdure::crash {

struct RecordedResult {
  std::string name;
  int attempts = 0;
  /// The nonce, or the failure as words_of tells it.
  std::string text;
  bool failed = false;
  std::string code;  ///< Of the failure.
};
struct RecordedRun {
  std::string agent;
  std::string session;
  std::string order;
  std::string status;
  std::map<std::string, RecordedResult> results;   ///< By step id.
  std::map<std::string, std::vector<int>> starts;  ///< Attempts recorded ahead of the body.
  std::optional<std::string> reply;                ///< Or the failure, once it has ended.
};
struct JournalFacts {
  bool exists = false;
  bool ended_cleanly = false;               ///< Its last writer did.
  std::map<std::string, RecordedRun> runs;  ///< By run id.
  std::vector<std::string> findings;        ///< What can't be read, and what verify finds.
};

/// What stands in the journal at `directory`. Without a journal there, `exists` is false.
[[nodiscard]] JournalFacts read_journal(const std::filesystem::path& directory);

}  // namespace perdure::crash
