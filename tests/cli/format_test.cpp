#include "cli/format.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>
#include <sstream>

#include "cli/table.hpp"

namespace perdure::cli {
namespace {

constexpr journal::Stamp kStamp = 1'785'412'991'123'456;  // 2026-07-30 12:03:11.123456 UTC

TEST(Format, WritesTimes) {
  EXPECT_EQ(iso_time(kStamp, Zone::utc), "2026-07-30T12:03:11Z");
  EXPECT_EQ(iso_time(kStamp, Zone::utc, Fraction::milliseconds), "2026-07-30T12:03:11.123Z");
  EXPECT_EQ(json_time(kStamp), "2026-07-30T12:03:11.123456Z");
  EXPECT_EQ(json_time(-1), "1969-12-31T23:59:59.999999Z");
}

TEST(Format, WritesLocalTimesWithTheirOffset) {
  // A zone in the form that needs no time zone database.
  ::setenv("TZ", "XST-3:30", 1);
  ::tzset();
  EXPECT_EQ(iso_time(kStamp, Zone::local), "2026-07-30T15:33:11+03:30");
  ::setenv("TZ", "YST5", 1);
  ::tzset();
  EXPECT_EQ(iso_time(kStamp, Zone::local), "2026-07-30T07:03:11-05:00");
  ::unsetenv("TZ");
  ::tzset();
}

TEST(Format, SurvivesStampsThatNoCalendarHolds) {
  constexpr auto kMost = std::numeric_limits<journal::Stamp>::max();
  constexpr auto kLeast = std::numeric_limits<journal::Stamp>::min();
  EXPECT_EQ(json_time(kMost), "9223372036854775807us");
  EXPECT_EQ(iso_time(kLeast, Zone::local), "-9223372036854775808us");
  EXPECT_EQ(relative(kLeast, kStamp), "long ago");
  EXPECT_EQ(relative(kMost, kLeast), "in ages");
  EXPECT_FALSE(duration(kLeast).empty());
  EXPECT_FALSE(relative(kMost, 0).empty());
}

TEST(Format, WritesDurations) {
  EXPECT_EQ(duration(0), "0us");
  EXPECT_EQ(duration(999), "999us");
  EXPECT_EQ(duration(1'500), "1.5ms");
  EXPECT_EQ(duration(999'999), "999ms") << "never rounded up to 1000";
  EXPECT_EQ(duration(4'567'000), "4.56s");
  EXPECT_EQ(duration(59'999'999), "59.9s");
  EXPECT_EQ(duration(200'000'000), "3m 20s");
  EXPECT_EQ(duration(18'720'000'000), "5h 12m");
  EXPECT_EQ(duration(1'047'600'000'000), "12d 3h");
  EXPECT_EQ(duration(-1'500), "-1.5ms");
}

TEST(Format, WritesRelativeTimes) {
  EXPECT_EQ(relative(kStamp - 5'000'000, kStamp), "5.00s ago");
  EXPECT_EQ(relative(kStamp + 5'000'000, kStamp), "in 5.00s");
  EXPECT_EQ(relative(kStamp, kStamp), "now");
}

TEST(Format, WritesSizesAndCounts) {
  EXPECT_EQ(size_text(1023), "1023 B");
  EXPECT_EQ(size_text(1024), "1.0 KiB");
  EXPECT_EQ(size_text(1'048'575), "1023 KiB");
  EXPECT_EQ(size_text(67'108'864), "64.0 MiB");
  EXPECT_EQ(count_text(0), "0");
  EXPECT_EQ(count_text(999), "999");
  EXPECT_EQ(count_text(1'234'567), "1,234,567");
  EXPECT_EQ(counted(1, "run"), "1 run");
  EXPECT_EQ(counted(2'000, "run"), "2,000 runs");
}

class TableTest : public testing::Test {
 protected:
  std::string drawn(std::size_t columns, Colour colour,
                    const std::vector<std::vector<Cell>>& rows) {
    std::ostringstream out;
    const Screen screen{.out = out, .colour = colour, .columns = columns};
    Table table(
        screen,
        {{"NAME", Column::Align::left}, {"N", Column::Align::right}, {"WHY", Column::Align::left}});
    for (const auto& row : rows) table.add(row);
    table.finish();
    return out.str();
  }
};

TEST_F(TableTest, Aligns) {
  EXPECT_EQ(drawn(0, Colour::off, {{{"a"}, {"1"}, {""}}, {{"東京-b"}, {"200"}, {"because"}}}),
            "NAME      N  WHY\n"
            "a         1\n"
            "東京-b  200  because\n");
}

TEST_F(TableTest, WritesNothingWithoutRows) { EXPECT_EQ(drawn(0, Colour::off, {}), ""); }

TEST_F(TableTest, CutsTheLastColumnToTheTerminal) {
  const std::string text = drawn(40, Colour::off, {{{"abcd"}, {"1"}, {std::string(99, 'x')}}});
  EXPECT_EQ(text, "NAME  N  WHY\nabcd  1  " + std::string(30, 'x') + "…\n");
}

TEST_F(TableTest, ColoursDoNotCountAsColumns) {
  EXPECT_EQ(drawn(0, Colour::on, {{{"a", Ink::red}, {"1"}, {"x"}}}),
            "\x1b[1mNAME\x1b[0m  \x1b[1mN\x1b[0m  \x1b[1mWHY\x1b[0m\n"
            "\x1b[31ma\x1b[0m     1  x\n");
}

TEST_F(TableTest, LeavesInBlocksWithOneHeading) {
  std::ostringstream out;
  const Screen screen{.out = out};
  Table table(screen, {{"A", Column::Align::left}});
  for (int i = 0; i < 1200; ++i) {
    table.add({{"x"}});
    // Rows do not pile up: that is what lets a million of them through.
    EXPECT_GT(out.str().size() + 1002, static_cast<std::size_t>(i + 1) * 2);
  }
  table.finish();
  EXPECT_EQ(out.str().size(), 2U * 1201U);
  EXPECT_EQ(out.str().find("A\n", 1), std::string::npos);
}

}  // namespace
}  // namespace perdure::cli
