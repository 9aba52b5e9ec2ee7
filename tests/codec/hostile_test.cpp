// Any bytes may be read: damaged ones, and such as somebody made on purpose. Run under the address
// sanitizer; what is asserted here is that reading ends with a value or an error.
#include "tests/codec/codec_fixture.hpp"

#include <chrono>
#include <map>
#include <random>
#include <set>
#include <variant>

#include "journal/flexbuffers_format.hpp"

namespace perdure::testing_codec {
namespace {

namespace flex = journal::flex;

enum class Colour { red, green };
PERDURE_DESCRIBE_ENUM(Colour, red, green);
struct Leaf {
  std::string text;
  std::optional<double> weight;
  Colour colour = Colour::red;
};
PERDURE_DESCRIBE(Leaf, text, weight, colour);
struct Everything {
  std::vector<Leaf> leaves;
  std::map<std::string, std::vector<int>> lists;
  std::set<std::int8_t> small;
  std::variant<std::monostate, Leaf, std::string> choice;
  std::tuple<int, std::string> pair;
  std::vector<std::byte> blob;
  std::chrono::milliseconds delay{};
  std::vector<Everything> nested;
};
PERDURE_DESCRIBE(Everything, leaves, lists, small, choice, pair, blob, delay, nested);

Everything example() {
  Everything value;
  value.leaves = {{"one", 0.5, Colour::green}, {"", {}, Colour::red}, {"three", 1e300, {}}};
  value.lists = {{"a", {1, 2, 3}}, {"b", {}}, {"long", std::vector<int>(300, 7)}};
  value.small = {-128, 0, 127};
  value.choice = Leaf{"chosen", 1.0, Colour::green};
  value.pair = {5, "five"};
  value.blob.resize(20);
  value.delay = std::chrono::milliseconds(1500);
  Everything inner = value;
  inner.choice = "text";
  value.nested = {inner};
  return value;
}

/// Reads `bytes` in every way. They are copied to a block of exactly their size, so that a read
/// past the end is seen.
void read_all_ways(const Bytes& bytes) {
  const auto exact = std::make_unique<std::byte[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), exact.get());
  const ByteView view(exact.get(), bytes.size());
  static_cast<void>(decode<Everything>(view));
  static_cast<void>(decode<std::vector<Everything>>(view));
  static_cast<void>(decode<std::map<std::string, std::string>>(view));
  static_cast<void>(decode<std::string>(view));
  static_cast<void>(decode<double>(view));
  static_cast<void>(decode<std::optional<int>>(view));
  const auto text = journal::payload_to_json(view);
  EXPECT_EQ(text.has_value(), journal::check_payload(view).has_value());
  if (text.has_value()) {
    // What is shown is JSON. Only a key may stand twice: damage, or what is no UTF-8, makes keys
    // equal.
    const auto back = journal::json_to_payload(text.value());
    EXPECT_TRUE(back.has_value() || back.error().message.find("stands twice") != std::string::npos)
        << back.error().message << ": " << text.value();
  }
}

TEST(HostileBytes, EveryBitFlipEnds) {
  const Bytes good = payload(example());
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      Bytes bytes = good;
      bytes[i] ^= std::byte{1} << bit;
      static_cast<void>(decode<Everything>(bytes));
    }
  }
  Bytes bytes = good;
  for (std::size_t i = 0; i < good.size(); i += 3) {
    bytes[i] ^= std::byte{0x80};
    read_all_ways(bytes);
    bytes[i] = good[i];
  }
}

TEST(HostileBytes, EveryCutEnds) {
  const Bytes good = payload(example());
  for (std::size_t size = 0; size < good.size(); ++size) {
    read_all_ways(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)));
    read_all_ways(Bytes(good.end() - static_cast<std::ptrdiff_t>(size), good.end()));
  }
}

TEST(HostileBytes, RandomBytesEnd) {
  std::minstd_rand random(20240607);
  for (int round = 0; round < 20000; ++round) {
    Bytes bytes(random() % 60);
    for (std::byte& byte : bytes)
      byte = static_cast<std::byte>(random() % 7 == 0 ? random() : random() % 12);
    if (bytes.size() >= 3) {
      // A root that makes sense, so that reading goes on inside.
      constexpr std::uint8_t roots[] = {flex::kMap, flex::kVector, flex::kString, flex::kBlob,
                                        flex::kVectorInt};
      bytes[bytes.size() - 1] = std::byte{1};
      bytes[bytes.size() - 2] =
          flex::packed(roots[random() % 5], static_cast<std::uint8_t>(random() % 4));
    }
    read_all_ways(bytes);
  }
}

TEST(HostileBytes, SplicedPayloadsEnd) {
  const Bytes good = payload(example());
  std::minstd_rand random(7);
  for (int round = 0; round < 5000; ++round) {
    Bytes bytes = good;
    for (int hits = 0; hits < 4; ++hits) {
      const std::size_t from = random() % good.size();
      const std::size_t to = random() % good.size();
      const std::size_t size =
          std::min<std::size_t>(random() % 16, good.size() - std::max(from, to));
      std::copy_n(good.begin() + static_cast<std::ptrdiff_t>(from), size,
                  bytes.begin() + static_cast<std::ptrdiff_t>(to));
    }
    static_cast<void>(decode<Everything>(bytes));
    if (round % 10 == 0) read_all_ways(bytes);
  }
}

