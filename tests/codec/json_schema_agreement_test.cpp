// The schema against what is read: shown values are accepted, and spoilt JSON is refused by both or
// by neither. Where they can't agree stands at the end, as json_schema.hpp lists it.
#include <perdure/blob.hpp>
#include <perdure/json_schema.hpp>

#include <array>
#include <chrono>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <variant>

#include "tests/codec/codec_fixture.hpp"
#include "tests/codec/schema_validator.hpp"

namespace perdure::testing_codec {
namespace {

using Json = nlohmann::json;

// A field begins with f_, so that structs can be told from other objects.
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

/// Every value inside of `value`, and itself.
void collect(Json& value, std::vector<Json*>& all) {
  all.push_back(&value);
  if (!value.is_structured()) return;
  for (Json& inner : value) collect(inner, all);
}

bool is_struct(const Json& object) {
  for (const auto& entry : object.items()) {
    if (entry.key().starts_with("f_")) return true;
  }
  return false;
}

/// The schema but for what it asks of structs on purpose: that no field is missing.
Json without_required(Json schema) {
  std::vector<Json*> all;
  collect(schema, all);
  for (Json* one : all) {
    if (one->is_object() && one->contains("properties") && is_struct((*one)["properties"])) {
      one->erase("required");
    }
  }
  return schema;
}

template <class T>
bool reads(const std::string& text) {
  const Result<Bytes> bytes = journal::json_to_payload(text);
  return bytes.has_value() && decode<T>(bytes.value()).has_value();
}

template <class T>
bool accepts(const std::string& text) {
  SchemaValidator validator(Json::parse(json_schema<T>()));
  return validator.why_not(Json::parse(text)).empty();
}

/// Puts something else in the place of `value`, or takes from it or adds to it. Nothing that makes
/// a key of a map equal to another: only reading sees that.
void spoil(Json& value, Maker& maker) {
  static const std::array<Json, 18> others{nullptr,
                                           true,
                                           -1,
                                           300,
                                           70000,
                                           5000000000,
                                           2.5,
                                           "zzz",
                                           "",
                                           "square",
                                           Json::array(),
                                           Json::object(),
                                           {{"zzz", 1}},
                                           {{"f_x", "a"}},
                                           {{"$bytes", "AAAA"}},
                                           {{"$bytes", "AAA"}},
                                           {{"$bytes", "AB=="}},
                                           {{"bool", true}}};
  const bool structured = value.is_structured() && !value.empty();
  if (!structured || maker.below(3) == 0) {
    value = others[maker.below(others.size())];
  } else if (value.is_object()) {
    value.erase(std::next(value.begin(), static_cast<std::ptrdiff_t>(maker.below(value.size()))));
  } else if (maker.below(2) == 0) {
    value.erase(maker.below(value.size()));
  } else {
    value.push_back(Json(value.back()));
  }
}

template <class T>
class Agreement : public ::testing::Test {};
using Types = ::testing::Types<Node, Trip>;
TYPED_TEST_SUITE(Agreement, Types, );

TYPED_TEST(Agreement, AValueThatIsShownIsAccepted) {
  SchemaValidator schema(Json::parse(json_schema<TypeParam>()));
  for (unsigned seed = 1; seed <= 100; ++seed) {
    TypeParam value;
    Maker(seed).fill(value, 2);
    const std::string text = json(payload(value));
    ASSERT_EQ(schema.why_not(Json::parse(text)), "") << seed << '\n' << text;
  }
}

TYPED_TEST(Agreement, SpoiltJsonIsRefusedWhereReadingRefusesIt) {
  SchemaValidator strict(Json::parse(json_schema<TypeParam>()));
  SchemaValidator schema(without_required(Json::parse(json_schema<TypeParam>())));
  int refused = 0;
  int read = 0;
  for (unsigned seed = 1; seed <= 1000; ++seed) {
    Maker maker(seed);
    TypeParam value;
    maker.fill(value, 1);
    Json shown = Json::parse(json(payload(value)));
    std::vector<Json*> all;
    collect(shown, all);
    spoil(*all[maker.below(all.size())], maker);
    const std::string text = shown.dump();
    const std::string why_not = schema.why_not(shown);
    const bool is_read = reads<TypeParam>(text);
    ASSERT_EQ(why_not.empty(), is_read) << seed << ": " << why_not << '\n' << text;
    if (!is_read) ASSERT_NE(strict.why_not(shown), "") << seed << '\n' << text;
    ++(is_read ? read : refused);
  }
  EXPECT_GT(refused, 300);
  EXPECT_GT(read, 100);
}

TYPED_TEST(Agreement, AFieldMoreIsRefusedThoughReadingIgnoresIt) {
  SchemaValidator schema(Json::parse(json_schema<TypeParam>()));
  for (unsigned seed = 1; seed <= 100; ++seed) {
    Maker maker(seed);
    TypeParam value;
    maker.fill(value, 1);
    Json shown = Json::parse(json(payload(value)));
    std::vector<Json*> all;
    collect(shown, all);
    std::erase_if(all, [](const Json* one) { return !one->is_object() || one->empty(); });
    Json& object = *all[maker.below(all.size())];
    const bool ignored = is_struct(object);
    object["f_zzz"] = 1;
    ASSERT_NE(schema.why_not(shown), "") << shown.dump();
    ASSERT_EQ(reads<TypeParam>(shown.dump()), ignored) << shown.dump();
  }
}

TEST(JsonSchemaAgreement, EachKindOfMistakeIsRefusedByBoth) {
  const auto both_refuse = []<class T>(std::type_identity<T>, const std::string& good,
                                       std::initializer_list<std::string> bad) {
    EXPECT_TRUE(accepts<T>(good) && reads<T>(good)) << good;
    for (const std::string& text : bad) {
      EXPECT_FALSE(accepts<T>(text)) << text;
      EXPECT_FALSE(reads<T>(text)) << text;
    }
  };
  both_refuse(std::type_identity<std::int8_t>{}, "-128", {"-129", "128", "1.5", "\"1\"", "null"});
  both_refuse(std::type_identity<std::uint64_t>{}, "18446744073709551615", {"-1", "true"});
  both_refuse(std::type_identity<Shape>{}, "\"square\"", {"\"Square\"", "\"\"", "1"});
  both_refuse(std::type_identity<char>{}, "\"a\"", {"\"\"", "\"ab\"", "\"ü\""});
  both_refuse(std::type_identity<Bytes>{}, R"({"$bytes":"AQ=="})",
              {R"({"$bytes":"AQ"})", R"({"$bytes":"AR=="})", "\"AQ==\"", "[1]", "{}"});
  both_refuse(std::type_identity<std::array<char, 2>>{}, R"({"$bytes":"AAA="})",
              {R"({"$bytes":"AA=="})", R"({"$bytes":"AAAA"})", R"({"$bytes":"AAAAAAA="})"});
  both_refuse(std::type_identity<std::set<int>>{}, "[1,2]", {"[1,1]", "{}"});
  both_refuse(std::type_identity<std::map<std::string, int>>{}, R"({"":1,"a$":2,"$$b":3})",
              {R"({"a":"b"})", R"({"$b":1})", R"([["a"]])", R"([["a",1],["a",1]])"});
  both_refuse(std::type_identity<std::variant<int, bool>>{}, R"({"i32":1})",
              {R"({"i32":true})", R"({"i32":1,"bool":true})", "{}", "1", R"({"i64":1})"});
  both_refuse(std::type_identity<Blob>{},
              R"({"perdure.blob":")" + std::string(64, 'a') + R"(","bytes":1})",
              {R"({"perdure.blob":"aa","bytes":1})", R"({"bytes":1})",
               R"({"perdure.blob":")" + std::string(64, 'a') + R"(","bytes":0})"});
}

// Where they don't agree

TEST(JsonSchemaAgreement, TheSchemaIsStricterOnPurpose) {
  const auto only_read = []<class T>(std::type_identity<T>, const std::string& text) {
    EXPECT_FALSE(accepts<T>(text)) << text;
    EXPECT_TRUE(reads<T>(text)) << text;
  };
  only_read(std::type_identity<Point>{}, R"({"f_x":1})");
  only_read(std::type_identity<Point>{}, R"({"f_x":1,"f_y":2,"f_z":3})");
  EXPECT_FALSE(reads<Point>(R"({"f_x":1,"f_z":3})")) << "which might be f_y, renamed";
  only_read(std::type_identity<std::chrono::seconds>{}, R"({"min":2})");
  only_read(std::type_identity<double>{}, R"({"$number":"NaN"})");
  only_read(std::type_identity<std::string>{}, R"({"$text":"\ufffd","$bytes":"/w=="})");
}

TEST(JsonSchemaAgreement, TheSchemaCannotSayAllThatReadingAsksFor) {
  const auto only_accepted = []<class T>(std::type_identity<T>, const std::string& text) {
    EXPECT_TRUE(accepts<T>(text)) << text;
    EXPECT_FALSE(reads<T>(text)) << text;
  };
  only_accepted(std::type_identity<int>{}, "1.0");
  only_accepted(std::type_identity<int>{}, "1e3");
  only_accepted(std::type_identity<std::int64_t>{}, "9223372036854775808");
  only_accepted(std::type_identity<std::uint64_t>{}, "18446744073709551616");
  only_accepted(std::type_identity<double>{}, "9007199254740993");
  only_accepted(std::type_identity<float>{}, "0.123456789012");
  only_accepted(std::type_identity<float>{}, "1e300");
  only_accepted(std::type_identity<std::map<int, int>>{}, "[[1,1],[1,2]]");
  only_accepted(std::type_identity<std::map<std::string, int>>{}, R"({"a\u0000":1})");
  only_accepted(std::type_identity<std::map<std::string, int>>{},
                "{\"" + std::string(4097, 'k') + "\":1}");
  only_accepted(std::type_identity<std::set<Point, decltype([](const Point& a, const Point& b) {
                                              return a.f_x < b.f_x;
                                            })>>{},
                R"([{"f_x":1,"f_y":1},{"f_x":1,"f_y":2}])");
  const std::string node = json(payload(Node{}));
  const std::string empty = R"("f_children":[])";
  std::string deep = node;
  for (int i = 0; i < 32; ++i) {
    std::string outer = node;
    deep = outer.replace(outer.find(empty), empty.size(), R"("f_children":[)" + deep + "]");
  }
  only_accepted(std::type_identity<Node>{}, deep);
}

}  // namespace
}  // namespace perdure::testing_codec
