// What to do about a pending step, row by row.
#include "actors/attempt_policy.hpp"

#include "core/limits.hpp"

#include <gtest/gtest.h>

namespace perdure::actors {
namespace {

using journal::EffectClass;
using std::chrono::microseconds;

constexpr journal::Stamp kNow = 1'000'000'000;

/// One question, put together piece by piece.
class AttemptPolicyTest : public ::testing::Test {
 protected:
  AttemptPolicyTest() {
    pending_.what.path = journal::StepPath(std::array<std::uint32_t, 2>{3, 1});
    pending_.what.name = "pay";
  }
  /// A recorded start of attempt `number`.
  void started(EffectClass effect, std::uint32_t number) {
    pending_.started_as = effect;
    pending_.attempt = number;
  }
  /// Attempt `count` has ended with an error, the next is due at `due`.
  void failed(std::uint32_t count, journal::Stamp ended, journal::Stamp due) {
    journal::Attempts row;
    row.count = count;
    row.last_error = Error{Code::user, "no"};
    row.first_error = row.last_error;
    row.last_stamp = ended;
    row.next_due = due;
    attempts_ = row;
  }
  /// Attempt `count` has begun after `ends` unclean ends, and has not ended.
  void begun(std::uint32_t count, std::uint32_t ends) {
    if (!attempts_) attempts_.emplace();
    attempts_->count = count;
    attempts_->unclean_ends = ends;
    attempts_->last_stamp = 0;
    attempts_->next_due = 0;
  }
  Begin ask(LastEnd last_end) {
    return begin_step(
        {pending_, effect_, can_ask_, attempts_ ? &*attempts_ : nullptr, last_end, kNow});
  }
  journal::Pending pending_;
  Effect effect_ = Effect::idempotent;
  bool can_ask_ = false;
  std::optional<journal::Attempts> attempts_;
};

void expect_run(const Begin& begin, std::uint32_t attempt, bool record_start, bool unclean) {
  EXPECT_EQ(begin.what, Begin::What::run);
  EXPECT_EQ(begin.attempt, attempt);
  EXPECT_EQ(begin.record_start, record_start);
  EXPECT_EQ(begin.record_unclean_end, unclean);
}

TEST_F(AttemptPolicyTest, ANewStepRunsAtOnce) {
  expect_run(ask(LastEnd::none), 1, false, false);
  effect_ = Effect::keyed;
  expect_run(ask(LastEnd::none), 1, false, false);
}

TEST_F(AttemptPolicyTest, AnAtMostOnceStepRecordsItsStart) {
  effect_ = Effect::at_most_once;
  expect_run(ask(LastEnd::none), 1, true, false);
  expect_run(ask(LastEnd::clean), 1, true, false);
}

TEST_F(AttemptPolicyTest, AfterACleanEndAStepRunsAsIfForTheFirstTime) {
  expect_run(ask(LastEnd::clean), 1, false, false);
}

TEST_F(AttemptPolicyTest, AfterAnUncleanEndTheAttemptThatMayHaveRunCounts) {
  expect_run(ask(LastEnd::unclean), 2, false, true);
}

TEST_F(AttemptPolicyTest, AfterAFailedAttemptTheNextOneCountsOn) {
  failed(2, kNow - 50, 0);
  expect_run(ask(LastEnd::none), 3, false, false);
  expect_run(ask(LastEnd::clean), 3, false, false);
  // Attempt 3 may have been running when the process died.
  expect_run(ask(LastEnd::unclean), 4, false, true);
}

TEST_F(AttemptPolicyTest, AnUncleanEndInBackoffIsNotHeldAgainstTheStep) {
  failed(1, kNow - 50, kNow - 1);
  EXPECT_EQ(ask(LastEnd::unclean).what, Begin::What::wait);
  // Its time has come, in this process.
  attempts_->next_due = 0;
  expect_run(ask(LastEnd::none), 2, false, false);
}

TEST_F(AttemptPolicyTest, ThreeUncleanEndsInARowParkTheRun) {
  begun(2, 1);
  expect_run(ask(LastEnd::unclean), 3, false, true);
  begun(3, 2);
  const Begin begin = ask(LastEnd::unclean);
  EXPECT_EQ(begin.what, Begin::What::park);
  EXPECT_EQ(begin.error->code, Code::suspected_crash);
  EXPECT_NE(begin.error->message.find("step 3.1 'pay' was unfinished at 3 unclean ends"),
            std::string::npos);
  EXPECT_NE(begin.error->message.find("SuspectedCrashes::run_again"), std::string::npos);
  static_assert(core::limits::kUncleanEnds == 3);
}

TEST_F(AttemptPolicyTest, ACleanEndDoesNotCountTowardsTheThree) {
  begun(3, 2);
  expect_run(ask(LastEnd::clean), 4, false, false);
  expect_run(ask(LastEnd::none), 4, false, false);
}

TEST_F(AttemptPolicyTest, AStepWhoseTimeHasNotComeWaitsTheRemainder) {
  failed(1, kNow - 300, kNow + 700);
  for (const LastEnd end : {LastEnd::clean, LastEnd::unclean}) {
    const Begin begin = ask(end);
    EXPECT_EQ(begin.what, Begin::What::wait);
    EXPECT_EQ(begin.wait, microseconds(700));
  }
}

TEST_F(AttemptPolicyTest, TheRemainderIsNeverLongerThanTheDelay) {
  // The wall clock was set back by far: the row lies in the future.
  failed(1, kNow + 5'000'000, kNow + 5'001'000);
  EXPECT_EQ(ask(LastEnd::clean).wait, microseconds(1000));
  // A row whose due time does not lie behind its stamp waits for nothing.
  for (const journal::Stamp due : {kNow + 4'000'000, kNow + 5'000'000}) {
    failed(1, kNow + 5'000'000, due);
    expect_run(ask(LastEnd::clean), 2, false, false);
    expect_run(ask(LastEnd::unclean), 2, false, false);
  }
}

TEST_F(AttemptPolicyTest, AWallClockThatWasSetForwardLeavesNothingToWaitForAndBeginsNothing) {
  failed(1, kNow - 5'000'000, kNow);
  for (const LastEnd end : {LastEnd::none, LastEnd::clean, LastEnd::unclean}) {
    const Begin begin = ask(end);
    EXPECT_EQ(begin.what, Begin::What::wait) << "whoever counts the time says when it has come";
    EXPECT_EQ(begin.wait, microseconds(0));
  }
}

TEST_F(AttemptPolicyTest, AnAtMostOnceStepWithAStartAndNoOutcomeNeverRunsAgain) {
  for (const LastEnd end : {LastEnd::clean, LastEnd::unclean}) {
    effect_ = Effect::at_most_once;
    started(EffectClass::at_most_once, 1);
    const Begin begin = ask(end);
    EXPECT_EQ(begin.what, Begin::What::settle);
    EXPECT_EQ(begin.error->code, Code::outcome_unknown);
    EXPECT_NE(begin.error->message.find("step 3.1 'pay'"), std::string::npos);
  }
}

TEST_F(AttemptPolicyTest, TheRecordedEffectClassDecidesNotTheCodes) {
  effect_ = Effect::idempotent;
  started(EffectClass::at_most_once, 1);
  EXPECT_EQ(ask(LastEnd::unclean).what, Begin::What::settle);
  effect_ = Effect::at_most_once;
  started(EffectClass::idempotent, 1);
  expect_run(ask(LastEnd::unclean), 2, false, true);
}

TEST_F(AttemptPolicyTest, ARefusedAttemptThatIsRecordedAsEndedMayBeFollowedByAnother) {
  effect_ = Effect::at_most_once;
  started(EffectClass::at_most_once, 1);
  failed(1, kNow - 50, kNow + 10);
  EXPECT_EQ(ask(LastEnd::unclean).what, Begin::What::wait);
  attempts_->next_due = 0;
  expect_run(ask(LastEnd::none), 2, true, false);
}

TEST_F(AttemptPolicyTest, AnOlderAttemptsRefusalDoesNotAnswerForALaterStart) {
  effect_ = Effect::at_most_once;
  started(EffectClass::at_most_once, 2);
  failed(1, kNow - 50, 0);
  EXPECT_EQ(ask(LastEnd::unclean).error->code, Code::outcome_unknown) << "attempt 2 began";
  failed(2, kNow - 50, 0);
  begun(2, 0);
  EXPECT_EQ(ask(LastEnd::unclean).error->code, Code::outcome_unknown) << "attempt 2 has not ended";
}

TEST_F(AttemptPolicyTest, AStoppedStepIsSettledAsCancelled) {
  pending_.stop_requested = true;
  EXPECT_EQ(ask(LastEnd::none).error->code, Code::cancelled);
  failed(1, kNow - 1, kNow + 1000);
  EXPECT_EQ(ask(LastEnd::clean).what, Begin::What::settle);
  begun(3, 2);
  EXPECT_EQ(ask(LastEnd::unclean).error->code, Code::cancelled);
}

TEST_F(AttemptPolicyTest, OfAStoppedStepIsKnownThatItDidNothingWhenItNeverBegan) {
  pending_.stop_requested = true;
  EXPECT_EQ(ask(LastEnd::none).error->known_effect(), ErrorEffect::refused);
  EXPECT_EQ(ask(LastEnd::clean).error->known_effect(), ErrorEffect::unknown);
  EXPECT_EQ(ask(LastEnd::unclean).error->known_effect(), ErrorEffect::unknown);
  failed(1, kNow - 1, kNow + 1000);
  EXPECT_EQ(ask(LastEnd::clean).error->known_effect(), ErrorEffect::unknown);
}

TEST_F(AttemptPolicyTest, AStoppedAtMostOnceStepThatHadBegunStaysUnknown) {
  pending_.stop_requested = true;
  effect_ = Effect::at_most_once;
  started(EffectClass::at_most_once, 1);
  EXPECT_EQ(ask(LastEnd::unclean).error->code, Code::outcome_unknown);
  failed(1, kNow - 1, kNow + 1000);
  EXPECT_EQ(ask(LastEnd::unclean).error->code, Code::cancelled) << "its one attempt was refused";
}

}  // namespace
}  // namespace perdure::actors
