// Crashes at every record: a sound scenario passes, and each kind of mistake is found.
#include "journal/batch.hpp"
#include "tests/testing/kit_fixture.hpp"

#include <cstdlib>

namespace perdure::test {
namespace {

pd::Task<int> half(pd::Context& ctx, std::string name) {
  co_return co_await ctx.step("half " + name, [&](pd::Step& step) {
    outside->trace.push_back(step.name());
    return 10;
  });
}

/// Everything that is sound: steps in a row and side by side, draws, a retry, a reply with a key.
pd::Task<std::string> sound(pd::Context& ctx, int) {
  const std::string uuid = ctx.uuid();
  auto halves = co_await ctx.all(half(ctx, "left"), half(ctx, "right"));
  const std::string key =
      co_await ctx.step("flaky",
                        [&](pd::Step& step) -> pd::Result<std::string> {
                          if (outside->counter++ == 0) return pd::Error{pd::Code::user, "not yet"};
                          return step.key();
                        },
                        {.effect = pd::Effect::keyed, .retry = {.attempts_max = 0, .delay = 10s}});
  co_return uuid + key + std::to_string(std::get<0>(halves) + std::get<1>(halves));
}
inline constexpr pd::Agent sound_agent{"sound", &sound};

pd::Result<std::string> sound_scenario(kit::Runtime& test) {
  *outside = {};
  auto first = test.session(sound_agent, "a").start(0);
  auto second = test.session(sound_agent, "b").start(0);
  test.advance(2h);
  PERDURE_TRY(std::string one, first.value().wait());
  PERDURE_TRY(std::string two, second.value().wait());
  return one + two;
}

class TestingCrashesTest : public KitFixture {
 protected:
  /// The finding that says `words`, or null.
  static const kit::Finding* find(const kit::CrashReport& report, std::string_view words) {
    for (const kit::Finding& finding : report.findings)
      if (contains(finding.what, words)) return &finding;
    return nullptr;
  }
};

TEST_F(TestingCrashesTest, ASoundScenarioPassesAtEveryRecord) {
  const kit::CrashReport report = kit::crash_everywhere(&sound_scenario);
  EXPECT_TRUE(report.ok()) << to_string(report);
  EXPECT_GE(report.commits, 12U);
  EXPECT_EQ(report.crashes, 2 * report.commits);
}

TEST_F(TestingCrashesTest, ASoundScenarioPassesWithReplayedFramesToo) {
  const kit::CrashReport kept = kit::crash_everywhere(&sound_scenario);
  const kit::CrashReport report =
      kit::crash_everywhere({.runtime = {.frames = kit::Frames::replayed}}, &sound_scenario);
  EXPECT_TRUE(report.ok()) << to_string(report);
  EXPECT_GT(report.commits, kept.commits) << "each restart commits";
}

TEST_F(TestingCrashesTest, TheReportIsTheSameEachTimeAndSaysWhatItDid) {
  const std::string first = to_string(kit::crash_everywhere(&sound_scenario));
  EXPECT_EQ(to_string(kit::crash_everywhere(&sound_scenario)), first);
  EXPECT_TRUE(contains(first, " 0 findings")) << first;
}

TEST_F(TestingCrashesTest, CrashesHappenAndLoseWhatIsNotRecorded) {
  std::size_t lives = 0;
  std::size_t again = 0;
  const kit::CrashReport report = kit::crash_everywhere([&](kit::Runtime& test) {
    const auto result = sound_scenario(test);
    lives = std::max(lives, static_cast<std::size_t>(test.steps().back().life));
    again += test.times("half left") > 2 ? 1 : 0;
    for (const kit::LogLine& line : test.log())
      EXPECT_NE(line.event, "storage_failed") << "nobody hears a dying process";
    return result;
  });
  EXPECT_TRUE(report.ok()) << to_string(report);
  EXPECT_EQ(lives, 2U);
  EXPECT_EQ(again, 2U) << "one crash before each of the two results";
}

TEST_F(TestingCrashesTest, ARangeOfCommitsIsTriedAlone) {
  EXPECT_EQ(kit::crash_everywhere({.first = 3, .last = 5}, &sound_scenario).crashes, 6U);
  EXPECT_EQ(kit::crash_everywhere({.first = 4, .last = 4}, &sound_scenario).crashes, 2U);
  EXPECT_EQ(kit::crash_everywhere({.first = 999}, &sound_scenario).crashes, 0U);
}

TEST_F(TestingCrashesTest, ASecondCrashMayFollowTheFirst) {
  int lives = 0;
  const kit::CrashReport report =
      kit::crash_everywhere({.second_within = 4}, [&](kit::Runtime& test) {
        const auto result = sound_scenario(test);
        lives = std::max(lives, test.steps().back().life);
        return result;
      });
  EXPECT_TRUE(report.ok()) << to_string(report);
  EXPECT_EQ(report.crashes, 10 * report.commits);
  EXPECT_EQ(lives, 3);
}

/// Passes one crash and not two.
pd::Task<int> survives_once(pd::Context& ctx, int) {
  co_return co_await ctx.step("count", [](pd::Step&) { return ++outside->counter > 2 ? 2 : 1; });
}
inline constexpr pd::Agent surviving{"surviving", &survives_once};

TEST_F(TestingCrashesTest, WhatOnlyASecondCrashBringsOutIsFoundWithBothPlaces) {
  const auto scenario = [](kit::Runtime& test) {
    *outside = {};
    return test.session(surviving, "s").start(0).value().wait();
  };
  EXPECT_TRUE(kit::crash_everywhere(scenario).ok());
  const kit::CrashReport report = kit::crash_everywhere({.second_within = 5}, scenario);
  const kit::Finding* const reply = find(report, "replied 2; without crashes it replied 1");
  ASSERT_NE(reply, nullptr) << to_string(report);
  EXPECT_GT(reply->places[0].second, reply->places[0].commit);
  EXPECT_TRUE(contains(to_string(report), ", and again before commit "));
}

TEST_F(TestingCrashesTest, ASoundScenarioPassesInAnyOrder) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const kit::CrashReport report = kit::crash_everywhere(
        {.runtime = {.seed = seed, .order = kit::Order::by_seed}}, &sound_scenario);
    EXPECT_TRUE(report.ok()) << to_string(report);
  }
}

