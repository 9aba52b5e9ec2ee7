/// The run core's transactions: a body that came back with rows to write.
///
/// The record of such a step and the rows are a change of their own, which is submitted before the
/// handler goes on: the writer may refuse it, and a handler can't be taken back.
#include "actors/run_core.hpp"

#include "core/crash_point.hpp"
#include "core/limits.hpp"

#include <utility>

namespace perdure::actors {

using journal::Key;
using journal::Pending;
using journal::Table;

/// False: it is to be settled as any other body. That is one that wrote nothing. If it only read,
/// it happened at the moment of its snapshot, while it ran, unless that lacks something that its
/// session knew; so readers never lose against writers. If it failed, or its snapshot was behind,
/// what it read must still hold: then it happened at this moment.
bool RunCore::settle_transaction(Pending& pending, BodyCompletion& completion) {
  if (!completion.transacted) return false;
  // What a killed or abandoned run did last is nobody's.
  if (head_.status >= journal::RunStatus::completed || abandoned_) return false;
  journal::Writer::Conflict conflict;
  if (completion.transacted->writes.empty()) {
    const bool knew_all = completion.transacted->reads.read_at() >= host_.last_number();
    if (completion.result.has_value() && knew_all) return false;
    conflict = host_.conflict(completion.transacted->reads);
    return conflict && run_again(pending, completion, *conflict);
  }
  stamp_now();
  const Result<void> submitted =
      host_.submit_ahead(transaction_change(pending, completion), conflict);
  if (conflict) return run_again(pending, completion, *conflict);
  if (submitted.has_error()) {
    result_lost(pending, submitted.error());
  } else {
    transaction_recorded(pending, completion);
  }
  return true;
}

/// Nothing of the run itself changes here: the change may be refused.
journal::Change RunCore::transaction_change(const Pending& pending, BodyCompletion& completion) {
  Transacted& done = *completion.transacted;
  journal::Change change = host_.new_change();
  change.append(facts_.id, head_.count,
                result_record(pending, completion.result, completion.busy_us, completion.blob));
  for (const auto& [key, row] : done.writes) {
    if (row.value)
      change.put(Table::rows, key, journal::UserRow{row.type, view_of(*row.value)});
    else
      change.erase(Table::rows, key);
  }
  journal::HeadRow head = head_row();
  head.count = head_.count + 1;
  head.stamp = stamp_;
  head.ahead = head.count - passed_;
  change.put(Table::records, Key{}.add(facts_.id).add(journal::kHeadIndex), head);
  if (!done.reads.empty()) change.require(std::move(done.reads));
  return change;
}

/// The head is written again with what follows, because then the handler has gone on.
void RunCore::transaction_recorded(Pending& pending, const BodyCompletion& completion) {
  ++head_.count;
  head_.stamp = stamp_;
  head_changed_ = true;
  forget_attempts(pending.what.path);
  core::crash_point(core::CrashPoint::result_submitted);
  settled(pending, completion.result);
}

/// What it read has changed. The same attempt runs again, when its snapshot will have that change:
/// so each time that it does, another transaction has become true.
bool RunCore::run_again(Pending& pending, BodyCompletion& completion,
                        journal::RecordNumber behind) {
  if (machine_.state() != journal::MachineState::running || pending.stop_requested) {
    // At the next start; or it is settled as cancelled.
    machine_.set_phase(pending, Pending::Phase::opened);
    return true;
  }
  if (completion.stale_runs >= core::limits::kStaleRuns) {
    completion.transacted.reset();
    completion.blob.reset();
    completion.result = Error{Code::busy,
                              "rows that the transaction reads were changed by others during each "
                              "of its " +
                                  std::to_string(completion.stale_runs + 1) +
                                  " runs: let it read less, or try again later",
                              std::nullopt, std::nullopt, ErrorEffect::refused};
    return false;
  }
  BodyOrder& again = order(pending);
  again.behind = behind;
  again.stale_runs = completion.stale_runs + 1;
  return true;
}

}  // namespace perdure::actors
