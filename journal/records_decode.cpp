// FlatBuffers into values.

#include "journal/schema/record_generated.h"
#include "journal/session_rows.hpp"

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

/// What a verified FlatBuffer still may hold wrong: numbers that name nothing, and payloads of two
/// forms. The first one is kept.
class Numbers {
 public:
  template <class E, class N>
  E known(N number, std::string_view what, E otherwise) {
    const E value = static_cast<E>(number);
    if (to_string(value) != "unrecognised") return value;
    note(what, static_cast<unsigned>(number));
    return otherwise;
  }
  /// `queued` is no status of a head: such a run has none.
  RunStatus status(format::RunStatus number) {
    if (static_cast<RunStatus>(number) != RunStatus::queued)
      return known(number, "run status", RunStatus::running);
    note("run status", static_cast<unsigned>(number));
    return RunStatus::running;
  }
  ErrorEffect effect(format::ErrorEffect number) {
    if (number <= format::ErrorEffect::unknown) return static_cast<ErrorEffect>(number);
    note("error effect", static_cast<unsigned>(number));
    return ErrorEffect::unknown;
  }
  /// What no writer writes, although its checksum holds.
  void refuse(std::string_view what) {
    if (!error_) error_ = Error{Code::corrupt, std::string(what)};
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
T id(const format::Id& from) {
  T to;
  static_assert(sizeof to.bytes == sizeof from);
  std::memcpy(to.bytes.data(), &from, sizeof from);
  return to;
}
template <class T>
std::optional<T> id(const format::Id* from) {
  if (from == nullptr) return std::nullopt;
  return id<T>(*from);
}

/// Ids of runs, one behind the other.
core::ByteView ids(const flatbuffers::Vector<std::uint8_t>* from, Numbers& numbers) {
  const core::ByteView bytes = octets(from);
  if (bytes.size() % sizeof(format::Id) != 0) numbers.refuse("it holds a part of a run's id");
  return bytes;
}

std::optional<std::int64_t> amount(const std::optional<std::int64_t>& from, Numbers& numbers) {
  if (from && *from < 0) numbers.refuse("it holds a negative amount");
  return from;
}
template <class T>
std::optional<std::int64_t> amount(const T& from, Numbers& numbers) {
  if (!from) return std::nullopt;
  return amount(std::optional<std::int64_t>(*from), numbers);
}

Limits read_limits(const format::Limits* from, Numbers& numbers) {
  if (from == nullptr) return {};
  return {amount(from->money(), numbers), amount(from->tokens(), numbers),
          amount(from->gpu_us(), numbers), amount(from->attempts(), numbers),
          amount(from->wall_us(), numbers)};
}

Amounts amounts(const format::Amounts* from, Numbers& numbers) {
  if (from == nullptr) return {};
  const Amounts found{from->money(), from->tokens(), from->gpu_us(), from->attempts()};
  if (std::min({found.money, found.tokens, found.gpu_us, found.attempts}) < 0)
    numbers.refuse("it holds a negative amount");
  return found;
}

std::optional<Caller> caller(const format::Caller* from, Numbers& numbers) {
  if (from == nullptr) return std::nullopt;
  return Caller{id<SessionId>(*from->session()),
                text(from->agent()),
                text(from->session_key()),
                id<RunId>(*from->run()),
                path(from->path()),
                ids(from->payers(), numbers),
                from->saga()};
}

/// A blob where there is one.
PayloadView payload(const flatbuffers::Vector<std::uint8_t>* bytes, const format::Blob* blob,
                    Numbers& numbers) {
  if (blob == nullptr) return octets(bytes);
  if (bytes != nullptr && bytes->size() != 0)
    numbers.refuse("it holds a payload, and a blob in the place of one");
  if (blob->bytes() == 0) numbers.refuse("its payload is a blob of no bytes");
  BlobRef ref;
  ref.bytes = blob->bytes();
  std::memcpy(ref.id.bytes.data(), blob->id()->data(), BlobId::kBytes);
  return ref;
}

std::uint8_t flag(bool from) noexcept { return from ? 1 : 0; }

template <class T>
struct Body;
template <>
struct Body<RunCreated> {
  using Format = format::RunCreated;
  static RunCreated read(const Format& f, Numbers& n) {
    return {text(f.agent()),
            f.agent_version(),
            text(f.handler()),
            text(f.session_key()),
            text(f.message_key()),
            text(f.input_type()),
            payload(f.input(), f.input_blob(), n),
            f.seed(),
            f.stamp(),
            caller(f.caller(), n),
            f.deadline(),
            ids(f.payers(), n)};
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
    return {path(f.path()),
            n.known(f.step_kind(), "step kind", StepKind::step),
            text(f.name()),
            text(f.type()),
            f.attempts(),
            f.stamp(),
            f.busy_us(),
            failure(f.error(), n),
            payload(f.payload(), f.payload_blob(), n)};
  }
};
template <>
struct Body<RunEnded> {
  using Format = format::RunEnded;
  static RunEnded read(const Format& f, Numbers& n) {
    return {f.stamp(), text(f.type()), failure(f.error(), n),
            payload(f.payload(), f.payload_blob(), n)};
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
    return {id<SessionId>(*f.session()), text(f.agent()), f.agent_version(), text(f.handler()),
            text(f.session_key()),       f.created(),     flag(f.queued())};
  }
};
template <>
struct Body<HeadRow> {
  using Format = format::HeadRow;
  static HeadRow read(const Format& f, Numbers& n) {
    return {f.count(),        n.status(f.status()),
            f.stamp(),        n.known(f.code(), "error code", Code::user),
            text(f.reason()), f.ahead()};
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
  static DueRow read(const Format& f, Numbers& n) {
    return {n.known(f.what(), "kind of due time", DueRow::What::retry), path(f.path()),
            flag(f.by_wall_clock()), f.begun(), id<SessionId>(f.session())};
  }
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
            f.next_due(),
            octets(f.progress()),
            f.asks(),
            f.asked_ms(),
            f.spent_ms()};
  }
};

template <>
struct Body<VersionMark> {
  using Format = format::VersionMark;
  static VersionMark read(const Format& f, Numbers&) {
    return {text(f.name()), f.version(), f.stamp()};
  }
};
template <>
struct Body<CancelRequested> {
  using Format = format::CancelRequested;
  static CancelRequested read(const Format& f, Numbers& n) {
    return {n.known(f.code(), "error code", Code::cancelled), text(f.who()), text(f.why()),
            f.grace_ms(), f.stamp()};
  }
};
template <>
struct Body<ArrivalRow> {
  using Format = format::ArrivalRow;
  static ArrivalRow read(const Format& f, Numbers& n) {
    ArrivalRow row;
    row.what = n.known(f.what(), "kind of arrival", ArrivalRow::What::message);
    row.agent = text(f.agent());
    row.session_key = text(f.session_key());
    row.name = text(f.name());
    row.type = text(f.type());
    row.payload = payload(f.payload(), f.payload_blob(), n);
    row.message_key = text(f.message_key());
    row.agent_version = f.agent_version();
    row.run = id<RunId>(f.run());
    row.path = path(f.path());
    row.other = id<RunId>(f.other());
    row.caller = caller(f.caller(), n);
    row.due = f.due();
    row.by_wall_clock = flag(f.by_wall_clock());
    row.deadline = f.deadline();
    row.error = failure(f.error(), n);
    row.who = text(f.who());
    row.why = text(f.why());
    row.grace_ms = f.grace_ms();
    row.stamp = f.stamp();
    row.limits = read_limits(f.limits(), n);
    row.saga = f.saga();
    return row;
  }
};
template <>
struct Body<OpenRow> {
  using Format = format::OpenRow;
  static OpenRow read(const Format& f, Numbers&) { return {id<RunId>(*f.run())}; }
};
template <>
struct Body<WaitRow> {
  using Format = format::WaitRow;
  static WaitRow read(const Format& f, Numbers& n) {
    return {n.known(f.step_kind(), "step kind", StepKind::sleep),
            path(f.path()),
            text(f.name()),
            f.begun(),
            f.due(),
            flag(f.by_wall_clock()),
            id<SessionId>(f.session()),
            id<RunId>(f.run())};
  }
};
template <>
struct Body<ChildRow> {
  using Format = format::ChildRow;
  static ChildRow read(const Format& f, Numbers& n) {
    return {path(f.path()),      id<SessionId>(*f.session()),
            text(f.agent()),     text(f.session_key()),
            id<RunId>(*f.run()), n.known(f.parent_end(), "parent's end", ParentEnd::wait),
            flag(f.ended()),     failure(f.error(), n)};
  }
};
template <>
struct Body<StateRow> {
  using Format = format::StateRow;
  static StateRow read(const Format& f, Numbers& n) {
    return {text(f.name()), text(f.type()), flag(f.absent()),
            payload(f.payload(), f.payload_blob(), n)};
  }
};
template <>
struct Body<BudgetRow> {
  using Format = format::BudgetRow;
  static BudgetRow read(const Format& f, Numbers& n) {
    return {read_limits(f.limits(), n), flag(f.fails_steps()), f.created(), text(f.raised_by()),
            f.raised()};
  }
};
template <>
struct Body<UsageRow> {
  using Format = format::UsageRow;
  static UsageRow read(const Format& f, Numbers& n) {
    return {amounts(f.used(), n), amounts(f.reserved(), n), amounts(f.assumed(), n)};
  }
};
template <>
struct Body<SagaAborted> {
  using Format = format::SagaAborted;
  static SagaAborted read(const Format& f, Numbers& n) {
    return {f.saga(), n.known(f.code(), "error code", Code::saga_aborted), text(f.who()),
            text(f.why()), f.stamp()};
  }
};
template <>
struct Body<SagaRow> {
  using Format = format::SagaRow;
  static SagaRow read(const Format& f, Numbers& n) {
    return {text(f.name()),    n.known(f.state(), "state of a saga", SagaState::open),
            f.created(),       f.changed(),
            f.stuck(),         id<RunId>(f.parent_run()),
            f.parent(),        flag(f.parallel()),
            flag(f.goes_on()), n.known(f.code(), "error code", Code::user),
            text(f.who()),     text(f.why()),
            f.deadline(),      flag(f.reaches_parked()),
            f.paid_with()};
  }
};
template <>
struct Body<UndoRow> {
  using Format = format::UndoRow;
  static UndoRow read(const Format& f, Numbers& n) {
    return {n.known(f.what(), "kind of undoing", UndoWhat::undo),
            path(f.path()),
            text(f.name()),
            text(f.tool()),
            text(f.undo()),
            text(f.input_type()),
            text(f.output_type()),
            payload(f.payload(), f.payload_blob(), n),
            f.settle_ms(),
            f.begun(),
            f.stamp(),
            f.saga(),
            id<RunId>(f.run()),
            text(f.agent()),
            text(f.session_key())};
  }
};
template <>
struct Body<UndoStateRow> {
  using Format = format::UndoStateRow;
  static UndoStateRow read(const Format& f, Numbers& n) {
    return {n.known(f.state(), "state of an undoing", UndoState::unknown),
            f.ended(),
            f.not_before(),
            failure(f.error(), n),
            text(f.who()),
            text(f.why()),
            f.stamp()};
  }
};
template <>
struct Body<UserRow> {
  using Format = format::UserRow;
  static UserRow read(const Format& f, Numbers& n) {
    return {text(f.type()), payload(f.payload(), f.payload_blob(), n)};
  }
};

}  // namespace

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
template Result<VersionMark> RecordBuffer::as() const;
template Result<CancelRequested> RecordBuffer::as() const;
template Result<ArrivalRow> RecordBuffer::as() const;
template Result<OpenRow> RecordBuffer::as() const;
template Result<WaitRow> RecordBuffer::as() const;
template Result<StateRow> RecordBuffer::as() const;
template Result<ChildRow> RecordBuffer::as() const;
template Result<UserRow> RecordBuffer::as() const;
template Result<BudgetRow> RecordBuffer::as() const;
template Result<UsageRow> RecordBuffer::as() const;
template Result<SagaAborted> RecordBuffer::as() const;
template Result<SagaRow> RecordBuffer::as() const;
template Result<UndoRow> RecordBuffer::as() const;
template Result<UndoStateRow> RecordBuffer::as() const;

}  // namespace perdure::journal
