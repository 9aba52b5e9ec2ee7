/// Lives of a store with a small write-ahead log, and losses of power in them, one within another.
///
/// What this is: processes (log_workload.cpp) that commit batches, one after the other, on a tapped
/// disk (disk_tap.cpp); power is lost at moments of their lives, and the next process, which brings
/// the log below and goes on, loses power at moments of its own.
/// What it promises: the same plan for the same seed. What is looked at is read in three ways: as a
/// reader does, by another way (log_rows.hpp), and after a writer has opened it.
/// What it does not: run the product above the store (power_loss.hpp does).
#pragma once

#include "core/bytes.hpp"
#include "journal/wal_store.hpp"
#include "tests/crash/disk_model.hpp"
#include "tests/crash/log_batches.hpp"
#include "tests/crash/process.hpp"

#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

namespace perdure::crash {

/// Whose log it is.
inline constexpr core::Hash128 kLogJournal{0x0123'4567'89AB'CDEF, 42};
/// A few batches fill it. Age sets nothing off, so the clock decides nothing.
[[nodiscard]] inline journal::WalOptions small_log() {
  return {.checkpoint_bytes = 64U << 10U,
          .checkpoint_age = std::chrono::hours(1),
          .file_bytes_max = 160U << 10U};
}

/// How a process commits.
enum class LogMode : std::uint8_t { full, none, mixed };

/// One process's life.
struct LogLife {
  LogMode mode = LogMode::full;
  int batches = 0;
  bool settles = false;       ///< All goes into the tables at its end.
  std::string crash_at = {};  ///< As Plan.
  long kill_at = 0;           ///< Behind this record of the disk's log. 0: not.
};

/// A generation directory and what is known of it outside. `root()` is on a disk whose changes are
/// in `disk_log()`.
class LogLives {
 public:
  /// Makes the files.
  explicit LogLives(std::filesystem::path directory);
  /// Goes on with a copy of `image`, of which `known` is known.
  LogLives(std::filesystem::path directory, const std::filesystem::path& image, KnownBatches known);

  /// One life, to its end, and a look at what it leaves.
  Outcome live(const LogLife& life);

  [[nodiscard]] std::filesystem::path root() const { return directory_ / "disk"; }
  [[nodiscard]] std::filesystem::path disk_log() const { return directory_ / "log"; }
  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }
  [[nodiscard]] const KnownBatches& known() const { return known_; }
  [[nodiscard]] const std::vector<std::string>& findings() const { return findings_; }

 private:
  std::filesystem::path directory_;
  KnownBatches known_;
  std::size_t known_bytes_ = 0;  ///< Of the notes, that `known_` has.
  int lives_ = 0;
  std::vector<std::string> findings_;
};

/// What is wrong with the generation in `image`; with a copy of it, where something writes.
/// `with_all_committed` as KnownBatches. In a process of its own.
[[nodiscard]] std::vector<std::string> look_at_log(const std::filesystem::path& image,
                                                   const KnownBatches& known,
                                                   bool with_all_committed);

/// A story drawn from a seed: lives, and losses of power at about `losses` moments of them; from
/// some of the disks another process goes on and loses power again, `depth` times. What was found,
/// with the plan; empty when all is well.
[[nodiscard]] std::string lose_power_of_logs(const std::filesystem::path& directory,
                                             std::uint64_t seed, std::size_t losses, int depth,
                                             Syncs syncs = Syncs::honoured);

}  // namespace perdure::crash
