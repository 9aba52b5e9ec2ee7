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

  /// What the log has that the tables don't, and whether it ends where its chain ends. While it is
  /// written the end can't be looked at, so there is no damage then; nor when somebody begins to
  /// write meanwhile. Errors: as `snapshot`.
  struct Report {
    std::uint64_t batches = 0;
    std::uint64_t bytes = 0;  ///< Of their entries.
    std::optional<WalFile::Damage> damage;
  };
  [[nodiscard]] Result<Report> check(bool is_written);
  /// As WalFile::error.
  [[nodiscard]] Error error(const WalFile::Damage& damage) const { return file_->error(damage); }

 private:
  const std::unique_ptr<WalFile> file_;
  Store& below_;
};

}  // namespace perdure::journal
