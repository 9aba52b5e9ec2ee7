/// Parts of sagas: save-points, pivots, sagas within sagas, branches, and what a commit leaves out.
#include "tests/sagas/saga_fixture.hpp"

namespace perdure::test {
namespace {

pd::Task<std::string> back_handler(pd::Context& ctx, std::string) {
  pd::Saga trip{ctx, "trip"};
  co_await trip.step(book_flight, {"Rome"}, cancel_flight);
  const pd::SavePoint booked = trip.save_point();
  co_await trip.step(book_hotel, {"Rome"}, cancel_hotel);
  co_await trip.step(book_car, {"Rome"}, cancel_car);
  co_await trip.back_to(booked);
  outside->add("back");
  co_await trip.step(book_tour, {"Rome"}, cancel_tour);
  if (outside->mode == 1) co_return pd::Error{pd::Code::refused, "no"};
  co_await trip.commit();
  co_return "committed";
}
inline constexpr pd::Agent back{"back", &back_handler};

pd::Task<std::string> pivot_handler(pd::Context& ctx, std::string how) {
  pd::Saga trip{ctx, "trip"};
  co_await trip.step(book_flight, {"Rome"}, cancel_flight);
  co_await trip.step(book_hotel, {"Rome"}, pd::pivot);
  if (how == "gives up") co_return pd::Error{pd::Code::refused, "no"};
  if (how == "undoes behind it") co_await trip.step(book_car, {"Rome"}, cancel_car);
  co_await trip.step(book_car, {"Rome"}, pd::retriable);
  co_await trip.commit();
  co_return "committed";
}
inline constexpr pd::Agent pivoting{"pivoting", &pivot_handler};

pd::Task<int> inner(pd::Context& ctx, pd::Saga::Ref outer, std::string name) {
  pd::Saga leg{ctx, outer, name};
  co_await leg.step(book_hotel, {name}, cancel_hotel);
  co_await leg.step(book_car, {name}, cancel_car);
  if (outside->mode == 2) co_return pd::Error{pd::Code::refused, "inner"};
  co_await leg.commit();
  co_return 1;
}
pd::Task<std::string> nested_handler(pd::Context& ctx, std::string) {
  pd::Saga trip{ctx, "trip"};
  co_await trip.step(book_flight, {"Rome"}, cancel_flight);
  const pd::Result<int> leg = co_await pd::as_result(inner(ctx, trip.ref(), "leg"));
  outside->add(leg ? "leg" : "no leg, booked " + std::to_string(world->booked().size()));
  co_await trip.step(book_tour, {"Rome"}, cancel_tour);
  if (outside->mode == 1) co_return pd::Error{pd::Code::refused, "no"};
  co_await trip.commit();
  co_return "committed";
}
inline constexpr pd::Agent nested{"nested", &nested_handler};

pd::Task<int> lenient_inner(pd::Context& ctx, pd::Saga::Ref outer) {
  pd::Saga leg{ctx, outer, "leg"};
  const auto hotel = co_await pd::as_result(leg.step(book_hotel, {"Rome"}, cancel_hotel));
  if (!hotel) co_await leg.step(book_car, {"Rome"}, cancel_car);
  co_await leg.commit();
  co_return 1;
}
pd::Task<std::string> lenient_handler(pd::Context& ctx, std::string) {
  pd::Saga trip{ctx, "trip"};
  co_await lenient_inner(ctx, trip.ref());
  co_await trip.step(book_tour, {"Rome"}, cancel_tour);
  co_await trip.commit();
  co_return "committed";
}
inline constexpr pd::Agent lenient{"lenient", &lenient_handler};

pd::Task<std::string> back_over_handler(pd::Context& ctx, std::string) {
  pd::Saga trip{ctx, "trip"};
  co_await trip.step(book_flight, {"Rome"}, cancel_flight);
  const pd::SavePoint booked = trip.save_point();
  co_await inner(ctx, trip.ref(), "leg");
  co_await trip.back_to(booked);
  co_return pd::Error{pd::Code::refused, "no"};
}
inline constexpr pd::Agent back_over{"back-over", &back_over_handler};

inline constexpr pd::Signal<std::string> word{"word"};
/// `outside->mode` is a deploy that nests the second saga in the first.
pd::Task<std::string> renested_handler(pd::Context& ctx, std::string) {
  pd::Saga trip{ctx, "trip"};
  std::optional<pd::Saga> leg;
  if (outside->mode == 0) {
    leg.emplace(ctx, "leg");
  } else {
    leg.emplace(ctx, trip.ref(), "leg");
  }
  co_await leg->step(book_flight, {"Rome"}, cancel_flight);
  co_await ctx.receive(word);
  co_await leg->commit();
  co_await trip.commit();
  co_return "committed";
}
inline constexpr pd::Agent renested{"renested", &renested_handler};

/// Both are open as the handler ends.
pd::Task<std::string> both_open_handler(pd::Context& ctx, std::string) {
  pd::Saga trip{ctx, "trip"};
  co_await trip.step(book_flight, {"Rome"}, cancel_flight);
  pd::Saga leg{ctx, trip.ref(), "leg"};
  co_await leg.step(book_hotel, {"Rome"}, cancel_hotel);
  co_return pd::Error{pd::Code::refused, "no"};
}
inline constexpr pd::Agent both_open{"both-open", &both_open_handler};

pd::Task<std::string> branches_handler(pd::Context& ctx, std::string) {
  pd::Saga trip{ctx, "trip", {.order = pd::UndoOrder::parallel}};
  co_await trip.step(book_flight, {"Rome"}, cancel_flight);
  co_await ctx.all(trip.step(book_hotel, {"Rome"}, cancel_hotel),
                   trip.step(book_car, {"Rome"}, cancel_car));
  co_await trip.step(book_tour, {"Rome"}, cancel_tour);
  co_await trip.commit();
  co_return "committed";
}
inline constexpr pd::Agent branches{"branches", &branches_handler};

pd::Task<std::string> second_choice_handler(pd::Context& ctx, std::string) {
  pd::Saga trip{ctx, "trip"};
  const auto hotel = co_await pd::as_result(trip.step(book_hotel, {"Rome"}, cancel_hotel));
  if (!hotel) co_await trip.step(book_tour, {"Rome"}, cancel_tour);
  co_await trip.commit();
  co_return "committed";
}
inline constexpr pd::Agent second_choice{"second-choice", &second_choice_handler};

pd::Task<std::string> compensate_handler(pd::Context& ctx, std::string) {
  pd::Saga trip{ctx, "trip"};
  co_await trip.step(book_flight, {"Rome"}, cancel_flight);
  co_await trip.compensate("changed our minds");
  outside->add("undone: booked " + std::to_string(world->booked().size()));
  const auto late = co_await pd::as_result(trip.step(book_car, {"Rome"}, cancel_car));
  outside->add(late.error().to_string());
  const auto commit = co_await pd::as_result(trip.commit());
  outside->add(commit.error().to_string());
  co_return "told";
}
inline constexpr pd::Agent compensating{"compensating", &compensate_handler};

class PartsTest : public SagaFixture {};
PERDURE_TEST_FRAMES(PartsTest);

TEST_P(PartsTest, GoBackToASavePointAndForwardAgain) {
  kit::Runtime test(options());
  EXPECT_EQ(test.session(back, "s").start("").value().wait().value(), "committed");
  EXPECT_EQ(world_.trace, (Lines{"book flight", "book hotel", "book car", "cancel car",
                                 "cancel hotel", "book tour"}));
  EXPECT_EQ(world_.booked(), (Lines{"flight", "tour"}));
}

TEST_P(PartsTest, OweWhatIsLeftBehindASavePoint) {
  outside_.mode = 1;
  kit::Runtime test(options());
  EXPECT_EQ(test.session(back, "s").start("").value().wait().error().to_string(), "refused: no");
  EXPECT_EQ(world_.trace, (Lines{"book flight", "book hotel", "book car", "cancel car",
                                 "cancel hotel", "book tour", "cancel tour", "cancel flight"}));
}

TEST_P(PartsTest, OweEverythingWhenGoingBackIsStuck) {
  world_.undos_fail["hotel"] = 1;
  kit::Runtime test(options());
  auto run = test.session(back, "s").start("").value();
  EXPECT_EQ(run.wait().error().code, pd::Code::saga_stuck);
  // The abort tries again what going back could not do.
  EXPECT_EQ(world_.trace, (Lines{"book flight", "book hotel", "book car", "cancel car",
                                 "cancel hotel", "cancel hotel", "cancel flight"}));
}

TEST_P(PartsTest, GoForwardOnlyBehindThePivot) {
  kit::Runtime test(options());
  EXPECT_EQ(test.session(pivoting, "a").start("goes on").value().wait().value(), "committed");
  EXPECT_EQ(test.session(pivoting, "b").start("gives up").value().wait().error().to_string(),
            "refused: no");
  EXPECT_EQ(world_.count("cancel flight"), 0U);
  ASSERT_EQ(test.events().size(), 1U);
  EXPECT_EQ(test.events()[0].kind, pd::EventKind::saga_stuck);
  EXPECT_TRUE(contains(test.events()[0].error.message, "behind its pivot"));
  const auto wrong = test.session(pivoting, "c").start("undoes behind it").value().wait();
  EXPECT_EQ(wrong.error().code, pd::Code::misuse);
}

TEST_P(PartsTest, UndoEverythingWhenThePivotIsRefused) {
  world_.actions["hotel"] = World::Does::refuse;
  kit::Runtime test(options());
  EXPECT_EQ(test.session(pivoting, "s").start("").value().wait().error().to_string(),
            "refused: hotel is sold out");
  EXPECT_EQ(world_.trace, (Lines{"book flight", "book hotel", "cancel flight"}));
}

TEST_P(PartsTest, AskAPersonAboutAPivotThatNobodyKnowsOf) {
  world_.actions["hotel"] = World::Does::lose;
  kit::Runtime test(options());
  auto run = test.session(pivoting, "s").start("").value();
  EXPECT_EQ(run.wait().error().to_string(), "user: the answer was lost");
  EXPECT_EQ(world_.count("cancel flight"), 0U);
  EXPECT_TRUE(test.resolve_saga(to_string(run.id()) + ".1",
                                {.what = pd::SagaResolution::What::mark_done, .action = 1})
                  .has_value());
  test.run_until_idle();
  EXPECT_EQ(world_.count("cancel flight"), 1U);
}

TEST_P(PartsTest, TryBehindThePivotWhateverTheErrorSays) {
  world_.actions["car"] = World::Does::refuse;
  kit::Runtime test(options());
  auto run = test.session(pivoting, "s").start("").value();
  test.advance(1min);
  EXPECT_GT(world_.count("book car"), 3U);
  world_.actions.clear();
  test.advance(1min);
  EXPECT_EQ(run.wait().value(), "committed");
}

TEST_P(PartsTest, TakeACommittedSagaWithinAsOneAction) {
  outside_.mode = 1;
  kit::Runtime test(options());
  EXPECT_EQ(test.session(nested, "s").start("").value().wait().error().to_string(), "refused: no");
  EXPECT_EQ(world_.trace, (Lines{"book flight", "book hotel", "book car", "book tour",
                                 "cancel tour", "cancel car", "cancel hotel", "cancel flight"}));
}

TEST_P(PartsTest, KeepACommittedSagaWithin) {
  kit::Runtime test(options());
  EXPECT_EQ(test.session(nested, "s").start("").value().wait().value(), "committed");
  EXPECT_EQ(world_.booked(), (Lines{"car", "flight", "hotel", "tour"}));
}

TEST_P(PartsTest, UndoASagaWithinByItself) {
  outside_.mode = 2;
  kit::Runtime test(options());
  EXPECT_EQ(test.session(nested, "s").start("").value().wait().value(), "committed");
  EXPECT_EQ(outside_.trace.front(), "no leg, booked 1");
  EXPECT_EQ(world_.booked(), (Lines{"flight", "tour"}));
}

TEST_P(PartsTest, OweNothingOfASagaThatGoingBackHasUndone) {
  kit::Runtime test(options());
  auto run = test.session(back_over, "s").start("").value();
  EXPECT_EQ(run.wait().error().to_string(), "refused: no");
  EXPECT_EQ(world_.trace, (Lines{"book flight", "book hotel", "book car", "cancel car",
                                 "cancel hotel", "cancel flight"}));
  EXPECT_EQ(disk_of(test).damage(), "");
}

TEST_P(PartsTest, OweWhatGoingBackHasLeftOfASagaWithin) {
  world_.undos_fail["hotel"] = 1;
  kit::Runtime test(options());
  auto run = test.session(back_over, "s").start("").value();
  EXPECT_EQ(run.wait().error().code, pd::Code::saga_stuck);
  EXPECT_EQ(world_.trace, (Lines{"book flight", "book hotel", "book car", "cancel car",
                                 "cancel hotel", "cancel hotel", "cancel flight"}));
  EXPECT_EQ(disk_of(test).damage(), "");
}

TEST_P(PartsTest, AreHeldAgainstCodeThatNestsThemOtherwise) {
  kit::Runtime test(options());
  auto session = test.session(renested, "s");
  auto run = session.start("").value();
  test.run_until_idle();
  outside_.mode = 1;
  test.restart();
  EXPECT_TRUE(session.send(word, "go").has_value());
  test.run_until_idle();
  EXPECT_TRUE(contains(test.explain(run.id()).value(), "was begun in another saga"))
      << test.explain(run.id()).value();
  EXPECT_EQ(world_.trace, Lines{"book flight"});
}

TEST_P(PartsTest, WaitForASagaWithinThatIsStuckByItself) {
  outside_.mode = 2;
  world_.undos_fail["hotel"] = 1;
  world_.actions["tour"] = World::Does::refuse;
  kit::Runtime test(options());
  auto run = test.session(nested, "s").start("").value();
  EXPECT_EQ(run.wait().error().to_string(), "refused: tour is sold out");
  // The part within is stuck, and so is the whole: the flight was booked before that part.
  EXPECT_EQ(world_.count("cancel flight"), 0U);
  EXPECT_EQ(test.events().size(), 2U);
  test.restart(kit::End::unclean);
  EXPECT_TRUE(test.resolve_saga(to_string(run.id()) + ".2", {}).has_value());
  test.run_until_idle();
  EXPECT_EQ(world_.booked(), Lines{});
}

TEST_P(PartsTest, UndoOnceWhatFailedInASagaWithin) {
  world_.actions["hotel"] = World::Does::lose;
  world_.actions["tour"] = World::Does::refuse;
  kit::Runtime test(options());
  auto run = test.session(lenient, "s").start("").value();
  EXPECT_EQ(run.wait().error().to_string(), "refused: tour is sold out");
  test.run_until_idle();
  EXPECT_EQ(world_.count("cancel hotel unknown"), 1U);
  EXPECT_EQ(world_.booked(), Lines{});
}

TEST_P(PartsTest, UndoASagaWithinFirstWhenBothAreLeft) {
  kit::Runtime test(options());
  EXPECT_EQ(test.session(both_open, "s").start("").value().wait().error().to_string(),
            "refused: no");
  EXPECT_EQ(world_.trace, (Lines{"book flight", "book hotel", "cancel hotel", "cancel flight"}));
}

TEST_P(PartsTest, UndoBranchesSideBySide) {
  world_.actions["tour"] = World::Does::refuse;
  world_.undos_fail["car"] = -1;
  kit::Runtime test(options());
  auto run = test.session(branches, "s").start("").value();
  EXPECT_EQ(run.wait().error().to_string(), "refused: tour is sold out");
  // The hotel's is not held up by the car's; the flight's is.
  EXPECT_EQ(world_.count("cancel hotel"), 1U);
  EXPECT_EQ(world_.count("cancel car"), 1U);
  EXPECT_EQ(world_.count("cancel flight"), 0U);
  world_.undos_fail.clear();
  EXPECT_TRUE(test.resolve_saga(to_string(run.id()) + ".1", {}).has_value());
  test.run_until_idle();
  EXPECT_EQ(world_.booked(), Lines{});
}

TEST_P(PartsTest, UndoWhatFailedAlthoughTheyCommit) {
  world_.actions["hotel"] = World::Does::lose;
  kit::Runtime test(options());
  EXPECT_EQ(test.session(second_choice, "s").start("").value().wait().value(), "committed");
  test.run_until_idle();
  EXPECT_EQ(world_.trace, (Lines{"book hotel", "book tour", "cancel hotel unknown"}));
  EXPECT_EQ(world_.booked(), Lines{"tour"});
}

TEST_P(PartsTest, AreUndoneByTheirHandlersWord) {
  kit::Runtime test(options());
  EXPECT_EQ(test.session(compensating, "s").start("").value().wait().value(), "told");
  EXPECT_EQ(world_.trace, (Lines{"book flight", "cancel flight"}));
  ASSERT_GE(outside_.trace.size(), 3U);
  EXPECT_EQ(outside_.trace[0], "undone: booked 0");
  EXPECT_TRUE(contains(outside_.trace[1], "saga_aborted: saga 'trip' was aborted"));
}

}  // namespace
}  // namespace perdure::test
