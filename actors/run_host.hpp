/// What a run asks of its session, and what it wants done.
///
/// What this is: the seam between a run core (run_core.hpp) and the session that pumps it: the
/// facts that it is created with, the questions that it asks (`RunHost`), and the effects of one
/// pumping, to be carried out when they are durable.
/// What it does not: carry anything out (session_effects.cpp).
#pragma once

#include <perdure/detail/tool_operation.hpp>
#include <perdure/log.hpp>
#include <perdure/runtime.hpp>

#include "actors/attempt_policy.hpp"
#include "actors/body_job.hpp"
#include "actors/budget_book.hpp"
#include "actors/run_state.hpp"
#include "actors/signals_under_way.hpp"
#include "journal/arrival.hpp"
#include "journal/change.hpp"
#include "journal/reader.hpp"

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
  journal::Payload input;
  std::uint64_t seed = 0;
  journal::Stamp created = 0;
  std::optional<journal::CallerInfo> caller = {};
  journal::Stamp deadline = 0;
  /// The runs whose budgets it draws on, the nearest first, itself included when it has one.
  std::vector<RunId> payers = {};
  std::optional<journal::StoredBudget> budget = {};  ///< Of a run that is new: its own limits.
};

/// A log line of a run, owned.
struct RunLog {
  LogLevel level = LogLevel::info;
  std::string_view event;
  std::string message;
  std::string step;
};

/// Something that is due at a time: see DueRow.
struct DueWait {
  journal::DueRow::What what = journal::DueRow::What::retry;
  journal::StepPath path;
  journal::Stamp due = 0;
  std::chrono::microseconds in{0};
  bool by_wall_clock = false;
};

/// Something for another session. Its row is written with the change.
struct Outgoing {
  journal::SessionId to;
  journal::Arrival what;
  /// Of a reply: what the row leaves to the run that ended.
  std::optional<detail::BodyResult> reply = {};
};

/// How a run ended.
struct RunEnd {
  detail::BodyResult reply;
};

/// What a run asks of its session. Thread: the session's.
class RunHost {
 public:
  /// The oldest signal of this name that the session keeps and that `run` may have. It is then the
  /// run's: its row goes with the run's next change.
  /// Its bytes are at hand. Errors: as read_blob; then it stays where it is.
  [[nodiscard]] virtual Result<std::optional<journal::Payload>> take_signal(std::string_view name,
                                                                            const RunId& run) = 0;
  /// Has the payload's bytes at hand. Errors: as read_blob.
  [[nodiscard]] virtual Result<void> bring(journal::Payload& payload) = 0;
  /// An empty change that makes blobs of what is too large for records here.
  [[nodiscard]] virtual journal::Change new_change() = 0;
  /// The session of this address. Errors: as Reader.
  [[nodiscard]] virtual Result<journal::SessionId> resolve(const std::string& agent,
                                                           const std::string& key) = 0;
  /// How a run of any session ended, as the journal has it; empty: it has not ended, or there is
  /// none. Errors: as Reader.
  [[nodiscard]] virtual Result<std::optional<RunEnd>> end_of_any(const RunId& run) = 0;
  /// The tool that `call` names, as it is served. Errors: `not_registered`, `misuse`.
  [[nodiscard]] virtual Result<std::shared_ptr<const detail::ToolEntry>> tool(
      const detail::ToolLeaf& call) = 0;
  /// Whether the compensation that `call` names is served, and takes its receipt. Errors: as
  /// `tool`.
  [[nodiscard]] virtual Result<void> check_undo(const detail::ToolLeaf& call) = 0;
  /// The journal as it is: all that the run has read is in it. Errors: as Reader.
  [[nodiscard]] virtual Result<journal::Reader> reader() = 0;
  [[nodiscard]] virtual BudgetBook& budgets() = 0;
  /// The session's state, which the run's changes go to.
  [[nodiscard]] virtual StateCells& state() = 0;
  /// The highest number of what the session has read or written.
  [[nodiscard]] virtual journal::RecordNumber last_number() const = 0;
  /// As Writer::conflict.
  [[nodiscard]] virtual journal::Writer::Conflict conflict(const journal::Precondition& reads) = 0;
  /// Submits a change of the run that goes ahead of its next one. Errors, and `conflict`: as
  /// Writer::submit.
  [[nodiscard]] virtual Result<void> submit_ahead(journal::Change&& change,
                                                  journal::Writer::Conflict& conflict) = 0;
  /// Has `change` refused while one of these signals has a number, which is lower than the change's
  /// would be, and has not come to the session.
  virtual void yield_to_signals(journal::Change& change, std::vector<SignalName> names) const = 0;

 protected:
  ~RunHost() = default;
};

/// Somebody wants sagas of a run to be undone.
struct AbortOrder {
  std::uint32_t saga = journal::kAllSagas;
  Code code = Code::saga_aborted;
  std::string who;
  std::string why;
};

/// Somebody wants a run to end.
struct CancelOrder {
  Code code = Code::cancelled;
  std::string who;
  std::string why;
  std::chrono::milliseconds grace{0};
  /// Of a kill: its sagas are undone.
  bool compensates = false;
};

/// `the run was cancelled by alice: the trip is off`.
[[nodiscard]] std::string cancel_words(const CancelOrder& order);

/// What one pumping of a run wants done, in this order.
struct RunEffects {
  RunEffects() = default;
  explicit RunEffects(journal::Change empty) : change(std::move(empty)) {}
  journal::Change change;                   ///< First; the rest waits until it is durable.
  std::vector<Outgoing> posts;              ///< Its rows are part of the change.
  std::vector<BodyOrder> bodies;            ///< Bodies to run.
  std::vector<journal::StepPath> fenced;    ///< Tools' attempts that nobody waits for, at once.
  std::vector<DueWait> waits;               ///< Times to come back by `due`.
  std::vector<journal::StepPath> over;      ///< The same, as soon as what has come is handled.
  std::vector<RunLog> logs;                 ///< At once.
  std::optional<Error> parked;              ///< The run parked now.
  std::vector<Event> events;                ///< For the host's hook.
  std::optional<journal::RunStatus> ended;  ///< The run ended now.
};

/// A run that this one started.
struct ChildState {
  journal::Child row;
  /// `row.ended`: how, where it became known in this life of the run.
  std::optional<detail::BodyResult> result = {};
};

/// Why a run found in the journal goes on.
struct Resumption {
  LastEnd last_end = LastEnd::none;
  SuspectedCrashes suspected = SuspectedCrashes::leave;
  enum class By : std::uint8_t { runtime, person } by = By::runtime;
};

}  // namespace perdure::actors
