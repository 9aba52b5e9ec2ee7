// The checker can fail: each promise of its list is broken by hand, and found.
#include "tests/crash/checker.hpp"
#include "tests/crash/process.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>

namespace perdure::crash {
namespace {

/// Two lives of one run of four steps, all well: step 1 succeeded in L1; step 2, which may run at
/// most once, was cut off by the crash; step 3 failed once in L2; step 4 was refused, then done.
class Story : public ::testing::Test {
 protected:
  Story() {
    const Sources order{{"~order", "plain x1"}, {"~random", "77"}};
    const auto inputs = [&](std::vector<std::pair<std::string, std::string>> seen) {
      Sources all = order;
      all.insert(all.end(), seen.begin(), seen.end());
      return all;
    };
    const std::string unknown = "!outcome_unknown: nobody knows";
    Life first;
    first.label = "L1";
    first.started = {{"agent", "s", "R", "plain x1"}};
    first.effects = {
        effect("1", 1, "idempotent", Will::succeed, "L1.1", inputs({})),
        effect("2", 1, "at_most_once", Will::succeed, "L1.2", inputs({{"1", "L1.1"}}))};
    Life second;
    second.label = "L2";
    second.started = first.started;
    const Sources third = inputs({{"1", "L1.1"}, {"2", unknown}});
    Sources fourth = third;
    fourth.emplace_back("3", "L2.2");
    second.effects = {effect("3", 1, "idempotent", Will::fail, "L2.1", third),
                      effect("3", 2, "idempotent", Will::succeed, "L2.2", third),
                      effect("4", 1, "at_most_once", Will::refuse, "L2.3", fourth),
                      effect("4", 2, "at_most_once", Will::succeed, "L2.4", fourth)};
    RecordedRun run;
    run.agent = "agent";
    run.session = "s";
    run.order = "plain x1";
    run.status = "completed";
    run.results = {{"1", {"a", 1, "L1.1", false, ""}},
                   {"2", {"b", 1, unknown, true, "outcome_unknown"}},
                   {"3", {"c", 2, "L2.2", false, ""}},
                   {"4", {"d", 2, "L2.4", false, ""}}};
    run.starts = {{"2", {1}}, {"4", {1, 2}}};
    run.reply = to_text(inputs({{"1", "L1.1"}, {"4", "L2.4"}}));
    second.replies = {{"R", *run.reply}};
    history_ = {first, second};
    journal_.exists = true;
    journal_.runs = {{"R", run}};
    before_ = {{}, {{"R", {"1"}}}};
  }

  static Effect effect(const std::string& step, int attempt, const std::string& effect_class,
                       Will will, const std::string& nonce, const Sources& inputs) {
    return {"R", step, "R/" + step + "/name", attempt, "name", effect_class, will, nonce, inputs};
  }
  Effect& of(std::size_t life, std::size_t index) { return history_[life].effects[index]; }
  RecordedRun& run() { return journal_.runs.at("R"); }
  [[nodiscard]] std::vector<std::string> findings() const {
    return judge(history_, journal_, before_, Ended::all_of_it);
  }
  /// That the checker now says that `promise` is broken.
  void expect_broken(int promise) const {
    const std::string begin = "promise " + std::to_string(promise) + ":";
    const std::vector<std::string> all = findings();
    EXPECT_TRUE(std::ranges::any_of(all, [&](const auto& f) { return f.starts_with(begin); }))
        << begin << " was broken, and among " << all.size() << " findings is nothing of it";
  }

