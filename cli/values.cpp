#include "cli/values.hpp"

#include "cli/budget.hpp"

#include <utility>

#include "cli/format.hpp"
#include "cli/text.hpp"
#include "journal/payload_json.hpp"
#include "journal/step_path.hpp"

namespace perdure::cli {
namespace {

using journal::Kind;

/// A blob above this is not read for the few columns that a line has for it.
constexpr std::size_t kLineBytesMax = 1U << 20U;

Result<std::string> json_text(const journal::PayloadView& payload, journal::Reader& reader) {
  core::Bytes room;
  PERDURE_TRY(const core::ByteView bytes, reader.bytes_of(payload, room));
  return journal::payload_to_json(bytes);
}

RecordContent content(const journal::RunCreated& created, journal::Reader& reader) {
  RecordContent content{created.stamp, {}};
  content.fields.text("agent", created.agent)
      .number("agent_version", created.agent_version)
      .text("handler", created.handler)
      .text("key", created.session_key)
      .text("message_key", created.message_key)
      .number("seed", created.seed);
  set_caller(content.fields, created.caller);
  set_time(content.fields, "deadline", created.deadline);
  content.fields.raw("draws_on", json_of_payers(created.payers));
  set_payload(content.fields, "input", created.input_type, created.payload, reader);
  return content;
}

RecordContent content(const journal::StepStarted& started, journal::Reader&) {
  RecordContent content{started.stamp, {}};
  content.fields.text("step", path_text(started.path))
      .text("name", started.name)
      .text("effect", to_string(started.effect))
      .number("attempt", started.attempt);
  return content;
}

RecordContent content(const journal::StepResult& result, journal::Reader& reader) {
  RecordContent content{result.stamp, {}};
  content.fields.text("step", path_text(result.path))
      .text("step_kind", to_string(result.step_kind))
      .text("name", result.name)
      .number("attempts", result.attempts)
      .number("busy_us", result.busy_us);
  set_error(content.fields, "error", result.error);
  set_payload(content.fields, "result", result.type, result.payload, reader);
  return content;
}

RecordContent content(const journal::RunEnded& ended, journal::Reader& reader) {
  RecordContent content{ended.stamp, {}};
  set_error(content.fields, "error", ended.error);
  set_payload(content.fields, "reply", ended.type, ended.payload, reader);
  return content;
}

RecordContent content(const journal::VersionMark& mark, journal::Reader&) {
  RecordContent content{mark.stamp, {}};
  content.fields.text("name", mark.name).number("version", mark.version);
  return content;
}

RecordContent content(const journal::CancelRequested& cancel, journal::Reader&) {
  RecordContent content{cancel.stamp, {}};
  content.fields.text("code", to_string(cancel.code))
      .text("who", cancel.who)
      .text("why", cancel.why)
      .number("grace_ms", cancel.grace_ms);
  return content;
}

RecordContent content(const journal::SagaAborted& aborted, journal::Reader&) {
  RecordContent content{aborted.stamp, {}};
  set_aborted(content.fields, aborted);
  return content;
}

template <class T>
Result<RecordContent> decoded(const journal::RecordBuffer& record, journal::Reader& reader) {
  PERDURE_TRY(const T value, record.as<T>());
  return content(value, reader);
}

}  // namespace

JsonObject json_of(const Error& error) {
  JsonObject object;
  object.text("code", to_string(error.code))
      .text("message", error.message)
      .truth("retryable", error.is_retryable())
      .text("effect", to_string(error.known_effect()));
  if (error.retry_after)
    object.number("retry_after_ms", error.retry_after->count());
  else
    object.null("retry_after_ms");
  return object;
}

JsonObject json_of(const journal::RunInfo& run) {
  JsonObject object;
  object.text("id", to_string(run.id))
      .text("agent", run.agent)
      .text("key", run.session_key)
      .number("agent_version", run.agent_version)
      .text("handler", run.handler)
      .text("status", to_string(run.head.status))
      .number("records", run.head.count);
  set_time(object, "created", run.created);
  set_time(object, "last_change", run.head.stamp);
  if (run.head.status == journal::RunStatus::parked)
    object.object(
        "parked",
        JsonObject().text("code", to_string(run.head.code)).text("reason", run.head.reason));
  else
    object.null("parked");
  return object;
}

JsonObject json_of(const journal::ArrivalRow& arrival, journal::RecordNumber number,
                   journal::Reader& reader) {
  JsonObject object;
  object.number("number", number)
      .text("what", to_string(arrival.what))
      .text("name", arrival.name)
      .number("agent_version", arrival.agent_version)
      .text("message_key", arrival.message_key);
  set_time(object, "sent", arrival.stamp);
  set_run(object, "run", arrival.run);
  object.text("step", path_text(arrival.path));
  set_run(object, "other_run", arrival.other);
  set_caller(object, arrival.caller);
  set_time(object, "due", arrival.due);
  object.truth("by_wall_clock", arrival.by_wall_clock != 0);
  set_time(object, "deadline", arrival.deadline);
  object.text("who", arrival.who).text("why", arrival.why).number("grace_ms", arrival.grace_ms);
  if (arrival.limits != journal::Limits{})
    object.object("limits", json_of(arrival.limits));
  else
    object.null("limits");
  set_meant_saga(object, arrival.saga);
  set_error(object, "error", arrival.error);
  set_payload(object, "payload", arrival.type, arrival.payload, reader);
  return object;
}

JsonObject json_of(const journal::Child& child) {
  JsonObject object;
  object.text("step", path_text(child.path))
      .text("run", to_string(child.run))
      .text("agent", child.agent)
      .text("key", child.session_key)
      .text("parent_end", to_string(child.parent_end))
      .truth("ended", child.ended);
  if (child.error)
    object.object("error", json_of(*child.error));
  else
    object.null("error");
  return object;
}

void set_error(JsonObject& object, std::string name,
               const std::optional<journal::ErrorView>& error) {
  if (error)
    object.object(std::move(name), json_of(journal::to_error(*error)));
  else
    object.null(std::move(name));
}

void set_caller(JsonObject& object, const std::optional<journal::Caller>& caller) {
  if (!caller) {
    object.null("caller");
    return;
  }
  JsonObject who;
  who.text("agent", caller->agent)
      .text("key", caller->session_key)
      .text("run", to_string(caller->run))
      .text("step", path_text(caller->path));
  if (caller->saga == 0)
    who.null("saga");
  else
    who.number("saga", caller->saga);
  object.object("caller", who);
}

void set_run(JsonObject& object, std::string name, const std::optional<RunId>& run) {
  if (run)
    object.text(std::move(name), to_string(*run));
  else
    object.null(std::move(name));
}

void set_meant_saga(JsonObject& object, std::uint32_t saga) {
  const bool all = saga == journal::kAllSagas;
  if (saga == 0 || all)
    object.null("saga");
  else
    object.number("saga", saga);
  object.truth("all_sagas", all);
}

void set_aborted(JsonObject& object, const journal::SagaAborted& aborted) {
  set_meant_saga(object, aborted.saga);
  object.text("code", to_string(aborted.code)).text("who", aborted.who).text("why", aborted.why);
}

std::string path_text(std::span<const std::uint32_t> path) {
  return journal::StepPath(path).to_string();
}

void set_time(JsonObject& object, std::string name, journal::Stamp stamp) {
  if (stamp == 0)
    object.null(std::move(name));
  else
    object.text(std::move(name), json_time(stamp));
}

void set_payload(JsonObject& object, const std::string& name, std::string_view type,
                 const journal::PayloadView& payload, journal::Reader& reader,
                 std::size_t bytes_max) {
  object.text(name + "_type", type).number(name + "_bytes", payload.size());
  if (payload.blob()) object.text(name + "_blob", journal::to_string(payload.blob()->id));
  if (payload.empty()) {
    object.null(name);
  } else if (payload.size() > bytes_max) {
    object.null(name).truth(name + "_omitted", true);
  } else if (const Result<std::string> json = json_text(payload, reader); json.has_value()) {
    object.raw(name, safe_json(json.assume_value()));
  } else {
    object.null(name).text(name + "_error", json.assume_error().message);
  }
}

std::string payload_line(const journal::PayloadView& payload, journal::Reader& reader,
                         std::size_t columns) {
  if (payload.empty()) return "";
  if (payload.blob() && payload.size() > kLineBytesMax)
    return safe_line("(blob " + journal::to_string(payload.blob()->id) + ")", columns);
  const Result<std::string> json = json_text(payload, reader);
  if (json.has_value()) return safe_line(json.assume_value(), columns);
  return safe_line("(not shown: " + json.assume_error().message + ")", columns);
}

Result<RecordContent> content_of(const journal::RecordBuffer& record, journal::Reader& reader) {
  switch (record.kind()) {
    case Kind::run_created: return decoded<journal::RunCreated>(record, reader);
    case Kind::step_started: return decoded<journal::StepStarted>(record, reader);
    case Kind::step_result: return decoded<journal::StepResult>(record, reader);
    case Kind::run_ended: return decoded<journal::RunEnded>(record, reader);
    case Kind::version_mark: return decoded<journal::VersionMark>(record, reader);
    case Kind::cancel_requested: return decoded<journal::CancelRequested>(record, reader);
    case Kind::saga_aborted: return decoded<journal::SagaAborted>(record, reader);
    default:
      return Error{Code::corrupt, "a " + std::string(to_string(record.kind())) +
                                      " stands among the records of a run: run `perdure verify`"};
  }
}

}  // namespace perdure::cli
