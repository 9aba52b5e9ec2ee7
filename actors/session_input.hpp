/// What reaches a session.
///
/// What this is: the inputs of a session core, each a plain struct, and the one variant of them.
/// What it promises: whoever waits for an input's answer gets one: `refuse` gives it for inputs
/// that nobody will handle.
#pragma once

#include <perdure/agent.hpp>

#include "actors/body_job.hpp"
#include "actors/run_core.hpp"
#include "actors/session_address.hpp"
#include "actors/signals_under_way.hpp"
#include "journal/arrival.hpp"

#include <functional>
#include <optional>
#include <string>
#include <variant>

namespace perdure::actors {

/// Something came: from another session or an operator, with a row in `inbox`, or from outside,
/// without one (number 0).
struct Arrived {
  journal::Arrival what;
  /// Of a reply from a session in this process: what the row leaves to the run that ended.
  std::optional<detail::BodyResult> result = {};
  /// If there is one, called once, from any thread, when what came of it is durable. The run is
  /// that of the message, or the one that it is attached to.
  std::function<void(Result<RunId>)> reply = {};
  /// Of a signal with a number.
  SignalsUnderWay::Token under_way = {};
};
/// An attempt of a tool says how far it is.
struct Progressed {
  BodyAddress address;
  Bytes progress;
};
/// Recovery: there are rows in the session's inbox since an earlier process.
struct ReadInbox {};
/// Recovery: this run is unfinished.
struct ResumeOrder {
  RunId run;
};
/// A time has come, see DueRow.
struct DueNow {
  RunId run;
  journal::StepPath path;
  journal::DueRow::What what = journal::DueRow::What::retry;
  journal::Stamp due = 0;
  /// Of a wait or a deadline: what had come for the session when this was first looked at has been
  /// handled.
  bool behind_arrivals = false;
};
/// The session's run may wait in a circle of calls, and if it does, all of that is durable.
struct LookForCircle {};
/// The message that the session keeps under `number` closed a circle of calls.
struct BreakCircle {
  journal::RecordNumber number = 0;
  std::string words;
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
/// Memory is short: a run that only waits is to give up its frame.
struct PassivateOrder {};
/// The runtime stops. `closed` is called once, when no body borrows from the session's frames.
struct CloseOrder {
  std::function<void()> closed;
};
using SessionInput =
    std::variant<BodyCompletion, Progressed, Arrived, ReadInbox, ResumeOrder, DueNow, LookForCircle,
                 BreakCircle, Settled, ExplainOrder, PassivateOrder, CloseOrder>;

/// For whoever waits outside: `run`, when it is durable, or why it is not. Null: nobody waits.
[[nodiscard]] std::function<void(const Error*)> told_of(std::function<void(Result<RunId>)> reply,
                                                        const RunId& run);
/// The runtime is shutting down, or has.
[[nodiscard]] Error closed_error();
/// Answers whoever waits for `input`, which nobody will handle any more.
void refuse(SessionInput& input, const Error& why);

}  // namespace perdure::actors
