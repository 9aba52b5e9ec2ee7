/// Session actors: shells that are scheduled by CAF.
///
/// What this is: one CAF actor for each session in memory, around the CAF-free session core.
/// What it promises: a completion that comes from a step thread is handled on that thread when the
/// actor is idle, without a hand-over (the actor runs on an execution unit of the caller's).
/// What it does not: serve as an address for others: it lives only while the session is in memory.
/// perdure/caf.hpp gives out actors that stay.
#pragma once

#include "actors/engine.hpp"

#include <memory>

namespace caf {
class actor_system;  // NOLINT(readability-identifier-naming): its name
}  // namespace caf

namespace perdure::actors {

/// A shell for `address`. `system` outlives it.
[[nodiscard]] std::shared_ptr<SessionShell> make_session_actor(caf::actor_system& system,
                                                               SessionAddress address,
                                                               SessionServices& services,
                                                               Engine& engine);

}  // namespace perdure::actors
