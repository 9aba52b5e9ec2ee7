// The exact schemas, one kind of type after the other.
#include <perdure/blob.hpp>
#include <perdure/json_schema.hpp>

#include <array>
#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <variant>

#include "tests/codec/codec_fixture.hpp"

namespace perdure::testing_codec {
namespace {

enum class Colour { red, green };
PERDURE_DESCRIBE_ENUM(Colour, red, green);
enum class Paint { matt, glossy };
PERDURE_DESCRIBE_ENUM(Paint, matt, glossy);
PERDURE_EXPLAIN(Paint, "How it shines.", (glossy, "like a \"mirror\""));
enum class Level : std::uint8_t {};

struct Empty {};
PERDURE_DESCRIBE(Empty);

struct Place {
  double north = 0;
  double east = 0;
};
PERDURE_DESCRIBE(Place, north, east);
PERDURE_EXPLAIN(Place, "A point on the map.");

struct Search {
  std::string query;
  std::optional<std::uint8_t> limit;
  Colour colour = Colour::red;
};
PERDURE_DESCRIBE(Search, query, limit, colour);
PERDURE_EXPLAIN(Search, "Searches the catalogue.", (query, "what to look for"),
                (limit, "how many at most"));

struct Once {
  Place where;
};
PERDURE_DESCRIBE(Once, where);
PERDURE_EXPLAIN(Once, "", (where, "where to go"));
struct Twice {
  Place from;
  Place to;
};
PERDURE_DESCRIBE(Twice, from, to);
PERDURE_EXPLAIN(Twice, "", (to, "where to go"));

struct Tree {
  std::string name;
  std::vector<Tree> children;
};
PERDURE_DESCRIBE(Tree, name, children);
struct Forest {
  Tree oldest;
};
PERDURE_DESCRIBE(Forest, oldest);

struct Odd;
struct Even {
  std::vector<Odd> next;
};
struct Odd {
  std::optional<int> value;
  std::vector<Even> next;
};
PERDURE_DESCRIBE(Even, next);
PERDURE_DESCRIBE(Odd, value, next);

namespace other {
struct Place {
  int floor = 0;
};
PERDURE_DESCRIBE(Place, floor);
}  // namespace other
struct Places {
  Place a;
  other::Place b;
  Place c;
  other::Place d;
};
PERDURE_DESCRIBE(Places, a, b, c, d);

// Schemas of parts, to be put together.
const std::string kInt = R"({"type":"integer","minimum":-2147483648,"maximum":2147483647})";
const std::string kText = R"({"type":"string"})";
const std::string kBool = R"({"type":"boolean"})";
const std::string kNumber = R"({"type":"number"})";
const std::string kNull = R"({"type":"null"})";

std::string pair_of(const std::string& first, const std::string& second) {
  return R"({"type":"array","prefixItems":[)" + first + "," + second +
         R"(],"minItems":2,"maxItems":2)";
}

TEST(JsonSchema, OfNumbersHasTheirBoundsUpTo32Bits) {
  EXPECT_EQ(json_schema<bool>(), kBool);
  EXPECT_EQ(json_schema<std::int8_t>(), R"({"type":"integer","minimum":-128,"maximum":127})");
  EXPECT_EQ(json_schema<std::uint16_t>(), R"({"type":"integer","minimum":0,"maximum":65535})");
  EXPECT_EQ(json_schema<int>(), kInt);
  EXPECT_EQ(json_schema<std::uint32_t>(), R"({"type":"integer","minimum":0,"maximum":4294967295})");
  EXPECT_EQ(json_schema<std::int64_t>(), R"({"type":"integer"})");
  EXPECT_EQ(json_schema<std::uint64_t>(), R"({"type":"integer","minimum":0})");
  EXPECT_EQ(json_schema<std::byte>(), R"({"type":"integer","minimum":0,"maximum":255})");
  EXPECT_EQ(json_schema<float>(), kNumber);
  EXPECT_EQ(json_schema<double>(), kNumber);
}

TEST(JsonSchema, OfTextAndEnums) {
  EXPECT_EQ(json_schema<std::string>(), kText);
  EXPECT_EQ(json_schema<char>(), R"({"type":"string","pattern":"^[\\u0000-\\u007F]$"})");
  EXPECT_EQ(json_schema<Colour>(), R"({"type":"string","enum":["red","green"]})");
  EXPECT_EQ(json_schema<Level>(), R"({"type":"integer","minimum":0,"maximum":255})");
  EXPECT_EQ(json_schema<Paint>(), R"({"description":"How it shines.\nglossy: like a \"mirror\"",)"
                                  R"("type":"string","enum":["matt","glossy"]})");
}

TEST(JsonSchema, OfBytesIsTheirBase64) {
  const auto bytes = [](const std::string& rest) {
    return R"({"type":"object","properties":{"$bytes":{"type":"string",)"
           R"("contentEncoding":"base64",)" +
           rest + R"(}},"required":["$bytes"],"additionalProperties":false})";
  };
  const std::string any = bytes(R"("pattern":"^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/][AQgw]==|)"
                                R"([A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$")");
  EXPECT_EQ(json_schema<Bytes>(), any);
  EXPECT_EQ(json_schema<std::vector<unsigned char>>(), any);
  EXPECT_EQ(json_schema<std::vector<char>>(), any);
  EXPECT_EQ((json_schema<std::array<std::byte, 3>>()),
            bytes(R"("minLength":4,"maxLength":4,"pattern":"^([A-Za-z0-9+/]{4})*$")"));
  EXPECT_EQ((json_schema<std::array<unsigned char, 4>>()),
            bytes(R"("minLength":8,"maxLength":8,)"
                  R"("pattern":"^([A-Za-z0-9+/]{4})*[A-Za-z0-9+/][AQgw]==$")"));
  EXPECT_EQ((json_schema<std::array<char, 2>>()),
            bytes(R"("minLength":4,"maxLength":4,"pattern":)"
                  R"("^([A-Za-z0-9+/]{4})*[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=$")"));
}

