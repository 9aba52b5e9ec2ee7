/// CAF, as far as Perdure uses it, under names of our own.
///
/// What this is: the one place that knows which line of CAF is installed. Debian 12, Debian 13 and
/// Ubuntu 24.04 ship 0.17; its atoms, settings and execution units are named here.
/// What it does not: hide CAF from actors/; only its differences.
#pragma once

#include <caf/all.hpp>

#if CAF_VERSION < 1700 || CAF_VERSION >= 1800
#error "perdure: actors/caf_compat.hpp knows CAF 0.17 (libcaf-dev of Debian and Ubuntu)"
#endif

#include <cstddef>
#include <vector>

namespace perdure::actors {

/// "Look into your queue": the only message that session actors get.
using WakeAtom = caf::atom_constant<caf::atom("pd_wake")>;

/// Settings of a system that Perdure owns. `sharing` and not the default `stealing`: a closed
/// request loop took 38 to 51 microseconds with it, 91 to 128 with the default
/// (docs/architecture.md).
inline void configure(caf::actor_system_config& config, std::size_t threads) {
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-threads", threads);
}

/// Runs actors on the calling thread: those that a message sent with this unit has woken.
class InlineUnit final : public caf::execution_unit {
 public:
  explicit InlineUnit(caf::actor_system& system) : caf::execution_unit(&system) {}

  void exec_later(caf::resumable* woken) override { woken_.push_back(woken); }
  void run() {
    constexpr std::size_t kMessages = 64;
    while (!woken_.empty()) {
      caf::resumable* const actor = woken_.back();
      woken_.pop_back();
      // What CAF's own workers do with the four answers.
      if (actor->resume(this, kMessages) == caf::resumable::resume_later) {
        woken_.push_back(actor);
      } else {
        caf::intrusive_ptr_release(actor);
      }
    }
  }

 private:
  std::vector<caf::resumable*> woken_;
};

}  // namespace perdure::actors
