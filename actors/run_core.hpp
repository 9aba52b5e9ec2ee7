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

#include "actors/run_budget.hpp"
#include "actors/run_host.hpp"
#include "actors/run_sagas.hpp"
#include "actors/saga_payer.hpp"
#include "core/clock.hpp"
#include "core/random.hpp"
#include "journal/replay_machine.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace perdure::actors {

/// How long a run may go on when its deadline has passed.
inline constexpr std::chrono::milliseconds kDeadlineGrace = std::chrono::seconds(30);

/// Where something stands in its run.
[[nodiscard]] journal::StepPath path_of(const detail::Place& place);
/// Why a step or wait can't begin; empty when it can.
[[nodiscard]] std::optional<Error> refuse_step(const detail::Leaf& leaf);
[[nodiscard]] inline detail::Leaf& leaf_of(const journal::Pending& pending) {
  return *static_cast<detail::Leaf*>(pending.tag);
}
[[nodiscard]] inline detail::WaitLeaf& wait_of(const journal::Pending& pending) {
  return static_cast<detail::WaitLeaf&>(leaf_of(pending));
}
/// The moment of `until`, counted from `begun`.
[[nodiscard]] journal::Stamp stamp_of(const detail::WaitUntil& until,
                                      journal::Stamp begun) noexcept;
[[nodiscard]] inline detail::BodyLeaf& body_of(const journal::Pending& pending) {
  return static_cast<detail::BodyLeaf&>(leaf_of(pending));
}
/// Whether a cancel does not reach what stands at `place`.
[[nodiscard]] inline bool is_shielded(const detail::Place& place) noexcept {
  for (const detail::Place* node = &place; node != nullptr; node = node->parent)
    if (node->shielded) return true;
  return false;
}

/// Where `due` says that the run may wait in a circle of calls: before everything else.
[[nodiscard]] inline journal::Key circle_row(const RunId& run) noexcept {
  return journal::due_row(1, run, journal::DueRow::What::circle);
}
[[nodiscard]] inline journal::DueRow circle_due() noexcept {
  return {journal::DueRow::What::circle, {}, 0, 1};
}

class RunCore final : private detail::Execution {
 public:
  /// `host`, `clock` and `random` outlive the run.
  RunCore(RunFacts facts, RunHost& host, core::Clock& clock, core::Random& random);
  /// The frame must be gone (`can_be_destroyed`), or is leaked on purpose by the caller.
  ~RunCore();

  /// A new run: its creation goes into `change`, and the journal says of it that its handler was
  /// not asked yet.
  void record_creation(journal::Change& change);
  /// After `record_creation`: its handler runs up to the first suspension, and what follows from
  /// that goes on from `change`. It is recorded that it has begun, before anything leaves.
  /// `handler` null: it is not served, the run parks.
  void begin(const detail::HandlerEntry* handler, journal::Change change);
  void begin(const detail::HandlerEntry* handler) { begin(handler, host_.new_change()); }
  /// Instead of `record_creation` and `begin`: a run that waited for its turn is cancelled, and its
  /// handler is never asked.
  void end_unbegun(const CancelOrder& order);
  /// A run found in the journal: replays it and goes on. `handler` null: it is not served, the run
  /// parks.
  void resume(const detail::HandlerEntry* handler, journal::Reader& reader,
              const Resumption& resumption);
  /// A run found in the journal, without asking its code: `cancel` and `kill` record, no more.
  /// Errors: as Reader, and `corrupt` without a head row.
  [[nodiscard]] Result<void> open_parked(journal::Reader& reader);

