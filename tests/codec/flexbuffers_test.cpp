// Payloads are FlexBuffers: FlatBuffers' own library reads what we write, and we read what it
// writes with the types that a payload has.
#include "tests/codec/codec_fixture.hpp"

#include <flatbuffers/flexbuffers.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace perdure::testing_codec {
namespace {

struct Item {
  std::string name;
  double weight = 0;
  std::vector<std::int64_t> counts;
  std::optional<std::string> note;
  bool sold = false;
};
PERDURE_DESCRIBE(Item, name, weight, counts, note, sold);

const std::uint8_t* data(const Bytes& bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}
bool verified(const Bytes& bytes) {
  std::vector<std::uint8_t> tracker;
  return flexbuffers::VerifyBuffer(data(bytes), bytes.size(), &tracker);
}

TEST(FlexBuffers, TheLibraryReadsWhatWeWrite) {
  const std::vector<Item> items{{"bolt", 0.5, {1, -2, 70000}, "rusty", true},
                                {"nut", 0.1, {}, {}, false}};
  const Bytes bytes = payload(items);
  ASSERT_TRUE(verified(bytes));
  const auto list = flexbuffers::GetRoot(data(bytes), bytes.size()).AsVector();
  ASSERT_EQ(list.size(), 2U);
  const auto bolt = list[0].AsMap();
  EXPECT_EQ(bolt["name"].AsString().str(), "bolt");
  EXPECT_EQ(bolt["weight"].AsDouble(), 0.5);
  EXPECT_EQ(bolt["counts"].AsTypedVector()[2].AsInt64(), 70000);
  EXPECT_TRUE(bolt["sold"].AsBool());
  EXPECT_EQ(list[1].AsMap()["weight"].AsDouble(), 0.1);
  EXPECT_TRUE(list[1].AsMap()["note"].IsNull());
}

TEST(FlexBuffers, TheLibraryVerifiesEverySizeWeWrite) {
  std::map<std::string, std::vector<std::string>> map;
  for (int i = 0; i < 600; ++i) {
    map["key " + std::to_string(i)] =
        std::vector<std::string>(static_cast<std::size_t>(i % 40), "x");
    if (i % 23 == 0) {
      EXPECT_TRUE(verified(payload(map))) << i;
    }
  }
  for (const std::size_t size : {1U, 250U, 256U, 65535U, 65536U, 200000U}) {
    EXPECT_TRUE(verified(payload(std::string(size, 'x')))) << size;
    EXPECT_TRUE(verified(payload(std::vector<int>(size, 5)))) << size;
  }
}

TEST(FlexBuffers, WeReadWhatTheLibraryWrites) {
  flexbuffers::Builder builder;
  builder.Map([&] {
    builder.String("name", "bolt");
    builder.Double("weight", 0.25);
    builder.Vector("counts", [&] {
      builder.Int(1);
      builder.UInt(200);
    });
    builder.Null("note");
    builder.Bool("sold", true);
  });
  builder.Finish();
  const auto& written = builder.GetBuffer();
  const auto item = decode<Item>(std::as_bytes(std::span(written))).value();
  EXPECT_EQ(item.name, "bolt");
  EXPECT_EQ(item.weight, 0.25);
  EXPECT_EQ(item.counts, (std::vector<std::int64_t>{1, 200}));
  EXPECT_TRUE(item.sold);
}

TEST(FlexBuffers, WhatAWriterNeverWritesIsDamaged) {
  flexbuffers::Builder builder;
  builder.IndirectInt(5);
  builder.Finish();
  const auto& written = builder.GetBuffer();
  EXPECT_EQ(decode_error<int>(std::as_bytes(std::span(written))),
            "cannot decode as i32: holds damaged bytes, expected a 32-bit integer");
}

}  // namespace
}  // namespace perdure::testing_codec
