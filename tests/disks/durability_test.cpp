// What each durability mode may lose, and what it may not, on a disk in memory that loses what was
// not synced when the power goes.
#include "tests/actors/engine_fixture.hpp"

#include "core/random.hpp"

#include <algorithm>

namespace perdure::test {
namespace {

/// An interval that no test lives to see: only shutdowns and who waits outside set off commits.
constexpr std::chrono::hours kNever{24};

/// A mode of the world in which the first step waits at a door until its start has returned: the
/// commit that the start waits for holds whatever the run has done by then.
constexpr int kStepsFollowTheStart = 1;

pd::Task<int> ten_steps(pd::Context& ctx, int start) {
  int sum = start;
  for (int i = 0; i < 10; ++i) {
    const std::string name = "step " + std::to_string(i);
    sum += co_await ctx.step(name, [&](pd::Step&) {
      if (i == 0 && world->mode == kStepsFollowTheStart) world->door("started").pass();
      world->trace.add(name);
      return i;
    });
  }
  co_return sum;
}
inline constexpr pd::Agent ten{"ten", &ten_steps};

pd::Task<int> charging(pd::Context& ctx, int start) {
  const int before = co_await ctx.step("before", [&](pd::Step&) {
    world->trace.add("before");
    return start;
  });
  const int charged = co_await ctx.step("charge",
                                        [&](pd::Step&) {
                                          world->trace.add("charge");
                                          world->door("charge").pass();
                                          return before + 1;
                                        },
                                        {.effect = pd::Effect::at_most_once});
  co_return co_await ctx.step("after", [&](pd::Step&) {
    world->trace.add("after");
    return charged + 1;
  });
}
inline constexpr pd::Agent charger{"charger", &charging};

pd::Task<int> fails_once(pd::Context& ctx, int start) {
  co_return co_await ctx.step("flaky",
                              [&](pd::Step& step) -> pd::Result<int> {
                                world->trace.add("flaky");
                                if (step.attempt() == 1)
                                  return pd::Error{.code = pd::Code::user,
                                                   .message = "not now",
                                                   .retryable = true,
                                                   .retry_after = {},
                                                   .effect = pd::ErrorEffect::refused};
                                return start;
                              },
                              {.retry = kPlainRetry});
}
inline constexpr pd::Agent flaky{"flaky", &fails_once};

class DurabilityTest : public EngineFixture {
 protected:
  static pd::RuntimeOptions with(pd::Durability durability,
                                 std::chrono::milliseconds interval = kNever) {
    pd::RuntimeOptions options;
    options.durability = durability;
    options.commit_interval = interval;
    return options;
  }
  std::size_t recorded(const pd::RunId& id) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        disk_.records(id),
        [](const std::string& line) { return line.starts_with("step_result"); }));
  }
};

TEST_F(DurabilityTest, FullLosesNothingWhenThePowerGoes) {
  std::vector<pd::RunId> ids;
  {
    TestEngine engine(disk_, with(pd::Durability::full));
    engine.start(ten);
    for (int i = 0; i < 3; ++i) {
      auto run = engine.runtime().session(ten, std::to_string(i)).start(i).value();
      EXPECT_EQ(run.wait().value(), 45 + i);
      ids.push_back(run.id());
    }
  }
  disk_.store->power_loss();
  for (const pd::RunId& id : ids) EXPECT_EQ(recorded(id), 10U);
}

TEST_F(DurabilityTest, NoneLosesNothingWhenTheProcessDies) {
  pd::RunId id;
  {
    TestEngine engine(disk_, with(pd::Durability::none));
    engine.start(ten);
    auto run = engine.runtime().session(ten, "s").start(0).value();
    EXPECT_EQ(run.wait().value(), 45);
    id = run.id();
  }
  EXPECT_TRUE(contains(disk_.records(id).back(), "run_ended ok"));
}

TEST_F(DurabilityTest, NoneWaitsForTheWriteBeforeAnythingLeaves) {
  TestEngine engine(disk_, with(pd::Durability::none));
  engine.start(ten);
  const auto run = engine.runtime().session(ten, "s").start(0).value();
  for (int i = 1; i < 10; ++i) {
    world_.trace.wait_for("step " + std::to_string(i));
    EXPECT_GE(recorded(run.id()), static_cast<std::size_t>(i));
  }
}

