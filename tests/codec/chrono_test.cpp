#include "tests/codec/codec_fixture.hpp"

#include <chrono>
#include <limits>

namespace perdure::testing_codec {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using Milliseconds32 = std::chrono::duration<std::int32_t, std::milli>;
using Days = std::chrono::days;
using TimeMs = std::chrono::sys_time<milliseconds>;

TEST(Durations, CarryTheirUnit) {
  EXPECT_EQ(json(payload(1500ms)), R"({"ms":1500})");
  EXPECT_EQ(json(payload(-2h)), R"({"h":-2})");
  EXPECT_EQ(json(payload(std::chrono::duration<double>(0.5))), R"({"s":0.5})");
  EXPECT_EQ(json(payload(Days(3))), R"({"d":3})");
}

TEST(Durations, ComeBack) {
  EXPECT_EQ(round_trip(nanoseconds::min()), nanoseconds::min());
  EXPECT_EQ(round_trip(5us), 5us);
  EXPECT_EQ(round_trip(90min), 90min);
  EXPECT_EQ(round_trip(std::chrono::weeks(2)), std::chrono::weeks(2));
  EXPECT_EQ(round_trip(std::chrono::duration<float>(0.1F)), std::chrono::duration<float>(0.1F));
}

TEST(Durations, ChangeTheirUnitExactlyOrNotAtAll) {
  EXPECT_EQ(read_as<seconds>(2000ms), 2s);
  EXPECT_EQ(read_as<milliseconds>(2s), 2000ms);
  EXPECT_EQ(read_as<nanoseconds>(Days(1)), 24h);
  EXPECT_EQ(read_as<std::chrono::duration<double>>(1500ms).count(), 1.5);
  EXPECT_EQ((read_as<std::chrono::duration<double, std::milli>>(2s)).count(), 2000.0);
  EXPECT_EQ(read_error<seconds>(1500ms),
            "cannot decode as duration: field 'ms': holds 1500 ms, which is not a whole number of "
            "s");
  EXPECT_EQ(read_error<nanoseconds>(std::chrono::weeks(100000)),
            "cannot decode as duration: field 'w': holds the integer 100000, expected a count that "
            "fits when given in ns");
  EXPECT_NE(read_error<Milliseconds32>(std::chrono::hours(24 * 30)), "");
  EXPECT_NE(read_error<Milliseconds32>(milliseconds(std::int64_t{1} << 40U)), "");
  EXPECT_EQ(read_as<Milliseconds32>(2s), Milliseconds32(2000));
}

TEST(Durations, AreNoPlainNumbers) {
  EXPECT_EQ(read_error<milliseconds>(1500),
            "cannot decode as duration: holds the integer 1500, expected a duration, e.g. {\"ms\": "
            "1500}");
  EXPECT_EQ(decode_error<milliseconds>(from_json(R"({"fortnight":1})")),
            "cannot decode as duration: holds a map with the key 'fortnight', expected a duration, "
            "e.g. {\"ms\": 1500}");
  EXPECT_EQ(decode_error<milliseconds>(from_json(R"({"ms":1,"s":1})")),
            "cannot decode as duration: holds a map of 2 entries, expected a duration, e.g. "
            "{\"ms\": 1500}");
  EXPECT_NE(decode_error<milliseconds>(from_json(R"({"ms":1.5})")), "");
}

TEST(Times, CountFrom1970) {
  const TimeMs time{1'700'000'000'123ms};
  EXPECT_EQ(json(payload(time)), R"({"unix_ms":1700000000123})");
  EXPECT_EQ(round_trip(time), time);
  EXPECT_EQ(read_as<std::chrono::sys_time<nanoseconds>>(time), time);
  EXPECT_NE(read_error<std::chrono::sys_seconds>(time), "");
}

TEST(Times, AreNoDurations) {
  EXPECT_EQ(read_error<TimeMs>(5ms),
            "cannot decode as time: holds a map with the key 'ms', expected a time, e.g. "
            "{\"unix_ms\": 1700000000000}");
  EXPECT_NE(read_error<milliseconds>(TimeMs{5ms}), "");
}

static_assert(!codable<std::chrono::steady_clock::time_point>, "it means nothing after a restart");
static_assert(!codable<std::chrono::months>, "a month is no number of seconds");

}  // namespace
}  // namespace perdure::testing_codec
