/// One generation of a journal: its tables and its log, together.
///
/// What this is: the files of one generation directory (data.mdb, lock.mdb, wal) as one Store.
/// What it promises: what WalStore and WalReader do; files that are missing or don't belong
/// together are refused.
/// What it does not: find the generation or keep out a second writer (directory.hpp does).
#pragma once

#include <perdure/result.hpp>

#include "core/clock.hpp"
#include "core/random.hpp"
#include "journal/lmdb_store.hpp"
#include "journal/store.hpp"
#include "journal/wal_reader.hpp"
#include "journal/wal_store.hpp"

#include <filesystem>
#include <memory>

namespace perdure::journal {

/// Thread: `store()` as Store says; the rest one at a time.
class Generation {
 public:
  /// Makes the files of a new journal in `directory`, which exists and is empty, each synced.
  /// Errors: as LmdbStore, CountedStore::create and WalFile.
  [[nodiscard]] static Result<void> create(const std::filesystem::path& directory,
                                           core::Clock& clock, core::Random& random);
  /// What the last process left in the log is in the tables afterwards. Errors: as LmdbStore::open
  /// and WalStore::open; `corrupt` where a file is missing.
  [[nodiscard]] static Result<std::unique_ptr<Generation>> open_for_writing(
      const std::filesystem::path& directory);
  /// `access` is not `write`. Errors: as above, but that damage behind the end of the log is told
  /// by `check_log` only.
  [[nodiscard]] static Result<std::unique_ptr<Generation>> open_for_reading(
      const std::filesystem::path& directory, LmdbAccess access);

  [[nodiscard]] Store& store() noexcept {
    return log_ ? static_cast<Store&>(*log_) : static_cast<Store&>(*reader_);
  }
  /// Brings all of the log into the tables. Open for writing. Errors: as Store::commit.
  [[nodiscard]] Result<void> settle() { return log_->checkpoint(); }

  /// Open for reading. See WalReader::check.
  [[nodiscard]] Result<WalReader::Report> check_log(bool is_written) {
    return reader_->check(is_written);
  }
  /// `corrupt` when `check_log` finds damage.
  [[nodiscard]] Result<void> need_sound_log(bool is_written);

 private:
  std::unique_ptr<LmdbStore> tables_;
  std::unique_ptr<WalStore> log_;  ///< Open for writing; else `reader_`.
  std::unique_ptr<WalReader> reader_;
};

}  // namespace perdure::journal
