/// Carrying out what a session's run wants done: submit, then let out when durable.
#include "actors/due_service.hpp"
#include "actors/session_core.hpp"
#include "actors/session_shell.hpp"
#include "core/crash_point.hpp"

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

void SessionCore::when_durable(Told call) {
  services_.durable.when_durable(last_number_, std::make_unique<GatedCall>(std::move(call)));
}

void SessionCore::tell_when_durable(Told told) {
  services_.writer.hurry();
  when_durable(std::move(told));
}

void SessionCore::report(const RunEffects& effects, const RunId& run) const {
  const std::string session = address_.agent + "/" + address_.key;
  for (const RunLog& line : effects.logs)
    services_.reporter.log({line.level, line.event, line.message, run, session, line.step});
}

void SessionCore::pump_run(const Self& self, journal::Admission admission, Told told,
                           const journal::Arrival* arrived) {
  do {
    RunEffects effects = run_->take_effects();
    if (arrived != nullptr) erase_row(*std::exchange(arrived, nullptr), effects.change);
    const bool suspected = run_->take_circle_suspected();
    if (!perform(effects, admission, self, std::exchange(told, nullptr))) return;
    if (suspected) look_for_circle_when_durable(self);
  } while (begin_next());
}

/// Behind the end of the run: the next one, if there is one.
bool SessionCore::begin_next() {
  // Bodies of a run that was killed come back, and nothing of them may be recorded.
  if (!open_ || next_) {
    if (!run_->finished()) killed_.push_back(std::move(run_));
  }
  if (closing_) next_.reset();
  if (!next_) return false;
  run_ = std::move(next_);
  run_->begin(handler_of(run_->facts()));
  return true;
}

bool SessionCore::perform(RunEffects& effects, journal::Admission admission, const Self& self,
                          Told told) {
  const RunId run = run_->facts().id;
  if (!effects.logs.empty()) report(effects, run);
  for (const journal::RecordNumber number : std::exchange(taken_, {}))
    effects.change.erase(journal::Table::kept, journal::Key{}.add(address_.id).add(number));
  if (effects.ended) follow_up(effects, run);
  const std::size_t first_post = effects.change.records();
  add_posts(effects);
  if (!effects.change.empty() || effects.change.refusal()) {
    const std::size_t numbers = effects.change.records();
    journal::Writer::Numbered numbered;
    if (!effects.posts.empty())
      numbered = [&](journal::RecordNumber last) {
        post_rows(effects, last, numbers - first_post);
      };
    const Result<journal::RecordNumber> number =
        services_.writer.submit(std::move(effects.change), admission, numbered);
    if (number.has_error()) {
      submit_failed(effects, number.error(), self, told);
      return false;
    }
    note_submitted(number.assume_value());
    run_->submitted(number.assume_value());
  }
  // Whoever is told finds what follows from it armed.
  let_out(effects, run, self);
  if (told) tell_when_durable(std::move(told));
  return true;
}

void SessionCore::add_posts(RunEffects& effects) {
  for (Outgoing& post : effects.posts) {
    // Who gets it records it again, as the same blob.
    effects.change.place(post.what.payload);
    effects.change.put_numbered(journal::Table::inbox, journal::Key{}.add(post.to),
                                journal::view_of(post.what));
  }
}

/// The last `count` numbers of the change are those of its posts, in their order. Whoever learns of
/// the change finds them posted.
void SessionCore::post_rows(RunEffects& effects, journal::RecordNumber last,
                            std::size_t count) const {
  journal::RecordNumber number = last - count;
  for (Outgoing& post : effects.posts) {
    post.what.number = ++number;
    const SessionAddress to{post.to, post.what.agent, post.what.session_key};
    services_.post(to, Arrived{std::move(post.what), std::move(post.reply), {}});
  }
}

/// The run is ahead of its journal: what it wanted done is not done, and its frame goes.
void SessionCore::submit_failed(RunEffects& effects, const Error& why, const Self& self,
                                const Told& told) {
  const RunId run = run_->facts().id;
  // Bodies that were ordered come back as never run.
  for (BodyOrder& order : effects.bodies)
    const std::unique_ptr<Job> never_run = job_of(std::move(order), self);
  if (told) {
    told(&why);
  } else if (why.code != Code::storage_failed && why.code != Code::closed) {
    services_.reporter.event({EventKind::run_parked, run,
                              Error{why.code,
                                    "what the run did last could not be recorded, it goes on from "
                                    "its journal at the next start: " +
                                        why.message}});
  }
  run_->abandon();
  // What comes now must not take the place of a run whose bodies have not come back.
  if (!run_->finished()) killed_.push_back(std::move(run_));
  forget();
}

