/// Five services and a worker, kept alive and, with chaos, killed.
///
/// What this is: the processes of a booking run, from their start until every trip has settled.
/// What it promises: whatever dies is started again on the same files; there is an end to it, by a
/// number of kills, of failures and of seconds.
/// What it does not: know anything of trips. It waits for the worker to say that it is done.
#pragma once

#include "faults.hpp"
#include "layout.hpp"
#include "plan.hpp"
#include "processes.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace booking {

struct DriverOptions {
  std::string directory;
  Plan plan;
  FaultLevels faults;
  /// How many processes are killed with SIGKILL, at most; then they are let finish.
  std::uint32_t kills = 0;
  std::chrono::milliseconds kill_every{150};  ///< On average.
  std::chrono::seconds limit{600};
};

/// What happened, for people.
struct Tally {
  std::uint32_t worker_kills = 0;
  std::uint32_t worker_failures = 0;  ///< It ended by itself, and not well.
  std::uint32_t service_kills = 0;
  std::uint32_t service_deaths = 0;  ///< By plan of the service's own faults, or by a stranger.
};

class Driver {
 public:
  explicit Driver(DriverOptions options);

  /// Starts everything and returns when the worker has ended well. Throws std::runtime_error, with
  /// the reason, when it cannot be brought to that.
  void run();
  /// Ends what still runs: services in order, so that their databases are whole files.
  void stop();
  [[nodiscard]] const Tally& tally() const { return tally_; }

 private:
  using Clock = std::chrono::steady_clock;

  void start_service(std::size_t index);
  void start_services();
  void start_worker();
  void tend_services();
  /// Whether the worker has ended well; starts it again where it has not.
  bool tend_worker();
  void kill_one();
  void plan_next_kill();

  DriverOptions options_;
  Random chaos_;
  Tally tally_;
  std::uint32_t kills_ = 0;
  Clock::time_point next_kill_;
  std::array<std::optional<Process>, kinds.size()> services_;
  std::optional<Process> worker_;
};

}  // namespace booking
