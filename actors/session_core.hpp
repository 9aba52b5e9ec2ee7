/// The session core: one session while it is in memory.
///
/// What this is: what a session does with what reaches it (a start, a completion, a due time, the
/// end of the runtime), and the carrying out of what its run wants done: submit, then let out when
/// durable.
/// What it promises: no CAF; every input is handled whole before the next.
/// What it does not: see to that itself. Its shell does (session_shell.hpp).
#pragma once

#include <perdure/runtime.hpp>

#include "actors/registry.hpp"
#include "actors/reporter.hpp"
#include "actors/run_core.hpp"
#include "actors/run_watchers.hpp"
#include "actors/step_pool.hpp"
#include "journal/gate.hpp"
#include "journal/writer.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
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
  /// How the process before this one ended.
  LastEnd last_end = LastEnd::clean;
  SuspectedCrashes suspected = SuspectedCrashes::leave;
};

struct SessionAddress {
  journal::SessionId id;
  std::string agent;
  std::string key;
};

/// Somebody starts the session. `reply` is called once, from any thread.
struct StartOrder {
  int version = 1;
  std::string handler;
  std::string message_key;
  std::string input_type;
  core::Bytes input;
  std::function<void(Result<RunId>)> reply;
};
/// Recovery: this run is unfinished.
struct ResumeOrder {
  RunId run;
};
struct RetryDue {
  RunId run;
  journal::StepPath path;
};
/// Everything that this session has submitted is durable, or never will be (`failure`).
struct Settled {
  std::optional<Error> failure;
};
/// One sentence about the run, or empty when it is not loaded. `reply` is called once.
struct ExplainOrder {
  RunId run;
  std::function<void(std::optional<std::string>)> reply;
};
/// The runtime stops. `closed` is called once, when no body borrows from the session's frames.
struct CloseOrder {
  std::function<void()> closed;
};
using SessionInput = std::variant<StartOrder, BodyCompletion, ResumeOrder, RetryDue, Settled,
                                  ExplainOrder, CloseOrder>;

/// The runtime is shutting down, or has.
[[nodiscard]] Error closed_error();
/// Answers whoever waits for `input`, which nobody will handle any more.
void refuse(SessionInput& input, const Error& why);

class SessionCore {
 public:
  SessionCore(SessionAddress address, SessionServices& services);

  /// `self` is the shell, to which bodies and gates report back.
  void handle(SessionInput input, const std::shared_ptr<SessionShell>& self);
  /// Nothing is loaded and everything submitted is durable: the object can go.
  [[nodiscard]] bool idle() const;
  /// Whether a change was submitted since the last call: somebody must see to the commit.
  [[nodiscard]] bool take_submitted() noexcept { return std::exchange(submitted_, false); }
  [[nodiscard]] const SessionAddress& address() const noexcept { return address_; }

 private:
  using Self = std::shared_ptr<SessionShell>;
  void on(StartOrder order, const Self& self);
  void on(BodyCompletion completion, const Self& self);
  void on(ResumeOrder order, const Self& self);
  void on(RetryDue due, const Self& self);
  void on(Settled settled, const Self& self);
  void on(ExplainOrder order, const Self& self);
  void on(CloseOrder order, const Self& self);

  void attach(const RunFacts& facts, StartOrder order);
  void create(StartOrder order, const detail::HandlerEntry& handler, const Self& self);
  [[nodiscard]] Result<RunFacts> load_facts(journal::Reader& reader, const RunId& run) const;
  void perform(RunEffects effects, journal::Admission admission, const Self& self,
               std::function<void(Result<RunId>)> reply);
  void answer_when_durable(std::function<void(Result<RunId>)> reply, const RunId& run);
  void let_out(RunEffects& effects, const Self& self);
  void let_out_bodies(std::vector<BodyOrder>& orders, const Self& self);
  void report(const RunEffects& effects) const;
  void drop_finished_run(const Self& self);
  /// Calls `call` with null when everything that this session has read or written is durable, else
  /// with the reason.
  void when_durable(std::function<void(const Error*)> call);
  /// Whether the journal lacks what this session has submitted, so that reading it would tell the
  /// past.
  [[nodiscard]] bool ahead_of_journal() const;
  void defer(SessionInput input, const Self& self);
  void refuse_deferred(const Error& why);
  /// Whether `run` is unfinished and not parked.
  [[nodiscard]] bool goes_on(const RunId& run) const;

  SessionAddress address_;
  SessionServices& services_;
  std::unique_ptr<RunCore> run_;
  /// The highest record number that this session has read or written.
  journal::RecordNumber last_number_ = 0;
  bool submitted_ = false;
  /// Inputs that have to read the journal and came too early.
  std::vector<SessionInput> deferred_;
  std::function<void()> closed_;
  bool closing_ = false;
};

}  // namespace perdure::actors
