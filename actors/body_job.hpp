/// Step bodies as jobs of the step pool.
///
/// What this is: a body with everything its attempt needs, and the completion that it becomes. The
/// completion is addressed by run, step, attempt and frame generation, never by a coroutine handle;
/// blocking bodies on the step pool are one producer of completions among others to come.
/// What it promises: each order becomes exactly one completion, also when it never runs.
#pragma once

#include <perdure/blob.hpp>
#include <perdure/detail/execution.hpp>

#include "actors/row_access.hpp"
#include "actors/step_pool.hpp"
#include "actors/timers.hpp"
#include "core/clock.hpp"
#include "journal/step_path.hpp"
#include "journal/writer.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>

namespace perdure::actors {

struct BodyAddress {
  RunId run;
  journal::StepPath path;
  std::uint32_t attempt = 1;
  std::uint32_t generation = 0;
};

/// What the run core wants run.
struct BodyOrder {
  BodyAddress address;
  detail::BodyLeaf* leaf = nullptr;  ///< Kept alive by the run core until the completion has come.
  std::stop_source stop;
  /// The change that the order comes with says that the body begins.
  bool start_recorded = false;
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

/// Where completions go. Thread: any.
class CompletionSink {
 public:
  virtual void completed(BodyCompletion completion) noexcept = 0;

 protected:
  ~CompletionSink() = default;
};

/// Runs bodies in another way than by calling them: to replace them, or to take note of them.
class BodyRunner {
 public:
  /// The outcome of the body's attempt, as `order.leaf->run(step)` would return it.
  [[nodiscard]] virtual detail::BodyResult run(const BodyOrder& order, Step& step) noexcept = 0;
  /// What became of it, before the session is told.
  virtual void ended(const BodyCompletion& completion) noexcept = 0;

 protected:
  ~BodyRunner() = default;
};

/// Thread: made by one, run by another.
class BodyJob final : public Job {
 public:
  /// `sink` is kept alive; `timers` and `clock` outlive the pool.
  BodyJob(BodyOrder order, std::shared_ptr<CompletionSink> sink, Timers& timers, core::Clock& clock,
          LargeContent large);
  /// Completes with `never_ran` when it has not run.
  ~BodyJob() override;
  void run() noexcept override { run_by(nullptr); }
  /// As `run`, with the body left to `runner`. Null: the body is called.
  void run_by(BodyRunner* runner) noexcept;
  [[nodiscard]] bool start_recorded() const noexcept { return order_.start_recorded; }
  [[nodiscard]] const BodyOrder& order() const noexcept { return order_; }

 private:
  void end_transaction(StoredTransaction& transaction, BodyCompletion& completion) const;
  void keep_large(BodyCompletion& completion);
  void keep_large(Transacted& transacted, BodyCompletion& completion);
  BodyOrder order_;
  std::shared_ptr<CompletionSink> sink_;
  Timers& timers_;
  core::Clock& clock_;
  const LargeContent large_;
  bool done_ = false;
};

}  // namespace perdure::actors
