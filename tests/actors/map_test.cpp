// ctx.map: when its function is called, what it owns, how much it holds, and how far it scales.
#include "tests/actors/run_driver.hpp"

#include <algorithm>
#include <stdexcept>

namespace perdure::test {
namespace {

class MapTest : public EngineFixture {
 protected:
  template <class A>
  static pd::detail::AgentEntry entry(const A& agent) {
    return pd::detail::entry_of(agent);
  }
  /// The names of the steps that run, in the order in which they were begun.
  static Lines names(const RunDriver& run) {
    Lines found;
    for (const auto& body : run.bodies()) found.push_back(body.leaf->name().text);
    return found;
  }
  static void finish(RunDriver& run) {
    while (!run.over()) {
      ASSERT_FALSE(run.bodies().empty());
      run.complete(run.bodies().size() - 1);
    }
  }
};

pd::Task<std::string> mapping(pd::Context& ctx, int limit) {
  std::vector<std::string> items;
  for (int i = 0; i < 6; ++i) items.push_back("item" + std::to_string(i));
  const auto values =
      co_await ctx.map(std::move(items),
                       [&](const std::string& item) {
                         world->trace.add(item + " " + std::to_string(ctx.random_below(1'000'000)));
                         // Borrowed: the map owns the items until all branches have ended.
                         return ctx.step(item,
                                         [&item](pd::Step&) -> pd::Result<std::string> {
                                           if (world->mode == 1 && item == "item3")
                                             return pd::Error{pd::Code::user, "no 3"};
                                           return "value of " + item;
                                         },
                                         {.retry = kNoRetry});
                       },
                       {.limit = static_cast<std::size_t>(limit)});
  std::string text;
  for (const std::string& each : values) text += each.substr(each.size() - 1);
  world->trace.add("after " + std::to_string(ctx.random_below(1'000'000)));
  co_return text;
}
inline constexpr pd::Agent mapped{"mapped", &mapping};

TEST_F(MapTest, BeginsInOrderAtMostSoManyAtATimeAndGivesValuesInOrder) {
  const auto agent = entry(mapped);
  RunDriver run(agent, 2);
  EXPECT_EQ(names(run), (Lines{"item0", "item1"}));
  run.complete(1);
  EXPECT_EQ(names(run), (Lines{"item0", "item2"}));
  run.complete(0);
  EXPECT_EQ(names(run), (Lines{"item2", "item3"}));
  run.complete(0);
  run.complete(1);
  EXPECT_EQ(names(run), (Lines{"item3", "item5"}));
  EXPECT_EQ(world_.trace.all().size(), 6U) << "called once for each";
  run.complete(1);
  run.complete(0);
  EXPECT_EQ(run.reply<std::string>().value(), "012345");
  RunDriver unbounded(agent, 0);
  EXPECT_EQ(unbounded.bodies().size(), 6U);
}

TEST_F(MapTest, ItsFunctionDrawsTheSameOnReplay) {
  const auto agent = entry(mapped);
  RunDriver whole(agent, 2);
  finish(whole);
  const Lines drawn = world_.trace.all();
  ASSERT_EQ(drawn.size(), 7U);
  for (std::size_t crash = 1; crash < whole.commits(); ++crash) {
    RunDriver run(agent, 2);
    while (run.commits() < crash) run.complete(run.bodies().size() - 1);
    world_.trace.clear();
    run.crash_and_resume(actors::LastEnd::unclean);
    finish(run);
    EXPECT_EQ(world_.trace.all(), drawn) << "crash behind commit " << crash;
    EXPECT_EQ(run.deliveries().size(), 6U);
  }
}

TEST_F(MapTest, TheFirstFailureBeginsNoMoreAndStopsWhatRuns) {
  world_.mode = 1;
  const auto agent = entry(mapped);
  RunDriver run(agent, 3);
  run.complete(2);
  ASSERT_EQ(names(run), (Lines{"item0", "item1", "item3"}));
  run.complete(2);
  EXPECT_EQ(names(run), (Lines{"item0", "item1"})) << "nothing more begins";
  for (const auto& body : run.bodies()) EXPECT_TRUE(body.stop.stop_requested());
  run.complete(0);
  EXPECT_FALSE(run.over()) << "one still borrows from the frame";
  run.complete(0);
  EXPECT_EQ(run.reply<std::string>().error().message, "no 3");
  EXPECT_EQ(world_.trace.all().size(), 4U) << "items 4 and 5 were never asked for";
}

pd::Task<int> caught_map(pd::Context& ctx, std::string name) {
  const std::vector<std::string> items{name + "0", name + "1"};
  const auto values = co_await pd::catch_cancelled(ctx.map(
      items, [&](const std::string& item) { return ctx.step(item, [](pd::Step&) { return 1; }); },
      {.limit = 1}));
  world->trace.add(values ? "a value" : std::string(to_string(values.error().code)));
  co_return 0;
}
pd::Task<int> stopped_map(pd::Context& ctx, int) {
  const auto won =
      co_await ctx.race(caught_map(ctx, "map"), ctx.step("first", [](pd::Step&) { return 1; }));
  co_return static_cast<int>(won.index());
}
inline constexpr pd::Agent stopping_map{"stopping-map", &stopped_map};

TEST_F(MapTest, StoppedFromOutsideBeforeAllBeganItIsCancelledWhateverTheOthersGave) {
  const auto agent = entry(stopping_map);
  RunDriver run(agent, 0);
  // Bodies begin when the handler's own steps and its tasks' are open: in which order is the
  // queue's.
  ASSERT_EQ(run.bodies().size(), 2U);
  run.complete(names(run)[0] == "first" ? 0 : 1);
  ASSERT_EQ(names(run), Lines{"map0"});
  run.complete(0);
  EXPECT_EQ(run.reply<int>().value(), 1);
  EXPECT_EQ(world_.trace.all(), Lines{"cancelled"});
}

pd::Task<int> once(pd::Context&, int item) { co_return item; }

pd::Task<int> throwing_function(pd::Context& ctx, int which) {
  std::vector<int> items(3, 1);
  const auto values =
      co_await ctx.map(std::move(items),
                       [&](int item) {
                         if (which == 0)
                           throw pd::Exception(pd::Error{pd::Code::refused, "thrown by f"});
                         if (which == 1) throw std::runtime_error("boom");
                         return once(ctx, item);
                       },
                       {.limit = 1});
  co_return static_cast<int>(values.size());
}
inline constexpr pd::Agent throwing_map{"throwing-map", &throwing_function};

TEST_F(MapTest, WhatItsFunctionThrowsIsAsIfATaskHadThrownIt) {
  const auto agent = entry(throwing_map);
  RunDriver error(agent, 0);
  EXPECT_EQ(error.reply<int>().error().message, "thrown by f");
  RunDriver other(agent, 1);
  ASSERT_TRUE(other.parked().has_value());
  EXPECT_EQ(other.parked()->code, pd::Code::handler_threw);
  EXPECT_TRUE(contains(other.parked()->message, "boom")) << other.parked()->message;
  RunDriver none(agent, 2);
  EXPECT_EQ(none.reply<int>().value(), 3);
}

constexpr int kMany = 100'000;

pd::Task<int> fails_first(pd::Context&, int item) {
  world->mode = item;
  co_await pd::fail({pd::Code::user, "failed " + std::to_string(item)});
  co_return 0;
}
pd::Task<std::int64_t> many_at_once(pd::Context& ctx, int which) {
  std::vector<int> items;
  for (int i = 0; i < kMany; ++i) items.push_back(i);
  std::vector<int> values;
  if (which == 0) values = co_await ctx.map(items, [&](int item) { return once(ctx, item); });
  if (which == 1)
    values = co_await ctx.map(items, [&](int item) { return once(ctx, item); }, {.limit = 1});
  if (which == 2)
    values = co_await ctx.map(items, [&](int item) { return fails_first(ctx, item); });
  if (which == 3)
    co_await ctx.map(items, [&](int item) {
      return pd::fail({pd::Code::user, "failed " + std::to_string(item)});
    });
  if (which == 4) {
    // Ends as it begins, and is no failure: the next one begins where this one ended.
    const auto results = co_await ctx.map(
        items, [&](int) { return pd::as_result(pd::fail({pd::Code::user, "no"})); }, {.limit = 1});
    co_return static_cast<std::int64_t>(results.size());
  }
  if (which == 5) {
    std::vector<pd::Task<int>> tasks;
    for (const int item : items) tasks.push_back(fails_first(ctx, item));
    const auto won = co_await ctx.any(std::move(tasks));
    co_return won.value;
  }
  std::int64_t sum = 0;
  for (const int each : values) sum += each;
  co_return sum;
}
inline constexpr pd::Agent many{"many", &many_at_once};

TEST_F(MapTest, AHundredThousandBranchesThatEndAtOnceNeedNoStack) {
  const auto agent = entry(many);
  const std::int64_t sum = std::int64_t{kMany} * (kMany - 1) / 2;
  EXPECT_EQ(RunDriver(agent, 0).reply<std::int64_t>().value(), sum);
  EXPECT_EQ(RunDriver(agent, 1).reply<std::int64_t>().value(), sum);
  EXPECT_EQ(RunDriver(agent, 2).reply<std::int64_t>().error().message, "failed 0");
  EXPECT_EQ(RunDriver(agent, 3).reply<std::int64_t>().error().message, "failed 0");
  EXPECT_EQ(RunDriver(agent, 4).reply<std::int64_t>().value(), kMany);
  const auto none = RunDriver(agent, 5).reply<std::int64_t>();
  EXPECT_TRUE(none.error().message.starts_with("all 100000 branches failed: branch 0: "));
  EXPECT_TRUE(none.error().message.ends_with("branch 99999: user: failed 99999"));
}

constexpr std::size_t kSteps = kSanitized ? 2'000 : 20'000;

pd::Task<int> many_steps(pd::Context& ctx, int limit) {
  std::vector<int> items(kSteps, 1);
  const auto values = co_await ctx.map(
      std::move(items),
      [&](int item) { return ctx.step("one of many", [item](pd::Step&) { return item; }); },
      {.limit = static_cast<std::size_t>(limit)});
  co_return static_cast<int>(std::ranges::count(values, 1));
}
inline constexpr pd::Agent stepping{"stepping", &many_steps};

TEST_F(MapTest, ThousandsOfStepsSideBySideAreRecordedStoppedAndReplayed) {
  const auto agent = entry(stepping);
  RunDriver run(agent, 0);
  ASSERT_EQ(run.bodies().size(), kSteps);
  // From the end of the list, and the middle: neither is found by walking to it.
  for (std::size_t i = 0; i < kSteps / 2; ++i) run.complete(run.bodies().size() - 1);
  run.crash_and_resume(actors::LastEnd::clean);
  ASSERT_EQ(run.bodies().size(), kSteps / 2);
  run.complete(run.bodies().size() / 2, pd::Error{pd::Code::refused, "no"});
  for (const auto& body : run.bodies()) ASSERT_TRUE(body.stop.stop_requested());
  while (!run.over()) run.complete(run.bodies().size() - 1);
  EXPECT_EQ(run.reply<int>().error().message, "no");
}

}  // namespace
}  // namespace perdure::test
