#include "actors/tool_attempt.hpp"

#include "core/crash_point.hpp"
#include "core/limits.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace perdure::actors {
namespace {

using namespace std::chrono;

/// The attempt whose function this thread runs.
thread_local const ToolAttempt* running_here = nullptr;

std::string ms_text(milliseconds time) { return std::to_string(time.count()) + " ms"; }

Error engine_closed() {
  return Error{Code::closed,
               "the runtime was shut down before this came: the attempt counts as one that ended "
               "with the process, and the next start decides by the tool's effect class"};
}

/// What a tool's function gets: the attempt, and the last word when nobody has it any more.
class CompletionHandle final : public detail::CompletionCore {
 public:
  explicit CompletionHandle(std::shared_ptr<ToolAttempt> attempt) : attempt_(std::move(attempt)) {}
  ~CompletionHandle() override { attempt_->dropped(); }
  [[nodiscard]] Result<void> complete(Result<Bytes> outcome) override {
    return attempt_->complete(std::move(outcome));
  }

 private:
  std::shared_ptr<ToolAttempt> attempt_;
};

}  // namespace

// --- The book ------------------------------------------------------------------------------------

void AttemptBook::add(std::shared_ptr<ToolAttempt> attempt) {
  const std::lock_guard lock(mutex_);
  const ToolAttempt* const key = attempt.get();
  open_.emplace(key, std::move(attempt));
}

void AttemptBook::remove(const ToolAttempt& attempt) {
  std::shared_ptr<ToolAttempt> last;  // Destroyed without the lock.
  const std::lock_guard lock(mutex_);
  const auto found = open_.find(&attempt);
  if (found == open_.end()) return;
  last = std::move(found->second);
  open_.erase(found);
}

std::size_t AttemptBook::give_up_all() {
  return give_up([](const ToolAttempt&) { return true; }, "the runtime's end");
}

void AttemptBook::give_up(const RunId& run) {
  (void)give_up([&](const ToolAttempt& each) { return each.order().address.run == run; },
                "the end of its run");
}

void AttemptBook::give_up(const RunId& run, const journal::StepPath& path) {
  (void)give_up(
      [&](const ToolAttempt& each) {
        return each.order().address.run == run && each.order().address.path == path;
      },
      "the end of its saga");
}

std::size_t AttemptBook::give_up(const std::function<bool(const ToolAttempt&)>& which,
                                 const std::string& by) {
  std::vector<std::shared_ptr<ToolAttempt>> all;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, attempt] : open_)
      if (which(*attempt)) all.push_back(attempt);
  }
  std::size_t count = 0;
  for (const std::shared_ptr<ToolAttempt>& attempt : all) count += attempt->abandon(by) ? 1 : 0;
  return count;
}

void AttemptBook::close() {
  std::unique_lock lock(mutex_);
  closed_ = true;
  unused_.wait(lock, [&] { return uses_ == 0; });
}

AttemptBook::Use::Use(AttemptBook& book) : book_(book) {
  const std::lock_guard lock(book_.mutex_);
  entered_ = !book_.closed_;
  if (entered_) ++book_.uses_;
}

AttemptBook::Use::~Use() {
  if (!entered_) return;
  const std::lock_guard lock(book_.mutex_);
  if (--book_.uses_ == 0) book_.unused_.notify_all();
}

// --- An attempt ----------------------------------------------------------------------------------

ToolAttempt::ToolAttempt(BodyOrder order, std::shared_ptr<CompletionSink> sink,
                         ToolServices services, std::string session)
    : order_(std::move(order)),
      session_(std::move(session)),
      services_(std::move(services)),
      book_(services_.book),
      sink_(std::move(sink)) {}

std::string ToolAttempt::what() const {
  const std::string attempt = "attempt " + std::to_string(order_.address.attempt);
  return (order_.tool->what == ToolOrder::What::find ? "the question what became of " + attempt
                                                     : attempt) +
         " of '" + order_.tool->name + "'";
}

void ToolAttempt::arm(std::optional<TimerId>& timer, core::Elapsed at,
                      void (ToolAttempt::*then)()) {
  timer = services_.timers.schedule(at, [self = shared_from_this(), then] { ((*self).*then)(); });
}

