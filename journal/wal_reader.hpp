/// A journal with a log, for reading.
///
/// What this is: a Store for who does not write: snapshots of the tables, with the batches on top
/// that are only in the log.
/// What it promises: a snapshot has everything that was durable when it was taken, also while the
/// writer writes and moves batches, and when it has died.
/// What it does not: commit, or change anything.
#pragma once

#include <perdure/result.hpp>

#include "core/bytes.hpp"
#include "journal/store.hpp"
#include "journal/wal_file.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace perdure::journal {

/// Thread: as Store says.
class WalReader final : public Store {
 public:
  /// The log in `directory`, over `below`, which outlives this store. Errors: as WalFile::open;
  /// `corrupt` too without a log.
  [[nodiscard]] static Result<std::unique_ptr<WalReader>> open(
      const std::filesystem::path& directory, core::Hash128 journal, Store& below);
  /// For `open` only.
  WalReader(std::unique_ptr<WalFile> file, Store& below) : file_(std::move(file)), below_(below) {}

  /// `misuse`: it is for reading.
  [[nodiscard]] Result<void> commit(std::span<const Mutation> batch,
                                    Durability durability) override;
  [[nodiscard]] Result<std::unique_ptr<Snapshot>> snapshot() override;
  [[nodiscard]] std::optional<std::string> pinned_by() const override { return below_.pinned_by(); }

  /// Whether the log ends where its chain ends. Only while nobody writes. Errors: `corrupt`, and
  /// those of `snapshot`.
  [[nodiscard]] Result<void> check();

 private:
  const std::unique_ptr<WalFile> file_;
  Store& below_;
};

}  // namespace perdure::journal
