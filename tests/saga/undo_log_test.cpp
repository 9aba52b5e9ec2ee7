/// The undo log: its tables, and random walks against a model that is written the other way round.
#include "saga/undo_log.hpp"

#include "core/random.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <tuple>

namespace perdure::test {
namespace {

using saga::ActionClass;
using saga::SagaEvent;
using saga::SagaState;
using saga::UndoEvent;
using saga::UndoLog;
using saga::UndoState;
using saga::UndoWhat;

/// The tables at the top of the header, line by line.
const std::map<std::pair<SagaState, SagaEvent>, SagaState> kSagaTable = {
    {{SagaState::open, SagaEvent::pivoted}, SagaState::forward},
    {{SagaState::open, SagaEvent::commit}, SagaState::committed},
    {{SagaState::open, SagaEvent::abort}, SagaState::compensating},
    {{SagaState::forward, SagaEvent::commit}, SagaState::committed},
    {{SagaState::forward, SagaEvent::abort}, SagaState::stuck},
    {{SagaState::committed, SagaEvent::abort}, SagaState::compensating},
    {{SagaState::committed, SagaEvent::stuck}, SagaState::stuck},
    {{SagaState::committed, SagaEvent::kept}, SagaState::committed},
    {{SagaState::compensating, SagaEvent::settled}, SagaState::compensated},
    {{SagaState::compensating, SagaEvent::stuck}, SagaState::stuck},
    {{SagaState::compensated, SagaEvent::abort}, SagaState::compensated},
    {{SagaState::stuck, SagaEvent::resumed}, SagaState::compensating},
    {{SagaState::stuck, SagaEvent::settled}, SagaState::compensated},
    {{SagaState::stuck, SagaEvent::kept}, SagaState::committed},
    {{SagaState::stuck, SagaEvent::stuck}, SagaState::stuck},
    {{SagaState::stuck, SagaEvent::abort}, SagaState::stuck},
};

TEST(UndoLogTables, OfSagasAreComplete) {
  for (int state = 1; state <= 6; ++state)
    for (std::size_t event = 0; event < saga::kSagaEvents; ++event) {
      const std::pair at{static_cast<SagaState>(state), static_cast<SagaEvent>(event)};
      const auto line = kSagaTable.find(at);
      const std::optional<SagaState> wanted =
          line == kSagaTable.end() ? std::nullopt : std::optional(line->second);
      EXPECT_EQ(saga::next_state(at.first, at.second), wanted)
          << journal::to_string(at.first) << ", event " << event;
    }
}

TEST(UndoLogTables, OfActionsAreComplete) {
  const std::map<UndoEvent, UndoState> first = {{UndoEvent::happened, UndoState::happened},
                                                {UndoEvent::refused, UndoState::refused},
                                                {UndoEvent::failed, UndoState::unknown}};
  const std::map<UndoEvent, UndoState> owed = {{UndoEvent::paid, UndoState::paid},
                                               {UndoEvent::stuck, UndoState::stuck},
                                               {UndoEvent::skipped, UndoState::skipped},
                                               {UndoEvent::marked, UndoState::marked}};
  const std::set<UndoState> owing = {UndoState::happened, UndoState::unknown, UndoState::stuck};
  for (int state = 0; state <= 7; ++state)
    for (std::size_t event = 0; event < saga::kUndoEvents; ++event) {
      const auto from = static_cast<UndoState>(state);
      const auto by = static_cast<UndoEvent>(event);
      std::optional<UndoState> wanted;
      if (from == UndoState::registered && first.contains(by)) wanted = first.at(by);
      if (owing.contains(from) && owed.contains(by)) wanted = owed.at(by);
      EXPECT_EQ(saga::next_state(from, by), wanted)
          << journal::to_string(from) << ", event " << event;
    }
}

std::string refusal(const UndoLog& log, ActionClass action) {
  const std::optional<Error> why = log.refuse(action);
  return why ? why->to_string() : "";
}

TEST(UndoLogRules, SayWhichActionsMayBegin) {
  UndoLog log("trip");
  EXPECT_EQ(refusal(log, ActionClass::undoable), "");
  EXPECT_EQ(refusal(log, ActionClass::pivot), "");
  EXPECT_EQ(refusal(log, ActionClass::read_only), "");
  EXPECT_EQ(refusal(log, ActionClass::retriable),
            "misuse: saga 'trip' is not behind its pivot: before it a step needs a compensation, "
            "or is pd::read_only");
  const std::uint32_t pivot = log.add(UndoWhat::pivot);
  log.registered(pivot);
  log.ended(pivot, UndoEvent::happened);
  EXPECT_EQ(log.state(), SagaState::forward);
  EXPECT_EQ(refusal(log, ActionClass::retriable), "");
  EXPECT_EQ(refusal(log, ActionClass::read_only), "");
  EXPECT_NE(refusal(log, ActionClass::undoable).find("is behind its pivot"), std::string::npos);
  EXPECT_NE(refusal(log, ActionClass::pivot).find("it can have one"), std::string::npos);
  EXPECT_TRUE(log.commit().has_value());
  for (const ActionClass each :
       {ActionClass::undoable, ActionClass::pivot, ActionClass::retriable, ActionClass::read_only})
    EXPECT_EQ(refusal(log, each), "misuse: saga 'trip' is committed: no step of it can begin");
  EXPECT_EQ(log.commit().error().to_string(),
            "misuse: saga 'trip' is committed: it can't be committed");
}

TEST(UndoLogRules, KeepACommitFromWhatIsUnderWay) {
  UndoLog log("trip");
  const std::uint32_t index = log.add(UndoWhat::undo);
  EXPECT_NE(log.commit().error().message.find("while one of its steps is under way"),
            std::string::npos);
  log.registered(index);
  log.ended(index, UndoEvent::happened);
  EXPECT_TRUE(log.commit().has_value());
}

TEST(UndoLogRules, OweNothingForWhatNeverBegan) {
  UndoLog log("trip");
  (void)log.add(UndoWhat::undo);
  EXPECT_TRUE(log.abort_saga());
  EXPECT_TRUE(log.owed().empty());
  EXPECT_FALSE(log.abort_saga());
}

/// What the log should say, kept as sets instead of as states.
struct Model {
  std::set<std::uint32_t> under_way;
  std::set<std::uint32_t> owed;
  std::set<std::uint32_t> unknown;
  enum class Is { open, forward, committed, aborted, given_up } is = Is::open;
};

class RandomWalk {
 public:
  explicit RandomWalk(std::uint64_t seed) : random_(seed) {}
  void go(int steps) {
    for (int i = 0; i < steps; ++i) {
      step();
      check();
      if (::testing::Test::HasFailure()) return;
    }
  }

