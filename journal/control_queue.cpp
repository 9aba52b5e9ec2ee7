#include "journal/control_queue.hpp"

#include "core/ids.hpp"
#include "journal/directory.hpp"
#include "journal/gate.hpp"
#include "journal/saga_orders.hpp"
#include "journal/writer.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace perdure::journal {
namespace {

constexpr std::string_view kQueued =
    "; no process has the journal open, so it is queued: the next "
    "runtime that opens this journal acts on it";

std::string named(const RunInfo& run) {
  return "run " + perdure::to_string(run.id) + " (" + run.agent + "/" + run.session_key + ")";
}

/// The steps of the run that wait for their next attempt, in words.
Result<std::string> in_backoff(Reader& reader, const RunId& run) {
  PERDURE_TRY(const std::vector<Attempts> attempts, reader.attempts(run));
  std::string steps;
  for (const Attempts& each : attempts) {
    if (each.next_due == 0) continue;
    steps += (steps.empty() ? "step " : ", step ") + StepPath(each.path).to_string() + " '" +
             each.name + "'";
  }
  return steps;
}

}  // namespace

Result<void> judge_raise(Reader& reader, const RunId& run, const Limits& limits) {
  PERDURE_TRY(const std::optional<RunInfo> info, reader.run(run));
  if (!info)
    return Error{Code::not_found, "the journal has no run " + perdure::to_string(run) +
                                      "; `perdure runs` lists what there is"};
  if (info->head.status == RunStatus::queued)
    return Error{Code::refused, named(*info) +
                                    " has not begun, and has used nothing: raise its "
                                    "budget when it needs more"};
  PERDURE_TRY(const BudgetInfo budget, reader.budget_info(run));
  if (budget.own) {
    const std::optional<std::string> words = lowered(budget.own->limits, limits);
    if (!words) return success();
    return Error{Code::refused, "the budget of " + named(*info) + " can only be raised: " + *words};
  }
  if (budget.payers.empty())
    return Error{Code::refused, named(*info) +
                                    " has no budget that could be raised: its handler "
                                    "sets none (HandlerOptions::budget)"};
  return Error{Code::refused, named(*info) +
                                  " has no budget of its own, and draws on that of run " +
                                  perdure::to_string(budget.payers.front()) + ": raise that"};
}

namespace {

Result<void> judge_verb(Reader& reader, const ControlRequest& request, ControlTarget& target) {
  const RunInfo& run = *target.run;
  // It may have ended, and others draw on it.
  if (request.verb == ControlVerb::raise) return judge_raise(reader, run.id, request.what.limits);
  if (request.verb == ControlVerb::compensate)
    return judge_compensate(reader, run.id, request.what.saga);
  const auto refused = [&](std::string_view why) {
    return Error{Code::refused, named(run) + std::string(why)};
  };
  if (run.head.status >= RunStatus::completed)
    return refused(" has ended (" + std::string(to_string(run.head.status)) +
                   "): there is nothing to " + std::string(to_string(request.verb)));
  const bool ends_it = request.verb == ControlVerb::cancel || request.verb == ControlVerb::kill;
  if (ends_it && run.agent == kSagaAgent) return undoing_is_not_ended();
  if (run.head.status == RunStatus::queued && !ends_it)
    return refused(
        " has not begun: its message waits for its turn or its time. `perdure cancel` takes it "
        "back; "
        "else wait until it has begun");
  const bool parked = run.head.status == RunStatus::parked;
  if (request.verb == ControlVerb::resume && !parked)
    return refused(" is not parked: it is " + std::string(to_string(run.head.status)) +
                   ". `perdure show` says what it waits for; `perdure retry-now` ends the delay "
                   "before a step's next attempt");
  if (request.verb != ControlVerb::retry_now) return success();
  if (parked)
    return refused(" is parked (" + std::string(perdure::to_string(run.head.code)) +
                   "), and waits for no attempt: `perdure resume` makes it go on");
  PERDURE_TRY(target.steps, in_backoff(reader, run.id));
  if (target.steps.empty())
    return refused(
        " has no step that waits for its next attempt: `perdure show` says what it "
        "waits for");
  return success();
}

/// The run that the message's key made before, if it did. Errors: `already_started`.
Result<std::optional<RunId>> made_before(Reader& reader, const ControlTarget& to,
                                         const Arrival& message) {
  if (message.message_key.empty()) return std::nullopt;
  PERDURE_TRY(const std::optional<RunId> run, reader.find_message(to.session, message.message_key));
  if (!run) return std::nullopt;
  PERDURE_TRY(const std::optional<Head> head, reader.head(*run));
  if (!head) return std::nullopt;
  PERDURE_TRY(RecordStream records, reader.records(*run));
  PERDURE_TRY(const RecordBuffer* const first, records.next());
  if (first == nullptr) return std::nullopt;
  PERDURE_TRY(const RunCreated created, first->as<RunCreated>());
  PERDURE_TRY(const bool same_input, same_content(created.payload, view_of(message.payload)));
  if (created.handler == message.name && same_input) return run;
  return Error{Code::already_started,
               "session '" + to.address() + "' was started with another input under the key '" +
                   message.message_key + "' (run " + perdure::to_string(*run) +
                   "): give equal input, or another key"};
}

std::string words_of(const ControlRequest& request, const ControlTarget& target) {
  switch (request.verb) {
    case ControlVerb::retry_now:
      return target.steps + " of " + named(*target.run) + " is to begin its next attempt at once";
    case ControlVerb::resume: return named(*target.run) + " is to go on";
    case ControlVerb::cancel: return named(*target.run) + " is to be cancelled";
    case ControlVerb::kill: return named(*target.run) + " is to end without being asked";
    case ControlVerb::raise: return "the budget of " + named(*target.run) + " is to be raised";
    case ControlVerb::compensate:
      return "what sagas of " + named(*target.run) + " did is to be undone";
    case ControlVerb::signal:
      return "the signal '" + request.what.name + "' is for session " + target.address();
    case ControlVerb::message:
      return "the message '" + request.what.name + "' is for session " + target.address() +
             ", and makes run " + perdure::to_string(*request.what.run);
  }
  return {};
}

/// One change, durable. Errors: as Writer.
Result<void> write(JournalForWriting& journal, Change&& change) {
  Gate gate;
  WriterOptions options;
  options.last_number = journal.last_number();
  Writer writer(journal.store(), gate, std::move(options));
  const Result<RecordNumber> number = writer.submit(std::move(change), Admission::new_work);
  if (number.has_error()) return number.error();
  writer.commit_here();
  if (const std::optional<Error> full = writer.full()) {
    (void)writer.stop();
    return *full;
  }
  PERDURE_TRY(writer.stop());
  if (!journal.was_clean()) return success();
  return journal.close_cleanly(writer.last_number(), journal.last_stamp());
}

}  // namespace

