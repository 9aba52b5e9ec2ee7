// any, race, map and catch_cancelled, with bodies on threads: who wins, and who waits for whom.
#include "tests/actors/engine_fixture.hpp"

#include <memory>
#include <ranges>

namespace perdure::test {
namespace {

class BranchesTest : public EngineFixture {
 protected:
  template <class A>
  auto run(const A& agent, int input) {
    TestDisk disk;
    TestEngine engine(disk);
    engine.start(agent);
    return engine.runtime().session(agent, "s").start(input).value().wait();
  }
};

/// A branch with a local, whose body waits at a door and then does what the door's name says.
pd::Task<std::string> at_door(pd::Context& ctx, std::string name) {
  const Local local(name);
  const std::string value =
      co_await ctx.step(name,
                        [&](pd::Step& step) -> pd::Result<std::string> {
                          const std::stop_callback stopped(
                              step.stop_token(), [&] { world->trace.add("stop " + name); });
                          world->trace.add("began " + name);
                          world->door(name).pass();
                          if (name.starts_with("bad")) return pd::Error{pd::Code::user, name};
                          return "value of " + name;
                        },
                        {.retry = kNoRetry});
  world->trace.add(name + " went on");
  co_return value;
}

pd::Task<std::string> first_of_three(pd::Context& ctx, int) {
  const auto won =
      co_await ctx.any(at_door(ctx, "bad"), at_door(ctx, "good"), at_door(ctx, "late"));
  world->trace.add("any ended");
  co_return std::to_string(won.index()) + " " + std::get<1>(won);
}
inline constexpr pd::Agent choosing{"choosing", &first_of_three};

TEST_F(BranchesTest, AnyEndsWithTheFirstSuccessWhenTheLosersHaveEnded) {
  TestEngine engine(disk_);
  engine.start(choosing);
  auto run = engine.runtime().session(choosing, "s").start(0).value();
  for (const char* name : {"bad", "good", "late"})
    world_.trace.wait_for(std::string("began ") + name);
  world_.door("bad").open();
  world_.trace.wait_for("~bad");
  EXPECT_EQ(world_.trace.count("stop good") + world_.trace.count("stop late"), 0U)
      << "a failure decides nothing";
  world_.door("good").open();
  world_.trace.wait_for("stop late");
  engine.settle();
  EXPECT_EQ(world_.trace.count("any ended"), 0U) << "`late` still borrows from its frame";
  world_.door("late").open();
  EXPECT_EQ(run.wait().value(), "1 value of good");
  EXPECT_EQ(world_.trace.count("late went on"), 0U) << "its value is recorded and not wanted";
  EXPECT_EQ(world_.trace.all().back(), "any ended") << "all locals are gone before";
  EXPECT_EQ(world_.trace.count("~late"), 1U);
  const Lines records = disk_.records(run.id());
  EXPECT_EQ(records.at(3), "step_result 1.2.1 'late' ok");
}

pd::Task<std::string> race_of_two(pd::Context& ctx, int) {
  const pd::Result<std::variant<std::string, std::string>> won =
      co_await pd::as_result(ctx.race(at_door(ctx, "good"), at_door(ctx, "bad")));
  world->trace.add("race ended");
  co_return won ? "won " + std::to_string(won.value().index()) : won.error().message;
}
inline constexpr pd::Agent racing_two{"racing-two", &race_of_two};

TEST_F(BranchesTest, ARaceIsDecidedByAFailureToo) {
  TestEngine engine(disk_);
  engine.start(racing_two);
  auto run = engine.runtime().session(racing_two, "s").start(0).value();
  world_.trace.wait_for("began good");
  world_.door("bad").open();
  world_.trace.wait_for("stop good");
  world_.door("good").open();
  EXPECT_EQ(run.wait().value(), "bad");
  EXPECT_EQ(world_.trace.all().back(), "race ended");
}

pd::Task<void> fails_with(pd::Context&, pd::Code code, std::string words) {
  co_await pd::fail({code, std::move(words)});
}

pd::Task<std::string> none_of(pd::Context& ctx, int which) {
  std::vector<pd::Task<void>> tasks;
  if (which == 0) tasks.push_back(fails_with(ctx, pd::Code::refused, "alone"));
  if (which == 1 || which == 2) {
    tasks.push_back(
        fails_with(ctx, which == 1 ? pd::Code::refused : pd::Code::timeout, "too full"));
    tasks.push_back(fails_with(ctx, pd::Code::refused, "too late"));
  }
  for (int i = 0; which >= 3 && i < 300; ++i) {
    // The last one is long, or so short that it would find room where others found none.
    const std::size_t size = i < 299 ? 100 : which == 3 ? 3000 : 0;
    tasks.push_back(fails_with(ctx, pd::Code::user, std::string(size, 'x') + "ö"));
  }
  const auto won = co_await pd::as_result(ctx.any(std::move(tasks)));
  const pd::Error& error = won.error();
  co_return std::string(to_string(error.code)) + "/" +
      std::string(to_string(error.known_effect())) + "/" + error.message;
}
inline constexpr pd::Agent failing_any{"failing-any", &none_of};

TEST_F(BranchesTest, AnyThatFailsTellsTheWordsOfEachWithinTheLimit) {
  EXPECT_EQ(run(failing_any, 0).value(), "refused/refused/alone");
  EXPECT_EQ(
      run(failing_any, 1).value(),
      "refused/refused/all 2 branches failed: branch 0: refused: too full; branch 1: refused: "
      "too late");
  EXPECT_EQ(
      run(failing_any, 2).value(),
      "refused/unknown/all 2 branches failed: branch 0: timeout: too full; branch 1: refused: "
      "too late");
  const std::string many = run(failing_any, 3).value();
  EXPECT_LE(many.size(), 16U << 10U);
  EXPECT_TRUE(contains(many, "all 300 branches failed: branch 0: user: xxx")) << many;
  EXPECT_TRUE(contains(many, " more; branch 299: user: xxx")) << many;
  EXPECT_TRUE(many.ends_with("x…")) << "the last one is cut";
  const std::string short_one = run(failing_any, 4).value();
  EXPECT_TRUE(short_one.ends_with(" more; branch 299: user: ö")) << short_one;
  EXPECT_EQ(short_one.find("branch 299"), short_one.rfind("branch 299"));
}

pd::Task<int> empty_vectors(pd::Context& ctx, int which) {
  std::vector<pd::Task<std::string>> none;
  if (which == 0) {
    const std::vector<std::string> all = co_await ctx.all(std::move(none));
    co_return static_cast<int>(all.size());
  }
  if (which == 1) {
    const auto won = co_await ctx.any(std::move(none));
    co_return static_cast<int>(won.index);
  }
  if (which == 2) {
    const auto won = co_await ctx.race(std::move(none));
    co_return static_cast<int>(won.index);
  }
  const std::vector<int> items;
  const auto mapped = co_await ctx.map(
      items, [&](int item) { return ctx.step("none", [item](pd::Step&) { return item; }); });
  co_return static_cast<int>(mapped.size());
}
inline constexpr pd::Agent empty{"empty", &empty_vectors};

TEST_F(BranchesTest, OfNothingAllIsEmptyAndNothingCanWin) {
  EXPECT_EQ(run(empty, 0).value(), 0);
  EXPECT_EQ(run(empty, 3).value(), 0);
  for (const int which : {1, 2}) {
    const auto reply = run(empty, which);
    EXPECT_EQ(reply.error().code, pd::Code::misuse);
    EXPECT_TRUE(contains(reply.error().message, "an empty vector")) << reply.error().message;
  }
}

pd::Task<std::unique_ptr<int>> owned(pd::Context& ctx, int value) {
  const int stepped = co_await ctx.step("own", [&](pd::Step&) { return value; });
  co_return std::make_unique<int>(stepped);
}
pd::Task<void> nothing(pd::Context& ctx) {
  co_await ctx.step("nothing", [](pd::Step&) {});
}

pd::Task<int> kinds_of_values(pd::Context& ctx, int) {
  int sum = 0;
  auto both = co_await ctx.all(owned(ctx, 1), nothing(ctx));
  sum += *std::get<0>(both);
  auto any = co_await ctx.any(owned(ctx, 2));
  sum += *std::get<0>(any);
  auto race = co_await ctx.race(nothing(ctx), fails_with(ctx, pd::Code::user, "first"));
  (void)race;
  co_return sum;
}

pd::Task<int> values_of_vectors(pd::Context& ctx, int) {
  int sum = 0;
  std::vector<pd::Task<std::unique_ptr<int>>> tasks;
  for (const int value : {10, 20, 30}) tasks.push_back(owned(ctx, value));
  const std::vector<std::unique_ptr<int>> values = co_await ctx.all(std::move(tasks));
  for (const auto& each : values) sum += *each;
  std::vector<pd::Task<std::unique_ptr<int>>> one;
  one.push_back(owned(ctx, 100));
  const pd::Winner<std::unique_ptr<int>> winner = co_await ctx.race(std::move(one));
  sum += *winner.value;
  std::vector<pd::Task<void>> voids;
  voids.push_back(fails_with(ctx, pd::Code::user, "no"));
  voids.push_back(nothing(ctx));
  const pd::Winner<void> second = co_await ctx.any(std::move(voids));
  sum += 1000 * static_cast<int>(second.index);
  std::vector<pd::Task<void>> more;
  more.push_back(nothing(ctx));
  co_await ctx.all(std::move(more));
  std::vector<std::unique_ptr<int>> items;
  for (const int value : {1, 2}) items.push_back(std::make_unique<int>(value));
  const std::vector<bool> odd = co_await ctx.map(std::move(items), [&](std::unique_ptr<int> item) {
    return ctx.step("odd", [item = std::move(item)](pd::Step&) { return *item % 2 == 1; });
  });
  sum += odd[0] && !odd[1] ? 10000 : 0;
  co_await ctx.map(std::views::iota(0, 3), [&](int) { return nothing(ctx); });
  co_return sum;
}
inline constexpr pd::Agent packs{"packs", &kinds_of_values};
inline constexpr pd::Agent vectors{"vectors", &values_of_vectors};

TEST_F(BranchesTest, ValuesMayBeVoidOrMoveOnly) {
  // The failure is there before the step of the branch in front of it.
  EXPECT_EQ(run(packs, 0).error().message, "first");
  EXPECT_EQ(run(vectors, 0).value(), 11160);
}

pd::Task<void> keeps(pd::Context& ctx, std::shared_ptr<Local> local) {
  co_await ctx.step("keeps", [](pd::Step&) { world->trace.add("ran"); });
  world->trace.add("kept" + std::to_string(local.use_count()));
}
pd::Task<int> never_begun(pd::Context& ctx, int which) {
  if (which == 0) {
    (void)co_await pd::as_result(ctx.all(pd::fail({pd::Code::user, "at once"}),
                                         keeps(ctx, std::make_shared<Local>("parameter"))));
  } else {
    std::vector<pd::Task<void>> tasks;
    tasks.push_back(fails_with(ctx, pd::Code::user, "soon"));
    tasks.push_back(keeps(ctx, std::make_shared<Local>("parameter")));
    (void)co_await pd::as_result(ctx.race(std::move(tasks)));
  }
  world->trace.add("went on");
  co_return 0;
}
inline constexpr pd::Agent unbegun{"unbegun", &never_begun};

TEST_F(BranchesTest, WhatNeverBeganIsGoneBeforeTheAwaiterGoesOn) {
  for (const int which : {0, 1}) {
    world_.trace.clear();
    EXPECT_EQ(run(unbegun, which).value(), 0);
    EXPECT_EQ(world_.trace.all(), (Lines{"~parameter", "went on"})) << which;
  }
}

pd::Task<std::string> tidies(pd::Context& ctx) {
  const pd::Result<std::string> result = co_await pd::catch_cancelled(at_door(ctx, "bad one"));
  const std::string words = result ? "a value" : result.error().to_string();
  co_await ctx.step("tidy up", [&](pd::Step&) { world->trace.add("tidied after " + words); });
  co_return "tidied";
}
pd::Task<std::string> tidied_race(pd::Context& ctx, int) {
  const auto won = co_await ctx.race(tidies(ctx), at_door(ctx, "winner"));
  world->trace.add("race ended");
  co_return std::to_string(won.index());
}
inline constexpr pd::Agent tidying{"tidying", &tidied_race};

TEST_F(BranchesTest, ALoserMayTidyUpAndIsWaitedFor) {
  TestEngine engine(disk_);
  engine.start(tidying);
  auto run = engine.runtime().session(tidying, "s").start(0).value();
  world_.trace.wait_for("began bad one");
  world_.door("winner").open();
  world_.trace.wait_for("stop bad one");
  world_.door("bad one").open();
  EXPECT_EQ(run.wait().value(), "1");
  const Lines trace = world_.trace.all();
  ASSERT_GE(trace.size(), 2U);
  EXPECT_EQ(trace.back(), "race ended");
  EXPECT_TRUE(trace[trace.size() - 2].starts_with("tidied after cancelled: ")) << trace.back();
}

pd::Task<int> catches(pd::Context& ctx, int) {
  const pd::Result<int> own =
      co_await pd::catch_cancelled(ctx.step("own", [](pd::Step&) -> pd::Result<int> {
        return pd::Error{pd::Code::cancelled, "by itself"};
      }));
  const pd::Result<int> other = co_await pd::catch_cancelled(ctx.step(
      "other", [](pd::Step&) -> pd::Result<int> { return pd::Error{pd::Code::refused, "no"}; }));
  const pd::Result<int> value =
      co_await pd::catch_cancelled(ctx.step("value", [](pd::Step&) { return 7; }));
  const bool caught = own.has_error() && own.error().message == "by itself" && other.has_error() &&
                      other.error().message == "no";
  co_return caught ? value.value() : 0;
}
inline constexpr pd::Agent catching{"catching", &catches};

TEST_F(BranchesTest, CatchCancelledHandsOverEveryOutcome) {
  EXPECT_EQ(run(catching, 0).value(), 7);
}

}  // namespace
}  // namespace perdure::test
