/// What was written lately, and whether what somebody read still holds.
///
/// What this is: preconditions of changes, and the writer's memory that they are held against: the
/// rows that the newest changes wrote or erased, each with the change's number.
/// What it promises: a precondition that holds was not touched by any change with a number above
/// the one that it was read at, whether that change is durable yet or not. An erasure counts as a
/// write, so a row that went and came back has changed, and so has one that came and went. A range
/// has changed if any row in it has, be it one that was not there.
/// What it does not: look into the store. What is older than its memory counts as changed.
///
/// Why not versions in the rows: an absent row has none, and a range has none for what is not
/// there; and the store lacks what is submitted and not yet durable.
#pragma once

#include "journal/key.hpp"
#include "journal/record.hpp"
#include "journal/store.hpp"

#include <cstddef>
#include <deque>
#include <optional>
#include <span>
#include <vector>

namespace perdure::journal {

/// Tables whose writes are remembered, and which preconditions may speak of. Each costs every
/// change that writes to it.
[[nodiscard]] constexpr bool is_watched(Table table) noexcept { return table == Table::rows; }

/// What must not have changed since it was read, of one table: rows, be they there or not, and
/// ranges of rows.
class Precondition {
 public:
  Precondition() = default;
  /// All changes up to `read_at` were in what was read. `table` is watched.
  Precondition(Table table, RecordNumber read_at);

  /// The row at `key`.
  void row(Key key) { rows_.push_back(std::move(key)); }
  /// All rows from `from` on to before `to`.
  void range(Key from, Key to) { ranges_.push_back({std::move(from), std::move(to)}); }
  /// To be called before it is held against anything; then nothing is added any more.
  void seal();

  [[nodiscard]] bool empty() const noexcept { return rows_.empty() && ranges_.empty(); }
  [[nodiscard]] Table table() const noexcept { return table_; }
  [[nodiscard]] RecordNumber read_at() const noexcept { return read_at_; }
  /// Whether it speaks of the row at `key`.
  [[nodiscard]] bool covers(const Key& key) const;

 private:
  struct Range {
    Key from;
    Key to;
  };
  Table table_ = Table::rows;
  RecordNumber read_at_ = 0;
  std::vector<Key> rows_;  ///< In their order, once sealed.
  std::vector<Range> ranges_;
};

/// Thread: one at a time.
class RecentWrites {
 public:
  /// Everything up to `before` is forgotten: what reads see at least that.
  RecentWrites(RecordNumber before, std::size_t most) : forgotten_(before), most_(most) {}

  /// A change with this number writes or erases the row. Numbers do not fall.
  void note(Table table, const Key& key, RecordNumber number);
  /// The number of the newest change because of which the precondition does not hold, or may not;
  /// empty: it holds. Whoever reads when that change is durable sees all that stood against it.
  /// Takes as long as there were writes since, times the logarithm of the rows, plus the ranges.
  [[nodiscard]] std::optional<RecordNumber> conflict(const Precondition& precondition) const;

 private:
  struct Write {
    RecordNumber number;
    Table table;
    Key key;
  };
  std::deque<Write> writes_;  ///< By number.
  RecordNumber forgotten_;    ///< The highest number that a write which is not here may have.
  std::size_t most_;
};

}  // namespace perdure::journal
