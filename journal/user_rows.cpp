#include "journal/user_rows.hpp"

#include <perdure/detail/row_access.hpp>

#include "journal/meta_row.hpp"
#include "journal/place.hpp"
#include "journal/reader.hpp"
#include "journal/row_key.hpp"
#include "journal/row_scan.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace perdure::journal {
namespace {

namespace limits = core::limits;

bool is_control(char c) noexcept {
  const auto code = static_cast<unsigned char>(c);
  return code < 0x20 || code == 0x7F;
}

}  // namespace

std::optional<UserRowKey> split_user_row(core::ByteView key) noexcept {
  const std::string_view text = core::as_text(key);
  const std::size_t end = text.find('\0');
  if (end == std::string_view::npos || end == 0 || end > limits::kTableNameBytes ||
      text.size() - end - 1 > limits::kRowKeyBytes)
    return std::nullopt;
  const UserRowKey row{text.substr(0, end), key.subspan(end + 1)};
  if (std::ranges::any_of(row.table, is_control) || !parse_row_key(row.key)) return std::nullopt;
  return row;
}

std::string place_of(const UserRowKey& row) {
  return "row " + row_key_json(row.key) + " of the user's table '" + std::string(row.table) + "'";
}

Result<void> check_table_name(std::string_view table) {
  if (table.empty()) return Error{Code::misuse, "a table needs a name"};
  if (table.size() > limits::kTableNameBytes)
    return Error{Code::too_large, "the name of the table '" +
                                      std::string(table.substr(0, limits::kTableNameBytes)) +
                                      "…' has " + std::to_string(table.size()) +
                                      " bytes, the limit kTableNameBytes is " +
                                      std::to_string(limits::kTableNameBytes)};
  if (std::ranges::any_of(table, is_control))
    return Error{Code::misuse,
                 "the name of a table has a control character in it: give it a name "
                 "of text alone"};
  return success();
}

Result<void> check_row_key(std::string_view table, core::ByteView key) {
  if (key.size() <= limits::kRowKeyBytes) return success();
  return Error{Code::too_large,
               "a key of the table '" + std::string(table) + "' takes " +
                   std::to_string(key.size()) + " bytes, the limit kRowKeyBytes is " +
                   std::to_string(limits::kRowKeyBytes) +
                   ": keep what is long in the value, and a hash of it in the key"};
}

Key user_row(std::string_view table, core::ByteView key) { return first_user_row(table).add(key); }

Key first_user_row(std::string_view table) {
  return Key{}.add(core::as_bytes(table)).add_zero_byte();
}

Key behind_user_rows(std::string_view table) {
  constexpr std::byte kOne{1};
  return Key{}.add(core::as_bytes(table)).add(core::ByteView(&kOne, 1));
}

Result<UserRows> UserRows::open(Store& store, RecordNumber durable) {
  PERDURE_TRY(auto snapshot, store.snapshot());
  RecordBuffer buffer;
  PERDURE_TRY(const auto counters,
              read_row<Counters>(*snapshot, buffer, Table::meta, meta_key(kCountersRow)));
  UserRows rows(*snapshot, store.blobs());
  rows.own_ = std::move(snapshot);
  rows.number_ = counters ? std::max(durable, counters->last_number) : durable;
  return rows;
}

UserRows UserRows::of(Reader& reader) { return {reader.snapshot(), reader.blobs()}; }

Result<core::Bytes> UserRows::copy_of(const PayloadView& payload) const {
  if (payload.blob()) return read_blob(blobs_, *payload.blob());
  return core::Bytes(payload.inlined().begin(), payload.inlined().end());
}

Result<std::optional<core::Bytes>> UserRows::get(std::string_view table, core::ByteView key) {
  PERDURE_TRY(const auto found,
              read_row<UserRow>(*snapshot_, buffer_, Table::rows, user_row(table, key)));
  if (!found) return std::nullopt;
  PERDURE_TRY(core::Bytes bytes, copy_of(found->payload));
  return bytes;
}

Result<void> UserRows::scan(std::string_view table, const UserRowRange& range,
                            const std::function<Result<bool>(const Row&)>& each) {
  const Key prefix = first_user_row(table);
  PERDURE_TRY(auto cursor, snapshot_->scan(Table::rows, user_row(table, range.from), prefix));
  RecordBuffer buffer;
  for (;;) {
    PERDURE_TRY(const bool found, cursor->next());
    if (!found) return success();
    const core::ByteView whole = cursor->key();
    const core::ByteView key = whole.subspan(prefix.view().size());
    if (range.to && compare_keys(key, *range.to) >= 0) return success();
    if (Result<void> loaded = buffer.load(whole, cursor->value()); !loaded)
      return with_place(std::move(loaded).error(), Table::rows, whole);
    Result<UserRow> row = buffer.as<UserRow>();
    if (!row) return with_place(std::move(row).error(), Table::rows, whole);
    PERDURE_TRY(const bool go_on,
                each({key, row.assume_value().type, row.assume_value().payload, buffer.number()}));
    if (!go_on) return success();
  }
}

Result<void> UserRows::each_table(const std::function<bool(std::string_view)>& each) {
  Key from;
  for (;;) {
    PERDURE_TRY(auto cursor, snapshot_->scan(Table::rows, from, {}));
    PERDURE_TRY(const bool found, cursor->next());
    if (!found) return success();
    const std::string_view whole = core::as_text(cursor->key());
    const std::string table(whole.substr(0, whole.find('\0')));
    if (table.empty() || table.size() > limits::kTableNameBytes)
      return with_place(Error{Code::corrupt, std::string(kNoUserRowKey)}, Table::rows,
                        cursor->key());
    if (!each(table)) return success();
    from = behind_user_rows(table);
  }
}

}  // namespace perdure::journal

namespace perdure {
inline namespace v0 {
namespace detail {

Error row_undecodable(std::string_view table, ByteView key, const Error& why) {
  Error error = why;
  error.message = journal::place_of({table, key}) +
                  " does not decode as the type that the code reads it as: " + why.message +
                  ". Read it as it was written, or write it anew";
  return error;
}

Error scan_too_large(std::string_view table, std::size_t most) {
  return Error{Code::too_large, "a scan of the table '" + std::string(table) +
                                    "' found more than kScanRowsMax, " + std::to_string(most) +
                                    ", rows: give a limit, and go on behind the last key"};
}

Error no_transaction() {
  return Error{Code::unsupported,
               "there is no journal behind this transaction: its body runs "
               "outside a runtime"};
}

}  // namespace detail
}  // namespace v0
}  // namespace perdure
