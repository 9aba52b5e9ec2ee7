/// Batches: changes on their way into one commit.
///
/// What this is: what turns numbered changes into what `Store::commit` wants: sealed values, sorted
/// by table and key, one mutation a row.
/// What it promises: the last mutation of a row wins, so a run's head is written once a batch,
/// however many of its steps the batch holds. Built twice from the same changes it is the same.
/// What it does not: number changes, commit, or own bytes; the changes do.
#pragma once

#include "journal/change.hpp"
#include "journal/store.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace perdure::journal {

/// A change and the number of its last record, which its rows carry too.
struct NumberedChange {
  Change change;
  RecordNumber last = 0;
  std::size_t cost = 0;
};

/// Thread: one at a time.
class Batch {
 public:
  /// How many numbers `change` takes: one for each record, at least one.
  [[nodiscard]] static std::uint64_t numbers(const Change& change) noexcept {
    return change.records() == 0 ? 1 : change.records();
  }
  /// The memory that `change` holds while it waits, roughly.
  [[nodiscard]] static std::size_t cost(const Change& change) noexcept {
    return change.bytes() + change.parts_.size() * sizeof(Change::Part) + sizeof(NumberedChange);
  }

  /// Seals the values in `changes` and returns the mutations, which borrow from `changes` and from
  /// this until the next `build`. `changes` stand in the order of their numbers.
  [[nodiscard]] std::span<const Mutation> build(std::span<NumberedChange> changes);

 private:
  /// One mutation before sorting. The key's first 24 bytes stand here as numbers: with 1,000 runs
  /// in a batch that makes the sort several times faster than comparing the keys where they lie.
  struct Entry {
    std::array<std::uint64_t, 3> prefix;
    const Change::Part* part;
    std::byte* value;
    RecordNumber number;
    std::uint32_t order;
  };
  void enter(NumberedChange& numbered);
  void emit(std::vector<Entry>& entries);

  std::array<std::vector<Entry>, kTableCount> by_table_;
  std::vector<Mutation> mutations_;
  std::uint32_t order_ = 0;
};

}  // namespace perdure::journal
