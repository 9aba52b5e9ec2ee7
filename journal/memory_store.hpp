/// The memory store: the Store contract without a disk, and with faults on order.
///
/// What this is: tables in memory, where each row keeps the versions that open snapshots may still
/// read. It imitates a disk with a cache in front: what was committed in durability `none` is in
/// the cache until a commit in `full` syncs it.
/// What it promises: the contract of Store, batches whole and in order, snapshots that never
/// change. A fault is met exactly where it was ordered.
/// What it does not: outlive its process. Tests are what it is for.
#pragma once

#include "journal/memory_blobs.hpp"
#include "journal/store.hpp"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <vector>

namespace perdure::journal {

/// What goes wrong in a commit.
enum class MemoryFault : std::uint8_t {
  disk_full,  ///< `storage_full`; nothing happened, and later commits may do.
  /// `storage_failed`; nothing of the batch is there. No commit succeeds until `restart`.
  write_failed,
  sync_failed,  ///< `storage_failed`; the batch is in the cache, not on the disk. As above.
};

/// Thread: as Store says; everything of its own: any.
class MemoryStore final : public Store {
 public:
  MemoryStore();
  ~MemoryStore() override;

  [[nodiscard]] Result<void> commit(std::span<const Mutation> batch,
                                    Durability durability) override;
  [[nodiscard]] Result<std::unique_ptr<Snapshot>> snapshot() override;

  [[nodiscard]] MemoryBlobs* blobs() noexcept override { return &blobs_; }

  /// The commits numbered `first` to `first + count - 1`, the next one being 1, meet `fault`.
  void order_fault(MemoryFault fault, std::uint64_t first = 1, std::uint64_t count = 1);
  /// Every commit meets `disk_full` until `free_room`.
  void fill_disk();
  void free_room();
  /// What was not synced is lost. No snapshot may be open.
  void power_loss();
  /// The process starts again on the same disk: commits work again.
  void restart();

  /// Commits wait at their beginning until `release_commits`.
  void hold_commits();
  void release_commits();
  /// Waits until a commit is held. Only between `hold_commits` and `release_commits`.
  void wait_for_held_commit();

  struct Figures {
    std::uint64_t commits = 0;  ///< That succeeded.
    std::uint64_t syncs = 0;
    std::uint64_t mutations = 0;
  };
  [[nodiscard]] Figures figures() const;
  /// Versions of rows in memory, for the test that old ones go away.
  [[nodiscard]] std::size_t versions() const;

 private:
  using Version = std::uint64_t;
  /// What a row was from `since` on; null: not there.
  struct State {
    Version since;
    std::shared_ptr<const core::Bytes> value;
  };
  using Row = std::vector<State>;
  using Rows = std::map<Key, Row>;
  struct Stale {
    Version since;
    std::size_t table;
    Key key;
  };
  class SnapshotOf;
  class CursorOf;

  [[nodiscard]] Rows& rows(Table table);
  [[nodiscard]] static const core::Bytes* value_at(const Row& row, Version version) noexcept;
  std::optional<MemoryFault> fault_now();
  void apply(std::span<const Mutation> batch);
  void forget_stale();
  void prune(Rows& rows, Rows::iterator row, Version oldest);
  void close(Version version);

  MemoryBlobs blobs_;
  mutable std::shared_mutex mutex_;
  std::vector<Rows> tables_;
  Version version_ = 0;          ///< Of the last commit.
  Version synced_ = 0;           ///< Of the last commit that a power loss would leave.
  std::multiset<Version> open_;  ///< Snapshots.
  std::deque<Stale> stale_;      ///< Rows with versions to forget, oldest first.

  struct Order {
    MemoryFault fault;
    std::uint64_t first;
    std::uint64_t last;
  };
  std::vector<Order> orders_;
  std::uint64_t attempts_ = 0;
  bool disk_is_full_ = false;
  bool failed_ = false;
  Figures figures_;

  std::mutex hold_mutex_;
  std::condition_variable hold_changed_;
  bool hold_ = false;
  std::uint64_t held_ = 0;
};

}  // namespace perdure::journal
