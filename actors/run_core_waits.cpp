/// The run core's waits: sleeps and signals.
#include "actors/registry.hpp"
#include "actors/run_core.hpp"

#include "core/assert.hpp"
#include "core/crash_point.hpp"
#include "core/ids.hpp"
#include "core/limits.hpp"

#include <algorithm>
#include <limits>

namespace perdure::actors {
namespace {

using detail::WaitUntil;
using journal::Key;
using journal::Pending;
using journal::StepKind;
using journal::Table;

}  // namespace

/// The moment of `until`, counted from `begun`.
journal::Stamp stamp_of(const WaitUntil& until, journal::Stamp begun) noexcept {
  if (until.counted == WaitUntil::Counted::by_wall_clock)
    return std::max<journal::Stamp>(until.us, 1);
  const journal::Stamp delay = std::max<journal::Stamp>(until.us, 0);
  const journal::Stamp longest = std::numeric_limits<journal::Stamp>::max() - begun;
  return begun + std::min(delay, longest);
}

bool RunCore::drop_stopped_waits() {
  if (stopped_waits_.empty()) return false;
  // Those that are dropped wake frames, which may stop others: these come at the next round.
  for (Pending* const pending : std::exchange(stopped_waits_, {}))
    drop_wait(*pending, detail::cancelled_error());
  return true;
}

/// It ends without a record: whatever ended it is recorded, so replay ends it at the same place.
void RunCore::drop_wait(Pending& pending, Error why) {
  // A cancel drops waits that the failure of another one has stopped already.
  std::erase(stopped_waits_, &pending);
  if (machine_.state() == journal::MachineState::running) forget_wait(pending.what.path);
  detail::Leaf& leaf = leaf_of(pending);
  leaf.refuse(std::move(why));
  machine_.delivered(pending);
  leaf.ended();
}

void RunCore::begin_wait(Pending& pending) {
  if (std::optional<Error> refused = refuse_step(leaf_of(pending))) {
    settle_wait(pending, std::move(*refused));
    return;
  }
  stamp_now();
  switch (pending.what.kind) {
    case StepKind::sleep:
    case StepKind::receive: return begin_sleep_or_receive(pending);
    case StepKind::call: return begin_call(pending);
    case StepKind::spawn: return begin_spawn(pending);
    case StepKind::join: return begin_join(pending);
    case StepKind::send: return begin_send(pending);
    case StepKind::commit: return begin_commit(pending);
    case StepKind::compensate: return begin_compensate(pending);
    case StepKind::step: break;
  }
  PERDURE_ASSERT(false, "a step with a body is no wait");
}

void RunCore::begin_sleep_or_receive(Pending& pending) {
  const bool found = std::exchange(pending.found_unfinished, false);
  if (pending.what.kind == StepKind::receive) {
    Result<std::optional<journal::Payload>> taken = host_.take_signal(pending.what.name, facts_.id);
    if (taken.has_error()) return park(taken.error());
    if (std::optional<journal::Payload>& signal = taken.assume_value())
      return settle_wait(pending, std::move(signal->bytes), signal->blob);
  }
  const auto row = waits_.find(pending.what.path.hash());
  if (found && row != waits_.end()) {
    wait_for(pending, row->second);
    return;
  }
  journal::Wait wait;
  wait.kind = pending.what.kind;
  wait.name = pending.what.name;
  wait.begun = stamp_;
  if (const auto& until = wait_of(pending).request().until) {
    wait.due = stamp_of(*until, stamp_);
    wait.by_wall_clock = until->counted == WaitUntil::Counted::by_wall_clock;
    const bool is_over = until->counted == WaitUntil::Counted::by_wall_clock
                             ? wait.due <= clock_.wall().time_since_epoch().count()
                             : until->us <= 0;
    if (is_over) {
      if (rivals_of(pending).empty()) return wait_is_over(pending);
      machine_.set_phase(pending, Pending::Phase::over);
      effects_.over.push_back(pending.what.path);
      return;
    }
  }
  wait_for(pending, std::move(wait));
}

/// The step waits from here on; its rows say so, if they did not.
void RunCore::wait_for(Pending& pending, journal::Wait wait) {
  machine_.set_phase(pending, Pending::Phase::waiting);
  const journal::StepPath& path = pending.what.path;
  const journal::Stamp due = wait.due;
  const journal::Stamp begun = wait.begun;
  const bool by_wall_clock = wait.by_wall_clock;
  const auto components = path.components();
  wait.path.assign(components.begin(), components.end());
  const auto [place, is_new] = waits_.emplace(path.hash(), std::move(wait));
  if (is_new) {
    const journal::Wait& stored = place->second;
    effects_.change.put(
        Table::waits, Key{}.add(facts_.id).add(path.hash()),
        journal::WaitRow{stored.kind, stored.path, stored.name, stored.begun, stored.due,
                         static_cast<std::uint8_t>(stored.by_wall_clock ? 1 : 0), stored.session,
                         stored.run});
    if (due != 0)
      effects_.change.put(Table::due, journal::due_row(due, facts_.id, path),
                          journal::DueRow{journal::DueRow::What::wait, components,
                                          static_cast<std::uint8_t>(by_wall_clock ? 1 : 0), begun});
  }
  if (due == 0) return;
  const journal::Stamp now = clock_.wall().time_since_epoch().count();
  const journal::Stamp left = by_wall_clock ? std::max<journal::Stamp>(due - now, 0)
                                            : std::clamp<journal::Stamp>(due - now, 0, due - begun);
  effects_.waits.push_back(
      {journal::DueRow::What::wait, path, due, std::chrono::microseconds(left), by_wall_clock});
}

void RunCore::forget_wait(const journal::StepPath& path) {
  const auto found = waits_.find(path.hash());
  if (found == waits_.end()) return;
  effects_.change.erase(Table::waits, Key{}.add(facts_.id).add(path.hash()));
  if (found->second.due != 0)
    effects_.change.erase(Table::due, journal::due_row(found->second.due, facts_.id, path));
  waits_.erase(found);
}

void RunCore::settle_wait(Pending& pending, const detail::BodyResult& outcome,
                          const std::optional<journal::BlobRef>& blob) {
  pending.found_unfinished = false;
  forget_wait(pending.what.path);
  record_result(pending, outcome, 0, blob);
  deliver(pending, outcome);
}

/// The signals that win over the end of this wait's time, if they are recorded before it. A sleep
/// may be the end of time for others.
std::vector<SignalName> RunCore::rivals_of(const Pending& pending) const {
  std::vector<SignalName> names;
  for (const Pending* const each : machine_.pending()) {
    if (each->what.kind != StepKind::receive) continue;
    if (each != &pending && pending.what.kind != StepKind::sleep) continue;
    names.emplace_back(each->what.name, std::nullopt);
    names.emplace_back(each->what.name, facts_.id);
  }
  return names;
}

/// Its time has come. Where a signal may have the lower number and be on its way, what says that
/// the time is over goes ahead of the handler, which can't be taken back, and is refused if so.
void RunCore::wait_is_over(Pending& pending) {
  stamp_now();
  const detail::BodyResult outcome =
      pending.what.kind == StepKind::sleep
          ? detail::BodyResult(core::Bytes{})
          : Error{Code::timeout,
                  "the signal '" + std::string(pending.what.name) + "' did not come in time"};
  std::vector<SignalName> rivals = rivals_of(pending);
  if (rivals.empty()) return settle_wait(pending, outcome);
  journal::Change change = end_of_wait(pending, outcome);
  host_.yield_to_signals(change, std::move(rivals));
  journal::Writer::Conflict conflict;
  const Result<void> submitted = host_.submit_ahead(std::move(change), conflict);
  if (conflict) {
    effects_.over.push_back(pending.what.path);
    return;
  }
  // Who takes nothing now does not take the run's next change either, and that is told.
  if (submitted.has_error()) return settle_wait(pending, outcome);
  waits_.erase(pending.what.path.hash());
  ++head_.count;
  head_.stamp = stamp_;
  head_.status = journal::RunStatus::running;
  head_changed_ = true;
  in_ready_ = true;
  core::crash_point(core::CrashPoint::result_submitted);
  deliver(pending, outcome);
}

/// Nothing of the run itself changes here: the change may be refused. The run may have waited for
/// nothing but this.
journal::Change RunCore::end_of_wait(const Pending& pending,
                                     const detail::BodyResult& outcome) const {
  journal::Change change = host_.new_change();
  change.append(facts_.id, head_.count, result_record(pending, outcome, 0, std::nullopt));
  const journal::StepPath& path = pending.what.path;
  if (const auto wait = waits_.find(path.hash()); wait != waits_.end()) {
    change.erase(Table::waits, Key{}.add(facts_.id).add(path.hash()));
    change.erase(Table::due, journal::due_row(wait->second.due, facts_.id, path));
  }
  if (!in_ready_) change.put(Table::ready, Key{}.add(facts_.id), journal::ReadyRow{facts_.session});
  journal::HeadRow head = head_row();
  head.count = head_.count + 1;
  head.status = journal::RunStatus::running;
  head.stamp = stamp_;
  head.ahead = head.count - passed_;
  change.put(Table::records, Key{}.add(facts_.id).add(journal::kHeadIndex), head);
  return change;
}

bool RunCore::offer_signal(std::string_view name, const journal::Payload& payload) {
  if (machine_.state() != journal::MachineState::running) return false;
  for (Pending* const pending : machine_.pending()) {
    const bool takes =
        pending->phase() == Pending::Phase::waiting || pending->phase() == Pending::Phase::over;
    if (pending->what.kind != StepKind::receive || !takes || pending->what.name != name) continue;
    stamp_now();
    settle_wait(*pending, payload.bytes, payload.blob);
    settle();
    return true;
  }
  return false;
}

bool RunCore::only_waits() const noexcept {
  return machine_.state() == journal::MachineState::running && idle() && nothing_but_waits();
}

/// Of a run that takes deliveries: only something from outside moves it.
bool RunCore::nothing_but_waits() const noexcept {
  const std::size_t pending = machine_.pending().size();
  return pending == machine_.waiting() && (pending != 0 || waits_for_children());
}

bool RunCore::waits_for_calls_only() const noexcept {
  if (!only_waits() || facts_.deadline != 0 || cancel_) return false;
  return std::ranges::all_of(machine_.pending(), [&](const Pending* each) {
    return each->what.kind == StepKind::call || each->what.kind == StepKind::join;
  });
}

void RunCore::passivate() {
  PERDURE_ASSERT(only_waits(), "only a run that waits can be given up");
  machine_.close();
  discard_frame();
}

}  // namespace perdure::actors
