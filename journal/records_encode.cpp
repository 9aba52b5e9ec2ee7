// Values into FlatBuffers, and what the limits say of them.

#include "core/assert.hpp"
#include "journal/schema/record_generated.h"
#include "journal/session_rows.hpp"

#include <flatbuffers/flatbuffers.h>

#include <array>
#include <cstring>
#include <optional>
#include <string>

namespace perdure::journal {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;
using Text = Offset<flatbuffers::String>;
using Octets = Offset<flatbuffers::Vector<std::uint8_t>>;
using Path = Offset<flatbuffers::Vector<std::uint32_t>>;
using Failure = Offset<format::Failure>;

/// A builder that has grown beyond this gives its memory back.
constexpr std::size_t kKeptBytes = 1U << 20U;

Text text(FlatBufferBuilder& to, std::string_view from) {
  return from.empty() ? Text{} : to.CreateString(from.data(), from.size());
}
Octets octets(FlatBufferBuilder& to, core::ByteView from) {
  if (from.empty()) return {};
  return to.CreateVector(reinterpret_cast<const std::uint8_t*>(from.data()), from.size());
}
Path path(FlatBufferBuilder& to, std::span<const std::uint32_t> from) {
  return from.empty() ? Path{} : to.CreateVector(from.data(), from.size());
}

format::Id id(core::ByteView from) {
  format::Id to;
  PERDURE_ASSERT(from.size() == sizeof to, "an id has 16 bytes");
  std::memcpy(static_cast<void*>(&to), from.data(), sizeof to);
  return to;
}

/// Not in the middle of a UTF-8 character.
std::string_view cut(std::string_view message) noexcept {
  if (message.size() <= core::limits::kErrorMessageBytes) return message;
  std::size_t end = core::limits::kErrorMessageBytes;
  while (end > 0 && (static_cast<unsigned char>(message[end]) & 0xC0U) == 0x80U) --end;
  return message.substr(0, end);
}

using CallerTable = Offset<format::Caller>;
CallerTable caller(FlatBufferBuilder& to, const std::optional<Caller>& from) {
  if (!from) return {};
  const Text agent = text(to, from->agent);
  const Text session_key = text(to, from->session_key);
  const Path where = path(to, from->path);
  const Octets payers = octets(to, from->payers);
  const format::Id session = id(from->session.bytes);
  const format::Id run = id(from->run.bytes);
  return format::CreateCaller(to, &session, agent, session_key, &run, where, payers, from->saga);
}

/// An id that may be missing, as long as the table is built.
class MaybeId {
 public:
  template <class T>
  explicit MaybeId(const std::optional<T>& from) {
    if (from) id_ = id(from->bytes);
  }
  [[nodiscard]] const format::Id* get() const noexcept { return id_ ? &*id_ : nullptr; }

 private:
  std::optional<format::Id> id_;
};

/// What of a payload is not bytes, as long as the table is built.
class MaybeBlob {
 public:
  explicit MaybeBlob(const PayloadView& from) {
    if (!from.blob()) return;
    std::array<std::uint8_t, BlobId::kBytes> id;
    std::memcpy(id.data(), from.blob()->id.bytes.data(), id.size());
    blob_.emplace(id, from.blob()->bytes);
  }
  [[nodiscard]] const format::Blob* get() const noexcept { return blob_ ? &*blob_ : nullptr; }

