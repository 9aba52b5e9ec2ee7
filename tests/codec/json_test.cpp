#include "tests/codec/codec_fixture.hpp"

#include <bit>
#include <chrono>
#include <limits>
#include <map>

#include "journal/json_text.hpp"

namespace perdure::testing_codec {
namespace {

using namespace std::string_literals;

enum class Colour { red, green };
PERDURE_DESCRIBE_ENUM(Colour, red, green);
struct Order {
  std::string name;
  Colour colour = Colour::red;
  std::optional<int> size;
  std::variant<int, std::string> reference;
  std::map<std::string, double> prices;
  std::map<int, bool> flags;
  std::chrono::seconds delay{};
  float weight = 0;
  std::vector<std::byte> image;
};
PERDURE_DESCRIBE(Order, name, colour, size, reference, prices, flags, delay, weight, image);

std::string json_error(std::string_view text) {
  const Result<Bytes> bytes = journal::json_to_payload(text);
  return bytes.has_value() ? "" : bytes.error().message;
}

TEST(Json, ShowsEveryKind) {
  EXPECT_EQ(json({}), "null");
  EXPECT_EQ(json(payload(true)), "true");
  EXPECT_EQ(json(payload(-5)), "-5");
  EXPECT_EQ(json(payload(std::numeric_limits<std::uint64_t>::max())), "18446744073709551615");
  EXPECT_EQ(json(payload(std::numeric_limits<std::int64_t>::min())), "-9223372036854775808");
  EXPECT_EQ(json(payload(3.0)), "3.0");
  EXPECT_EQ(json(payload(-0.0)), "-0.0");
  EXPECT_EQ(json(payload(0.1)), "0.1");
  EXPECT_EQ(json(payload(1e300)), "1e+300");
  EXPECT_EQ(json(payload("q\"\\\n\t\x01\x7F ü €"s)), R"("q\"\\\n\t\u0001\u007f ü €")");
  EXPECT_EQ(json(payload("nul\0in"s)), R"("nul\u0000in")");
  EXPECT_EQ(json(payload(std::vector<int>{})), "[]");
  EXPECT_EQ(json(payload(Bytes(3, std::byte{0xFF}))), R"({"$bytes":"////"})");
}

TEST(Json, ShowsNumbersThatAreNone) {
  using Limits = std::numeric_limits<double>;
  EXPECT_EQ(json(payload(Limits::quiet_NaN())), R"({"$number":"NaN"})");
  EXPECT_EQ(json(payload(-Limits::quiet_NaN())), R"({"$number":"0xfff8000000000000"})");
  EXPECT_EQ(json(payload(Limits::infinity())), R"({"$number":"Infinity"})");
  EXPECT_EQ(json(payload(-Limits::infinity())), R"({"$number":"-Infinity"})");
}

TEST(Json, ShowsTextThatIsNoUtf8WithItsBytes) {
  EXPECT_EQ(json(payload("caf\xE9"s)), "{\"$text\":\"caf\xEF\xBF\xBD\",\"$bytes\":\"Y2Fm6Q==\"}");
  EXPECT_EQ(decode<std::string>(from_json(json(payload("caf\xE9"s)))).value(), "caf\xE9");
}

TEST(Json, KnowsUtf8) {
  for (const char* good : {"", "a", "ü", "€", "\U0010FFFF", "\xED\x9F\xBF", "\xEE\x80\x80"}) {
    EXPECT_TRUE(journal::is_utf8(good)) << good;
  }
  for (const char* bad :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xC3", "\xE2\x82", "\xE2\x28\xA1", "\xFF"}) {
    EXPECT_FALSE(journal::is_utf8(bad));
  }
}

TEST(Json, KnowsBase64) {
  const std::pair<std::string, std::string> pairs[] = {
      {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : pairs) {
    std::string out;
    journal::append_base64(out, core::as_bytes(plain));
    EXPECT_EQ(out, coded);
    EXPECT_EQ(core::as_text(journal::from_base64(coded).value()), plain);
  }
  for (const char* bad :
       {"Z", "Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Zh==", "Zm9=", "Zm 9", "Zm-_"}) {
    EXPECT_FALSE(journal::from_base64(bad).has_value()) << bad;
  }
}

TEST(Json, ComesBackAsTheSameBytes) {
  for (const std::string_view text :
       {"null", "true", "-5", "18446744073709551615", "3.0", "-0.0", "0.1", "1e+300", "[]", "{}",
        R"("text \u0000 \u007f ü")", R"({"$bytes":"3q2+7w=="})", R"({"$number":"-Infinity"})",
        R"({"$number":"0x7ff800000000beef"})", R"([[],[1,2.5,"x",null],{"a":{"b":[{}]}}])",
        R"({"$$$":2,"$$bytes":1,"a":3})", R"({"$flatbuffer":"shop.Order","$bytes":"AAAA"})",
        "{\"$text\":\"caf\xEF\xBF\xBD\",\"$bytes\":\"Y2Fm6Q==\"}"}) {
    const Bytes bytes = from_json(text);
    EXPECT_EQ(json(bytes), text);
    EXPECT_EQ(from_json(json(bytes)), bytes);
  }
}

TEST(Json, IsWhatTheCodecWouldWrite) {
  EXPECT_EQ(from_json(" [1, 2, 300] "), payload(std::vector<int>{1, 2, 300}));
  EXPECT_EQ(from_json("[0.5,1e300]"), payload(std::vector<double>{0.5, 1e300}));
  EXPECT_EQ(from_json("null"), encode().value());
}

TEST(Json, IsReadAsAnyType) {
  const auto order = decode<Order>(from_json(R"({
      "name": "bolt", "colour": "green", "size": null, "reference": {"string": "r-1"},
      "prices": {"eur": 1, "usd": 1.1}, "flags": [[1, true], [2, false]], "delay": {"min": 2},
      "weight": 1.1, "image": {"$bytes": "3q2+7w=="}})"))
                         .value();
  EXPECT_EQ(order.name, "bolt");
  EXPECT_EQ(order.colour, Colour::green);
  EXPECT_EQ(order.size, std::nullopt);
  EXPECT_EQ(std::get<std::string>(order.reference), "r-1");
  EXPECT_EQ(order.prices, (std::map<std::string, double>{{"eur", 1.0}, {"usd", 1.1}}));
  EXPECT_EQ(order.flags, (std::map<int, bool>{{1, true}, {2, false}}));
  EXPECT_EQ(order.delay, std::chrono::minutes(2));
  EXPECT_EQ(order.weight, 1.1F);
  EXPECT_EQ(order.image.size(), 4U);
  EXPECT_EQ(payload(decode<Order>(from_json(json(payload(order)))).value()), payload(order));
}

TEST(Json, RefusesWhatIsNoJson) {
  EXPECT_EQ(json_error("[1,"),
            "not usable as JSON: parse error at line 1, column 4: syntax error while parsing value "
            "- unexpected end of input; expected '[', '{', or a literal");
  for (const char* bad : {"", "{", "[1}", "nul", "1 2", "{\"a\" 1}", "\"\\x\"", "\"\xFF\"", "01",
                          "1e400", "NaN", "'a'", "[1,]"}) {
    EXPECT_EQ(json_error(bad).rfind("not usable as JSON: ", 0), 0U) << bad;
  }
}

TEST(Json, RefusesWhatAPayloadCannotHold) {
  EXPECT_EQ(json_error("[18446744073709551616]"),
            "not usable as JSON: the integer 18446744073709551616 does not fit into 64 bits");
  EXPECT_NE(json_error("-9223372036854775809"), "");
  EXPECT_EQ(json_error(R"({"a":1,"b":2,"a":3})"), "the key 'a' stands twice in a map");
  EXPECT_EQ(json_error("{\"a\\u0000b\":1}"), "a map in it has a key with a NUL inside");
  const std::string deep = std::string(65, '[') + std::string(65, ']');
  EXPECT_EQ(json_error(deep), "lists and maps are nested deeper than 64 in it");
  EXPECT_EQ(json_error(deep.substr(1, 128)), "");
  EXPECT_NE(json_error(std::string(1000000, '[')), "") << "and the stack is enough for it";
}

TEST(Json, RefusesMarkersThatMeanNothing) {
  EXPECT_EQ(json_error(R"({"$byte":"AAAA"})"),
            "the keys of the object with \"$byte\" mean nothing: known are {\"$bytes\"}, "
            "{\"$text\", \"$bytes\"}, {\"$number\"} and {\"$flatbuffer\", \"$bytes\"}; a key that "
            "begins with $ itself is written with $$");
  EXPECT_EQ(json_error(R"({"$bytes":"AAA"})"), "the text of a \"$bytes\" is no base64 (RFC 4648)");
  EXPECT_EQ(json_error(R"({"$bytes":5})"),
            "not usable as JSON: the value of \"$bytes\" is no text");
  EXPECT_EQ(json_error(R"({"$bytes":["AAAA"]})"),
            "not usable as JSON: the value of \"$bytes\" is no text");
  EXPECT_NE(json_error(R"({"$bytes":{"a":1}})"), "");
  EXPECT_NE(json_error(R"({"$bytes":"AAAA","a":1})"), "");
  EXPECT_EQ(
      json_error(R"({"a":1,"$bytes":"AAAA"})"),
      "not usable as JSON: the key \"$bytes\" stands among other keys; a key that begins with "
      "$ is written with $$");
  EXPECT_NE(json_error(R"({"$number":"1.5"})"), "");
  EXPECT_NE(json_error(R"({"$number":"0x"})"), "");
  EXPECT_NE(json_error(R"({"$number":"0x1ffffffffffffffff"})"), "");
}

}  // namespace
}  // namespace perdure::testing_codec
