// What counts as a crash's fault: histories made by hand, each with one thing wrong.
#include "actors/testing_check.hpp"

#include <perdure/codec.hpp>

#include "tests/testing/kit_fixture.hpp"

namespace perdure::test {
namespace {

using actors::RunHistory;
using actors::ScenarioHistory;
using journal::RunStatus;
using kit::UnknownOutcomes;

pd::RunId id_of(int number) {
  pd::RunId id;
  id.bytes[15] = static_cast<std::byte>(number);
  return id;
}

class TestingCheckTest : public ::testing::Test {
 protected:
  TestingCheckTest() : reference_(history(id_of(1))), crashed_(history(id_of(2))) {}

  /// One run, one step of it, a reply and a result that hold the run's id.
  static ScenarioHistory history(const pd::RunId& id) {
    ScenarioHistory made;
    RunHistory run;
    run.session = "shop/s";
    run.message_key = "start";
    run.id = id;
    run.status = RunStatus::completed;
    run.reply = encode("receipt of " + to_string(id)).value();
    made.outcome = run.reply;
    made.runs.push_back(run);
    made.steps.push_back({step(id), false});
    return made;
  }
  static kit::StepRun step(const pd::RunId& id) {
    kit::StepRun run;
    run.name = "charge";
    run.id = "3";
    run.session = "shop/s";
    run.run = id;
    run.outcome = kit::StepOutcome::value;
    return run;
  }
  [[nodiscard]] Lines findings(
      UnknownOutcomes unknown = UnknownOutcomes::may_change_replies) const {
    return compare_histories(reference_, crashed_, unknown);
  }
  void end_differently() {
    crashed_.runs[0].reply = encode(std::string("nothing")).value();
    crashed_.outcome = crashed_.runs[0].reply;
  }

