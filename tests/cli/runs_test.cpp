#include "cli/runs.hpp"

#include <gtest/gtest.h>

#include "journal/memory_store.hpp"
#include "tests/cli/journal_builder.hpp"

namespace perdure::cli {
namespace {

using journal::RunStatus;
using namespace std::chrono_literals;

class RunsTest : public testing::Test {
 protected:
  void list(const RunsRequest& request, TestScreen& shown) {
    journal::Reader reader = reader_of(store);
    const auto listed = list_runs(reader, request, shown.screen);
    ASSERT_TRUE(listed.has_value()) << listed.error().message;
  }
  std::vector<std::string> lines(const RunsRequest& request) {
    TestScreen shown(builder.now());
    list(request, shown);
    return shown.lines();
  }
  nlohmann::json json(const RunsRequest& request) {
    TestScreen shown(builder.now(), Format::json);
    list(request, shown);
    return shown.json();
  }
  static std::vector<std::string> keys(const nlohmann::json& listed) {
    std::vector<std::string> all;
    for (const auto& run : listed["runs"]) all.push_back(run["key"]);
    return all;
  }

  journal::MemoryStore store;
  JournalBuilder builder{store};
};

TEST_F(RunsTest, SaysThatThereAreNone) {
  EXPECT_EQ(lines({}), std::vector<std::string>{"The journal has no runs."});
  const auto listed = json({});
  EXPECT_EQ(listed["runs"].size(), 0U);
  EXPECT_EQ(listed["matching"], 0);
}

TEST_F(RunsTest, ListsARunOnALine) {
  const RunId run = builder.start("trip", "alice");
  builder.clock.advance(90s);
  builder.step(run, {1}, "book", payload(1), "int");
  builder.clock.advance(5s);
  const auto shown = lines({});
  ASSERT_EQ(shown.size(), 2U);
  EXPECT_EQ(shown[0],
            "RUN                         SESSION     STATUS   RECORDS  STARTED"
            "               LAST CHANGE  WHY");
  EXPECT_EQ(shown[1],
            to_string(run) + "  trip/alice  running        2  2023-11-14T22:13:20Z    5.00s ago");
}

TEST_F(RunsTest, SaysWhyARunIsParked) {
  const RunId run = builder.start("trip", "bob");
  builder.status(run, RunStatus::parked, Code::diverged, "the code differs\n  recorded: x");
  EXPECT_NE(lines({})[1].find("diverged: the code differs …"), std::string::npos);
  const auto listed = json({})["runs"][0];
  EXPECT_EQ(listed["status"], "parked");
  EXPECT_EQ(listed["parked"]["code"], "diverged");
  EXPECT_EQ(listed["parked"]["reason"], "the code differs\n  recorded: x");
}

TEST_F(RunsTest, ListsRunsThatAreQueued) {
  builder.start("trip", "alice");
  builder.clock.advance(90s);
  const RunId run = builder.queue();
  builder.clock.advance(5s);
  EXPECT_EQ(lines({.statuses = {RunStatus::queued}, .agent = std::nullopt})[1],
            to_string(run) + "  trip/alice  queued        0  2023-11-14T22:14:50Z    5.00s ago");
  const auto listed = json({})["runs"];
  ASSERT_EQ(listed.size(), 2U);
  EXPECT_EQ(listed[1]["status"], "queued");
  EXPECT_EQ(listed[1]["records"], 0);
  EXPECT_EQ(listed[1]["last_change"], "2023-11-14T22:14:50.000000Z");
}

TEST_F(RunsTest, HasEveryFieldInJson) {
  const RunId run = builder.start("trip", "alice");
  builder.clock.advance(1500us);
  builder.complete(run, payload(1));
  const auto listed = json({})["runs"][0];
  EXPECT_EQ(listed, nlohmann::json::parse(R"({"id":")" + to_string(run) + R"(","agent":"trip",
      "key":"alice","agent_version":3,"handler":"main","status":"completed","records":2,
      "created":"2023-11-14T22:13:20.000000Z","last_change":"2023-11-14T22:13:20.001500Z",
      "parked":null})"));
}

TEST_F(RunsTest, ShowsTheNewestWhenThereAreMoreThanTheLimit) {
  for (int i = 0; i < 5; ++i) {
    builder.start("trip", "k" + std::to_string(i));
    builder.clock.advance(1s);
  }
  RunsRequest request;
  request.limit = 2;
  EXPECT_EQ(keys(json(request)), (std::vector<std::string>{"k3", "k4"}));
  EXPECT_EQ(json(request)["matching"], 5);
  EXPECT_EQ(json(request)["shown"], 2);
  EXPECT_EQ(lines(request).back(), "The newest 2 of 5 runs; --all shows every one.");
  request.limit.reset();
  EXPECT_EQ(json(request)["runs"].size(), 5U);
  EXPECT_EQ(lines(request).size(), 6U);
}

TEST_F(RunsTest, FiltersByStatusAndAgent) {
  builder.complete(builder.start("trip", "a"), payload(1));
  builder.fail(builder.start("trip", "b"), {Code::refused, "no"});
  builder.start("trip", "c");
  builder.fail(builder.start("cart", "d"), {Code::refused, "no"});
  RunsRequest request;
  request.statuses = {RunStatus::failed, RunStatus::running};
  EXPECT_EQ(json(request)["matching"], 3);
  request.agent = "trip";
  EXPECT_EQ(json(request)["matching"], 2);
  request.agent = "tri";
  EXPECT_EQ(lines(request), std::vector<std::string>{"No run matches."});
}

TEST_F(RunsTest, EscapesNames) {
  builder.start("trip", "evil\x1b]0;title\x07\n");
  const auto shown = lines({});
  ASSERT_EQ(shown.size(), 2U);
  EXPECT_NE(shown[1].find("trip/evil\\x1b]0;title\\x07\\n"), std::string::npos);
  EXPECT_EQ(json({})["runs"][0]["key"], "evil\x1b]0;title\x07\n");
}

TEST_F(RunsTest, StopsWhenNobodyReads) {
  for (int i = 0; i < 3; ++i) builder.start("trip", std::to_string(i));
  TestScreen shown(builder.now(), Format::json);
  shown.screen.out.setstate(std::ios::badbit);
  journal::Reader reader = reader_of(store);
  RunsRequest request;
  request.limit.reset();
  EXPECT_TRUE(list_runs(reader, request, shown.screen).has_value());
  EXPECT_EQ(shown.text(), "");
}

}  // namespace
}  // namespace perdure::cli
