/// Who uses the workload's runtime: callers on threads of their own, and what they tell.
///
/// What this is: the threads that start runs, talk to sessions and wait, until all of them are done
/// or somebody stops the runtime. What they were told they note (history.hpp).
/// What it promises: a caller that was turned away by a shutdown is no trouble where one was
/// planned.
/// What it does not: know the agents (workload_agents.hpp, session_agents.hpp).
#pragma once

#include <perdure/perdure.hpp>

#include "tests/crash/bodies.hpp"
#include "tests/crash/history.hpp"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace perdure::crash {

/// Somebody wants the runtime to shut down, or nobody waits for it any more. Thread: any.
class Stop {
 public:
  void ask();
  void wait();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool asked_ = false;
};

/// Runs that this process will not see the end of. Thread: any.
class ParkedRuns {
 public:
  void add(const RunId& run);
  [[nodiscard]] bool has(const RunId& run);
  [[nodiscard]] bool any();

 private:
  std::mutex mutex_;
  std::set<RunId> runs_;
};

/// Whoever waits for runs; the last one to go asks for the end.
class Callers {
 public:
  enum class TurnedAway : std::uint8_t { is_trouble, is_planned };
  /// `stop` outlives it.
  Callers(Stop& stop, TurnedAway turned_away) : stop_(stop), planned_(turned_away) {}
  /// `what` uses the runtime on a thread of its own.
  void add(std::function<Result<void>()> what);
  void all_there();
  void join();
  [[nodiscard]] bool turned_away() const { return turned_away_; }

 private:
  Stop& stop_;
  const TurnedAway planned_;
  std::atomic<int> left_{1};  ///< Until all are there, nobody is the last.
  std::atomic<bool> turned_away_{false};
  std::vector<std::thread> threads_;
};

/// Waits for the run's end and notes it; not for a parked one's.
[[nodiscard]] Result<void> see_end(const Run<std::string>& run, ParkedRuns& parked);

/// Notes that the message was acknowledged: `key` is empty where each makes a run of its own.
void note_started(std::string_view agent, const std::string& session, const RunId& run,
                  const Order& order, std::string_view key);

template <class Agent>
[[nodiscard]] Result<void> see_through(Runtime& runtime, const Agent& agent, const std::string& key,
                                       const Order& order, ParkedRuns& parked) {
  PERDURE_TRY(auto run, runtime.session(agent, key).start(order));
  note_started(agent.name, key, run.id(), order, "start");
  return see_end(run, parked);
}

}  // namespace perdure::crash
