/// The writer: group commit, record numbers, and the word on what is durable.
///
/// What this is: the one place where changes enter the store. Changes that arrive while a commit is
/// under way are committed together by the next one.
/// What it promises: changes become durable in the order of their numbers, each whole; numbers are
/// dense; after a failed sync or an unclear write nothing more is committed and everybody who waits
/// is told; with a full disk the batch stays queued under its numbers and is tried again.
/// Content of a change that belongs to blobs is durable before the change can be committed.
/// A change with preconditions is numbered only if they hold for all changes with lower numbers.
/// What it does not: wait for anybody's result. `submit` returns at once, but for large content,
/// which it writes itself; the gate tells when the rest is durable.
///
/// Two ways to commit, so that a lone session pays no hand-over between threads: the writer's own
/// thread (`wake`), or whoever has nothing better to do (`commit_here`). An owner who wants no
/// thread at all calls `commit_next` (`WriterOptions::committer`).
///
/// Mode `interval` (`WriterOptions::early`) parts what may leave from what is durable: `wake` and
/// `commit_here` then only let out what is queued, and the writer's thread commits it, whole and
/// synced, an interval after the first change of a batch came. Nothing new leaves while the disk is
/// full, or while a commit takes so long that the changes behind it have waited for an interval.
#pragma once

#include <perdure/result.hpp>

#include "core/bytes.hpp"
#include "journal/blob_id.hpp"
#include "journal/change.hpp"
#include "journal/gate.hpp"
#include "journal/store.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace perdure::journal {

struct WriterOptions {
  RecordNumber last_number = 0;  ///< Of the journal as it was opened.
  Durability durability = Durability::full;
  /// One commit's size: more bytes go into the next one, so that no step waits for a commit without
  /// bounds. A larger change is committed alone.
  std::size_t batch_bytes_max = 8U << 20U;
  /// Bytes that may wait for a commit before `submit` refuses new work with `storage_full`.
  std::size_t queue_bytes_max = 256U << 20U;
  /// The same for work that is under way. It bounds itself (nothing new begins while nothing
  /// becomes durable), so this is reached only by a few very large results.
  std::size_t under_way_bytes_max = 1024U << 20U;
  /// How long to wait before a batch that found the disk full is tried again.
  std::chrono::milliseconds full_disk_retry{200};
  /// Not null: mode `interval`. This gate opens for what is queued, the writer's other one for what
  /// is durable. Outlives the writer.
  Gate* early = nullptr;
  /// How long a change waits for its commit in mode `interval`, at most a day.
  std::chrono::milliseconds commit_interval{50};
  /// Who commits what `wake` and `hurry` ask for, and tries again when the disk was full: a thread
  /// of the writer's, or its owner by `commit_next`. With `owner` there is no thread.
  enum class Committer : std::uint8_t { thread, owner } committer = Committer::thread;
  /// Called once, from the committing thread or one of the store's, when nothing more can be
  /// committed, before the gate tells those who wait. Must not stop or destroy the writer.
  std::function<void(const Error&)> on_fatal = {};
  /// Called from the committing thread when the disk is found full (once until it is not any more),
  /// and likewise from one that puts a blob.
  /// Must not stop or destroy the writer.
  std::function<void(const Error&)> on_full = {};
  /// Called from the committing thread when a commit has succeeded again after `on_full`, before
  /// the gate opens for what it made durable. As `on_full` otherwise; with several threads that
  /// commit, one may be in `on_full` still when another calls this.
  std::function<void()> on_room = {};
};

/// Whether a change may be turned away: work that the outside has just asked for may, a step of
/// work that is under way may not, because its effect has happened.
enum class Admission : std::uint8_t { new_work, under_way };

/// Thread: any.
class Writer {
 public:
  /// `store` and `gate` outlive the writer. The gate's watermark starts at `options.last_number`.
  Writer(Store& store, Gate& gate, WriterOptions options);
  /// Like `stop`.
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// Called with the change's number before the change can be committed: what it does happens
  /// before anybody can learn of the change. It must be short, and not call the writer.
  using Numbered = std::function<void(RecordNumber)>;
  /// Set where a change was refused because its precondition does not hold: the change that stands
  /// against it. Once that is durable, whatever is read holds until another change.
  using Conflict = std::optional<RecordNumber>;
  /// Queues `change`. Returns the number of its last record; a change without records takes one
  /// number.
  /// Nobody is told: whoever submits calls `wake` or `commit_here` afterwards (once for several
  /// changes).
  /// Blobs of the change are put first, on the caller's thread, which takes as long as the disk
  /// does; see `keep`.
  /// Errors, all with effect `refused`, and `change` is then untouched: `too_large` (a value in the
  /// change broke a limit), `storage_full` (the disk is full, for new work only, or more bytes wait
  /// than the options allow), code and message of a fatal failure as the store gave it, `closed`;
  /// and `busy` where `change` has a precondition that does not hold. `conflict` (not null for such
  /// a change) is then set, and empty otherwise. Where it is not known which change stands against
  /// it, that is the newest.
  [[nodiscard]] Result<RecordNumber> submit(Change&& change, Admission admission,
                                            const Numbered& numbered = nullptr,
                                            Conflict* conflict = nullptr);
  /// Whether the precondition holds now, of all that was submitted: for whoever read and writes
  /// nothing.
  [[nodiscard]] Conflict conflict(const Precondition& precondition) const;

  /// Puts `content` where the store's blobs are, as durable as the writer's mode asks for, on the
  /// caller's thread. While the disk is full, work that is under way waits for room, until the
  /// writer is stopped or `stop_waiting` is called. Errors, with effect `refused`: as `submit`, but
  /// without bounds on what waits; as Blobs::put.
  [[nodiscard]] Result<BlobRef> keep(core::ByteView content, Admission admission);
  /// From here on nobody waits in `keep`: a full disk is an error there at once.
  void stop_waiting() noexcept;

  /// Has the writer's thread commit what is queued; in mode `interval` when its time has come.
  void wake();
  /// Commits what is queued on this thread, waiting for a commit under way first. Returns when
  /// everything queued before the call is durable, or the writer has failed or found the disk full.
  /// In mode `interval` the same as `wake`.
  void commit_here();
  /// Commits the next batch on this thread. False: nothing was queued, the disk is full, or the
  /// writer has failed.
  bool commit_next();
  /// Somebody outside waits for what is queued: in mode `interval` it is committed now, by the
  /// writer's thread. Nothing in the other modes, whose commits wait for nothing.
  void hurry();

  /// No more is accepted, everything queued is made durable (unless the writer failed or the disk
  /// is full), and the thread has ended. Whatever waits at the gate for what did not become durable
  /// is told so. Not from inside the options' functions or a `Gated`. A second call returns what
  /// the first did.
  /// Errors: why not everything is durable; also when all that was queued is, and the journal's
  /// disk has failed since.
  [[nodiscard]] Result<void> stop();

  /// The highest number handed out.
  [[nodiscard]] RecordNumber last_number() const;
  /// Why the disk takes nothing now, while it is full.
  [[nodiscard]] std::optional<Error> full() const;
  /// How long the commit under way has been with the store; empty when none is.
  [[nodiscard]] std::optional<std::chrono::milliseconds> committing_for() const;

  /// What has become durable since the writer began.
  struct Figures {
    std::uint64_t commits = 0;
    std::uint64_t changes = 0;
    std::uint64_t records = 0;
    std::uint64_t bytes = 0;  ///< Of keys and values given to the store.
  };
  [[nodiscard]] Figures figures() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace perdure::journal
