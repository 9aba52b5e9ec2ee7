/// The session core: one session while it is in memory.
///
/// What this is: what a session does with what reaches it (messages, signals, completions, times,
/// replies, operators' words, the end of the runtime), and the carrying out of what its run wants
/// done: submit, then let out when durable.
/// What it promises: no CAF; every input is handled whole before the next. One run is unfinished at
/// a time; messages that come meanwhile are kept in the order of their numbers.
/// What it does not: see to that itself. Its shell does (session_shell.hpp).
///
/// Invariants, once `known_`:
/// - `open_` and `kept_` are what the tables `open` and `kept` will hold when everything submitted
///   is durable;
/// - while a run is unfinished, `open_` names it; `run_` is that run, if it is in memory;
/// - a kept message with a time in `due` waits for a DueNow, one without is in the queue;
/// - when no run is unfinished, no message is in the queue.
#pragma once

#include <perdure/runtime.hpp>

#include "actors/frame_budget.hpp"
#include "actors/registry.hpp"
#include "actors/reporter.hpp"
#include "actors/run_core.hpp"
#include "actors/run_watchers.hpp"
#include "actors/session_input.hpp"
#include "actors/step_pool.hpp"
#include "actors/tool_attempt.hpp"
#include "journal/gate.hpp"
#include "journal/writer.hpp"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace perdure::actors {

class DueService;
class SessionShell;

/// Everything a session needs of its runtime. All of it outlives the session.
struct SessionServices {
  journal::Store& store;
  journal::Writer& writer;
  journal::Gate& gate;     ///< What may leave.
  journal::Gate& durable;  ///< What is durable; the same gate, but in durability `interval`.
  StepPool& pool;
  Timers& timers;
  DueService& due;
  core::Clock& clock;
  core::Random& random;
  const Registry& registry;
  const Reporter& reporter;
  RunWatchers& watchers;
  /// The session of an address. Errors: as Reader.
  std::function<Result<SessionAddress>(const std::string& agent, const std::string& key)> resolve;
  /// Hands an input to another session.
  std::function<void(const SessionAddress&, SessionInput)> post;
  /// How the process before this one ended.
  LastEnd last_end = LastEnd::clean;
  SuspectedCrashes suspected = SuspectedCrashes::leave;
  FrameBudget& frames;
  detail::BlobAccess& blobs;
  /// Sessions with rows in their inbox since an earlier process, which they have not looked at; and
  /// the highest number that such a row may have.
  std::atomic<std::size_t>& unread_inboxes;
  journal::RecordNumber last_at_start;
  /// Payloads above this are blobs.
  std::size_t inline_bytes_max;
  std::shared_ptr<AttemptBook> attempts;
  /// In tests: a tool that nobody serves is what the handler that calls it says.
  bool tools_served_by_use = false;
  BudgetBook& budgets;
  /// In tests: compensations of handlers that were called. Null: they are served.
  UndosByUse* undos_by_use = nullptr;
};

class SessionCore final : private RunHost {
 public:
  /// `signals` outlives the session.
  SessionCore(SessionAddress address, SessionServices& services, const SignalsUnderWay& signals);

  /// `self` is the shell, to which bodies and gates report back.
  void handle(SessionInput input, const std::shared_ptr<SessionShell>& self);
  /// Nothing is loaded and everything submitted is durable: the object can go.
  [[nodiscard]] bool idle() const;
  /// Whether a change was submitted since the last call: somebody must see to the commit.
  [[nodiscard]] bool take_submitted() noexcept { return std::exchange(submitted_, false); }
  [[nodiscard]] const SessionAddress& address() const noexcept { return address_; }

 private:
  using Self = std::shared_ptr<SessionShell>;
  /// Called when something is durable, with null, or never will be, with the reason.
  using Told = std::function<void(const Error*)>;

  // RunHost
  [[nodiscard]] Result<std::optional<journal::Payload>> take_signal(std::string_view name,
                                                                    const RunId& run) override;
  [[nodiscard]] Result<void> bring(journal::Payload& payload) override {
    return state_.bring(payload);
  }
  [[nodiscard]] journal::Change new_change() override {
    return journal::Change(services_.inline_bytes_max);
  }
  [[nodiscard]] Result<journal::SessionId> resolve(const std::string& agent,
                                                   const std::string& key) override;
  [[nodiscard]] Result<std::optional<RunEnd>> end_of_any(const RunId& run) override;
  [[nodiscard]] Result<std::shared_ptr<const detail::ToolEntry>> tool(
      const detail::ToolLeaf& call) override;
  [[nodiscard]] Result<void> check_undo(const detail::ToolLeaf& call) override;
  [[nodiscard]] Result<journal::Reader> reader() override {
    return journal::Reader::open(services_.store);
  }
  [[nodiscard]] BudgetBook& budgets() override { return services_.budgets; }
  [[nodiscard]] StateCells& state() override { return state_; }
  [[nodiscard]] journal::RecordNumber last_number() const override { return last_number_; }
  [[nodiscard]] journal::Writer::Conflict conflict(const journal::Precondition& reads) override {
    return services_.writer.conflict(reads);
  }
  [[nodiscard]] Result<void> submit_ahead(journal::Change&& change,
                                          journal::Writer::Conflict& conflict) override;
  void yield_to_signals(journal::Change& change, std::vector<SignalName> names) const override {
    change.require([&signals = signals_, names = std::move(names)] { return !signals.any(names); });
  }

