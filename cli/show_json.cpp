#include <string>
#include <utility>
#include <vector>

#include "cli/budget.hpp"
#include "cli/explanation.hpp"
#include "cli/show.hpp"
#include "cli/timeline.hpp"
#include "cli/values.hpp"
#include "journal/payload_json.hpp"

namespace perdure::cli {
namespace {

using journal::RunInfo;

void set_failure(JsonObject& object, const std::string& name, const std::optional<Error>& error) {
  if (error)
    object.object(name, json_of(*error));
  else
    object.null(name);
}

void set_start(JsonObject& object, const std::optional<Started>& started) {
  set_time(object, "started", started ? started->stamp : 0);
  if (started)
    object.text("effect", to_string(started->effect));
  else
    object.null("effect");
}

JsonObject json_of(const journal::StepResult& result, const std::optional<Started>& started,
                   journal::Stamp created, journal::Reader& reader) {
  JsonObject step;
  step.text("step", path_text(result.path))
      .text("step_kind", to_string(result.step_kind))
      .text("name", result.name)
      .text("status", result.error ? "failed" : "completed")
      .number("attempts", result.attempts);
  set_start(step, started);
  set_time(step, "ended", result.stamp);
  step.number("offset_us", result.stamp - created).number("busy_us", result.busy_us);
  set_error(step, "error", result.error);
  set_payload(step, "result", result.type, result.payload, reader, kShownPayloadBytes);
  return step;
}

const char* status_of(const Unfinished& step) {
  if (step.wait) return "waiting";
  return step.in_backoff() ? "backoff" : "unfinished";
}

void set_wait(JsonObject& step, const std::optional<journal::Wait>& wait) {
  if (!wait) {
    step.null("wait");
    return;
  }
  JsonObject object;
  set_time(object, "begun", wait->begun);
  set_time(object, "due", wait->due);
  object.truth("by_wall_clock", wait->by_wall_clock);
  set_run(object, "run", wait->run);
  step.object("wait", object);
}

/// What an attempt of a tool reported last.
void set_progress(JsonObject& step, const journal::Attempts& row) {
  if (!row.progress) {
    step.null("progress");
  } else if (const Result<std::string> json = journal::payload_to_json(*row.progress);
             json.has_value()) {
    step.raw("progress", safe_json(json.assume_value()));
  } else {
    step.null("progress").text("progress_error", json.assume_error().message);
  }
}

JsonObject json_of(const Unfinished& unfinished) {
  JsonObject step;
  step.text("step", path_text(unfinished.path))
      .text("step_kind", to_string(unfinished.kind()))
      .text("name", unfinished.name)
      .text("status", status_of(unfinished))
      .number("attempts", unfinished.tries());
  set_start(step, unfinished.started);
  const journal::Attempts none;
  const journal::Attempts& row = unfinished.attempts ? *unfinished.attempts : none;
  step.number("unclean_ends", row.unclean_ends);
  set_time(step, "last_attempt_ended", row.last_stamp);
  set_time(step, "next_due", row.next_due);
  set_failure(step, "first_error", row.first_error);
  set_failure(step, "last_error", row.last_error);
  step.number("asks", row.asks);
  set_progress(step, row);
  set_wait(step, unfinished.wait);
  return step;
}

JsonObject json_of(const journal::VersionMark& mark) {
  JsonObject object;
  object.text("name", mark.name).number("version", mark.version);
  set_time(object, "recorded", mark.stamp);
  return object;
}

JsonObject json_of(const CancelFacts& cancel) {
  JsonObject object;
  object.text("code", to_string(cancel.code)).text("who", cancel.who).text("why", cancel.why);
  set_time(object, "requested", cancel.stamp);
  set_time(object, "grace_ends", cancel.stamp + cancel.grace_ms * 1000);
  return object;
}

JsonObject json_of(const journal::SagaAborted& aborted) {
  JsonObject object;
  set_aborted(object, aborted);
  set_time(object, "recorded", aborted.stamp);
  return object;
}

JsonObject json_of(const Queued& queued) {
  JsonObject object;
  set_time(object, "due", queued.due);
  set_run(object, "behind", queued.behind);
  object.number("ahead", queued.ahead);
  return object;
}

/// The object's fields without its braces, to be followed by more.
std::string open_line(const JsonObject& object) {
  std::string line = object.line();
  line.pop_back();
  return line;
}

class JsonTeller final : public Teller {
 public:
  JsonTeller(journal::Reader& reader, const RunInfo& run, const std::optional<std::string>& holder,
             const Screen& screen, const std::optional<journal::BudgetInfo>& budget)
      : reader_(reader), screen_(screen), created_(run.created) {
    head_.object("run", cli::json_of(run));
    if (holder)
      head_.text("holder", *holder);
    else
      head_.null("holder");
    if (budget)
      head_.object("budget", cli::json_of(*budget));
    else
      head_.null("budget");
  }

