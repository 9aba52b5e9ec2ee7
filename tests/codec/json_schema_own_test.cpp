// Types whose codec a user wrote: their schema is what the codec says.
#include <perdure/json_schema.hpp>

#include <variant>

#include "tests/codec/codec_fixture.hpp"

namespace perdure::testing_codec {
namespace own_types {

struct Money {
  std::string text;
};
struct Ticket {
  int number = 0;
};
struct Coin {};
struct Nest {
  std::vector<Nest> inner;
};
struct Purse {
  Money money;
  Ticket ticket;
  std::variant<Ticket, Money> either;
};
PERDURE_DESCRIBE(Purse, money, ticket, either);
PERDURE_EXPLAIN(Purse, "", (money, "what is in it"), (ticket, "the way back"));

}  // namespace own_types
}  // namespace perdure::testing_codec

namespace perdure {

using testing_codec::own_types::Coin;
using testing_codec::own_types::Money;
using testing_codec::own_types::Nest;
using testing_codec::own_types::Ticket;

template <>
struct Codec<Money> {
  using JsonLike = std::string;
  static void write(Writer& writer, const Money& value) { writer.text(value.text); }
  static Result<void> read(const Reader& reader, Money& value) {
    return Codec<std::string>::read(reader, value.text);
  }
  static constexpr std::string_view type_name() { return "Money"; }
};
template <>
struct Codec<Ticket> {
  static std::string json_schema() { return R"({"type":"integer","minimum":1})"; }
  static void write(Writer& writer, const Ticket& value) { writer.integer(value.number); }
  static Result<void> read(const Reader& reader, Ticket& value) {
    return Codec<int>::read(reader, value.number);
  }
  static constexpr std::string_view type_name() { return "Ticket"; }
};
template <>
struct Codec<Coin> {
  using JsonLike = bool;
  static void write(Writer& writer, const Coin&) { writer.boolean(true); }
  static Result<void> read(const Reader& reader, Coin&) {
    bool ignored = false;
    return reader.boolean(ignored);
  }
  static constexpr std::string_view type_name() { return "$coin"; }
};
template <>
struct Codec<Nest> {
  using JsonLike = std::vector<Nest>;
  static void write(Writer& writer, const Nest& value);
  static Result<void> read(const Reader& reader, Nest& value);
  static constexpr std::string_view type_name() { return "Nest"; }
};

}  // namespace perdure

namespace perdure::testing_codec {
namespace {

using namespace own_types;

TEST(JsonSchemaOfOwnCodec, IsWhatTheCodecSays) {
  EXPECT_EQ(json_schema<Money>(), R"({"type":"string"})");
  EXPECT_EQ(json_schema<Ticket>(), R"({"type":"integer","minimum":1})");
  EXPECT_EQ(json_schema<std::vector<Nest>>(),
            R"({"type":"array","items":{"$ref":"#/$defs/Nest"},"$defs":{"Nest":)"
            R"({"type":"array","items":{"$ref":"#/$defs/Nest"}}}})");
  const std::string schema = json_schema<Purse>();
  EXPECT_NE(schema.find(R"("money":{"description":"what is in it","$ref":"#/$defs/Money"},)"
                        R"("ticket":{"description":"the way back",)"
                        R"("allOf":[{"type":"integer","minimum":1}]},)"
                        R"("either":{"anyOf":[{"type":"object","properties":{"Ticket":)"
                        R"({"type":"integer","minimum":1}})"),
            std::string::npos)
      << schema;
}

TEST(JsonSchemaOfOwnCodec, WritesADollarAtTheBeginningOfANameTwice) {
  EXPECT_EQ(json_schema<std::variant<Coin>>(),
            R"({"anyOf":[{"type":"object","properties":{"$$coin":{"type":"boolean"}},)"
            R"("required":["$$coin"],"additionalProperties":false}]})");
  EXPECT_EQ(json(payload(std::variant<Coin>())), R"({"$$coin":true})");
  EXPECT_TRUE((json_schema<std::pair<Coin, Coin>>())
                  .ends_with(R"(,"$defs":{"_coin":{"type":"boolean"}}})"));
}

}  // namespace
}  // namespace perdure::testing_codec
