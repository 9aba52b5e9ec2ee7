/// The engine: a runtime without CAF.
///
/// What this is: journal, writer, gate, step pool, timers, sessions and watchers, wired together by
/// their constructors. How sessions are scheduled comes from outside, as a factory of shells.
/// What it promises: what `RuntimeCore` says. Nothing resumes before `start`.
/// What it does not: know CAF (runtime.cpp gives it shells that are actors), or keep singletons.
#pragma once

#include <perdure/detail/runtime_core.hpp>
#include <perdure/runtime.hpp>

#include "actors/blob_access.hpp"
#include "actors/budget_book.hpp"
#include "actors/control_server.hpp"
#include "actors/due_service.hpp"
#include "actors/registry.hpp"
#include "actors/reporter.hpp"
#include "actors/row_access.hpp"
#include "actors/run_watchers.hpp"
#include "actors/session_directory.hpp"
#include "actors/step_pool.hpp"
#include "actors/timers.hpp"
#include "journal/control_queue.hpp"
#include "journal/directory.hpp"
#include "journal/gate.hpp"
#include "journal/writer.hpp"

#include <atomic>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>

namespace perdure::actors {

class Engine;

/// Whether the answer has come.
template <class T>
[[nodiscard]] bool is_ready(const std::future<T>& answer) {
  return answer.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

/// Where the engine's nondeterminism comes from. Outlives the engine by shared ownership.
struct EngineSeams {
  std::shared_ptr<core::Clock> clock;
  std::shared_ptr<core::Random> random;
  std::unique_ptr<journal::JournalForWriting> journal;
  /// Makes a shell for a session; called under the directory's lock.
  std::function<std::shared_ptr<SessionShell>(SessionAddress, SessionServices&, Engine&)>
      make_shell;
  /// Called at the end of `shutdown`, when no session is left: the scheduler can stop.
  std::function<void()> sessions_gone = {};
  /// The journal's directory, where operators' orders are taken; empty: nowhere.
  std::filesystem::path control_directory = {};
  /// Whether timers fire by a thread of their own, or when the owner calls `timers().fire_due`.
  enum class TimerPump : std::uint8_t { thread, owner } timer_pump = TimerPump::thread;
  /// Not empty: the engine has no thread at all. Writer and step pool are driven by their owner,
  /// each change is committed alone, and calls that would block take turns instead: `turn` does one
  /// thing that can be done now (has a session drain, commits, runs a body), and returns false when
  /// there is none.
  std::function<bool()> turn = {};
  /// As in SessionServices.
  bool tools_served_by_use = false;
  std::shared_ptr<UndosByUse> undos_by_use = {};
};

/// Thread: as RuntimeCore.
class Engine final : public detail::RuntimeCore, public std::enable_shared_from_this<Engine> {
 public:
  Engine(RuntimeOptions options, EngineSeams seams);
  ~Engine() override;

  void serve(detail::AgentEntry agent) override;
  void serve(detail::ToolEntry tool) override;
  void on_event(EventHook hook) override { reporter_.set_event_hook(std::move(hook)); }
  [[nodiscard]] Result<void> start() override;
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
  [[nodiscard]] Result<std::unique_ptr<detail::BlobSink>> create_blob() override {
    return blobs_.create_blob();
  }
  [[nodiscard]] Result<std::unique_ptr<detail::BlobSource>> open_blob(const Blob& blob) override {
    return blobs_.open_blob(blob);
  }
  [[nodiscard]] detail::RowSource& rows() override { return rows_; }
  [[nodiscard]] Result<Bytes> wait(const RunId& run, std::chrono::milliseconds within) override;
  [[nodiscard]] bool has_ended(const RunId& run) override;
  [[nodiscard]] Result<std::string> explain(const RunId& run) override;

  /// The same as `send_message`, without waiting: `reply` is called once, from any thread.
  void send_message_then(const detail::MessageRequest& request,
                         std::function<void(Result<RunId>)> reply);
  /// An operator's order, checked and carried out without waiting: `reply` is called once, from any
  /// thread, when what came of it is durable.
  void operate(const journal::ControlRequest& request, ControlServer::Reply reply);
  /// Calls `tell` when the run has ended, at once when it has already.
  void when_ended(const RunId& run, std::function<void(Result<Bytes>)> tell);

  /// For shells: the writer has something to commit, and the caller is no step thread.
  void wake_writer() { writer_->wake(); }
  bool retire(SessionShell& shell) { return directory_.retire(shell); }
  [[nodiscard]] std::size_t sessions_in_memory() const { return directory_.size(); }
  /// Who waits for the end of a run.
  [[nodiscard]] std::size_t watchers() const { return watchers_.waiting(); }
  [[nodiscard]] Timers& timers() noexcept { return timers_; }
  [[nodiscard]] journal::Writer& writer() noexcept { return *writer_; }
  [[nodiscard]] StepPool& pool() noexcept { return *pool_; }
  [[nodiscard]] const FrameBudget& frames() const noexcept { return frames_; }

 private:
  [[nodiscard]] journal::WriterOptions writer_options();
  [[nodiscard]] StepPoolOptions pool_options();
  [[nodiscard]] Result<void> recover();
  [[nodiscard]] Result<std::vector<SessionAddress>> unread_inboxes(journal::Reader& reader);
  [[nodiscard]] Result<SessionAddress> address_of(std::string_view agent, std::string_view key,
                                                  std::size_t payload);
  [[nodiscard]] Result<journal::Payload> payload_of(ByteView bytes);
  /// A word for the session of `run`. Errors: `not_found`, as Reader.
  [[nodiscard]] Result<journal::Arrival> word_for(journal::Reader& reader, const RunId& run,
                                                  journal::ArrivalRow::What what,
                                                  SessionAddress& to);
  /// Hands it to the session, and waits until what came of it is durable.
  [[nodiscard]] Result<void> arrive(const SessionAddress& to, journal::Arrival what);
  /// The same, without waiting.
  void arrive_then(const SessionAddress& to, journal::Arrival what,
                   std::function<void(Result<RunId>)> reply);
  void open_control();
  void operate_mail(const journal::ControlRequest& request, ControlServer::Reply reply);
  [[nodiscard]] Result<void> check_served(const journal::ControlRequest& request);
  /// How a run that was told to go on is, once that is durable.
  [[nodiscard]] journal::ControlReply after_resume(const journal::ControlTarget& target);
  struct Ended {
    Result<Bytes> reply;
  };
  /// Empty: the run has not ended. Errors: `not_found`, as Reader.
  [[nodiscard]] Result<std::optional<Ended>> ended_result(const RunId& run);
  [[nodiscard]] static detail::AgentEntry saga_agent();
  [[nodiscard]] Result<void> check_open() const;
  /// Without threads: takes turns until `done`, or until no turn can be taken. With threads: true,
  /// and whoever asked blocks. What `done` is now.
  [[nodiscard]] bool take_turns(const std::function<bool()>& done);
  [[nodiscard]] Result<Bytes> wait_by_turns(const RunId& run, std::chrono::milliseconds within);
  [[nodiscard]] Error nothing_moves(const RunId& run);
  std::size_t give_up_attempts();
  [[nodiscard]] std::size_t close_sessions(std::chrono::milliseconds within);
  void storage_failed(const Error& why);
  [[nodiscard]] Result<std::string> explain_unloaded(const RunId& run);
  [[nodiscard]] std::optional<std::string> explain_loaded(const journal::RunInfo& info);
  [[nodiscard]] Result<std::string> explain_stored(journal::Reader& reader,
                                                   const journal::RunInfo& info);

  RuntimeOptions options_;
  EngineSeams seams_;
  Reporter reporter_;
  FrameBudget frames_;
  Registry registry_;
  RunWatchers watchers_;
  journal::Gate gate_;        ///< What is durable.
  journal::Gate early_gate_;  ///< What may leave before that: durability `interval` alone.
  std::unique_ptr<journal::Writer> writer_;
  Timers timers_;
  std::unique_ptr<TimerThread> timer_thread_;
  std::unique_ptr<StepPool> pool_;
  const std::shared_ptr<AttemptBook> attempts_ = std::make_shared<AttemptBook>();
  std::unique_ptr<DueService> due_;
  std::unique_ptr<SessionServices> services_;
  SessionDirectory directory_;
  BudgetBook budgets_;
  StoredBlobs blobs_;
  StoredRows rows_;
  std::atomic<std::size_t> unread_ = 0;  ///< See SessionServices::unread_inboxes.
  std::unique_ptr<ControlServer> control_;
  enum class State : std::uint8_t { opened, started, stopped };
  std::atomic<State> state_ = State::opened;
  std::mutex shutdown_mutex_;
};

}  // namespace perdure::actors
