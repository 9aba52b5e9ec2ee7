#include "journal/lmdb_store.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sstream>
#include <utility>

#include "core/assert.hpp"
#include "core/crash_point.hpp"
#include "journal/lmdb_env.hpp"

namespace perdure::journal {
namespace {

MDB_val value_of(core::ByteView bytes) noexcept {
  // LMDB takes what it only reads as void*.
  return {bytes.size(), const_cast<std::byte*>(bytes.data())};
}
core::ByteView view_of(const MDB_val& value) noexcept {
  return {static_cast<const std::byte*>(value.mv_data), value.mv_size};
}

class LmdbCursor final : public Cursor {
 public:
  LmdbCursor(LmdbEnv& env, LmdbReadSlot& slot, Table table, MDB_cursor* cursor, const Key& from,
             const Key& prefix)
      : env_(env), slot_(slot), table_(table), cursor_(cursor), from_(from), prefix_(prefix) {}
  LmdbCursor(const LmdbCursor&) = delete;
  LmdbCursor& operator=(const LmdbCursor&) = delete;
  ~LmdbCursor() override { slot_.cursors[static_cast<std::size_t>(table_) - 1].push_back(cursor_); }

  Result<bool> next() override {
    if (place_ == Place::end) return false;
    const MDB_cursor_op how = place_ == Place::start ? MDB_SET_RANGE : MDB_NEXT;
    if (place_ == Place::start) key_ = value_of(from_.view());
    // MDB_SET_RANGE does not take an empty key.
    const bool at_first = place_ == Place::start && key_.mv_size == 0;
    place_ = Place::row;
    const int code = mdb_cursor_get(cursor_, &key_, &value_, at_first ? MDB_FIRST : how);
    if (code == 0 && belongs()) return true;
    place_ = Place::end;
    if (code == 0 || code == MDB_NOTFOUND) return false;
    return env_.error(code, "reading");
  }
  core::ByteView key() const override { return view_of(key_); }
  core::ByteView value() const override { return view_of(value_); }

 private:
  enum class Place : std::uint8_t { start, row, end };

  [[nodiscard]] bool belongs() const noexcept {
    const core::ByteView prefix = prefix_.view();
    if (key_.mv_size < prefix.size()) return false;
    if (!prefix.empty() && std::memcmp(key_.mv_data, prefix.data(), prefix.size()) != 0)
      return false;
    // Behind the rows of `meta` stand the names of the other tables; no name begins with a zero.
    return table_ != Table::meta || (key_.mv_size != 0 && view_of(key_).front() == std::byte{0});
  }

  LmdbEnv& env_;
  LmdbReadSlot& slot_;
  const Table table_;
  MDB_cursor* const cursor_;
  Place place_ = Place::start;
  const Key from_;
  const Key prefix_;
  MDB_val key_{};
  MDB_val value_{};
};

class LmdbSnapshot final : public Snapshot {
 public:
  LmdbSnapshot(std::shared_ptr<LmdbEnv> env, std::unique_ptr<LmdbReadSlot> slot)
      : env_(std::move(env)), slot_(std::move(slot)) {}
  LmdbSnapshot(const LmdbSnapshot&) = delete;
  LmdbSnapshot& operator=(const LmdbSnapshot&) = delete;
  ~LmdbSnapshot() override { env_->give_slot(std::move(slot_)); }

  Result<std::optional<core::ByteView>> get(Table table, const Key& key) override {
    MDB_val wanted = value_of(key.view());
    MDB_val value{};
    const int code = mdb_get(slot_->txn, env_->table(table), &wanted, &value);
    if (code == 0) return view_of(value);
    if (code == MDB_NOTFOUND) return std::nullopt;
    return env_->error(code, "reading");
  }

  Result<std::unique_ptr<Cursor>> scan(Table table, const Key& from, const Key& prefix) override {
    std::vector<MDB_cursor*>& spare = slot_->cursors[static_cast<std::size_t>(table) - 1];
    MDB_cursor* cursor = nullptr;
    int code = 0;
    if (spare.empty()) {
      code = mdb_cursor_open(slot_->txn, env_->table(table), &cursor);
    } else {
      cursor = spare.back();
      spare.pop_back();
      code = mdb_cursor_renew(slot_->txn, cursor);
      if (code != 0) mdb_cursor_close(cursor);
    }
    if (code != 0) return env_->error(code, "reading");
    return std::make_unique<LmdbCursor>(*env_, *slot_, table, cursor, std::max(from, prefix),
                                        prefix);
  }

