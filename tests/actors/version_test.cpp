/// `ctx.version`: which runs go which way, across deploys, restarts, crashes and given-up frames.
#include "tests/actors/engine_fixture.hpp"

#include <algorithm>
#include <stdexcept>

namespace perdure::test {
namespace {

/// What is deployed: `world->mode`.
enum Deploy : int {
  before_the_change = 0,
  with_the_change = 1,
  without_the_old_way = 2,
  with_a_bug = 3,
};

inline constexpr pd::Signal<int> go{"go"};

/// Of `wanted`, what the deployed code supports. 1 where it knows of no change.
int fee_version(pd::Context& ctx) {
  if (world->mode == with_the_change) return ctx.version("fee", 1, 2);
  if (world->mode == without_the_old_way) return ctx.version("fee", 2, 2);
  return 1;
}

pd::Task<std::string> quote_trip(pd::Context& ctx, int) {
  co_await ctx.step("first", [](pd::Step&) { world->trace.add("first"); });
  if (world->mode == with_a_bug) throw std::runtime_error("a bug");
  const int way = fee_version(ctx);
  if (way == 2) co_await ctx.step("fee", [](pd::Step&) { world->trace.add("fee"); });
  co_await ctx.step("pay", [](pd::Step&) { world->trace.add("pay"); });
  const int got = co_await ctx.receive(go);
  co_return std::to_string(way) + std::to_string(got) + std::to_string(fee_version(ctx));
}
/// The change comes before everything else.
pd::Task<std::string> quote_at_once(pd::Context& ctx, int) {
  const int way = fee_version(ctx);
  co_await ctx.step(way == 2 ? "new" : "old", [&](pd::Step&) {
    world->trace.add("body " + std::to_string(way));
    if (world->in_body) world->in_body();
  });
  co_return std::to_string(way) + std::to_string(co_await ctx.receive(go));
}
/// Two branches, each with its change behind a body that ends when it is asked to stop.
pd::Task<int> stoppable(pd::Context& ctx, std::string change) {
  co_await ctx.step("until stopped", [](pd::Step& step) {
    world->trace.add("begun");
    while (world->mode == before_the_change && !step.stop_requested()) std::this_thread::yield();
  });
  const int way = world->mode == before_the_change ? 1 : ctx.version(change, 1, 2);
  if (way == 2) co_await ctx.step("the new way", [](pd::Step&) {});
  co_return way;
}
pd::Task<std::string> quote_two(pd::Context& ctx, int) {
  auto both = co_await ctx.all(stoppable(ctx, "left"), stoppable(ctx, "right"));
  const int got = co_await ctx.receive(go);
  co_return std::to_string(std::get<0>(both)) + std::to_string(std::get<1>(both)) +
      std::to_string(got);
}
pd::Task<int> only_wait(pd::Context& ctx, int) { co_return co_await ctx.receive(go); }
inline constexpr pd::Handler wait{"wait", &only_wait};
inline constexpr pd::Handler quote{"quote", &quote_trip};
inline constexpr pd::Handler quote_now{"quote-now", &quote_at_once};
inline constexpr pd::Handler quote_both{"quote-both", &quote_two};
inline constexpr pd::Agent trip{"trip", wait, quote, quote_now, quote_both};

class VersionTest : public EngineFixture, public ::testing::WithParamInterface<kit::Frames> {
 protected:
  [[nodiscard]] static kit::Options options() {
    kit::Options options;
    options.frames = GetParam();
    return options;
  }
  void deploy(kit::Runtime& test, Deploy what, kit::End end = kit::End::clean) {
    world_.mode = what;
    test.restart(end);
    test.run_until_idle();
  }
  static std::size_t marks(kit::Runtime& test, const pd::RunId& run) {
    return static_cast<std::size_t>(std::ranges::count_if(
        disk_of(test).records(run),
        [](const std::string& record) { return record.starts_with("version_mark"); }));
  }
};
INSTANTIATE_TEST_SUITE_P(Frames, VersionTest,
                         ::testing::Values(kit::Frames::kept, kit::Frames::replayed),
                         [](const auto& given) {
                           return given.param == kit::Frames::kept ? "kept" : "replayed";
                         });

TEST_P(VersionTest, ARunThatPassedBeforeTheChangeGoesTheOldWay) {
  kit::Runtime test(options());
  auto session = test.session(trip, "s");
  auto run = session.send(quote, 0).value();
  test.run_until_idle();
  deploy(test, with_the_change, kit::End::unclean);
  ASSERT_TRUE(session.send(go, 7));
  EXPECT_EQ(run.wait().value(), "171");
  EXPECT_EQ(marks(test, run.id()), 0U);
  EXPECT_EQ(world_.trace.all(), (Lines{"first", "pay"}));
}

TEST_P(VersionTest, ANewRunGoesTheNewWayAndStays) {
  kit::Runtime test(options());
  auto session = test.session(trip, "s");
  world_.mode = with_the_change;
  auto run = session.send(quote, 0).value();
  test.run_until_idle();
  EXPECT_EQ(marks(test, run.id()), 1U);
  for (const Deploy what : {with_the_change, without_the_old_way, with_the_change})
    for (const kit::End end : {kit::End::clean, kit::End::unclean}) deploy(test, what, end);
  ASSERT_TRUE(session.send(go, 7));
  EXPECT_EQ(run.wait().value(), "272");
  EXPECT_EQ(marks(test, run.id()), 1U);
  EXPECT_EQ(world_.trace.all(), (Lines{"first", "fee", "pay"}));
}

TEST_P(VersionTest, WhoNeedsAWayThatIsGoneParksAndGoesOnWhenItIsBack) {
  kit::Runtime test(options());
  auto session = test.session(trip, "s");
  auto run = session.send(quote, 0).value();
  test.run_until_idle();
  deploy(test, without_the_old_way);
  ASSERT_TRUE(session.send(go, 7));
  test.run_until_idle();
  const journal::Head head = disk_of(test).head(run.id());
  EXPECT_EQ(head.status, journal::RunStatus::parked);
  EXPECT_EQ(head.code, pd::Code::diverged);
  EXPECT_TRUE(contains(head.reason,
                       "the run went the way of version 1 at 'fee', and the code supports 2 to 2"))
      << head.reason;
  EXPECT_EQ(world_.trace.count("fee"), 0U);
  deploy(test, with_the_change);
  EXPECT_EQ(run.wait().value(), "171");
}

TEST_P(VersionTest, ARunThatWasCreatedAndHadNotBegunIsOnNewGround) {
  for (const Deploy what : {with_the_change, without_the_old_way}) {
    world_.trace.clear();
    kit::Runtime test(options());
    auto session = test.session(trip, "s");
    auto first = session.send(wait, 0).value();
    auto second = session.send(quote_now, 1).value();
    test.run_until_idle();
    // The end of the first and the creation of the second are one commit; behind it, all is lost.
    auto& store = engine_of(test).store();
    store.die_at(store.commits() + 1, actors::MortalStore::When::after);
    world_.mode = what;
    // Whoever sends it did not learn of it, and sends it again.
    ASSERT_TRUE(session.send(go, 7));
    EXPECT_EQ(first.wait().value(), 7);
    EXPECT_EQ(second.wait().value(), "27");
    EXPECT_EQ(world_.trace.all(), Lines{"body 2"});
    EXPECT_EQ(disk_of(test).damage(), "");
  }
}

/// Its body may have run, though the journal has nothing but its creation.
TEST_P(VersionTest, ARunWhoseFirstBodyMayHaveRunHasPassed) {
  for (const bool is_queued : {false, true}) {
    world_.trace.clear();
    world_.mode = before_the_change;
    world_.in_body = [&] { world_.mode = with_the_change; };
    kit::Runtime test(options());
    auto session = test.session(trip, "s");
    if (is_queued) ASSERT_TRUE(session.send(wait, 0));
    auto run = session.send(quote_now, 1).value();
    if (is_queued) ASSERT_TRUE(session.send(go, 6));
    // The body runs, and what it returned is lost with the process; the next one has other code.
    auto& store = engine_of(test).store();
    store.die_at(store.commits() + (is_queued ? 2 : 1), actors::MortalStore::When::before);
    test.run_until_idle();
    ASSERT_TRUE(session.send(go, 7));
    EXPECT_EQ(run.wait().value(), "17");
    EXPECT_EQ(marks(test, run.id()), 0U);
    EXPECT_EQ(world_.trace.all(), (Lines{"body 1", "body 1"}));
  }
}

TEST_P(VersionTest, AStretchInWhichTheRunParkedIsNewGround) {
  kit::Runtime test(options());
  auto session = test.session(trip, "s");
  world_.mode = with_a_bug;
  auto run = session.send(quote, 0).value();
  test.run_until_idle();
  EXPECT_EQ(disk_of(test).head(run.id()).status, journal::RunStatus::parked);
  deploy(test, with_the_change);
  ASSERT_TRUE(session.send(go, 7));
  EXPECT_EQ(run.wait().value(), "272");
  EXPECT_EQ(disk_of(test).damage(), "");
}

TEST_P(VersionTest, WayStaysWhereverTheProcessDies) {
  const kit::CrashReport report =
      kit::crash_everywhere({.runtime = options(), .second_within = 2}, [&](kit::Runtime& test) {
        world_.mode = with_the_change;
        auto run = test.session(trip, "s").send(quote, 0).value();
        test.run_until_idle();
        test.restart();
        (void)test.session(trip, "s").send(go, 7);
        return run.wait().value();
      });
  EXPECT_TRUE(report.ok()) << to_string(report);
  EXPECT_GT(report.crashes, 10U);
}

TEST_P(VersionTest, EachRunGoesItsWayThroughADeployWhereverTheProcessDies) {
  const kit::CrashReport report =
      kit::crash_everywhere({.runtime = options()}, [&](kit::Runtime& test) {
        world_.mode = before_the_change;
        auto old = test.session(trip, "old").send(quote, 0).value();
        auto at_once = test.session(trip, "old-at-once").send(quote_now, 0).value();
        auto queued = test.session(trip, "old").send(quote_now, 1).value();
        test.run_until_idle();
        world_.mode = with_the_change;
        test.restart();
        auto anew = test.session(trip, "new").send(quote, 0).value();
        test.run_until_idle();
        for (const char* key : {"old", "old-at-once", "new"})
          (void)test.session(trip, key).send(go, 7);
        const std::string all =
            old.wait().value() + " " + at_once.wait().value() + " " + anew.wait().value();
        (void)test.session(trip, "old").send(go, 7);
        return all + " " + queued.wait().value();
      });
  EXPECT_TRUE(report.ok()) << to_string(report);
  EXPECT_GT(report.crashes, 20U);
}

/// Bodies return while the runtime shuts down: they are recorded, and the handler has not gone on
/// from them.
TEST_P(VersionTest, WhatFollowsFromAStepThatEndedInTheShutdownIsNewGround) {
  pd::RunId id;
  pd::RuntimeOptions frames;
  if (GetParam() == kit::Frames::replayed) frames.frame_budget_bytes = 0;
  {
    TestEngine engine(disk_, frames);
    engine.start(trip);
    id = engine.runtime().session(trip, "s").send(quote_both, 0).value().id();
    world_.trace.wait_for("begun", 2);
    ASSERT_TRUE(engine.shutdown());
  }
  EXPECT_EQ(disk_.records(id).size(), 3U);
  EXPECT_EQ(disk_.head(id).ahead, 2U);
  world_.mode = with_the_change;
  // The marks stand behind both results: each later replay has to find them there.
  for (int life = 0; life < 3; ++life) {
    TestEngine engine(disk_, frames);
    engine.start(trip);
    while (disk_.head(id).status != journal::RunStatus::waiting) std::this_thread::yield();
    EXPECT_EQ(disk_.head(id).ahead, 0U);
    if (life == 2) {
      ASSERT_TRUE(engine.runtime().session(trip, "s").send(go, 7));
      EXPECT_EQ(engine.runtime().run<std::string>(id).wait().value(), "227");
    } else if (life == 1) {
      ASSERT_TRUE(engine.shutdown());
    }
  }
  EXPECT_EQ(world_.trace.count("begun"), 2U);
  EXPECT_EQ(disk_.view().damage(), "");
}

}  // namespace
}  // namespace perdure::test
