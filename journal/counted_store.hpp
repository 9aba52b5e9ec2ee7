/// Counters in every batch.
///
/// What this is: a Store in front of another that adds the journal's counters row (epoch, highest
/// number, highest stamp, clean or not) to every batch, and so knows after any end where numbers go
/// on.
/// What it promises: what `last_number` says was the highest number in the tables when the journal
/// was opened, after a crash as after a clean end, without a scan.
/// What it does not: number anything. docs/decisions/0001-journal-layout.md says why it is so.
#pragma once

#include <perdure/result.hpp>

#include "core/clock.hpp"
#include "core/random.hpp"
#include "journal/opening.hpp"
#include "journal/record.hpp"
#include "journal/store.hpp"

#include <memory>
#include <vector>

namespace perdure::journal {

/// Invariants: `now_` is what the counters row of `inner_` holds. Thread: as Store says.
class CountedStore final : public Store {
 public:
  /// Writes identity and counters of a new journal into `inner`, which is empty. Errors as commit.
  [[nodiscard]] static Result<void> create(Store& inner, core::Clock& clock, core::Random& random);
  /// Begins an epoch: reads the counters, raises the epoch and marks the journal as not cleanly
  /// closed; a visit leaves that mark as it is. `inner` outlives the store. Errors: `corrupt`
  /// without identity or counters; as Reader and commit.
  [[nodiscard]] static Result<std::unique_ptr<CountedStore>> open(Store& inner,
                                                                  core::Random& random,
                                                                  Opening opening = Opening::work);

  [[nodiscard]] Result<void> commit(std::span<const Mutation> batch,
                                    Durability durability) override;
  [[nodiscard]] Result<std::unique_ptr<Snapshot>> snapshot() override { return inner_.snapshot(); }
  [[nodiscard]] std::optional<std::string> pinned_by() const override { return inner_.pinned_by(); }
  [[nodiscard]] Blobs* blobs() noexcept override { return inner_.blobs(); }
  void when_failed(std::function<void(const Error&)> hook) override {
    inner_.when_failed(std::move(hook));
  }

  /// Of the journal as it was opened.
  [[nodiscard]] const Counters& before() const noexcept { return before_; }
  [[nodiscard]] core::Hash128 journal() const noexcept { return journal_; }

  /// Marks a clean end; nothing is committed afterwards. Errors as commit.
  [[nodiscard]] Result<void> close_cleanly(RecordNumber last_number, Stamp last_stamp);

  /// For `open` only.
  CountedStore(Store& inner, const Counters& before, core::Hash128 journal);

 private:
  Result<void> commit_with(const Counters& counters, std::span<const Mutation> batch,
                           Durability durability);

  Store& inner_;
  const core::Hash128 journal_;
  const Counters before_;
  Counters now_;
  bool closed_ = false;  ///< By `close_cleanly`.
  core::Bytes row_;
  std::vector<Mutation> batch_;
};

}  // namespace perdure::journal
