// The format as docs/journal_format.md spells it out: if one of these changes, old journals can't
// be read.

#include "journal/file_system.hpp"
#include "journal/reader.hpp"
#include "journal/record.hpp"
#include "journal/step_path.hpp"
#include "journal/wal_entry.hpp"
#include "journal/wal_file.hpp"
#include "tests/journal/store_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
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

TEST(Format, TheDocumentsRecordOfABlobIsWhatIsWritten) {
  const RunId run = RunId::parse("01JD3Z5V7Q8R9S0T1V2W3X4Y5Z").value();
  const BlobId id =
      parse_blob_id("ed2b68f542392ea0c083df1c5ae2ba78e2c8e73b59c8e5388f687f27517521c3").value();
  RunEnded ended;
  ended.stamp = 1'732'000'000'124'456;
  ended.type = "Fare";
  ended.payload = BlobRef{id, 48};
  core::Bytes value(kEnvelopeBytes);
  encode_body(ended, value);
  const Key key = Key{}.add(run).add(std::uint32_t{3});
  seal(key.view(), value, Kind::run_ended, 18);
  EXPECT_EQ(core::to_hex(key.view()), "019347f2ecf7461390683b1707d278bf00000003");
  EXPECT_EQ(core::to_hex(value),
            "d61771dea7c40caa1200000000000000"
            "01000400600000001800000000000000"
            "00000e003c0030000400000000000800"
            "0e00000038000000ed2b68f542392ea0"
            "c083df1c5ae2ba78e2c8e73b59c8e538"
            "8f687f27517521c33000000000000000"
            "2826c2ac3e2706000000000004000000"
            "4661726500000000");
}

/// The document's record of a blob, with bytes of its FlatBuffer changed and sealed again.
Result<RunEnded> with_changed(std::size_t at, char to) {
  RunEnded ended;
  ended.stamp = 1'732'000'000'124'456;
  ended.type = "Fare";
  ended.payload = BlobRef{{}, 48};
  core::Bytes value(kEnvelopeBytes);
  encode_body(ended, value);
  value.at(at) = static_cast<std::byte>(to);
  const Key key = Key{}.add(std::uint32_t{3});
  seal(key.view(), value, Kind::run_ended, 18);
  RecordBuffer buffer;
  EXPECT_TRUE(buffer.load(key.view(), value));
  return buffer.as<RunEnded>();
}

TEST(Format, APayloadOfTwoFormsIsDamage) {
  EXPECT_TRUE(with_changed(0x58, 49).has_value());
  const Result<RunEnded> empty = with_changed(0x58, 0);
  ASSERT_TRUE(empty.has_error());
  EXPECT_EQ(empty.error().code, Code::corrupt);
  EXPECT_EQ(empty.error().message, "its payload is a blob of no bytes");
  // The vtable's field `payload` leads to where `type` is.
  const Result<RunEnded> both = with_changed(0x2C, 4);
  ASSERT_TRUE(both.has_error());
  EXPECT_EQ(both.error().code, Code::corrupt);
  EXPECT_EQ(both.error().message, "it holds a payload, and a blob in the place of one");
}

