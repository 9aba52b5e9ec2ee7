// The schema against what is read: shown values are accepted, and spoilt JSON is refused by both or
// by neither. Where they can't agree stands at the end, as json_schema.hpp lists it.
#include <perdure/blob.hpp>
#include <perdure/json_schema.hpp>

#include <array>
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <variant>

#include "tests/codec/codec_fixture.hpp"
#include "tests/codec/schema_validator.hpp"
#include "tests/codec/schema_values.hpp"

namespace perdure::testing_codec {
namespace {

using Json = nlohmann::json;
using namespace schema_values;

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
  // From the inside out: what is erased was visited.
  for (auto at = all.rbegin(); at != all.rend(); ++at) {
    Json& one = **at;
    if (one.is_object() && one.contains("properties") && is_struct(one["properties"])) {
      one.erase("required");
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
  for (unsigned seed = 1; seed <= 600; ++seed) {
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
  EXPECT_GT(refused, 200);
  EXPECT_GT(read, 60);
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
