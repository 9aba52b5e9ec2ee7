/// Branches of different types: `ctx.all(a, b)`, `ctx.any(a, b)`, `ctx.race(a, b)`.
///
/// What this is: the operations in a tuple, and their states under the rules of branches.hpp.
/// What it promises: the state of a branch that is not wanted is destroyed when it has ended, one
/// that was never begun before the awaiter goes on.
#pragma once

#include <perdure/detail/branches.hpp>

#include <array>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace perdure {
inline namespace v0 {
namespace detail {

/// What awaits in a tuple or a variant: `void` has no place there.
template <class T>
using TupleElement = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

template <Rule kRule, class... Ops>
class PackState;

template <Rule kRule, class... Ops>
struct [[nodiscard("perdure: branches do nothing until they are awaited")]] PackOperation {
  static_assert(kRule == Rule::all || sizeof...(Ops) > 0,
                "perdure: nothing can win among no branches");
  using OperationState = PackState<kRule, Ops...>;
  using value_type =
      std::conditional_t<kRule == Rule::all, std::tuple<TupleElement<typename Ops::value_type>...>,
                         std::variant<TupleElement<typename Ops::value_type>...>>;
  std::tuple<Ops...> operations;
};

/// One branch of a pack. Its state is made where it stays: states are not moved.
template <class Op>
class PackBranch {
 public:
  using State = typename Op::OperationState;
  using Value = TupleElement<typename Op::value_type>;
  // Constrained, so that a tuple of one branch does not take it for a copy of itself.
  template <class From>
    requires std::same_as<std::remove_cvref_t<From>, Op>
  explicit PackBranch(From&& operation) : state(std::in_place, std::forward<From>(operation)) {}

  [[nodiscard]] Value take() {
    if constexpr (std::is_void_v<typename Op::value_type>) {
      state->take();
      return std::monostate{};
    } else {
      return state->take();
    }
  }
  std::optional<State> state;
};

template <Rule kRule, class... Ops>
class PackState final : public Branches {
 public:
  using Value = typename PackOperation<kRule, Ops...>::value_type;

  explicit PackState(PackOperation<kRule, Ops...>&& pack)
      : PackState(std::move(pack.operations), std::index_sequence_for<Ops...>{}) {}

  [[nodiscard]] Value take() {
    return [this]<std::size_t... I>(std::index_sequence<I...>) {
      if constexpr (kRule == Rule::all) {
        return Value(std::get<I>(states_).take()...);
      } else {
        std::optional<Value> won;
        ((I == this->winner() ? emplace<I>(won) : void()), ...);
        return Value(std::move(*won));
      }
    }(std::index_sequence_for<Ops...>{});
  }

 private:
  static constexpr std::size_t kCount = sizeof...(Ops);

  template <std::size_t... I>
  PackState(std::tuple<Ops...>&& operations, std::index_sequence<I...>)
      : Branches(kRule, kCount, kCount), states_(std::move(std::get<I>(operations))...) {}

  template <std::size_t I>
  void emplace(std::optional<Value>& won) {
    won.emplace(std::in_place_index<I>, std::get<I>(states_).take());
  }
  /// Visits the state at `index`.
  template <class F>
  void visit(std::size_t index, F&& visitor) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      ((I == index ? static_cast<void>(visitor(std::get<I>(states_).state)) : void()), ...);
    }(std::index_sequence_for<Ops...>{});
  }

  void begin(std::uint32_t index) override {
    const Start start = start_of(branches_[index], index, index);
    visit(index, [&](auto& state) { state->start(start); });
  }
  Branch& at(std::size_t position) noexcept override { return branches_[position]; }
  Error* failure_of(Branch& branch) noexcept override {
    Error* failure = nullptr;
    visit(branch.index, [&](auto& state) { failure = state->failure(); });
    return failure;
  }
  void judged(Branch& branch, Wanted wanted) override {
    if (wanted == Wanted::no) visit(branch.index, [](auto& state) { state.reset(); });
  }
  void stop_running() noexcept override {
    for (std::size_t i = 0; i < kCount; ++i)
      if (branches_[i].running) visit(i, [](auto& state) { state->request_stop(); });
  }
  void clear() noexcept override {
    if (failure() == nullptr && kRule == Rule::all) return;
    for (std::size_t i = 0; i < kCount; ++i)
      if (failure() != nullptr || i != winner()) visit(i, [](auto& state) { state.reset(); });
  }

  std::array<Branch, kCount> branches_{};
  std::tuple<PackBranch<Ops>...> states_;
};

}  // namespace detail
}  // namespace v0
}  // namespace perdure
