/// Actors that stand for sessions towards CAF users: they stay while sessions come and go.
#include <perdure/caf.hpp>

#include "actors/caf_compat.hpp"
#include "actors/engine.hpp"

namespace perdure {
inline namespace v0 {

void prepare(caf::actor_system_config& config) {
  config.add_message_type<SessionStart>("perdure.start")
      .add_message_type<SessionAwait>("perdure.await")
      .add_message_type<SessionStarted>("perdure.started")
      .add_message_type<SessionEnded>("perdure.ended")
      .add_message_type<ToolCall>("perdure.tool-call")
      .add_message_type<ToolReply>("perdure.tool-reply")
      .add_message_type<ToolBeat>("perdure.tool-beat")
      .add_message_type<ToolStop>("perdure.tool-stop");
}

namespace detail {
namespace {

std::string text_of(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

SessionEnded ended_of(const Result<Bytes>& result) {
  if (result.has_value()) return {text_of(result.assume_value()), 0, {}};
  return {
      {}, static_cast<std::uint16_t>(result.assume_error().code), result.assume_error().message};
}

struct AddressState {
  std::shared_ptr<actors::Engine> engine;
  std::string agent;
  int version = 1;
  std::string handler;
  std::string key;
  std::string input_type;
};

/// Answers a request later, from any thread: what a response promise does on the actor's own thread
/// only.
class LateAnswer {
 public:
  explicit LateAnswer(caf::event_based_actor* self)
      : from_(caf::actor_cast<caf::strong_actor_ptr>(self)),
        to_(self->current_sender()),
        id_(self->current_message_id()) {
    // Tells CAF that the request is not to be answered with an empty message.
    (void)self->make_response_promise();
  }
  template <class T>
  void operator()(T answer) const {
    if (!to_) return;
    const caf::message_id id = id_.is_request() ? id_.response_id() : caf::make_message_id();
    to_->enqueue(caf::make_mailbox_element(from_, id, {}, std::move(answer)), nullptr);
  }

 private:
  caf::strong_actor_ptr from_;
  caf::strong_actor_ptr to_;
  caf::message_id id_;
};

SessionStarted started_of(const Result<RunId>& run) {
  if (run.has_value()) return {to_string(run.assume_value()), 0, {}};
  return {{}, static_cast<std::uint16_t>(run.assume_error().code), run.assume_error().message};
}

caf::behavior address_actor(caf::event_based_actor* self,
                            const std::shared_ptr<AddressState>& state) {
  return {
      [self, state](const SessionStart& start) {
        const MessageRequest request{
            state->agent,
            state->version,
            state->handler,
            state->key,
            "start",
            state->input_type,
            std::as_bytes(std::span(start.input.data(), start.input.size()))};
        state->engine->send_message_then(
            request,
            [answer = LateAnswer(self)](const Result<RunId>& run) { answer(started_of(run)); });
      },
      [self, state](const SessionAwait& await) {
        const LateAnswer answer(self);
        const Result<RunId> run = RunId::parse(await.run);
        if (run.has_error()) return answer(ended_of(run.assume_error()));
        state->engine->when_ended(run.assume_value(), [answer](const Result<Bytes>& result) {
          answer(ended_of(result));
        });
      },
  };
}

}  // namespace

caf::actor session_actor(caf::actor_system& system, std::shared_ptr<RuntimeCore> core,
                         std::string agent, int version, std::string handler, std::string key,
                         std::string input_type) {
  auto state = std::make_shared<AddressState>(
      AddressState{std::dynamic_pointer_cast<actors::Engine>(std::move(core)), std::move(agent),
                   version, std::move(handler), std::move(key), std::move(input_type)});
  return system.spawn(address_actor, std::move(state));
}

}  // namespace detail
}  // namespace v0
}  // namespace perdure
