#include <perdure/child.hpp>

#include <string>
#include <utility>
#include <vector>

#include "cli/budget.hpp"
#include "cli/explanation.hpp"
#include "cli/show.hpp"
#include "cli/table.hpp"
#include "cli/text.hpp"
#include "cli/timeline.hpp"
#include "cli/values.hpp"
#include "journal/payload_json.hpp"

namespace perdure::cli {
namespace {

using journal::RunInfo;
using Align = Column::Align;

constexpr std::size_t kNameColumns = 40;
constexpr std::size_t kPayloadColumns = 100;
constexpr std::size_t kLabelColumns = 10;
/// Of so many sagas those that are over are named too.
constexpr std::size_t kSagasShown = 20;

void write_label(const Screen& screen, std::string label, const std::string& text) {
  label.resize(std::max(label.size() + 1, kLabelColumns), ' ');
  screen.out << inked(label, Ink::bold, screen.colour) << text << '\n';
}

std::string time_text(journal::Stamp stamp, const Screen& screen) {
  return iso_time(stamp, screen.zone, Fraction::milliseconds) + " (" + relative(stamp, screen.now) +
         ")";
}

std::string payload_text(std::string_view type, const journal::PayloadView& payload,
                         journal::Reader& reader) {
  std::string text = safe_line(type.empty() ? std::string_view("no type") : type, kNameColumns) +
                     ", " + size_text(payload.size());
  const std::string value = payload_line(payload, reader, kPayloadColumns);
  return value.empty() ? text : text + ": " + value;
}

std::string caller_text(const journal::Caller& caller) {
  return "step " + path_text(caller.path) + " of run " + to_string(caller.run) + ", session " +
         safe_line(std::string(caller.agent) + "/" + std::string(caller.session_key));
}

/// Of a spawn the run that it started, of every other step what it gave.
std::string result_text(const journal::StepResult& result, journal::Reader& reader) {
  if (result.step_kind == journal::StepKind::spawn)
    if (const auto child = decode<detail::ChildRef>(result.payload.inlined()); child.has_value())
      return safe_line("started run " + child.assume_value().run + " of " +
                           child.assume_value().agent + "/" + child.assume_value().session_key,
                       kPayloadColumns);
  return payload_line(result.payload, reader, kPayloadColumns);
}

std::string failure_text(const Error& error, std::size_t columns) {
  return first_line(error.to_string(), columns);
}

void write_head(const RunInfo& run, const std::optional<std::string>& holder,
                const Screen& screen) {
  write_label(screen, "run", to_string(run.id));
  write_label(screen, "session", safe_line(run.agent + "/" + run.session_key));
  write_label(screen, "agent",
              safe_line(run.agent) + " version " + std::to_string(run.agent_version) +
                  ", handler " + safe_line(run.handler));
  write_label(screen, "status", std::string(to_string(run.head.status)));
  write_label(screen, "created", time_text(run.created, screen));
  write_label(screen, "changed", time_text(run.head.stamp, screen));
  write_label(screen, "records", count_text(run.head.count));
  write_label(screen, "journal",
              holder ? "open in " + safe_line(*holder) : "not open for writing in any process");
}

class TextTeller final : public Teller {
 public:
  TextTeller(journal::Reader& reader, const RunInfo& run, const Screen& screen)
      : reader_(reader),
        screen_(screen),
        created_(run.created),
        table_(screen, {{"STEP", Align::left},
                        {"KIND", Align::left},
                        {"NAME", Align::left},
                        {"STATUS", Align::left},
                        {"TRIES", Align::right},
                        {"AT", Align::right},
                        {"TOOK", Align::right},
                        {"SIZE", Align::right},
                        {"RESULT", Align::left}}) {}

  void begin(const journal::RunCreated& created) override {
    if (created.caller) write_label(screen_, "caller", caller_text(*created.caller));
    if (created.deadline != 0)
      write_label(screen_, "deadline", time_text(created.deadline, screen_));
    write_label(screen_, "input", payload_text(created.input_type, created.payload, reader_));
    screen_.out << '\n';
  }
  void step(const journal::StepResult& result, const std::optional<Started>&) override {
    row(path_text(result.path), to_string(result.step_kind), result.name,
        result.error ? Cell{"failed", Ink::red} : Cell{"completed", Ink::green},
        std::to_string(result.attempts),
        {{"+" + duration(result.stamp - created_)},
         {duration(result.busy_us)},
         {result.error ? "" : size_text(result.payload.size())},
         {result.error ? failure_text(journal::to_error(*result.error), kPayloadColumns)
                       : result_text(result, reader_)}});
  }
  void mark(const journal::VersionMark& mark) override {
    row("", "version", mark.name, Cell{"version " + std::to_string(mark.version)}, "",
        {{"+" + duration(mark.stamp - created_)}, {""}, {""}, {""}});
  }
  void cancel(const journal::CancelRequested& cancel) override {
    std::string why =
        std::string(to_string(cancel.code)) + ", given " + duration(cancel.grace_ms * 1000);
    if (!cancel.why.empty()) why += ": " + first_line(cancel.why, kPayloadColumns);
    row("", "cancel", cancel.who, Cell{"requested", Ink::yellow}, "",
        {{"+" + duration(cancel.stamp - created_)}, {""}, {""}, {safe_line(why)}});
  }
  void abort(const journal::SagaAborted& aborted) override {
    std::string why = std::string(to_string(aborted.code));
    if (!aborted.why.empty()) why += ": " + first_line(aborted.why, kPayloadColumns);
    row("", "abort", aborted.who,
        Cell{aborted.saga == journal::kAllSagas ? "all sagas"
                                                : "saga " + std::to_string(aborted.saga),
             Ink::yellow},
        "", {{"+" + duration(aborted.stamp - created_)}, {""}, {""}, {safe_line(why)}});
  }
  void end(const journal::RunEnded& ended) override {
    end_ = ended.error ? failure_text(journal::to_error(*ended.error), kAnyWidth)
                       : payload_text(ended.type, ended.payload, reader_);
    end_label_ = ended.error ? "error" : "reply";
    ended_ = ended.stamp;
  }
  [[nodiscard]] bool listening() const override { return screen_.open(); }

