/// Words about a described type, for people and for models.
///
/// What this is: `PERDURE_EXPLAIN(Type, about, (name, words)...)`, which says what a described
/// struct and its fields, or a described enum and its values, are for. A JSON Schema
/// (json_schema.hpp) has these words as its descriptions.
/// What it promises: naming what PERDURE_DESCRIBE did not name does not compile. Payloads don't
/// depend on the words: change them as you like.
/// What it does not: have to name every field. It is not seen by what was compiled before it, so it
/// stands right after PERDURE_DESCRIBE.
#pragma once

#include <perdure/describe.hpp>

#include <boost/mp11/list.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <string_view>
#include <type_traits>

/// In the namespace of the type, after PERDURE_DESCRIBE or PERDURE_DESCRIBE_ENUM:
///
///     PERDURE_EXPLAIN(Search, "Searches the shop's catalogue.",
///                     (query, "what to look for, in plain words"),
///                     (limit, "how many results at most"));
///
/// All of them are string literals; `about` is "" where only the fields need words.
#define PERDURE_EXPLAIN(Type, about, ...)                                                          \
  [[maybe_unused]] constexpr auto perdure_explain(const Type*) noexcept {                          \
    static_assert(::perdure::detail::is_described<Type>,                                           \
                  "perdure: PERDURE_EXPLAIN(" #Type ", ...) stands where " #Type                   \
                  " is not described; put it after PERDURE_DESCRIBE");                             \
    PERDURE_DETAIL_EACH(PERDURE_DETAIL_CHECK_WORDS, Type, __VA_ARGS__)                             \
    return ::perdure::detail::explanation<Type>(::perdure::detail::Words{                          \
        "", about} PERDURE_DETAIL_EACH(PERDURE_DETAIL_WORDS, Type, __VA_ARGS__));                  \
  }                                                                                                \
  static_assert(true)

#define PERDURE_DETAIL_CHECK_WORDS(Type, name, words)                                              \
  static_assert(::perdure::detail::describes<Type>(#name),                                         \
                "perdure: PERDURE_EXPLAIN(" #Type ", ...) has words for '" #name                   \
                "', which PERDURE_DESCRIBE does not name");
#define PERDURE_DETAIL_WORDS(Type, name, words)                                                    \
  , ::perdure::detail::Words { #name, words }

// `macro(Type, name, words)` for each `(name, words)`. A macro is not expanded within itself, so
// each step leaves the next one to another scan, of which there are enough for 52 names.
#define PERDURE_DETAIL_EACH(macro, Type, ...)                                                      \
  __VA_OPT__(PERDURE_DETAIL_SCAN(PERDURE_DETAIL_EACH_STEP(macro, Type, __VA_ARGS__)))
#define PERDURE_DETAIL_EACH_STEP(macro, Type, first, ...)                                          \
  PERDURE_DETAIL_CALL(macro, Type, PERDURE_DETAIL_BARE first)                                      \
  __VA_OPT__(PERDURE_DETAIL_EACH_AGAIN PERDURE_DETAIL_NOTHING(macro, Type, __VA_ARGS__))
#define PERDURE_DETAIL_EACH_AGAIN() PERDURE_DETAIL_EACH_STEP
#define PERDURE_DETAIL_NOTHING ()
#define PERDURE_DETAIL_BARE(...) __VA_ARGS__
#define PERDURE_DETAIL_CALL(macro, ...) macro(__VA_ARGS__)
#define PERDURE_DETAIL_SCAN(...)                                                                   \
  PERDURE_DETAIL_SCAN3(                                                                            \
      PERDURE_DETAIL_SCAN3(PERDURE_DETAIL_SCAN3(PERDURE_DETAIL_SCAN3(__VA_ARGS__))))
#define PERDURE_DETAIL_SCAN3(...)                                                                  \
  PERDURE_DETAIL_SCAN2(                                                                            \
      PERDURE_DETAIL_SCAN2(PERDURE_DETAIL_SCAN2(PERDURE_DETAIL_SCAN2(__VA_ARGS__))))
#define PERDURE_DETAIL_SCAN2(...)                                                                  \
  PERDURE_DETAIL_SCAN1(                                                                            \
      PERDURE_DETAIL_SCAN1(PERDURE_DETAIL_SCAN1(PERDURE_DETAIL_SCAN1(__VA_ARGS__))))
#define PERDURE_DETAIL_SCAN1(...) __VA_ARGS__

namespace perdure {
inline namespace v0 {
namespace detail {

/// What is said of one name; an empty name is the type itself.
struct Words {
  std::string_view name;
  std::string_view words;
};

template <class T, std::size_t N>
struct Explanation {
  using Explains = T;
  std::array<Words, N> words;
};

template <class T, std::same_as<Words>... Ws>
constexpr Explanation<T, sizeof...(Ws)> explanation(const Ws&... words) {
  return {{words...}};
}

template <class T>
inline constexpr bool is_described = boost::describe::has_describe_members<T>::value ||
                                     boost::describe::has_describe_enumerators<T>::value;

/// Whether a list of descriptors has one of that name.
template <template <class...> class L, class... Ds>
constexpr bool has_name(L<Ds...>, std::string_view name) {
  return ((std::string_view(Ds::name) == name) || ...);
}

/// Whether `name` is a described field or value of `T`. What is not described has any name: that
/// is said already.
template <class T>
constexpr bool describes(std::string_view name) {
  if constexpr (boost::describe::has_describe_enumerators<T>::value) {
    return has_name(boost::describe::describe_enumerators<T>{}, name);
  } else if constexpr (boost::describe::has_describe_members<T>::value) {
    return has_name(boost::describe::describe_members<T, boost::describe::mod_public>{}, name);
  } else {
    return true;
  }
}

/// Not what a base class says of itself, which the call would also find.
template <class T>
concept Explained = requires(const T* type) {
  { perdure_explain(type) };
  requires std::same_as<typename decltype(perdure_explain(type))::Explains, T>;
};

/// What is said of the field or value `name` of `T`, or of `T` itself; empty for nothing.
template <class T>
constexpr std::string_view words_of(std::string_view name = {}) {
  if constexpr (Explained<T>) {
    for (const Words& entry : perdure_explain(static_cast<const T*>(nullptr)).words) {
      if (entry.name == name) return entry.words;
    }
  }
  return {};
}

}  // namespace detail
}  // namespace v0
}  // namespace perdure
