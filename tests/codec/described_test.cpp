#include "tests/codec/codec_fixture.hpp"

#include <boost/describe/operators.hpp>

#include <string>
#include <vector>

namespace perdure::testing_codec {
namespace {

struct Booking {
  std::string id;
  int price_cents = 7;
  bool operator==(const Booking&) const = default;
};
PERDURE_DESCRIBE(Booking, id, price_cents);

struct Trip {
  Booking flight;
  std::vector<Booking> rooms;
  std::optional<std::string> note;
  bool operator==(const Trip&) const = default;
};
PERDURE_DESCRIBE(Trip, flight, rooms, note);

struct Tree {
  int value = 0;
  std::vector<Tree> children;
  bool operator==(const Tree&) const = default;
};
PERDURE_DESCRIBE(Tree, value, children);

struct Nothing {
  bool operator==(const Nothing&) const = default;
};
PERDURE_DESCRIBE(Nothing);

// One struct through its releases: fields come and go.
struct First {
  int a = 1;
  int b = 2;
};
PERDURE_DESCRIBE(First, a, b);
struct Added {
  int a = 10;
  int b = 20;
  int c = 30;
};
PERDURE_DESCRIBE(Added, a, b, c);
struct Removed {
  int b = 200;
};
PERDURE_DESCRIBE(Removed, b);
struct Renamed {
  int a = 10;
  int z = 20;
};
PERDURE_DESCRIBE(Renamed, a, z);
struct Widened {
  std::int64_t b = 0;
  double a = 0;
};
PERDURE_DESCRIBE(Widened, b, a);
struct Retyped {
  std::string a;
  int b = 0;
};
PERDURE_DESCRIBE(Retyped, a, b);
struct Explained {
  int a = 10;
  int z = 20;
};
PERDURE_DESCRIBE(Explained, a, z);
struct Dropped {
  int a = 10;
  int y = 50;
};
PERDURE_DESCRIBE(Dropped, a, y);
struct Holder {
  std::vector<Renamed> all;
};
PERDURE_DESCRIBE(Holder, all);
struct OldHolder {
  std::vector<First> all;
};
PERDURE_DESCRIBE(OldHolder, all);
struct DefaultLists {
  std::vector<int> list{1, 2, 3};
};
PERDURE_DESCRIBE(DefaultLists, list);

struct Many {
  int f00 = 0, f01 = 1, f02 = 2, f03 = 3, f04 = 4, f05 = 5, f06 = 6, f07 = 7, f08 = 8, f09 = 9;
  int f10 = 0, f11 = 1, f12 = 2, f13 = 3, f14 = 4, f15 = 5, f16 = 6, f17 = 7, f18 = 8, f19 = 9;
  int f20 = 0, f21 = 1, f22 = 2, f23 = 3, f24 = 4, f25 = 5, f26 = 6, f27 = 7, f28 = 8, f29 = 9;
  int f30 = 0, f31 = 1, f32 = 2, f33 = 3, f34 = 4, f35 = 5, f36 = 6, f37 = 7, f38 = 8, f39 = 9;
  int f40 = 0, f41 = 1, f42 = 2, f43 = 3, f44 = 4, f45 = 5, f46 = 6, f47 = 7, f48 = 8, f49 = 9;
  int f50 = 0, f51 = 1;
  bool operator==(const Many&) const = default;
};
PERDURE_DESCRIBE(Many, f51, f50, f49, f48, f47, f46, f45, f44, f43, f42, f41, f40, f39, f38, f37,
                 f36, f35, f34, f33, f32, f31, f30, f29, f28, f27, f26, f25, f24, f23, f22, f21,
                 f20, f19, f18, f17, f16, f15, f14, f13, f12, f11, f10, f09, f08, f07, f06, f05,
                 f04, f03, f02, f01, f00);

}  // namespace
}  // namespace perdure::testing_codec

template <>
struct perdure::FieldHistory<perdure::testing_codec::Explained> {
  static constexpr perdure::RenamedField renamed[] = {{"b", "z"}};
};
template <>
struct perdure::FieldHistory<perdure::testing_codec::Dropped> {
  static constexpr std::string_view removed[] = {"b"};
};

