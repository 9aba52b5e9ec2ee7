#include "journal/writer.hpp"

#include "core/assert.hpp"
#include "core/crash_point.hpp"
#include "core/limits.hpp"
#include "journal/batch.hpp"
#include "journal/blob_keeper.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace perdure::journal {
namespace {

using Changes = std::vector<NumberedChange>;

/// A queue that once was this long gives its memory back.
constexpr std::size_t kSpareChanges = 64U << 10U;

using SteadyClock = std::chrono::steady_clock;

Error refused(Code code, std::string message) {
  return {.code = code,
          .message = std::move(message),
          .retryable = {},
          .retry_after = {},
          .effect = ErrorEffect::refused};
}

}  // namespace

/// Two locks, the queue's always the inner one:
/// - `commit_mutex_`: who holds it commits. Guards what stands between it and the other.
/// - `queue_mutex_`: held for a few instructions. Guards what stands below it.
///
/// Invariants:
/// - changes in `taken_` from `begin_` on, then those in `queue_`, are what is numbered and not
///   durable, in the order of their numbers;
/// - `durable_` <= `last_`, and equal exactly when nothing is queued or taken;
/// - in mode `interval`, `held_` is set while the writer's thread is to commit at `due_`;
/// - the gates, the options' functions and destructors of whole queues are called without any lock.
struct Writer::Impl {
  Impl(Store& store, Gate& gate, WriterOptions options)
      : store_(store),
        gate_(gate),
        options_(std::move(options)),
        keeper_(store.blobs(), options_),
        last_(options_.last_number),
        durable_(options_.last_number) {}

  Result<RecordNumber> submit(Change&& change, Admission admission, const Numbered& numbered,
                              Conflict* conflict);
  Result<BlobRef> keep(core::ByteView content, Admission admission);
  void wake();
  void ask_thread();
  void let_out();
  bool disk_is_behind() const;
  RecordNumber last_number() const;
  std::optional<Error> full() const;
  void commit_up_to(RecordNumber target);
  Result<void> stop();
  bool end_commits();
  void loop();
  bool await_work(std::unique_lock<std::mutex>& lock);

  /// What one attempt to commit came to.
  enum class Outcome : std::uint8_t {
    nothing_to_do,
    committed,
    committed_again,  ///< After the disk was full.
    disk_full,
    disk_still_full,
    failed
  };
  Outcome commit_batch(RecordNumber target);
  bool take();
  Outcome note_durable(Changes& spent, std::size_t bytes);
  Outcome note_trouble(const Error& why);
  void store_failed(const Error& why);
  void fail_gates(const Error& why);
  void recycle(Changes&& spent);
  std::optional<Error> refusal(std::size_t cost, Admission admission) const;
  Result<void> put_blobs(const Change& change, std::size_t cost, Admission admission);

  Store& store_;
  Gate& gate_;
  const WriterOptions options_;
  BlobKeeper keeper_;
  std::mutex stop_mutex_;
  bool stopped_ = false;  ///< Guarded by `stop_mutex_`.
  std::thread thread_;    ///< None where the owner commits.

  std::mutex commit_mutex_;
  Changes taken_;
  std::size_t begin_ = 0;  ///< The first change of the batch that is being committed.
  std::size_t end_ = 0;    ///< Behind its last; equal to `begin_` while there is none.
  Batch batch_;
  bool ended_ = false;  ///< The gate was told that nothing more becomes durable, so nothing may.

  mutable std::mutex queue_mutex_;
  std::condition_variable changed_;  ///< Only the writer's own thread waits for it.
  Changes queue_;
  Changes spare_;  ///< Empty, with the capacity of an earlier queue.
  RecentWrites recent_{options_.last_number, core::limits::kRememberedWrites};
  std::size_t waiting_bytes_ = 0;
  RecordNumber last_;
  RecordNumber last_taken_ = 0;        ///< The highest number that has left the queue.
  std::atomic<RecordNumber> durable_;  ///< Written under the lock.
  SteadyClock::time_point due_;        ///< When what is queued is to be committed: mode `interval`.
  bool held_ = false;
  std::optional<Error> failure_;
  std::optional<Error> full_;
  bool closed_ = false;
  bool wake_ = false;
  bool end_thread_ = false;
  Figures figures_;

  /// When the commit under way began, or no time at all.
  std::atomic<SteadyClock::time_point> commit_began_{SteadyClock::time_point{}};
};

