/// The engine's end: in bounded time, with everything that can be recorded recorded.
#include "actors/engine.hpp"

#include "core/crash_point.hpp"

#include <algorithm>
#include <condition_variable>

namespace perdure::actors {
namespace {

/// Counts sessions that still have to close.
struct Countdown {
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t left = 0;
};

}  // namespace

std::size_t Engine::close_sessions(std::chrono::milliseconds within) {
  const auto countdown = std::make_shared<Countdown>();
  // A session that came later would not be told to close, and its frame would go under its bodies.
  const std::vector<std::shared_ptr<SessionShell>> shells = directory_.close_door();
  countdown->left = shells.size();
  const auto closed = [countdown] {
    const std::lock_guard lock(countdown->mutex);
    --countdown->left;
    countdown->changed.notify_all();
  };
  for (const std::shared_ptr<SessionShell>& shell : shells) {
    SessionInput input = CloseOrder{closed};
    // One that has retired meanwhile has nothing to close.
    if (!shell->post(input, RunOn::scheduler)) closed();
  }
  const auto until = std::chrono::steady_clock::now() + within;
  // A large result that finds no room on the disk would keep its thread for ever.
  writer_->stop_waiting();
  // Bodies that run are asked to stop by their sessions; bodies that have not begun never will.
  const bool all_returned = pool_->stop(within);
  if (seams_.turn) {
    const auto all_closed = [&] { return countdown->left == 0; };
    (void)take_turns(all_closed);
    (void)give_up_attempts();
    // What is still at the gate waits for a full disk: it is told that nothing becomes durable now.
    if (!take_turns(all_closed)) {
      (void)writer_->stop();
      (void)take_turns(all_closed);
    }
    return countdown->left;
  }
  // A stopped pool commits no more, and a body that waits at the gate keeps its session from
  // closing.
  writer_->wake();
  std::unique_lock lock(countdown->mutex);
  const auto done = [&] { return countdown->left == 0; };
  countdown->changed.wait_until(lock, until, done);
  lock.unlock();
  const std::size_t given_up = give_up_attempts();
  lock.lock();
  if (!all_returned && given_up == 0) return countdown->left;
  constexpr std::chrono::seconds kToHandleTheLast{1};
  const auto handled = std::max(until, std::chrono::steady_clock::now() + kToHandleTheLast);
  if (!countdown->changed.wait_until(lock, handled, done) && all_returned) {
    // What is still at the gate waits for a full disk: it is told that nothing becomes durable now.
    lock.unlock();
    (void)writer_->stop();
    lock.lock();
    countdown->changed.wait(lock, done);
  }
  return countdown->left;
}

/// A tool's attempt owns what it uses, so its session need not wait for it.
std::size_t Engine::give_up_attempts() {
  const std::size_t count = attempts_->give_up_all();
  if (count != 0)
    reporter_.event({EventKind::body_abandoned, std::nullopt,
                     Error{Code::timeout,
                           std::to_string(count) +
                               " attempts of tools had not ended when the runtime did, and were "
                               "given up: the next start decides by the tools' effect classes"}});
  return count;
}

Result<void> Engine::shutdown() {
  const std::lock_guard once(shutdown_mutex_);
  if (state_.exchange(State::stopped) == State::stopped) return success();
  core::crash_point(core::CrashPoint::shutdown_begun);
  due_->stop();
  const std::size_t abandoned = close_sessions(options_.shutdown_within);
  attempts_->close();
  Result<void> result = writer_->stop();
  control_.reset();
  timer_thread_.reset();
  watchers_.fail(
      Error{Code::closed, "the runtime was shut down; the run goes on at the next start"});
  if (abandoned == 0) {
    directory_.clear();
    if (seams_.sessions_gone) seams_.sessions_gone();
  }
  core::crash_point(core::CrashPoint::shutdown_before_clean);
  if (result.has_value()) {
    const journal::Stamp now = seams_.clock->wall().time_since_epoch().count();
    result = seams_.journal->close_cleanly(writer_->last_number(),
                                           std::max(now, seams_.journal->last_stamp()));
  }
  if (abandoned != 0) {
    // A body that did not return may still borrow from its frame, and will report to its session:
    // both are leaked on purpose, with all that they refer to.
    reporter_.event({EventKind::body_abandoned, std::nullopt,
                     Error{Code::timeout, "step bodies of " + std::to_string(abandoned) +
                                              " sessions did not return within " +
                                              std::to_string(options_.shutdown_within.count()) +
                                              " ms of being asked to stop, and were left behind"}});
    [[maybe_unused]] const auto* const leaked = new std::shared_ptr<Engine>(shared_from_this());
  }
  return result;
}

}  // namespace perdure::actors
