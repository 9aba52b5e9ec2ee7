// The bytes of payloads. They stand in journals and are compared with each other, so they are the
// same under every compiler and stay as they are: a change of these is a change of the format.
#include "tests/codec/codec_fixture.hpp"

#include <chrono>
#include <limits>
#include <map>
#include <unordered_map>

namespace perdure::testing_codec {
namespace {

enum class Colour { red, green };
PERDURE_DESCRIBE_ENUM(Colour, red, green);
struct Booking {
  std::string id;
  int price_cents = 0;
};
PERDURE_DESCRIBE(Booking, id, price_cents);
struct Trip {
  Booking flight;
  std::vector<Booking> rooms;
  std::optional<std::string> note;
  std::variant<int, Booking> choice;
  Colour colour = Colour::red;
  std::chrono::milliseconds delay{};
};
PERDURE_DESCRIBE(Trip, flight, rooms, note, choice, colour, delay);

template <class T>
std::string hex_of(const T& value) {
  return hex(payload(value));
}

TEST(GoldenBytes, WholeNumbers) {
  EXPECT_EQ(hex_of(true), "016801");
  EXPECT_EQ(hex_of(5), "050401");
  EXPECT_EQ(hex_of(-1), "ff0401");
  EXPECT_EQ(hex_of(300), "2c010502");
  EXPECT_EQ(hex_of((std::uint64_t{70000})), "701101000604");
  EXPECT_EQ(hex_of(std::numeric_limits<std::int64_t>::min()), "00000000000000800708");
  EXPECT_EQ(hex_of(std::numeric_limits<std::uint64_t>::max()), "ffffffffffffffff0b08");
}

TEST(GoldenBytes, Numbers) {
  EXPECT_EQ(hex_of(0.5), "0000003f0e04");
  EXPECT_EQ(hex_of(0.1), "9a9999999999b93f0f08");
  EXPECT_EQ(hex_of(-0.0), "000000800e04");
}

TEST(GoldenBytes, Leaves) {
  EXPECT_EQ(hex_of('a'), "016100021401");
  EXPECT_EQ(hex_of(std::string("hello")), "0568656c6c6f00061401");
  EXPECT_EQ(hex_of(std::string()), "0000011401");
  EXPECT_EQ(hex_of(std::string(3, '\0')), "0300000000041401");
  EXPECT_EQ(hex_of(Colour::green), "05677265656e00061401");
  EXPECT_EQ(hex_of((std::vector<std::byte>{std::byte{1}, std::byte{255}})), "0201ff026401");
}

TEST(GoldenBytes, Containers) {
  EXPECT_EQ(hex_of((std::vector<int>{})), "00002801");
  EXPECT_EQ(hex_of((std::vector<int>{1, -2, 300})), "03000100feff2c01062d01");
  EXPECT_EQ(hex_of((std::vector<double>{0.5, 0.1})),
            "0200000000000000000000000000e03f9a9999999999b93f103701");
  EXPECT_EQ(hex_of((std::vector<bool>{true, false})), "020100029001");
  EXPECT_EQ(hex_of((std::vector<std::string>{"a", "bc"})), "016100026263000207051414042801");
  EXPECT_EQ(hex_of((std::tuple<int, std::string, bool>{1, "x", true})),
            "01780003010401041468062801");
  EXPECT_EQ(hex_of((std::map<std::string, int>{{"a", 1}, {"b", 2}})),
            "01610002030114040162000203021404020d062828042801");
  EXPECT_EQ(hex_of((std::unordered_map<int, int>{{3, 1}, {1, 2}, {2, 3}})),
            "020102020203020301030907052c2c2c062801");
  EXPECT_EQ(hex_of((std::optional<int>{})), "");
}

TEST(GoldenBytes, Structs) {
  EXPECT_EQ(hex_of((std::variant<int, Booking>{Booking{"LIS", 100}})),
            "426f6f6b696e6700696400034c49530070726963655f63656e74730002150e02010216"
            "64140401270101010924022401");
  EXPECT_EQ(hex_of(std::chrono::milliseconds(1500)), "6d7300010400020001000100dc0505032501");
  EXPECT_EQ(hex_of((Booking{"LIS", 12345})),
            "696400034c49530070726963655f63656e74730002150e000300010002001a00393014"
            "05062501");
  EXPECT_EQ(hex_of((Trip{{"LIS", 100},
                         {{"H1", 1}, {"H2", 2}},
                         "late",
                         5,
                         Colour::green,
                         std::chrono::seconds(2)})),
            "63686f696365006933320001050101010504636f6c6f75720005677265656e0064656c"
            "6179006d7300010400020001000100d00705666c6967687400696400034c4953007072"
            "6963655f63656e74730002150e020102166414046e6f746500046c61746500726f6f6d"
            "73000248310002342d020102090114040248320002423b020102090214040213062424"
            "068d7c6f5b372d060106867d66433a132414252414280c2401");
}

}  // namespace
}  // namespace perdure::testing_codec