std::optional<Error> Writer::Impl::refusal(std::size_t cost, Admission admission) const {
  if (failure_) return refused(failure_->code, failure_->message);
  if (closed_) return refused(Code::closed, "the journal's writer was stopped");
  const bool is_new = admission == Admission::new_work;
  if (is_new)
    if (const std::optional<Error> why = full_ ? full_ : keeper_.full())
      return refused(Code::storage_full, why->message);
  const std::size_t most = is_new ? options_.queue_bytes_max : options_.under_way_bytes_max;
  // However small the bound, one change at a time passes.
  if (waiting_bytes_ == 0 || waiting_bytes_ + cost <= most) return std::nullopt;
  return refused(Code::storage_full, "the journal takes no more until its disk has caught up: " +
                                         std::to_string(waiting_bytes_) +
                                         " bytes wait to be written; try again later");
}

Result<RecordNumber> Writer::Impl::submit(Change&& change, Admission admission,
                                          const Numbered& numbered, Conflict* conflict) {
  if (conflict != nullptr) conflict->reset();
  if (const std::optional<Error>& broken = change.refusal()) {
    return refused(broken->code, broken->message);
  }
  const std::size_t cost = Batch::cost(change);
  if (!change.blobs().empty()) {
    PERDURE_TRY(put_blobs(change, cost, admission));
    change.blobs_are_put();
  }
  const std::lock_guard lock(queue_mutex_);
  if (std::optional<Error> why = refusal(cost, admission)) return *std::move(why);
  if (const Conflict against = change.conflict(recent_, last_)) {
    if (conflict != nullptr) *conflict = against;
    return refused(Code::busy, "what the change was made from has changed meanwhile");
  }
  last_ += Batch::numbers(change);
  change.note_in(recent_, last_);
  queue_.push_back({std::move(change), last_, cost});
  waiting_bytes_ += cost;
  if (options_.early != nullptr && queue_.size() == 1)
    due_ = SteadyClock::now() + options_.commit_interval;
  if (numbered) numbered(last_);
  return last_;
}

/// Before the change is queued, so that nothing of it can be durable before they are.
Result<void> Writer::Impl::put_blobs(const Change& change, std::size_t cost, Admission admission) {
  {
    const std::lock_guard lock(queue_mutex_);
    if (std::optional<Error> why = refusal(cost, admission)) return *std::move(why);
  }
  for (const NewBlob& blob : change.blobs()) PERDURE_TRY(keep(blob.content, admission));
  return success();
}

Result<BlobRef> Writer::Impl::keep(core::ByteView content, Admission admission) {
  Result<BlobRef> kept = keeper_.keep(content, admission);
  if (kept.has_value()) return kept;
  const Error& why = kept.assume_error();
  if (why.code == Code::storage_failed) store_failed(why);
  return refused(why.code, why.message);
}

void Writer::Impl::wake() { options_.early != nullptr ? let_out() : ask_thread(); }

void Writer::Impl::ask_thread() {
  {
    const std::lock_guard lock(queue_mutex_);
    if (wake_ || failure_ || durable_.load() == last_) return;
    wake_ = true;
  }
  changed_.notify_one();
}

/// Mode `interval`: what is queued leaves, and the writer's thread knows when to commit it.
void Writer::Impl::let_out() {
  RecordNumber last = 0;
  bool is_news = false;
  {
    const std::lock_guard lock(queue_mutex_);
    if (failure_) return;
    last = full_ || disk_is_behind() ? durable_.load() : last_;
    is_news = !queue_.empty() && !held_;
    if (is_news) held_ = true;
    // A queue as large as a batch need not wait for more.
    if (waiting_bytes_ >= options_.batch_bytes_max && !wake_ && !full_) wake_ = is_news = true;
  }
  if (is_news) changed_.notify_one();
  options_.early->advance(last);
}

/// Whether the commit under way has kept the queue waiting beyond its time.
bool Writer::Impl::disk_is_behind() const {
  return durable_.load() < last_taken_ && !queue_.empty() && due_ < SteadyClock::now();
}

RecordNumber Writer::Impl::last_number() const {
  const std::lock_guard lock(queue_mutex_);
  return last_;
}

std::optional<Error> Writer::Impl::full() const {
  const std::lock_guard lock(queue_mutex_);
  return full_ ? full_ : keeper_.full();
}

void Writer::Impl::commit_up_to(RecordNumber target) {
  while (durable_.load() < target) {
    const Outcome outcome = commit_batch(target);
    if (outcome != Outcome::committed && outcome != Outcome::committed_again) return;
  }
}