  void unfinished(const Unfinished& step) {
    const std::string at = step.started ? "+" + duration(step.started->stamp - created_)
                           : step.wait  ? "+" + duration(step.wait->begun - created_)
                                        : "";
    const char* const status = step.wait ? "waiting" : step.in_backoff() ? "backoff" : "unfinished";
    row(path_text(step.path), to_string(step.kind()), step.name, Cell{status, Ink::yellow},
        step.wait ? "" : std::to_string(step.tries()), {{at}, {""}, {""}, {""}});
  }
  void close() {
    table_.finish();
    screen_.out << '\n';
    if (end_label_.empty()) return;
    write_label(screen_, "ended",
                time_text(ended_, screen_) + ", after " + duration(ended_ - created_));
    write_label(screen_, end_label_, end_);
  }

 private:
  void row(std::string path, std::string_view kind, std::string_view name, Cell status,
           std::string tries, std::vector<Cell> rest) {
    std::vector<Cell> cells{{std::move(path)},
                            {std::string(kind)},
                            {safe_line(name, kNameColumns)},
                            std::move(status),
                            {std::move(tries)}};
    cells.insert(cells.end(), rest.begin(), rest.end());
    table_.add(std::move(cells));
  }

  journal::Reader& reader_;
  const Screen& screen_;
  journal::Stamp created_;
  Table table_;
  std::string end_label_;
  std::string end_;
  journal::Stamp ended_ = 0;
};

void write_failure(const Screen& screen, std::string_view label, const Error& error) {
  std::string lead = "  " + std::string(label) + ": ";
  for (const std::string& line : safe_lines(error.to_string())) {
    screen.out << lead << line << '\n';
    lead.assign(lead.size(), ' ');
  }
}

/// What a step that did not end has behind it. Waits stand in the table, and in the explanation.
void write_unfinished(const Unfinished& step, const Screen& screen) {
  if (step.wait) return;
  std::string text = step_text(step) + ": " + counted(step.tries(), "attempt") + " begun";
  if (step.started) text += ", as " + std::string(to_string(step.started->effect));
  if (step.attempts) {
    const journal::Attempts& row = *step.attempts;
    if (row.unclean_ends != 0)
      text += ", the process died during it " + counted(row.unclean_ends, "time");
    if (row.last_stamp != 0 && row.count != 0)
      text += ", the last ended " + relative(row.last_stamp, screen.now);
    if (row.next_due != 0)
      text += ", the next is due " + iso_time(row.next_due, screen.zone) + " (" +
              relative(row.next_due, screen.now) + ")";
    if (row.asks != 0) text += ", asked about " + counted(row.asks, "time") + " in vain";
  }
  screen.out << safe_line(text) << '\n';
  if (!step.attempts) return;
  const journal::Attempts& row = *step.attempts;
  if (row.first_error && row.first_error != row.last_error)
    write_failure(screen, "first error", *row.first_error);
  if (row.last_error) write_failure(screen, "last error", *row.last_error);
  if (!row.progress) return;
  const Result<std::string> json = journal::payload_to_json(*row.progress);
  screen.out << "  progress: "
             << safe_line(json.has_value() ? json.assume_value()
                                           : "(not shown: " + json.assume_error().message + ")",
                          kPayloadColumns)
             << '\n';
}

void write_sagas(const std::vector<SagaFacts>& sagas, const Screen& screen) {
  std::size_t unnamed = 0;
  for (const SagaFacts& saga : sagas) {
    if (saga.is_over() && sagas.size() > kSagasShown) {
      ++unnamed;
      continue;
    }
    screen.out << first_line(saga_text(saga), kAnyWidth) << '\n';
  }
  if (unnamed != 0)
    screen.out << counted(unnamed, "saga") << (unnamed == 1 ? " that is over" : " that are over")
               << '\n';
}

}  // namespace

Result<void> show_run_as_text(journal::Reader& reader, const RunInfo& run,
                              const std::optional<std::string>& holder, const Screen& screen) {
  write_head(run, holder, screen);
  if (run.head.status != journal::RunStatus::queued) {
    PERDURE_TRY(const journal::BudgetInfo budget, reader.budget_info(run.id));
    if (const std::string text = budget_text(budget, screen); !text.empty())
      write_label(screen, "budget", text);
  }
  TextTeller teller(reader, run, screen);
  PERDURE_TRY(const Standing standing, tell(reader, run, teller));
  for (const Unfinished& step : standing.unfinished) teller.unfinished(step);
  teller.close();
  for (const Unfinished& step : standing.unfinished) write_unfinished(step, screen);
  for (const journal::Child& child : standing.children)
    screen.out << first_line(child_text(child), kAnyWidth) << '\n';
  write_sagas(standing.sagas, screen);
  if (run.head.status > journal::RunStatus::parked) return success();
  for (const std::string& line : safe_lines(explain(run, standing, holder, screen)))
    screen.out << line << '\n';
  return success();
}

Result<void> show_run(journal::Reader& reader, const RunInfo& run,
                      const std::optional<std::string>& holder, const Screen& screen) {
  return screen.format == Format::json ? show_run_as_json(reader, run, holder, screen)
                                       : show_run_as_text(reader, run, holder, screen);
}

}  // namespace perdure::cli
