#include "cli/timeline.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace perdure::cli {
namespace {

using journal::Kind;
using Path = std::vector<std::uint32_t>;

Path owned(std::span<const std::uint32_t> path) { return {path.begin(), path.end()}; }

/// What began and did not end, so far.
class Open {
 public:
  void started(const journal::StepStarted& record) {
    Unfinished& step = steps_[owned(record.path)];
    step.name = record.name;
    step.started = Started{record.effect, record.attempt, record.stamp};
  }
  void attempted(journal::Attempts row) {
    Unfinished& step = steps_[row.path];
    step.name = row.name;
    step.attempts = std::move(row);
  }
  void waits(journal::Wait row) {
    Unfinished& step = steps_[row.path];
    step.name = row.name;
    step.wait = std::move(row);
  }
  [[nodiscard]] std::optional<Started> ended(std::span<const std::uint32_t> path) {
    const auto found = steps_.find(owned(path));
    if (found == steps_.end()) return std::nullopt;
    const std::optional<Started> started = found->second.started;
    steps_.erase(found);
    return started;
  }
  void cancelled(const journal::CancelRequested& record) {
    cancel_ = CancelFacts{record.code, std::string(record.who), std::string(record.why),
                          record.grace_ms, record.stamp};
  }
  [[nodiscard]] Standing left() && {
    std::vector<Unfinished> all;
    for (auto& [path, step] : steps_) {
      step.path = path;
      all.push_back(std::move(step));
    }
    return {std::move(all), {}, std::move(cancel_), std::nullopt, {}};
  }

 private:
  std::map<Path, Unfinished> steps_;
  std::optional<CancelFacts> cancel_;
};

Result<void> tell_one(const journal::RecordBuffer& record, Open& open, Teller& teller) {
  switch (record.kind()) {
    case Kind::run_created: {
      PERDURE_TRY(const auto created, record.as<journal::RunCreated>());
      teller.begin(created);
      return success();
    }
    case Kind::step_started: {
      PERDURE_TRY(const auto started, record.as<journal::StepStarted>());
      open.started(started);
      return success();
    }
    case Kind::step_result: {
      PERDURE_TRY(const auto result, record.as<journal::StepResult>());
      teller.step(result, open.ended(result.path));
      return success();
    }
    case Kind::run_ended: {
      PERDURE_TRY(const auto ended, record.as<journal::RunEnded>());
      teller.end(ended);
      return success();
    }
    case Kind::version_mark: {
      PERDURE_TRY(const auto mark, record.as<journal::VersionMark>());
      teller.mark(mark);
      return success();
    }
    case Kind::cancel_requested: {
      PERDURE_TRY(const auto cancel, record.as<journal::CancelRequested>());
      open.cancelled(cancel);
      teller.cancel(cancel);
      return success();
    }
    case Kind::saga_aborted: {
      PERDURE_TRY(const auto aborted, record.as<journal::SagaAborted>());
      teller.abort(aborted);
      return success();
    }
    default:
      return Error{Code::corrupt, "it is a " + std::string(to_string(record.kind())) +
                                      ", which has no place in a run: run `perdure verify`"};
  }
}

/// What the message says that is to make the run.
Result<Standing> tell_queued(journal::Reader& reader, const journal::RunInfo& run, Teller& teller) {
  Queued queued;
  bool is_kept = false;
  PERDURE_TRY(queued.behind, reader.open_run(run.session));
  PERDURE_TRY(reader.each_arrival(
      journal::Table::kept, run.session,
      [&](const journal::ArrivalRow& kept, journal::RecordNumber) {
        if (kept.what != journal::ArrivalRow::What::message || kept.other) return true;
        if (kept.run != run.id) {
          if (kept.due == 0) ++queued.ahead;
          return true;
        }
        teller.begin({run.agent, run.agent_version, run.handler, run.session_key, kept.message_key,
                      kept.type, kept.payload, 0, kept.stamp, kept.caller, kept.deadline});
        queued.due = kept.due;
        is_kept = true;
        return false;
      }));
  if (!is_kept)
    return Error{Code::corrupt, "the message of run " + to_string(run.id) +
                                    ", which is queued, is missing: run `perdure verify`"};
  return Standing{{}, {}, std::nullopt, queued, {}};
}

}  // namespace

std::uint32_t Unfinished::tries() const {
  return std::max(started ? started->attempt : 0, attempts ? attempts->count : 0);
}

Result<Standing> tell(journal::Reader& reader, const journal::RunInfo& run, Teller& teller) {
  if (run.head.status == journal::RunStatus::queued) return tell_queued(reader, run, teller);
  Open open;
  PERDURE_TRY(std::vector<journal::Attempts> rows, reader.attempts(run.id));
  for (journal::Attempts& row : rows) open.attempted(std::move(row));
  PERDURE_TRY(std::vector<journal::Wait> waits, reader.waits(run.id));
  for (journal::Wait& row : waits) open.waits(std::move(row));
  PERDURE_TRY(journal::RecordStream stream, reader.records(run.id));
  while (teller.listening()) {
    PERDURE_TRY(const journal::RecordBuffer* const record, stream.next());
    if (record == nullptr) break;
    Result<void> told = tell_one(*record, open, teller);
    if (told.has_error()) {
      Error error = std::move(told).assume_error();
      error.message = "record " + std::to_string(stream.index()) + " of run " + to_string(run.id) +
                      ": " + error.message;
      return error;
    }
  }
  Standing standing = std::move(open).left();
  PERDURE_TRY(standing.children, reader.children(run.id));
  std::ranges::sort(standing.children, {}, &journal::Child::path);
  PERDURE_TRY(standing.sagas, sagas_of(reader, run));
  return standing;
}

}  // namespace perdure::cli
