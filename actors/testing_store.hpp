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
#include <functional>
#include <map>
#include <memory>
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

  [[nodiscard]] journal::Blobs* blobs() noexcept override { return disk_.blobs(); }

  /// The process dies at the commit of this number, the store's first one being 1.
  /// Several may be ordered, for several processes.
  void die_at(std::uint64_t commit, When when) { deaths_[commit] = when; }
  /// The process dies here.
  void die() { dead_ = true; }
  [[nodiscard]] bool dead() const noexcept { return dead_; }
  /// Another process begins.
  void revive() { dead_ = false; }
  /// `tell` is called whenever a commit has reached the disk.
  void on_kept(std::function<void()> tell) { kept_ = std::move(tell); }
  /// How many were begun.
  [[nodiscard]] std::uint64_t commits() const noexcept { return commits_; }

  /// The records of each commit so far: run and index.
  using Records = std::vector<std::pair<RunId, std::uint32_t>>;
  [[nodiscard]] const std::vector<Records>& records() const noexcept { return records_; }

 private:
  journal::MemoryStore disk_;
  std::map<std::uint64_t, When> deaths_;
  bool dead_ = false;
  std::function<void()> kept_;
  std::uint64_t commits_ = 0;
  std::vector<Records> records_;
};

}  // namespace perdure::actors
