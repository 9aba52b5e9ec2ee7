/// The LMDB store: a journal's tables in one LMDB file.
///
/// What this is: Store over the files data.mdb and lock.mdb of one directory. Each table is a named
/// database in it, but for `meta`, whose rows stand in the unnamed one: every commit writes that
/// page anyway, so the counters cost no page of their own.
/// What it promises: the contract of Store, and more: each commit is synced, in durability `none`
/// too, because LMDB without syncs may lose all of the file to a power loss and not only the newest
/// commits; a file that is shorter than its meta page says is refused before it is mapped; one
/// process never has the same file open twice (a second opening shares the first or is refused),
/// because closing one would drop the other's locks; use after `fork` is refused.
/// What it does not: keep out a second writing process (directory.hpp does), or check pages.
#pragma once

#include "journal/store.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace perdure::journal {

class LmdbEnv;
struct LmdbReadSlot;

enum class LmdbAccess : std::uint8_t {
  write,
  read,
  /// Without LMDB's reader table, so only while nobody writes: for who may not write lock.mdb.
  read_without_lock,
};

struct LmdbOptions {
  /// Address space to map, in bytes; halved until the system grants it. The file can't grow beyond.
  std::size_t map_bytes = std::size_t{1} << 40U;
};

/// Thread: as Store says.
class LmdbStore final : public Store {
  struct Private {};

 public:
  /// Snapshots that may be open at once, those of all processes together.
  static constexpr unsigned kMaxReaders = 510;

  /// Makes the files in `directory`, which exists and has none, with all tables, empty and synced.
  /// Errors: `storage_full`, `storage_failed`, `misuse` (no permission).
  [[nodiscard]] static Result<void> create(const std::filesystem::path& directory);
  /// Errors: `not_found` (no files there), `corrupt`, `misuse` (no permission, or this process has
  /// the file open in a way that excludes this one), `held` (this process writes it already),
  /// `storage_failed`. Messages name the file and the remedy.
  [[nodiscard]] static Result<std::unique_ptr<LmdbStore>> open(
      const std::filesystem::path& directory, LmdbAccess access, LmdbOptions options = {});
  /// For `open` only.
  LmdbStore(Private, std::shared_ptr<LmdbEnv> env, LmdbAccess access);
  ~LmdbStore() override;

  [[nodiscard]] Result<void> commit(std::span<const Mutation> batch,
                                    Durability durability) override;
  [[nodiscard]] Result<std::unique_ptr<Snapshot>> snapshot() override;
  [[nodiscard]] std::optional<std::string> pinned_by() const override;

  /// A snapshot that is open somewhere.
  struct OpenSnapshot {
    long process = 0;
    std::uint64_t behind = 0;  ///< Commits since it was taken. None of their pages is used again.
  };
  /// Those of all processes, dead ones too until their places are freed.
  [[nodiscard]] std::vector<OpenSnapshot> open_snapshots() const;
  /// A snapshot that is so many commits behind is worth telling (`pinned_by`), and the writer frees
  /// the places of dead processes as often. A commit is a checkpoint of the log: one a second, or
  /// one for some megabytes, each with thousands of pages that a snapshot keeps from being used
  /// again. So this is half a minute of a journal with little to do, and some hundred megabytes
  /// that the file of a busy one may grow before somebody is named. Readers that renew their
  /// snapshot each second (renewing_store.hpp) stay below it: a busy journal makes ten checkpoints
  /// or so meanwhile.
  static constexpr std::uint64_t kManyCommits = 32;

  struct Figures {
    std::size_t map_bytes = 0;
    std::size_t used_bytes = 0;  ///< Of the file, up to the last page that was ever used.
    unsigned reader_slots = 0;   ///< In use, snapshots of all processes and kept ones together.
  };
  [[nodiscard]] Figures figures() const;

 private:
  Result<void> write(std::span<const Mutation> batch);
  Error note_failure(Error why);

  std::shared_ptr<LmdbEnv> env_;
  const LmdbAccess access_;
  std::uint64_t commits_ = 0;
  bool was_full_ = false;  ///< The last commit found the disk full.
};

/// A read transaction, and nothing read in it: while it is held, no writer reuses the pages that
/// the file had at its beginning, so that somebody else can read them. Maps the file, but touches
/// its meta pages only. Thread: one at a time.
class LmdbHold {
 public:
  /// `access` is not `write`. Errors as LmdbStore::open.
  [[nodiscard]] static Result<std::unique_ptr<LmdbHold>> open(
      const std::filesystem::path& directory, LmdbAccess access);
  /// For `open` only.
  explicit LmdbHold(std::shared_ptr<LmdbEnv> env);
  LmdbHold(const LmdbHold&) = delete;
  LmdbHold& operator=(const LmdbHold&) = delete;
  ~LmdbHold();
  /// Lets go of the transaction that is held, if one is, and holds the newest one: its number.
  /// Errors: as Store::snapshot.
  [[nodiscard]] Result<std::uint64_t> renew();

 private:
  void let_go() noexcept;

  std::shared_ptr<LmdbEnv> env_;
  std::unique_ptr<LmdbReadSlot> slot_;
};

}  // namespace perdure::journal
