/// Where everything of a booking run lies, and the five services' names.
///
/// What this is: the one place that knows the folder's layout, so that services, worker, driver and
/// audit agree on it.
/// What it does not: make any of it.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace booking {

/// In the order in which a trip asks them.
inline constexpr std::array<std::string_view, 5> kinds{"flight", "hotel", "car", "payment",
                                                       "itinerary"};

/// `DIR/services`: databases and port files.
[[nodiscard]] inline std::string services_of(const std::string& directory) {
  return directory + "/services";
}
[[nodiscard]] inline std::string database_of(const std::string& directory, std::string_view kind) {
  return services_of(directory) + "/" + std::string(kind) + ".sqlite";
}
/// Where a running service says which port it listens on.
[[nodiscard]] inline std::string port_file_of(const std::string& directory, std::string_view kind) {
  return services_of(directory) + "/" + std::string(kind) + ".port";
}
/// What a process said on its way.
[[nodiscard]] inline std::string log_of(const std::string& directory, std::string_view process) {
  return directory + "/logs/" + std::string(process) + ".log";
}
[[nodiscard]] inline std::string plan_of(const std::string& directory) {
  return directory + "/plan.json";
}
/// The worker's own.
[[nodiscard]] inline std::string journal_of(const std::string& directory) {
  return directory + "/trips.journal";
}

}  // namespace booking
