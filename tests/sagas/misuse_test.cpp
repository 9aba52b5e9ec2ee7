/// Sagas that are used wrongly: each is told so, and nothing is done.
#include "tests/sagas/saga_fixture.hpp"

namespace perdure::test {
namespace {

pd::Saga::Ref strange_ref;

pd::Task<std::string> wrong_handler(pd::Context& ctx, std::string how) {
  if (how == "empty name") pd::Saga nameless{ctx, ""};
  if (how == "strange parent") pd::Saga orphan{ctx, strange_ref, "orphan"};
  pd::Saga trip{ctx, "trip"};
  strange_ref = trip.ref();
  if (how == "twice") {
    co_await trip.commit();
    co_await trip.commit();
  }
  if (how == "step behind") {
    co_await trip.commit();
    co_await trip.step(book_flight, {"Rome"}, cancel_flight);
  }
  if (how == "retriable") co_await trip.step(book_flight, {"Rome"}, pd::retriable);
  if (how == "commit beside") {
    auto both = co_await ctx.all(trip.step(book_flight, {"Rome"}, cancel_flight), trip.commit());
    (void)both;
  }
  if (how == "open within") {
    pd::Saga leg{ctx, trip.ref(), "leg"};
    co_await leg.step(book_flight, {"Rome"}, cancel_flight);
    co_await trip.commit();
  }
  if (how == "strange save-point") {
    pd::Saga other{ctx, "other"};
    co_await trip.back_to(other.save_point());
  }
  co_await trip.commit();
  co_return "committed";
}
inline constexpr pd::Agent wrong{"wrong", &wrong_handler};

/// A saga's object that outlives nothing, reached from another run.
pd::Saga* stolen = nullptr;
inline constexpr pd::Signal<int> go{"go"};
pd::Task<std::string> owner_handler(pd::Context& ctx, int) {
  pd::Saga trip{ctx, "trip"};
  stolen = &trip;
  co_await ctx.receive(go);
  stolen = nullptr;
  co_await trip.commit();
  co_return "committed";
}
inline constexpr pd::Agent owner{"owner", &owner_handler};
pd::Task<std::string> thief_handler(pd::Context&, int) {
  co_await stolen->step(book_flight, {"Rome"}, cancel_flight);
  co_return "stole";
}
inline constexpr pd::Agent thief{"thief", &thief_handler};

pd::Result<void> undo_other_types(pd::Step&, const pd::Receipt<int, Ticket>&) {
  return pd::success();
}
inline constexpr pd::Undo namesake{"cancel flight", &undo_other_types};

class MisuseTest : public SagaFixture {
 protected:
  std::string told(const std::string& how) {
    kit::Runtime test(options());
    auto run = test.session(wrong, "s").start(how).value();
    const auto result = run.wait();
    test.run_until_idle();
    return result.has_value() ? result.value() : result.error().to_string();
  }
};
PERDURE_TEST_FRAMES(MisuseTest);

TEST_P(MisuseTest, IsToldInWords) {
  EXPECT_TRUE(contains(told("empty name"), "has a name of 0 bytes"));
  EXPECT_EQ(told("twice"), "misuse: saga 'trip' is committed: it can't be committed");
  EXPECT_TRUE(contains(told("strange parent"), "is not one of run"));
  EXPECT_EQ(told("step behind"), "misuse: saga 'trip' is committed: no step of it can begin");
  EXPECT_TRUE(contains(told("retriable"), "is not behind its pivot"));
  EXPECT_TRUE(contains(told("strange save-point"), "it is another saga's"));
  EXPECT_EQ(world_.trace, Lines{});
  EXPECT_TRUE(contains(told("open within"), "while a saga in it is open"));
  EXPECT_TRUE(contains(told("commit beside"), "while one of its steps is under way"));
  EXPECT_EQ(world_.booked(), Lines{});
}

TEST_P(MisuseTest, OfAnotherRunsSagaIsRefused) {
  if (GetParam() == kit::Frames::replayed) GTEST_SKIP() << "its object goes with the frame";
  kit::Runtime test(options());
  auto run = test.session(owner, "s").start(0).value();
  test.run_until_idle();
  const auto result = test.session(thief, "t").start(0).value().wait();
  EXPECT_TRUE(contains(result.error().message, "a saga is used in the run that began it"))
      << result.error().message;
  EXPECT_EQ(world_.trace, Lines{});
  EXPECT_TRUE(test.session(owner, "s").send(go, 1).has_value());
  EXPECT_EQ(run.wait().value(), "committed");
}

TEST_P(MisuseTest, OfANameForTwoThingsParksTheRun) {
  kit::Runtime test(options());
  test.serve(namesake);
  auto run = test.session(wrong, "s").start("open within").value();
  test.run_until_idle();
  EXPECT_TRUE(contains(test.explain(run.id()).value(), "two things have one name"))
      << test.explain(run.id()).value();
  EXPECT_EQ(world_.trace, Lines{});
}

}  // namespace
}  // namespace perdure::test
