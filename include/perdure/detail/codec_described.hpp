/// The codec of structs described by PERDURE_DESCRIBE.
///
/// What this is: a struct is a map by field name, all fields always written.
/// What it promises: reading starts from `T{}`. A field that the payload lacks keeps its default,
/// so adding a field is compatible; a stored field that the struct no longer has is ignored, so
/// removing one is compatible too. Both at once may be a renaming that would lose data silently, so
/// it is an error naming both, until `FieldHistory<T>` says what happened.
/// What it does not: read positions or types: a field's place in the struct means nothing, and a
/// field whose type changed is read if the stored value fits the new one and is an error otherwise.
#pragma once

#include <perdure/describe.hpp>
#include <perdure/detail/codec_core.hpp>

#include <boost/mp11/algorithm.hpp>
#include <boost/mp11/list.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace perdure {
inline namespace v0 {

/// A field's former name.
struct RenamedField {
  std::string_view from;
  std::string_view to;
};

/// What became of the fields of `T`, for payloads of earlier releases. To say so, specialise it:
///
///     template <>
///     struct perdure::FieldHistory<Booking> {
///       static constexpr perdure::RenamedField renamed[] = {{"price", "price_cents"}};
///       static constexpr std::string_view removed[] = {"seat"};
///     };
///
/// Either member may be left out.
template <class T>
struct FieldHistory {};

namespace detail {

template <class T>
using FieldList = boost::describe::describe_members<T, boost::describe::mod_public>;

template <class T>
concept DescribedStruct = std::is_class_v<T> && boost::describe::has_describe_members<T>::value &&
                          requires { perdure_type_name(static_cast<const T*>(nullptr)); };

template <class T>
inline constexpr std::size_t field_count = boost::mp11::mp_size<FieldList<T>>::value;

/// The positions of the fields, sorted by name, as a payload's map is.
template <class T>
constexpr auto fields_by_name() {
  constexpr std::size_t count = field_count<T>;
  std::array<std::string_view, count> names{};
  [&]<template <class...> class L, class... Ds>(L<Ds...>) {
    std::size_t next = 0;
    ((names[next++] = Ds::name), ...);
  }(FieldList<T>{});
  std::array<std::size_t, count> order{};
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t place = i;
    for (; place > 0 && names[i] < names[order[place - 1]]; --place)
      order[place] = order[place - 1];
    order[place] = i;
  }
  return order;
}

template <class T, std::size_t rank>
using FieldAt = boost::mp11::mp_at_c<FieldList<T>, fields_by_name<T>()[rank]>;

template <class T, class D>
using FieldType = std::remove_reference_t<decltype(std::declval<T&>().*D::pointer)>;

/// Walks a map and the struct's fields side by side, both in the order of names.
class FieldWalk {
 public:
  explicit FieldWalk(const MapReader& map) noexcept : map_(&map) {}
  /// Whether the map has `name`, which must sort after the one asked for before; then `at()` is its
  /// place.
  [[nodiscard]] bool seek(std::string_view name) noexcept;
  [[nodiscard]] std::size_t at() const noexcept { return next_ - 1; }
  /// Whether the map also has keys that were not asked for.
  [[nodiscard]] bool has_unknown() const noexcept { return unknown_ || next_ < map_->size(); }

 private:
  const MapReader* map_;
  std::size_t next_ = 0;
  bool unknown_ = false;
};

struct FieldNames {
  std::span<const std::string_view> all;  ///< Sorted.
  std::span<const RenamedField> renamed;
  std::span<const std::string_view> removed;
};

/// What to do about a map that lacks fields and has unknown ones: `adopt` lists the places to read
/// under another name. An error names a missing and an unknown field.
struct Adoption {
  std::size_t place = 0;  ///< In the map.
  std::size_t field = 0;  ///< In `FieldNames::all`.
};
[[nodiscard]] Result<std::vector<Adoption>> settle_fields(const Reader& reader,
                                                          const MapReader& map,
                                                          const FieldNames& names,
                                                          std::uint64_t missing);

template <class T>
constexpr std::span<const RenamedField> renamed_fields() {
  if constexpr (requires { FieldHistory<T>::renamed; }) return FieldHistory<T>::renamed;
  return {};
}
template <class T>
constexpr std::span<const std::string_view> removed_fields() {
  if constexpr (requires { FieldHistory<T>::removed; }) return FieldHistory<T>::removed;
  return {};
}

}  // namespace detail

