/// The testing kit's runtime: an engine without threads, and the processes it lives in.
///
/// What this is: the driver of a threadless engine (turns, timers, bodies), and what keeps a
/// caller's handles working while engines die and are opened again on the same journal.
/// What it promises: one turn at a time, in this order: commits, sessions, bodies, timers that are
/// due. A commit is the next thing to happen after the session that asked for it, so a crash at a
/// commit loses what that session did last, and nothing else.
/// What it does not: run anything of its own accord.
///
/// Invariants:
/// - `engine_` is null before the first use and after a failed opening alone;
/// - an engine is only replaced when no body and no handler is on the stack;
/// - `running_` are the indices in `steps_` of the bodies on the stack, outermost first.
#pragma once

#include <perdure/detail/testing_core.hpp>

#include "actors/body_job.hpp"
#include "actors/engine.hpp"
#include "actors/testing_random.hpp"
#include "actors/testing_store.hpp"
#include "core/clock.hpp"
#include "core/random.hpp"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace perdure::actors {

/// Thread: one.
class TestingEngine final : public testing::detail::TestingCore, private BodyRunner {
 public:
  explicit TestingEngine(testing::Options options);
  ~TestingEngine() override;

  void serve(detail::AgentEntry agent) override;
  void serve(detail::ToolEntry tool) override;
  void serve_if_new(detail::AgentEntry agent) override;
  void forget(std::string_view undo) override { forgotten_.emplace_back(undo); }
  void on_event(EventHook hook) override { event_hook_ = std::move(hook); }
  [[nodiscard]] Result<void> start() override { return ensure_open(); }
  [[nodiscard]] Result<void> shutdown() override;
  [[nodiscard]] Result<RunId> send_message(const detail::MessageRequest& request) override;
  [[nodiscard]] Result<void> send_signal(const detail::SignalRequest& request) override;
  [[nodiscard]] Result<void> cancel(const RunId& run, const CancelOptions& options,
                                    detail::CancelHow how) override;
  [[nodiscard]] Result<void> retry_now(const RunId& run) override;
  [[nodiscard]] Result<void> compensate(const RunId& run, const CancelOptions& options) override;
  [[nodiscard]] Result<void> resolve_saga(std::string_view saga,
                                          const SagaResolution& resolution) override;
  [[nodiscard]] Result<Spending> spending(const RunId& run) override;
  [[nodiscard]] Result<void> raise(const RunId& run, const Budget& limits) override;
  [[nodiscard]] Result<std::optional<RunId>> find_run(std::string_view agent, std::string_view key,
                                                      std::string_view message_key) override;
  [[nodiscard]] Result<Bytes> query(const detail::QueryRequest& request) override;
  [[nodiscard]] Result<std::unique_ptr<detail::BlobSink>> create_blob() override;
  [[nodiscard]] Result<std::unique_ptr<detail::BlobSource>> open_blob(const Blob& blob) override;
  [[nodiscard]] detail::RowSource& rows() override { return rows_; }
  [[nodiscard]] Result<Bytes> wait(const RunId& run, std::chrono::milliseconds within) override;
  [[nodiscard]] bool has_ended(const RunId& run) override;
  [[nodiscard]] Result<std::string> explain(const RunId& run) override;

  void replace(const std::string& step_name, std::shared_ptr<detail::BodyLeaf> body) override;
  void replace(detail::ToolEntry tool) override;
  [[nodiscard]] Result<void> run_until_idle() override;
  [[nodiscard]] Result<void> advance(std::chrono::microseconds by) override;
  [[nodiscard]] core::WallTime now() const override { return clock_->wall(); }
  [[nodiscard]] Result<void> restart(testing::End end, testing::Downtime downtime) override;
  [[nodiscard]] const std::vector<testing::StepRun>& steps() const override { return steps_; }
  [[nodiscard]] const std::vector<Event>& events() const override { return events_; }
  [[nodiscard]] const std::vector<testing::LogLine>& log() const override { return log_; }

