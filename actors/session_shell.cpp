#include "actors/session_shell.hpp"

namespace perdure::actors {

bool SessionShell::post(SessionInput& input, RunOn where) {
  {
    const std::lock_guard lock(mutex_);
    if (retired_) return false;
    if (Arrived* const arrived = std::get_if<Arrived>(&input)) count_signal(*arrived);
    queue_.push_back(std::move(input));
    if (scheduled_) return true;
    scheduled_ = true;
  }
  schedule(where);
  return true;
}

void SessionShell::count_signal(Arrived& arrived) {
  const journal::Arrival& what = arrived.what;
  if (what.what == journal::ArrivalRow::What::signal && what.number != 0)
    arrived.under_way = signals_.enter({what.name, what.run});
}

void SessionShell::completed(BodyCompletion completion, RunOn where) noexcept {
  // A retired shell has no frame that a body could have come from; what is late is nobody's.
  SessionInput input = std::move(completion);
  (void)post(input, where);
}

void SessionShell::progressed(const BodyAddress& address, const Bytes& progress) noexcept {
  SessionInput input = Progressed{address, progress};
  (void)post(input, RunOn::scheduler);
}

bool SessionShell::drain() {
  const std::shared_ptr<SessionShell> self = shared_from_this();
  bool submitted = false;
  bool idle = false;
  std::vector<SessionInput> inputs;
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      inputs.clear();
      inputs.swap(queue_);
      if (inputs.empty()) {
        scheduled_ = false;
        break;
      }
    }
    for (SessionInput& input : inputs) core_.handle(std::move(input), self);
    idle = core_.idle();
    submitted = core_.take_submitted() || submitted;
  }
  if (idle) may_retire();
  return submitted;
}

void SessionShell::end() {
  std::vector<SessionInput> late;
  {
    const std::lock_guard lock(mutex_);
    retired_ = true;
    late.swap(queue_);
  }
  for (SessionInput& input : late) refuse(input, closed_error());
  stop();
}

bool SessionShell::try_retire() {
  const std::lock_guard lock(mutex_);
  if (scheduled_ || !queue_.empty() || !core_.idle()) return false;
  retired_ = true;
  return true;
}

}  // namespace perdure::actors
