// Properties that hold for every value, tried with many random ones from fixed seeds.
#include "tests/codec/codec_fixture.hpp"

#include <flatbuffers/flexbuffers.h>

#include <bit>
#include <deque>
#include <map>
#include <random>
#include <set>
#include <unordered_map>
#include <variant>

namespace perdure::testing_codec {
namespace {

enum class Shape { circle, square, triangle };
PERDURE_DESCRIBE_ENUM(Shape, circle, square, triangle);

struct Point {
  double x = 0;
  float y = 0;
  // By bits: a NaN is equal to itself here.
  bool operator==(const Point& other) const {
    return std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(other.x) &&
           std::bit_cast<std::uint32_t>(y) == std::bit_cast<std::uint32_t>(other.y);
  }
};
PERDURE_DESCRIBE(Point, x, y);

struct Node {
  std::int64_t number = 0;
  std::uint64_t natural = 0;
  std::string text;
  std::vector<std::byte> blob;
  std::optional<Shape> shape;
  std::vector<Point> points;
  std::map<std::string, std::int16_t> map;
  std::unordered_map<std::uint8_t, std::string> names;
  std::set<std::int32_t> set;
  std::variant<bool, Point, std::vector<std::string>> choice;
  std::tuple<std::int8_t, bool> pair;
  std::vector<Node> children;
  bool operator==(const Node&) const = default;
};
PERDURE_DESCRIBE(Node, number, natural, text, blob, shape, points, map, names, set, choice, pair,
                 children);

class Maker {
 public:
  explicit Maker(unsigned seed) : random_(seed) {}

  std::uint64_t bits() {
    // Of every width alike.
    const std::uint64_t all =
        std::uint64_t{random_()} << 33U ^ std::uint64_t{random_()} << 11U ^ random_();
    return all >> (random_() % 64);
  }
  std::size_t few(std::size_t most = 6) { return random_() % (most + 1); }
  std::string text() {
    std::string result(random_() % 10 == 0 ? few(400) : few(12), ' ');
    for (char& c : result)
      c = static_cast<char>(random_() % 4 == 0 ? bits() : 'a' + random_() % 26);
    return result;
  }
  Point point() {
    const auto y = std::bit_cast<float>(static_cast<std::uint32_t>(bits()));
    // A signalling NaN becomes a quiet one on its way through a double.
    return {std::bit_cast<double>(bits() << (random_() % 64)), y == y ? y : 0.0F};
  }
  Node node(int depth) {
    Node value;
    value.number = static_cast<std::int64_t>(bits()) * (random_() % 2 == 0 ? 1 : -1);
    value.natural = bits();
    value.text = text();
    value.blob.resize(few(20), std::byte{7});
    if (few() > 2) value.shape = static_cast<Shape>(random_() % 3);
    for (std::size_t i = few(); i > 0; --i) value.points.push_back(point());
    for (std::size_t i = few(); i > 0; --i) value.map[text()] = static_cast<std::int16_t>(bits());
    for (std::size_t i = few(); i > 0; --i) value.names[static_cast<std::uint8_t>(bits())] = text();
    for (std::size_t i = few(); i > 0; --i) value.set.insert(static_cast<std::int32_t>(bits()));
    switch (random_() % 3) {
      case 0: value.choice = few() > 3; break;
      case 1: value.choice = point(); break;
      default: value.choice = std::vector<std::string>(few(), text()); break;
    }
    value.pair = {static_cast<std::int8_t>(bits()), few() > 3};
    if (depth > 0) {
      for (std::size_t i = few(3); i > 0; --i) value.children.push_back(node(depth - 1));
    }
    return value;
  }

 private:
  std::minstd_rand random_;
};

TEST(RandomValues, ComeBackAsTheyWere) {
  for (unsigned seed = 1; seed <= 400; ++seed) {
    const Node node = Maker(seed).node(3);
    const Bytes bytes = payload(node);
    const Result<Node> back = decode<Node>(bytes);
    ASSERT_TRUE(back.has_value()) << seed << ": " << back.error().message;
    ASSERT_TRUE(back.value() == node) << seed;
    ASSERT_EQ(payload(back.value()), bytes) << seed;
    ASSERT_TRUE(journal::check_payload(bytes).has_value()) << seed;
    std::vector<std::uint8_t> tracker;
    ASSERT_TRUE(flexbuffers::VerifyBuffer(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                          bytes.size(), &tracker))
        << seed;
  }
}

TEST(RandomValues, ComeBackFromTheirJson) {
  for (unsigned seed = 1; seed <= 150; ++seed) {
    const Bytes bytes = payload(Maker(seed).node(2));
    const Result<std::string> text = journal::payload_to_json(bytes);
    ASSERT_TRUE(text.has_value()) << text.error().message;
    const Result<Bytes> back = journal::json_to_payload(text.value());
    ASSERT_TRUE(back.has_value()) << back.error().message << '\n' << text.value();
    ASSERT_EQ(back.value(), bytes) << seed << '\n' << text.value();
  }
}

}  // namespace
}  // namespace perdure::testing_codec