namespace perdure::testing_codec {
namespace {

TEST(Structs, ComeBack) {
  const Trip trip{{"LIS", 100}, {{"H1", 1}, {"", -5}}, "late"};
  EXPECT_EQ(round_trip(trip), trip);
  EXPECT_EQ(round_trip(Trip{}), Trip{});
  EXPECT_EQ(round_trip(Nothing{}), Nothing{});
}

TEST(Structs, AreMapsWithAllFieldsSortedByName) {
  EXPECT_EQ(json(payload(Trip{{"LIS", 100}, {}, {}})),
            R"({"flight":{"id":"LIS","price_cents":100},"note":null,"rooms":[]})");
}

TEST(Structs, MayHaveFiftyTwoFields) {
  Many many;
  many.f00 = -1;
  many.f51 = 70000;
  EXPECT_EQ(round_trip(many), many);
}

TEST(Structs, MayContainThemselvesDownToTheDepthLimit) {
  const auto chain = [](int depth) {
    Tree tree{depth, {}};
    for (int i = depth - 1; i > 0; --i) {
      Tree parent{i, {}};
      parent.children.push_back(std::move(tree));
      tree = std::move(parent);
    }
    return tree;
  };
  // A tree of one level is a map and an empty list within it.
  EXPECT_EQ(round_trip(chain(32)), chain(32));
  EXPECT_EQ(encode_error(chain(33), Code::too_large),
            "cannot encode a value of type Tree: lists and maps are nested deeper than 64 in it");
  EXPECT_NE(encode_error(chain(1000), Code::too_large), "") << "and the stack is enough for it";
}

TEST(Structs, NameTheFieldThatDoesNotFit) {
  EXPECT_EQ(decode_error<Booking>(from_json(R"({"id":"x","price_cents":"free"})")),
            "cannot decode as Booking: field 'price_cents': holds text, expected a 32-bit integer");
  EXPECT_EQ(decode_error<Trip>(from_json(
                R"({"flight":{},"rooms":[{},{"id":"a","price_cents":1.5}],"note":null})")),
            "cannot decode as Trip: field 'rooms[1].price_cents': holds the number 1.5, expected a "
            "32-bit integer");
  EXPECT_EQ(decode_error<std::vector<Booking>>(from_json(R"([{"id":3}])")),
            "cannot decode as list<Booking>: element [0].id: holds the integer 3, expected text");
  EXPECT_EQ(read_error<Booking>(5),
            "cannot decode as Booking: holds the integer 5, expected a map");
}

TEST(Evolution, AnAddedFieldGetsItsDefault) {
  const auto added = read_as<Added>(First{5, 6});
  EXPECT_EQ(added.a, 5);
  EXPECT_EQ(added.b, 6);
  EXPECT_EQ(added.c, 30);
  EXPECT_EQ(decode<Booking>(from_json("{}")).value(), Booking{});
}

TEST(Evolution, ARemovedFieldIsIgnored) {
  EXPECT_EQ(read_as<Removed>(First{5, 6}).b, 6);
  EXPECT_EQ(read_as<First>(Added{5, 6, 7}).b, 6);
  EXPECT_TRUE(decode<Nothing>(payload(First{})).has_value());
}

TEST(Evolution, AddingAndRemovingAtOnceMayBeARenaming) {
  EXPECT_EQ(read_error<Renamed>(First{}),
            "cannot decode as Renamed: lacks the field 'z' and has an unknown field 'b': was it "
            "renamed? Say so in perdure::FieldHistory (codec_described.hpp)");
  EXPECT_NE(read_error<First>(Renamed{}), "") << "an unknown field after all known ones";
  EXPECT_EQ(read_error<Holder>(OldHolder{{{1, 2}}}),
            "cannot decode as Holder: field 'all[0]': lacks the field 'z' and has an unknown "
            "field 'b': was it renamed? Say so in perdure::FieldHistory (codec_described.hpp)");
}

TEST(Evolution, AnExplainedRenamingIsRead) {
  const auto explained = read_as<Explained>(First{5, 6});
  EXPECT_EQ(explained.a, 5);
  EXPECT_EQ(explained.z, 6);
  EXPECT_EQ(read_as<Explained>(Renamed{5, 8}).z, 8) << "new payloads are read as they are";
  EXPECT_EQ(decode_error<Explained>(from_json(R"({"a":1,"b":"x"})")),
            "cannot decode as Explained: field 'b': holds text, expected a 32-bit integer");
  EXPECT_NE(decode_error<Explained>(from_json(R"({"a":1,"c":2})")), "") << "it explains only b";
}

TEST(Evolution, AnExplainedRemovalIsIgnoredBesideAnAddition) {
  const auto dropped = read_as<Dropped>(First{5, 6});
  EXPECT_EQ(dropped.a, 5);
  EXPECT_EQ(dropped.y, 50);
  EXPECT_NE(decode_error<Dropped>(from_json(R"({"a":1,"b":2,"c":3})")), "");
}

TEST(Evolution, AFieldMayChangeItsTypeWhileTheValuesFit) {
  const auto widened = read_as<Widened>(First{5, 6});
  EXPECT_EQ(widened.a, 5.0);
  EXPECT_EQ(widened.b, 6);
  EXPECT_EQ(read_error<Retyped>(First{}),
            "cannot decode as Retyped: field 'a': holds the integer 1, expected text");
}

TEST(Evolution, FieldsMayBeReordered) {
  EXPECT_EQ(payload(First{1, 2}), from_json(R"({"b":2,"a":1})"));
}

TEST(Evolution, AStoredListReplacesTheDefaultOne) {
  EXPECT_EQ(decode<DefaultLists>(from_json(R"({"list":[9]})")).value().list, std::vector<int>{9});
  EXPECT_EQ(decode<DefaultLists>(from_json(R"({"list":[]})")).value().list, std::vector<int>{});
  EXPECT_EQ(decode<DefaultLists>(from_json("{}")).value().list, (std::vector<int>{1, 2, 3}));
}

}  // namespace
}  // namespace perdure::testing_codec
