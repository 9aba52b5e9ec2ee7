#include "journal/record.hpp"
#include "journal/session_rows.hpp"

#include "core/bytes.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>

namespace perdure::journal {
namespace {

// FlatBuffers are little-endian, and so is the envelope; views point into both without a
// conversion.
static_assert(std::endian::native == std::endian::little,
              "journals are read on little-endian machines");

constexpr std::size_t kNumberAt = 8;
constexpr std::size_t kFormatAt = 16;
constexpr std::size_t kKindAt = 18;
constexpr std::size_t kSizeAt = 20;

template <class T>
void store(std::byte* at, T number) noexcept {
  std::memcpy(at, &number, sizeof number);
}
template <class T>
T fetch(const std::byte* at) noexcept {
  T number;
  std::memcpy(&number, at, sizeof number);
  return number;
}

/// One pass over the value; the key's own checksum is where it starts from.
std::uint64_t checksum_of(core::ByteView key, core::ByteView value) noexcept {
  return core::checksum(value.subspan(kNumberAt), core::checksum(key));
}

Error corrupt(std::string what) { return Error{Code::corrupt, std::move(what)}; }

}  // namespace

std::string_view to_string(Kind kind) noexcept {
  switch (kind) {
    case Kind::run_created: return "run_created";
    case Kind::step_started: return "step_started";
    case Kind::step_result: return "step_result";
    case Kind::run_ended: return "run_ended";
    case Kind::identity: return "identity";
    case Kind::counters: return "counters";
    case Kind::session: return "session";
    case Kind::message_key: return "message_key";
    case Kind::run: return "run";
    case Kind::head: return "head";
    case Kind::ready: return "ready";
    case Kind::due: return "due";
    case Kind::attempts: return "attempts";
    case Kind::checkpoint: return "checkpoint";
    case Kind::version_mark: return "version_mark";
    case Kind::cancel_requested: return "cancel_requested";
    case Kind::saga_aborted: return "saga_aborted";
    case Kind::arrival: return "arrival";
    case Kind::open: return "open";
    case Kind::wait: return "wait";
    case Kind::state: return "state";
    case Kind::child: return "child";
    case Kind::user_row: return "user_row";
    case Kind::budget: return "budget";
    case Kind::usage: return "usage";
    case Kind::saga: return "saga";
    case Kind::undo: return "undo";
    case Kind::undo_state: return "undo_state";
  }
  return "unrecognised";
}

std::string_view to_string(StepKind kind) noexcept {
  switch (kind) {
    case StepKind::step: return "step";
    case StepKind::sleep: return "sleep";
    case StepKind::receive: return "receive";
    case StepKind::call: return "call";
    case StepKind::send: return "send";
    case StepKind::spawn: return "spawn";
    case StepKind::join: return "join";
    case StepKind::commit: return "commit";
    case StepKind::compensate: return "compensate";
  }
  return "unrecognised";
}

std::string_view to_string(EffectClass effect) noexcept {
  switch (effect) {
    case EffectClass::idempotent: return "idempotent";
    case EffectClass::keyed: return "keyed";
    case EffectClass::queryable: return "queryable";
    case EffectClass::at_most_once: return "at_most_once";
    case EffectClass::transactional: return "transactional";
  }
  return "unrecognised";
}

std::string_view to_string(RunStatus status) noexcept {
  switch (status) {
    case RunStatus::queued: return "queued";
    case RunStatus::running: return "running";
    case RunStatus::waiting: return "waiting";
    case RunStatus::parked: return "parked";
    case RunStatus::completed: return "completed";
    case RunStatus::failed: return "failed";
    case RunStatus::cancelled: return "cancelled";
  }
  return "unrecognised";
}

std::string_view to_string(ArrivalRow::What what) noexcept {
  switch (what) {
    case ArrivalRow::What::message: return "message";
    case ArrivalRow::What::signal: return "signal";
    case ArrivalRow::What::reply: return "reply";
    case ArrivalRow::What::cancel: return "cancel";
    case ArrivalRow::What::kill: return "kill";
    case ArrivalRow::What::retry_now: return "retry_now";
    case ArrivalRow::What::raise: return "raise";
    case ArrivalRow::What::abort_saga: return "abort_saga";
    case ArrivalRow::What::saga_told: return "saga_told";
  }
  return "unrecognised";
}

std::string_view to_string(ParentEnd what) noexcept {
  switch (what) {
    case ParentEnd::wait: return "wait";
    case ParentEnd::cancel: return "cancel";
    case ParentEnd::abandon: return "abandon";
  }
  return "unrecognised";
}

std::string_view to_string(DueRow::What what) noexcept {
  switch (what) {
    case DueRow::What::retry: return "retry";
    case DueRow::What::wait: return "wait";
    case DueRow::What::message: return "message";
    case DueRow::What::grace: return "grace";
    case DueRow::What::deadline: return "deadline";
    case DueRow::What::circle: return "circle";
    case DueRow::What::saga: return "saga";
  }
  return "unrecognised";
}

ErrorView view_of(const Error& error) noexcept {
  ErrorView view{error.code, error.message, error.retryable, {}, error.effect};
  if (error.retry_after) view.retry_after_ms = error.retry_after->count();
  return view;
}

Error to_error(const ErrorView& view) {
  Error error{view.code, std::string(view.message), view.retryable, {}, view.effect};
  if (view.retry_after_ms) error.retry_after = std::chrono::milliseconds(*view.retry_after_ms);
  return error;
}

void seal(core::ByteView key, std::span<std::byte> value, Kind kind, RecordNumber number) noexcept {
  store(value.data() + kNumberAt, number);
  store(value.data() + kFormatAt, kFormatVersion);
  store(value.data() + kKindAt, static_cast<std::uint16_t>(kind));
  store(value.data() + kSizeAt, static_cast<std::uint32_t>(value.size() - kEnvelopeBytes));
  store(value.data(), checksum_of(key, value));
}

RecordNumber sealed_number(core::ByteView value) noexcept {
  return fetch<std::uint64_t>(value.data() + kNumberAt);
}

Result<void> RecordBuffer::load(core::ByteView key, core::ByteView value) {
  size_ = 0;
  if (value.size() < kEnvelopeBytes)
    return corrupt("it has " + std::to_string(value.size()) + " bytes, less than its envelope");
  if (value.size() - kEnvelopeBytes > kBodyBytesMax)
    return corrupt("it has " + std::to_string(value.size()) + " bytes, more than Perdure writes");
  if (capacity_ < value.size()) {
    capacity_ = std::max<std::size_t>(std::bit_ceil(value.size()), 512);
    bytes_ = std::make_unique_for_overwrite<std::byte[]>(capacity_);
  }
  std::memcpy(bytes_.get(), value.data(), value.size());
  const core::ByteView copy(bytes_.get(), value.size());
  if (fetch<std::uint64_t>(copy.data()) != checksum_of(key, copy))
    return corrupt("its checksum does not match: it was damaged after it was written");
  const auto format = fetch<std::uint16_t>(copy.data() + kFormatAt);
  if (format != kFormatVersion)
    return Error{Code::newer_format, "it has format " + std::to_string(format) +
                                         ", this Perdure reads format " +
                                         std::to_string(kFormatVersion) + ": use a newer one"};
  if (fetch<std::uint32_t>(copy.data() + kSizeAt) != copy.size() - kEnvelopeBytes)
    return corrupt("its size field does not match its " + std::to_string(copy.size()) + " bytes");
  const auto kind = static_cast<Kind>(fetch<std::uint16_t>(copy.data() + kKindAt));
  if (to_string(kind) == "unrecognised")
    return Error{Code::newer_format, "it is of kind " +
                                         std::to_string(static_cast<unsigned>(kind)) +
                                         ", which this Perdure does not know: use a newer one"};
  kind_ = kind;
  number_ = fetch<std::uint64_t>(copy.data() + kNumberAt);
  size_ = copy.size();
  return success();
}

core::ByteView RecordBuffer::body() const noexcept {
  if (size_ == 0) return {};
  return {bytes_.get() + kEnvelopeBytes, size_ - kEnvelopeBytes};
}

}  // namespace perdure::journal
