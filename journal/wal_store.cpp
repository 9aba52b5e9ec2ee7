#include "journal/wal_store.hpp"

#include "core/assert.hpp"
#include "core/crash_point.hpp"
#include "journal/meta_row.hpp"
#include "journal/place.hpp"
#include "journal/record.hpp"

#include <unistd.h>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

namespace perdure::journal {
namespace {

constexpr std::uint64_t kGrowthMin = 64U << 10U;
constexpr std::uint64_t kGrowthMax = 4U << 20U;
constexpr std::uint64_t kAllBatches = std::numeric_limits<std::uint64_t>::max();

std::vector<Mutation> rows_of(const Memtable& memtable) {
  std::vector<Mutation> rows;
  Memtable::Cursor cursor(memtable, kAllBatches);
  for (cursor.seek(Table::meta, {}); cursor.valid(); cursor.next()) {
    const Memtable::Row row = cursor.row();
    rows.push_back({row.table, row.kind, Key{}.add(row.key), row.value});
  }
  return rows;
}

}  // namespace

Result<WalPosition> applied_position(Snapshot& snapshot) {
  const Key key = meta_key(kCheckpointRow);
  PERDURE_TRY(const auto value, snapshot.get(Table::meta, key));
  if (!value) return WalPosition{};
  RecordBuffer buffer;
  Result<void> loaded = buffer.load(key.view(), *value);
  if (!loaded) return with_place(std::move(loaded).error(), Table::meta, key.view());
  Result<Checkpoint> row = buffer.as<Checkpoint>();
  if (!row) return with_place(std::move(row).error(), Table::meta, key.view());
  const Checkpoint& found = row.assume_value();
  return WalPosition{found.batch, found.checksum, found.place};
}

WalStore::WalStore(Private, std::unique_ptr<WalFile> file, Store& below, WalOptions options)
    : file_(std::move(file)), below_(below), options_(options), process_(::getpid()) {
  active_.rows = std::make_shared<Memtable>();
}

WalStore::~WalStore() {
  // A process that was forked off has no such thread.
  if (process_ != ::getpid()) {
    if (thread_.joinable()) thread_.detach();
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    stops_ = true;
  }
  wanted_.notify_one();
  if (thread_.joinable()) thread_.join();
}

Result<std::unique_ptr<WalStore>> WalStore::open(const std::filesystem::path& directory,
                                                 core::Hash128 journal, Store& below,
                                                 WalOptions options) {
  PERDURE_TRY(auto file, WalFile::open(directory, journal, WalFile::Access::write));
  auto store = std::make_unique<WalStore>(Private{}, std::move(file), below, options);
  PERDURE_TRY(store->recover());
  store->thread_ = std::thread([self = store.get()] { self->loop(); });
  return store;
}

/// What the last process left in the log goes below at once.
Result<void> WalStore::recover() {
  {
    PERDURE_TRY(const auto snapshot, below_.snapshot());
    PERDURE_TRY(applied_, applied_position(*snapshot));
  }
  Memtable rows;
  PERDURE_TRY(WalPosition end, file_->follow(applied_, [&](WalEntry&& entry) {
    return rows.add(std::move(entry));
  }));
  PERDURE_TRY(const WalFile::Later later, file_->find_later(end.batch));
  if (const auto damage = file_->damage(end, later)) return file_->error(*damage);
  // No entry that is still somewhere in the file is of a batch that is to come.
  end = {later.highest_batch, end.checksum, WalFile::kFirst};
  if (end.batch != applied_.batch) PERDURE_TRY(write_below(rows_of(rows), end));
  written_ = applied_ = end;
  return success();
}

Error WalStore::note_failure(Error why) {
  if (why.code == Code::storage_full) return why;
  why.code = Code::storage_failed;
  const std::lock_guard lock(mutex_);
  if (!failure_) failure_ = why;
  return why;
}

Result<void> WalStore::commit(std::span<const Mutation> batch, Durability durability) {
  if (process_ != ::getpid())
    return Error{Code::misuse, "the journal's log '" + file_->path().string() +
                                   "' was opened by process " + std::to_string(process_) +
                                   " and can't be used in one that it forked off: open the "
                                   "journal there again"};
  const std::size_t size = WalEntry::size_of(batch);
  if (size > kWalEntryMax) return pass_by(batch);
  PERDURE_TRY(const std::uint64_t place, make_room(wal_padded(size)));
  WalEntry entry =
      WalEntry::encode(batch, {written_.batch + 1, written_.checksum, is_sure()}, file_->seed());
  if (Result<void> done = file_->write(place, entry); !done)
    return note_failure(std::move(done).error());
  core::crash_point(core::CrashPoint::commit_written);
  if (durability == Durability::full)
    if (Result<void> done = file_->sync(); !done) return note_failure(std::move(done).error());
  is_synced_ = durability == Durability::full;
  publish(std::move(entry), place);
  return success();
}

/// Whether everything is durable, be it in the tables.
bool WalStore::is_sure() const {
  const std::lock_guard lock(mutex_);
  return is_synced_ || applied_.batch == written_.batch;
}

/// Lets readers see an entry that is durable.
void WalStore::publish(WalEntry&& entry, std::uint64_t place) {
  const std::size_t bytes = entry.padded_size();
  const WalPosition position{entry.batch(), entry.checksum(), place + bytes};
  const std::lock_guard append(append_mutex_);
  PERDURE_ASSERT(active_.rows->add(std::move(entry)), "what was encoded here can be read here");
  bool is_news = false;
  {
    const std::lock_guard lock(mutex_);
    written_ = position;
    if (active_.bytes == 0) {
      active_.begin = place;
      is_news = true;
    }
    is_news |= active_.bytes < options_.checkpoint_bytes &&
               active_.bytes + bytes >= options_.checkpoint_bytes;
    active_.bytes += bytes;
  }
  if (is_news) wanted_.notify_one();
}

/// Where the next entry goes, when nothing that is still needed has to go for it. The caller holds
/// the lock.
std::optional<std::uint64_t> WalStore::free_place(std::size_t bytes) const {
  const std::uint64_t end = file_->end();
  const auto fits = [&](std::uint64_t place, std::uint64_t before) {
    return place + bytes <= before;
  };
  if (!has_rows())
    return fits(WalFile::kFirst, end) ? std::optional(WalFile::kFirst) : std::nullopt;
  const std::uint64_t oldest = oldest_place();
  const std::uint64_t next = written_.place;
  // An entry that ended where the oldest begins would make a full log look like an empty one.
  if (next <= oldest) return fits(next, oldest - 1) ? std::optional(next) : std::nullopt;
  if (fits(next, end)) return next;
  return fits(WalFile::kFirst, oldest - 1) ? std::optional(WalFile::kFirst) : std::nullopt;
}

/// The end to which the file may grow to take an entry behind the newest; its end if it may not.
std::uint64_t WalStore::grown_end(std::size_t bytes) const {
  const std::uint64_t end = file_->end();
  if (has_rows() && written_.place <= oldest_place()) return end;
  const std::uint64_t needed = (has_rows() ? written_.place : WalFile::kFirst) + bytes;
  const std::uint64_t most = std::max<std::uint64_t>(options_.file_bytes_max / kWalUnit * kWalUnit,
                                                     WalFile::kFirst + bytes);
  if (needed > most) return end;
  return std::clamp(end + std::clamp(end, kGrowthMin, kGrowthMax), needed, most);
}

Result<std::uint64_t> WalStore::make_room(std::size_t bytes) {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (failure_) return *failure_;
    if (const auto place = free_place(bytes)) return *place;
    const std::uint64_t end = grown_end(bytes);
    if (end > file_->end()) {
      lock.unlock();
      Result<void> grown = file_->extend(end);
      if (!grown && grown.error().code != Code::storage_full)
        return note_failure(std::move(grown).error());
      lock.lock();
      if (grown) continue;
      if (!has_rows()) return grown.error();
    }
    PERDURE_TRY(await_checkpoint(lock));
  }
}

