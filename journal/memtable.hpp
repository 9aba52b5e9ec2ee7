/// The memtable: batches that are durable in the log and not yet in the tables.
///
/// What this is: the rows of log entries in the order of tables and keys, each with the number of
/// its batch, so that a reader sees the newest version up to the batch that it reads at. A skip
/// list (W. Pugh, "Skip Lists: A Probabilistic Alternative to Balanced Trees", CACM 33(6), 1990)
/// that only grows, so that reading takes no lock.
/// What it promises: a reader that knows a batch as published sees all rows of it and none of a
/// later one; keys and values stay where they are as long as the memtable lives.
/// What it does not: know what is on disk (wal_store.hpp).
#pragma once

#include <perdure/result.hpp>

#include "core/bytes.hpp"
#include "journal/store.hpp"
#include "journal/wal_entry.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace perdure::journal {

/// Thread: `add` one at a time; cursors any, meanwhile too.
class Memtable {
 public:
  Memtable();
  Memtable(const Memtable&) = delete;
  Memtable& operator=(const Memtable&) = delete;
  ~Memtable();

  /// Adds the rows of an entry that holds, and keeps it. Errors: `newer_format`; then some of its
  /// rows may be there, and nothing of it may be published.
  [[nodiscard]] Result<void> add(WalEntry&& entry);
  /// Thread: any.
  [[nodiscard]] bool empty() const noexcept;

  struct Row {
    Table table;
    Mutation::Kind kind;
    core::ByteView key;
    core::ByteView value;
  };

 private:
  struct Node;

 public:
  /// The newest version of a row up to `batch`, an erased one too; empty when it has none. The row
  /// is borrowed from the memtable. Thread: any.
  [[nodiscard]] std::optional<Row> find(Table table, core::ByteView key, std::uint64_t batch) const;

  /// Walks the newest versions up to one batch. Thread: one at a time.
  class Cursor {
   public:
    /// Walks everything. Nowhere until `seek`. `memtable` outlives it.
    Cursor(const Memtable& memtable, std::uint64_t batch) : memtable_(memtable), batch_(batch) {}
    /// Walks the rows of `table` whose keys begin with `prefix`, and looks at nothing behind them:
    /// however much a writer adds there, finding the end of a run stays quick.
    Cursor(const Memtable& memtable, std::uint64_t batch, Table table, const Key& prefix)
        : memtable_(memtable), batch_(batch), table_(table), prefix_(prefix) {}
    /// Goes to the first row at `key` of `table` or behind it.
    void seek(Table table, core::ByteView key);
    /// From a row to the next one.
    void next();
    [[nodiscard]] bool valid() const noexcept { return at_ != nullptr; }
    [[nodiscard]] Row row() const noexcept;

   private:
    void skip_unseen(const Node* from);
    [[nodiscard]] bool belongs(const Node& node) const noexcept;

    const Memtable& memtable_;
    const std::uint64_t batch_;
    const std::optional<Table> table_;
    const Key prefix_;
    const Node* at_ = nullptr;
  };

 private:
  static constexpr unsigned kLevels = 12;
  using Place = std::array<Node*, kLevels>;

  void insert(const WalEntry::Row& row, std::uint64_t batch, Place& place);
  Node* make_node(const WalEntry::Row& row, std::uint64_t batch, unsigned levels);
  unsigned draw_levels() noexcept;
  std::byte* allocate(std::size_t bytes);
  [[nodiscard]] const Node* first_at(Table table, core::ByteView key) const noexcept;

  std::vector<WalEntry> entries_;
  std::vector<std::unique_ptr<std::byte[]>> blocks_;
  std::byte* free_ = nullptr;
  std::size_t free_bytes_ = 0;
  Node* head_ = nullptr;
  std::uint64_t dice_ = 0x9E37'79B9'7F4A'7C15;
};

}  // namespace perdure::journal
