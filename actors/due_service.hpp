/// The due service: brings runs back when their time has come.
///
/// What this is: the head of the journal's `due` table as timers in memory, refilled as time goes
/// on.
/// What it promises: what is due is told to its session once its elapsed time has passed, never
/// early; each row is read once, and rows beyond the head cost no memory. Where the wall clock is
/// set while rows wait beyond the head, delays among these may be told late, by one whole delay at
/// most. Telling twice is harmless, sessions ignore what is stale.
/// What it does not: write. The run does, when it begins its next attempt.
#pragma once

#include "actors/session_core.hpp"
#include "actors/timers.hpp"
#include "core/clock.hpp"
#include "journal/key.hpp"
#include "journal/reader.hpp"

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <tuple>

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
    journal::DueRow::What what = journal::DueRow::What::retry;
    /// `due` is a time of the wall clock, and `in` only a guess.
    bool by_wall_clock = false;
  };
  struct Hooks {
    /// A row's time has come. Must be short.
    std::function<void(const SessionAddress&, DueNow)> due;
    /// Rows could not be read; it is tried again in `kTryAgain`.
    std::function<void(const Error&)> unreadable;
  };

  static constexpr std::size_t kHeadRows = 4096;
  static constexpr std::chrono::seconds kTryAgain{60};
  /// How often the wall clock is looked at while something is due by it, or rows wait to be read:
  /// it may be set.
  static constexpr std::chrono::seconds kLookAtWallClock{1};

  /// `store`, `timers` and `clock` outlive it. `head_rows`: how many rows are read at a time, at
  /// least 1.
  DueService(journal::Store& store, Timers& timers, core::Clock& clock, Hooks hooks,
             std::size_t head_rows = kHeadRows);

  /// Reads the head of `due`. Errors: as Reader.
  [[nodiscard]] Result<void> start();
  /// A durable row that was written by this process. Beyond the head it is left to a later reading.
  void arm(Item item);
  /// Tells nothing more.
  void stop();

 private:
  void arm_locked(const Item& item);
  void fire(const Item& item);
  void look_at_wall_clock();
  void look_later_locked();
  [[nodiscard]] Result<void> read_rows();
  [[nodiscard]] Result<std::optional<std::chrono::microseconds>> read_head();
  [[nodiscard]] static Result<journal::Stamp> whole_delay(journal::Reader& reader,
                                                          const journal::Due& row);
  /// Whose it is; empty when the run is not there any more.
  [[nodiscard]] static Result<std::optional<SessionAddress>> session_of(journal::Reader& reader,
                                                                        const journal::Due& row);
  void read_later(std::chrono::microseconds in);
  void look_whether_to_read(core::Elapsed at);

  journal::Store& store_;
  Timers& timers_;
  core::Clock& clock_;
  Hooks hooks_;
  std::size_t head_rows_;
  /// The wall clock at the start, less the other one.
  core::Elapsed calendar_{0};
  /// Where the next reading begins. One reading at a time: each is set off by the one before.
  journal::Key next_;
  std::mutex mutex_;
  /// Rows due up to here were read, or are armed by whoever writes them.
  journal::Stamp horizon_ = 0;
  std::set<std::tuple<RunId, std::uint64_t, journal::DueRow::What, journal::Stamp>> armed_;
  /// What is due by the wall clock, and has been armed.
  std::multimap<journal::Stamp, Item> by_wall_clock_;
  bool looks_at_wall_clock_ = false;
  bool stopped_ = false;
};

}  // namespace perdure::actors
