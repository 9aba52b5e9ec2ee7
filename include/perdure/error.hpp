/// Errors as values.
///
/// What this is: the one error type of Perdure. A failure is a value of `Error`, carried by
/// `Result<T>` (result.hpp) or, where somebody asked for it with `Result::value()`, by `Exception`.
/// What it promises: an error that a user can meet names the thing and the remedy in its message,
/// and says what is known of the effect of the operation that failed.
/// What it does not: carry a stack trace or a cause chain; the message holds what a person needs.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace perdure {
inline namespace v0 {

/// What kind of failure it is. A code exists only because some caller reacts to exactly it; numbers
/// are written to journals and never reused.
enum class Code : std::uint16_t {
  user = 1,             ///< The application's own failure; the message says which.
  refused = 2,          ///< The operation was refused and had no effect.
  timeout = 3,          ///< The time allowed has passed; the effect is unknown.
  cancelled = 4,        ///< Somebody cancelled the run or the branch.
  outcome_unknown = 5,  ///< An at-most-once step may have happened and cannot be asked.
  already_started = 6,  ///< The session was started with another input.
  not_found = 7,        ///< No such run, session, agent or handler.
  misuse = 8,           ///< The call itself is wrong; the message says what to write instead.
  too_large = 9,        ///< A value is over a limit (core/limits.hpp, docs/programming_model.md).
  storage_full = 10,  ///< The disk has no room; nothing acknowledged is lost, free room and go on.
  storage_failed = 11,    ///< The disk failed a write or a sync; the runtime stops, restart it.
  corrupt = 12,           ///< Stored bytes are damaged or were not written by Perdure.
  newer_format = 13,      ///< The journal was written by a newer Perdure.
  held = 14,              ///< Another process has the journal open for writing.
  diverged = 15,          ///< The code does not match what its journal recorded.
  exception = 16,         ///< A step's body threw; the effect is unknown.
  not_registered = 17,    ///< The runtime does not serve the agent or version that the run needs.
  closed = 18,            ///< The runtime was shut down.
  suspected_crash = 19,   ///< The step was running at three unclean ends in a row.
  handler_threw = 20,     ///< An exception other than `Exception` escaped a handler.
  undecodable = 21,       ///< Bytes do not decode as the type asked for.
  unsupported = 22,       ///< The file system or the platform lacks what is needed.
  busy = 23,              ///< The session takes no such message while it handles another.
  deadlock = 24,          ///< Sessions would wait for each other in a circle.
  peer_cancelled = 25,    ///< The run that was called, or a child, was cancelled; not this one.
  rate_limited = 26,      ///< The far side takes no more now; `retry_after` says when, if it did.
  overloaded = 27,        ///< The far side has no room for this now.
  context_overflow = 28,  ///< More than the model's context holds: never tried again as it is.
  unauthenticated = 29,   ///< Credentials are missing, wrong, or do not allow it.
  invalid_request = 30,   ///< The far side refused the request as malformed.
  over_budget = 31,       ///< The run's budget has no room for another attempt.
  saga_aborted = 32,      ///< The saga was aborted: what it did is undone, or being undone.
  saga_stuck = 33,        ///< Something that the saga did could not be undone: see to it.
};

/// What is known of the effect of an operation that failed.
enum class ErrorEffect : std::uint8_t {
  refused = 0,   ///< It had no effect: trying again, or not undoing it, is safe.
  happened = 1,  ///< It had its effect, and failed afterwards.
  unknown = 2,   ///< Nobody knows.
};

/// The name of a code as it stands in journals, logs and JSON, e.g. `"outcome_unknown"`.
/// `"code-N"` is not returned: a number that this version does not know reads `"unrecognised"`.
[[nodiscard]] std::string_view to_string(Code code) noexcept;

/// The name of an effect: `"refused"`, `"happened"` or `"unknown"`.
[[nodiscard]] std::string_view to_string(ErrorEffect effect) noexcept;

/// A failure. An aggregate: `Error{Code::refused, "no seats left"}`.
struct Error {
  Code code = Code::user;
  /// One or two sentences for a person: what failed, and what to do.
  std::string message = {};
  /// Whether the same attempt may succeed later. Empty: decided by `code` (see `is_retryable`).
  std::optional<bool> retryable = {};
  /// The earliest time, from now, at which another attempt makes sense. Empty: the retry policy's.
  std::optional<std::chrono::milliseconds> retry_after = {};
  /// What is known of the effect. Empty: `refused` for `refused`, `rate_limited`, `overloaded`,
  /// `context_overflow`, `unauthenticated`, `invalid_request` and `over_budget`, else `unknown`.
  std::optional<ErrorEffect> effect = {};

  /// Whether a retry policy may try again: `retryable` where it is set; else no for `refused`,
  /// `cancelled`, `misuse`, `too_large`, `diverged`, `undecodable`, `outcome_unknown`,
  /// `deadlock`, `peer_cancelled`, `context_overflow`, `unauthenticated`, `invalid_request`,
  /// `over_budget`, `saga_aborted` and `saga_stuck`, yes for the rest.
  [[nodiscard]] bool is_retryable() const noexcept;
  /// `effect` where it is set, else what `code` implies.
  [[nodiscard]] ErrorEffect known_effect() const noexcept;
  /// `"code: message"`, for logs.
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const Error&, const Error&) = default;
};

/// What `Result::value()` throws when there is an error. Thrown out of a handler it is that
/// handler's failure; thrown out of a step's body it is that attempt's failure.
class Exception : public std::exception {
 public:
  explicit Exception(Error error) : error_(std::move(error)) {}
  [[nodiscard]] const char* what() const noexcept override { return error_.message.c_str(); }
  [[nodiscard]] const Error& error() const noexcept { return error_; }

 private:
  Error error_;
};

}  // namespace v0
}  // namespace perdure
