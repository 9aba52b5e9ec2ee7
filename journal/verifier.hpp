/// The verifier: one look at every row of every table.
///
/// What this is: what `verify` goes through, a method a table; verify.cpp has the tables of runs,
/// verify_sessions.cpp those of sessions, verify_sagas.cpp those of sagas, verify_rows.cpp those of
/// users and of budgets.
/// What it promises: it reads `Snapshot` and the blobs that rows refer to, and goes on behind
/// whatever it finds.
#pragma once

#include "journal/reader.hpp"
#include "journal/row_scan.hpp"
#include "journal/session_rows.hpp"
#include "journal/step_path.hpp"
#include "journal/verify.hpp"
#include "journal/verify_payloads.hpp"
#include "journal/verify_run.hpp"

#include <optional>
#include <string>
#include <utility>

namespace perdure::journal {

inline constexpr std::size_t kHashBytes = 8;
/// Of keys that need not be of one length.
inline constexpr std::size_t kAnyBytes = 0;

[[nodiscard]] inline bool is_unfinished(RunStatus status) { return status < RunStatus::completed; }

/// Thread: one at a time.
class Verifier {
 public:
  Verifier(Snapshot& snapshot, Findings& findings, PayloadCheck& payloads)
      : snapshot_(snapshot), findings_(findings), payloads_(payloads) {}

  Result<void> everything() {
    PERDURE_TRY(meta());
    PERDURE_TRY(sessions());
    PERDURE_TRY(keys());
    PERDURE_TRY(runs());
    PERDURE_TRY(records());
    PERDURE_TRY(ready());
    PERDURE_TRY(due());
    PERDURE_TRY(attempts());
    PERDURE_TRY(open());
    PERDURE_TRY(arrivals(Table::inbox));
    PERDURE_TRY(arrivals(Table::kept));
    PERDURE_TRY(waits());
    PERDURE_TRY(state());
    PERDURE_TRY(before());
    PERDURE_TRY(children());
    PERDURE_TRY(budgets());
    PERDURE_TRY(usage());
    PERDURE_TRY(sagas());
    PERDURE_TRY(undos());
    return user_rows();
  }

 private:
  /// Calls `check(key, buffer)` for each row of `table` whose key is as long as it should be and
  /// whose envelope holds.
  template <class Check>
  Result<void> each(Table table, std::size_t key_bytes, Check&& check) {
    PERDURE_TRY(auto cursor, snapshot_.scan(table, {}, {}));
    for (;;) {
      PERDURE_TRY(const bool found, cursor->next());
      if (!found) return success();
      const core::ByteView key = cursor->key();
      findings_.count(table, key.size() + cursor->value().size());
      if (key_bytes != kAnyBytes && key.size() != key_bytes) {
        findings_.add(table, key,
                      "its key has " + std::to_string(key.size()) + " bytes, not " +
                          std::to_string(key_bytes));
        continue;
      }
      if (Result<void> loaded = buffer_.load(key, cursor->value()); !loaded) {
        findings_.add(table, key, loaded.error());
        continue;
      }
      if (last_number_ && buffer_.number() > *last_number_)
        findings_.add(table, key,
                      "its number " + std::to_string(buffer_.number()) +
                          " is above the journal's last number " + std::to_string(*last_number_));
      PERDURE_TRY(check(key));
    }
  }
  /// The row in the buffer as T, or empty after a finding.
  template <class T>
  std::optional<T> row(Table table, core::ByteView key) {
    Result<T> read = buffer_.as<T>();
    if (read) return std::move(read).assume_value();
    findings_.add(table, key, read.error());
    return std::nullopt;
  }
  /// A row that another speaks of; empty when it is not there or damaged. Damage is found on its
  /// own.
  template <class T>
  Result<std::optional<T>> other(Table table, const Key& key) {
    PERDURE_TRY(const auto value, snapshot_.get(table, key));
    if (!value || !other_.load(key.view(), *value)) return std::nullopt;
    Result<T> read = other_.as<T>();
    if (!read) return std::nullopt;
    return std::move(read).assume_value();
  }
  Result<std::optional<RunStatus>> status_of(const RunId& run) {
    PERDURE_TRY(const auto head, other<HeadRow>(Table::records, Key{}.add(run).add(kHeadIndex)));
    if (!head) return std::nullopt;
    return head->status;
  }
  Result<std::optional<SessionId>> session_of(const RunId& run) {
    PERDURE_TRY(const auto found, other<RunRow>(Table::runs, Key{}.add(run)));
    if (!found) return std::nullopt;
    return found->session;
  }
  Result<bool> is_there(Table table, const Key& key) {
    PERDURE_TRY(const auto found, snapshot_.get(table, key));
    return found.has_value();
  }

  Result<void> meta();
  Result<void> sessions();
  /// The search for the address leads to `session`, which is there or would be.
  Result<void> check_place_of(Table table, core::ByteView key, const SessionId& session,
                              std::string_view agent, std::string_view session_key);
  Result<void> keys();
  Result<void> runs();
  Result<void> check_queued(core::ByteView key, const RunRow& run);
  /// A waiting run waits for something that the journal has.
  Result<void> check_waiting(core::ByteView key);
  /// Whether one of its steps waits for the time of its next attempt, or may.
  Result<bool> has_attempt_due(const Key& run);
  /// Whether its handler's end waits for a child, or may.
  Result<bool> has_child_to_wait_for(const Key& run);
  Result<void> records();
  Result<void> ready();
  Result<void> due();
  Result<void> attempts();
  Result<void> open();
  Result<void> check_due_message(core::ByteView key, const DueRow& due);
  Result<void> check_due_wait(core::ByteView key, const DueRow& due);
  Result<void> check_due_saga(core::ByteView key, const DueRow& due);
  Result<void> arrivals(Table table);
  void check_arrival(Table table, core::ByteView key, const ArrivalRow& arrival);
  Result<void> check_kept(core::ByteView key, const ArrivalRow& arrival);
  Result<void> check_kept_message(core::ByteView key, const ArrivalRow& arrival);
  Result<void> waits();
  Result<void> state();
  Result<void> before();
  Result<void> children();
  Result<void> budgets();
  Result<void> usage();
  Result<void> user_rows();
  Result<void> sagas();
  Result<void> check_parent(core::ByteView key, const SagaRow& saga);
  Result<void> check_payer(core::ByteView key, const SagaRow& saga);
  Result<void> check_deadline(core::ByteView key, const SagaRow& saga);
  Result<void> undos();
  void check_undo(core::ByteView key, const UndoRow& undo);
  Result<void> check_undo_of_saga(core::ByteView key, const UndoRow& undo);
  Result<void> check_undo_state(core::ByteView key, const UndoStateRow& state);
  Result<void> check_child(core::ByteView key, const ChildRow& child);
  /// A row of `table` that only an unfinished run has.
  Result<void> check_unfinished(Table table, core::ByteView key, const RunId& run);
  /// A step's row: at the hash of its path, of a run that has not ended.
  Result<void> check_step_row(Table table, core::ByteView key, std::size_t run_at,
                              std::span<const std::uint32_t> path);

  Snapshot& snapshot_;
  Findings& findings_;
  PayloadCheck& payloads_;
  std::optional<RecordNumber> last_number_;
  RecordBuffer buffer_;
  RecordBuffer other_;
};

}  // namespace perdure::journal
