/// Rows of sessions: what came for them, what they wait for and what they know.
///
/// What this is: the plain structs of the tables `open`, `inbox`, `kept`, `waits`, `state`,
/// `before` and `rows`, and of the two records that a run gets from outside its steps. They are
/// encoded and checked as all rows are (record.hpp).
#pragma once

#include "journal/budget_rows.hpp"
#include "journal/record.hpp"
#include "journal/saga_rows.hpp"

namespace perdure::journal {

/// A record: `ctx.version` was asked for the first time at a place that the run had not passed.
struct VersionMark {
  static constexpr Kind kKind = Kind::version_mark;
  std::string_view name;
  std::uint32_t version = 1;
  Stamp stamp = 0;
};

/// A record, and a delivery: somebody wants the run to end.
struct CancelRequested {
  static constexpr Kind kKind = Kind::cancel_requested;
  /// What the run's waits fail with: `cancelled`, or `timeout` at the run's deadline.
  Code code = Code::cancelled;
  std::string_view who;
  std::string_view why;
  std::int64_t grace_ms = 0;  ///< How long the handler may go on.
  Stamp stamp = 0;
};

/// Something that came for a session from another session, or from an operator while nobody had
/// the journal open; and what a session keeps until its turn comes.
struct ArrivalRow {
  static constexpr Kind kKind = Kind::arrival;
  enum class What : std::uint8_t {
    message = 1,     ///< It makes the run `run`.
    signal = 2,      ///< `name`, for `run` or for whichever run of the session takes it first.
    reply = 3,       ///< The run `other` has ended, for the step at `path` of `run`.
    cancel = 4,      ///< `run` is to end.
    kill = 5,        ///< `run` ends at once.
    retry_now = 6,   ///< `run` is parked, or waits for an attempt, and is to go on.
    raise = 7,       ///< The budget of `run` gets the limits that are set.
    abort_saga = 8,  ///< Sagas of `run` are to be undone: `saga`, or all.
    saga_told = 9,   ///< What became of the undoing of `saga` of `run`; `error`: it is stuck.
  };
  What what = What::message;
  /// Whose it is: the session may not be there yet.
  std::string_view agent;
  std::string_view session_key;
  std::string_view name;  ///< Of the handler or the signal.
  std::string_view type;  ///< Of the payload.
  PayloadView payload;
  std::string_view message_key;     ///< Empty: the message has none.
  std::uint32_t agent_version = 0;  ///< That the sender knows.
  std::optional<RunId> run;
  std::span<const std::uint32_t> path;
  std::optional<RunId> other;
  std::optional<Caller> caller;    ///< Of a message: who is told when its run has ended.
  Stamp due = 0;                   ///< Of a message: it is not handled before.
  std::uint8_t by_wall_clock = 0;  ///< 1: `due` is an absolute time, 0: the end of a delay.
  Stamp deadline = 0;              ///< Of a message: when its run is cancelled.
  std::optional<ErrorView> error;  ///< Of a reply: the message was refused, there is no run.
  std::string_view who;
  std::string_view why;
  std::int64_t grace_ms = 0;
  Stamp stamp = 0;  ///< When it was sent.
  Limits limits = {};
  std::uint32_t saga = 0;
};
[[nodiscard]] std::string_view to_string(ArrivalRow::What what) noexcept;

/// The unfinished run of a session.
struct OpenRow {
  static constexpr Kind kKind = Kind::open;
  RunId run;
};

/// What a step that is no body waits for.
struct WaitRow {
  static constexpr Kind kKind = Kind::wait;
  StepKind step_kind = StepKind::sleep;
  std::span<const std::uint32_t> path;
  std::string_view name;                  ///< Of the step; of a receive, the signal's.
  Stamp begun = 0;                        ///< When the waiting began.
  Stamp due = 0;                          ///< When it ends at the latest; 0: never by itself.
  std::uint8_t by_wall_clock = 0;         ///< 1: `due` is an absolute time, 0: the end of a delay.
  std::optional<SessionId> session = {};  ///< Of a call: who was called.
  std::optional<RunId> run = {};          ///< Of a call: the run that the message makes.
};

/// What happens to a child when its parent ends. Part of the format.
enum class ParentEnd : std::uint8_t {
  wait = 1,     ///< The parent does not end before the child.
  cancel = 2,   ///< The child is cancelled.
  abandon = 3,  ///< The child goes on.
};
[[nodiscard]] std::string_view to_string(ParentEnd what) noexcept;

/// A run that another one started, until its result was taken or the parent has ended.
struct ChildRow {
  static constexpr Kind kKind = Kind::child;
  std::span<const std::uint32_t> path;  ///< Of the step that started it.
  SessionId session;                    ///< Whose run the child is.
  std::string_view agent;
  std::string_view session_key;
  RunId run;
  ParentEnd parent_end = ParentEnd::cancel;
  std::uint8_t ended = 0;          ///< 1: it has, and the parent's session was told.
  std::optional<ErrorView> error;  ///< `ended`, and it has no run: its message was refused.
};

/// The value of a name in a session (`state`), or what a run found there before it first wrote it
/// (`before`).
struct StateRow {
  static constexpr Kind kKind = Kind::state;
  std::string_view name;
  std::string_view type;
  std::uint8_t absent = 0;  ///< 1: there was no value. In `before` only.
  PayloadView payload;
};

/// A row of a user's table (user_rows.hpp).
struct UserRow {
  static constexpr Kind kKind = Kind::user_row;
  std::string_view type;
  PayloadView payload;
};

}  // namespace perdure::journal
