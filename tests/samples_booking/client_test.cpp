#include "samples/booking/client.hpp"

#include "tests/samples_booking/booking_fixture.hpp"

namespace booking {
namespace {

using Kind = Answer::Kind;

TEST(Answers, SayWhatIsSo) {
  const Answer done = answer_of(200, R"({"state": "done", "reference": "FL-1"})");
  EXPECT_EQ(done.kind, Kind::ok);
  EXPECT_EQ(done.state, State::done);
  EXPECT_EQ(done.reference, "FL-1");
  EXPECT_EQ(answer_of(200, R"({"undone": true, "was": "done"})").state, State::undone);
  const Answer none = answer_of(200, R"({"state": "none", "reference": ""})");
  EXPECT_EQ(none.kind, Kind::ok);
  EXPECT_EQ(none.state, State::none);
}

TEST(Answers, SayWhatIsRefusedAndWhatIsGone) {
  const Answer refused = answer_of(409, R"({"refused": "sold out"})");
  EXPECT_EQ(refused.kind, Kind::refused);
  EXPECT_EQ(refused.reason, "sold out");
  EXPECT_EQ(answer_of(410, R"({"undone": true})").kind, Kind::gone);
  const Answer invalid = answer_of(422, R"({"error": "another trip's key"})");
  EXPECT_EQ(invalid.kind, Kind::invalid);
  EXPECT_EQ(invalid.reason, "another trip's key");
}

TEST(Answers, ThatNobodyUnderstandsLeaveItUnknown) {
  EXPECT_EQ(answer_of(200, "").kind, Kind::unknown);
  EXPECT_EQ(answer_of(200, R"({"state": "do)").kind, Kind::unknown);
  EXPECT_EQ(answer_of(409, "sold out").kind, Kind::unknown);
  EXPECT_EQ(answer_of(500, "{}").kind, Kind::unknown);
  EXPECT_TRUE(contains(answer_of(503, "{}").reason, "503"));
}

TEST(Client, HasNotSentAnythingWhereThereIsNoPort) {
  const TestFolder folder;
  const Service missing("car", folder.of("car.port"));
  EXPECT_EQ(missing.act(order_of("k", "t")).kind, Kind::never_sent);
  EXPECT_TRUE(contains(missing.find("k").reason, folder.of("car.port")));
  folder.write("car.port", "not a number");
  EXPECT_EQ(missing.undo("k", "t").kind, Kind::never_sent);
}

}  // namespace
}  // namespace booking
