// FlatBuffers into values.

#include "journal/record.hpp"
#include "journal/schema/record_generated.h"

#include <flatbuffers/flatbuffers.h>

#include <cstring>
#include <string>

namespace perdure::journal {
namespace {

std::string_view text(const flatbuffers::String* from) noexcept {
  return from == nullptr ? std::string_view{} : std::string_view(from->c_str(), from->size());
}
core::ByteView octets(const flatbuffers::Vector<std::uint8_t>* from) noexcept {
  return from == nullptr ? core::ByteView{} : std::as_bytes(std::span(from->data(), from->size()));
}
std::span<const std::uint32_t> path(const flatbuffers::Vector<std::uint32_t>* from) noexcept {
  // The verifier has seen to the alignment.
  if (from == nullptr) return {};
  return {reinterpret_cast<const std::uint32_t*>(from->Data()), from->size()};
}

/// What a verified FlatBuffer still may hold wrong: numbers that name nothing. The first one is
/// kept.
class Numbers {
 public:
  template <class E, class N>
  E known(N number, std::string_view what, E otherwise) {
    const E value = static_cast<E>(number);
    if (to_string(value) != "unrecognised") return value;
    note(what, static_cast<unsigned>(number));
    return otherwise;
  }
  ErrorEffect effect(format::ErrorEffect number) {
    if (number <= format::ErrorEffect::unknown) return static_cast<ErrorEffect>(number);
    note("error effect", static_cast<unsigned>(number));
    return ErrorEffect::unknown;
  }
  DueRow::What due(format::DueWhat number) {
    if (number == format::DueWhat::retry) return DueRow::What::retry;
    note("kind of due time", static_cast<unsigned>(number));
    return DueRow::What::retry;
  }
  [[nodiscard]] const std::optional<Error>& error() const noexcept { return error_; }

