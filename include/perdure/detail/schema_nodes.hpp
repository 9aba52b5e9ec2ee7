/// What a type's JSON looks like, as constants.
///
/// What this is: `schema_node<T>()`, a description of every stored type that knows its parts by
/// functions, so that a type may contain itself. `schema_text` (journal/json_schema.cpp) makes the
/// text of it.
/// What it promises: all of it is computed by the compiler; a type costs a constant, and no code
/// beyond a function that returns it.
/// What it does not: say how values are stored; that is each type's `Codec`, and a test holds both
/// against each other.
#pragma once

#include <perdure/codec.hpp>
#include <perdure/explain.hpp>

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

namespace perdure {
inline namespace v0 {
namespace detail {

enum class SchemaKind : std::uint8_t {
  null,
  boolean,
  integer,  ///< From `least` to `most`, where they are given.
  number,
  character,  ///< One byte of text.
  text,
  names,     ///< One of the names of the parts.
  bytes,     ///< `most` of them, where that is given.
  list,      ///< Of the only part; `most` of them, where that is given.
  set,       ///< Of the only part.
  map,       ///< Pairs of the two parts.
  text_map,  ///< The same, whose first part is text.
  tuple,
  optional,  ///< Of the only part.
  choice,    ///< Of one part, by its name.
  object,    ///< All parts, by their names.
  like,      ///< What the only part is.
  own,       ///< What `own` says.
};

struct SchemaNode;
using SchemaOf = const SchemaNode& (*)();

struct SchemaPart {
  std::string_view name;
  std::string_view words;
  SchemaOf of = nullptr;  ///< Not for an enum's names.
};

struct SchemaNode {
  SchemaKind kind = SchemaKind::null;
  /// A type with a name may stand under `$defs`; one without is written where it is used.
  std::string_view name = {};
  std::string_view words = {};
  std::span<const SchemaPart> parts = {};
  std::optional<std::int64_t> least = {};
  std::optional<std::int64_t> most = {};
  std::string (*own)() = nullptr;
};

/// The schema of `root` as compact JSON.
[[nodiscard]] std::string schema_text(const SchemaNode& root);

template <class T>
const SchemaNode& schema_node();

/// A part for each type, without names.
template <class... Ts>
inline constexpr std::array<SchemaPart, sizeof...(Ts)> schema_parts{
    SchemaPart{{}, {}, &schema_node<Ts>}...};

/// The node of a kind whose parts have no names.
template <SchemaKind which, class... Ts>
struct PartedShape {
  static constexpr SchemaNode node{.kind = which, .parts = schema_parts<Ts...>};
};
template <SchemaKind which>
struct PlainShape {
  static constexpr SchemaNode node{.kind = which};
};

/// `SchemaShape<T>::node`, for every type that has a codec in this library.
template <class T>
struct SchemaShape;

template <>
struct SchemaShape<void> : PlainShape<SchemaKind::null> {};
template <>
struct SchemaShape<std::monostate> : PlainShape<SchemaKind::null> {};
template <>
struct SchemaShape<bool> : PlainShape<SchemaKind::boolean> {};
template <>
struct SchemaShape<char> : PlainShape<SchemaKind::character> {};
template <>
struct SchemaShape<std::string> : PlainShape<SchemaKind::text> {};
template <>
struct SchemaShape<std::byte> {
  static constexpr SchemaNode node{.kind = SchemaKind::integer, .least = 0, .most = 255};
};

/// Many readers of JSON hold numbers as doubles, so the bounds of 64 bits are left out.
template <WholeNumber T>
struct SchemaShape<T> {
  using Limits = std::numeric_limits<T>;
  static constexpr std::optional<std::int64_t> bound(T value) {
    if (sizeof(T) == 8 && value != 0) return std::nullopt;
    return static_cast<std::int64_t>(value);
  }
  static constexpr SchemaNode node{
      .kind = SchemaKind::integer, .least = bound(Limits::min()), .most = bound(Limits::max())};
};
template <class T>
  requires std::same_as<T, float> || std::same_as<T, double>
struct SchemaShape<T> : PlainShape<SchemaKind::number> {};

template <DescribedEnum E>
  requires(Codec<E>::kByName)
struct SchemaShape<E> {
  template <template <class...> class L, class... Ds>
  static constexpr std::array<SchemaPart, sizeof...(Ds)> parts_of(L<Ds...>) {
    return {SchemaPart{Ds::name, words_of<E>(Ds::name), nullptr}...};
  }
  static constexpr auto parts = parts_of(boost::describe::describe_enumerators<E>{});
  static constexpr SchemaNode node{
      .kind = SchemaKind::names, .words = words_of<E>(), .parts = parts};
};
template <class E>
  requires(std::is_enum_v<E> && !DescribedEnum<E> && requires { typename Codec<E>::Number; })
struct SchemaShape<E> : PartedShape<SchemaKind::like, typename Codec<E>::Number> {};

// Bytes and containers

template <ByteLike E, class A>
struct SchemaShape<std::vector<E, A>> : PlainShape<SchemaKind::bytes> {};
template <ByteLike E, std::size_t N>
struct SchemaShape<std::array<E, N>> {
  static constexpr SchemaNode node{.kind = SchemaKind::bytes, .most = N};
};
template <class T, class A>
  requires(!ByteLike<T>)
struct SchemaShape<std::vector<T, A>> : PartedShape<SchemaKind::list, T> {};
template <class T, class A>
struct SchemaShape<std::deque<T, A>> : PartedShape<SchemaKind::list, T> {};
template <class T, std::size_t N>
  requires(!ByteLike<T>)
struct SchemaShape<std::array<T, N>> {
  static constexpr SchemaNode node{.kind = SchemaKind::list, .parts = schema_parts<T>, .most = N};
};
template <class K, class C, class A>
struct SchemaShape<std::set<K, C, A>> : PartedShape<SchemaKind::set, K> {};
template <class K, class H, class E, class A>
struct SchemaShape<std::unordered_set<K, H, E, A>> : PartedShape<SchemaKind::set, K> {};

template <class K>
inline constexpr SchemaKind map_kind =
    std::same_as<K, std::string> ? SchemaKind::text_map : SchemaKind::map;
template <class K, class V, class C, class A>
struct SchemaShape<std::map<K, V, C, A>> : PartedShape<map_kind<K>, K, V> {};
template <class K, class V, class H, class E, class A>
struct SchemaShape<std::unordered_map<K, V, H, E, A>> : PartedShape<map_kind<K>, K, V> {};

// Sums and products

template <class T>
struct SchemaShape<std::optional<T>> : PartedShape<SchemaKind::optional, T> {};
template <class... Ts>
struct SchemaShape<std::tuple<Ts...>> : PartedShape<SchemaKind::tuple, Ts...> {};
template <class A, class B>
struct SchemaShape<std::pair<A, B>> : PartedShape<SchemaKind::tuple, A, B> {};
template <class... Ts>
struct SchemaShape<std::variant<Ts...>> {
  static constexpr std::array<SchemaPart, sizeof...(Ts)> parts{
      SchemaPart{type_name<Ts>(), {}, &schema_node<Ts>}...};
  static constexpr SchemaNode node{.kind = SchemaKind::choice, .parts = parts};
};

/// "milliseconds since 1970-01-01 00:00 UTC".
constexpr std::string_view unit_words(TimeForm form, const TimeUnit& unit) {
  const auto pick = [form](std::string_view elapsed, std::string_view since_1970) {
    return form == TimeForm::elapsed ? elapsed : since_1970;
  };
  if (unit.elapsed == "ns") return pick("nanoseconds", "nanoseconds since 1970-01-01 00:00 UTC");
  if (unit.elapsed == "us") return pick("microseconds", "microseconds since 1970-01-01 00:00 UTC");
  if (unit.elapsed == "ms") return pick("milliseconds", "milliseconds since 1970-01-01 00:00 UTC");
  if (unit.elapsed == "s") return pick("seconds", "seconds since 1970-01-01 00:00 UTC");
  if (unit.elapsed == "min") return pick("minutes", "minutes since 1970-01-01 00:00 UTC");
  if (unit.elapsed == "h") return pick("hours", "hours since 1970-01-01 00:00 UTC");
  if (unit.elapsed == "d") return pick("days", "days since 1970-01-01");
  return pick("weeks", "weeks since 1970-01-01");
}
template <TimeForm form, class Rep, class Period>
struct CountShape {
  static constexpr TimeUnit unit = time_unit<Period>();
  static constexpr std::array<SchemaPart, 1> parts{
      SchemaPart{unit_name(form, unit), unit_words(form, unit), &schema_node<Rep>}};
  static constexpr SchemaNode node{.kind = SchemaKind::object, .parts = parts};
};
template <class Rep, class Period>
struct SchemaShape<std::chrono::duration<Rep, Period>>
    : CountShape<TimeForm::elapsed, Rep, Period> {};
template <class Rep, class Period>
struct SchemaShape<
    std::chrono::time_point<std::chrono::system_clock, std::chrono::duration<Rep, Period>>>
    : CountShape<TimeForm::since_1970, Rep, Period> {};

template <DescribedStruct T>
  requires(Codec<T>::kFields <= 64)
struct SchemaShape<T> {
  template <template <class...> class L, class... Ds>
  static constexpr std::array<SchemaPart, sizeof...(Ds)> parts_of(L<Ds...>) {
    return {SchemaPart{Ds::name, words_of<T>(Ds::name), &schema_node<FieldType<T, Ds>>}...};
  }
  static constexpr auto parts = parts_of(FieldList<T>{});
  static constexpr SchemaNode node{
      .kind = SchemaKind::object, .name = type_name<T>(), .words = words_of<T>(), .parts = parts};
};

// Codecs of users

template <class T>
concept JsonLikeAnother = requires { typename Codec<T>::JsonLike; };
template <class T>
concept OwnJsonSchema = requires {
  { Codec<T>::json_schema() } -> std::convertible_to<std::string>;
};

template <class T>
struct LikeShape {
  static_assert(!std::same_as<typename Codec<T>::JsonLike, T>,
                "perdure: JsonLike is another type than the codec's own");
  static constexpr SchemaNode node{.kind = SchemaKind::like,
                                   .name = type_name<T>(),
                                   .parts = schema_parts<typename Codec<T>::JsonLike>};
};
template <class T>
struct OwnShape {
  static std::string own() { return Codec<T>::json_schema(); }
  static constexpr SchemaNode node{.kind = SchemaKind::own, .own = &own};
};

/// What `T` looks like in JSON; it lasts for ever.
template <class T>
const SchemaNode& schema_node() {
  require_codable<T>();
  if constexpr (!Codable<T>) {
    return PlainShape<SchemaKind::null>::node;
  } else if constexpr (JsonLikeAnother<T>) {
    return LikeShape<T>::node;
  } else if constexpr (OwnJsonSchema<T>) {
    return OwnShape<T>::node;
  } else {
    constexpr bool known = requires { SchemaShape<T>::node; };
    static_assert(known,
                  "perdure: the codec of this type says nothing of its JSON; give it `using "
                  "JsonLike = AnotherType;` or `static std::string json_schema()`");
    if constexpr (known) return SchemaShape<T>::node;
  }
}

}  // namespace detail
}  // namespace v0
}  // namespace perdure
