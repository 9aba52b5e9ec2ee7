/// The customisation point of the codec, and the names of types.
///
/// What this is: `Codec<T>`, the concept that asks whether there is one, and `type_name<T>()`. A
/// user's own type becomes a payload by PERDURE_DESCRIBE or by a specialisation of `Codec` with
///
///     static void write(Writer& writer, const T& value);             // exactly one value
///     static Result<void> read(const Reader& reader, T& value);      // value is T{} before
///     static constexpr std::string_view type_name();                 // "booking.Money"
///
/// in `namespace perdure`. Such a codec usually hands on to another:
/// `Codec<std::string>::write(…)`. What its JSON is like, it may say too (json_schema.hpp).
/// What it promises: a type's name is the same under every compiler; it is written to journals.
/// What it does not: qualify names. A described struct's name is the one given to PERDURE_DESCRIBE.
#pragma once

#include <perdure/detail/codec_reader.hpp>
#include <perdure/detail/codec_writer.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

namespace perdure {
inline namespace v0 {

/// How a `T` is written and read; see the top of this file.
template <class T>
struct Codec;

/// Whether `T` can be stored.
template <class T>
concept Codable = std::is_void_v<T> || requires(Writer& writer, const Reader& reader,
                                                const T& value, std::remove_const_t<T>& out) {
  Codec<T>::write(writer, value);
  { Codec<T>::read(reader, out) } -> std::same_as<Result<void>>;
  { Codec<T>::type_name() } -> std::convertible_to<std::string_view>;
};

/// The same as a constant.
template <class T>
inline constexpr bool codable = Codable<T>;

namespace detail {

/// Stops the compiler with one sentence where `T` can't be stored.
template <class T>
constexpr void require_codable() {
  static_assert(Codable<T>,
                "perdure: this type cannot be stored; describe it with PERDURE_DESCRIBE or "
                "specialise perdure::Codec");
}

template <class T>
constexpr std::string_view name_of() {
  if constexpr (std::is_void_v<T>) {
    return "unit";
  } else {
    return Codec<T>::type_name();
  }
}

/// The error of a list that is `found` long where `expected` was.
[[nodiscard]] Error wrong_length(const Reader& reader, std::size_t found,
                                 std::string_view expected);

/// A string literal as a template argument.
template <std::size_t N>
struct Literal {
  // Not explicit: it is made from the literal in the argument's place.
  constexpr Literal(const char (&text)[N]) { std::copy(text, text + N - 1, characters.begin()); }
  std::array<char, N - 1> characters{};
};

/// `list<i32>` as characters, made by the compiler.
template <Literal name, class... Ts>
constexpr auto template_characters() {
  constexpr std::size_t commas = sizeof...(Ts) > 1 ? sizeof...(Ts) - 1 : 0;
  std::array<char, name.characters.size() + 2 + commas + (0 + ... + name_of<Ts>().size())> text{};
  auto at = std::copy(name.characters.begin(), name.characters.end(), text.begin());
  char separator = '<';
  if (sizeof...(Ts) == 0) *at++ = '<';
  [[maybe_unused]] const auto append = [&](std::string_view part) {
    *at++ = std::exchange(separator, ',');
    at = std::copy(part.begin(), part.end(), at);
  };
  (append(name_of<Ts>()), ...);
  *at = '>';
  return text;
}
template <Literal name, class... Ts>
inline constexpr auto template_text = template_characters<name, Ts...>();

/// `template_name<"map", int, bool>()` is `"map<i32,bool>"`.
template <Literal name, class... Ts>
constexpr std::string_view template_name() {
  return {template_text<name, Ts...>.data(), template_text<name, Ts...>.size()};
}

}  // namespace detail

/// The name under which values of `T` are recorded: `"string"`, `"i32"`, `"list<i32>"`,
/// `"Booking"`; `"unit"` for void. The view lasts for ever.
template <class T>
[[nodiscard]] constexpr std::string_view type_name() {
  detail::require_codable<T>();
  return detail::name_of<T>();
}

namespace detail {

/// The same of what a handler, a tool or a step gives, where nothing is `"void"`.
template <class T>
[[nodiscard]] constexpr std::string_view type_name_or_void() {
  if constexpr (std::is_void_v<T>) {
    return "void";
  } else {
    return type_name<T>();
  }
}

}  // namespace detail
}  // namespace v0
}  // namespace perdure
