#include "actors/session_core.hpp"

#include "actors/session_shell.hpp"
#include "core/crash_point.hpp"

#include <algorithm>

namespace perdure::actors {

std::function<void(const Error*)> told_of(std::function<void(Result<RunId>)> reply,
                                          const RunId& run) {
  if (!reply) return nullptr;
  return [reply = std::move(reply), run](const Error* why) {
    why == nullptr ? reply(run) : reply(*why);
  };
}

Error closed_error() {
  return Error{Code::closed, "the runtime is shutting down; the session goes on at the next start"};
}

void refuse(SessionInput& input, const Error& why) {
  if (Arrived* const arrived = std::get_if<Arrived>(&input); arrived && arrived->reply)
    arrived->reply(why);
  if (ExplainOrder* const explain = std::get_if<ExplainOrder>(&input)) explain->reply(std::nullopt);
  if (CloseOrder* const close = std::get_if<CloseOrder>(&input)) close->closed();
}

SessionCore::SessionCore(SessionAddress address, SessionServices& services,
                         const SignalsUnderWay& signals)
    : address_(std::move(address)),
      services_(services),
      signals_(signals),
      state_(services.store, address_.id) {}

void SessionCore::handle(SessionInput input, const std::shared_ptr<SessionShell>& self) {
  std::visit([&](auto&& each) { on(std::forward<decltype(each)>(each), self); }, std::move(input));
  after_input(self);
}

bool SessionCore::idle() const {
  return run_ == nullptr && killed_.empty() && deferred_.empty() && stalled_.empty() &&
         askers_.empty() && !ahead_of_journal();
}

bool SessionCore::ahead_of_journal() const { return services_.durable.watermark() < last_number_; }

bool SessionCore::lacks_own_changes() const { return services_.durable.watermark() < own_number_; }

void SessionCore::note_submitted(journal::RecordNumber number) {
  last_number_ = own_number_ = number;
  submitted_ = true;
}

void SessionCore::defer(SessionInput input, const Self& self) {
  deferred_.push_back(std::move(input));
  post_when_settled(self);
}

void SessionCore::post_when_settled(const Self& self) {
  services_.writer.hurry();
  when_durable([self](const Error* why) {
    SessionInput settled = Settled{why == nullptr ? std::nullopt : std::optional(*why)};
    (void)self->post(settled, RunOn::scheduler);
  });
}

void SessionCore::on(Settled settled, const Self& self) {
  looks_again_ = false;
  if (settled.failure) return refuse_deferred(*settled.failure);
  if (ahead_of_journal()) {
    // More was submitted meanwhile.
    if (!deferred_.empty()) post_when_settled(self);
    return;
  }
  for (SessionInput& input : std::exchange(deferred_, {}))
    std::visit([&](auto&& each) { on(std::forward<decltype(each)>(each), self); },
               std::move(input));
}

void SessionCore::refuse_deferred(const Error& why) {
  for (SessionInput& input : std::exchange(deferred_, {})) refuse(input, why);
}

void SessionCore::after_input(const Self& self) {
  account_for_frames();
  drop_ended(self);
  answer_askers(self);
}

void SessionCore::account_for_frames() {
  if (services_.frames.is_unlimited()) return;
  if (!run_ || closing_ || !run_->only_waits()) {
    if (std::exchange(counted_, false)) services_.frames.moves(address_.id);
    return;
  }
  counted_ = true;
  for (const SessionAddress& chosen :
       services_.frames.waits(address_, run_->frame_bytes(), run_->records())) {
    if (chosen.id != address_.id) {
      services_.post(chosen, PassivateOrder{});
      continue;
    }
    counted_ = false;
    run_->passivate();
  }
}

void SessionCore::drop_ended(const Self& self) {
  std::erase_if(killed_, [](const auto& run) { return run->finished(); });
  if (run_ && run_->finished()) {
    run_.reset();
    if (std::exchange(resumes_, false) && open_) services_.post(address_, ResumeOrder{*open_});
  }
  // The shell leaves memory when all that it submitted is durable: then it looks again.
  if (!run_ && ahead_of_journal() && !std::exchange(looks_again_, true))
    when_durable([self](const Error* why) {
      SessionInput settled = Settled{};
      if (why == nullptr) (void)self->post(settled, RunOn::scheduler);
    });
  if (closing_ && !run_ && killed_.empty() && closed_) std::exchange(closed_, nullptr)();
}

void SessionCore::forget() {
  known_ = false;
  kept_.clear();
  taken_.clear();
  open_.reset();
  next_.reset();
  state_.forget();
}

Result<void> SessionCore::load() {
  PERDURE_TRY(journal::Reader reader, journal::Reader::open(services_.store));
  PERDURE_TRY(exists_, reader.has_session(address_.id));
  open_.reset();
  kept_.clear();
  if (exists_) {
    PERDURE_TRY(open_, reader.open_run(address_.id));
    PERDURE_TRY(std::vector<journal::Arrival> kept,
                reader.arrivals(journal::Table::kept, address_.id));
    for (journal::Arrival& each : kept) {
      const journal::RecordNumber number = each.number;
      kept_.emplace(number, std::move(each));
    }
  }
  known_ = true;
  return success();
}

void SessionCore::unreadable(SessionInput input, const Error& why) const {
  services_.reporter.log({LogLevel::error, "session_unreadable", why.message, std::nullopt,
                          address_.agent + "/" + address_.key});
  refuse(input, why);
}

Result<RunFacts> SessionCore::load_facts(journal::Reader& reader, const RunId& run) const {
  PERDURE_TRY(journal::RecordStream records, reader.records(run));
  PERDURE_TRY(const journal::RecordBuffer* first, records.next());
  if (first == nullptr)
    return Error{Code::corrupt, "run " + to_string(run) + " has no records: run `perdure verify`"};
  PERDURE_TRY(const journal::RunCreated created, first->as<journal::RunCreated>());
  RunFacts facts;
  facts.id = run;
  facts.session = address_.id;
  facts.agent = created.agent;
  facts.agent_version = static_cast<int>(created.agent_version);
  facts.handler = created.handler;
  facts.session_key = created.session_key;
  facts.message_key = created.message_key;
  facts.input_type = created.input_type;
  facts.input = journal::Payload(created.payload);
  facts.seed = created.seed;
  facts.created = created.stamp;
  facts.caller = journal::owned(created.caller);
  facts.deadline = created.deadline;
  facts.payers = journal::payers_of(created.payers);
  return facts;
}

const detail::HandlerEntry* SessionCore::handler_of(const RunFacts& facts) const {
  return services_.registry.find(facts.agent, facts.agent_version, facts.handler);
}

bool SessionCore::load_run(const Self& self, Parked parked) {
  if (!open_) return false;
  const RunId asked = *open_;
  if (run_) return run_->facts().id == asked;
  Result<journal::Reader> reader = journal::Reader::open(services_.store);
  Result<RunFacts> facts = reader.has_error() ? Result<RunFacts>(reader.error())
                                              : load_facts(reader.assume_value(), *open_);
  Result<std::optional<journal::Head>> head = std::optional<journal::Head>();
  if (facts.has_value()) head = reader.assume_value().head(*open_);
  if (facts.has_error() || head.has_error()) {
    services_.reporter.event(
        {EventKind::run_parked, *open_, facts.has_error() ? facts.error() : head.error()});
    return false;
  }
  const journal::RunStatus status =
      head.assume_value() ? head.assume_value()->status : journal::RunStatus::running;
  if (status == journal::RunStatus::parked && parked == Parked::leave) return false;
  // A run that only waited when this process, or the one before, let go of it had no body that
  // could have been running.
  const bool only_waited = status == journal::RunStatus::waiting;
  const detail::HandlerEntry* const handler = handler_of(facts.assume_value());
  run_ = std::make_unique<RunCore>(std::move(facts).assume_value(), host(), services_.clock,
                                   services_.random);
  run_->resume(handler, reader.assume_value(),
               {only_waited ? LastEnd::clean : services_.last_end, services_.suspected,
                parked == Parked::by_operator ? Resumption::By::person : Resumption::By::runtime});
  pump_run(self);
  // The next run may have begun behind its end.
  return run_ != nullptr && open_ == asked;
}

void SessionCore::on(ResumeOrder order, const Self& self) {
  if (closing_ || !know(order, self)) return;
  if (open_ != order.run) return;
  if (run_ && !run_->is_running()) {
    // It is parked, and bodies that it began before that have not returned.
    resumes_ = true;
    return;
  }
  if (!run_ && ahead_of_journal()) return defer(order, self);
  (void)load_run(self, Parked::go_on);
  handle_stalled(self);
}

void SessionCore::on(BodyCompletion completion, const Self& self) {
  const RunId run = completion.address.run;
  if (run_ && run_->facts().id == run) {
    run_->complete(std::move(completion));
    return pump_run(self);
  }
  const auto killed =
      std::ranges::find_if(killed_, [&](const auto& each) { return each->facts().id == run; });
  if (killed == killed_.end()) return;
  // It has ended: what its body returned is nobody's any more.
  (*killed)->complete(std::move(completion));
  (void)(*killed)->take_effects();
}

void SessionCore::on(Progressed progressed, const Self& self) {
  if (!run_ || run_->facts().id != progressed.address.run) return;
  run_->progress(progressed.address, std::move(progressed.progress));
  pump_run(self);
}

Result<std::shared_ptr<const detail::ToolEntry>> SessionCore::tool(const detail::ToolLeaf& call) {
  std::shared_ptr<const detail::ToolEntry> found = services_.registry.find_tool(call.tool_name());
  if (!found && services_.undos_by_use) found = services_.undos_by_use->find(call.tool_name());
  if (!found && services_.tools_served_by_use && call.when_unserved() == detail::Unserved::parks) {
    detail::ToolEntry declared = call.declared();
    PERDURE_TRY(check_tool(declared));
    return std::make_shared<const detail::ToolEntry>(std::move(declared));
  }
  const std::string name = "tool '" + std::string(call.tool_name()) + "'";
  if (!found)
    return Error{Code::not_registered, "the runtime does not serve " + name +
                                           ": serve it before start(), and the run goes on"};
  if (found->input_type != call.input_type() || found->output_type != call.type())
    return Error{Code::misuse, name + " is served as one from " + std::string(found->input_type) +
                                   " to " + std::string(found->output_type) +
                                   ", and called as one from " + std::string(call.input_type()) +
                                   " to " + std::string(call.type()) + ": two tools have one name"};
  return found;
}

void SessionCore::on(ExplainOrder order, const Self&) {
  if (!run_ && ahead_of_journal())
    return order.reply("what it did last is on its way to the journal");
  if (!run_ || run_->facts().id != order.run) return order.reply(std::nullopt);
  order.reply(run_->explain());
}

void SessionCore::on(PassivateOrder, const Self&) {
  // What moved since it was chosen is counted again when it waits.
  if (!run_ || closing_ || !run_->only_waits()) return;
  if (std::exchange(counted_, false)) services_.frames.moves(address_.id);
  run_->passivate();
}

void SessionCore::on(CloseOrder order, const Self& self) {
  closing_ = true;
  closed_ = std::move(order.closed);
  refuse_deferred(closed_error());
  for (Arrived& arrived : std::exchange(stalled_, {}))
    if (arrived.reply) arrived.reply(closed_error());
  if (!run_) return;
  run_->close();
  pump_run(self);
}

}  // namespace perdure::actors
