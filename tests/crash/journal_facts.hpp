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
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace perdure::crash {

struct RecordedResult {
  std::string name;
  int attempts = 0;
  /// The nonce, or the failure as words_of tells it; of other operations than steps what they gave.
  std::string text;
  bool failed = false;
  std::string code = {};  ///< Of the failure.
  std::string kind = "step";
  std::int64_t stamp = 0;  ///< In microseconds.
  std::int64_t after = 0;  ///< The stamp of the record before.
};
struct RecordedRun {
  std::string agent;
  std::string session;
  std::string order;
  std::string status;
  std::map<std::string, RecordedResult> results = {};   ///< By step id.
  std::map<std::string, std::vector<int>> starts = {};  ///< Attempts recorded ahead of the body.
  std::optional<std::string> reply = {};                ///< Or the failure, once it has ended.
  std::string handler = {};
  std::string caller = {};                ///< The run that called it or is its parent.
  std::map<std::string, int> marks = {};  ///< Of `ctx.version`.
  std::uint64_t created = 0;              ///< Number of the first record; 0: it is queued.
  std::uint64_t ended = 0;                ///< Number of the last one; 0: it has not ended.
  std::uint64_t cancelled = 0;            ///< Number of the record of a cancel; 0: there is none.
  std::int64_t created_at = 0;            ///< In microseconds.
  /// Of its own budget, used or reserved; empty: it has none.
  std::optional<std::int64_t> tokens = {};
};
/// Something that has come for a session and has not been handled.
struct Waiting {
  std::string session;   ///< `agent/key`.
  std::string what;      ///< `message` and so on.
  std::string text;      ///< The order's flavour, or the signal's value.
  std::string run = {};  ///< That a message is to make.
};
struct JournalFacts {
  bool exists = false;
  bool ended_cleanly = false;               ///< Its last writer did.
  std::map<std::string, RecordedRun> runs;  ///< By run id.
  std::vector<std::string> findings;        ///< What can't be read, and what verify finds.
  std::vector<Waiting> waiting = {};
  /// By `agent/key`, then by name.
  std::map<std::string, std::map<std::string, int>> states = {};
};

/// What stands in the journal at `directory`. Without a journal there, `exists` is false.
[[nodiscard]] JournalFacts read_journal(const std::filesystem::path& directory);

}  // namespace perdure::crash
