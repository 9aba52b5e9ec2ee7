/// Users' tables as programs, queries and transactions see them.
///
/// What this is: detail::RowSource in front of the journal's rows, and the transaction that a body
/// of `ctx.transact` writes into.
/// What it promises: a transaction keeps what it read and what it would write, and writes nothing;
/// its completion carries both to the session, which submits them with the step's record.
/// What it does not: know whether what was read still holds. The writer does (recent_writes.hpp).
#pragma once

#include <perdure/detail/row_access.hpp>

#include "journal/gate.hpp"
#include "journal/payload.hpp"
#include "journal/recent_writes.hpp"
#include "journal/store.hpp"
#include "journal/user_rows.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace perdure::actors {

/// Each call reads at its own moment. Thread: any.
class StoredRows final : public detail::RowSource {
 public:
  /// `store` outlives it.
  explicit StoredRows(journal::Store& store) : store_(store) {}
  [[nodiscard]] Result<std::optional<Bytes>> get(std::string_view table, ByteView key) override;
  [[nodiscard]] Result<void> scan(std::string_view table, const detail::RowRange& range,
                                  const detail::EachRow& each) override;

 private:
  journal::Store& store_;
};

/// All calls read at the moment of one reader, which outlives it. Thread: the reader's.
class SnapshotRows final : public detail::RowSource {
 public:
  explicit SnapshotRows(journal::Reader& reader) : rows_(journal::UserRows::of(reader)) {}
  [[nodiscard]] Result<std::optional<Bytes>> get(std::string_view table, ByteView key) override;
  [[nodiscard]] Result<void> scan(std::string_view table, const detail::RowRange& range,
                                  const detail::EachRow& each) override;

 private:
  journal::UserRows rows_;
};

/// A row that a transaction writes; without a value it is erased.
struct RowWrite {
  std::string type;
  std::optional<journal::Payload> value = {};
};

/// What a transaction's body did.
struct Transacted {
  journal::Precondition reads;  ///< Sealed.
  std::map<journal::Key, RowWrite> writes;
  /// Why it can't succeed, whatever the body returned.
  std::optional<Error> broken = {};
};

/// Thread: one at a time.
class StoredTransaction final : public detail::RowTransaction {
 public:
  /// Where it reads; both outlive it.
  struct Source {
    journal::Store& store;
    const journal::Gate& durable;
  };
  explicit StoredTransaction(const Source& source) : source_(source) {}

  [[nodiscard]] Result<std::optional<Bytes>> get(std::string_view table, ByteView key) override;
  [[nodiscard]] Result<void> scan(std::string_view table, const detail::RowRange& range,
                                  const detail::EachRow& each) override;
  [[nodiscard]] Result<void> put(std::string_view table, ByteView key, std::string_view type,
                                 Bytes payload) override;
  [[nodiscard]] Result<void> erase(std::string_view table, ByteView key) override;

  /// After the last call.
  [[nodiscard]] Transacted take();

 private:
  using Writes = std::map<journal::Key, RowWrite>;
  [[nodiscard]] Result<journal::UserRows*> rows();
  [[nodiscard]] Result<void> scan_merged(std::string_view table, const detail::RowRange& range,
                                         const detail::EachRow& each, journal::Key& end);
  [[nodiscard]] Result<void> write(std::string_view table, ByteView key, RowWrite row);
  [[nodiscard]] Result<void> check_size(const journal::Key& key, const RowWrite& row);

  Source source_;
  std::optional<journal::UserRows> rows_;
  Transacted done_;
  std::size_t reads_ = 0;
  std::size_t scans_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace perdure::actors
