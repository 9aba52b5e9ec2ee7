/// A store for readers who may be slow: snapshots that don't pin the journal's pages.
///
/// What this is: a Store in front of another for reading. While a snapshot of LMDB's is held no
/// page that it sees is used again, so a listing that waits in a pager for a night would make a
/// busy journal grow all night.
/// What it promises: no snapshot of the inner store is held for longer than a bound while it is
/// read, nor at all between `release` and the next read. A scan goes on behind the last key that it
/// gave, so it gives no row twice and leaves none out that was there all along.
/// What it does not: show one moment. What changes meanwhile may be seen or not, each row whole.
#pragma once

#include "core/clock.hpp"
#include "journal/store.hpp"

#include <chrono>
#include <memory>
#include <vector>

namespace perdure::journal {

/// Invariant: cursors of the inner snapshot are gone before it is. Thread: one at a time, with all
/// that came from it.
class RenewingStore final : public Store {
 public:
  static constexpr std::chrono::seconds kOldest{1};

  /// `inner` and `clock` outlive it.
  RenewingStore(Store& inner, core::Clock& clock) : inner_(inner), clock_(clock) {}
  RenewingStore(const RenewingStore&) = delete;
  RenewingStore& operator=(const RenewingStore&) = delete;
  ~RenewingStore() override;

  /// `misuse`: it is for reading.
  [[nodiscard]] Result<void> commit(std::span<const Mutation> batch,
                                    Durability durability) override;
  /// The store outlives the snapshot. What its `get` returns is borrowed until its next `get`.
  [[nodiscard]] Result<std::unique_ptr<Snapshot>> snapshot() override;
  [[nodiscard]] Blobs* blobs() noexcept override { return inner_.blobs(); }
  /// Lets go of the inner snapshot, until something is read again: before a wait without bounds.
  void release() noexcept;

 private:
  class RenewedSnapshot;
  class RenewedCursor;
  /// The inner snapshot, a new one where there is none or it has become too old.
  [[nodiscard]] Result<Snapshot*> current();

  Store& inner_;
  core::Clock& clock_;
  std::unique_ptr<Snapshot> held_;
  core::Elapsed held_since_{};
  std::vector<RenewedCursor*> cursors_;
};

}  // namespace perdure::journal