  ScenarioHistory reference_;
  ScenarioHistory crashed_;
};

TEST_F(TestingCheckTest, TheSameWithOtherRunIdsIsTheSame) {
  EXPECT_EQ(findings(), Lines{});
  for (ScenarioHistory* each : {&reference_, &crashed_}) {
    RunHistory& run = each->runs[0];
    run.status = RunStatus::failed;
    run.error = pd::Error{pd::Code::user, "no money for " + to_string(run.id)};
  }
  EXPECT_EQ(findings(), Lines{});
}

TEST_F(TestingCheckTest, ARecordedStepThatRanAgainIsFound) {
  crashed_.steps.push_back({step(id_of(2)), true});
  EXPECT_EQ(findings(),
            Lines{"step 3 'charge' of shop/s ran again although its result was recorded"});
}

TEST_F(TestingCheckTest, AnUnrecordedStepThatRanAgainIsNot) {
  crashed_.steps.push_back({step(id_of(2)), false});
  EXPECT_EQ(findings(), Lines{});
}

TEST_F(TestingCheckTest, AnAtMostOnceStepThatRanTwiceIsFoundUnlessItWasRefused) {
  crashed_.steps[0].step.effect = pd::Effect::at_most_once;
  crashed_.steps.push_back(crashed_.steps[0]);
  EXPECT_EQ(findings(), Lines{"step 3 'charge' of shop/s may run at most once and ran twice"});
  crashed_.steps[0].step.error = pd::Error{pd::Code::user, "unclear"};
  EXPECT_EQ(findings().size(), 1U);
  crashed_.steps[0].step.error = pd::Error{pd::Code::refused, "no"};
  EXPECT_EQ(findings(), Lines{});
}

TEST_F(TestingCheckTest, AnotherReplyAndAnotherResultAreFound) {
  end_differently();
  const std::string id = to_string(id_of(1));
  EXPECT_EQ(findings(), (Lines{"the run of shop/s replied \"nothing\"; without crashes it replied "
                               "\"receipt of " +
                                   id + "\"",
                               "the scenario gives \"nothing\"; without crashes it gives "
                               "\"receipt of " +
                                   id + "\""}));
}

TEST_F(TestingCheckTest, AFailureInsteadOfAReplyAndAnotherFailureAreFound) {
  crashed_.runs[0].status = RunStatus::failed;
  crashed_.runs[0].error = pd::Error{pd::Code::user, "broke"};
  EXPECT_EQ(findings().size(), 1U);
  EXPECT_TRUE(contains(findings().at(0), "the run of shop/s failed with user: broke;"));
  reference_.runs[0].status = RunStatus::failed;
  reference_.runs[0].error = pd::Error{pd::Code::user, "broke otherwise"};
  EXPECT_EQ(findings().size(), 1U);
  reference_.runs[0].error = pd::Error{pd::Code::refused, "broke"};
  EXPECT_EQ(findings().size(), 1U) << "another code";
  reference_.runs[0].error = crashed_.runs[0].error;
  EXPECT_EQ(findings(), Lines{});
}

TEST_F(TestingCheckTest, OfACancelledRunTheWordsMayDiffer) {
  crashed_.runs[0].status = RunStatus::cancelled;
  crashed_.runs[0].error = pd::Error{pd::Code::cancelled, "the run was cancelled"};
  ASSERT_EQ(findings().size(), 1U);
  EXPECT_TRUE(contains(findings()[0], "the run of shop/s was cancelled: the run was cancelled;"));
  reference_.runs[0].status = RunStatus::cancelled;
  reference_.runs[0].error = pd::Error{pd::Code::cancelled, "its body heeded the stop"};
  EXPECT_EQ(findings(), Lines{});
  reference_.runs[0].error = pd::Error{pd::Code::timeout, "its deadline has passed"};
  EXPECT_EQ(findings().size(), 1U) << "another code";
}

TEST_F(TestingCheckTest, ARunThatDoesNotEndIsFoundWithWhatItWaitsFor) {
  crashed_.runs[0].status = RunStatus::waiting;
  crashed_.runs[0].standing = "step 3 'charge' waits";
  ASSERT_EQ(findings().size(), 1U);
  EXPECT_TRUE(contains(findings()[0], "the run of shop/s has not ended: step 3 'charge' waits;"));
  reference_.runs[0].status = RunStatus::running;
  EXPECT_EQ(findings(), Lines{}) << "neither ends without a crash";
  crashed_.runs[0].status = RunStatus::parked;
  EXPECT_EQ(findings().size(), 1U) << "but it does not park either";
}

TEST_F(TestingCheckTest, ARunThatIsMissingOrTooManyIsFound) {
  crashed_.runs.push_back(crashed_.runs[0]);
  crashed_.runs[1].session = "shop/t";
  EXPECT_EQ(findings(), Lines{"the run of shop/t exists only after a crash"});
  crashed_.runs.clear();
  EXPECT_EQ(findings().at(0), "the run of shop/s does not exist after a crash");
}

TEST_F(TestingCheckTest, AnEventThatTheReferenceDoesNotHaveIsFound) {
  const pd::Event parked{pd::EventKind::run_parked, id_of(2), {pd::Code::handler_threw, "oh"}};
  crashed_.events.push_back(parked);
  EXPECT_EQ(findings(), Lines{"run_parked: the run of shop/s: oh"});
  reference_.events.push_back(parked);
  EXPECT_EQ(findings(), Lines{});
  reference_.events[0].error.code = pd::Code::diverged;
  EXPECT_EQ(findings().size(), 1U);
}

TEST_F(TestingCheckTest, AnUnknownOutcomeExcusesTheReplyAndNotThatItDoesNotEnd) {
  end_differently();
  crashed_.runs[0].unknown = {"charge"};
  EXPECT_EQ(findings(), Lines{});
  EXPECT_EQ(findings(UnknownOutcomes::must_not_show).size(), 2U);
  crashed_.runs[0].status = RunStatus::running;
  EXPECT_EQ(findings().size(), 1U);
}

TEST_F(TestingCheckTest, AnUnknownOutcomeExcusesAScenarioThatFailsWithItAlone) {
  crashed_.runs[0].unknown = {"charge"};
  crashed_.outcome = pd::Error{pd::Code::outcome_unknown, "nobody knows"};
  EXPECT_EQ(findings(), Lines{});
  crashed_.outcome = pd::Error{pd::Code::user, "nobody knows"};
  EXPECT_EQ(findings(), Lines{"the scenario fails: user: nobody knows"});
  crashed_.outcome = pd::Error{pd::Code::outcome_unknown, "nobody knows"};
  crashed_.runs[0].unknown.clear();
  EXPECT_EQ(findings().size(), 1U);
}

TEST_F(TestingCheckTest, AFindingIsToldOnce) {
  crashed_.steps.push_back({step(id_of(2)), true});
  crashed_.steps.push_back({step(id_of(2)), true});
  EXPECT_EQ(findings().size(), 1U);
}

}  // namespace
}  // namespace perdure::test
