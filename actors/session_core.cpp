#include "actors/session_core.hpp"

#include "actors/due_service.hpp"
#include "actors/session_shell.hpp"
#include "core/crash_point.hpp"
#include "core/ids.hpp"

#include <algorithm>

namespace perdure::actors {
namespace {

/// A body waits here for what it depends on.
class GatedBody final : public journal::Gated {
 public:
  GatedBody(StepPool& pool, std::unique_ptr<Job> job) : pool_(pool), job_(std::move(job)) {}
  void open() noexcept override { pool_.push(std::move(job_)); }
  /// A destroyed job completes as never run.
  void fail(const Error&) noexcept override { job_.reset(); }

 private:
  StepPool& pool_;
  std::unique_ptr<Job> job_;
};

/// Several, which go to the pool together.
class GatedBodies final : public journal::Gated {
 public:
  GatedBodies(StepPool& pool, std::vector<std::unique_ptr<Job>> jobs)
      : pool_(pool), jobs_(std::move(jobs)) {}
  void open() noexcept override { pool_.push(std::move(jobs_)); }
  /// Destroyed jobs complete as never run.
  void fail(const Error&) noexcept override { jobs_.clear(); }

 private:
  StepPool& pool_;
  std::vector<std::unique_ptr<Job>> jobs_;
};

/// Anything small that waits for durability.
class GatedCall final : public journal::Gated {
 public:
  explicit GatedCall(std::function<void(const Error*)> call) : call_(std::move(call)) {}
  void open() noexcept override { call_(nullptr); }
  void fail(const Error& why) noexcept override { call_(&why); }

