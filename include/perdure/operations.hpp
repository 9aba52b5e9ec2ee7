/// Operations: what a handler awaits besides tasks.
///
/// What this is: the awaitables behind `ctx.step`, `ctx.all`, `as_result` and `fail`.
/// What it promises: an operation is lazy, it is a value until it is awaited, and it is awaited
/// once.
/// Its step id is given when it starts, so it does not depend on the order in which arguments are
/// evaluated.
/// What it does not: run by itself. An operation that is never awaited never happens.
#pragma once

#include <perdure/task.hpp>

#include <array>
#include <functional>
#include <tuple>
#include <variant>

namespace perdure {
inline namespace v0 {
namespace detail {

/// The failure of a body that threw; called in a catch block.
[[nodiscard]] Error error_of_thrown() noexcept;
/// What a branch ends with that nobody needs any more.
[[nodiscard]] Error cancelled_error();

/// What awaits in a tuple: `void` has no place there.
template <class T>
using TupleElement = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

template <class T>
inline constexpr bool kIsTask = false;
template <class T>
inline constexpr bool kIsTask<Task<T>> = true;

template <class F>
class StepState;

/// `ctx.step(name, body, options)`.
template <class F>
struct [[nodiscard("perdure: a step does nothing until it is awaited")]] StepOperation {
  using OperationState = StepState<F>;
  using Returned = std::invoke_result_t<F&, Step&>;
  static_assert(
      !kIsTask<std::remove_cvref_t<Returned>>,
      "perdure: a step body is one boundary, not a handler; await the task itself instead");
  static_assert(!std::is_reference_v<Returned> && !std::is_pointer_v<Returned>,
                "perdure: a step's result is stored: return a value");
  using value_type = unwrap_result_t<Returned>;

  Name name;
  F body;
  StepOptions options;
};

template <class F>
class StepState final : public BodyLeaf {
 public:
  using Value = typename StepOperation<F>::value_type;
  using Returned = typename StepOperation<F>::Returned;

  explicit StepState(StepOperation<F>&& operation)
      : BodyLeaf(std::move(operation.name), type_of(), operation.options),
        body_(std::move(operation.body)) {}

  void start(const Start& start) { open(start); }
  void request_stop() noexcept {
    if (!result_) stop();
  }
  [[nodiscard]] Error* failure() noexcept {
    return result_->has_error() ? &result_->assume_error() : nullptr;
  }
  [[nodiscard]] Value take() {
    if constexpr (!std::is_void_v<Value>) return std::move(*result_).assume_value();
  }

  [[nodiscard]] Result<void> accept(ByteView payload) override {
    if constexpr (std::is_void_v<Value>) {
      (void)payload;
      result_.emplace(success());
    } else {
      PERDURE_TRY(Value value, decode<Value>(payload));
      result_.emplace(BOOST_OUTCOME_V2_NAMESPACE::in_place_type<Value>, std::move(value));
    }
    return success();
  }
  void refuse(Error error) override { result_.emplace(std::move(error)); }

  [[nodiscard]] BodyResult run(Step& step) noexcept override {
    try {
      if constexpr (std::is_void_v<Returned>) {
        body_(step);
        return Bytes{};
      } else if constexpr (is_result<Returned>::value) {
        Returned returned = body_(step);
        if (returned.has_error()) return std::move(returned).assume_error();
        if constexpr (std::is_void_v<Value>) {
          return Bytes{};
        } else {
          return encode(returned.assume_value());
        }
      } else {
        return encode(Value(body_(step)));
      }
    } catch (...) {
      return error_of_thrown();
    }
  }

 private:
  static std::string_view type_of() {
    if constexpr (std::is_void_v<Value>) {
      return "void";
    } else {
      require_codable<Value>();
      return type_name<Value>();
    }
  }
  F body_;
  std::optional<Result<Value>> result_;
};

/// Whether `as_result` hands a cancel over, too.
enum class Cancelled : std::uint8_t { passes, is_caught };

/// `pd::as_result(operation)` and `pd::catch_cancelled(operation)`.
template <class Op, Cancelled cancelled>
class AsResultState;
template <class Op, Cancelled cancelled = Cancelled::passes>
struct [[nodiscard]] AsResultOperation {
  using OperationState = AsResultState<Op, cancelled>;
  using value_type = Result<typename Op::value_type>;
  Op operation;
};
template <class Op, Cancelled cancelled>
class AsResultState {
 public:
  using Value = typename AsResultOperation<Op, cancelled>::value_type;
  explicit AsResultState(AsResultOperation<Op, cancelled>&& wrapped)
      : state_(std::move(wrapped.operation)) {}
  void start(const Start& start) { state_.start(start); }
  void request_stop() noexcept { state_.request_stop(); }
  /// A cancel is not caught: "model A failed, ask model B" must not swallow it.
  [[nodiscard]] Error* failure() noexcept {
    Error* const error = state_.failure();
    const bool passes = cancelled == Cancelled::passes;
    return passes && error != nullptr && error->code == Code::cancelled ? error : nullptr;
  }
  [[nodiscard]] Value take() {
    if (Error* const error = state_.failure()) return std::move(*error);
    if constexpr (std::is_void_v<typename Op::value_type>) {
      return success();
    } else {
      return Value(BOOST_OUTCOME_V2_NAMESPACE::in_place_type<typename Op::value_type>,
                   state_.take());
    }
  }

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

/// `ctx.all(operations...)`.
template <class... Ops>
class AllState;
template <class... Ops>
struct [[nodiscard("perdure: `all` does nothing until it is awaited")]] AllOperation {
  using OperationState = AllState<Ops...>;
  using value_type = std::tuple<TupleElement<typename Ops::value_type>...>;
  std::tuple<Ops...> operations;
};
template <class... Ops>
class AllState final : public Parent {
 public:
  using Value = typename AllOperation<Ops...>::value_type;
  static constexpr std::size_t kCount = sizeof...(Ops);

  explicit AllState(AllOperation<Ops...>&& all)
      : AllState(std::move(all.operations), std::index_sequence_for<Ops...>{}) {}
  AllState(const AllState&) = delete;
  AllState& operator=(const AllState&) = delete;

  void start(const Start& start) {
    place_ = start.place;
    parent_ = &start.parent;
    position_ = start.position;
    if constexpr (kCount == 0) {
      parent_->child_ended(position_);
    } else {
      each([&](auto& state, std::size_t i) {
        started_ = i + 1;
        state.start(
            Start{start.execution, Place{&place_, static_cast<std::uint32_t>(i)}, *this, i});
        // A branch before it failed at once.
        if (failure_ && !ended_[i]) state.request_stop();
      });
    }
  }
  void request_stop() noexcept {
    each([&](auto& state, std::size_t i) {
      if (i < started_ && !ended_[i]) state.request_stop();
    });
  }
  /// The first failure by order of delivery decides; the other branches are asked to stop, and
  /// `all` ends when they have ended, because their bodies may borrow from the frames.
  void child_ended(std::size_t position) noexcept override {
    ended_[position] = true;
    Error* failed = nullptr;
    each([&](auto& state, std::size_t i) {
      if (i == position) failed = state.failure();
    });
    ++count_;
    if (failed != nullptr && !failure_) {
      failure_ = std::move(*failed);
      request_stop();
    }
    if (count_ == kCount) parent_->child_ended(position_);
  }
  [[nodiscard]] Error* failure() noexcept { return failure_ ? &*failure_ : nullptr; }
  [[nodiscard]] Value take() {
    return [this]<std::size_t... I>(std::index_sequence<I...>) {
      return Value(taken(std::get<I>(states_))...);
    }(std::index_sequence_for<Ops...>{});
  }

 private:
  template <class State>
  struct Holder {
    template <class Op>
      requires(!std::same_as<std::remove_cvref_t<Op>, Holder>)
    explicit Holder(Op&& operation) : state(std::forward<Op>(operation)) {}
    State state;
  };
  template <std::size_t... I>
  AllState(std::tuple<Ops...>&& operations, std::index_sequence<I...>)
      : states_(std::move(std::get<I>(operations))...) {}

  template <class F>
  void each(F&& visit) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (visit(std::get<I>(states_).state, I), ...);
    }(std::index_sequence_for<Ops...>{});
  }
  template <class State>
  static auto taken(Holder<State>& holder) {
    if constexpr (std::is_void_v<typename State::Value>) {
      holder.state.take();
      return std::monostate{};
    } else {
      return holder.state.take();
    }
  }

  std::tuple<Holder<typename Ops::OperationState>...> states_;
  std::array<bool, kCount> ended_{};
  std::size_t started_ = 0;
  std::size_t count_ = 0;
  std::optional<Error> failure_;
  Place place_;
  Parent* parent_ = nullptr;
  std::size_t position_ = 0;
};

}  // namespace detail

/// The same operation, but its failure is handed over as a value: `Result<T> r = co_await
/// as_result(op);`. `Code::cancelled` is not caught.
template <detail::Operation Op>
[[nodiscard]] detail::AsResultOperation<Op> as_result(Op operation) {
  return {std::move(operation)};
}

/// As `as_result`, and it hands over `Code::cancelled`, too: for a handler that has something to do
/// before it ends. What it then awaits works until the grace period is over.
template <detail::Operation Op>
[[nodiscard]] detail::AsResultOperation<Op, detail::Cancelled::is_caught> catch_cancelled(
    Op operation) {
  return {std::move(operation)};
}

/// `co_await pd::fail(error);` ends the task with `error`. The way to fail from a `Task<void>`;
/// elsewhere `co_return error;` does the same.
[[nodiscard]] inline detail::FailOperation fail(Error error) { return {std::move(error)}; }

}  // namespace v0
}  // namespace perdure
