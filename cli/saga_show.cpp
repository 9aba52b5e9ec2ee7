#include "cli/saga_show.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "cli/saga_facts.hpp"
#include "cli/saga_payer.hpp"
#include "cli/show.hpp"
#include "cli/table.hpp"
#include "cli/text.hpp"
#include "cli/values.hpp"
#include "journal/row_scan.hpp"

namespace perdure::cli {
namespace {

using journal::RunInfo;
using journal::SagaState;
using journal::StoredUndo;
using journal::UndoState;
using journal::UndoWhat;

constexpr std::size_t kActionColumns = 40;
constexpr std::size_t kUndoColumns = 60;
constexpr std::size_t kInputColumns = 40;
constexpr std::size_t kActionWhyColumns = 100;
constexpr std::size_t kSagaLabelColumns = 10;

/// All that is known of one saga, and of those within it.
struct Story {
  struct Part {
    SagaFacts facts;
    std::vector<StoredUndo> actions;
  };
  RunInfo run;
  std::vector<Part> parts;  ///< The saga, then those within it, each behind the one it is in.
  std::optional<Payer> payer;

  [[nodiscard]] const SagaFacts& saga() const { return parts.front().facts; }
  [[nodiscard]] const SagaFacts* find(std::uint32_t number) const {
    const auto found =
        std::ranges::find(parts, number, [](const Part& part) { return part.facts.saga.number; });
    return found == parts.end() ? nullptr : &found->facts;
  }
  [[nodiscard]] Paying paying(const SagaFacts& facts, const StoredUndo& action) const {
    if (!payer) return {};
    const auto found = payer->actions.find({facts.saga.number, action.index});
    return found == payer->actions.end() ? Paying{} : found->second;
  }
};

Result<void> add_part(journal::Reader& reader, Story& story, std::uint32_t number) {
  if (story.find(number) != nullptr) return success();
  PERDURE_TRY(auto row, reader.saga(story.run.id, number));
  if (!row) return success();
  Story::Part part;
  PERDURE_TRY(part.facts, facts_of(reader, *std::move(row), story.run.head.status));
  PERDURE_TRY(part.actions, reader.undos(story.run.id, number));
  story.parts.push_back(std::move(part));
  std::vector<std::uint32_t> within;
  for (const StoredUndo& action : story.parts.back().actions)
    if (action.what == UndoWhat::saga) within.push_back(action.saga);
  for (const std::uint32_t each : within) {
    PERDURE_TRY(add_part(reader, story, each));
  }
  return success();
}

Result<Story> story_of(journal::Reader& reader, const journal::SagaId& id) {
  PERDURE_TRY(auto run, reader.run(id.run));
  if (!run)
    return Error{Code::corrupt, "run " + to_string(id.run) +
                                    ", which has a saga, is missing: run `perdure verify`"};
  Story story;
  story.run = *std::move(run);
  PERDURE_TRY(add_part(reader, story, id.number));
  if (story.parts.empty())
    return Error{Code::not_found, "the journal has no saga " + journal::saga_id(id.run, id.number)};
  PERDURE_TRY(story.payer, payer_of(reader, story.saga().saga));
  return story;
}

/// Its input, borrowed from `buffer`.
Result<journal::PayloadView> input_of(journal::Reader& reader, journal::RecordBuffer& buffer,
                                      const SagaFacts& facts, std::uint32_t index) {
  PERDURE_TRY(const auto row, journal::read_row<journal::UndoRow>(
                                  reader.snapshot(), buffer, journal::Table::undos,
                                  journal::undo_row(facts.saga.run, facts.saga.number, index)));
  return row ? row->payload : journal::PayloadView{};
}

std::string undone_by_text(const Story& story, const StoredUndo& action) {
  switch (action.what) {
    case UndoWhat::undo: return action.undo;
    case UndoWhat::pivot: return "nothing: it is the pivot";
    case UndoWhat::saga: return "saga " + journal::saga_id(story.run.id, action.saga);
    case UndoWhat::run:
      return "run " + (action.run ? to_string(*action.run) : "?") + " of " + action.agent + "/" +
             action.session_key;
  }
  return "";
}

/// Whether it is a saga within that is undone with this one, and so has a state of its own.
const SagaFacts* saga_of(const Story& story, const StoredUndo& action) {
  const bool has_own_state =
      action.what == UndoWhat::saga &&
      (action.state == UndoState::registered || action.state == UndoState::happened);
  return has_own_state ? story.find(action.saga) : nullptr;
}

Cell state_cell(const Story& story, const SagaFacts& facts, const StoredUndo& action) {
  if (const SagaFacts* const within = saga_of(story, action); within != nullptr)
    return {state_text(*within), ink_of(*within)};
  if (action.state == UndoState::stuck) return {"stuck", Ink::red};
  if (is_owed(facts.saga, action)) return {"owed", Ink::yellow};
  const bool is_undone = action.state == UndoState::paid || action.state == UndoState::marked;
  return {std::string(to_string(action.state)), is_undone ? Ink::green : Ink::plain};
}

std::string action_why_text(const StoredUndo& action, const Paying& paying) {
  if (action.state == UndoState::skipped || action.state == UndoState::marked)
    return decision_text(action.who, action.why);
  if (paying.last_error) return paying.last_error->to_string();
  return action.error ? action.error->to_string() : "";
}

/// When it is tried next: the next attempt, or when an action that was lost has settled.
journal::Stamp next_of(const SagaFacts& facts, const StoredUndo& action, const Paying& paying,
                       journal::Stamp now) {
  if (paying.next_due != 0) return paying.next_due;
  return is_owed(facts.saga, action) && action.not_before > now ? action.not_before : 0;
}

// --- Text ----------------------------------------------------------------------------------------

void write_line(const Screen& screen, std::string label, const std::string& text) {
  label.resize(std::max(label.size() + 1, kSagaLabelColumns), ' ');
  screen.out << inked(label, Ink::bold, screen.colour) << safe_line(text) << '\n';
}

std::string moment_text(journal::Stamp stamp, const Screen& screen) {
  return iso_time(stamp, screen.zone, Fraction::milliseconds) + " (" + relative(stamp, screen.now) +
         ")";
}

void write_saga_head(const Story& story, const std::optional<std::string>& holder,
                     const Screen& screen) {
  const SagaFacts& facts = story.saga();
  const journal::StoredSaga& saga = facts.saga;
  write_line(screen, "saga", facts.id());
  write_line(screen, "name", saga.name);
  const std::string owed = owed_text(facts);
  write_line(screen, "state", state_text(facts) + (owed.empty() ? "" : ", " + owed));
  write_line(screen, "run",
             to_string(saga.run) + ", " + std::string(to_string(story.run.head.status)));
  write_line(screen, "session", story.run.agent + "/" + story.run.session_key);
  write_line(screen, "begun", moment_text(saga.created, screen));
  write_line(screen, "changed", moment_text(saga.changed, screen));
  if (saga.parent != 0)
    write_line(screen, "within",
               "saga " + journal::saga_id(saga.parent_run.value_or(saga.run), saga.parent));
  if (saga.paid_with != 0 && saga.paid_with != saga.number)
    write_line(screen, "with",
               "saga " + journal::saga_id(saga.run, saga.paid_with) + ", which it is undone with");
  if (saga.deadline != 0)
    write_line(
        screen, "deadline",
        moment_text(saga.deadline, screen) + (saga.reaches_parked ? ", also of a parked run" : ""));
  if (is_being_undone(saga.state) || saga.state == SagaState::compensated) {
    const bool told = story.payer && !story.payer->code.empty();
    const std::string code = told ? story.payer->code : std::string(to_string(saga.code));
    const std::string why =
        decision_text(told ? story.payer->who : saga.who, told              ? story.payer->why
                                                          : saga.stuck == 0 ? saga.why
                                                                            : "");
    write_line(screen, "aborted", code + (why.empty() ? "" : ", " + why));
  }
  if (saga.state == SagaState::stuck) write_line(screen, "stuck", saga.why);
  if (story.payer)
    write_line(screen, "payer",
               "run " + to_string(story.payer->run.id) + ", " +
                   std::string(to_string(story.payer->run.head.status)));
  write_line(screen, "journal",
             holder ? "open in " + *holder : "not open for writing in any process");
}

Result<void> write_actions(journal::Reader& reader, const Story& story, const Story::Part& part,
                           const Screen& screen) {
  using Align = Column::Align;
  Table table(screen, {{"ACTION", Align::right},
                       {"STEP", Align::left},
                       {"NAME", Align::left},
                       {"UNDONE BY", Align::left},
                       {"STATE", Align::left},
                       {"TRIES", Align::right},
                       {"NEXT", Align::right},
                       {"AGE", Align::right},
                       {"INPUT", Align::left},
                       {"WHY", Align::left}});
  for (const StoredUndo& action : part.actions) {
    const Paying paying = story.paying(part.facts, action);
    const journal::Stamp next = next_of(part.facts, action, paying, screen.now);
    journal::RecordBuffer buffer;
    PERDURE_TRY(const journal::PayloadView input,
                input_of(reader, buffer, part.facts, action.index));
    table.add({{std::to_string(action.index)},
               {path_text(action.path)},
               {safe_line(action.name, kActionColumns)},
               {safe_line(undone_by_text(story, action), kUndoColumns)},
               state_cell(story, part.facts, action),
               {paying.attempts == 0 ? "" : std::to_string(paying.attempts)},
               {next == 0 ? "" : relative(next, screen.now)},
               {duration(screen.now - action.stamp)},
               {payload_line(input, reader, kInputColumns)},
               {first_line(action_why_text(action, paying), kActionWhyColumns)}});
  }
  table.finish();
  return success();
}

Result<void> show_saga_as_text(journal::Reader& reader, const Story& story,
                               const std::optional<std::string>& holder, const Screen& screen) {
  write_saga_head(story, holder, screen);
  for (const Story::Part& part : story.parts) {
    screen.out << '\n';
    if (&part != &story.parts.front())
      screen.out << safe_line("within it, saga " + part.facts.id() + " '" + part.facts.saga.name +
                              "': " + state_text(part.facts))
                 << '\n';
    PERDURE_TRY(write_actions(reader, story, part, screen));
  }
  return success();
}

// --- JSON ----------------------------------------------------------------------------------------

Result<JsonObject> action_json(journal::Reader& reader, const Story& story, const SagaFacts& facts,
                               const StoredUndo& action) {
  const Paying paying = story.paying(facts, action);
  JsonObject object;
  object.number("index", action.index)
      .text("step", path_text(action.path))
      .text("name", action.name)
      .text("tool", action.tool)
      .text("what", to_string(action.what))
      .text("undo", action.undo);
  set_saga(object, "saga", facts.saga.run, action.saga);
  set_run(object, "run", action.run);
  object.text("agent", action.agent)
      .text("key", action.session_key)
      .text("state", to_string(action.state))
      .truth("owed", is_owed(facts.saga, action))
      .number("attempts", paying.attempts);
  set_time(object, "next_due", paying.next_due);
  if (paying.last_error)
    object.object("last_error", json_of(*paying.last_error));
  else
    object.null("last_error");
  set_time(object, "not_before", action.not_before);
  set_time(object, "registered", action.stamp);
  set_time(object, "changed", action.changed);
  object.number("settle_ms", action.settle_ms);
  if (action.error)
    object.object("error", json_of(*action.error));
  else
    object.null("error");
  object.text("who", action.who).text("why", action.why).text("output_type", action.output_type);
  journal::RecordBuffer buffer;
  PERDURE_TRY(const journal::PayloadView input, input_of(reader, buffer, facts, action.index));
  set_payload(object, "input", action.input_type, input, reader, kShownPayloadBytes);
  return object;
}

Result<void> write_json_actions(journal::Reader& reader, const Story& story,
                                const Story::Part& part, const Screen& screen) {
  screen.out << "\"actions\":[";
  const char* between = "\n";
  for (const StoredUndo& action : part.actions) {
    PERDURE_TRY(const JsonObject object, action_json(reader, story, part.facts, action));
    screen.out << std::exchange(between, ",\n") << object.line();
  }
  screen.out << "\n]";
  return success();
}

JsonObject payer_json(const Payer& payer) {
  return JsonObject()
      .object("run", json_of(payer.run))
      .text("code", payer.code)
      .text("who", payer.who)
      .text("why", payer.why);
}

Result<void> show_saga_as_json(journal::Reader& reader, const Story& story,
                               const std::optional<std::string>& holder, const Screen& screen) {
  JsonObject head;
  head.object("saga", json_of(story.saga(), story.run));
  if (holder)
    head.text("holder", *holder);
  else
    head.null("holder");
  if (story.payer)
    head.object("payer", payer_json(*story.payer));
  else
    head.null("payer");
  std::string line = head.line();
  line.pop_back();
  screen.out << line << ",";
  PERDURE_TRY(write_json_actions(reader, story, story.parts.front(), screen));
  screen.out << ",\"within\":[";
  for (std::size_t i = 1; i < story.parts.size(); ++i) {
    std::string open = JsonObject().object("saga", json_of(story.parts[i].facts)).line();
    open.back() = ',';
    screen.out << (i == 1 ? "\n" : ",\n") << open;
    PERDURE_TRY(write_json_actions(reader, story, story.parts[i], screen));
    screen.out << '}';
  }
  screen.out << "\n]}\n";
  return success();
}

}  // namespace

Result<void> show_saga(journal::Reader& reader, const journal::SagaId& saga,
                       const std::optional<std::string>& holder, const Screen& screen) {
  PERDURE_TRY(const Story story, story_of(reader, saga));
  return screen.format == Format::json ? show_saga_as_json(reader, story, holder, screen)
                                       : show_saga_as_text(reader, story, holder, screen);
}

}  // namespace perdure::cli
