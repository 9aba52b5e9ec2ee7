/// Codecs of optional, variant, tuple, pair and monostate.
///
/// What this is: an optional is null or its value; a tuple or pair is a list of exactly its length;
/// a variant is a map of one entry, from the alternative's name to its value, so that alternatives
/// may be reordered and added.
/// What it promises: two alternatives of one name, and an optional whose value could itself be
/// null, don't compile, because they could not be told apart when read.
/// What it does not: store a valueless variant; writing one is `misuse`.
#pragma once

#include <perdure/detail/codec_core.hpp>
#include <perdure/detail/codec_scalars.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace perdure {
inline namespace v0 {
namespace detail {

template <class T>
inline constexpr bool may_be_null = std::same_as<T, std::monostate>;
template <class T>
inline constexpr bool may_be_null<std::optional<T>> = true;

template <class... Ts>
constexpr bool names_differ() {
  const std::array<std::string_view, sizeof...(Ts)> names{name_of<Ts>()...};
  for (std::size_t i = 0; i < names.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (names[i] == names[j]) return false;
    }
  }
  return true;
}

/// The errors of variants: out of line, they are seldom made.
[[nodiscard]] Error valueless_variant(std::string_view type);
/// `map` with exactly one entry, or the error that says what was expected.
[[nodiscard]] Result<MapReader> single_entry(const Reader& reader, std::string_view expected);

/// Reads a list of exactly as many elements as the tuple or pair has.
template <class T, std::size_t... I>
Result<void> read_elements(const Reader& reader, T& value, std::index_sequence<I...>) {
  if (reader.kind() != PayloadKind::list) {
    return reader.mismatch("a list of " + std::to_string(sizeof...(I)));
  }
  PERDURE_TRY(const ListReader list, reader.list());
  if (list.size() != sizeof...(I)) {
    return wrong_length(reader, list.size(), "a list of " + std::to_string(sizeof...(I)));
  }
  Result<void> done = success();
  [[maybe_unused]] const auto read_one =
      [&]<std::size_t N>(std::integral_constant<std::size_t, N>) {
        done = Codec<std::tuple_element_t<N, T>>::read(list[N], std::get<N>(value));
        return done.has_value();
      };
  static_cast<void>((read_one(std::integral_constant<std::size_t, I>{}) && ...));
  return done;
}

}  // namespace detail

template <>
struct Codec<std::monostate> {
  static void write(Writer& writer, const std::monostate&) { writer.null(); }
  static Result<void> read(const Reader& reader, std::monostate&) { return reader.null(); }
  static constexpr std::string_view type_name() { return "unit"; }
};

template <Codable T>
struct Codec<std::optional<T>> {
  static_assert(!detail::may_be_null<T>,
                "perdure: an optional of something that may itself be empty cannot be stored; both "
                "would read as null");
  static void write(Writer& writer, const std::optional<T>& value) {
    if (value) {
      Codec<T>::write(writer, *value);
    } else {
      writer.null();
    }
  }
  static Result<void> read(const Reader& reader, std::optional<T>& value) {
    if (reader.is_null()) {
      value.reset();
      return success();
    }
    T content{};
    PERDURE_TRY(Codec<T>::read(reader, content));
    value = std::move(content);
    return success();
  }
  static constexpr std::string_view type_name() { return detail::template_name<"optional", T>(); }
};

template <Codable... Ts>
struct Codec<std::variant<Ts...>> {
  static void write(Writer& writer, const std::variant<Ts...>& value) {
    static_assert(detail::names_differ<Ts...>(),
                  "perdure: two alternatives of this variant have one name, so a stored one could "
                  "not be told from the other; give one of them another type");
    if (value.valueless_by_exception()) {
      writer.fail(detail::valueless_variant(type_name()));
      return;
    }
    std::visit(
        [&]<class T>(const T& content) {
          writer.begin_map();
          writer.key(perdure::type_name<T>());
          Codec<T>::write(writer, content);
          writer.end_map();
        },
        value);
  }
  static Result<void> read(const Reader& reader, std::variant<Ts...>& value) {
    PERDURE_TRY(const MapReader map, detail::single_entry(reader, "an alternative by its name"));
    Result<void> done = success();
    const auto read_one = [&]<class T>(std::type_identity<T>) {
      if (map.compare_key(0, perdure::type_name<T>()) != 0) return false;
      T content{};
      done = Codec<T>::read(map.value(0), content);
      if (done.has_value()) value = std::move(content);
      return true;
    };
    if ((read_one(std::type_identity<Ts>{}) || ...)) return done;
    PERDURE_TRY(const std::string_view name, map.key(0));
    return detail::unknown_name(reader, name, {perdure::type_name<Ts>()...});
  }
  static constexpr std::string_view type_name() {
    return detail::template_name<"variant", Ts...>();
  }
};

template <Codable... Ts>
struct Codec<std::tuple<Ts...>> {
  static void write(Writer& writer, const std::tuple<Ts...>& value) {
    writer.begin_list();
    std::apply([&](const Ts&... elements) { (Codec<Ts>::write(writer, elements), ...); }, value);
    writer.end_list();
  }
  static Result<void> read(const Reader& reader, std::tuple<Ts...>& value) {
    return detail::read_elements(reader, value, std::index_sequence_for<Ts...>{});
  }
  static constexpr std::string_view type_name() { return detail::template_name<"tuple", Ts...>(); }
};

template <Codable A, Codable B>
struct Codec<std::pair<A, B>> {
  static void write(Writer& writer, const std::pair<A, B>& value) {
    writer.begin_list();
    Codec<A>::write(writer, value.first);
    Codec<B>::write(writer, value.second);
    writer.end_list();
  }
  static Result<void> read(const Reader& reader, std::pair<A, B>& value) {
    return detail::read_elements(reader, value, std::index_sequence<0, 1>{});
  }
  static constexpr std::string_view type_name() { return detail::template_name<"pair", A, B>(); }
};

}  // namespace v0
}  // namespace perdure