void ToolAttempt::disarm() noexcept {
  for (std::optional<TimerId>* const timer :
       {&queue_timer_, &timer_, &beat_timer_, &progress_timer_})
    if (const std::optional<TimerId> armed = std::exchange(*timer, std::nullopt))
      services_.timers.cancel(*armed);
}

void ToolAttempt::queued() {
  book_->add(shared_from_this());
  const std::lock_guard lock(mutex_);
  ordered_ = services_.clock.elapsed();
  const detail::ToolPolicy& policy = order_.tool->policy;
  if (policy.queue_timeout > milliseconds::zero() && order_.tool->what == ToolOrder::What::attempt)
    arm(queue_timer_, ordered_ + policy.queue_timeout, &ToolAttempt::queue_timed_out);
}

void ToolAttempt::queue_timed_out() {
  {
    const std::lock_guard lock(mutex_);
    if (phase_ != Phase::queued) return;
  }
  Error error{Code::timeout, what() + " was not begun within the queue timeout of " +
                                 ms_text(order_.tool->policy.queue_timeout) +
                                 ": all step threads were busy (RuntimeOptions::step_threads)"};
  error.effect = ErrorEffect::refused;
  give_up(std::move(error), "its queue timeout");
}

Step ToolAttempt::step() {
  Step::Facts facts{order_.address.run,
                    order_.address.path.to_string(),
                    &order_.tool->name,
                    order_.address.attempt,
                    std::nullopt,
                    order_.stop.get_token(),
                    this,
                    shared_from_this()};
  const std::lock_guard lock(mutex_);
  phase_ = Phase::running;
  begun_ = last_beat_ = services_.clock.elapsed();
  const detail::ToolPolicy& policy = order_.tool->policy;
  std::optional<core::Elapsed> until;
  if (policy.timeout > milliseconds::zero()) until = begun_ + policy.timeout;
  if (order_.tool->left)
    until = std::min(until.value_or(core::Elapsed::max()), ordered_ + *order_.tool->left);
  if (until) {
    arm(timer_, *until, &ToolAttempt::timed_out);
    facts.deadline = time_point_cast<system_clock::duration>(
        services_.clock.wall() + duration_cast<microseconds>(*until - begun_));
  }
  if (policy.heartbeat_timeout > milliseconds::zero() &&
      order_.tool->what == ToolOrder::What::attempt)
    arm(beat_timer_, begun_ + policy.heartbeat_timeout, &ToolAttempt::look_for_beat);
  return Step(std::move(facts));
}

void ToolAttempt::run(BodyRunner* runner) noexcept {
  core::crash_point(core::CrashPoint::body_before);
  {
    const std::lock_guard lock(mutex_);
    // It waited too long for this thread.
    if (phase_ != Phase::queued) return;
    if (const std::optional<TimerId> armed = std::exchange(queue_timer_, std::nullopt))
      services_.timers.cancel(*armed);
    runner_ = runner;
  }
  const ToolAttempt* const before = std::exchange(running_here, this);
  Step attempt = step();
  std::shared_ptr<const detail::ToolEntry> entry;
  if (runner != nullptr) entry = runner->begin_tool(order_, attempt);
  if (!entry) entry = order_.tool->entry;
  if (order_.tool->what == ToolOrder::What::find) {
    ask(*entry, attempt);
  } else {
    entry->run(std::move(attempt), order_.tool->input,
               std::make_shared<CompletionHandle>(shared_from_this()));
  }
  if (runner != nullptr) runner->tool_returned();
  running_here = before;
}

/// What `find` says; that it can't say is no failure of the attempt that it is asked about.
void ToolAttempt::ask(const detail::ToolEntry& entry, Step& attempt) {
  BodyCompletion completion;
  completion.found = detail::Found::not_yet_known;
  Result<detail::FoundBytes> said = detail::FoundBytes{};
  try {
    said = entry.find(attempt, order_.tool->input);
  } catch (...) {
    said = detail::error_of_thrown("the tool's find");
  }
  if (said.has_error()) {
    completion.result = std::move(said).assume_error();
  } else {
    completion.found = said.assume_value().what;
    completion.result = std::move(said.assume_value().output);
  }
  const AttemptBook::Use use(*book_);
  if (!use || end(std::move(completion), {})) return;
  log_late("was answered");
}

