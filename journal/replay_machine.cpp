#include "journal/replay_machine.hpp"

#include "core/assert.hpp"

#include <algorithm>
#include <array>

namespace perdure::journal {
namespace {

struct Transition {
  MachineState from;
  MachineEvent event;
  MachineState to;
};
using enum MachineState;
constexpr std::array kTransitions = {
    Transition{waiting, MachineEvent::begin, replaying},
    Transition{replaying, MachineEvent::opened, replaying},
    Transition{replaying, MachineEvent::recorded, replaying},
    Transition{replaying, MachineEvent::exhausted, running},
    Transition{replaying, MachineEvent::ended, MachineState::closed},
    Transition{replaying, MachineEvent::closed, MachineState::closed},
    Transition{running, MachineEvent::opened, running},
    Transition{running, MachineEvent::completed, running},
    Transition{running, MachineEvent::ended, MachineState::closed},
    Transition{running, MachineEvent::closed, MachineState::closed},
    Transition{MachineState::closed, MachineEvent::completed, MachineState::closed},
    Transition{MachineState::closed, MachineEvent::closed, MachineState::closed},
    Transition{MachineState::closed, MachineEvent::suspended, waiting},
};

StepFacts facts_of(const Attempt& attempt) {
  return {attempt.path, attempt.kind, std::string(attempt.name), std::string(attempt.type),
          attempt.file, attempt.line};
}

StepFacts facts_of(const StepResult& result) {
  return {StepPath(result.path),
          result.step_kind,
          std::string(result.name),
          std::string(result.type),
          {},
          0};
}

}  // namespace

std::optional<MachineState> next_state(MachineState state, MachineEvent event) noexcept {
  for (const Transition& transition : kTransitions)
    if (transition.from == state && transition.event == event) return transition.to;
  return std::nullopt;
}

void ReplayMachine::move(MachineEvent event) {
  const std::optional<MachineState> next = next_state(state_, event);
  PERDURE_ASSERT(next.has_value(), "the replay machine got an event that its state does not allow");
  state_ = *next;
}

void ReplayMachine::begin() {
  move(MachineEvent::begin);
  ++generation_;
}

Pending& ReplayMachine::opened(Attempt what, void* tag) {
  move(MachineEvent::opened);
  if (spare_.empty()) spare_.push_back(std::make_unique<Pending>());
  pending_.push_back(std::move(spare_.back()));
  spare_.pop_back();
  Pending& pending = *pending_.back();
  pending = Pending{};
  pending.what = std::move(what);
  pending.tag = tag;
  return pending;
}

Pending* ReplayMachine::find(std::span<const std::uint32_t> path) noexcept {
  for (const auto& pending : pending_)
    if (pending->what.path == path) return pending.get();
  return nullptr;
}

std::vector<StepFacts> ReplayMachine::attempted_now() const {
  constexpr std::size_t kShown = 3;
  std::vector<StepFacts> shown;
  for (const auto& pending : pending_) {
    if (shown.size() == kShown) break;
    shown.push_back(facts_of(pending->what));
  }
  return shown;
}

ReplayMachine::Decision ReplayMachine::diverged(Divergence divergence) {
  return {Decision::What::diverged, nullptr, std::move(divergence)};
}

ReplayMachine::Decision ReplayMachine::recorded(std::uint32_t index, const StepResult& result) {
  move(MachineEvent::recorded);
  Pending* const pending = find(result.path);
  if (pending == nullptr)
    return diverged(
        {Divergence::What::not_attempted, index, facts_of(result), attempted_now(), {}});
  if (pending->what.kind != result.step_kind || pending->what.name != result.name)
    return diverged(
        {Divergence::What::differs, index, facts_of(result), {facts_of(pending->what)}, {}});
  return {Decision::What::deliver, pending, std::nullopt};
}

ReplayMachine::Decision ReplayMachine::recorded(std::uint32_t index, const StepStarted& started) {
  move(MachineEvent::recorded);
  StepResult as_result;
  as_result.path = started.path;
  as_result.name = started.name;
  Pending* const pending = find(started.path);
  if (pending == nullptr)
    return diverged(
        {Divergence::What::not_attempted, index, facts_of(as_result), attempted_now(), {}});
  if (pending->what.name != started.name)
    return diverged(
        {Divergence::What::differs, index, facts_of(as_result), {facts_of(pending->what)}, {}});
  pending->started_as = started.effect;
  pending->attempt = std::max(pending->attempt, started.attempt);
  return {Decision::What::noted, pending, std::nullopt};
}

Divergence ReplayMachine::ended_before(std::uint32_t index, const StepResult* result) const {
  Divergence divergence{Divergence::What::ended_early, index, std::nullopt, {}, {}};
  if (result != nullptr) divergence.recorded = facts_of(*result);
  return divergence;
}

Divergence ReplayMachine::not_ended(std::uint32_t index) const {
  return {Divergence::What::already_ended, index, std::nullopt, attempted_now(), {}};
}

Divergence ReplayMachine::undecodable(std::uint32_t index, const StepResult& result,
                                      const Pending& pending, const Error& why) const {
  return {Divergence::What::undecodable,
          index,
          facts_of(result),
          {facts_of(pending.what)},
          why.message};
}

void ReplayMachine::exhausted() {
  move(MachineEvent::exhausted);
  for (const auto& pending : pending_) pending->found_unfinished = true;
}

Pending* ReplayMachine::completed(const StepPath& path, std::uint32_t attempt,
                                  std::uint32_t generation) {
  move(MachineEvent::completed);
  if (generation != generation_) return nullptr;
  Pending* const pending = find(path.components());
  if (pending == nullptr || pending->phase != Pending::Phase::active || pending->attempt != attempt)
    return nullptr;
  return pending;
}

void ReplayMachine::delivered(Pending& pending) {
  const auto found =
      std::ranges::find(pending_, &pending, [](const auto& each) { return each.get(); });
  PERDURE_ASSERT(found != pending_.end(), "only a pending step can be delivered");
  spare_.push_back(std::move(*found));
  pending_.erase(found);
}

void ReplayMachine::ended() { move(MachineEvent::ended); }

void ReplayMachine::close() { move(MachineEvent::closed); }

void ReplayMachine::suspended() {
  move(MachineEvent::suspended);
  for (auto& pending : pending_) spare_.push_back(std::move(pending));
  pending_.clear();
}

}  // namespace perdure::journal
