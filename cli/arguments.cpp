#include "cli/arguments.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "cli/text.hpp"

namespace perdure::cli {
namespace {

using journal::RunStatus;

constexpr std::array kStatuses = {RunStatus::queued,   RunStatus::running,   RunStatus::waiting,
                                  RunStatus::parked,   RunStatus::completed, RunStatus::failed,
                                  RunStatus::cancelled};

constexpr const char* kAbout =
    "Looks into a Perdure journal, while a runtime works on it or after it ended, and gives orders "
    "to\nwhoever works on it, or to the next who does.";

constexpr const char* kFooter = R"(
Examples:
  perdure runs --journal trips.journal --status parked,failed
  perdure show trip/alice-lisbon --journal trips.journal
  perdure journal 01JZ3M8A9Q --journal trips.journal --json | jq .content.name
  perdure session trip/alice-lisbon --journal trips.journal
  perdure rows accounts --journal bank.journal --all
  perdure sagas --stuck --journal trips.journal
  perdure verify --journal trips.journal && echo sound
  perdure cancel trip/alice-lisbon --why "the trip is off" --journal trips.journal
  perdure raise trip/alice-lisbon --money 25 --tokens 2000000 --journal trips.journal
  perdure send trip/alice-lisbon approval '{"approved":true}' --journal trips.journal
  perdure saga retry 01JZ3M8A9Q.1 --journal trips.journal

RUN is a run's id, the beginning or end of one (at least 4 characters), or agent/key of a session.
SESSION is agent/key. SAGA is RUN.N, as `perdure sagas` lists it, or a RUN that has one.
An order goes to the runtime that has the journal open; if none has, it is queued in the journal.

Exit codes:
  0  done
  1  verify found damage
  2  the command line is wrong
  3  there is no journal there, or it cannot be read
  4  the journal has no such run, session or saga, or more than one
  5  the output could not be written
  6  the order was refused, or nobody answered; the message says which
)";

std::string version_text() {
  return "perdure " PERDURE_VERSION " (journal format " + std::to_string(journal::kFormatVersion) +
         ")";
}

/// What the options are read into.
struct Raw {
  std::string journal;
  std::string run;
  std::string session;
  std::string blob;
  std::string table;
  std::vector<std::string> statuses;
  std::string agent;
  std::size_t limit = 50;
  bool all = false;
  bool json = false;
  bool utc = false;
  OrderRequest order;
  std::string by;
  std::string grace;
  std::string within;
  bool message = false;
  std::string money;
  std::string gpu;
  std::string wall;
  std::string saga;
  bool stuck = false;
  bool compensate = false;
};

enum class Takes : std::uint8_t { nothing, run, session, blob, saga };

CLI::App& add_verb(CLI::App& app, Raw& raw, const std::string& name, const std::string& about,
                   Takes takes) {
  CLI::App& verb = *app.add_subcommand(name, about)->group("Verbs");
  if (takes == Takes::run)
    verb.add_option("RUN", raw.run, "The run: its id, a part of it, or agent/key")
        ->required()
        ->type_name("");
  if (takes == Takes::session)
    verb.add_option("SESSION", raw.session, "The session: agent/key")->required()->type_name("");
  if (takes == Takes::blob)
    verb.add_option("BLOB", raw.blob, "The blob: its id, or the first digits of it")
        ->required()
        ->type_name("");
  if (takes == Takes::saga)
    verb.add_option("SAGA", raw.saga, "The saga: RUN.N, or a RUN that has one")
        ->required()
        ->type_name("");
  verb.add_option("--journal", raw.journal, "The journal's directory")
      ->required()
      ->type_name("DIR");
  verb.add_flag("--json", raw.json, "Write JSON for programs instead of text");
  if (name == "runs" || name == "show" || name == "journal" || name == "session" || name == "sagas")
    verb.add_flag("--utc", raw.utc, "Show times in UTC instead of the local zone");
  return verb;
}

void add_rows_options(CLI::App& rows, Raw& raw) {
  rows.add_option("TABLE", raw.table, "The table whose rows to show; without it, all names")
      ->type_name("");
  CLI::Option* const limit =
      rows.add_option("--limit", raw.limit, "The first N rows; 50 when not given")->type_name("N");
  limit->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000}));
  rows.add_flag("--all", raw.all, "All rows")->excludes(limit);
}

