#include "tests/codec/codec_fixture.hpp"

#include <optional>
#include <stdexcept>
#include <tuple>
#include <variant>

namespace perdure::testing_codec {
namespace {

struct Card {
  std::string number;
};
PERDURE_DESCRIBE(Card, number);
struct Cash {
  int cents = 0;
};
PERDURE_DESCRIBE(Cash, cents);
using Payment = std::variant<std::monostate, Card, Cash>;

/// Throws when it is copied, so that a variant can lose its value.
struct Fragile {
  int value = 0;
  Fragile() = default;
  Fragile(const Fragile&) { throw std::runtime_error("fragile"); }
  Fragile& operator=(const Fragile&) = default;
};
PERDURE_DESCRIBE(Fragile, value);

TEST(Optionals, AreNullOrTheirValue) {
  EXPECT_EQ(round_trip(std::optional<int>{}), std::nullopt);
  EXPECT_EQ(round_trip(std::optional<int>{0}), std::optional<int>{0});
  EXPECT_EQ(payload(std::optional<int>{5}), payload(5));
  EXPECT_TRUE(payload(std::optional<int>{}).empty());
  const std::vector<std::optional<std::string>> list{{}, "", "x"};
  EXPECT_EQ(round_trip(list), list);
}

TEST(Optionals, AreCompatibleWithTheirValueBothWays) {
  EXPECT_EQ(read_as<std::optional<int>>(5), 5);
  EXPECT_EQ(read_as<int>(std::optional<int>{5}), 5);
  EXPECT_EQ(read_error<int>(std::optional<int>{}),
            "cannot decode as i32: holds nothing (null), expected a 32-bit integer");
}

TEST(Variants, CarryTheAlternativesName) {
  const auto cash = round_trip(Payment{Cash{500}});
  ASSERT_TRUE(std::holds_alternative<Cash>(cash));
  EXPECT_EQ(std::get<Cash>(cash).cents, 500);
  EXPECT_EQ(json(payload(Payment{Cash{500}})), R"({"Cash":{"cents":500}})");
  EXPECT_EQ(json(payload(Payment{})), R"({"unit":null})");
  EXPECT_TRUE(std::holds_alternative<std::monostate>(round_trip(Payment{})));
}

TEST(Variants, MayBeReorderedAndGrow) {
  using Reordered = std::variant<std::string, Cash, Card>;
  const auto card = read_as<Reordered>(Payment{Card{"4111"}});
  ASSERT_TRUE(std::holds_alternative<Card>(card));
  EXPECT_EQ(std::get<Card>(card).number, "4111");
}

TEST(Variants, NameTheAlternativeThatTheyLack) {
  using Fewer = std::variant<Card, int>;
  EXPECT_EQ(read_error<Fewer>(Payment{Cash{1}}),
            "cannot decode as variant<Card,i32>: holds 'Cash', expected one of 'Card', 'i32'");
  EXPECT_EQ(read_error<Payment>(5),
            "cannot decode as variant<unit,Card,Cash>: holds the integer 5, expected an "
            "alternative by its name");
  EXPECT_EQ(decode_error<Payment>(from_json(R"({"Card":{},"Cash":{}})")),
            "cannot decode as variant<unit,Card,Cash>: holds a map of 2 entries, expected an "
            "alternative by its name");
  EXPECT_EQ(decode_error<Payment>(from_json(R"({"Cash":{"cents":"x"}})")),
            "cannot decode as variant<unit,Card,Cash>: field 'Cash.cents': holds text, expected a "
            "32-bit integer");
}

TEST(Variants, RefuseToStoreALostValue) {
  std::variant<int, Fragile> lost{1};
  const Fragile fragile;
  EXPECT_THROW(lost.emplace<Fragile>(fragile), std::runtime_error);
  ASSERT_TRUE(lost.valueless_by_exception());
  EXPECT_EQ(encode_error(lost, Code::misuse),
            "cannot encode a value of type variant<i32,Fragile>: a variant<i32,Fragile> lost its "
            "value in an exception");
}

TEST(Tuples, AreListsOfTheirLength) {
  const std::tuple<int, std::string, bool> value{1, "two", true};
  EXPECT_EQ(round_trip(value), value);
  EXPECT_EQ(json(payload(value)), R"([1,"two",true])");
  const std::pair<std::string, double> pair{"x", 0.5};
  EXPECT_EQ(round_trip(pair), pair);
  EXPECT_EQ(round_trip(std::tuple<>{}), std::tuple<>{});
}

TEST(Tuples, RefuseAnotherLength) {
  using Pair = std::pair<int, int>;
  EXPECT_EQ(read_error<Pair>(std::vector<int>{1, 2, 3}),
            "cannot decode as pair<i32,i32>: holds a list of 3, expected a list of 2");
  EXPECT_EQ(read_error<Pair>(1),
            "cannot decode as pair<i32,i32>: holds the integer 1, expected a list of 2");
  EXPECT_EQ((read_error<std::tuple<int, int, bool>>(std::vector<int>{1, 2, 3})),
            "cannot decode as tuple<i32,i32,bool>: element [2]: holds the integer 3, expected true "
            "or false");
}

}  // namespace
}  // namespace perdure::testing_codec
