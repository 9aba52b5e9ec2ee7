#include "cli/saga_orders.hpp"

#include <utility>

#include "cli/find_saga.hpp"
#include "cli/json.hpp"
#include "core/limits.hpp"
#include "journal/control_protocol.hpp"
#include "journal/payload_json.hpp"
#include "journal/saga_orders.hpp"

namespace perdure::cli {
namespace {

using journal::ControlVerb;
using What = SagaResolution::What;

/// The signal that the sessions of `perdure.saga` take decisions by.
constexpr const char* kDecision = "verb";

What what_of(Verb verb) {
  switch (verb) {
    case Verb::saga_skip: return What::skip;
    case Verb::saga_mark_done: return What::mark_done;
    default: return What::retry;
  }
}

Result<void> check_sizes(const std::string& who, const std::string& why) {
  const auto too_large = [](const char* option, std::size_t size, std::size_t most) {
    return Error{Code::too_large, std::string(option) + " has " + std::to_string(size) +
                                      " bytes, more than " + std::to_string(most)};
  };
  if (who.size() > core::limits::kNameBytes)
    return too_large("--by", who.size(), core::limits::kNameBytes);
  if (why.size() > core::limits::kErrorMessageBytes)
    return too_large("--why", why.size(), core::limits::kErrorMessageBytes);
  return success();
}

Result<void> decide(journal::Reader& reader, const Request& request, const std::string& who,
                    SagaOrder& order) {
  PERDURE_TRY(order.saga, find_saga(reader, request.saga));
  const What what = what_of(request.verb);
  PERDURE_TRY(std::string payer,
              journal::judge_resolution(reader, order.saga, what, request.order.action));
  JsonObject decision;
  decision.text("what", journal::to_string(what))
      .number("saga", order.saga.number)
      .number("entry",
              request.order.action ? std::int64_t{*request.order.action} : std::int64_t{-1})
      .text("who", who)
      .text("why", request.order.why);
  order.asked.verb = ControlVerb::signal;
  journal::Arrival& signal = order.asked.what;
  signal.agent = journal::kSagaAgent;
  signal.session_key = std::move(payer);
  signal.name = kDecision;
  PERDURE_TRY(signal.payload, journal::json_to_payload(decision.line()));
  return success();
}

Result<void> abort(journal::Reader& reader, const Request& request, const std::string& who,
                   SagaOrder& order) {
  PERDURE_TRY(order.saga, find_sagas(reader, request.saga));
  PERDURE_TRY(journal::judge_compensate(reader, order.saga.run, order.saga.number));
  order.asked.verb = ControlVerb::compensate;
  order.asked.what.run = order.saga.run;
  order.asked.what.saga = order.saga.number;
  order.asked.what.who = who;
  order.asked.what.why = request.order.why;
  return success();
}

}  // namespace

Result<SagaOrder> saga_order(journal::Reader& reader, const Request& request,
                             const std::string& who) {
  const std::string by = request.order.by.value_or(who);
  PERDURE_TRY(check_sizes(by, request.order.why));
  SagaOrder order;
  if (request.verb == Verb::saga_compensate) {
    PERDURE_TRY(abort(reader, request, by, order));
  } else {
    PERDURE_TRY(decide(reader, request, by, order));
  }
  if (order.saga.number == journal::kAllSagas) return order;
  PERDURE_TRY(auto row, reader.saga(order.saga.run, order.saga.number));
  if (row) order.name = std::move(row->name);
  return order;
}

std::string_view saga_verb(Verb verb) noexcept {
  return verb == Verb::saga_compensate ? "compensate" : journal::to_string(what_of(verb));
}

std::string saga_order_text(const SagaOrder& order, const Request& request,
                            const journal::Delivered& given) {
  if (request.verb == Verb::saga_compensate) return given.reply.words;
  const What what = what_of(request.verb);
  std::string text =
      "saga " + journal::saga_id(order.saga.run, order.saga.number) + " ('" + order.name + "'): ";
  if (request.order.action)
    text += "action " + std::to_string(*request.order.action);
  else
    text += what == What::retry ? "what could not be undone" : "what is not undone";
  switch (what) {
    case What::retry: text += " is tried again"; break;
    case What::skip: text += " stays as it is"; break;
    case What::mark_done: text += " counts as done by hand"; break;
  }
  if (given.how == journal::Delivery::queued)
    text +=
        "; no process has the journal open, so it is queued: the next runtime that opens this "
        "journal acts on it";
  return text;
}

}  // namespace perdure::cli
