/// The runtime: one process's engine.
///
/// What this is: `Runtime::open` a journal directory, `serve` agents, `start`, then start sessions.
/// What it promises: see docs/programming_model.md. After `start`, everything unfinished goes on
/// from where its journal ends.
/// What it does not: need a server, or share its journal: one process at a time writes it.
#pragma once

#include <perdure/blob.hpp>
#include <perdure/session.hpp>
#include <perdure/table.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace perdure {
inline namespace v0 {

/// What `start` does about runs that were parked because one of their steps is suspected to crash
/// the process.
enum class SuspectedCrashes : std::uint8_t {
  leave,      ///< They stay parked.
  run_again,  ///< They go on, with their count of unclean ends at zero.
};

/// When a step may be followed by the next, and what a crash may take. In every mode the journal is
/// consistent after the process was killed: what it holds is all that was recorded up to some
/// point. See docs/architecture.md.
enum class Durability : std::uint8_t {
  /// Nothing leaves before the record that it depends on is written and synced. Neither a killed
  /// process nor a power loss takes anything that a body or a caller has seen.
  full,
  /// Records are kept in memory and written and synced each `RuntimeOptions::commit_interval`;
  /// steps follow each other without waiting. A killed process and a power loss alike take the
  /// steps of the last interval: they run again, also when their successors ran already. What was
  /// acknowledged (`start`, `wait`, `result`) is never taken, and a step with the effect class
  /// `at_most_once` never runs twice.
  interval,
  /// Records are written before anything leaves, and synced when the system likes, or with many
  /// others within a second or so. A killed process takes nothing. A power loss or a crash of the
  /// system takes the newest records, also those that a caller was told of, and never the journal:
  /// for tests and for work that can be done again.
  none,
};

/// What becomes of the frames of runs that only wait.
enum class Frames : std::uint8_t {
  /// They stay in memory while all of them together take no more than
  /// `RuntimeOptions::frame_budget_bytes`. Of others the frame is destroyed; when what such a run
  /// waits for comes, it is replayed from the journal.
  within_budget,
  keep,  ///< They stay in memory.
};

/// Whether operators reach the runtime by the `perdure` command, while it has the journal open.
enum class Control : std::uint8_t {
  /// By the socket CONTROL in the journal's directory, from `start` to `shutdown`. Processes of the
  /// same user, and of root, may give orders.
  socket,
  none,  ///< Not: orders are refused while the journal is open.
};

struct RuntimeOptions {
  /// The journal's directory; made when it is not there. On a local file system.
  std::string journal = {};
  /// Step bodies that may run at a time. They may block; more threads cost memory, fewer make steps
  /// wait.
  std::size_t step_threads = 32;
  /// Threads that run handlers between steps. 0: one for each core, at most 4.
  std::size_t handler_threads = 0;
  /// How long `shutdown` waits for running step bodies after it has asked them to stop. Bodies that
  /// ignore it longer are left behind, and reported.
  std::chrono::milliseconds shutdown_within = std::chrono::seconds(10);
  SuspectedCrashes suspected_crashes = SuspectedCrashes::leave;
  Durability durability = Durability::full;
  /// In durability `interval`: how long a record waits to be written, 1 ms to 1 day. `Run::wait`
  /// learns of an end as much later.
  std::chrono::milliseconds commit_interval{50};
  Frames frames = Frames::within_budget;
  /// With `Frames::within_budget`: how many bytes the frames of waiting runs may take, with their
  /// inputs and the engine's part of them; what frames own on the heap is not seen. 0: each run
  /// gives its frame up when it begins to wait. Those are given up first that have waited longest
  /// and are quickly replayed.
  std::size_t frame_budget_bytes = std::size_t{256} << 20U;
  /// A payload (message, signal, result, reply) with more bytes is stored as a blob, a file of its
  /// own beside the tables, compressed where that pays; a value of state only above 1 MiB. Smaller
  /// makes smaller tables and logs, larger saves each such payload two syncs. 1 KiB to 16 MiB. What
  /// is recorded already stays as it is.
  std::size_t blob_threshold_bytes = std::size_t{32} << 10U;
  Control control = Control::socket;
  /// Empty: warnings and errors go to standard error.
  LogHook log = {};
};

/// Movable. Thread: `open`, `serve`, `start` and `shutdown` from one; the rest from any.
class Runtime {
 public:
  /// Opens the journal for writing. Resumes nothing yet. Errors: `held` (by another process,
  /// named), `corrupt`, `newer_format`, `storage_full`, `storage_failed`, `unsupported`, `misuse`.
  [[nodiscard]] static Result<Runtime> open(RuntimeOptions options);

  Runtime(Runtime&&) noexcept = default;
  Runtime& operator=(Runtime&& other) noexcept;
  /// Like `shutdown`.
  ~Runtime();

  /// Makes agents and tools known, before `start`. Two of one name (and version), a bad name, or
  /// options that contradict each other make `start` fail.
  template <class... Things>
  void serve(const Things&... things) {
    (core_->serve(detail::entry_of(things)), ...);
  }

  /// Resumes everything unfinished, and accepts work. Errors: `misuse` (what `serve` refused, or
  /// started before), `storage_failed`, `corrupt`.
  [[nodiscard]] Result<void> start() { return core_->start(); }

  /// The session `key` of `agent`: nothing is stored or checked until it is used.
  template <class... H>
  [[nodiscard]] AgentSession<Agent<H...>> session(const Agent<H...>& agent, std::string key) {
    return AgentSession<Agent<H...>>(core_, agent, std::move(key));
  }

  /// A handle for a run known by its id. Whether there is such a run shows when it is used
  /// (`not_found`).
  template <class R>
  [[nodiscard]] Run<R> run(const RunId& id) {
    return Run<R>(core_, id);
  }

  /// A blob to be written, for a message or a signal (perdure/blob.hpp). Errors: `storage_full`,
  /// `storage_failed`.
  [[nodiscard]] Result<BlobWriter> create_blob() { return detail::create_blob(*core_); }
  /// The content of a blob of this journal: of a result, say. Errors: `not_found`, `corrupt`,
  /// `newer_format`, `storage_failed`.
  [[nodiscard]] Result<BlobReader> open_blob(const Blob& blob) {
    return detail::open_blob(*core_, blob);
  }

  /// The rows of a table: what is durable, at the moment of each call.
  template <class K, class V>
  [[nodiscard]] Rows<K, V> rows(const Table<K, V>& table) {
    return {std::shared_ptr<detail::RowSource>(core_, &core_->rows()), table};
  }

  /// One sentence why the run is not moving, or that it is, or how it ended. Errors: `not_found`.
  [[nodiscard]] Result<std::string> explain(const RunId& id) { return core_->explain(id); }

  /// Sees to a saga that is stuck, or whose undoing takes too long. `saga` is its id, as `perdure
  /// sagas` and the event `saga_stuck` have it. Returns when that is durable. Errors: `misuse` (no
  /// id), `not_found`, `refused` (it is not being undone, or the action needs nothing), `closed`,
  /// `storage_full`, `storage_failed`.
  [[nodiscard]] Result<void> resolve_saga(std::string_view saga, const SagaResolution& resolution) {
    return core_->resolve_saga(saga, resolution);
  }

  /// Replaces the event hook.
  void on_event(EventHook hook) { core_->on_event(std::move(hook)); }

  /// Stops: no more work is accepted, bodies are asked to stop, what they return in time is
  /// recorded, the journal is closed cleanly. Unfinished runs go on at the next start. Within
  /// `RuntimeOptions::shutdown_within` and the time of a commit. Errors: what could not be made
  /// durable.
  [[nodiscard]] Result<void> shutdown() { return core_->shutdown(); }

  /// For opt-in headers.
  [[nodiscard]] const std::shared_ptr<detail::RuntimeCore>& core() const noexcept { return core_; }
  explicit Runtime(std::shared_ptr<detail::RuntimeCore> core) noexcept : core_(std::move(core)) {}

 private:
  std::shared_ptr<detail::RuntimeCore> core_;
};

}  // namespace v0
}  // namespace perdure