 private:
  std::shared_ptr<LmdbEnv> env_;
  std::unique_ptr<LmdbReadSlot> slot_;
};

/// One table's part of a batch. A cursor finds the next key near the one before, since both are
/// sorted.
int write_table(MDB_txn* txn, MDB_dbi table, std::span<const Mutation> part) {
  MDB_cursor* cursor = nullptr;
  int code = mdb_cursor_open(txn, table, &cursor);
  if (code != 0) return code;
  for (const Mutation& mutation : part) {
    MDB_val key = value_of(mutation.key.view());
    if (mutation.kind == Mutation::Kind::put) {
      MDB_val value = value_of(mutation.value);
      code = mdb_cursor_put(cursor, &key, &value, 0);
    } else {
      code = mdb_cursor_get(cursor, &key, nullptr, MDB_SET);
      if (code == 0)
        code = mdb_cursor_del(cursor, 0);
      else if (code == MDB_NOTFOUND)
        code = 0;
    }
    if (code != 0) break;
  }
  mdb_cursor_close(cursor);
  return code;
}

/// Whether the file can't grow by what a batch may take.
bool lacks_room(MDB_env* env, std::span<const Mutation> batch) {
  constexpr std::size_t kPageBytes = 4096;
  std::size_t bytes = 64 * kPageBytes;
  for (const Mutation& mutation : batch) bytes += kPageBytes + 2 * mutation.value.size();
  int file = -1;
  struct stat status{};
  if (mdb_env_get_fd(env, &file) != 0 || ::fstat(file, &status) != 0) return false;
  if (::fallocate(file, 0, status.st_size, static_cast<off_t>(bytes)) == 0) {
    // Room there is; it is given back, since a file's length tells whether it was cut off.
    if (::ftruncate(file, status.st_size) != 0) errno = 0;
    return false;
  }
  return errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
}

}  // namespace

LmdbStore::LmdbStore(Private, std::shared_ptr<LmdbEnv> env, LmdbAccess access)
    : env_(std::move(env)), access_(access) {}

LmdbStore::~LmdbStore() {
  if (access_ == LmdbAccess::write) env_->release_writer();
}

Result<void> LmdbStore::create(const std::filesystem::path& directory) {
  return LmdbEnv::create(directory);
}

Result<std::unique_ptr<LmdbStore>> LmdbStore::open(const std::filesystem::path& directory,
                                                   LmdbAccess access, LmdbOptions options) {
  PERDURE_TRY(auto env, LmdbEnv::open(directory, access, options));
  const Result<void> found = env->need_tables();
  if (!found && access == LmdbAccess::write) env->release_writer();
  if (!found) return found.error();
  // Whoever wrote the newest meta page may have died before it was durable. It is seen all the
  // same, and the log's entries that are below by its word are soon written over.
  if (access == LmdbAccess::write) {
    if (const int code = mdb_env_sync(env->handle(), 1); code != 0) {
      Error error = env->error(code, "syncing");
      env->release_writer();
      return error;
    }
  }
  return std::make_unique<LmdbStore>(Private{}, std::move(env), access);
}

LmdbHold::LmdbHold(std::shared_ptr<LmdbEnv> env) : env_(std::move(env)) {}

LmdbHold::~LmdbHold() { let_go(); }

Result<std::unique_ptr<LmdbHold>> LmdbHold::open(const std::filesystem::path& directory,
                                                 LmdbAccess access) {
  PERDURE_ASSERT(access != LmdbAccess::write, "a hold only reads");
  PERDURE_TRY(auto env, LmdbEnv::open(directory, access, {}));
  return std::make_unique<LmdbHold>(std::move(env));
}

Result<std::uint64_t> LmdbHold::renew() {
  let_go();
  PERDURE_TRY(slot_, env_->take_slot());
  return std::uint64_t{mdb_txn_id(slot_->txn)};
}

void LmdbHold::let_go() noexcept {
  if (slot_ != nullptr) env_->give_slot(std::move(slot_));
}

Result<void> LmdbStore::commit(std::span<const Mutation> batch, Durability) {
  PERDURE_TRY(env_->check_process());
  if (access_ != LmdbAccess::write)
    return Error{Code::misuse, "the journal is open for reading only"};
  if (env_->failed())
    return Error{Code::storage_failed,
                 "an earlier write failed, so nothing more is written: restart the process"};
  PERDURE_TRY(write(batch));
  // None of a process that died pins pages for long.
  if (++commits_ % kManyCommits == 0) {
    int dead = 0;
    mdb_reader_check(env_->handle(), &dead);
  }
  return success();
}

Result<void> LmdbStore::write(std::span<const Mutation> batch) {
  // Room may come between a write that was cut short and the question whether there is any.
  const bool lacked_room = was_full_ && lacks_room(env_->handle(), batch);
  MDB_txn* txn = nullptr;
  int code = mdb_txn_begin(env_->handle(), nullptr, 0, &txn);
  if (code != 0) return note_failure(env_->error(code, "writing"));
  for (std::size_t begin = 0; begin < batch.size() && code == 0;) {
    const Table table = batch[begin].table;
    std::size_t end = begin + 1;
    while (end < batch.size() && batch[end].table == table) ++end;
    code = write_table(txn, env_->table(table), batch.subspan(begin, end - begin));
    begin = end;
  }
  if (code != 0) {
    mdb_txn_abort(txn);
    return note_failure(env_->error(code, "writing"));
  }
  core::crash_point(core::CrashPoint::checkpoint_written);
  code = mdb_txn_commit(txn);
  // LMDB calls a write that was cut short an input/output error; a full disk is what cuts them.
  if (code == EIO && (lacked_room || lacks_room(env_->handle(), batch))) code = ENOSPC;
  if (code != 0) return note_failure(env_->error(code, "committing to"));
  was_full_ = false;
  return success();
}

/// A full disk leaves things as they were, and the batch may be tried again: its pages went where
/// nothing refers to, and a retry writes them anew. Any other failure ends writing; and so does a
/// full disk when it was the meta page that could not be written, which LMDB then remembers.
Error LmdbStore::note_failure(Error why) {
  if (why.code == Code::storage_full) {
    MDB_txn* probe = nullptr;
    const int code = mdb_txn_begin(env_->handle(), nullptr, 0, &probe);
    if (code == 0) {
      mdb_txn_abort(probe);
      was_full_ = true;
      return why;
    }
  }
  env_->fail();
  why.code = Code::storage_failed;
  return why;
}

Result<std::unique_ptr<Snapshot>> LmdbStore::snapshot() {
  PERDURE_TRY(auto slot, env_->take_slot());
  return std::make_unique<LmdbSnapshot>(env_, std::move(slot));
}

std::vector<LmdbStore::OpenSnapshot> LmdbStore::open_snapshots() const {
  MDB_envinfo info{};
  if (mdb_env_info(env_->handle(), &info) != 0) return {};
  // LMDB gives them as lines of text: process, thread, and transaction or "-".
  std::string text;
  const auto add = [](const char* line, void* to) {
    static_cast<std::string*>(to)->append(line);
    return 0;
  };
  if (mdb_reader_list(env_->handle(), add, &text) < 0) return {};
  std::vector<OpenSnapshot> all;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    OpenSnapshot found;
    std::string thread;
    std::uint64_t transaction = 0;
    if (!(words >> found.process >> thread >> transaction)) continue;
    found.behind = info.me_last_txnid - std::min<std::uint64_t>(transaction, info.me_last_txnid);
    all.push_back(found);
  }
  return all;
}

std::optional<std::string> LmdbStore::pinned_by() const {
  if (!env_->check_process()) return std::nullopt;
  const std::vector<OpenSnapshot> all = open_snapshots();
  const auto oldest = std::ranges::max_element(all, {}, &OpenSnapshot::behind);
  if (oldest == all.end() || oldest->behind < kManyCommits) return std::nullopt;
  return "process " + std::to_string(oldest->process) +
         (oldest->process == ::getpid() ? ", which is this one," : "") +
         " has read in one snapshot for " + std::to_string(oldest->behind) +
         " checkpoints, so the journal's file grows: end its reading";
}

LmdbStore::Figures LmdbStore::figures() const {
  MDB_envinfo info{};
  MDB_stat stat{};
  if (mdb_env_info(env_->handle(), &info) != 0 || mdb_env_stat(env_->handle(), &stat) != 0)
    return {};
  return {info.me_mapsize, (info.me_last_pgno + 1) * stat.ms_psize, info.me_numreaders};
}

}  // namespace perdure::journal
