// Transactions on many threads, on disks that commit late, not at all, or no more.
#include "tests/actors/engine_fixture.hpp"

namespace perdure::test {
namespace {

inline constexpr pd::Table<std::string, int> counters{"counters"};

pd::Result<int> add_one(pd::Transaction& rows) {
  PERDURE_TRY(const std::optional<int> before, rows.get(counters, "hot"));
  world->trace.add("read");
  world->door("read").pass();
  const int now = before.value_or(0) + 1;
  PERDURE_TRY(rows.put(counters, "hot", now));
  return now;
}

pd::Task<int> count_up(pd::Context& ctx, int times) {
  int last = 0;
  for (int i = 0; i < times; ++i) last = co_await ctx.transact("count", &add_one);
  co_return last;
}
inline constexpr pd::Agent counting{"counting", &count_up};

class TransactionsStorageTest : public EngineFixture {
 protected:
  static int hot(TestEngine& engine) {
    return engine.runtime().rows(counters).get("hot").value().value_or(0);
  }
  static void expect_sound(const TestDisk& disk) { EXPECT_EQ(disk.view().damage(), ""); }
};

/// Each waits for what stood against it to be durable, which an interval delays.
TEST_F(TransactionsStorageTest, OfManySessionsAddUpInAnIntervalToo) {
  world_.door("read").open();
  for (const pd::Durability durability : {pd::Durability::full, pd::Durability::interval}) {
    TestDisk disk;
    {
      TestEngine engine(disk, {.durability = durability, .commit_interval = 1ms});
      engine.start(counting);
      std::vector<pd::Run<int>> runs;
      for (int i = 0; i < 4; ++i)
        runs.push_back(engine.runtime().session(counting, std::to_string(i)).start(10).value());
      for (auto& run : runs) EXPECT_TRUE(run.wait().has_value());
      EXPECT_EQ(hot(engine), 40);
      ASSERT_TRUE(engine.shutdown().has_value());
    }
    expect_sound(disk);
    TestEngine next(disk);
    next.start(counting);
    EXPECT_EQ(hot(next), 40);
  }
}

TEST_F(TransactionsStorageTest, WaitsForRoomAndIsThereOnce) {
  TestEngine engine(disk_);
  engine.start(counting);
  auto run = engine.runtime().session(counting, "s").start(2).value();
  world_.trace.wait_for("read");
  disk_.store->fill_disk();
  world_.door("read").open();
  engine.wait_for_event(pd::EventKind::storage_full);
  EXPECT_FALSE(run.result().has_value());
  EXPECT_EQ(hot(engine), 0) << "what is not durable is not there";
  EXPECT_EQ(world_.trace.count("read"), 1U) << "the next one begins behind it";
  disk_.store->free_room();
  EXPECT_EQ(run.wait().value(), 2);
  EXPECT_EQ(hot(engine), 2);
  ASSERT_TRUE(engine.shutdown().has_value());
  expect_sound(disk_);
}

/// Its record and its rows are one commit.
TEST_F(TransactionsStorageTest, HappensOnceWhereverItsProcessDies) {
  world_.door("read").open();
  for (const LastCommit what : {LastCommit::lost, LastCommit::kept}) {
    bool died = true;
    for (std::uint64_t commit = 1; died; ++commit) {
      TestDisk disk;
      {
        TestEngine engine(disk);
        engine.serve(counting);
        engine.die_at_commit(commit, what);
        engine.start();
        const auto run = engine.runtime().session(counting, "s").start(3);
        died = run.has_error() || run.value().wait().has_error();
      }
      TestEngine next(disk);
      next.start(counting);
      EXPECT_EQ(next.runtime().session(counting, "s").start(3).value().wait().value(), 3);
      EXPECT_EQ(hot(next), 3) << "died at commit " << commit;
      ASSERT_TRUE(next.shutdown().has_value());
      expect_sound(disk);
      ASSERT_LT(commit, 100U);
    }
  }
}

}  // namespace
}  // namespace perdure::test
