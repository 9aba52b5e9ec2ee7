#include "actors/run_watchers.hpp"

#include <vector>

namespace perdure::actors {

RunWatchers::Watch::Watch(RunWatchers& watchers, const RunId& run)
    : watchers_(watchers), run_(run) {
  const std::lock_guard lock(watchers_.mutex_);
  watchers_.watches_.emplace(run_, this);
}

RunWatchers::Watch::~Watch() {
  const std::lock_guard lock(watchers_.mutex_);
  auto [first, last] = watchers_.watches_.equal_range(run_);
  for (; first != last; ++first) {
    if (first->second != this) continue;
    watchers_.watches_.erase(first);
    return;
  }
}

RunWatchers::Outcome RunWatchers::Watch::wait(std::chrono::milliseconds within) {
  std::unique_lock lock(watchers_.mutex_);
  const auto done = [this] { return ended_ || watchers_.failure_.has_value(); };
  // A deadline beyond what the clock can hold means for ever.
  if (within > std::chrono::hours(24 * 365 * 10)) {
    changed_.wait(lock, done);
  } else if (!changed_.wait_for(lock, within, done)) {
    return Outcome::timed_out;
  }
  return ended_ ? Outcome::ended : Outcome::failed;
}

void RunWatchers::ended(const RunId& run) {
  std::vector<std::function<void()>> tell;
  {
    const std::lock_guard lock(mutex_);
    auto [first, last] = watches_.equal_range(run);
    for (; first != last; ++first) {
      first->second->ended_ = true;
      first->second->changed_.notify_all();
    }
    auto [from, to] = told_.equal_range(run);
    for (auto each = from; each != to; ++each) tell.push_back(std::move(each->second.tell));
    told_.erase(from, to);
  }
  for (const auto& each : tell) each();
}

void RunWatchers::fail(const Error& why) {
  std::vector<std::function<void()>> tell;
  {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = why;
    for (auto& [run, watch] : watches_) watch->changed_.notify_all();
    for (auto& [run, each] : told_) tell.push_back(std::move(each.tell));
    told_.clear();
  }
  for (const auto& each : tell) each();
}

std::optional<Error> RunWatchers::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

RunWatchers::Ticket RunWatchers::on_end(const RunId& run, std::function<void()> tell) {
  {
    const std::lock_guard lock(mutex_);
    if (!failure_) {
      told_.emplace(run, Told{++last_ticket_, std::move(tell)});
      return last_ticket_;
    }
  }
  tell();
  return 0;
}

void RunWatchers::forget(const RunId& run, Ticket ticket) {
  const std::lock_guard lock(mutex_);
  auto [first, last] = told_.equal_range(run);
  for (; first != last; ++first) {
    if (first->second.ticket != ticket) continue;
    told_.erase(first);
    return;
  }
}

std::size_t RunWatchers::waiting() const {
  const std::lock_guard lock(mutex_);
  return watches_.size() + told_.size();
}

}  // namespace perdure::actors