TEST_F(DurabilityTest, NoneLosesTheNewestWhenThePowerGoesAndNothingThatWasSynced) {
  pd::RunId early;
  {
    TestEngine engine(disk_, with(pd::Durability::none));
    engine.start(ten);
    auto run = engine.runtime().session(ten, "early").start(0).value();
    EXPECT_EQ(run.wait().value(), 45);
    early = run.id();
    EXPECT_TRUE(engine.shutdown());
  }
  disk_.store->power_loss();
  EXPECT_EQ(recorded(early), 10U) << "a clean end syncs";
  pd::RunId late;
  {
    TestEngine engine(disk_, with(pd::Durability::none));
    engine.start(ten);
    auto run = engine.runtime().session(ten, "late").start(0).value();
    EXPECT_EQ(run.wait().value(), 45);
    late = run.id();
  }
  disk_.store->power_loss();
  EXPECT_FALSE(disk_.read().head(late).value().has_value());
  EXPECT_EQ(recorded(early), 10U) << "what is lost is the newest";
}

TEST_F(DurabilityTest, IntervalLetsStepsFollowEachOtherWithoutACommit) {
  TestEngine engine(disk_, with(pd::Durability::interval));
  engine.start(ten);
  world_.mode = kStepsFollowTheStart;
  auto run = engine.runtime().session(ten, "s").start(0).value();
  world_.door("started").open();
  EXPECT_EQ(disk_.head(run.id()).count >= 1, true) << "a start that returned is durable";
  world_.trace.wait_for("step 9");
  engine.settle();
  EXPECT_LE(engine.commits(), 1U) << "the start's";
  EXPECT_FALSE(run.result().has_value()) << "its end is not durable";
  EXPECT_TRUE(engine.shutdown());
  // Whether the handler had still taken the last result, and ended, is the shutdown's luck.
  EXPECT_EQ(recorded(run.id()), 10U) << "a shutdown commits what is held";
}

TEST_F(DurabilityTest, IntervalLosesTheStepsOfTheLastIntervalAndTheyRunAgain) {
  pd::RunId id;
  std::size_t kept = 0;
  {
    TestEngine engine(disk_, with(pd::Durability::interval));
    engine.start(ten);
    world_.mode = kStepsFollowTheStart;
    id = engine.runtime().session(ten, "s").start(0).value().id();
    world_.door("started").open();
    world_.trace.wait_for("step 9");
  }
  disk_.store->power_loss();
  kept = recorded(id);
  EXPECT_LT(kept, 9U) << "steps ran whose predecessors are lost";
  world_.trace.clear();
  TestEngine engine(disk_, with(pd::Durability::full));
  engine.start(ten);
  EXPECT_EQ(engine.runtime().run<int>(id).wait().value(), 45);
  for (std::size_t i = 0; i < 10; ++i)
    EXPECT_EQ(world_.trace.count("step " + std::to_string(i)), i < kept ? 0U : 1U)
        << "the journal is a prefix of what happened";
}

TEST_F(DurabilityTest, IntervalTellsWhoWaitsOnlyWhatIsDurable) {
  TestEngine engine(disk_, with(pd::Durability::interval, 1ms));
  engine.start(ten);
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller)
    callers.emplace_back([&, caller] {
      for (int i = 0; i < 10; ++i) {
        const std::string key = std::to_string(caller) + "/" + std::to_string(i);
        auto run = engine.runtime().session(ten, key).start(i).value();
        EXPECT_GE(disk_.head(run.id()).count, 1U);
        EXPECT_EQ(run.wait().value(), 45 + i);
        EXPECT_EQ(disk_.head(run.id()).status, journal::RunStatus::completed);
      }
    });
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(disk_.store->figures().syncs, disk_.store->figures().commits);
}

TEST_F(DurabilityTest, IntervalAnswersASecondStartWithoutWaitingForTheInterval) {
  TestEngine engine(disk_, with(pd::Durability::interval));
  engine.start(ten);
  const auto session = engine.runtime().session(ten, "s");
  const auto run = session.start(0).value();
  world_.trace.wait_for("step 5");
  EXPECT_EQ(session.start(0).value().id(), run.id());
  world_.trace.wait_for("step 9");
  engine.settle();
  EXPECT_EQ(session.start(0).value().id(), run.id()) << "read from the journal, or from memory";
  EXPECT_EQ(session.start(1).error().code, pd::Code::already_started);
}

TEST_F(DurabilityTest, IntervalNeverRunsAtMostOnceTwice) {
  pd::RunId id;
  {
    TestEngine engine(disk_, with(pd::Durability::interval));
    engine.start(charger);
    disk_.store->hold_commits();
    std::thread starter([&] { id = engine.runtime().session(charger, "s").start(1).value().id(); });
    world_.trace.wait_for("before");
    disk_.store->wait_for_held_commit();
    EXPECT_EQ(world_.trace.count("charge"), 0U) << "that it begins is not durable";
    disk_.store->release_commits();
    starter.join();
    world_.trace.wait_for("charge");
    world_.door("charge").open();
    world_.trace.wait_for("after");
  }
  disk_.store->power_loss();
  TestEngine engine(disk_);
  engine.start(charger);
  EXPECT_EQ(engine.runtime().run<int>(id).wait().error().code, pd::Code::outcome_unknown);
  EXPECT_EQ(world_.trace.count("charge"), 1U);
}

