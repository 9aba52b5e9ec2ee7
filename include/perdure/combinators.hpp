/// Combinators: operations that run side by side.
///
/// What this is: what `ctx.all`, `ctx.any`, `ctx.race` and `ctx.map` take and give.
/// What it promises: structure. A combinator ends when every branch that it began has ended: those
/// that are not wanted any more are asked to stop and waited for, their frames are destroyed, and
/// then the awaiter goes on. The number of branches costs no stack, and time in proportion.
/// Step ids have the branch's index as a component, whatever the interleaving: `3.0.1` is the first
/// await of the task that is branch 0 of the third await.
/// What it does not: run branches in parallel. Handlers and tasks of a run share its thread; what
/// runs beside each other are step bodies.
#pragma once

#include <perdure/detail/branch_pack.hpp>
#include <perdure/detail/branch_range.hpp>
#include <perdure/operations.hpp>

#include <concepts>
#include <ranges>
#include <type_traits>
#include <utility>
#include <vector>

namespace perdure {
inline namespace v0 {

/// Options of `ctx.map`.
struct MapOptions {
  /// Branches at a time; the next one begins when one has ended. 0: no bound.
  std::size_t limit = 0;
};

namespace detail {

template <class>
inline constexpr bool kIsVector = false;
template <class T>
inline constexpr bool kIsVector<std::vector<T>> = true;

template <Rule kRule, class... Ops>
[[nodiscard]] auto branches_of(Ops&&... operations) {
  static_assert((!std::is_lvalue_reference_v<Ops> && ...),
                "perdure: an operation is awaited once; write std::move(operation)");
  return PackOperation<kRule, std::remove_cvref_t<Ops>...>{
      std::tuple<std::remove_cvref_t<Ops>...>(std::forward<Ops>(operations)...)};
}

template <Rule kRule, class Vector>
[[nodiscard]] auto branches_of_vector(Vector&& operations) {
  using Op = typename std::remove_cvref_t<Vector>::value_type;
  static_assert(!std::is_lvalue_reference_v<Vector>,
                "perdure: an operation is awaited once; write std::move(operations)");
  static_assert(Operation<Op>,
                "perdure: branches are tasks or operations; to make one of each item, write "
                "ctx.map(items, f)");
  return RangeOperation<kRule, VectorSource<Op>>{
      VectorSource<Op>(std::forward<Vector>(operations))};
}

/// The items of any range: a vector as it is, of others what they give.
template <class Items>
[[nodiscard]] auto owned_items(Items&& items) {
  using T = std::ranges::range_value_t<Items>;
  if constexpr (std::same_as<Items, std::vector<T>>) {
    return std::vector<T>(std::forward<Items>(items));
  } else {
    static_assert(std::constructible_from<T, std::ranges::range_reference_t<Items>>,
                  "perdure: map owns its items; write ctx.map(std::move(items), f)");
    std::vector<T> owned;
    if constexpr (std::ranges::sized_range<Items>)
      owned.reserve(static_cast<std::size_t>(std::ranges::size(items)));
    for (auto&& each : items) owned.emplace_back(std::forward<decltype(each)>(each));
    return owned;
  }
}

template <class Items, class F>
[[nodiscard]] auto map_of(Items&& items, F function, const MapOptions& options) {
  using T = std::ranges::range_value_t<Items>;
  static_assert(!std::same_as<T, bool>,
                "perdure: a vector of bool cannot hand out its items; map over char or an enum");
  static_assert(std::invocable<F&, MapArgument<T, F>>,
                "perdure: map calls f(item) for each item: let f take one, by value or by "
                "reference");
  if constexpr (std::invocable<F&, MapArgument<T, F>>) {
    using Made = std::invoke_result_t<F&, MapArgument<T, F>>;
    static_assert(Operation<Made> && !std::is_reference_v<Made>,
                  "perdure: map's f gives what can be awaited, a task or an operation: wrap other "
                  "work in ctx.step");
    return RangeOperation<Rule::all, MapSource<T, F>>{
        MapSource<T, F>(owned_items(std::forward<Items>(items)), std::move(function)),
        options.limit};
  }
}

}  // namespace detail
}  // namespace v0
}  // namespace perdure
