/// The Store seam: tables of bytes that change by whole batches.
///
/// What this is: what the journal needs of a storage engine. Tables map short keys of fixed numbers
/// (big-endian, so that bytes sort as numbers do; `rows` has the users' keys) to values. They
/// change only by `commit`, one numbered batch at a time; snapshots read them as they stood after
/// some batch.
/// What it promises: a batch is there whole or not at all, batches are there in order, and once
/// `commit` has returned in durability `full` the batch survives power loss. In durability `none` a
/// power loss takes a number of the newest batches, whole ones, and nothing else.
/// What it does not: know what a value means (record.hpp), number anything or decide when to commit
/// (writer.hpp).
#pragma once

#include <perdure/result.hpp>

#include "core/bytes.hpp"
#include "journal/key.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace perdure::journal {

class Blobs;

/// The tables. Numbers and names are part of the format and never reused.
enum class Table : std::uint8_t {
  meta = 1,       ///< what (u32) -> identity, counters, checkpoint
  sessions = 2,   ///< session (16 bytes) -> its address
  keys = 3,       ///< session, hash of a message key (16 bytes) -> the run it made
  runs = 4,       ///< run (16 bytes) -> what never changes of a run
  records = 5,    ///< run, index (u32) -> record; index 0xFFFFFFFF -> the run's head row
  ready = 6,      ///< run -> its session: unfinished, not waiting for time or a signal
  due = 7,        ///< time (u64 microseconds), run, hash of the step path (u64) -> what is due
  attempts = 8,   ///< run, hash of the step path (u64) -> a step's attempts so far
  open = 9,       ///< session -> its unfinished run
  inbox = 10,     ///< session, number (u64) -> what came and was not looked at yet
  kept = 11,      ///< session, number (u64) -> what came and waits for its turn
  waits = 12,     ///< run, hash of the step path (u64) -> what a step waits for
  state = 13,     ///< session, hash of a name (16 bytes) -> the value of that name
  before = 14,    ///< run, hash of a name (16 bytes) -> the value that the run found there
  children = 15,  ///< run, hash of the step path (u64) -> a run that the step started
  rows = 16,      ///< name of a user's table, a zero byte, the user's key -> the user's value
  budgets = 17,   ///< run -> its own limits, if it has any
  usage = 18,     ///< payer (16 bytes), run (16 bytes) -> what the run used of the payer's budget
  sagas = 19,     ///< run, number (u32) -> a saga of the run
  undos = 20,  ///< run, number (u32), index (u32) -> what of it is to be undone; see saga_rows.hpp
};
inline constexpr std::size_t kTableCount = 20;
/// The name, as it stands in files and messages; a number that is no table reads `"unrecognised"`.
/// The text ends with a zero.
[[nodiscard]] std::string_view to_string(Table table) noexcept;
/// Rows of `meta`.
inline constexpr std::uint32_t kIdentityRow = 1;
inline constexpr std::uint32_t kCountersRow = 2;
inline constexpr std::uint32_t kCheckpointRow = 3;
inline constexpr std::uint32_t kHeadIndex = 0xFFFF'FFFFU;

/// One change of one row.
struct Mutation {
  enum class Kind : std::uint8_t { put, erase };
  Table table = Table::meta;
  Kind kind = Kind::put;
  Key key;
  core::ByteView value;  ///< Empty for `erase`. Borrowed until `commit` returns.
};

/// How sure a commit is. See semantics.md section 8.
enum class Durability : std::uint8_t {
  full,  ///< Written and synced when `commit` returns.
  /// Written when `commit` returns, and synced when the store or the system likes. Survives
  /// SIGKILL. A power loss takes it if it was not synced yet, with all that was committed after it.
  none,
};

class Cursor {
 public:
  virtual ~Cursor() = default;
  /// Goes to the next row (at first: to the first). False past the end. Errors: `corrupt`,
  /// `storage_failed`.
  [[nodiscard]] virtual Result<bool> next() = 0;
  /// The current row; borrowed until `next` or the snapshot's end. Values may lie unaligned.
  [[nodiscard]] virtual core::ByteView key() const = 0;
  [[nodiscard]] virtual core::ByteView value() const = 0;
};

/// All tables as they stood at one moment. Thread: one at a time.
class Snapshot {
 public:
  virtual ~Snapshot() = default;
  /// The value at `key`, or empty. Borrowed until the snapshot's end.
  [[nodiscard]] virtual Result<std::optional<core::ByteView>> get(Table table, const Key& key) = 0;
  /// Rows from `from` on (inclusive), while their key begins with `prefix`.
  [[nodiscard]] virtual Result<std::unique_ptr<Cursor>> scan(Table table, const Key& from,
                                                             const Key& prefix) = 0;
};

class Store {
 public:
  virtual ~Store() = default;
  /// Makes the whole batch true, or nothing of it. `batch` is sorted by table and key, one mutation
  /// a row. Errors: `storage_full` (nothing happened; free room and try again), `storage_failed`
  /// (it is not known what is on disk: nothing more may be committed by this process). Thread: one
  /// at a time, any.
  [[nodiscard]] virtual Result<void> commit(std::span<const Mutation> batch,
                                            Durability durability) = 0;
  /// Thread: any, also while another commits. Errors: `storage_failed`, or `misuse` when more
  /// snapshots are open than the store has slots for.
  [[nodiscard]] virtual Result<std::unique_ptr<Snapshot>> snapshot() = 0;
  /// `hook` is called when the store fails for good on a thread of its own, where no `commit` is
  /// there to return the error (`storage_failed`); at once if it has failed already. Null: nobody
  /// is told. When this returns, no hook that was there before is being called. The hook must not
  /// destroy the store, nor call this. Thread: one at a time.
  virtual void when_failed(std::function<void(const Error&)> hook) { static_cast<void>(hook); }
  /// Where content lies that is too large for the tables; null: this store has none, and no record
  /// in it refers to any. Lives as long as the store. Thread: any.
  [[nodiscard]] virtual Blobs* blobs() noexcept { return nullptr; }
  /// Whose snapshot has been open for so long that the store grows because of it, in words; empty
  /// when nobody's has. Thread: any.
  [[nodiscard]] virtual std::optional<std::string> pinned_by() const { return std::nullopt; }
};

}  // namespace perdure::journal
