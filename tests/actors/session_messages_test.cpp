/// Messages: one at a time, in order, each handled once; calls between sessions.
#include <perdure/testing.hpp>

#include "tests/actors/engine_fixture.hpp"

namespace perdure::test {
namespace {

inline constexpr pd::State<int> sum{"sum"};

pd::Task<int> add_number(pd::Context& ctx, int value) {
  const int now = ctx.get(sum) + value;
  ctx.set(sum, now);
  co_return now;
}
pd::Task<std::string> slow(pd::Context& ctx, std::string name) {
  co_await ctx.step("work", [&](pd::Step&) {
    world->trace.add("begin " + name);
    world->door(name).pass();
    world->trace.add("end " + name);
  });
  co_return name;
}
int read_sum(const pd::View& view, int) { return view.get(sum); }

inline constexpr pd::Handler add{"add", &add_number};
inline constexpr pd::Handler work{"work", &slow};
inline constexpr pd::Handler work_or_not{"work-or-not", &slow, {.when_busy = pd::WhenBusy::reject}};
inline constexpr pd::Handler work_anew{
    "work-anew", &slow, {.when_busy = pd::WhenBusy::cancel_and_replace}};
inline constexpr pd::Handler work_joined{"work-joined", &slow, {.when_busy = pd::WhenBusy::join}};
inline constexpr pd::Query get_sum{"sum", &read_sum};
inline constexpr pd::Agent account{"account", add,         work,   work_or_not,
                                   work_anew, work_joined, get_sum};

/// Moves one unit after the other to another account, by calls and by sends.
pd::Task<int> pay(pd::Context& ctx, int count) {
  auto to = ctx.session(account, "to");
  int last = 0;
  for (int i = 0; i < count; ++i) {
    last = co_await to.call(add, 1);
    co_await to.send(add, 10);
  }
  co_return last;
}
pd::Task<int> pay_later(pd::Context& ctx, int seconds) {
  co_await ctx.session(account, "to").send(add, 5, {.delay = std::chrono::seconds(seconds)});
  co_return 0;
}
pd::Task<std::string> call_work(pd::Context& ctx, std::string name) {
  const pd::Result<std::string> reply =
      co_await pd::as_result(ctx.session(account, "to").call(work_or_not, name));
  co_return reply ? reply.value() : std::string(to_string(reply.error().code));
}
/// By the key `k`, in three ways. The message is the same each time.
pd::Task<std::string> add_by_key(pd::Context& ctx, int value) {
  auto to = ctx.session(account, "to");
  co_await to.send(add, value, {.key = "k"});
  const int called = co_await to.call(add, value, {.key = "k"});
  const pd::ChildRun<int> child = co_await to.spawn(add, value, {.key = "k"});
  const int joined = co_await child.result();
  const pd::Result<int> other = co_await pd::as_result(to.call(add, value + 1, {.key = "k"}));
  co_return std::to_string(called) + " " + std::to_string(joined) + " " +
      std::string(other ? "a value" : to_string(other.error().code));
}
inline constexpr pd::Handler paying{"pay", &pay};
inline constexpr pd::Handler adding{"add-by-key", &add_by_key};
inline constexpr pd::Handler paying_later{"pay-later", &pay_later};
inline constexpr pd::Handler calling{"call", &call_work};
inline constexpr pd::Agent payer{"payer", paying, paying_later, calling, adding};

class MessageTest : public EngineFixture, public ::testing::WithParamInterface<pd::Frames> {
 protected:
  [[nodiscard]] pd::RuntimeOptions options() const {
    pd::RuntimeOptions options;
    options.frames = GetParam();
    options.frame_budget_bytes = 0;
    return options;
  }
  [[nodiscard]] static kit::Options kit_options() {
    kit::Options options;
    if (GetParam() == pd::Frames::within_budget) options.frames = kit::Frames::replayed;
    return options;
  }
};
INSTANTIATE_TEST_SUITE_P(Frames, MessageTest,
                         ::testing::Values(pd::Frames::keep, pd::Frames::within_budget),
                         [](const auto& given) {
                           return given.param == pd::Frames::keep ? "kept" : "given_up";
                         });

TEST_P(MessageTest, AreHandledOneAfterTheOtherInTheirOrder) {
  TestEngine engine(disk_, options());
  engine.start(account);
  auto session = engine.runtime().session(account, "a");
  auto first = session.send(work, "1").value();
  auto second = session.send(work, "2").value();
  auto third = session.send(work, "3").value();
  world_.trace.wait_for("begin 1");
  world_.door("3").open();
  world_.door("2").open();
  engine.settle();
  EXPECT_EQ(world_.trace.count("begin 2"), 0U);
  world_.door("1").open();
  EXPECT_EQ(third.wait().value(), "3");
  EXPECT_EQ(world_.trace.all(),
            (Lines{"begin 1", "end 1", "begin 2", "end 2", "begin 3", "end 3"}));
  EXPECT_TRUE(first.wait());
  EXPECT_TRUE(second.wait());
}

TEST_P(MessageTest, WithOneKeyAreOneMessage) {
  kit::Runtime test(kit_options());
  auto session = test.session(account, "a");
  const pd::RunId id = session.send(add, 5, {.key = "k"}).value().id();
  EXPECT_EQ(session.call(add, 5, {.key = "k"}).value(), 5);
  EXPECT_EQ(session.send(add, 5, {.key = "k"}).value().id(), id);
  EXPECT_EQ(session.run(add, "k").value().id(), id);
  EXPECT_EQ(session.run(add, "other").error().code, pd::Code::not_found);
  const auto other = session.send(add, 6, {.key = "k"});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, pd::Code::already_started);
  EXPECT_TRUE(contains(other.error().message, "'k'")) << other.error().message;
  EXPECT_EQ(session.query(get_sum, 0).value(), 5);
}

TEST_P(MessageTest, OfAHandlerAttachByTheirKeyToARunThatHasEnded) {
  const kit::CrashReport report =
      kit::crash_everywhere({.runtime = kit_options()}, [](kit::Runtime& test) {
        auto session = test.session(account, "to");
        EXPECT_EQ(session.call(add, 5, {.key = "k"}).value(), 5);
        auto first = test.session(payer, "p").send(adding, 5).value();
        EXPECT_EQ(first.wait().value(), "5 5 already_started");
        test.restart(kit::End::unclean);
        auto second = test.session(payer, "q").send(adding, 5).value();
        EXPECT_EQ(second.wait().value(), "5 5 already_started");
        return session.query(get_sum, 0).value();
      });
  EXPECT_TRUE(report.ok()) << to_string(report);
  EXPECT_GT(report.crashes, 20U);
}

TEST_P(MessageTest, AQueuedOneIsKnownByItsKey) {
  TestEngine engine(disk_, options());
  engine.start(account);
  auto session = engine.runtime().session(account, "a");
  auto busy = session.send(work, "1").value();
  const pd::RunId id = session.send(add, 5, {.key = "k"}).value().id();
  EXPECT_EQ(session.send(add, 5, {.key = "k"}).value().id(), id);
  world_.door("1").open();
  EXPECT_TRUE(busy.wait());
  EXPECT_EQ(engine.runtime().run<int>(id).wait().value(), 5);
}

TEST_P(MessageTest, AQueueOutlivesTheProcess) {
  pd::RunId last;
  {
    TestEngine engine(disk_, options());
    engine.start(account);
    auto session = engine.runtime().session(account, "a");
    ASSERT_TRUE(session.send(work, "1"));
    for (int i = 1; i <= 3; ++i) last = session.send(add, i).value().id();
    world_.trace.wait_for("begin 1");
    engine.die_at_commit(0);
    world_.door("1").open();
  }
  TestEngine engine(disk_, options());
  engine.start(account);
  EXPECT_EQ(engine.runtime().run<int>(last).wait().value(), 6);
}

TEST_P(MessageTest, OfAHandlerThatRejectsAreRefusedWhileARunIsUnfinished) {
  TestEngine engine(disk_, options());
  engine.start(account, payer);
  auto session = engine.runtime().session(account, "to");
  auto busy = session.send(work_or_not, "1").value();
  const auto refused = session.send(work_or_not, "2");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, pd::Code::busy);
  EXPECT_EQ(refused.error().known_effect(), pd::ErrorEffect::refused);
  // A session that calls learns it as well.
  EXPECT_EQ(engine.runtime().session(payer, "p").call(calling, "3").value(), "busy");
  world_.door("1").open();
  EXPECT_TRUE(busy.wait());
  world_.door("4").open();
  EXPECT_EQ(engine.runtime().session(payer, "p").call(calling, "4").value(), "4");
}

