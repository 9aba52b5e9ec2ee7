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

namespace detail {

/// The one handler of an agent that has one.
template <class...>
struct OnlyHandler;
template <class R, class M, class... Queries>
  requires(!kIsHandler<Queries> && ...)
struct OnlyHandler<Handler<R, M>, Queries...> {
  using type = Handler<R, M>;
  using Reply = R;
  using Message = M;
};
template <class R, class M, class... Rest>
struct OnlyHandler<Query<R, M>, Rest...> : OnlyHandler<Rest...> {};

}  // namespace detail

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

  /// Asks the run to end: its sleeps, receives and calls fail with `cancelled`, its running bodies
  /// are asked to stop, and after the grace period it is recorded as cancelled anyway. Returns when
  /// that is durable. A second cancel changes nothing. Errors: `not_found` (it has ended),
  /// `closed`, `storage_full`, `storage_failed`.
  [[nodiscard]] Result<void> cancel(CancelOptions options = {}) const {
    return core_->cancel(id_, options, detail::CancelHow::ask);
  }
  /// Ends the run as cancelled without asking its handler. Bodies that run are asked to stop; what
  /// they return is discarded. Errors: as `cancel`.
  [[nodiscard]] Result<void> kill(CancelOptions options = {}) const {
    return core_->cancel(id_, options, detail::CancelHow::kill);
  }

  /// Aborts the run's open sagas: their tasks end with `saga_aborted`, and what they did is undone,
  /// also when the run is parked or was killed. Returns when that is durable. Errors: `refused` (it
  /// has none that is open, or that can be undone), `not_found`; as `cancel`.
  [[nodiscard]] Result<void> compensate(CancelOptions options = {}) const {
    return core_->compensate(id_, options);
  }

  /// What the run has used, and its limits. Errors: `not_found` (it has not begun), as the journal.
  [[nodiscard]] Result<Spending> spending() const { return core_->spending(id_); }
  /// Gives the run's budget higher limits, those that are set in `limits`, and has go on what was
  /// parked for want of room: this run, and runs that draw on its budget. Returns when that is
  /// durable. Errors: `refused` (it has no limits of its own, or higher ones), `not_found`,
  /// `closed`, `storage_full`, `storage_failed`.
  [[nodiscard]] Result<void> raise(const Budget& limits) const { return core_->raise(id_, limits); }

  /// As `wait`, without waiting: empty while the run has not ended.
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

/// Options of a message from outside.
struct MessageOptions {
  /// A second message with the same key and equal input makes no second run: it attaches to the
  /// first, also when that has ended. With other input it is refused with `already_started`. Empty:
  /// each message makes a run of its own. A key is kept as long as the journal
  /// (docs/decisions/0011).
  std::string key = {};
  /// The message is handled when this has passed, at the earliest.
  std::chrono::microseconds delay{0};
  /// The message is handled at this time of the wall clock, at the earliest. Instead of `delay`.
  std::optional<std::chrono::sys_time<std::chrono::microseconds>> at = {};
};

/// A session, from outside. What a call acknowledges is durable when it returns. Thread: any; not
/// in handlers or step bodies.
///
/// Errors of all calls: `not_registered` (serve the agent first), `misuse` (the session's or the
/// message's key), `too_large`, `storage_full`, `storage_failed`, `closed`; beside them what each
/// says.
template <class A>
class AgentSession;
template <class... Parts>
class AgentSession<Agent<Parts...>> {
 public:
  AgentSession(std::shared_ptr<detail::RuntimeCore> core, const Agent<Parts...>& agent,
               std::string key)
      : core_(std::move(core)),
        agent_(agent.name),
        handlers_(agent.handlers),
        version_(agent.options.version),
        key_(std::move(key)) {}

  [[nodiscard]] const std::string& key() const noexcept { return key_; }
  [[nodiscard]] const std::string& agent() const noexcept { return agent_; }

