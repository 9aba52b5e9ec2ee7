/// Codecs of numbers, truth values, characters, enums, text and bytes.
///
/// What this is: the leaves of payloads.
/// What it promises: a whole number is read into another width or sign if its value fits, and is an
/// error otherwise; a fraction never becomes a whole number. Enums described by
/// PERDURE_DESCRIBE_ENUM travel by name, so their numbers may change; other enums travel by their
/// number, and any number of the underlying type is read.
/// What it does not: store `wchar_t`, `long double` or pointers: their bytes differ between
/// machines.
#pragma once

#include <perdure/describe.hpp>
#include <perdure/detail/codec_core.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

namespace perdure {
inline namespace v0 {
namespace detail {

template <class T>
concept WholeNumber =
    std::integral<T> && std::same_as<T, std::remove_cv_t<T>> && !std::same_as<T, bool> &&
    !std::same_as<T, char> && !std::same_as<T, wchar_t> && (sizeof(T) <= 8);

template <class T>
constexpr std::string_view whole_number_name() {
  if (std::same_as<T, char8_t>) return "char8";
  if (std::same_as<T, char16_t>) return "char16";
  if (std::same_as<T, char32_t>) return "char32";
  switch (sizeof(T)) {
    case 1: return std::is_signed_v<T> ? "i8" : "u8";
    case 2: return std::is_signed_v<T> ? "i16" : "u16";
    case 4: return std::is_signed_v<T> ? "i32" : "u32";
    default: return std::is_signed_v<T> ? "i64" : "u64";
  }
}

template <class T>
concept DescribedEnum = std::is_enum_v<T> && boost::describe::has_describe_enumerators<T>::value &&
                        requires { perdure_type_name(static_cast<const T*>(nullptr)); };

/// Calls `visit(value, name)` for each described value until it returns true.
template <DescribedEnum E, class Visit>
constexpr bool any_enumerator(Visit visit) {
  return []<template <class...> class L, class... Ds>(L<Ds...>, Visit& call) {
    return (call(static_cast<E>(Ds::value), std::string_view(Ds::name)) || ...);
  }(boost::describe::describe_enumerators<E>{}, visit);
}

/// "one of 'red', 'green'".
[[nodiscard]] std::string one_of(const std::vector<std::string_view>& names);
/// The error of reading a name that is none of `names`.
[[nodiscard]] Error unknown_name(const Reader& reader, std::string_view name,
                                 const std::vector<std::string_view>& names);
/// The error of writing an enum's number that no described name has.
[[nodiscard]] Error nameless_enumerator(std::string_view enum_name, std::string_view number);

template <class E>
concept ByteLike =
    std::same_as<E, std::byte> || std::same_as<E, unsigned char> || std::same_as<E, char>;

template <ByteLike E>
ByteView bytes_of(const E* data, std::size_t size) {
  return {reinterpret_cast<const std::byte*>(data), size};
}

}  // namespace detail

template <>
struct Codec<bool> {
  static void write(Writer& writer, const bool& value) { writer.boolean(value); }
  static Result<void> read(const Reader& reader, bool& value) { return reader.boolean(value); }
  static constexpr std::string_view type_name() { return "bool"; }
};

template <detail::WholeNumber T>
struct Codec<T> {
  static void write(Writer& writer, const T& value) {
    if constexpr (std::is_signed_v<T>) {
      writer.integer(value);
    } else {
      writer.natural(value);
    }
  }
  static Result<void> read(const Reader& reader, T& value) {
    if constexpr (std::is_signed_v<T>) {
      std::int64_t wide = 0;
      Result<void> done =
          reader.integer(wide, std::numeric_limits<T>::min(), std::numeric_limits<T>::max());
      if (done.has_value()) value = static_cast<T>(wide);
      return done;
    } else {
      std::uint64_t wide = 0;
      Result<void> done = reader.natural(wide, std::numeric_limits<T>::max());
      if (done.has_value()) value = static_cast<T>(wide);
      return done;
    }
  }
  static constexpr std::string_view type_name() { return detail::whole_number_name<T>(); }
};

template <class T>
  requires std::same_as<T, float> || std::same_as<T, double>
struct Codec<T> {
  static void write(Writer& writer, const T& value) { writer.number(static_cast<double>(value)); }
  static Result<void> read(const Reader& reader, T& value) { return reader.number(value); }
  static constexpr std::string_view type_name() { return std::same_as<T, float> ? "f32" : "f64"; }
};

/// One byte of text.
template <>
struct Codec<char> {
  static void write(Writer& writer, const char& value) { writer.text({&value, 1}); }
  static Result<void> read(const Reader& reader, char& value) {
    PERDURE_TRY(const std::string_view text, reader.text());
    if (text.size() != 1) return reader.mismatch("one character");
    value = text.front();
    return success();
  }
  static constexpr std::string_view type_name() { return "char"; }
};

template <>
struct Codec<std::byte> {
  static void write(Writer& writer, const std::byte& value) {
    writer.natural(std::to_integer<std::uint64_t>(value));
  }
  static Result<void> read(const Reader& reader, std::byte& value) {
    std::uint64_t wide = 0;
    PERDURE_TRY(reader.natural(wide, 255));
    value = static_cast<std::byte>(wide);
    return success();
  }
  static constexpr std::string_view type_name() { return "byte"; }
};

template <detail::DescribedEnum E>
struct Codec<E> {
  static constexpr bool kByName = true;
  static void write(Writer& writer, const E& value) {
    const bool named = detail::any_enumerator<E>([&](E candidate, std::string_view name) {
      if (candidate != value) return false;
      writer.text(name);
      return true;
    });
    if (!named) {
      // The unary plus lets a char-sized number print as a number.
      const auto number = +static_cast<std::underlying_type_t<E>>(value);
      writer.fail(detail::nameless_enumerator(type_name(), std::to_string(number)));
    }
  }
  static Result<void> read(const Reader& reader, E& value) {
    if (reader.kind() != PayloadKind::text) return reader.mismatch(detail::one_of(names()));
    PERDURE_TRY(const std::string_view text, reader.text());
    const bool known = detail::any_enumerator<E>([&](E candidate, std::string_view name) {
      if (name != text) return false;
      value = candidate;
      return true;
    });
    if (!known) return detail::unknown_name(reader, text, names());
    return success();
  }
  static constexpr std::string_view type_name() {
    return perdure_type_name(static_cast<const E*>(nullptr));
  }

 private:
  static std::vector<std::string_view> names() {
    std::vector<std::string_view> all;
    detail::any_enumerator<E>([&](E, std::string_view name) {
      all.push_back(name);
      return false;
    });
    return all;
  }
};

template <class E>
  requires(std::is_enum_v<E> && !detail::DescribedEnum<E> && !std::same_as<E, std::byte> &&
           Codable<std::underlying_type_t<E>>)
struct Codec<E> {
  using Number = std::underlying_type_t<E>;
  static void write(Writer& writer, const E& value) {
    Codec<Number>::write(writer, static_cast<Number>(value));
  }
  static Result<void> read(const Reader& reader, E& value) {
    Number number{};
    PERDURE_TRY(Codec<Number>::read(reader, number));
    value = static_cast<E>(number);
    return success();
  }
  static constexpr std::string_view type_name() { return detail::template_name<"enum", Number>(); }
};

template <>
struct Codec<std::string> {
  static void write(Writer& writer, const std::string& value) { writer.text(value); }
  static Result<void> read(const Reader& reader, std::string& value) {
    PERDURE_TRY(const std::string_view text, reader.text());
    value.assign(text);
    return success();
  }
  static constexpr std::string_view type_name() { return "string"; }
};

template <detail::ByteLike E, class A>
struct Codec<std::vector<E, A>> {
  static void write(Writer& writer, const std::vector<E, A>& value) {
    writer.bytes(detail::bytes_of(value.data(), value.size()));
  }
  static Result<void> read(const Reader& reader, std::vector<E, A>& value) {
    PERDURE_TRY(const ByteView bytes, reader.bytes());
    const auto* first = reinterpret_cast<const E*>(bytes.data());
    value.assign(first, first + bytes.size());
    return success();
  }
  static constexpr std::string_view type_name() { return "bytes"; }
};

}  // namespace v0
}  // namespace perdure
