/// Operators' orders to a live runtime: what becomes of the runs that they are about.
#include "tests/actors/control_fixture.hpp"

namespace perdure::test {
namespace {

using journal::RunStatus;

inline constexpr pd::Signal<std::string> go{"go"};

pd::Task<std::string> wait_for_go(pd::Context& ctx, std::string input) {
  co_return input + " " + co_await ctx.receive(go);
}
inline constexpr pd::Agent waiter{"waiter", &wait_for_go};
pd::Task<std::string> wait_anew(pd::Context& ctx, std::string input) {
  co_return "newer " + input + " " + co_await ctx.receive(go);
}
inline constexpr pd::Agent newer{"waiter", &wait_anew, {.version = 2}};

pd::Task<int> fail_once(pd::Context& ctx, int) {
  co_return co_await ctx.step("book",
                              [](pd::Step& step) -> pd::Result<int> {
                                world->trace.add("attempt");
                                if (step.attempt() == 1)
                                  return pd::Error{pd::Code::timeout, "no answer"};
                                return step.attempt();
                              },
                              {.retry = {.delay = 1h, .delay_max = 1h, .jitter = 0.0}});
}
inline constexpr pd::Agent booker{"booker", &fail_once};

pd::Task<int> throw_until_repaired(pd::Context& ctx, int) {
  const int a = co_await ctx.step("first", [](pd::Step&) { return 40; });
  if (world->mode < 2) throw std::runtime_error("mode " + std::to_string(world->mode));
  co_return a + 2;
}
inline constexpr pd::Agent thrower{"thrower", &throw_until_repaired};

pd::Task<int> crash(pd::Context& ctx, int) {
  co_return co_await ctx.step("crashes", [](pd::Step&) {
    world->trace.add("began");
    if (world->mode == 0) world->door("crash").pass();
    return 5;
  });
}
inline constexpr pd::Agent crasher{"crasher", &crash};

class ControlOrders : public ControlFixture {};

TEST_F(ControlOrders, ASignalEndsTheWaitOfARunOrIsKept) {
  TestEngine engine(disk_, options());
  engine.start(waiter);
  const auto run = engine.runtime().session(waiter, "s").start("one").value();
  engine.settle();
  const std::string words =
      done(mail(ControlVerb::signal, "waiter", "s", "go", std::string("now")));
  EXPECT_EQ(words, "run " + to_string(run.id()) + " of session waiter/s received the signal 'go'");
  EXPECT_EQ(run.wait().value(), "one now");
  EXPECT_EQ(done(mail(ControlVerb::signal, "waiter", "later", "go", std::string("early"))),
            "session waiter/later keeps the signal 'go' for the run that receives it");
  const auto later = engine.runtime().session(waiter, "later").start("two").value();
  EXPECT_EQ(later.wait().value(), "two early");
}

TEST_F(ControlOrders, AMessageMakesARunOfTheNewestVersionOncePerKey) {
  TestEngine engine(disk_, options());
  engine.start(waiter, newer);
  ControlRequest message = mail(ControlVerb::message, "waiter", "s", "run", std::string("hello"));
  message.what.message_key = "m-1";
  const ControlReply first = order(message);
  ASSERT_TRUE(first.run) << first.words;
  EXPECT_EQ(first.words, "the message is run " + to_string(*first.run) + " of session waiter/s");
  EXPECT_EQ(order(message).run, first.run) << "the same key, and equal input";
  message.what.payload = encode(std::string("other")).value();
  EXPECT_EQ(refused(message).code, pd::Code::already_started);
  (void)done(mail(ControlVerb::signal, "waiter", "s", "go", std::string("on")));
  EXPECT_EQ(engine.runtime().run<std::string>(*first.run).wait().value(), "newer hello on");
}

TEST_F(ControlOrders, ACancelAndAKillEndRunsAndSayWhoAndWhy) {
  TestEngine engine(disk_, options());
  engine.start(waiter);
  for (const ControlVerb verb : {ControlVerb::cancel, ControlVerb::kill}) {
    const auto run =
        engine.runtime().session(waiter, std::string(to_string(verb))).start("").value();
    engine.settle();
    ControlRequest request = about(verb, run.id());
    request.what.who = "ada@host";
    request.what.why = "the trip is off";
    EXPECT_TRUE(contains(done(request), to_string(run.id())));
    const auto ended = run.wait();
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().message, "the run was cancelled by ada@host: the trip is off");
    EXPECT_EQ(disk_.head(run.id()).status, RunStatus::cancelled);
    const Error again = refused(request);
    EXPECT_EQ(again.code, pd::Code::refused);
    EXPECT_TRUE(contains(again.message, "has ended (cancelled)")) << again.message;
  }
}

TEST_F(ControlOrders, ARetryNowEndsTheDelayBeforeTheNextAttempt) {
  TestEngine engine(disk_, options());
  engine.start(booker);
  const auto run = engine.runtime().session(booker, "s").start(0).value();
  while (disk_.head(run.id()).status != RunStatus::waiting) std::this_thread::yield();
  EXPECT_TRUE(contains(done(about(ControlVerb::retry_now, run.id())), "step 1 'book' of run "));
  EXPECT_EQ(run.wait().value(), 2) << "no time has passed";
  EXPECT_EQ(refused(about(ControlVerb::retry_now, run.id())).code, pd::Code::refused);
}

TEST_F(ControlOrders, ARetryNowIsRefusedWhereNothingWaitsForAnAttempt) {
  TestEngine engine(disk_, options());
  engine.start(waiter, thrower);
  const auto run = engine.runtime().session(waiter, "s").start("").value();
  while (disk_.head(run.id()).status != RunStatus::waiting) std::this_thread::yield();
  const Error idle = refused(about(ControlVerb::retry_now, run.id()));
  EXPECT_TRUE(contains(idle.message, "no step that waits for its next attempt")) << idle.message;
  const auto parked = engine.runtime().session(thrower, "s").start(0).value();
  while (disk_.head(parked.id()).status != RunStatus::parked) std::this_thread::yield();
  const Error other = refused(about(ControlVerb::retry_now, parked.id()));
  EXPECT_TRUE(contains(other.message, "`perdure resume` makes it go on")) << other.message;
}

TEST_F(ControlOrders, AResumeHasAParkedRunGoOnOrSaysWhyItParkedAgain) {
  TestEngine engine(disk_, options());
  engine.start(thrower);
  const auto run = engine.runtime().session(thrower, "s").start(0).value();
  while (disk_.head(run.id()).status != RunStatus::parked) std::this_thread::yield();
  for (const int mode : {0, 1}) {
    world_.mode = mode;
    const Error again = refused(about(ControlVerb::resume, run.id()));
    EXPECT_EQ(again.code, pd::Code::handler_threw);
    EXPECT_TRUE(contains(again.message, "is parked again: ")) << again.message;
    EXPECT_TRUE(contains(again.message, "mode " + std::to_string(mode))) << again.message;
  }
  world_.mode = 2;
  EXPECT_TRUE(contains(done(about(ControlVerb::resume, run.id())), "goes on"));
  EXPECT_EQ(run.wait().value(), 42);
}

TEST_F(ControlOrders, AResumeIsRefusedForARunThatIsNotParked) {
  TestEngine engine(disk_, options());
  engine.start(waiter);
  const auto run = engine.runtime().session(waiter, "s").start("").value();
  while (disk_.head(run.id()).status != RunStatus::waiting) std::this_thread::yield();
  const Error why = refused(about(ControlVerb::resume, run.id()));
  EXPECT_EQ(why.code, pd::Code::refused);
  EXPECT_TRUE(contains(why.message, "is not parked: it is waiting")) << why.message;
}

TEST_F(ControlOrders, AResumeRunsASuspectedStepAgain) {
  pd::RunId id;
  for (int life = 0; life < 3; ++life) {
    World fresh;
    world = &fresh;
    TestEngine engine(disk_);
    engine.start(crasher);
    if (life == 0) id = engine.runtime().session(crasher, "s").start(0).value().id();
    fresh.trace.wait_for("began");
    engine.die_at_commit(0);
    fresh.door("crash").open();
  }
  world = &world_;
  world_.mode = 1;
  TestEngine engine(disk_, options());
  engine.start(crasher);
  while (disk_.head(id).status != RunStatus::parked) std::this_thread::yield();
  ASSERT_EQ(disk_.head(id).code, pd::Code::suspected_crash);
  EXPECT_TRUE(contains(done(about(ControlVerb::resume, id)), "goes on"));
  EXPECT_EQ(engine.runtime().run<int>(id).wait().value(), 5);
}

TEST_F(ControlOrders, WhatIsNotThereIsNamedWithTheRemedy) {
  TestEngine engine(disk_, options());
  engine.start(waiter);
  const Error run = refused(about(ControlVerb::cancel, RunId{}));
  EXPECT_EQ(run.code, pd::Code::not_found);
  EXPECT_TRUE(contains(run.message, to_string(RunId{}))) << run.message;
  for (const ControlVerb verb : {ControlVerb::signal, ControlVerb::message}) {
    const Error agent = refused(mail(verb, "waitre", "s", "run", 1));
    EXPECT_EQ(agent.code, pd::Code::not_registered);
    EXPECT_TRUE(contains(agent.message, "'waitre', but: waiter")) << agent.message;
  }
  const Error handler = refused(mail(ControlVerb::message, "waiter", "s", "wait", 1));
  EXPECT_EQ(handler.code, pd::Code::not_registered);
  EXPECT_TRUE(contains(handler.message, "no handler 'wait'")) << handler.message;
}

TEST_F(ControlOrders, AMessageThatWaitsForItsTurnHasNothingToTryAgain) {
  TestEngine engine(disk_, options());
  engine.start(waiter);
  auto session = engine.runtime().session(waiter, "s");
  (void)session.start("").value();
  const auto second = session.send(std::get<0>(waiter.handlers), "").value();
  for (const ControlVerb verb : {ControlVerb::retry_now, ControlVerb::resume}) {
    const Error why = refused(about(verb, second.id()));
    EXPECT_EQ(why.code, pd::Code::refused);
    EXPECT_TRUE(contains(why.message, "has not begun")) << why.message;
  }
}

TEST_F(ControlOrders, AnOrderThatCantBecomeDurableIsAnError) {
  TestEngine engine(disk_, options());
  engine.start(waiter);
  engine.die_at_commit(0);
  EXPECT_EQ(refused(mail(ControlVerb::signal, "waiter", "s", "go", std::string("x"))).code,
            pd::Code::storage_failed);
}

}  // namespace
}  // namespace perdure::test
