/// Sagas over several sessions: a run that is called works for the caller's saga.
#include "tests/sagas/saga_fixture.hpp"

namespace perdure::test {
namespace {

inline constexpr pd::Signal<std::string> word{"word"};

pd::Task<std::string> desk_handler(pd::Context& ctx, std::string how) {
  pd::Saga leg{ctx, "leg"};
  co_await leg.step(book_hotel, {"Rome"}, cancel_hotel);
  if (how == "waits") co_await ctx.receive(word);
  co_await leg.step(book_car, {"Rome"}, cancel_car);
  co_await leg.commit();
  co_return "leg";
}
inline constexpr pd::Handler at_desk{"book", &desk_handler};
inline constexpr pd::Agent desk{"desk", at_desk};

pd::Task<std::string> caller_handler(pd::Context& ctx, std::string how) {
  pd::Saga trip{ctx, "trip"};
  co_await trip.step(book_flight, {"Rome"}, cancel_flight);
  const std::string leg = co_await trip.step(ctx.session(desk, "d").call(at_desk, how));
  co_await trip.step(book_tour, {"Rome"}, cancel_tour);
  co_await trip.commit();
  co_return leg;
}
inline constexpr pd::Agent caller{"caller", &caller_handler};

class SagaSessionsTest : public SagaFixture {};
PERDURE_TEST_FRAMES(SagaSessionsTest);

TEST_P(SagaSessionsTest, KeepWhatBothCommit) {
  kit::Runtime test(options());
  (void)test.session(desk, "d");
  EXPECT_EQ(test.session(caller, "s").start("goes on").value().wait().value(), "leg");
  EXPECT_EQ(world_.booked(), (Lines{"car", "flight", "hotel", "tour"}));
}

TEST_P(SagaSessionsTest, UndoWhatTheCalledRunHasCommitted) {
  world_.actions["tour"] = World::Does::refuse;
  kit::Runtime test(options());
  (void)test.session(desk, "d");
  auto run = test.session(caller, "s").start("goes on").value();
  EXPECT_EQ(run.wait().error().to_string(), "refused: tour is sold out");
  EXPECT_EQ(world_.trace, (Lines{"book flight", "book hotel", "book car", "book tour", "cancel car",
                                 "cancel hotel", "cancel flight"}));
}

TEST_P(SagaSessionsTest, UndoWhatTheCalledRunHasUnderWay) {
  kit::Runtime test(options());
  (void)test.session(desk, "d");
  auto run = test.session(caller, "s").start("waits").value();
  test.run_until_idle();
  EXPECT_TRUE(run.compensate({.by = "alice"}).has_value());
  EXPECT_EQ(run.wait().error().code, pd::Code::saga_aborted);
  EXPECT_EQ(world_.trace, (Lines{"book flight", "book hotel", "cancel hotel", "cancel flight"}));
}

TEST_P(SagaSessionsTest, OweNothingWhereTheCalledRunUndidItself) {
  world_.actions["car"] = World::Does::refuse;
  kit::Runtime test(options());
  (void)test.session(desk, "d");
  auto run = test.session(caller, "s").start("goes on").value();
  EXPECT_EQ(run.wait().error().to_string(), "refused: car is sold out");
  EXPECT_EQ(world_.trace,
            (Lines{"book flight", "book hotel", "book car", "cancel hotel", "cancel flight"}));
}

TEST_P(SagaSessionsTest, AreStuckTogether) {
  world_.actions["tour"] = World::Does::refuse;
  world_.undos_fail["hotel"] = 1;
  kit::Runtime test(options());
  (void)test.session(desk, "d");
  auto run = test.session(caller, "s").start("goes on").value();
  EXPECT_EQ(run.wait().error().to_string(), "refused: tour is sold out");
  EXPECT_EQ(test.events().size(), 2U);
  EXPECT_EQ(world_.count("cancel flight"), 0U);
  // The desk's is seen to, and the caller's goes on by itself.
  std::string desks;
  for (const pd::Event& event : test.events())
    if (event.run != run.id()) desks = to_string(*event.run) + ".1";
  EXPECT_TRUE(test.resolve_saga(desks, {}).has_value());
  test.run_until_idle();
  EXPECT_EQ(world_.booked(), Lines{});
}

TEST_P(SagaSessionsTest, SurviveACrashWhileOneWaitsForTheOther) {
  world_.actions["tour"] = World::Does::refuse;
  world_.undos_fail["hotel"] = 1;
  kit::Runtime test(options());
  (void)test.session(desk, "d");
  auto run = test.session(caller, "s").start("goes on").value();
  (void)run.wait();
  test.restart(kit::End::unclean);
  test.run_until_idle();
  std::string desks;
  for (const pd::Event& event : test.events())
    if (event.run != run.id()) desks = to_string(*event.run) + ".1";
  EXPECT_TRUE(test.resolve_saga(desks, {}).has_value());
  test.restart(kit::End::unclean);
  test.run_until_idle();
  EXPECT_EQ(world_.booked(), Lines{});
}

}  // namespace
}  // namespace perdure::test
