/// State: committed with the step, never from the future on replay.
#include "tests/actors/engine_fixture.hpp"

namespace perdure::test {
namespace {

inline constexpr pd::State<std::vector<std::string>> items{"items"};
inline constexpr pd::State<int> total{"total"};

pd::Task<int> add_item(pd::Context& ctx, std::string sku) {
  auto all = ctx.get(items);
  all.push_back(sku);
  ctx.set(items, all);
  co_return static_cast<int>(all.size());
}
pd::Task<void> clear_items(pd::Context& ctx, int) {
  ctx.erase(items);
  co_return;
}
/// Reads, steps, writes, steps: on replay the first read must not see the write.
pd::Task<std::string> count_up(pd::Context& ctx, int) {
  const int before = ctx.get(total);
  co_await ctx.step("one", [](pd::Step&) { world->trace.add("one"); });
  ctx.set(total, before + 1);
  co_await ctx.step("two", [](pd::Step&) {
    world->trace.add("two");
    world->door("two").pass();
  });
  co_return std::to_string(before) + " " + std::to_string(ctx.get(total));
}
pd::Task<int> fail_after_writing(pd::Context& ctx, int value) {
  ctx.set(total, value);
  co_return pd::Error{pd::Code::user, "failed"};
}
pd::Task<int> throw_after_writing(pd::Context& ctx, int value) {
  co_await ctx.step("begin", [](pd::Step&) {});
  ctx.set(total, value);
  if (world->mode == 0) throw std::runtime_error("a bug");
  co_return ctx.get(total);
}
int how_many(const pd::View& view, int) { return static_cast<int>(view.get(items).size()); }
pd::Result<int> total_or_refuse(const pd::View& view, int) {
  const std::optional<int> value = view.find(total);
  if (!value) return pd::Error{pd::Code::refused, "nothing was counted"};
  return *value;
}

inline constexpr pd::Handler add{"add", &add_item};
inline constexpr pd::Handler clear{"clear", &clear_items};
inline constexpr pd::Handler count{"count", &count_up};
inline constexpr pd::Handler failing{"failing", &fail_after_writing};
inline constexpr pd::Handler throwing{"throwing", &throw_after_writing};
inline constexpr pd::Query size{"size", &how_many};
inline constexpr pd::Query counted{"counted", &total_or_refuse};
inline constexpr pd::Agent cart{"cart", add, clear, count, failing, throwing, size, counted};

using StateTest = EngineFixture;

TEST_F(StateTest, LivesFromRunToRunAndFromProcessToProcess) {
  {
    TestEngine engine(disk_);
    engine.start(cart);
    auto session = engine.runtime().session(cart, "c");
    EXPECT_EQ(session.call(add, "a").value(), 1);
    EXPECT_EQ(session.call(add, "b").value(), 2);
  }
  TestEngine engine(disk_);
  engine.start(cart);
  auto session = engine.runtime().session(cart, "c");
  EXPECT_EQ(session.call(add, "c").value(), 3);
  EXPECT_TRUE(session.call(clear, 0).has_value());
  EXPECT_EQ(session.call(add, "d").value(), 1);
  EXPECT_EQ(engine.runtime().session(cart, "other").call(add, "x").value(), 1);
}

TEST_F(StateTest, AReplayReadsWhatTheRunFoundAndNotWhatItWroteLater) {
  pd::RunId id;
  {
    TestEngine engine(disk_);
    engine.start(cart);
    id = engine.runtime().session(cart, "c").send(count, 0).value().id();
    world_.trace.wait_for("two");
    // It has read 0, written 1, and dies in its second step.
    engine.die_at_commit(0);
    world_.door("two").open();
  }
  TestEngine engine(disk_);
  engine.start(cart);
  EXPECT_EQ(engine.runtime().run<std::string>(id).wait().value(), "0 1");
  EXPECT_EQ(world_.trace.count("one"), 1U);
  EXPECT_EQ(engine.runtime().session(cart, "c").query(counted, 0).value(), 1);
}

TEST_F(StateTest, WhatAFailedRunWroteStays) {
  TestEngine engine(disk_);
  engine.start(cart);
  auto session = engine.runtime().session(cart, "c");
  EXPECT_FALSE(session.call(failing, 7));
  EXPECT_EQ(session.query(counted, 0).value(), 7);
}

TEST_F(StateTest, WhatLedToAParkIsNotWrittenUntilRepairedCodeWritesIt) {
  pd::RunId id;
  {
    TestEngine engine(disk_);
    engine.start(cart);
    id = engine.runtime().session(cart, "c").send(throwing, 5).value().id();
    engine.wait_for_event(pd::EventKind::run_parked);
    EXPECT_EQ(engine.runtime().session(cart, "c").query(counted, 0).error().code,
              pd::Code::refused);
    ASSERT_TRUE(engine.shutdown());
  }
  world_.mode = 1;
  TestEngine engine(disk_);
  engine.start(cart);
  EXPECT_EQ(engine.runtime().run<int>(id).wait().value(), 5);
  EXPECT_EQ(engine.runtime().session(cart, "c").query(counted, 0).value(), 5);
}

TEST_F(StateTest, AQueryIsAnsweredWhileARunIsUnderWay) {
  TestEngine engine(disk_);
  engine.start(cart);
  auto session = engine.runtime().session(cart, "c");
  EXPECT_EQ(session.query(size, 0).value(), 0) << "nothing was ever sent to it";
  auto run = session.send(count, 0).value();
  world_.trace.wait_for("two");
  EXPECT_EQ(session.query(counted, 0).value(), 1);
  world_.door("two").open();
  EXPECT_TRUE(run.wait());
}

TEST_F(StateTest, IsCountedOnceWhereverTheProcessDies) {
  for (const LastCommit last : {LastCommit::lost, LastCommit::kept}) {
    for (std::uint64_t death = 1; death <= 12; ++death) {
      TestDisk disk;
      World fresh;
      world = &fresh;
      fresh.door("two").open();
      int acknowledged = 0;
      {
        TestEngine engine(disk);
        engine.start(cart);
        auto session = engine.runtime().session(cart, "c");
        engine.die_at_commit(death, last);
        for (int i = 0; i < 3; ++i)
          if (session.send(count, 0, {.key = std::to_string(i)})) ++acknowledged;
      }
      TestEngine engine(disk);
      engine.start(cart);
      auto session = engine.runtime().session(cart, "c");
      for (int i = 0; i < 3; ++i)
        EXPECT_EQ(session.call(count, 0, {.key = std::to_string(i)}).value(),
                  std::to_string(i) + " " + std::to_string(i + 1))
            << "death at commit " << death << ", acknowledged " << acknowledged;
      EXPECT_EQ(session.query(counted, 0).value(), 3);
    }
  }
  world = &world_;
}

}  // namespace
}  // namespace perdure::test
