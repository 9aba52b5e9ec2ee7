/// The run core: one run, from its records to its end.
///
/// What this is: the engine behind a handler's frame. It replays the run's journal into the frame,
/// opens steps, turns completions into records and deliveries, and says what must happen outside:
/// what to write, which bodies to run, what to wait for.
/// What it promises: no I/O but reading the run's records, no threads, no CAF. Everything it wants
/// done is in `take_effects`; whoever pumps it submits the change first and lets nothing else out
/// before the change is durable.
/// What it does not: decide who runs it. One thread at a time; the session sees to that.
///
/// Invariants:
/// - The frame is not destroyed while one of its bodies is active (bodies may borrow from it).
/// - A step's outcome is recorded before, or in the same change as, everything that follows from
///   it.
/// - After `close` or a park nothing is delivered to the handler; results that still come are
///   recorded.
#pragma once

#include <perdure/detail/root_task.hpp>
#include <perdure/log.hpp>
#include <perdure/runtime.hpp>

#include "actors/attempt_policy.hpp"
#include "actors/body_job.hpp"
#include "core/clock.hpp"
#include "core/random.hpp"
#include "journal/change.hpp"
#include "journal/reader.hpp"
#include "journal/replay_machine.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace perdure::actors {

/// What the run was created with.
struct RunFacts {
  RunId id;
  journal::SessionId session;
  std::string agent;
  int agent_version = 1;
  std::string handler;
  std::string session_key;
  std::string message_key;
  std::string input_type;
  core::Bytes input;
  std::uint64_t seed = 0;
  journal::Stamp created = 0;
};

/// A log line of a run, owned.
struct RunLog {
  LogLevel level = LogLevel::info;
  std::string_view event;
  std::string message;
  std::string step;
};

/// A step that waits for its next attempt.
struct RetryWait {
  journal::StepPath path;
  journal::Stamp due = 0;
  std::chrono::microseconds in{0};
};

/// What one pumping of a run wants done, in this order.
struct RunEffects {
  journal::Change change;                   ///< First; the rest waits until it is durable.
  std::vector<BodyOrder> bodies;            ///< Bodies to run.
  std::vector<RetryWait> waits;             ///< Times to come back by `retry_due`.
  std::vector<RunLog> logs;                 ///< At once.
  std::optional<Error> parked;              ///< The run parked now.
  std::optional<journal::RunStatus> ended;  ///< The run ended now.
};

class RunCore final : private detail::Execution {
 public:
  /// `clock` and `random` outlive the run.
  RunCore(RunFacts facts, core::Clock& clock, core::Random& random);
  /// The frame must be gone (`can_be_destroyed`), or is leaked on purpose by the caller.
  ~RunCore();

  /// A new run: its creation is part of the next change, and its handler runs up to the first
  /// suspension.
  void create(const detail::HandlerEntry& handler);
  /// A run found in the journal: replays it and goes on. `handler` null: it is not served, the run
  /// parks.
  void resume(const detail::HandlerEntry* handler, journal::Reader& reader, LastEnd last_end,
              SuspectedCrashes suspected);

  /// A body came back.
  void complete(BodyCompletion completion);
  /// The time of a step's next attempt has come. Stale calls are ignored.
  void retry_due(const journal::StepPath& path);
  /// Shutdown: bodies are asked to stop, nothing more is delivered or begun.
  void close();
  /// A change of the run was refused, so the journal follows it no further: as `close`, and nothing
  /// more is written, because records after a missing one would be damage.
  void abandon();

  /// What it waits for, in one sentence.
  [[nodiscard]] std::string explain() const;
  /// Whether the caller's thread runs some run's handler now.
  [[nodiscard]] static bool inside_a_handler() noexcept;

  [[nodiscard]] RunEffects take_effects();
  [[nodiscard]] const RunFacts& facts() const noexcept { return facts_; }
  /// No frame, or none that a body borrows from.
  [[nodiscard]] bool idle() const noexcept { return active_bodies_ == 0; }
  /// Ended, parked or closed, and no body is active: nothing will come of this object any more.
  [[nodiscard]] bool finished() const noexcept {
    return machine_.state() == journal::MachineState::waiting && root_ == nullptr && idle();
  }

 private:
  // detail::Execution
  void open(detail::Leaf& leaf) override;
  void stop(detail::Leaf& leaf) noexcept override;
  void handler_threw(const char* what) noexcept override;
  [[nodiscard]] std::uint64_t draw(const detail::PromiseBase& task,
                                   std::uint32_t number) const override;
  [[nodiscard]] std::int64_t now_us() const override { return stamp_; }
  [[nodiscard]] const RunId& run_id() const override { return facts_.id; }
  [[nodiscard]] std::string_view session_key() const override { return facts_.session_key; }
  [[nodiscard]] std::string_view agent_name() const override { return facts_.agent; }
  [[nodiscard]] int agent_version() const override { return facts_.agent_version; }
  void log(std::string_view message) override;
  [[nodiscard]] bool on_this_thread() const noexcept override;

  /// From here to `leave_handler` this thread runs code of the handler's. What it ran before.
  const RunCore* enter_handler() const noexcept;
  static void leave_handler(const RunCore* before) noexcept;
  void pump();
  void adopt(const detail::HandlerEntry& handler);
  [[nodiscard]] Result<void> start_frame();
  [[nodiscard]] Result<void> replay(journal::Reader& reader);
  /// One record into the machine. False: the run has diverged and parked.
  [[nodiscard]] Result<bool> replay_record(const journal::RecordBuffer& record,
                                           std::uint32_t index);
  [[nodiscard]] Result<bool> replay_result(const journal::StepResult& result, std::uint32_t index);
  /// Starts, settles and ends what can be, until nothing more can.
  void settle();
  void begin_opened(journal::Pending& pending);
  void order_body(journal::Pending& pending, const Begin& begin);
  void record_result(journal::Pending& pending, const detail::BodyResult& result,
                     std::int64_t busy_us);
  void deliver(journal::Pending& pending, const detail::BodyResult& result);
  void plan_retry(journal::Pending& pending, const Error& error, std::chrono::milliseconds delay);
  enum class Forget : std::uint8_t { row_and_due, due_only };
  void forget_attempts(const journal::StepPath& path, Forget what = Forget::row_and_due);
  void never_ran(journal::Pending& pending);
  void stopped_by_close(journal::Pending& pending, const detail::BodyResult& result,
                        std::int64_t busy_us);
  void finish();
  void park(Error why);
  void discard_frame();
  void touch_status();
  void stamp_now();
  [[nodiscard]] journal::Attempts* attempts_of(const journal::StepPath& path);
  [[nodiscard]] journal::Attempts& attempts_for(const journal::Pending& pending);
  void note_begun(const journal::Pending& pending, const Begin& begin);
  void put_attempts(const journal::Attempts& attempts);

  RunFacts facts_;
  core::Clock& clock_;
  core::Random& random_;
  Context context_;
  journal::ReplayMachine machine_;
  std::unique_ptr<detail::RootTask> root_;
  std::string_view reply_type_;
  journal::Head head_;
  bool head_changed_ = false;
  bool in_ready_ = false;
  bool closing_ = false;
  bool abandoned_ = false;
  LastEnd last_end_ = LastEnd::none;
  std::optional<Error> thrown_;
  journal::Stamp stamp_ = 0;
  std::size_t active_bodies_ = 0;
  /// By path hash: steps that have an attempts row.
  std::map<std::uint64_t, journal::Attempts> attempts_;
  RunEffects effects_;
};

}  // namespace perdure::actors
