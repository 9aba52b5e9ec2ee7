#include "cli/show.hpp"

#include <gtest/gtest.h>

#include "cli/records.hpp"
#include "journal/memory_store.hpp"
#include "tests/cli/journal_builder.hpp"

namespace perdure::cli {
namespace {

using journal::RunStatus;
using namespace std::chrono_literals;

const std::optional<std::string> kNobody;
const std::optional<std::string> kHolder = "process 4711 (/usr/bin/trips, since yesterday)";

class ShowTest : public testing::Test {
 protected:
  TestScreen show(Format format, const std::optional<std::string>& holder) {
    TestScreen shown(builder.now(), format);
    journal::Reader reader = reader_of(store);
    const auto run_now = reader.run(run).value();
    const auto result = show_run(reader, *run_now, holder, shown.screen);
    EXPECT_TRUE(result.has_value()) << result.error().message;
    return shown;
  }
  std::string text(const std::optional<std::string>& holder = kNobody) {
    return show(Format::text, holder).text();
  }
  nlohmann::json json(const std::optional<std::string>& holder = kNobody) {
    return show(Format::json, holder).json();
  }
  void retry_later() {
    const Path path{2};
    const Error first{Code::exception, "one"};
    const Error last{Code::timeout, "two\nlines"};
    journal::AttemptsRow row;
    row.path = path;
    row.name = "call";
    row.count = 3;
    row.first_error = journal::view_of(first);
    row.last_error = journal::view_of(last);
    row.last_stamp = builder.now();
    row.next_due = builder.now() + 60'000'000;
    builder.attempts(run, row);
    builder.status(run, RunStatus::waiting);
  }

