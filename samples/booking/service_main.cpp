/// booking_service: one of the five services of the booking sample, with faults by flags.

#include "service.hpp"

#include <CLI/CLI.hpp>

#include <exception>
#include <iostream>
#include <string>

namespace {

/// What the process ends with; --help lists them.
enum Exit : int { ended = 0, bad_usage = 2, failed = 3 };

void declare(CLI::App& app, booking::ServiceOptions& options) {
  app.description(
      "A service that books flights, hotels, cars, payments or itineraries, over HTTP.\n"
      "Kill it and start it again on the same database: it has lost nothing that it answered.");
  app.add_option("--kind", options.kind, "What it books: flight, hotel, car, payment, itinerary")
      ->required();
  app.add_option("--database", options.database, "SQLite file; made when it is not there")
      ->required();
  app.add_option("--port-file", options.port_file, "File to write the port to")->required();
  app.add_option("--listen", options.listen, "IPv4 address to listen on")
      ->capture_default_str()
      ->check(CLI::ValidIPV4);
  app.add_option("--seed", options.seed, "Decides the faults")->capture_default_str();
  app.add_option("--refuse", options.faults.refuse, "Probability that it refuses a trip")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--latency-ms", options.faults.latency_ms,
                 "The longest that it sleeps, before the effect and again after it")
      ->capture_default_str()
      ->check(CLI::Range(0U, 60'000U));
  app.add_option("--lose-reply", options.faults.lose_reply,
                 "Probability that a request is done and never answered")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--crash", options.faults.crash,
                 "Probability that the process dies of a request, before its effect or after it")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  app.footer(
      "Exit codes: 0 it was told to end (SIGTERM); 1 it crashed by plan; 2 the command line is "
      "wrong; 3 it cannot begin.");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    booking::ServiceOptions options;
    CLI::App app("", "booking_service");
    declare(app, options);
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& thrown) {
      return app.exit(thrown) == 0 ? ended : bad_usage;
    }
    booking::serve(options);
    return ended;
  } catch (const std::exception& thrown) {
    std::cerr << "booking_service: " << thrown.what() << '\n';
  }
  return failed;
}
