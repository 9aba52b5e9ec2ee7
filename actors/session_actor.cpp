#include "actors/session_actor.hpp"

#include "actors/caf_compat.hpp"

namespace perdure::actors {
namespace {

class ActorShell;

class SessionActor final : public caf::event_based_actor {
 public:
  SessionActor(caf::actor_config& config, std::shared_ptr<ActorShell> shell)
      : caf::event_based_actor(config), shell_(std::move(shell)) {}
  caf::behavior make_behavior() override;
  const char* name() const override { return "perdure.session"; }
  void on_exit() override { shell_.reset(); }

 private:
  std::shared_ptr<ActorShell> shell_;
};

class ActorShell final : public SessionShell {
 public:
  ActorShell(caf::actor_system& system, SessionAddress address, SessionServices& services,
             Engine& engine)
      : SessionShell(std::move(address), services), system_(system), engine_(engine) {}

  void adopt(caf::actor actor) { actor_ = std::move(actor); }

  /// On the actor's thread.
  void wake(const caf::execution_unit* unit, caf::event_based_actor& actor) {
    const bool submitted = drain();
    // On a step thread the pool sees to the commit when the body's job has ended.
    if (submitted && dynamic_cast<const InlineUnit*>(unit) == nullptr) engine_.wake_writer();
    if (retired_now_) actor.quit();
  }

 protected:
  void stop() override { caf::anon_send_exit(actor_, caf::exit_reason::user_shutdown); }
  void schedule(RunOn where) override {
    auto message = caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, WakeAtom::value);
    caf::abstract_actor* const target = caf::actor_cast<caf::abstract_actor*>(actor_);
    if (where == RunOn::scheduler) {
      target->enqueue(std::move(message), nullptr);
      return;
    }
    InlineUnit unit(system_);
    target->enqueue(std::move(message), &unit);
    unit.run();
  }
  void may_retire() override { retired_now_ = engine_.retire(*this); }

 private:
  caf::actor_system& system_;
  Engine& engine_;
  caf::actor actor_;
  bool retired_now_ = false;
};

caf::behavior SessionActor::make_behavior() {
  return {[this](WakeAtom) {
    // The shell may let go of the last reference to itself while it works.
    const std::shared_ptr<ActorShell> shell = shell_;
    shell->wake(context(), *this);
  }};
}

}  // namespace

std::shared_ptr<SessionShell> make_session_actor(caf::actor_system& system, SessionAddress address,
                                                 SessionServices& services, Engine& engine) {
  auto shell = std::make_shared<ActorShell>(system, std::move(address), services, engine);
  shell->adopt(system.spawn<SessionActor, caf::lazy_init>(shell));
  return shell;
}

}  // namespace perdure::actors
