// What `perdure show` says of runs that wait, that are to end, and that have not begun.

#include "cli/show.hpp"

#include <gtest/gtest.h>
#include <perdure/child.hpp>

#include "journal/memory_store.hpp"
#include "tests/cli/journal_builder.hpp"

namespace perdure::cli {
namespace {

using journal::RunStatus;
using journal::StepKind;
using namespace std::chrono_literals;

const std::optional<std::string> kNobody;
const std::optional<std::string> kHolder = "process 4711";

class ShowSessionsTest : public testing::Test {
 protected:
  TestScreen show(const RunId& id, Format format, const std::optional<std::string>& holder) {
    TestScreen shown(builder.now(), format);
    journal::Reader reader = reader_of(store);
    const auto run_now = reader.run(id).value();
    const auto result = show_run(reader, *run_now, holder, shown.screen);
    EXPECT_TRUE(result.has_value()) << result.error().message;
    return shown;
  }
  std::string text(const RunId& id, const std::optional<std::string>& holder = kHolder) {
    return show(id, Format::text, holder).text();
  }
  nlohmann::json json(const RunId& id) { return show(id, Format::json, kHolder).json(); }
  void expect_parts(const std::string& shown, const std::vector<std::string>& parts) {
    for (const std::string& part : parts)
      EXPECT_NE(shown.find(part), std::string::npos) << part << "\nin\n" << shown;
  }
  journal::WaitRow wait_row(StepKind kind, const Path& at, std::string_view name,
                            journal::Stamp due) {
    return {kind, at, name, builder.now(), due, 0, {}, {}};
  }