TEST(JsonSchema, OfContainers) {
  EXPECT_EQ(json_schema<std::vector<int>>(), R"({"type":"array","items":)" + kInt + "}");
  EXPECT_EQ(json_schema<std::deque<bool>>(), R"({"type":"array","items":)" + kBool + "}");
  EXPECT_EQ((json_schema<std::array<bool, 3>>()),
            R"({"type":"array","items":)" + kBool + R"(,"minItems":3,"maxItems":3})");
  const std::string set = R"({"type":"array","items":)" + kText + R"(,"uniqueItems":true})";
  EXPECT_EQ(json_schema<std::set<std::string>>(), set);
  EXPECT_EQ(json_schema<std::unordered_set<std::string>>(), set);
  const std::string map =
      R"({"type":"array","items":)" + pair_of(kInt, kBool) + R"(},"uniqueItems":true})";
  EXPECT_EQ((json_schema<std::map<int, bool>>()), map);
  EXPECT_EQ((json_schema<std::unordered_map<int, bool>>()), map);
}

TEST(JsonSchema, OfMapsWithTextKeysAlsoTakesAnObject) {
  EXPECT_EQ((json_schema<std::map<std::string, int>>()),
            R"~({"anyOf":[{"type":"object","propertyNames":{"pattern":"^([^$]|\\$\\$|$)"},)~"
            R"("additionalProperties":)" +
                kInt + R"(},{"type":"array","items":)" + pair_of(kText, kInt) +
                R"(},"uniqueItems":true}]})");
}

TEST(JsonSchema, OfSumsAndProducts) {
  EXPECT_EQ(json_schema<void>(), kNull);
  EXPECT_EQ(json_schema<std::monostate>(), kNull);
  EXPECT_EQ(json_schema<std::optional<bool>>(), R"({"anyOf":[)" + kBool + "," + kNull + "]}");
  EXPECT_EQ((json_schema<std::pair<int, bool>>()), pair_of(kInt, kBool) + "}");
  EXPECT_EQ((json_schema<std::tuple<std::string>>()),
            R"({"type":"array","prefixItems":[{"type":"string"}],"minItems":1,"maxItems":1})");
  EXPECT_EQ(json_schema<std::tuple<>>(), R"({"type":"array","minItems":0,"maxItems":0})");
  EXPECT_EQ((json_schema<std::variant<bool, std::optional<bool>>>()),
            R"({"anyOf":[{"type":"object","properties":{"bool":)" + kBool +
                R"(},"required":["bool"],"additionalProperties":false},)"
                R"({"type":"object","properties":{"optional<bool>":{"anyOf":[)" +
                kBool + "," + kNull +
                R"(]}},"required":["optional<bool>"],"additionalProperties":false}]})");
}

TEST(JsonSchema, OfTimesIsTheirOwnUnit) {
  using std::chrono::duration;
  EXPECT_EQ((json_schema<duration<int, std::milli>>()),
            R"({"type":"object","properties":{"ms":{"description":"milliseconds",)" +
                kInt.substr(1) + R"(},"required":["ms"],"additionalProperties":false})");
  EXPECT_EQ((json_schema<duration<double, std::ratio<60>>>()),
            R"({"type":"object","properties":{"min":{"description":"minutes","type":"number"}},)"
            R"("required":["min"],"additionalProperties":false})");
  EXPECT_EQ((json_schema<std::chrono::sys_seconds>()),
            R"({"type":"object","properties":{"unix_s":{"description":)"
            R"("seconds since 1970-01-01 00:00 UTC","type":"integer"}},)"
            R"("required":["unix_s"],"additionalProperties":false})");
}

