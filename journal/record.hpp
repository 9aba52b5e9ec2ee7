/// Records and rows: what the bytes in the tables mean.
///
/// What this is: one plain struct for each kind of value, its encoding into a FlatBuffer behind an
/// envelope, and its decoding into a view. FlatBuffers appears in records_*.cpp only.
/// What it promises: `RecordBuffer` hands out only bytes whose checksum (over key and value) holds
/// and whose FlatBuffer verifies; it never reads past them, whatever they are. An enumerator that
/// this version does not know is an error, never a wild value.
/// What it does not: give meaning to a sequence of records (replay_machine.hpp).
///
/// The envelope, 24 bytes little-endian: u64 checksum of key and everything behind it, u64 record
/// number, u16 format, u16 kind, u32 size of the body; then the body. docs/journal_format.md has it
/// all.
#pragma once

#include <perdure/result.hpp>
#include <perdure/run_id.hpp>

#include "core/bytes.hpp"
#include "core/limits.hpp"
#include "journal/key.hpp"
#include "journal/payload.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace perdure::journal {

/// The number of a record in the whole journal: dense in the order of the writer, from 1.
using RecordNumber = std::uint64_t;
/// Microseconds since 1970, UTC.
using Stamp = std::int64_t;

inline constexpr std::uint16_t kFormatVersion = 1;
inline constexpr std::size_t kEnvelopeBytes = 24;

/// Kinds of values. Below 100: records of a run, in its order. From 100 on: rows.
enum class Kind : std::uint16_t {
  run_created = 1,       ///< Always index 0.
  step_started = 2,      ///< A body is about to run whose effect class or history wants it known.
  step_result = 3,       ///< A delivery: how a step ended.
  run_ended = 4,         ///< Always the last.
  version_mark = 5,      ///< Which way the code went at a change.
  cancel_requested = 6,  ///< A delivery: the run is to end.
  saga_aborted = 7,      ///< A delivery: one of the run's sagas is to be undone.
  identity = 100,
  counters = 101,
  session = 102,
  message_key = 103,
  run = 104,
  head = 105,
  ready = 106,
  due = 107,
  attempts = 108,
  checkpoint = 109,
  arrival = 110,
  open = 111,
  wait = 112,
  state = 113,
  child = 114,
  user_row = 115,
  budget = 116,
  usage = 117,
  saga = 118,
  undo = 119,
  undo_state = 120,
};
/// `"step_result"` and so on; `"kind 77"` is not made up: an unknown kind reads `"unrecognised"`.
[[nodiscard]] std::string_view to_string(Kind kind) noexcept;

/// What sort of awaitable a step is. Part of the format.
enum class StepKind : std::uint8_t {
  step = 1,        ///< A body.
  sleep = 2,       ///< A time.
  receive = 3,     ///< A signal.
  call = 4,        ///< A message to a session, and its reply.
  send = 5,        ///< A message or a signal to a session.
  spawn = 6,       ///< A message to a session, whose run is a child.
  join = 7,        ///< The end of a child.
  commit = 8,      ///< The commit of a saga.
  compensate = 9,  ///< The undoing of a saga, or of a part of it.
};
[[nodiscard]] std::string_view to_string(StepKind kind) noexcept;

/// Effect classes (design.md section 5). Part of the format.
enum class EffectClass : std::uint8_t {
  idempotent = 1,
  keyed = 2,
  queryable = 3,
  at_most_once = 4,
  transactional = 5,
};
[[nodiscard]] std::string_view to_string(EffectClass effect) noexcept;

enum class RunStatus : std::uint8_t {
  queued = 0,     ///< Its message waits for its turn: it has no record and no head yet.
  running = 1,    ///< Unfinished: it has something to do.
  waiting = 2,    ///< Unfinished: it waits for time, a signal or a reply.
  parked = 3,     ///< Unfinished: it needs a person or a deploy; `HeadRow::reason` says why.
  completed = 4,  ///< Ended with a reply.
  failed = 5,     ///< Ended with an error.
  cancelled = 6,  ///< Ended by a cancel.
};
[[nodiscard]] std::string_view to_string(RunStatus status) noexcept;

/// Views: text and bytes are borrowed from the buffer that was decoded, or from the caller when
/// encoding.
struct ErrorView {
  Code code = Code::user;
  std::string_view message;
  std::optional<bool> retryable;
  std::optional<std::int64_t> retry_after_ms;
  std::optional<ErrorEffect> effect;
};
[[nodiscard]] ErrorView view_of(const Error& error) noexcept;
[[nodiscard]] Error to_error(const ErrorView& view);

