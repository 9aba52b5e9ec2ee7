/// The undo log: what one saga owes if it is aborted.
///
/// What this is: the rules of a saga as a value, without I/O: which actions may begin, what each of
/// them left behind, what is owed from where on. The run core keeps one for each saga of a run and
/// feeds it with what is recorded; so replay leads to the same log.
/// What it promises: what was registered is owed until it is known that it had no effect, or was
/// undone; nothing is owed behind a pivot that happened.
/// What it does not: know names, inputs or rows, or undo anything (payment.hpp, coordinator.hpp).
///
/// The states of a saga and what moves between them (tests hold the code against this table; what
/// is not in it does not happen):
///
///     state         event    next          meaning
///     open          pivoted  forward       the pivot has happened
///     open          commit   committed     what was done stays
///     open          abort    compensating  all that is owed is being undone
///     forward       commit   committed
///     forward       abort    stuck         nothing can be undone, and the handler has given up
///     committed     abort    compensating  by the saga that it was begun in
///     committed     stuck    stuck         what failed and may have happened can't be undone
///     committed     kept     committed     what had failed and may have happened is undone
///     compensating  settled  compensated
///     compensating  stuck    stuck
///     compensated   abort    compensated   by the saga that it was begun in: nothing is owed
///     stuck         resumed  compensating  a person saw to it
///     stuck         settled  compensated
///     stuck         kept     committed
///     stuck         stuck    stuck         something else can't be undone either
///     stuck         abort    stuck
///
/// The states of an action:
///
///     state       event     next      meaning
///     registered  happened  happened
///     registered  refused   refused   it is known to have had no effect
///     registered  failed    unknown   nobody knows; or it was fenced by the abort
///     happened    paid      paid      (the same from unknown and stuck)
///     happened    stuck     stuck     (the same from unknown and stuck)
///     happened    skipped   skipped   (the same from unknown and stuck)
///     happened    marked    marked    (the same from unknown and stuck)
#pragma once

#include <perdure/result.hpp>

#include "journal/saga_rows.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace perdure::saga {

using journal::SagaState;
using journal::UndoState;
using journal::UndoWhat;

enum class SagaEvent : std::uint8_t { pivoted, commit, abort, settled, kept, stuck, resumed };
inline constexpr std::size_t kSagaEvents = 7;
/// The table above; empty: that does not happen in this state.
[[nodiscard]] std::optional<SagaState> next_state(SagaState state, SagaEvent event) noexcept;

enum class UndoEvent : std::uint8_t { happened, refused, failed, paid, stuck, skipped, marked };
inline constexpr std::size_t kUndoEvents = 7;
[[nodiscard]] std::optional<UndoState> next_state(UndoState state, UndoEvent event) noexcept;

/// Whether an action in this state has to be undone when its saga is.
[[nodiscard]] constexpr bool is_owed(UndoState state) noexcept {
  return state == UndoState::registered || state == UndoState::happened ||
         state == UndoState::unknown || state == UndoState::stuck;
}

/// What a saga's author says of an action.
enum class ActionClass : std::uint8_t {
  undoable,   ///< It has a compensation.
  pivot,      ///< It has none, and once it has happened there is no way back.
  retriable,  ///< It has none, and is tried until it succeeds: behind the pivot.
  read_only,  ///< It changes nothing.
};

class UndoLog {
 public:
  /// An action, or a saga or a run that this one began, from before it begins.
  struct Entry {
    UndoWhat what = UndoWhat::undo;
    UndoState state = UndoState::registered;
    /// It may have begun: before that nothing is owed for it.
    bool registered = false;
  };

  explicit UndoLog(std::string name) : name_(std::move(name)) {}

  /// Why an action of this class can't begin now; empty: it can.
  [[nodiscard]] std::optional<Error> refuse(ActionClass action) const;
  /// It may begin. Its index.
  std::uint32_t add(UndoWhat what);
  /// From here on it may have begun.
  void registered(std::uint32_t index);
  /// What is known of it now. Of a pivot that happened the saga goes forward.
  void ended(std::uint32_t index, UndoEvent event);
  /// How many actions there are: what `owed` counts from to come back here.
  [[nodiscard]] std::uint32_t save_point() const noexcept {
    return static_cast<std::uint32_t>(entries_.size());
  }

  /// What it did stays. Errors: `misuse` while an action is under way, or when it is over;
  /// `saga_aborted`; `saga_stuck`.
  [[nodiscard]] Result<void> commit();
  /// It is to be undone. False: it was before, or there is nothing to be done about it.
  [[nodiscard]] bool abort_saga();
  /// The entries from `from` on that have to be undone, the oldest first. An action under way is
  /// one of them, with what is known then: nothing.
  [[nodiscard]] std::vector<std::uint32_t> owed(std::uint32_t from = 0) const;
  /// Behind a commit: those that failed, and may have happened.
  [[nodiscard]] std::vector<std::uint32_t> leftovers() const;
  /// These are undone by somebody else from here on.
  void hand_over_leftovers();
  /// All from `from` on are undone, and the saga goes on from there.
  void went_back(std::uint32_t from);
  /// It could not: it can only be aborted from here on.
  void went_back_in_vain() noexcept { lost_ = true; }
  [[nodiscard]] bool has_gone_back_in_vain() const noexcept { return lost_; }

  [[nodiscard]] SagaState state() const noexcept { return state_; }
  [[nodiscard]] bool is_open() const noexcept {
    return state_ == SagaState::open || state_ == SagaState::forward;
  }
  [[nodiscard]] const std::vector<Entry>& entries() const noexcept { return entries_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  [[nodiscard]] Error wrong(Code code, std::string_view why) const;
  [[nodiscard]] std::optional<Error> refuse_closed(std::string_view what) const;
  std::string name_;
  SagaState state_ = SagaState::open;
  bool lost_ = false;
  std::vector<Entry> entries_;
};

}  // namespace perdure::saga
