/// Payloads that are blobs, wherever the command shows payloads.
#include <gtest/gtest.h>

#include <perdure/blob.hpp>

#include "cli/records.hpp"
#include "cli/session.hpp"
#include "cli/show.hpp"
#include "journal/memory_store.hpp"
#include "tests/cli/journal_builder.hpp"

namespace perdure::cli {
namespace {

using What = journal::ArrivalRow::What;

std::string id_in_text(core::ByteView content) {
  journal::MemoryBlobs blobs;
  return journal::to_string(blobs.put(content, journal::Durability::full).value().id);
}

class PayloadBlobsTest : public testing::Test {
 protected:
  PayloadBlobsTest() { builder.inline_bytes_max = kThreshold; }
  TestScreen show(Format format) {
    TestScreen shown(builder.now(), format);
    journal::Reader reader = reader_of(store);
    const auto result = show_run(reader, *reader.run(run).value(), std::nullopt, shown.screen);
    EXPECT_TRUE(result.has_value()) << result.error().message;
    return shown;
  }
  std::vector<nlohmann::json> records() {
    TestScreen shown(builder.now(), Format::json);
    journal::Reader reader = reader_of(store);
    const auto result = show_records(reader, *reader.run(run).value(), shown.screen);
    EXPECT_TRUE(result.has_value()) << result.error().message;
    std::vector<nlohmann::json> all;
    for (const std::string& line : shown.lines()) all.push_back(nlohmann::json::parse(line));
    return all;
  }
  TestScreen session(Format format) {
    TestScreen shown(builder.now(), format);
    journal::Reader reader = reader_of(store);
    const auto found = find_session(reader, "trip/alice");
    EXPECT_TRUE(found.has_value());
    const auto result = show_session(reader, found.value(), std::nullopt, shown.screen);
    EXPECT_TRUE(result.has_value()) << result.error().message;
    return shown;
  }
  void expect_blob(const nlohmann::json& object, const std::string& name,
                   const core::Bytes& content) {
    EXPECT_EQ(object[name + "_blob"], id_in_text(content));
    EXPECT_EQ(object[name + "_bytes"], content.size());
  }