void add_runs_options(CLI::App& runs, Raw& raw) {
  std::vector<std::string> names;
  names.reserve(kStatuses.size());
  for (const RunStatus status : kStatuses) names.emplace_back(to_string(status));
  runs.add_option("--status", raw.statuses, "Only runs with one of these, parted by commas")
      ->delimiter(',')
      ->type_name("STATUS")
      ->check(CLI::IsMember(names));
  runs.add_option("--agent", raw.agent, "Only runs of this agent")->type_name("NAME");
  CLI::Option* const limit =
      runs.add_option("--limit", raw.limit, "The newest N runs; 50 when not given")->type_name("N");
  limit->check(CLI::Range(std::size_t{1}, std::size_t{10'000}));
  runs.add_flag("--all", raw.all, "All runs")->excludes(limit);
}

void add_sagas_options(CLI::App& sagas, Raw& raw) {
  CLI::Option* const all = sagas.add_flag("--all", raw.all, "Also those that are over");
  sagas.add_flag("--stuck", raw.stuck, "Only those that need a person: stuck, or left open")
      ->excludes(all);
}

/// `500ms`, `30s`, `5m` or `2h`; empty for anything else, and for more than a year.
std::optional<std::chrono::milliseconds> duration_of(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, std::int64_t>, 4> kUnits{
      {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}}};
  constexpr std::int64_t kYear = std::int64_t{366} * 24 * 3'600'000;
  std::int64_t count = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  const auto found =
      std::ranges::find(kUnits, unit, &std::pair<std::string_view, std::int64_t>::first);
  if (failed != std::errc{} || found == kUnits.end() || count < 0 || count > kYear / found->second)
    return std::nullopt;
  return std::chrono::milliseconds(count * found->second);
}

const CLI::Validator kDuration(
    [](const std::string& text) {
      return duration_of(text) ? std::string()
                               : "'" + text + "' is no time: write 500ms, 30s, 5m or 2h";
    },
    "");

void add_send_options(CLI::App& send, Raw& raw) {
  send.add_option("SESSION", raw.run, "The session: agent/key")->required()->type_name("");
  send.add_option("NAME", raw.order.name, "The signal's name; with --message the handler's")
      ->required()
      ->type_name("");
  send.add_option("JSON", raw.order.json, "What is sent; - reads it from standard input")
      ->type_name("");
  CLI::Option* const message =
      send.add_flag("--message", raw.message, "Send a message, which makes a run, and no signal");
  send.add_option("--key", raw.order.key, "The message's key: equal ones make one run")
      ->type_name("KEY")
      ->needs(message);
}

void add_ending_options(CLI::App& verb, Raw& raw) {
  verb.add_option("--why", raw.order.why, "Why: recorded, and told to the handler")
      ->type_name("TEXT");
  verb.add_option("--by", raw.by, "Who wants it, if not the user")->type_name("NAME");
}

/// `12`, `12.5` or `0.000001`, in millionths; empty for anything else.
std::optional<std::int64_t> money_of(std::string_view text) {
  constexpr std::int64_t kMicros = 1'000'000;
  constexpr std::size_t kDigits = 6;
  const std::size_t point = std::min(text.find('.'), text.size());
  std::string digits(text.substr(0, point));
  std::string fraction(text.substr(std::min(point + 1, text.size())));
  const bool is_number =
      std::ranges::all_of(digits + fraction, [](unsigned char c) { return c >= '0' && c <= '9'; });
  if (!is_number || digits.empty() || fraction.size() > kDigits || (point + 1 == text.size()))
    return std::nullopt;
  fraction.resize(kDigits, '0');
  std::int64_t units = 0;
  std::int64_t micros = 0;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), units).ec != std::errc{} ||
      units > std::numeric_limits<std::int64_t>::max() / kMicros - 1)
    return std::nullopt;
  std::from_chars(fraction.data(), fraction.data() + fraction.size(), micros);
  return units * kMicros + micros;
}

const CLI::Validator kMoney(
    [](const std::string& text) {
      return money_of(text) ? std::string()
                            : "'" + text +
                                  "' is no amount of money: write 12 or 12.50, with six digits "
                                  "behind the point at most";
    },
    "");

void add_raise_options(CLI::App& raise, Raw& raw) {
  const CLI::Range some(std::int64_t{0}, std::numeric_limits<std::int64_t>::max());
  raise.add_option("--money", raw.money, "The money that may be spent in all")
      ->type_name("AMOUNT")
      ->check(kMoney);
  raise.add_option("--tokens", raw.order.limits.tokens, "The tokens, in all")
      ->type_name("N")
      ->check(some);
  raise.add_option("--gpu", raw.gpu, "The GPU time, in all")->type_name("TIME")->check(kDuration);
  raise.add_option("--attempts", raw.order.limits.attempts, "The attempts, in all")
      ->type_name("N")
      ->check(some);
  raise.add_option("--wall", raw.wall, "How long after its creation attempts may begin")
      ->type_name("TIME")
      ->check(kDuration);
  raise.add_option("--by", raw.by, "Who wants it, if not the user")->type_name("NAME");
}

