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

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
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
class Pending {
 public:
  enum class Phase : std::uint8_t {
    opened,    ///< Nothing was done about it yet.
    active,    ///< A body runs, or waits at the gate.
    backoff,   ///< Waits for the time of its next attempt.
    waiting,   ///< Waits for a time, a signal or a reply.
    over,      ///< Its time has passed, and nothing says so yet.
    unserved,  ///< Nobody serves its tool: another process may.
  };
  Attempt what;
  void* tag = nullptr;        ///< The caller's.
  std::uint32_t attempt = 0;  ///< Number of the current or last attempt.
  /// From a recorded start: the effect class of then, whatever the code says now.
  std::optional<EffectClass> started_as;
  bool stop_requested = false;
  /// What became of its attempt is being asked, or was when it was last begun.
  bool asked = false;
  /// Was pending when the records ended: its body may have been running when the process ended.
  bool found_unfinished = false;

  /// Changed by `ReplayMachine::set_phase` alone, which keeps count.
  [[nodiscard]] Phase phase() const noexcept { return phase_; }

 private:
  friend class PendingIndex;
  friend class PendingSteps;
  friend class ReplayMachine;
  Phase phase_ = Phase::opened;
  bool listed_ = false;
  bool queued_ = false;
  // Links instead of containers: a step costs no allocation here, and leaves from the middle.
  Pending* older_ = nullptr;
  Pending* newer_ = nullptr;
  Pending* next_queued_ = nullptr;
  Pending* next_in_bucket_ = nullptr;
  std::uint64_t hash_ = 0;
};

/// The pending steps in the order in which they were opened. Read it with a range-for, which gives
/// `Pending*`; what is read must not be delivered meanwhile.
class PendingSteps {
 public:
  class Iterator {
   public:
    using difference_type = std::ptrdiff_t;
    using value_type = Pending*;
    Iterator() = default;
    explicit Iterator(Pending* at) noexcept : at_(at) {}
    [[nodiscard]] Pending* operator*() const noexcept { return at_; }
    Iterator& operator++() noexcept {
      at_ = at_->newer_;
      return *this;
    }
    Iterator operator++(int) noexcept { return std::exchange(*this, Iterator(at_->newer_)); }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    Pending* at_ = nullptr;
  };
  [[nodiscard]] Iterator begin() const noexcept { return Iterator(oldest_); }
  [[nodiscard]] Iterator end() const noexcept { return Iterator(); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

 private:
  friend class ReplayMachine;
  void add(Pending& pending) noexcept;
  void remove(Pending& pending) noexcept;
  Pending* oldest_ = nullptr;
  Pending* newest_ = nullptr;
  std::size_t size_ = 0;
};

/// The pending steps by their paths.
///
/// Invariant: no index while few are pending. A step after the other, which is what most runs are,
/// must not pay for what ten thousand side by side need.
class PendingIndex {
 public:
  [[nodiscard]] Pending* find(std::span<const std::uint32_t> path,
                              const PendingSteps& steps) const noexcept;
  /// `pending` is among `steps` already.
  void added(Pending& pending, const PendingSteps& steps);
  /// `pending` is among `steps` no more.
  void removed(Pending& pending, const PendingSteps& steps) noexcept;
  void clear() noexcept { in_use_ = false; }

 private:
  void build(const PendingSteps& steps);
  void link(Pending& pending) noexcept;
  [[nodiscard]] Pending*& bucket_of(std::uint64_t hash) noexcept {
    return buckets_[hash & (buckets_.size() - 1)];
  }
  std::vector<Pending*> buckets_;  ///< A power of two.
  bool in_use_ = false;
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
  /// The code is at another step than `recorded`, at the same place.
  [[nodiscard]] Divergence differs(std::uint32_t index, const StepResult& recorded,
                                   const Pending& pending) const;
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

  void set_phase(Pending& pending, Pending::Phase phase) noexcept;
  /// The next step that something is to be done about: it became `opened`, while running or before,
  /// and was not taken since. First come, first served. Null: none.
  [[nodiscard]] Pending* take_opened() noexcept;

  [[nodiscard]] const PendingSteps& pending() const noexcept { return pending_; }
  /// How many of them wait for a time, a signal or a reply, and for nothing else.
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_; }
  /// The pending step at `path` (the one opened first, were there two), or null.
  [[nodiscard]] Pending* find(std::span<const std::uint32_t> path) noexcept {
    return index_.find(path, pending_);
  }

 private:
  void move(MachineEvent event);
  [[nodiscard]] std::vector<StepFacts> attempted_now() const;
  [[nodiscard]] Decision diverged(Divergence divergence);
  void queue(Pending& pending) noexcept;
  void unqueue(Pending& pending) noexcept;
  void forget(Pending& pending) noexcept;

  MachineState state_ = MachineState::waiting;
  std::uint32_t generation_ = 0;
  PendingSteps pending_;
  PendingIndex index_;
  std::size_t waiting_ = 0;
  Pending* first_queued_ = nullptr;
  Pending* last_queued_ = nullptr;
  /// All there are, pending or spare; used again, so that a step costs no allocation here.
  std::vector<std::unique_ptr<Pending>> made_;
  Pending* spare_ = nullptr;  ///< Linked by `newer_`.
};

}  // namespace perdure::journal