  /// A body came back.
  void complete(BodyCompletion completion);
  /// A tool's attempt says how far it is.
  void progress(const BodyAddress& address, Bytes progress);
  /// The time `at` has come. Stale calls are ignored.
  void due(journal::DueRow::What what, const journal::StepPath& path, journal::Stamp at);
  /// A signal has come. Whether a receive waited for it, and has it.
  /// The bytes of `payload` are at hand.
  [[nodiscard]] bool offer_signal(std::string_view name, const journal::Payload& payload);
  /// The run that the call at `path` waits for, or the child that the spawn at `path` started, has
  /// ended. A stale call is ignored.
  void reply(const journal::StepPath& path, const RunId& from, const detail::BodyResult& result);
  /// Somebody wants the run to end: recorded, and delivered once. A second one is ignored.
  void cancel(const CancelOrder& order);
  /// The run ends as cancelled, without asking its handler.
  void kill(const CancelOrder& order);
  /// Steps that wait for their next attempt begin it.
  void retry_now();
  /// Somebody wants sagas of it undone: recorded, and delivered once, whatever its code is. Those
  /// that are not open are left alone.
  void abort_sagas(const AbortOrder& order);
  /// The same of a run that has ended: what it left open, and with `committed_too` what it has
  /// committed. After `open_parked`. Errors: as Reader.
  [[nodiscard]] Result<void> undo_ended(const AbortOrder& order, bool committed_too);
  /// The undoing of a saga has ended, or is stuck. `path`: of the step that waits for it; empty: of
  /// all that do.
  void saga_told(std::uint32_t number, const journal::StepPath& path,
                 const std::optional<Error>& stuck);
  /// Its handler takes deliveries: it has not ended, parked or closed.
  [[nodiscard]] bool is_running() const noexcept {
    return machine_.state() == journal::MachineState::running;
  }
  /// It only waits: nothing of it is lost when its frame is given up and replayed later.
  [[nodiscard]] bool only_waits() const noexcept;
  /// It waits for nothing but other sessions, and for as long as they like.
  [[nodiscard]] bool waits_for_calls_only() const noexcept;
  /// Since the last call: it came to wait for nothing but others' ends, and none of them was called
  /// just now, so nobody else would look whether they wait in a circle.
  [[nodiscard]] bool take_circle_suspected() noexcept {
    return std::exchange(circle_suspected_, false);
  }
  /// Somebody queued behind it. True: the caller adds `circle_row` to its change.
  [[nodiscard]] bool needs_circle_row() noexcept { return !std::exchange(circle_due_, true); }
  /// What its frames take, with its input and this object.
  [[nodiscard]] std::size_t frame_bytes() const noexcept {
    return frame_bytes_ + facts_.input.bytes.size() + sizeof(RunCore) +
           machine_.pending().size() * (sizeof(journal::Pending) + sizeof(journal::Wait));
  }
  [[nodiscard]] std::size_t records() const noexcept { return head_.count; }
  /// For the frames of the handler that this thread runs.
  static void* allocate_frame(std::size_t bytes);
  static void free_frame(void* frame, std::size_t bytes) noexcept;
  /// Gives the frame up. When `only_waits`.
  void passivate();
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
  /// What `take_effects` gave last was submitted, under this number.
  void submitted(journal::RecordNumber number) { budget_.submitted(number); }
  [[nodiscard]] const RunFacts& facts() const noexcept { return facts_; }
  /// No frame, or none that a body borrows from.
  [[nodiscard]] bool idle() const noexcept { return active_bodies_ == 0; }
  /// Ended, parked or closed, and no body is active: nothing will come of this object any more.
  [[nodiscard]] bool finished() const noexcept {
    return machine_.state() == journal::MachineState::waiting && root_ == nullptr && idle();
  }

 private:
  friend class SagaPayer;
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
  [[nodiscard]] const Bytes* read_state(std::string_view name) override;
  void write_state(std::string_view name, std::string_view type,
                   std::optional<Bytes> value) override;
  [[nodiscard]] int version(std::string_view change, int oldest, int newest) override;
  [[noreturn]] void park_here(Error why) override;
  [[nodiscard]] detail::SagaRef open_saga(const Name& name, const detail::SagaSpec& spec) override;
  void leave_saga(const detail::SagaRef& ref) noexcept override;
  [[nodiscard]] std::uint32_t save_point(const detail::SagaRef& ref) override;
  [[nodiscard]] std::optional<Error> sagas_left_by(const detail::PromiseBase* task) override;
  [[nodiscard]] bool wait_for_sagas(const detail::PromiseBase* task,
                                    detail::SagaWaiter& waiter) override;
  [[nodiscard]] Error stopped_error(const detail::PromiseBase& task) const override;
  [[nodiscard]] bool on_this_thread() const noexcept override;

