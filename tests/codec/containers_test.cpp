#include "tests/codec/codec_fixture.hpp"

#include <array>
#include <cmath>
#include <deque>
#include <limits>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace perdure::testing_codec {
namespace {

TEST(Sequences, ComeBack) {
  EXPECT_EQ(round_trip(std::vector<int>{}), (std::vector<int>{}));
  EXPECT_EQ(round_trip(std::vector<int>{1, -200, 70000}), (std::vector<int>{1, -200, 70000}));
  EXPECT_EQ(round_trip(std::vector<bool>{true, false, true}), (std::vector{true, false, true}));
  EXPECT_EQ(round_trip(std::deque<double>{0.5, 1e300}), (std::deque<double>{0.5, 1e300}));
  EXPECT_EQ(round_trip(std::vector<std::string>{"", "a", "bb"}),
            (std::vector<std::string>{"", "a", "bb"}));
  EXPECT_EQ(round_trip(std::vector<std::vector<int>>{{}, {1}, {2, 3}}),
            (std::vector<std::vector<int>>{{}, {1}, {2, 3}}));
  EXPECT_EQ(round_trip(std::array<int, 3>{3, 2, 1}), (std::array<int, 3>{3, 2, 1}));
}

TEST(Sequences, ComeBackAtEveryWidthOfTheirOffsets) {
  for (const std::size_t size : {1U, 127U, 128U, 255U, 256U, 257U, 5000U, 70000U}) {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < size; ++i) texts.push_back(std::to_string(i));
    EXPECT_EQ(round_trip(texts), texts) << size;
  }
}

