/// Sagas that can't be undone by themselves, and persons who see to them; compensations that fail,
/// and such whose code is gone.
#include "tests/sagas/saga_fixture.hpp"

namespace perdure::test {
namespace {

using What = pd::SagaResolution::What;

pd::Task<std::string> stuck_handler(pd::Context& ctx, std::string city) {
  pd::Saga trip{ctx, "trip"};
  const Ticket flight = co_await trip.step(book_flight, {city}, cancel_flight);
  const Ticket hotel = co_await trip.step(book_hotel, {city}, cancel_hotel);
  const Ticket car = co_await trip.step(book_car, {city}, cancel_car);
  co_await trip.commit();
  co_return flight.id + "+" + hotel.id + "+" + car.id;
}
inline constexpr pd::Agent stuck_agent{"trip", &stuck_handler};

pd::Task<std::string> goes_on_handler(pd::Context& ctx, std::string city) {
  pd::Saga trip{ctx, "trip", {.when_undo_fails = pd::WhenUndoFails::go_on}};
  co_await trip.step(book_flight, {city}, cancel_flight);
  co_await trip.step(book_hotel, {city}, cancel_hotel);
  co_await trip.step(book_car, {city}, cancel_car);
  co_await trip.commit();
  co_return "committed";
}
inline constexpr pd::Agent goes_on{"goes-on", &goes_on_handler};

pd::Result<void> undo_stubbornly(pd::Step& step, const TripReceipt& receipt) {
  world->trace.push_back("attempt " + std::to_string(step.attempt()));
  if (step.attempt() < 5) return pd::Error{pd::Code::overloaded, "later"};
  return world->cancel(receipt.key, "flight", receipt.output.has_value());
}
inline constexpr pd::Undo cancel_stubbornly{"cancel stubbornly", &undo_stubbornly};
inline constexpr pd::Undo cancel_twice{"cancel stubbornly",
                                       &undo_stubbornly,
                                       {.retry = {.attempts_max = 2, .delay = 1s, .jitter = 0}}};
pd::Task<std::string> stubborn_handler(pd::Context& ctx, std::string) {
  pd::Saga trip{ctx, "trip"};
  co_await trip.step(book_flight, {"Rome"}, cancel_stubbornly);
  co_return pd::Error{pd::Code::refused, "no"};
}
inline constexpr pd::Agent stubborn{"stubborn", &stubborn_handler};

class StuckTest : public SagaFixture {
 protected:
  StuckTest() { world_.actions["car"] = World::Does::refuse; }
  static std::size_t stuck_events(const kit::Runtime& test) {
    const auto events = test.events();
    return static_cast<std::size_t>(
        std::ranges::count(events, pd::EventKind::saga_stuck, &pd::Event::kind));
  }
  template <class R>
  static std::string saga_of(const pd::Run<R>& run) {
    return to_string(run.id()) + ".1";
  }
};
PERDURE_TEST_FRAMES(StuckTest);

TEST_P(StuckTest, TellsItsAwaiterWhenACompensationFailsForGood) {
  world_.undos_fail["hotel"] = -1;
  kit::Runtime test(options());
  auto run = test.session(stuck_agent, "s").start("Rome").value();
  EXPECT_EQ(run.wait().error().to_string(), "refused: car is sold out");
  EXPECT_EQ(world_.trace, (Lines{"book flight", "book hotel", "book car", "cancel hotel"}));
  EXPECT_EQ(stuck_events(test), 1U);
  ASSERT_EQ(test.events().size(), 1U);
  EXPECT_EQ(test.events()[0].run, run.id());
  EXPECT_EQ(test.events()[0].error.code, pd::Code::saga_stuck);
  EXPECT_TRUE(contains(test.events()[0].error.message, "hotel can't be cancelled"));
}

TEST_P(StuckTest, IsTriedAgainByAPerson) {
  world_.undos_fail["hotel"] = 2;
  kit::Runtime test(options());
  auto run = test.session(stuck_agent, "s").start("Rome").value();
  (void)run.wait();
  EXPECT_TRUE(test.resolve_saga(saga_of(run), {.by = "alice"}).has_value());
  test.run_until_idle();
  EXPECT_EQ(stuck_events(test), 2U);
  test.restart();
  EXPECT_TRUE(test.resolve_saga(saga_of(run), {.what = What::retry, .action = 1}).has_value());
  test.run_until_idle();
  EXPECT_EQ(world_.trace, (Lines{"book flight", "book hotel", "book car", "cancel hotel",
                                 "cancel hotel", "cancel hotel", "cancel flight"}));
  EXPECT_EQ(world_.booked(), Lines{});
  const auto again = test.resolve_saga(saga_of(run), {});
  EXPECT_EQ(again.error().code, pd::Code::refused);
  EXPECT_TRUE(contains(again.error().message, "is compensated: there is nothing to retry"))
      << again.error().message;
}

TEST_P(StuckTest, IsLeftOrMarkedByAPerson) {
  world_.undos_fail = {{"hotel", -1}, {"flight", -1}};
  kit::Runtime test(options());
  auto run = test.session(stuck_agent, "s").start("Rome").value();
  (void)run.wait();
  EXPECT_TRUE(test.resolve_saga(saga_of(run), {.what = What::skip, .action = 1, .by = "alice"})
                  .has_value());
  test.run_until_idle();
  EXPECT_EQ(stuck_events(test), 2U);
  EXPECT_TRUE(test.resolve_saga(saga_of(run), {.what = What::mark_done}).has_value());
  test.run_until_idle();
  EXPECT_EQ(world_.trace,
            (Lines{"book flight", "book hotel", "book car", "cancel hotel", "cancel flight"}));
  EXPECT_EQ(test.resolve_saga(saga_of(run), {.what = What::skip}).error().code, pd::Code::refused);
}

TEST_P(StuckTest, GoesOnWithTheRestIfItMay) {
  world_.undos_fail["hotel"] = -1;
  kit::Runtime test(options());
  auto run = test.session(goes_on, "s").start("Rome").value();
  EXPECT_EQ(run.wait().error().to_string(), "refused: car is sold out");
  EXPECT_EQ(world_.trace,
            (Lines{"book flight", "book hotel", "book car", "cancel hotel", "cancel flight"}));
  EXPECT_EQ(stuck_events(test), 1U);
  world_.undos_fail.clear();
  EXPECT_TRUE(test.resolve_saga(saga_of(run), {}).has_value());
  test.run_until_idle();
  EXPECT_EQ(world_.booked(), Lines{});
}

TEST_P(StuckTest, IsTriedForEverUnlessTheUndoSaysOtherwise) {
  kit::Runtime test(options());
  auto run = test.session(stubborn, "s").start("").value();
  test.run_until_idle();
  EXPECT_EQ(world_.trace, (Lines{"book flight", "attempt 1"}));
  test.restart(kit::End::unclean);
  test.advance(5min);
  EXPECT_EQ(run.wait().error().to_string(), "refused: no");
  EXPECT_EQ(world_.booked(), Lines{});
  EXPECT_EQ(stuck_events(test), 0U);
}

TEST_P(StuckTest, KeepsItsAttemptsWithinTheUndosBound) {
  kit::Runtime test(options());
  test.serve(cancel_twice);
  auto run = test.session(stubborn, "s").start("").value();
  test.advance(10s);
  EXPECT_EQ(run.wait().error().to_string(), "refused: no");
  EXPECT_EQ(world_.trace, (Lines{"book flight", "attempt 1", "attempt 2"}));
  EXPECT_EQ(stuck_events(test), 1U);
}

TEST_P(StuckTest, CanBeLeftWhileItStillTries) {
  kit::Runtime test(options());
  auto run = test.session(stubborn, "s").start("").value();
  test.run_until_idle();
  EXPECT_TRUE(test.resolve_saga(saga_of(run), {.what = What::skip}).has_value());
  EXPECT_EQ(run.wait().error().to_string(), "refused: no");
  EXPECT_EQ(world_.booked(), Lines{"flight"});
  EXPECT_EQ(stuck_events(test), 0U);
}

TEST_P(StuckTest, IsUndoneByTheNextProcessThatServesTheCompensation) {
  kit::Options chosen = options();
  world_.undos_fail["hotel"] = -1;
  kit::Runtime test(chosen);
  auto run = test.session(stuck_agent, "s").start("Rome").value();
  (void)run.wait();
  world_.undos_fail.clear();
  // The hotel's name is gone, and somebody tries it again.
  test.forget(cancel_hotel);
  test.restart();
  EXPECT_TRUE(test.resolve_saga(saga_of(run), {}).has_value());
  test.run_until_idle();
  ASSERT_EQ(test.events().size(), 2U);
  EXPECT_TRUE(contains(test.events()[1].error.message, "does not serve"))
      << test.events()[1].error.message;
  test.restart(kit::End::unclean);
  test.run_until_idle();
  EXPECT_EQ(world_.booked(), (Lines{"flight", "hotel"}));
  test.serve(cancel_hotel);
  test.restart();
  test.run_until_idle();
  EXPECT_EQ(world_.booked(), Lines{});
  EXPECT_EQ(world_.count("cancel flight"), 1U);
}

TEST_P(StuckTest, TakesNoIdThatIsNone) {
  kit::Runtime test(options());
  EXPECT_EQ(test.resolve_saga("nonsense", {}).error().code, pd::Code::misuse);
  EXPECT_EQ(test.resolve_saga("01ARZ3NDEKTSV4RRFFQ69G5FAV.1", {}).error().code,
            pd::Code::not_found);
}

}  // namespace
}  // namespace perdure::test
