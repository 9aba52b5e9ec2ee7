/// The engine's operators: orders that come by the socket CONTROL.
#include "actors/engine.hpp"

#include <string>
#include <utility>

namespace perdure::actors {
namespace {

using journal::ControlReply;
using journal::ControlRequest;
using journal::ControlTarget;
using journal::ControlVerb;

ControlReply refused(Error why) { return ControlReply{{}, std::nullopt, std::move(why)}; }

std::string named(const ControlTarget& target) {
  return "run " + to_string(target.run->id) + " (" + target.address() + ")";
}

std::string words_of(const ControlRequest& request, const ControlTarget& target) {
  switch (request.verb) {
    case ControlVerb::cancel:
      return named(target) + " was asked to end, and is recorded as cancelled in " +
             std::to_string(request.what.grace_ms) + " ms at the latest";
    case ControlVerb::kill: return named(target) + " has ended: cancelled";
    case ControlVerb::retry_now:
      return target.steps + " of " + named(target) + " begins its next attempt now";
    case ControlVerb::raise:
      return "the budget of " + named(target) +
             " was raised; runs that were parked for want of it go on";
    case ControlVerb::compensate:
      return "what sagas of " + named(target) +
             " did is being undone: `perdure sagas` says how far";
    case ControlVerb::resume:
    case ControlVerb::signal:
    case ControlVerb::message: break;
  }
  return named(target) + " goes on";
}

}  // namespace

void Engine::open_control() {
  if (seams_.control_directory.empty()) return;
  Result<std::unique_ptr<ControlServer>> opened =
      ControlServer::open(seams_.control_directory, timers_, *seams_.clock,
                          [this](const ControlRequest& request, ControlServer::Reply reply) {
                            operate(request, std::move(reply));
                          });
  if (opened.has_value()) {
    control_ = std::move(opened).assume_value();
  } else {
    reporter_.event({EventKind::control_failed, std::nullopt, opened.error()});
  }
}

ControlReply Engine::after_resume(const ControlTarget& target) {
  Result<journal::Reader> reader = journal::Reader::open(seams_.journal->store());
  if (reader.has_error()) return refused(reader.error());
  const Result<std::optional<journal::Head>> head = reader.assume_value().head(target.run->id);
  if (head.has_error()) return refused(head.error());
  if (head.assume_value() && head.assume_value()->status == journal::RunStatus::parked)
    return refused({head.assume_value()->code,
                    named(target) +
                        " was told to go on, and is parked again: " + head.assume_value()->reason});
  return ControlReply{named(target) + " goes on", target.run->id};
}

void Engine::operate(const ControlRequest& request, ControlServer::Reply reply) {
  const auto target = [&]() -> Result<ControlTarget> {
    PERDURE_TRY(check_open());
    PERDURE_TRY(journal::check_request(request));
    PERDURE_TRY(journal::Reader reader, journal::Reader::open(seams_.journal->store()));
    return journal::judge_order(reader, request);
  }();
  if (target.has_error()) return reply(refused(target.error()));
  if (request.verb == ControlVerb::signal || request.verb == ControlVerb::message)
    return operate_mail(request, std::move(reply));
  const ControlTarget& to = target.assume_value();
  journal::Arrival what = request.what;
  what.agent = to.agent;
  what.session_key = to.key;
  arrive_then({to.session, to.agent, to.key}, std::move(what),
              [this, verb = request.verb, words = words_of(request, to), to,
               reply = std::move(reply)](const Result<RunId>& done) {
                if (done.has_error()) return reply(refused(done.error()));
                if (verb == ControlVerb::resume) return reply(after_resume(to));
                reply(ControlReply{words, to.run->id});
              });
}

/// Whether somebody here would handle it: a name that was misspelt would else wait for ever.
Result<void> Engine::check_served(const ControlRequest& request) {
  const journal::Arrival& what = request.what;
  if (!registry_.serves(what.agent))
    return Error{Code::not_registered, "the runtime does not serve an agent '" + what.agent +
                                           "', but: " + registry_.names()};
  if (request.verb == ControlVerb::message &&
      registry_.find_any(what.agent, 0, what.name) == nullptr)
    return Error{Code::not_registered,
                 "agent '" + what.agent + "' has no handler '" + what.name +
                     "' here: give the name of a handler (that of an agent with only one is "
                     "'run'), or send it as a signal"};
  return success();
}

void Engine::operate_mail(const ControlRequest& request, ControlServer::Reply reply) {
  const journal::Arrival& what = request.what;
  if (const Result<void> served = check_served(request); served.has_error())
    return reply(refused(served.error()));
  const std::string session = what.agent + "/" + what.session_key;
  if (request.verb == ControlVerb::message) {
    return send_message_then(
        {.agent = what.agent,
         .version = registry_.version_for(what.agent, 0, what.name),
         .handler = what.name,
         .session_key = what.session_key,
         .message_key = what.message_key,
         .input_type = what.type,
         .input = what.payload.bytes},
        [session, reply = std::move(reply)](const Result<RunId>& made) {
          if (made.has_error()) return reply(refused(made.error()));
          const RunId& run = made.assume_value();
          reply(
              ControlReply{"the message is run " + to_string(run) + " of session " + session, run});
        });
  }
  const Result<SessionAddress> to = address_of(what.agent, what.session_key, what.payload.size());
  if (to.has_error()) return reply(refused(to.error()));
  arrive_then(to.assume_value(), what,
              [session, name = what.name, reply = std::move(reply)](const Result<RunId>& taken) {
                if (taken.has_error()) return reply(refused(taken.error()));
                const RunId& run = taken.assume_value();
                if (run == RunId{})
                  return reply(ControlReply{"session " + session + " keeps the signal '" + name +
                                            "' for the run that receives it"});
                reply(ControlReply{"run " + to_string(run) + " of session " + session +
                                       " received the signal '" + name + "'",
                                   run});
              });
}

}  // namespace perdure::actors
