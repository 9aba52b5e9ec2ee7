/// A journal held open, whose log goes into the tables when told to.
///
/// What this is: the parts of a journal open for writing, put together as JournalForWriting::open
/// does, but with no checkpoint by age or size, so that a test knows which batches are only in the
/// log and where in it they stand.
/// What it promises: the files are those of any journal that is open for writing, its LOCK too.
/// What it does not: make a journal, or bring anything into the tables at its end.
#pragma once

#include "core/clock.hpp"
#include "core/random.hpp"
#include "journal/directory.hpp"
#include "journal/lmdb_store.hpp"
#include "journal/lock_file.hpp"
#include "journal/wal_store.hpp"

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>

namespace perdure::format_test {

/// Tables that let no batch in while the door is closed.
class Door final : public journal::Store {
 public:
  /// `inner` outlives it.
  explicit Door(journal::Store& inner) : inner_(inner) {}
  [[nodiscard]] Result<void> commit(std::span<const journal::Mutation> batch,
                                    journal::Durability durability) override;
  [[nodiscard]] Result<std::unique_ptr<journal::Snapshot>> snapshot() override {
    return inner_.snapshot();
  }
  [[nodiscard]] std::optional<std::string> pinned_by() const override { return inner_.pinned_by(); }
  void close();
  /// Returns when a batch stands before the closed door.
  void await_batch();
  void open();

 private:
  journal::Store& inner_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_open_ = true;
  bool is_waiting_ = false;
};

/// Thread: one at a time.
class HeldJournal {
 public:
  /// Opens the journal in `directory`; its log grows to `log_bytes` at most. Ends the program where
  /// that fails. `clock` and `random` outlive it.
  HeldJournal(const std::filesystem::path& directory, core::Clock& clock, core::Random& random,
              std::uint64_t log_bytes);
  [[nodiscard]] journal::JournalForWriting& journal() { return *journal_; }
  /// Brings what was committed before the call into the tables, and calls `meanwhile` while the
  /// tables are being written.
  void checkpoint(const std::function<void()>& meanwhile);

 private:
  // In the order in which they are let go: the lock last.
  std::unique_ptr<journal::LockFile> lock_;
  std::unique_ptr<journal::LmdbStore> tables_;
  std::unique_ptr<Door> door_;
  std::unique_ptr<journal::WalStore> log_;
  std::unique_ptr<journal::JournalForWriting> journal_;
};

}  // namespace perdure::format_test