/// One batch. The gate opens when the lock is free again, so that the next commit can begin
/// meanwhile.
Writer::Impl::Outcome Writer::Impl::commit_batch(RecordNumber target) {
  std::unique_lock commit(commit_mutex_);
  // Whoever held the lock before may have committed what this caller came for.
  if (ended_ || durable_.load() >= target || !take()) return Outcome::nothing_to_do;
  const std::span<const Mutation> batch =
      batch_.build(std::span(taken_).subspan(begin_, end_ - begin_));
  const RecordNumber last = taken_[end_ - 1].last;
  std::size_t bytes = 0;
  for (const Mutation& mutation : batch)
    bytes += mutation.key.view().size() + mutation.value.size();

  core::crash_point(core::CrashPoint::commit_before);
  commit_began_.store(SteadyClock::now());
  const Result<void> written =
      batch.empty() ? Result<void>(success()) : store_.commit(batch, options_.durability);
  commit_began_.store({});
  if (written) core::crash_point(core::CrashPoint::commit_after);
  Changes spent;
  const Outcome outcome = written ? note_durable(spent, bytes) : note_trouble(written.error());
  commit.unlock();

  if (outcome == Outcome::committed_again && options_.on_room) options_.on_room();
  if (outcome == Outcome::committed || outcome == Outcome::committed_again) {
    if (options_.early != nullptr) let_out();
    gate_.advance(last);
  }
  if (outcome == Outcome::disk_full) {
    changed_.notify_one();  // The writer's thread begins to wait for the next attempt.
    if (options_.on_full) options_.on_full(written.error());
  }
  if (outcome == Outcome::failed) {
    if (options_.on_fatal) options_.on_fatal(written.error());
    fail_gates(written.error());
  }
  recycle(std::move(spent));
  return outcome;
}

/// Sees to it that a batch stands between `begin_` and `end_`. False when there is nothing to
/// commit.
bool Writer::Impl::take() {
  if (begin_ != end_) return true;  // It found the disk full and stays as it was.
  if (begin_ == taken_.size()) {
    const std::lock_guard lock(queue_mutex_);
    if (queue_.empty()) return false;
    taken_ = std::exchange(queue_, std::exchange(spare_, Changes{}));
    last_taken_ = last_;
    begin_ = 0;
  }
  std::size_t cost = 0;
  for (end_ = begin_; end_ < taken_.size(); ++end_) {
    cost += taken_[end_].cost;
    if (cost > options_.batch_bytes_max && end_ > begin_) break;
  }
  return true;
}

Writer::Impl::Outcome Writer::Impl::note_durable(Changes& spent, std::size_t bytes) {
  std::size_t cost = 0;
  std::uint64_t records = 0;
  bool was_full = false;
  for (std::size_t i = begin_; i < end_; ++i) {
    cost += taken_[i].cost;
    records += taken_[i].change.records();
  }
  {
    const std::lock_guard lock(queue_mutex_);
    waiting_bytes_ -= cost;
    was_full = full_.has_value();
    full_.reset();
    figures_.commits += 1;
    figures_.changes += end_ - begin_;
    figures_.records += records;
    figures_.bytes += bytes;
    durable_.store(taken_[end_ - 1].last);
  }
  if (end_ == taken_.size()) {
    spent.swap(taken_);
    end_ = 0;
  } else {
    for (std::size_t i = begin_; i < end_; ++i) taken_[i].change = Change{};
  }
  begin_ = end_;
  return was_full ? Outcome::committed_again : Outcome::committed;
}

Writer::Impl::Outcome Writer::Impl::note_trouble(const Error& why) {
  const std::lock_guard lock(queue_mutex_);
  if (why.code == Code::storage_full) {
    const bool is_news = !full_;
    full_ = why;
    return is_news ? Outcome::disk_full : Outcome::disk_still_full;
  }
  ended_ = true;
  failure_ = why;
  full_.reset();
  return Outcome::failed;
}

/// The store has failed while nobody committed.
void Writer::Impl::store_failed(const Error& why) {
  {
    const std::lock_guard commit(commit_mutex_);
    if (ended_) return;
    PERDURE_ASSERT(note_trouble(why) == Outcome::failed, "a full disk is no failure");
  }
  if (options_.on_fatal) options_.on_fatal(why);
  fail_gates(why);
}

/// What is durable leaves, also when the thread that committed it has not come to open the gate
/// yet.
void Writer::Impl::fail_gates(const Error& why) {
  for (Gate* gate : {&gate_, options_.early}) {
    if (gate == nullptr) continue;
    gate->advance(durable_.load());
    gate->fail(why);
  }
}

/// Frees the changes of a whole queue, which nobody waits for, and keeps its memory for another.
void Writer::Impl::recycle(Changes&& spent) {
  if (spent.capacity() == 0 || spent.capacity() > kSpareChanges) return;
  spent.clear();
  const std::lock_guard lock(queue_mutex_);
  if (spare_.capacity() < spent.capacity()) spare_.swap(spent);
}

