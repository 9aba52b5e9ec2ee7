#include "cli/records.hpp"
#include "cli/session.hpp"
#include "cli/show.hpp"
#include "tests/cli/saga_journal.hpp"

namespace perdure::cli {
namespace {

using journal::SagaState;
using journal::StoredSaga;
using journal::StoredUndo;
using journal::UndoState;
using journal::UndoWhat;
using namespace std::chrono_literals;

class SagaShowTest : public SagaJournalTest {
 protected:
  std::string shown_run(Format format = Format::text) {
    TestScreen screen(builder.now(), format);
    journal::Reader reader = reader_of(store);
    const auto result = show_run(reader, *reader.run(run).value(), std::nullopt, screen.screen);
    EXPECT_TRUE(result.has_value()) << result.error().message;
    return screen.text();
  }
  static void has(const std::string& text, const std::vector<std::string>& parts) {
    for (const std::string& part : parts)
      EXPECT_NE(text.find(part), std::string::npos) << part << "\nin\n" << text;
  }
};

TEST_F(SagaShowTest, ShowsWhatIsOwedAndWhoUndoesIt) {
  stuck_saga();
  const RunId payer = pay();
  builder.clock.advance(15s);
  has(shown(1),
      {"saga      " + id(1) + "\n", "name      trip\n", "state     stuck, 2 of 3 to undo\n",
       "run       " + to_string(run) + ", running\n", "session   trip/alice\n",
       "begun     2023-11-14T22:13:20.000Z (15.0s ago)\n",
       "aborted   saga_aborted, by ann: the trip is off\n",
       "stuck     saga 'trip' is stuck: no answer\n",
       "payer     run " + to_string(payer) + ", running\n",
       "journal   not open for writing in any process\n",
       "\nACTION  STEP  NAME         UNDONE BY      STATE  TRIES      NEXT    AGE  INPUT   WHY\n"
       "     0  1     book flight  cancel flight  owed                    15.0s  \"Rome\"\n"
       "     1  2     book hotel   cancel hotel   stuck      7  in 45.0s  15.0s  \"Rome\"  "
       "timeout: "
       "no answer yet\n"
       "     2  3     book car     cancel car     paid       1            15.0s  \"Rome\"\n"});
}

TEST_F(SagaShowTest, ShowsItInJson) {
  stuck_saga();
  const RunId payer = pay();
  const auto json = nlohmann::json::parse(shown(1, Format::json));
  EXPECT_EQ(json["saga"]["id"], id(1));
  EXPECT_EQ(json["saga"]["agent"], "trip");
  EXPECT_EQ(json["holder"], nullptr);
  EXPECT_EQ(json["payer"]["run"]["id"], to_string(payer));
  EXPECT_EQ(json["payer"]["who"], "ann");
  EXPECT_EQ(json["within"].size(), 0U);
  ASSERT_EQ(json["actions"].size(), 3U);
  auto hotel = nlohmann::json::parse(R"({"index":1,"step":"2","name":"book hotel",
      "tool":"book hotel","what":"undo","undo":"cancel hotel","saga":null,"run":null,"agent":"",
      "key":"","state":"stuck","owed":true,"attempts":7,"next_due":"2023-11-14T22:14:20.000000Z",
      "last_error":{"code":"timeout","message":"no answer yet","retryable":true,
      "effect":"unknown","retry_after_ms":null},"not_before":null,
      "registered":"2023-11-14T22:13:20.000000Z","changed":"2023-11-14T22:13:20.000000Z",
      "settle_ms":0,"error":{"code":"unauthenticated","message":"no answer","retryable":false,
      "effect":"refused","retry_after_ms":null},"who":"","why":"","output_type":"string",
      "input_type":"string","input":"Rome"})");
  hotel["input_bytes"] = payload(std::string("Rome")).size();
  hotel["error"] = json["actions"][1]["error"];
  EXPECT_EQ(json["actions"][1], hotel);
  EXPECT_EQ(json["actions"][0]["state"], "happened");
  EXPECT_EQ(json["actions"][0]["owed"], true);
  EXPECT_EQ(json["actions"][2]["owed"], false);
}

TEST_F(SagaShowTest, ShowsSagasWithinAndRunsThatWereCalled) {
  StoredSaga top;
  top.deadline = builder.now() + 60'000'000;
  top.reaches_parked = true;
  builder.saga(run, 1, top);
  StoredUndo within = action(0, "", UndoState::happened);
  within.what = UndoWhat::saga;
  within.undo = "";
  within.saga = 2;
  within.path = {};
  builder.undo(run, 1, within, {});
  StoredUndo call = action(1, "", UndoState::happened);
  call.what = UndoWhat::run;
  call.undo = "";
  call.name = "pay/bob charge";
  call.run = id_of("01HF7YB3Z0N2M6DKJ3A4V8Q9XT");
  call.agent = "pay";
  call.session_key = "bob";
  builder.undo(run, 1, call, {});
  StoredUndo pivot = action(2, "seal", UndoState::registered);
  pivot.what = UndoWhat::pivot;
  pivot.undo = "";
  builder.undo(run, 1, pivot);
  StoredSaga inner = in_state(SagaState::committed);
  inner.name = "hotel";
  inner.parent = 1;
  builder.saga(run, 2, inner);
  builder.undo(run, 2, action(0, "room", UndoState::skipped));
  const std::string text = shown(1);
  has(text,
      {"deadline  2023-11-14T22:14:20.000Z (in 1m 0s), also of a parked run\n", "saga " + id(2),
       "  run 01HF7YB3Z0N2M6DKJ3A4V8Q9XT of pay/bob  ", "nothing: it is the pivot",
       "\nwithin it, saga " + id(2) + " 'hotel': committed\n", "book room  cancel room  skipped"});
  EXPECT_EQ(text.find("payer"), std::string::npos);
  EXPECT_NE(shown(2).find("within    saga " + id(1) + "\n"), std::string::npos);
  const auto json = nlohmann::json::parse(shown(1, Format::json));
  EXPECT_EQ(json["actions"][0]["saga"], id(2));
  EXPECT_EQ(json["actions"][1]["run"], "01HF7YB3Z0N2M6DKJ3A4V8Q9XT");
  EXPECT_EQ(json["within"][0]["saga"]["id"], id(2));
  EXPECT_EQ(json["within"][0]["saga"]["parent"], id(1));
  EXPECT_EQ(json["within"][0]["actions"][0]["state"], "skipped");
}

TEST_F(SagaShowTest, SaysWhatPersonsDecidedAndWhatIsWaitedFor) {
  StoredSaga saga = in_state(SagaState::compensating);
  saga.paid_with = 1;
  builder.saga(run, 1, saga);
  StoredUndo lost = action(0, "flight", UndoState::unknown);
  lost.not_before = builder.now() + 30'000'000;
  builder.undo(run, 1, lost);
  StoredUndo left = action(1, "hotel", UndoState::skipped);
  left.who = "ann";
  left.why = "it is paid";
  builder.undo(run, 1, left);
  has(shown(1), {"owed            in 30.0s", "skipped", "by ann: it is paid\n"});
}

TEST_F(SagaShowTest, AreNamedWhereTheirRunIsShown) {
  EXPECT_EQ(shown_run().find("saga"), std::string::npos);
  stuck_saga();
  builder.saga(run, 3, in_state(SagaState::committed));
  builder.record(run,
                 journal::SagaAborted{1, Code::saga_aborted, "ann", "it is off", builder.now()});
  const Path path{4, 1};
  journal::WaitRow wait;
  wait.step_kind = journal::StepKind::compensate;
  wait.path = path;
  wait.name = "undo trip";
  wait.begun = builder.now();
  builder.wait(run, wait);
  has(shown_run(),
      {"      abort       ann        saga 1          +0us              saga_aborted: "
       "it is off\n",
       "saga " + id(1) + " 'trip': stuck, 2 of 3 to undo\n",
       "saga " + id(3) + " 'trip': committed\n",
       "It waits until saga " + id(1) + " 'trip' is undone (2 of 3 to undo), in step 4.1.\n"});
  const auto json = nlohmann::json::parse(shown_run(Format::json));
  ASSERT_EQ(json["sagas"].size(), 2U);
  EXPECT_EQ(json["sagas"][0]["owed"], 2);
  EXPECT_EQ(json["aborts"], nlohmann::json::parse(R"([{"saga":1,"all_sagas":false,
      "code":"saga_aborted","who":"ann","why":"it is off",
      "recorded":"2023-11-14T22:13:20.000000Z"}])"));
  EXPECT_EQ(json["unfinished"][0]["step_kind"], "compensate");
}

