/// Signals and state cells: constexpr objects with a stable name and a type.
///
/// What this is: `Signal<Decision> approval{"approval"}` names a kind of message that a running
/// handler waits for with `ctx.receive`; `State<int> visits{"visits"}` names a value that a session
/// keeps from run to run.
/// What it promises: the names stand in the journal; renaming one makes another of it.
#pragma once

#include <perdure/codec.hpp>

namespace perdure {
inline namespace v0 {

/// A named, typed message to a session, received by whichever of its runs asks for it first.
template <class T>
struct Signal {
  using Value = T;
  const char* name;
  constexpr explicit Signal(const char* signal_name) : name(signal_name) {
    detail::require_codable<T>();
  }
};

/// A named value of a session. Without a value it reads as `T{}`.
template <class T>
struct State {
  using Value = T;
  const char* name;
  constexpr explicit State(const char* state_name) : name(state_name) {
    detail::require_codable<T>();
  }
};

}  // namespace v0
}  // namespace perdure
