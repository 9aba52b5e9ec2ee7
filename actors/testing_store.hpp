/// The testing kit's disk as one process sees it: until the process dies.
///
/// What this is: a memory store behind a Store that can be told at which commit the process dies.
/// What it promises: after the death nothing reaches the disk and every commit fails, until
/// `revive`; what was committed before is there. Commits are counted across lives.
/// What it does not: keep anything back of a commit: it is there whole or not at all.
#pragma once

#include <perdure/testing_crashes.hpp>

#include "journal/memory_store.hpp"
#include "journal/store.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace perdure::actors {

/// Thread: one at a time.
class MortalStore final : public journal::Store {
 public:
  using When = testing::CrashPlace::When;

  [[nodiscard]] Result<void> commit(std::span<const journal::Mutation> batch,
                                    journal::Durability durability) override;
  [[nodiscard]] Result<std::unique_ptr<journal::Snapshot>> snapshot() override {
    return disk_.snapshot();
  }

  /// The process dies at the commit of this number, the store's first one being 1.
  void die_at(std::uint64_t commit, When when) { death_ = Death{commit, when}; }
  /// The process dies here.
  void die() { dead_ = true; }
  [[nodiscard]] bool dead() const noexcept { return dead_; }
  /// Whether the commit at which it died is lost.
  [[nodiscard]] bool lost_last() const noexcept { return lost_last_; }
  void revive();
  /// How many were begun.
  [[nodiscard]] std::uint64_t commits() const noexcept { return commits_; }

  /// The records of each commit so far: run and index.
  using Records = std::vector<std::pair<RunId, std::uint32_t>>;
  [[nodiscard]] const std::vector<Records>& records() const noexcept { return records_; }

 private:
  struct Death {
    std::uint64_t commit = 0;
    When when = When::before;
  };
  journal::MemoryStore disk_;
  std::optional<Death> death_;
  bool dead_ = false;
  bool lost_last_ = false;
  std::uint64_t commits_ = 0;
  std::vector<Records> records_;
};

}  // namespace perdure::actors