  static constexpr std::size_t kThreshold = 2'000;
  static constexpr std::size_t kStateMin = 1U << 20U;
  journal::MemoryStore store;
  JournalBuilder builder{store};
  const RunId run = builder.start("trip", "alice");
  const std::string words = std::string(kThreshold, 'w');
  const core::Bytes large = payload(words);
};

TEST_F(PayloadBlobsTest, ShowsThemAsAnyOther) {
  builder.step(run, {1}, "write", large);
  builder.step(run, {2}, "count", payload(7), "int");
  builder.complete(run, large);
  EXPECT_EQ(store.blobs()->count(), 1U);
  const std::string text = show(Format::text).text();
  const std::string begin = size_text(large.size()) + "  \"wwwwwwwwww";
  EXPECT_NE(text.find(begin), std::string::npos) << text;
  EXPECT_NE(text.find("reply     string, " + size_text(large.size()) + ": \"www"),
            std::string::npos)
      << text;
  const auto shown = show(Format::json).json();
  expect_blob(shown["steps"][0], "result", large);
  EXPECT_EQ(shown["steps"][0]["result"], words);
  EXPECT_FALSE(shown["steps"][1].contains("result_blob"));
  expect_blob(shown["end"], "reply", large);
  EXPECT_EQ(shown["end"]["reply"], words);
  EXPECT_FALSE(shown.contains("input_blob"));
  const auto all = records();
  expect_blob(all[1]["content"], "result", large);
  EXPECT_EQ(all[1]["content"]["result"], words);
  expect_blob(all[3]["content"], "reply", large);
}

TEST_F(PayloadBlobsTest, ShowsAnInputThatIsOne) {
  journal::Change change(kThreshold);
  change.put(
      journal::Table::records, journal::Key{}.add(run).add(std::uint32_t{0}),
      journal::RunCreated{"trip", 3, "main", "alice", "start", "string", large, 42, builder.now()});
  builder.submit(std::move(change));
  const auto shown = show(Format::json).json();
  expect_blob(shown, "input", large);
  EXPECT_EQ(shown["input"], words);
  EXPECT_EQ(records()[0]["content"]["input"], words);
  EXPECT_NE(show(Format::text).text().find(": \"www"), std::string::npos);
}

TEST_F(PayloadBlobsTest, LeavesOutWhatIsLarge) {
  const core::Bytes larger = payload(std::string(70'000, 'l'));
  const core::Bytes largest = payload(std::string((1U << 20U) + 1, 'L'));
  builder.step(run, {1}, "write", larger);
  builder.step(run, {2}, "write", largest);
  const auto shown = show(Format::json).json();
  for (const std::size_t step : {0U, 1U}) {
    EXPECT_EQ(shown["steps"][step]["result"], nullptr);
    EXPECT_EQ(shown["steps"][step]["result_omitted"], true);
  }
  expect_blob(shown["steps"][1], "result", largest);
  EXPECT_EQ(records()[2]["content"]["result"].get<std::string>().size(), (1U << 20U) + 1);
  const std::string text = show(Format::text).text();
  EXPECT_NE(text.find("  \"llll"), std::string::npos) << text;
  EXPECT_NE(text.find("(blob " + id_in_text(largest) + ")\n"), std::string::npos) << text;
}

TEST_F(PayloadBlobsTest, SaysWhichOneIsNotThere) {
  core::Bytes lost = payload(std::string("lost"));
  journal::StepResult record;
  const Path path{1};
  record.path = path;
  record.name = "write";
  record.type = "string";
  record.stamp = builder.now();
  record.payload = journal::BlobRef{journal::parse_blob_id(id_in_text(lost)).value(), lost.size()};
  builder.record(run, record);
  for (const auto& result : {show(Format::json).json()["steps"][0], records()[1]["content"]}) {
    expect_blob(result, "result", lost);
    EXPECT_EQ(result["result"], nullptr);
    EXPECT_NE(result["result_error"].get<std::string>().find(id_in_text(lost)), std::string::npos)
        << result;
  }
  EXPECT_NE(show(Format::text).text().find("(not shown: the blob " + id_in_text(lost)),
            std::string::npos);
}

TEST_F(PayloadBlobsTest, ShowsMailAndStateThatAreBlobs) {
  const auto kept =
      builder.arrive(journal::Table::kept, JournalBuilder::arrival(What::signal, "write", large));
  builder.arrive(journal::Table::inbox, JournalBuilder::arrival(What::signal, "write", large));
  const journal::SessionId id = journal::session_hash("trip", "alice");
  const core::Bytes state = payload(std::string(kStateMin, 's'));
  for (const auto& [name, value] :
       {std::pair(std::string_view("page"), &large), std::pair(std::string_view("book"), &state)})
    builder.put(journal::Table::state, journal::state_row(id, name),
                journal::StateRow{name, "string", 0, *value});
  const auto shown = session(Format::json).json();
  expect_blob(shown["kept"][0], "payload", large);
  EXPECT_EQ(shown["kept"][0]["number"], kept);
  EXPECT_EQ(shown["kept"][0]["payload"], words);
  expect_blob(shown["inbox"][0], "payload", large);
  ASSERT_EQ(shown["state"].size(), 2U);
  for (const auto& value : shown["state"]) {
    if (value["name"] == "book") {
      expect_blob(value, "value", state);
      EXPECT_EQ(value["value"].get<std::string>().size(), kStateMin);
    } else {
      EXPECT_FALSE(value.contains("value_blob")) << "below a megabyte it stays in its row";
      EXPECT_EQ(value["value"], words);
    }
  }
  const std::string text = session(Format::text).text();
  EXPECT_NE(text.find("  \"wwwwww"), std::string::npos) << text;
  EXPECT_NE(text.find("  (blob " + id_in_text(state) + ")\n"), std::string::npos) << text;
}

TEST_F(PayloadBlobsTest, ShowsWhatAPayloadSpeaksOf) {
  const std::string id = id_in_text(large);
  builder.step(run, {1}, "photo", payload(Blob(id, 12)), "blob");
  EXPECT_EQ(show(Format::json).json()["steps"][0]["result"],
            (nlohmann::json{{"bytes", 12}, {"perdure.blob", id}}));
  EXPECT_NE(show(Format::text).text().find(R"({"bytes":12,"perdure.blob":")" + id.substr(0, 20)),
            std::string::npos);
}

}  // namespace
}  // namespace perdure::cli
