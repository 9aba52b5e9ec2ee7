/// The session shell: inputs in order, one at a time.
///
/// What this is: the queue in front of a session core, and the word on when the core may go. How it
/// is scheduled is a subclass's affair: a CAF actor in production, a thread or nothing at all in
/// tests.
/// What it promises: inputs are handled in the order of `post`, one at a time; a shell that has
/// retired takes nothing more, and says so.
#pragma once

#include "actors/session_core.hpp"

#include <memory>
#include <mutex>
#include <vector>

namespace perdure::actors {

/// Thread: any.
class SessionShell : public CompletionSink, public std::enable_shared_from_this<SessionShell> {
 public:
  SessionShell(SessionAddress address, SessionServices& services)
      : core_(std::move(address), services, signals_) {}
  virtual ~SessionShell() = default;

  /// False: it has retired (`input` is untouched); ask the directory for another.
  [[nodiscard]] bool post(SessionInput& input, RunOn where);
  void completed(BodyCompletion completion, RunOn where) noexcept override;
  void progressed(const BodyAddress& address, const Bytes& progress) noexcept override;

  /// Handles what is queued, until nothing is. Called once for each `schedule`, never at the same
  /// time as another. Returns whether a change was submitted.
  bool drain();

  /// Retires when the core is idle and nothing is queued. Called by the directory, under its lock.
  [[nodiscard]] bool try_retire();
  [[nodiscard]] const SessionAddress& address() const noexcept { return core_.address(); }
  /// The runtime has shut down, the core is idle: nothing will be scheduled any more. What was
  /// posted meanwhile is refused.
  void end();

 protected:
  /// Arranges that `drain` is called soon.
  virtual void schedule(RunOn where) = 0;
  /// For `end`: nothing will be scheduled any more.
  virtual void stop() {}
  /// The core was idle after a `drain`: the session may leave memory.
  virtual void may_retire() {}

 private:
  void count_signal(Arrived& arrived);

  std::mutex mutex_;
  SignalsUnderWay signals_;  ///< Outlives what counts in it.
  std::vector<SessionInput> queue_;
  bool scheduled_ = false;
  bool retired_ = false;
  SessionCore core_;
};

}  // namespace perdure::actors
