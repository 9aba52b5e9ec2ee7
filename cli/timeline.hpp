/// The timeline: a run's records, read once, as the steps that they speak of.
///
/// What this is: what `perdure show` shows, told to a teller in the order of the journal: the run's
/// beginning, each step that ended, the marks of versions, the request to end it, sagas that
/// somebody aborted, the run's end; and at last what the journal knows to be unfinished, and the
/// run's children and sagas. Of a run that is
/// queued there is its message alone.
/// What it promises: memory for unfinished steps, children and sagas only, and for one record.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/saga_facts.hpp"
#include "journal/reader.hpp"

namespace perdure::cli {

/// A recorded start whose result has not come. A start is recorded where a step's effect class or
/// its history asks for it, so a first attempt of most steps is not in the journal until it ended.
struct Started {
  journal::EffectClass effect = journal::EffectClass::idempotent;
  std::uint32_t attempt = 1;
  journal::Stamp stamp = 0;
};

/// A step that the journal knows to have begun and not to have ended.
struct Unfinished {
  std::vector<std::uint32_t> path;
  std::string name;
  std::optional<Started> started;
  std::optional<journal::Attempts> attempts;
  /// What it waits for, if it has no body: a time, a signal or a reply.
  std::optional<journal::Wait> wait;

  [[nodiscard]] journal::StepKind kind() const {
    return wait ? wait->kind : journal::StepKind::step;
  }
  /// Attempts known to have begun.
  [[nodiscard]] std::uint32_t tries() const;
  /// Waits for the time of its next attempt, rather than having one under way.
  [[nodiscard]] bool in_backoff() const { return attempts && attempts->next_due != 0; }
};

/// Where a message stands that waits for its turn.
struct Queued {
  journal::Stamp due = 0;       ///< It is not handled before; 0: it has no such time.
  std::optional<RunId> behind;  ///< What its session handles now.
  std::uint64_t ahead = 0;      ///< Messages that came earlier and wait for the same.
};

/// That a run is to end, as it was recorded.
struct CancelFacts {
  Code code = Code::cancelled;
  std::string who;
  std::string why;
  std::int64_t grace_ms = 0;
  journal::Stamp stamp = 0;
};

/// What of a run has not ended.
struct Standing {
  std::vector<Unfinished> unfinished;  ///< In the order of their paths.
  /// Runs that it started and that its end may concern, in the order of their paths.
  std::vector<journal::Child> children;
  std::optional<CancelFacts> cancel;
  std::optional<Queued> queued;       ///< Of a run that is queued.
  std::vector<SagaFacts> sagas = {};  ///< By number.
};

/// Views are borrowed until the call returns.
class Teller {
 public:
  virtual ~Teller() = default;
  /// Of a queued run: what its message says.
  virtual void begin(const journal::RunCreated& created) = 0;
  /// `started`: when its last attempt was recorded to begin, if it was.
  virtual void step(const journal::StepResult& result, const std::optional<Started>& started) = 0;
  virtual void mark(const journal::VersionMark& mark) = 0;
  virtual void cancel(const journal::CancelRequested& cancel) = 0;
  virtual void abort(const journal::SagaAborted& aborted) = 0;
  virtual void end(const journal::RunEnded& ended) = 0;
  /// Whether to go on; a broken pipe says no.
  [[nodiscard]] virtual bool listening() const = 0;
};

/// Errors: whatever reading gives; `corrupt` for a record that has no place in a run.
[[nodiscard]] Result<Standing> tell(journal::Reader& reader, const journal::RunInfo& run,
                                    Teller& teller);

}  // namespace perdure::cli
