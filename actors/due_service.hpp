/// The due service: brings runs back when their time has come.
///
/// What this is: the head of the journal's `due` table as timers in memory, refilled as time goes
/// on.
/// What it promises: what is due is told to its session once its elapsed time has passed, never
/// early; rows beyond the head cost no memory. Telling twice is harmless, sessions ignore what is
/// stale.
/// What it does not: write. The run does, when it begins its next attempt.
#pragma once

#include "actors/session_core.hpp"
#include "actors/timers.hpp"
#include "core/clock.hpp"
#include "journal/reader.hpp"

#include <functional>
#include <mutex>
#include <set>
#include <utility>

namespace perdure::actors {

/// Thread: any, but `start` once.
class DueService {
 public:
  struct Item {
    SessionAddress session;
    RunId run;
    journal::StepPath path;
    journal::Stamp due = 0;
    std::chrono::microseconds in{0};
  };
  using Tell = std::function<void(const SessionAddress&, RetryDue)>;

  /// `store`, `timers` and `clock` outlive it. `tell` must be short.
  DueService(journal::Store& store, Timers& timers, core::Clock& clock, Tell tell);

  /// Reads the head of `due`. Errors: as Reader.
  [[nodiscard]] Result<void> start();
  /// A durable row that was written by this process. Beyond the head it is left to a later reading.
  void arm(Item item);
  /// Tells nothing more.
  void stop();

 private:
  void arm_locked(const Item& item);
  void fire(const Item& item);
  [[nodiscard]] Result<void> refill();
  [[nodiscard]] static Result<journal::Stamp> whole_delay(journal::Reader& reader,
                                                          const journal::Due& due);

  /// Rows in memory at a time.
  static constexpr std::size_t kHead = 4096;

  journal::Store& store_;
  Timers& timers_;
  core::Clock& clock_;
  Tell tell_;
  std::mutex mutex_;
  /// Rows due up to here are in memory.
  journal::Stamp horizon_ = 0;
  std::set<std::pair<RunId, std::uint64_t>> armed_;
  bool stopped_ = false;
};

}  // namespace perdure::actors