TEST_P(MessageTest, MayReplaceTheRunThatIsUnfinished) {
  TestEngine engine(disk_, options());
  engine.start(account);
  auto session = engine.runtime().session(account, "a");
  auto old = session.send(work_anew, "1").value();
  world_.trace.wait_for("begin 1");
  auto anew = session.send(work_anew, "2").value();
  engine.settle();
  EXPECT_EQ(world_.trace.count("begin 2"), 0U) << "the old run has not ended";
  world_.door("1").open();
  world_.door("2").open();
  EXPECT_EQ(anew.wait().value(), "2");
  // Its body returned a value: what had happened stands.
  EXPECT_EQ(old.wait().value(), "1");
}

TEST_P(MessageTest, MayJoinTheRunThatIsUnfinished) {
  TestEngine engine(disk_, options());
  engine.start(account);
  auto session = engine.runtime().session(account, "a");
  auto first = session.send(work_joined, "1").value();
  auto second = session.send(work_joined, "2").value();
  EXPECT_EQ(second.id(), first.id());
  world_.door("1").open();
  EXPECT_EQ(second.wait().value(), "1");
}

TEST_P(MessageTest, BetweenSessionsAreHandledInTheOrderOfTheirSending) {
  kit::Runtime test(kit_options());
  test.serve(account);
  EXPECT_EQ(test.session(payer, "p").call(paying, 3).value(), 23);
  // The last send is handled before what comes from outside afterwards.
  EXPECT_EQ(test.session(account, "to").call(add, 0).value(), 33);
}

