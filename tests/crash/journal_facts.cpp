#include "tests/crash/journal_facts.hpp"

#include "journal/directory.hpp"
#include "journal/page_checker.hpp"
#include "journal/reader.hpp"
#include "journal/step_path.hpp"
#include "journal/verify.hpp"
#include "tests/crash/log_rows.hpp"
#include "tests/crash/workload_types.hpp"

#include <exception>
#include <fstream>

namespace perdure::crash {
namespace {

std::string words_of_failure(const journal::ErrorView& error) {
  return words_of(journal::to_error(error));
}

Result<void> add_result(journal::Reader& reader, const journal::StepResult& result,
                        RecordedRun& run) {
  RecordedResult fact;
  fact.name = result.name;
  fact.attempts = static_cast<int>(result.attempts);
  const std::string id = journal::StepPath(result.path).to_string();
  if (result.error) {
    fact.failed = true;
    fact.code = to_string(result.error->code);
    fact.text = words_of_failure(*result.error);
  } else {
    PERDURE_TRY(const core::Bytes payload, reader.copy_of(result.payload));
    PERDURE_TRY(const Token token, decode<Token>(payload));
    if (token.step != id)
      return Error{Code::user, "the result of step " + id + " came from step " + token.step};
    if (token.ballast != ballast_of(token.nonce, token.ballast.size()))
      return Error{Code::user, "the result of step " + id + " is not what its body gave"};
    fact.text = token.nonce;
  }
  if (!run.results.emplace(id, fact).second)
    return Error{Code::user, "step " + id + " has two results"};
  return success();
}

Result<void> add_record(journal::Reader& reader, const journal::RecordBuffer& record,
                        RecordedRun& run) {
  switch (record.kind()) {
    case journal::Kind::run_created: {
      PERDURE_TRY(const auto created, record.as<journal::RunCreated>());
      PERDURE_TRY(const core::Bytes input, reader.copy_of(created.payload));
      PERDURE_TRY(const Order order, decode<Order>(input));
      run.order = words_of(order);
      return success();
    }
    case journal::Kind::step_started: {
      PERDURE_TRY(const auto started, record.as<journal::StepStarted>());
      run.starts[journal::StepPath(started.path).to_string()].push_back(
          static_cast<int>(started.attempt));
      return success();
    }
    case journal::Kind::step_result: {
      PERDURE_TRY(const auto result, record.as<journal::StepResult>());
      return add_result(reader, result, run);
    }
    case journal::Kind::run_ended: {
      PERDURE_TRY(const auto ended, record.as<journal::RunEnded>());
      if (ended.error) {
        run.reply = words_of_failure(*ended.error);
      } else {
        PERDURE_TRY(const core::Bytes reply, reader.copy_of(ended.payload));
        PERDURE_TRY(run.reply, decode<std::string>(reply));
      }
      return success();
    }
    default: return Error{Code::user, "a record of a kind that no workload writes"};
  }
}

Result<RecordedRun> read_run(journal::Reader& reader, const journal::RunInfo& info) {
  RecordedRun run;
  run.agent = info.agent;
  run.session = info.session_key;
  run.status = journal::to_string(info.head.status);
  PERDURE_TRY(journal::RecordStream records, reader.records(info.id));
  for (;;) {
    PERDURE_TRY(const journal::RecordBuffer* record, records.next());
    if (record == nullptr) return run;
    PERDURE_TRY(add_record(reader, *record, run));
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
  return facts;
}

}  // namespace perdure::crash
