/// Verify: does a journal hold what journals promise?
///
/// What this is: a walk over all tables of one snapshot. Each value is held against its envelope,
/// its FlatBuffer and its payload's encoding; each row against the rows it speaks of.
/// What it promises: every finding names table and place and says what to do; damage in one row
/// does not keep the rest from being looked at. Memory does not grow with the journal.
/// What it does not: look at LMDB's own pages, repair anything, or hold records against code.
///
/// What is held to be true (docs/journal_format.md, "Invariants"):
/// - identity and counters are there; no number in the journal is above the counters' last number;
/// - a session stands where the search for its address finds it;
/// - a message key leads to a run of its session; a run has its session and its records;
/// - a run's records have indices 0, 1, ... as many as its head row counts; the first is its
///   creation and agrees with the run's row, and only an ended run's last is its end; their numbers
///   rise, their stamps don't fall;
/// - `ready` holds exactly the runs that are running or parked, `open` exactly the unfinished runs
///   of sessions; a waiting run has a wait, an attempt that is due, or a child that its end waits
///   for;
/// - `due`, `attempts`, `waits` and `children` speak of unfinished runs, under the hash of the path
///   in the row; a time in `waits`, or of a kept message, is in `due`, and such a row of `due` is
///   of one of these; circles are due at the time 1;
/// - a child's row has the address of the child's session; the run of a child that has ended has
///   ended, or there is none because the message was refused;
/// - `inbox` and `kept` hold their rows at the rows' own numbers, for the sessions that they name;
///   what is kept is a message or a signal; a queued run has a kept message, at the number of the
///   run's row, and no records; a kept message has a queued run, and its session handles another
///   run or the message has its time;
/// - `state` and `before` hold their values at the hashes of their names;
/// - a saga has its run, a name, and the saga of the run that it is in; only one that is aborted is
///   undone with another or itself; an open one's deadline is in `due`, and such a row of `due` is
///   of an open saga;
/// - what is to be undone has its saga, says by what, and began behind records that are there; what
///   became of it has it, and names the record that says so;
/// - a row of a user's table stands at the table's name, a zero byte and a key that is encoded as
///   Perdure encodes it;
/// - each blob that a payload is or speaks of is there, and its content is that of its name.
#pragma once

#include <perdure/result.hpp>

#include "journal/blob_id.hpp"
#include "journal/store.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

namespace perdure::journal {

struct Finding {
  Table table = Table::meta;
  std::string key;     ///< In hexadecimal.
  std::string place;   ///< In words: `record 3 of run 01JD…`.
  std::string what;    ///< What is wrong with it.
  std::string remedy;  ///< What to do about it.
};

struct VerifyOptions {
  /// Findings kept; more are only counted.
  std::size_t findings_max = 100;
};

struct VerifyReport {
  std::array<std::uint64_t, kTableCount> rows{};  ///< By table, the first being `meta`.
  std::uint64_t runs = 0;
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;  ///< Of keys and values looked at.
  /// Those that rows refer to, be they payloads or spoken of in payloads.
  std::unordered_set<BlobId, BlobIdHash> blobs;
  std::uint64_t blob_bytes = 0;  ///< Of their content.
  std::uint64_t findings_count = 0;
  std::vector<Finding> findings;

  [[nodiscard]] bool sound() const noexcept { return findings_count == 0; }
};

/// Looks at `store` as it is now, also while it is written. Errors: those of Store::snapshot, and
/// of a cursor that can't go on (`storage_failed`, `corrupt`). Thread: any.
[[nodiscard]] Result<VerifyReport> verify(Store& store, const VerifyOptions& options = {});

}  // namespace perdure::journal