/// A transaction's record and rows, before the handler goes on from it.
Result<void> SessionCore::submit_ahead(journal::Change&& change,
                                       journal::Writer::Conflict& conflict) {
  PERDURE_TRY(const journal::RecordNumber number,
              services_.writer.submit(std::move(change), journal::Admission::under_way, nullptr,
                                      &conflict));
  note_submitted(number);
  return success();
}

bool SessionCore::submit(RunEffects& effects, Told told) {
  const Result<journal::RecordNumber> number = services_.writer.submit(
      std::move(effects.change), journal::Admission::under_way,
      [&](journal::RecordNumber last) { post_rows(effects, last, effects.posts.size()); });
  if (number.has_error()) {
    forget();
    if (told) told(&number.error());
    return false;
  }
  note_submitted(number.assume_value());
  if (told) tell_when_durable(std::move(told));
  return true;
}

std::unique_ptr<Job> SessionCore::job_of(BodyOrder order, const Self& self) {
  if (!order.tool)
    return std::make_unique<BodyJob>(std::move(order), self, services_.timers, services_.clock,
                                     large());
  const auto attempt =
      std::make_shared<ToolAttempt>(std::move(order), self,
                                    ToolServices{services_.timers, services_.clock,
                                                 services_.reporter, large(), services_.attempts},
                                    address_.agent + "/" + address_.key);
  attempt->queued();
  return std::make_unique<ToolJob>(attempt);
}

/// A body whose start was recorded waits until that is durable, in every mode: the record is what
/// keeps an effect from happening twice, and counts how often the body ended the process. A
/// transaction that runs again waits for what stood against it, which its snapshot must have.
void SessionCore::let_out_bodies(std::vector<BodyOrder>& orders, const Self& self) {
  bool wait_for_durable = false;
  journal::RecordNumber number = last_number_;
  for (const BodyOrder& order : orders) {
    wait_for_durable |= order.start_recorded || order.behind != 0;
    number = std::max(number, order.behind);
  }
  std::unique_ptr<journal::Gated> waiting;
  if (orders.size() == 1) {
    waiting = std::make_unique<GatedBody>(services_.pool, job_of(std::move(orders.front()), self));
  } else {
    std::vector<std::unique_ptr<Job>> jobs;
    jobs.reserve(orders.size());
    for (BodyOrder& order : orders) jobs.push_back(job_of(std::move(order), self));
    waiting = std::make_unique<GatedBodies>(services_.pool, std::move(jobs));
  }
  if (wait_for_durable) services_.writer.hurry();
  (wait_for_durable ? services_.durable : services_.gate).when_durable(number, std::move(waiting));
}

void SessionCore::let_out(RunEffects& effects, const RunId& run, const Self& self) {
  for (const journal::StepPath& path : effects.fenced) services_.attempts->give_up(run, path);
  if (!effects.bodies.empty()) let_out_bodies(effects.bodies, self);
  // The rows that they stand for are read from the journal, by whoever looks at it later.
  for (DueWait& wait : effects.waits)
    when_durable(
        [&due = services_.due, session = address_, run, wait = std::move(wait)](const Error* why) {
          if (why == nullptr)
            due.arm({session, run, wait.path, wait.due, wait.in, wait.what, wait.by_wall_clock});
        });
  for (journal::StepPath& path : effects.over) {
    SessionInput again = DueNow{run, std::move(path), journal::DueRow::What::wait, 0, true};
    (void)self->post(again, RunOn::scheduler);
  }
  if (effects.parked) {
    const EventKind kind =
        effects.parked->code == Code::diverged ? EventKind::run_diverged : EventKind::run_parked;
    when_durable([&reporter = services_.reporter,
                  event = Event{kind, run, *std::move(effects.parked)}](const Error* why) {
      if (why == nullptr) reporter.event(event);
    });
  }
  for (Event& each : effects.events)
    when_durable([&reporter = services_.reporter, event = std::move(each)](const Error* why) {
      if (why == nullptr) reporter.event(event);
    });
  // It was killed: nobody waits for what its tools do.
  if (effects.ended && run_ && run_->facts().id == run && !run_->idle())
    services_.attempts->give_up(run);
  if (effects.ended)
    when_durable([&watchers = services_.watchers, run](const Error* why) {
      if (why == nullptr) watchers.ended(run);
    });
}

}  // namespace perdure::actors
