/// What has come for a session, owned.
///
/// What this is: a message, a signal, a reply or an operator's word on its way from who sent it to
/// the session it is for: first beside the journal's rows, then without them (see ArrivalRow).
#pragma once

#include "journal/session_rows.hpp"
#include "journal/step_path.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace perdure::journal {

/// See Caller.
struct CallerInfo {
  SessionId session;
  std::string agent;
  std::string session_key;
  RunId run;
  StepPath path;
  std::vector<RunId> payers = {};
  std::uint32_t saga = 0;
};
[[nodiscard]] std::optional<CallerInfo> owned(const std::optional<Caller>& caller);
/// Borrowed from `caller`.
[[nodiscard]] std::optional<Caller> view_of(const std::optional<CallerInfo>& caller);

/// The fields are those of ArrivalRow.
struct Arrival {
  ArrivalRow::What what = ArrivalRow::What::message;
  RecordNumber number = 0;  ///< Of its row.
  std::string agent;
  std::string session_key;
  std::string name;
  std::string type;
  Payload payload;
  std::string message_key;
  std::uint32_t agent_version = 0;
  std::optional<RunId> run;
  StepPath path;
  std::optional<RunId> other;
  std::optional<CallerInfo> caller;
  Stamp due = 0;
  bool by_wall_clock = false;
  Stamp deadline = 0;
  std::optional<Error> error;
  std::string who;
  std::string why;
  std::int64_t grace_ms = 0;
  Stamp stamp = 0;
  Limits limits = {};
  std::uint32_t saga = 0;
  /// In memory only: when it was sent, by the clock that counts elapsed time; empty: unknown, or by
  /// an earlier process.
  std::optional<std::chrono::nanoseconds> sent_at = {};
};
[[nodiscard]] Arrival owned(const ArrivalRow& row, RecordNumber number);
/// Borrowed from `arrival`.
[[nodiscard]] ArrivalRow view_of(const Arrival& arrival);

}  // namespace perdure::journal
