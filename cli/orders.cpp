#include "cli/orders.hpp"

#include <array>
#include <istream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "cli/find_run.hpp"
#include "cli/json.hpp"
#include "cli/saga_orders.hpp"
#include "cli/text.hpp"
#include "core/random.hpp"
#include "journal/control_client.hpp"
#include "journal/control_protocol.hpp"
#include "journal/directory.hpp"
#include "journal/payload_json.hpp"
#include "journal/reader.hpp"

namespace perdure::cli {
namespace {

using journal::ControlRequest;
using journal::ControlVerb;

/// More text than the largest payload has.
constexpr std::size_t kInputBytesMax = 4 * core::limits::kPayloadBytes;

Result<std::string> input(std::istream* in) {
  if (in == nullptr)
    return Error{Code::misuse, "there is no standard input to read JSON from: give it as a word"};
  std::string text;
  std::array<char, 65536> part{};
  while (in->read(part.data(), part.size()), in->gcount() > 0) {
    text.append(part.data(), static_cast<std::size_t>(in->gcount()));
    if (text.size() > kInputBytesMax)
      return Error{Code::too_large, "standard input has more than " +
                                        std::to_string(kInputBytesMax) +
                                        " bytes, which is more than any payload"};
  }
  return text;
}

Result<ControlRequest> mail_of(const Request& request, const Surroundings& surroundings) {
  const OrderRequest& order = request.order;
  PERDURE_TRY(journal::ControlAddress address, journal::parse_address(request.run));
  ControlRequest asked;
  asked.verb = order.mail == Mail::message ? ControlVerb::message : ControlVerb::signal;
  asked.what.agent = std::move(address.agent);
  asked.what.session_key = std::move(address.key);
  asked.what.name = order.name;
  asked.what.message_key = order.key;
  std::string json = order.json;
  if (json == "-") {
    PERDURE_TRY(json, input(surroundings.in));
  }
  PERDURE_TRY(asked.what.payload, journal::json_to_payload(json));
  return asked;
}

ControlVerb verb_of(Verb verb) {
  switch (verb) {
    case Verb::retry_now: return ControlVerb::retry_now;
    case Verb::resume: return ControlVerb::resume;
    case Verb::cancel: return ControlVerb::cancel;
    case Verb::raise: return ControlVerb::raise;
    default: return ControlVerb::kill;
  }
}

ControlRequest word_of(const Request& request, const RunId& run, const std::string& who) {
  const OrderRequest& order = request.order;
  ControlRequest asked;
  asked.verb = verb_of(request.verb);
  asked.what.run = run;
  if (asked.verb == ControlVerb::cancel || asked.verb == ControlVerb::kill) {
    asked.what.who = order.by.value_or(who);
    asked.what.why = order.why;
    if (order.open_sagas == OpenSagas::compensate) asked.what.saga = journal::kAllSagas;
  }
  if (asked.verb == ControlVerb::cancel) asked.what.grace_ms = order.grace.count();
  if (asked.verb == ControlVerb::raise) {
    asked.what.who = order.by.value_or(who);
    asked.what.limits = order.limits;
  }
  return asked;
}

void tell(const ControlRequest& asked, const journal::Delivered& given, const Screen& screen) {
  const bool queued = given.how == journal::Delivery::queued;
  if (screen.format == Format::text) {
    for (const std::string& line : safe_lines(given.reply.words)) screen.out << line << '\n';
    return;
  }
  JsonObject told;
  told.text("verb", to_string(asked.verb)).text("delivery", queued ? "queued" : "answered");
  given.reply.run ? told.text("run", to_string(*given.reply.run)) : told.null("run");
  screen.out << told.text("words", given.reply.words).line() << '\n';
}

void tell(const SagaOrder& order, const Request& request, const journal::Delivered& given,
          const Screen& screen) {
  const std::string words = saga_order_text(order, request, given);
  if (screen.format == Format::text) {
    for (const std::string& line : safe_lines(words)) screen.out << line << '\n';
    return;
  }
  const bool queued = given.how == journal::Delivery::queued;
  JsonObject told;
  told.text("verb", saga_verb(request.verb))
      .text("delivery", queued ? "queued" : "answered")
      .text("run", to_string(order.saga.run));
  if (order.saga.number == journal::kAllSagas)
    told.null("saga");
  else
    told.text("saga", journal::saga_id(order.saga.run, order.saga.number));
  screen.out << told.text("words", words).line() << '\n';
}

}  // namespace

Result<ExitCode> give_order(const Request& request, const Surroundings& surroundings,
                            const Screen& screen) {
  ControlRequest asked;
  std::optional<SagaOrder> about_a_saga;
  {
    // Let go of before anything is written: a process opens a journal's tables once.
    const auto opened = journal::JournalForReading::open(request.journal);
    if (opened.has_error()) {
      surroundings.err << "perdure: " << safe_line(opened.error().message) << '\n';
      return ExitCode::unreadable;
    }
    if (request.verb == Verb::send) {
      PERDURE_TRY(asked, mail_of(request, surroundings));
    } else {
      PERDURE_TRY(journal::Reader reader, journal::Reader::open(opened.assume_value()->store()));
      if (is_saga_order(request.verb)) {
        PERDURE_TRY(about_a_saga, saga_order(reader, request, surroundings.who));
        asked = about_a_saga->asked;
      } else {
        PERDURE_TRY(const journal::RunInfo run, find_unfinished_run(reader, request.run));
        asked = word_of(request, run.id, surroundings.who);
      }
    }
  }
  asked.what.what = journal::row_of(asked.verb);
  core::SystemRandom random;
  PERDURE_TRY(const journal::Delivered given,
              journal::deliver_order(request.journal, asked, surroundings.clock, random,
                                     {.within = request.order.within}));
  if (given.reply.error) return *given.reply.error;
  if (about_a_saga)
    tell(*about_a_saga, request, given, screen);
  else
    tell(asked, given, screen);
  return ExitCode::ok;
}

}  // namespace perdure::cli
