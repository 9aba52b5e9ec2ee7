#include "tests/codec/codec_fixture.hpp"

#include <map>
#include <string>
#include <vector>

#include "tests/support/huge.hpp"

namespace perdure::testing_codec {
namespace {

/// What `finish` says after `write`; empty on success.
template <class Write>
std::string finish_error(Code code, Write write) {
  Writer writer;
  write(writer);
  const Result<Bytes> bytes = writer.finish();
  if (bytes.has_value()) return "";
  EXPECT_EQ(bytes.error().code, code);
  return bytes.error().message;
}

/// Encodes another value while it is being encoded itself.
struct Nested {
  int depth = 0;
};

}  // namespace
}  // namespace perdure::testing_codec

template <>
struct perdure::Codec<perdure::testing_codec::Nested> {
  using Nested = perdure::testing_codec::Nested;
  static void write(Writer& writer, const Nested& value) {
    writer.begin_list();
    Result<Bytes> inner = value.depth > 0 ? encode(Nested{value.depth - 1}) : encode(0);
    writer.bytes(inner.assume_value());
    writer.integer(value.depth);
    writer.end_list();
  }
  static Result<void> read(const Reader& reader, Nested& value) {
    PERDURE_TRY(const ListReader list, reader.list());
    return Codec<int>::read(list[1], value.depth);
  }
  static constexpr std::string_view type_name() { return "Nested"; }
};

