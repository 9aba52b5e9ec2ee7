#include "actors/engine.hpp"

#include "core/assert.hpp"
#include "core/crash_point.hpp"
#include "core/limits.hpp"
#include "saga/coordinator.hpp"

#include <condition_variable>
#include <future>

namespace perdure::actors {
journal::WriterOptions Engine::writer_options() {
  journal::WriterOptions writing;
  if (options_.durability == Durability::none) writing.durability = journal::Durability::none;
  if (options_.durability == Durability::interval) writing.early = &early_gate_;
  writing.commit_interval = options_.commit_interval;
  writing.last_number = seams_.journal->last_number();
  writing.on_fatal = [this](const Error& why) { storage_failed(why); };
  writing.on_full = [this](const Error& why) {
    reporter_.event({EventKind::storage_full, std::nullopt, why});
  };
  writing.on_room = [this] {
    reporter_.event(
        {EventKind::storage_recovered, std::nullopt,
         Error{Code::storage_full, "the disk has room again: what was held back goes on"}});
  };
  if (seams_.turn) {
    writing.committer = journal::WriterOptions::Committer::owner;
    writing.batch_bytes_max = 1;
  }
  return writing;
}

/// A step thread with nothing else to do commits by itself: a lone session pays no hand-over.
StepPoolOptions Engine::pool_options() {
  StepPoolOptions pooling;
  pooling.threads_max = options_.step_threads;
  if (seams_.turn) pooling.driver = StepPoolOptions::Driver::owner;
  pooling.after_job = [this](AfterJob after) {
    if (after == AfterJob::queue_empty) {
      writer_->commit_here();
    } else {
      writer_->wake();
    }
  };
  return pooling;
}

Engine::Engine(RuntimeOptions options, EngineSeams seams)
    : options_(std::move(options)),
      seams_(std::move(seams)),
      reporter_(options_.log),
      frames_(options_.frames == Frames::keep ? FrameBudget::kUnlimited
                                              : options_.frame_budget_bytes),
      directory_([this](SessionAddress address) {
        return seams_.make_shell(std::move(address), *services_, *this);
      }),
      budgets_(seams_.journal->store(), gate_),
      blobs_(seams_.journal->store().blobs(), options_.durability == Durability::none
                                                  ? journal::Durability::none
                                                  : journal::Durability::full),
      rows_(seams_.journal->store()) {
  journal::Store& store = seams_.journal->store();
  writer_ = std::make_unique<journal::Writer>(store, gate_, writer_options());
  pool_ = std::make_unique<StepPool>(pool_options());
  // Bodies that one commit lets out reach the pool together.
  for (journal::Gate* gate : {&gate_, &early_gate_})
    gate->around_release([this](const auto& release) {
      const StepPool::Gather gather(*pool_);
      release();
    });
  due_ = std::make_unique<DueService>(
      store, timers_, *seams_.clock,
      DueService::Hooks{[this](const SessionAddress& session, DueNow due) {
                          directory_.post(session, std::move(due), RunOn::scheduler);
                        },
                        [this](const Error& why) {
                          reporter_.log({LogLevel::error, "due_unreadable",
                                         "what is due next could not be read: " + why.message});
                        }});
  services_ = std::make_unique<SessionServices>(
      SessionServices{store,
                      *writer_,
                      options_.durability == Durability::interval ? early_gate_ : gate_,
                      gate_,
                      *pool_,
                      timers_,
                      *due_,
                      *seams_.clock,
                      *seams_.random,
                      registry_,
                      reporter_,
                      watchers_,
                      [this](const std::string& agent, const std::string& key) {
                        return directory_.resolve(seams_.journal->store(), agent, key);
                      },
                      [this](const SessionAddress& to, SessionInput input) {
                        directory_.post(to, std::move(input), RunOn::scheduler);
                      },
                      seams_.journal->was_clean() ? LastEnd::clean : LastEnd::unclean,
                      options_.suspected_crashes,
                      frames_,
                      blobs_,
                      unread_,
                      seams_.journal->last_number(),
                      options_.blob_threshold_bytes,
                      attempts_,
                      seams_.tools_served_by_use,
                      budgets_});
  services_->undos_by_use = seams_.undos_by_use.get();
  registry_.add_own(saga_agent());
  if (seams_.timer_pump == EngineSeams::TimerPump::thread)
    timer_thread_ = std::make_unique<TimerThread>(timers_, *seams_.clock);
}

/// Whose sessions undo what sagas owe.
detail::AgentEntry Engine::saga_agent() {
  detail::AgentEntry agent;
  agent.name = journal::kSagaAgent;
  detail::HandlerEntry& pay = agent.handlers.emplace_back();
  pay.name = saga::kPayHandler;
  pay.message_type = type_name<saga::PayOrder>();
  pay.reply_type = "void";
  pay.make = [] { return std::make_unique<saga::Coordinator>(); };
  return agent;
}

Engine::~Engine() {
  PERDURE_ASSERT(state_ == State::stopped, "whoever owns the engine shuts it down first");
}

void Engine::serve(detail::AgentEntry agent) { registry_.add(std::move(agent)); }

void Engine::serve(detail::ToolEntry tool) { registry_.add(std::move(tool)); }

void Engine::storage_failed(const Error& why) {
  watchers_.fail(why);
  reporter_.event({EventKind::storage_failed, std::nullopt, why});
}

Result<void> Engine::check_open() const {
  switch (state_.load()) {
    case State::opened:
      return Error{Code::misuse, "the runtime was not started: call start() after serve()"};
    case State::stopped:
      return Error{Code::closed, "the runtime was shut down: open the journal again"};
    case State::started: break;
  }
  return success();
}

Result<void> Engine::start() {
  if (state_ != State::opened)
    return Error{Code::misuse, "start() was called before: once for each opened runtime"};
  PERDURE_TRY(registry_.check());
  state_ = State::started;
  PERDURE_TRY(recover());
  open_control();
  return success();
}

Result<void> Engine::recover() {
  journal::Store& store = seams_.journal->store();
  PERDURE_TRY(journal::Reader reader, journal::Reader::open(store));
  std::vector<RunId> unfinished;
  PERDURE_TRY(reader.each_ready([&](const journal::ReadyRun& ready) {
    unfinished.push_back(ready.run);
    return true;
  }));
  PERDURE_TRY(const std::vector<SessionAddress> unread, unread_inboxes(reader));
  // Known before anybody goes on, and may send to one of them.
  unread_ = unread.size();
  core::crash_point(core::CrashPoint::recovery_scanned);
  for (const RunId& run : unfinished) {
    PERDURE_TRY(const std::optional<journal::RunInfo> info, reader.run(run));
    if (!info)
      return Error{Code::corrupt, "the journal says that run " + to_string(run) +
                                      " is unfinished, but has no such run: run `perdure verify`"};
    directory_.post({info->session, info->agent, info->session_key}, ResumeOrder{run},
                    RunOn::scheduler);
  }
  for (const SessionAddress& session : unread)
    directory_.post(session, ReadInbox{}, RunOn::scheduler);
  return due_->start();
}

Result<std::optional<Engine::Ended>> Engine::ended_result(const RunId& run) {
  PERDURE_TRY(journal::Reader reader, journal::Reader::open(seams_.journal->store()));
  PERDURE_TRY(const std::optional<journal::Head> head, reader.head(run));
  if (!head) {
    PERDURE_TRY(const std::optional<journal::RunInfo> info, reader.run(run));
    if (info) return std::optional<Ended>{};
    return Error{Code::not_found, "the journal has no run " + to_string(run)};
  }
  if (head->status < journal::RunStatus::completed) return std::optional<Ended>{};
  PERDURE_TRY(journal::RecordStream records, reader.records(run, head->count - 1));
  PERDURE_TRY(const journal::RecordBuffer* last, records.next());
  if (last == nullptr) return Error{Code::corrupt, "run " + to_string(run) + " has no end record"};
  PERDURE_TRY(const journal::RunEnded ended, last->as<journal::RunEnded>());
  if (ended.error) return std::optional<Ended>(Ended{journal::to_error(*ended.error)});
  PERDURE_TRY(Bytes reply, reader.copy_of(ended.payload));
  return std::optional<Ended>(Ended{std::move(reply)});
}

Result<Bytes> Engine::wait(const RunId& run, std::chrono::milliseconds within) {
  if (RunCore::inside_a_handler())
    return Error{Code::misuse, "a handler must not wait for a run: it would hold its own thread"};
  RunWatchers::Watch watch(watchers_, run);
  if (state_ == State::stopped) return Error{Code::closed, "the runtime was shut down"};
  PERDURE_TRY(std::optional<Ended> already, ended_result(run));
  if (already) return std::move(already->reply);
  if (seams_.turn) return wait_by_turns(run, within);
  switch (watch.wait(within)) {
    case RunWatchers::Outcome::failed: return *watchers_.failure();
    case RunWatchers::Outcome::timed_out: {
      const Result<std::string> why = explain(run);
      return Error{Code::timeout, "run " + to_string(run) + " has not ended within " +
                                      std::to_string(within.count()) + " ms" +
                                      (why.has_value() ? ": " + why.assume_value() : "")};
    }
    case RunWatchers::Outcome::ended: break;
  }
  PERDURE_TRY(std::optional<Ended> ended, ended_result(run));
  if (!ended) return Error{Code::corrupt, "run " + to_string(run) + " ended without an end record"};
  return std::move(ended->reply);
}

void Engine::when_ended(const RunId& run, std::function<void(Result<Bytes>)> tell) {
  const auto shared = std::make_shared<std::function<void(Result<Bytes>)>>(std::move(tell));
  const auto once = std::make_shared<std::atomic<bool>>(false);
  const auto answer = [this, run, shared, once] {
    if (once->exchange(true)) return;
    if (const std::optional<Error> failure = watchers_.failure()) return (*shared)(*failure);
    Result<std::optional<Ended>> ended = ended_result(run);
    if (ended.has_error()) return (*shared)(ended.error());
    if (ended.assume_value()) (*shared)(std::move(ended.assume_value()->reply));
  };
  const RunWatchers::Ticket ticket = watchers_.on_end(run, answer);
  // It may have ended before the watch was there.
  const Result<std::optional<Ended>> already = ended_result(run);
  if (already.has_value() && !already.assume_value()) return;
  watchers_.forget(run, ticket);
  answer();
}

bool Engine::has_ended(const RunId& run) {
  const Result<std::optional<Ended>> ended = ended_result(run);
  return ended.has_value() && ended.assume_value().has_value();
}

}  // namespace perdure::actors
