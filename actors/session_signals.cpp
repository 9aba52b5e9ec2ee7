/// What comes for a session's run: signals, replies and operators' words.
#include "actors/session_core.hpp"
#include "actors/session_shell.hpp"
#include "core/limits.hpp"

#include <algorithm>

namespace perdure::actors {
namespace {

using journal::Arrival;
using What = journal::ArrivalRow::What;

Error not_unfinished(const RunId& run) {
  return Error{Code::not_found, "the session has no unfinished run " + to_string(run) +
                                    ": it has ended, or belongs to another session"};
}

Error only_queued(const RunId& run) {
  return Error{Code::misuse, "run " + to_string(run) +
                                 " has not begun: it waits for its turn or its time, and has "
                                 "nothing to try again"};
}

}  // namespace

Result<std::optional<journal::Payload>> SessionCore::take_signal(std::string_view name,
                                                                 const RunId& run) {
  for (auto at = kept_.begin(); at != kept_.end(); ++at) {
    Arrival& kept = at->second;
    if (kept.what != What::signal || kept.name != name || (kept.run && *kept.run != run)) continue;
    PERDURE_TRY(bring(kept.payload));
    journal::Payload payload = std::move(kept.payload);
    taken_.push_back(at->first);
    kept_.erase(at);
    return std::optional(std::move(payload));
  }
  return std::optional<journal::Payload>();
}

Result<journal::SessionId> SessionCore::resolve(const std::string& agent, const std::string& key) {
  PERDURE_TRY(const SessionAddress address, services_.resolve(agent, key));
  return address.id;
}

void SessionCore::on_signal(Arrived arrived, const Self& self) {
  Arrival& signal = arrived.what;
  if (signal.run && open_ != signal.run) {
    const Error why = not_unfinished(*signal.run);
    return done_with(arrived, &why);
  }
  if (open_ && !run_) {
    if (ahead_of_journal()) return defer(std::move(arrived), self);
    const Result<bool> awaited = is_awaited(signal.name);
    if (awaited.has_error()) return done_with(arrived, &awaited.error());
    if (awaited.assume_value()) (void)load_run(self);
    // It may have ended by being loaded, and the next one may have begun.
    if (signal.run && open_ != signal.run) {
      const Error why = not_unfinished(*signal.run);
      return done_with(arrived, &why);
    }
  }
  if (run_)
    if (const Result<void> brought = bring(signal.payload); brought.has_error()) {
      // Its sender can't mend that: the row stays for the next start.
      services_.reporter.log({LogLevel::error, "signal_unreadable", brought.error().message,
                              signal.run, address_.agent + "/" + address_.key});
      if (arrived.reply) arrived.reply(brought.error());
      return;
    }
  if (run_ && run_->offer_signal(signal.name, signal.payload))
    return pump_run(self, journal::Admission::under_way,
                    told_of(std::move(arrived.reply), run_->facts().id), &signal);
  if (std::optional<Error> why = refuse_signal(signal)) {
    services_.reporter.log({LogLevel::warning, "signal_refused", why->message, signal.run,
                            address_.agent + "/" + address_.key});
    return done_with(arrived, &*why);
  }
  Told told = told_of(std::move(arrived.reply), signal.run.value_or(RunId{}));
  keep(std::move(signal), std::move(told), self);
}

/// Why the session keeps no further signal; empty when it does.
std::optional<Error> SessionCore::refuse_signal(const Arrival&) const {
  const auto kept = std::ranges::count_if(
      kept_, [](const auto& each) { return each.second.what == What::signal; });
  if (static_cast<std::size_t>(kept) < core::limits::kKeptSignals) return std::nullopt;
  return Error{Code::busy,
               "session '" + address_.agent + "/" + address_.key + "' keeps " +
                   std::to_string(kept) +
                   " signals that none of its runs has received (the limit kKeptSignals): send it "
                   "later",
               std::nullopt, std::nullopt, ErrorEffect::refused};
}

/// Whether a receive of the open run, which is not in memory, waits for a signal of this name.
Result<bool> SessionCore::is_awaited(std::string_view name) const {
  PERDURE_TRY(journal::Reader reader, journal::Reader::open(services_.store));
  PERDURE_TRY(const std::optional<journal::Head> head, reader.head(*open_));
  // What is parked takes nothing; what is about to be resumed looks into `kept` by itself.
  if (!head || head->status != journal::RunStatus::waiting) return false;
  PERDURE_TRY(const std::vector<journal::Wait> waits, reader.waits(*open_));
  return std::ranges::any_of(waits, [&](const journal::Wait& wait) {
    return wait.kind == journal::StepKind::receive && wait.name == name;
  });
}

Result<std::optional<RunEnd>> SessionCore::end_of_any(const RunId& run) {
  PERDURE_TRY(journal::Reader reader, journal::Reader::open(services_.store));
  PERDURE_TRY(const std::optional<journal::Head> head, reader.head(run));
  if (!head || head->status < journal::RunStatus::completed) return std::optional<RunEnd>();
  PERDURE_TRY(journal::RecordStream records, reader.records(run, head->count - 1));
  PERDURE_TRY(const journal::RecordBuffer* last, records.next());
  if (last == nullptr) return Error{Code::corrupt, "run " + to_string(run) + " has no end record"};
  PERDURE_TRY(const journal::RunEnded ended, last->as<journal::RunEnded>());
  if (ended.error) return std::optional(RunEnd{to_error(*ended.error)});
  PERDURE_TRY(core::Bytes reply, reader.copy_of(ended.payload));
  return std::optional(RunEnd{std::move(reply)});
}

/// How `run`, which told of its end, ended. Errors also: as Reader.
detail::BodyResult SessionCore::end_of(const RunId& run) {
  PERDURE_TRY(std::optional<RunEnd> end, end_of_any(run));
  if (end) return std::move(end->reply);
  return Error{Code::corrupt,
               "run " + to_string(run) + " told of its end and has none: run `perdure verify`"};
}

void SessionCore::on_reply(Arrived arrived, const Self& self) {
  const Arrival& reply = arrived.what;
  if (open_ != reply.run) return done_with(arrived, nullptr);
  if (reply.error) arrived.result.emplace(*reply.error);
  if ((!run_ || !arrived.result) && ahead_of_journal()) return defer(std::move(arrived), self);
  if (!arrived.result) arrived.result.emplace(end_of(*reply.other));
  const bool loaded = load_run(self);
  if (open_ != reply.run) return done_with(arrived, nullptr);
  if (!loaded || !run_->is_running()) {
    stalled_.push_back(std::move(arrived));
    return;
  }
  run_->reply(reply.path, *reply.other, *arrived.result);
  pump_run(self, journal::Admission::under_way, nullptr, &reply);
}

void SessionCore::on_cancel(Arrived arrived, const Self& self) {
  const Arrival& asked = arrived.what;
  const CancelOrder order{Code::cancelled, asked.who, asked.why,
                          std::chrono::milliseconds(asked.grace_ms), asked.saga != 0};
  if (open_ != asked.run) {
    const RunId run = asked.run.value_or(RunId{});
    if (const auto queued = find_queued(run))
      return end_queued(*queued, order, std::move(arrived), self);
    if (const auto attached = find_attached(run)) return detach(*attached, order, arrived);
    const Error why = not_unfinished(run);
    return done_with(arrived, &why);
  }
  if (!run_ && ahead_of_journal()) return defer(std::move(arrived), self);
  const bool kills = asked.what == What::kill;
  if (!kills) (void)load_run(self);
  if (open_ != asked.run) {
    // It ended by going on from its journal.
    const Error why = not_unfinished(*asked.run);
    return done_with(arrived, &why);
  }
  if (!run_) {
    // It is parked, or its code is not asked: its journal is all that is needed.
    if (const Result<void> opened = open_parked_run(); opened.has_error())
      return done_with(arrived, &opened.error());
  }
  kills ? run_->kill(order) : run_->cancel(order);
  if (!kills && order.compensates)
    run_->abort_sagas({journal::kAllSagas, Code::saga_aborted, order.who, order.why});
  pump_run(self, journal::Admission::under_way, told_of(std::move(arrived.reply), *asked.run),
           &asked);
}

Result<void> SessionCore::open_parked_run() {
  PERDURE_TRY(journal::Reader reader, journal::Reader::open(services_.store));
  PERDURE_TRY(RunFacts facts, load_facts(reader, *open_));
  auto run = std::make_unique<RunCore>(std::move(facts), host(), services_.clock, services_.random);
  PERDURE_TRY(run->open_parked(reader));
  run_ = std::move(run);
  return success();
}

void SessionCore::on_retry_now(Arrived arrived, const Self& self) {
  if (open_ != arrived.what.run) {
    const RunId run = arrived.what.run.value_or(RunId{});
    const Error why = find_queued(run) ? only_queued(run) : not_unfinished(run);
    return done_with(arrived, &why);
  }
  if (!run_ && ahead_of_journal()) return defer(std::move(arrived), self);
  if (load_run(self, Parked::by_operator)) {
    run_->retry_now();
    pump_run(self);
  }
  done_with(arrived, nullptr);
  handle_stalled(self);
}

/// What came while the run was parked.
void SessionCore::handle_stalled(const Self& self) {
  if (!run_ || !run_->is_running()) return;
  for (Arrived& arrived : std::exchange(stalled_, {})) on(std::move(arrived), self);
}

}  // namespace perdure::actors
