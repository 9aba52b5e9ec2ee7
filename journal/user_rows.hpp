/// Rows of users' tables: where they stand and how they are read.
///
/// What this is: the keys of the table `rows`, and reads of one snapshot of it.
/// What it promises: rows of one table stand together, in the order of their encoded keys, and two
/// tables never share a row: the name itself is the beginning of the key, and ends at the first
/// zero byte, which no name has in it.
/// What it does not: write (change.hpp), know values' types or whether what was read still holds
/// (recent_writes.hpp).
#pragma once

#include <perdure/result.hpp>

#include "core/bytes.hpp"
#include "core/limits.hpp"
#include "journal/payload.hpp"
#include "journal/record.hpp"
#include "journal/store.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace perdure::journal {

class Reader;

/// The longest key in `rows`.
inline constexpr std::size_t kUserRowKeyBytes =
    core::limits::kTableNameBytes + 1 + core::limits::kRowKeyBytes;
static_assert(kUserRowKeyBytes <= Key::kLongest);

/// A key in `rows`, taken apart. Borrowed.
struct UserRowKey {
  std::string_view table;
  core::ByteView key;
};
/// Empty: no table's row has such a key.
[[nodiscard]] std::optional<UserRowKey> split_user_row(core::ByteView key) noexcept;
/// What is wrong with such a key, in words.
inline constexpr std::string_view kNoUserRowKey =
    "its key is not a table's name, a zero byte and an encoded key";
/// `row "alice" of the user's table 'accounts'`.
[[nodiscard]] std::string place_of(const UserRowKey& row);

/// Errors: `misuse` (empty, or a control character), `too_large`.
[[nodiscard]] Result<void> check_table_name(std::string_view table);
/// Errors: `too_large`, naming table, size and limit.
[[nodiscard]] Result<void> check_row_key(std::string_view table, core::ByteView key);

/// Where a row stands. Table and key keep their limits.
[[nodiscard]] Key user_row(std::string_view table, core::ByteView key);
/// Before all rows of a table, and behind them.
[[nodiscard]] Key first_user_row(std::string_view table);
[[nodiscard]] Key behind_user_rows(std::string_view table);

/// From `from` on (empty: from the table's beginning) to before `to` (null: to its end).
struct UserRowRange {
  core::ByteView from;
  std::optional<core::ByteView> to;
};

/// Users' tables at one moment. Errors of every method: `corrupt`, `newer_format`,
/// `storage_failed`. Thread: one at a time.
class UserRows {
 public:
  /// The store outlives it. `durable`: a number that is known to be durable.
  [[nodiscard]] static Result<UserRows> open(Store& store, RecordNumber durable = 0);
  /// What `reader` reads; it outlives this.
  [[nodiscard]] static UserRows of(Reader& reader);

  /// All changes up to this number are in it. There may be later ones. (0 of a reader's.)
  [[nodiscard]] RecordNumber number() const noexcept { return number_; }
  /// The payload of a row; empty: there is none.
  [[nodiscard]] Result<std::optional<core::Bytes>> get(std::string_view table, core::ByteView key);
  struct Row {
    core::ByteView key;  ///< The user's, encoded.
    std::string_view type;
    PayloadView payload;
    RecordNumber number = 0;  ///< Of the change that wrote it.
  };
  /// In the order of keys, until `each` returns false or fails. What it is given is borrowed until
  /// it returns.
  [[nodiscard]] Result<void> scan(std::string_view table, const UserRowRange& range,
                                  const std::function<Result<bool>(const Row&)>& each);
  /// The payload's bytes, be they a blob's.
  [[nodiscard]] Result<core::Bytes> copy_of(const PayloadView& payload) const;
  /// The names of all tables that have rows, in their order, until `each` returns false.
  [[nodiscard]] Result<void> each_table(const std::function<bool(std::string_view)>& each);

 private:
  UserRows(Snapshot& snapshot, Blobs* blobs) : snapshot_(&snapshot), blobs_(blobs) {}
  std::unique_ptr<Snapshot> own_;
  Snapshot* snapshot_;
  Blobs* blobs_;
  RecordNumber number_ = 0;
  RecordBuffer buffer_;
};

}  // namespace perdure::journal
