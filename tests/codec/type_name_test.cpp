#include "tests/codec/codec_fixture.hpp"

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>

namespace perdure::testing_codec {
namespace {

struct Booking {
  int id = 0;
};
PERDURE_DESCRIBE(Booking, id);
struct Undescribed {
  int id = 0;
};
enum class Colour { red };
PERDURE_DESCRIBE_ENUM(Colour, red);
enum class Plain : short { a };

/// A user's own type with a codec of its own.
struct Money {
  std::int64_t cents = 0;
};

}  // namespace
}  // namespace perdure::testing_codec

template <>
struct perdure::Codec<perdure::testing_codec::Money> {
  using Money = perdure::testing_codec::Money;
  static void write(Writer& writer, const Money& value) {
    Codec<std::string>::write(writer, std::to_string(value.cents) + " cents");
  }
  static Result<void> read(const Reader& reader, Money& value) {
    std::string text;
    PERDURE_TRY(Codec<std::string>::read(reader, text));
    if (!text.ends_with(" cents")) return reader.error("holds no cents");
    value.cents = std::stoll(text);
    return success();
  }
  static constexpr std::string_view type_name() { return "bank.Money"; }
};

namespace perdure::testing_codec {
namespace {

TEST(TypeNames, AreStable) {
  EXPECT_EQ(type_name<void>(), "unit");
  EXPECT_EQ(type_name<std::monostate>(), "unit");
  EXPECT_EQ(type_name<bool>(), "bool");
  EXPECT_EQ(type_name<char>(), "char");
  EXPECT_EQ(type_name<signed char>(), "i8");
  EXPECT_EQ(type_name<unsigned char>(), "u8");
  EXPECT_EQ(type_name<std::int16_t>(), "i16");
  EXPECT_EQ(type_name<int>(), "i32");
  EXPECT_EQ(type_name<long>(), "i64");
  EXPECT_EQ(type_name<long long>(), "i64");
  EXPECT_EQ(type_name<unsigned long>(), "u64");
  EXPECT_EQ(type_name<char8_t>(), "char8");
  EXPECT_EQ(type_name<float>(), "f32");
  EXPECT_EQ(type_name<double>(), "f64");
  EXPECT_EQ(type_name<std::byte>(), "byte");
  EXPECT_EQ(type_name<std::string>(), "string");
  EXPECT_EQ(type_name<Bytes>(), "bytes");
  EXPECT_EQ(type_name<std::vector<int>>(), "list<i32>");
  EXPECT_EQ(type_name<std::deque<int>>(), "list<i32>");
  EXPECT_EQ((type_name<std::array<int, 3>>()), "array<i32>");
  EXPECT_EQ(type_name<std::set<std::string>>(), "set<string>");
  EXPECT_EQ((type_name<std::unordered_map<std::string, std::vector<Booking>>>()),
            "map<string,list<Booking>>");
  EXPECT_EQ(type_name<std::optional<Colour>>(), "optional<Colour>");
  EXPECT_EQ((type_name<std::variant<std::monostate, Booking>>()), "variant<unit,Booking>");
  EXPECT_EQ((type_name<std::tuple<int, bool, double>>()), "tuple<i32,bool,f64>");
  EXPECT_EQ(type_name<std::tuple<>>(), "tuple<>");
  EXPECT_EQ((type_name<std::pair<int, int>>()), "pair<i32,i32>");
  EXPECT_EQ(type_name<std::chrono::milliseconds>(), "duration");
  EXPECT_EQ(type_name<std::chrono::sys_seconds>(), "time");
  EXPECT_EQ(type_name<Plain>(), "enum<i16>");
  EXPECT_EQ(type_name<std::vector<Money>>(), "list<bank.Money>");
}

static_assert(type_name<std::vector<int>>() == "list<i32>", "names are made by the compiler");

static_assert(codable<void> && codable<int> && codable<Booking> && codable<Money>);
static_assert(Codable<std::map<std::string, std::vector<std::optional<Money>>>>);
static_assert(!codable<int*> && !codable<std::unique_ptr<int>> && !codable<Undescribed>);
static_assert(!codable<std::vector<Undescribed>> && !codable<std::optional<int*>>);
static_assert(!codable<std::string_view> && !codable<const char*>, "they own nothing");
static_assert(!codable<wchar_t> && !codable<long double>, "their bytes differ between machines");

TEST(OwnCodecs, AreUsedWhereverTheTypeStands) {
  const std::map<int, Money> map{{1, {500}}};
  EXPECT_EQ(round_trip(map).at(1).cents, 500);
  EXPECT_EQ(decode_error<std::vector<Money>>(from_json(R"(["5 cents","5 euros"])")),
            "cannot decode as list<bank.Money>: element [1]: holds no cents");
}

TEST(OwnCodecs, MayLookAtAValueMoreThanOnce) {
  const std::vector<std::string> texts(50, std::string(200, 'x'));
  const Bytes bytes = payload(texts);
  detail::Source source(bytes);
  const Reader reader(source);
  for (int i = 0; i < 5; ++i) {
    std::vector<std::string> read;
    ASSERT_TRUE(Codec<std::vector<std::string>>::read(reader, read).has_value());
    EXPECT_EQ(read, texts);
  }
}

}  // namespace
}  // namespace perdure::testing_codec
