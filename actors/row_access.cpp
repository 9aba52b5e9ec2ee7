#include "actors/row_access.hpp"

#include "core/limits.hpp"
#include "journal/reader.hpp"

#include <utility>

namespace perdure::actors {
namespace {

namespace limits = core::limits;

Result<void> check(std::string_view table, ByteView key) {
  PERDURE_TRY(journal::check_table_name(table));
  return journal::check_row_key(table, key);
}

Result<void> check(std::string_view table, const detail::RowRange& range) {
  PERDURE_TRY(journal::check_table_name(table));
  // Where it begins behind a key, it begins at one that has a byte more.
  if (range.from.size() > limits::kRowKeyBytes + 1)
    return journal::check_row_key(table, range.from);
  if (range.to) return journal::check_row_key(table, *range.to);
  return success();
}

journal::UserRowRange range_of(const detail::RowRange& range) {
  journal::UserRowRange found{range.from, std::nullopt};
  if (range.to) found.to = ByteView(*range.to);
  return found;
}

Result<void> scan_rows(journal::UserRows& rows, std::string_view table,
                       const detail::RowRange& range, const detail::EachRow& each) {
  PERDURE_TRY(check(table, range));
  std::size_t left = range.limit;
  if (left == 0) return success();
  return rows.scan(table, range_of(range), [&](const journal::UserRows::Row& row) -> Result<bool> {
    PERDURE_TRY(const Bytes payload, rows.copy_of(row.payload));
    PERDURE_TRY(const bool go_on, each(row.key, payload));
    return go_on && --left > 0;
  });
}

Error too_much(const char* what, std::size_t limit, const char* named) {
  return Error{Code::too_large, std::string("a transaction ") + what + " more than " + named +
                                    ", " + std::to_string(limit) +
                                    ": do it in several, or keep less in its rows"};
}

/// The first key behind one.
journal::Key behind(std::string_view table, ByteView key) {
  return journal::user_row(table, key).add_zero_byte();
}

}  // namespace

Result<std::optional<Bytes>> StoredRows::get(std::string_view table, ByteView key) {
  PERDURE_TRY(check(table, key));
  PERDURE_TRY(journal::UserRows rows, journal::UserRows::open(store_));
  return rows.get(table, key);
}

Result<void> StoredRows::scan(std::string_view table, const detail::RowRange& range,
                              const detail::EachRow& each) {
  PERDURE_TRY(journal::UserRows rows, journal::UserRows::open(store_));
  return scan_rows(rows, table, range, each);
}

Result<std::optional<Bytes>> SnapshotRows::get(std::string_view table, ByteView key) {
  PERDURE_TRY(check(table, key));
  return rows_.get(table, key);
}

Result<void> SnapshotRows::scan(std::string_view table, const detail::RowRange& range,
                                const detail::EachRow& each) {
  return scan_rows(rows_, table, range, each);
}

/// The moment at which a transaction reads is that of its first read.
Result<journal::UserRows*> StoredTransaction::rows() {
  if (!rows_) {
    // Asked first: the snapshot has all of that, and perhaps more.
    const journal::RecordNumber durable = source_.durable.watermark();
    PERDURE_TRY(rows_, journal::UserRows::open(source_.store, durable));
    done_.reads = journal::Precondition(journal::Table::rows, rows_->number());
  }
  return &*rows_;
}

Result<std::optional<Bytes>> StoredTransaction::get(std::string_view table, ByteView key) {
  PERDURE_TRY(check(table, key));
  journal::Key at = journal::user_row(table, key);
  if (const auto own = done_.writes.find(at); own != done_.writes.end()) {
    if (!own->second.value) return std::optional<Bytes>();
    return std::optional<Bytes>(own->second.value->bytes);
  }
  if (++reads_ > limits::kTransactionReads)
    return too_much("reads", limits::kTransactionReads, "kTransactionReads");
  PERDURE_TRY(journal::UserRows* const stored, rows());
  done_.reads.row(std::move(at));
  return stored->get(table, key);
}

Result<void> StoredTransaction::scan(std::string_view table, const detail::RowRange& range,
                                     const detail::EachRow& each) {
  PERDURE_TRY(check(table, range));
  if (range.limit == 0) return success();
  if (++scans_ > limits::kTransactionScans)
    return too_much("scans", limits::kTransactionScans, "kTransactionScans");
  PERDURE_TRY(rows());
  // What was looked at is protected also where it ended with an error.
  journal::Key end =
      range.to ? journal::user_row(table, *range.to) : journal::behind_user_rows(table);
  const Result<void> scanned = scan_merged(table, range, each, end);
  done_.reads.range(journal::user_row(table, range.from), std::move(end));
  return scanned;
}

/// Stored rows with its own writes on top. `end`: behind the last row that was looked at, where
/// that is before the range's end.
Result<void> StoredTransaction::scan_merged(std::string_view table, const detail::RowRange& range,
                                            const detail::EachRow& each, journal::Key& end) {
  std::size_t left = range.limit;
  bool go_on = true;
  const journal::Key stop = end;
  auto own = done_.writes.lower_bound(journal::user_row(table, range.from));
  const std::size_t prefix = table.size() + 1;
  const auto give = [&](ByteView key, ByteView payload) -> Result<void> {
    PERDURE_TRY(go_on, each(key, payload));
    if (--left == 0) go_on = false;
    if (!go_on) end = behind(table, key);
    return success();
  };
  // Own rows before `next`, or all that are left.
  const auto give_own = [&](const journal::Key* next) -> Result<void> {
    for (; go_on && own != done_.writes.end() && own->first < stop && (!next || own->first < *next);
         ++own)
      if (own->second.value)
        PERDURE_TRY(give(own->first.view().subspan(prefix), own->second.value->bytes));
    return success();
  };
  PERDURE_TRY(
      rows_->scan(table, range_of(range), [&](const journal::UserRows::Row& row) -> Result<bool> {
        const journal::Key at = journal::user_row(table, row.key);
        PERDURE_TRY(give_own(&at));
        if (!go_on) return false;
        if (own != done_.writes.end() && own->first == at) {
          if (own->second.value) PERDURE_TRY(give(row.key, own->second.value->bytes));
          ++own;
          return go_on;
        }
        PERDURE_TRY(const Bytes payload, rows_->copy_of(row.payload));
        PERDURE_TRY(give(row.key, payload));
        return go_on;
      }));
  return give_own(nullptr);
}

Result<void> StoredTransaction::put(std::string_view table, ByteView key, std::string_view type,
                                    Bytes payload) {
  return write(table, key, {std::string(type.substr(0, limits::kKeyBytes)), std::move(payload)});
}

Result<void> StoredTransaction::erase(std::string_view table, ByteView key) {
  return write(table, key, {});
}

Result<void> StoredTransaction::write(std::string_view table, ByteView key, RowWrite row) {
  const auto written = [&]() -> Result<void> {
    PERDURE_TRY(check(table, key));
    journal::Key at = journal::user_row(table, key);
    PERDURE_TRY(check_size(at, row));
    done_.writes.insert_or_assign(std::move(at), std::move(row));
    return success();
  }();
  // A body that goes on without that row must not succeed.
  if (written.has_error() && !done_.broken) done_.broken = written.error();
  return written;
}

Result<void> StoredTransaction::check_size(const journal::Key& key, const RowWrite& row) {
  bytes_ += key.view().size() + (row.value ? row.value->bytes.size() : 0);
  if (bytes_ > limits::kTransactionBytes)
    return too_much("writes", limits::kTransactionBytes, "kTransactionBytes");
  if (done_.writes.size() >= limits::kTransactionWrites && !done_.writes.contains(key))
    return too_much("writes", limits::kTransactionWrites, "kTransactionWrites");
  return success();
}

Transacted StoredTransaction::take() {
  rows_.reset();
  done_.reads.seal();
  return std::move(done_);
}

}  // namespace perdure::actors
