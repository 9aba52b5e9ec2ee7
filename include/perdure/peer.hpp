/// Peers: other sessions, as a handler sees them.
///
/// What this is: `ctx.session(agent, key)` names a session; `call`, `send` and `send(signal)` are
/// operations on it.
/// What it promises: a message that a handler sent is handled exactly once, however often either
/// side crashes: it is recorded in the same transaction as the step that sent it. Messages from one
/// run to one session are taken in the order in which they were sent.
/// What it does not: check that the session's agent is served. Until it is, messages wait.
#pragma once

#include <perdure/child.hpp>
#include <perdure/waits.hpp>

#include <chrono>
#include <string>

namespace perdure {
inline namespace v0 {

template <class R, class M>
struct Handler;
template <class... Parts>
struct Agent;

/// Options of a call from a handler.
struct CallOptions {
  /// The message's key in the session that is called: a second message with the same key and input
  /// makes no second run, it attaches to the first. Empty: this call makes a run of its own.
  std::string key = {};
};
/// Options of a message that nobody waits for.
struct SendOptions {
  /// As CallOptions::key.
  std::string key = {};
  /// The message is handled when this has passed since it was sent, at the earliest.
  std::chrono::microseconds delay{0};
  /// The message is handled at this time of the wall clock, at the earliest. Instead of `delay`.
  std::optional<std::chrono::sys_time<std::chrono::microseconds>> at = {};
};

namespace detail {

/// A message that its own codec does not take.
[[nodiscard]] Bytes encode_or_throw(Result<Bytes> encoded);

}  // namespace detail

/// A session, named. A cheap value; nothing happens until an operation of it is awaited.
template <class A>
class Peer;
template <class... Parts>
class Peer<Agent<Parts...>> {
 public:
  Peer(const Agent<Parts...>& agent, std::string key)
      : agent_(agent.name), version_(agent.options.version), key_(std::move(key)) {}

  /// Sends `message` to the session and gives the reply of the run that handles it, or the failure
  /// that it ended with; `peer_cancelled` when that run was cancelled. When the awaiting branch is
  /// stopped or cancelled, that run goes on, and its reply goes nowhere. Fails with `deadlock`, and
  /// is not handled, when sessions would wait for each other in a circle.
  template <class R, class M>
  [[nodiscard("perdure: a call does nothing until it is awaited")]] detail::CallOperation<R> call(
      const Handler<R, M>& handler, std::type_identity_t<M> message, CallOptions options = {},
      std::source_location where = std::source_location::current()) const {
    require_handler<R, M>();
    detail::WaitRequest request = to_handler(handler.name, type_name<M>(), encode(message));
    request.message_key = std::move(options.key);
    return {std::move(request), where};
  }
  /// Sends `message` and goes on: it is recorded, and handled in its turn.
  template <class R, class M>
  [[nodiscard("perdure: a message is sent when it is awaited")]] detail::SendOperation send(
      const Handler<R, M>& handler, std::type_identity_t<M> message, SendOptions options = {},
      std::source_location where = std::source_location::current()) const {
    require_handler<R, M>();
    detail::WaitRequest request = to_handler(handler.name, type_name<M>(), encode(message));
    request.message_key = std::move(options.key);
    if (options.at) {
      request.not_before = detail::until_time(*options.at);
    } else if (options.delay > std::chrono::microseconds(0)) {
      request.not_before = detail::until_after(options.delay);
    }
    return {std::move(request), where};
  }
  /// Starts a child: sends `message` and gives a handle of the run that handles it.
  template <class R, class M>
  [[nodiscard("perdure: a child is started when its spawn is awaited")]] detail::SpawnOperation<R>
  spawn(const Handler<R, M>& handler, std::type_identity_t<M> message, SpawnOptions options = {},
        std::source_location where = std::source_location::current()) const {
    require_handler<R, M>();
    detail::WaitRequest request = to_handler(handler.name, type_name<M>(), encode(message));
    request.message_key = std::move(options.key);
    request.parent_ends = options.parent_ends;
    return {std::move(request), where};
  }
  /// Sends a signal: whichever run of the session asks for it first receives it.
  template <class T>
  [[nodiscard("perdure: a signal is sent when it is awaited")]] detail::SendOperation send(
      const Signal<T>& signal, std::type_identity_t<T> value,
      std::source_location where = std::source_location::current()) const {
    detail::WaitRequest request = to_handler(signal.name, type_name<T>(), encode(value));
    request.what = detail::WaitRequest::What::signal;
    return {std::move(request), where};
  }

 private:
  template <class R, class M>
  static constexpr void require_handler() {
    static_assert((std::same_as<Parts, Handler<R, M>> || ...),
                  "perdure: the agent has no handler of this type: pass one of those that it was "
                  "made of");
  }
  [[nodiscard]] detail::WaitRequest to_handler(const char* handler, std::string_view type,
                                               Result<Bytes> input) const {
    detail::WaitRequest request;
    request.agent = agent_;
    request.session_key = key_;
    request.handler = handler;
    request.agent_version = version_;
    request.input_type = type;
    request.input = detail::encode_or_throw(std::move(input));
    return request;
  }

  const char* agent_;
  int version_;
  std::string key_;
};

}  // namespace v0
}  // namespace perdure