TEST(HostileBytes, AnUnalignedPayloadIsReadAsWell) {
  const Bytes good = payload(example());
  for (std::size_t shift = 1; shift < 8; ++shift) {
    Bytes shifted(shift, std::byte{0});
    shifted.insert(shifted.end(), good.begin(), good.end());
    const auto value = decode<Everything>(ByteView(shifted).subspan(shift)).value();
    EXPECT_EQ(value.leaves.at(2).weight, 1e300);
    EXPECT_EQ(payload(value), good);
  }
}

TEST(HostileBytes, AListThatContainsItselfEnds) {
  // [size 1][offset 0: to the slot itself][its type: a list of bytes' width], root: a list.
  const Bytes loop = raw({1, 0, 0x28, 2, 0x28, 1});
  EXPECT_EQ(json(loop).rfind("error: element [0]", 0), 0U) << json(loop);
  using Lists = std::vector<std::vector<std::vector<std::vector<int>>>>;
  EXPECT_NE(decode_error<Lists>(loop), "");
}

TEST(HostileBytes, DeepListsEndAtTheDepthLimit) {
  // Lists of one element in each other, deeper than any writer nests them.
  Bytes bytes = raw({0});
  for (int i = 0; i < 300; ++i) {
    // Size, offset to the list before (its first element, two bytes back), type.
    const int back = i == 0 ? 1 : 3;
    for (const int byte : {1, back, 0x28}) bytes.push_back(static_cast<std::byte>(byte));
  }
  for (const int byte : {2, 0x28, 1}) bytes.push_back(static_cast<std::byte>(byte));
  const std::string error = json(bytes);
  EXPECT_NE(error.find("is nested deeper than 64 lists and maps"), std::string::npos) << error;
}

TEST(HostileBytes, AListThatMultipliesIsStoppedByItsBudget) {
  // Level n is a list of 100 references to level n-1: 100^6 elements in a few hundred bytes.
  Bytes bytes(1, std::byte{100});
  bytes.resize(1 + 100, std::byte{0});
  bytes.resize(bytes.size() + 100, flex::packed(flex::kInt, 0));
  std::size_t below = 2;
  for (int level = 0; level < 6; ++level) {
    if (bytes.size() % 2 == 1) bytes.push_back(std::byte{0});
    const auto append = [&bytes](std::size_t value) {
      bytes.push_back(static_cast<std::byte>(value));
      bytes.push_back(static_cast<std::byte>(value >> 8U));
    };
    append(100);
    const std::size_t place = bytes.size();
    for (int i = 0; i < 100; ++i) append(bytes.size() - (level == 0 ? below - 1 : below));
    bytes.resize(bytes.size() + 100, flex::packed(flex::kVector, level == 0 ? 0 : 1));
    below = place;
  }
  if (bytes.size() % 2 == 1) bytes.push_back(std::byte{0});
  const std::size_t offset = bytes.size() - below;
  for (const std::size_t byte : {offset & 255U, offset >> 8U, std::size_t{0x29}, std::size_t{2}}) {
    bytes.push_back(static_cast<std::byte>(byte));
  }
  const std::string error = json(bytes);
  EXPECT_NE(error.find("refers to the same bytes again and again"), std::string::npos)
      << error.substr(0, 200);
}

TEST(HostileBytes, RootsThatMakeNoSenseAreDamaged) {
  for (const Bytes& bytes : {raw({1}), raw({1, 4}), raw({1, 4, 3}), raw({1, 4, 0}), raw({1, 4, 8}),
                             raw({1, 4, 255}), raw({5, 0xFF, 1}), raw({5, 24 << 2, 1})}) {
    EXPECT_EQ(decode_error<int>(bytes),
              "cannot decode as i32: holds damaged bytes, expected a 32-bit integer")
        << hex(bytes);
    EXPECT_EQ(json(bytes), "error: holds damaged bytes, expected what a Perdure codec writes");
  }
}

TEST(HostileBytes, LengthsThatLeadOutAreDamaged) {
  const std::string sentence = "is damaged: a length or an offset in it leads out of the payload";
  // Text of 200 bytes in a payload of six; a list; a map whose keys lie before the payload.
  EXPECT_EQ(decode_error<std::string>(raw({200, 'x', 0, 2, 0x14, 1})),
            "cannot decode as string: " + sentence);
  EXPECT_EQ(decode_error<std::vector<int>>(raw({200, 1, 1, 2, 0x2C, 1})),
            "cannot decode as list<i32>: " + sentence);
  EXPECT_EQ(decode_error<std::string>(raw({1, 'x', 0, 9, 0x14, 1})),
            "cannot decode as string: " + sentence);
  EXPECT_EQ(decode_error<Leaf>(raw({9, 1, 0, 0, 0x24, 1})), "cannot decode as Leaf: " + sentence);
}

TEST(HostileBytes, NamesFromPayloadsArePrintable) {
  const std::string error =
      decode_error<std::map<std::string, int>>(from_json("{\"a\\u0007\\nb\":\"x\"}"));
  EXPECT_EQ(error,
            "cannot decode as map<string,i32>: field 'a??b': holds text, expected a 32-bit "
            "integer");
  const std::string name(3000, 'n');
  EXPECT_LT(
      (decode_error<std::map<std::string, int>>(from_json("{\"" + name + "\":\"x\"}")).size()),
      200U);
}

}  // namespace
}  // namespace perdure::testing_codec
