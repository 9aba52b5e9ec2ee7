/// Circles of calls that a session may be part of: looking for them, and breaking them.
#include "actors/call_circle.hpp"
#include "actors/session_core.hpp"
#include "actors/session_shell.hpp"

namespace perdure::actors {

/// A call is about to be queued behind the unfinished run. Only if that waits for others can this
/// close a circle; whether it does shows when `change` is durable, because whoever is the last part
/// of a circle to be durable finds all others. The row in `due` lets a recovery look, should the
/// process end before this one has.
bool SessionCore::suspect_circle(journal::Change& change) {
  if (run_ && !run_->waits_for_calls_only()) return false;
  if (!run_ || run_->needs_circle_row())
    change.put(journal::Table::due, circle_row(*open_), circle_due());
  return true;
}

void SessionCore::look_for_circle_when_durable(const Self& self) {
  when_durable([self](const Error* why) {
    SessionInput look = LookForCircle{};
    if (why == nullptr) (void)self->post(look, RunOn::scheduler);
  });
}

void SessionCore::on(LookForCircle order, const Self& self) {
  if (closing_ || !know(order, self) || !open_) return;
  if (run_ && !run_->waits_for_calls_only()) return;
  const auto found = [&]() -> Result<std::optional<CircleCloser>> {
    PERDURE_TRY(journal::Reader reader, journal::Reader::open(services_.store));
    return find_call_circle(reader, address_.id);
  }();
  if (found.has_error()) {
    services_.reporter.log({LogLevel::error, "circles_unreadable", found.error().message, *open_,
                            address_.agent + "/" + address_.key});
    return;
  }
  if (!found.assume_value()) return;
  const CircleCloser& closer = *found.assume_value();
  BreakCircle breaks{closer.number, closer.words};
  if (closer.session == address_.id) return on(std::move(breaks), self);
  services_.post({closer.session, closer.agent, closer.session_key}, std::move(breaks));
}

void SessionCore::on(BreakCircle order, const Self& self) {
  if (closing_ || !know(order, self)) return;
  const auto message = kept_.find(order.number);
  // Two may have found one circle.
  if (message == kept_.end()) return;
  services_.reporter.log({LogLevel::warning, "call_circle", order.words, message->second.run,
                          address_.agent + "/" + address_.key});
  const CancelOrder refused{Code::deadlock, {}, "the call would wait for ever: " + order.words};
  message->second.other ? detach(order.number, refused, {})
                        : end_queued(order.number, refused, {}, self);
}

}  // namespace perdure::actors
