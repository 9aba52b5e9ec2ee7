/// State: a session's values, as its runs see and change them.
///
/// What this is: `StateCells` is what a session knows of its own values while it is in memory;
/// `RunState` is one run's view of them (semantics.md section 6).
/// What it promises: a read in a run gives what the run itself wrote before, else what it found
/// when it first wrote the value, else what is committed; so a replay never reads the future. What
/// a run writes reaches the journal in the change of the delivery that it followed from.
///
/// Invariants:
/// - `StateCells` is never behind the journal: all writes of the session go through it.
/// - What is in `dirty_` is in no change yet.
#pragma once

#include "journal/change.hpp"
#include "journal/reader.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace perdure::actors {

/// Thread: the session's.
class StateCells {
 public:
  /// `store` outlives it.
  StateCells(journal::Store& store, journal::SessionId session)
      : store_(store), session_(session) {}
  /// The value of `name`, or null. Borrowed until the next write. Errors: as Reader.
  [[nodiscard]] Result<const core::Bytes*> read(std::string_view name);
  void write(std::string_view name, std::optional<core::Bytes> value);
  /// What it knows is void: the journal is asked again.
  void forget() noexcept { known_.clear(); }
  /// Has the payload's bytes at hand. Errors: as read_blob.
  [[nodiscard]] Result<void> bring(journal::Payload& payload) const;
  [[nodiscard]] const journal::SessionId& session() const noexcept { return session_; }

 private:
  journal::Store& store_;
  const journal::SessionId session_;
  std::map<std::string, std::optional<core::Bytes>, std::less<>> known_;
};

/// Thread: the session's.
class RunState {
 public:
  /// What the run found before it first wrote, from its journal.
  void load_before(std::vector<journal::StateValue> before);
  /// Null: there is no value. Borrowed until the next write. Errors: as Reader.
  [[nodiscard]] Result<const core::Bytes*> read(std::string_view name, StateCells& cells);
  void write(std::string_view name, std::string_view type, std::optional<core::Bytes> value);
  /// Replay is over: what it wrote and the session does not have is dirty. Errors: as Reader.
  [[nodiscard]] Result<void> end_replay(StateCells& cells);
  /// What was written since goes into `change` and to `cells`. Errors: as Reader.
  [[nodiscard]] Result<void> flush(const RunId& run, StateCells& cells, journal::Change& change);
  /// What was written since the last flush is void.
  void drop_dirty() noexcept { dirty_.clear(); }

 private:
  struct Cell {
    std::string type;
    std::optional<core::Bytes> value;
  };
  std::map<std::string, std::optional<journal::Payload>, std::less<>> before_;
  std::map<std::string, Cell, std::less<>> written_;
  std::set<std::string, std::less<>> dirty_;
};

}  // namespace perdure::actors
