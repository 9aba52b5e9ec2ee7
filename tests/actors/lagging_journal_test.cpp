/// A session whose journal is behind it: what comes meanwhile must not be answered from the past.
#include "tests/actors/engine_fixture.hpp"

#include <future>
#include <memory>
#include <stdexcept>

namespace perdure::test {
namespace {

inline constexpr pd::Signal<int> go{"go"};

pd::Task<std::string> work_then_wait(pd::Context& ctx, std::string name) {
  co_await ctx.step("work", [&](pd::Step&) {
    world->trace.add("work " + name);
    world->door(name).pass();
  });
  const int got = co_await ctx.receive(go);
  co_return name + std::to_string(got);
}
pd::Task<int> only_wait(pd::Context& ctx, int number) {
  co_return number + co_await ctx.receive(go);
}
/// Parks while the body of its other branch runs.
pd::Task<int> hold_on(pd::Context& ctx) {
  co_await ctx.step("hold on", [](pd::Step& step) {
    world->trace.add("held");
    while (!step.stop_requested()) std::this_thread::yield();
    world->trace.add("let go");
  });
  co_return 0;
}
pd::Task<int> break_down(pd::Context& ctx) {
  co_await ctx.step("break", [](pd::Step&) { world->trace.wait_for("held"); });
  throw std::runtime_error("a bug");
}
pd::Task<int> break_or_wait(pd::Context& ctx, int number) {
  if (number == 0) co_await ctx.all(hold_on(ctx), break_down(ctx));
  co_return number;
}
inline constexpr pd::Handler anew{
    "anew", &work_then_wait, {.when_busy = pd::WhenBusy::cancel_and_replace}};
inline constexpr pd::Handler wait{"wait", &only_wait};
inline constexpr pd::Handler breaking{
    "breaking", &break_or_wait, {.when_busy = pd::WhenBusy::cancel_and_replace}};
inline constexpr pd::Agent worker{"worker", anew, wait, breaking};

pd::Task<int> send_keyed(pd::Context& ctx, int number) {
  co_await ctx.session(worker, "w").send(wait, number, {.key = "k"});
  co_return 0;
}
inline constexpr pd::Handler sending{"sending", &send_keyed};
inline constexpr pd::Agent sender{"sender", sending};

class LaggingJournalTest : public EngineFixture {
 protected:
  /// Frames are given up as soon as a run waits.
  [[nodiscard]] static pd::RuntimeOptions options() { return {.frame_budget_bytes = 0}; }
  /// Sent and handled, but not durable: nobody waits for it. Gives its run when it is.
  template <class Input>
  static std::future<pd::Result<pd::RunId>> send(TestEngine& engine, const char* agent,
                                                 const char* handler, const char* key,
                                                 const char* message_key, const Input& input) {
    const pd::Bytes bytes = pd::encode(input).value();
    pd::detail::MessageRequest request;
    request.agent = agent;
    request.handler = handler;
    request.session_key = key;
    request.message_key = message_key;
    request.input = bytes;
    const auto sent = std::make_shared<std::promise<pd::Result<pd::RunId>>>();
    engine.engine().send_message_then(
        request, [sent](pd::Result<pd::RunId> run) { sent->set_value(std::move(run)); });
    engine.settle();
    return sent->get_future();
  }
  [[nodiscard]] std::vector<pd::RunId> runs_of(const std::string& agent) const {
    std::vector<pd::RunId> runs;
    journal::Reader reader = disk_.read();
    reader
        .each_run([&](const journal::RunInfo& run) {
          if (run.agent == agent) runs.push_back(run.id);
          return true;
        })
        .value();
    return runs;
  }
};

TEST_F(LaggingJournalTest, ARunThatIsReplacedIsNotResumedFromItsPast) {
  TestEngine engine(disk_, options());
  engine.start(worker);
  auto session = engine.runtime().session(worker, "w");
  auto old = session.send(anew, "a").value();
  world_.trace.wait_for("work a");
  disk_.store->hold_commits();
  world_.door("a").open();
  disk_.store->wait_for_held_commit();
  // It waits for the signal, without a frame, and the journal knows of no step.
  auto newer = send(engine, "worker", "anew", "w", "", std::string("b"));
  disk_.store->release_commits();
  EXPECT_EQ(old.wait({.within = 10s}).error().code, pd::Code::cancelled);
  world_.door("b").open();
  ASSERT_TRUE(session.send(go, 1));
  EXPECT_EQ(engine.runtime().run<std::string>(newer.get().value()).wait({.within = 10s}).value(),
            "b1");
  EXPECT_EQ(world_.trace.count("work a"), 1U);
  EXPECT_EQ(disk_.records(old.id()).at(1), "step_result 1 'work' ok");
  engine.settle();
  EXPECT_EQ(disk_.view().damage(), "");
}

TEST_F(LaggingJournalTest, AMessageKeyIsNotForgottenUntilItIsDurable) {
  TestEngine engine(disk_, options());
  engine.start(worker, sender);
  disk_.store->hold_commits();
  // The run waits, without a frame, and the journal has not heard of it.
  (void)send(engine, "worker", "wait", "w", "k", 7);
  (void)send(engine, "sender", "sending", "s", "s", 7);
  engine.settle();
  disk_.store->release_commits();
  EXPECT_TRUE(engine.runtime().session(sender, "s").call(sending, 7, {.key = "s"}));
  ASSERT_TRUE(engine.runtime().session(worker, "w").send(go, 1));
  auto run = engine.runtime().session(worker, "w").send(wait, 7, {.key = "k"}).value();
  EXPECT_EQ(run.wait({.within = 10s}).value(), 8);
  engine.settle();
  EXPECT_EQ(runs_of("worker").size(), 1U);
  EXPECT_EQ(disk_.view().damage(), "");
}

TEST_F(LaggingJournalTest, AParkedRunWhoseBodiesHaveNotReturnedIsReplaced) {
  TestEngine engine(disk_, options());
  engine.start(worker);
  auto session = engine.runtime().session(worker, "w");
  auto old = session.send(breaking, 0).value();
  engine.wait_for_event(pd::EventKind::run_parked);
  auto anew_run = session.send(breaking, 5).value();
  world_.trace.wait_for("let go");
  while (disk_.due().empty() || !engine.engine().timers().next()) std::this_thread::yield();
  engine.settle();
  EXPECT_FALSE(anew_run.result().has_value()) << "the old run has its grace period";
  engine.advance(actors::kDeadlineGrace);
  EXPECT_EQ(old.wait({.within = 10s}).error().code, pd::Code::cancelled);
  EXPECT_EQ(anew_run.wait({.within = 10s}).value(), 5);
}

}  // namespace
}  // namespace perdure::test