  /// Starts the session of an agent with one handler. A second start with equal input attaches to
  /// that run, also when it has ended. Errors: `already_started` (with other input).
  template <class Only = detail::OnlyHandler<Parts...>>
  [[nodiscard]] Result<Run<typename Only::Reply>> start(typename Only::Message message) const {
    return send(std::get<typename Only::type>(handlers_), std::move(message), {.key = "start"});
  }
  /// The same, by one of several handlers.
  template <class R, class M>
  [[nodiscard]] Result<Run<R>> start(const Handler<R, M>& handler,
                                     std::type_identity_t<M> message) const {
    return send(handler, std::move(message), {.key = "start"});
  }

  /// Sends a message, which makes a run. While another run of the session is unfinished the
  /// handler's options decide what becomes of it; by default it waits for its turn. Errors:
  /// `already_started` (the key was used with other input), `busy` (the handler's options refuse
  /// it).
  template <class R, class M>
  [[nodiscard]] Result<Run<R>> send(const Handler<R, M>& handler, std::type_identity_t<M> message,
                                    MessageOptions options = {}) const {
    static_assert((std::same_as<Parts, Handler<R, M>> || ...),
                  "perdure: the agent has no handler of this type: pass one of those that it was "
                  "made of");
    PERDURE_TRY(Bytes input, encode(message));
    PERDURE_TRY(RunId id, core_->send_message({.agent = agent_,
                                               .version = version_,
                                               .handler = handler.name,
                                               .session_key = key_,
                                               .message_key = options.key,
                                               .input_type = type_name<M>(),
                                               .input = input,
                                               .delay = options.delay,
                                               .at = options.at}));
    return Run<R>(core_, id);
  }
  /// Sends a message and waits for its reply. Errors: as `send` and `Run::wait`, and what the run
  /// failed with.
  template <class R, class M>
  [[nodiscard]] Result<R> call(const Handler<R, M>& handler, std::type_identity_t<M> message,
                               MessageOptions options = {}, Within limit = {}) const {
    PERDURE_TRY(Run<R> run, send(handler, std::move(message), std::move(options)));
    return run.wait(limit);
  }
  /// Sends a signal: the first run of the session that asks for it receives it, now or later. It
  /// has no key: sent again because its sending was not acknowledged, it may be received twice
  /// (docs/decisions/0011). Errors: `busy` (the session keeps too many that nobody asked for).
  template <class T>
  [[nodiscard]] Result<void> send(const Signal<T>& signal, std::type_identity_t<T> value) const {
    PERDURE_TRY(Bytes payload, encode(value));
    return core_->send_signal({.agent = agent_,
                               .session_key = key_,
                               .name = signal.name,
                               .type = type_name<T>(),
                               .payload = payload});
  }
  /// Asks about the session's state; see query.hpp. Errors: what the query returned or threw.
  template <class R, class M>
  [[nodiscard]] Result<detail::unwrap_result_t<R>> query(const Query<R, M>& query,
                                                         std::type_identity_t<M> message) const {
    static_assert((std::same_as<Parts, Query<R, M>> || ...),
                  "perdure: the agent has no query of this type: pass one of those that it was "
                  "made of");
    PERDURE_TRY(Bytes input, encode(message));
    PERDURE_TRY(Bytes answer, core_->query({.agent = agent_,
                                            .version = version_,
                                            .query = query.name,
                                            .session_key = key_,
                                            .input = input}));
    return decode<detail::unwrap_result_t<R>>(answer);
  }
  /// The run that a message with this key made, running or ended. Errors: `not_found`.
  template <class R, class M>
  [[nodiscard]] Result<Run<R>> run(const Handler<R, M>&, std::string_view message_key) const {
    PERDURE_TRY(const std::optional<RunId> id, core_->find_run(agent_, key_, message_key));
    if (!id)
      return Error{Code::not_found, "session '" + agent_ + "/" + key_ +
                                        "' got no message with the key '" +
                                        std::string(message_key) + "'"};
    return Run<R>(core_, *id);
  }

 private:
  std::shared_ptr<detail::RuntimeCore> core_;
  std::string agent_;
  std::tuple<Parts...> handlers_;
  int version_ = 1;
  std::string key_;
};

}  // namespace v0
}  // namespace perdure
