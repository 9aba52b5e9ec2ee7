#include "journal/reader.hpp"

#include "core/limits.hpp"
#include "journal/blobs.hpp"
#include "journal/place.hpp"
#include "journal/row_scan.hpp"

#include <algorithm>
#include <utility>

namespace perdure::journal {
namespace {

Key head_key(const RunId& run) { return Key{}.add(run).add(kHeadIndex); }

Error corrupt(Table table, core::ByteView key, std::string what) {
  return with_place(Error{Code::corrupt, std::move(what)}, table, key);
}

Head owned(const HeadRow& row) {
  return {row.count, row.status, row.stamp, row.code, std::string(row.reason), row.ahead};
}

std::vector<std::uint32_t> owned(std::span<const std::uint32_t> path) {
  return {path.begin(), path.end()};
}

std::optional<core::Bytes> owned(core::ByteView payload) {
  if (payload.empty()) return std::nullopt;
  return core::Bytes(payload.begin(), payload.end());
}

std::optional<Error> owned(const std::optional<ErrorView>& error) {
  if (!error) return std::nullopt;
  return to_error(*error);
}

}  // namespace

SessionId session_hash(std::string_view agent, std::string_view key) noexcept {
  const core::Hash128 hash =
      core::hash128(core::as_bytes(key), core::checksum(core::as_bytes(agent)));
  return id_at<SessionId>(Key{}.add(hash.high).add(hash.low).view(), 0);
}

SessionId next_session_id(SessionId id) noexcept {
  for (std::size_t i = id.bytes.size(); i-- > 0;) {
    id.bytes[i] = std::byte{static_cast<unsigned char>(std::to_integer<unsigned>(id.bytes[i]) + 1)};
    if (id.bytes[i] != std::byte{0}) break;
  }
  return id;
}

Key message_key_row(const SessionId& session, std::string_view message_key) noexcept {
  const core::Hash128 hash = core::hash128(core::as_bytes(message_key));
  return Key{}.add(session).add(hash.high).add(hash.low);
}

Key due_row(Stamp at, const RunId& run, const StepPath& path) noexcept {
  return Key{}.add(static_cast<std::uint64_t>(at)).add(run).add(path.hash());
}

RecordStream::RecordStream(RunId run, std::uint32_t from, std::uint32_t count,
                           std::unique_ptr<Cursor> cursor)
    : run_(run), next_(from), count_(count), cursor_(std::move(cursor)) {}

Result<const RecordBuffer*> RecordStream::next() {
  if (next_ >= count_) return nullptr;
  PERDURE_TRY(const bool found, cursor_->next());
  const Key expected = Key{}.add(run_).add(next_);
  const core::ByteView key = found ? cursor_->key() : core::ByteView{};
  if (!std::ranges::equal(key, expected.view()))
    return corrupt(
        Table::records, expected.view(),
        "it is missing; the run's head row counts " + std::to_string(count_) + " records");
  if (Result<void> loaded = buffer_.load(key, cursor_->value()); !loaded)
    return with_place(std::move(loaded).error(), Table::records, key);
  ++next_;
  return &buffer_;
}

Result<Reader> Reader::open(Store& store) {
  PERDURE_TRY(auto snapshot, store.snapshot());
  return Reader(std::move(snapshot), store.blobs());
}

Result<core::Bytes> read_blob(const Blobs* blobs, const BlobRef& ref) {
  const std::string name = "the blob " + to_string(ref.id);
  if (blobs == nullptr)
    return Error{Code::corrupt, name + " is referred to, and the journal's store has no blobs"};
  Result<core::Bytes> content = blobs->get(ref, core::limits::kPayloadBytes);
  if (content.has_value() || content.assume_error().code != Code::not_found) return content;
  return Error{Code::corrupt, name + " is referred to and is not there (" +
                                  content.assume_error().message +
                                  "): restore the journal's blobs from a backup"};
}

Result<core::ByteView> Reader::bytes_of(const PayloadView& payload, core::Bytes& room) {
  if (!payload.blob()) return payload.inlined();
  PERDURE_TRY(room, read_blob(blobs_, *payload.blob()));
  return core::ByteView(room);
}

Result<core::Bytes> Reader::copy_of(const PayloadView& payload) {
  if (payload.blob()) return read_blob(blobs_, *payload.blob());
  return core::Bytes(payload.inlined().begin(), payload.inlined().end());
}

Result<std::optional<Reader::IdentityInfo>> Reader::identity() {
  PERDURE_TRY(const auto found,
              read_row<Identity>(*snapshot_, buffer_, Table::meta, Key{}.add(kIdentityRow)));
  if (!found) return std::nullopt;
  return IdentityInfo{found->journal, found->created, std::string(found->created_by)};
}

Result<std::optional<Counters>> Reader::counters() {
  return read_row<Counters>(*snapshot_, buffer_, Table::meta, Key{}.add(kCountersRow));
}

Result<std::optional<SessionId>> Reader::find_session(std::string_view agent, std::string_view key,
                                                      SessionId* free) {
  for (SessionId id = session_hash(agent, key);; id = next_session_id(id)) {
    PERDURE_TRY(const auto found,
                read_row<SessionRow>(*snapshot_, buffer_, Table::sessions, Key{}.add(id)));
    if (!found) {
      if (free != nullptr) *free = id;
      return std::nullopt;
    }
    if (found->agent == agent && found->key == key) return id;
  }
}

Result<std::optional<RunId>> Reader::find_message(const SessionId& session,
                                                  std::string_view message_key) {
  PERDURE_TRY(const auto found, read_row<MessageKeyRow>(*snapshot_, buffer_, Table::keys,
                                                        message_key_row(session, message_key)));
  if (!found) return std::nullopt;
  if (found->key != message_key)
    return Error{Code::misuse, "the message keys '" + std::string(found->key) + "' and '" +
                                   std::string(message_key) +
                                   "' have the same 128-bit hash: choose another key"};
  return found->run;
}

Result<std::optional<Head>> Reader::head(const RunId& run) {
  PERDURE_TRY(const auto found,
              read_row<HeadRow>(*snapshot_, buffer_, Table::records, head_key(run)));
  if (!found) return std::nullopt;
  return owned(*found);
}

Result<RunInfo> Reader::info(const RunId& run, const RunRow& found) {
  RunInfo info;
  info.id = run;
  info.session = found.session;
  info.agent = found.agent;
  info.agent_version = found.agent_version;
  info.handler = found.handler;
  info.session_key = found.session_key;
  info.created = found.created;
  if (found.queued != 0) {
    info.head.status = RunStatus::queued;
    info.head.stamp = found.created;
    return info;
  }
  PERDURE_TRY(auto of_run, head(run));
  if (!of_run) return corrupt(Table::records, head_key(run).view(), "it is missing");
  info.head = *std::move(of_run);
  return info;
}

Result<std::optional<RunInfo>> Reader::run(const RunId& run) {
  PERDURE_TRY(const auto found, read_row<RunRow>(*snapshot_, buffer_, Table::runs, Key{}.add(run)));
  if (!found) return std::nullopt;
  PERDURE_TRY(auto whole, info(run, *found));
  return whole;
}

Result<RecordStream> Reader::records(const RunId& run, std::uint32_t from) {
  PERDURE_TRY(const auto found,
              read_row<HeadRow>(*snapshot_, buffer_, Table::records, head_key(run)));
  if (!found)
    return Error{Code::not_found, "there is no run " + perdure::to_string(run) + " in the journal"};
  const std::uint32_t count = found->count;
  PERDURE_TRY(auto cursor,
              snapshot_->scan(Table::records, Key{}.add(run).add(from), Key{}.add(run)));
  return RecordStream(run, from, count, std::move(cursor));
}

Result<std::vector<Attempts>> Reader::attempts(const RunId& run) {
  std::vector<Attempts> all;
  PERDURE_TRY(each_row<AttemptsRow>(
      *snapshot_, Table::attempts, {Key{}.add(run), Key{}.add(run), kIdBytes + 8},
      [&](core::ByteView, const AttemptsRow& row, RecordNumber) -> Result<bool> {
        all.push_back({owned(row.path), std::string(row.name), row.count, row.unclean_ends,
                       owned(row.first_error), owned(row.last_error), row.last_stamp, row.next_due,
                       owned(row.progress), row.asks, row.asked_ms, row.spent_ms});
        return true;
      }));
  return all;
}

Result<void> Reader::each_run(const std::function<bool(const RunInfo&)>& each) {
  return each_row<RunRow>(*snapshot_, Table::runs, {{}, {}, kIdBytes},
                          [&](core::ByteView key, const RunRow& row, RecordNumber) -> Result<bool> {
                            PERDURE_TRY(const auto whole, info(id_at<RunId>(key, 0), row));
                            return each(whole);
                          });
}

Result<void> Reader::each_ready(const std::function<bool(const ReadyRun&)>& each) {
  return each_row<ReadyRow>(
      *snapshot_, Table::ready, {{}, {}, kIdBytes},
      [&](core::ByteView key, const ReadyRow& row, RecordNumber) -> Result<bool> {
        return each({id_at<RunId>(key, 0), row.session});
      });
}

Result<void> Reader::each_due(const std::function<bool(const Due&)>& each, const Key& from) {
  return each_row<DueRow>(
      *snapshot_, Table::due, {from, {}, 8 + kIdBytes + 8},
      [&](core::ByteView key, const DueRow& row, RecordNumber) -> Result<bool> {
        return each({static_cast<Stamp>(number_at(key, 0, 8)), id_at<RunId>(key, 8), row.what,
                     owned(row.path), row.by_wall_clock != 0, row.begun, row.session});
      });
}

}  // namespace perdure::journal
