/// The replay machine: which recorded delivery goes to which step of the code, and what is still to
/// be done.
///
/// What this is: the heart of replay, without I/O, clock, threads or actors. Events go in (the code
/// opened a step, the journal holds a record, an attempt completed), decisions come out.
/// What it promises: a recorded delivery is given to exactly the step that it was recorded for, in
/// its recorded order, or the run has diverged and the difference is named. While it replays,
/// nothing starts.
/// What it does not: run code, decode payloads or write records; run_core.hpp does.
///
/// The states and what moves between them (tests hold the code against this table):
///
///     state      event      next       meaning
///     waiting    begin      replaying  the handler's frame is made; records follow
///     replaying  opened     replaying  a step is pending; its record may come
///     replaying  recorded   replaying  a delivery, a note, or a divergence
///     replaying  exhausted  running    no records left: what is pending starts
///     replaying  ended      closed     the handler ended: right only when no record is left
///     replaying  closed     closed     diverged, or the handler threw
///     running    opened     running    a step is pending and may start
///     running    completed  running    an attempt of a step ended
///     running    ended      closed     the handler ended: the end is recorded
///     running    closed     closed     parked, shut down
///     closed     completed  closed     late: recorded where it is a result, delivered to nobody
///     closed     closed     closed
///     closed     suspended  waiting    the frame is gone
///
/// Invariants:
/// - A step is pending from `opened` to the one delivery that ends it.
/// - At most one pending step has a given path.
/// - `generation` grows with every `begin`: a completion of an older frame finds nothing.
#pragma once

#include "journal/divergence.hpp"
#include "journal/record.hpp"
#include "journal/step_path.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace perdure::journal {

enum class MachineState : std::uint8_t { waiting, replaying, running, closed };
enum class MachineEvent : std::uint8_t {
  begin,
  opened,
  recorded,
  exhausted,
  completed,
  ended,
  closed,
  suspended,
};
/// The table above: the next state, or empty when the event is a programming error in that state.
[[nodiscard]] std::optional<MachineState> next_state(MachineState state,
                                                     MachineEvent event) noexcept;

/// What the code attempts. Text is borrowed from the caller, which keeps it while the step is
/// pending.
struct Attempt {
  StepPath path;
  StepKind kind = StepKind::step;
  std::string_view name;
  std::string_view type;
  const char* file = "";
  std::uint32_t line = 0;
};

/// A step that has been opened and not delivered.
struct Pending {
  enum class Phase : std::uint8_t {
    opened,   ///< Nothing was done about it yet.
    active,   ///< A body runs, or waits at the gate.
    backoff,  ///< Waits for the time of its next attempt.
    waiting,  ///< Waits for a time, a signal or a reply.
  };
  Attempt what;
  void* tag = nullptr;  ///< The caller's.
  Phase phase = Phase::opened;
  std::uint32_t attempt = 0;  ///< Number of the current or last attempt.
  /// From a recorded start: the effect class of then, whatever the code says now.
  std::optional<EffectClass> started_as;
  bool stop_requested = false;
  /// Was pending when the records ended: its body may have been running when the process ended.
  bool found_unfinished = false;
};

/// Thread: one at a time.
class ReplayMachine {
 public:
  struct Decision {
    enum class What : std::uint8_t {
      deliver,   ///< Give the record's payload to `pending`, then call `delivered`.
      noted,     ///< Nothing to deliver.
      ended,     ///< It is the run's end record; none follows.
      diverged,  ///< `divergence` says how.
    };
    What what = What::noted;
    Pending* pending = nullptr;
    std::optional<Divergence> divergence;
  };

  [[nodiscard]] MachineState state() const noexcept { return state_; }
  [[nodiscard]] std::uint32_t generation() const noexcept { return generation_; }

  void begin();
  /// The code opened a step. Borrowed until the delivery.
  Pending& opened(Attempt what, void* tag);
  /// The journal's next record. While replaying.
  [[nodiscard]] Decision recorded(std::uint32_t index, const StepResult& result);
  [[nodiscard]] Decision recorded(std::uint32_t index, const StepStarted& started);
  /// The handler has ended although record `index` is there.
  [[nodiscard]] Divergence ended_before(std::uint32_t index, const StepResult* result) const;
  /// The run's end is recorded, yet the handler has not ended.
  [[nodiscard]] Divergence not_ended(std::uint32_t index) const;
  /// A recorded payload that did not decode.
  [[nodiscard]] Divergence undecodable(std::uint32_t index, const StepResult& result,
                                       const Pending& pending, const Error& why) const;
  void exhausted();
  /// An attempt came back. Null: late (of another frame or attempt, or delivered already).
  [[nodiscard]] Pending* completed(const StepPath& path, std::uint32_t attempt,
                                   std::uint32_t generation);
  /// The step has its delivery and is pending no more.
  void delivered(Pending& pending);
  void ended();
  void close();
  /// The frame is gone: nothing is pending.
  void suspended();

  /// In the order in which they were opened.
  [[nodiscard]] std::span<const std::unique_ptr<Pending>> pending() const noexcept {
    return pending_;
  }
  [[nodiscard]] Pending* find(std::span<const std::uint32_t> path) noexcept;

 private:
  void move(MachineEvent event);
  [[nodiscard]] std::vector<StepFacts> attempted_now() const;
  [[nodiscard]] Decision diverged(Divergence divergence);

  MachineState state_ = MachineState::waiting;
  std::uint32_t generation_ = 0;
  std::vector<std::unique_ptr<Pending>> pending_;
  /// Used again, so that a step costs no allocation here.
  std::vector<std::unique_ptr<Pending>> spare_;
};

}  // namespace perdure::journal