TEST(JsonSchema, OfABlob) {
  EXPECT_EQ(json_schema<Blob>(),
            R"({"description":"content that is stored apart: its id and its size; null for none",)"
            R"("anyOf":[{"type":"object","properties":{"perdure.blob":{"type":"string",)"
            R"("pattern":"^[0-9a-f]{64}$"},"bytes":{"type":"integer","minimum":1}},)"
            R"("required":["perdure.blob","bytes"],"additionalProperties":false},)" +
                kNull + "]}");
}

TEST(JsonSchema, OfAStructHasItsFieldsInOrderAndItsWords) {
  EXPECT_EQ(json_schema<Empty>(),
            R"({"type":"object","properties":{},"additionalProperties":false})");
  EXPECT_EQ(json_schema<Search>(),
            R"({"description":"Searches the catalogue.","type":"object","properties":{)"
            R"("query":{"description":"what to look for","type":"string"},)"
            R"("limit":{"description":"how many at most","anyOf":[)"
            R"({"type":"integer","minimum":0,"maximum":255},{"type":"null"}]},)"
            R"("colour":{"type":"string","enum":["red","green"]}},)"
            R"("required":["query","colour"],"additionalProperties":false})");
}

const std::string kPlace =
    R"("type":"object","properties":{"north":{"type":"number"},"east":{"type":"number"}},)"
    R"("required":["north","east"],"additionalProperties":false})";

TEST(JsonSchema, WritesAStructWhereItStandsOrElseOnce) {
  EXPECT_EQ(json_schema<Once>(), R"({"type":"object","properties":{"where":)"
                                 R"({"description":"where to go\nA point on the map.",)" +
                                     kPlace +
                                     R"(},"required":["where"],"additionalProperties":false})");
  EXPECT_EQ(json_schema<Twice>(),
            R"({"type":"object","properties":{"from":{"$ref":"#/$defs/Place"},)"
            R"("to":{"description":"where to go","$ref":"#/$defs/Place"}},)"
            R"("required":["from","to"],"additionalProperties":false,)"
            R"("$defs":{"Place":{"description":"A point on the map.",)" +
                kPlace + "}}");
}

TEST(JsonSchema, OfATypeThatContainsItself) {
  const auto tree = [](const std::string& self) {
    return R"("type":"object","properties":{"name":{"type":"string"},)"
           R"("children":{"type":"array","items":{"$ref":")" +
           self + R"("}}},"required":["name","children"],"additionalProperties":false)";
  };
  EXPECT_EQ(json_schema<Tree>(), "{" + tree("#") + "}");
  EXPECT_EQ(json_schema<std::vector<Tree>>(),
            R"({"type":"array","items":{"$ref":"#/$defs/Tree"},"$defs":{"Tree":{)" +
                tree("#/$defs/Tree") + "}}}");
  EXPECT_EQ(json_schema<Forest>(),
            R"({"type":"object","properties":{"oldest":{"$ref":"#/$defs/Tree"}},)"
            R"("required":["oldest"],"additionalProperties":false,"$defs":{"Tree":{)" +
                tree("#/$defs/Tree") + "}}}");
  EXPECT_EQ(json_schema<Even>(),
            R"({"type":"object","properties":{"next":{"type":"array","items":)"
            R"({"type":"object","properties":{"value":{"anyOf":[)" +
                kInt +
                R"(,{"type":"null"}]},"next":{"type":"array","items":{"$ref":"#"}}},)"
                R"("required":["next"],"additionalProperties":false}}},)"
                R"("required":["next"],"additionalProperties":false})");
}

TEST(JsonSchema, TellsTypesOfOneNameApart) {
  const std::string schema = json_schema<Places>();
  EXPECT_NE(schema.find(R"("a":{"$ref":"#/$defs/Place"},"b":{"$ref":"#/$defs/Place_2"},)"
                        R"("c":{"$ref":"#/$defs/Place"},"d":{"$ref":"#/$defs/Place_2"})"),
            std::string::npos)
      << schema;
  EXPECT_NE(schema.find(R"("Place_2":{"type":"object","properties":{"floor":)"), std::string::npos)
      << schema;
}

}  // namespace
}  // namespace perdure::testing_codec
