#include "cli/session.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "cli/explanation.hpp"
#include "cli/table.hpp"
#include "cli/text.hpp"
#include "cli/values.hpp"

namespace perdure::cli {
namespace {

using journal::ArrivalRow;
using journal::RecordNumber;

constexpr std::size_t kNameColumns = 40;
constexpr std::size_t kValueColumns = 100;
constexpr std::size_t kLabelColumns = 10;

void write_label(const Screen& screen, std::string label, const std::string& text) {
  label.resize(kLabelColumns, ' ');
  screen.out << inked(label, Ink::bold, screen.colour) << text << '\n';
}

/// What an arrival is about, on one line.
std::string about(const ArrivalRow& arrival, const Screen& screen) {
  using What = ArrivalRow::What;
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (arrival.what == What::reply) {
    if (arrival.other) add("run " + to_string(*arrival.other) + " has ended");
    if (arrival.run)
      add("for step " + path_text(arrival.path) + " of run " + to_string(*arrival.run));
  } else if (arrival.other) {
    add("waits with run " + to_string(*arrival.other));
  } else if (arrival.run) {
    add((arrival.what == What::message ? "makes run " : "for run ") + to_string(*arrival.run));
  }
  if (arrival.saga == journal::kAllSagas)
    add("with all its open sagas");
  else if (arrival.saga != 0 && arrival.run)
    add("about saga " + journal::saga_id(*arrival.run, arrival.saga));
  if (arrival.due != 0)
    add("not before " + iso_time(arrival.due, screen.zone) + " (" +
        relative(arrival.due, screen.now) + ")");
  if (arrival.caller)
    add("called by " + std::string(arrival.caller->agent) + "/" +
        std::string(arrival.caller->session_key));
  if (!arrival.who.empty()) add("by " + std::string(arrival.who));
  if (!arrival.why.empty()) add(std::string(arrival.why));
  if (arrival.error) add(journal::to_error(*arrival.error).to_string());
  return first_line(text, kAnyWidth);
}

Result<void> write_mail(journal::Reader& reader, const SessionFacts& session, journal::Table table,
                        const Screen& screen) {
  using Align = Column::Align;
  Table lines(screen, {{table == journal::Table::inbox ? "NEW" : "KEPT", Align::right},
                       {"WHAT", Align::left},
                       {"NAME", Align::left},
                       {"SENT", Align::right},
                       {"VALUE", Align::left},
                       {"ABOUT", Align::left}});
  bool is_empty = true;
  PERDURE_TRY(
      reader.each_arrival(table, session.id, [&](const ArrivalRow& arrival, RecordNumber number) {
        if (std::exchange(is_empty, false)) screen.out << '\n';
        lines.add({{"#" + std::to_string(number)},
                   {std::string(to_string(arrival.what))},
                   {safe_line(arrival.name, kNameColumns)},
                   {relative(arrival.stamp, screen.now)},
                   {payload_line(arrival.payload, reader, kNameColumns)},
                   {about(arrival, screen)}});
        return screen.open();
      }));
  lines.finish();
  return success();
}

Result<void> write_state(journal::Reader& reader, const SessionFacts& session,
                         const Screen& screen) {
  using Align = Column::Align;
  Table lines(screen, {{"STATE", Align::left},
                       {"TYPE", Align::left},
                       {"SIZE", Align::right},
                       {"VALUE", Align::left}});
  bool is_empty = true;
  PERDURE_TRY(reader.each_state(session.id, [&](const journal::StateRow& state) {
    if (std::exchange(is_empty, false)) screen.out << '\n';
    lines.add({{safe_line(state.name, kNameColumns)},
               {safe_line(state.type, kNameColumns)},
               {size_text(state.payload.size())},
               {payload_line(state.payload, reader, kValueColumns)}});
    return screen.open();
  }));
  lines.finish();
  return success();
}

Result<void> show_as_text(journal::Reader& reader, const SessionFacts& session,
                          const std::optional<std::string>& holder, const Screen& screen) {
  write_label(screen, "session", safe_line(session.agent + "/" + session.key));
  write_label(screen, "created",
              session.created == 0
                  ? "not yet: nobody has looked at what came for it"
                  : iso_time(session.created, screen.zone, Fraction::milliseconds) + " (" +
                        relative(session.created, screen.now) + ")");
  write_label(screen, "run",
              session.open_run ? to_string(session.open_run->id) + ", " +
                                     std::string(to_string(session.open_run->head.status))
                               : "none is unfinished");
  write_label(screen, "journal",
              holder ? "open in " + safe_line(*holder) : "not open for writing in any process");
  if (!session.children.empty()) screen.out << '\n';
  for (const journal::Child& child : session.children)
    screen.out << first_line(child_text(child), kAnyWidth) << '\n';
  PERDURE_TRY(write_mail(reader, session, journal::Table::inbox, screen));
  PERDURE_TRY(write_mail(reader, session, journal::Table::kept, screen));
  return write_state(reader, session, screen);
}

Result<void> write_json_mail(journal::Reader& reader, const SessionFacts& session,
                             journal::Table table, const Screen& screen) {
  screen.out << ",\"" << to_string(table) << "\":[";
  const char* between = "\n";
  PERDURE_TRY(
      reader.each_arrival(table, session.id, [&](const ArrivalRow& arrival, RecordNumber number) {
        screen.out << std::exchange(between, ",\n") << json_of(arrival, number, reader).line();
        return screen.open();
      }));
  screen.out << "\n]";
  return success();
}

Result<void> show_as_json(journal::Reader& reader, const SessionFacts& session,
                          const std::optional<std::string>& holder, const Screen& screen) {
  JsonObject head;
  head.text("agent", session.agent).text("key", session.key);
  set_time(head, "created", session.created);
  if (session.open_run)
    head.object("open_run", json_of(*session.open_run));
  else
    head.null("open_run");
  if (holder)
    head.text("holder", *holder);
  else
    head.null("holder");
  std::string line = head.line();
  line.pop_back();
  screen.out << line << ",\"children\":[";
  const char* between_children = "\n";
  for (const journal::Child& child : session.children)
    screen.out << std::exchange(between_children, ",\n") << json_of(child).line();
  screen.out << "\n]";
  PERDURE_TRY(write_json_mail(reader, session, journal::Table::inbox, screen));
  PERDURE_TRY(write_json_mail(reader, session, journal::Table::kept, screen));
  screen.out << ",\"state\":[";
  const char* between = "\n";
  PERDURE_TRY(reader.each_state(session.id, [&](const journal::StateRow& state) {
    JsonObject value;
    value.text("name", state.name);
    set_payload(value, "value", state.type, state.payload, reader);
    screen.out << std::exchange(between, ",\n") << value.line();
    return screen.open();
  }));
  screen.out << "\n]}\n";
  return success();
}

}  // namespace

Result<SessionFacts> find_session(journal::Reader& reader, std::string_view text) {
  const std::string quoted = "'" + safe_line(text, 80) + "'";
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos)
    return Error{Code::misuse, quoted + " is no address of a session (agent/key)"};
  SessionFacts facts;
  facts.agent = text.substr(0, slash);
  facts.key = text.substr(slash + 1);
  journal::SessionId free;
  PERDURE_TRY(const auto found, reader.find_session(facts.agent, facts.key, &free));
  facts.id = found.value_or(free);
  if (!found) {
    bool has_mail = false;
    PERDURE_TRY(
        reader.each_arrival(journal::Table::inbox, facts.id, [&](const ArrivalRow&, RecordNumber) {
          has_mail = true;
          return false;
        }));
    if (!has_mail)
      return Error{Code::not_found, "there is no session " + quoted +
                                        " in the journal; `perdure runs` lists what there is"};
    return facts;
  }
  PERDURE_TRY(const auto row, reader.session(facts.id));
  if (row) facts.created = row->created;
  PERDURE_TRY(const auto open, reader.open_run(facts.id));
  if (open) {
    PERDURE_TRY(facts.open_run, reader.run(*open));
    PERDURE_TRY(facts.children, reader.children(*open));
    std::ranges::sort(facts.children, {}, &journal::Child::path);
  }
  return facts;
}

Result<void> show_session(journal::Reader& reader, const SessionFacts& session,
                          const std::optional<std::string>& holder, const Screen& screen) {
  return screen.format == Format::json ? show_as_json(reader, session, holder, screen)
                                       : show_as_text(reader, session, holder, screen);
}

}  // namespace perdure::cli
