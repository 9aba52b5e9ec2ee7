/// Codecs of the standard containers.
///
/// What this is: vectors, deques, arrays, sets and maps. A sequence or set is a list; a map is a
/// list of pairs, because a payload's own maps have text keys only. Maps with `std::string` keys
/// also read a payload's map, so that a JSON object will do.
/// What it promises: equal values give equal bytes: unordered containers are written in the order
/// of their keys, which therefore need `operator<`. A key that stands twice is an error.
/// What it does not: store multimaps, multisets or lists, or keep a comparison function.
#pragma once

#include <perdure/detail/codec_core.hpp>
#include <perdure/detail/codec_scalars.hpp>

#include <algorithm>
#include <array>
#include <compare>
#include <concepts>
#include <cstddef>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace perdure {
inline namespace v0 {
namespace detail {

/// Room made before any element was read: a stranger's count is not believed beyond it.
inline constexpr std::size_t kReserved = 1024;

template <class K>
concept Ordered = requires(const K& a, const K& b) {
  { a < b } -> std::convertible_to<bool>;
};

/// A strict order also where `operator<` is none (NaN).
template <class K>
bool key_before(const K& a, const K& b) {
  if constexpr (std::floating_point<K>) {
    return std::strong_order(a, b) < 0;
  } else {
    return a < b;
  }
}

/// The elements of an unordered container, sorted by what `key_of` makes of one.
template <class C, class KeyOf>
auto in_key_order(const C& container, KeyOf key_of) {
  static_assert(Ordered<typename C::key_type>,
                "perdure: the key of an unordered container needs operator<, so that its bytes do "
                "not depend on hashing");
  std::vector<const typename C::value_type*> elements;
  elements.reserve(container.size());
  for (const auto& element : container) elements.push_back(&element);
  const auto before = [&](const auto* a, const auto* b) {
    return key_before(key_of(*a), key_of(*b));
  };
  // A heap sort stays inside its bounds also where a key's operator< is inconsistent.
  std::make_heap(elements.begin(), elements.end(), before);
  std::sort_heap(elements.begin(), elements.end(), before);
  return elements;
}

template <class C, class T>
struct SequenceCodec {
  static void write(Writer& writer, const C& value) {
    writer.begin_list();
    for (const auto& element : value) {
      if (writer.failed()) return;
      Codec<T>::write(writer, element);
    }
    writer.end_list();
  }
  static Result<void> read(const Reader& reader, C& value) {
    PERDURE_TRY(const ListReader list, reader.list());
    value.clear();
    if constexpr (requires { value.reserve(kReserved); }) {
      value.reserve(std::min(list.size(), kReserved));
    }
    for (std::size_t i = 0; i < list.size(); ++i) {
      T element{};
      PERDURE_TRY(Codec<T>::read(list[i], element));
      value.push_back(std::move(element));
    }
    return success();
  }
  static constexpr std::string_view type_name() { return template_name<"list", T>(); }
};

template <class C, class K>
struct SetCodec {
  static Result<void> read(const Reader& reader, C& value) {
    PERDURE_TRY(const ListReader list, reader.list());
    value.clear();
    for (std::size_t i = 0; i < list.size(); ++i) {
      const Reader place = list[i];
      K element{};
      PERDURE_TRY(Codec<K>::read(place, element));
      if (!value.insert(std::move(element)).second) {
        return place.error("stands in the set already");
      }
    }
    return success();
  }
  static constexpr std::string_view type_name() { return template_name<"set", K>(); }
};

template <class C, class K, class V>
struct MapCodec {
  static void write_entry(Writer& writer, const std::pair<const K, V>& entry) {
    writer.begin_list();
    Codec<K>::write(writer, entry.first);
    Codec<V>::write(writer, entry.second);
    writer.end_list();
  }
  static Result<void> read(const Reader& reader, C& value) {
    if constexpr (std::same_as<K, std::string>) {
      if (reader.kind() == PayloadKind::map) return read_object(reader, value);
    }
    if (reader.kind() != PayloadKind::list) return reader.mismatch(expected());
    PERDURE_TRY(const ListReader list, reader.list());
    value.clear();
    for (std::size_t i = 0; i < list.size(); ++i) PERDURE_TRY(read_pair(list[i], value));
    return success();
  }
  static constexpr std::string_view type_name() { return template_name<"map", K, V>(); }

 private:
  static constexpr std::string_view expected() {
    return std::same_as<K, std::string> ? "a map, or a list of pairs" : "a list of pairs";
  }
  static Result<void> read_pair(const Reader& place, C& value) {
    if (place.kind() != PayloadKind::list) return place.mismatch("a pair");
    PERDURE_TRY(const ListReader pair, place.list());
    if (pair.size() != 2) return wrong_length(place, pair.size(), "a pair");
    K key{};
    V mapped{};
    PERDURE_TRY(Codec<K>::read(pair[0], key));
    PERDURE_TRY(Codec<V>::read(pair[1], mapped));
    if (!value.emplace(std::move(key), std::move(mapped)).second) {
      return place.error("its key stands in the map already");
    }
    return success();
  }
  static Result<void> read_object(const Reader& reader, C& value) {
    PERDURE_TRY(const MapReader map, reader.map());
    value.clear();
    for (std::size_t i = 0; i < map.size(); ++i) {
      PERDURE_TRY(const std::string_view key, map.key(i));
      V mapped{};
      PERDURE_TRY(Codec<V>::read(map.value(i), mapped));
      if (!value.emplace(std::string(key), std::move(mapped)).second) {
        return map.value(i).error("stands in the map already");
      }
    }
    return success();
  }
};

}  // namespace detail

template <Codable T, class A>
  requires(!detail::ByteLike<T>)
struct Codec<std::vector<T, A>> : detail::SequenceCodec<std::vector<T, A>, T> {};

template <Codable T, class A>
struct Codec<std::deque<T, A>> : detail::SequenceCodec<std::deque<T, A>, T> {};

template <Codable T, std::size_t N>
  requires(!detail::ByteLike<T>)
struct Codec<std::array<T, N>> {
  static void write(Writer& writer, const std::array<T, N>& value) {
    writer.begin_list();
    for (const T& element : value) Codec<T>::write(writer, element);
    writer.end_list();
  }
  static Result<void> read(const Reader& reader, std::array<T, N>& value) {
    PERDURE_TRY(const ListReader list, reader.list());
    if (list.size() != N) {
      return detail::wrong_length(reader, list.size(), "a list of " + std::to_string(N));
    }
    for (std::size_t i = 0; i < N; ++i) PERDURE_TRY(Codec<T>::read(list[i], value[i]));
    return success();
  }
  static constexpr std::string_view type_name() { return detail::template_name<"array", T>(); }
};

template <detail::ByteLike E, std::size_t N>
struct Codec<std::array<E, N>> {
  static void write(Writer& writer, const std::array<E, N>& value) {
    writer.bytes(detail::bytes_of(value.data(), N));
  }
  static Result<void> read(const Reader& reader, std::array<E, N>& value) {
    PERDURE_TRY(const ByteView bytes, reader.bytes());
    if (bytes.size() != N) return reader.mismatch(std::to_string(N) + " bytes");
    const auto* first = reinterpret_cast<const E*>(bytes.data());
    std::copy(first, first + N, value.begin());
    return success();
  }
  static constexpr std::string_view type_name() { return "bytes"; }
};

template <Codable K, class C, class A>
struct Codec<std::set<K, C, A>> : detail::SetCodec<std::set<K, C, A>, K> {
  static void write(Writer& writer, const std::set<K, C, A>& value) {
    writer.begin_list();
    for (const K& element : value) Codec<K>::write(writer, element);
    writer.end_list();
  }
};

template <Codable K, class H, class E, class A>
struct Codec<std::unordered_set<K, H, E, A>> : detail::SetCodec<std::unordered_set<K, H, E, A>, K> {
  static void write(Writer& writer, const std::unordered_set<K, H, E, A>& value) {
    const auto key_of = [](const K& key) -> const K& { return key; };
    writer.begin_list();
    for (const K* element : detail::in_key_order(value, key_of)) Codec<K>::write(writer, *element);
    writer.end_list();
  }
};

template <Codable K, Codable V, class C, class A>
struct Codec<std::map<K, V, C, A>> : detail::MapCodec<std::map<K, V, C, A>, K, V> {
  static void write(Writer& writer, const std::map<K, V, C, A>& value) {
    writer.begin_list();
    for (const auto& entry : value) {
      if (writer.failed()) return;
      Codec::write_entry(writer, entry);
    }
    writer.end_list();
  }
};

template <Codable K, Codable V, class H, class E, class A>
struct Codec<std::unordered_map<K, V, H, E, A>>
    : detail::MapCodec<std::unordered_map<K, V, H, E, A>, K, V> {
  static void write(Writer& writer, const std::unordered_map<K, V, H, E, A>& value) {
    const auto key_of = [](const std::pair<const K, V>& entry) -> const K& { return entry.first; };
    writer.begin_list();
    for (const auto* entry : detail::in_key_order(value, key_of)) {
      if (writer.failed()) return;
      Codec::write_entry(writer, *entry);
    }
    writer.end_list();
  }
};

}  // namespace v0
}  // namespace perdure