pd::Task<int> two_steps(pd::Context& ctx, int) {
  const int first = co_await ctx.step("first", [](pd::Step&) { return 1; });
  co_return first + co_await ctx.step("second", [](pd::Step&) { return 2; });
}
inline constexpr pd::Agent two_stepping{"two steps", &two_steps};

/// What a broken journal would do: all records of the run but the first are forgotten.
void forget_records(kit::Runtime& test, const pd::RunId& run) {
  auto& store = static_cast<actors::TestingEngine&>(test.core()).store();
  journal::Change change;
  change.put(journal::Table::records, journal::Key{}.add(run).add(journal::kHeadIndex),
             journal::HeadRow{1, journal::RunStatus::running, 0, Code::user, {}});
  std::vector<journal::NumberedChange> changes;
  changes.push_back({std::move(change), 99, 0});
  journal::Batch batch;
  store.commit(batch.build(changes), journal::Durability::full).value();
}

TEST_F(TestingCrashesTest, ARecordedStepThatRunsAgainIsReported) {
  const kit::CrashReport report = kit::crash_everywhere({.last = 1}, [](kit::Runtime& test) {
    auto run = test.session(two_stepping, "s").start(0).value();
    test.replace("second", [](pd::Step&) -> pd::Result<int> {
      return pd::Error{pd::Code::user, "later", true, 1h, {}};
    });
    test.run_until_idle();
    forget_records(test, run.id());
    test.restart(kit::End::unclean);
    test.advance(1h);
  });
  EXPECT_NE(
      find(report, "step 1 'first' of two steps/s ran again although its result was recorded"),
      nullptr)
      << to_string(report);
}

pd::Task<int> rolls_dice(pd::Context& ctx, int) {
  co_await ctx.step("shuffle", [](pd::Step&) {});
  const int face = std::rand();
  co_await ctx.step("play " + std::to_string(face), [](pd::Step&) {});
  co_await ctx.step("pay", [](pd::Step&) {});
  co_return 0;
}
inline constexpr pd::Agent rolling{"rolling", &rolls_dice};

TEST_F(TestingCrashesTest, AHandlerThatDrawsByItselfIsReportedAsDiverged) {
  const kit::CrashReport report = kit::crash_everywhere(
      [](kit::Runtime& test) { return test.session(rolling, "s").start(0).value().wait(); });
  const kit::Finding* const diverged = find(report, "run_diverged: the run of rolling/s: ");
  ASSERT_NE(diverged, nullptr) << to_string(report);
  EXPECT_TRUE(contains(diverged->what, "'play ")) << diverged->what;
  EXPECT_TRUE(contains(diverged->what, "crashes_test.cpp")) << "the line of the code is told";
  ASSERT_FALSE(diverged->places.empty());
  EXPECT_GT(diverged->places.front().commit, 0U);
}

pd::Task<int> depends(pd::Context& ctx, int) {
  co_await ctx.step("first", [](pd::Step&) {});
  if (outside->counter++ == 0) co_await ctx.step("greet once", [](pd::Step&) {});
  co_await ctx.step("last", [](pd::Step&) {});
  co_return 1;
}
inline constexpr pd::Agent depending{"depending", &depends};

