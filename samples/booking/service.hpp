/// One booking service: a ledger behind HTTP, with faults.
///
/// What this is: `POST /do`, `POST /undo` and `GET /find` (desk.hpp has the bodies) on a port that
/// the system chooses.
/// What it promises: the port file is there whole or not at all, and only once connections are
/// taken. A request that names another service (`kServiceHeader`) is turned away with 421: a client
/// may hold a port that another service has got since.
/// What it does not: restart itself. A crash by plan ends the process with `kCrashed`.
#pragma once

#include "faults.hpp"

#include <cstdint>
#include <string>

namespace booking {

/// What a service ends with that dies by plan.
inline constexpr int kCrashed = 1;
inline constexpr const char* kServiceHeader = "X-Booking-Service";

struct ServiceOptions {
  std::string kind;
  std::string database;
  std::string port_file;
  std::string listen = "127.0.0.1";
  std::uint64_t seed = 1;
  FaultLevels faults = {};
};

/// Serves until SIGTERM or SIGINT. Throws std::runtime_error where it cannot begin. To be called
/// before the process has other threads: they would take the signals.
void serve(const ServiceOptions& options);

}  // namespace booking