/// A batch that alone is much of the log: everything before it goes below, and then it does.
Result<void> WalStore::pass_by(std::span<const Mutation> batch) {
  PERDURE_TRY(checkpoint());
  const WalPosition position{written_.batch + 1, written_.checksum, WalFile::kFirst};
  if (Result<void> done = write_below(batch, position); !done)
    return note_failure(std::move(done).error());
  const std::lock_guard lock(mutex_);
  written_ = applied_ = position;
  figures_.passed_by += 1;
  return success();
}

Result<void> WalStore::write_below(std::span<const Mutation> rows, const WalPosition& position) {
  const Key key = meta_key(kCheckpointRow);
  core::Bytes value;
  encode_row(Checkpoint{position.batch, position.checksum, position.place}, key, 0, value);
  std::vector<Mutation> batch;
  add_meta_row(rows, key, value, batch);
  core::crash_point(core::CrashPoint::checkpoint_before);
  PERDURE_TRY(below_.commit(batch, Durability::full));
  core::crash_point(core::CrashPoint::checkpoint_after);
  return success();
}

Result<void> WalStore::checkpoint() {
  std::unique_lock lock(mutex_);
  if (failure_) return *failure_;
  const std::uint64_t target = written_.batch;
  while (applied_.batch < target) PERDURE_TRY(await_checkpoint(lock));
  return success();
}