 private:
  std::optional<format::Blob> blob_;
};

Failure failure(FlatBufferBuilder& to, const std::optional<ErrorView>& from) {
  if (!from) return {};
  const Text message = text(to, cut(from->message));
  format::FailureBuilder table(to);
  table.add_code(static_cast<std::uint16_t>(from->code));
  table.add_message(message);
  if (from->retryable) table.add_retryable(*from->retryable);
  if (from->retry_after_ms) table.add_retry_after_ms(*from->retry_after_ms);
  if (from->effect) table.add_effect(static_cast<format::ErrorEffect>(*from->effect));
  return table.Finish();
}

using LimitsTable = Offset<format::Limits>;
LimitsTable limits_table(FlatBufferBuilder& to, const Limits& from) {
  if (from == Limits{}) return {};
  format::LimitsBuilder table(to);
  if (from.money) table.add_money(*from.money);
  if (from.tokens) table.add_tokens(*from.tokens);
  if (from.gpu_us) table.add_gpu_us(*from.gpu_us);
  if (from.attempts) table.add_attempts(*from.attempts);
  if (from.wall_us) table.add_wall_us(*from.wall_us);
  return table.Finish();
}

Offset<format::Amounts> amounts(FlatBufferBuilder& to, const Amounts& from) {
  if (from == Amounts{}) return {};
  return format::CreateAmounts(to, from.money, from.tokens, from.gpu_us, from.attempts);
}

// Every part is made in a statement of its own: compilers evaluate arguments in different orders,
// and the bytes shall be the same under all of them.

auto build(FlatBufferBuilder& to, const RunCreated& v) {
  const Text agent = text(to, v.agent);
  const Text handler = text(to, v.handler);
  const Text session_key = text(to, v.session_key);
  const Text message_key = text(to, v.message_key);
  const Text input_type = text(to, v.input_type);
  const Octets input = octets(to, v.payload.inlined());
  const MaybeBlob blob(v.payload);
  const CallerTable who = caller(to, v.caller);
  const Octets payers = octets(to, v.payers);
  return format::CreateRunCreated(to, agent, v.agent_version, handler, session_key, message_key,
                                  input_type, input, v.seed, v.stamp, who, v.deadline, blob.get(),
                                  payers);
}

auto build(FlatBufferBuilder& to, const StepStarted& v) {
  const Path where = path(to, v.path);
  const Text name = text(to, v.name);
  return format::CreateStepStarted(to, where, name, static_cast<format::EffectClass>(v.effect),
                                   v.attempt, v.stamp);
}

auto build(FlatBufferBuilder& to, const StepResult& v) {
  const Path where = path(to, v.path);
  const Text name = text(to, v.name);
  const Text type = text(to, v.type);
  const Failure error = failure(to, v.error);
  const Octets payload = octets(to, v.payload.inlined());
  const MaybeBlob blob(v.payload);
  return format::CreateStepResult(to, where, static_cast<format::StepKind>(v.step_kind), name, type,
                                  v.attempts, v.stamp, v.busy_us, error, payload, blob.get());
}

auto build(FlatBufferBuilder& to, const RunEnded& v) {
  const Text type = text(to, v.type);
  const Failure error = failure(to, v.error);
  const Octets payload = octets(to, v.payload.inlined());
  const MaybeBlob blob(v.payload);
  return format::CreateRunEnded(to, v.stamp, type, error, payload, blob.get());
}

auto build(FlatBufferBuilder& to, const Identity& v) {
  const Text created_by = text(to, v.created_by);
  const format::Id journal = id(Key{}.add(v.journal.high).add(v.journal.low).view());
  return format::CreateIdentity(to, &journal, v.created, created_by);
}

auto build(FlatBufferBuilder& to, const Counters& v) {
  return format::CreateCounters(to, v.epoch, v.incarnation, v.last_number, v.last_stamp, v.clean);
}

auto build(FlatBufferBuilder& to, const Checkpoint& v) {
  return format::CreateCheckpoint(to, v.batch, v.checksum, v.place);
}

auto build(FlatBufferBuilder& to, const SessionRow& v) {
  const Text agent = text(to, v.agent);
  const Text key = text(to, v.key);
  return format::CreateSessionRow(to, agent, key, v.created);
}

auto build(FlatBufferBuilder& to, const MessageKeyRow& v) {
  const Text key = text(to, v.key);
  const format::Id run = id(v.run.bytes);
  return format::CreateMessageKeyRow(to, key, &run);
}

auto build(FlatBufferBuilder& to, const RunRow& v) {
  const Text agent = text(to, v.agent);
  const Text handler = text(to, v.handler);
  const Text session_key = text(to, v.session_key);
  const format::Id session = id(v.session.bytes);
  return format::CreateRunRow(to, &session, agent, v.agent_version, handler, session_key, v.created,
                              v.queued != 0);
}

auto build(FlatBufferBuilder& to, const HeadRow& v) {
  const Text reason = text(to, cut(v.reason));
  return format::CreateHeadRow(to, v.count, static_cast<format::RunStatus>(v.status), v.stamp,
                               static_cast<std::uint16_t>(v.code), reason, v.ahead);
}

auto build(FlatBufferBuilder& to, const ReadyRow& v) {
  const format::Id session = id(v.session.bytes);
  return format::CreateReadyRow(to, &session);
}

auto build(FlatBufferBuilder& to, const DueRow& v) {
  const Path where = path(to, v.path);
  const MaybeId session(v.session);
  return format::CreateDueRow(to, static_cast<format::DueWhat>(v.what), where, v.by_wall_clock != 0,
                              v.begun, session.get());
}

auto build(FlatBufferBuilder& to, const AttemptsRow& v) {
  const Path where = path(to, v.path);
  const Text name = text(to, v.name);
  const Failure first = failure(to, v.first_error);
  const Failure last = failure(to, v.last_error);
  const Octets progress = octets(to, v.progress);
  return format::CreateAttemptsRow(to, where, name, v.count, v.unclean_ends, first, last,
                                   v.last_stamp, v.next_due, progress, v.asks, v.asked_ms,
                                   v.spent_ms);
}

auto build(FlatBufferBuilder& to, const VersionMark& v) {
  const Text name = text(to, v.name);
  return format::CreateVersionMark(to, name, v.version, v.stamp);
}

auto build(FlatBufferBuilder& to, const CancelRequested& v) {
  const Text who = text(to, v.who);
  const Text why = text(to, cut(v.why));
  return format::CreateCancelRequested(to, static_cast<std::uint16_t>(v.code), who, why, v.grace_ms,
                                       v.stamp);
}

auto build(FlatBufferBuilder& to, const SagaAborted& v) {
  const Text who = text(to, v.who);
  const Text why = text(to, cut(v.why));
  return format::CreateSagaAborted(to, v.saga, static_cast<std::uint16_t>(v.code), who, why,
                                   v.stamp);
}

auto build(FlatBufferBuilder& to, const ArrivalRow& v) {
  const Text agent = text(to, v.agent);
  const Text session_key = text(to, v.session_key);
  const Text name = text(to, v.name);
  const Text type = text(to, v.type);
  const Octets payload = octets(to, v.payload.inlined());
  const MaybeBlob blob(v.payload);
  const Text message_key = text(to, v.message_key);
  const Path where = path(to, v.path);
  const CallerTable calling = caller(to, v.caller);
  const Failure error = failure(to, v.error);
  const Text who = text(to, v.who);
  const Text why = text(to, cut(v.why));
  const MaybeId run(v.run);
  const MaybeId other(v.other);
  const LimitsTable raised = limits_table(to, v.limits);
  return format::CreateArrivalRow(to, static_cast<format::ArrivalWhat>(v.what), agent, session_key,
                                  name, type, payload, message_key, v.agent_version, run.get(),
                                  where, other.get(), calling, v.due, v.by_wall_clock != 0,
                                  v.deadline, error, who, why, v.grace_ms, v.stamp, blob.get(),
                                  raised, v.saga);
}

auto build(FlatBufferBuilder& to, const OpenRow& v) {
  const format::Id run = id(v.run.bytes);
  return format::CreateOpenRow(to, &run);
}

auto build(FlatBufferBuilder& to, const WaitRow& v) {
  const Path where = path(to, v.path);
  const Text name = text(to, v.name);
  const MaybeId session(v.session);
  const MaybeId run(v.run);
  return format::CreateWaitRow(to, static_cast<format::StepKind>(v.step_kind), where, name, v.begun,
                               v.due, v.by_wall_clock != 0, session.get(), run.get());
}

auto build(FlatBufferBuilder& to, const ChildRow& v) {
  const Path where = path(to, v.path);
  const format::Id session = id(v.session.bytes);
  const Text agent = text(to, v.agent);
  const Text key = text(to, v.session_key);
  const format::Id run = id(v.run.bytes);
  const auto error = failure(to, v.error);
  return format::CreateChildRow(to, where, &session, agent, key, &run,
                                static_cast<format::ParentEnd>(v.parent_end), v.ended != 0, error);
}

auto build(FlatBufferBuilder& to, const StateRow& v) {
  const Text name = text(to, v.name);
  const Text type = text(to, v.type);
  const Octets payload = octets(to, v.payload.inlined());
  const MaybeBlob blob(v.payload);
  return format::CreateStateRow(to, name, type, v.absent != 0, payload, blob.get());
}

auto build(FlatBufferBuilder& to, const UserRow& v) {
  const Text type = text(to, v.type);
  const Octets payload = octets(to, v.payload.inlined());
  const MaybeBlob blob(v.payload);
  return format::CreateUserRow(to, type, payload, blob.get());
}

auto build(FlatBufferBuilder& to, const BudgetRow& v) {
  const LimitsTable allowed = limits_table(to, v.limits);
  const Text raised_by = text(to, v.raised_by);
  return format::CreateBudgetRow(to, allowed, v.fails_steps != 0, v.created, raised_by, v.raised);
}

auto build(FlatBufferBuilder& to, const UsageRow& v) {
  const auto used = amounts(to, v.used);
  const auto reserved = amounts(to, v.reserved);
  const auto assumed = amounts(to, v.assumed);
  return format::CreateUsageRow(to, used, reserved, assumed);
}

auto build(FlatBufferBuilder& to, const SagaRow& v) {
  const Text name = text(to, v.name);
  const MaybeId parent_run(v.parent_run);
  const Text who = text(to, v.who);
  const Text why = text(to, cut(v.why));
  return format::CreateSagaRow(to, name, static_cast<format::SagaState>(v.state), v.created,
                               v.changed, v.stuck, parent_run.get(), v.parent, v.parallel != 0,
                               v.goes_on != 0, static_cast<std::uint16_t>(v.code), who, why,
                               v.deadline, v.reaches_parked != 0, v.paid_with);
}

auto build(FlatBufferBuilder& to, const UndoRow& v) {
  const Path where = path(to, v.path);
  const Text name = text(to, v.name);
  const Text tool = text(to, v.tool);
  const Text undo = text(to, v.undo);
  const Text input_type = text(to, v.input_type);
  const Text output_type = text(to, v.output_type);
  const Octets payload = octets(to, v.payload.inlined());
  const MaybeBlob blob(v.payload);
  const MaybeId run(v.run);
  const Text agent = text(to, v.agent);
  const Text session_key = text(to, v.session_key);
  return format::CreateUndoRow(to, static_cast<format::UndoWhat>(v.what), where, name, tool, undo,
                               input_type, output_type, payload, blob.get(), v.settle_ms, v.begun,
                               v.stamp, v.saga, run.get(), agent, session_key);
}

auto build(FlatBufferBuilder& to, const UndoStateRow& v) {
  const Failure error = failure(to, v.error);
  const Text who = text(to, v.who);
  const Text why = text(to, cut(v.why));
  return format::CreateUndoStateRow(to, static_cast<format::UndoState>(v.state), v.ended,
                                    v.not_before, error, who, why, v.stamp);
}

}  // namespace

