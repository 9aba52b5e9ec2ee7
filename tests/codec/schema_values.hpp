/// Described types of many fields, and random values of them.
///
/// What this is: what JSON Schemas are held against reading with. Every field's name begins with
/// `f_`, so that a struct can be told from other objects.
/// What it promises: one seed gives one value. Text is UTF-8, numbers are finite and keys of maps
/// are not empty.
#pragma once

#include <perdure/blob.hpp>
#include <perdure/json_schema.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

namespace perdure::testing_codec::schema_values {

enum class Shape { circle, square, triangle };
PERDURE_DESCRIBE_ENUM(Shape, circle, square, triangle);
enum class Raw : std::int16_t {};
struct Point {
  double f_x = 0;
  float f_y = 0;
};
PERDURE_DESCRIBE(Point, f_x, f_y);

struct Node {
  std::int64_t f_number = 0;
  std::uint64_t f_natural = 0;
  std::int8_t f_small = 0;
  char f_letter = 'a';
  Raw f_raw{};
  bool f_flag = false;
  std::string f_text;
  std::vector<std::byte> f_bytes;
  std::array<char, 4> f_four{};
  std::optional<Shape> f_shape;
  std::vector<Point> f_points;
  std::map<std::string, std::int16_t> f_map;
  std::variant<bool, Point, std::vector<std::string>, std::monostate> f_choice;
  std::vector<Node> f_children;
};
PERDURE_DESCRIBE(Node, f_number, f_natural, f_small, f_letter, f_raw, f_flag, f_text, f_bytes,
                 f_four, f_shape, f_points, f_map, f_choice, f_children);

struct Trip {
  std::chrono::milliseconds f_delay{};
  std::chrono::duration<std::int32_t, std::ratio<60>> f_minutes{};
  std::chrono::duration<double> f_seconds{};
  std::chrono::sys_seconds f_start{};
  Blob f_film;
  std::tuple<std::int8_t, bool, std::string> f_tuple;
  std::pair<Shape, double> f_pair;
  std::set<std::int32_t> f_set;
  std::unordered_set<std::string> f_words;
  std::unordered_map<std::uint8_t, Point> f_stops;
  std::deque<std::optional<std::uint16_t>> f_queue;
  std::array<std::uint32_t, 2> f_two{};
  std::optional<std::map<std::string, std::vector<Shape>>> f_more;
};
PERDURE_DESCRIBE(Trip, f_delay, f_minutes, f_seconds, f_start, f_film, f_tuple, f_pair, f_set,
                 f_words, f_stops, f_queue, f_two, f_more);

class Maker {
 public:
  explicit Maker(unsigned seed) : random_(seed) {}
  std::size_t below(std::size_t count) { return random_() % count; }
  template <class T>
  T whole() {
    const std::uint64_t bits = std::uint64_t{random_()} << 33U ^ std::uint64_t{random_()} << 11U;
    return static_cast<T>(bits >> below(64));
  }
  double number() { return static_cast<double>(whole<std::int64_t>()) / 1024; }
  std::string text() {
    // All of it is UTF-8: other text can't be given as a schema's string.
    static const std::array<std::string, 8> pieces{"a",  "b", "$",  "\"",
                                                   "\n", "ü", "😀", std::string(1, '\0')};
    std::string result;
    for (std::size_t i = below(9); i > 0; --i) result += pieces[below(pieces.size())];
    return result;
  }
  Shape shape() { return static_cast<Shape>(below(3)); }
  Point point() { return {number(), static_cast<float>(number())}; }

  void fill(Node& node, int depth) {
    node.f_number = whole<std::int64_t>();
    node.f_natural = whole<std::uint64_t>();
    node.f_small = whole<std::int8_t>();
    node.f_letter = static_cast<char>(below(128));
    node.f_raw = static_cast<Raw>(whole<std::int16_t>());
    node.f_flag = below(2) == 0;
    node.f_text = text();
    node.f_bytes.assign(below(8), std::byte{7});
    for (char& c : node.f_four) c = whole<char>();
    if (below(2) == 0) node.f_shape = shape();
    for (std::size_t i = below(3); i > 0; --i) node.f_points.push_back(point());
    for (std::size_t i = below(4); i > 0; --i) node.f_map["k" + text()] = whole<std::int16_t>();
    switch (below(4)) {
      case 0: node.f_choice = below(2) == 0; break;
      case 1: node.f_choice = point(); break;
      case 2: node.f_choice = std::vector<std::string>(below(3), text()); break;
      default: node.f_choice = std::monostate{}; break;
    }
    if (depth == 0) return;
    node.f_children.resize(below(3));
    for (Node& child : node.f_children) fill(child, depth - 1);
  }
  void fill(Trip& trip, int) {
    trip.f_delay = std::chrono::milliseconds(whole<std::int64_t>());
    trip.f_minutes = decltype(trip.f_minutes)(whole<std::int32_t>());
    trip.f_seconds = decltype(trip.f_seconds)(number());
    trip.f_start = std::chrono::sys_seconds(std::chrono::seconds(whole<std::int64_t>()));
    if (below(2) == 0) trip.f_film = Blob(std::string(64, 'a'), 1 + whole<std::uint32_t>());
    trip.f_tuple = {whole<std::int8_t>(), below(2) == 0, text()};
    trip.f_pair = {shape(), number()};
    for (std::size_t i = below(4); i > 0; --i) trip.f_set.insert(whole<std::int32_t>());
    for (std::size_t i = below(4); i > 0; --i) trip.f_words.insert(text());
    for (std::size_t i = below(4); i > 0; --i) trip.f_stops[whole<std::uint8_t>()] = point();
    for (std::size_t i = below(4); i > 0; --i) trip.f_queue.emplace_back(whole<std::uint16_t>());
    if (below(2) == 0) trip.f_queue.emplace_back();
    for (std::uint32_t& number : trip.f_two) number = whole<std::uint32_t>();
    if (below(2) == 0) trip.f_more = {{"k" + text(), {shape(), shape()}}};
  }

 private:
  std::minstd_rand random_;
};

}  // namespace perdure::testing_codec::schema_values
