#include <string>
#include <utility>
#include <vector>

#include "cli/explanation.hpp"
#include "cli/show.hpp"
#include "cli/timeline.hpp"
#include "cli/values.hpp"

namespace perdure::cli {
namespace {

using journal::RunInfo;

void set_failure(JsonObject& object, const std::string& name, const std::optional<Error>& error) {
  if (error)
    object.object(name, json_of(*error));
  else
    object.null(name);
}

std::optional<Error> owned(const std::optional<journal::ErrorView>& error) {
  if (!error) return std::nullopt;
  return journal::to_error(*error);
}

void set_start(JsonObject& object, const std::optional<Started>& started) {
  set_time(object, "started", started ? started->stamp : 0);
  if (started)
    object.text("effect", to_string(started->effect));
  else
    object.null("effect");
}

JsonObject json_of(const journal::StepResult& result, const std::optional<Started>& started,
                   journal::Stamp created) {
  JsonObject step;
  step.text("step", path_text(result.path))
      .text("step_kind", to_string(result.step_kind))
      .text("name", result.name)
      .text("status", result.error ? "failed" : "completed")
      .number("attempts", result.attempts);
  set_start(step, started);
  set_time(step, "ended", result.stamp);
  step.number("offset_us", result.stamp - created).number("busy_us", result.busy_us);
  set_failure(step, "error", owned(result.error));
  set_payload(step, "result", result.type, result.payload, kShownPayloadBytes);
  return step;
}

JsonObject json_of(const Unfinished& unfinished) {
  JsonObject step;
  step.text("step", path_text(unfinished.path))
      .text("name", unfinished.name)
      .text("status", unfinished.in_backoff() ? "backoff" : "unfinished")
      .number("attempts", unfinished.tries());
  set_start(step, unfinished.started);
  const journal::Attempts none;
  const journal::Attempts& row = unfinished.attempts ? *unfinished.attempts : none;
  step.number("unclean_ends", row.unclean_ends);
  set_time(step, "last_attempt_ended", row.last_stamp);
  set_time(step, "next_due", row.next_due);
  set_failure(step, "first_error", row.first_error);
  set_failure(step, "last_error", row.last_error);
  return step;
}

/// The object's fields without its braces, to be followed by more.
std::string open_line(const JsonObject& object) {
  std::string line = object.line();
  line.pop_back();
  return line;
}

class JsonTeller final : public Teller {
 public:
  JsonTeller(const RunInfo& run, const std::optional<std::string>& holder, const Screen& screen)
      : screen_(screen), created_(run.created) {
    head_.object("run", cli::json_of(run));
    if (holder)
      head_.text("holder", *holder);
    else
      head_.null("holder");
  }

  void begin(const journal::RunCreated& created) override {
    head_.text("message_key", created.message_key);
    set_payload(head_, "input", created.input_type, created.input, kShownPayloadBytes);
  }
  void step(const journal::StepResult& result, const std::optional<Started>& started) override {
    open_steps();
    screen_.out << std::exchange(between_, ",\n") << json_of(result, started, created_).line();
  }
  void end(const journal::RunEnded& ended) override {
    JsonObject end;
    set_time(end, "ended", ended.stamp);
    end.number("offset_us", ended.stamp - created_);
    set_failure(end, "error", owned(ended.error));
    set_payload(end, "reply", ended.type, ended.payload, kShownPayloadBytes);
    end_ = end.line();
  }
  [[nodiscard]] bool listening() const override { return screen_.open(); }

  void close(const std::vector<Unfinished>& unfinished, const std::string& explanation) {
    open_steps();
    screen_.out << "\n],\"unfinished\":[";
    const char* between = "\n";
    for (const Unfinished& step : unfinished)
      screen_.out << std::exchange(between, ",\n") << json_of(step).line();
    screen_.out << "\n],\"end\":" << end_ << ",\"explanation\":" << json_string(explanation)
                << "}\n";
  }

 private:
  void open_steps() {
    if (!std::exchange(opened_, true)) screen_.out << open_line(head_) << ",\"steps\":[";
  }

  const Screen& screen_;
  journal::Stamp created_;
  JsonObject head_;
  bool opened_ = false;
  const char* between_ = "\n";
  std::string end_ = "null";
};

}  // namespace

Result<void> show_run_as_json(journal::Reader& reader, const RunInfo& run,
                              const std::optional<std::string>& holder, const Screen& screen) {
  JsonTeller teller(run, holder, screen);
  PERDURE_TRY(const std::vector<Unfinished> unfinished, tell(reader, run, teller));
  teller.close(unfinished, explain(run, unfinished, holder, screen.now));
  return success();
}

}  // namespace perdure::cli
