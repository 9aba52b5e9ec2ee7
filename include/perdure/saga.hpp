/// Sagas: actions that are undone together.
///
/// What this is: `Saga trip{ctx, "trip"}` in a handler; `trip.step` calls a tool and says what
/// undoes it; `trip.commit()` lets all of it stay.
/// What it promises: the compensation is recorded before the action begins. A saga that its task
/// leaves open, because an await of it failed or because it forgot to commit, is undone: what has
/// happened and what may have, the last one first, across crashes and deploys, without the
/// handler's code. Whoever awaits the task goes on when that is done, or when it is stuck and a
/// person has to see to it (`perdure sagas`).
/// What it does not: undo anything because a run is parked, killed or has lost its code: that
/// somebody decides (`perdure saga compensate`), or a deadline that says so. Nor does it hide what
/// others see meanwhile: a saga is not a transaction.
///
/// See docs/programming_model/sagas.md.
#pragma once

#include <perdure/context.hpp>
#include <perdure/undo.hpp>

#include <chrono>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>

namespace perdure {
inline namespace v0 {

/// In which order actions are undone.
enum class UndoOrder : std::uint8_t {
  /// One after the other, the one first that ended last.
  reverse,
  /// What began when another one had ended is undone before that; what ran side by side, side by
  /// side.
  parallel,
};
/// What becomes of the rest when a compensation has failed for good.
enum class WhenUndoFails : std::uint8_t {
  stop,  ///< What would be undone behind it waits until a person has seen to it.
  go_on,
};
/// Which runs a saga's deadline reaches.
enum class DeadlineReach : std::uint8_t {
  going_runs,   ///< Those that go on. A parked run's saga waits with it.
  parked_runs,  ///< Those that are parked too: their sagas are undone without asking their code.
};

struct SagaOptions {
  UndoOrder order = UndoOrder::reverse;
  WhenUndoFails when_undo_fails = WhenUndoFails::stop;
  /// Of the saga as a whole, from where it begins: when it has passed, and the saga is open, it is
  /// aborted and its task ends with `timeout`. Behind a pivot it does nothing. Zero: none.
  std::chrono::milliseconds deadline{0};
  DeadlineReach deadline_reach = DeadlineReach::going_runs;
};

/// In a compensation's place: the action is the one after which there is no way back. Once it has
/// happened nothing of the saga is undone; it only goes forward.
struct Pivot {};
inline constexpr Pivot pivot{};
/// In a compensation's place: the action changes nothing that would have to be undone.
struct ReadOnly {};
inline constexpr ReadOnly read_only{};
/// In a compensation's place, behind the pivot: the action is tried until it succeeds, whatever its
/// errors say of themselves, without a bound unless the call sets one.
struct Retriable {};
inline constexpr Retriable retriable{};

/// A place in a saga to come back to.
class SavePoint {
 public:
  SavePoint(detail::SagaRef saga, std::uint32_t at) : saga_(saga), at_(at) {}
  [[nodiscard]] const detail::SagaRef& saga() const noexcept { return saga_; }
  [[nodiscard]] std::uint32_t at() const noexcept { return at_; }

 private:
  detail::SagaRef saga_;
  std::uint32_t at_;
};

namespace detail {

/// `saga.commit()`, `saga.compensate()` and `saga.back_to(…)`.
class SagaState;
struct [[nodiscard("perdure: nothing happens until it is awaited")]] SagaOperation {
  using OperationState = SagaState;
  using value_type = void;
  LeafKind kind;
  WaitRequest request;
  std::source_location where;
};
class SagaState final : public DecodedState<WaitLeaf, void> {
 public:
  explicit SagaState(SagaOperation&& operation)
      : DecodedState{operation.kind, Name(operation.request.handler, operation.where), "void",
                     std::move(operation.request)} {}
};

template <class U>
[[nodiscard]] constexpr SagaMember::As as_member() {
  if constexpr (std::same_as<U, Pivot>) return SagaMember::As::pivot;
  if constexpr (std::same_as<U, Retriable>) return SagaMember::As::retriable;
  if constexpr (std::same_as<U, ReadOnly>) return SagaMember::As::read_only;
  return SagaMember::As::undoable;
}

}  // namespace detail

/// A saga, as a local of a handler or task. Neither copied nor moved: its end is its scope's.
/// Thread: the handler's.
class Saga {
 public:
  using Ref = detail::SagaRef;

  /// Begins a saga; nothing is recorded before its first action. `name` is for people, and stays
  /// the same in later versions of the code. Throws `Exception` (`misuse`) outside a handler and
  /// for a bad name.
  Saga(Context& ctx, Name name, SagaOptions options = {})
      : Saga(ctx.handler_execution("Saga"), name, spec_of({}, options)) {}
  /// Begins one in another saga of the run, from which it takes nothing: when it commits, all of it
  /// is one action of `parent`, undone when that is aborted. Give `parent.ref()` to the task.
  Saga(Context& ctx, Ref parent, Name name, SagaOptions options = {})
      : Saga(ctx.handler_execution("Saga"), name, spec_of(parent, options)) {}
  Saga(const Saga&) = delete;
  Saga& operator=(const Saga&) = delete;
  /// Open: the saga is aborted, unless the frame is destroyed for another reason than its end.
  ~Saga() { execution_.leave_saga(ref_); }

  /// For tasks that begin a saga within this one.
  [[nodiscard]] const Ref& ref() const noexcept { return ref_; }

  /// Calls `tool` as `ctx.call` does. `undo` is a `pd::Undo` of the tool's types, recorded before
  /// the action begins; or `pd::pivot`, `pd::retriable` or `pd::read_only`.
  ///
  /// Fails as `ctx.call`; with `saga_aborted` when the saga is aborted meanwhile (an attempt that
  /// runs is given up); with `misuse`, and nothing was done, when the saga is committed, is another
  /// run's, or is on the wrong side of its pivot. A failure whose effect is `refused` owes nothing.
  /// Any other is owed, also when the handler goes on and commits: what failed is no part of what
  /// the commit keeps.
  template <class In, class Out, class U>
  [[nodiscard("perdure: a step does nothing until it is awaited")]] detail::ToolOperation<In, Out>
  step(const Tool<In, Out>& tool, std::type_identity_t<In> input, const U& undo,
       ToolCallOptions options = {}, std::source_location where = std::source_location::current()) {
    constexpr auto kAs = detail::as_member<U>();
    detail::ToolOperation<In, Out> operation{tool, std::move(input), std::move(options), where,
                                             detail::SagaMember{ref_, kAs}};
    if constexpr (kAs == detail::SagaMember::As::undoable) {
      static_assert(detail::kIsUndo<U>,
                    "perdure: a compensation is a pd::Undo{\"name\", &function}, which is found "
                    "again by its name when this process is gone; a lambda or a function can't be "
                    "(or say pd::pivot, pd::retriable or pd::read_only)");
      if constexpr (detail::kIsUndo<U>) {
        static_assert(std::same_as<U, Undo<In, Out>>,
                      "perdure: this compensation takes a Receipt of another action: its Input and "
                      "Output must be those of the tool");
        if constexpr (std::same_as<U, Undo<In, Out>>) operation.undo = undo;
      }
    }
    return operation;
  }

  /// Calls a session (`ctx.session(…).call(…)`) that works for this saga: when this saga is
  /// aborted, so are the sagas of the run that was called, also those that it has committed.
  /// Fails as the call, and as `step`.
  template <class R>
  [[nodiscard("perdure: a call does nothing until it is awaited")]] detail::CallOperation<R> step(
      detail::CallOperation<R> call) {
    call.request.saga = ref_;
    return call;
  }

  /// What it did stays. Fails with `saga_aborted` when the saga was aborted before; with `misuse`
  /// when it is committed already, and while an action of it, or a saga in it, is under way.
  [[nodiscard("perdure: nothing happens until it is awaited")]] detail::SagaOperation commit(
      std::source_location where = std::source_location::current()) const {
    return make(detail::LeafKind::commit, "commit", where);
  }
  /// Aborts it, and waits until all of it is undone. Fails with `saga_stuck`; with `misuse` when it
  /// is committed. Neither a stop nor a cancel ends the wait.
  [[nodiscard("perdure: nothing happens until it is awaited")]] detail::SagaOperation compensate(
      std::string why = {}, std::source_location where = std::source_location::current()) const {
    detail::SagaOperation operation = make(detail::LeafKind::compensate, "compensate", where);
    operation.request.why = std::move(why);
    return operation;
  }
  /// A place to come back to: behind all actions that have begun.
  [[nodiscard]] SavePoint save_point() const { return {ref_, execution_.save_point(ref_)}; }
  /// Undoes what began behind `place`; then the saga goes on from there. Fails with `saga_stuck`,
  /// and then the saga can only be aborted; with `misuse` for another saga's save-point, behind a
  /// pivot, and while an action is under way.
  [[nodiscard("perdure: nothing happens until it is awaited")]] detail::SagaOperation back_to(
      const SavePoint& place, std::source_location where = std::source_location::current()) const {
    detail::SagaOperation operation = make(detail::LeafKind::compensate, "back to", where);
    operation.request.save_point = place.at();
    operation.request.child.run = to_string(place.saga().run);
    operation.request.child.step = {place.saga().number};
    return operation;
  }

 private:
  Saga(detail::Execution& execution, const Name& name, const detail::SagaSpec& spec)
      : execution_(execution), name_(name.text), ref_(execution.open_saga(name, spec)) {}
  [[nodiscard]] static detail::SagaSpec spec_of(std::optional<Ref> parent,
                                                const SagaOptions& options) {
    return {parent, options.order == UndoOrder::parallel,
            options.when_undo_fails == WhenUndoFails::go_on, options.deadline,
            options.deadline_reach == DeadlineReach::parked_runs};
  }
  [[nodiscard]] detail::SagaOperation make(detail::LeafKind kind, const char* verb,
                                           std::source_location where) const {
    detail::WaitRequest request;
    request.handler = std::string(verb) + " " + name_;
    request.saga = ref_;
    return {kind, std::move(request), where};
  }

  detail::Execution& execution_;
  std::string name_;
  Ref ref_;
};

}  // namespace v0
}  // namespace perdure
