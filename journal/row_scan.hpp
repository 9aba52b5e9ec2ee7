/// Reading rows of a table one after the other.
///
/// What this is: what the Reader's methods share: keys taken apart, and a loop over rows that
/// checks each before it hands it out.
/// What it promises: a row that is damaged or has a key of the wrong length ends the loop with an
/// error that names it.
#pragma once

#include <perdure/result.hpp>

#include "journal/place.hpp"
#include "journal/record.hpp"
#include "journal/store.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace perdure::journal {

inline constexpr std::size_t kIdBytes = 16;

template <class Id>
[[nodiscard]] Id id_at(core::ByteView key, std::size_t offset) {
  Id id;
  std::ranges::copy(key.subspan(offset, kIdBytes), id.bytes.begin());
  return id;
}

[[nodiscard]] inline std::uint64_t number_at(core::ByteView key, std::size_t offset,
                                             std::size_t width) {
  std::uint64_t number = 0;
  for (const std::byte byte : key.subspan(offset, width))
    number = (number << 8U) | std::to_integer<std::uint64_t>(byte);
  return number;
}

/// The row at `key`, or empty. Borrowed from `buffer`.
template <class T>
[[nodiscard]] Result<std::optional<T>> read_row(Snapshot& snapshot, RecordBuffer& buffer,
                                                Table table, const Key& key) {
  PERDURE_TRY(const auto value, snapshot.get(table, key));
  if (!value) return std::nullopt;
  if (Result<void> loaded = buffer.load(key.view(), *value); !loaded)
    return with_place(std::move(loaded).error(), table, key.view());
  Result<T> row = buffer.as<T>();
  if (!row) return with_place(std::move(row).error(), table, key.view());
  return std::move(row).assume_value();
}

/// Which rows `each_row` reads: from `from` on, while the key begins with `prefix`. All keys of a
/// table have `key_bytes` bytes.
struct RowRange {
  Key from;
  Key prefix;
  std::size_t key_bytes;
};

/// Calls `each(key, row, number)` until it says false; the row is borrowed until it returns.
template <class T, class Each>
Result<void> each_row(Snapshot& snapshot, Table table, const RowRange& range, Each&& each) {
  PERDURE_TRY(auto cursor, snapshot.scan(table, range.from, range.prefix));
  RecordBuffer buffer;
  for (;;) {
    PERDURE_TRY(const bool found, cursor->next());
    if (!found) return success();
    const core::ByteView key = cursor->key();
    if (key.size() != range.key_bytes)
      return with_place(Error{Code::corrupt, "its key has " + std::to_string(key.size()) +
                                                 " bytes, not " + std::to_string(range.key_bytes)},
                        table, key);
    if (Result<void> loaded = buffer.load(key, cursor->value()); !loaded)
      return with_place(std::move(loaded).error(), table, key);
    Result<T> row = buffer.as<T>();
    if (!row) return with_place(std::move(row).error(), table, key);
    PERDURE_TRY(const bool go_on, each(key, row.assume_value(), buffer.number()));
    if (!go_on) return success();
  }
}

}  // namespace perdure::journal
