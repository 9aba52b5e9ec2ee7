/// One LMDB environment, as this process shares it.
///
/// What this is: the file opened and mapped, the handles of its tables, and the pool of read
/// transactions. Private to the LMDB store.
/// What it promises: one environment a file and process (a registry by device and inode); nothing
/// is done to it by a process that forked it off.
/// What it does not: order writers.
#pragma once

#include <perdure/result.hpp>

#include <lmdb.h>
#include <sys/types.h>

#include "journal/lmdb_store.hpp"

#include <array>
#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace perdure::journal {

/// The name of a table's database; null for `meta`, which has none.
[[nodiscard]] const char* lmdb_name(Table table) noexcept;

/// A read transaction and cursors of it that are not in use.
struct LmdbReadSlot {
  LmdbReadSlot() = default;
  LmdbReadSlot(const LmdbReadSlot&) = delete;
  LmdbReadSlot& operator=(const LmdbReadSlot&) = delete;
  /// Ends the transaction, which frees its place in the reader table.
  ~LmdbReadSlot();

  MDB_txn* txn = nullptr;
  std::array<std::vector<MDB_cursor*>, kTableCount> cursors;
};

/// Thread: any, as LMDB says of environments.
class LmdbEnv {
 public:
  /// Makes new files with all tables, synced. Errors as LmdbStore::create.
  [[nodiscard]] static Result<void> create(const std::filesystem::path& directory);
  [[nodiscard]] static Result<std::shared_ptr<LmdbEnv>> open(const std::filesystem::path& directory,
                                                             LmdbAccess access,
                                                             const LmdbOptions& options);
  /// Finds the tables, if nobody has yet: until then no page but the meta pages is touched. Errors:
  /// `corrupt` when there is no such table; those of reading.
  [[nodiscard]] Result<void> need_tables();
  explicit LmdbEnv(std::filesystem::path directory, LmdbAccess access);
  LmdbEnv(const LmdbEnv&) = delete;
  LmdbEnv& operator=(const LmdbEnv&) = delete;
  ~LmdbEnv();

  [[nodiscard]] MDB_env* handle() const noexcept { return env_; }
  [[nodiscard]] MDB_dbi table(Table table) const noexcept {
    return tables_[static_cast<std::size_t>(table) - 1];
  }
  /// Ends the claim of whoever opened this for writing.
  void release_writer() noexcept;
  /// No more writers: something is unclear about the file.
  void fail() noexcept { failed_ = true; }
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  /// `misuse` in a process that was forked off the one that opened this.
  [[nodiscard]] Result<void> check_process() const;
  /// What an LMDB error means; `doing` as in "while ...".
  [[nodiscard]] Error error(int code, std::string_view doing) const;

  /// A transaction that sees the tables as they are now.
  [[nodiscard]] Result<std::unique_ptr<LmdbReadSlot>> take_slot();
  void give_slot(std::unique_ptr<LmdbReadSlot> slot) noexcept;

 private:
  struct Registry;
  static Registry& registry();
  Result<void> claim_writer();
  Result<void> start(const LmdbOptions& options);
  [[nodiscard]] Result<void> reserve_lock_file() const;
  int map(unsigned flags, std::size_t bytes);
  Result<void> open_tables(unsigned flags);
  int begin_read(LmdbReadSlot& slot);
  int follow_growth();

  const std::filesystem::path directory_;
  const LmdbAccess access_;
  const pid_t process_;
  MDB_env* env_ = nullptr;
  std::array<MDB_dbi, kTableCount> tables_{};
  std::optional<std::pair<dev_t, ino_t>> file_;  ///< Once the registry has it.

  bool written_ = false;  ///< Somebody has it for writing. Under the registry's lock.
  std::atomic<bool> failed_{false};

  std::mutex slots_mutex_;
  bool has_tables_ = false;
  std::vector<std::unique_ptr<LmdbReadSlot>> free_slots_;
  std::size_t slots_in_use_ = 0;
};

}  // namespace perdure::journal
