#include "samples/booking/audit.hpp"

#include <algorithm>
#include <map>
#include <sstream>

#include "tests/samples_booking/booking_fixture.hpp"

namespace booking {
namespace {

/// A run with two trips, `a` and `b`, made by hand.
class AuditTest : public ::testing::Test {
 protected:
  AuditTest() {
    std::filesystem::create_directories(services_of(folder_.path()));
    for (const std::string_view kind : kinds) {
      ledgers_[std::string(kind)] =
          std::make_unique<Ledger>(file_of(kind), std::string(kind),
                                   [this](const Order&) { return is_refusing_ ? "sold out" : ""; });
    }
  }

  [[nodiscard]] std::string file_of(std::string_view kind) const {
    return database_of(folder_.path(), kind);
  }
  Ledger& at(std::string_view kind) { return *ledgers_.at(std::string(kind)); }
  void act(std::string_view kind, const std::string& trip, const std::string& key = "1") {
    at(kind).book(order_of(trip + key, trip));
  }
  void undo(std::string_view kind, const std::string& trip, const std::string& key = "1") {
    at(kind).undo(trip + key, trip);
  }
  void refuse(std::string_view kind, const std::string& trip) {
    is_refusing_ = true;
    act(kind, trip);
    is_refusing_ = false;
  }
  void book(const std::string& trip) {
    for (const std::string_view kind : kinds) act(kind, trip);
  }
  void tamper(std::string_view kind, const std::string& sql) {
    Database(file_of(kind), Access::read_write).execute(sql);
  }
  [[nodiscard]] AuditReport report() const { return audit(folder_.path(), {"a", "b"}); }
  /// The audit fails, and one of its reasons says this.
  void expect_reason(std::string_view part) const {
    const AuditReport found = report();
    EXPECT_FALSE(found.ok());
    EXPECT_TRUE(std::ranges::any_of(found.reasons, [part](const std::string& reason) {
      return contains(reason, part);
    })) << found.verdict();
    EXPECT_TRUE(contains(found.verdict(), "audit FAILED: "));
  }

