// The checker's part about sessions can fail: each promise is broken by hand in what a journal
// really holds, and found.
#include "tests/crash/checker.hpp"
#include "tests/crash/operator.hpp"
#include "tests/crash/process.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace perdure::crash {
namespace {

/// What a journal holds after a death, an operator's visit and a life that completed.
struct Truth {
  History history;
  JournalFacts journal;
};

class SessionStory : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const SessionsPart sessions;
    const TemporaryDirectory directory("session-story");
    Lives lives(directory.path());
    lives.live({.kill_after_notes = 40});
    give_orders(lives.journal_path(), lives.outside_path(), "an order");
    lives.complete();
    ASSERT_TRUE(lives.findings().empty()) << lives.report();
    truth = Truth{read_history(lives.outside_path()), lives.journal()};
  }
  static void TearDownTestSuite() { truth.reset(); }

  void SetUp() override { ASSERT_TRUE(truth.has_value()); }

  /// The first run of whose agent, handler and order this is true.
  RecordedRun& run_of(const std::string& agent, const std::string& session = {},
                      const std::string& order = {}) {
    for (auto& [id, run] : journal_.runs)
      if (run.agent == agent && (session.empty() || run.session == session) &&
          run.order.ends_with(order))
        return run;
    throw std::runtime_error("no run of " + agent);
  }
  /// The first result of this kind in a run of `agent`.
  RecordedResult& result_of(const std::string& agent, const std::string& kind) {
    for (auto& [id, run] : journal_.runs)
      for (auto& [step, result] : run.results)
        if (run.agent == agent && result.kind == kind && !result.failed) return result;
    throw std::runtime_error("no " + kind + " of " + agent);
  }
  /// What was broken is whole again.
  void tell_the_truth() {
    history_ = truth->history;
    journal_ = truth->journal;
  }
  void expect_broken(int promise) const {
    const std::string begin = "promise " + std::to_string(promise) + ":";
    const std::vector<std::string> all = judge(history_, journal_, {}, Ended::all_of_it);
    EXPECT_TRUE(std::ranges::any_of(all, [&](const auto& f) { return f.starts_with(begin); }))
        << begin << " was broken, and among " << all.size() << " findings is nothing of it";
  }

  static std::optional<Truth> truth;
  History history_ = truth ? truth->history : History{};
  JournalFacts journal_ = truth ? truth->journal : JournalFacts{};
};
std::optional<Truth> SessionStory::truth;

TEST_F(SessionStory, IsAllRight) {
  EXPECT_EQ(judge(history_, journal_, {}, Ended::all_of_it), std::vector<std::string>{});
}

TEST_F(SessionStory, TwoMessagesAtATimeAreFound) {
  std::vector<RecordedRun*> runs;
  for (auto& [id, run] : journal_.runs)
    if (run.agent == "ledger") runs.push_back(&run);
  ASSERT_GT(runs.size(), 4U);
  std::ranges::sort(runs, {}, &RecordedRun::created);
  runs[0]->ended = runs[1]->created + 1;
  expect_broken(15);
}

TEST_F(SessionStory, MessagesThatComeTwiceOrNotAtAllAreFound) {
  {
    SCOPED_TRACE("A message that is handled twice is found");
    RecordedRun again = run_of("ledger", "bank", " x10");
    again.created = again.ended = 1U << 30U;
    journal_.runs["AGAIN"] = again;
    expect_broken(16);
  }
  tell_the_truth();
  {
    SCOPED_TRACE("A message that is lost is found");
    std::erase_if(journal_.runs,
                  [](const auto& each) { return each.second.order.ends_with(" x10"); });
    expect_broken(16);
  }
  tell_the_truth();
  {
    SCOPED_TRACE("A message that nobody sent is found");
    run_of("ledger", "bank", " x10").order = "NOBODY/3 x10";
    expect_broken(16);
  }
  tell_the_truth();
  {
    SCOPED_TRACE("A reply of another run is found");
    result_of("payer", "call").text = "~sum=9;";
    expect_broken(16);
  }
  tell_the_truth();
  {
    SCOPED_TRACE("A message that still waits is found");
    const std::string order = run_of("ledger", "bank", " x10").order;
    journal_.waiting.push_back({"ledger/bank", "message", order.substr(0, order.size() - 4)});
    expect_broken(16);
  }
}

TEST_F(SessionStory, SignalsThatComeTwiceOrNotAtAllAreFound) {
  {
    SCOPED_TRACE("A signal that is received twice is found");
    RecordedRun again = run_of("listener");
    journal_.runs["AGAIN"] = again;
    expect_broken(17);
  }
  tell_the_truth();
  {
    SCOPED_TRACE("A signal that is received and kept is found");
    journal_.waiting.push_back({"listener/l", "signal", result_of("listener", "receive").text});
    expect_broken(17);
  }
  tell_the_truth();
  {
    SCOPED_TRACE("A signal that is lost is found");
    history_.back().signals.push_back({"listener", "l", "nobody knows it"});
    expect_broken(17);
  }
  tell_the_truth();
  {
    SCOPED_TRACE("Signals in another order are found");
    std::vector<RecordedResult*> words;
    for (auto& [step, result] : run_of("listener").results)
      if (result.kind == "receive" && !result.failed && result.name == "word")
        words.push_back(&result);
    ASSERT_EQ(words.size(), 4U);
    std::swap(words[0]->text, words[1]->text);
    expect_broken(17);
  }
}

