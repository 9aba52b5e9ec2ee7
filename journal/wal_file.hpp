/// The file of the write-ahead log.
///
/// What this is: entries in a file of limited size, and the chain that they form: each names the
/// one before by number and checksum, and stands behind it or at the beginning of the file.
/// What it promises: what `follow` gives is the chain from a position on, whole entries in order,
/// up to the first that is not there. A write that fails leaves nothing that `follow` would take.
/// What it does not: decide which entries are still needed (wal_store.hpp).
///
///     offset 0      header: whose log this is
///     offset 4096   entries, each at a multiple of 4096; zeros, and what is left of old ones
#pragma once

#include <perdure/result.hpp>

#include "core/bytes.hpp"
#include "journal/descriptor.hpp"
#include "journal/store.hpp"
#include "journal/wal_entry.hpp"

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace perdure::journal {

/// Behind which entry somebody stands in the chain, and where the next one would be if not at
/// WalFile::kFirst.
struct WalPosition {
  std::uint64_t batch = 0;
  std::uint64_t checksum = 0;
  std::uint64_t place = 0;
  friend bool operator==(const WalPosition&, const WalPosition&) = default;
};

/// Thread: `follow` and `find_later` any; the rest one at a time.
class WalFile {
  struct Private {};

 public:
  /// The name in its directory.
  static constexpr std::string_view kName = "wal";
  /// Where entries begin.
  static constexpr std::uint64_t kFirst = kWalUnit;

  /// Makes the log of a new journal, empty and synced; one that is there is replaced. Errors as
  /// file_error.
  [[nodiscard]] static Result<void> create(const std::filesystem::path& directory,
                                           core::Hash128 journal);
  enum class Access : std::uint8_t { read, write };
  /// Errors: `not_found`, `corrupt` (damaged, or another journal's), `newer_format`, as file_error.
  [[nodiscard]] static Result<std::unique_ptr<WalFile>> open(const std::filesystem::path& directory,
                                                             core::Hash128 journal, Access access);
  /// For `open` only.
  WalFile(Private, std::filesystem::path path, core::Hash128 journal, int flags);

  /// Calls `take` with each entry of the chain behind `position`; returns the position behind the
  /// last. Errors: as file_error, and those of `take`.
  [[nodiscard]] Result<WalPosition> follow(WalPosition position,
                                           const std::function<Result<void>(WalEntry&&)>& take);

  struct Later {
    std::uint64_t highest_batch = 0;
    /// At the beginning there is something of the entry behind `batch`.
    bool is_first = false;
    /// The place of one that was written when all before it was durable.
    std::optional<std::uint64_t> sure_at;
  };
  /// Entries that hold and are of a later batch than `batch`, anywhere in the file. Behind the end
  /// of the chain there are none, unless power went while commits were not synced, or the chain is
  /// damaged. Errors as file_error.
  [[nodiscard]] Result<Later> find_later(std::uint64_t batch);

  /// What is wrong behind the end of a chain that nobody is writing, or empty: entries that were
  /// written when all before them was durable.
  struct Damage {
    std::uint64_t place = 0;  ///< Where the first entry that is missing would be.
    std::string what;
    std::string remedy;
  };
  [[nodiscard]] std::optional<Damage> damage(const WalPosition& end, const Later& later) const;
  /// `corrupt`, naming the file, what is wrong and the remedy.
  [[nodiscard]] Error error(const Damage& damage) const;

  /// The end of the room for entries; grows by `extend`.
  /// Thread: any.
  [[nodiscard]] std::uint64_t end() const noexcept { return end_.load(); }
  /// Writes zeros up to `end`: a multiple of kWalUnit, above `end()`. What was never written is
  /// slower to sync, even when it is allocated. Errors as file_error; then nothing has changed.
  [[nodiscard]] Result<void> extend(std::uint64_t end);
  /// Writes `entry` at `place`, within `end()`. Errors as file_error; `storage_failed` also when
  /// what a failed write left could not be made invalid.
  [[nodiscard]] Result<void> write(std::uint64_t place, WalEntry& entry);
  /// Errors: `storage_failed`: it is not known what is on the disk.
  [[nodiscard]] Result<void> sync();

  [[nodiscard]] std::uint64_t seed() const noexcept { return seed_; }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  Result<void> check_header(core::Hash128 journal);
  Result<std::optional<WalEntry>> entry_at(std::uint64_t place, const WalPosition& after);
  Result<core::Bytes> read(std::uint64_t place, std::size_t size);

  const std::filesystem::path path_;
  const Descriptor file_;
  const std::uint64_t seed_;
  std::atomic<std::uint64_t> end_ = kFirst;
};

}  // namespace perdure::journal
