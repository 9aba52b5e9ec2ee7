// Looking at a run without waiting.
#include "tests/support/test_engine.hpp"

#include <gtest/gtest.h>

namespace perdure::test {
namespace {

namespace pd = perdure;

pd::Task<int> echo(pd::Context& ctx, int number) {
  co_return co_await ctx.step("echo",
                              [&](pd::Step&) -> pd::Result<int> {
                                if (number < 0)
                                  return pd::Error{
                                      pd::Code::timeout, "the far side took too long", {}, {}, {}};
                                return number;
                              },
                              {.retry = {.attempts_max = 1}});
}
inline constexpr pd::Agent echoing{"echoing", &echo};

TEST(Result, IsEmptyUntilTheEndAndNeverTheTimeoutOfLooking) {
  TestDisk disk;
  TestEngine engine(disk);
  engine.start(echoing);
  for (int i = 0; i < 200; ++i) {
    auto run = engine.runtime().session(echoing, std::to_string(i)).start(i).value();
    std::optional<pd::Result<int>> seen;
    while (!(seen = run.result())) {
    }
    ASSERT_TRUE(seen->has_value()) << seen->error().to_string();
    EXPECT_EQ(seen->value(), i);
  }
}

TEST(Result, GivesATimeoutThatTheRunEndedWith) {
  TestDisk disk;
  TestEngine engine(disk);
  engine.start(echoing);
  auto run = engine.runtime().session(echoing, "late").start(-1).value();
  (void)run.wait();
  const std::optional<pd::Result<int>> seen = run.result();
  ASSERT_TRUE(seen.has_value());
  EXPECT_EQ(seen->error().message, "the far side took too long");
}

}  // namespace
}  // namespace perdure::test