TEST_F(SessionStory, StateThatIsNotWhatWasHandledIsFound) {
  {
    SCOPED_TRACE("State that is not what was handled is found");
    journal_.states.at("ledger/bank").at("sum") += 1;
    expect_broken(18);
  }
  tell_the_truth();
  {
    SCOPED_TRACE("State that was not erased is found");
    journal_.states.at("ledger/bank")["mark"] = 1;
    expect_broken(18);
  }
  tell_the_truth();
  {
    SCOPED_TRACE("State from the future is found");
    RecordedRun& run = run_of("ledger", "bank", " x10");
    Sources seen = sources_of(*run.reply);
    std::ranges::find(seen, "~before", &Source::first)->second = "1000";
    run.reply = to_text(seen);
    expect_broken(18);
  }
  tell_the_truth();
  {
    SCOPED_TRACE("A query that saw too much is found");
    history_.back().asked.push_back({"ledger", "bank", "sum", "100000"});
    expect_broken(18);
  }
  tell_the_truth();
  {
    SCOPED_TRACE("A listener that forgot is found");
    journal_.states.at("listener/l").at("heard") = 3;
    expect_broken(18);
  }
}

TEST_F(SessionStory, ChildrenThatFareOtherwiseThanTheirStartSaidAreFound) {
  {
    SCOPED_TRACE("A parent that did not wait is found");
    run_of("helper", "p-awaited").ended = run_of("parent").ended + 1;
    expect_broken(19);
  }
  tell_the_truth();
  {
    SCOPED_TRACE("A child that is not cancelled with its parent is found");
    run_of("helper", "p-cancelled").cancelled = 0;
    expect_broken(19);
  }
  tell_the_truth();
  {
    SCOPED_TRACE("A child that is not left alone is found");
    run_of("helper", "p-left").cancelled = 1U << 30U;
    expect_broken(19);
  }
}

TEST_F(SessionStory, WhatIsTooEarlyIsFound) {
  {
    SCOPED_TRACE("A delay that is too short is found");
    run_of("ledger", "bank", " x100").created_at -= 60'000'000;
    expect_broken(20);
  }
  tell_the_truth();
  {
    SCOPED_TRACE("A sleep that is too short is found");
    RecordedResult& nap = result_of("evolver", "sleep");
    nap.stamp = nap.after + 1000;
    expect_broken(20);
  }
}

TEST_F(SessionStory, CancelsThatNobodyAskedForOrThatAreLostAreFound) {
  {
    SCOPED_TRACE("A cancel that nobody asked for is found");
    run_of("talker").cancelled = 1;
    expect_broken(21);
  }
  tell_the_truth();
  {
    SCOPED_TRACE("A cancel that is lost is found");
    for (auto& [id, run] : journal_.runs)
      if (run.agent == "tidy") run.cancelled = 0;
    expect_broken(21);
  }
  tell_the_truth();
  {
    SCOPED_TRACE("A kill that is lost is found");
    const auto run = std::ranges::find_if(
        journal_.runs, [](const auto& each) { return each.second.agent == "payer"; });
    history_.back().cancels.push_back({run->first, "kill"});
    expect_broken(21);
  }
  tell_the_truth();
  {
    SCOPED_TRACE("A replaced revision behind which nothing came is found");
    run_of("clerk", "revisions", " x3").status = "cancelled";
    expect_broken(21);
  }
}

TEST_F(SessionStory, AWayThatIsNotTheMarkedOneIsFound) {
  {
    SCOPED_TRACE("A way that is not the marked one is found");
    RecordedRun& run = run_of("evolver");
    if (run.marks.empty()) {
      run.marks["a change"] = 2;
    } else {
      run.marks.clear();
    }
    expect_broken(22);
  }
  tell_the_truth();
  {
    SCOPED_TRACE("Two ways of one run are found");
    for (Life& life : history_)
      for (Effect& effect : life.effects)
        for (auto& [source, text] : effect.inputs)
          if (source == "~version" && effect.name == "behind") text = text == "1" ? "2" : "1";
    expect_broken(22);
  }
}

TEST_F(SessionStory, AFailureThatItsAgentDoesNotWantIsFound) {
  run_of("thrower").reply = "!handler_threw: a bug";
  expect_broken(23);
  run_of("evolver").reply = "!diverged: it did";
  expect_broken(23);
}

}  // namespace
}  // namespace perdure::crash
