/// The run core's cancel, and what else its handler asks of it between steps.
#include "actors/run_core.hpp"

#include "core/assert.hpp"
#include "core/limits.hpp"

#include <vector>

namespace perdure::actors {

using journal::Pending;
using journal::RunStatus;
using journal::StepKind;
using journal::Table;

void RunCore::put_due(journal::DueRow::What what, journal::Stamp at) {
  effects_.change.put(Table::due, journal::due_row(at, facts_.id, what),
                      journal::DueRow{what, {}, 0, stamp_});
  // It begins now, whatever the wall clock shows: stamps do not go back with that.
  effects_.waits.push_back({what, {}, at, std::chrono::microseconds(at - stamp_), false});
}

void RunCore::erase_due(journal::DueRow::What what, journal::Stamp at) {
  effects_.change.erase(Table::due, journal::due_row(at, facts_.id, what));
}

std::string cancel_words(const CancelOrder& order) {
  if (order.code == Code::deadlock) return order.why;
  std::string words = "the run was cancelled";
  if (!order.who.empty()) words += " by " + order.who;
  if (!order.why.empty()) words += ": " + order.why;
  return words;
}

Error RunCore::cancel_error() const {
  const CancelOrder order = cancel_.value_or(CancelOrder{});
  Error error{order.code, cancel_words(order)};
  // What was to be handled was not.
  if (order.code == Code::deadlock) error.effect = ErrorEffect::refused;
  return error;
}

/// Whether a step that failed so has told its handler of the cancel: that of a deadline has the
/// code of any other time that passed.
bool RunCore::tells_of_cancel(Code code, std::string_view message) const {
  return code == Code::cancelled ||
         (cancel_ && code == cancel_->code && message == cancel_error().message);
}

void RunCore::cancel(const CancelOrder& order) {
  const bool delivered = machine_.state() == journal::MachineState::running;
  if (cancel_ || closing_ || head_.status >= RunStatus::completed) return;
  stamp_now();
  cancel_ = order;
  grace_ends_ = stamp_ + std::chrono::microseconds(order.grace).count();
  effects_.change.append(
      facts_.id, head_.count++,
      journal::CancelRequested{order.code, order.who, order.why, order.grace.count(), stamp_});
  head_.stamp = stamp_;
  head_changed_ = true;
  put_due(journal::DueRow::What::grace, grace_ends_);
  pass_cancel_on(order);
  if (!delivered) {
    // It is parked, and bodies may not have returned.
    for (Pending* const pending : machine_.pending())
      if (pending->phase() == Pending::Phase::active && !is_shielded(leaf_of(*pending).place()))
        body_of(*pending).stop_source().request_stop();
    return;
  }
  apply_cancel();
  pump();
  settle();
}

/// The cancel's one delivery: what waits, outside shields, fails with it.
void RunCore::apply_cancel() {
  std::vector<journal::StepPath> reached;
  for (Pending* const pending : machine_.pending())
    if (pending->what.kind != StepKind::compensate && !is_shielded(leaf_of(*pending).place()))
      reached.push_back(pending->what.path);
  bool told = false;
  for (const journal::StepPath& path : reached) {
    Pending* const pending = machine_.find(path.components());
    if (pending == nullptr) continue;
    if (pending->what.kind != StepKind::step) {
      drop_wait(*pending, cancel_error());
      told = true;
      continue;
    }
    // Its true outcome is delivered when there is one; no further attempt begins.
    pending->stop_requested = true;
    if (pending->phase() == Pending::Phase::active) {
      body_of(*pending).stop_source().request_stop();
    } else if (pending->phase() == Pending::Phase::backoff) {
      machine_.set_phase(*pending, Pending::Phase::opened);
    }
  }
  cancel_owed_ = !told;
}

void RunCore::kill(const CancelOrder& order) {
  if (head_.status >= RunStatus::completed || closing_ || abandoned_) return;
  if (!cancel_) cancel_ = order;
  if (order.compensates)
    abort_for_end({journal::kAllSagas, Code::saga_aborted, order.who, order.why});
  end_now(cancel_error(), RunStatus::cancelled);
}

/// The run ends without its handler, whatever it was about.
void RunCore::end_now(Error why, RunStatus as) {
  using journal::MachineState;
  stamp_now();
  for (Pending* const pending : machine_.pending())
    if (pending->phase() == Pending::Phase::active) body_of(*pending).stop_source().request_stop();
  state_.drop_dirty();
  end_with(std::move(why), as);
  if (machine_.state() == MachineState::waiting) return;
  machine_.close();
  if (idle()) discard_frame();
}

void RunCore::end_unbegun(const CancelOrder& order) {
  put_creation(effects_.change);
  cancel_ = order;
  effects_.change.append(facts_.id, head_.count++,
                         journal::CancelRequested{order.code, order.who, order.why, 0, stamp_});
  record_end(cancel_error(), RunStatus::cancelled);
}

void RunCore::retry_now() {
  if (!is_running()) return;
  for (Pending* const pending : machine_.pending()) {
    if (pending->phase() != Pending::Phase::backoff) continue;
    forget_attempts(pending->what.path, Forget::due_only);
    machine_.set_phase(*pending, Pending::Phase::opened);
  }
  settle();
}

const Bytes* RunCore::read_state(std::string_view name) {
  Result<const core::Bytes*> value = state_.read(name, host_.state());
  if (value.has_error()) park_here(value.error());
  return value.assume_value();
}

void RunCore::write_state(std::string_view name, std::string_view type,
                          std::optional<Bytes> value) {
  if (name.empty() || name.size() > core::limits::kNameBytes)
    throw Exception(Error{Code::misuse, "a state's name has " + std::to_string(name.size()) +
                                            " bytes: give 1 to " +
                                            std::to_string(core::limits::kNameBytes)});
  if (value && value->size() > core::limits::kPayloadBytes)
    throw Exception(Error{Code::too_large, "the state '" + std::string(name) + "' has " +
                                               std::to_string(value->size()) +
                                               " bytes, more than the limit of " +
                                               std::to_string(core::limits::kPayloadBytes)});
  state_.write(name, type.substr(0, core::limits::kKeyBytes), std::move(value));
}

void RunCore::write_dirty_state() {
  if (const Result<void> written = state_.flush(facts_.id, host_.state(), effects_.change);
      written.has_error())
    thrown_ = written.error();
}

int RunCore::version(std::string_view change, int oldest, int newest) {
  auto found = versions_.find(change);
  if (found == versions_.end()) {
    if (const Result<void> read = read_marks_ahead(); read.has_error()) park_here(read.error());
    found = versions_.find(change);
  }
  if (found == versions_.end()) {
    // Who passed here before the change came went the way that there was.
    const bool is_new = on_new_ground();
    found = versions_.emplace(change, is_new ? newest : 1).first;
    if (is_new) {
      effects_.change.append(
          facts_.id, head_.count++,
          journal::VersionMark{change, static_cast<std::uint32_t>(newest), stamp_});
      head_changed_ = true;
    }
  }
  if (found->second >= oldest && found->second <= newest) return found->second;
  park_here(Error{Code::diverged,
                  "the run went the way of version " + std::to_string(found->second) + " at '" +
                      std::string(change) + "', and the code supports " + std::to_string(oldest) +
                      " to " + std::to_string(newest) + ": serve code that supports it"});
}

void RunCore::park_here(Error why) {
  thrown_ = std::move(why);
  throw detail::ParkedHere{};
}

}  // namespace perdure::actors