 private:
  void begin(bool pivot) {
    const bool allowed = model_.is == Model::Is::open;
    const auto refused = log_.refuse(pivot ? ActionClass::pivot : ActionClass::undoable);
    ASSERT_EQ(!refused, allowed);
    if (!allowed) return;
    const std::uint32_t index = log_.add(pivot ? UndoWhat::pivot : UndoWhat::undo);
    log_.registered(index);
    model_.under_way.insert(index);
    model_.owed.insert(index);
    if (pivot) pivots_.insert(index);
  }
  void end() {
    if (model_.under_way.empty()) return;
    auto at = model_.under_way.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(random_.next() % model_.under_way.size()));
    const std::uint32_t index = *at;
    model_.under_way.erase(at);
    switch (random_.next() % 3) {
      case 0:
        log_.ended(index, UndoEvent::happened);
        if (pivots_.contains(index) && model_.is == Model::Is::open) {
          model_.is = Model::Is::forward;
          model_.owed.clear();
        }
        break;
      case 1:
        log_.ended(index, UndoEvent::refused);
        model_.owed.erase(index);
        break;
      default:
        log_.ended(index, UndoEvent::failed);
        model_.unknown.insert(index);
        break;
    }
  }
  void commit() {
    const bool open = model_.is == Model::Is::open || model_.is == Model::Is::forward;
    const bool allowed = open && model_.under_way.empty();
    ASSERT_EQ(log_.commit().has_value(), allowed);
    if (allowed) model_.is = Model::Is::committed;
  }
  void abort() {
    const bool open = model_.is == Model::Is::open || model_.is == Model::Is::committed;
    if (model_.is == Model::Is::committed && random_.next() % 4 != 0) return;
    const bool changed = log_.abort_saga();
    ASSERT_EQ(changed, open || model_.is == Model::Is::forward);
    if (model_.is == Model::Is::open || model_.is == Model::Is::committed)
      model_.is = Model::Is::aborted;
    if (model_.is == Model::Is::forward) model_.is = Model::Is::given_up;
    model_.under_way.clear();
  }
  void go_back() {
    if (model_.is != Model::Is::open || !model_.under_way.empty()) return;
    const auto from = static_cast<std::uint32_t>(random_.next() % (log_.save_point() + 1U));
    const std::vector<std::uint32_t> found = log_.owed(from);
    const std::set<std::uint32_t> wanted(model_.owed.lower_bound(from), model_.owed.end());
    ASSERT_EQ(std::set<std::uint32_t>(found.begin(), found.end()), wanted);
    log_.went_back(from);
    model_.owed.erase(model_.owed.lower_bound(from), model_.owed.end());
    model_.unknown.erase(model_.unknown.lower_bound(from), model_.unknown.end());
  }
  void step() {
    switch (random_.next() % 20) {
      case 0: return commit();
      case 1: return abort();
      case 2:
      case 3: return go_back();
      case 4: return begin(true);
      default: return random_.next() % 2 == 0 ? begin(false) : end();
    }
  }
  void check() {
    if (model_.is == Model::Is::aborted || model_.is == Model::Is::open) {
      const std::vector<std::uint32_t> owed = log_.owed();
      EXPECT_EQ(std::set<std::uint32_t>(owed.begin(), owed.end()), model_.owed);
    }
    if (model_.is == Model::Is::forward) EXPECT_TRUE(log_.owed().empty());
    EXPECT_EQ(log_.is_open(), model_.is == Model::Is::open || model_.is == Model::Is::forward);
    if (model_.is == Model::Is::committed) {
      const std::vector<std::uint32_t> rest = log_.leftovers();
      EXPECT_EQ(std::set<std::uint32_t>(rest.begin(), rest.end()), model_.unknown);
    }
  }

  core::SeededRandom random_;
  UndoLog log_{"trip"};
  Model model_;
  std::set<std::uint32_t> pivots_;
};

TEST(UndoLogWalks, OweWhatTheModelOwes) {
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomWalk(seed).go(60);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace perdure::test
