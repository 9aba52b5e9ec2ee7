/// Sagas that are left open: by a return, a failure, a scope, an exception; and those that are not,
/// because the frame ends for another reason.
#include "tests/sagas/saga_fixture.hpp"

namespace perdure::test {
namespace {

inline constexpr pd::Signal<std::string> word{"word"};

/// What its caller says decides how it ends.
pd::Task<std::string> ends_handler(pd::Context& ctx, std::string how) {
  pd::Saga trip{ctx, "trip"};
  co_await trip.step(book_flight, {"Rome"}, cancel_flight);
  if (how == "forgets") co_return "done";
  if (how == "refuses") co_return pd::Error{pd::Code::refused, "no"};
  if (how == "throws") throw pd::Exception(pd::Error{pd::Code::user, "thrown"});
  if (how == "waits") co_await ctx.receive(word);
  co_await trip.commit();
  co_return "committed";
}
inline constexpr pd::Agent ends{"ends", &ends_handler};

pd::Task<std::string> scope_handler(pd::Context& ctx, std::string) {
  {
    pd::Saga trip{ctx, "trip"};
    co_await trip.step(book_flight, {"Rome"}, cancel_flight);
  }
  outside->add("behind the scope");
  co_await ctx.receive(word);
  co_return "done";
}
inline constexpr pd::Agent scope{"scope", &scope_handler};

pd::Task<Ticket> leg(pd::Context& ctx, std::string name) {
  pd::Saga trip{ctx, name};
  const Ticket flight = co_await trip.step(book_flight, {name}, cancel_flight);
  co_await trip.step(book_car, {name}, cancel_car);
  co_await trip.commit();
  co_return flight;
}
pd::Task<std::string> second_try_handler(pd::Context& ctx, std::string) {
  const pd::Result<Ticket> first = co_await pd::as_result(leg(ctx, "first"));
  outside->add("first: " + (first ? first.value().id : first.error().to_string()) + ", booked " +
               std::to_string(world->booked().size()));
  world->actions.clear();
  const Ticket second = co_await leg(ctx, "second");
  co_return second.id;
}
inline constexpr pd::Agent second_try{"second-try", &second_try_handler};

pd::Task<std::string> thrower_handler(pd::Context& ctx, std::string) {
  pd::Saga trip{ctx, "trip"};
  co_await trip.step(book_flight, {"Rome"}, cancel_flight);
  if (outside->mode == 0) throw std::runtime_error("a bug");
  co_await trip.commit();
  co_return "repaired";
}
inline constexpr pd::Agent thrower{"thrower", &thrower_handler};
inline constexpr pd::Agent failing_thrower{
    "thrower", &thrower_handler, {.on_exception = pd::WhenStuck::fail}};

pd::Task<std::string> caught_handler(pd::Context& ctx, std::string) {
  try {
    pd::Saga trip{ctx, "trip"};
    throw std::runtime_error("before anything was done");
  } catch (const std::runtime_error&) {
    outside->add("caught");
  }
  try {
    pd::Saga trip{ctx, "trip"};
    co_await trip.step(book_flight, {"Rome"}, cancel_flight);
    throw std::runtime_error("behind it");
  } catch (const std::runtime_error&) {
    outside->add("caught again");
  }
  co_await ctx.receive(word);
  co_return "done";
}
inline constexpr pd::Agent caught{"caught", &caught_handler};

class ForgottenTest : public SagaFixture {};
PERDURE_TEST_FRAMES(ForgottenTest);

TEST_P(ForgottenTest, IsUndoneAndFailsTheHandlerThatSucceeded) {
  kit::Runtime test(options());
  auto run = test.session(ends, "s").start("forgets").value();
  const pd::Error error = run.wait().error();
  EXPECT_EQ(error.code, pd::Code::saga_aborted);
  EXPECT_TRUE(contains(error.message, "without committing saga 'trip'")) << error.message;
  EXPECT_EQ(world_.trace, (Lines{"book flight", "cancel flight"}));
}

TEST_P(ForgottenTest, IsUndoneByAReturnedAndAThrownFailure) {
  kit::Runtime test(options());
  EXPECT_EQ(test.session(ends, "a").start("refuses").value().wait().error().to_string(),
            "refused: no");
  EXPECT_EQ(test.session(ends, "b").start("throws").value().wait().error().to_string(),
            "user: thrown");
  EXPECT_EQ(world_.count("cancel flight"), 2U);
  EXPECT_EQ(world_.booked(), Lines{});
}

TEST_P(ForgottenTest, IsUndoneAsItsScopeEnds) {
  kit::Runtime test(options());
  auto session = test.session(scope, "s");
  auto run = session.start("").value();
  test.run_until_idle();
  EXPECT_EQ(world_.trace, (Lines{"book flight", "cancel flight"}));
  ASSERT_TRUE(session.send(word, "go").has_value());
  EXPECT_EQ(run.wait().error().code, pd::Code::saga_aborted);
}

TEST_P(ForgottenTest, HoldsItsAwaiterUntilAllIsUndone) {
  world_.actions["car"] = World::Does::refuse;
  kit::Runtime test(options());
  auto run = test.session(second_try, "s").start("").value();
  EXPECT_EQ(run.wait().value(), "flight");
  EXPECT_EQ(outside_.trace.front(), "first: refused: car is sold out, booked 0");
  EXPECT_EQ(world_.trace,
            (Lines{"book flight", "book car", "cancel flight", "book flight", "book car"}));
}

TEST_P(ForgottenTest, OwesNothingWhileABugParksIt) {
  kit::Runtime test(options());
  auto run = test.session(thrower, "s").start("").value();
  test.run_until_idle();
  test.restart();
  test.run_until_idle();
  EXPECT_EQ(world_.trace, Lines{"book flight"});
  outside_.mode = 1;
  test.restart();
  EXPECT_EQ(run.wait().value(), "repaired");
  EXPECT_EQ(world_.trace, Lines{"book flight"});
}

TEST_P(ForgottenTest, IsUndoneByABugThatFailsTheRun) {
  kit::Runtime test(options());
  auto run = test.session(failing_thrower, "s").start("").value();
  EXPECT_EQ(run.wait().error().code, pd::Code::handler_threw);
  test.run_until_idle();
  EXPECT_EQ(world_.trace, (Lines{"book flight", "cancel flight"}));
}

TEST_P(ForgottenTest, IsUndoneByAnExceptionThatItsHandlerCatches) {
  kit::Runtime test(options());
  auto run = test.session(caught, "s").start("").value();
  test.run_until_idle();
  EXPECT_EQ(world_.trace, (Lines{"book flight", "cancel flight"}));
  EXPECT_TRUE(test.session(caught, "s").send(word, "go").has_value());
  EXPECT_EQ(run.wait().error().code, pd::Code::saga_aborted);
}

/// The frame of a waiting handler is destroyed in each way that is no end of the handler's.
TEST_P(ForgottenTest, OwesNothingForAFrameThatIsOnlyGone) {
  for (const char* how : {"passivation and clean end", "crash", "kill"}) {
    world_.trace.clear();
    kit::Runtime test(options());
    auto session = test.session(ends, "s");
    auto run = session.start("waits").value();
    test.run_until_idle();
    if (std::string_view(how) == "crash") {
      test.restart(kit::End::unclean);
    } else if (std::string_view(how) == "kill") {
      EXPECT_TRUE(run.kill({.by = "alice"}).has_value());
    } else {
      test.restart();
    }
    test.run_until_idle();
    EXPECT_EQ(world_.trace, Lines{"book flight"}) << how;
    if (std::string_view(how) == "kill") continue;
    EXPECT_TRUE(session.send(word, "go").has_value());
    EXPECT_EQ(run.wait().value(), "committed") << how;
    EXPECT_EQ(world_.trace, Lines{"book flight"}) << how;
  }
}

TEST_P(ForgottenTest, IsUndoneByACancel) {
  kit::Runtime test(options());
  auto run = test.session(ends, "s").start("waits").value();
  test.run_until_idle();
  EXPECT_TRUE(run.cancel({.by = "alice"}).has_value());
  EXPECT_EQ(run.wait().error().code, pd::Code::cancelled);
  EXPECT_EQ(world_.trace, (Lines{"book flight", "cancel flight"}));
}

/// The grace period ends while the compensation still fails: that goes on by itself.
TEST_P(ForgottenTest, IsUndoneAlthoughItsRunIsOverMeanwhile) {
  world_.undos_fail["flight"] = -1;
  kit::Runtime test(options());
  auto run = test.session(ends, "s").start("waits").value();
  test.run_until_idle();
  EXPECT_TRUE(run.cancel({.grace = 10s}).has_value());
  test.run_until_idle();
  test.advance(1min);
  EXPECT_EQ(run.wait().error().code, pd::Code::cancelled);
  EXPECT_EQ(world_.booked(), Lines{"flight"});
}

}  // namespace
}  // namespace perdure::test
