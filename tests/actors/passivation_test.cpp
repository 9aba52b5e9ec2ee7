/// Frames of waiting runs, under a budget: what stays in memory, and that nothing is lost.
#include "tests/actors/engine_fixture.hpp"

namespace perdure::test {
namespace {

inline constexpr pd::Signal<int> go{"go"};

pd::Task<int> wait_deep(pd::Context& ctx, int depth) {
  std::array<char, 1024> room{};
  room[0] = static_cast<char>(depth);
  if (depth > 0) co_return co_await wait_deep(ctx, depth - 1) + room[0] - depth + 1;
  co_return co_await ctx.receive(go);
}
pd::Task<int> waiter_handler(pd::Context& ctx, int depth) {
  co_await ctx.step("begin", [](pd::Step&) { world->trace.add("begin"); });
  co_return co_await wait_deep(ctx, depth);
}
inline constexpr pd::Agent waiter{"waiter", &waiter_handler};

class PassivationTest : public EngineFixture {
 protected:
  /// As many runs as that wait, in frames of some 5 KiB each.
  std::vector<pd::Run<int>> start(TestEngine& engine, int count) {
    std::vector<pd::Run<int>> runs;
    for (int i = 0; i < count; ++i)
      runs.push_back(engine.runtime().session(waiter, std::to_string(i)).start(3).value());
    for (const pd::Run<int>& run : runs)
      while (disk_.head(run.id()).status != journal::RunStatus::waiting) std::this_thread::yield();
    // Who is chosen hears of it behind that.
    engine.settle();
    engine.settle();
    return runs;
  }
};

TEST_F(PassivationTest, FramesStayWithinTheirBudgetAndEveryRunGoesOn) {
  constexpr std::size_t kBudget = 64 << 10;
  TestEngine engine(disk_, {.frame_budget_bytes = kBudget});
  engine.start(waiter);
  std::vector<pd::Run<int>> runs = start(engine, 60);
  EXPECT_LE(engine.engine().frames().bytes(), kBudget);
  EXPECT_GT(engine.engine().frames().bytes(), kBudget / 2);
  EXPECT_LT(engine.engine().sessions_in_memory(), 30U);
  EXPECT_GE(engine.engine().sessions_in_memory(), 5U);
  for (int i = 0; i < 60; ++i)
    ASSERT_TRUE(engine.runtime().session(waiter, std::to_string(i)).send(go, i));
  for (int i = 0; i < 60; ++i) EXPECT_EQ(runs[static_cast<std::size_t>(i)].wait().value(), i + 3);
  engine.settle();
  EXPECT_EQ(engine.engine().frames().bytes(), 0U);
  EXPECT_EQ(world_.trace.count("begin"), 60U) << "no step ran again";
}

TEST_F(PassivationTest, OneOptionKeepsAllFrames) {
  TestEngine engine(disk_, {.frames = pd::Frames::keep, .frame_budget_bytes = 1});
  engine.start(waiter);
  std::vector<pd::Run<int>> runs = start(engine, 40);
  EXPECT_EQ(engine.engine().sessions_in_memory(), 40U);
  EXPECT_EQ(engine.engine().frames().bytes(), 0U) << "nothing is counted that is not limited";
}

TEST_F(PassivationTest, CountsAllFramesOfARun) {
  TestEngine engine(disk_, {.frame_budget_bytes = 1 << 20});
  engine.start(waiter);
  auto runs = start(engine, 1);
  const std::size_t shallow = engine.engine().frames().bytes();
  EXPECT_GT(shallow, 4U << 10U) << "four frames with a kilobyte each";
  EXPECT_LT(shallow, 16U << 10U);
}

}  // namespace
}  // namespace perdure::test
