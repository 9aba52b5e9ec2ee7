/// Tools that are actors: each attempt has a client of its own, which talks to the tool's actor.
#include <perdure/caf.hpp>

#include "actors/caf_compat.hpp"

namespace perdure {
inline namespace v0 {
namespace detail {
namespace {

Error error_of(const ToolReply& reply) {
  Error error{static_cast<Code>(reply.code), reply.message};
  error.effect = reply.effect <= static_cast<std::uint8_t>(ErrorEffect::unknown)
                     ? static_cast<ErrorEffect>(reply.effect)
                     : ErrorEffect::unknown;
  if (reply.retry_after_ms >= 0)
    error.retry_after = std::chrono::milliseconds(reply.retry_after_ms);
  return error;
}

/// What is told to the client from outside: it is to pass the stop on.
using StopAtom = caf::atom_constant<caf::atom("pd_stop")>;

/// What a client has, and ends with: CAF ends a client that nobody can answer any more.
class Attempt {
 public:
  Attempt(caf::actor to, Step attempt, std::shared_ptr<CompletionCore> core)
      : worker(std::move(to)), step(std::move(attempt)), completion_(std::move(core)) {}
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;
  ~Attempt() { end(no_answer("it let go of the call")); }

  [[nodiscard]] Error no_answer(const std::string& why) const {
    return {Code::exception, "the actor of tool '" + step.name() + "' did not answer: " + why};
  }
  /// Counts once.
  void end(Result<Bytes> outcome) {
    on_stop.reset();
    if (const auto completion = std::exchange(completion_, nullptr))
      (void)completion->complete(std::move(outcome));
  }

  const caf::actor worker;
  Step step;
  /// Tells the client.
  std::optional<std::stop_callback<std::function<void()>>> on_stop;

 private:
  std::shared_ptr<CompletionCore> completion_;
};

void end(caf::event_based_actor* self, const std::shared_ptr<Attempt>& attempt,
         Result<Bytes> outcome) {
  attempt->end(std::move(outcome));
  self->quit();
}

caf::behavior client_actor(caf::event_based_actor* self, const std::shared_ptr<Attempt>& attempt,
                           const ToolCall& call) {
  const auto weak = caf::actor_cast<caf::actor_addr>(self);
  attempt->on_stop.emplace(attempt->step.stop_token(), [weak] {
    if (const auto client = caf::actor_cast<caf::actor>(weak))
      caf::anon_send(client, StopAtom::value);
  });
  self->request(attempt->worker, caf::infinite, call)
      .then(
          [self, attempt](const ToolReply& reply) {
            if (std::max({reply.money_micros, reply.tokens, reply.gpu_us}) >= 0)
              attempt->step.charge({Money::micros(reply.money_micros), reply.tokens,
                                    std::chrono::microseconds(reply.gpu_us)});
            if (reply.code != 0) return end(self, attempt, error_of(reply));
            const ByteView output = caf_bytes(reply.output);
            end(self, attempt, Bytes(output.begin(), output.end()));
          },
          [self, attempt](const caf::error& why) {
            end(self, attempt, attempt->no_answer(self->system().render(why)));
          });
  return {
      [attempt](const ToolBeat& beat) {
        const ByteView progress = caf_bytes(beat.progress);
        // That the attempt is to stop it learns by ToolStop.
        (void)attempt->step.link()->beat(
            progress.empty() ? std::nullopt
                             : std::optional(Bytes(progress.begin(), progress.end())));
      },
      [self, attempt](StopAtom) {
        self->send(attempt->worker, ToolStop{attempt->step.key(),
                                             static_cast<std::uint32_t>(attempt->step.attempt())});
      },
  };
}

}  // namespace

void call_tool_actor(caf::actor_system& system, const caf::actor& worker, Step step, ByteView input,
                     std::shared_ptr<CompletionCore> completion) {
  const Bytes* const progress = step.link()->last_progress();
  const ToolCall call{step.key(), static_cast<std::uint32_t>(step.attempt()), caf_text(input),
                      progress != nullptr ? caf_text(*progress) : std::string()};
  auto attempt = std::make_shared<Attempt>(worker, std::move(step), std::move(completion));
  system.spawn(client_actor, std::move(attempt), call);
}

ToolReply failed_reply(const Error& error) {
  return {{},
          static_cast<std::uint16_t>(error.code),
          error.message,
          static_cast<std::uint8_t>(error.known_effect()),
          error.retry_after ? error.retry_after->count() : -1};
}

}  // namespace detail
}  // namespace v0
}  // namespace perdure
