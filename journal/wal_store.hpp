/// The write-ahead log in front of the tables.
///
/// What this is: a Store that makes each batch durable by one write and one sync in a file that has
/// its blocks already, shows it to readers from memory, and moves batches into the store below many
/// at a time, from a thread of its own. In the store below a batch costs a page for each row that
/// it touches, copied and written, and two syncs; moved by the thousands, most of them touch the
/// same pages. (C. Mohan et al., "ARIES", ACM TODS 17(1), 1992, for the rule; the memtable in front
/// of tables as in P. O'Neil et al., "The log-structured merge-tree", Acta Informatica 33, 1996.)
/// What it promises: the contract of Store. A batch counts once its entry is synced; whatever end
/// comes, the next opening finds it in the log or below.
/// What it does not: keep batches together in the store below beyond their order; that is one
/// moment of the journal at any time, only an older one.
///
/// A row of `meta` (kCheckpointRow) in the store below says up to which entry of the log it has
/// everything. docs/journal_format.md, "The log".
#pragma once

#include <perdure/result.hpp>

#include "journal/memtable.hpp"
#include "journal/overlay.hpp"
#include "journal/store.hpp"
#include "journal/wal_file.hpp"

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace perdure::journal {

struct WalOptions {
  /// So many bytes of entries that are not below yet set off a checkpoint.
  std::uint64_t checkpoint_bytes = 10U << 20U;
  /// And so does an entry that has waited so long, by the system's clock: nobody can tell.
  std::chrono::milliseconds checkpoint_age{1000};
  /// The file grows no larger than this, but for a batch that alone needs more.
  std::uint64_t file_bytes_max = 48U << 20U;
};

/// Thread: as Store says; `checkpoint` any.
///
/// Invariants:
/// - entries behind `applied_` up to `written_` are the rows of `frozen_` and then of `active_`;
/// - in the file they lie, in order, from `applied_.place` (or the beginning) to `written_.place`,
///   around the end of the file at most once, and nothing is written over them;
/// - `frozen_` is there while a checkpoint writes it below, and `active_` has only later batches.
class WalStore final : public Store {
  struct Private {};

 public:
  /// Opens the log in `directory` and brings what the last process left in it into `below`, which
  /// outlives this store. Errors: `corrupt` (the log is damaged, missing or another journal's),
  /// `newer_format`, and those of `below`.
  [[nodiscard]] static Result<std::unique_ptr<WalStore>> open(
      const std::filesystem::path& directory, core::Hash128 journal, Store& below,
      WalOptions options = {});
  /// For `open` only.
  WalStore(Private, std::unique_ptr<WalFile> file, Store& below, WalOptions options);
  /// What is in the log stays there.
  ~WalStore() override;

  [[nodiscard]] Result<void> commit(std::span<const Mutation> batch,
                                    Durability durability) override;
  [[nodiscard]] Result<std::unique_ptr<Snapshot>> snapshot() override;
  [[nodiscard]] std::optional<std::string> pinned_by() const override { return below_.pinned_by(); }
  /// Of checkpoints that fail, but for a full disk.
  void when_failed(std::function<void(const Error&)> hook) override;

  /// Brings below everything that was committed before the call. Errors as commit.
  [[nodiscard]] Result<void> checkpoint();

  struct Figures {
    std::uint64_t checkpoints = 0;
    std::uint64_t passed_by = 0;   ///< Batches too large for the log.
    std::uint64_t file_bytes = 0;  ///< Of the log.
    std::uint64_t log_bytes = 0;   ///< Of entries that are not below yet.
  };
  [[nodiscard]] Figures figures() const;

 private:
  /// A row of the log's memtables, and where in the file its entries begin.
  struct Part {
    std::shared_ptr<Memtable> rows;
    std::uint64_t begin = 0;
    std::uint64_t bytes = 0;
  };
  Result<void> recover();
  Result<std::uint64_t> make_room(std::size_t bytes);
  [[nodiscard]] std::optional<std::uint64_t> free_place(std::size_t bytes) const;
  [[nodiscard]] std::uint64_t grown_end(std::size_t bytes) const;
  [[nodiscard]] bool is_sure() const;
  void publish(WalEntry&& entry, std::uint64_t place);
  Result<void> pass_by(std::span<const Mutation> batch);
  Result<void> write_below(std::span<const Mutation> rows, const WalPosition& position);
  Result<void> await_checkpoint(std::unique_lock<std::mutex>& lock);
  Error note_failure(Error why);
  /// Where in the file the oldest entry begins that is not below; there is one.
  [[nodiscard]] std::uint64_t oldest_place() const {
    return frozen_.rows != nullptr ? frozen_.begin : active_.begin;
  }
  [[nodiscard]] bool has_rows() const { return frozen_.rows != nullptr || active_.bytes != 0; }
  void loop();
  bool await_work(std::unique_lock<std::mutex>& lock);
  void tell(const Error& failure);
  void run_checkpoint(std::unique_lock<std::mutex>& lock);
  void freeze(std::unique_lock<std::mutex>& lock);

  const std::unique_ptr<WalFile> file_;
  Store& below_;
  const WalOptions options_;
  const pid_t process_;

  /// Held while the hook is called. Never together with another.
  std::mutex hook_mutex_;
  std::function<void(const Error&)> hook_;

  /// Held while `active_` grows and while it is frozen: the outer one of the two.
  std::mutex append_mutex_;
  bool is_synced_ = true;  ///< The file has nothing that was written in durability `none`.

  mutable std::mutex mutex_;
  std::condition_variable wanted_;  ///< The thread waits for it.
  std::condition_variable done_;    ///< Others wait for the end of a checkpoint.
  Part active_;
  Part frozen_;  ///< `rows` is null while there is no checkpoint to write.
  WalPosition frozen_end_;
  WalPosition applied_;        ///< Everything up to it is below.
  WalPosition written_;        ///< Behind the newest entry that readers see.
  bool is_wanted_ = false;     ///< Somebody waits for a checkpoint.
  std::uint64_t ended_ = 0;    ///< Checkpoints that have ended, well or not.
  std::optional<Error> full_;  ///< The last one found the disk full.
  std::optional<Error> failure_;
  bool stops_ = false;
  Figures figures_;
  std::thread thread_;
};

/// Up to where `store` has the entries of its log: what its row says; the beginning without one.
/// Errors: `corrupt`, `newer_format`, and those of `snapshot`.
[[nodiscard]] Result<WalPosition> applied_position(Snapshot& snapshot);

}  // namespace perdure::journal
