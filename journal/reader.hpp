/// The reader: the one way to read a journal, for the runtime that writes it, for other processes
/// and for one that died.
///
/// What this is: typed reads over one snapshot of a Store.
/// What it promises: every value is checked (checksum, FlatBuffer) before it is handed out; a run's
/// records come in order and a missing one is an error that names run and index.
/// What it does not: renew itself. Take a new Reader to see what came later.
#pragma once

#include <perdure/result.hpp>

#include "journal/arrival.hpp"
#include "journal/session_rows.hpp"
#include "journal/step_path.hpp"
#include "journal/store.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace perdure::journal {

/// Owned forms of what outlives a snapshot.
struct Head {
  std::uint32_t count = 0;
  RunStatus status = RunStatus::running;
  Stamp stamp = 0;
  Code code = Code::user;
  std::string reason;
  std::uint32_t ahead = 0;
};
struct RunInfo {
  RunId id;
  SessionId session;
  std::string agent;
  std::uint32_t agent_version = 1;
  std::string handler;
  std::string session_key;
  Stamp created = 0;
  Head head;
};
struct Attempts {
  std::vector<std::uint32_t> path;
  std::string name;
  std::uint32_t count = 0;
  std::uint32_t unclean_ends = 0;
  std::optional<Error> first_error;
  std::optional<Error> last_error;
  Stamp last_stamp = 0;
  Stamp next_due = 0;
  std::optional<core::Bytes> progress = {};
  std::uint32_t asks = 0;
  std::int64_t asked_ms = 0;
  std::int64_t spent_ms = 0;
};
struct Due {
  Stamp at = 0;
  RunId run;
  DueRow::What what = DueRow::What::retry;
  std::vector<std::uint32_t> path;
  bool by_wall_clock = false;
  Stamp begun = 0;
  std::optional<SessionId> session;
};
/// What a step waits for; see WaitRow.
struct Wait {
  StepKind kind = StepKind::sleep;
  std::vector<std::uint32_t> path;
  std::string name;
  Stamp begun = 0;
  Stamp due = 0;
  bool by_wall_clock = false;
  std::optional<SessionId> session;
  std::optional<RunId> run;
};
/// See ChildRow.
struct Child {
  std::vector<std::uint32_t> path;
  SessionId session;
  std::string agent;
  std::string session_key;
  RunId run;
  ParentEnd parent_end = ParentEnd::cancel;
  bool ended = false;
  std::optional<Error> error;
};
[[nodiscard]] ChildRow view_of(const Child& child);
/// What a run used of a budget; see UsageRow.
struct Usage {
  RunId run;
  Amounts used;
  Amounts reserved;
  Amounts assumed;
};
struct BudgetInfo {
  std::optional<StoredBudget> own;
  /// Of a run with limits of its own, what it and those who draw on them used; else its own.
  Usage usage;
  std::vector<RunId> payers;  ///< The runs whose limits it is held to, the nearest first.
};
/// A value of a session's state; empty: there is none.
struct StateValue {
  std::string name;
  std::optional<Payload> payload;
};
struct ReadyRun {
  RunId run;
  SessionId session;
};

/// The records of one run, in order. Borrowed views end with the next `next`. The Reader outlives
/// it, and may be used meanwhile. Thread: the Reader's.
class RecordStream {
 public:
  /// The next record, or null behind the last one that the head row counts. Errors: `corrupt`
  /// naming the run and the index.
  [[nodiscard]] Result<const RecordBuffer*> next();
  /// Index of the record last returned.
  [[nodiscard]] std::uint32_t index() const noexcept { return next_ - 1; }

 private:
  friend class Reader;
  RecordStream(RunId run, std::uint32_t from, std::uint32_t count, std::unique_ptr<Cursor> cursor);
  RunId run_;
  std::uint32_t next_ = 0;
  std::uint32_t count_ = 0;
  std::unique_ptr<Cursor> cursor_;
  RecordBuffer buffer_;
};

