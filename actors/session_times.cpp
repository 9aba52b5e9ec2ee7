/// What a session does when a time has come, and messages that wait for theirs.
#include "actors/due_service.hpp"
#include "actors/session_core.hpp"
#include "actors/session_shell.hpp"

#include <algorithm>

namespace perdure::actors {

using journal::Arrival;
using What = journal::DueRow::What;

void SessionCore::on(DueNow due, const Self& self) {
  if (closing_) return;
  if (services_.unread_inboxes.load() != 0) read_inbox(self);
  if (!know(due, self)) return;
  if (due.what == What::message) return on_due_message(due.run, self);
  if (due.what == What::circle) return on(LookForCircle{}, self);
  // A timer may outlive its step (which lost its race, say) and its run.
  if (open_ != due.run) return;
  // A signal that was recorded before the end of the time wins over it, and may stand behind this.
  // What is recorded from here on, the run sees as it records that end.
  const bool ends_waits =
      due.what == What::wait || due.what == What::deadline || due.what == What::saga;
  if (ends_waits && !std::exchange(due.behind_arrivals, true)) {
    SessionInput again = std::move(due);
    (void)self->post(again, RunOn::scheduler);
    return;
  }
  if (!deferred_.empty() || (!run_ && ahead_of_journal())) return defer(std::move(due), self);
  // That a run is parked does not make its time longer.
  const bool ends_it =
      due.what == What::grace || due.what == What::deadline || due.what == What::saga;
  if (!load_run(self) && (!ends_it || open_ != due.run || open_parked_run().has_error())) return;
  run_->due(due.what, due.path, due.due);
  pump_run(self);
}

/// The time of a kept message has come, by the clock that counts for it. Where it can't begin now,
/// its row says from here on that it is in the queue: nobody has to ask a clock again, which may be
/// set before its turn comes.
void SessionCore::on_due_message(const RunId& run, const Self& self) {
  const auto found = std::ranges::find_if(kept_, [&](const auto& each) {
    const Arrival& kept = each.second;
    return kept.what == journal::ArrivalRow::What::message && !kept.other && kept.run == run &&
           kept.due != 0;
  });
  if (found == kept_.end()) return;
  Arrival& message = found->second;
  if (!open_) return start_run(Arrival(message), self, nullptr);
  RunEffects effects;
  erase_kept(message, effects.change);
  message.due = 0;
  effects.change.put(journal::Table::kept, journal::Key{}.add(address_.id).add(message.number),
                     journal::view_of(message));
  (void)submit(effects, nullptr);
}

/// How long until the message may be handled; 0: it may. A delay counts elapsed time; of one that
/// an earlier process sent the wall clock is the only witness, and what is left stays within the
/// delay.
std::chrono::microseconds SessionCore::until_due(const Arrival& message) const {
  using std::chrono::microseconds;
  if (message.due == 0) return microseconds(0);
  const microseconds whole(std::max<journal::Stamp>(message.due - message.stamp, 0));
  if (message.sent_at && !message.by_wall_clock) {
    const auto passed =
        std::chrono::floor<microseconds>(services_.clock.elapsed() - *message.sent_at);
    return std::max(whole - passed, microseconds(0));
  }
  const journal::Stamp now = services_.clock.wall().time_since_epoch().count();
  const microseconds left(std::max<journal::Stamp>(message.due - now, 0));
  return message.by_wall_clock ? left : std::min(left, whole);
}

void SessionCore::arm(const Arrival& message) {
  DueService::Item item{address_,      *message.run,         {}, message.due, until_due(message),
                        What::message, message.by_wall_clock};
  when_durable([&due = services_.due, item = std::move(item)](const Error* why) {
    if (why == nullptr) due.arm(item);
  });
}

}  // namespace perdure::actors