  History history_;
  JournalFacts journal_;
  std::vector<Recorded> before_;
};

TEST_F(Story, IsAllRight) { EXPECT_EQ(findings(), std::vector<std::string>{}); }

TEST_F(Story, AnAttemptThatABudgetForgotIsFound) {
  run().tokens = 6;
  EXPECT_EQ(findings(), std::vector<std::string>{});
  run().tokens = 5;
  expect_broken(24);
}

TEST_F(Story, DamageIsFound) {
  journal_.findings = {"record 3 is gone"};
  expect_broken(1);
}

TEST_F(Story, ALostRunIsFound) {
  history_[0].started.push_back({"agent", "other", "LOST", "plain x1"});
  expect_broken(2);
}

TEST_F(Story, ARunOfAnotherOrderIsFound) {
  history_[1].started[0].order = "plain x2";
  expect_broken(2);
}

TEST_F(Story, ASecondRunOfASessionIsFound) {
  journal_.runs["S"] = run();
  history_[1].started[0].run = "S";
  expect_broken(3);
}

TEST_F(Story, ARecordedStepThatRanAgainIsFound) {
  Effect again = of(0, 0);
  again.attempt = 2;
  history_[1].effects.insert(history_[1].effects.begin(), again);
  expect_broken(4);
}

TEST_F(Story, AResultThatTheBodyNeverGaveIsFound) {
  run().results.at("3").text = "L2.9";
  expect_broken(5);
}

TEST_F(Story, AResultOfAnEarlierAttemptIsFound) {
  of(1, 0).will = Will::succeed;
  expect_broken(5);
}

TEST_F(Story, AResultThatNoBodyRanForIsFound) {
  run().results["5"] = {"e", 1, "L2.5", false, ""};
  expect_broken(5);
}

TEST_F(Story, AFailureInTheGuiseOfASuccessIsFound) {
  run().results.at("3") = {"c", 2, "!user: L2.2", true, "user"};
  expect_broken(5);
}

TEST_F(Story, AWrongCountOfAttemptsIsFound) {
  run().results.at("3").attempts = 1;
  expect_broken(5);
}

TEST_F(Story, AnEffectOfAResultThatWasLostIsFound) {
  run().results.erase("1");
  expect_broken(6);
}

TEST_F(Story, AnEffectOfAResultThatIsAnotherNowIsFound) {
  of(0, 1).inputs.back().second = "L1.0";
  expect_broken(6);
}

TEST_F(Story, AnEffectOfAnotherOrderIsFound) {
  of(0, 0).inputs.front().second = "plain x9";
  expect_broken(6);
}

TEST_F(Story, AnEffectOfALostRunIsFound) {
  journal_.runs.clear();
  expect_broken(6);
}

TEST_F(Story, AKeyThatChangesOrIsNotTheStepsIsFound) {
  of(1, 1).key = "R/3/other";
  expect_broken(7);
  of(1, 1).key = of(1, 0).key;
  of(0, 0).key = "R/2/name";
  expect_broken(7);
}

TEST_F(Story, AnAttemptThatIsCountedTwiceIsFound) {
  of(1, 1).attempt = 1;
  run().results.at("3").attempts = 1;
  expect_broken(8);
}

TEST_F(Story, ASecondRunOfAnAtMostOnceBodyIsFound) {
  of(1, 2).will = Will::fail;
  expect_broken(9);
}

TEST_F(Story, AnAtMostOnceBodyAheadOfItsStartIsFound) {
  run().starts.at("4") = {1};
  expect_broken(9);
  run().starts.erase("4");
  expect_broken(9);
}

TEST_F(Story, AnOutcomeThatIsUnknownForNoReasonIsFound) {
  run().results.at("4") = {"d", 2, "!outcome_unknown: who knows", true, "outcome_unknown"};
  expect_broken(10);
}

TEST_F(Story, AnOutcomeThatIsUnknownWithoutAStartIsFound) {
  run().starts.erase("2");
  expect_broken(10);
}

TEST_F(Story, AnOutcomeThatWasGuessedIsFound) {
  run().results.at("2") = {"b", 1, "L2.9", false, ""};
  expect_broken(5);
}

TEST_F(Story, ADrawThatIsAnotherOnReplayIsFound) {
  of(1, 1).inputs[1].second = "78";
  expect_broken(11);
}

TEST_F(Story, AReplyThatIsNotTheRecordedOneIsFound) {
  history_[1].replies[0].text += "1=L1.1;";
  expect_broken(12);
}

TEST_F(Story, AReplyWithoutARecordedEndIsFound) {
  run().reply.reset();
  expect_broken(12);
}

TEST_F(Story, AReplyOfResultsThatAreNotRecordedIsFound) {
  run().reply = "4=L2.9;";
  history_[1].replies[0].text = *run().reply;
  expect_broken(6);
}

TEST_F(Story, APrematureOrWrongParkingIsFound) {
  history_[1].parked = {{"R", "suspected_crash", "at once"}};
  expect_broken(13);
  history_.insert(history_.begin(), 3, Life{});
  before_.insert(before_.begin(), 3, Recorded{});
  EXPECT_EQ(findings(), std::vector<std::string>{});
  history_.back().parked[0].code = "diverged";
  expect_broken(13);
}

TEST_F(Story, TroubleIsFound) {
  history_[0].troubles = {"the disk is on fire"};
  expect_broken(13);
}

TEST_F(Story, ARunThatDidNotEndIsFound) {
  run().reply.reset();
  history_[1].replies.clear();
  run().status = "running";
  expect_broken(14);
}

TEST(HistoryTest, LinesReadBackAsTheyWereWritten) {
  const Effect effect{"R",        "1.0",        "R/1.0/a%20b",
                      3,          "a\tb\\ c\n", "keyed",
                      Will::fail, "L.9",        {{"1", "!x: a=b;\\"}, {"~o", ""}}};
  const std::string text = to_line({"life", "L"}) + line_of(effect) +
                           to_line({"started", "a", "s", "R", "o", "start"}) +
                           to_line({"reply", "R", "t\n"}) + to_line({"parked", "R", "c", "m"}) +
                           to_line({"trouble", "t"}) + "reply\thalf a li";
  const History history = history_of(text);
  ASSERT_EQ(history.size(), 1U);
  const Life& life = history.front();
  ASSERT_EQ(life.effects.size(), 1U);
  EXPECT_EQ(line_of(life.effects[0]), line_of(effect));
  EXPECT_EQ(life.effects[0].inputs, effect.inputs);
  EXPECT_EQ(life.effects[0].name, effect.name);
  ASSERT_EQ(life.replies.size(), 1U) << "the last line was never whole";
  EXPECT_EQ(life.replies[0].text, "t\n");
  EXPECT_EQ(life.started.size() + life.parked.size() + life.troubles.size(), 3U);
}

TEST(HistoryTest, WhatNoWorkloadWritesIsRefused) {
  EXPECT_THROW(static_cast<void>(history_of("reply\tR\tt\n")), std::invalid_argument)
      << "no life has begun";
  EXPECT_THROW(static_cast<void>(history_of("life\tL\nnoise\n")), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(history_of("life\tL\nreply\tR\n")), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(sources_of("1=a")), std::invalid_argument);
}

/// What the checker is told of a real journal is there, and damage to the file is told too.
TEST(JournalFactsTest, AreThoseOfTheJournal) {
  const TemporaryDirectory directory("journal-facts");
  EXPECT_FALSE(read_journal(directory.path() / "nowhere").exists);
  Lives lives(directory.path() / "lives");
  ASSERT_TRUE(lives.live({}).completed());
  EXPECT_TRUE(lives.findings().empty()) << lives.report();
  const JournalFacts facts = lives.journal();
  EXPECT_EQ(facts.runs.size(), 6U) << "'common' was started twice at once and is one run";
  const auto run = std::ranges::find_if(
      facts.runs, [](const auto& each) { return each.second.session == "j0"; });
  ASSERT_NE(run, facts.runs.end());
  EXPECT_EQ(run->second.agent, "traveller");
  EXPECT_EQ(run->second.order, "j0 x3");
  EXPECT_EQ(run->second.status, "completed");
  EXPECT_EQ(run->second.results.size(), 10U);
  EXPECT_EQ(run->second.results.at("5.2").code, "user");
  EXPECT_EQ(run->second.results.at("5.3").code, "timeout");
  EXPECT_EQ(run->second.results.at("5.4").attempts, 2);
  EXPECT_EQ(run->second.starts.at("5.4"), (std::vector<int>{1, 2}));
  EXPECT_TRUE(run->second.reply.has_value());

  std::filesystem::resize_file(lives.journal_path() / "generation-000001" / "data.mdb", 8192);
  EXPECT_FALSE(read_journal(lives.journal_path()).findings.empty());
}

/// The whole chain: what really happened, but for one line of the outside world's memory.
TEST(JournalFactsTest, AChangedMemoryOfTheOutsideWorldIsFound) {
  const TemporaryDirectory directory("changed-memory");
  Lives lives(directory.path() / "lives");
  ASSERT_TRUE(lives.live({}).completed());
  const History truth = read_history(lives.outside_path());
  ASSERT_EQ(judge(truth, lives.journal(), {}, Ended::all_of_it), std::vector<std::string>{});
  for (std::size_t i = 0; i < truth[0].effects.size(); ++i) {
    History history = truth;
    history[0].effects[i].nonce = "L9.9";
    EXPECT_FALSE(judge(history, lives.journal(), {}).empty() &&
                 truth[0].effects[i].will == Will::succeed)
        << "body " << i << " gave something else";
    history = truth;
    history[0].effects.erase(history[0].effects.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_FALSE(judge(history, lives.journal(), {}).empty() &&
                 truth[0].effects[i].will == Will::succeed)
        << "body " << i << " did not run";
  }
}

}  // namespace
}  // namespace perdure::crash
