/// Perdure in a program that uses CAF itself.
///
/// What this is: opening a runtime on your actor system, and CAF actors that stand for sessions.
/// What it promises: an actor from `actor_of` stays valid however often its session leaves memory;
/// it forwards in the order of arrival.
/// What it does not: own your system. Shut the runtime down before the system goes.
#pragma once

#include <perdure/runtime.hpp>

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/meta/type_name.hpp>

#include <cstdint>
#include <string>

namespace perdure {
inline namespace v0 {

/// To a session actor: start, or attach to, the session's run. Answered by `SessionStarted`.
struct SessionStart {
  std::string input;  ///< The encoded message: `session_start(message)` makes it.
};
/// To a session actor: tell me when the run has ended. Answered by `SessionEnded`.
struct SessionAwait {
  std::string run;  ///< The 26 characters of its id.
};
/// `code` 0: started or attached, and durable. Else an error's number (error.hpp) and message.
struct SessionStarted {
  std::string run;
  std::uint16_t code = 0;
  std::string message;
};
/// `code` 0: `reply` is the encoded reply. Else an error's number and message.
struct SessionEnded {
  std::string reply;
  std::uint16_t code = 0;
  std::string message;
};

template <class Inspector>
auto inspect(Inspector& f, SessionStart& x) {
  return f(caf::meta::type_name("perdure.start"), x.input);
}
template <class Inspector>
auto inspect(Inspector& f, SessionAwait& x) {
  return f(caf::meta::type_name("perdure.await"), x.run);
}
template <class Inspector>
auto inspect(Inspector& f, SessionStarted& x) {
  return f(caf::meta::type_name("perdure.started"), x.run, x.code, x.message);
}
template <class Inspector>
auto inspect(Inspector& f, SessionEnded& x) {
  return f(caf::meta::type_name("perdure.ended"), x.reply, x.code, x.message);
}

/// Makes Perdure's message types known. Call before the actor system is constructed.
void prepare(caf::actor_system_config& config);

/// As `Runtime::open`, on a system of yours; `RuntimeOptions::handler_threads` is the system's
/// affair then. `system` outlives the runtime.
[[nodiscard]] Result<Runtime> open(RuntimeOptions options, caf::actor_system& system);

namespace detail {
[[nodiscard]] caf::actor session_actor(caf::actor_system& system, std::shared_ptr<RuntimeCore> core,
                                       std::string agent, int version, std::string handler,
                                       std::string key, std::string input_type);
}  // namespace detail

/// An actor in `system` that stands for the session `key` of `agent` in `runtime`. It ends when
/// nobody refers to it any more. After the runtime's shutdown it answers with `Code::closed`.
template <class R, class M>
[[nodiscard]] caf::actor actor_of(caf::actor_system& system, Runtime& runtime,
                                  const Agent<Handler<R, M>>& agent, std::string key) {
  return detail::session_actor(system, runtime.core(), agent.name, agent.options.version,
                               std::get<0>(agent.handlers).name, std::move(key),
                               std::string(type_name<M>()));
}

/// The message that starts a session with `message`. Errors: as `encode`.
template <class M>
[[nodiscard]] Result<SessionStart> session_start(const M& message) {
  PERDURE_TRY(const Bytes bytes, encode(message));
  return SessionStart{std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size())};
}

/// The reply in `ended`, or the failure.
template <class R>
[[nodiscard]] Result<R> reply_of(const SessionEnded& ended) {
  if (ended.code != 0) return Error{static_cast<Code>(ended.code), ended.message};
  if constexpr (std::is_void_v<R>) {
    return success();
  } else {
    return decode<R>(std::as_bytes(std::span(ended.reply.data(), ended.reply.size())));
  }
}

}  // namespace v0
}  // namespace perdure