/// Errors of every method, beside what it says: `corrupt`, `newer_format` and `storage_failed`,
/// with the place in words. What is owned outlives the Reader. Thread: one at a time.
class Reader {
 public:
  /// Reads `store` as it is now. The store outlives the reader.
  [[nodiscard]] static Result<Reader> open(Store& store);

  /// The bytes of a payload that was read here: those at hand, or a blob's, which are put into
  /// `room`. Borrowed from either. Errors also: `corrupt` where the blob is damaged or not there.
  [[nodiscard]] Result<core::ByteView> bytes_of(const PayloadView& payload, core::Bytes& room);
  /// The same, owned.
  [[nodiscard]] Result<core::Bytes> copy_of(const PayloadView& payload);

  struct IdentityInfo {
    core::Hash128 journal;
    Stamp created = 0;
    std::string created_by;
  };
  [[nodiscard]] Result<std::optional<IdentityInfo>> identity();
  [[nodiscard]] Result<std::optional<Counters>> counters();

  /// The session of this address, or empty; `free` (when asked for) is then the id a new one gets.
  [[nodiscard]] Result<std::optional<SessionId>> find_session(std::string_view agent,
                                                              std::string_view key,
                                                              SessionId* free = nullptr);
  [[nodiscard]] Result<bool> has_session(const SessionId& session);
  struct SessionInfo {
    std::string agent;
    std::string key;
    Stamp created = 0;
  };
  [[nodiscard]] Result<std::optional<SessionInfo>> session(const SessionId& session);
  /// The run that a message key made in a session, or empty. Errors: `misuse` when another key of
  /// the session has the same 128-bit hash.
  [[nodiscard]] Result<std::optional<RunId>> find_message(const SessionId& session,
                                                          std::string_view message_key);
  [[nodiscard]] Result<std::optional<RunInfo>> run(const RunId& run);
  [[nodiscard]] Result<std::optional<Head>> head(const RunId& run);
  /// The records of `run` from `from` on. Errors: `not_found` without a head row.
  [[nodiscard]] Result<RecordStream> records(const RunId& run, std::uint32_t from = 0);
  [[nodiscard]] Result<std::vector<Attempts>> attempts(const RunId& run);
  [[nodiscard]] Result<std::vector<Wait>> waits(const RunId& run);
  [[nodiscard]] Result<std::vector<Child>> children(const RunId& run);

  /// The run's own limits, or empty.
  [[nodiscard]] Result<std::optional<StoredBudget>> budget(const RunId& run);
  /// What `run` used of the budget of `payer`, or empty.
  [[nodiscard]] Result<std::optional<Usage>> usage(const RunId& payer, const RunId& run);
  /// What all runs together used of it.
  [[nodiscard]] Result<Usage> usage_of_all(const RunId& payer);
  /// What there is to say of a run's budget. Errors also: as `records`.
  [[nodiscard]] Result<BudgetInfo> budget_info(const RunId& run);

  /// The sagas of `run`, by number.
  [[nodiscard]] Result<std::vector<StoredSaga>> sagas(const RunId& run);
  [[nodiscard]] Result<std::optional<StoredSaga>> saga(const RunId& run, std::uint32_t number);
  /// What of a saga is to be undone, by index.
  [[nodiscard]] Result<std::vector<StoredUndo>> undos(const RunId& run, std::uint32_t number);
  /// The input of the action at `index` of a saga. Errors: `not_found`.
  [[nodiscard]] Result<core::Bytes> undo_input(const RunId& run, std::uint32_t number,
                                               std::uint32_t index);
  /// The sagas of all runs, until `each` returns false.
  [[nodiscard]] Result<void> each_saga(const std::function<bool(const StoredSaga&)>& each);

