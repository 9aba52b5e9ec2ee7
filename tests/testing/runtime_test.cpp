// The kit's runtime: what runs when, what it tells, and that it has no thread.
#include "tests/testing/kit_fixture.hpp"

namespace perdure::test {
namespace {

pd::Task<std::string> rate(pd::Context& ctx, std::string city) {
  co_return co_await ctx.step("rate " + city, [&](pd::Step&) {
    outside->trace.push_back("rate " + city);
    return city + "!";
  });
}

pd::Task<std::string> travel(pd::Context& ctx, std::string city) {
  const int price = co_await ctx.step("price", [&](pd::Step&) {
    outside->trace.push_back("price " + city);
    if (outside->in_body) outside->in_body();
    return static_cast<int>(city.size());
  });
  auto rates = co_await ctx.all(rate(ctx, city), rate(ctx, city + "2"));
  ctx.log("has rates");
  co_return std::get<0>(rates) + std::get<1>(rates) + std::to_string(price);
}
inline constexpr pd::Agent traveller{"traveller", &travel};

class TestingRuntimeTest : public KitFixture {};

TEST_F(TestingRuntimeTest, ASessionIsServedAndStartedAndWaitedForWithoutMore) {
  kit::Runtime test;
  const pd::Result<std::string> reply = test.session(traveller, "s").start("Rome").value().wait();
  EXPECT_EQ(reply.value(), "Rome!Rome2!4");
}

TEST_F(TestingRuntimeTest, StartRunsTheHandlerAndNoBody) {
  kit::Runtime test;
  auto run = test.session(traveller, "s").start("Rome").value();
  EXPECT_TRUE(outside_.trace.empty()) << "bodies run inside calls that wait";
  EXPECT_FALSE(run.result().has_value()) << "result() runs nothing";
  EXPECT_TRUE(outside_.trace.empty());
  test.run_until_idle();
  EXPECT_EQ(run.result()->value(), "Rome!Rome2!4");
}

TEST_F(TestingRuntimeTest, BodiesRunInTheOrderInWhichTheyBecameDue) {
  kit::Runtime test;
  auto first = test.session(traveller, "a").start("Rome").value();
  auto second = test.session(traveller, "b").start("Oslo").value();
  EXPECT_EQ(second.wait().value(), "Oslo!Oslo2!4");
  EXPECT_EQ(outside_.trace, (Lines{"price Rome", "price Oslo", "rate Rome", "rate Rome2",
                                   "rate Oslo", "rate Oslo2"}));
  EXPECT_EQ(first.result()->value(), "Rome!Rome2!4") << "what else can run runs as well";
}

TEST_F(TestingRuntimeTest, ThereIsNoThreadEver) {
  ASSERT_EQ(threads_of_this_process(), 1U);
  std::size_t in_body = 0;
  outside_.in_body = [&] { in_body = std::max(in_body, threads_of_this_process()); };
  {
    kit::Runtime test;
    auto run = test.session(traveller, "s").start("Rome").value();
    EXPECT_EQ(threads_of_this_process(), 1U);
    EXPECT_TRUE(run.wait().has_value());
    test.advance(1h);
    test.restart();
    test.restart(kit::End::unclean);
    EXPECT_EQ(threads_of_this_process(), 1U);
  }
  EXPECT_EQ(in_body, 1U);
  EXPECT_EQ(threads_of_this_process(), 1U);
}

TEST_F(TestingRuntimeTest, StepsTellWhatRanInOrder) {
  kit::Runtime test;
  auto run = test.session(traveller, "s").start("Rome").value();
  ASSERT_TRUE(run.wait().has_value());
  EXPECT_EQ(step_lines(test),
            (Lines{"price 1 #1 value", "rate Rome 2.0.1 #1 value", "rate Rome2 2.1.1 #1 value"}));
  const kit::StepRun step = test.steps().at(1);
  EXPECT_EQ(step.session, "traveller/s");
  EXPECT_EQ(step.run, run.id());
  EXPECT_EQ(step.effect, pd::Effect::idempotent);
  EXPECT_EQ(step.began, test.now());
  EXPECT_EQ(step.life, 1);
  EXPECT_EQ(test.times("price"), 1U);
  EXPECT_EQ(test.times("nothing of this name"), 0U);
}

TEST_F(TestingRuntimeTest, ABodyThatRunsIsToldAsRunning) {
  kit::Runtime test;
  Lines seen;
  outside_.in_body = [&] { seen = step_lines(test); };
  ASSERT_TRUE(test.session(traveller, "s").start("Rome").value().wait().has_value());
  EXPECT_EQ(seen, (Lines{"price 1 #1 running"}));
}

TEST_F(TestingRuntimeTest, LogLinesOfHandlersAndOfTheRuntimeAreKept) {
  kit::Runtime test;
  auto run = test.session(traveller, "s").start("Rome").value();
  ASSERT_TRUE(run.wait().has_value());
  const std::vector<kit::LogLine> log = test.log();
  ASSERT_EQ(log.size(), 1U);
  EXPECT_EQ(log[0].event, "handler");
  EXPECT_EQ(log[0].message, "has rates");
  EXPECT_EQ(log[0].session, "traveller/s");
  EXPECT_EQ(log[0].run, run.id());
  EXPECT_TRUE(test.events().empty());
}

pd::Task<int> throws(pd::Context& ctx, int) {
  co_await ctx.step("before", [](pd::Step&) { outside->trace.push_back("before"); });
  if (outside->counter == 0) throw std::runtime_error("not repaired");
  co_return 7;
}
inline constexpr pd::Agent throwing{"throwing", &throws};

TEST_F(TestingRuntimeTest, AParkedRunIsToldAndWaitingForItEndsAtOnce) {
  kit::Runtime test;
  auto run = test.session(throwing, "s").start(0).value();
  const pd::Result<int> reply = run.wait();
  ASSERT_TRUE(reply.has_error());
  EXPECT_EQ(reply.error().code, pd::Code::timeout);
  EXPECT_TRUE(contains(reply.error().message, "it is parked (handler_threw)"))
      << reply.error().message;
  EXPECT_TRUE(contains(reply.error().message, "no timer is set")) << reply.error().message;
  EXPECT_TRUE(contains(test.explain(run.id()).value(), "not repaired"));
  ASSERT_EQ(test.events().size(), 1U);
  EXPECT_EQ(test.events()[0].kind, pd::EventKind::run_parked);
  EXPECT_EQ(test.events()[0].run, run.id());
}

TEST_F(TestingRuntimeTest, ReplacedBodiesRunInsteadAndRestoredOnesAgain) {
  kit::Runtime test;
  test.replace("price", [](pd::Step& step) -> pd::Result<int> {
    outside->trace.push_back("instead of " + step.name() + " " + step.id());
    return 40;
  });
  EXPECT_EQ(test.session(traveller, "a").start("Rome").value().wait().value(), "Rome!Rome2!40");
  EXPECT_EQ(outside_.trace.front(), "instead of price 1");
  EXPECT_EQ(test.times("price"), 1U) << "steps() tells of it all the same";
  test.replace("price", [](pd::Step&) { return 41; });
  EXPECT_EQ(test.session(traveller, "b").start("Rome").value().wait().value(), "Rome!Rome2!41");
  test.restore("price");
  EXPECT_EQ(test.session(traveller, "c").start("Rome").value().wait().value(), "Rome!Rome2!4");
}

TEST_F(TestingRuntimeTest, AReplacementFailsAndThrowsAsABodyDoes) {
  kit::Runtime test;
  test.replace("price", [](pd::Step&) -> pd::Result<int> {
    return pd::Error{pd::Code::refused, "no price today"};
  });
  EXPECT_EQ(test.session(traveller, "a").start("Rome").value().wait().error().message,
            "no price today");
  test.replace("price", [](pd::Step&) -> int { throw std::runtime_error("broke"); });
  auto run = test.session(traveller, "b").start("Rome").value();
  test.advance(1h);
  EXPECT_EQ(run.wait().error().code, pd::Code::exception);
  EXPECT_EQ(test.times("price"), 4U) << "retries count as ever";
}

TEST_F(TestingRuntimeTest, AReplacementOfAnotherTypeIsRefusedInWords) {
  kit::Runtime test;
  test.replace("price", [](pd::Step&) { return std::string("four"); });
  const pd::Result<std::string> reply = test.session(traveller, "a").start("Rome").value().wait();
  ASSERT_TRUE(reply.has_error());
  EXPECT_EQ(reply.error().code, pd::Code::misuse);
  EXPECT_TRUE(contains(reply.error().message, "the replacement of step 'price' gives "));
  EXPECT_EQ(test.times("price"), 1U);
}

/// Bodies that use the test's runtime.
TEST_F(TestingRuntimeTest, ABodyMayStartAnotherSessionAndWaitForIt) {
  kit::Runtime test;
  std::string inner;
  outside_.in_body = [&] {
    if (outside_.counter++ != 0) return;
    inner = test.session(traveller, "inner").start("Oslo").value().wait().value();
  };
  EXPECT_EQ(test.session(traveller, "outer").start("Rome").value().wait().value(), "Rome!Rome2!4");
  EXPECT_EQ(inner, "Oslo!Oslo2!4");
}

TEST_F(TestingRuntimeTest, WhatBelongsToTheTestIsRefusedInABody) {
  kit::Runtime test;
  Lines refused;
  outside_.in_body = [&] {
    for (const auto& call :
         std::vector<std::function<void()>>{[&] { test.run_until_idle(); }, [&] { test.restart(); },
                                            [&] { test.restart(kit::End::unclean); }}) {
      try {
        call();
      } catch (const pd::Exception& thrown) {
        refused.push_back(thrown.error().message);
      }
    }
  };
  ASSERT_TRUE(test.session(traveller, "s").start("Rome").value().wait().has_value());
  EXPECT_EQ(refused, (Lines{"run_until_idle() is for the test, not for a step's body",
                            "restart() is for the test, not for a step's body",
                            "restart() is for the test, not for a step's body"}));
}

kit::Runtime* the_test = nullptr;
pd::Task<std::string> meddles(pd::Context&, int) {
  std::string refused;
  for (const auto& call : std::vector<std::function<void()>>{[] { the_test->run_until_idle(); },
                                                             [] { the_test->restart(); },
                                                             [] { the_test->advance(1s); }}) {
    try {
      call();
    } catch (const pd::Exception& thrown) {
      refused += thrown.error().message + "; ";
    }
  }
  refused += the_test->session(traveller, "inner").start("Rome").error().message;
  co_return refused;
}
inline constexpr pd::Agent meddling{"meddling", &meddles};

TEST_F(TestingRuntimeTest, AHandlerThatWouldEnterTheRuntimeIsTold) {
  kit::Runtime test;
  the_test = &test;
  EXPECT_EQ(test.session(meddling, "s").start(0).value().wait().value(),
            "run_until_idle() is for the test, not for a handler; "
            "restart() is for the test, not for a handler; "
            "advance() is for the test and for bodies, not for a handler; "
            "a handler must not start sessions and wait: it would hold its own thread; ctx.session "
            "sends from a handler");
}

pd::Task<int> goes_round(pd::Context& ctx, int) {
  for (;;) co_await ctx.step("round", [](pd::Step&) {});
}
inline constexpr pd::Agent going_round{"going round", &goes_round};

TEST_F(TestingRuntimeTest, ARunThatNeverRestsFailsTheTest) {
  kit::Runtime test({.turns_max = 500});
  auto run = test.session(going_round, "s").start(0).value();
  const pd::Result<int> reply = run.wait();
  EXPECT_EQ(reply.error().code, pd::Code::timeout);
  EXPECT_TRUE(contains(reply.error().message, "within 500 turns")) << reply.error().message;
  EXPECT_THROW(test.run_until_idle(), pd::Exception);
  EXPECT_THROW(test.advance(1s), pd::Exception);
}

TEST_F(TestingRuntimeTest, TheSameProgramWritesTheSameJournal) {
  std::vector<std::string> journals;
  for (const std::uint64_t seed : {3ULL, 3ULL, 4ULL}) {
    kit::Runtime test({.seed = seed});
    (void)test.session(traveller, "a").start("Rome").value();
    ASSERT_TRUE(test.session(traveller, "b").start("Oslo").value().wait().has_value());
    test.advance(1h);
    test.restart();
    journals.push_back(journal_bytes(test));
  }
  EXPECT_EQ(journals[0], journals[1]);
  EXPECT_NE(journals[0], journals[2]);
  EXPECT_GT(journals[0].size(), 1000U);
}

TEST_F(TestingRuntimeTest, SeedsTryOtherOrdersAndRepeatTheirOwn) {
  std::set<Lines> orders;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    std::vector<Lines> twice;
    for (int i = 0; i < 2; ++i) {
      outside_ = {};
      kit::Runtime test({.seed = seed, .order = kit::Order::by_seed});
      EXPECT_EQ(test.session(traveller, "s").start("Rome").value().wait().value(), "Rome!Rome2!4");
      twice.push_back(outside_.trace);
    }
    EXPECT_EQ(twice[0], twice[1]);
    orders.insert(twice[0]);
  }
  EXPECT_EQ(orders, (std::set<Lines>{{"price Rome", "rate Rome", "rate Rome2"},
                                     {"price Rome", "rate Rome2", "rate Rome"}}));
}

TEST_F(TestingRuntimeTest, ABadNameIsToldByWhatUsesTheRuntimeNext) {
  kit::Runtime test;
  constexpr pd::Agent slashed{"a/b", &travel};
  const auto started = test.session(slashed, "s").start("Rome");
  ASSERT_TRUE(started.has_error());
  EXPECT_EQ(started.error().code, pd::Code::misuse);
  EXPECT_TRUE(contains(started.error().message, "has a '/' in its name"));
  EXPECT_THROW(test.run_until_idle(), pd::Exception);
}

TEST_F(TestingRuntimeTest, StartedTwiceWithEqualInputItIsTheSameRun) {
  kit::Runtime test;
  auto session = test.session(traveller, "s");
  const auto first = session.start("Rome").value().id();
  EXPECT_EQ(session.start("Rome").value().id(), first);
  EXPECT_EQ(session.start("Oslo").error().code, pd::Code::already_started);
  EXPECT_EQ(test.run<std::string>(first).wait().value(), "Rome!Rome2!4");
  EXPECT_EQ(test.run<int>(pd::RunId{}).wait().error().code, pd::Code::not_found);
  EXPECT_EQ(test.explain(pd::RunId{}).error().code, pd::Code::not_found);
}

}  // namespace
}  // namespace perdure::test
