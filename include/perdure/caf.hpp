/// Perdure in a program that uses CAF itself.
///
/// What this is: opening a runtime on your actor system, CAF actors that stand for sessions, and
/// tools that are actors of yours.
/// What it promises: an actor from `actor_of` stays valid however often its session leaves memory;
/// it forwards in the order of arrival. A tool's actor gets one `ToolCall` for each attempt.
/// What it does not: own your system. Shut the runtime down before the system goes.
#pragma once

#include <perdure/runtime.hpp>
#include <perdure/tool.hpp>

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/meta/type_name.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

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

/// To a tool's actor: one attempt of a call. Answer it by a `ToolReply`, at once or by a promise.
/// An actor that fails, or is gone, fails the attempt with `exception`, its effect unknown.
struct ToolCall {
  std::string key;  ///< The idempotency key: the same on every attempt.
  std::uint32_t attempt = 1;
  std::string input;     ///< `tool_input<Input>(call)` decodes it.
  std::string progress;  ///< What an earlier attempt reported last; `last_progress<T>(call)`.
};
/// `code` 0: `output` is the encoded output. Else an error's number (error.hpp) and message.
/// `tool_reply(result)` makes it.
struct ToolReply {
  std::string output;
  std::uint16_t code = 0;
  std::string message;
  std::uint8_t effect = 2;           ///< Of an error: its `ErrorEffect`.
  std::int64_t retry_after_ms = -1;  ///< Of an error; below 0: not said.
  /// What the attempt used (`charged` sets it); all below 0: not said.
  std::int64_t money_micros = -1;
  std::int64_t tokens = -1;
  std::int64_t gpu_us = -1;
};
/// From a tool's actor to the sender of its `ToolCall`, as often as it likes: a heartbeat.
/// `tool_beat(progress)` makes it.
struct ToolBeat {
  std::string progress;  ///< Empty: it is alive, no more.
};
/// To a tool's actor: the attempt is asked to stop, or was given up. It need not be handled: what
/// is answered behind it is taken if the attempt is still waited for.
struct ToolStop {
  std::string key;
  std::uint32_t attempt = 1;
};

template <class Inspector>
auto inspect(Inspector& f, ToolCall& x) {
  return f(caf::meta::type_name("perdure.tool-call"), x.key, x.attempt, x.input, x.progress);
}
template <class Inspector>
auto inspect(Inspector& f, ToolReply& x) {
  return f(caf::meta::type_name("perdure.tool-reply"), x.output, x.code, x.message, x.effect,
           x.retry_after_ms, x.money_micros, x.tokens, x.gpu_us);
}
template <class Inspector>
auto inspect(Inspector& f, ToolBeat& x) {
  return f(caf::meta::type_name("perdure.tool-beat"), x.progress);
}
template <class Inspector>
auto inspect(Inspector& f, ToolStop& x) {
  return f(caf::meta::type_name("perdure.tool-stop"), x.key, x.attempt);
}
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
/// Sends the attempt to `worker`, and its answer to `completion`.
void call_tool_actor(caf::actor_system& system, const caf::actor& worker, Step step, ByteView input,
                     std::shared_ptr<CompletionCore> completion);
[[nodiscard]] inline std::string caf_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
[[nodiscard]] inline ByteView caf_bytes(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
[[nodiscard]] ToolReply failed_reply(const Error& error);
}  // namespace detail

/// `tool`, done by an actor of yours, on this node or another. For `Runtime::serve`. `system`
/// outlives the runtime.
template <class In, class Out>
[[nodiscard]] ServedTool<In, Out> by_actor(caf::actor_system& system, const Tool<In, Out>& tool,
                                           caf::actor worker) {
  detail::ToolEntry made = tool.entry();
  made.run = [&system, worker = std::move(worker)](
                 Step step, ByteView input, std::shared_ptr<detail::CompletionCore> completion) {
    detail::call_tool_actor(system, worker, std::move(step), input, std::move(completion));
  };
  return ServedTool<In, Out>(std::move(made));
}
/// The input of a call. Errors: `undecodable`.
template <class In>
[[nodiscard]] Result<In> tool_input(const ToolCall& call) {
  return decode<In>(detail::caf_bytes(call.input));
}
/// What an earlier attempt reported last; empty: nothing, or nothing that is a `T`.
template <class T>
[[nodiscard]] std::optional<T> last_progress(const ToolCall& call) {
  if (call.progress.empty()) return std::nullopt;
  Result<T> progress = decode<T>(detail::caf_bytes(call.progress));
  if (progress.has_error()) return std::nullopt;
  return std::move(progress).assume_value();
}
/// The answer to a call. A value that does not encode is answered as that failure.
template <class Out>
[[nodiscard]] ToolReply tool_reply(const Result<Out>& outcome) {
  if (outcome.has_error()) return detail::failed_reply(outcome.assume_error());
  if constexpr (std::is_void_v<Out>) {
    return {};
  } else {
    const Result<Bytes> output = encode(outcome.assume_value());
    if (output.has_error()) return detail::failed_reply(output.assume_error());
    return {detail::caf_text(output.assume_value()), 0, {}};
  }
}
/// `reply`, which says what the attempt used, as `Step::charge` does.
[[nodiscard]] inline ToolReply charged(ToolReply reply, const Cost& cost) {
  reply.money_micros = cost.money.in_micros();
  reply.tokens = cost.tokens;
  reply.gpu_us = cost.gpu_time.count();
  return reply;
}
/// A heartbeat. Errors: as `encode`.
template <class T>
[[nodiscard]] Result<ToolBeat> tool_beat(const T& progress) {
  PERDURE_TRY(const Bytes bytes, encode(progress));
  return ToolBeat{detail::caf_text(bytes)};
}

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