  /// The unfinished run of a session, or empty.
  [[nodiscard]] Result<std::optional<RunId>> open_run(const SessionId& session);
  /// What has come for a session and is in `table` (`inbox` or `kept`), by number, from the row
  /// `from` on.
  [[nodiscard]] Result<std::vector<Arrival>> arrivals(Table table, const SessionId& session,
                                                      RecordNumber from = 0);
  /// The same one by one, until `each` returns false. The row is borrowed until it returns.
  [[nodiscard]] Result<void> each_arrival(
      Table table, const SessionId& session,
      const std::function<bool(const ArrivalRow&, RecordNumber)>& each);
  /// One of them, or empty.
  [[nodiscard]] Result<std::optional<Arrival>> arrival(Table table, const SessionId& session,
                                                       RecordNumber number);
  /// What nobody has looked at yet, of all sessions, until `each` returns false.
  [[nodiscard]] Result<void> each_unread(
      const std::function<bool(const SessionId&, const Arrival&)>& each);
  /// A value of a session's state, or empty.
  [[nodiscard]] Result<std::optional<core::Bytes>> state(const SessionId& session,
                                                         std::string_view name);
  /// All values of a session's state, in no order that means anything, until `each` returns false.
  /// The row is borrowed until it returns.
  [[nodiscard]] Result<void> each_state(const SessionId& session,
                                        const std::function<bool(const StateRow&)>& each);
  /// What `run` found where it wrote state.
  [[nodiscard]] Result<std::vector<StateValue>> before(const RunId& run);

  /// All runs by id, until `each` returns false.
  [[nodiscard]] Result<void> each_run(const std::function<bool(const RunInfo&)>& each);
  [[nodiscard]] Result<void> each_ready(const std::function<bool(const ReadyRun&)>& each);
  /// Whether something stands in `due` at `key`.
  [[nodiscard]] Result<bool> is_due(const Key& key);
  /// In the order of time, from the row at `from` on, until `each` returns false.
  [[nodiscard]] Result<void> each_due(const std::function<bool(const Due&)>& each,
                                      const Key& from = {});

  /// What it reads, for whoever reads more of the same moment. Borrowed from it.
  [[nodiscard]] Snapshot& snapshot() noexcept { return *snapshot_; }
  [[nodiscard]] Blobs* blobs() const noexcept { return blobs_; }

 private:
  Reader(std::unique_ptr<Snapshot> snapshot, Blobs* blobs)
      : snapshot_(std::move(snapshot)), blobs_(blobs) {}
  Result<RunInfo> info(const RunId& run, const RunRow& found);
  std::unique_ptr<Snapshot> snapshot_;
  Blobs* blobs_;
  RecordBuffer buffer_;
};

/// The bytes of the blob. `blobs` null: the store has none. Errors: `corrupt` where it is damaged
/// or not there; `newer_format`; as file_error.
[[nodiscard]] Result<core::Bytes> read_blob(const Blobs* blobs, const BlobRef& ref);

/// The address's hash: where the search for a session's id begins. XXH3-128 of the key, seeded with
/// XXH3-64 of the agent's name; big-endian.
[[nodiscard]] SessionId session_hash(std::string_view agent, std::string_view key) noexcept;
/// Where the search goes on while another address holds the row: one above, big-endian.
[[nodiscard]] SessionId next_session_id(SessionId id) noexcept;
/// Key of a message key's row: the session and XXH3-128 of the key, big-endian.
[[nodiscard]] Key message_key_row(const SessionId& session, std::string_view message_key) noexcept;
/// Key of a row in `due`.
[[nodiscard]] Key due_row(Stamp at, const RunId& run, const StepPath& path) noexcept;
/// The same of what is due for the run as a whole: there is one of each kind at a time.
[[nodiscard]] Key due_row(Stamp at, const RunId& run, DueRow::What what) noexcept;
/// Key of `due`'s own row.
[[nodiscard]] Key due_row(const Due& due) noexcept;
/// Key of a row in `state`.
[[nodiscard]] Key state_row(const SessionId& session, std::string_view name) noexcept;
/// Key of a row in `before`.
[[nodiscard]] Key before_row(const RunId& run, std::string_view name) noexcept;

}  // namespace perdure::journal