void ToolAttempt::never_ran() noexcept {
  const AttemptBook::Use use(*book_);
  if (!use) return;
  BodyCompletion completion;
  completion.never_ran = true;
  (void)end(std::move(completion), "the runtime's end");
}

bool ToolAttempt::abandon(std::string by) noexcept {
  const AttemptBook::Use use(*book_);
  if (!use) return false;
  BodyCompletion completion;
  completion.abandoned = true;
  if (!end(std::move(completion), std::move(by))) return false;
  std::stop_source(order_.stop).request_stop();
  return true;
}

/// By a timer, so the engine is there.
void ToolAttempt::give_up(Error why, std::string by) noexcept {
  BodyCompletion completion;
  completion.result = std::move(why);
  completion.given_up = true;
  if (order_.tool->what == ToolOrder::What::find) completion.found = detail::Found::not_yet_known;
  if (end(std::move(completion), std::move(by))) std::stop_source(order_.stop).request_stop();
}

void ToolAttempt::timed_out() {
  const detail::ToolPolicy& policy = order_.tool->policy;
  const core::Elapsed passed = services_.clock.elapsed() - begun_;
  if (policy.timeout > milliseconds::zero() && passed >= policy.timeout)
    return give_up(Error{Code::timeout, what() +
                                            " was given up: it had not ended within its "
                                            "timeout of " +
                                            ms_text(policy.timeout)},
                   "its timeout");
  give_up(Error{Code::timeout, what() + " was given up: the overall timeout of " +
                                   ms_text(policy.overall_timeout) + " has passed"},
          "the overall timeout");
}

void ToolAttempt::look_for_beat() {
  const milliseconds allowed = order_.tool->policy.heartbeat_timeout;
  {
    const std::lock_guard lock(mutex_);
    if (phase_ == Phase::ended) return;
    if (services_.clock.elapsed() < last_beat_ + allowed)
      return arm(beat_timer_, last_beat_ + allowed, &ToolAttempt::look_for_beat);
  }
  give_up(Error{Code::timeout,
                what() + " was given up as lost: it has told no heartbeat for " + ms_text(allowed)},
          "its heartbeat timeout");
}

namespace {

detail::BodyResult no_outcome() {
  return Error{Code::misuse,
               "the tool let go of its completion without calling it: call it once, also when "
               "something fails",
               std::nullopt, std::nullopt, ErrorEffect::unknown};
}

}  // namespace

Result<void> ToolAttempt::complete(detail::BodyResult outcome) {
  const AttemptBook::Use use(*book_);
  if (!use) return engine_closed();
  const std::string how =
      outcome.has_error() ? "failed (" + outcome.assume_error().to_string() + ")" : "ended";
  BodyCompletion completion;
  completion.result = std::move(outcome);
  if (end(std::move(completion), {})) return success();
  log_late(how);
  return given_up_error();
}

void ToolAttempt::dropped() noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (phase_ == Phase::ended) return;
  }
  const AttemptBook::Use use(*book_);
  if (!use) return;
  BodyCompletion completion;
  completion.result = no_outcome();
  (void)end(std::move(completion), {});
}

bool ToolAttempt::end(BodyCompletion completion, std::string by) noexcept {
  std::shared_ptr<CompletionSink> sink;
  {
    const std::lock_guard lock(mutex_);
    if (phase_ == Phase::ended) return false;
    phase_ = Phase::ended;
    ended_by_ = std::move(by);
    sink = std::move(sink_);
    disarm();
    completion.progress = progress_;
    if (begun_ != core::Elapsed{0})
      completion.busy_us = duration_cast<microseconds>(services_.clock.elapsed() - begun_).count();
  }
  completion.address = order_.address;
  completion.tool = true;
  completion.charged = meter_.read();
  completion.asked = order_.tool->what == ToolOrder::What::find;
  completion.result = within_limits(std::move(completion.result));
  keep_large(completion, services_.large);
  if (runner_ != nullptr) runner_->ended(completion);
  core::crash_point(core::CrashPoint::body_after);
  book_->remove(*this);
  sink->completed(std::move(completion), running_here == this ? RunOn::caller : RunOn::scheduler);
  return true;
}