  [[nodiscard]] RunHost& host() noexcept { return *this; }

  void on(BodyCompletion completion, const Self& self);
  void on(Progressed progressed, const Self& self);
  void on(Arrived arrived, const Self& self);
  void on(ReadInbox order, const Self& self);
  /// What an earlier process left unread is handled, unless this session did it before.
  void read_inbox(const Self& self);
  void on(ResumeOrder order, const Self& self);
  void on(DueNow due, const Self& self);
  void on(LookForCircle order, const Self& self);
  void on(BreakCircle order, const Self& self);
  void on(Settled settled, const Self& self);
  void on(ExplainOrder order, const Self& self);
  void on(PassivateOrder order, const Self& self);
  void on(CloseOrder order, const Self& self);

  // session_circles.cpp
  void look_for_circle_when_durable(const Self& self);
  [[nodiscard]] bool suspect_circle(journal::Change& change);

  // session_times.cpp
  void on_due_message(const RunId& run, const Self& self);
  [[nodiscard]] std::chrono::microseconds until_due(const journal::Arrival& message) const;
  void arm(const journal::Arrival& message);

  // session_sagas.cpp
  void on_saga_told(Arrived arrived, const Self& self);
  void on_abort_saga(Arrived arrived, const Self& self);
  [[nodiscard]] Result<bool> waits_for_undoing() const;
  enum class OfCommitted : std::uint8_t { leave, undo };
  void abort_ended(Arrived arrived);
  [[nodiscard]] Result<RunEffects> undo_ended(const journal::Arrival& asked, OfCommitted committed);
  void answer_askers(const Self& self);
  [[nodiscard]] bool is_unfinished(const journal::Arrival& asked) const;
  [[nodiscard]] bool answer(const Arrived& asker);

  // session_mail.cpp
  void on_message(Arrived arrived, const Self& self);
  void on_signal(Arrived arrived, const Self& self);
  void on_reply(Arrived arrived, const Self& self);
  void on_cancel(Arrived arrived, const Self& self);
  void on_retry_now(Arrived arrived, const Self& self);
  void on_raise(Arrived arrived, const Self& self);
  /// What a message key made before.
  struct Known {
    RunId run;
    bool same_input = false;
    bool ended = false;
  };
  /// Empty: it is new. The journal must not lack what this session did last.
  [[nodiscard]] Result<std::optional<Known>> find_message(const journal::Arrival& message);
  void attach(const Known& known, Arrived arrived, Told told, const Self& self);
  /// A message that is new: a run, or a place in the queue.
  void admit(Arrived arrived, const Self& self);
  [[nodiscard]] std::string open_handler() const;
  void keep(journal::Arrival message, Told told, const Self& self,
            const std::optional<RunId>& replaced = std::nullopt);
  [[nodiscard]] journal::Arrival word_to_replace(const RunId& run) const;
  void start_run(journal::Arrival message, const Self& self, Told told);
  void answer_caller(const journal::Arrival& message, const Error& why);
  void submit_posts(RunEffects effects, Told told);
  [[nodiscard]] RunFacts facts_of(journal::Arrival message) const;
  [[nodiscard]] const detail::HandlerEntry* handler_of(const RunFacts& facts) const;
  /// The first message that is kept and may be handled now.
  [[nodiscard]] std::optional<journal::RecordNumber> next_message() const;
  /// The open run has ended in `effects`: who attached to it is told, and the next message's run is
  /// made in the same change.
  void follow_up(RunEffects& effects, const RunId& ended);
  void tell_attached(RunEffects& effects, const RunId& ended);
  [[nodiscard]] std::optional<journal::RecordNumber> find_queued(const RunId& run) const;
  [[nodiscard]] std::optional<journal::RecordNumber> find_attached(const RunId& run) const;
  void detach(journal::RecordNumber number, const CancelOrder& order, const Arrived& asked);
  void end_queued(journal::RecordNumber number, const CancelOrder& order, Arrived asked,
                  const Self& self);
  [[nodiscard]] detail::BodyResult end_of(const RunId& run);
  [[nodiscard]] std::optional<Error> refuse_signal(const journal::Arrival& signal) const;
  /// Nothing came of it, or `why`: its row goes.
  void done_with(const Arrived& arrived, const Error* why);
  void erase_row(const journal::Arrival& arrival, journal::Change& change) const;
  void erase_kept(const journal::Arrival& message, journal::Change& change) const;
  [[nodiscard]] Result<bool> is_awaited(std::string_view name) const;
  [[nodiscard]] Result<void> open_parked_run();
  void handle_stalled(const Self& self);

