/// Run watchers: who waits for the end of which run.
///
/// What this is: the meeting point of `Run::wait` and the gate that opens when a run's end is
/// durable.
/// What it promises: a watcher that was added before the end became durable is woken by it; after
/// `fail` everybody who waits is woken with the reason.
#pragma once

#include <perdure/error.hpp>
#include <perdure/run_id.hpp>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace perdure::actors {

/// Thread: any.
class RunWatchers {
 public:
  enum class Outcome : std::uint8_t { ended, timed_out, failed };
  /// Waits until `ended(run)` has been called since this watch was made, or `within` has passed.
  class Watch {
   public:
    Watch(RunWatchers& watchers, const RunId& run);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    [[nodiscard]] Outcome wait(std::chrono::milliseconds within);

   private:
    friend class RunWatchers;
    RunWatchers& watchers_;
    RunId run_;
    bool ended_ = false;
    std::condition_variable changed_;
  };

  void ended(const RunId& run);
  /// Nothing will end any more: the runtime stops, or its storage failed.
  void fail(const Error& why);
  [[nodiscard]] std::optional<Error> failure() const;
  /// Calls `tell` once when the run's end is durable (not when it was already), from the committing
  /// thread. What it returns is for `forget`.
  using Ticket = std::uint64_t;
  Ticket on_end(const RunId& run, std::function<void()> tell);
  /// `tell` is not needed any more; it may be called still.
  void forget(const RunId& run, Ticket ticket);
  /// How many wait to be told.
  [[nodiscard]] std::size_t waiting() const;

 private:
  mutable std::mutex mutex_;
  std::unordered_multimap<RunId, Watch*> watches_;
  struct Told {
    Ticket ticket = 0;
    std::function<void()> tell;
  };
  std::unordered_multimap<RunId, Told> told_;
  Ticket last_ticket_ = 0;
  std::optional<Error> failure_;
};

}  // namespace perdure::actors
