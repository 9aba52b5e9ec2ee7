// The output gate, a full disk, a disk that fails.
#include "tests/actors/engine_fixture.hpp"

namespace perdure::test {
namespace {

pd::Task<int> two_steps(pd::Context& ctx, int start) {
  const int a = co_await ctx.step("one", [&](pd::Step&) {
    world->trace.add("one");
    world->door("one").pass();
    return start + 1;
  });
  co_return co_await ctx.step("two", [&](pd::Step&) {
    world->trace.add("two");
    return a + 1;
  });
}
inline constexpr pd::Agent stepping{"stepping", &two_steps};

pd::Task<int> many_steps(pd::Context& ctx, int count) {
  for (int i = 0; i < count; ++i)
    co_await ctx.all(ctx.step("a", [&](pd::Step&) { world->trace.add("body"); }),
                     ctx.step("b", [&](pd::Step&) { world->trace.add("body"); }));
  co_return count;
}
inline constexpr pd::Agent many{"many", &many_steps};

class StorageTest : public EngineFixture {};

TEST_F(StorageTest, WhileACommitIsHeldNothingNewBeginsAndNobodyIsTold) {
  TestEngine engine(disk_);
  engine.start(many);
  std::vector<pd::Run<int>> runs;
  for (int i = 0; i < 10; ++i)
    runs.push_back(engine.runtime().session(many, std::to_string(i)).start(20).value());
  for (int round = 0; round < 10; ++round) {
    disk_.store->hold_commits();
    if (std::ranges::all_of(runs, [](const auto& run) { return run.result().has_value(); })) break;
    disk_.store->wait_for_held_commit();
    // What was let out before may still begin; after it has, there is nothing that may.
    std::size_t quiet = 0;
    std::size_t seen = world_.trace.all().size();
    while (quiet < 200) {
      std::this_thread::yield();
      const std::size_t now = world_.trace.all().size();
      quiet = now == seen ? quiet + 1 : 0;
      seen = now;
    }
    std::size_t durable = 0;
    for (const auto& run : runs) durable += disk_.records(run.id()).size() - 1;
    // Each run may have both branches of the `all` under way that follows its durable results.
    EXPECT_LE(seen, durable + 2 * runs.size());
    disk_.store->release_commits();
  }
  disk_.store->release_commits();
  for (auto& run : runs) EXPECT_EQ(run.wait().value(), 20);
  EXPECT_EQ(world_.trace.count("body"), 400U);
}

TEST_F(StorageTest, AFullDiskRefusesNewWorkAndRunningWorkGoesOnWhenThereIsRoom) {
  TestEngine engine(disk_);
  engine.start(stepping);
  auto run = engine.runtime().session(stepping, "s").start(1).value();
  world_.trace.wait_for("one");
  disk_.store->fill_disk();
  world_.door("one").open();
  engine.wait_for_event(pd::EventKind::storage_full);
  const auto refused = engine.runtime().session(stepping, "new").start(1);
  ASSERT_TRUE(refused.has_error());
  EXPECT_EQ(refused.error().code, pd::Code::storage_full);
  EXPECT_EQ(refused.error().known_effect(), pd::ErrorEffect::refused);
  EXPECT_EQ(world_.trace.count("two"), 0U) << "the first result is not durable";
  EXPECT_FALSE(run.result().has_value());
  const std::string why = engine.runtime().explain(run.id()).value();
  EXPECT_TRUE(contains(why, "the disk is full")) << why;
  disk_.store->free_room();
  engine.wait_for_event(pd::EventKind::storage_recovered);
  EXPECT_EQ(run.wait().value(), 3);
  EXPECT_FALSE(contains(engine.runtime().explain(run.id()).value(), "full"));
  EXPECT_EQ(engine.runtime().session(stepping, "new").start(1).value().wait().value(), 3);
  EXPECT_TRUE(contains(disk_.records(run.id()).back(), "run_ended ok"));
}

TEST_F(StorageTest, ASlowDiskStopsOnlyWhatWaitsForItAndExplainSaysSo) {
  TestEngine engine(disk_);
  engine.start(stepping);
  std::vector<pd::Run<int>> runs;
  for (int i = 0; i < 4; ++i)
    runs.push_back(engine.runtime().session(stepping, std::to_string(i)).start(i).value());
  world_.trace.wait_for("one", 4);
  disk_.store->hold_commits();
  world_.door("one").open();
  disk_.store->wait_for_held_commit();
  // New work is taken on, and waits with the rest.
  std::thread caller([&] {
    EXPECT_EQ(engine.runtime().session(stepping, "new").start(9).value().wait().value(), 11);
  });
  std::string why;
  while (!contains(why, "the disk is slow: a commit has been under way for "))
    why = engine.runtime().explain(runs[0].id()).value();
  EXPECT_EQ(world_.trace.count("two"), 0U);
  for (const auto& run : runs) EXPECT_FALSE(run.result().has_value());
  disk_.store->release_commits();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(runs[static_cast<std::size_t>(i)].wait().value(), i + 2);
  caller.join();
}

TEST_F(StorageTest, AfterAFailedWriteNothingBeginsAndEverybodyIsTold) {
  std::vector<pd::RunId> ids;
  {
    TestEngine engine(disk_);
    engine.start(stepping);
    std::vector<std::thread> waiters;
    for (int i = 0; i < 6; ++i) {
      auto run = engine.runtime().session(stepping, std::to_string(i)).start(i).value();
      ids.push_back(run.id());
      waiters.emplace_back([run] {
        const auto reply = run.wait();
        EXPECT_EQ(reply.error().code, pd::Code::storage_failed);
      });
    }
    world_.trace.wait_for("one", 6);
    engine.die_at_commit(1);
    world_.door("one").open();
    for (std::thread& waiter : waiters) waiter.join();
    engine.wait_for_event(pd::EventKind::storage_failed);
    const auto refused = engine.runtime().session(stepping, "new").start(1);
    EXPECT_EQ(refused.error().code, pd::Code::storage_failed);
    const std::string why = engine.runtime().explain(ids[0]).value();
    EXPECT_TRUE(contains(why, "the runtime does not work any more: ")) << why;
    EXPECT_TRUE(engine.shutdown().has_error());
    EXPECT_EQ(std::ranges::count(engine.events(), pd::EventKind::storage_failed, &pd::Event::kind),
              1);
  }
  EXPECT_EQ(world_.trace.count("two"), 0U);
  TestEngine engine(disk_);
  engine.start(stepping);
  for (int i = 0; i < 6; ++i)
    EXPECT_EQ(engine.runtime().run<int>(ids[static_cast<std::size_t>(i)]).wait().value(), i + 2);
}

TEST_F(StorageTest, AShutdownWithAFullDiskEndsAndSaysWhatIsMissing) {
  pd::RunId id;
  {
    // Long enough for a step thread to come to its end, on a machine that has others to serve.
    TestEngine engine(disk_, {.shutdown_within = 500ms});
    engine.start(stepping);
    id = engine.runtime().session(stepping, "s").start(1).value().id();
    world_.trace.wait_for("one");
    disk_.store->fill_disk();
    world_.door("one").open();
    engine.wait_for_event(pd::EventKind::storage_full);
    const auto closed = engine.shutdown();
    ASSERT_TRUE(closed.has_error());
    EXPECT_EQ(closed.error().code, pd::Code::storage_full);
  }
  disk_.store->free_room();
  TestEngine engine(disk_);
  engine.start(stepping);
  EXPECT_EQ(engine.runtime().run<int>(id).wait().value(), 3);
  EXPECT_EQ(world_.trace.count("one"), 2U) << "its result could not be kept";
}

}  // namespace
}  // namespace perdure::test