Result<ControlTarget> judge_order(Reader& reader, const ControlRequest& request) {
  const Arrival& what = request.what;
  if (request.verb == ControlVerb::signal || request.verb == ControlVerb::message) {
    ControlTarget target{{}, what.agent, what.session_key};
    PERDURE_TRY(const auto known,
                reader.find_session(what.agent, what.session_key, &target.session));
    if (known) target.session = *known;
    return target;
  }
  PERDURE_TRY(std::optional<RunInfo> run, reader.run(*what.run));
  if (!run)
    return Error{Code::not_found, "the journal has no run " + perdure::to_string(*what.run) +
                                      "; `perdure runs` lists what there is"};
  ControlTarget target{run->session, run->agent, run->session_key, std::move(run)};
  PERDURE_TRY(judge_verb(reader, request, target));
  return target;
}

Result<ControlReply> queue_order(const std::filesystem::path& directory, ControlRequest request,
                                 core::Clock& clock, core::Random& random) {
  PERDURE_TRY(check_request(request));
  PERDURE_TRY(const auto journal,
              JournalForWriting::open(directory, clock, random, Opening::visit));
  return queue_order_in(*journal, std::move(request), clock, random);
}

Result<ControlReply> queue_order_in(JournalForWriting& journal, ControlRequest request,
                                    core::Clock& clock, core::Random& random) {
  PERDURE_TRY(check_request(request));
  Arrival& what = request.what;
  ControlTarget target;
  {
    PERDURE_TRY(Reader reader, Reader::open(journal.store()));
    PERDURE_TRY(target, judge_order(reader, request));
    if (request.verb == ControlVerb::message) {
      PERDURE_TRY(const std::optional<RunId> before, made_before(reader, target, what));
      if (before)
        return ControlReply{"the message's key made run " + perdure::to_string(*before) +
                                " before, with the same input: nothing is to be done",
                            before};
      what.run = core::draw_run_id(clock, random);
    }
  }
  what.agent = target.agent;
  what.session_key = target.key;
  what.stamp = clock.wall().time_since_epoch().count();
  Change change(core::limits::kBlobThresholdBytes);
  change.put_numbered(Table::inbox, Key{}.add(target.session), view_of(what));
  PERDURE_TRY(write(journal, std::move(change)));
  return ControlReply{words_of(request, target) + std::string(kQueued), what.run};
}

}  // namespace perdure::journal
