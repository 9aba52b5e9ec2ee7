#include "journal/lmdb_env.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <map>
#include <utility>

#include "core/assert.hpp"
#include "journal/descriptor.hpp"
#include "journal/file_system.hpp"
#include "journal/lmdb_file.hpp"

namespace perdure::journal {
namespace {

constexpr MDB_dbi kMaxTables = 32;
constexpr mdb_mode_t kFileMode = 0600;
/// Below this a journal is not worth opening.
constexpr std::size_t kMapBytesMin = std::size_t{16} << 20U;
/// Read transactions kept for reuse; each holds a place in the reader table.
constexpr std::size_t kFreeSlots = 32;
constexpr std::array kTables{Table::meta,    Table::sessions, Table::keys,     Table::runs,
                             Table::records, Table::ready,    Table::due,      Table::attempts,
                             Table::open,    Table::inbox,    Table::kept,     Table::waits,
                             Table::state,   Table::before,   Table::children, Table::rows,
                             Table::budgets, Table::usage,    Table::sagas,    Table::undos};
static_assert(kTables.size() == kTableCount);

unsigned flags_of(LmdbAccess access) noexcept {
  switch (access) {
    case LmdbAccess::write: return MDB_NOTLS;
    case LmdbAccess::read: return MDB_NOTLS | MDB_RDONLY;
    case LmdbAccess::read_without_lock: return MDB_NOTLS | MDB_RDONLY | MDB_NOLOCK;
  }
  return 0;
}

}  // namespace

const char* lmdb_name(Table table) noexcept {
  return table == Table::meta ? nullptr : to_string(table).data();
}

LmdbReadSlot::~LmdbReadSlot() {
  for (std::vector<MDB_cursor*>& table : cursors)
    for (MDB_cursor* cursor : table) mdb_cursor_close(cursor);
  if (txn != nullptr) mdb_txn_abort(txn);
}

/// Which files this process has open. An entry lives until its environment is closed, not only
/// until the last user lets go of it: a file opened in between would lose its locks by that close.
struct LmdbEnv::Registry {
  using File = std::pair<dev_t, ino_t>;
  struct Entry {
    std::weak_ptr<LmdbEnv> env;
    pid_t process;
  };
  std::mutex mutex;
  std::condition_variable closed;
  std::map<File, Entry> files;
};

LmdbEnv::Registry& LmdbEnv::registry() {
  static Registry files;
  return files;
}

LmdbEnv::LmdbEnv(std::filesystem::path directory, LmdbAccess access)
    : directory_(std::move(directory)), access_(access), process_(::getpid()) {}

Result<std::shared_ptr<LmdbEnv>> LmdbEnv::open(const std::filesystem::path& directory,
                                               LmdbAccess access, const LmdbOptions& options) {
  const std::filesystem::path file = directory / "data.mdb";
  struct stat status{};
  if (::stat(file.c_str(), &status) != 0) {
    const int why = errno;
    return Error{why == ENOENT || why == ENOTDIR ? Code::not_found : Code::misuse,
                 "'" + file.string() + "' can't be opened: " + std::strerror(why)};
  }
  std::shared_ptr<LmdbEnv> shared;  // Released after the lock, since its end takes the lock.
  Registry& known = registry();
  std::unique_lock lock(known.mutex);
  const Registry::File id{status.st_dev, status.st_ino};
  for (;;) {
    const auto found = known.files.find(id);
    if (found == known.files.end()) break;
    if (found->second.process != ::getpid()) {
      known.files.erase(found);  // Of the process that forked this one off.
      break;
    }
    shared = found->second.env.lock();
    if (shared == nullptr) {
      known.closed.wait(lock);
      continue;
    }
    if (access == LmdbAccess::write) PERDURE_TRY(shared->claim_writer());
    return shared;
  }
  PERDURE_TRY(inspect_lmdb_file(file));
  auto env = std::make_shared<LmdbEnv>(directory, access);
  const Result<void> started = env->start(options);
  if (!started) {
    lock.unlock();
    return started.error();
  }
  known.files[id] = {env, ::getpid()};
  env->file_ = id;
  env->written_ = access == LmdbAccess::write;
  return env;
}

Result<void> LmdbEnv::claim_writer() {
  const std::string file = "'" + (directory_ / "data.mdb").string() + "'";
  if (access_ != LmdbAccess::write)
    return Error{Code::misuse, file +
                                   " is open for reading in this process, which keeps it from "
                                   "being opened for writing: close the readers first, or open "
                                   "for writing before reading"};
  if (written_)
    return Error{Code::held, file + " is open for writing in this process already: use that one"};
  if (failed_)
    return Error{Code::storage_failed, file +
                                           " had a failed write in this process, whose readers "
                                           "still have it open: close them, or restart"};
  written_ = true;
  return success();
}

void LmdbEnv::release_writer() noexcept {
  const std::lock_guard lock(registry().mutex);
  written_ = false;
}

/// LMDB writes the reader table through a map of a file with holes: on a full disk that would end
/// the process with SIGBUS. So its blocks are allocated before LMDB opens it (afterwards, closing
/// another descriptor of it would drop LMDB's lock).
Result<void> LmdbEnv::reserve_lock_file() const {
  constexpr off_t kMostBytes = off_t{96} * (LmdbStore::kMaxReaders + 16);
  const std::filesystem::path path = directory_ / "lock.mdb";
  const Descriptor file(path, O_RDWR | O_CREAT, kFileMode);
  // What is wrong with it LMDB finds as well, and knows what does no harm.
  if (file.number() < 0) return success();
  if (::fallocate(file.number(), FALLOC_FL_KEEP_SIZE, 0, kMostBytes) == 0) return success();
  if (errno == ENOSPC || errno == EDQUOT) return file_error(path, "written", errno);
  return success();  // The file system can't allocate ahead.
}

Result<void> LmdbEnv::start(const LmdbOptions& options) {
  if (access_ != LmdbAccess::read_without_lock) PERDURE_TRY(reserve_lock_file());
  std::size_t bytes = options.map_bytes;
  int code = map(flags_of(access_), bytes);
  // Where address space is limited (ulimit -v, sanitizers) less is asked for.
  while (code == ENOMEM && bytes / 2 >= kMapBytesMin) {
    bytes /= 2;
    code = map(flags_of(access_), bytes);
  }
  if (code != 0) return error(code, "opening");
  int file = -1;
  if (mdb_env_get_fd(env_, &file) == 0) ::fcntl(file, F_SETFD, FD_CLOEXEC);
  if (access_ != LmdbAccess::read_without_lock) {
    int dead = 0;
    mdb_reader_check(env_, &dead);
  }
  return success();
}

Result<void> LmdbEnv::need_tables() {
  // Nobody may begin to read while LMDB's list of tables grows.
  const std::lock_guard lock(slots_mutex_);
  if (has_tables_) return success();
  PERDURE_TRY(open_tables(access_ == LmdbAccess::write ? 0U : unsigned{MDB_RDONLY}));
  has_tables_ = true;
  return success();
}

/// A new environment, since LMDB wants a failed one to be closed.
int LmdbEnv::map(unsigned flags, std::size_t bytes) {
  if (env_ != nullptr) mdb_env_close(env_);
  env_ = nullptr;
  if (const int code = mdb_env_create(&env_); code != 0) return code;
  PERDURE_ASSERT(mdb_env_set_maxdbs(env_, kMaxTables) == 0, "before the open");
  PERDURE_ASSERT(mdb_env_set_maxreaders(env_, LmdbStore::kMaxReaders) == 0, "before the open");
  PERDURE_ASSERT(mdb_env_set_mapsize(env_, bytes) == 0, "before the open");
  return mdb_env_open(env_, directory_.c_str(), flags, kFileMode);
}

Result<void> LmdbEnv::open_tables(unsigned flags) {
  MDB_txn* txn = nullptr;
  int code = mdb_txn_begin(env_, nullptr, flags & MDB_RDONLY, &txn);
  if (code != 0) return error(code, "opening");
  for (const Table table : kTables) {
    MDB_dbi& handle = tables_[static_cast<std::size_t>(table) - 1];
    code = mdb_dbi_open(txn, lmdb_name(table), flags & MDB_CREATE, &handle);
    if (code == 0) continue;
    mdb_txn_abort(txn);
    if (code == MDB_NOTFOUND || code == MDB_INCOMPATIBLE)
      return Error{Code::corrupt, "'" + (directory_ / "data.mdb").string() + "' has no table '" +
                                      std::string(to_string(table)) +
                                      "': it is not a journal's file"};
    return error(code, "opening the tables of");
  }
  code = mdb_txn_commit(txn);
  if (code != 0) return error(code, "opening the tables of");
  return success();
}

Result<void> LmdbEnv::create(const std::filesystem::path& directory) {
  LmdbEnv env(directory, LmdbAccess::write);
  PERDURE_TRY(env.reserve_lock_file());
  // A small map: the file is opened again with the real one.
  if (const int code = env.map(MDB_NOTLS, kMapBytesMin); code != 0)
    return env.error(code, "creating");
  return env.open_tables(MDB_CREATE);
}

LmdbEnv::~LmdbEnv() {
  if (env_ == nullptr) return;
  // In a process that was forked off, closing would free the parent's places in the reader table.
  if (process_ != ::getpid()) {
    for (std::unique_ptr<LmdbReadSlot>& slot : free_slots_) [[maybe_unused]]
      const auto* const leaked = slot.release();
    return;
  }
  Registry& known = registry();
  const std::lock_guard lock(known.mutex);
  free_slots_.clear();
  mdb_env_close(env_);
  if (!file_) return;
  known.files.erase(*file_);
  known.closed.notify_all();
}

Result<void> LmdbEnv::check_process() const {
  if (process_ == ::getpid()) return success();
  return Error{Code::misuse, "the journal '" + directory_.string() + "' was opened by process " +
                                 std::to_string(process_) + " and can't be used in the process " +
                                 std::to_string(::getpid()) +
                                 " that it forked off: open it there again"};
}

Error LmdbEnv::error(int code, std::string_view doing) const {
  const std::string what = std::string(doing) + " '" + (directory_ / "data.mdb").string() +
                           "' failed: " + mdb_strerror(code);
  switch (code) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return {Code::storage_full, what + ". Free room (or raise the quota) and work goes on"};
    case MDB_MAP_FULL:
      return {Code::storage_full,
              what + ". The process may not map more address space: raise ulimit -v and restart"};
    case MDB_READERS_FULL:
      return {Code::misuse, what + ". At most " + std::to_string(LmdbStore::kMaxReaders) +
                                " snapshots of one journal are open at once, in all processes "
                                "together: close some"};
    case EACCES:
    case EPERM:
      return {Code::misuse, what +
                                ". Run as the journal's owner, or give this user the right to "
                                "read data.mdb and to write lock.mdb"};
    case EROFS: return {Code::misuse, what + ". Open it for reading, or mount it writable"};
    case MDB_VERSION_MISMATCH:
      return {Code::newer_format, what + ". It was made with another version of LMDB"};
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
      return {Code::corrupt,
              what + ". The file is damaged: run 'perdure verify', restore a backup"};
    default: return {Code::storage_failed, what + ". Check the disk, then restart"};
  }
}

