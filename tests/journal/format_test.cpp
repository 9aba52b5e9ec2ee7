// The format as docs/journal_format.md spells it out: if one of these changes, old journals can't
// be read.

#include "journal/reader.hpp"
#include "journal/record.hpp"
#include "journal/step_path.hpp"
#include "tests/journal/store_fixture.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string_view>
#include <utility>

namespace perdure::journal {
namespace {

TEST(Format, TheDocumentsRecordIsWhatIsWritten) {
  const RunId run = RunId::parse("01JD3Z5V7Q8R9S0T1V2W3X4Y5Z").value();
  const std::array<std::uint32_t, 1> path{3};
  StepResult result;
  result.path = path;
  result.name = "charge";
  result.type = "i32";
  result.stamp = 1'732'000'000'123'456;
  result.busy_us = 1500;
  result.payload = core::as_bytes(std::string_view("\x05\x04\x01", 3));
  core::Bytes value(kEnvelopeBytes);
  encode_body(result, value);
  const Key key = Key{}.add(run).add(std::uint32_t{2});
  seal(key.view(), value, Kind::step_result, 17);
  EXPECT_EQ(core::to_hex(key.view()), "019347f2ecf7461390683b1707d278bf00000002");
  EXPECT_EQ(core::to_hex(value),
            "60bf582e756c05241100000000000000"
            "01000300680000001c00000000001600"
            "28000400000008000c00000014001c00"
            "00001000160000004000000030000000"
            "24000000180000004022c2ac3e270600"
            "dc050000000000000000000003000000"
            "05040100030000006933320006000000"
            "63686172676500000100000003000000");
}

TEST(Format, HashesInKeysStay) {
  EXPECT_EQ(core::to_hex(core::ByteView(session_hash("trip", "alice-lisbon").bytes)),
            "794fb6f4e604d0ff04adc0a8e0604462");
  EXPECT_EQ(core::to_hex(message_key_row(SessionId{}, "start").view()).substr(0, 32),
            std::string(32, '0'));
  EXPECT_EQ(StepPath(std::array<std::uint32_t, 1>{3}).hash(), 0xc8cfc1d86609e99dULL);
}

TEST(Format, NumbersOfKindsAndTablesStay) {
  const std::array<std::pair<Kind, std::string_view>, 13> kinds{{
      {static_cast<Kind>(1), "run_created"},
      {static_cast<Kind>(2), "step_started"},
      {static_cast<Kind>(3), "step_result"},
      {static_cast<Kind>(4), "run_ended"},
      {static_cast<Kind>(100), "identity"},
      {static_cast<Kind>(101), "counters"},
      {static_cast<Kind>(102), "session"},
      {static_cast<Kind>(103), "message_key"},
      {static_cast<Kind>(104), "run"},
      {static_cast<Kind>(105), "head"},
      {static_cast<Kind>(106), "ready"},
      {static_cast<Kind>(107), "due"},
      {static_cast<Kind>(108), "attempts"},
  }};
  for (const auto& [kind, name] : kinds) EXPECT_EQ(to_string(kind), name);
  const std::array<std::string_view, kTableCount> tables{"meta",    "sessions", "keys", "runs",
                                                         "records", "ready",    "due",  "attempts"};
  for (std::size_t i = 0; i < tables.size(); ++i)
    EXPECT_EQ(to_string(static_cast<Table>(i + 1)), tables[i]);
  const std::array<std::string_view, 6> statuses{"running",   "waiting", "parked",
                                                 "completed", "failed",  "cancelled"};
  for (std::size_t i = 0; i < statuses.size(); ++i)
    EXPECT_EQ(to_string(static_cast<RunStatus>(i + 1)), statuses[i]);
  const std::array<std::string_view, 5> effects{"idempotent", "keyed", "queryable", "at_most_once",
                                                "transactional"};
  for (std::size_t i = 0; i < effects.size(); ++i)
    EXPECT_EQ(to_string(static_cast<EffectClass>(i + 1)), effects[i]);
  EXPECT_EQ(to_string(static_cast<StepKind>(1)), "step");
}

}  // namespace
}  // namespace perdure::journal
