#include "tests/format/sample_run.hpp"

#include <chrono>
#include <optional>
#include <utility>

#include "journal/reader.hpp"
#include "journal/step_path.hpp"
#include "tests/format/checked.hpp"

namespace perdure::format_test {

using namespace journal;

void Run::create(const std::string& agent, const std::string& key, const std::string& message,
                 const Sample& input, const std::vector<RunId>& payers) {
  const SessionId session = session_hash(agent, key);
  Change change(inline_bytes_max_);
  change.put(Table::sessions, Key{}.add(session), SessionRow{agent, key, now()});
  change.put(Table::keys, message_key_row(session, message), MessageKeyRow{message, id_});
  change.put(Table::runs, Key{}.add(id_), RunRow{session, agent, 3, "main", key, now()});
  change.put(Table::ready, Key{}.add(id_), ReadyRow{session});
  change.put(Table::open, Key{}.add(session), OpenRow{id_});
  session_ = session;
  RunCreated created{agent,   3,           "main",       key,
                     message, input.first, input.second, 0xFEDC'BA98'7654'3210ULL + count_,
                     now()};
  created.payers = ids_of(payers);
  append(change, created);
  finish(std::move(change), RunStatus::running);
}

void Run::started(const Path& path, const std::string& name, EffectClass effect,
                  std::uint32_t attempt) {
  Change change(inline_bytes_max_);
  append(change, StepStarted{path, name, effect, attempt, now()});
  finish(std::move(change), RunStatus::running);
}

void Run::step(const Path& path, const std::string& name, const Sample& result) {
  Change change(inline_bytes_max_);
  append(change, result_of(path, name, result));
  finish(std::move(change), RunStatus::running);
}

void Run::steps(const std::vector<Sample>& results) {
  Change change(inline_bytes_max_);
  std::uint32_t number = 0;
  for (const Sample& result : results) append(change, result_of({++number}, "sample", result));
  finish(std::move(change), RunStatus::running);
}

void Run::failed_step(const Path& path, const std::string& name, const Error& error,
                      std::uint32_t attempts) {
  Change change(inline_bytes_max_);
  StepResult record;
  record.path = path;
  record.name = name;
  record.type = "void";
  record.attempts = attempts;
  record.stamp = now();
  record.error = view_of(error);
  append(change, record);
  finish(std::move(change), RunStatus::running);
}

void Run::attempts(const AttemptsRow& row, RunStatus status) {
  const StepPath path(row.path);
  Change change(inline_bytes_max_);
  change.put(Table::attempts, Key{}.add(id_).add(path.hash()), row);
  if (row.next_due != 0)
    change.put(Table::due, due_row(row.next_due, id_, path), DueRow{DueRow::What::retry, row.path});
  if (status == RunStatus::waiting) change.erase(Table::ready, Key{}.add(id_));
  finish(std::move(change), status);
}

void Run::budget(const BudgetRow& row) {
  Change change(inline_bytes_max_);
  change.put(Table::budgets, budget_row(id_), row);
  finish(std::move(change), RunStatus::running);
}

void Run::usage(const RunId& payer, const UsageRow& row) {
  Change change(inline_bytes_max_);
  change.put(Table::usage, usage_row(payer, id_), row);
  finish(std::move(change), RunStatus::running);
}

void Run::park(Code code, const std::string& reason) {
  finish(Change(), RunStatus::parked, code, reason);
}

void Run::complete(const Sample& reply) {
  end(RunStatus::completed, {now(), reply.first, std::nullopt, reply.second});
}

void Run::fail(const Error& error, RunStatus status) {
  end(status, {now(), "void", view_of(error), {}});
}

StepResult Run::result_of(const Path& path, const std::string& name, const Sample& result) const {
  StepResult record;
  record.path = path;
  record.name = name;
  record.type = result.first;
  record.stamp = now();
  record.busy_us = 1500 + count_;
  record.payload = result.second;
  return record;
}

void Run::end(RunStatus status, const RunEnded& record) {
  Change change(inline_bytes_max_);
  append(change, record);
  change.erase(Table::ready, Key{}.add(id_));
  change.erase(Table::open, Key{}.add(session_));
  finish(std::move(change), status);
}

void Run::finish(Change&& change, RunStatus status, Code code, const std::string& reason) {
  change.put(Table::records, Key{}.add(id_).add(kHeadIndex),
             HeadRow{count_, status, now(), code, reason});
  static_cast<void>(checked(writer_.submit(std::move(change), Admission::new_work)));
  writer_.commit_here();
  clock_.advance(std::chrono::milliseconds(3));
}

}  // namespace perdure::format_test