/// The writer's own thread: commits when woken, in mode `interval` when it is time, and while the
/// disk is full from time to time.
void Writer::Impl::loop() {
  std::unique_lock lock(queue_mutex_);
  while (!end_thread_) {
    if (!await_work(lock)) continue;
    wake_ = false;
    held_ = false;
    const RecordNumber target = last_;
    lock.unlock();
    commit_up_to(target);
    lock.lock();
  }
}

/// Whether it is time to commit. False: what to wait for has changed.
bool Writer::Impl::await_work(std::unique_lock<std::mutex>& lock) {
  const auto asked = [this] { return wake_ || end_thread_; };
  if (full_) {
    changed_.wait_for(lock, options_.full_disk_retry, asked);
    return !end_thread_;
  }
  changed_.wait(lock, [&] { return asked() || held_ || full_; });
  if (!asked() && !full_) changed_.wait_until(lock, due_, [&] { return asked() || full_; });
  return !end_thread_ && (wake_ || !full_);
}

/// Ends all commits, unless there is something that can be committed: others try too, and may have
/// found room on the disk, for some of it, after this thread's last attempt found none.
bool Writer::Impl::end_commits() {
  const std::lock_guard commit(commit_mutex_);
  const std::lock_guard lock(queue_mutex_);
  if (durable_.load() != last_ && !failure_ && !full_) return false;
  ended_ = true;
  end_thread_ = true;
  return true;
}

Result<void> Writer::Impl::stop() {
  const std::lock_guard stopping(stop_mutex_);
  RecordNumber target = 0;
  {
    const std::lock_guard lock(queue_mutex_);
    closed_ = true;
    target = last_;
  }
  keeper_.stop_waiting();
  if (!std::exchange(stopped_, true)) {
    do {
      commit_up_to(target);
    } while (!end_commits());
    changed_.notify_one();
    if (thread_.joinable()) thread_.join();
  }
  std::optional<Error> why;
  {
    const std::lock_guard lock(queue_mutex_);
    if (durable_.load() == last_ && !failure_) return success();
    why = failure_ ? failure_ : full_;
  }
  PERDURE_ASSERT(why.has_value(), "only a full or failed disk keeps the writer from ending");
  fail_gates(*why);
  return *std::move(why);
}

Writer::Writer(Store& store, Gate& gate, WriterOptions options)
    : impl_(std::make_unique<Impl>(store, gate, std::move(options))) {
  gate.advance(impl_->options_.last_number);
  if (impl_->options_.early != nullptr) impl_->options_.early->advance(impl_->options_.last_number);
  if (impl_->options_.committer == WriterOptions::Committer::thread)
    impl_->thread_ = std::thread([impl = impl_.get()] { impl->loop(); });
  store.when_failed([impl = impl_.get()](const Error& why) { impl->store_failed(why); });
}

Writer::~Writer() {
  impl_->store_.when_failed(nullptr);
  static_cast<void>(impl_->stop());
}

Result<RecordNumber> Writer::submit(Change&& change, Admission admission, const Numbered& numbered,
                                    Conflict* conflict) {
  return impl_->submit(std::move(change), admission, numbered, conflict);
}

Writer::Conflict Writer::conflict(const Precondition& precondition) const {
  const std::lock_guard lock(impl_->queue_mutex_);
  return impl_->recent_.conflict(precondition);
}

Result<BlobRef> Writer::keep(core::ByteView content, Admission admission) {
  return impl_->keep(content, admission);
}

void Writer::stop_waiting() noexcept { impl_->keeper_.stop_waiting(); }

void Writer::wake() { impl_->wake(); }

void Writer::hurry() {
  if (impl_->options_.early != nullptr) impl_->ask_thread();
}

void Writer::commit_here() {
  if (impl_->options_.early != nullptr) return impl_->let_out();
  impl_->commit_up_to(impl_->last_number());
}

bool Writer::commit_next() {
  const Impl::Outcome outcome = impl_->commit_batch(impl_->last_number());
  return outcome == Impl::Outcome::committed || outcome == Impl::Outcome::committed_again;
}

Result<void> Writer::stop() { return impl_->stop(); }

RecordNumber Writer::last_number() const { return impl_->last_number(); }

std::optional<Error> Writer::full() const { return impl_->full(); }

std::optional<std::chrono::milliseconds> Writer::committing_for() const {
  const SteadyClock::time_point began = impl_->commit_began_.load();
  if (began == SteadyClock::time_point{}) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::milliseconds>(SteadyClock::now() - began);
}

Writer::Figures Writer::figures() const {
  const std::lock_guard lock(impl_->queue_mutex_);
  return impl_->figures_;
}

}  // namespace perdure::journal
