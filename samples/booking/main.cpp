/// booking: makes trips at five services that fail, and audits what became of them.
///
/// Each trip ends fully booked or fully undone, whatever is killed meanwhile: services, the worker,
/// or this program, which goes on when it is started again with the same arguments.

#include "audit.hpp"
#include "driver.hpp"
#include "plan.hpp"
#include "worker.hpp"

#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>

namespace {

/// What the process ends with; --help lists them.
enum Exit : int { sound = 0, unsound = 1, bad_usage = 2, failed = 3 };

/// Fault levels that nobody names: those of chaos, or none but refusals.
struct Arguments {
  std::string directory;
  booking::Plan plan{20, 1};
  bool chaos = false;
  bool worker = false;
  double refuse = 0.08;
  std::optional<std::uint32_t> latency_ms;
  std::optional<double> lose_reply;
  std::optional<double> crash;
  std::optional<std::uint32_t> kills;
  std::uint32_t kill_every_ms = 150;
  std::uint32_t limit_s = 600;
};

void declare_faults(CLI::App& app, Arguments& arguments) {
  const CLI::Range probability(0.0, 1.0);
  app.add_option("--refuse", arguments.refuse, "Probability that a service refuses a trip")
      ->capture_default_str()
      ->check(probability);
  app.add_option("--latency-ms", arguments.latency_ms,
                 "The longest that a service sleeps before an effect, and again after it "
                 "(0; 20 with --chaos)")
      ->check(CLI::Range(0U, 60'000U));
  app.add_option("--lose-reply", arguments.lose_reply,
                 "Probability that a service does what it is asked and never answers "
                 "(0; 0.05 with --chaos)")
      ->check(probability);
  app.add_option("--crash", arguments.crash,
                 "Probability that a request makes its service crash (0; 0.02 with --chaos)")
      ->check(probability);
  app.add_option("--kills", arguments.kills,
                 "How many processes are killed, at most (0; 20 with --chaos)")
      ->check(CLI::Range(0U, 100'000U));
  app.add_option("--kill-every-ms", arguments.kill_every_ms, "Time between kills, on average")
      ->capture_default_str()
      ->check(CLI::Range(1U, 3'600'000U));
  app.add_option("--limit-s", arguments.limit_s, "The trips must have settled within this time")
      ->capture_default_str()
      ->check(CLI::Range(1U, 86'400U));
}

void declare(CLI::App& app, Arguments& arguments) {
  app.description(
      "Makes trips: flight, hotel, car, payment and itinerary, at five services that are "
      "processes\n"
      "of their own. Each ends fully booked or fully undone; at the end an audit of the services'\n"
      "databases says so. Kill anything at any moment. If it was this program, start it again "
      "with\n"
      "the same arguments.");
  app.add_option("--dir", arguments.directory,
                 "Folder of the run; empty, not there yet, or of an earlier run to go on with")
      ->required();
  app.add_option("--trips", arguments.plan.trips, "How many trips")
      ->capture_default_str()
      ->check(CLI::Range(1U, 1'000'000U));
  app.add_option("--seed", arguments.plan.seed, "Decides the trips and what goes wrong")
      ->capture_default_str();
  app.add_flag("--chaos", arguments.chaos,
               "Services are slow, lose answers and crash; they and the worker are killed with "
               "SIGKILL");
  app.add_flag("--worker", arguments.worker,
               "Make the trips, for services that run already; this program starts itself so");
  declare_faults(app, arguments);
  app.footer(
      "The last line is `audit ok` or `audit FAILED: ` and why. Exit codes: 0 the audit is ok; 1 "
      "it "
      "is not; 2 the command line is wrong; 3 the folder cannot be used.");
}

booking::DriverOptions options_of(const Arguments& arguments) {
  const bool chaos = arguments.chaos;
  booking::DriverOptions options;
  options.directory = arguments.directory;
  options.plan = arguments.plan;
  options.faults = {.refuse = arguments.refuse,
                    .latency_ms = arguments.latency_ms.value_or(chaos ? 20U : 0U),
                    .lose_reply = arguments.lose_reply.value_or(chaos ? 0.05 : 0.0),
                    .crash = arguments.crash.value_or(chaos ? 0.02 : 0.0)};
  options.kills = arguments.kills.value_or(chaos ? 20U : 0U);
  options.kill_every = std::chrono::milliseconds(arguments.kill_every_ms);
  options.limit = std::chrono::seconds(arguments.limit_s);
  return options;
}

void tell(const booking::Tally& tally) {
  std::cout << "killed: worker " << tally.worker_kills << " times, services " << tally.service_kills
            << " times; died besides: worker " << tally.worker_failures << " times, services "
            << tally.service_deaths << " times\n";
}

Exit drive(const Arguments& arguments) {
  const booking::Folder folder(arguments.directory, arguments.plan);
  if (folder.claim() == booking::Claim::resumed) {
    std::cout << "going on with the run in " << arguments.directory << '\n';
  }
  booking::Driver driver(options_of(arguments));
  std::optional<std::string> trouble;
  try {
    driver.run();
  } catch (const std::exception& thrown) {
    trouble = thrown.what();
  }
  driver.stop();
  booking::AuditReport report =
      booking::audit(arguments.directory, booking::trip_ids(arguments.plan.trips));
  if (trouble) report.reasons.insert(report.reasons.begin(), *trouble);
  tell(driver.tally());
  report.print(std::cout);
  std::cout << report.verdict() << std::endl;
  return report.ok() ? sound : unsound;
}

int run(Arguments arguments) {
  // The children have it as well, wherever they are started from.
  arguments.directory = std::filesystem::absolute(arguments.directory).string();
  if (!arguments.worker) return drive(arguments);
  return booking::run_worker({arguments.directory, arguments.plan.trips, arguments.plan.seed});
}

}  // namespace

int main(int argc, char** argv) {
  // A service that dies while it is written to is an error like others.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    Arguments arguments;
    CLI::App app("", "booking");
    declare(app, arguments);
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& thrown) {
      return app.exit(thrown) == 0 ? sound : bad_usage;
    }
    return run(arguments);
  } catch (const std::exception& thrown) {
    std::cerr << "booking: " << thrown.what() << '\n';
  }
  return failed;
}
