/// Handles: sessions and runs, as the world outside handlers sees them.
///
/// What this is: `AgentSession` (from `Runtime::session`) starts a session; `Run<R>` watches a run.
/// What it promises: what a call acknowledges is durable when it returns. Handles are cheap values,
/// may be copied, and outlive the runtime: then their calls fail with `closed`.
/// What it does not: work in handlers or step bodies, which must not wait for runs.
#pragma once

#include <perdure/agent.hpp>
#include <perdure/detail/runtime_core.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace perdure {
inline namespace v0 {

/// How long a caller is willing to wait.
struct Within {
  std::chrono::milliseconds within = std::chrono::milliseconds::max();
};

/// A run whose reply is an `R`. Thread: any.
template <class R>
class Run {
 public:
  Run(std::shared_ptr<detail::RuntimeCore> core, RunId id) : core_(std::move(core)), id_(id) {}

  [[nodiscard]] const RunId& id() const noexcept { return id_; }

  /// Waits for the run's end and returns its reply, or the failure it ended with. A parked run has
  /// not ended. Errors of the waiting itself: `timeout` (with what the run waits for), `closed`,
  /// `storage_failed`, `undecodable`.
  [[nodiscard]] Result<R> wait(Within limit = {}) const {
    PERDURE_TRY(Bytes reply, core_->wait(id_, limit.within));
    if constexpr (std::is_void_v<R>) {
      return success();
    } else {
      return decode<R>(reply);
    }
  }

  /// The same without waiting: empty while the run has not ended.
  [[nodiscard]] std::optional<Result<R>> result() const {
    Result<R> now = wait({.within = std::chrono::milliseconds(0)});
    if (now.has_value() || now.assume_error().code != Code::timeout) return now;
    // Either the waiting was too short, or `timeout` is what the run ended with, or it ended just
    // now.
    if (!core_->has_ended(id_)) return std::nullopt;
    return wait({.within = std::chrono::milliseconds(0)});
  }

 private:
  std::shared_ptr<detail::RuntimeCore> core_;
  RunId id_;
};

/// A session of an agent with one handler. Thread: any.
template <class A>
class AgentSession;

template <class R, class M>
class AgentSession<Agent<Handler<R, M>>> {
 public:
  AgentSession(std::shared_ptr<detail::RuntimeCore> core, const Agent<Handler<R, M>>& agent,
               std::string key)
      : core_(std::move(core)),
        agent_(agent.name),
        handler_(std::get<0>(agent.handlers).name),
        version_(agent.options.version),
        key_(std::move(key)) {}

  [[nodiscard]] const std::string& key() const noexcept { return key_; }
  [[nodiscard]] const std::string& agent() const noexcept { return agent_; }

  /// Starts the session's run; returns when it is durable. A second start with equal input attaches
  /// to that run, also when it has ended. Errors: `already_started` (with other input),
  /// `not_registered` (serve the agent first), `misuse` (key), `too_large`, `storage_full`,
  /// `storage_failed`, `closed`.
  [[nodiscard]] Result<Run<R>> start(M message) const {
    PERDURE_TRY(Bytes input, encode(message));
    PERDURE_TRY(RunId id, core_->start_session({.agent = agent_,
                                                .version = version_,
                                                .handler = handler_,
                                                .session_key = key_,
                                                .message_key = "start",
                                                .input_type = type_name<M>(),
                                                .input = input}));
    return Run<R>(core_, id);
  }

 private:
  std::shared_ptr<detail::RuntimeCore> core_;
  std::string agent_;
  std::string handler_;
  int version_ = 1;
  std::string key_;
};

}  // namespace v0
}  // namespace perdure