Error ToolAttempt::given_up_error() const {
  const std::lock_guard lock(mutex_);
  if (ended_by_.empty())
    return Error{Code::misuse, what() + " was completed before: only the first time counts"};
  return Error{Code::timeout,
               what() + " was given up (" + ended_by_ + "), and what it ends with is discarded"};
}

void ToolAttempt::log_late(const std::string& how) const {
  std::string by;
  {
    const std::lock_guard lock(mutex_);
    by = ended_by_;
  }
  const std::string words =
      by.empty() ? what() + " " + how + " a second time: only the first counts"
                 : what() + " " + how + " after it was given up (" + by + "): it is discarded";
  services_.reporter.log({LogLevel::warning, "late_completion", words, order_.address.run, session_,
                          order_.address.path.to_string()});
}

// --- Heartbeats ----------------------------------------------------------------------------------

const Bytes* ToolAttempt::last_progress() const noexcept {
  return order_.tool->progress ? &*order_.tool->progress : nullptr;
}

Result<void> ToolAttempt::beat(std::optional<Bytes> progress) {
  if (progress && progress->size() > core::limits::kProgressBytes)
    return Error{Code::too_large, "the progress of '" + order_.tool->name + "' has " +
                                      std::to_string(progress->size()) +
                                      " bytes, more than the limit of " +
                                      std::to_string(core::limits::kProgressBytes) +
                                      ": write a blob, and report that"};
  const AttemptBook::Use use(*book_);
  if (!use) return engine_closed();
  std::unique_lock lock(mutex_);
  if (phase_ == Phase::ended) {
    lock.unlock();
    return given_up_error();
  }
  last_beat_ = services_.clock.elapsed();
  if (progress) {
    progress_ = std::move(progress);
    if (!sent_ || last_beat_ - last_sent_ >= kProgressEvery) {
      send_progress(lock);
    } else if (!progress_timer_) {
      arm(progress_timer_, last_sent_ + kProgressEvery, &ToolAttempt::flush_progress);
    }
  }
  if (order_.stop.stop_requested()) return Error{Code::cancelled, what() + " is asked to stop"};
  return success();
}

void ToolAttempt::flush_progress() {
  std::unique_lock lock(mutex_);
  progress_timer_.reset();
  if (phase_ != Phase::ended) send_progress(lock);
}

void ToolAttempt::send_progress(std::unique_lock<std::mutex>& lock) {
  sent_ = true;
  last_sent_ = services_.clock.elapsed();
  const std::shared_ptr<CompletionSink> sink = sink_;
  const Bytes progress = *progress_;
  lock.unlock();
  sink->progressed(order_.address, progress);
}

// --- Blobs ---------------------------------------------------------------------------------------

Result<std::unique_ptr<detail::BlobSink>> ToolAttempt::create_blob() {
  const AttemptBook::Use use(*book_);
  if (!use) return engine_closed();
  return services_.large.blobs.create_blob();
}

Result<std::unique_ptr<detail::BlobSource>> ToolAttempt::open_blob(const Blob& blob) {
  const AttemptBook::Use use(*book_);
  if (!use) return engine_closed();
  return services_.large.blobs.open_blob(blob);
}

// --- The job -------------------------------------------------------------------------------------

ToolJob::ToolJob(std::shared_ptr<ToolAttempt> attempt) : attempt_(std::move(attempt)) {}

ToolJob::~ToolJob() {
  if (!ran_) attempt_->never_ran();
}

void ToolJob::run_by(BodyRunner* runner) noexcept {
  ran_ = true;
  attempt_->run(runner);
}

const BodyOrder& ToolJob::order() const noexcept { return attempt_->order(); }

}  // namespace perdure::actors
