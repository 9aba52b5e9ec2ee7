/// Rows of sagas: what is owed when one is aborted, and what became of it.
///
/// What this is: the plain structs of the tables `sagas` and `undos`, and of the record that aborts
/// a saga. They are encoded and checked as all rows are (record.hpp).
/// What it promises: each row has one writer at a time. The session of the saga's run writes all of
/// them until the saga is committed or aborted; from then on the payer's session does (saga/).
///
/// In `undos` a saga has, behind its run's id and its number, a row for each action, from before
/// the action began (`UndoRow`, at its index), and one that says what became of it, once something
/// did (`UndoStateRow`, at its index with the highest bit set).
#pragma once

#include "journal/record.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace perdure::journal {

/// The states of a saga; saga/undo_log.hpp has what moves between them. Part of the format.
enum class SagaState : std::uint8_t {
  open = 1,          ///< Its actions may begin.
  forward = 2,       ///< Open, and behind its pivot: nothing can be undone any more.
  committed = 3,     ///< What it did stays.
  compensating = 4,  ///< It was aborted, and what it did is being undone.
  compensated = 5,   ///< All that it did is undone, or was given up by a person.
  stuck = 6,         ///< It can't go on by itself: a person has to see to it.
};
[[nodiscard]] std::string_view to_string(SagaState state) noexcept;
[[nodiscard]] constexpr bool is_over(SagaState state) noexcept {
  return state == SagaState::committed || state == SagaState::compensated;
}

/// What an entry of a saga is undone by. Part of the format.
enum class UndoWhat : std::uint8_t {
  undo = 1,   ///< A compensation.
  pivot = 2,  ///< Nothing: once it has happened the saga goes forward only.
  saga = 3,   ///< The undoing of a saga that was begun in this one.
  run = 4,    ///< The undoing of what a run that was called did.
};
[[nodiscard]] std::string_view to_string(UndoWhat what) noexcept;

/// What is known of an action, and of its undoing. Part of the format.
enum class UndoState : std::uint8_t {
  registered = 0,  ///< No row says so: it may have begun, and has not ended.
  happened = 1,
  refused = 2,  ///< It had no effect: nothing is owed.
  unknown = 3,  ///< It failed, and may have had its effect.
  paid = 4,     ///< It was undone.
  stuck = 5,    ///< It could not be undone.
  skipped = 6,  ///< A person said that it stays as it is.
  marked = 7,   ///< A person undid it.
};
[[nodiscard]] std::string_view to_string(UndoState state) noexcept;

/// A record, and a delivery: somebody other than the handler aborts a saga.
struct SagaAborted {
  static constexpr Kind kKind = Kind::saga_aborted;
  std::uint32_t saga = 0;
  /// What the saga's task ends with: `saga_aborted`, or `timeout` at its deadline.
  Code code = Code::saga_aborted;
  std::string_view who;
  std::string_view why;
  Stamp stamp = 0;
};

struct SagaRow {
  static constexpr Kind kKind = Kind::saga;
  std::string_view name;
  SagaState state = SagaState::open;
  Stamp created = 0;
  Stamp changed = 0;
  std::uint32_t stuck = 0;  ///< How many of them could not be undone.
  /// The saga that it was begun in: `parent` of `parent_run`, or of its own run where that is
  /// empty.
  std::optional<RunId> parent_run = {};
  std::uint32_t parent = 0;   ///< 0: it stands alone.
  std::uint8_t parallel = 0;  ///< 1: what does not depend on each other is undone at the same time.
  std::uint8_t goes_on = 0;   ///< 1: what is stuck does not hold up the rest.
  // Why it was aborted, or is stuck.
  Code code = Code::user;
  std::string_view who;
  std::string_view why;
  Stamp deadline = 0;               ///< 0: none.
  std::uint8_t reaches_parked = 0;  ///< 1: the deadline aborts it also when its run is parked.
  std::uint32_t paid_with = 0;      ///< Of one that was aborted: the saga that it is undone with.
};

