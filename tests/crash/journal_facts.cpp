#include "tests/crash/journal_facts.hpp"

#include <perdure/child.hpp>

#include "journal/arrival.hpp"
#include "journal/directory.hpp"
#include "journal/page_checker.hpp"
#include "journal/reader.hpp"
#include "journal/row_scan.hpp"
#include "journal/step_path.hpp"
#include "journal/verify.hpp"
#include "tests/crash/log_rows.hpp"
#include "tests/crash/workload_types.hpp"

#include <exception>
#include <fstream>
#include <utility>

namespace perdure::crash {
namespace {

std::string words_of_failure(const journal::ErrorView& error) {
  return words_of(journal::to_error(error));
}

/// A payload's value, wherever its bytes are.
template <class T>
Result<T> value_of(journal::Reader& reader, const journal::PayloadView& payload) {
  PERDURE_TRY(const core::Bytes bytes, reader.copy_of(payload));
  return decode<T>(bytes);
}

/// What a body gave.
Result<std::string> nonce_of(const std::string& id, const Token& token) {
  if (token.step != id)
    return Error{Code::user, "the result of step " + id + " came from step " + token.step};
  if (token.ballast != ballast_of(token.nonce, token.ballast.size()))
    return Error{Code::user, "the result of step " + id + " is not what its body gave"};
  return token.nonce;
}

/// What the step gave its handler: replies and signals are texts, a child is known by its run.
Result<std::string> text_of(journal::Reader& reader, const std::string& id,
                            const journal::StepResult& result) {
  switch (result.step_kind) {
    case journal::StepKind::step: {
      PERDURE_TRY(const Token token, value_of<Token>(reader, result.payload));
      return nonce_of(id, token);
    }
    case journal::StepKind::sleep:
    case journal::StepKind::send: return std::string();
    case journal::StepKind::receive:
    case journal::StepKind::call:
    case journal::StepKind::join: return value_of<std::string>(reader, result.payload);
    case journal::StepKind::commit:
    case journal::StepKind::compensate: return std::string();
    case journal::StepKind::spawn: {
      PERDURE_TRY(const detail::ChildRef child, value_of<detail::ChildRef>(reader, result.payload));
      return child.run;
    }
  }
  return Error{Code::user, "a step of a kind that no workload has"};
}

Result<void> add_result(journal::Reader& reader, const journal::StepResult& result,
                        std::int64_t after, RecordedRun& run) {
  RecordedResult fact;
  fact.name = result.name;
  fact.attempts = static_cast<int>(result.attempts);
  fact.kind = to_string(result.step_kind);
  fact.stamp = result.stamp;
  fact.after = after;
  const std::string id = journal::StepPath(result.path).to_string();
  if (result.error) {
    fact.failed = true;
    fact.code = to_string(result.error->code);
    fact.text = words_of_failure(*result.error);
  } else {
    PERDURE_TRY(fact.text, text_of(reader, id, result));
  }
  if (!run.results.emplace(id, fact).second)
    return Error{Code::user, "step " + id + " has two results"};
  return success();
}

Result<void> add_creation(journal::Reader& reader, const journal::RunCreated& created,
                          RecordedRun& run) {
  PERDURE_TRY(const Order order, value_of<Order>(reader, created.payload));
  run.order = words_of(order);
  run.handler = created.handler;
  run.created_at = created.stamp;
  if (created.caller) run.caller = to_string(created.caller->run);
  return success();
}

Result<void> add_end(journal::Reader& reader, const journal::RunEnded& ended, RecordedRun& run) {
  if (ended.error) {
    run.reply = words_of_failure(*ended.error);
  } else {
    PERDURE_TRY(run.reply, value_of<std::string>(reader, ended.payload));
  }
  return success();
}

/// `stamp`: of the record before, and then of this one.
Result<void> add_record(journal::Reader& reader, const journal::RecordBuffer& record,
                        std::int64_t& stamp, RecordedRun& run) {
  switch (record.kind()) {
    case journal::Kind::run_created: {
      PERDURE_TRY(const auto created, record.as<journal::RunCreated>());
      stamp = created.stamp;
      run.created = record.number();
      return add_creation(reader, created, run);
    }
    case journal::Kind::step_started: {
      PERDURE_TRY(const auto started, record.as<journal::StepStarted>());
      stamp = started.stamp;
      run.starts[journal::StepPath(started.path).to_string()].push_back(
          static_cast<int>(started.attempt));
      return success();
    }
    case journal::Kind::step_result: {
      PERDURE_TRY(const auto result, record.as<journal::StepResult>());
      return add_result(reader, result, std::exchange(stamp, result.stamp), run);
    }
    case journal::Kind::run_ended: {
      PERDURE_TRY(const auto ended, record.as<journal::RunEnded>());
      run.ended = record.number();
      return add_end(reader, ended, run);
    }
    case journal::Kind::version_mark: {
      PERDURE_TRY(const auto mark, record.as<journal::VersionMark>());
      run.marks.emplace(mark.name, static_cast<int>(mark.version));
      return success();
    }
    case journal::Kind::cancel_requested: run.cancelled = record.number(); return success();
    default: return Error{Code::user, "a record of a kind that no workload writes"};
  }
}

Result<RecordedRun> read_run(journal::Reader& reader, const journal::RunInfo& info) {
  RecordedRun run;
  run.agent = info.agent;
  run.session = info.session_key;
  run.status = journal::to_string(info.head.status);
  // It has no records yet.
  if (info.head.status == journal::RunStatus::queued) return run;
  PERDURE_TRY(const journal::BudgetInfo budget, reader.budget_info(info.id));
  if (budget.own) run.tokens = budget.usage.used.tokens + budget.usage.reserved.tokens;
  std::int64_t stamp = 0;
  PERDURE_TRY(journal::RecordStream records, reader.records(info.id));
  for (;;) {
    PERDURE_TRY(const journal::RecordBuffer* record, records.next());
    if (record == nullptr) return run;
    PERDURE_TRY(add_record(reader, *record, stamp, run));
  }
}

/// A message that is queued has a run already, whose order stands nowhere else.
Result<void> add_waiting(journal::Reader& reader, const journal::ArrivalRow& row,
                         JournalFacts& facts) {
  const std::string session = std::string(row.agent) + "/" + std::string(row.session_key);
  Waiting waiting{session, std::string(to_string(row.what)), {}};
  if (row.what == journal::ArrivalRow::What::message) {
    PERDURE_TRY(const Order order, value_of<Order>(reader, row.payload));
    waiting.text = order.flavour;
    if (row.run) waiting.run = to_string(*row.run);
    const auto run = row.run ? facts.runs.find(to_string(*row.run)) : facts.runs.end();
    if (run != facts.runs.end() && run->second.created == 0) run->second.order = words_of(order);
  } else if (row.what == journal::ArrivalRow::What::signal) {
    PERDURE_TRY(waiting.text, value_of<std::string>(reader, row.payload));
  }
  facts.waiting.push_back(std::move(waiting));
  return success();
}

/// What has come for sessions, what they keep, and what they know.
Result<void> read_sessions(journal::Store& store, JournalFacts& facts) {
  PERDURE_TRY(journal::Reader reader, journal::Reader::open(store));
  Result<void> read = success();
  PERDURE_TRY(reader.each_unread([&](const journal::SessionId&, const journal::Arrival& arrival) {
    read = add_waiting(reader, journal::view_of(arrival), facts);
    return read.has_value();
  }));
  PERDURE_TRY(std::move(read));
  PERDURE_TRY(const auto snapshot, store.snapshot());
  PERDURE_TRY(const auto rows, snapshot->scan(journal::Table::sessions, {}, {}));
  for (;;) {
    PERDURE_TRY(const bool found, rows->next());
    if (!found) return success();
    const auto session = journal::id_at<journal::SessionId>(rows->key(), 0);
    PERDURE_TRY(const auto known, reader.session(session));
    PERDURE_TRY(const auto kept, reader.arrivals(journal::Table::kept, session));
    for (const journal::Arrival& each : kept)
      PERDURE_TRY(add_waiting(reader, journal::view_of(each), facts));
    read = success();
    auto& state = facts.states[known->agent + "/" + known->key];
    PERDURE_TRY(reader.each_state(session, [&](const journal::StateRow& row) {
      const Result<int> value = value_of<int>(reader, row.payload);
      if (value) state.emplace(row.name, value.value());
      if (!value) read = value.error();
      return value.has_value();
    }));
    PERDURE_TRY(std::move(read));
  }
}

Result<void> read_runs(journal::Store& store, JournalFacts& facts) {
  PERDURE_TRY(journal::Reader reader, journal::Reader::open(store));
  PERDURE_TRY(journal::Reader other, journal::Reader::open(store));
  PERDURE_TRY(const auto counters, reader.counters());
  facts.ended_cleanly = counters && counters->clean != 0;
  return reader.each_run([&](const journal::RunInfo& info) {
    Result<RecordedRun> run = read_run(other, info);
    if (run) {
      facts.runs.emplace(to_string(info.id), std::move(run).value());
    } else {
      facts.findings.push_back("run " + to_string(info.id) + ": " + run.error().to_string());
    }
    return true;
  });
}

/// Without one, empty.
std::filesystem::path generation_of(const std::filesystem::path& directory) {
  std::ifstream current(directory / "CURRENT");
  std::string line;
  std::string generation;
  if (!std::getline(current, line) || !std::getline(current, generation)) return {};
  return directory / generation;
}

/// The tables with the log on top, put together by another way.
Result<void> compare_rows(const std::filesystem::path& directory, journal::Store& store,
                          JournalFacts& facts) {
  PERDURE_TRY(journal::Reader reader, journal::Reader::open(store));
  PERDURE_TRY(const auto identity, reader.identity());
  if (!identity) return Error{Code::corrupt, "the journal has no identity"};
  try {
    for (std::string& finding :
         differ_by_another_way(generation_of(directory), identity->journal, all_rows(store)))
      facts.findings.push_back(std::move(finding));
  } catch (const std::exception& failed) {
    return Error{Code::corrupt, failed.what()};
  }
  return success();
}

/// Before LMDB maps the file: it dies of a broken one.
void check_pages_in(const std::filesystem::path& directory, JournalFacts& facts) {
  const std::filesystem::path generation = generation_of(directory);
  if (generation.empty()) return;
  const auto report = journal::check_pages(generation / "data.mdb");
  if (!report) {
    facts.findings.push_back(report.error().to_string());
    return;
  }
  for (const journal::PageFinding& finding : report.value().findings)
    facts.findings.push_back("page " + std::to_string(finding.page) + ": " + finding.what);
}

}  // namespace

JournalFacts read_journal(const std::filesystem::path& directory) {
  JournalFacts facts;
  check_pages_in(directory, facts);
  if (!facts.findings.empty()) {
    facts.exists = true;
    return facts;
  }
  const auto journal = journal::JournalForReading::open(directory);
  if (!journal && journal.error().code == Code::not_found) return facts;
  facts.exists = true;
  if (!journal) {
    facts.findings.push_back(journal.error().to_string());
    return facts;
  }
  journal::Store& store = journal.value()->store();
  const Result<journal::VerifyReport> report = journal::verify(store);
  if (!report) {
    facts.findings.push_back(report.error().to_string());
    return facts;
  }
  for (const journal::Finding& finding : report.value().findings)
    facts.findings.push_back(std::string(to_string(finding.table)) + " " + finding.place + ": " +
                             finding.what);
  if (const Result<void> same = compare_rows(directory, store, facts); !same)
    facts.findings.push_back(same.error().to_string());
  if (const Result<void> read = read_runs(store, facts); !read)
    facts.findings.push_back(read.error().to_string());
  if (const Result<void> read = read_sessions(store, facts); !read)
    facts.findings.push_back(read.error().to_string());
  return facts;
}

}  // namespace perdure::crash
