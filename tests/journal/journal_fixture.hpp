/// What the tests of readers, directories and verify share: rows of meaning, sealed as the writer
/// seals.
#pragma once

#include "journal/reader.hpp"
#include "journal/session_rows.hpp"
#include "tests/journal/store_fixture.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace perdure::journal {

inline RunId run_id(std::uint64_t number) {
  RunId run;
  for (std::size_t i = 16; i-- > 8; number >>= 8U)
    run.bytes[i] = std::byte{static_cast<unsigned char>(number & 255U)};
  return run;
}

/// The number 5 as codecs write it.
inline const core::ByteView kPayload = core::as_bytes(std::string_view("\x05\x04\x01", 3));

/// Rows for one batch. Numbers count up over all that were ever made here, from `first`.
class TestRows {
 public:
  explicit TestRows(RecordNumber first = 1) : next_(first) {}

  template <class T>
  TestRows& put(Table table, const Key& key, const T& value) {
    return put_numbered(table, key, value, next_ - 1);
  }
  template <class T>
  TestRows& append(const RunId& run, std::uint32_t index, const T& record) {
    return put_numbered(Table::records, Key{}.add(run).add(index), record, next_++);
  }
  /// A row of `inbox` or `kept`, at a number of its own. What is put next carries that number too.
  TestRows& arrive(Table table, const SessionId& session, const ArrivalRow& row) {
    const RecordNumber number = next_++;
    return put_numbered(table, Key{}.add(session).add(number), row, number);
  }
  TestRows& erase(Table table, const Key& key) {
    batch_.erase(table, key);
    return *this;
  }
  /// Run `number` of session `s<number>` of agent `cart`, with `count` records: created, and steps
  /// with paths 1, 2, ... named `step 1`, ... An unfinished one is its session's open run.
  TestRows& run(std::uint64_t number, std::uint32_t count, RunStatus status) {
    const RunId id = run_id(number);
    const std::string key = "s" + std::to_string(number);
    const SessionId session = session_hash("cart", key);
    RunCreated created{"cart", 2, "add", key, "start", "Order", kPayload, 5, 100};
    append(id, 0, created);
    for (std::uint32_t i = 1; i < count; ++i) {
      const std::array<std::uint32_t, 1> path{i};
      const std::string name = "step " + std::to_string(i);
      StepResult result;
      result.path = path;
      result.name = name;
      result.type = "int";
      result.stamp = 100 + i;
      result.payload = kPayload;
      append(id, i, result);
    }
    put(Table::records, Key{}.add(id).add(kHeadIndex),
        HeadRow{count, status, 99 + count, Code::diverged,
                status == RunStatus::parked ? "because" : ""});
    put(Table::runs, Key{}.add(id), RunRow{session, "cart", 2, "add", key, 100});
    if (status < RunStatus::completed) put(Table::open, Key{}.add(session), OpenRow{id});
    return *this;
  }
  /// The session of run `number`, and the message key that made the run.
  TestRows& session(std::uint64_t number) {
    const std::string key = "s" + std::to_string(number);
    const SessionId id = session_hash("cart", key);
    put(Table::sessions, Key{}.add(id), SessionRow{"cart", key, 100});
    return put(Table::keys, message_key_row(id, "start"), MessageKeyRow{"start", run_id(number)});
  }
  TestRows& ready(std::uint64_t number) {
    return put(Table::ready, Key{}.add(run_id(number)),
               ReadyRow{session_hash("cart", "s" + std::to_string(number))});
  }
  /// The end of run `number` as its record `index`, and a head row that counts it.
  TestRows& end(std::uint64_t number, std::uint32_t index, const std::optional<ErrorView>& error) {
    const RunId id = run_id(number);
    append(id, index, RunEnded{200, "int", error, error ? core::ByteView{} : kPayload});
    return put(
        Table::records, Key{}.add(id).add(kHeadIndex),
        HeadRow{index + 1, error ? RunStatus::failed : RunStatus::completed, 200, Code::user, ""});
  }
  [[nodiscard]] RecordNumber next_number() const { return next_; }
  [[nodiscard]] Result<void> commit(Store& store, Durability durability = Durability::full) {
    return batch_.commit(store, durability);
  }

 private:
  template <class T>
  TestRows& put_numbered(Table table, const Key& key, const T& value, RecordNumber number) {
    core::Bytes bytes(kEnvelopeBytes);
    encode_body(value, bytes);
    seal(key.view(), bytes, T::kKind, number);
    batch_.put(table, key, std::string(core::as_text(bytes)));
    return *this;
  }

  TestBatch batch_;
  RecordNumber next_;
};

}  // namespace perdure::journal