  /// From here to `leave_handler` this thread runs code of the handler's. What it ran before.
  RunCore* enter_handler() noexcept;
  static void leave_handler(RunCore* before) noexcept;
  /// Runs the handler until it waits, and ends waits that nobody needs any more.
  void pump();
  [[nodiscard]] bool drop_stopped_waits();
  void drop_wait(journal::Pending& pending, Error why);
  void adopt(const detail::HandlerEntry& handler);
  [[nodiscard]] Error not_served() const;
  [[nodiscard]] journal::HeadRow head_row() const noexcept {
    const bool has_ended = head_.status >= journal::RunStatus::completed;
    return {head_.count, head_.status, head_.stamp,
            head_.code,  head_.reason, has_ended ? 0 : head_.count - passed_};
  }
  /// Whether the handler is where it never was, or nothing came of it.
  [[nodiscard]] bool on_new_ground() const noexcept;
  [[nodiscard]] Result<void> read_marks_ahead();
  [[nodiscard]] Error cancel_error() const;
  [[nodiscard]] bool tells_of_cancel(Code code, std::string_view message) const;
  [[nodiscard]] Result<void> start_frame();
  [[nodiscard]] Result<void> replay(journal::Reader& reader);
  [[nodiscard]] Result<void> replay_records(journal::Reader& reader);
  /// One record into the machine. False: the run has diverged and parked.
  [[nodiscard]] Result<bool> replay_record(journal::Reader& reader,
                                           const journal::RecordBuffer& record,
                                           std::uint32_t index);
  [[nodiscard]] Result<bool> replay_result(journal::Reader& reader,
                                           const journal::StepResult& result, std::uint32_t index);
  [[nodiscard]] Result<void> load_head(journal::Reader& reader);
  [[nodiscard]] Result<void> load_rows(journal::Reader& reader);
  /// Starts, settles and ends what can be, until nothing more can.
  void settle();
  void begin_opened(journal::Pending& pending);
  void begin_wait(journal::Pending& pending);
  void begin_sleep_or_receive(journal::Pending& pending);
  [[nodiscard]] Result<Outgoing> message_of(const journal::Pending& pending);
  void begin_send(journal::Pending& pending);
  void begin_call(journal::Pending& pending);
  void wait_for(journal::Pending& pending, journal::Wait wait);
  void begin_spawn(journal::Pending& pending);
  void begin_join(journal::Pending& pending);
  void child_ended(ChildState& child, const RunId& from, const detail::BodyResult& result);
  [[nodiscard]] ChildState* find_child(const journal::StepPath& spawned_at);
  [[nodiscard]] Result<ChildState*> own_child(const detail::ChildRef& ref);
  [[nodiscard]] Error stray(const detail::ChildRef& ref) const;
  void put_child(const ChildState& child);
  [[nodiscard]] bool has_children_to_wait_for() const noexcept;
  [[nodiscard]] bool waits_for_children() const noexcept;
  void cancel_child(const ChildState& child, const std::string& who, const std::string& why,
                    std::chrono::milliseconds grace);
  void pass_cancel_on(const CancelOrder& order);
  void part_from_children();
  void forget_wait(const journal::StepPath& path);
  [[nodiscard]] Result<void> hold_rows_against_code();
  /// `blob`: where the outcome's bytes are, if they are in a blob already.
  void settle_wait(journal::Pending& pending, const detail::BodyResult& outcome,
                   const std::optional<journal::BlobRef>& blob = {});
  void wait_is_over(journal::Pending& pending);
  [[nodiscard]] std::vector<SignalName> rivals_of(const journal::Pending& pending) const;
  [[nodiscard]] journal::Change end_of_wait(const journal::Pending& pending,
                                            const detail::BodyResult& outcome) const;
  [[nodiscard]] bool nothing_but_waits() const noexcept;
  void note_cancel(const journal::CancelRequested& asked);
  void apply_cancel();
  void put_due(journal::DueRow::What what, journal::Stamp at);
  void erase_due(journal::DueRow::What what, journal::Stamp at);
  void put_creation(journal::Change& change);
  void end_with(Result<core::Bytes> reply, journal::RunStatus failed_as);
  void record_end(Result<core::Bytes> reply, journal::RunStatus failed_as);
  void write_dirty_state();
  void not_served(journal::Pending& pending, Error why);
  void order_body(journal::Pending& pending, const Begin& begin);
  [[nodiscard]] BodyOrder& order(journal::Pending& pending);
  void refuse_attempt(journal::Pending& pending, Error why);
  // run_core_budget.cpp
  enum class Room : std::uint8_t { none, now, when_durable };
  [[nodiscard]] Room reserve(journal::Pending& pending, const Begin& begin);
  void note_waiting(const journal::Pending& pending, const Begin& begin);
  // run_core_tools.cpp
  [[nodiscard]] Result<std::shared_ptr<const ToolOrder>> tool_order(journal::Pending& pending,
                                                                    ToolOrder::What what);
  void order_question(journal::Pending& pending, const Begin& begin);
  void note_question(const journal::Pending& pending, const Begin& begin);
  [[nodiscard]] std::optional<std::chrono::milliseconds> overall_left(detail::BodyLeaf& leaf);
  [[nodiscard]] bool must_ask(const journal::Pending& pending, const Error& error) const;
  void plan_question(journal::Pending& pending, const Error& error);
  void answered(journal::Pending& pending, BodyCompletion& completion);
  void found_never(journal::Pending& pending, const BodyCompletion& completion);
  void outcome(journal::Pending& pending, const detail::BodyResult& result,
               const BodyCompletion& completion);
  void back_off(journal::Pending& pending, const journal::Attempts& attempts,
                std::chrono::milliseconds delay);
  void ask_again(journal::Pending& pending, const BodyCompletion& completion);
  void ended_by_itself(journal::Pending& pending, BodyCompletion& completion);
  [[nodiscard]] std::optional<std::chrono::milliseconds> retry_in(journal::Pending& pending,
                                                                  Error& error);
  [[nodiscard]] Effect effect_of(const journal::Pending& pending) const;
  void record_result(journal::Pending& pending, const detail::BodyResult& result,
                     std::int64_t busy_us, const std::optional<journal::BlobRef>& blob = {});
  [[nodiscard]] journal::StepResult result_record(
      const journal::Pending& pending, const detail::BodyResult& result, std::int64_t busy_us,
      const std::optional<journal::BlobRef>& blob) const;
  // run_core_sagas.cpp
  class Settling;  // NOLINT(cppcoreguidelines-virtual-class-destructor): it is final
  struct SettlingList {
    SettlingList();
    ~SettlingList();
    void clear();
    std::vector<std::unique_ptr<Settling>> all;
  };
  enum class IsNew : std::uint8_t { yes, no };
  void settling_ended(const Settling& settling) noexcept;
  /// Null: the saga is another run's, or nobody's.
  [[nodiscard]] RunSaga* own_saga(const detail::SagaRef& ref) noexcept {
    return ref.run == facts_.id ? sagas_.find(ref.number) : nullptr;
  }
  void note_member(detail::Leaf& leaf);
  [[nodiscard]] std::optional<Error> refuse_member(const detail::SagaRef& ref,
                                                   const journal::StepPath& path);
  void register_action(const journal::StepPath& path, core::ByteView input,
                       std::chrono::milliseconds settle_time, const journal::Arrival* call);
  void store_saga(RunSaga& saga);
  void arm_deadline(const RunSaga& saga);
  void forget_deadlines_of_sagas();
  void put_saga(RunSaga& saga);
  void close_saga(RunSaga& saga, journal::SagaState state);
  void put_undo_state(const RunSaga& saga, std::uint32_t index);
  void action_ended(const journal::StepPath& path, const Error* failure, std::uint32_t index,
                    IsNew is_new);
  void note_in_sagas(const journal::Pending& pending, const detail::BodyResult& result,
                     std::uint32_t index, IsNew is_new);
  void begin_commit(journal::Pending& pending);
  void committed(RunSaga& saga, std::uint32_t index, IsNew is_new);
  void saga_step_ended(const journal::Pending& pending, const Error* failure, std::uint32_t index,
                       IsNew is_new);
  void abort_with_members(RunSaga& saga);
  void settle_in_place(RunSaga& saga);
  [[nodiscard]] Result<void> send_order(RunSaga& saga, const std::string& what,
                                        const std::vector<std::uint32_t>& owed,
                                        const journal::StepPath& step);
  void note_fenced(RunSaga& saga, const std::vector<std::uint32_t>& owed);
  [[nodiscard]] Result<void> order_undoing(RunSaga& of);
  void begin_compensate(journal::Pending& pending);
  void wait_for_payer(journal::Pending& pending);
  void begin_going_back(journal::Pending& pending, RunSaga& saga);
  void begin_ask(journal::Pending& pending, bool found);
  [[nodiscard]] bool is_target(const RunSaga& saga, std::uint32_t asked) const;
  void apply_abort(const AbortOrder& order);
  void abort_for_end(const AbortOrder& order);
  [[nodiscard]] bool record_abort(const AbortOrder& order);
  void mark_aborted(const AbortOrder& order);
  [[nodiscard]] Result<void> order_all();
  void went_back(RunSaga& saga, std::uint32_t from);
  void went_back_in_vain(RunSaga& saga);
  void saga_due(std::uint32_t number);
  [[nodiscard]] bool run_asked_aborts();
  // run_core_transactions.cpp
  [[nodiscard]] bool settle_transaction(journal::Pending& pending, BodyCompletion& completion);
  [[nodiscard]] journal::Change transaction_change(const journal::Pending& pending,
                                                   BodyCompletion& completion);
  void transaction_recorded(journal::Pending& pending, const BodyCompletion& completion);
  void settled(journal::Pending& pending, const detail::BodyResult& result);
  [[nodiscard]] bool run_again(journal::Pending& pending, BodyCompletion& completion,
                               journal::RecordNumber behind);
  void deliver(journal::Pending& pending, const detail::BodyResult& result);
  void plan_retry(journal::Pending& pending, const Error& error, std::chrono::milliseconds delay);
  enum class Forget : std::uint8_t { row_and_due, due_only };
  void forget_attempts(const journal::StepPath& path, Forget what = Forget::row_and_due);
  void never_ran(journal::Pending& pending, const BodyCompletion& completion);
  void result_lost(journal::Pending& pending, const Error& why);
  void stopped_by_close(journal::Pending& pending, const detail::BodyResult& result,
                        std::int64_t busy_us);
  void finish();
  void park(Error why);
  [[nodiscard]] bool fails_for(const Error& why) const noexcept;
  [[nodiscard]] bool stays_parked(const detail::HandlerEntry* handler,
                                  const Resumption& resumption) const noexcept;
  void end_now(Error why, journal::RunStatus as);
  void discard_frame();
  void touch_status();
  void note_circles();
  void stamp_now();
  [[nodiscard]] journal::Attempts* attempts_of(const journal::StepPath& path);
  [[nodiscard]] journal::Attempts& attempts_for(const journal::Pending& pending);
  void note_begun(const journal::Pending& pending, const Begin& begin);
  void put_attempts(const journal::Attempts& attempts);

