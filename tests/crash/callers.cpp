#include "tests/crash/callers.hpp"

#include "tests/crash/workload_types.hpp"

#include <chrono>
#include <utility>

namespace perdure::crash {

using namespace std::chrono_literals;

void Stop::ask() {
  const std::lock_guard lock(mutex_);
  asked_ = true;
  changed_.notify_all();
}

void Stop::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return asked_; });
}

void ParkedRuns::add(const RunId& run) {
  const std::lock_guard lock(mutex_);
  runs_.insert(run);
}

bool ParkedRuns::has(const RunId& run) {
  const std::lock_guard lock(mutex_);
  return runs_.contains(run);
}

bool ParkedRuns::any() {
  const std::lock_guard lock(mutex_);
  return !runs_.empty();
}

void Callers::add(std::function<Result<void>()> what) {
  ++left_;
  threads_.emplace_back([this, what = std::move(what)] {
    const Result<void> done = what();
    if (!done && done.error().code == Code::closed && planned_ == TurnedAway::is_planned) {
      turned_away_ = true;
    } else if (!done) {
      notes.note(to_line({"trouble", done.error().to_string()}));
    }
    if (--left_ == 0) stop_.ask();
  });
}

void Callers::all_there() {
  if (--left_ == 0) stop_.ask();
}

void Callers::join() {
  for (std::thread& thread : threads_) thread.join();
}

Result<void> see_end(const Run<std::string>& run, ParkedRuns& parked) {
  // A message may be queued behind a run that is parked, and then nothing comes of it in this life.
  // That is given up when somebody is parked and nothing has come for so long.
  constexpr int kLooksWithAParkedRun = 50;
  int looks = 0;
  while (!parked.has(run.id()) && !(parked.any() && ++looks > kLooksWithAParkedRun)) {
    // Only a limit of the waiting gives this code for a run that has not ended, so that a parked
    // run is noticed.
    const std::optional<Result<std::string>> ended = run.result();
    const Result<std::string> reply = ended ? *ended : run.wait({.within = 100ms});
    if (!ended && !reply && reply.error().code == Code::timeout) continue;
    if (!reply &&
        (reply.error().code == Code::closed || reply.error().code == Code::storage_failed))
      return reply.error();
    notes.note(
        to_line({"reply", to_string(run.id()), reply ? reply.value() : words_of(reply.error())}));
    break;
  }
  return success();
}

void note_started(std::string_view agent, const std::string& session, const RunId& run,
                  const Order& order, std::string_view key) {
  notes.note(to_line(
      {"started", std::string(agent), session, to_string(run), words_of(order), std::string(key)}));
}

}  // namespace perdure::crash
