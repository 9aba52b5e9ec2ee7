/// Agents and handlers: definitions, as constexpr objects with a stable name.
///
/// What this is: `Agent{"trip", &book_trip}` or `Agent{"cart", add, clear}` of `Handler{"add",
/// &add_item}`.
/// What it promises: names stand in the journal; renaming one makes another agent of it.
/// What it does not: run. `Runtime::serve` makes a runtime able to run it.
#pragma once

#include <perdure/detail/root_task.hpp>
#include <perdure/query.hpp>

#include <tuple>

namespace perdure {
inline namespace v0 {
namespace detail {

template <class T>
constexpr void require_codable_or_void() {
  if constexpr (!std::is_void_v<T>) require_codable<T>();
}

}  // namespace detail

/// A handler: a name and a function `Task<Reply>(Context&, Message)`.
template <class ReplyType, class MessageType>
struct Handler {
  using Reply = ReplyType;
  using Message = MessageType;
  using Function = Task<Reply> (*)(Context&, Message);

  const char* name;
  Function function;
  HandlerOptions options;

  constexpr Handler(const char* handler_name, Function handler, HandlerOptions chosen = {})
      : name(handler_name), function(handler), options(chosen) {
    detail::require_codable<Message>();
    detail::require_codable_or_void<Reply>();
  }
};

struct AgentOptions {
  /// A run stays on the version it started with while that is served. At least 1.
  int version = 1;
  /// Of a run whose journal the code does not match (`diverged`).
  WhenStuck on_divergence = WhenStuck::retry_at_start;
  /// Of a run whose handler let an exception other than `Exception` escape (`handler_threw`). While
  /// it is replayed, a run that throws is parked, whatever stands here, and tried again at the next
  /// start.
  WhenStuck on_exception = WhenStuck::retry_at_start;
};

namespace detail {
template <class>
inline constexpr bool kIsHandler = false;
template <class R, class M>
inline constexpr bool kIsHandler<Handler<R, M>> = true;
template <class>
inline constexpr bool kIsQuery = false;
template <class R, class M>
inline constexpr bool kIsQuery<Query<R, M>> = true;
}  // namespace detail

/// An agent of several handlers and queries.
template <class... Parts>
struct Agent {
  static_assert(((detail::kIsHandler<Parts> || detail::kIsQuery<Parts>) && ...),
                "perdure: an agent is made of a function Task<Reply>(Context&, Message), or of "
                "pd::Handler and pd::Query objects");
  const char* name;
  std::tuple<Parts...> handlers;
  AgentOptions options{};

  constexpr explicit Agent(const char* agent_name, Parts... parts)
      : name(agent_name), handlers(parts...) {}
  constexpr Agent(const char* agent_name, AgentOptions chosen, Parts... parts)
      : name(agent_name), handlers(parts...), options(chosen) {}
};

/// An agent of one handler, which is called `run`.
template <class R, class M>
struct Agent<Handler<R, M>> {
  const char* name;
  std::tuple<Handler<R, M>> handlers;
  AgentOptions options{};

  constexpr Agent(const char* agent_name, Task<R> (*function)(Context&, M),
                  AgentOptions chosen = {})
      : name(agent_name), handlers(Handler<R, M>("run", function)), options(chosen) {}
  constexpr explicit Agent(const char* agent_name, Handler<R, M> handler, AgentOptions chosen = {})
      : name(agent_name), handlers(handler), options(chosen) {}
};

template <class R, class M>
Agent(const char*, Task<R> (*)(Context&, M)) -> Agent<Handler<R, M>>;
template <class R, class M>
Agent(const char*, Task<R> (*)(Context&, M), AgentOptions) -> Agent<Handler<R, M>>;
template <class... Parts>
Agent(const char*, AgentOptions, Parts...) -> Agent<Parts...>;

namespace detail {

template <class R, class M>
void add_part(AgentEntry& agent, const Handler<R, M>& handler) {
  agent.handlers.push_back({handler.name, type_name<M>(), type_name_or_void<R>(),
                            [function = handler.function]() -> std::unique_ptr<RootTask> {
                              return std::make_unique<RootTaskOf<R, M>>(function);
                            },
                            handler.options, agent.on_divergence, agent.on_exception});
}
template <class R, class M>
void add_part(AgentEntry& agent, const Query<R, M>& query) {
  agent.queries.push_back(query_entry(query));
}

template <class... Parts>
[[nodiscard]] AgentEntry entry_of(const Agent<Parts...>& agent) {
  AgentEntry entry{agent.name, agent.options.version,       {},
                   {},         agent.options.on_divergence, agent.options.on_exception};
  std::apply([&](const auto&... part) { (add_part(entry, part), ...); }, agent.handlers);
  return entry;
}

}  // namespace detail
}  // namespace v0
}  // namespace perdure