  TestFolder folder_;
  bool is_refusing_ = false;
  std::map<std::string, std::unique_ptr<Ledger>> ledgers_;
};

TEST_F(AuditTest, IsOkWhereTripsAreBookedOrUndone) {
  book("a");
  act("flight", "b");
  act("hotel", "b");
  refuse("car", "b");
  undo("hotel", "b");
  undo("flight", "b");
  undo("payment", "b");
  const AuditReport found = report();
  EXPECT_EQ(found.verdict(), "audit ok");
  EXPECT_EQ(found.count(Verdict::booked), 1U);
  EXPECT_EQ(found.count(Verdict::undone), 1U);
  EXPECT_EQ(found.charged_cents, 12'300);
  EXPECT_EQ(found.trips.at(1).states,
            (std::array{State::undone, State::undone, State::refused, State::undone, State::none}));
  EXPECT_EQ(found.services.at(0).done, 1U);
  EXPECT_EQ(found.services.at(0).undone, 1U);
  EXPECT_EQ(found.services.at(0).requests, 3);
  EXPECT_EQ(found.services.at(2).refused, 1U);
  EXPECT_EQ(found.services.at(3).tombstones, 1U);
  EXPECT_EQ(found.services.at(3).undone, 0U);
}

TEST_F(AuditTest, IsOkWhereNothingWasBookedAtAll) {
  EXPECT_TRUE(report().ok());
  EXPECT_EQ(report().count(Verdict::undone), 2U);
}

TEST_F(AuditTest, IsOkWhereRequestsCameTwiceOrWereFound) {
  book("a");
  book("a");
  static_cast<void>(at("hotel").find("a1"));
  static_cast<void>(at("hotel").find("never came"));
  at("hotel").note("do", "a1", "a", "crash before the effect");
  EXPECT_EQ(report().verdict(), "audit ok");
}

TEST_F(AuditTest, IsOkWhereATripTookASecondKeyAfterARefusal) {
  refuse("hotel", "a");
  for (const std::string_view kind : kinds) act(kind, "a", kind == "hotel" ? "2" : "1");
  EXPECT_EQ(report().verdict(), "audit ok");
}

TEST_F(AuditTest, FindsATripThatLacksAnyOneService) {
  for (const std::string_view missing : kinds) {
    const std::string trip = "without " + std::string(missing);
    for (const std::string_view kind : kinds)
      if (kind != missing) act(kind, trip);
    const AuditReport found = audit(folder_.path(), {trip});
    const auto of_trip = std::ranges::find(found.trips, trip, &TripVerdict::trip);
    ASSERT_NE(of_trip, found.trips.end());
    EXPECT_EQ(of_trip->verdict, Verdict::broken) << trip;
    EXPECT_TRUE(std::ranges::any_of(found.reasons, [&](const std::string& reason) {
      return contains(reason, trip + " is half booked") &&
             contains(reason, std::string(missing) + " absent");
    })) << trip;
  }
}

TEST_F(AuditTest, FindsATripThatIsHalfUndone) {
  book("a");
  for (const char* kind : {"itinerary", "payment", "car", "hotel"}) undo(kind, "a");
  expect_reason(
      "a is half booked: flight done, hotel undone, car undone, payment undone, itinerary undone");
  EXPECT_EQ(report().count(Verdict::broken), 1U);
}

TEST_F(AuditTest, FindsATripThatIsStuckAtTheBeginning) {
  act("flight", "a");
  expect_reason("a is half booked");
}

TEST_F(AuditTest, FindsADoubleCharge) {
  book("a");
  act("payment", "a", "2");
  expect_reason("a was charged 2 times");
  EXPECT_EQ(report().count(Verdict::booked), 0U);
}

TEST_F(AuditTest, FindsASecondChargeEvenWhenTheFirstWasRefunded) {
  book("a");
  undo("payment", "a");
  act("payment", "a", "2");
  expect_reason("a was charged 2 times");
}

TEST_F(AuditTest, FindsAChargeWithoutBooking) {
  act("payment", "a");
  expect_reason("a is charged 12300 cents and is not booked");
  EXPECT_EQ(report().charged_cents, 12'300);
}

TEST_F(AuditTest, FindsASecondRoomForTheSameTrip) {
  book("a");
  act("hotel", "a", "2");
  expect_reason("a has 2 bookings of its hotel");
  EXPECT_EQ(report().count(Verdict::broken), 1U);
}

TEST_F(AuditTest, FindsAKeyThatWasDoneTwice) {
  book("a");
  // Log and counts agree with each other, and with its state.
  tamper("car",
         "UPDATE bookings SET times_done = 2, times_undone = 1;"
         "INSERT INTO log(at, request, key, trip, effect, fault)"
         "VALUES ('', 'undo', 'a1', 'a', 'undone', ''), ('', 'do', 'a1', 'a', 'done', '')");
  expect_reason("car.sqlite: key a1 of a was done 2 times");
}

TEST_F(AuditTest, FindsAStateThatItsCountsDoNotBearOut) {
  book("a");
  for (const std::string_view kind : kinds) tamper(kind, "UPDATE bookings SET state = 'undone'");
  expect_reason("car.sqlite: key a1 of a is undone, though it was done 1 times and undone 0 times");
}

TEST_F(AuditTest, FindsABookingThatTheLogDoesNotKnow) {
  book("a");
  tamper("car", "DELETE FROM log");
  expect_reason("car.sqlite: key a1 of a was done 1 times and undone 0 times, but by the log 0");
}

TEST_F(AuditTest, FindsALogThatKnowsMore) {
  book("a");
  tamper("car", "DELETE FROM bookings WHERE trip = 'a'");
  expect_reason("car.sqlite: key a1 of a is in the log and in no booking");
  book("b");
  tamper("flight",
         "INSERT INTO log(at, request, key, trip, effect, fault) "
         "VALUES ('', 'do', 'b1', 'b', 'done', '')");
  expect_reason("flight.sqlite: key b1 of b was done 1 times and undone 0 times, but by the log 2");
}

TEST_F(AuditTest, FindsATripThatNobodyAskedFor) {
  book("a");
  book("c");
  expect_reason("key c1 of c belongs to no trip that was asked for");
}

TEST_F(AuditTest, FindsATombstoneOfATripThatNobodyAskedFor) {
  undo("car", "c");
  expect_reason("car.sqlite: key c1 of c belongs to no trip that was asked for");
}

TEST_F(AuditTest, FindsAMissingDatabase) {
  ledgers_.erase("car");
  std::filesystem::remove(file_of("car"));
  expect_reason(file_of("car"));
  // It looks, and makes nothing.
  EXPECT_FALSE(std::filesystem::exists(file_of("car")));
}

TEST_F(AuditTest, FindsADatabaseThatIsNone) {
  ledgers_.erase("car");
  std::filesystem::resize_file(file_of("car"), 0);
  expect_reason(file_of("car"));
  folder_.write("services/car.sqlite", std::string(4'096, 'x'));
  expect_reason(file_of("car"));
}

TEST_F(AuditTest, NamesTheFirstReasonsInOneLineAndCountsTheOthers) {
  for (const std::string_view kind : kinds) act(kind, "c");
  const std::string verdict = report().verdict();
  EXPECT_TRUE(contains(verdict, "; and 2 more")) << verdict;
  EXPECT_FALSE(contains(verdict, "\n"));
}

TEST_F(AuditTest, PrintsATable) {
  book("a");
  std::ostringstream out;
  report().print(out);
  EXPECT_TRUE(contains(out.str(), "flight                 1           0           0           0"))
      << out.str();
  EXPECT_TRUE(contains(out.str(), "trips: 1 booked, 1 undone, 0 broken; 12300 cents charged\n"));
}

}  // namespace
}  // namespace booking