TEST_F(SagaShowTest, OfManyThoseThatAreOverAreCounted) {
  for (std::uint32_t number = 1; number <= 30; ++number)
    builder.saga(run, number, in_state(number == 7 ? SagaState::open : SagaState::committed));
  has(shown_run(), {"saga " + id(7) + " 'trip': open\n29 sagas that are over\n"});
  EXPECT_EQ(shown_run().find(id(8)), std::string::npos);
}

TEST_F(SagaShowTest, AreInRecordsAndMail) {
  builder.record(
      run, journal::SagaAborted{journal::kAllSagas, Code::timeout, "", "late", builder.now()});
  TestScreen records(builder.now(), Format::json);
  journal::Reader reader = reader_of(store);
  ASSERT_TRUE(show_records(reader, *reader.run(run).value(), records.screen).has_value());
  const auto record = nlohmann::json::parse(records.lines().at(1));
  EXPECT_EQ(record["kind"], "saga_aborted");
  EXPECT_EQ(record["content"], nlohmann::json::parse(R"({"saga":null,"all_sagas":true,
      "code":"timeout","who":"","why":"late"})"));

  journal::ArrivalRow asked =
      JournalBuilder::arrival(journal::ArrivalRow::What::abort_saga, "", {});
  asked.run = run;
  asked.saga = 3;
  builder.arrive(journal::Table::inbox, asked);
  asked.what = journal::ArrivalRow::What::kill;
  asked.saga = journal::kAllSagas;
  builder.arrive(journal::Table::inbox, asked);
  reader = reader_of(store);
  const SessionFacts session = find_session(reader, "trip/alice").value();
  TestScreen text(builder.now());
  ASSERT_TRUE(show_session(reader, session, std::nullopt, text.screen).has_value());
  has(text.text(), {"about saga " + id(3), "with all its open sagas"});
  TestScreen json(builder.now(), Format::json);
  ASSERT_TRUE(show_session(reader, session, std::nullopt, json.screen).has_value());
  EXPECT_EQ(json.json()["inbox"][0]["saga"], 3);
  EXPECT_EQ(json.json()["inbox"][1]["all_sagas"], true);
}

}  // namespace
}  // namespace perdure::cli
