#include <perdure/flatbuffers.hpp>
#include <perdure/json_schema.hpp>

#include "order_generated.h"
#include "tests/codec/codec_fixture.hpp"

namespace perdure::testing_codec {
namespace {

/// A described struct with a FlatBuffers field.
struct Parcel {
  std::string address;
  shop::OrderT order;
};
PERDURE_DESCRIBE(Parcel, address, order);

shop::OrderT example() {
  shop::OrderT order;
  order.id = "o-1";
  order.paid = true;
  for (int i = 0; i < 3; ++i) {
    auto line = std::make_unique<shop::LineT>();
    line->name = "line " + std::to_string(i);
    line->cents = 1000000007LL * i;
    line->weight = 0.1 * i;
    order.lines.push_back(std::move(line));
  }
  return order;
}

TEST(FlatBuffers, ComeBack) {
  const Bytes bytes = payload(Parcel{"Lisbon", example()});
  const auto parcel = decode<Parcel>(bytes).value();
  EXPECT_EQ(parcel.address, "Lisbon");
  EXPECT_EQ(parcel.order.id, "o-1");
  EXPECT_TRUE(parcel.order.paid);
  ASSERT_EQ(parcel.order.lines.size(), 3U);
  EXPECT_EQ(parcel.order.lines[2]->name, "line 2");
  EXPECT_EQ(parcel.order.lines[2]->cents, 2000000014);
  EXPECT_EQ(payload(parcel), bytes);
}

TEST(FlatBuffers, ShowTheirNameInJsonAndComeBackFromIt) {
  EXPECT_EQ(type_name<shop::OrderT>(), "shop.Order");
  const Bytes bytes = payload(example());
  const std::string text = json(bytes);
  EXPECT_EQ(text.rfind(R"({"$flatbuffer":"shop.Order","$bytes":")", 0), 0U) << text;
  EXPECT_EQ(from_json(text), bytes);
}

TEST(FlatBuffers, HaveTheirNameInAJsonSchema) {
  EXPECT_EQ(json_schema<shop::OrderT>(),
            R"({"type":"object","properties":{"$flatbuffer":{"type":"string",)"
            R"("enum":["shop.Order"]},"$bytes":{"type":"string","contentEncoding":"base64"}},)"
            R"("required":["$flatbuffer","$bytes"],"additionalProperties":false})");
}

TEST(FlatBuffers, AreReadAsTheirOwnTableOnly) {
  EXPECT_EQ(decode_error<shop::LineT>(payload(example())),
            "cannot decode as shop.Line: holds 'shop.Order', expected 'shop.Line'");
  EXPECT_EQ(read_error<shop::OrderT>(5),
            "cannot decode as shop.Order: holds the integer 5, expected a FlatBuffer");
  EXPECT_EQ(decode_error<shop::OrderT>(from_json(R"({"a":1,"b":2})")),
            "cannot decode as shop.Order: holds a map, expected a FlatBuffer");
  EXPECT_EQ(
      decode_error<shop::OrderT>(from_json(R"({"$flatbuffer":"shop.Order","$bytes":""})")),
      "cannot decode as shop.Order: field '$bytes': is damaged: FlatBuffers' verifier refuses "
      "it");
}

TEST(FlatBuffers, DamagedOnesAreRefusedOrReadButNeverReadOutside) {
  const Bytes good = payload(example());
  std::size_t refused = 0;
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      Bytes bytes = good;
      bytes[i] ^= std::byte{1} << bit;
      if (!decode<shop::OrderT>(bytes).has_value()) ++refused;
    }
  }
  EXPECT_GT(refused, good.size());
}

}  // namespace
}  // namespace perdure::testing_codec
