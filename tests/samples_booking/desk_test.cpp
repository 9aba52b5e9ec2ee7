#include "samples/booking/desk.hpp"

#include <nlohmann/json.hpp>

#include "tests/samples_booking/booking_fixture.hpp"

namespace booking {
namespace {

using Json = nlohmann::json;

class DeskTest : public ::testing::Test {
 protected:
  static Json parsed(const Reply& reply) { return Json::parse(reply.body); }

  TestFolder folder_;
  std::string file_ = folder_.of("car.sqlite");
  Ledger ledger_{file_, "car",
                 [](const Order& order) { return order.trip == "full" ? "sold out" : ""; }};
};

TEST_F(DeskTest, AnswersWithStateAndReference) {
  const Reply reply = answer_do(
      ledger_,
      R"({"key": "k", "trip": "t", "traveller": "Ada", "detail": "small", "amount_cents": 5})");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(parsed(reply), (Json{{"state", "done"}, {"reference", "CA-1"}}));
  EXPECT_EQ(value_of(file_, "SELECT traveller || detail || amount_cents FROM bookings"),
            "Adasmall5");
  EXPECT_EQ(parsed(answer_find(ledger_, "k")), (Json{{"state", "done"}, {"reference", "CA-1"}}));
}

TEST_F(DeskTest, RefusesWithTheReason) {
  const Reply reply = answer_do(ledger_, R"({"key": "k", "trip": "full"})");
  EXPECT_EQ(reply.status, 409);
  EXPECT_EQ(parsed(reply), (Json{{"refused", "sold out"}}));
  EXPECT_EQ(parsed(answer_find(ledger_, "k"))["state"], "refused");
}

TEST_F(DeskTest, SaysThatAKeyIsGone) {
  const Reply undone = answer_undo(ledger_, R"({"key": "k", "trip": "t"})");
  EXPECT_EQ(undone.status, 200);
  EXPECT_EQ(parsed(undone), (Json{{"undone", true}, {"was", "none"}}));
  const Reply late = answer_do(ledger_, R"({"key": "k", "trip": "t"})");
  EXPECT_EQ(late.status, 410);
  EXPECT_EQ(parsed(late), (Json{{"undone", true}}));
}

TEST_F(DeskTest, TurnsAwayWhatMakesNoSenseAndLogsIt) {
  for (const char* body : {"", "{", "[]", R"({"key": "k"})", R"({"key": "", "trip": "t"})",
                           R"({"key": 1, "trip": "t"})",
                           R"({"key": "k", "trip": "t", "amount_cents": -1})", "\"\xff\""}) {
    EXPECT_EQ(answer_do(ledger_, body).status, 400) << body;
    EXPECT_EQ(answer_undo(ledger_, body).status, 400) << body;
  }
  EXPECT_EQ(answer_find(ledger_, "").status, 400);
  EXPECT_EQ(value_of(file_, "SELECT count(*) FROM bookings"), "0");
  EXPECT_EQ(value_of(file_, "SELECT count(*) FROM log WHERE effect = 'none'"), "17");
}

TEST_F(DeskTest, TurnsAwayAnotherTripsKeyAndNamesTheTrip) {
  ASSERT_EQ(answer_do(ledger_, R"({"key": "k", "trip": "mine"})").status, 200);
  for (const Reply& reply : {answer_do(ledger_, R"({"key": "k", "trip": "yours"})"),
                             answer_undo(ledger_, R"({"key": "k", "trip": "yours"})")}) {
    EXPECT_EQ(reply.status, 422);
    EXPECT_TRUE(contains(reply.body, "mine")) << reply.body;
  }
  EXPECT_EQ(ledger_.find("k").state, State::done);
}

TEST_F(DeskTest, NotesACrashWithTripAndKey) {
  note_crash(ledger_, "do", R"({"key": "k", "trip": "t"})", "crash before the effect");
  EXPECT_EQ(value_of(file_, "SELECT request || key || trip || effect FROM log"), "doktnone");
  EXPECT_EQ(ledger_.find("k").state, State::none);
}

}  // namespace
}  // namespace booking