/// The orders about a saga, in the order of `Verb`.
std::vector<CLI::App*> add_saga_orders(CLI::App& saga, Raw& raw) {
  CLI::App& retry = add_verb(saga, raw, "retry", "Try again what could not be undone", Takes::saga);
  CLI::App& skip =
      add_verb(saga, raw, "skip", "Leave what is not undone as it is, for good", Takes::saga);
  CLI::App& mark_done =
      add_verb(saga, raw, "mark-done", "Say that it was undone by hand", Takes::saga);
  CLI::App& compensate = add_verb(saga, raw, "compensate",
                                  "Abort a saga, or all that a RUN has open: undo it", Takes::saga);
  for (CLI::App* const verb : {&retry, &skip, &mark_done})
    verb->add_option("--action", raw.order.action,
                     "Only the action of this number in the saga; all when not given")
        ->type_name("N");
  for (CLI::App* const verb : {&retry, &skip, &mark_done, &compensate}) {
    verb->add_option("--why", raw.order.why, "Why: recorded")->type_name("TEXT");
    verb->add_option("--by", raw.by, "Who wants it, if not the user")->type_name("NAME");
  }
  return {&retry, &skip, &mark_done, &compensate};
}

/// The verbs that give orders, in the order of `Verb`.
std::vector<const CLI::App*> add_orders(CLI::App& app, CLI::App& saga, Raw& raw) {
  CLI::App& retry_now = add_verb(app, raw, "retry-now",
                                 "Begin the next attempt of steps that wait for it", Takes::run);
  CLI::App& resume = add_verb(app, raw, "resume", "Have a parked run go on", Takes::run);
  CLI::App& cancel = add_verb(app, raw, "cancel", "Ask a run to end", Takes::run);
  CLI::App& kill = add_verb(app, raw, "kill", "End a run without asking its code", Takes::run);
  CLI::App& send =
      add_verb(app, raw, "send", "Send a signal, or a message, to a session", Takes::nothing);
  add_send_options(send, raw);
  CLI::App& raise =
      add_verb(app, raw, "raise", "Give the budget of a run higher limits", Takes::run);
  add_raise_options(raise, raw);
  for (CLI::App* const verb : {&cancel, &kill}) {
    add_ending_options(*verb, raw);
    verb->add_flag("--compensate", raw.compensate,
                   "Undo the sagas that it leaves open, without asking its code");
  }
  cancel.add_option("--grace", raw.grace, "How long its code may go on to tidy up; 30s")
      ->type_name("TIME")
      ->check(kDuration);
  std::vector<CLI::App*> all{&retry_now, &resume, &cancel, &kill, &send, &raise};
  for (CLI::App* const verb : add_saga_orders(saga, raw)) all.push_back(verb);
  for (CLI::App* const verb : all)
    verb->add_option("--within", raw.within, "How long to wait for an answer; 10s")
        ->type_name("TIME")
        ->check(kDuration);
  return {all.begin(), all.end()};
}

OrderRequest to_order(Raw& raw) {
  OrderRequest order = std::move(raw.order);
  if (!raw.by.empty()) order.by = std::move(raw.by);
  if (const auto grace = duration_of(raw.grace)) order.grace = *grace;
  if (const auto within = duration_of(raw.within)) order.within = *within;
  if (raw.message) order.mail = Mail::message;
  if (raw.compensate) order.open_sagas = OpenSagas::compensate;
  const auto in_us = [](const std::string& text) -> std::optional<std::int64_t> {
    const std::optional<std::chrono::milliseconds> time = duration_of(text);
    if (!time) return std::nullopt;
    return std::chrono::microseconds(*time).count();
  };
  order.limits.money = money_of(raw.money);
  order.limits.gpu_us = in_us(raw.gpu);
  order.limits.wall_us = in_us(raw.wall);
  return order;
}

Request to_request(Raw raw, Verb verb, bool limits_agent) {
  Request request;
  request.order = to_order(raw);
  request.verb = verb;
  request.journal = std::move(raw.journal);
  request.format = raw.json ? Format::json : Format::text;
  request.zone = raw.utc ? Zone::utc : Zone::local;
  for (const RunStatus status : kStatuses)
    for (const std::string& name : raw.statuses)
      if (name == to_string(status)) request.runs.statuses.push_back(status);
  if (limits_agent) request.runs.agent = std::move(raw.agent);
  if (!raw.all) request.runs.limit = request.rows.limit = raw.limit;
  if (raw.all) request.runs.limit = request.rows.limit = std::nullopt;
  request.rows.table = std::move(raw.table);
  request.run = std::move(raw.run);
  request.session = std::move(raw.session);
  request.blob = std::move(raw.blob);
  request.saga = std::move(raw.saga);
  request.sagas.which = raw.all     ? SagasRequest::Which::all
                        : raw.stuck ? SagasRequest::Which::stuck
                                    : SagasRequest::Which::unfinished;
  return request;
}