struct UndoRow {
  static constexpr Kind kKind = Kind::undo;
  UndoWhat what = UndoWhat::undo;
  std::span<const std::uint32_t> path;  ///< Of the action.
  std::string_view name;                ///< Of the action's step.
  std::string_view tool;
  std::string_view undo;  ///< The name of the compensation.
  std::string_view input_type;
  std::string_view output_type;
  PayloadView payload;         ///< The action's input.
  std::int64_t settle_ms = 0;  ///< How long the action may come to have its effect when it is lost.
  std::uint32_t begun = 0;     ///< How many records the run had.
  Stamp stamp = 0;
  std::uint32_t saga = 0;  ///< Of `UndoWhat::saga`: its number in the same run.
  // Of `UndoWhat::run`.
  std::optional<RunId> run = {};
  std::string_view agent;
  std::string_view session_key;
};

struct UndoStateRow {
  static constexpr Kind kKind = Kind::undo_state;
  UndoState state = UndoState::happened;
  std::uint32_t ended = 0;         ///< The index of the action's result in its run; 0: none.
  Stamp not_before = 0;            ///< It must not be undone before.
  std::optional<ErrorView> error;  ///< Why the action failed, or why it could not be undone.
  std::string_view who;            ///< Of what a person decided.
  std::string_view why;
  Stamp stamp = 0;
};

/// The same, owned.
struct StoredSaga {
  RunId run;
  std::uint32_t number = 0;
  std::string name;
  SagaState state = SagaState::open;
  Stamp created = 0;
  Stamp changed = 0;
  std::uint32_t stuck = 0;
  std::optional<RunId> parent_run = {};
  std::uint32_t parent = 0;
  bool parallel = false;
  bool goes_on = false;
  Code code = Code::user;
  std::string who = {};
  std::string why = {};
  Stamp deadline = 0;
  bool reaches_parked = false;
  std::uint32_t paid_with = 0;
};
struct StoredUndo {
  std::uint32_t index = 0;
  UndoWhat what = UndoWhat::undo;
  std::vector<std::uint32_t> path = {};
  std::string name = {};
  std::string tool = {};
  std::string undo = {};
  std::string input_type = {};
  std::string output_type = {};
  std::int64_t settle_ms = 0;
  std::uint32_t begun = 0;
  Stamp stamp = 0;
  std::uint32_t saga = 0;
  std::optional<RunId> run = {};
  std::string agent = {};
  std::string session_key = {};
  // From its second row, if there is one.
  UndoState state = UndoState::registered;
  std::uint32_t ended = 0;
  Stamp not_before = 0;
  std::optional<Error> error = {};
  std::string who = {};
  std::string why = {};
  Stamp changed = 0;
};
[[nodiscard]] StoredSaga owned(const RunId& run, std::uint32_t number, const SagaRow& row);
/// Borrowed from `saga`.
[[nodiscard]] SagaRow view_of(const StoredSaga& saga) noexcept;
/// Without the second row.
[[nodiscard]] StoredUndo owned(std::uint32_t index, const UndoRow& row);
void add_state(StoredUndo& undo, const UndoStateRow& row);
/// The rows of `undo`, borrowed from it; the first one without its payload.
[[nodiscard]] UndoRow view_of(const StoredUndo& undo) noexcept;
[[nodiscard]] UndoStateRow state_of(const StoredUndo& undo) noexcept;

/// The index of the second row of an entry.
inline constexpr std::uint32_t kUndoStateBit = 0x8000'0000U;
[[nodiscard]] Key saga_row(const RunId& run, std::uint32_t number) noexcept;
[[nodiscard]] Key undo_row(const RunId& run, std::uint32_t number, std::uint32_t index) noexcept;
[[nodiscard]] Key undo_state_row(const RunId& run, std::uint32_t number,
                                 std::uint32_t index) noexcept;

/// A saga's name outside its run, and the key of the session that pays it: `RUN.1`.
[[nodiscard]] std::string saga_id(const RunId& run, std::uint32_t number);
struct SagaId {
  RunId run;
  std::uint32_t number = 0;
};
/// Errors: `misuse`, saying how one looks.
[[nodiscard]] Result<SagaId> parse_saga_id(std::string_view text);

/// The agent whose sessions pay sagas.
inline constexpr std::string_view kSagaAgent = "perdure.saga";
/// In an order: all sagas of a run.
inline constexpr std::uint32_t kAllSagas = 0xFFFF'FFFFU;

}  // namespace perdure::journal