template <class T>
void encode_body(const T& value, core::Bytes& out) {
  thread_local FlatBufferBuilder builder(1024);
  builder.Finish(build(builder, value));
  const auto* bytes = reinterpret_cast<const std::byte*>(builder.GetBufferPointer());
  const std::size_t size = builder.GetSize();
  out.insert(out.end(), bytes, bytes + size);
  if (size <= kKeptBytes)
    builder.Clear();
  else
    builder.Reset();
}

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

template void encode_body(const RunCreated&, core::Bytes&);
template void encode_body(const StepStarted&, core::Bytes&);
template void encode_body(const StepResult&, core::Bytes&);
template void encode_body(const RunEnded&, core::Bytes&);
template void encode_body(const Identity&, core::Bytes&);
template void encode_body(const Counters&, core::Bytes&);
template void encode_body(const Checkpoint&, core::Bytes&);
template void encode_body(const SessionRow&, core::Bytes&);
template void encode_body(const MessageKeyRow&, core::Bytes&);
template void encode_body(const RunRow&, core::Bytes&);
template void encode_body(const HeadRow&, core::Bytes&);
template void encode_body(const ReadyRow&, core::Bytes&);
template void encode_body(const DueRow&, core::Bytes&);
template void encode_body(const AttemptsRow&, core::Bytes&);
template void encode_body(const VersionMark&, core::Bytes&);
template void encode_body(const CancelRequested&, core::Bytes&);
template void encode_body(const ArrivalRow&, core::Bytes&);
template void encode_body(const OpenRow&, core::Bytes&);
template void encode_body(const WaitRow&, core::Bytes&);
template void encode_body(const StateRow&, core::Bytes&);
template void encode_body(const ChildRow&, core::Bytes&);
template void encode_body(const UserRow&, core::Bytes&);
template void encode_body(const BudgetRow&, core::Bytes&);
template void encode_body(const UsageRow&, core::Bytes&);
template void encode_body(const SagaAborted&, core::Bytes&);
template void encode_body(const SagaRow&, core::Bytes&);
template void encode_body(const UndoRow&, core::Bytes&);
template void encode_body(const UndoStateRow&, core::Bytes&);

}  // namespace perdure::journal
