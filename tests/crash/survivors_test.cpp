// What is left to be checked after the newest batches may have been lost.
#include "tests/crash/survivors.hpp"

#include <gtest/gtest.h>

#include <string>

namespace perdure::crash {
namespace {

std::string effect(const std::string& step, int attempt, const std::string& nonce) {
  return line_of(
      Effect{"R", step, "R/" + step + "/n", attempt, "n", "idempotent", Will::succeed, nonce, {}});
}

class SurvivorsTest : public ::testing::Test {
 protected:
  void record(const std::string& step, const std::string& text, const std::string& code = "") {
    RecordedResult result;
    result.attempts = 1;
    result.text = text;
    result.code = code;
    result.failed = !code.empty();
    journal_.runs["R"].results[step] = result;
  }
  JournalFacts journal_;
  const std::string life_ = to_line({"life", "L1"});
  const std::string next_life_ = to_line({"life", "L2"});
  const std::string started_ = to_line({"started", "a", "s", "R", "o", "start"});
  const std::string reply_ = to_line({"reply", "R", "x"});
};

TEST_F(SurvivorsTest, NothingIsLeftWhereTheJournalTellsOfNothing) {
  EXPECT_EQ(survivors(life_ + started_ + effect("1", 1, "L1.1"), journal_), life_);
}

TEST_F(SurvivorsTest, EverythingUpToTheLastRecordedBodyIsLeft) {
  record("1", "L1.1");
  record("2", "!user: L1.2", "user");
  const std::string known =
      life_ + started_ + effect("1", 1, "L1.1") + reply_ + effect("2", 1, "L1.2");
  EXPECT_EQ(survivors(known + reply_ + effect("3", 1, "L1.3"), journal_), known);
}

TEST_F(SurvivorsTest, WhatWasKnownBeforeAnOpeningThatSucceededIsLeft) {
  const std::string first = life_ + started_ + effect("1", 1, "L1.1");
  EXPECT_EQ(survivors(first + next_life_, journal_), life_ + next_life_)
      << "the second did not get so far, as far as anybody knows";
  EXPECT_EQ(survivors(first + next_life_ + started_, journal_), first + next_life_);
}

TEST_F(SurvivorsTest, ABodyThatRanOutOfTimeIsLeftAndNothingForItsSake) {
  record("2", "!timeout: late", "timeout");
  EXPECT_EQ(survivors(life_ + started_ + effect("2", 1, "L1.2") + effect("2", 2, "L1.3"), journal_),
            life_ + effect("2", 1, "L1.2"));
}

}  // namespace
}  // namespace perdure::crash
