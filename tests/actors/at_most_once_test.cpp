// At most once, and steps that crash the process: what a crash in each window leads to.
#include "journal/verify.hpp"
#include "tests/actors/engine_fixture.hpp"

namespace perdure::test {
namespace {

/// Mode 0: waits at the door and gives a value. 1: is refused once. 2: fails when asked to stop,
/// effect unknown. 3: the same, refused.
pd::Task<std::string> pays(pd::Context& ctx, int) {
  const auto paid = co_await pd::as_result(ctx.step(
      "pay",
      [](pd::Step& step) -> pd::Result<int> {
        const std::stop_callback stopped(step.stop_token(), [] { world->trace.add("stop"); });
        world->trace.add("pay " + std::to_string(step.attempt()));
        if (world->mode == 1 && step.attempt() == 1)
          return pd::Error{pd::Code::user, "no", true, {}, pd::ErrorEffect::refused};
        if (world->mode >= 2) {
          world->trace.wait_for("stop");
          return pd::Error{world->mode == 3 ? pd::Code::refused : pd::Code::user,
                           "stopped half-way"};
        }
        world->door("pay").pass();
        return 9;
      },
      {.effect = pd::Effect::at_most_once, .retry = kPlainRetry}));
  co_return paid.has_value() ? "paid " + std::to_string(paid.assume_value())
                             : std::string(pd::to_string(paid.error().code));
}
inline constexpr pd::Agent paying{"paying", &pays};

class AtMostOnceTest : public EngineFixture {
 protected:
  /// The reply that the next process comes to.
  std::string next_life(const pd::RunId& id) {
    world_.door("pay").open();
    TestEngine engine(disk_);
    engine.start(paying);
    std::string reply = engine.runtime().run<std::string>(id).wait().value();
    EXPECT_TRUE(engine.shutdown().has_value());
    return reply;
  }
  std::size_t runs() const { return world_.trace.count("pay 1") + world_.trace.count("pay 2"); }
};

TEST_F(AtMostOnceTest, TheStartIsOnTheDiskBeforeTheBodyBegins) {
  TestEngine engine(disk_);
  engine.start(paying);
  world_.door("pay").open();
  const auto run = engine.runtime().session(paying, "s").start(0).value();
  EXPECT_EQ(run.wait().value(), "paid 9");
  EXPECT_EQ(disk_.records(run.id()), (Lines{"run_created", "step_started 1 'pay' #1",
                                            "step_result 1 'pay' ok", "run_ended ok"}));
}

TEST_F(AtMostOnceTest, ACrashWhileTheBodyRunsIsOutcomeUnknown) {
  pd::RunId id;
  {
    TestEngine engine(disk_);
    engine.start(paying);
    id = engine.runtime().session(paying, "s").start(0).value().id();
    world_.trace.wait_for("pay 1");
    engine.die_at_commit(0);
    world_.door("pay").open();
  }
  EXPECT_EQ(next_life(id), "outcome_unknown");
  EXPECT_EQ(runs(), 1U);
  EXPECT_EQ(disk_.records(id).back(), "run_ended ok") << "the handler decided";
}

TEST_F(AtMostOnceTest, ACrashThatLosesTheStartMeansThatNothingHappened) {
  {
    TestEngine engine(disk_);
    engine.start(paying);
    engine.die_at_commit(1);
    EXPECT_TRUE(engine.runtime().session(paying, "s").start(0).has_error());
  }
  EXPECT_EQ(runs(), 0U);
  TestEngine engine(disk_);
  engine.start(paying);
  world_.door("pay").open();
  EXPECT_EQ(engine.runtime().session(paying, "s").start(0).value().wait().value(), "paid 9");
  EXPECT_EQ(runs(), 1U);
}

TEST_F(AtMostOnceTest, ACrashBetweenTheRecordedStartAndTheBodyIsOutcomeUnknownToo) {
  {
    TestEngine engine(disk_);
    engine.start(paying);
    engine.die_at_commit(1, LastCommit::kept);
    EXPECT_TRUE(engine.runtime().session(paying, "s").start(0).has_error());
  }
  EXPECT_EQ(runs(), 0U);
  TestEngine engine(disk_);
  engine.start(paying);
  EXPECT_EQ(engine.runtime().session(paying, "s").start(0).value().wait().value(),
            "outcome_unknown");
  EXPECT_EQ(runs(), 0U) << "nobody can tell the two crashes apart";
}

TEST_F(AtMostOnceTest, ACrashThatLosesTheResultIsOutcomeUnknown) {
  pd::RunId id;
  {
    TestEngine engine(disk_);
    engine.start(paying);
    engine.die_at_commit(2);
    world_.door("pay").open();
    id = engine.runtime().session(paying, "s").start(0).value().id();
    engine.wait_for_event(pd::EventKind::storage_failed);
  }
  EXPECT_EQ(next_life(id), "outcome_unknown");
  EXPECT_EQ(runs(), 1U);
}

TEST_F(AtMostOnceTest, OnlyARefusedAttemptIsFollowedByAnotherAlsoAcrossACrash) {
  world_.mode = 1;
  pd::RunId id;
  {
    TestEngine engine(disk_);
    engine.start(paying);
    id = engine.runtime().session(paying, "s").start(0).value().id();
    while (disk_.due().empty()) std::this_thread::yield();
  }
  disk_.clock->advance(100ms);
  {
    TestEngine engine(disk_);
    engine.start(paying);
    engine.advance(0ms);
    world_.trace.wait_for("pay 2");
    // The start of attempt 2 is the journal's last word, and later than all before it.
    EXPECT_TRUE(journal::verify(*disk_.store).value().sound());
    engine.die_at_commit(0);
    world_.door("pay").open();
  }
  EXPECT_EQ(next_life(id), "outcome_unknown") << "attempt 2 had begun, whatever attempt 1 said";
  EXPECT_EQ(runs(), 2U);
}

TEST_F(AtMostOnceTest, AShutdownRecordsWhatAStoppedBodySays) {
  for (const int mode : {2, 3}) {
    disk_ = TestDisk{};
    world_.trace.clear();
    world_.mode = mode;
    pd::RunId id;
    {
      TestEngine engine(disk_);
      engine.start(paying);
      id = engine.runtime().session(paying, "s").start(0).value().id();
      world_.trace.wait_for("pay 1");
      EXPECT_TRUE(engine.shutdown().has_value());
    }
    world_.mode = 0;
    // Refused: nothing happened, so it may run. Else what it said is its outcome.
    EXPECT_EQ(next_life(id), mode == 3 ? "paid 9" : "user");
    EXPECT_EQ(runs(), mode == 3 ? 2U : 1U);
  }
}

pd::Task<std::string> two_pay(pd::Context& ctx, int) {
  const auto both = co_await ctx.all(pays(ctx, 0), pays(ctx, 1));
  co_return std::get<0>(both) + ", " + std::get<1>(both);
}
inline constexpr pd::Agent two_paying{"two-paying", &two_pay};

TEST_F(AtMostOnceTest, ABodyThatWaitedForAThreadAtShutdownHasNotRun) {
  pd::RunId id;
  {
    TestEngine engine(disk_, {.step_threads = 1});
    engine.start(two_paying);
    id = engine.runtime().session(two_paying, "s").start(0).value().id();
    world_.trace.wait_for("pay 1");
    std::thread opener([this] {
      world_.trace.wait_for("stop");
      world_.door("pay").open();
    });
    EXPECT_TRUE(engine.shutdown().has_value());
    opener.join();
  }
  // The second may have begun between the stop of the first and that of the pool.
  EXPECT_LE(runs(), 2U);
  TestEngine engine(disk_);
  engine.start(two_paying);
  EXPECT_EQ(engine.runtime().run<std::string>(id).wait().value(), "paid 9, paid 9");
  EXPECT_EQ(runs(), 2U);
}

pd::Task<int> crashes(pd::Context& ctx, int) {
  const int a = co_await ctx.step("harmless", [](pd::Step&) { return 1; });
  co_return co_await ctx.step("crashes", [&](pd::Step& step) {
    world->trace.add("crashes " + std::to_string(step.attempt()));
    world->door("crash").pass();
    return a + 1;
  });
}
inline constexpr pd::Agent crashing{"crashing", &crashes};

class PoisonTest : public EngineFixture {
 protected:
  /// One process that dies (or ends cleanly, which the body does not notice) while `crashes` runs
  /// its attempt `attempt`.
  void life(int attempt) {
    World& here = *world;
    TestEngine engine(disk_);
    engine.start(crashing);
    if (id_ == pd::RunId{}) id_ = engine.runtime().session(crashing, "s").start(0).value().id();
    here.trace.wait_for("crashes " + std::to_string(attempt));
    engine.die_at_commit(0);
    here.door("crash").open();
  }
  void three_crashes() {
    for (const int attempt : {1, 2, 3}) {
      World fresh;
      world = &fresh;
      life(attempt);
    }
    world = &world_;
  }
  /// One process that parks the run, durably.
  void parks() {
    TestEngine engine(disk_);
    engine.start(crashing);
    engine.wait_for_event(pd::EventKind::run_parked);
    ASSERT_TRUE(engine.shutdown().has_value());
  }
  pd::RunId id_;
};

TEST_F(PoisonTest, ThreeUncleanEndsInOneStepParkTheRun) {
  three_crashes();
  {
    TestEngine engine(disk_);
    engine.start(crashing);
    engine.wait_for_event(pd::EventKind::run_parked);
    EXPECT_EQ(engine.events().at(0).error.code, pd::Code::suspected_crash);
    EXPECT_EQ(engine.events().at(0).run, id_);
    while (disk_.head(id_).status != journal::RunStatus::parked) std::this_thread::yield();
    const std::string why = engine.runtime().explain(id_).value();
    EXPECT_TRUE(
        contains(why, "it is parked (suspected_crash): step 2 'crashes' was unfinished at 3"))
        << why;
    ASSERT_TRUE(engine.shutdown().has_value());
  }
  // It stays parked, without another word in the journal.
  TestEngine engine(disk_);
  engine.start(crashing);
  engine.wait_for_event(pd::EventKind::run_parked);
  engine.settle();
  EXPECT_EQ(engine.commits(), 0U);
  EXPECT_EQ(world_.trace.all().size(), 0U) << "the body did not run";
}

TEST_F(PoisonTest, ARepairedStepRunsAgainWhenTheRuntimeIsToldSo) {
  three_crashes();
  parks();
  world_.door("crash").open();
  TestEngine engine(disk_, {.suspected_crashes = pd::SuspectedCrashes::run_again});
  engine.start(crashing);
  EXPECT_EQ(engine.runtime().run<int>(id_).wait().value(), 2);
  EXPECT_TRUE(engine.events().empty());
}

TEST_F(PoisonTest, ToldToRunAgainItCountsFromZero) {
  three_crashes();
  parks();
  {
    TestEngine engine(disk_, {.suspected_crashes = pd::SuspectedCrashes::run_again});
    engine.start(crashing);
    while (world_.trace.all().empty()) std::this_thread::yield();
    engine.die_at_commit(0);
    world_.door("crash").open();
  }
  TestEngine engine(disk_);
  engine.start(crashing);
  EXPECT_EQ(engine.runtime().run<int>(id_).wait().value(), 2);
}

pd::Task<int> stops(pd::Context& ctx, int) {
  co_return co_await ctx.step("stops", [](pd::Step& step) -> pd::Result<int> {
    const std::stop_callback stopped(step.stop_token(), [] { world->trace.add("stop"); });
    world->trace.add("began");
    if (world->mode == 1) return 1;
    world->trace.wait_for("stop");
    return pd::Error{pd::Code::cancelled, "asked to stop"};
  });
}
inline constexpr pd::Agent stopping{"stopping", &stops};

TEST_F(PoisonTest, CleanEndsDoNotCountAndBreakTheRow) {
  enum class End { clean, crash };
  std::vector<std::uint32_t> counted;
  for (const End end : {End::clean, End::crash, End::crash, End::clean, End::crash, End::crash}) {
    world_.trace.clear();
    // A crash asks its bodies to stop too, so that the test's process can go on.
    TestEngine engine(disk_);
    engine.start(stopping);
    if (id_ == pd::RunId{}) id_ = engine.runtime().session(stopping, "s").start(0).value().id();
    world_.trace.wait_for("began");
    const auto rows = disk_.attempts(id_);
    counted.push_back(rows.empty() ? 0 : rows[0].unclean_ends);
    if (end == End::clean) EXPECT_TRUE(engine.shutdown().has_value());
  }
  // What each process found, and wrote before its body began.
  EXPECT_EQ(counted, (std::vector<std::uint32_t>{0, 0, 1, 2, 0, 1}));
  world_.mode = 1;
  TestEngine engine(disk_);
  engine.start(stopping);
  EXPECT_EQ(engine.runtime().run<int>(id_).wait().value(), 1);
}

}  // namespace
}  // namespace perdure::test
