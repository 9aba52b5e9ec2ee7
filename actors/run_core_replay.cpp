/// The run core's replay: from a run's records and rows back to where it stood.
#include "actors/run_core.hpp"

#include <algorithm>

namespace perdure::actors {

using journal::RunStatus;

/// Whether somebody has to say that it may be tried again.
bool RunCore::stays_parked(const detail::HandlerEntry* handler,
                           const Resumption& resumption) const noexcept {
  if (head_.status != RunStatus::parked || resumption.by == Resumption::By::person) return false;
  if (head_.code == Code::suspected_crash) return resumption.suspected == SuspectedCrashes::leave;
  if (handler == nullptr) return false;
  return (head_.code == Code::diverged && handler->on_divergence == WhenStuck::park) ||
         (head_.code == Code::handler_threw && handler->on_exception == WhenStuck::park);
}

void RunCore::resume(const detail::HandlerEntry* handler, journal::Reader& reader,
                     const Resumption& resumption) {
  last_end_ = resumption.last_end;
  machine_.begin();
  if (const Result<void> loaded = load_head(reader); loaded.has_error()) {
    park(loaded.error());
    return;
  }
  if (head_.status >= RunStatus::completed) {
    // A timer that outlived the run, say. Its end is recorded, and code is not asked again.
    machine_.close();
    discard_frame();
    return;
  }
  if (stays_parked(handler, resumption)) {
    park(Error{head_.code, head_.reason});
    return;
  }
  if (handler == nullptr) {
    park(not_served());
    return;
  }
  adopt(*handler);
  if (const Result<void> replayed = replay(reader); replayed.has_error()) {
    park(replayed.error());
    return;
  }
  if (machine_.state() != journal::MachineState::replaying) return;
  if (thrown_) {
    park(*std::exchange(thrown_, std::nullopt));
    return;
  }
  if (const Result<void> held = hold_rows_against_code(); held.has_error()) {
    park(held.error());
    return;
  }
  machine_.exhausted();
  if (const Result<void> known = state_.end_replay(host_.state()); known.has_error()) {
    park(known.error());
    return;
  }
  write_dirty_state();
  if (!thrown_ && passed_ != head_.count) {
    passed_ = head_.count;
    head_changed_ = true;
  }
  if (head_.code == Code::suspected_crash)
    for (auto& [hash, attempts] : attempts_) attempts.unclean_ends = 0;
  if (head_.status == RunStatus::parked) {
    head_.status = RunStatus::running;
    head_.code = Code::user;
    head_.reason.clear();
    head_changed_ = true;
  }
  settle();
}

/// What the run waited for and what it tried stands in rows, and has no record yet. Code that waits
/// for something else there does not match. Rows of steps that are not there any more go.
Result<void> RunCore::hold_rows_against_code() {
  std::vector<journal::StepPath> gone;
  for (const auto& [hash, wait] : waits_) {
    const journal::Pending* const pending = machine_.find(wait.path);
    if (pending == nullptr) {
      gone.emplace_back(wait.path);
    } else if (pending->what.kind != wait.kind || pending->what.name != wait.name) {
      journal::StepResult recorded;
      recorded.path = wait.path;
      recorded.step_kind = wait.kind;
      recorded.name = wait.name;
      return machine_.differs(head_.count, recorded, *pending).to_error();
    }
  }
  for (const journal::StepPath& path : gone) forget_wait(path);
  gone.clear();
  for (const auto& [hash, attempts] : attempts_) {
    const journal::Pending* const pending = machine_.find(attempts.path);
    if (pending == nullptr || pending->what.name != attempts.name) gone.emplace_back(attempts.path);
  }
  for (const journal::StepPath& path : gone) forget_attempts(path);
  if (const journal::StoredSaga* const lost = sagas_.not_begun())
    return Error{Code::diverged,
                 "the journal has a saga '" + lost->name + "' (" +
                     std::string(to_string(lost->state)) +
                     ") that the code does not begin: serve the code that it was begun with, or "
                     "abort it with `perdure saga compensate`"};
  if (const journal::StoredSaga* const aborted = sagas_.gone_on_with())
    return Error{Code::diverged, "saga '" + aborted->name + "' was aborted (" + aborted->why +
                                     "), and the code goes on with it: serve the code that it was "
                                     "begun with"};
  for (std::uint32_t number = 1; number <= sagas_.size(); ++number)
    arm_deadline(*sagas_.find(number));
  return success();
}

Result<void> RunCore::load_head(journal::Reader& reader) {
  PERDURE_TRY(std::optional<journal::Head> head, reader.head(facts_.id));
  if (!head)
    return Error{Code::corrupt, "run " + to_string(facts_.id) +
                                    " has no head row in the journal: run `perdure verify`"};
  head_ = *std::move(head);
  in_ready_ = head_.status != RunStatus::waiting;
  passed_ = head_.count - std::min(head_.ahead, head_.count);
  return success();
}

Result<void> RunCore::open_parked(journal::Reader& reader) {
  PERDURE_TRY(load_head(reader));
  PERDURE_TRY(load_rows(reader));
  // Whether it was cancelled, and how long it was given: the last records are the likeliest.
  for (std::uint32_t index = head_.count; index-- > 1;) {
    PERDURE_TRY(journal::RecordStream stream, reader.records(facts_.id, index));
    PERDURE_TRY(const journal::RecordBuffer* const record, stream.next());
    if (record == nullptr || record->kind() != journal::Kind::cancel_requested) continue;
    PERDURE_TRY(const journal::CancelRequested asked, record->as<journal::CancelRequested>());
    note_cancel(asked);
    break;
  }
  return success();
}

void RunCore::note_cancel(const journal::CancelRequested& asked) {
  cancel_ = CancelOrder{asked.code, std::string(asked.who), std::string(asked.why),
                        std::chrono::milliseconds(asked.grace_ms)};
  grace_ends_ = asked.stamp + asked.grace_ms * 1000;
  stamp_ = std::max(stamp_, asked.stamp);
}

Result<void> RunCore::load_rows(journal::Reader& reader) {
  PERDURE_TRY(std::vector<journal::Attempts> attempts, reader.attempts(facts_.id));
  for (journal::Attempts& each : attempts) {
    const std::uint64_t hash = journal::StepPath(each.path).hash();
    attempts_.emplace(hash, std::move(each));
  }
  PERDURE_TRY(std::vector<journal::Wait> waits, reader.waits(facts_.id));
  for (journal::Wait& each : waits) {
    const std::uint64_t hash = journal::StepPath(each.path).hash();
    waits_.emplace(hash, std::move(each));
  }
  PERDURE_TRY(std::vector<journal::Child> children, reader.children(facts_.id));
  for (journal::Child& each : children) {
    const std::uint64_t hash = journal::StepPath(each.path).hash();
    children_.emplace(hash, ChildState{std::move(each)});
  }
  PERDURE_TRY(budget_.load(reader));
  PERDURE_TRY(sagas_.load(reader, facts_.id));
  PERDURE_TRY(circle_due_, reader.is_due(circle_row(facts_.id)));
  PERDURE_TRY(std::vector<journal::StateValue> before, reader.before(facts_.id));
  state_.load_before(std::move(before));
  return success();
}

Result<void> RunCore::replay(journal::Reader& reader) {
  PERDURE_TRY(load_rows(reader));
  marks_from_ = &reader;
  const Result<void> replayed = replay_records(reader);
  marks_from_ = nullptr;
  return replayed;
}

Result<void> RunCore::replay_records(journal::Reader& reader) {
  PERDURE_TRY(start_frame());
  // Record 0 is the creation, which became `facts_`.
  PERDURE_TRY(journal::RecordStream stream, reader.records(facts_.id, 1));
  for (;;) {
    PERDURE_TRY(const journal::RecordBuffer* record, stream.next());
    if (record != nullptr && record->kind() == journal::Kind::version_mark) {
      PERDURE_TRY(const journal::VersionMark mark, record->as<journal::VersionMark>());
      versions_.emplace(mark.name, static_cast<int>(mark.version));
      continue;
    }
    // What a delivery leads to was recorded behind it: so all marks are known before the code asks.
    pump();
    if (record == nullptr || thrown_) break;
    PERDURE_TRY(const bool go_on, replay_record(reader, *record, stream.index()));
    if (!go_on) break;
    replayed_ = stream.index();
  }
  return success();
}

/// A mark stands behind the delivery that led to it; but where the handler went on from that only
/// when later ones had been recorded, it stands behind these.
Result<void> RunCore::read_marks_ahead() {
  if (marks_from_ == nullptr) return success();
  journal::Reader& reader = *std::exchange(marks_from_, nullptr);
  PERDURE_TRY(journal::RecordStream stream, reader.records(facts_.id, replayed_ + 1));
  for (;;) {
    PERDURE_TRY(const journal::RecordBuffer* const record, stream.next());
    if (record == nullptr) return success();
    if (record->kind() != journal::Kind::version_mark) continue;
    PERDURE_TRY(const journal::VersionMark mark, record->as<journal::VersionMark>());
    versions_.emplace(mark.name, static_cast<int>(mark.version));
  }
}

bool RunCore::on_new_ground() const noexcept {
  return machine_.state() == journal::MachineState::running || replayed_ >= passed_;
}

Result<bool> RunCore::replay_record(journal::Reader& reader, const journal::RecordBuffer& record,
                                    std::uint32_t index) {
  switch (record.kind()) {
    case journal::Kind::step_result: {
      PERDURE_TRY(const journal::StepResult result, record.as<journal::StepResult>());
      return replay_result(reader, result, index);
    }
    case journal::Kind::step_started: {
      PERDURE_TRY(const journal::StepStarted started, record.as<journal::StepStarted>());
      if (root_->ended()) {
        park(machine_.ended_before(index, nullptr).to_error());
        return false;
      }
      journal::ReplayMachine::Decision decision = machine_.recorded(index, started);
      if (!decision.divergence) return true;
      park(decision.divergence->to_error());
      return false;
    }
    case journal::Kind::cancel_requested: {
      PERDURE_TRY(const journal::CancelRequested asked, record.as<journal::CancelRequested>());
      if (root_->ended() && !has_children_to_wait_for()) {
        park(machine_.ended_before(index, nullptr).to_error());
        return false;
      }
      note_cancel(asked);
      apply_cancel();
      return true;
    }
    case journal::Kind::saga_aborted: {
      PERDURE_TRY(const journal::SagaAborted asked, record.as<journal::SagaAborted>());
      if (root_->ended() && !has_children_to_wait_for()) {
        park(machine_.ended_before(index, nullptr).to_error());
        return false;
      }
      stamp_ = std::max(stamp_, asked.stamp);
      apply_abort({asked.saga, asked.code, std::string(asked.who), std::string(asked.why)});
      return true;
    }
    case journal::Kind::run_ended:
      if (!root_->ended()) park(machine_.not_ended(index).to_error());
      return false;
    default:
      return Error{Code::corrupt, "record " + std::to_string(index) + " of run " +
                                      to_string(facts_.id) + " is a " +
                                      std::string(to_string(record.kind())) +
                                      ", which has no place in a run"};
  }
}

Result<bool> RunCore::replay_result(journal::Reader& reader, const journal::StepResult& result,
                                    std::uint32_t index) {
  if (root_->ended()) {
    park(machine_.ended_before(index, &result).to_error());
    return false;
  }
  const journal::ReplayMachine::Decision decision = machine_.recorded(index, result);
  if (decision.divergence) {
    park(decision.divergence->to_error());
    return false;
  }
  detail::Leaf& leaf = leaf_of(*decision.pending);
  core::Bytes room;
  PERDURE_TRY(const core::ByteView payload, reader.bytes_of(result.payload, room));
  if (result.error) {
    if (tells_of_cancel(result.error->code, result.error->message)) cancel_owed_ = false;
    leaf.refuse(journal::to_error(*result.error));
  } else if (const Result<void> taken = leaf.accept(payload); taken.has_error()) {
    park(machine_.undecodable(index, result, *decision.pending, taken.error()).to_error());
    return false;
  }
  stamp_ = std::max(stamp_, result.stamp);
  if (!sagas_.empty()) {
    const detail::BodyResult outcome =
        result.error ? detail::BodyResult(journal::to_error(*result.error)) : core::Bytes{};
    note_in_sagas(*decision.pending, outcome, index, IsNew::no);
  }
  machine_.delivered(*decision.pending);
  leaf.ended();
  return true;
}

}  // namespace perdure::actors