  RunFacts facts_;
  RunHost& host_;
  core::Clock& clock_;
  core::Random& random_;
  Context context_;
  journal::ReplayMachine machine_;
  std::unique_ptr<detail::RootTask> root_;
  std::string_view reply_type_;
  WhenStuck on_divergence_ = WhenStuck::retry_at_start;
  WhenStuck on_exception_ = WhenStuck::retry_at_start;
  journal::Head head_;
  bool head_changed_ = false;
  /// How many of the first records the handler has gone on from, with something to show for it.
  std::uint32_t passed_ = 0;
  /// While it replays: what from, unless the marks ahead were read, and the record that the handler
  /// goes on from.
  journal::Reader* marks_from_ = nullptr;
  std::uint32_t replayed_ = 0;
  bool in_ready_ = false;
  bool closing_ = false;
  bool abandoned_ = false;
  LastEnd last_end_ = LastEnd::none;
  std::optional<Error> thrown_;
  journal::Stamp stamp_ = 0;
  std::size_t active_bodies_ = 0;
  std::size_t frame_bytes_ = 0;
  /// By path hash: steps that have an attempts row.
  std::map<std::uint64_t, journal::Attempts> attempts_;
  /// By path hash: what steps without a body wait for, as its rows say.
  std::map<std::uint64_t, journal::Wait> waits_;
  /// By path hash: runs that steps of this one started.
  std::map<std::uint64_t, ChildState> children_;
  /// Pending waits that were asked to stop and have not ended, in that order.
  std::vector<journal::Pending*> stopped_waits_;
  std::optional<CancelOrder> cancel_;
  journal::Stamp grace_ends_ = 0;
  /// A cancel was delivered and found nothing that waits: the next operation fails with it.
  bool cancel_owed_ = false;
  bool circle_suspected_ = false;
  bool circle_due_ = false;  ///< The row in `due` that a recovery looks for circles by.
  RunState state_;
  RunBudget budget_;
  RunSagas sagas_;
  SettlingList settling_;
  /// Sagas that frames left open: by whose, and their names.
  std::vector<std::pair<const detail::PromiseBase*, std::string>> left_;
  /// Sagas that their handler wants undone, as soon as it waits.
  std::vector<std::uint32_t> asked_aborts_;
  SagaPayer payer_;
  /// Which way the run went at its changes.
  std::map<std::string, int, std::less<>> versions_;
  RunEffects effects_;
};

}  // namespace perdure::actors
