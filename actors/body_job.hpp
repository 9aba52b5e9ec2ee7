/// Step bodies as jobs of the step pool.
///
/// What this is: a body with everything its attempt needs, and the completion that it becomes. The
/// completion is addressed by run, step, attempt and frame generation, never by a coroutine handle;
/// blocking bodies on the step pool are one producer of completions, tools' attempts
/// (tool_attempt.hpp) another.
/// What it promises: each order becomes exactly one completion, also when it never runs.
#pragma once

#include <perdure/blob.hpp>
#include <perdure/detail/execution.hpp>
#include <perdure/detail/tool_entry.hpp>

#include "actors/row_access.hpp"
#include "actors/step_pool.hpp"
#include "actors/timers.hpp"
#include "core/clock.hpp"
#include "journal/step_path.hpp"
#include "journal/writer.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

namespace perdure::actors {

struct BodyAddress {
  RunId run;
  journal::StepPath path;
  std::uint32_t attempt = 1;
  std::uint32_t generation = 0;
};

/// Of a tool's attempt: all that it needs, so that it may outlive the frame.
struct ToolOrder {
  std::shared_ptr<const detail::ToolEntry> entry;
  std::string name;  ///< The step's.
  Bytes input;
  detail::ToolPolicy policy;
  /// Whether the tool is to do it, or to say what became of this attempt.
  enum class What : std::uint8_t { attempt, find } what = What::attempt;
  std::optional<Bytes> progress = {};  ///< What an earlier attempt reported last.
  /// What is left of `ToolPolicy::overall_timeout`; empty: there is none.
  std::optional<std::chrono::milliseconds> left = {};
};

/// What the run core wants run.
struct BodyOrder {
  BodyAddress address;
  detail::BodyLeaf* leaf = nullptr;  ///< Kept alive by the run core until the completion has come.
  std::stop_source stop;
  /// The change that the order comes with says that the body begins.
  bool start_recorded = false;
  /// Of a tool. `leaf` is then not used by the attempt.
  std::shared_ptr<const ToolOrder> tool = {};
  /// A transaction runs again, because this change stood against it: when that is durable.
  journal::RecordNumber behind = 0;
  std::uint32_t stale_runs = 0;  ///< How often it did.
};

struct BodyCompletion {
  BodyAddress address;
  detail::BodyResult result = Bytes{};
  /// Of a result that is too large for a record.
  std::optional<journal::BlobRef> blob = {};
  /// Why such a result could not be kept: it can't be recorded.
  std::optional<Error> lost = {};
  std::int64_t busy_us = 0;
  /// The body was not run (shut down, storage failed): nothing is known because nothing happened.
  bool never_ran = false;
  /// The runtime ended before it did: as if the process had.
  bool abandoned = false;
  /// Of a question to `find`: what it said; `result` has the output, or why it could not say.
  std::optional<detail::Found> found = {};
  bool asked = false;
  bool tool = false;  ///< It is of a tool's attempt.
  /// Of a tool's attempt: it was given up, and may go on.
  bool given_up = false;
  std::optional<Cost> charged = {};  ///< What the attempt said that it used.
  /// What the attempt reported last, if it did.
  std::optional<Bytes> progress = {};
  /// Of a transaction: what it read and would write.
  std::shared_ptr<Transacted> transacted = {};
  std::uint32_t stale_runs = 0;  ///< As its order said.
};

/// Where content goes that is too large for a record, and what transactions read. All of it
/// outlives the bodies.
struct LargeContent {
  journal::Writer& writer;       ///< For results,
  std::size_t inline_bytes_max;  ///< that have more bytes than this.
  detail::BlobAccess& blobs;     ///< For bodies.
  StoredTransaction::Source rows;
};

/// On which thread a session should handle an input.
enum class RunOn : std::uint8_t {
  scheduler,  ///< Not on the caller's.
  /// On the caller's, when the session is idle: a step thread, which sees to the commit itself.
  caller,
};

/// Where completions go. Thread: any.
class CompletionSink {
 public:
  virtual void completed(BodyCompletion completion, RunOn where) noexcept = 0;
  /// The attempt at `address` has got so far.
  virtual void progressed(const BodyAddress& address, const Bytes& progress) noexcept = 0;

 protected:
  ~CompletionSink() = default;
};

/// Runs bodies in another way than by calling them: to replace them, or to take note of them.
class BodyRunner {
 public:
  /// The outcome of the body's attempt, as `order.leaf->run(step)` would return it.
  [[nodiscard]] virtual detail::BodyResult run(const BodyOrder& order, Step& step) noexcept = 0;
  /// An attempt of a tool begins. Who does it instead of the tool, or null.
  [[nodiscard]] virtual std::shared_ptr<const detail::ToolEntry> begin_tool(
      const BodyOrder& order, const Step& step) noexcept = 0;
  /// The tool's function has returned, which need not have ended the attempt.
  virtual void tool_returned() noexcept = 0;
  /// What became of a body or an attempt, before the session is told.
  virtual void ended(const BodyCompletion& completion) noexcept = 0;

 protected:
  ~BodyRunner() = default;
};

/// A result as a record can hold it: `too_large` above the limit, a message that is too long cut.
[[nodiscard]] detail::BodyResult within_limits(detail::BodyResult result);
/// Puts a result that is too large for a record into a blob. On the thread of whoever ends the
/// attempt, because it may wait for a disk, and the session's should not.
void keep_large(BodyCompletion& completion, const LargeContent& large);

/// What the pool runs for an order.
class AttemptJob : public Job {
 public:
  void run() noexcept final { run_by(nullptr); }
  /// As `run`, with the body left to `runner`. Null: the body is called.
  virtual void run_by(BodyRunner* runner) noexcept = 0;
  [[nodiscard]] virtual const BodyOrder& order() const noexcept = 0;
};

/// A body that borrows from its frame. Thread: made by one, run by another.
class BodyJob final : public AttemptJob {
 public:
  /// `sink` is kept alive; `timers` and `clock` outlive the pool.
  BodyJob(BodyOrder order, std::shared_ptr<CompletionSink> sink, Timers& timers, core::Clock& clock,
          LargeContent large);
  /// Completes with `never_ran` when it has not run.
  ~BodyJob() override;
  void run_by(BodyRunner* runner) noexcept override;
  [[nodiscard]] const BodyOrder& order() const noexcept override { return order_; }

 private:
  void end_transaction(StoredTransaction& transaction, BodyCompletion& completion) const;
  void keep_large_rows(Transacted& transacted, BodyCompletion& completion);
  BodyOrder order_;
  std::shared_ptr<CompletionSink> sink_;
  Timers& timers_;
  core::Clock& clock_;
  const LargeContent large_;
  bool done_ = false;
};

}  // namespace perdure::actors
