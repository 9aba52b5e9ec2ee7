/// Operations: what a handler awaits besides tasks.
///
/// What this is: `as_result`, `catch_cancelled` and `fail`; and what all operations have in common,
/// those of `Context` (steps, and the combinators of combinators.hpp) included.
/// What it promises: an operation is lazy, it is a value until it is awaited, and it is awaited
/// once.
/// Its step id is given when it starts, so it does not depend on the order in which arguments are
/// evaluated.
/// What it does not: run by itself. An operation that is never awaited never happens.
#pragma once

#include <perdure/detail/step_operation.hpp>
#include <perdure/task.hpp>

#include <type_traits>
#include <utility>

namespace perdure {
inline namespace v0 {
namespace detail {

/// What a branch ends with that nobody needs any more.
[[nodiscard]] Error cancelled_error();
/// The same, of one that ended with `ended_with` when it was asked to stop.
[[nodiscard]] Error cancelled_error(const Error& ended_with);

/// What an operation's state ended with, as a value.
template <class State>
[[nodiscard]] Result<typename State::Value> result_of(State& state) {
  using Value = typename State::Value;
  if (Error* const error = state.failure()) return std::move(*error);
  if constexpr (std::is_void_v<Value>) {
    state.take();
    return success();
  } else {
    return Result<Value>(BOOST_OUTCOME_V2_NAMESPACE::in_place_type<Value>, state.take());
  }
}

/// `pd::as_result(operation)`.
template <class Op>
class AsResultState;
template <class Op>
struct [[nodiscard]] AsResultOperation {
  using OperationState = AsResultState<Op>;
  using value_type = Result<typename Op::value_type>;
  Op operation;
};
template <class Op>
class AsResultState {
 public:
  using Value = typename AsResultOperation<Op>::value_type;
  explicit AsResultState(AsResultOperation<Op>&& wrapped) : state_(std::move(wrapped.operation)) {}
  void start(const Start& start) { state_.start(start); }
  void request_stop() noexcept { state_.request_stop(); }
  /// A cancel is not caught: "model A failed, ask model B" must not swallow it.
  [[nodiscard]] Error* failure() noexcept {
    Error* const error = state_.failure();
    return error != nullptr && error->code == Code::cancelled ? error : nullptr;
  }
  [[nodiscard]] Value take() { return result_of(state_); }

 private:
  typename Op::OperationState state_;
};

/// `pd::catch_cancelled(operation)`.
template <class Op>
class CatchCancelledState;
template <class Op>
struct [[nodiscard]] CatchCancelledOperation {
  using OperationState = CatchCancelledState<Op>;
  using value_type = Result<typename Op::value_type>;
  Op operation;
};
template <class Op>
class CatchCancelledState {
 public:
  using Value = typename CatchCancelledOperation<Op>::value_type;
  explicit CatchCancelledState(CatchCancelledOperation<Op>&& wrapped)
      : state_(std::move(wrapped.operation)) {}
  void start(const Start& start) { state_.start(start); }
  void request_stop() noexcept { state_.request_stop(); }
  [[nodiscard]] Error* failure() noexcept { return nullptr; }
  /// A task that is stopped must not take the failure for the operation's own and try another way:
  /// it is told `cancelled`, whatever the operation made of the request.
  [[nodiscard]] AtStop at_stop() noexcept {
    Error* const error = state_.failure();
    if (error == nullptr) return AtStop::goes_on;
    *error = cancelled_error(*error);
    return AtStop::told;
  }
  [[nodiscard]] Value take() { return result_of(state_); }

 private:
  typename Op::OperationState state_;
};

/// `pd::fail(error)`.
class FailState {
 public:
  using Value = void;
  explicit FailState(FailOperation&& operation);
  void start(const Start& start) { start.parent.child_ended(start.position); }
  void request_stop() noexcept {}
  [[nodiscard]] Error* failure() noexcept { return &error_; }
  void take() {}

 private:
  Error error_;
};
struct [[nodiscard("perdure: co_await the failure")]] FailOperation {
  using OperationState = FailState;
  using value_type = void;
  Error error;
};
inline FailState::FailState(FailOperation&& operation) : error_(std::move(operation.error)) {}

}  // namespace detail

/// The same operation, but its failure is handed over as a value: `Result<T> r = co_await
/// as_result(op);`. `Code::cancelled` is not caught.
template <detail::Operation Op>
[[nodiscard]] detail::AsResultOperation<Op> as_result(Op operation) {
  return {std::move(operation)};
}

/// As `as_result`, but `Code::cancelled` is handed over too.
///
/// In a task that is asked to stop (its branch lost, its run is cancelled) this is the await that
/// does not end it: when `op` has ended, the task goes on. A failure of `op` is then handed over as
/// `cancelled`, with its own words; from there on the task's awaits work, so it can tidy up, and
/// whoever asked waits for it. A value that came in spite of the request stands, and the task's
/// next await is asked to stop in its place. Nothing is caught for a task that had not begun.
template <detail::Operation Op>
[[nodiscard]] detail::CatchCancelledOperation<Op> catch_cancelled(Op operation) {
  return {std::move(operation)};
}

/// `co_await pd::fail(error);` ends the task with `error`. The way to fail from a `Task<void>`;
/// elsewhere `co_return error;` does the same.
[[nodiscard]] inline detail::FailOperation fail(Error error) { return {std::move(error)}; }

}  // namespace v0
}  // namespace perdure
