#include "tests/cli/saga_journal.hpp"

namespace perdure::cli {
namespace {

using journal::SagaState;
using journal::StoredSaga;
using journal::StoredUndo;
using journal::UndoState;
using journal::UndoWhat;
using Which = SagasRequest::Which;
using namespace std::chrono_literals;

class SagasTest : public SagaJournalTest {
 protected:
  static std::vector<std::string> ids(const std::string& json) {
    std::vector<std::string> all;
    const auto parsed = nlohmann::json::parse(json);
    for (const auto& saga : parsed["sagas"]) all.push_back(saga["id"]);
    return all;
  }
};

TEST_F(SagasTest, SaysThatThereAreNone) {
  EXPECT_EQ(listed(), "No saga is unfinished; --all shows those that are over.\n");
  EXPECT_EQ(listed(Which::all), "The journal has no sagas.\n");
  EXPECT_EQ(listed(Which::stuck), "No saga needs a person.\n");
  const auto json = nlohmann::json::parse(listed(Which::all, Format::json));
  EXPECT_EQ(json, nlohmann::json::parse(R"({"sagas":[],"shown":0,"states":{"open":0,"forward":0,
      "left_open":0,"compensating":0,"stuck":0,"committed":0,"compensated":0}})"));
}

TEST_F(SagasTest, ListsASagaOnALine) {
  stuck_saga();
  builder.clock.advance(5s);
  EXPECT_EQ(listed(),
            "SAGA                          NAME  STATE  SESSION     OWED              AGE  WHY\n" +
                id(1) +
                "  trip  stuck  trip/alice  2 of 3 to undo  5.00s  saga 'trip' is stuck: no "
                "answer\n1 saga: 1 stuck\n");
}

TEST_F(SagasTest, SaysWhatIsKnownOfEachState) {
  StoredSaga open;
  open.deadline = builder.now() + 60'000'000;
  builder.saga(run, 1, open);
  builder.undo(run, 1, action(0, "flight", UndoState::happened));
  builder.undo(run, 1, action(1, "hotel", UndoState::registered));
  builder.undo(run, 1, action(2, "car", UndoState::refused));
  builder.saga(run, 2, in_state(SagaState::forward));
  StoredSaga undone = in_state(SagaState::compensating);
  undone.who = "ann";
  undone.why = "the trip is off";
  undone.paid_with = 3;
  builder.saga(run, 3, undone);
  builder.undo(run, 3, action(0, "flight", UndoState::unknown));
  builder.undo(run, 3, action(1, "hotel", UndoState::marked));
  builder.saga(run, 4, in_state(SagaState::committed));
  builder.undo(run, 4, action(0, "flight", UndoState::happened));
  builder.undo(run, 4, action(1, "hotel", UndoState::unknown));
  builder.saga(run, 5, in_state(SagaState::compensated));
  const std::string all = listed(Which::all);
  for (const std::string& part :
       {id(1) + "  trip  open          trip/alice  2 if aborted      0us  is aborted at "
                "2023-11-14T22:14:20Z (in 1m 0s)\n",
        id(2) + "  trip  forward       trip/alice  behind its pivot  0us\n",
        id(3) +
            "  trip  compensating  trip/alice  1 of 2 to undo    0us  by ann: the trip is off\n",
        id(4) + "  trip  committed     trip/alice  1 of 1 to undo    0us\n",
        id(5) + "  trip  compensated   trip/alice                    0us\n",
        std::string("5 sagas: 1 open, 1 forward, 1 compensating, 1 committed, 1 compensated\n")})
    EXPECT_NE(all.find(part), std::string::npos) << part << "\nin\n" << all;
  EXPECT_EQ(ids(listed(Which::unfinished, Format::json)), (std::vector{id(1), id(2), id(3)}));
  EXPECT_EQ(ids(listed(Which::stuck, Format::json)), std::vector<std::string>{});
}

TEST_F(SagasTest, CountsWhatAnEndedRunLeftOpenAmongThoseThatNeedAPerson) {
  builder.saga(run, 1);
  builder.undo(run, 1, action(0, "flight", UndoState::happened));
  EXPECT_EQ(listed(Which::stuck), "No saga needs a person.\n");
  builder.fail(run, {Code::cancelled, "killed"});
  const std::string shown = listed(Which::stuck);
  EXPECT_NE(shown.find("  left open  trip/alice  1 if aborted  0us  its run has ended: failed\n"
                       "1 saga: 1 left open\n"),
            std::string::npos)
      << shown;
  const auto json = nlohmann::json::parse(listed(Which::stuck, Format::json));
  EXPECT_EQ(json["sagas"][0]["state"], "open");
  EXPECT_EQ(json["sagas"][0]["left_open"], true);
  EXPECT_EQ(json["states"]["left_open"], 1);
}

TEST_F(SagasTest, CountsWhatSagasWithinOwe) {
  const auto within = [&](std::uint32_t index, std::uint32_t number) {
    StoredUndo saga = action(index, "", UndoState::happened);
    saga.what = UndoWhat::saga;
    saga.undo = "";
    saga.path = {};
    saga.saga = number;
    builder.undo(run, 1, saga, {});
  };
  StoredSaga top = in_state(SagaState::compensating);
  top.paid_with = 1;
  builder.saga(run, 1, top);
  builder.undo(run, 1, action(0, "flight", UndoState::happened));
  within(1, 2);
  within(2, 3);
  StoredSaga second = top;
  second.parent = 1;
  builder.saga(run, 2, second);
  builder.undo(run, 2, action(0, "hotel", UndoState::paid));
  builder.undo(run, 2, action(1, "car", UndoState::happened));
  // Undone by itself before that, with what it did.
  StoredSaga third = in_state(SagaState::compensated);
  third.parent = 1;
  third.paid_with = 3;
  builder.saga(run, 3, third);
  builder.undo(run, 3, action(0, "tour", UndoState::paid));
  const std::string shown = listed();
  EXPECT_NE(shown.find(id(1) + "  trip  compensating  trip/alice  2 of 3 to undo"),
            std::string::npos)
      << shown;
  EXPECT_NE(shown.find(id(2) +
                       "  trip  compensating  trip/alice  1 of 2 to undo  0us  is undone "
                       "with " +
                       id(1)),
            std::string::npos)
      << shown;
}

TEST_F(SagasTest, HasEveryFieldInJson) {
  stuck_saga();
  builder.clock.advance(5s);
  const auto json = nlohmann::json::parse(listed(Which::stuck, Format::json));
  EXPECT_EQ(json["shown"], 1);
  EXPECT_EQ(json["sagas"][0], nlohmann::json::parse(R"({"id":")" + id(1) + R"(","run":")" +
                                                    to_string(run) + R"(","number":1,
      "name":"trip","state":"stuck","left_open":false,"actions":3,"owed":2,"stuck":1,
      "parent":null,"paid_with":")" + id(1) + R"(","created":"2023-11-14T22:13:20.000000Z",
      "changed":"2023-11-14T22:13:20.000000Z","undo_order":"reverse","when_undo_fails":"stop",
      "deadline":null,"reaches_parked":false,"code":"saga_aborted","who":"ann",
      "why":"saga 'trip' is stuck: no answer","agent":"trip","key":"alice",
      "run_status":"running"})"));
}

