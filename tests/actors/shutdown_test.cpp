// The end of a process: bounded, with everything that can be recorded recorded.
#include "tests/actors/engine_fixture.hpp"

#if defined(__SANITIZE_ADDRESS__)
#define PERDURE_TEST_HAS_LSAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PERDURE_TEST_HAS_LSAN
#endif
#endif
#ifdef PERDURE_TEST_HAS_LSAN
// Of the sanitizer's run-time library.
extern "C" void __lsan_disable(void);
extern "C" void __lsan_enable(void);
#endif

namespace perdure::test {
namespace {

/// What a body that ignores its stop leaves behind is leaked on purpose.
class LeaksOnPurpose {
 public:
#ifdef PERDURE_TEST_HAS_LSAN
  LeaksOnPurpose() { __lsan_disable(); }
  ~LeaksOnPurpose() { __lsan_enable(); }
#else
  LeaksOnPurpose() = default;
#endif
  LeaksOnPurpose(const LeaksOnPurpose&) = delete;
  LeaksOnPurpose& operator=(const LeaksOnPurpose&) = delete;
};

pd::Task<int> stoppable(pd::Context& ctx, int how) {
  const int a = co_await ctx.step("stops",
                                  [&](pd::Step& step) -> pd::Result<int> {
                                    world->trace.add("began");
                                    if (world->mode == 1) return 10;
                                    const std::stop_callback stopped(
                                        step.stop_token(), [] { world->trace.add("stop"); });
                                    world->trace.wait_for("stop");
                                    if (how == 0) return 5;
                                    return pd::Error{pd::Code::user, "stopped"};
                                  },
                                  {.retry = kNoRetry});
  co_return a + co_await ctx.step("after", [](pd::Step&) {
    world->trace.add("after");
    return 1;
  });
}
inline constexpr pd::Agent stopping{"stopping", &stoppable};

class ShutdownTest : public EngineFixture {
 protected:
  pd::RunId shut_down_during(int how) {
    TestEngine engine(disk_);
    engine.start(stopping);
    const auto run = engine.runtime().session(stopping, "s").start(how).value();
    std::thread waiter([run] { EXPECT_EQ(run.wait().error().code, pd::Code::closed); });
    world_.trace.wait_for("began");
    EXPECT_TRUE(engine.shutdown().has_value());
    waiter.join();
    EXPECT_EQ(engine.engine().sessions_in_memory(), 0U);
    EXPECT_TRUE(engine.events().empty());
    return run.id();
  }
  bool was_clean() { return disk_.read().counters().value()->clean == 1; }
};

TEST_F(ShutdownTest, WhatAStoppedBodyReturnsIsRecordedAndNothingFollows) {
  const pd::RunId id = shut_down_during(0);
  EXPECT_TRUE(was_clean());
  EXPECT_EQ(disk_.records(id), (Lines{"run_created", "step_result 1 'stops' ok"}));
  EXPECT_EQ(world_.trace.count("after"), 0U);
  TestEngine engine(disk_);
  EXPECT_FALSE(was_clean());
  engine.start(stopping);
  EXPECT_EQ(engine.runtime().run<int>(id).wait().value(), 6);
  EXPECT_EQ(world_.trace.count("began"), 1U);
}

TEST_F(ShutdownTest, ABodyThatFailedBecauseItWasStoppedRunsAgain) {
  const pd::RunId id = shut_down_during(1);
  EXPECT_EQ(disk_.records(id), Lines{"run_created"});
  EXPECT_TRUE(disk_.attempts(id).empty());
  world_.mode = 1;
  TestEngine engine(disk_);
  engine.start(stopping);
  EXPECT_EQ(engine.runtime().run<int>(id).wait().value(), 11);
}

pd::Task<int> queues(pd::Context& ctx, int) {
  const auto body = [](pd::Step&) {
    world->trace.add("ran");
    world->door("q").pass();
    return 1;
  };
  const auto all = co_await ctx.all(ctx.step("1", body), ctx.step("2", body), ctx.step("3", body));
  co_return std::get<0>(all) + std::get<1>(all) + std::get<2>(all);
}
inline constexpr pd::Agent queueing{"queueing", &queues};

TEST_F(ShutdownTest, BodiesThatWaitForAThreadAreNeitherLostNorRepeated) {
  pd::RunId id;
  {
    TestEngine engine(disk_, {.step_threads = 1});
    engine.start(queueing);
    id = engine.runtime().session(queueing, "s").start(0).value().id();
    world_.trace.wait_for("ran");
    std::thread closer([&] { EXPECT_TRUE(engine.shutdown().has_value()); });
    // The shutdown has begun when the runtime takes nothing any more.
    while (engine.runtime().session(queueing, "s").start(0).has_value()) std::this_thread::yield();
    world_.door("q").open();
    closer.join();
  }
  // How many ran depends on when the pool stopped; what ran is recorded.
  const std::size_t before = world_.trace.count("ran");
  const Lines records = disk_.records(id);
  EXPECT_EQ(std::ranges::count_if(records,
                                  [](const auto& line) { return line.starts_with("step_result"); }),
            static_cast<std::ptrdiff_t>(before));
  TestEngine engine(disk_);
  engine.start(queueing);
  EXPECT_EQ(engine.runtime().run<int>(id).wait().value(), 3);
  EXPECT_EQ(world_.trace.count("ran"), 3U);
}

TEST_F(ShutdownTest, ManyRunsAreShutDownWhereverTheyAre) {
  constexpr int kRuns = 40;
  world_.mode = 1;
  std::vector<pd::RunId> ids;
  {
    TestEngine engine(disk_, {.step_threads = 4});
    engine.start(stopping);
    for (int i = 0; i < kRuns; ++i)
      ids.push_back(engine.runtime().session(stopping, std::to_string(i)).start(0).value().id());
    EXPECT_TRUE(engine.shutdown().has_value());
  }
  TestEngine engine(disk_);
  engine.start(stopping);
  for (const pd::RunId& id : ids) EXPECT_EQ(engine.runtime().run<int>(id).wait().value(), 11);
  EXPECT_EQ(world_.trace.count("began"), static_cast<std::size_t>(kRuns)) << "no body twice";
  EXPECT_EQ(world_.trace.count("after"), static_cast<std::size_t>(kRuns));
}

pd::Task<int> ignores(pd::Context& ctx, int) {
  std::string borrowed(100, 'f');
  co_return co_await ctx.step("ignores", [&](pd::Step&) {
    World& here = *world;
    here.trace.add("began");
    here.door("late").pass();
    here.trace.add("late " + std::to_string(borrowed.size()));
    return 1;
  });
}
inline constexpr pd::Agent ignoring{"ignoring", &ignores};

TEST_F(ShutdownTest, ABodyThatIgnoresItsStopIsLeftBehindWithItsFrame) {
  [[maybe_unused]] const LeaksOnPurpose leaks;
  pd::RunId id;
  {
    TestEngine engine(disk_, {.shutdown_within = 1ms});
    engine.start(ignoring);
    id = engine.runtime().session(ignoring, "s").start(0).value().id();
    world_.trace.wait_for("began");
    EXPECT_TRUE(engine.shutdown().has_value());
    ASSERT_EQ(engine.events().size(), 1U);
    EXPECT_EQ(engine.events()[0].kind, pd::EventKind::body_abandoned);
    EXPECT_TRUE(contains(engine.events()[0].error.message, "step bodies of 1 sessions")) << "words";
    EXPECT_TRUE(was_clean());
  }
  // The process is over; the body comes back to a frame that is still there, and to nobody.
  world_.door("late").open();
  world_.trace.wait_for("late 100");
  EXPECT_EQ(disk_.records(id), Lines{"run_created"});
  world_.trace.clear();
  TestEngine engine(disk_);
  engine.start(ignoring);
  EXPECT_EQ(engine.runtime().run<int>(id).wait().value(), 1);
  EXPECT_EQ(world_.trace.count("began"), 1U) << "the next process runs it";
}

TEST_F(ShutdownTest, HooksThatThrowAreTheirHostsLossOnly) {
  TestEngine engine(disk_, {.log = [](const pd::LogRecord&) { throw std::runtime_error("log"); }});
  engine.runtime().on_event([](const pd::Event&) {
    world->trace.add("event");
    throw 3;
  });
  engine.start(stopping);
  world_.mode = 1;
  disk_.store->fill_disk();
  std::thread starter([&] { (void)engine.runtime().session(stopping, "s").start(0); });
  world_.trace.wait_for("event");
  disk_.store->free_room();
  starter.join();
  EXPECT_EQ(engine.runtime().session(stopping, "t").start(0).value().wait().value(), 11);
}

TEST_F(ShutdownTest, ARuntimeThatWasNotStartedExplainsThat) {
  const pd::RunId id = shut_down_during(0);
  TestEngine engine(disk_);
  engine.serve(stopping);
  EXPECT_EQ(engine.runtime().explain(id).value(), "the runtime was not started: call start()");
  ASSERT_TRUE(engine.shutdown().has_value());
  EXPECT_TRUE(contains(engine.runtime().explain(id).value(), "does not work any more"));
}

pd::Task<int> race(pd::Context& ctx, int) {
  const auto both = co_await pd::as_result(
      ctx.all(ctx.step("slow",
                       [](pd::Step& step) {
                         const std::stop_callback stopped(step.stop_token(),
                                                          [] { world->trace.add("stop"); });
                         world->trace.add("slow");
                         world->door("slow").pass();
                         return 1;
                       }),
              ctx.step("fails", [](pd::Step&) -> pd::Result<int> {
                world->door("fail").pass();
                return pd::Error{pd::Code::refused, "first"};
              })));
  co_return both ? 1 : 2;
}
inline constexpr pd::Agent racing{"racing", &race};

TEST_F(ShutdownTest, ABodyThatWasAskedToStopAndHasNotReturnedIsExplained) {
  TestEngine engine(disk_);
  engine.start(racing);
  auto run = engine.runtime().session(racing, "s").start(0).value();
  world_.trace.wait_for("slow");
  const std::string before = engine.runtime().explain(run.id()).value();
  EXPECT_TRUE(before.starts_with("step 1.0 'slow' runs its attempt 1 or waits for a step thread"))
      << before;
  world_.door("fail").open();
  world_.trace.wait_for("stop");
  EXPECT_EQ(engine.runtime().explain(run.id()).value(),
            "step 1.0 'slow' was asked to stop and its body has not returned");
  world_.door("slow").open();
  EXPECT_EQ(run.wait().value(), 2);
  EXPECT_EQ(engine.runtime().explain(run.id()).value(), "it has ended: completed");
}

/// Whoever comes after the sessions have gone is told so, and does not wait for ever.
TEST_F(ShutdownTest, WhatIsPostedAfterTheSessionsHaveGoneIsRefused) {
  actors::SessionDirectory directory([](actors::SessionAddress) {
    ADD_FAILURE() << "no session is made any more";
    return std::shared_ptr<actors::SessionShell>();
  });
  directory.clear();
  std::vector<pd::Code> told;
  actors::Arrived start;
  start.reply = [&](const pd::Result<pd::RunId>& run) { told.push_back(run.error().code); };
  directory.post({}, std::move(start), actors::RunOn::scheduler);
  EXPECT_EQ(told, std::vector{pd::Code::closed});
  bool explained = false;
  actors::ExplainOrder explain;
  explain.reply = [&](const std::optional<std::string>& text) {
    EXPECT_FALSE(text.has_value());
    explained = true;
  };
  directory.post({}, std::move(explain), actors::RunOn::scheduler);
  EXPECT_TRUE(explained);
}

TEST_F(ShutdownTest, AnEndedRunLeavesNobodyWaiting) {
  TestEngine engine(disk_);
  engine.start(stopping);
  world_.mode = 1;
  auto run = engine.runtime().session(stopping, "s").start(0).value();
  EXPECT_EQ(run.wait().value(), 11);
  int told = 0;
  for (int i = 0; i < 3; ++i)
    engine.engine().when_ended(run.id(), [&](const pd::Result<pd::Bytes>& reply) {
      EXPECT_TRUE(reply.has_value());
      ++told;
    });
  EXPECT_EQ(told, 3);
  EXPECT_EQ(engine.engine().watchers(), 0U);
}

}  // namespace
}  // namespace perdure::test
