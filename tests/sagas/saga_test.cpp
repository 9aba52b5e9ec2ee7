/// Sagas: what is undone, in which order, and what the handler's caller sees.
#include "tests/sagas/saga_fixture.hpp"

namespace perdure::test {
namespace {

pd::Task<std::string> trip_handler(pd::Context& ctx, std::string city) {
  pd::Saga trip{ctx, "trip"};
  const Ticket flight = co_await trip.step(book_flight, {city}, cancel_flight);
  const Ticket hotel = co_await trip.step(book_hotel, {city}, cancel_hotel);
  const Ticket car = co_await trip.step(book_car, {city}, cancel_car);
  co_await trip.commit();
  co_return flight.id + "+" + hotel.id + "+" + car.id;
}
inline constexpr pd::Agent trip_agent{"trip", &trip_handler};

class SagaTest : public SagaFixture {};
PERDURE_TEST_FRAMES(SagaTest);

TEST_P(SagaTest, KeepsWhatItCommits) {
  kit::Runtime test(options());
  auto run = test.session(trip_agent, "s").start("Rome").value();
  EXPECT_EQ(run.wait().value(), "flight+hotel+car");
  EXPECT_EQ(world_.trace, (Lines{"book flight", "book hotel", "book car"}));
  EXPECT_EQ(disk_of(test).records(run.id()),
            (Lines{"run_created", "step_result 1 'book flight' ok", "step_result 2 'book hotel' ok",
                   "step_result 3 'book car' ok", "commit 4 'commit trip' ok", "run_ended ok"}));
}

TEST_P(SagaTest, UndoesInReverseWhenAStepIsRefused) {
  world_.actions["car"] = World::Does::refuse;
  kit::Runtime test(options());
  auto run = test.session(trip_agent, "s").start("Rome").value();
  EXPECT_EQ(run.wait().error().to_string(), "refused: car is sold out");
  EXPECT_EQ(world_.trace,
            (Lines{"book flight", "book hotel", "book car", "cancel hotel", "cancel flight"}));
  EXPECT_EQ(world_.booked(), Lines{});
}

TEST_P(SagaTest, UndoesWhatMayHaveHappened) {
  world_.actions["car"] = World::Does::lose;
  kit::Runtime test(options());
  auto run = test.session(trip_agent, "s").start("Rome").value();
  EXPECT_EQ(run.wait().error().to_string(), "user: the answer was lost");
  EXPECT_EQ(world_.trace, (Lines{"book flight", "book hotel", "book car", "cancel car unknown",
                                 "cancel hotel", "cancel flight"}));
  EXPECT_EQ(world_.booked(), Lines{});
}

}  // namespace
}  // namespace perdure::test
