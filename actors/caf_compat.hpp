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
#include <utility>
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

  void exec_later(caf::resumable* woken) override {
    if (first_ == nullptr) {
      first_ = woken;
    } else {
      more_.push_back(woken);
    }
  }
  void run() {
    constexpr std::size_t kMessages = 64;
    while (caf::resumable* const actor = take()) {
      // What CAF's own workers do with the four answers.
      if (actor->resume(this, kMessages) == caf::resumable::resume_later) {
        exec_later(actor);
      } else {
        caf::intrusive_ptr_release(actor);
      }
    }
  }

 private:
  caf::resumable* take() {
    if (first_ != nullptr || more_.empty()) return std::exchange(first_, nullptr);
    caf::resumable* const last = more_.back();
    more_.pop_back();
    return last;
  }
  /// Mostly there is one.
  caf::resumable* first_ = nullptr;
  std::vector<caf::resumable*> more_;
};

}  // namespace perdure::actors
