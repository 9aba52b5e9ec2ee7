#include "journal/replay_machine.hpp"

#include "core/assert.hpp"

#include <algorithm>
#include <array>
#include <bit>

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

bool waits(Pending::Phase phase) noexcept {
  return phase == Pending::Phase::backoff || phase == Pending::Phase::waiting;
}

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
  if (spare_ == nullptr) spare_ = made_.emplace_back(std::make_unique<Pending>()).get();
  Pending& pending = *spare_;
  spare_ = pending.newer_;
  pending = Pending{};
  pending.what = std::move(what);
  pending.tag = tag;
  pending_.add(pending);
  index_.added(pending, pending_);
  // While records are left, a step's delivery may be among them; `exhausted` queues what it left.
  if (state_ == running) queue(pending);
  return pending;
}

void ReplayMachine::queue(Pending& pending) noexcept {
  if (std::exchange(pending.queued_, true)) return;
  pending.next_queued_ = nullptr;
  (last_queued_ == nullptr ? first_queued_ : last_queued_->next_queued_) = &pending;
  last_queued_ = &pending;
}

Pending* ReplayMachine::take_opened() noexcept {
  while (Pending* const taken = first_queued_) {
    first_queued_ = taken->next_queued_;
    if (first_queued_ == nullptr) last_queued_ = nullptr;
    taken->queued_ = false;
    if (taken->phase_ == Pending::Phase::opened) return taken;
  }
  return nullptr;
}

void ReplayMachine::set_phase(Pending& pending, Pending::Phase phase) noexcept {
  if (waits(pending.phase_)) --waiting_;
  if (waits(phase)) ++waiting_;
  pending.phase_ = phase;
  if (phase == Pending::Phase::opened && state_ != replaying) queue(pending);
}

std::vector<StepFacts> ReplayMachine::attempted_now() const {
  constexpr std::size_t kShown = 3;
  std::vector<StepFacts> shown;
  for (const Pending* const pending : pending_) {
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
    return diverged(differs(index, result, *pending));
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
  if (pending->what.name != started.name) return diverged(differs(index, as_result, *pending));
  pending->started_as = started.effect;
  pending->attempt = std::max(pending->attempt, started.attempt);
  return {Decision::What::noted, pending, std::nullopt};
}

Divergence ReplayMachine::ended_before(std::uint32_t index, const StepResult* result) const {
  Divergence divergence{Divergence::What::ended_early, index, std::nullopt, {}, {}};
  if (result != nullptr) divergence.recorded = facts_of(*result);
  return divergence;
}

Divergence ReplayMachine::differs(std::uint32_t index, const StepResult& recorded,
                                  const Pending& pending) const {
  return {Divergence::What::differs, index, facts_of(recorded), {facts_of(pending.what)}, {}};
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
  for (Pending* const pending : pending_) {
    pending->found_unfinished = true;
    queue(*pending);
  }
}

Pending* ReplayMachine::completed(const StepPath& path, std::uint32_t attempt,
                                  std::uint32_t generation) {
  move(MachineEvent::completed);
  if (generation != generation_) return nullptr;
  Pending* const pending = find(path.components());
  if (pending == nullptr || pending->phase_ != Pending::Phase::active ||
      pending->attempt != attempt)
    return nullptr;
  return pending;
}

void ReplayMachine::delivered(Pending& pending) {
  PERDURE_ASSERT(pending.listed_, "only a pending step can be delivered");
  pending_.remove(pending);
  index_.removed(pending, pending_);
  forget(pending);
}

/// What is neither pending nor counted any more is spare.
void ReplayMachine::forget(Pending& pending) noexcept {
  if (waits(pending.phase_)) --waiting_;
  if (pending.queued_) unqueue(pending);
  pending.newer_ = std::exchange(spare_, &pending);
}

void ReplayMachine::unqueue(Pending& pending) noexcept {
  Pending* before = nullptr;
  for (Pending* at = first_queued_; at != &pending; at = at->next_queued_) before = at;
  (before == nullptr ? first_queued_ : before->next_queued_) = pending.next_queued_;
  if (last_queued_ == &pending) last_queued_ = before;
  pending.queued_ = false;
}

void ReplayMachine::ended() { move(MachineEvent::ended); }

void ReplayMachine::close() { move(MachineEvent::closed); }

void ReplayMachine::suspended() {
  move(MachineEvent::suspended);
  while (!pending_.empty()) {
    Pending& oldest = **pending_.begin();
    pending_.remove(oldest);
    forget(oldest);
  }
  index_.clear();
}

void PendingSteps::add(Pending& pending) noexcept {
  pending.older_ = newest_;
  pending.newer_ = nullptr;
  (newest_ == nullptr ? oldest_ : newest_->newer_) = &pending;
  newest_ = &pending;
  pending.listed_ = true;
  ++size_;
}

void PendingSteps::remove(Pending& pending) noexcept {
  (pending.older_ == nullptr ? oldest_ : pending.older_->newer_) = pending.newer_;
  (pending.newer_ == nullptr ? newest_ : pending.newer_->older_) = pending.older_;
  pending.listed_ = false;
  --size_;
}

namespace {
/// As many paths are compared as fast as one is hashed.
constexpr std::size_t kScanned = 8;
}  // namespace

Pending* PendingIndex::find(std::span<const std::uint32_t> path,
                            const PendingSteps& steps) const noexcept {
  if (!in_use_) {
    for (Pending* const pending : steps)
      if (pending->what.path == path) return pending;
    return nullptr;
  }
  const std::uint64_t hash = core::checksum(std::as_bytes(path));
  for (Pending* at = buckets_[hash & (buckets_.size() - 1)]; at != nullptr;
       at = at->next_in_bucket_)
    if (at->what.path == path) return at;
  return nullptr;
}

void PendingIndex::added(Pending& pending, const PendingSteps& steps) {
  if (in_use_ && steps.size() <= buckets_.size()) {
    pending.hash_ = pending.what.path.hash();
    link(pending);
  } else if (steps.size() > kScanned) {
    build(steps);
  }
}

void PendingIndex::build(const PendingSteps& steps) {
  buckets_.assign(std::bit_ceil(2 * steps.size()), nullptr);
  in_use_ = true;
  for (Pending* const pending : steps) {
    pending->hash_ = pending->what.path.hash();
    link(*pending);
  }
}

/// At the chain's end: the first opened is found first.
void PendingIndex::link(Pending& pending) noexcept {
  Pending** end = &bucket_of(pending.hash_);
  while (*end != nullptr) end = &(*end)->next_in_bucket_;
  pending.next_in_bucket_ = nullptr;
  *end = &pending;
}

void PendingIndex::removed(Pending& pending, const PendingSteps& steps) noexcept {
  if (!in_use_) return;
  Pending** at = &bucket_of(pending.hash_);
  while (*at != &pending) at = &(*at)->next_in_bucket_;
  *at = pending.next_in_bucket_;
  if (steps.empty()) in_use_ = false;
}

}  // namespace perdure::journal
