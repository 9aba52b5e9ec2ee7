/// Tables: rows that live in the journal.
///
/// What this is: `Table<Key, Value>`, a name and two types; what a scan is told and what it finds;
/// and `Rows`, by which programs and queries read.
/// What it promises: rows change by `Context::transact` alone (transaction.hpp), in the same commit
/// as the record of the step that changed them, so exactly once. Tables belong to the journal, not
/// to a session: all sessions of a runtime share them. Rows stand in the order of their keys:
/// integers by value, `false` first, text by its bytes, pairs and tuples by their first element
/// that differs.
/// What it does not: keep a schema. Who reads a row as another type than it was written as gets
/// `undecodable`; how a described struct may change is the codec's business, as of state. Two
/// `Table` objects of one name are one table.
#pragma once

#include <perdure/codec.hpp>
#include <perdure/detail/row_access.hpp>
#include <perdure/detail/row_key.hpp>
#include <perdure/result.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace perdure {
inline namespace v0 {

/// `inline constexpr pd::Table<std::string, Account> accounts{"accounts"};`
///
/// The name has 1 to 64 bytes and no control characters; a key takes at most 440 bytes when it is
/// encoded (text takes two more than it has, an integer one to nine). What uses a table with
/// another name or key fails with `misuse` or `too_large`.
template <class KeyType, class ValueType>
struct Table {
  using Key = KeyType;
  using Value = ValueType;

  const char* name;

  constexpr explicit Table(const char* table_name) : name(table_name) {
    static_assert(detail::kIsKey<Key>,
                  "perdure: a table's key is an integer, bool, enum, std::string, RunId, or a pair "
                  "or tuple of these");
    static_assert(!std::is_void_v<Value>, "perdure: a table's row has a value");
    detail::require_codable<Value>();
  }
};

/// A row that a scan found.
template <class Key, class Value>
struct Row {
  Key key;
  Value value;
};

/// What a scan looks at: `{.from = "a", .to = "b"}`. By default all rows of the table.
template <class Key>
struct ScanOptions {
  /// The first key. Empty: from the table's first row on.
  std::optional<Key> from = {};
  /// In the place of `from`: the scan begins behind this key. To go on where another ended.
  std::optional<Key> after = {};
  /// The first key that is not looked at any more. Empty: to the table's last row.
  std::optional<Key> to = {};
  /// Rows at most. Empty: all of them, and more than `kScanRowsMax` are `too_large`.
  std::optional<std::size_t> limit = {};
};

/// A scan is in memory as a whole. Larger tables are read in pieces, by `limit` and `after`.
inline constexpr std::size_t kScanRowsMax = 100'000;

namespace detail {

template <class K, class V>
[[nodiscard]] Result<V> decode_row(const Table<K, V>& table, ByteView key, ByteView payload) {
  Result<V> value = decode<V>(payload);
  if (value.has_error()) return row_undecodable(table.name, key, value.assume_error());
  return value;
}

template <class K, class V>
[[nodiscard]] Result<std::optional<V>> get_row(RowSource& rows, const Table<K, V>& table,
                                               const K& key) {
  const Bytes encoded = encode_key(key);
  PERDURE_TRY(const std::optional<Bytes> payload, rows.get(table.name, encoded));
  if (!payload) return std::optional<V>();
  PERDURE_TRY(V value, decode_row(table, encoded, *payload));
  return std::optional<V>(std::move(value));
}

/// `each(key, value)` says whether to go on.
template <class K, class V, class Each>
[[nodiscard]] Result<void> each_row(RowSource& rows, const Table<K, V>& table,
                                    const ScanOptions<K>& options, Each&& each) {
  RowRange range;
  if (options.from) range.from = encode_key(*options.from);
  if (options.after) {
    range.from = encode_key(*options.after);
    range.from.push_back(std::byte{0});
  }
  if (options.to) range.to = encode_key(*options.to);
  if (options.limit) range.limit = *options.limit;
  return rows.scan(table.name, range, [&](ByteView key, ByteView payload) -> Result<bool> {
    Result<K> decoded = decode_key<K>(key);
    if (decoded.has_error()) return row_undecodable(table.name, key, decoded.assume_error());
    PERDURE_TRY(V value, decode_row(table, key, payload));
    return each(std::move(decoded).assume_value(), std::move(value));
  });
}

template <class K, class V>
[[nodiscard]] Result<std::vector<Row<K, V>>> scan_rows(RowSource& rows, const Table<K, V>& table,
                                                       const ScanOptions<K>& options) {
  std::vector<Row<K, V>> found;
  PERDURE_TRY(each_row(rows, table, options, [&](K key, V value) -> Result<bool> {
    if (found.size() == kScanRowsMax) return scan_too_large(table.name, kScanRowsMax);
    found.push_back({std::move(key), std::move(value)});
    return true;
  }));
  return found;
}

}  // namespace detail

/// The rows of a table as the journal has them: what is durable. Errors of every method: `misuse`
/// and `too_large` (the table's name, the key), `undecodable` (naming the row), `corrupt`,
/// `newer_format`, `storage_failed`. Thread: any, where it came from a runtime; of a query's, the
/// query's own.
template <class Key, class Value>
class Rows {
 public:
  Rows(std::shared_ptr<detail::RowSource> source, const Table<Key, Value>& table)
      : source_(std::move(source)), table_(table) {}

  /// The row's value, or empty.
  [[nodiscard]] Result<std::optional<Value>> get(const Key& key) const {
    return detail::get_row(*source_, table_, key);
  }
  /// In the order of keys, all at one moment.
  [[nodiscard]] Result<std::vector<Row<Key, Value>>> scan(
      const ScanOptions<Key>& options = {}) const {
    return detail::scan_rows(*source_, table_, options);
  }
  /// Calls `f(key, value)` for each row, in the order of keys, all at one moment and without
  /// holding more than one in memory; if it returns a bool, until that is false. While it runs the
  /// journal can't use the room of older versions again, so it should be quick.
  template <class F>
    requires std::invocable<F&, const Key&, const Value&>
  [[nodiscard]] Result<void> each(F f, const ScanOptions<Key>& options = {}) const {
    return detail::each_row(*source_, table_, options, [&](Key key, Value value) -> Result<bool> {
      if constexpr (std::is_void_v<std::invoke_result_t<F&, const Key&, const Value&>>) {
        f(std::as_const(key), std::as_const(value));
        return true;
      } else {
        return f(std::as_const(key), std::as_const(value));
      }
    });
  }

 private:
  std::shared_ptr<detail::RowSource> source_;
  Table<Key, Value> table_;
};

}  // namespace v0
}  // namespace perdure
