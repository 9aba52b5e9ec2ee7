/// The one file that wires a runtime: clocks, random numbers, the journal, CAF and the engine.
#include <perdure/caf.hpp>
#include <perdure/runtime.hpp>

#include "actors/caf_compat.hpp"
#include "actors/engine.hpp"
#include "actors/session_actor.hpp"
#include "core/crash_point.hpp"
#include "core/limits.hpp"

#include <algorithm>
#include <filesystem>
#include <thread>

namespace perdure {
inline namespace v0 {
namespace {

/// A CAF system that belongs to one runtime.
struct OwnSystem {
  explicit OwnSystem(std::size_t threads) {
    actors::configure(config, threads);
    prepare(config);
    system.emplace(config);
  }
  caf::actor_system_config config;
  std::optional<caf::actor_system> system;
};

Result<Runtime> open_with(RuntimeOptions options, caf::actor_system& system,
                          std::function<void()> sessions_gone) {
  if (!core::arm_crash_point_from_environment())
    return Error{Code::misuse,
                 "PERDURE_CRASH_AT names no crash point (core/crash_point.hpp lists them)"};
  if (options.journal.empty())
    return Error{Code::misuse, "RuntimeOptions::journal is empty: name the journal's directory"};
  if (options.step_threads == 0)
    return Error{Code::misuse,
                 "RuntimeOptions::step_threads is 0: at least one thread must run steps"};
  if (options.commit_interval < std::chrono::milliseconds(1) ||
      options.commit_interval > std::chrono::days(1))
    return Error{Code::misuse, "RuntimeOptions::commit_interval is " +
                                   std::to_string(options.commit_interval.count()) +
                                   " ms: give 1 ms to 1 day"};
  if (options.blob_threshold_bytes < core::limits::kBlobThresholdMin ||
      options.blob_threshold_bytes > core::limits::kBlobThresholdMax)
    return Error{Code::misuse, "RuntimeOptions::blob_threshold_bytes is " +
                                   std::to_string(options.blob_threshold_bytes) + ": give " +
                                   std::to_string(core::limits::kBlobThresholdMin) + " to " +
                                   std::to_string(core::limits::kBlobThresholdMax)};
  auto clock = std::make_shared<core::SystemClock>();
  auto random = std::make_shared<core::SystemRandom>();
  PERDURE_TRY(auto journal, journal::JournalForWriting::open(options.journal, *clock, *random));
  actors::EngineSeams seams;
  // A path that still holds when the process changes its directory.
  if (options.control == Control::socket)
    seams.control_directory = std::filesystem::absolute(options.journal);
  seams.clock = std::move(clock);
  seams.random = std::move(random);
  seams.journal = std::move(journal);
  seams.make_shell = [&system](actors::SessionAddress address, actors::SessionServices& services,
                               actors::Engine& engine) {
    return actors::make_session_actor(system, std::move(address), services, engine);
  };
  seams.sessions_gone = std::move(sessions_gone);
  return Runtime(std::make_shared<actors::Engine>(std::move(options), std::move(seams)));
}

}  // namespace

Result<Runtime> Runtime::open(RuntimeOptions options) {
  std::size_t threads = options.handler_threads;
  if (threads == 0) threads = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, 4);
  auto own = std::make_shared<OwnSystem>(threads);
  caf::actor_system& system = *own->system;
  return open_with(std::move(options), system, [own]() mutable { own.reset(); });
}

Result<Runtime> open(RuntimeOptions options, caf::actor_system& system) {
  return open_with(std::move(options), system, nullptr);
}

}  // namespace v0
}  // namespace perdure