/// Who is told when a run has ended: a step of another run.
struct Caller {
  SessionId session;
  std::string_view agent;
  std::string_view session_key;
  RunId run;
  std::span<const std::uint32_t> path;
  core::ByteView payers = {};  ///< The runs whose budgets that run draws on (budget_rows.hpp).
  std::uint32_t saga = 0;      ///< Not 0: the caller's saga that the called run works for.
};

struct RunCreated {
  static constexpr Kind kKind = Kind::run_created;
  std::string_view agent;
  std::uint32_t agent_version = 1;
  std::string_view handler;
  std::string_view session_key;
  std::string_view message_key;
  std::string_view input_type;
  PayloadView payload;
  std::uint64_t seed = 0;  ///< Of the run's random draws.
  Stamp stamp = 0;
  std::optional<Caller> caller = {};
  Stamp deadline = 0;  ///< When it is cancelled at the latest; 0: never.
  /// The runs whose budgets it draws on, itself included when it has one (budget_rows.hpp).
  core::ByteView payers = {};
};

struct StepStarted {
  static constexpr Kind kKind = Kind::step_started;
  std::span<const std::uint32_t> path;
  std::string_view name;
  EffectClass effect = EffectClass::idempotent;
  std::uint32_t attempt = 1;
  Stamp stamp = 0;
};

struct StepResult {
  static constexpr Kind kKind = Kind::step_result;
  std::span<const std::uint32_t> path;
  StepKind step_kind = StepKind::step;
  std::string_view name;
  std::string_view type;  ///< Of the payload: codec.hpp's type name.
  std::uint32_t attempts = 1;
  Stamp stamp = 0;                 ///< When it was delivered: the run's `now` from here on.
  std::int64_t busy_us = 0;        ///< How long the last attempt's body ran.
  std::optional<ErrorView> error;  ///< Set: it failed, and there is no payload.
  PayloadView payload;
};

struct RunEnded {
  static constexpr Kind kKind = Kind::run_ended;
  Stamp stamp = 0;
  std::string_view type;
  std::optional<ErrorView> error;
  PayloadView payload;
};

struct Identity {
  static constexpr Kind kKind = Kind::identity;
  core::Hash128 journal;  ///< Drawn when the journal was created.
  Stamp created = 0;
  std::string_view created_by;  ///< Perdure's version.
};

struct Counters {
  static constexpr Kind kKind = Kind::counters;
  std::uint64_t epoch = 0;        ///< Openings for writing so far.
  std::uint64_t incarnation = 0;  ///< Drawn at each opening.
  RecordNumber last_number = 0;   ///< The highest number in any row.
  Stamp last_stamp = 0;           ///< The highest stamp of any head row.
  std::uint32_t clean = 0;        ///< 1: the last writer shut down cleanly.
};

/// Up to which entry the tables have everything that is in the log (wal_store.hpp).
struct Checkpoint {
  static constexpr Kind kKind = Kind::checkpoint;
  std::uint64_t batch = 0;     ///< The entry's number.
  std::uint64_t checksum = 0;  ///< The entry's.
  std::uint64_t place = 0;     ///< In the log, behind it.
};

struct SessionRow {
  static constexpr Kind kKind = Kind::session;
  std::string_view agent;
  std::string_view key;
  Stamp created = 0;
};

struct MessageKeyRow {
  static constexpr Kind kKind = Kind::message_key;
  std::string_view key;
  RunId run;
};

struct RunRow {
  static constexpr Kind kKind = Kind::run;
  SessionId session;
  std::string_view agent;
  std::uint32_t agent_version = 1;
  std::string_view handler;
  std::string_view session_key;
  Stamp created = 0;
  std::uint8_t queued = 0;  ///< 1: its message waits for its turn, and is in `kept`.
};

/// What changes of a run, beside its records so that a step dirties no other page.
struct HeadRow {
  static constexpr Kind kKind = Kind::head;
  std::uint32_t count = 0;  ///< Records of the run: a missing one is seen.
  RunStatus status = RunStatus::running;
  Stamp stamp = 0;         ///< Of the last change.
  Code code = Code::user;  ///< Why it is parked.
  std::string_view reason;
  /// How many of the last records the handler has not gone on from: the run was created and not
  /// begun, or they came while it was parked or the runtime shut down, or it parked behind them.
  std::uint32_t ahead = 0;
};

struct ReadyRow {
  static constexpr Kind kKind = Kind::ready;
  SessionId session;
};

