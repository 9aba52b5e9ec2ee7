/// The reporter: the way out for logs and events.
///
/// What this is: the host's two hooks, and standard error where there is no log hook.
/// What it promises: a hook that throws does not take the runtime down; hooks are called without
/// locks held.
#pragma once

#include <perdure/log.hpp>

#include <memory>
#include <mutex>

namespace perdure::actors {

/// Thread: any.
class Reporter {
 public:
  explicit Reporter(LogHook log) : log_(std::move(log)) {}
  void log(const LogRecord& record) const noexcept;
  void event(const Event& event) const noexcept;
  void set_event_hook(EventHook hook);

 private:
  LogHook log_;
  mutable std::mutex mutex_;
  std::shared_ptr<const EventHook> event_;
};

}  // namespace perdure::actors
