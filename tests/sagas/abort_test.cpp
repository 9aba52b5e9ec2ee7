/// Aborts from outside: by a person, by a deadline; of runs that wait, are parked, or have ended.
#include "tests/sagas/saga_fixture.hpp"

namespace perdure::test {
namespace {

inline constexpr pd::Signal<std::string> word{"word"};

pd::Task<std::string> waiting_handler(pd::Context& ctx, std::string) {
  pd::Saga trip{ctx, "trip"};
  co_await trip.step(book_flight, {"Rome"}, cancel_flight);
  co_await trip.step(book_hotel, {"Rome"}, cancel_hotel);
  co_await ctx.receive(word);
  if (outside->mode == 1) throw std::runtime_error("a bug");
  co_await trip.commit();
  co_return "committed";
}
inline constexpr pd::Agent waiting{"waiting", &waiting_handler};

pd::Task<std::string> behind_handler(pd::Context& ctx, std::string) {
  pd::Saga trip{ctx, "trip"};
  co_await trip.step(book_flight, {"Rome"}, cancel_flight);
  co_await trip.step(book_hotel, {"Rome"}, pd::pivot);
  co_await ctx.receive(word);
  co_await trip.commit();
  co_return "committed";
}
inline constexpr pd::Agent behind{"behind", &behind_handler};

pd::Task<std::string> deadline_handler(pd::Context& ctx, std::string) {
  pd::Saga trip{ctx, "trip", {.deadline = 1h}};
  co_await trip.step(book_flight, {"Rome"}, cancel_flight);
  co_await ctx.receive(word);
  if (outside->mode == 1) throw std::runtime_error("a bug");
  co_await trip.commit();
  co_return "committed";
}
inline constexpr pd::Agent deadline{"deadline", &deadline_handler};

pd::Task<std::string> reaching_handler(pd::Context& ctx, std::string) {
  pd::Saga trip{ctx, "trip", {.deadline = 1h, .deadline_reach = pd::DeadlineReach::parked_runs}};
  co_await trip.step(book_flight, {"Rome"}, cancel_flight);
  co_await ctx.receive(word);
  if (outside->mode == 1) throw std::runtime_error("a bug");
  co_await trip.commit();
  co_return "committed";
}
inline constexpr pd::Agent reaching{"reaching", &reaching_handler};

pd::Task<int> trying(pd::Context& ctx, std::string name) {
  pd::Saga trip{ctx, name, {.deadline = 1h}};
  co_await trip.step(book_flight, {name}, cancel_flight);
  co_await ctx.sleep(std::chrono::hours(name == "slow" ? 2 : 0));
  co_await trip.commit();
  co_return 1;
}
pd::Task<std::string> two_tries_handler(pd::Context& ctx, std::string) {
  const auto slow = co_await pd::as_result(trying(ctx, "slow"));
  outside->add(slow.error().to_string() + ", booked " + std::to_string(world->booked().size()));
  co_await trying(ctx, "quick");
  co_return "committed";
}
inline constexpr pd::Agent two_tries{"two-tries", &two_tries_handler};

/// An action that does not return: a person aborts its saga.
void never_booked(pd::Step step, Trip, pd::Completion<Ticket> done) {
  world->trace.push_back("begin " + step.name());
  static std::optional<pd::Completion<Ticket>> kept;
  kept = std::move(done);
}
inline constexpr pd::Tool book_slowly{
    "book slowly", &never_booked, {.effect = pd::Effect::keyed, .settle_time = 1min}};
pd::Task<std::string> slow_handler(pd::Context& ctx, std::string) {
  pd::Saga trip{ctx, "trip"};
  co_await trip.step(book_flight, {"Rome"}, cancel_flight);
  co_await trip.step(book_slowly, {"Rome"}, cancel_hotel);
  co_await trip.commit();
  co_return "committed";
}
inline constexpr pd::Agent slow{"slow", &slow_handler};

class AbortTest : public SagaFixture {};
PERDURE_TEST_FRAMES(AbortTest);

TEST_P(AbortTest, EndsTheTaskThatWaits) {
  kit::Runtime test(options());
  auto run = test.session(waiting, "s").start("").value();
  test.run_until_idle();
  EXPECT_TRUE(run.compensate({.why = "the trip is off", .by = "alice"}).has_value());
  EXPECT_EQ(run.wait().error().to_string(),
            "saga_aborted: saga 'trip' was aborted by alice: the trip is off");
  EXPECT_EQ(world_.trace, (Lines{"book flight", "book hotel", "cancel hotel", "cancel flight"}));
  EXPECT_EQ(run.compensate().error().code, pd::Code::refused);
}

TEST_P(AbortTest, FencesWhatIsUnderWayAndWaitsUntilItHasSettled) {
  kit::Runtime test(options());
  auto run = test.session(slow, "s").start("").value();
  test.run_until_idle();
  EXPECT_TRUE(run.compensate().has_value());
  test.run_until_idle();
  EXPECT_EQ(world_.trace, (Lines{"book flight", "begin book slowly"}));
  test.advance(59s);
  EXPECT_EQ(world_.count("cancel hotel unknown"), 0U);
  test.advance(2s);
  EXPECT_EQ(run.wait().error().code, pd::Code::saga_aborted);
  EXPECT_EQ(world_.trace,
            (Lines{"book flight", "begin book slowly", "cancel hotel unknown", "cancel flight"}));
}

TEST_P(AbortTest, ReachesAParkedRunWithoutItsCode) {
  kit::Runtime test(options());
  auto session = test.session(waiting, "s");
  auto run = session.start("").value();
  test.run_until_idle();
  outside_.mode = 1;
  EXPECT_TRUE(session.send(word, "go").has_value());
  test.run_until_idle();
  EXPECT_EQ(world_.trace, (Lines{"book flight", "book hotel"}));
  EXPECT_TRUE(run.compensate({.by = "alice"}).has_value());
  test.run_until_idle();
  EXPECT_EQ(world_.trace, (Lines{"book flight", "book hotel", "cancel hotel", "cancel flight"}));
  // Repaired code finds its saga aborted.
  outside_.mode = 0;
  test.restart();
  EXPECT_EQ(run.wait().error().code, pd::Code::saga_aborted);
  EXPECT_EQ(world_.trace.size(), 4U);
}

TEST_P(AbortTest, OfAKilledRunIsAskedForAtOnceOrLater) {
  kit::Runtime test(options());
  auto at_once = test.session(waiting, "a").start("").value();
  auto later = test.session(waiting, "b").start("").value();
  test.run_until_idle();
  EXPECT_TRUE(at_once.kill({.open_sagas = pd::OpenSagas::compensate}).has_value());
  EXPECT_TRUE(later.kill().has_value());
  test.run_until_idle();
  EXPECT_EQ(disk_of(test).damage(), "");
  EXPECT_EQ(world_.count("cancel flight"), 1U);
  EXPECT_TRUE(later.compensate({.by = "bob"}).has_value());
  test.run_until_idle();
  EXPECT_EQ(world_.count("cancel flight"), 2U);
  EXPECT_EQ(world_.booked(), Lines{});
}

TEST_P(AbortTest, OfAKilledRunBehindItsPivotLeavesItToAPerson) {
  kit::Runtime test(options());
  auto run = test.session(behind, "s").start("").value();
  test.run_until_idle();
  const std::string id = to_string(run.id()) + ".1";
  EXPECT_TRUE(run.kill().has_value());
  EXPECT_EQ(run.compensate().error().code, pd::Code::refused);
  EXPECT_EQ(test.resolve_saga(id, {.what = pd::SagaResolution::What::mark_done}).error().code,
            pd::Code::refused);
  EXPECT_EQ(world_.trace, (Lines{"book flight", "book hotel"}));
}

TEST_P(AbortTest, ByADeadlineEndsTheTask) {
  kit::Runtime test(options());
  auto run = test.session(deadline, "s").start("").value();
  test.advance(59min);
  EXPECT_EQ(world_.trace, Lines{"book flight"});
  test.restart();
  test.advance(2min);
  const pd::Error error = run.wait().error();
  EXPECT_EQ(error.code, pd::Code::timeout);
  EXPECT_TRUE(contains(error.message, "its deadline has passed")) << error.message;
  EXPECT_EQ(world_.trace, (Lines{"book flight", "cancel flight"}));
}

TEST_P(AbortTest, ByADeadlineIsNoMatterOfACommittedSaga) {
  kit::Runtime test(options());
  auto session = test.session(deadline, "s");
  auto run = session.start("").value();
  test.run_until_idle();
  EXPECT_TRUE(session.send(word, "go").has_value());
  EXPECT_EQ(run.wait().value(), "committed");
  test.advance(2h);
  EXPECT_EQ(world_.trace, Lines{"book flight"});
}

TEST_P(AbortTest, ByADeadlineReachesParkedRunsIfItIsToldTo) {
  kit::Runtime test(options());
  auto stays = test.session(deadline, "a");
  auto reached = test.session(reaching, "b");
  auto stays_run = stays.start("").value();
  auto reached_run = reached.start("").value();
  test.run_until_idle();
  outside_.mode = 1;
  EXPECT_TRUE(stays.send(word, "go").has_value());
  EXPECT_TRUE(reached.send(word, "go").has_value());
  test.run_until_idle();
  test.advance(2h);
  EXPECT_EQ(world_.count("cancel flight"), 1U);
  outside_.mode = 0;
  test.restart();
  EXPECT_EQ(reached_run.wait().error().code, pd::Code::timeout);
  // The other one's has passed meanwhile; its code had its say first.
  EXPECT_EQ(stays_run.wait().value(), "committed");
  EXPECT_EQ(world_.count("cancel flight"), 1U);
}

TEST_P(AbortTest, ByADeadlineLeavesTheRestOfTheHandlerAlone) {
  kit::Runtime test(options());
  auto run = test.session(two_tries, "s").start("").value();
  test.advance(3h);
  EXPECT_EQ(run.wait().value(), "committed");
  EXPECT_TRUE(contains(outside_.trace.front(), "timeout: saga 'slow' was aborted by deadline"))
      << outside_.trace.front();
  EXPECT_TRUE(contains(outside_.trace.front(), "booked 0"));
}

}  // namespace
}  // namespace perdure::test