/// What the document's log begins with: whose it is, and an entry that puts a row and erases one.
TEST(Format, TheDocumentsLogIsWhatIsWritten) {
  const TemporaryDirectory directory;
  const core::Hash128 journal{0x5EED'0000'0000'0001ULL, 0x0123'4567'89AB'CDEFULL};
  ASSERT_TRUE(WalFile::create(directory.path(), journal));
  const std::string file = read_file(directory.path() / "wal", 2 * kWalUnit).value();
  EXPECT_EQ(file.size(), 4096);
  EXPECT_EQ(core::to_hex(core::as_bytes(file).first(40)),
            "706572647572652d77616c0a01000000"
            "5eed0000000000010123456789abcdef"
            "202329270aaf57c1");
  EXPECT_EQ(file.substr(40), std::string(4096 - 40, '\0'));

  const RunId run = RunId::parse("01JD3Z5V7Q8R9S0T1V2W3X4Y5Z").value();
  const Key counters = Key{}.add(kCountersRow);
  core::Bytes value(kEnvelopeBytes);
  encode_body(Counters{.epoch = 3,
                       .incarnation = 0xFEDC'BA98'7654'3210ULL,
                       .last_number = 17,
                       .last_stamp = 1'732'000'000'123'456,
                       .clean = 0},
              value);
  seal(counters.view(), value, Kind::counters, 17);
  const std::array batch{Mutation{Table::meta, Mutation::Kind::put, counters, value},
                         Mutation{Table::ready, Mutation::Kind::erase, Key{}.add(run), {}}};
  WalEntry entry =
      WalEntry::encode(batch, {.batch = 9, .previous = 0x0807'0605'0403'0201ULL, .is_sure = true},
                       wal_seed(journal));
  EXPECT_EQ(core::to_hex(entry.bytes()),
            "ad4bc4d275c314470900000000000000"
            "0102030405060708a000000002000000"
            "01000000000000000100040050000000"
            "0000000291940975ad52cc8711000000"
            "00000000010065003800000014000000"
            "000000000c00240004000c0014001c00"
            "0c000000030000000000000010325476"
            "98badcfe11000000000000004022c2ac"
            "3e270600000000000601100000000000"
            "019347f2ecf7461390683b1707d278bf");
  EXPECT_EQ(entry.padded_size(), 4096);
  EXPECT_TRUE(std::ranges::all_of(entry.padded().subspan(entry.bytes().size()),
                                  [](std::byte byte) { return byte == std::byte{}; }));
}

TEST(Format, HashesInKeysStay) {
  EXPECT_EQ(core::to_hex(core::ByteView(session_hash("trip", "alice-lisbon").bytes)),
            "794fb6f4e604d0ff04adc0a8e0604462");
  EXPECT_EQ(core::to_hex(message_key_row(SessionId{}, "start").view()).substr(0, 32),
            std::string(32, '0'));
  EXPECT_EQ(StepPath(std::array<std::uint32_t, 1>{3}).hash(), 0xc8cfc1d86609e99dULL);
}

TEST(Format, NumbersOfKindsAndTablesStay) {
  const std::array<std::pair<Kind, std::string_view>, 28> kinds{{
      {static_cast<Kind>(1), "run_created"},  {static_cast<Kind>(2), "step_started"},
      {static_cast<Kind>(3), "step_result"},  {static_cast<Kind>(4), "run_ended"},
      {static_cast<Kind>(5), "version_mark"}, {static_cast<Kind>(6), "cancel_requested"},
      {static_cast<Kind>(100), "identity"},   {static_cast<Kind>(101), "counters"},
      {static_cast<Kind>(102), "session"},    {static_cast<Kind>(103), "message_key"},
      {static_cast<Kind>(104), "run"},        {static_cast<Kind>(105), "head"},
      {static_cast<Kind>(106), "ready"},      {static_cast<Kind>(107), "due"},
      {static_cast<Kind>(108), "attempts"},   {static_cast<Kind>(109), "checkpoint"},
      {static_cast<Kind>(110), "arrival"},    {static_cast<Kind>(111), "open"},
      {static_cast<Kind>(112), "wait"},       {static_cast<Kind>(113), "state"},
      {static_cast<Kind>(114), "child"},      {static_cast<Kind>(115), "user_row"},
      {static_cast<Kind>(116), "budget"},     {static_cast<Kind>(117), "usage"},
      {static_cast<Kind>(7), "saga_aborted"}, {static_cast<Kind>(118), "saga"},
      {static_cast<Kind>(119), "undo"},       {static_cast<Kind>(120), "undo_state"},
  }};
  for (const auto& [kind, name] : kinds) EXPECT_EQ(to_string(kind), name);
  const std::array<std::string_view, kTableCount> tables{
      "meta",     "sessions", "keys",    "runs",  "records", "ready", "due",
      "attempts", "open",     "inbox",   "kept",  "waits",   "state", "before",
      "children", "rows",     "budgets", "usage", "sagas",   "undos"};
  for (std::size_t i = 0; i < tables.size(); ++i)
    EXPECT_EQ(to_string(static_cast<Table>(i + 1)), tables[i]);
  const std::array<std::string_view, 7> statuses{"queued",    "running", "waiting",  "parked",
                                                 "completed", "failed",  "cancelled"};
  for (std::size_t i = 0; i < statuses.size(); ++i)
    EXPECT_EQ(to_string(static_cast<RunStatus>(i)), statuses[i]);
  const std::array<std::string_view, 7> dues{"retry",    "wait",   "message", "grace",
                                             "deadline", "circle", "saga"};
  for (std::size_t i = 0; i < dues.size(); ++i)
    EXPECT_EQ(to_string(static_cast<DueRow::What>(i + 1)), dues[i]);
  const std::array<std::string_view, 9> arrivals{"message", "signal",     "reply",
                                                 "cancel",  "kill",       "retry_now",
                                                 "raise",   "abort_saga", "saga_told"};
  for (std::size_t i = 0; i < arrivals.size(); ++i)
    EXPECT_EQ(to_string(static_cast<ArrivalRow::What>(i + 1)), arrivals[i]);
  const std::array<std::string_view, 5> effects{"idempotent", "keyed", "queryable", "at_most_once",
                                                "transactional"};
  for (std::size_t i = 0; i < effects.size(); ++i)
    EXPECT_EQ(to_string(static_cast<EffectClass>(i + 1)), effects[i]);
  const std::array<std::string_view, 9> steps{"step",  "sleep", "receive", "call",      "send",
                                              "spawn", "join",  "commit",  "compensate"};
  for (std::size_t i = 0; i < steps.size(); ++i)
    EXPECT_EQ(to_string(static_cast<StepKind>(i + 1)), steps[i]);
  const std::array<std::string_view, 3> ends{"wait", "cancel", "abandon"};
  for (std::size_t i = 0; i < ends.size(); ++i)
    EXPECT_EQ(to_string(static_cast<ParentEnd>(i + 1)), ends[i]);
  const std::array<std::string_view, 6> sagas{"open",         "forward",     "committed",
                                              "compensating", "compensated", "stuck"};
  for (std::size_t i = 0; i < sagas.size(); ++i)
    EXPECT_EQ(to_string(static_cast<SagaState>(i + 1)), sagas[i]);
  const std::array<std::string_view, 4> undoings{"undo", "pivot", "saga", "run"};
  for (std::size_t i = 0; i < undoings.size(); ++i)
    EXPECT_EQ(to_string(static_cast<UndoWhat>(i + 1)), undoings[i]);
  const std::array<std::string_view, 8> states{"registered", "happened", "refused", "unknown",
                                               "paid",       "stuck",    "skipped", "marked"};
  for (std::size_t i = 0; i < states.size(); ++i)
    EXPECT_EQ(to_string(static_cast<UndoState>(i)), states[i]);
}

}  // namespace
}  // namespace perdure::journal
