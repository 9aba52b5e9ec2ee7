// The run core by itself: what it does about bodies that never ran and changes that were refused.
#include "actors/run_core.hpp"

#include "tests/actors/bare_host.hpp"
#include "tests/actors/engine_fixture.hpp"

namespace perdure::test {
namespace {

using actors::BodyCompletion;
using actors::RunCore;
using actors::RunEffects;

pd::Task<int> two_beside(pd::Context& ctx, int) {
  const auto both = co_await ctx.all(ctx.step("a", [](pd::Step&) { return 1; }),
                                     ctx.step("b", [](pd::Step&) { return 2; }));
  co_return std::get<0>(both) + std::get<1>(both);
}
inline constexpr pd::Agent beside{"beside", &two_beside};

class RunCoreTest : public EngineFixture {
 protected:
  RunCoreTest() : entry_(pd::detail::entry_of(beside)) {
    actors::RunFacts facts;
    facts.agent = "beside";
    facts.handler = "run";
    facts.session_key = "s";
    facts.message_key = "start";
    facts.input = pd::encode(0).value();
    run_.emplace(std::move(facts), host_, *disk_.clock, *disk_.random);
    journal::Change change;
    run_->record_creation(change);
    run_->begin(&entry_.handlers.at(0), std::move(change));
    begun_ = run_->take_effects();
  }
  BodyCompletion completion(std::size_t which, int value) {
    BodyCompletion made;
    made.address = begun_.bodies.at(which).address;
    made.result = pd::encode(value).value();
    return made;
  }
  pd::detail::AgentEntry entry_;
  BareHost host_{*disk_.store};
  std::optional<RunCore> run_;
  RunEffects begun_;
};

TEST_F(RunCoreTest, EndsWithTheSumWhenBothBodiesHaveComeBack) {
  ASSERT_EQ(begun_.bodies.size(), 2U);
  run_->complete(completion(1, 2));
  EXPECT_FALSE(run_->take_effects().ended.has_value());
  run_->complete(completion(0, 1));
  EXPECT_EQ(run_->take_effects().ended, journal::RunStatus::completed);
  EXPECT_TRUE(run_->finished());
}

TEST_F(RunCoreTest, ABodyThatNeverRanIsNotOrderedAgain) {
  BodyCompletion never = completion(0, 0);
  never.never_ran = true;
  run_->complete(std::move(never));
  // It comes back because the pool has stopped or the storage has failed: so would the next order.
  EXPECT_TRUE(run_->take_effects().bodies.empty());
  EXPECT_TRUE(begun_.bodies.at(1).stop.stop_requested()) << "nothing will come of the other one";
  EXPECT_FALSE(run_->finished()) << "it still borrows from the frame";
  run_->complete(completion(1, 2));
  const RunEffects last = run_->take_effects();
  EXPECT_EQ(last.change.records(), 1U) << "what happened is recorded";
  EXPECT_TRUE(last.bodies.empty());
  EXPECT_TRUE(run_->finished());
}

TEST_F(RunCoreTest, AfterARefusedChangeNothingMoreIsWritten) {
  run_->complete(completion(0, 1));
  EXPECT_EQ(run_->take_effects().change.records(), 1U);
  // That change was refused: a record behind the missing one would be damage.
  run_->abandon();
  EXPECT_TRUE(run_->take_effects().change.empty());
  run_->complete(completion(1, 2));
  const RunEffects last = run_->take_effects();
  EXPECT_TRUE(last.change.empty());
  EXPECT_FALSE(last.ended.has_value());
  EXPECT_TRUE(run_->finished());
}

TEST_F(RunCoreTest, ACompletionOfAnotherFrameOrAttemptIsDiscarded) {
  BodyCompletion other_attempt = completion(0, 7);
  other_attempt.address.attempt = 2;
  other_attempt.address.generation += 1;
  run_->complete(std::move(other_attempt));
  const RunEffects late = run_->take_effects();
  EXPECT_TRUE(late.change.empty());
  ASSERT_EQ(late.logs.size(), 1U);
  EXPECT_EQ(late.logs[0].event, "late_completion");
  run_->complete(completion(0, 1));
  run_->complete(completion(1, 2));
  EXPECT_EQ(run_->take_effects().ended, journal::RunStatus::completed);
}

}  // namespace
}  // namespace perdure::test
