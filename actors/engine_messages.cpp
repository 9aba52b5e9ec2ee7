/// The engine's mail: messages, signals and queries from outside.
#include "actors/engine.hpp"
#include "core/limits.hpp"
#include "journal/saga_orders.hpp"
#include "saga/pay_order.hpp"
#include "tools/budget.hpp"

#include <algorithm>
#include <future>

namespace perdure::actors {
namespace {

constexpr std::chrono::microseconds kDelayMax = core::limits::kDelayMax;

/// Without threads alone: the answer did not come.
Error not_durable_yet() {
  return Error{Code::timeout, "what was sent is not durable, and nothing moves: is the disk full?"};
}

/// A session's state in one snapshot of the journal.
class StoredState final : public detail::StateSnapshot {
 public:
  StoredState(journal::Reader& reader, const journal::SessionId& session)
      : reader_(reader), session_(session), rows_(reader) {}
  [[nodiscard]] Result<std::optional<Bytes>> read(std::string_view name) const override {
    return reader_.state(session_, name);
  }
  [[nodiscard]] detail::RowSource& rows() const override { return rows_; }

 private:
  journal::Reader& reader_;
  journal::SessionId session_;
  mutable SnapshotRows rows_;
};

Result<void> check_who(const std::string& by, const std::string& named) {
  if (by.size() <= core::limits::kNameBytes) return success();
  return Error{Code::too_large, named + " has " + std::to_string(by.size()) +
                                    " bytes, more than the limit of " +
                                    std::to_string(core::limits::kNameBytes)};
}

Error inside_handler(const char* what) {
  return Error{Code::misuse, std::string("a handler must not ") + what +
                                 " and wait: it would hold its own thread; ctx.session sends "
                                 "from a handler"};
}

}  // namespace

/// What nobody had looked at when the process before this one ended.
Result<std::vector<SessionAddress>> Engine::unread_inboxes(journal::Reader& reader) {
  std::vector<SessionAddress> sessions;
  // Rows of one session stand together.
  PERDURE_TRY(
      reader.each_unread([&](const journal::SessionId& session, const journal::Arrival& first) {
        if (sessions.empty() || sessions.back().id != session)
          sessions.push_back({session, first.agent, first.session_key});
        return true;
      }));
  return sessions;
}

Result<SessionAddress> Engine::address_of(std::string_view agent, std::string_view key,
                                          std::size_t payload) {
  PERDURE_TRY(check_open());
  PERDURE_TRY(check_name("session's key", key, core::limits::kKeyBytes));
  if (payload > core::limits::kPayloadBytes)
    return Error{Code::too_large, "the message has " + std::to_string(payload) +
                                      " bytes, more than the limit of " +
                                      std::to_string(core::limits::kPayloadBytes)};
  return directory_.resolve(seams_.journal->store(), std::string(agent), std::string(key));
}

/// A payload from outside. One that is too large for a record is stored here, on the thread of who
/// sent it. Errors: as Writer::keep.
Result<journal::Payload> Engine::payload_of(ByteView bytes) {
  journal::Payload payload(Bytes(bytes.begin(), bytes.end()));
  if (bytes.size() > services_->inline_bytes_max) {
    PERDURE_TRY(payload.blob, writer_->keep(bytes, journal::Admission::new_work));
  }
  return payload;
}

void Engine::send_message_then(const detail::MessageRequest& request,
                               std::function<void(Result<RunId>)> reply) {
  const auto address = [&]() -> Result<SessionAddress> {
    PERDURE_TRY(check_open());
    if (registry_.find(request.agent, request.version, request.handler) == nullptr)
      return Error{Code::not_registered,
                   "the runtime does not serve agent '" + std::string(request.agent) +
                       "' version " + std::to_string(request.version) + " with handler '" +
                       std::string(request.handler) + "': call serve() with it before start()"};
    if (!request.message_key.empty())
      PERDURE_TRY(check_name("message's key", request.message_key, core::limits::kKeyBytes));
    return address_of(request.agent, request.session_key, request.input.size());
  }();
  Result<journal::Payload> input =
      address.has_error() ? Result<journal::Payload>(address.error()) : payload_of(request.input);
  if (input.has_error()) {
    reply(input.error());
    return;
  }
  Arrived arrived;
  journal::Arrival& message = arrived.what;
  message.what = journal::ArrivalRow::What::message;
  message.agent = request.agent;
  message.session_key = request.session_key;
  message.name = request.handler;
  message.type = request.input_type.substr(0, core::limits::kKeyBytes);
  message.payload = std::move(input).assume_value();
  message.message_key = request.message_key;
  message.agent_version = static_cast<std::uint32_t>(request.version);
  message.stamp = seams_.clock->wall().time_since_epoch().count();
  if (request.at) {
    message.due = request.at->time_since_epoch().count();
    message.by_wall_clock = true;
  } else if (request.delay.count() > 0) {
    message.due = message.stamp + std::min(request.delay, kDelayMax).count();
    message.sent_at = seams_.clock->elapsed();
  }
  arrived.reply = std::move(reply);
  directory_.post(address.assume_value(), std::move(arrived), RunOn::scheduler);
}

Result<RunId> Engine::send_message(const detail::MessageRequest& request) {
  if (RunCore::inside_a_handler()) return inside_handler("start sessions");
  const auto promise = std::make_shared<std::promise<Result<RunId>>>();
  std::future<Result<RunId>> sent = promise->get_future();
  send_message_then(request,
                    [promise](Result<RunId> result) { promise->set_value(std::move(result)); });
  if (!take_turns([&] { return is_ready(sent); })) return not_durable_yet();
  return sent.get();
}

void Engine::arrive_then(const SessionAddress& to, journal::Arrival what,
                         std::function<void(Result<RunId>)> reply) {
  what.stamp = seams_.clock->wall().time_since_epoch().count();
  directory_.post(to, Arrived{std::move(what), {}, std::move(reply)}, RunOn::scheduler);
}

Result<void> Engine::arrive(const SessionAddress& to, journal::Arrival what) {
  if (RunCore::inside_a_handler()) return inside_handler("start sessions");
  const auto promise = std::make_shared<std::promise<Result<RunId>>>();
  std::future<Result<RunId>> done = promise->get_future();
  arrive_then(to, std::move(what),
              [promise](Result<RunId> result) { promise->set_value(std::move(result)); });
  if (!take_turns([&] { return is_ready(done); })) return not_durable_yet();
  const Result<RunId> result = done.get();
  if (result.has_error()) return result.error();
  return success();
}

Result<void> Engine::send_signal(const detail::SignalRequest& request) {
  PERDURE_TRY(check_name("signal's name", request.name, core::limits::kNameBytes));
  PERDURE_TRY(const SessionAddress to,
              address_of(request.agent, request.session_key, request.payload.size()));
  // A name that was misspelt would make a session that nobody ever asks.
  if (!registry_.serves(request.agent))
    return Error{Code::not_registered, "the runtime does not serve agent '" +
                                           std::string(request.agent) +
                                           "': call serve() with it before start()"};
  journal::Arrival signal;
  signal.what = journal::ArrivalRow::What::signal;
  signal.agent = request.agent;
  signal.session_key = request.session_key;
  signal.name = request.name;
  signal.type = request.type.substr(0, core::limits::kKeyBytes);
  PERDURE_TRY(signal.payload, payload_of(request.payload));
  return arrive(to, std::move(signal));
}

Result<journal::Arrival> Engine::word_for(journal::Reader& reader, const RunId& run,
                                          journal::ArrivalRow::What what, SessionAddress& to) {
  PERDURE_TRY(const std::optional<journal::RunInfo> info, reader.run(run));
  if (!info) return Error{Code::not_found, "the journal has no run " + to_string(run)};
  journal::Arrival word;
  word.what = what;
  word.agent = info->agent;
  word.session_key = info->session_key;
  word.run = run;
  to = {info->session, info->agent, info->session_key};
  return word;
}

Result<void> Engine::cancel(const RunId& run, const CancelOptions& options, detail::CancelHow how) {
  PERDURE_TRY(check_open());
  PERDURE_TRY(check_who(options.by, "CancelOptions::by"));
  PERDURE_TRY(journal::Reader reader, journal::Reader::open(seams_.journal->store()));
  SessionAddress to;
  PERDURE_TRY(journal::Arrival asked,
              word_for(reader, run,
                       how == detail::CancelHow::kill ? journal::ArrivalRow::What::kill
                                                      : journal::ArrivalRow::What::cancel,
                       to));
  if (to.agent == journal::kSagaAgent) return journal::undoing_is_not_ended();
  asked.who = options.by;
  asked.why = options.why;
  asked.saga = options.open_sagas == OpenSagas::compensate ? journal::kAllSagas : 0;
  asked.grace_ms =
      std::clamp(options.grace, std::chrono::milliseconds(0), core::limits::kDelayMax).count();
  return arrive(to, std::move(asked));
}

Result<void> Engine::retry_now(const RunId& run) {
  PERDURE_TRY(check_open());
  PERDURE_TRY(journal::Reader reader, journal::Reader::open(seams_.journal->store()));
  SessionAddress to;
  PERDURE_TRY(journal::Arrival asked,
              word_for(reader, run, journal::ArrivalRow::What::retry_now, to));
  return arrive(to, std::move(asked));
}

Result<void> Engine::compensate(const RunId& run, const CancelOptions& options) {
  PERDURE_TRY(check_open());
  PERDURE_TRY(check_who(options.by, "CancelOptions::by"));
  PERDURE_TRY(journal::Reader reader, journal::Reader::open(seams_.journal->store()));
  SessionAddress to;
  PERDURE_TRY(journal::Arrival asked,
              word_for(reader, run, journal::ArrivalRow::What::abort_saga, to));
  PERDURE_TRY(journal::judge_compensate(reader, run, journal::kAllSagas));
  asked.saga = journal::kAllSagas;
  asked.who = options.by;
  asked.why = options.why;
  return arrive(to, std::move(asked));
}

Result<void> Engine::resolve_saga(std::string_view saga, const SagaResolution& resolution) {
  PERDURE_TRY(check_open());
  PERDURE_TRY(check_who(resolution.by, "SagaResolution::by"));
  PERDURE_TRY(const journal::SagaId id, journal::parse_saga_id(saga));
  PERDURE_TRY(journal::Reader reader, journal::Reader::open(seams_.journal->store()));
  PERDURE_TRY(const std::string payer,
              journal::judge_resolution(reader, id, resolution.what, resolution.action));
  const saga::SagaVerb verb{std::string(journal::to_string(resolution.what)), id.number,
                            resolution.action ? std::int64_t{*resolution.action} : -1,
                            resolution.by, resolution.why};
  PERDURE_TRY(const Bytes payload, encode(verb));
  return send_signal(
      {journal::kSagaAgent, payer, saga::kVerbSignal, type_name<saga::SagaVerb>(), payload});
}

Result<void> Engine::raise(const RunId& run, const Budget& limits) {
  PERDURE_TRY(check_open());
  PERDURE_TRY(journal::Reader reader, journal::Reader::open(seams_.journal->store()));
  SessionAddress to;
  PERDURE_TRY(journal::Arrival asked, word_for(reader, run, journal::ArrivalRow::What::raise, to));
  asked.limits = tools::limits_of(limits);
  return arrive(to, std::move(asked));
}

Result<Spending> Engine::spending(const RunId& run) {
  PERDURE_TRY(journal::Reader reader, journal::Reader::open(seams_.journal->store()));
  PERDURE_TRY(const std::optional<journal::RunInfo> info, reader.run(run));
  if (!info || info->head.status == journal::RunStatus::queued)
    return Error{Code::not_found,
                 "run " + to_string(run) +
                     (info ? " has not begun: its message waits for its turn or its time"
                           : " is not in the journal")};
  PERDURE_TRY(const journal::BudgetInfo found, reader.budget_info(run));
  Spending spending;
  if (found.own) spending.limits = tools::budget_of(*found.own);
  spending.used = tools::cost_of(found.usage.used);
  spending.attempts = found.usage.used.attempts;
  spending.assumed = tools::cost_of(found.usage.assumed);
  spending.reserved = tools::cost_of(found.usage.reserved);
  spending.attempts_reserved = found.usage.reserved.attempts;
  spending.draws_on = found.payers;
  return spending;
}

Result<std::optional<RunId>> Engine::find_run(std::string_view agent, std::string_view key,
                                              std::string_view message_key) {
  PERDURE_TRY(journal::Reader reader, journal::Reader::open(seams_.journal->store()));
  PERDURE_TRY(const std::optional<journal::SessionId> session, reader.find_session(agent, key));
  if (!session)
    return Error{Code::not_found, "the journal has no session '" + std::string(agent) + "/" +
                                      std::string(key) + "': nothing was ever sent to it"};
  return reader.find_message(*session, message_key);
}

Result<Bytes> Engine::query(const detail::QueryRequest& request) {
  PERDURE_TRY(check_open());
  const detail::QueryEntry* const query =
      registry_.find_query(request.agent, request.version, request.query);
  if (query == nullptr)
    return Error{Code::not_registered,
                 "the runtime does not serve agent '" + std::string(request.agent) + "' version " +
                     std::to_string(request.version) + " with query '" +
                     std::string(request.query) + "': call serve() with it before start()"};
  PERDURE_TRY(check_name("session's key", request.session_key, core::limits::kKeyBytes));
  PERDURE_TRY(journal::Reader reader, journal::Reader::open(seams_.journal->store()));
  PERDURE_TRY(const std::optional<journal::SessionId> session,
              reader.find_session(request.agent, request.session_key));
  // A session that nothing was sent to has no state.
  const StoredState state(reader, session.value_or(journal::SessionId{}));
  return query->answer(View(state), request.input);
}

}  // namespace perdure::actors