TEST(Sequences, MixNaturalsAboveAndBelowSixtyThreeBits) {
  const std::vector<std::uint64_t> mixed{1, std::numeric_limits<std::uint64_t>::max(), 3};
  EXPECT_EQ(round_trip(mixed), mixed);
  const std::vector<std::uint64_t> large(3, std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(round_trip(large), large);
}

TEST(Sequences, AreTheSameBytesInEveryContainer) {
  const std::vector<int> vector{3, 1, 2};
  EXPECT_EQ(payload(vector), payload(std::deque<int>{3, 1, 2}));
  EXPECT_EQ(payload(vector), payload(std::array<int, 3>{3, 1, 2}));
}

TEST(Sequences, NameTheElementThatDoesNotFit) {
  const std::vector<std::vector<int>> lists{{1}, {2, 300}};
  EXPECT_EQ(read_error<std::vector<std::vector<std::int8_t>>>(lists),
            "cannot decode as list<list<i8>>: element [1][1]: holds the integer 300, expected an "
            "8-bit integer (-128 to 127)");
  EXPECT_EQ(read_error<std::vector<int>>(5),
            "cannot decode as list<i32>: holds the integer 5, expected a list");
  EXPECT_EQ((read_error<std::array<int, 2>>(std::vector<int>{1, 2, 3})),
            "cannot decode as array<i32>: holds a list of 3, expected a list of 2");
}

TEST(Sets, ComeBack) {
  EXPECT_EQ(round_trip(std::set<std::string>{"b", "a"}), (std::set<std::string>{"a", "b"}));
  EXPECT_EQ(round_trip(std::unordered_set<int>{5, -1, 3}), (std::unordered_set<int>{5, -1, 3}));
}

TEST(Sets, RefuseAnElementThatStandsTwice) {
  EXPECT_EQ(read_error<std::set<int>>(std::vector<int>{1, 2, 1}),
            "cannot decode as set<i32>: element [2]: stands in the set already");
  EXPECT_NE(read_error<std::unordered_set<int>>(std::vector<int>{1, 1}), "");
}

TEST(Maps, ComeBack) {
  const std::map<int, std::string> map{{2, "two"}, {-1, "minus one"}};
  EXPECT_EQ(round_trip(map), map);
  const std::unordered_map<std::string, std::vector<int>> lists{{"a", {1}}, {"", {}}};
  EXPECT_EQ(round_trip(lists), lists);
  const std::map<std::pair<int, int>, int> grid{{{0, 1}, 5}, {{1, 0}, 6}};
  EXPECT_EQ(round_trip(grid), grid);
}

TEST(Maps, AreListsOfPairs) {
  const std::map<std::string, int> map{{"a", 1}, {"b", 2}};
  const std::vector<std::pair<std::string, int>> pairs{{"a", 1}, {"b", 2}};
  EXPECT_EQ(payload(map), payload(pairs));
}

TEST(Maps, KeepKeysThatAPayloadsOwnMapCouldNotHold) {
  using namespace std::string_literals;
  const std::map<std::string, int> map{{"nul\0inside"s, 1}, {std::string(5000, 'k'), 2}};
  EXPECT_EQ(round_trip(map), map);
}

TEST(Maps, NameThePairThatDoesNotFit) {
  using Map = std::map<int, std::string>;
  EXPECT_EQ(read_error<Map>(5),
            "cannot decode as map<i32,string>: holds the integer 5, expected a list of pairs");
  EXPECT_EQ(read_error<Map>(std::vector<int>{1}),
            "cannot decode as map<i32,string>: element [0]: holds the integer 1, expected a pair");
  EXPECT_EQ(read_error<Map>(std::vector<std::vector<int>>{{1, 2, 3}}),
            "cannot decode as map<i32,string>: element [0]: holds a list of 3, expected a pair");
  EXPECT_EQ(read_error<Map>(std::vector<std::pair<int, int>>{{1, 2}}),
            "cannot decode as map<i32,string>: element [0][1]: holds the integer 2, expected text");
  EXPECT_EQ((read_error<std::map<int, int>>(std::vector<std::pair<int, int>>{{1, 2}, {1, 3}})),
            "cannot decode as map<i32,i32>: element [1]: its key stands in the map already");
  EXPECT_EQ((read_error<std::map<std::string, int>>(5)),
            "cannot decode as map<string,i32>: holds the integer 5, expected a map, or a list of "
            "pairs");
}

TEST(UnorderedContainers, GiveBytesThatDoNotDependOnTheirHistory) {
  std::unordered_map<int, int> grown;
  std::unordered_set<std::string> words;
  std::map<int, int> ordered;
  for (int i = 0; i < 1000; ++i) {
    grown[i * 7919 % 1000] = i;
    ordered[i * 7919 % 1000] = i;
    words.insert(std::to_string(i));
  }
  std::unordered_map<int, int> copied(ordered.rbegin(), ordered.rend(), 4096);
  EXPECT_EQ(payload(grown), payload(copied));
  EXPECT_EQ(payload(grown), payload(ordered));
  const std::set<std::string> sorted(words.begin(), words.end());
  EXPECT_EQ(payload(words), payload(sorted));
}

TEST(UnorderedContainers, SortKeysThatAreNoNumbers) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  std::unordered_set<double> numbers{1.0, nan, -1.0, std::numeric_limits<double>::infinity()};
  const auto back = read_as<std::vector<double>>(numbers);
  ASSERT_EQ(back.size(), 4U);
  EXPECT_EQ(back[0], -1.0);
  EXPECT_EQ(back[1], 1.0);
  EXPECT_TRUE(std::isinf(back[2]));
  EXPECT_TRUE(std::isnan(back[3]));
}

TEST(Containers, ReplaceWhatTheValueHeldBefore) {
  // A codec may be handed a value with content: a struct's own default.
  std::vector<int> list{9, 9, 9};
  const Bytes bytes = payload(std::vector<int>{1});
  detail::Source source(bytes);
  const Reader reader(source);
  ASSERT_TRUE(Codec<std::vector<int>>::read(reader, list).has_value());
  EXPECT_EQ(list, std::vector<int>{1});
}

}  // namespace
}  // namespace perdure::testing_codec