TEST_F(SagasTest, KeepsControlCharactersFromTheTerminal) {
  StoredSaga evil = in_state(SagaState::stuck);
  evil.name = "tr\x1b[2Jip";
  evil.why = "w\x1bhy\nmore";
  builder.saga(run, 1, evil);
  StoredUndo undo = action(0, "fl\x1bight", UndoState::stuck);
  undo.error = Error{Code::user, "e\x1brror"};
  builder.undo(run, 1, undo, payload(std::string("R\x1bome")));
  for (const Format format : {Format::text, Format::json}) {
    EXPECT_EQ(listed(Which::all, format).find('\x1b'), std::string::npos);
    EXPECT_EQ(this->shown(1, format).find('\x1b'), std::string::npos);
  }
}

class FindSagaTest : public SagaJournalTest {
 protected:
  std::string found(const std::string& text) {
    journal::Reader reader = reader_of(store);
    const auto saga = find_saga(reader, text);
    return saga.has_value()
               ? journal::saga_id(saga.value().run, saga.value().number)
               : std::string(to_string(saga.error().code)) + ": " + saga.error().message;
  }
};

TEST_F(FindSagaTest, TakesIdsAndRunsThatHaveOne) {
  EXPECT_EQ(found(to_string(run)), "not_found: run " + to_string(run) +
                                       " has no saga in the journal; `perdure sagas` lists what "
                                       "there is");
  builder.saga(run, 1, in_state(SagaState::committed));
  EXPECT_EQ(found("trip/alice"), id(1));
  builder.saga(run, 2);
  for (const std::string& text :
       {id(2), to_string(run).substr(20) + ".2", to_string(run), std::string("trip/alice")})
    EXPECT_EQ(found(text), id(2)) << text;
  EXPECT_EQ(found(id(1)), id(1));
  journal::Reader reader = reader_of(store);
  EXPECT_EQ(find_sagas(reader, "trip/alice").value().number, journal::kAllSagas);
  EXPECT_EQ(find_sagas(reader, id(1)).value().number, 1U);
}

TEST_F(FindSagaTest, ListsThoseThatMayBeMeant) {
  builder.saga(run, 1);
  builder.saga(run, 2, in_state(SagaState::stuck));
  builder.saga(run, 3, in_state(SagaState::committed));
  EXPECT_EQ(found("trip/alice"), "not_found: run " + to_string(run) +
                                     " has 2 sagas that are not over; say which:\n  " + id(1) +
                                     "  open  trip\n  " + id(2) + "  stuck  trip");
}

TEST_F(FindSagaTest, SaysWhatIsNone) {
  builder.saga(run, 1);
  for (const char* const number : {"", "0", "x", "1x", "-1", "4294967295", "99999999999"})
    EXPECT_TRUE(found(to_string(run) + "." + number).starts_with("misuse: ")) << number;
  EXPECT_TRUE(found(to_string(run) + ".9").starts_with("not_found: the journal has no saga "));
  EXPECT_TRUE(found("trip/bob.1").starts_with("not_found: there is no session"));
}

}  // namespace
}  // namespace perdure::cli