TEST_F(TestingCrashesTest, AStepThatDependsOnAGlobalIsReportedAsDiverged) {
  const kit::CrashReport report = kit::crash_everywhere([](kit::Runtime& test) {
    *outside = {};
    return test.session(depending, "s").start(0).value().wait();
  });
  const kit::Finding* const diverged = find(report, "run_diverged: the run of depending/s: ");
  ASSERT_NE(diverged, nullptr) << to_string(report);
  EXPECT_TRUE(contains(diverged->what, "'greet once'")) << diverged->what;
  EXPECT_EQ(diverged->places.front().commit != 0, true);
  const kit::Finding* const ending = find(report, "without crashes it replied 1");
  ASSERT_NE(ending, nullptr) << to_string(report);
}

pd::Task<int> counts(pd::Context& ctx, int) {
  co_return co_await ctx.step("withdraw", [](pd::Step&) { return ++outside->counter; });
}
inline constexpr pd::Agent counting{"counting", &counts};

TEST_F(TestingCrashesTest, AnEffectThatIsNotIdempotentIsReported) {
  const kit::CrashReport report = kit::crash_everywhere([](kit::Runtime& test) {
    *outside = {};
    return test.session(counting, "s").start(0).value().wait();
  });
  const kit::Finding* const reply =
      find(report, "the run of counting/s replied 2; without crashes it replied 1");
  ASSERT_NE(reply, nullptr) << to_string(report);
  ASSERT_EQ(reply->places.size(), 1U);
  EXPECT_EQ(reply->places[0].when, kit::CrashPlace::When::before);
  EXPECT_TRUE(contains(reply->places[0].what, "the result of step 1 'withdraw' of counting/s"));
  EXPECT_NE(find(report, "the scenario gives 2; without crashes it gives 1"), nullptr);
  // Its place leads there again.
  const std::uint64_t at = reply->places[0].commit;
  const kit::CrashReport there = kit::crash_everywhere({.first = at, .last = at}, [](auto& test) {
    *outside = {};
    return test.session(counting, "s").start(0).value().wait();
  });
  EXPECT_EQ(there.findings.size(), report.findings.size());
}

TEST_F(TestingCrashesTest, AScenarioThatDiffersWithoutACrashIsReportedAsSuch) {
  const kit::CrashReport report = kit::crash_everywhere([](kit::Runtime& test) {
    // Forgets to begin afresh.
    return test.session(counting, "s").start(0).value().wait();
  });
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.findings[0].places[0].commit, 0U);
  EXPECT_TRUE(contains(to_string(report), "without any crash, the second time"))
      << to_string(report);
}

TEST_F(TestingCrashesTest, AScenarioThatFailsWithoutACrashIsToldAndNoCrashTried) {
  for (const bool by_exception : {false, true}) {
    const kit::CrashReport report =
        kit::crash_everywhere([by_exception](kit::Runtime&) -> pd::Result<int> {
          const pd::Result<int> failed = pd::Error{pd::Code::user, "the scenario is wrong"};
          return by_exception ? failed.value() : failed;
        });
    ASSERT_EQ(report.findings.size(), 1U);
    EXPECT_EQ(report.findings[0].what,
              "without any crash the scenario fails: user: the scenario is wrong");
    EXPECT_EQ(report.crashes, 0U);
  }
  const kit::CrashReport report =
      kit::crash_everywhere([](kit::Runtime&) { throw std::runtime_error("no pd::Exception"); });
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_TRUE(contains(report.findings[0].what, "the scenario threw: no pd::Exception"));
}

TEST_F(TestingCrashesTest, AScenarioThatFailsAfterACrashIsReported) {
  const kit::CrashReport report = kit::crash_everywhere([](kit::Runtime& test) {
    *outside = {};
    test.session(counting, "s").start(0).value().wait().value();
    if (test.times("withdraw") != 1) throw std::runtime_error("ran twice");
  });
  const kit::Finding* const failed = find(report, "the scenario fails: ");
  ASSERT_NE(failed, nullptr) << to_string(report);
  EXPECT_TRUE(contains(failed->what, "ran twice"));
}

TEST_F(TestingCrashesTest, WhatGoesOnBehindTheScenariosBackIsPartOfIt) {
  const kit::CrashReport report = kit::crash_everywhere([](kit::Runtime& test) {
    *outside = {};
    (void)test.session(counting, "s").start(0).value();
  });
  EXPECT_NE(find(report, "replied 2; without crashes it replied 1"), nullptr) << to_string(report);
}

