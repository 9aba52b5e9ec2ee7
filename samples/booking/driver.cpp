
#include "driver.hpp"

#include "service.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <stdexcept>
#include <thread>
#include <utility>

namespace booking {
namespace {

using namespace std::chrono_literals;

constexpr auto kPoll = 2ms;
constexpr auto kStartWithin = 30s;
constexpr auto kStopWithin = 10s;
/// How often the worker may end badly by itself; a mistake in it is not mended by trying again.
constexpr std::uint32_t kFailuresMax = 3;

/// Deaths that a service is to survive: a kill, a crash by plan, or that it was told to end.
bool is_survivable(int status) {
  return WIFSIGNALED(status) || WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == kCrashed;
}

std::string service_program() {
  std::string program = program_folder() + "/booking_service";
  if (::access(program.c_str(), X_OK) != 0) {
    throw std::runtime_error("there is no program " + program +
                             "; build the target booking_service, which belongs beside this one");
  }
  return program;
}

bool is_kill(int status) { return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL; }

}  // namespace

Driver::Driver(DriverOptions options)
    : options_(std::move(options)), chaos_(seed_for(options_.plan.seed, "chaos")) {}

void Driver::run() {
  const auto until = Clock::now() + options_.limit;
  start_services();
  start_worker();
  plan_next_kill();
  while (true) {
    if (tend_worker()) return;
    tend_services();
    if (Clock::now() >= until) {
      throw std::runtime_error("the trips have not settled within " +
                               std::to_string(options_.limit.count()) +
                               " s; start it again with the same arguments to go on");
    }
    if (kills_ < options_.kills && Clock::now() >= next_kill_) {
      kill_one();
      plan_next_kill();
    }
    std::this_thread::sleep_for(kPoll);
  }
}

void Driver::stop() {
  worker_.reset();
  for (std::optional<Process>& service : services_) {
    if (service) service->stop(kStopWithin);
    service.reset();
  }
}

void Driver::start_service(std::size_t index) {
  const std::string kind(kinds[index]);
  const std::string port_file = port_file_of(options_.directory, kind);
  // The last life's port is nobody's, or anybody's.
  std::filesystem::remove(port_file);
  services_[index].emplace(
      Command{.name = kind,
              .argv = {service_program(), "--kind", kind, "--database",
                       database_of(options_.directory, kind), "--port-file", port_file, "--seed",
                       std::to_string(options_.plan.seed), "--refuse",
                       std::to_string(options_.faults.refuse), "--latency-ms",
                       std::to_string(options_.faults.latency_ms), "--lose-reply",
                       std::to_string(options_.faults.lose_reply), "--crash",
                       std::to_string(options_.faults.crash)},
              .log = log_of(options_.directory, kind)});
}

void Driver::start_services() {
  for (std::size_t i = 0; i < kinds.size(); ++i) start_service(i);
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    wait_for_file(port_file_of(options_.directory, kinds[i]), *services_[i],
                  "the service " + std::string(kinds[i]), kStartWithin);
  }
}

void Driver::start_worker() {
  worker_.emplace(Command{
      .name = "worker",
      .argv = {program_path(), "--worker", "--dir", options_.directory, "--trips",
               std::to_string(options_.plan.trips), "--seed", std::to_string(options_.plan.seed)},
      .log = log_of(options_.directory, "worker")});
}

void Driver::tend_services() {
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const std::optional<int> status = services_[i]->ended();
    if (!status) continue;
    if (!is_survivable(*status)) {
      throw std::runtime_error("the service " + std::string(kinds[i]) + " ended with " +
                               words_of(*status) + "; its words are in " +
                               log_of(options_.directory, kinds[i]));
    }
    ++tally_.service_deaths;
    start_service(i);
  }
}

bool Driver::tend_worker() {
  const std::optional<int> status = worker_->ended();
  if (!status) return false;
  if (WIFEXITED(*status) && WEXITSTATUS(*status) == 0) return true;
  // Whoever kills it from outside may do so; how it ends by itself is counted.
  if (!is_kill(*status) && ++tally_.worker_failures > kFailuresMax) {
    throw std::runtime_error("the worker ended with " + words_of(*status) + ", and before that " +
                             std::to_string(kFailuresMax) + " times not well; its words are in " +
                             log_of(options_.directory, "worker"));
  }
  start_worker();
  return false;
}

void Driver::kill_one() {
  ++kills_;
  // The worker as often as all the services together.
  if (chaos_.chance(0.5)) {
    ++tally_.worker_kills;
    worker_->kill();
    start_worker();
    return;
  }
  ++tally_.service_kills;
  const auto index = static_cast<std::size_t>(chaos_.below(kinds.size()));
  services_[index]->kill();
  start_service(index);
}

void Driver::plan_next_kill() {
  const auto most = static_cast<std::uint32_t>(options_.kill_every.count() * 2);
  next_kill_ = Clock::now() + std::chrono::milliseconds(chaos_.below(most + 1));
}

}  // namespace booking
