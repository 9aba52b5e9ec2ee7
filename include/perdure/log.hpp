/// What a runtime says to its host: log records and events.
///
/// What this is: one structured log hook (`RuntimeOptions::log`) and one event hook
/// (`Runtime::on_event`). Without a log hook, warnings and errors go to standard error, one line
/// each.
/// What it promises: nothing is said twice because of a replay.
/// What it does not: keep anything. The journal keeps.
#pragma once

#include <perdure/error.hpp>
#include <perdure/run_id.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace perdure {
inline namespace v0 {

enum class LogLevel : std::uint8_t { debug, info, warning, error };
[[nodiscard]] std::string_view to_string(LogLevel level) noexcept;

/// Borrowed for the duration of the call.
struct LogRecord {
  LogLevel level = LogLevel::info;
  std::string_view event;    ///< A stable word, e.g. `"run_parked"`, `"step_retry"`, `"handler"`.
  std::string_view message;  ///< For a person.
  std::optional<RunId> run = {};
  std::string_view session = {};  ///< `agent/key`, or empty.
  std::string_view step = {};     ///< Step path, or empty.
};
/// Called from any thread, also from several at a time. Must not throw or call into the runtime.
using LogHook = std::function<void(const LogRecord&)>;

enum class EventKind : std::uint8_t {
  run_parked,         ///< A run waits for a person or a deploy; `error` says why.
  run_diverged,       ///< Parked because the code does not match the journal.
  storage_full,       ///< The disk has no room; work waits.
  storage_recovered,  ///< There is room again.
  storage_failed,     ///< The journal cannot be written any more; restart the process.
  body_abandoned,     ///< A step's body did not return within the shutdown's bound.
  saga_stuck,         ///< Something can't be undone: a person has to see to it (`perdure sagas`).
  control_failed,     ///< Operators can't reach the runtime (RuntimeOptions::control); it works on.
};
[[nodiscard]] std::string_view to_string(EventKind kind) noexcept;

struct Event {
  EventKind kind = EventKind::run_parked;
  std::optional<RunId> run = {};
  Error error = {};
};
/// Called as LogHook is.
using EventHook = std::function<void(const Event&)>;

}  // namespace v0
}  // namespace perdure