 private:
  std::function<void(const Error*)> call_;
};

}  // namespace

Error closed_error() {
  return Error{Code::closed, "the runtime is shutting down; the session goes on at the next start"};
}

void refuse(SessionInput& input, const Error& why) {
  if (StartOrder* const start = std::get_if<StartOrder>(&input)) start->reply(why);
  if (ExplainOrder* const explain = std::get_if<ExplainOrder>(&input)) explain->reply(std::nullopt);
  if (CloseOrder* const close = std::get_if<CloseOrder>(&input)) close->closed();
}

SessionCore::SessionCore(SessionAddress address, SessionServices& services)
    : address_(std::move(address)), services_(services) {}

void SessionCore::handle(SessionInput input, const std::shared_ptr<SessionShell>& self) {
  std::visit([&](auto&& each) { on(std::forward<decltype(each)>(each), self); }, std::move(input));
  drop_finished_run(self);
}

bool SessionCore::idle() const {
  return run_ == nullptr && deferred_.empty() && !ahead_of_journal();
}

bool SessionCore::ahead_of_journal() const { return services_.durable.watermark() < last_number_; }

void SessionCore::when_durable(std::function<void(const Error*)> call) {
  services_.durable.when_durable(last_number_, std::make_unique<GatedCall>(std::move(call)));
}

void SessionCore::defer(SessionInput input, const Self& self) {
  deferred_.push_back(std::move(input));
  services_.writer.hurry();
  when_durable([self](const Error* why) {
    SessionInput settled = Settled{why == nullptr ? std::nullopt : std::optional(*why)};
    (void)self->post(settled, RunOn::scheduler);
  });
}

void SessionCore::on(Settled settled, const Self& self) {
  if (settled.failure) return refuse_deferred(*settled.failure);
  if (ahead_of_journal()) return;
  for (SessionInput& input : std::exchange(deferred_, {}))
    std::visit([&](auto&& each) { on(std::forward<decltype(each)>(each), self); },
               std::move(input));
}

void SessionCore::refuse_deferred(const Error& why) {
  for (SessionInput& input : std::exchange(deferred_, {})) refuse(input, why);
}

void SessionCore::drop_finished_run(const Self& self) {
  if (run_ && run_->finished()) {
    run_.reset();
    // The shell leaves memory when all that it submitted is durable: then it looks again.
    if (ahead_of_journal())
      when_durable([self](const Error* why) {
        SessionInput settled = Settled{};
        if (why == nullptr) (void)self->post(settled, RunOn::scheduler);
      });
  }
  if (closing_ && !run_ && closed_) std::exchange(closed_, nullptr)();
}

void SessionCore::on(StartOrder order, const Self& self) {
  if (closing_) return order.reply(closed_error());
  if (run_ && run_->facts().message_key == order.message_key)
    return attach(run_->facts(), std::move(order));
  if (ahead_of_journal()) return defer(std::move(order), self);
  Result<journal::Reader> reader = journal::Reader::open(services_.store);
  if (reader.has_error()) return order.reply(reader.error());
  Result<std::optional<RunId>> known =
      reader.assume_value().find_message(address_.id, order.message_key);
  if (known.has_error()) return order.reply(known.error());
  if (known.assume_value()) {
    Result<RunFacts> facts = load_facts(reader.assume_value(), *known.assume_value());
    if (facts.has_error()) return order.reply(facts.error());
    return attach(facts.assume_value(), std::move(order));
  }
  const detail::HandlerEntry* const handler =
      services_.registry.find(address_.agent, order.version, order.handler);
  if (handler == nullptr)
    return order.reply(Error{Code::not_registered, "the runtime does not serve agent '" +
                                                       address_.agent + "' version " +
                                                       std::to_string(order.version) +
                                                       ": call serve() with it before start()"});
  create(std::move(order), *handler, self);
}

void SessionCore::attach(const RunFacts& facts, StartOrder order) {
  if (facts.handler != order.handler || facts.input != order.input)
    return order.reply(
        Error{Code::already_started,
              "session '" + address_.agent + "/" + address_.key +
                  "' was started with another input (run " + to_string(facts.id) +
                  "): attach with equal input, or start a session with another key"});
  answer_when_durable(std::move(order.reply), facts.id);
}

void SessionCore::create(StartOrder order, const detail::HandlerEntry& handler, const Self& self) {
  RunFacts facts;
  facts.id = core::draw_run_id(services_.clock, services_.random);
  facts.session = address_.id;
  facts.agent = address_.agent;
  facts.agent_version = order.version;
  facts.handler = std::move(order.handler);
  facts.session_key = address_.key;
  facts.message_key = std::move(order.message_key);
  facts.input_type = std::move(order.input_type);
  facts.input = std::move(order.input);
  facts.seed = services_.random.next();
  facts.created = services_.clock.wall().time_since_epoch().count();
  run_ = std::make_unique<RunCore>(std::move(facts), services_.clock, services_.random);
  run_->create(handler);
  core::crash_point(core::CrashPoint::run_created);
  perform(run_->take_effects(), journal::Admission::new_work, self, std::move(order.reply));
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
  facts.input.assign(created.input.begin(), created.input.end());
  facts.seed = created.seed;
  facts.created = created.stamp;
  return facts;
}

void SessionCore::on(ResumeOrder order, const Self& self) {
  if (closing_ || run_) return;
  if (ahead_of_journal()) return defer(order, self);
  Result<journal::Reader> reader = journal::Reader::open(services_.store);
  Result<RunFacts> facts = reader.has_error() ? Result<RunFacts>(reader.error())
                                              : load_facts(reader.assume_value(), order.run);
  if (facts.has_error()) {
    services_.reporter.event({EventKind::run_parked, order.run, facts.error()});
    return;
  }
  const detail::HandlerEntry* const handler = services_.registry.find(
      facts.assume_value().agent, facts.assume_value().agent_version, facts.assume_value().handler);
  run_ =
      std::make_unique<RunCore>(std::move(facts).assume_value(), services_.clock, services_.random);
  run_->resume(handler, reader.assume_value(), services_.last_end, services_.suspected);
  perform(run_->take_effects(), journal::Admission::under_way, self, nullptr);
}

void SessionCore::on(BodyCompletion completion, const Self& self) {
  if (!run_ || run_->facts().id != completion.address.run) return;
  run_->complete(std::move(completion));
  perform(run_->take_effects(), journal::Admission::under_way, self, nullptr);
}

void SessionCore::on(RetryDue due, const Self& self) {
  if (!run_ && ahead_of_journal()) return defer(std::move(due), self);
  // A timer may outlive its step (which lost its race, say) and its run.
  if (!run_ && !goes_on(due.run)) return;
  on(ResumeOrder{due.run}, self);
  if (!run_ || run_->facts().id != due.run) return;
  // The time has passed by the clock that counts, whatever the wall clock says.
  run_->retry_due(due.path);
  perform(run_->take_effects(), journal::Admission::under_way, self, nullptr);
}

bool SessionCore::goes_on(const RunId& run) const {
  Result<journal::Reader> reader = journal::Reader::open(services_.store);
  if (reader.has_error()) return true;
  const Result<std::optional<journal::Head>> head = reader.assume_value().head(run);
  // What cannot be read is reported when it is loaded.
  return head.has_error() || !head.assume_value() ||
         head.assume_value()->status < journal::RunStatus::parked;
}

void SessionCore::on(ExplainOrder order, const Self&) {
  if (!run_ && ahead_of_journal())
    return order.reply("what it did last is on its way to the journal");
  if (!run_ || run_->facts().id != order.run) return order.reply(std::nullopt);
  order.reply(run_->explain());
}

void SessionCore::on(CloseOrder order, const Self& self) {
  closing_ = true;
  closed_ = std::move(order.closed);
  refuse_deferred(closed_error());
  if (!run_) return;
  run_->close();
  perform(run_->take_effects(), journal::Admission::under_way, self, nullptr);
}

void SessionCore::report(const RunEffects& effects) const {
  const std::string session = address_.agent + "/" + address_.key;
  const RunId run = run_->facts().id;
  for (const RunLog& line : effects.logs)
    services_.reporter.log({line.level, line.event, line.message, run, session, line.step});
}

void SessionCore::perform(RunEffects effects, journal::Admission admission, const Self& self,
                          std::function<void(Result<RunId>)> reply) {
  if (!effects.logs.empty()) report(effects);
  if (!effects.change.empty()) {
    const Result<journal::RecordNumber> number =
        services_.writer.submit(std::move(effects.change), admission);
    if (number.has_error()) {
      // The run is ahead of its journal: what it wanted done is not done, and its frame goes.
      // Bodies that were ordered come back as never run.
      for (BodyOrder& order : effects.bodies)
        const BodyJob never_run(std::move(order), self, services_.timers, services_.clock);
      if (reply) {
        reply(number.error());
      } else if (number.error().code != Code::storage_failed &&
                 number.error().code != Code::closed) {
        services_.reporter.event(
            {EventKind::run_parked, run_->facts().id,
             Error{number.error().code,
                   "what the run did last could not be recorded, it goes on from its "
                   "journal at the next start: " +
                       number.error().message}});
      }
      run_->abandon();
      return;
    }
    last_number_ = number.assume_value();
    submitted_ = true;
  }
  if (reply) answer_when_durable(std::move(reply), run_->facts().id);
  let_out(effects, self);
}

/// Whoever asks from outside may see the run only when its creation is durable, in every mode.
void SessionCore::answer_when_durable(std::function<void(Result<RunId>)> reply, const RunId& run) {
  services_.writer.hurry();
  when_durable([reply = std::move(reply), run](const Error* why) {
    why == nullptr ? reply(run) : reply(*why);
  });
}

/// A body whose start was recorded waits until that is durable, in every mode: the record is what
/// keeps an effect from happening twice, and counts how often the body ended the process.
void SessionCore::let_out_bodies(std::vector<BodyOrder>& orders, const Self& self) {
  const bool start_recorded = std::ranges::any_of(orders, &BodyOrder::start_recorded);
  const auto job_of = [&](BodyOrder& order) {
    return std::make_unique<BodyJob>(std::move(order), self, services_.timers, services_.clock);
  };
  std::unique_ptr<journal::Gated> waiting;
  if (orders.size() == 1) {
    waiting = std::make_unique<GatedBody>(services_.pool, job_of(orders.front()));
  } else {
    std::vector<std::unique_ptr<Job>> jobs;
    jobs.reserve(orders.size());
    for (BodyOrder& order : orders) jobs.push_back(job_of(order));
    waiting = std::make_unique<GatedBodies>(services_.pool, std::move(jobs));
  }
  if (start_recorded) services_.writer.hurry();
  (start_recorded ? services_.durable : services_.gate)
      .when_durable(last_number_, std::move(waiting));
}

void SessionCore::let_out(RunEffects& effects, const Self& self) {
  if (!effects.bodies.empty()) let_out_bodies(effects.bodies, self);
  // The rows that they stand for are read from the journal, by whoever looks at it later.
  for (RetryWait& wait : effects.waits)
    when_durable([&due = services_.due, session = address_, run = run_->facts().id,
                  wait = std::move(wait)](const Error* why) {
      if (why == nullptr) due.arm({session, run, wait.path, wait.due, wait.in});
    });
  if (effects.parked) {
    const EventKind kind =
        effects.parked->code == Code::diverged ? EventKind::run_diverged : EventKind::run_parked;
    when_durable(
        [&reporter = services_.reporter,
         event = Event{kind, run_->facts().id, *std::move(effects.parked)}](const Error* why) {
          if (why == nullptr) reporter.event(event);
        });
  }
  if (effects.ended)
    when_durable([&watchers = services_.watchers, run = run_->facts().id](const Error* why) {
      if (why == nullptr) watchers.ended(run);
    });
}

}  // namespace perdure::actors
