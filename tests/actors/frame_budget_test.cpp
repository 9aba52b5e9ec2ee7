/// The account of frames, and whose turn it is to give theirs up.
#include "actors/frame_budget.hpp"

#include <gtest/gtest.h>

namespace perdure::actors {
namespace {

SessionAddress session(unsigned char number) {
  SessionAddress address{{}, "a", std::to_string(number)};
  address.id.bytes[15] = std::byte{number};
  return address;
}

std::vector<std::string> keys(const std::vector<SessionAddress>& chosen) {
  std::vector<std::string> all;
  for (const SessionAddress& each : chosen) all.push_back(each.key);
  return all;
}
using Keys = std::vector<std::string>;

TEST(FrameBudgetTest, KeepsWhatItHasRoomFor) {
  FrameBudget budget(300);
  for (unsigned char i = 1; i <= 3; ++i) EXPECT_TRUE(budget.waits(session(i), 100, 10).empty());
  EXPECT_EQ(budget.bytes(), 300U);
}

TEST(FrameBudgetTest, WhoHasWaitedLongestGoesFirst) {
  FrameBudget budget(300);
  Keys gone;
  for (unsigned char i = 6; i >= 1; --i)
    for (const std::string& key : keys(budget.waits(session(i), 100, 10))) gone.push_back(key);
  EXPECT_EQ(gone, (Keys{"6", "5", "4"}));
  EXPECT_EQ(budget.bytes(), 300U);
}

TEST(FrameBudgetTest, WhoMovesIsNotChosenAndComesLastAgain) {
  FrameBudget budget(300);
  for (unsigned char i = 1; i <= 4; ++i) (void)budget.waits(session(i), 75, 10);
  EXPECT_EQ(keys(budget.waits(session(5), 75, 10)), Keys{"1"});
  budget.moves(session(2).id);
  budget.moves(session(9).id);
  EXPECT_EQ(budget.bytes(), 225U);
  EXPECT_TRUE(budget.waits(session(2), 75, 10).empty());
  EXPECT_EQ(keys(budget.waits(session(6), 75, 10)), Keys{"3"});
}

TEST(FrameBudgetTest, WhatIsDearToReplayStaysLonger) {
  FrameBudget budget(300);
  (void)budget.waits(session(1), 100, 100'000);
  (void)budget.waits(session(2), 100, 10);
  (void)budget.waits(session(3), 100, 10);
  EXPECT_EQ(keys(budget.waits(session(4), 100, 10)), Keys{"2"});
  // But not for ever: what was chosen lifts the floor that others start from.
  Keys gone;
  for (int round = 0; round < 20'000 && gone.empty(); ++round)
    for (const std::string& key :
         keys(budget.waits(session(static_cast<unsigned char>(5 + round % 200)), 100, 10)))
      if (key == "1") gone.push_back(key);
  EXPECT_EQ(gone, Keys{"1"});
}

TEST(FrameBudgetTest, LargeFramesGoBeforeSmallOnesOfEqualCost) {
  FrameBudget budget(1000);
  (void)budget.waits(session(1), 10, 10);
  (void)budget.waits(session(2), 900, 10);
  EXPECT_EQ(keys(budget.waits(session(3), 100, 10)), Keys{"2"});
}

TEST(FrameBudgetTest, WithoutRoomEachGivesItsOwnUp) {
  FrameBudget budget(0);
  EXPECT_EQ(keys(budget.waits(session(1), 100, 10)), Keys{"1"});
  EXPECT_EQ(budget.bytes(), 0U);
  FrameBudget small(50);
  (void)small.waits(session(1), 40, 10);
  EXPECT_EQ(keys(small.waits(session(2), 1000, 10)), Keys{"2"});
  EXPECT_EQ(small.bytes(), 40U);
}

TEST(FrameBudgetTest, WhoWaitsAgainIsCountedOnce) {
  FrameBudget budget(FrameBudget::kUnlimited);
  (void)budget.waits(session(1), 100, 10);
  (void)budget.waits(session(1), 70, 10);
  EXPECT_EQ(budget.bytes(), 70U);
}

}  // namespace
}  // namespace perdure::actors