  /// For the crash driver. The journal, also while no process has it open.
  [[nodiscard]] MortalStore& store() noexcept { return store_; }
  /// Indices in `steps()` of bodies that began although the step's result was in the journal.
  [[nodiscard]] const std::set<std::size_t>& repeated() const noexcept { return repeated_; }

 private:
  class Shell;
  // BodyRunner
  [[nodiscard]] detail::BodyResult run(const BodyOrder& order, Step& step) noexcept override;
  [[nodiscard]] std::shared_ptr<const detail::ToolEntry> begin_tool(
      const BodyOrder& order, const Step& step) noexcept override;
  void tool_returned() noexcept override;
  void ended(const BodyCompletion& completion) noexcept override;
  [[nodiscard]] detail::BodyResult run_body_of(const BodyOrder& order, Step& step);
  std::size_t note_begin(const Step& step, Effect effect);

  [[nodiscard]] bool turn();
  [[nodiscard]] bool run_body();
  [[nodiscard]] std::uint64_t rank_of(const Job& job);
  void drain_next();
  [[nodiscard]] Result<void> settle();
  [[nodiscard]] Result<void> tick_until(core::Elapsed target);
  void move_clock_to(core::Elapsed time);
  [[nodiscard]] Result<void> refuse_inside(std::string_view what) const;

  /// Calls `call(engine)` until it has succeeded or failed in a process that lived.
  template <class Call>
  auto in_some_life(Call call) -> decltype(call(std::declval<Engine&>()));
  [[nodiscard]] Result<void> ensure_open();
  [[nodiscard]] Result<void> open();
  void close_engine();
  void begin_anew();
  /// After a death, or when frames are to be replayed: the next process. Whether there was reason.
  [[nodiscard]] Result<bool> next_life();

  void take_note(const LogRecord& record);
  [[nodiscard]] std::string session_of(const RunId& run);
  [[nodiscard]] bool is_recorded(const RunId& run, const std::string& step);

  const testing::Options options_;
  std::shared_ptr<core::ManualClock> clock_;
  std::shared_ptr<SessionDice> dice_;
  core::SeededRandom opening_random_;
  MortalStore store_;
  StoredRows rows_{store_};

  std::vector<detail::AgentEntry> served_;
  std::vector<detail::ToolEntry> tools_;
  std::vector<std::string> forgotten_;  ///< Compensations that the next process does not serve.
  const std::shared_ptr<UndosByUse> undos_by_use_ = std::make_shared<UndosByUse>();
  std::map<std::string, std::shared_ptr<const detail::ToolEntry>, std::less<>> replaced_tools_;
  std::optional<Error> refused_;  ///< What `serve` would not take.
  std::map<std::string, std::shared_ptr<detail::BodyLeaf>, std::less<>> replaced_;

  std::shared_ptr<Engine> engine_;
  std::deque<std::shared_ptr<SessionShell>> ready_;  ///< Sessions that have something to do.
  int life_ = 0;
  bool shut_down_ = false;
  bool closing_ = false;        ///< The engine is being shut down: what is left drains.
  bool wants_replay_ = false;   ///< Frames::replayed, and a step has ended.
  bool stopped_early_ = false;  ///< A turn was refused so that the process can be restarted.
  std::uint64_t turns_ = 0;     ///< Inside the present call.
  std::uint64_t messages_ = 0;  ///< That came without a key.

  std::vector<testing::StepRun> steps_;
  std::vector<std::size_t> running_;
  std::set<std::size_t> repeated_;
  std::size_t tools_open_ = 0;  ///< Attempts and questions of tools that have not ended.
  std::map<RunId, std::string> sessions_;
  struct Recorded {
    std::uint32_t next = 1;
    std::set<std::string> steps;
  };
  std::map<RunId, Recorded> recorded_;
  std::vector<Event> events_;
  std::vector<testing::LogLine> log_;
  EventHook event_hook_;
};

}  // namespace perdure::actors