  void begin(const journal::RunCreated& created) override {
    head_.text("message_key", created.message_key);
    set_caller(head_, created.caller);
    set_time(head_, "deadline", created.deadline);
    set_payload(head_, "input", created.input_type, created.payload, reader_, kShownPayloadBytes);
  }
  void mark(const journal::VersionMark& mark) override {
    versions_ += (versions_.empty() ? "" : ",") + json_of(mark).line();
  }
  void cancel(const journal::CancelRequested&) override {}
  void abort(const journal::SagaAborted& aborted) override {
    aborts_ += (aborts_.empty() ? "" : ",") + json_of(aborted).line();
  }
  void step(const journal::StepResult& result, const std::optional<Started>& started) override {
    open_steps();
    screen_.out << std::exchange(between_, ",\n")
                << json_of(result, started, created_, reader_).line();
  }
  void end(const journal::RunEnded& ended) override {
    JsonObject end;
    set_time(end, "ended", ended.stamp);
    end.number("offset_us", ended.stamp - created_);
    set_error(end, "error", ended.error);
    set_payload(end, "reply", ended.type, ended.payload, reader_, kShownPayloadBytes);
    end_ = end.line();
  }
  [[nodiscard]] bool listening() const override { return screen_.open(); }

  void close(const Standing& standing, const std::string& explanation) {
    open_steps();
    screen_.out << "\n],\"unfinished\":[";
    const char* between = "\n";
    for (const Unfinished& step : standing.unfinished)
      screen_.out << std::exchange(between, ",\n") << json_of(step).line();
    screen_.out << "\n],\"children\":[";
    between = "\n";
    for (const journal::Child& child : standing.children)
      screen_.out << std::exchange(between, ",\n") << cli::json_of(child).line();
    screen_.out << "\n],\"sagas\":[";
    between = "\n";
    for (const SagaFacts& saga : standing.sagas)
      screen_.out << std::exchange(between, ",\n") << cli::json_of(saga).line();
    screen_.out << "\n],\"aborts\":[" << aborts_ << "],\"versions\":[" << versions_
                << "],\"cancel\":" << (standing.cancel ? json_of(*standing.cancel).line() : "null")
                << ",\"queued\":" << (standing.queued ? json_of(*standing.queued).line() : "null")
                << ",\"end\":" << end_ << ",\"explanation\":" << json_string(explanation) << "}\n";
  }

 private:
  void open_steps() {
    if (!std::exchange(opened_, true)) screen_.out << open_line(head_) << ",\"steps\":[";
  }

  journal::Reader& reader_;
  const Screen& screen_;
  journal::Stamp created_;
  JsonObject head_;
  bool opened_ = false;
  const char* between_ = "\n";
  std::string versions_;
  std::string aborts_;
  std::string end_ = "null";
};

}  // namespace

Result<void> show_run_as_json(journal::Reader& reader, const RunInfo& run,
                              const std::optional<std::string>& holder, const Screen& screen) {
  std::optional<journal::BudgetInfo> budget;
  if (run.head.status != journal::RunStatus::queued) {
    PERDURE_TRY(journal::BudgetInfo found, reader.budget_info(run.id));
    if (has_budget(found)) budget = std::move(found);
  }
  JsonTeller teller(reader, run, holder, screen, budget);
  PERDURE_TRY(const Standing standing, tell(reader, run, teller));
  teller.close(standing, explain(run, standing, holder, screen));
  return success();
}

}  // namespace perdure::cli
