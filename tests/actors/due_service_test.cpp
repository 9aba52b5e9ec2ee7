// Rows of `due` as timers: read a head at a time, told once each, never early.
#include "actors/due_service.hpp"
#include "journal/memory_store.hpp"
#include "tests/journal/journal_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <vector>

namespace perdure::actors {
namespace {

using journal::AttemptsRow;
using journal::DueRow;
using journal::run_id;
using journal::RunStatus;
using journal::Stamp;
using journal::Table;
using std::chrono::milliseconds;

constexpr std::array<std::uint32_t, 1> kPath{1};

class DueServiceTest : public ::testing::Test {
 protected:
  [[nodiscard]] Stamp now() { return clock_.wall().time_since_epoch().count(); }

  /// Run `number` waits for its second attempt, from now.
  void wait_for(std::uint64_t number, milliseconds in) {
    const Stamp due = now() + std::chrono::microseconds(in).count();
    AttemptsRow attempts;
    attempts.path = kPath;
    attempts.name = "step";
    attempts.count = 1;
    attempts.last_stamp = now();
    attempts.next_due = due;
    const journal::StepPath path(kPath);
    ASSERT_TRUE(
        rows_.run(number, 1, RunStatus::waiting)
            .put(Table::due, journal::due_row(due, run_id(number), path),
                 DueRow{DueRow::What::retry, kPath})
            .put(Table::attempts, journal::Key{}.add(run_id(number)).add(path.hash()), attempts)
            .commit(store_));
    rows_ = journal::TestRows(rows_.next_number());
  }
  /// Run `number` waits for a time of the clock.
  void wait_until(std::uint64_t number, milliseconds in) {
    const Stamp due = now() + std::chrono::microseconds(in).count();
    const journal::StepPath path(kPath);
    ASSERT_TRUE(rows_.run(number, 1, RunStatus::waiting)
                    .put(Table::due, journal::due_row(due, run_id(number), path),
                         DueRow{DueRow::What::wait, kPath, 1, now()})
                    .commit(store_));
    rows_ = journal::TestRows(rows_.next_number());
  }
  void start(std::size_t head_rows = DueService::kHeadRows) {
    service_ = std::make_unique<DueService>(
        store_, timers_, clock_,
        DueService::Hooks{[this](const SessionAddress& session, const DueNow& due) {
                            EXPECT_EQ(session.agent, "cart");
                            told_.push_back(session.key);
                            EXPECT_EQ(to_string(due.run),
                                      to_string(run_id(std::stoul(session.key.substr(1)))));
                          },
                          [this](const Error& why) { unreadable_.push_back(why.message); }},
        head_rows);
    ASSERT_TRUE(service_->start());
  }
  void advance(milliseconds by) {
    clock_.advance(by);
    while (timers_.fire_due(clock_.elapsed()) != 0) {
    }
  }
  using Keys = std::vector<std::string>;

