#include "cli/records.hpp"

#include <gtest/gtest.h>

#include "journal/memory_store.hpp"
#include "tests/cli/journal_builder.hpp"

namespace perdure::cli {
namespace {

using namespace std::chrono_literals;

class RecordsTest : public testing::Test {
 protected:
  TestScreen show(Format format) {
    TestScreen shown(builder.now(), format);
    journal::Reader reader = reader_of(store);
    const auto result = show_records(reader, *reader.run(run).value(), shown.screen);
    EXPECT_TRUE(result.has_value()) << result.error().message;
    return shown;
  }

  journal::MemoryStore store;
  JournalBuilder builder{store};
  const RunId run = builder.start("trip", "alice");
};

TEST_F(RecordsTest, WritesWhatSessionsRecord) {
  builder.record(run, journal::VersionMark{"fee", 2, builder.now()});
  builder.record(run,
                 journal::CancelRequested{Code::timeout, "ann", "too slow", 30'000, builder.now()});
  const auto lines = show(Format::json).lines();
  ASSERT_EQ(lines.size(), 3U);
  const auto mark = nlohmann::json::parse(lines[1]);
  EXPECT_EQ(mark["kind"], "version_mark");
  EXPECT_EQ(mark["stamp"], "2023-11-14T22:13:20.000000Z");
  EXPECT_EQ(mark["content"], nlohmann::json::parse(R"({"name":"fee","version":2})"));
  const auto cancel = nlohmann::json::parse(lines[2]);
  EXPECT_EQ(cancel["kind"], "cancel_requested");
  EXPECT_EQ(
      cancel["content"],
      nlohmann::json::parse(R"({"code":"timeout","who":"ann","why":"too slow","grace_ms":30000})"));
}

TEST_F(RecordsTest, NamesWhoWaitsForTheRun) {
  const RunId caller = builder.start("shop", "s");
  const Path path{2, 1};
  const core::Bytes input = payload(7);
  journal::RunCreated created{"trip", 3, "main", "alice", "start", "int", input, 42, builder.now()};
  created.caller = journal::Caller{journal::session_hash("shop", "s"), "shop", "s", caller, path};
  created.deadline = builder.now() + 60'000'000;
  builder.put(journal::Table::records, journal::Key{}.add(run).add(std::uint32_t{0}), created);
  const auto content = nlohmann::json::parse(show(Format::json).lines().at(0))["content"];
  EXPECT_EQ(content["caller"],
            nlohmann::json::parse(R"({"agent":"shop","key":"s","run":")" + to_string(caller) +
                                  R"(","step":"2.1","saga":null})"));
  EXPECT_EQ(content["deadline"], "2023-11-14T22:14:20.000000Z");
}

TEST_F(RecordsTest, OfAQueuedRunThereAreNone) {
  const RunId queued = builder.queue();
  TestScreen shown(builder.now(), Format::json);
  journal::Reader reader = reader_of(store);
  ASSERT_TRUE(show_records(reader, *reader.run(queued).value(), shown.screen).has_value());
  EXPECT_EQ(shown.text(), "");
}

TEST_F(RecordsTest, WritesOneObjectALine) {
  builder.clock.advance(1s);
  builder.started(run, {1, 2}, "buy");
  builder.step(run, {1, 2}, "buy", payload(7), "int");
  builder.fail(run, {Code::cancelled, "stop"});
  std::vector<nlohmann::json> records;
  for (const std::string& line : show(Format::json).lines())
    records.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(records.size(), 4U);
  for (std::size_t i = 0; i < records.size(); ++i) {
    EXPECT_EQ(records[i]["index"], i);
    EXPECT_EQ(records[i]["number"], i + 1);
    EXPECT_GT(records[i]["stored_bytes"], journal::kEnvelopeBytes);
  }
  auto created = nlohmann::json::parse(R"({"agent":"trip","agent_version":3,"handler":"main",
      "key":"alice","message_key":"start","seed":42,"input_type":"string","input":"the input",
      "caller":null,"deadline":null,"draws_on":[]})");
  created["input_bytes"] = payload(std::string("the input")).size();
  EXPECT_EQ(records[0]["kind"], "run_created");
  EXPECT_EQ(records[0]["stamp"], "2023-11-14T22:13:20.000000Z");
  EXPECT_EQ(records[0]["content"], created);
  EXPECT_EQ(records[1]["kind"], "step_started");
  EXPECT_EQ(records[1]["stamp"], "2023-11-14T22:13:21.000000Z");
  EXPECT_EQ(
      records[1]["content"],
      nlohmann::json::parse(R"({"step":"1.2","name":"buy","effect":"at_most_once","attempt":1})"));
  auto result = nlohmann::json::parse(R"({"step":"1.2","step_kind":"step","name":"buy","attempts":1,
      "busy_us":1500,"error":null,"result_type":"int","result":7})");
  result["result_bytes"] = payload(7).size();
  EXPECT_EQ(records[2]["kind"], "step_result");
  EXPECT_EQ(records[2]["content"], result);
  EXPECT_EQ(records[3]["kind"], "run_ended");
  EXPECT_EQ(records[3]["content"]["error"]["code"], "cancelled");
  EXPECT_EQ(records[3]["content"]["reply"], nullptr);
}

TEST_F(RecordsTest, WritesRecordsForPeople) {
  builder.complete(run, payload(std::string("d\x1b")));
  const auto lines = show(Format::text).lines();
  ASSERT_FALSE(lines.empty());
  EXPECT_TRUE(lines[0].starts_with("#0  run_created  number 1  2023-11-14T22:13:20.000Z  "))
      << lines[0];
  EXPECT_EQ(lines[1], "  {");
  EXPECT_EQ(lines[2], "    \"agent\": \"trip\",");
  EXPECT_EQ(lines.back(), "  }");
  EXPECT_EQ(lines[lines.size() - 2], "    \"reply\": \"d\\u001b\"");
}

TEST_F(RecordsTest, WritesWhatStandsBeforeADamagedRecord) {
  builder.step(run, {1}, "list", payload(7), "int");
  builder.step(run, {2}, "list", payload(7), "int");
  // A row where a record belongs.
  journal::Change change;
  change.put(journal::Table::records, journal::Key{}.add(run).add(std::uint32_t{2}),
             journal::SessionRow{"a", "b", 1});
  builder.submit(std::move(change));
  TestScreen shown(builder.now(), Format::json);
  journal::Reader reader = reader_of(store);
  const auto result = show_records(reader, *reader.run(run).value(), shown.screen);
  ASSERT_TRUE(result.has_error());
  EXPECT_EQ(result.error().code, Code::corrupt);
  EXPECT_NE(result.error().message.find("record 2 of run " + to_string(run)), std::string::npos);
  EXPECT_EQ(shown.lines().size(), 2U);
}

}  // namespace
}  // namespace perdure::cli