struct DueRow {
  static constexpr Kind kKind = Kind::due;
  enum class What : std::uint8_t {
    retry = 1,     ///< A step's next attempt.
    wait = 2,      ///< What the step at `path` waits for, or the end of its waiting.
    message = 3,   ///< The message that `session` keeps for the run is to be handled.
    grace = 4,     ///< The time that a cancelled run was given is over.
    deadline = 5,  ///< The run is to be cancelled.
    circle = 6,    ///< At once: whether the run waits in a circle of calls is to be looked at.
    saga = 7,      ///< The saga whose number is `path` is to be aborted.
  };
  What what = What::retry;
  std::span<const std::uint32_t> path = {};
  std::uint8_t by_wall_clock = 0;         ///< 1: an absolute time, 0: the end of a delay.
  Stamp begun = 0;                        ///< When the delay began; retries have it elsewhere.
  std::optional<SessionId> session = {};  ///< Of a message, whose run is not there yet.
};
[[nodiscard]] std::string_view to_string(DueRow::What what) noexcept;

struct AttemptsRow {
  static constexpr Kind kKind = Kind::attempts;
  std::span<const std::uint32_t> path;
  std::string_view name;
  std::uint32_t count = 0;         ///< Number of the last attempt known to have begun.
  std::uint32_t unclean_ends = 0;  ///< Times the process died while this step was unfinished.
  std::optional<ErrorView> first_error;
  std::optional<ErrorView> last_error;
  Stamp last_stamp =
      0;               ///< When the last attempt ended; 0: it has not, as far as the journal knows.
  Stamp next_due = 0;  ///< When the next attempt may begin; 0: at once.
  core::ByteView progress = {};  ///< What an attempt of a tool reported last: a payload.
  std::uint32_t asks = 0;        ///< Times that `find` was asked about the last attempt in vain.
  std::int64_t asked_ms = 0;     ///< The pauses behind those, together.
  std::int64_t spent_ms = 0;     ///< Of the tool's overall timeout.
};

/// Bytes that a body takes at most, with the largest payload that it may hold itself.
inline constexpr std::size_t kBodyBytesMax = core::limits::kInlinePayloadBytes + (1U << 20U);

/// Appends the encoded body of `value` (without envelope) to `out`. Messages of errors and reasons
/// are cut to core::limits::kErrorMessageBytes, between characters. Thread: any.
template <class T>
void encode_body(const T& value, core::Bytes& out);

/// Whether a value keeps the limits (core/limits.hpp). Errors: `too_large` naming limit and size.
template <class T>
[[nodiscard]] Result<void> check_limits(const T& value);

/// A value copied into aligned storage, checked once; views point into it. Reused from row to row;
/// it keeps the memory of the largest value it has held. Thread: one at a time.
class RecordBuffer {
 public:
  /// Copies `value`, then holds it against its envelope and `key`. Errors: `corrupt` naming what is
  /// wrong, `newer_format`.
  [[nodiscard]] Result<void> load(core::ByteView key, core::ByteView value);
  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  [[nodiscard]] RecordNumber number() const noexcept { return number_; }
  [[nodiscard]] std::size_t stored_bytes() const noexcept { return size_; }
  /// The value as `T`, borrowed from this buffer until the next `load`. Errors: `corrupt` when it
  /// is of another kind or its FlatBuffer does not verify, `newer_format` for an enumerator that
  /// this version does not know. Before the first successful `load` there is no value: `corrupt`.
  template <class T>
  [[nodiscard]] Result<T> as() const;
  /// The FlatBuffer behind the envelope, borrowed like views; for tools that show bytes.
  [[nodiscard]] core::ByteView body() const noexcept;

 private:
  /// From `operator new[]`, so it is aligned for any FlatBuffer.
  std::unique_ptr<std::byte[]> bytes_;
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;  ///< 0: no value.
  Kind kind_ = Kind::identity;
  RecordNumber number_ = 0;
};

/// Writes the envelope: `value` is the whole value, whose first kEnvelopeBytes are free for it and
/// whose rest is the body. Thread: any.
void seal(core::ByteView key, std::span<std::byte> value, Kind kind, RecordNumber number) noexcept;
/// The number in the envelope of a value that this process sealed; nothing is checked.
[[nodiscard]] RecordNumber sealed_number(core::ByteView value) noexcept;
/// The stamp of a head row that this process sealed; nothing is checked.
[[nodiscard]] Stamp sealed_head_stamp(core::ByteView value) noexcept;

}  // namespace perdure::journal