  journal::MemoryStore store_;
  journal::TestRows rows_;
  Timers timers_;
  core::ManualClock clock_;
  Keys told_;
  std::vector<std::string> unreadable_;
  std::unique_ptr<DueService> service_;
};

TEST_F(DueServiceTest, RowsBeyondTheHeadAreReadWhenTheirTimeNears) {
  Keys all;
  for (std::uint64_t i = 1; i <= 9; ++i) {
    wait_for(i, milliseconds(10 * i));
    all.push_back("s" + std::to_string(i));
  }
  start(2);
  for (std::uint64_t i = 1; i <= 9; ++i) {
    advance(milliseconds(9));
    EXPECT_EQ(told_.size(), i - 1) << "early";
    advance(milliseconds(1));
    EXPECT_EQ(told_.size(), i);
  }
  EXPECT_EQ(told_, all);
  EXPECT_FALSE(timers_.next().has_value()) << "all rows were read, none is read again";
}

/// Rows stay in the table until their run goes on, and a parked run never does: they are not told
/// again and again, and do not hide what comes behind them.
TEST_F(DueServiceTest, RowsThatStayAreToldOnceAndHideNothing) {
  for (std::uint64_t i = 1; i <= 7; ++i) wait_for(i, milliseconds(5));
  wait_for(8, milliseconds(50));
  start(3);
  advance(milliseconds(5));
  EXPECT_EQ(told_.size(), 7U);
  advance(milliseconds(44));
  EXPECT_EQ(told_.size(), 7U);
  advance(milliseconds(1));
  EXPECT_EQ(told_.size(), 8U);
  EXPECT_EQ(told_.back(), "s8");
}

TEST_F(DueServiceTest, ARowWrittenMeanwhileIsToldOnceWhereverItFalls) {
  for (std::uint64_t i = 1; i <= 5; ++i) wait_for(i, milliseconds(10 * i));
  start(2);
  // Between the head's rows, and behind all of them.
  for (const std::uint64_t number : {15U, 90U}) {
    wait_for(number, milliseconds(number));
    const auto in = milliseconds(number);
    service_->arm({{journal::session_hash("cart", "s" + std::to_string(number)), "cart",
                    "s" + std::to_string(number)},
                   run_id(number),
                   journal::StepPath(kPath),
                   now() + std::chrono::microseconds(in).count(),
                   in});
  }
  for (int i = 0; i < 20; ++i) advance(milliseconds(5));
  EXPECT_EQ(told_, (Keys{"s1", "s15", "s2", "s3", "s4", "s5", "s90"}));
}

/// The calendar went back a year while no process lived: nothing waits longer than it had to.
TEST_F(DueServiceTest, AfterTheClockWasSetBackNothingWaitsLongerThanItsDelay) {
  for (std::uint64_t i = 1; i <= 5; ++i) wait_for(i, milliseconds(10 * i));
  clock_.jump_wall(-std::chrono::hours(24 * 365));
  start(2);
  advance(milliseconds(0));
  advance(milliseconds(49));
  EXPECT_EQ(told_.size(), 4U) << "early";
  advance(milliseconds(1));
  EXPECT_EQ(told_.size(), 5U);
}

/// The calendar is set while a process lives and rows wait beyond the head.
TEST_F(DueServiceTest, TimesOfTheClockBeyondTheHeadFollowTheClock) {
  wait_for(1, milliseconds(5));
  wait_until(2, milliseconds(3'600'000));
  wait_for(3, milliseconds(7'200'000));
  start(1);
  advance(milliseconds(5));
  clock_.jump_wall(std::chrono::hours(1));
  advance(milliseconds(1000));
  EXPECT_EQ(told_, (Keys{"s1", "s2"}));
  advance(milliseconds(7'200'000 - 1006));
  EXPECT_EQ(told_.size(), 2U) << "early";
  advance(milliseconds(1));
  EXPECT_EQ(told_, (Keys{"s1", "s2", "s3"}));
}

TEST_F(DueServiceTest, WhatBeginsAfterAJumpBeyondTheHeadIsNeitherEarlyNorForgotten) {
  wait_for(1, milliseconds(5));
  wait_for(2, milliseconds(3'600'000));
  start(1);
  for (const auto jump : {std::chrono::hours(3), -std::chrono::hours(6)}) {
    told_.clear();
    clock_.jump_wall(jump);
    const std::uint64_t number = jump.count() > 0 ? 3 : 4;
    const auto in = milliseconds(60'000);
    wait_for(number, in);
    service_->arm({{journal::session_hash("cart", "s" + std::to_string(number)), "cart",
                    "s" + std::to_string(number)},
                   run_id(number),
                   journal::StepPath(kPath),
                   now() + std::chrono::microseconds(in).count(),
                   in});
    const std::string key = "s" + std::to_string(number);
    advance(milliseconds(59'999));
    EXPECT_EQ(std::ranges::count(told_, key), 0) << "early";
    advance(milliseconds(1));
    // Late by one delay at most, and by the time between two looks.
    for (int second = 0; second <= 61 && std::ranges::count(told_, key) == 0; ++second)
      advance(milliseconds(1000));
    EXPECT_EQ(std::ranges::count(told_, key), 1);
  }
}

TEST_F(DueServiceTest, WhatCannotBeReadLaterIsToldAndTriedAgain) {
  for (std::uint64_t i = 1; i <= 3; ++i) wait_for(i, milliseconds(10 * i));
  start(1);
  const journal::Key row = journal::due_row(now() + 30'000, run_id(3), journal::StepPath(kPath));
  ASSERT_TRUE(journal::TestBatch{}.put(Table::due, row, std::string(8, 'x')).commit(store_));
  advance(milliseconds(30));
  EXPECT_EQ(told_, (Keys{"s1", "s2"})) << "what is readable is not held up";
  ASSERT_EQ(unreadable_.size(), 1U);
  EXPECT_NE(unreadable_[0].find("a due time of run"), std::string::npos) << unreadable_[0];
  // Somebody restored the row.
  journal::TestRows again(100);
  ASSERT_TRUE(again.put(Table::due, row, DueRow{DueRow::What::retry, kPath}).commit(store_));
  advance(DueService::kTryAgain);
  EXPECT_EQ(told_, (Keys{"s1", "s2", "s3"}));
}

TEST_F(DueServiceTest, AfterStopNothingIsTold) {
  wait_for(1, milliseconds(5));
  wait_for(2, milliseconds(6));
  start(1);
  service_->stop();
  advance(milliseconds(100));
  EXPECT_TRUE(told_.empty());
}

}  // namespace
}  // namespace perdure::actors
