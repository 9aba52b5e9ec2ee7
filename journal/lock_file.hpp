/// The writer's lock: the file LOCK of a journal directory.
///
/// What this is: an open file description lock (F_OFD_SETLK) on LOCK, and who holds it, in words.
/// What it promises: while it lives nobody else gets it, also not in the same process; it ends with
/// the process, however that ends. The words are those of the last holder, and mean something only
/// while the lock is held.
/// What it does not: end at a `fork`; a child shares it until it execs or ends.
#pragma once

#include <perdure/result.hpp>

#include "core/clock.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace perdure::journal {

class LockFile {
  struct Private {};

 public:
  /// Errors: `held` naming the holder, `misuse` (no permission, read-only file system),
  /// `storage_full`, `storage_failed`, `unsupported` (no such locks here).
  [[nodiscard]] static Result<std::unique_ptr<LockFile>> acquire(
      const std::filesystem::path& directory, core::Clock& clock);

  /// Who holds the lock now, e.g. `process 4711 (/usr/bin/trips, since 2026-11-21 07:00:00 UTC)`;
  /// empty when nobody does. Errors: `misuse` when it can't be told (no permission).
  [[nodiscard]] static Result<std::optional<std::string>> holder(
      const std::filesystem::path& directory);

  /// For `acquire` only.
  LockFile(Private, int descriptor) noexcept : descriptor_(descriptor) {}
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;
  ~LockFile();

 private:
  const int descriptor_;
};

}  // namespace perdure::journal