 private:
  void note(std::string_view what, unsigned number) {
    if (error_) return;
    error_ =
        Error{Code::newer_format, "it holds " + std::string(what) + " " + std::to_string(number) +
                                      ", which this Perdure does not know: use a newer one"};
  }
  std::optional<Error> error_;
};

std::optional<ErrorView> failure(const format::Failure* from, Numbers& numbers) {
  if (from == nullptr) return std::nullopt;
  ErrorView view;
  view.code = numbers.known(from->code(), "error code", Code::user);
  view.message = text(from->message());
  if (const auto given = from->retryable()) view.retryable = *given;
  if (const auto given = from->retry_after_ms()) view.retry_after_ms = *given;
  if (const auto given = from->effect()) view.effect = numbers.effect(*given);
  return view;
}

template <class T>
struct Body;
template <>
struct Body<RunCreated> {
  using Format = format::RunCreated;
  static RunCreated read(const Format& f, Numbers&) {
    return {text(f.agent()),
            f.agent_version(),
            text(f.handler()),
            text(f.session_key()),
            text(f.message_key()),
            text(f.input_type()),
            octets(f.input()),
            f.seed(),
            f.stamp()};
  }
};
template <>
struct Body<StepStarted> {
  using Format = format::StepStarted;
  static StepStarted read(const Format& f, Numbers& n) {
    return {path(f.path()), text(f.name()),
            n.known(f.effect(), "effect class", EffectClass::idempotent), f.attempt(), f.stamp()};
  }
};
template <>
struct Body<StepResult> {
  using Format = format::StepResult;
  static StepResult read(const Format& f, Numbers& n) {
    return {path(f.path()),     n.known(f.step_kind(), "step kind", StepKind::step),
            text(f.name()),     text(f.type()),
            f.attempts(),       f.stamp(),
            f.busy_us(),        failure(f.error(), n),
            octets(f.payload())};
  }
};
template <>
struct Body<RunEnded> {
  using Format = format::RunEnded;
  static RunEnded read(const Format& f, Numbers& n) {
    return {f.stamp(), text(f.type()), failure(f.error(), n), octets(f.payload())};
  }
};
template <>
struct Body<Identity> {
  using Format = format::Identity;
  static Identity read(const Format& f, Numbers&) {
    Identity identity{{}, f.created(), text(f.created_by())};
    for (const std::uint8_t byte : *f.journal()->bytes()) {
      identity.journal.high = (identity.journal.high << 8U) | (identity.journal.low >> 56U);
      identity.journal.low = (identity.journal.low << 8U) | byte;
    }
    return identity;
  }
};
template <>
struct Body<Counters> {
  using Format = format::Counters;
  static Counters read(const Format& f, Numbers&) {
    return {f.epoch(), f.incarnation(), f.last_number(), f.last_stamp(), f.clean()};
  }
};
template <>
struct Body<Checkpoint> {
  using Format = format::Checkpoint;
  static Checkpoint read(const Format& f, Numbers&) { return {f.batch(), f.checksum(), f.place()}; }
};
template <>
struct Body<SessionRow> {
  using Format = format::SessionRow;
  static SessionRow read(const Format& f, Numbers&) {
    return {text(f.agent()), text(f.key()), f.created()};
  }
};

template <class T>
T id(const format::Id& from) {
  T to;
  static_assert(sizeof to.bytes == sizeof from);
  std::memcpy(to.bytes.data(), &from, sizeof from);
  return to;
}

template <>
struct Body<MessageKeyRow> {
  using Format = format::MessageKeyRow;
  static MessageKeyRow read(const Format& f, Numbers&) {
    return {text(f.key()), id<RunId>(*f.run())};
  }
};
template <>
struct Body<RunRow> {
  using Format = format::RunRow;
  static RunRow read(const Format& f, Numbers&) {
    return {id<SessionId>(*f.session()), text(f.agent()),       f.agent_version(),
            text(f.handler()),           text(f.session_key()), f.created()};
  }
};
template <>
struct Body<HeadRow> {
  using Format = format::HeadRow;
  static HeadRow read(const Format& f, Numbers& n) {
    return {f.count(), n.known(f.status(), "run status", RunStatus::running), f.stamp(),
            n.known(f.code(), "error code", Code::user), text(f.reason())};
  }
};
template <>
struct Body<ReadyRow> {
  using Format = format::ReadyRow;
  static ReadyRow read(const Format& f, Numbers&) { return {id<SessionId>(*f.session())}; }
};
template <>
struct Body<DueRow> {
  using Format = format::DueRow;
  static DueRow read(const Format& f, Numbers& n) { return {n.due(f.what()), path(f.path())}; }
};
template <>
struct Body<AttemptsRow> {
  using Format = format::AttemptsRow;
  static AttemptsRow read(const Format& f, Numbers& n) {
    return {path(f.path()),
            text(f.name()),
            f.count(),
            f.unclean_ends(),
            failure(f.first_error(), n),
            failure(f.last_error(), n),
            f.last_stamp(),
            f.next_due()};
  }
};

}  // namespace

Stamp sealed_head_stamp(core::ByteView value) noexcept {
  const std::byte* body = value.data() + kEnvelopeBytes;
  // Values of a Change are aligned; others may not be.
  core::Bytes aligned;
  if (reinterpret_cast<std::uintptr_t>(body) % alignof(std::uint64_t) != 0) {
    aligned.assign(body, value.data() + value.size());
    body = aligned.data();
  }
  return flatbuffers::GetRoot<format::HeadRow>(body)->stamp();
}

template <class T>
Result<T> RecordBuffer::as() const {
  if (size_ == 0) return Error{Code::corrupt, "there is no value"};
  if (kind_ != T::kKind)
    return Error{Code::corrupt, "it is a " + std::string(to_string(kind_)) + " where a " +
                                    std::string(to_string(T::kKind)) + " belongs"};
  using Format = typename Body<T>::Format;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(body().data());
  flatbuffers::Verifier verifier(bytes, body().size());
  if (!verifier.VerifyBuffer<Format>(nullptr))
    return Error{Code::corrupt, "its FlatBuffer (" + std::string(to_string(kind_)) +
                                    ") does not verify, although its checksum holds: it was "
                                    "written by something else than Perdure"};
  Numbers numbers;
  T value = Body<T>::read(*flatbuffers::GetRoot<Format>(bytes), numbers);
  if (numbers.error()) return *numbers.error();
  return value;
}

template Result<RunCreated> RecordBuffer::as() const;
template Result<StepStarted> RecordBuffer::as() const;
template Result<StepResult> RecordBuffer::as() const;
template Result<RunEnded> RecordBuffer::as() const;
template Result<Identity> RecordBuffer::as() const;
template Result<Counters> RecordBuffer::as() const;
template Result<Checkpoint> RecordBuffer::as() const;
template Result<SessionRow> RecordBuffer::as() const;
template Result<MessageKeyRow> RecordBuffer::as() const;
template Result<RunRow> RecordBuffer::as() const;
template Result<HeadRow> RecordBuffer::as() const;
template Result<ReadyRow> RecordBuffer::as() const;
template Result<DueRow> RecordBuffer::as() const;
template Result<AttemptsRow> RecordBuffer::as() const;

}  // namespace perdure::journal
