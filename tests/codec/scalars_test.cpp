#include "tests/codec/codec_fixture.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace perdure::testing_codec {
namespace {

enum class Colour { red, green = 5, crimson = 0 };
PERDURE_DESCRIBE_ENUM(Colour, red, green, crimson);
enum class Recoloured { green, red };
PERDURE_DESCRIBE_ENUM(Recoloured, green, red);
enum class Plain : std::uint8_t { a = 1, b = 200 };

template <class T>
class WholeNumbers : public ::testing::Test {};
using WholeTypes =
    ::testing::Types<signed char, unsigned char, short, unsigned short, int, unsigned, long,
                     unsigned long, long long, unsigned long long, char8_t, char16_t, char32_t>;
TYPED_TEST_SUITE(WholeNumbers, WholeTypes);

TYPED_TEST(WholeNumbers, ComeBackAtTheirBounds) {
  using Limits = std::numeric_limits<TypeParam>;
  for (const TypeParam value : {Limits::min(), Limits::max(), TypeParam{0}, TypeParam{1},
                                static_cast<TypeParam>(Limits::max() / 2)}) {
    EXPECT_EQ(round_trip(value), value);
  }
}

TYPED_TEST(WholeNumbers, RefuseWhatTheyCannotHold) {
  using Limits = std::numeric_limits<TypeParam>;
  if constexpr (sizeof(TypeParam) < 8) {
    const auto above = static_cast<std::int64_t>(Limits::max()) + 1;
    const auto below = static_cast<std::int64_t>(Limits::min()) - 1;
    EXPECT_NE(read_error<TypeParam>(above), "");
    EXPECT_NE(read_error<TypeParam>(below), "");
    EXPECT_EQ(read_as<TypeParam>(above - 1), Limits::max());
    EXPECT_EQ(read_as<TypeParam>(below + 1), Limits::min());
  } else if constexpr (std::is_signed_v<TypeParam>) {
    EXPECT_NE(read_error<TypeParam>(static_cast<std::uint64_t>(Limits::max()) + 1), "");
  } else {
    EXPECT_NE(read_error<TypeParam>(-1), "");
  }
}

TEST(Scalars, SayWhatIsThereAndWhatWasExpected) {
  EXPECT_EQ(read_error<std::int8_t>(300),
            "cannot decode as i8: holds the integer 300, expected an 8-bit integer (-128 to 127)");
  EXPECT_EQ(read_error<std::int16_t>(40000),
            "cannot decode as i16: holds the integer 40000, expected a 16-bit integer (-32768 to "
            "32767)");
  EXPECT_EQ(read_error<int>(std::string("5")),
            "cannot decode as i32: holds text, expected a 32-bit integer");
  EXPECT_EQ(read_error<std::int64_t>(std::numeric_limits<std::uint64_t>::max()),
            "cannot decode as i64: holds the integer 18446744073709551615, expected a 64-bit "
            "integer");
  EXPECT_EQ(read_error<std::uint8_t>(-1),
            "cannot decode as u8: holds the integer -1, expected an unsigned 8-bit integer (0 to "
            "255)");
  EXPECT_EQ(read_error<std::uint16_t>(true),
            "cannot decode as u16: holds true or false, expected an unsigned 16-bit integer (0 to "
            "65535)");
  EXPECT_EQ(read_error<std::uint32_t>(1.5),
            "cannot decode as u32: holds the number 1.5, expected an unsigned 32-bit integer");
  EXPECT_EQ(read_error<std::uint64_t>(std::vector<int>{1, 2}),
            "cannot decode as u64: holds a list, expected an unsigned 64-bit integer");
  EXPECT_EQ(read_error<bool>(1),
            "cannot decode as bool: holds the integer 1, expected true or false");
  EXPECT_EQ(read_error<double>(std::string("1.5")),
            "cannot decode as f64: holds text, expected a number");
  EXPECT_EQ(read_error<std::string>(5),
            "cannot decode as string: holds the integer 5, expected text");
  EXPECT_EQ(read_error<std::string>(std::vector<std::byte>(3)),
            "cannot decode as string: holds bytes, expected text");
  EXPECT_EQ(read_error<std::vector<std::byte>>(std::string("abc")),
            "cannot decode as bytes: holds text, expected bytes");
  EXPECT_EQ(read_error<char>(std::string("ab")),
            "cannot decode as char: holds text, expected one character");
  EXPECT_EQ(decode_error<int>({}),
            "cannot decode as i32: holds nothing (null), expected a 32-bit "
            "integer");
  EXPECT_EQ(
      read_error<std::byte>(256),
      "cannot decode as byte: holds the integer 256, expected an unsigned 8-bit integer (0 to "
      "255)");
}

TEST(Scalars, StoreAWholeNumberInOneWayWhateverItsType) {
  EXPECT_EQ(payload(7), payload(std::uint64_t{7}));
  EXPECT_EQ(payload(std::int8_t{-1}), payload(std::int64_t{-1}));
  EXPECT_EQ(payload(200U), payload(std::uint8_t{200}));
  EXPECT_EQ(read_as<unsigned>(7), 7U);
  EXPECT_EQ(read_as<std::int8_t>(7U), 7);
}

TEST(Scalars, NeverMakeAWholeNumberOfAFraction) {
  EXPECT_NE(read_error<int>(1.0), "");
  EXPECT_NE(read_error<int>(1.0F), "");
}

TEST(Scalars, KeepTruthAndCharacters) {
  EXPECT_TRUE(round_trip(true));
  EXPECT_FALSE(round_trip(false));
  for (const char c : {'a', '\0', '\xFF', '\n'}) EXPECT_EQ(round_trip(c), c);
  EXPECT_EQ(round_trip(std::byte{0xA5}), std::byte{0xA5});
}

TEST(Numbers, KeepEveryBitOfADouble) {
  using Limits = std::numeric_limits<double>;
  for (const double value :
       {0.0, -0.0, 1.5, 0.1, -1e300, Limits::min(), Limits::denorm_min(), Limits::max(),
        Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(), -Limits::quiet_NaN()}) {
    EXPECT_EQ(std::bit_cast<std::uint64_t>(round_trip(value)), std::bit_cast<std::uint64_t>(value));
  }
  const auto marked = std::bit_cast<double>(std::uint64_t{0x7FF8'0000'0000'BEEF});
  EXPECT_EQ(std::bit_cast<std::uint64_t>(round_trip(marked)), 0x7FF8'0000'0000'BEEFU);
}

TEST(Numbers, KeepEveryBitOfAFloat) {
  using Limits = std::numeric_limits<float>;
  for (const float value : {0.0F, -0.0F, 0.1F, Limits::min(), Limits::denorm_min(), Limits::max(),
                            Limits::lowest(), Limits::infinity(), Limits::quiet_NaN()}) {
    EXPECT_EQ(std::bit_cast<std::uint32_t>(round_trip(value)), std::bit_cast<std::uint32_t>(value));
  }
}

TEST(Numbers, KeepWholeNumbersApartFromNumbers) {
  EXPECT_NE(payload(1), payload(1.0));
  EXPECT_EQ(payload(0.5F), payload(0.5));
}

TEST(Numbers, ReadWholeNumbersThatTheyHoldExactly) {
  EXPECT_EQ(read_as<double>(-3), -3.0);
  EXPECT_EQ(read_as<float>(16777216), 16777216.0F);
  EXPECT_EQ(read_as<double>(std::int64_t{1} << 53U), 9007199254740992.0);
  EXPECT_EQ(read_error<double>((std::int64_t{1} << 53U) + 1),
            "cannot decode as f64: holds the integer 9007199254740993, expected a number that 64 "
            "bits of floating point hold exactly");
  EXPECT_NE(read_error<float>(16777217), "");
  EXPECT_NE(read_error<double>(std::numeric_limits<std::uint64_t>::max()), "");
}

TEST(Numbers, NarrowOnlyWithoutLosingDigits) {
  EXPECT_EQ(read_as<float>(0.5), 0.5F);
  EXPECT_EQ(read_as<float>(1.1), 1.1F) << "the same in decimal: what a person writes in JSON";
  EXPECT_EQ(read_error<float>(1.23456789012),
            "cannot decode as f32: holds the number 1.23456789012, expected a number that 32 bits "
            "of floating point hold exactly");
  EXPECT_NE(read_error<float>(1e300), "");
  EXPECT_EQ(read_as<double>(0.1F), static_cast<double>(0.1F));
}

TEST(Text, KeepsAnyBytes) {
  using namespace std::string_literals;
  for (const std::string& text :
       {""s, "plain"s, "nul\0inside"s, "\xFF\xFE"s, "grüße"s, std::string(255, 'x'),
        std::string(256, 'x'), std::string(70000, 'y')}) {
    EXPECT_EQ(round_trip(text), text);
  }
}

TEST(ByteVectors, AreBytesWhateverTheirElement) {
  const std::vector<std::byte> bytes{std::byte{0}, std::byte{255}};
  EXPECT_EQ(round_trip(bytes), bytes);
  EXPECT_EQ(round_trip(std::vector<std::byte>{}), std::vector<std::byte>{});
  EXPECT_EQ(read_as<std::vector<std::uint8_t>>(bytes), (std::vector<std::uint8_t>{0, 255}));
  EXPECT_EQ(read_as<std::vector<char>>(bytes), (std::vector<char>{'\0', '\xFF'}));
  EXPECT_EQ((read_as<std::array<std::byte, 2>>(bytes)), (std::array{std::byte{0}, std::byte{255}}));
  EXPECT_EQ((read_error<std::array<std::uint8_t, 3>>(bytes)),
            "cannot decode as bytes: holds bytes, expected 3 bytes");
}

TEST(Enums, TravelByNameWhereTheyAreDescribed) {
  EXPECT_EQ(round_trip(Colour::green), Colour::green);
  EXPECT_EQ(payload(Colour::green), payload(std::string("green")));
  EXPECT_EQ(read_as<Recoloured>(Colour::green), Recoloured::green);
  EXPECT_EQ(read_as<Colour>(std::string("crimson")), Colour::red) << "an alias is read";
  EXPECT_EQ(read_error<Recoloured>(std::string("blue")),
            "cannot decode as Recoloured: holds 'blue', expected one of 'green', 'red'");
  EXPECT_EQ(read_error<Recoloured>(0),
            "cannot decode as Recoloured: holds the integer 0, expected one of 'green', 'red'");
}

TEST(Enums, RefuseToStoreANumberWithoutName) {
  EXPECT_EQ(encode_error(static_cast<Colour>(77), Code::misuse),
            "cannot encode a value of type Colour: Colour holds 77, which has no name in "
            "PERDURE_DESCRIBE_ENUM");
}

TEST(Enums, TravelByNumberWhereTheyAreNot) {
  EXPECT_EQ(payload(Plain::b), payload(200));
  EXPECT_EQ(round_trip(Plain::b), Plain::b);
  EXPECT_EQ(read_as<Plain>(7), static_cast<Plain>(7));
  EXPECT_NE(read_error<Plain>(256), "");
}

TEST(Nothing, IsAnEmptyPayload) {
  EXPECT_TRUE(encode().value().empty());
  EXPECT_TRUE(decode<void>({}).has_value());
  EXPECT_TRUE(payload(std::monostate{}).empty());
  EXPECT_EQ(decode<void>(payload(1)).error().message,
            "cannot decode as unit: holds the integer 1, expected nothing (null)");
}

}  // namespace
}  // namespace perdure::testing_codec
