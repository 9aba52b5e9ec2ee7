// The replay machine against its own table, and what it gives to whom.
#include "journal/replay_machine.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

namespace perdure::journal {
namespace {

const std::map<std::string, MachineState> kStates{{"waiting", MachineState::waiting},
                                                  {"replaying", MachineState::replaying},
                                                  {"running", MachineState::running},
                                                  {"closed", MachineState::closed}};
const std::map<std::string, MachineEvent> kEvents{
    {"begin", MachineEvent::begin},         {"opened", MachineEvent::opened},
    {"recorded", MachineEvent::recorded},   {"exhausted", MachineEvent::exhausted},
    {"completed", MachineEvent::completed}, {"ended", MachineEvent::ended},
    {"closed", MachineEvent::closed},       {"suspended", MachineEvent::suspended}};

/// The rows of the table in the header's comment.
std::map<std::pair<MachineState, MachineEvent>, MachineState> documented() {
  std::ifstream file(PERDURE_REPLAY_MACHINE);
  std::map<std::pair<MachineState, MachineEvent>, MachineState> rows;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string slashes, state, event, next;
    words >> slashes >> state >> event >> next;
    if (slashes != "///" || !kStates.contains(state) || !kEvents.contains(event)) continue;
    if (!kStates.contains(next)) continue;
    EXPECT_TRUE(
        rows.emplace(std::pair(kStates.at(state), kEvents.at(event)), kStates.at(next)).second)
        << "twice: " << line;
  }
  return rows;
}

TEST(ReplayMachineTable, TheCodeMovesAsTheHeaderSaysAndInNoOtherWay) {
  const auto rows = documented();
  ASSERT_EQ(rows.size(), 13U) << "the table in replay_machine.hpp was not found whole";
  for (const auto& [state_name, state] : kStates)
    for (const auto& [event_name, event] : kEvents) {
      const auto row = rows.find({state, event});
      const std::optional<MachineState> expected =
          row == rows.end() ? std::nullopt : std::optional(row->second);
      EXPECT_EQ(next_state(state, event), expected) << state_name << " " << event_name;
    }
}

StepPath path(std::initializer_list<std::uint32_t> components) {
  return StepPath(std::span(components.begin(), components.size()));
}

Attempt attempt(StepPath at, std::string_view name) {
  return {std::move(at), StepKind::step, name, "int32", "agent.cpp", 12};
}

class ReplayMachineTest : public ::testing::Test {
 protected:
  StepResult result(std::span<const std::uint32_t> at, std::string_view name) {
    StepResult made;
    made.path = at;
    made.name = name;
    made.type = "int32";
    return made;
  }
  StepStarted started(std::span<const std::uint32_t> at, std::string_view name,
                      std::uint32_t number) {
    StepStarted made;
    made.path = at;
    made.name = name;
    made.attempt = number;
    made.effect = EffectClass::at_most_once;
    return made;
  }
  /// Lets the machine run with nothing recorded.
  void run() {
    machine_.begin();
    machine_.exhausted();
  }
  ReplayMachine machine_;
  int tags_[3] = {};
};

TEST_F(ReplayMachineTest, GivesARecordToTheStepItWasRecordedFor) {
  machine_.begin();
  const StepPath first = path({1, 0}), second = path({1, 1});
  machine_.opened(attempt(first, "a"), &tags_[0]);
  machine_.opened(attempt(second, "b"), &tags_[1]);
  // The second branch was recorded first.
  const auto later = machine_.recorded(1, result(second.components(), "b"));
  ASSERT_EQ(later.what, ReplayMachine::Decision::What::deliver);
  EXPECT_EQ(later.pending->tag, &tags_[1]);
  machine_.delivered(*later.pending);
  ASSERT_EQ(machine_.pending().size(), 1U);
  const auto earlier = machine_.recorded(2, result(first.components(), "a"));
  ASSERT_EQ(earlier.what, ReplayMachine::Decision::What::deliver);
  EXPECT_EQ(earlier.pending->tag, &tags_[0]);
  machine_.delivered(*earlier.pending);
  EXPECT_TRUE(machine_.pending().empty());
}

TEST_F(ReplayMachineTest, ARecordForAStepThatIsNotOpenDiverges) {
  machine_.begin();
  machine_.opened(attempt(path({2}), "b"), nullptr);
  const auto decision = machine_.recorded(7, result(path({1}).components(), "a"));
  ASSERT_EQ(decision.what, ReplayMachine::Decision::What::diverged);
  EXPECT_EQ(decision.divergence->what, Divergence::What::not_attempted);
  EXPECT_EQ(decision.divergence->index, 7U);
  EXPECT_EQ(decision.divergence->recorded->name, "a");
  ASSERT_EQ(decision.divergence->attempted.size(), 1U);
  EXPECT_EQ(decision.divergence->attempted[0].name, "b");
  EXPECT_EQ(decision.divergence->attempted[0].line, 12U);
}

TEST_F(ReplayMachineTest, ADeliveredStepTakesNoSecondRecord) {
  machine_.begin();
  const StepPath at = path({1});
  machine_.opened(attempt(at, "a"), nullptr);
  machine_.delivered(*machine_.recorded(1, result(at.components(), "a")).pending);
  EXPECT_EQ(machine_.recorded(2, result(at.components(), "a")).what,
            ReplayMachine::Decision::What::diverged);
}

TEST_F(ReplayMachineTest, AnotherNameAtThePlaceDiverges) {
  machine_.begin();
  const StepPath at = path({1});
  machine_.opened(attempt(at, "new name"), nullptr);
  const auto decision = machine_.recorded(1, result(at.components(), "old name"));
  ASSERT_EQ(decision.what, ReplayMachine::Decision::What::diverged);
  EXPECT_EQ(decision.divergence->what, Divergence::What::differs);
  EXPECT_EQ(decision.divergence->recorded->name, "old name");
  EXPECT_EQ(decision.divergence->attempted.at(0).name, "new name");
  const auto start = machine_.recorded(1, started(at.components(), "old name", 1));
  ASSERT_EQ(start.what, ReplayMachine::Decision::What::diverged);
  EXPECT_EQ(start.divergence->what, Divergence::What::differs);
}

TEST_F(ReplayMachineTest, ARecordedStartIsNotedWithItsEffectClassAndAttempt) {
  machine_.begin();
  const StepPath at = path({1});
  Pending& pending = machine_.opened(attempt(at, "a"), nullptr);
  EXPECT_EQ(machine_.recorded(1, started(at.components(), "a", 1)).what,
            ReplayMachine::Decision::What::noted);
  EXPECT_EQ(machine_.recorded(2, started(at.components(), "a", 2)).what,
            ReplayMachine::Decision::What::noted);
  EXPECT_EQ(pending.started_as, EffectClass::at_most_once);
  EXPECT_EQ(pending.attempt, 2U);
  EXPECT_EQ(machine_.recorded(3, started(path({9}).components(), "z", 1)).divergence->what,
            Divergence::What::not_attempted);
}

TEST_F(ReplayMachineTest, WhatIsPendingAtTheEndOfTheRecordsIsFoundUnfinished) {
  machine_.begin();
  Pending& before = machine_.opened(attempt(path({1, 0}), "a"), nullptr);
  machine_.exhausted();
  const Pending& after = machine_.opened(attempt(path({1, 1}), "b"), nullptr);
  EXPECT_TRUE(before.found_unfinished);
  EXPECT_FALSE(after.found_unfinished);
}

TEST_F(ReplayMachineTest, ACompletionIsForOneFrameAndOneAttempt) {
  run();
  const StepPath at = path({1});
  Pending& pending = machine_.opened(attempt(at, "a"), nullptr);
  const std::uint32_t generation = machine_.generation();
  pending.attempt = 2;
  EXPECT_EQ(machine_.completed(at, 2, generation), nullptr) << "nothing was begun";
  machine_.set_phase(pending, Pending::Phase::active);
  EXPECT_EQ(machine_.completed(at, 1, generation), nullptr) << "an earlier attempt";
  EXPECT_EQ(machine_.completed(at, 2, generation - 1), nullptr) << "an older frame";
  EXPECT_EQ(machine_.completed(path({2}), 2, generation), nullptr) << "another step";
  EXPECT_EQ(machine_.completed(at, 2, generation), &pending);
  machine_.delivered(pending);
  EXPECT_EQ(machine_.completed(at, 2, generation), nullptr) << "delivered already";
}

TEST_F(ReplayMachineTest, AClosedMachineStillKnowsWhichStepALateCompletionIsOf) {
  run();
  Pending& pending = machine_.opened(attempt(path({1}), "a"), nullptr);
  machine_.set_phase(pending, Pending::Phase::active);
  pending.attempt = 1;
  machine_.close();
  EXPECT_EQ(machine_.completed(path({1}), 1, machine_.generation()), &pending);
  machine_.suspended();
  EXPECT_TRUE(machine_.pending().empty());
}

TEST_F(ReplayMachineTest, EveryFrameHasAGenerationOfItsOwn) {
  run();
  Pending& old = machine_.opened(attempt(path({1}), "a"), nullptr);
  machine_.set_phase(old, Pending::Phase::active);
  old.attempt = 1;
  old.stop_requested = true;
  const std::uint32_t first = machine_.generation();
  machine_.close();
  machine_.suspended();
  run();
  EXPECT_GT(machine_.generation(), first);
  const Pending& fresh = machine_.opened(attempt(path({1}), "a"), nullptr);
  EXPECT_EQ(fresh.phase(), Pending::Phase::opened) << "used again, nothing is left of the old one";
  EXPECT_FALSE(fresh.stop_requested);
  EXPECT_FALSE(fresh.started_as.has_value());
  EXPECT_EQ(machine_.completed(path({1}), 1, first), nullptr);
}

TEST_F(ReplayMachineTest, StepsAreFoundByPathHoweverManyArePendingAndComeInTheirOrder) {
  run();
  constexpr std::uint32_t kMany = 500;
  std::vector<StepPath> left;
  for (std::uint32_t i = 0; i < kMany; ++i) {
    Pending& pending = machine_.opened(attempt(path({3, i}), "a"), nullptr);
    EXPECT_EQ(machine_.find(path({3, i}).components()), &pending) << i;
    EXPECT_EQ(machine_.find(path({3, i + 1}).components()), nullptr) << i;
    // From the front, the middle and the end, so that the list is joined everywhere.
    if (i % 7 == 0 || i % 7 == 3) {
      machine_.delivered(*machine_.find(path({3, i / 2}).components()));
      Pending& again = machine_.opened(attempt(path({4, i}), "b"), nullptr);
      EXPECT_EQ(machine_.find(path({4, i}).components()), &again) << i;
      EXPECT_EQ(machine_.find(path({3, i / 2}).components()), nullptr) << i;
      machine_.delivered(again);
      machine_.opened(attempt(path({3, i / 2}), "a"), nullptr);
    }
  }
  std::set<std::string> seen;
  for (Pending* const pending : machine_.pending()) {
    seen.insert(pending->what.path.to_string());
    left.push_back(pending->what.path);
  }
  EXPECT_EQ(seen.size(), kMany);
  EXPECT_EQ(machine_.pending().size(), kMany);
  EXPECT_EQ(left.back(), path({3, kMany - 1}));
  EXPECT_EQ(left.at(0), path({3, 0}));
  EXPECT_EQ(left.at(1), path({3, 2})) << "1 went from the middle and came again";
  for (const StepPath& each : left) machine_.delivered(*machine_.find(each.components()));
  EXPECT_TRUE(machine_.pending().empty());
  EXPECT_EQ(machine_.find(path({3, 1}).components()), nullptr);
}

TEST_F(ReplayMachineTest, WhatIsOpenedIsTakenOnceInItsOrder) {
  machine_.begin();
  Pending& first = machine_.opened(attempt(path({1}), "a"), nullptr);
  machine_.opened(attempt(path({2}), "b"), nullptr);
  Pending& third = machine_.opened(attempt(path({3}), "c"), nullptr);
  EXPECT_EQ(machine_.take_opened(), nullptr) << "while records are left nothing starts";
  machine_.delivered(*machine_.recorded(1, result(path({2}).components(), "b")).pending);
  machine_.exhausted();
  Pending& fourth = machine_.opened(attempt(path({4}), "d"), nullptr);
  EXPECT_EQ(machine_.take_opened(), &first);
  EXPECT_EQ(machine_.take_opened(), &third);
  machine_.set_phase(first, Pending::Phase::backoff);
  EXPECT_EQ(machine_.waiting(), 1U);
  machine_.set_phase(first, Pending::Phase::opened);
  machine_.set_phase(first, Pending::Phase::opened);
  EXPECT_EQ(machine_.waiting(), 0U);
  machine_.set_phase(fourth, Pending::Phase::active);
  EXPECT_EQ(machine_.take_opened(), &first) << "another has the fourth in hand";
  EXPECT_EQ(machine_.take_opened(), nullptr);
  // Delivered while it waits in the queue.
  machine_.set_phase(third, Pending::Phase::opened);
  machine_.set_phase(first, Pending::Phase::opened);
  machine_.delivered(first);
  EXPECT_EQ(machine_.take_opened(), &third);
  machine_.set_phase(third, Pending::Phase::backoff);
  machine_.delivered(third);
  EXPECT_EQ(machine_.waiting(), 0U);
  EXPECT_EQ(machine_.take_opened(), nullptr);
}

TEST_F(ReplayMachineTest, NothingOfAFrameIsTakenInTheNextOne) {
  run();
  machine_.opened(attempt(path({1}), "a"), nullptr);
  machine_.set_phase(machine_.opened(attempt(path({2}), "b"), nullptr), Pending::Phase::backoff);
  machine_.close();
  machine_.suspended();
  run();
  EXPECT_EQ(machine_.take_opened(), nullptr);
  EXPECT_EQ(machine_.waiting(), 0U);
  EXPECT_EQ(machine_.find(path({1}).components()), nullptr);
}

TEST_F(ReplayMachineTest, DivergencesAtTheEndNameWhatIsLeft) {
  machine_.begin();
  const StepPath at = path({4});
  const StepResult left = result(at.components(), "left");
  EXPECT_EQ(machine_.ended_before(5, &left).what, Divergence::What::ended_early);
  EXPECT_EQ(machine_.ended_before(5, &left).recorded->name, "left");
  EXPECT_FALSE(machine_.ended_before(5, nullptr).recorded.has_value());
  for (std::uint32_t i = 1; i <= 5; ++i) machine_.opened(attempt(path({1, i}), "open"), nullptr);
  const Divergence divergence = machine_.not_ended(9);
  EXPECT_EQ(divergence.what, Divergence::What::already_ended);
  EXPECT_EQ(divergence.attempted.size(), 3U) << "no more than a person reads";
}

TEST_F(ReplayMachineTest, FindsDeepPathsToo) {
  run();
  StepPath deep;
  for (std::uint32_t i = 0; i < 40; ++i) deep = deep.child(i);
  Pending& pending = machine_.opened(attempt(deep, "deep"), &tags_[2]);
  EXPECT_EQ(machine_.find(deep.components()), &pending);
  EXPECT_EQ(machine_.find(deep.components().first(39)), nullptr);
}

TEST(ReplayMachineDeathTest, RefusesEventsThatItsStateDoesNotAllow) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        ReplayMachine machine;
        machine.exhausted();
      },
      "state does not allow");
  EXPECT_DEATH(
      {
        ReplayMachine machine;
        machine.begin();
        machine.begin();
      },
      "state does not allow");
}

}  // namespace
}  // namespace perdure::journal