namespace perdure::testing_codec {
namespace {

TEST(Writers, RefuseMisuse) {
  const Code misuse = Code::misuse;
  EXPECT_EQ(finish_error(misuse, [](Writer&) {}), "its codec wrote no value");
  EXPECT_EQ(finish_error(misuse,
                         [](Writer& w) {
                           w.integer(1);
                           w.integer(2);
                         }),
            "its codec wrote more than one value; begin a list first");
  EXPECT_EQ(finish_error(misuse, [](Writer& w) { w.begin_list(); }),
            "its codec did not end a list or map");
  EXPECT_EQ(finish_error(misuse, [](Writer& w) { w.end_map(); }),
            "its codec ended a list or map that it did not begin");
  EXPECT_EQ(finish_error(misuse,
                         [](Writer& w) {
                           w.begin_list();
                           w.end_map();
                         }),
            "its codec ended a list or map that it did not begin");
  EXPECT_EQ(finish_error(misuse,
                         [](Writer& w) {
                           w.begin_map();
                           w.text("x");
                         }),
            "its codec wrote a value into a map without a key before it");
  EXPECT_EQ(finish_error(misuse,
                         [](Writer& w) {
                           w.begin_map();
                           w.key("x");
                           w.end_map();
                         }),
            "its codec wrote a key without a value after it");
  EXPECT_EQ(finish_error(misuse, [](Writer& w) { w.key("x"); }),
            "its codec wrote a key where a value belongs");
  EXPECT_EQ(finish_error(misuse,
                         [](Writer& w) {
                           w.begin_map();
                           w.key(std::string_view("a\0b", 3));
                         }),
            "a map in it has a key with a NUL inside");
  EXPECT_EQ(finish_error(misuse,
                         [](Writer& w) {
                           w.begin_map();
                           for (const char* key : {"b", "a", "b"}) {
                             w.key(key);
                             w.integer(1);
                           }
                           w.end_map();
                         }),
            "the key 'b' stands twice in a map");
}

TEST(Writers, KeepTheFirstFailure) {
  EXPECT_EQ(finish_error(Code::user,
                         [](Writer& w) {
                           w.fail({Code::user, "first"});
                           w.fail({Code::misuse, "second"});
                           w.end_list();
                         }),
            "first");
}

TEST(Writers, AreCleanAfterAFailure) {
  Writer writer;
  writer.begin_map();
  writer.key("left over");
  EXPECT_FALSE(writer.finish().has_value());
  writer.integer(5);
  EXPECT_EQ(writer.finish().value(), payload(5));
  // So is the next one, which takes over the room of one that was given up half-way.
  {
    Writer given_up;
    given_up.begin_map();
    given_up.key("x");
  }
  EXPECT_EQ(read_as<int>(5), 5);
}

TEST(Writers, RefuseWhatIsOverAGibibyte) {
  const std::string sentence =
      "cannot encode a value of type huge: it is over 1 GiB, the most that a value may have; write "
      "it as a pd::Blob, piece by piece";
  EXPECT_EQ(encode_error(test::Huge{}, Code::too_large), sentence);
  const std::string most(256U << 20U, 'x');
  EXPECT_EQ(round_trip(most).size(), most.size());
  const std::vector<std::string> many(5, most);
  EXPECT_NE(encode_error(many, Code::too_large), "");
}

TEST(Writers, BoundKeys) {
  const auto with_key = [](std::size_t size) {
    return finish_error(Code::too_large, [size](Writer& w) {
      w.begin_map();
      w.key(std::string(size, 'k'));
      w.null();
      w.end_map();
    });
  };
  EXPECT_EQ(with_key(4096), "");
  EXPECT_EQ(with_key(4097), "a map in it has a key of 4097 bytes; at most 4096 are stored");
}

TEST(Writers, StoreAShortKeyOnce) {
  const auto size_of = [](std::size_t key_bytes, int maps) {
    Writer writer;
    writer.begin_list();
    for (int i = 0; i < maps; ++i) {
      writer.begin_map();
      writer.key(std::string(key_bytes, 'k'));
      writer.null();
      writer.end_map();
    }
    writer.end_list();
    return writer.finish().value().size();
  };
  EXPECT_LT(size_of(60, 11) - size_of(60, 10), 16U);
  EXPECT_GT(size_of(65, 11) - size_of(65, 10), 65U);
}

TEST(Writers, StoreThousandsOfKeysOnce) {
  // More keys than the table of keys begins with, twice, and then another payload.
  const auto write = [](Writer& writer) {
    writer.begin_list();
    for (int round = 0; round < 2; ++round) {
      writer.begin_map();
      for (int i = 0; i < 3000; ++i) {
        writer.key("key " + std::to_string(i));
        writer.integer(i);
      }
      writer.end_map();
    }
    writer.end_list();
    return writer.finish().value();
  };
  Writer first;
  const Bytes bytes = write(first);
  EXPECT_EQ(json(bytes).find("\"key 0\""), 2U);
  EXPECT_EQ(write(first), bytes);
  const auto maps = decode<std::vector<std::map<std::string, int>>>(bytes).value();
  ASSERT_EQ(maps.size(), 2U);
  EXPECT_EQ(maps[1].size(), 3000U);
  EXPECT_EQ(maps[1].at("key 2999"), 2999);
}

TEST(Writers, GiveLargeValuesAwayAsTheyWroteThem) {
  const auto text = [](std::size_t bytes, char of) { return std::string(bytes, of); };
  for (const std::size_t bytes :
       {std::size_t{65'535}, std::size_t{65'536}, std::size_t{1} << 20U}) {
    const std::string value = text(bytes, 'a');
    const Bytes alone = payload(value);
    EXPECT_EQ(decode<std::string>(alone).value(), value);
    EXPECT_LE(alone.capacity(), bytes + (8U << 10U)) << "who keeps it keeps little more";
    // The thread's next writer has nothing of it.
    EXPECT_EQ(json(payload(7)), "7");
    EXPECT_EQ(payload(value), alone);
  }
  std::vector<std::string> many;
  for (int i = 0; i < 20; ++i)
    many.push_back(text((std::size_t{1} << 16U) * static_cast<std::size_t>(i), 'b'));
  const Bytes together = payload(many);
  EXPECT_EQ(decode<std::vector<std::string>>(together).value(), many);
  EXPECT_LE(together.capacity(), together.size() + together.size() / 4);
}

TEST(Writers, MayBeUsedInsideACodecThatRuns) {
  EXPECT_EQ(round_trip(Nested{5}).depth, 5);
  EXPECT_EQ(json(payload(Nested{0})), R"([{"$bytes":"AAQB"},0])");
}

}  // namespace
}  // namespace perdure::testing_codec