/// Why no verb was chosen: CLI11 says only that one is required. Behind `saga` it is one of those
/// about a saga.
std::string without_verb(std::span<const char* const> arguments, bool of_a_saga) {
  const std::string help = of_a_saga ? "saga --help" : "--help";
  for (const std::string_view word :
       arguments.subspan(std::min<std::size_t>(arguments.size(), of_a_saga ? 2 : 1)))
    if (!word.starts_with('-'))
      return "there is no verb '" + safe_line(word) + "': `perdure " + help + "` lists them";
  if (of_a_saga) return "name what to do: show, retry, skip, mark-done or compensate";
  return "name a verb: runs, show, journal, session, blob, rows, sagas, saga, verify, retry-now, "
         "resume, cancel, kill, send or raise";
}

/// What CLI11 throws, as an answer.
Answer answer_to(const CLI::App& app, const CLI::ParseError& thrown,
                 std::span<const char* const> arguments) {
  const CLI::App* asked = &app;
  std::string path;
  for (auto chosen = app.get_subcommands(); !chosen.empty(); chosen = asked->get_subcommands()) {
    asked = chosen.front();
    path += asked->get_name() + ' ';
  }
  if (thrown.get_name() == "CallForHelp" || thrown.get_name() == "CallForAllHelp")
    return {ExitCode::ok, app.help()};
  if (thrown.get_name() == "CallForVersion") return {ExitCode::ok, version_text() + '\n'};
  const bool has_verbs = !asked->get_subcommands([](const CLI::App*) { return true; }).empty();
  std::string text = "perdure: ";
  text += has_verbs && thrown.get_name() == "RequiredError" ? without_verb(arguments, asked != &app)
                                                            : safe_line(thrown.what());
  return {ExitCode::usage, text + "\nTry `perdure " + path + "--help`.\n"};
}

}  // namespace

std::variant<Request, Answer> parse_arguments(std::span<const char* const> arguments) {
  Raw raw;
  CLI::App app(kAbout, "perdure");
  app.set_version_flag("--version", version_text());
  app.require_subcommand(1);
  app.footer(kFooter);
  app.get_formatter()->label("SUBCOMMAND", "VERB");
  CLI::App& runs = add_verb(app, raw, "runs", "List runs, the newest last", Takes::nothing);
  add_runs_options(runs, raw);
  const CLI::App& show =
      add_verb(app, raw, "show", "Show one run: its steps, and why it waits", Takes::run);
  const CLI::App& records =
      add_verb(app, raw, "journal", "Show every record of one run", Takes::run);
  const CLI::App& session =
      add_verb(app, raw, "session", "Show what came for a session, and its state", Takes::session);
  const CLI::App& blob = add_verb(app, raw, "blob", "Write the content of one blob", Takes::blob);
  CLI::App& rows =
      add_verb(app, raw, "rows", "List users' tables, or the rows of one", Takes::nothing);
  add_rows_options(rows, raw);
  CLI::App& sagas = add_verb(app, raw, "sagas", "List sagas that are not over", Takes::nothing);
  add_sagas_options(sagas, raw);
  CLI::App& saga = *app.add_subcommand("saga", "Show one saga, or see to it")->group("Verbs");
  saga.require_subcommand(1);
  const CLI::App& saga_show =
      add_verb(saga, raw, "show", "Show what a saga did, and what is to be undone", Takes::saga);
  add_verb(app, raw, "verify", "Look for damage in the whole journal", Takes::nothing);
  const std::vector<const CLI::App*> orders = add_orders(app, saga, raw);
  try {
    app.parse(static_cast<int>(arguments.size()), arguments.data());
  } catch (const CLI::ParseError& thrown) {
    return answer_to(app, thrown, arguments);
  }
  Verb verb = runs.parsed()        ? Verb::runs
              : show.parsed()      ? Verb::show
              : records.parsed()   ? Verb::journal
              : session.parsed()   ? Verb::session
              : blob.parsed()      ? Verb::blob
              : rows.parsed()      ? Verb::rows
              : sagas.parsed()     ? Verb::sagas
              : saga_show.parsed() ? Verb::saga_show
                                   : Verb::verify;
  for (std::size_t i = 0; i < orders.size(); ++i)
    if (orders[i]->parsed())
      verb = static_cast<Verb>(static_cast<std::size_t>(Verb::retry_now) + i);
  return to_request(std::move(raw), verb, runs.count("--agent") > 0);
}

}  // namespace perdure::cli