TEST_F(DurabilityTest, IntervalCountsCrashesOfAStepBeforeItRunsAgain) {
  {
    TestEngine engine(disk_, with(pd::Durability::full));
    engine.start(ten);
    // The first commit is the run's creation, which the start waits for.
    engine.die_at_commit(4);
    (void)engine.runtime().session(ten, "s").start(0).value();
    engine.wait_for_event(pd::EventKind::storage_failed);
  }
  world_.trace.clear();
  TestEngine engine(disk_, with(pd::Durability::interval));
  disk_.store->hold_commits();
  engine.start(ten);
  disk_.store->wait_for_held_commit();
  EXPECT_TRUE(world_.trace.all().empty()) << "that it begins once more is not durable";
  disk_.store->release_commits();
  world_.trace.wait_for("step 9");
}

TEST_F(DurabilityTest, IntervalArmsARetryWhenItsRowIsDurable) {
  TestEngine engine(disk_, with(pd::Durability::interval, 1ms));
  engine.start(flaky);
  auto run = engine.runtime().session(flaky, "s").start(7).value();
  world_.trace.wait_for("flaky");
  while (disk_.due().empty()) std::this_thread::yield();
  while (!run.result()) engine.advance(1s);
  EXPECT_EQ(run.wait().value(), 7);
  EXPECT_EQ(world_.trace.count("flaky"), 2U);
}

TEST_F(DurabilityTest, IntervalStopsAtAFullDiskAndGoesOnWhenThereIsRoom) {
  TestEngine engine(disk_, with(pd::Durability::interval, 1ms));
  engine.start(charger, ten);
  auto run = engine.runtime().session(charger, "s").start(1).value();
  world_.trace.wait_for("charge");
  disk_.store->fill_disk();
  world_.door("charge").open();
  engine.wait_for_event(pd::EventKind::storage_full);
  EXPECT_EQ(engine.runtime().session(ten, "new").start(0).error().code, pd::Code::storage_full);
  EXPECT_FALSE(run.result().has_value());
  disk_.store->free_room();
  engine.wait_for_event(pd::EventKind::storage_recovered);
  EXPECT_EQ(run.wait().value(), 3);
}

TEST_F(DurabilityTest, IntervalEndsLoudlyWithAFailedSync) {
  pd::RunId id;
  {
    TestEngine engine(disk_, with(pd::Durability::interval, 1ms));
    engine.start(charger);
    const auto run = engine.runtime().session(charger, "s").start(1).value();
    id = run.id();
    world_.trace.wait_for("charge");
    disk_.store->order_fault(journal::MemoryFault::sync_failed);
    world_.door("charge").open();
    EXPECT_EQ(run.wait().error().code, pd::Code::storage_failed);
    engine.wait_for_event(pd::EventKind::storage_failed);
    EXPECT_EQ(engine.shutdown().error().code, pd::Code::storage_failed);
  }
  disk_.store->power_loss();
  disk_.store->restart();
  TestEngine engine(disk_);
  engine.start(charger);
  EXPECT_EQ(engine.runtime().run<int>(id).wait().error().code, pd::Code::outcome_unknown);
  EXPECT_EQ(world_.trace.count("charge"), 1U);
}

/// Lives that end at random commits until all runs have ended: what was acknowledged stays.
TEST_F(DurabilityTest, IntervalSurvivesDeathAtRandomCommits) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    TestDisk disk;
    core::SeededRandom random(seed);
    std::map<int, pd::RunId> started;
    std::map<int, int> ended;
    for (int life = 0; life < 100 && ended.size() < 4; ++life) {
      pd::RuntimeOptions options = with(pd::Durability::interval, 1ms);
      options.suspected_crashes = pd::SuspectedCrashes::run_again;
      TestEngine engine(disk, std::move(options));
      engine.start(ten);
      engine.die_at_commit(1 + random.next() % 4,
                           random.next() % 2 == 0 ? LastCommit::lost : LastCommit::kept);
      for (int i = 0; i < 4; ++i) {
        const auto run = engine.runtime().session(ten, std::to_string(i)).start(i);
        if (!run) break;
        const auto known = started.emplace(i, run.value().id());
        EXPECT_EQ(known.first->second, run.value().id()) << "a start that returned was lost";
        // A step that saw many of these ends is suspected of them: the next life runs it again.
        const auto reply = run.value().wait({.within = 200ms});
        if (!reply) break;
        EXPECT_EQ(reply.value(), 45 + i);
        ended[i] = reply.value();
      }
    }
    EXPECT_EQ(ended.size(), 4U);
    for (const auto& [i, id] : started)
      EXPECT_EQ(disk.head(id).status, journal::RunStatus::completed);
  }
}

}  // namespace
}  // namespace perdure::test