  journal::MemoryStore store;
  JournalBuilder builder{store};
  const RunId run = builder.start("trip", "alice");
};

TEST_F(ShowTest, ShowsACompletedRun) {
  builder.clock.advance(20ms);
  builder.step(run, {1}, "list documents", payload(7), "int");
  builder.started(run, {2, 0, 1}, "buy");
  builder.clock.advance(2s);
  builder.failed_step(run, {2, 0, 1}, "buy", {Code::refused, "no seats\nat all"});
  builder.clock.advance(1s);
  builder.complete(run, payload(std::string("done")));
  const std::string size_done = size_text(payload(std::string("done")).size());
  const std::string shown = text();
  for (const std::string& part :
       {"run       " + to_string(run) + "\n", std::string("session   trip/alice\n"),
        std::string("agent     trip version 3, handler main\n"),
        std::string("status    completed\n"),
        std::string("created   2023-11-14T22:13:20.000Z (3.02s ago)\n"),
        std::string("changed   2023-11-14T22:13:23.020Z (now)\n"), std::string("records   5\n"),
        std::string("journal   not open for writing in any process\n"),
        "input     string, " + size_text(payload(std::string("the input")).size()) +
            ": \"the input\"\n",
        std::string("STEP   KIND  NAME            STATUS     TRIES       AT   TOOK "),
        std::string("1      step  list documents  completed      1  +20.0ms  1.5ms "),
        "  " + size_text(payload(7).size()) + "  7\n",
        std::string("2.0.1  step  buy             failed         4   +2.02s    0us "),
        std::string("refused: no seats …\n"),
        std::string("ended     2023-11-14T22:13:23.020Z (now), after 3.02s\n"),
        "reply     string, " + size_done + ": \"done\"\n"})
    EXPECT_NE(shown.find(part), std::string::npos) << part << "\nin\n" << shown;
}

TEST_F(ShowTest, ShowsACompletedRunInJson) {
  builder.clock.advance(20ms);
  builder.step(run, {1}, "list", payload(7), "int");
  builder.started(run, {2, 1}, "buy", 2);
  builder.clock.advance(2s);
  builder.failed_step(run, {2, 1}, "buy", {Code::refused, "no", false, 5ms});
  builder.complete(run, payload(std::string("done")));
  const auto shown = json();
  EXPECT_EQ(shown["run"]["id"], to_string(run));
  EXPECT_EQ(shown["holder"], nullptr);
  EXPECT_EQ(shown["message_key"], "start");
  EXPECT_EQ(shown["input"], "the input");
  EXPECT_EQ(shown["input_type"], "string");
  ASSERT_EQ(shown["steps"].size(), 2U);
  auto first = nlohmann::json::parse(R"({"step":"1","step_kind":"step","name":"list",
      "status":"completed","attempts":1,"started":null,"effect":null,
      "ended":"2023-11-14T22:13:20.020000Z","offset_us":20000,"busy_us":1500,"error":null,
      "result_type":"int","result":7})");
  first["result_bytes"] = payload(7).size();
  EXPECT_EQ(shown["steps"][0], first);
  EXPECT_EQ(shown["steps"][1], nlohmann::json::parse(R"({"step":"2.1","step_kind":"step",
      "name":"buy","status":"failed","attempts":4,"started":"2023-11-14T22:13:20.020000Z",
      "effect":"at_most_once","ended":"2023-11-14T22:13:22.020000Z","offset_us":2020000,"busy_us":0,
      "error":{"code":"refused","message":"no","retryable":false,"effect":"refused",
      "retry_after_ms":5},"result_type":"string","result_bytes":0,"result":null})"));
  EXPECT_EQ(shown["unfinished"].size(), 0U);
  EXPECT_EQ(shown["end"]["reply"], "done");
  EXPECT_EQ(shown["end"]["error"], nullptr);
  EXPECT_EQ(shown["end"]["offset_us"], 2020000);
  EXPECT_EQ(shown["explanation"], "It has ended: completed.");
}

TEST_F(ShowTest, ShowsWhatWasUsedOfABudget) {
  EXPECT_EQ(json()["budget"], nullptr);
  EXPECT_EQ(text().find("budget"), std::string::npos);
  journal::Change change;
  change.put(journal::Table::usage, journal::usage_row(run, run),
             journal::UsageRow{
                 {.money = 3'200'000, .attempts = 7}, {.money = 400'000}, {.money = 100'000}});
  builder.submit(std::move(change));
  EXPECT_NE(text().find("budget    money 3.20 (0.10 of it at most) + 0.40 reserved, attempts 7\n"),
            std::string::npos)
      << text();
  journal::Change limits;
  limits.put(journal::Table::budgets, journal::budget_row(run),
             journal::BudgetRow{
                 {.money = 5'000'000, .tokens = 50'000}, 0, builder.now(), "ann", builder.now()});
  builder.submit(std::move(limits));
  builder.clock.advance(5s);
  EXPECT_NE(text().find("budget    money 3.20 (0.10 of it at most) + 0.40 reserved of 5.00, "
                        "tokens 0 of 50,000, attempts 7, raised 5.00s ago by ann\n"),
            std::string::npos)
      << text();
  EXPECT_EQ(json()["budget"], nlohmann::json::parse(R"({
      "limits":{"money_micros":5000000,"tokens":50000,"gpu_us":null,"attempts":null,
                "wall_us":null},
      "when_exhausted":"park",
      "used":{"money_micros":3200000,"tokens":0,"gpu_us":0,"attempts":7},
      "assumed":{"money_micros":100000,"tokens":0,"gpu_us":0,"attempts":0},
      "reserved":{"money_micros":400000,"tokens":0,"gpu_us":0,"attempts":0},
      "draws_on":[],"raised":"2023-11-14T22:13:20.000000Z","raised_by":"ann"})"));
}

TEST_F(ShowTest, ShowsAFailedRun) {
  builder.fail(run, {Code::user, "first\nsecond"});
  EXPECT_NE(text().find("error     user: first …\n"), std::string::npos) << text();
  EXPECT_EQ(json()["end"]["error"]["message"], "first\nsecond");
}

TEST_F(ShowTest, SaysWhatAWaitingRunWaitsFor) {
  builder.step(run, {1}, "list", payload(7), "int");
  retry_later();
  builder.clock.advance(15s);
  const std::string shown = text(kHolder);
  for (const char* part :
       {"journal   open in process 4711 (/usr/bin/trips, since yesterday)\n",
        "2     step  call  backoff        3\n",
        "\nstep 2 'call': 3 attempts begun, the last ended 15.0s ago, the next is due "
        "2023-11-14T22:14:20Z (in 45.0s)\n"
        "  first error: exception: one\n"
        "  last error: timeout: two\n"
        "              lines\n",
        "\nIt waits for step 2 'call', whose attempt 4 is due in 45.0s.\n"})
    EXPECT_NE(shown.find(part), std::string::npos) << part << "\nin\n" << shown;
  EXPECT_EQ(shown.find("No process"), std::string::npos);
  builder.clock.advance(60s);
  const std::string late = text(kNobody);
  EXPECT_NE(late.find("whose attempt 4 was due 15.0s ago.\nNo process has the journal open"),
            std::string::npos)
      << late;
}

TEST_F(ShowTest, ListsUnfinishedStepsInJson) {
  builder.started(run, {1}, "buy");
  retry_later();
  const auto shown = json(kHolder);
  EXPECT_EQ(shown["holder"], *kHolder);
  EXPECT_EQ(shown["end"], nullptr);
  ASSERT_EQ(shown["unfinished"].size(), 2U);
  EXPECT_EQ(shown["unfinished"][0], nlohmann::json::parse(R"({"step":"1","name":"buy",
      "step_kind":"step","wait":null,"status":"unfinished","attempts":1,
      "started":"2023-11-14T22:13:20.000000Z",
      "effect":"at_most_once","unclean_ends":0,"last_attempt_ended":null,"next_due":null,
      "first_error":null,"last_error":null,"asks":0,"progress":null})"));
  const auto& second = shown["unfinished"][1];
  EXPECT_EQ(second["status"], "backoff");
  EXPECT_EQ(second["attempts"], 3);
  EXPECT_EQ(second["next_due"], "2023-11-14T22:14:20.000000Z");
  EXPECT_EQ(second["first_error"]["code"], "exception");
  EXPECT_EQ(second["last_error"]["message"], "two\nlines");
}

TEST_F(ShowTest, ShowsWhatAToolReportedAndWasAsked) {
  const Path path{1};
  const Bytes progress = encode(std::string("page 17")).value();
  journal::AttemptsRow row;
  row.path = path;
  row.name = "read";
  row.count = 2;
  row.progress = progress;
  row.asks = 3;
  builder.attempts(run, row);
  const std::string shown = text();
  EXPECT_NE(shown.find("2 attempts begun, asked about 3 times in vain\n"), std::string::npos)
      << shown;
  EXPECT_NE(shown.find("  progress: \"page 17\"\n"), std::string::npos) << shown;
  EXPECT_EQ(json(kHolder)["unfinished"][0]["progress"], "page 17");
}

TEST_F(ShowTest, ShowsAStartWhoseResultIsMissing) {
  builder.clock.advance(1s);
  builder.started(run, {1}, "buy");
  const std::string shown = text();
  EXPECT_NE(shown.find("1     step  buy   unfinished      1  +1.00s\n"), std::string::npos)
      << shown;
  EXPECT_NE(shown.find("step 1 'buy': 1 attempt begun, as at_most_once\n"), std::string::npos);
  EXPECT_NE(shown.find("no process has the journal open"), std::string::npos);
}

TEST_F(ShowTest, SaysHowOftenTheProcessDied) {
  const Path path{1};
  journal::AttemptsRow row;
  row.path = path;
  row.name = "crash";
  row.count = 4;
  row.unclean_ends = 3;
  builder.attempts(run, row);
  builder.status(run, RunStatus::parked, Code::suspected_crash, "step 1 'crash' crashes");
  const std::string shown = text();
  EXPECT_NE(shown.find("4 attempts begun, the process died during it 3 times\n"), std::string::npos)
      << shown;
  EXPECT_NE(shown.find("suspected_crashes = run_again"), std::string::npos);
}

TEST_F(ShowTest, IndentsWhyARunIsParked) {
  builder.status(run, RunStatus::parked, Code::diverged,
                 "the code attempts another step\n  recorded:  step 2\n  attempted: step\x1b 3");
  EXPECT_NE(text().find("It is parked (diverged):\n"
                        "  the code attempts another step\n"
                        "    recorded:  step 2\n"
                        "    attempted: step\\x1b 3\n"
                        "It is tried again each time its runtime starts.\n"),
            std::string::npos)
      << text();
}

TEST_F(ShowTest, SaysWhoWorksOnARunningRun) {
  EXPECT_NE(text(kHolder).find("It is unfinished, and process 4711"), std::string::npos);
  EXPECT_NE(text(kNobody).find("it goes on when its runtime starts."), std::string::npos);
}

TEST_F(ShowTest, KeepsControlCharactersFromTheTerminal) {
  const core::Bytes evil = payload(std::string("a\x1b[2J\nb"));
  builder.step(run, {1}, "name", evil, "ty\x1bpe");
  builder.complete(run, evil);
  for (const Format format : {Format::text, Format::json})
    EXPECT_EQ(show(format, "who\x1b").text().find('\x1b'), std::string::npos);
  EXPECT_EQ(json()["steps"][0]["result"], "a\x1b[2J\nb");
}

TEST_F(ShowTest, SaysWhyAPayloadIsNotShown) {
  const core::Bytes junk{std::byte{0xFF}, std::byte{0xFE}, std::byte{0xFD}};
  builder.step(run, {1}, "odd", junk, "elsewhere");
  EXPECT_NE(text().find("(not shown: "), std::string::npos) << text();
  const auto step = json()["steps"][0];
  EXPECT_EQ(step["result"], nullptr);
  EXPECT_EQ(step["result_bytes"], 3);
  EXPECT_FALSE(step["result_error"].get<std::string>().empty());
}

TEST_F(ShowTest, LeavesLargePayloadsToTheJournalVerb) {
  const std::string large(kShownPayloadBytes + 1, 'x');
  builder.step(run, {1}, "large", payload(large));
  const auto step = json()["steps"][0];
  EXPECT_EQ(step["result"], nullptr);
  EXPECT_EQ(step["result_omitted"], true);
  TestScreen records(builder.now(), Format::json);
  journal::Reader reader = reader_of(store);
  ASSERT_TRUE(show_records(reader, *reader.run(run).value(), records.screen).has_value());
  EXPECT_EQ(nlohmann::json::parse(records.lines().at(1))["content"]["result"], large);
}

TEST_F(ShowTest, NamesARecordThatIsMissing) {
  builder.step(run, {1}, "list", payload(7), "int");
  journal::Change change;
  change.erase(journal::Table::records, journal::Key{}.add(run).add(std::uint32_t{1}));
  builder.submit(std::move(change));
  journal::Reader reader = reader_of(store);
  const auto info = *reader.run(run).value();
  TestScreen shown(builder.now());
  const auto result = show_run(reader, info, kNobody, shown.screen);
  ASSERT_TRUE(result.has_error());
  EXPECT_EQ(result.error().code, Code::corrupt);
  EXPECT_NE(result.error().message.find(to_string(run)), std::string::npos);
}

}  // namespace
}  // namespace perdure::cli