TEST_P(MessageTest, BetweenSessionsAreHandledOnceWhereverTheProcessDies) {
  for (const LastCommit last : {LastCommit::lost, LastCommit::kept}) {
    for (std::uint64_t death = 1; death <= 24; ++death) {
      TestDisk disk;
      {
        TestEngine engine(disk, options());
        engine.start(account, payer);
        engine.die_at_commit(death, last);
        auto run = engine.runtime().session(payer, "p").send(paying, 3, {.key = "k"});
        if (run) (void)run.value().wait();
      }
      TestEngine engine(disk, options());
      engine.start(account, payer);
      EXPECT_EQ(engine.runtime().session(payer, "p").call(paying, 3, {.key = "k"}).value(), 23)
          << "death at commit " << death;
      EXPECT_EQ(engine.runtime().session(account, "to").call(add, 0).value(), 33)
          << "death at commit " << death;
    }
  }
}

TEST_P(MessageTest, ADelayedOneIsHandledAtItsTime) {
  kit::Runtime test(kit_options());
  auto session = test.session(account, "to");
  auto run = session.send(add, 1, {.delay = 60s}).value();
  EXPECT_EQ(test.session(payer, "p").call(paying_later, 30).value(), 0);
  test.advance(30s - 1us);
  EXPECT_EQ(session.query(get_sum, 0).value(), 0);
  test.advance(1us);
  EXPECT_EQ(session.query(get_sum, 0).value(), 5);
  test.advance(30s);
  EXPECT_EQ(run.wait().value(), 6);
  EXPECT_TRUE(disk_of(test).due().empty());
}

TEST_P(MessageTest, ADelayedOneIsHandledByTheNextProcess) {
  kit::Runtime test(kit_options());
  auto run = test.session(account, "a").send(add, 1, {.delay = 60s}).value();
  test.restart(kit::End::unclean, {.down_for = 59s});
  test.run_until_idle();
  EXPECT_FALSE(run.result().has_value());
  EXPECT_EQ(test.explain(run.id()).value(), "its message waits for its time");
  test.advance(1s);
  EXPECT_EQ(run.wait().value(), 1);
}

TEST_P(MessageTest, ToAHandlerThatIsNotServedAreRefused) {
  TestEngine engine(disk_, options());
  engine.start(account);
  const auto refused = engine.runtime().session(payer, "p").send(paying, 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, pd::Code::not_registered);
}

TEST_P(MessageTest, FromASessionToAnAgentThatIsNotServedWait) {
  kit::Runtime test(kit_options());
  auto run = test.session(payer, "p").send(paying, 1).value();
  test.run_until_idle();
  ASSERT_EQ(test.events().size(), 1U);
  EXPECT_EQ(test.events()[0].kind, pd::EventKind::run_parked);
  const std::string why = test.explain(run.id()).value();
  EXPECT_TRUE(contains(why, "reply of 'add'")) << why;
  test.serve(account);
  test.restart();
  EXPECT_EQ(run.wait().value(), 1);
}

}  // namespace
}  // namespace perdure::test
