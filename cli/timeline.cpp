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
  [[nodiscard]] std::optional<Started> ended(std::span<const std::uint32_t> path) {
    const auto found = steps_.find(owned(path));
    if (found == steps_.end()) return std::nullopt;
    const std::optional<Started> started = found->second.started;
    steps_.erase(found);
    return started;
  }
  [[nodiscard]] std::vector<Unfinished> left() && {
    std::vector<Unfinished> all;
    for (auto& [path, step] : steps_) {
      step.path = path;
      all.push_back(std::move(step));
    }
    return all;
  }

 private:
  std::map<Path, Unfinished> steps_;
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
    default:
      return Error{Code::corrupt, "it is a " + std::string(to_string(record.kind())) +
                                      ", which has no place in a run: run `perdure verify`"};
  }
}

}  // namespace

std::uint32_t Unfinished::tries() const {
  return std::max(started ? started->attempt : 0, attempts ? attempts->count : 0);
}

Result<std::vector<Unfinished>> tell(journal::Reader& reader, const journal::RunInfo& run,
                                     Teller& teller) {
  Open open;
  PERDURE_TRY(std::vector<journal::Attempts> rows, reader.attempts(run.id));
  for (journal::Attempts& row : rows) open.attempted(std::move(row));
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
  return std::move(open).left();
}

}  // namespace perdure::cli