template <detail::DescribedStruct T>
struct Codec<T> {
  static constexpr std::size_t kFields = detail::field_count<T>;
  using Ranks = std::make_index_sequence<kFields>;

  static void write(Writer& writer, const T& value) {
    writer.begin_map();
    write_fields(writer, value, Ranks{});
    writer.end_map();
  }

  static Result<void> read(const Reader& reader, T& value) {
    static_assert(kFields <= 64, "perdure: a stored struct has at most 52 fields");
    PERDURE_TRY(const MapReader map, reader.map());
    detail::FieldWalk walk(map);
    std::uint64_t missing = 0;
    Result<void> done = read_fields(map, walk, value, missing, Ranks{});
    if (!done.has_value() || missing == 0 || !walk.has_unknown()) return done;
    return read_renamed(reader, map, value, missing, Ranks{});
  }

  static constexpr std::string_view type_name() {
    return perdure_type_name(static_cast<const T*>(nullptr));
  }

 private:
  template <std::size_t rank>
  using Field = detail::FieldAt<T, rank>;

  template <class D>
  using Type = detail::FieldType<T, D>;

  template <class D>
  static void write_field(Writer& writer, const T& value) {
    detail::require_codable<Type<D>>();
    writer.key(D::name);
    Codec<Type<D>>::write(writer, value.*D::pointer);
  }
  template <std::size_t... ranks>
  static void write_fields(Writer& writer, const T& value, std::index_sequence<ranks...>) {
    // A failed writer ends the recursion of a value that is nested too deep.
    static_cast<void>(
        ((writer.failed() ? false : (write_field<Field<ranks>>(writer, value), true)) && ...));
  }

  template <std::size_t... ranks>
  static Result<void> read_fields(const MapReader& map, detail::FieldWalk& walk, T& value,
                                  std::uint64_t& missing, std::index_sequence<ranks...>) {
    Result<void> done = success();
    [[maybe_unused]] const auto read_one =
        [&]<std::size_t rank>(std::integral_constant<std::size_t, rank>) {
          using D = Field<rank>;
          detail::require_codable<Type<D>>();
          if (!walk.seek(D::name)) {
            missing |= std::uint64_t{1} << rank;
            return true;
          }
          done = Codec<Type<D>>::read(map.value(walk.at(), D::name), value.*D::pointer);
          return done.has_value();
        };
    static_cast<void>((read_one(std::integral_constant<std::size_t, ranks>{}) && ...));
    return done;
  }

  template <std::size_t... ranks>
  static Result<void> read_renamed(const Reader& reader, const MapReader& map, T& value,
                                   std::uint64_t missing, std::index_sequence<ranks...>) {
    static constexpr std::array<std::string_view, kFields> names{Field<ranks>::name...};
    PERDURE_TRY(const std::vector<detail::Adoption> adopted,
                detail::settle_fields(
                    reader, map, {names, detail::renamed_fields<T>(), detail::removed_fields<T>()},
                    missing));
    Result<void> done = success();
    [[maybe_unused]] const auto read_one = [&]<std::size_t rank>(
                                               std::integral_constant<std::size_t, rank>,
                                               const detail::Adoption& found) {
      using D = Field<rank>;
      if (found.field == rank) {
        done = Codec<Type<D>>::read(map.value(found.place), value.*D::pointer);
      }
      return done.has_value();
    };
    for (const detail::Adoption& found : adopted) {
      if (!(read_one(std::integral_constant<std::size_t, ranks>{}, found) && ...)) break;
    }
    return done;
  }
};

}  // namespace v0
}  // namespace perdure