  /// Learns from the journal what the session has. False: `input` waits until the journal has what
  /// the session did last, or was refused.
  template <class Input>
  [[nodiscard]] bool know(Input& input, const Self& self) {
    if (known_) return true;
    if (ahead_of_journal()) {
      defer(std::move(input), self);
      return false;
    }
    const Result<void> loaded = load();
    if (loaded.has_value()) return true;
    unreadable(std::move(input), loaded.error());
    return false;
  }
  void unreadable(SessionInput input, const Error& why) const;
  [[nodiscard]] Result<void> load();
  enum class Parked : std::uint8_t { leave, go_on, by_operator };
  /// Loads the open run, if it is not. False: it is not there, can't be read, is parked and left,
  /// or has ended by going on. The journal must not lack what this session did last.
  [[nodiscard]] bool load_run(const Self& self, Parked parked = Parked::leave);
  [[nodiscard]] Result<RunFacts> load_facts(journal::Reader& reader, const RunId& run) const;
  /// Carries out what the run wants done, and begins the next one when it has ended. `first` is
  /// what this session adds to its change.
  void pump_run(const Self& self, journal::Admission admission = journal::Admission::under_way,
                Told told = nullptr, const journal::Arrival* arrived = nullptr);
  [[nodiscard]] bool perform(RunEffects& effects, journal::Admission admission, const Self& self,
                             Told told);
  [[nodiscard]] bool begin_next();
  /// A change of this session alone.
  bool submit(RunEffects& effects, Told told);
  void submit_failed(RunEffects& effects, const Error& why, const Self& self, const Told& told);
  static void add_posts(RunEffects& effects);
  [[nodiscard]] LargeContent large() const noexcept {
    return {services_.writer,
            services_.inline_bytes_max,
            services_.blobs,
            {services_.store, services_.durable}};
  }
  void post_rows(RunEffects& effects, journal::RecordNumber last, std::size_t first) const;
  void let_out(RunEffects& effects, const RunId& run, const Self& self);
  void let_out_bodies(std::vector<BodyOrder>& orders, const Self& self);
  [[nodiscard]] std::unique_ptr<Job> job_of(BodyOrder order, const Self& self);
  void report(const RunEffects& effects, const RunId& run) const;
  void after_input(const Self& self);
  void account_for_frames();
  void drop_ended(const Self& self);
  void forget();
  /// Calls `call` with null when everything that this session has read or written is durable, else
  /// with the reason.
  void when_durable(Told call);
  /// The same for whoever asks from outside: in every mode, and soon.
  void tell_when_durable(Told told);
  /// Its last change has this number.
  void note_submitted(journal::RecordNumber number);
  /// Whether the journal lacks what this session has read or submitted, so that reading it would
  /// tell the past.
  [[nodiscard]] bool ahead_of_journal() const;
  /// The same of what it has submitted alone.
  [[nodiscard]] bool lacks_own_changes() const;
  void defer(SessionInput input, const Self& self);
  void post_when_settled(const Self& self);
  void refuse_deferred(const Error& why);

  SessionAddress address_;
  SessionServices& services_;
  const SignalsUnderWay& signals_;
  bool known_ = false;
  bool exists_ = false;  ///< It has its row.
  bool inbox_read_ = false;
  std::optional<RunId> open_;
  std::unique_ptr<RunCore> run_;
  std::unique_ptr<RunCore> next_;  ///< Its creation is part of the change with the end of `run_`.
  /// Runs that were killed, and whose bodies have not returned.
  std::vector<std::unique_ptr<RunCore>> killed_;
  std::map<journal::RecordNumber, journal::Arrival> kept_;
  /// What came for a parked run, and waits in the inbox.
  std::vector<Arrived> stalled_;
  /// Payers that wait for the undoing of what runs of this session did; their rows are in the
  /// inbox.
  std::vector<Arrived> askers_;
  bool answers_when_settled_ = false;
  /// Rows of `kept` that the run took since its last change.
  std::vector<journal::RecordNumber> taken_;
  StateCells state_;
  /// The highest record number that this session has read or written.
  journal::RecordNumber last_number_ = 0;
  journal::RecordNumber own_number_ = 0;  ///< Of its own last change.
  bool submitted_ = false;
  bool resumes_ = false;      ///< The run is told to go on, when its bodies have returned.
  bool looks_again_ = false;  ///< It will, when what it submitted is durable.
  bool counted_ = false;      ///< In the frame budget.
  /// Inputs that have to read the journal and came too early.
  std::vector<SessionInput> deferred_;
  std::function<void()> closed_;
  bool closing_ = false;
};

}  // namespace perdure::actors
