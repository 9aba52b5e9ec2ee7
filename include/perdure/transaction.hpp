/// Transactions: steps that change rows of tables.
///
/// What this is: `Transaction`, as the body of `Context::transact` sees it, and the options of such
/// a step.
/// What it promises: the body reads rows as they are at one moment, with its own writes on top.
/// What it wrote becomes true in the same commit as the record of its result, and only if nothing
/// of what it read has changed by then: of all transactions, on any number of threads, the outcome
/// is as if they had run one after the other, each exactly once. A body that returns an error, or
/// throws, writes nothing.
/// What it does not: run the body once. If rows that it read have changed meanwhile, rows of a
/// range that it scanned included, it runs again, at once, and that is no failed attempt; only when
/// that has happened a hundred times over is it one, with the code `busy`. So the body must have no
/// effects but by the transaction, and should be short: it borrows from the frame as any step's
/// body may, and what it changed there an earlier run may have changed too.
#pragma once

#include <perdure/step.hpp>
#include <perdure/table.hpp>

#include <chrono>
#include <optional>
#include <stop_token>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace perdure {
inline namespace v0 {

/// Options of one `Context::transact`. As those of a step, whose effect class is `transactional`.
struct TransactOptions {
  /// For bodies that return an error. Codes that are not tried again end it at once: `refused` for
  /// what the rows forbid.
  Retry retry = {};
  /// Of one attempt, as `StepOptions::timeout`. Zero: none.
  std::chrono::milliseconds timeout = std::chrono::milliseconds(0);
};

/// Valid until the body returns. A `put` or `erase` that failed fails the whole transaction, also
/// when the body goes on and returns a value.
///
/// Errors of every method: `misuse` and `too_large` (the table's name, the key, the value; more
/// than 10,000 rows read one by one, 100 scans, 10,000 rows or 64 MiB written), `undecodable`
/// (naming the row), `corrupt`, `newer_format`, `storage_failed`. Thread: the body's own.
class Transaction {
 public:
  explicit Transaction(Step& step) : step_(&step) {}
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  /// The row's value, or empty.
  template <class K, class V>
  [[nodiscard]] Result<std::optional<V>> get(const Table<K, V>& table,
                                             const std::type_identity_t<K>& key) {
    if (rows() == nullptr) return detail::no_transaction();
    return detail::get_row(*rows(), table, key);
  }
  /// Rows in the order of their keys. What it looked at is protected: if a row is written, erased
  /// or comes into being there before the commit, the body runs again. With a limit that is the
  /// part up to the last row that it returned.
  template <class K, class V>
  [[nodiscard]] Result<std::vector<Row<K, V>>> scan(
      const Table<K, V>& table, const ScanOptions<std::type_identity_t<K>>& options = {}) {
    if (rows() == nullptr) return detail::no_transaction();
    return detail::scan_rows(*rows(), table, options);
  }
  /// Writes the row, over an older one or not.
  template <class K, class V>
  [[nodiscard]] Result<void> put(const Table<K, V>& table, const std::type_identity_t<K>& key,
                                 const std::type_identity_t<V>& value) {
    if (rows() == nullptr) return detail::no_transaction();
    PERDURE_TRY(Bytes payload, encode(value));
    return rows()->put(table.name, detail::encode_key(key), type_name<V>(), std::move(payload));
  }
  /// Removes the row, if it is there.
  template <class K, class V>
  [[nodiscard]] Result<void> erase(const Table<K, V>& table, const std::type_identity_t<K>& key) {
    if (rows() == nullptr) return detail::no_transaction();
    return rows()->erase(table.name, detail::encode_key(key));
  }

  /// As those of `Step`.
  [[nodiscard]] int attempt() const noexcept { return step_->attempt(); }
  [[nodiscard]] std::stop_token stop_token() const noexcept { return step_->stop_token(); }
  [[nodiscard]] bool stop_requested() const noexcept { return step_->stop_requested(); }

 private:
  [[nodiscard]] detail::RowTransaction* rows() const noexcept { return step_->facts_.rows; }
  Step* step_;
};

namespace detail {

/// A transaction's body as a step's.
template <class F>
struct TransactionBody {
  using IsTransaction = void;
  F body;
  std::invoke_result_t<F&, Transaction&> operator()(Step& step) {
    Transaction transaction(step);
    return body(transaction);
  }
};

[[nodiscard]] inline StepOptions step_options(TransactOptions options) {
  return {Effect::transactional, options.retry, options.timeout, {}};
}

}  // namespace detail
}  // namespace v0
}  // namespace perdure
