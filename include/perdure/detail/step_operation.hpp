/// The operation behind `ctx.step`.
///
/// What this is: a name, a body and options as a value, and the leaf that they become when they are
/// awaited.
/// What it promises: see `Context::step`.
/// What it does not: run a body; the engine does, through `Leaf::run`.
#pragma once

#include <perdure/detail/leaf_state.hpp>
#include <perdure/detail/tool_entry.hpp>
#include <perdure/task.hpp>

#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace perdure {
inline namespace v0 {
namespace detail {

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
class StepState final : public DecodedState<BodyLeaf, typename StepOperation<F>::value_type> {
 public:
  using Value = typename StepOperation<F>::value_type;
  using Returned = typename StepOperation<F>::Returned;

  explicit StepState(StepOperation<F>&& operation)
      : DecodedState<BodyLeaf, Value>(std::move(operation.name), type_name_or_void<Value>(),
                                      operation.options),
        body_(std::move(operation.body)) {}

  [[nodiscard]] bool transacts() const noexcept override {
    return requires { typename F::IsTransaction; };
  }
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
  F body_;
};

}  // namespace detail
}  // namespace v0
}  // namespace perdure