/// Waits for the end of a checkpoint, and sets one off. The caller looks again.
Result<void> WalStore::await_checkpoint(std::unique_lock<std::mutex>& lock) {
  if (failure_) return *failure_;
  const std::uint64_t seen = ended_;
  is_wanted_ = true;
  wanted_.notify_one();
  done_.wait(lock, [&] { return ended_ != seen; });
  if (failure_) return *failure_;
  if (full_) return *full_;
  return success();
}

void WalStore::loop() {
  std::unique_lock lock(mutex_);
  while (await_work(lock)) run_checkpoint(lock);
}

/// False when the store is going away.
bool WalStore::await_work(std::unique_lock<std::mutex>& lock) {
  const auto is_asked = [this] {
    return stops_ || is_wanted_ ||
           (!full_ && !failure_ && active_.bytes >= options_.checkpoint_bytes);
  };
  const auto has_work = [&] { return is_asked() || (!failure_ && has_rows()); };
  wanted_.wait(lock, has_work);
  wanted_.wait_for(lock, options_.checkpoint_age, is_asked);
  return !stops_;
}

void WalStore::run_checkpoint(std::unique_lock<std::mutex>& lock) {
  is_wanted_ = false;
  if (frozen_.rows == nullptr && active_.bytes != 0 && !failure_) freeze(lock);
  std::shared_ptr<Memtable> written;
  if (frozen_.rows != nullptr && !failure_) {
    written = frozen_.rows;
    lock.unlock();
    const Result<void> done = write_below(rows_of(*written), frozen_end_);
    lock.lock();
    full_.reset();
    if (done) {
      applied_ = frozen_end_;
      frozen_ = {};
      figures_.checkpoints += 1;
    } else if (done.error().code == Code::storage_full) {
      full_ = done.error();
    } else {
      failure_ = done.error();
      failure_->code = Code::storage_failed;
    }
  }
  ended_ += 1;
  done_.notify_all();
  const std::optional<Error> failure = failure_;
  lock.unlock();
  // What was moved is freed here, and no longer while others wait.
  written.reset();
  if (failure) tell(*failure);
  lock.lock();
}

/// Only the first time somebody is there to be told.
void WalStore::tell(const Error& failure) {
  const std::lock_guard lock(hook_mutex_);
  if (const auto hook = std::exchange(hook_, nullptr)) hook(failure);
}

void WalStore::when_failed(std::function<void(const Error&)> hook) {
  {
    const std::lock_guard lock(hook_mutex_);
    hook_ = std::move(hook);
  }
  std::optional<Error> failure;
  {
    const std::lock_guard lock(mutex_);
    failure = failure_;
  }
  if (failure) tell(*failure);
}

/// From here on new entries go to another memtable.
void WalStore::freeze(std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  const std::lock_guard append(append_mutex_);
  lock.lock();
  frozen_ = std::exchange(active_, Part{std::make_shared<Memtable>(), 0, 0});
  frozen_end_ = written_;
}

Result<std::unique_ptr<Snapshot>> WalStore::snapshot() {
  // Between the two nothing may come below that is not on top.
  const std::lock_guard lock(mutex_);
  PERDURE_TRY(auto below, below_.snapshot());
  return make_overlay(std::move(below), {active_.rows, frozen_.rows}, written_.batch);
}

WalStore::Figures WalStore::figures() const {
  const std::lock_guard lock(mutex_);
  Figures figures = figures_;
  figures.file_bytes = file_->end();
  figures.log_bytes = active_.bytes + frozen_.bytes;
  return figures;
}

}  // namespace perdure::journal