pd::Task<std::string> charges(pd::Context& ctx, int) {
  const pd::Result<int> charged =
      co_await pd::as_result(ctx.step("charge", [](pd::Step&) { return ++outside->counter; },
                                      {.effect = pd::Effect::at_most_once}));
  if (charged) co_return "charged";
  co_return charged.error().code == pd::Code::outcome_unknown ? "ask the bank" : "failed";
}
inline constexpr pd::Agent charging{"charging", &charges};

TEST_F(TestingCrashesTest, AnAtMostOnceStepRunsOnceAndItsUnknownOutcomeIsTheHandlersAffair) {
  int most = 0;
  bool asked = false;
  const auto scenario = [&](kit::Runtime& test) {
    *outside = {};
    const auto reply = test.session(charging, "s").start(0).value().wait();
    most = std::max(most, outside->counter);
    asked = asked || reply.value() == "ask the bank";
    return reply;
  };
  const kit::CrashReport report = kit::crash_everywhere(scenario);
  EXPECT_TRUE(report.ok()) << to_string(report);
  EXPECT_EQ(most, 1);
  EXPECT_TRUE(asked);
  const kit::CrashReport strict =
      kit::crash_everywhere({.unknown_outcomes = kit::UnknownOutcomes::must_not_show}, scenario);
  EXPECT_NE(find(strict, "replied \"ask the bank\"; without crashes it replied \"charged\""),
            nullptr)
      << to_string(strict);
}

pd::Task<int> charges_or_fails(pd::Context& ctx, int) {
  co_return co_await ctx.step("charge", [](pd::Step&) { return 1; },
                              {.effect = pd::Effect::at_most_once});
}
inline constexpr pd::Agent plain_charging{"plain charging", &charges_or_fails};

TEST_F(TestingCrashesTest, ARunThatFailsBecauseOfAnUnknownOutcomeIsNoFindingUnlessAskedFor) {
  const auto scenario = [](kit::Runtime& test) {
    return test.session(plain_charging, "s").start(0).value().wait();
  };
  const kit::CrashReport report = kit::crash_everywhere(scenario);
  EXPECT_TRUE(report.ok()) << to_string(report);
  EXPECT_FALSE(
      kit::crash_everywhere({.unknown_outcomes = kit::UnknownOutcomes::must_not_show}, scenario)
          .ok());
}

pd::Task<int> throws_later(pd::Context& ctx, int) {
  co_await ctx.step("one", [](pd::Step&) {});
  if (++outside->counter > 1) throw std::runtime_error("not the second time");
  co_await ctx.step("two", [](pd::Step&) {});
  co_return 1;
}
inline constexpr pd::Agent throwing_later{"throwing later", &throws_later};

TEST_F(TestingCrashesTest, ARunThatParksOnlyAfterACrashIsReportedWithItsReason) {
  const kit::CrashReport report = kit::crash_everywhere([](kit::Runtime& test) {
    *outside = {};
    return test.session(throwing_later, "s").start(0).value().wait();
  });
  const kit::Finding* const parked = find(report, "run_parked: the run of throwing later/s: ");
  ASSERT_NE(parked, nullptr) << to_string(report);
  EXPECT_TRUE(contains(parked->what, "not the second time"));
  EXPECT_GT(parked->places.size(), 1U) << "told once, with all its places";
}

pd::Task<int> never(pd::Context& ctx, int) {
  co_return co_await ctx.step(
      "never", [](pd::Step&) -> pd::Result<int> { return pd::Error{pd::Code::user, "not yet"}; },
      {.retry = {.attempts_max = 0}});
}
inline constexpr pd::Agent never_done{"never done", &never};

TEST_F(TestingCrashesTest, AScenarioMayRestartByItselfAndLeaveRunsUnfinished) {
  const kit::CrashReport report = kit::crash_everywhere([](kit::Runtime& test) {
    auto run = test.session(never_done, "a").start(0).value();
    test.run_until_idle();
    test.restart(kit::End::clean, {.down_for = 1s});
    EXPECT_FALSE(run.result().has_value());
    test.restart(kit::End::unclean);
  });
  EXPECT_TRUE(report.ok()) << to_string(report);
}

TEST_F(TestingCrashesTest, ACrashInsideABodysOwnCallsIsSurvivedToo) {
  const kit::CrashReport report = kit::crash_everywhere([](kit::Runtime& test) {
    *outside = {};
    test.replace("withdraw", [&test](pd::Step&) -> pd::Result<int> {
      PERDURE_TRY(auto inner, test.session(rolling, "inner").start(0));
      (void)inner;
      return 5;
    });
    test.replace("shuffle", [](pd::Step&) -> pd::Result<void> {
      return pd::Error{pd::Code::refused, "no dice here"};
    });
    return test.session(counting, "outer").start(0).value().wait();
  });
  EXPECT_TRUE(report.ok()) << to_string(report);
}

}  // namespace
}  // namespace perdure::test