int LmdbEnv::begin_read(LmdbReadSlot& slot) {
  return slot.txn != nullptr ? mdb_txn_renew(slot.txn)
                             : mdb_txn_begin(env_, nullptr, MDB_RDONLY, &slot.txn);
}

/// Another process has written beyond this one's map. Maps more, when nobody reads in the old one.
int LmdbEnv::follow_growth() {
  if (slots_in_use_ != 0) return MDB_MAP_RESIZED;
  MDB_envinfo info{};
  mdb_env_info(env_, &info);
  if (mdb_env_set_mapsize(env_, 0) == 0) return 0;
  // The writer's whole map is more than this process may have; what is used may not be.
  return mdb_env_set_mapsize(env_, info.me_mapsize * 2);
}

Result<std::unique_ptr<LmdbReadSlot>> LmdbEnv::take_slot() {
  PERDURE_TRY(check_process());
  const std::lock_guard lock(slots_mutex_);
  std::unique_ptr<LmdbReadSlot> slot;
  if (free_slots_.empty()) {
    slot = std::make_unique<LmdbReadSlot>();
  } else {
    slot = std::move(free_slots_.back());
    free_slots_.pop_back();
  }
  int code = begin_read(*slot);
  if (code == MDB_READERS_FULL) {
    int dead = 0;
    if (mdb_reader_check(env_, &dead) == 0 && dead > 0) code = begin_read(*slot);
  }
  if (code == MDB_MAP_RESIZED) {
    free_slots_.clear();
    code = follow_growth();
    if (code == 0) code = begin_read(*slot);
    if (code == MDB_MAP_RESIZED)
      return Error{Code::misuse, "the journal '" + directory_.string() +
                                     "' has grown beyond what this process has mapped: close its "
                                     "other snapshots, then take a new one"};
  }
  if (code != 0) return error(code, "reading");
  ++slots_in_use_;
  return slot;
}

void LmdbEnv::give_slot(std::unique_ptr<LmdbReadSlot> slot) noexcept {
  if (process_ != ::getpid()) {
    [[maybe_unused]] const auto* const leaked = slot.release();
    return;
  }
  mdb_txn_reset(slot->txn);
  const std::lock_guard lock(slots_mutex_);
  --slots_in_use_;
  if (free_slots_.size() < kFreeSlots) free_slots_.push_back(std::move(slot));
}

}  // namespace perdure::journal
