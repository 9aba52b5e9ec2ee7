/// Results: a value or an `Error`.
///
/// What this is: `Result<T>` is Boost.Outcome's `basic_result` with a policy of Perdure's, and
/// `PERDURE_TRY` a thin name over Outcome's own macro.
/// What it promises: `value()` on a failure throws `Exception` carrying the `Error`; `error()` on a
/// success stops the program with a message, in release builds too (it is a programming error);
/// `assume_value()` and `assume_error()` check nothing.
/// What it does not: convert between error types. There is one.
#pragma once

#include <perdure/error.hpp>

#include <boost/outcome/basic_result.hpp>
#include <boost/outcome/try.hpp>

#include <type_traits>
#include <utility>

namespace perdure {
inline namespace v0 {
namespace detail {

/// Reports `error()` or `assume`-like misuse on a success and aborts.
[[noreturn]] void result_without_error() noexcept;

/// Outcome's extension point: what the wide (checked) accessors do.
struct ResultPolicy : BOOST_OUTCOME_V2_NAMESPACE::policy::base {
  template <class Impl>
  static constexpr void wide_value_check(Impl&& self) {
    if (!base::_has_value(self)) throw Exception(base::_error(std::forward<Impl>(self)));
  }
  template <class Impl>
  static constexpr void wide_error_check(Impl&& self) noexcept {
    if (!base::_has_error(self)) result_without_error();
  }
};

}  // namespace detail

/// A `T`, or the `Error` why there is none.
template <class T>
using Result = BOOST_OUTCOME_V2_NAMESPACE::basic_result<T, Error, detail::ResultPolicy>;

/// `return success();` from a function returning `Result<void>`.
using BOOST_OUTCOME_V2_NAMESPACE::success;

namespace detail {

template <class>
struct is_result : std::false_type {};
template <class T>
struct is_result<Result<T>> : std::true_type {};

/// `T` for both `T` and `Result<T>`.
template <class R>
struct unwrap_result {
  using type = R;
};
template <class T>
struct unwrap_result<Result<T>> {
  using type = T;
};
template <class R>
using unwrap_result_t = typename unwrap_result<std::remove_cvref_t<R>>::type;

}  // namespace detail
}  // namespace v0
}  // namespace perdure

#define PERDURE_DETAIL_TRY_1(keyword, expression)                                                  \
  do {                                                                                             \
    BOOST_OUTCOME_##keyword##V(expression);                                                        \
  } while (false)

/// `PERDURE_TRY(auto x, expression);` ends the enclosing function with the expression's failure, or
/// gives `x` its value. `PERDURE_TRY(expression);` is the same without a value, and one statement.
#define PERDURE_TRY(first, ...)                                                                    \
  PERDURE_DETAIL_TRY_##__VA_OPT__(N)(TRY, first __VA_OPT__(, ) __VA_ARGS__)
/// The same inside a handler (a coroutine that returns `Task<T>`, T not void), for a `Result` at
/// hand.
#define PERDURE_CO_TRY(first, ...)                                                                 \
  PERDURE_DETAIL_TRY_##__VA_OPT__(N)(CO_TRY, first __VA_OPT__(, ) __VA_ARGS__)

#define PERDURE_DETAIL_TRY_(keyword, expression) PERDURE_DETAIL_TRY_1(keyword, expression)
#define PERDURE_DETAIL_TRY_N(keyword, ...) BOOST_OUTCOME_##keyword(__VA_ARGS__)