  journal::MemoryStore store;
  JournalBuilder builder{store};
  const RunId run = builder.start("trip", "alice");
  const Path path{2, 1};
};

TEST_F(ShowSessionsTest, SaysUntilWhenARunSleeps) {
  builder.clock.advance(1s);
  builder.wait(run, wait_row(StepKind::sleep, path, "sleep", builder.now() + 3'600'000'000));
  builder.clock.advance(1s);
  expect_parts(text(run), {"STEP  KIND   NAME   STATUS   TRIES      AT  TOOK  SIZE  RESULT\n",
                           "2.1   sleep  sleep  waiting         +1.00s\n",
                           "\nIt sleeps until 2023-11-14T23:13:21Z (in 59m 59s), in step 2.1.\n"});
  EXPECT_EQ(text(run).find("attempts begun"), std::string::npos);
  expect_parts(text(run, kNobody), {"No process has the journal open"});
}

TEST_F(ShowSessionsTest, NamesTheSignalThatARunWaitsFor) {
  builder.wait(run, wait_row(StepKind::receive, path, "approval", builder.now() + 60'000'000));
  expect_parts(text(run), {"2.1   receive  approval  waiting",
                           "\nIt waits for the signal 'approval' until 2023-11-14T22:14:20Z "
                           "(in 1m 0s), in step 2.1.\n"});
  const Path other{3};
  builder.wait(run, wait_row(StepKind::receive, other, "enough", 0));
  expect_parts(text(run), {"in step 2.1,\nand waits for the signal 'enough', in step 3.\n"});
}

TEST_F(ShowSessionsTest, NamesTheRunWhoseReplyARunWaitsFor) {
  const RunId called = builder.start("pay", "bob");
  journal::WaitRow row = wait_row(StepKind::call, path, "pay/bob", 0);
  row.session = journal::session_hash("pay", "bob");
  row.run = called;
  builder.wait(run, row);
  expect_parts(text(run), {"\nIt waits for the reply of run " + to_string(called) +
                           ", which step 2.1 'pay/bob' called.\n"});
}

TEST_F(ShowSessionsTest, NamesTheChildThatAStepJoins) {
  const RunId child = builder.start("cart", "bob");
  journal::WaitRow row = wait_row(StepKind::join, path, "add", 0);
  row.session = journal::session_hash("cart", "bob");
  row.run = child;
  builder.wait(run, row);
  expect_parts(text(run),
               {"2.1   join  add   waiting", "\nIt waits for the end of its child, run " +
                                                 to_string(child) + ", in step 2.1 'add'.\n"});
}

TEST_F(ShowSessionsTest, TellsSpawnsAndJoinsInWords) {
  const RunId child = builder.start("cart", "bob");
  const core::Bytes ref =
      payload(detail::ChildRef{"cart", "b\x1bob", "add", to_string(child), {1}});
  journal::StepResult spawned;
  const Path first{1};
  spawned.path = first;
  spawned.step_kind = StepKind::spawn;
  spawned.name = "add";
  spawned.type = "child";
  spawned.stamp = builder.now();
  spawned.payload = ref;
  builder.record(run, spawned);
  spawned.step_kind = StepKind::join;
  const Path second{2};
  spawned.path = second;
  const core::Bytes reply = payload(12);
  spawned.payload = reply;
  builder.record(run, spawned);
  expect_parts(text(run), {"1     spawn  add   completed",
                           "  started run " + to_string(child) + " of cart/b\\x1bob\n",
                           "2     join   add   completed", "  12\n"});
  EXPECT_EQ(json(run)["steps"][0]["result"]["run"], to_string(child));
}

TEST_F(ShowSessionsTest, TellsWhatBecomesOfChildren) {
  const RunId child = builder.start("cart", "bob");
  const std::string name = "run " + to_string(child) + " of cart/bob";
  journal::Child ended;
  ended.ended = true;
  journal::Child refused = ended;
  refused.error = Error{Code::busy, "come\nlater"};
  builder.child(run, {10}, child, journal::ParentEnd::abandon);
  builder.child(run, {2}, child, journal::ParentEnd::wait);
  builder.child(run, {3}, child, journal::ParentEnd::cancel);
  builder.child(run, {4}, child, journal::ParentEnd::cancel, ended);
  builder.child(run, {5}, child, journal::ParentEnd::wait, refused);
  const std::string shown = text(run);
  expect_parts(
      shown,
      {"\nchild of step 2: " + name + ", which this run does not end without\nchild of step 3: " +
       name + ", which is cancelled if this run ends first\nchild of step 4: " + name +
       ", has ended\nchild of step 5: its message was refused: busy: come …\nchild of step 10: " +
       name + ", which goes on if this run ends first\nIt is unfinished"});
  const auto children = json(run)["children"];
  ASSERT_EQ(children.size(), 5U);
  EXPECT_EQ(children[0], nlohmann::json::parse(R"({"step":"2","run":")" + to_string(child) +
                                               R"(","agent":"cart","key":"bob",
      "parent_end":"wait","ended":false,"error":null})"));
  EXPECT_EQ(children[2]["ended"], true);
  EXPECT_EQ(children[3]["error"]["code"], "busy");
  EXPECT_EQ(children[4]["step"], "10");
}

TEST_F(ShowSessionsTest, SaysThatAnEndedHandlerWaitsForItsChildren) {
  std::vector<RunId> children;
  for (std::uint32_t step = 1; step <= 12; ++step) {
    children.push_back(builder.start("cart", std::to_string(step)));
    journal::Child ended;
    ended.ended = step == 1;
    builder.child(run, {step}, children.back(),
                  step == 2 ? journal::ParentEnd::cancel : journal::ParentEnd::wait, ended);
  }
  builder.status(run, RunStatus::waiting);
  const std::string shown = text(run, kNobody);
  expect_parts(
      shown, {"\nIts handler has ended, and it waits for its child, run " + to_string(children[2]) +
                  " of cart/bob,\nand for run " + to_string(children[3]) + " of cart/bob,\n",
              " of cart/bob,\nand for 2 more.\nNo process has the journal open"});
  // Of these it says nothing below the list of all.
  const std::string sentence = shown.substr(shown.find("Its handler"));
  EXPECT_EQ(sentence.find(to_string(children[0])), std::string::npos);
  EXPECT_EQ(sentence.find(to_string(children[1])), std::string::npos);
  // While a step waits, the handler has not ended.
  builder.wait(run, wait_row(StepKind::sleep, path, "sleep", builder.now() + 1'000'000));
  EXPECT_EQ(text(run).find("handler has ended"), std::string::npos);
}

TEST_F(ShowSessionsTest, ListsWaitsInJson) {
  const RunId called = builder.start("pay", "bob");
  journal::WaitRow row = wait_row(StepKind::call, path, "pay/bob", 0);
  row.run = called;
  builder.wait(run, row);
  journal::WaitRow sleep = wait_row(StepKind::sleep, path, "nap", builder.now() + 5'000'000);
  const Path other{3};
  sleep.path = other;
  sleep.by_wall_clock = 1;
  builder.wait(run, sleep);
  const auto waits = json(run)["unfinished"];
  ASSERT_EQ(waits.size(), 2U);
  EXPECT_EQ(waits[0]["step_kind"], "call");
  EXPECT_EQ(waits[0]["status"], "waiting");
  EXPECT_EQ(waits[0]["wait"], nlohmann::json::parse(
                                  R"({"begun":"2023-11-14T22:13:20.000000Z","due":null,
                                      "by_wall_clock":false,"run":")" +
                                  to_string(called) + R"("})"));
  EXPECT_EQ(waits[1]["wait"], nlohmann::json::parse(
                                  R"({"begun":"2023-11-14T22:13:20.000000Z",
                                      "due":"2023-11-14T22:13:25.000000Z",
                                      "by_wall_clock":true,"run":null})"));
}

TEST_F(ShowSessionsTest, ShowsWhichWayTheCodeWent) {
  builder.clock.advance(1s);
  builder.record(run, journal::VersionMark{"fee", 2, builder.now()});
  expect_parts(text(run), {"      version  fee   version 2         +1.00s\n"});
  EXPECT_EQ(json(run)["versions"],
            nlohmann::json::parse(
                R"([{"name":"fee","version":2,"recorded":"2023-11-14T22:13:21.000000Z"}])"));
  EXPECT_EQ(json(run)["cancel"], nullptr);
}

TEST_F(ShowSessionsTest, SaysWhoWantsTheRunToEndAndWhy) {
  builder.clock.advance(1s);
  builder.record(
      run, journal::CancelRequested{Code::cancelled, "ann", "too\nslow", 30'000, builder.now()});
  builder.clock.advance(2s);
  expect_parts(text(run),
               {"      cancel  ann   requested         +1.00s              cancelled, given "
                "30.0s: too …\n",
                "\nIt was asked to end (cancelled) 2.00s ago by ann: too\nslow\n"
                "Its handler may tidy up until 2023-11-14T22:13:51Z (in 28.0s).\n"
                "It is unfinished, and process 4711"});
  EXPECT_EQ(json(run)["cancel"],
            nlohmann::json::parse(R"({"code":"cancelled","who":"ann","why":"too\nslow",
                "requested":"2023-11-14T22:13:21.000000Z",
                "grace_ends":"2023-11-14T22:13:51.000000Z"})"));
  builder.fail(run, {Code::cancelled, "it ended"});
  EXPECT_EQ(text(run).find("was asked to end"), std::string::npos);
}

TEST_F(ShowSessionsTest, SaysBehindWhatAMessageWaits) {
  builder.clock.advance(1s);
  const RunId first = builder.queue();
  const RunId second = builder.queue();
  builder.clock.advance(1s);
  expect_parts(text(first), {"status    queued\n", "records   0\n",
                             "created   2023-11-14T22:13:21.000Z (1.00s ago)\n", ": \"later\"\n",
                             "\nIts message is queued behind run " + to_string(run) + ".\n"});
  expect_parts(text(second),
               {"behind run " + to_string(run) + " and 1 message that came earlier.\n"});
  expect_parts(text(first, kNobody), {"No process has the journal open"});
  const auto shown = json(second);
  EXPECT_EQ(shown["run"]["status"], "queued");
  EXPECT_EQ(shown["input"], "later");
  EXPECT_EQ(shown["message_key"], "second");
  EXPECT_EQ(shown["queued"], nlohmann::json::parse(R"({"due":null,"behind":")" + to_string(run) +
                                                   R"(","ahead":1})"));
  EXPECT_EQ(json(run)["queued"], nullptr);
}

TEST_F(ShowSessionsTest, SaysBeforeWhenAMessageIsNotHandled) {
  const RunId later = builder.queue(builder.now() + 60'000'000);
  expect_parts(text(later),
               {"\nIts message is not handled before 2023-11-14T22:14:20Z (in 1m 0s).\n"});
  EXPECT_EQ(json(later)["queued"]["due"], "2023-11-14T22:14:20.000000Z");
  builder.clock.advance(61s);
  expect_parts(text(later), {"\nIts message is queued behind run " + to_string(run) + ".\n"});
  builder.complete(run, payload(1));
  expect_parts(text(later), {"\nThe time of its message has come: it is handled next.\n"});
}

TEST_F(ShowSessionsTest, NamesAMessageThatIsMissing) {
  const RunId queued = builder.queue();
  journal::Change change;
  change.erase(
      journal::Table::kept,
      journal::Key{}.add(journal::session_hash("trip", "alice")).add(builder.last_number()));
  builder.submit(std::move(change));
  TestScreen shown(builder.now());
  journal::Reader reader = reader_of(store);
  const auto result = show_run(reader, *reader.run(queued).value(), kNobody, shown.screen);
  ASSERT_TRUE(result.has_error());
  EXPECT_EQ(result.error().code, Code::corrupt);
  EXPECT_NE(result.error().message.find(to_string(queued)), std::string::npos);
}

TEST_F(ShowSessionsTest, NamesWhoCalledTheRunAndItsDeadline) {
  const RunId caller = builder.start("shop", "s");
  const core::Bytes input = payload(7);
  journal::RunCreated created{"trip", 3, "main", "alice", "start", "int", input, 42, builder.now()};
  created.caller = journal::Caller{journal::session_hash("shop", "s"), "shop", "s", caller, path};
  created.deadline = builder.now() + 60'000'000;
  builder.put(journal::Table::records, journal::Key{}.add(run).add(std::uint32_t{0}), created);
  expect_parts(text(run), {"caller    step 2.1 of run " + to_string(caller) + ", session shop/s\n",
                           "deadline  2023-11-14T22:14:20.000Z (in 1m 0s)\n"});
  const auto shown = json(run);
  EXPECT_EQ(shown["caller"]["run"], to_string(caller));
  EXPECT_EQ(shown["deadline"], "2023-11-14T22:14:20.000000Z");
}

}  // namespace
}  // namespace perdure::cli
