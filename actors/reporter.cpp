#include "actors/reporter.hpp"

#include <unistd.h>
#include <string>

namespace perdure {
inline namespace v0 {

std::string_view to_string(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::debug: return "debug";
    case LogLevel::info: return "info";
    case LogLevel::warning: return "warning";
    case LogLevel::error: return "error";
  }
  return "error";
}

std::string_view to_string(EventKind kind) noexcept {
  switch (kind) {
    case EventKind::run_parked: return "run_parked";
    case EventKind::run_diverged: return "run_diverged";
    case EventKind::storage_full: return "storage_full";
    case EventKind::storage_recovered: return "storage_recovered";
    case EventKind::storage_failed: return "storage_failed";
    case EventKind::body_abandoned: return "body_abandoned";
    case EventKind::saga_stuck: return "saga_stuck";
    case EventKind::control_failed: return "control_failed";
  }
  return "unrecognised";
}

}  // namespace v0

namespace actors {
namespace {

/// One write(2) a line: lines of several threads do not mix.
void write_to_stderr(const LogRecord& record) {
  std::string line = "perdure: ";
  line += to_string(record.level);
  line += ": ";
  line += record.event;
  if (record.run) line += " run=" + to_string(*record.run);
  if (!record.session.empty()) line += " session=" + std::string(record.session);
  if (!record.step.empty()) line += " step=" + std::string(record.step);
  line += ": ";
  line += record.message;
  line += '\n';
  // Nobody can be told when standard error cannot be written.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace

void Reporter::log(const LogRecord& record) const noexcept {
  try {
    if (log_) {
      log_(record);
    } else if (record.level >= LogLevel::warning) {
      write_to_stderr(record);
    }
  } catch (...) {
    write_to_stderr({LogLevel::error, "log_hook_threw", "RuntimeOptions::log must not throw"});
  }
}

void Reporter::set_event_hook(EventHook hook) {
  auto shared = std::make_shared<const EventHook>(std::move(hook));
  const std::lock_guard lock(mutex_);
  event_ = std::move(shared);
}

void Reporter::event(const Event& event) const noexcept {
  const LogLevel level = event.kind == EventKind::storage_recovered ? LogLevel::info
                         : event.kind == EventKind::storage_failed  ? LogLevel::error
                                                                    : LogLevel::warning;
  log({level, to_string(event.kind), event.error.message, event.run});
  std::shared_ptr<const EventHook> hook;
  {
    const std::lock_guard lock(mutex_);
    hook = event_;
  }
  try {
    if (hook && *hook) (*hook)(event);
  } catch (...) {
    log({LogLevel::error, "event_hook_threw",
         "the hook given to Runtime::on_event must not throw"});
  }
}

}  // namespace actors
}  // namespace perdure
