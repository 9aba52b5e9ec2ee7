/// The sagas of one run, as its core keeps them.
///
/// What this is: the undo logs of the run's sagas, which actions belong to them, and what the
/// journal had of them when the run was loaded.
/// What it promises: what is here follows from the handler's code and what was delivered to it, and
/// so is the same on replay; what the journal has beyond that is held against it.
/// What it does not: write rows or send orders; the run core does (run_core_sagas.cpp).
#pragma once

#include <perdure/detail/tool_operation.hpp>

#include "journal/reader.hpp"
#include "journal/saga_rows.hpp"
#include "journal/step_path.hpp"
#include "saga/pay_order.hpp"
#include "saga/undo_log.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace perdure::actors {

/// How the undoing of a saga ended, or why it is stuck.
struct SagaEnd {
  std::optional<Error> stuck = {};
};

struct RunSaga {
  explicit RunSaga(journal::StoredSaga begun) : row(std::move(begun)), log(row.name) {}

  journal::StoredSaga row;  ///< As it is, or will be, in the journal.
  saga::UndoLog log;
  std::vector<journal::StoredUndo> actions;  ///< By index.
  std::uint32_t entry = 0;                   ///< Its index in its parent.
  detail::PromiseBase* task = nullptr;       ///< Null: its object is gone.
  bool stored = false;                       ///< It has a row.
  /// Of one that is aborted: whoever undoes it was told, or needs not be.
  bool ordered = false;
  std::optional<SagaEnd> end;       ///< As it was delivered.
  std::optional<SagaEnd> known;     ///< As far as is known, by whom and whenever.
  std::optional<Error> stops_with;  ///< What its task ends with.
};

/// A saga is used where it can't be: nothing was done.
[[nodiscard]] Error saga_misuse(std::string words);
[[nodiscard]] Error strange_saga(const detail::SagaRef& ref, const RunId& run);

class RunSagas {
 public:
  /// An action or call of a saga that is pending.
  struct Member {
    std::uint32_t saga = 0;
    detail::SagaMember::As as = detail::SagaMember::As::undoable;
    std::optional<std::uint32_t> index = {};  ///< Empty: nothing is owed for it.
    std::optional<Error> refused = {};        ///< It can't begin.
  };

  /// Errors: as Reader.
  [[nodiscard]] Result<void> load(journal::Reader& reader, const RunId& run);
  /// The run's code is not asked: what the journal has is all there is.
  void take_what_is_stored();
  /// What the journal has that the code did not begin: the first one that is not over.
  [[nodiscard]] const journal::StoredSaga* not_begun() const;

  /// The first one that the journal has as aborted, and the code goes on with.
  [[nodiscard]] const journal::StoredSaga* gone_on_with() const;

  [[nodiscard]] bool empty() const noexcept { return all_.empty(); }
  [[nodiscard]] std::uint32_t size() const noexcept {
    return static_cast<std::uint32_t>(all_.size());
  }
  /// Null: there is none of this number.
  [[nodiscard]] RunSaga* find(std::uint32_t number) noexcept {
    return number == 0 || number > all_.size() ? nullptr : all_[number - 1].get();
  }
  [[nodiscard]] const RunSaga* find(std::uint32_t number) const noexcept {
    return number == 0 || number > all_.size() ? nullptr : all_[number - 1].get();
  }
  /// The saga of this run that it was begun in; null: none.
  [[nodiscard]] RunSaga* parent_of(const RunSaga& saga) noexcept {
    return saga.row.parent_run ? nullptr : find(saga.row.parent);
  }
  /// A new one. Errors: `diverged`.
  [[nodiscard]] Result<RunSaga*> begin(journal::StoredSaga begun);
  /// An action of `saga` is opened at this place. Errors: `diverged`.
  [[nodiscard]] Result<void> opened(RunSaga& saga, journal::StoredUndo action, Member member);
  [[nodiscard]] Member* member(const journal::StepPath& path) noexcept;
  [[nodiscard]] std::optional<Member> take_member(const journal::StepPath& path);
  /// The pending actions of the sagas with these numbers.
  [[nodiscard]] std::vector<journal::StepPath> members_of(
      const std::vector<std::uint32_t>& sagas) const;

  /// Open sagas that have a deadline in the journal.
  [[nodiscard]] std::vector<journal::StoredSaga> with_deadlines() const;

  /// The saga and those within it that are open or committed are aborted. Their numbers; the first
  /// is its own.
  [[nodiscard]] std::vector<std::uint32_t> abort_saga(RunSaga& saga);
  /// Going back has undone a part of the saga, and no more: that part is not owed again. The
  /// journal must have what its payer did. Errors: as Reader.
  [[nodiscard]] Result<void> note_paid(journal::Reader& reader, RunSaga& saga);
  /// The outermost saga that it is in, itself at least, which is aborted and was not ordered.
  [[nodiscard]] RunSaga& outermost_unordered(RunSaga& saga);
  /// What is to be undone of `saga`: these actions. Sagas within are part of it, unless they are
  /// undone by themselves. They all count as ordered.
  struct Facts {
    RunId run;
    std::string_view agent;
    std::string_view session_key;
  };
  /// `within`: those that are so in this order.
  [[nodiscard]] saga::PayOrder order(const Facts& facts, RunSaga& saga, std::string what,
                                     const std::vector<std::uint32_t>& owed,
                                     std::vector<RunSaga*>& within);
  /// The sagas that are undone with this one, itself included.
  [[nodiscard]] std::vector<RunSaga*> paid_with(std::uint32_t number);

 private:
  struct Found {
    journal::StoredSaga row;
    std::vector<journal::StoredUndo> actions;
  };
  void add_owed(const Facts& facts, saga::PayOrder& order, RunSaga& saga,
                const std::vector<std::uint32_t>& owed, std::int64_t group,
                std::vector<RunSaga*>& within);
  void add_child(const Facts& facts, saga::PayOrder& order, saga::OwedAction action,
                 std::uint32_t child, std::vector<RunSaga*>& within);

  std::vector<std::unique_ptr<RunSaga>> all_;
  std::map<std::uint64_t, std::pair<journal::StepPath, Member>> members_;
  std::map<std::uint32_t, Found> found_;
};

}  // namespace perdure::actors
