
#include "plan.hpp"

#include "layout.hpp"
#include "random.hpp"

#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string_view>

namespace booking {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::array<std::string_view, 8> kTravellers{"Ada",  "Brook", "Chidi", "Dana",
                                                      "Emil", "Farah", "Goro",  "Hedda"};
constexpr std::array<std::string_view, 8> kCities{"Lisbon", "Oslo",    "Kyoto",  "Quito",
                                                  "Perth",  "Nairobi", "Tromso", "Cork"};

[[noreturn]] void fail(const std::string& sentence) { throw std::runtime_error(sentence); }

std::string words_of(const Plan& plan) {
  return "--trips " + std::to_string(plan.trips) + " --seed " + std::to_string(plan.seed);
}

/// The plan in a file; nothing where there is no such file.
std::optional<Plan> read_plan(const std::string& file) {
  if (!fs::exists(file)) return {};
  std::ifstream stream(file);
  const Json json = Json::parse(stream, nullptr, false);
  if (!json.is_object() || !json.contains("trips") || !json.contains("seed") ||
      !json["trips"].is_number_unsigned() || !json["seed"].is_number_unsigned()) {
    fail(file + " is not the plan of a booking run. Name another folder with --dir.");
  }
  return Plan{json["trips"].get<std::uint32_t>(), json["seed"].get<std::uint64_t>()};
}

/// Renamed into place: it is there whole or not at all.
void write_plan(const std::string& file, const Plan& plan) {
  const std::string partial = file + ".partial";
  std::ofstream(partial) << Json{{"trips", plan.trips}, {"seed", plan.seed}}.dump() << '\n';
  fs::rename(partial, file);
}

/// Whether nothing is in the folder but what a driver makes before it writes its plan.
bool is_empty(const std::string& directory) {
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    const std::string name = entry.path().filename();
    if (name != "driver.lock" && name != "plan.json.partial") return false;
  }
  return true;
}

}  // namespace

std::string trip_id(std::uint32_t number) {
  std::string digits = std::to_string(number);
  if (digits.size() < 4) digits.insert(0, 4 - digits.size(), '0');
  return "trip-" + digits;
}

Trip trip_of(const Plan& plan, std::uint32_t number) {
  Trip trip{trip_id(number), "", "", 0};
  Random random(seed_for(plan.seed, trip.id));
  trip.traveller = kTravellers[random.below(kTravellers.size())];
  trip.city = kCities[random.below(kCities.size())];
  trip.amount_cents = 10'000 + static_cast<std::int64_t>(random.below(90'000));
  return trip;
}

std::vector<std::string> trip_ids(std::uint32_t trips) {
  std::vector<std::string> ids;
  for (std::uint32_t number = 1; number <= trips; ++number) ids.push_back(trip_id(number));
  return ids;
}

Folder::Folder(std::string directory, const Plan& plan) {
  std::error_code failure;
  fs::create_directories(directory, failure);
  const std::string lock_file = directory + "/driver.lock";
  const bool was_empty = fs::is_directory(directory) && is_empty(directory);
  const std::optional<Plan> before = read_plan(plan_of(directory));
  if (!before && !was_empty) {
    fail(directory +
         " is no empty folder and holds no earlier booking run. Name another with --dir.");
  }
  lock_ = ::open(lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (lock_ < 0) fail("This user cannot write to " + directory + ". Name another with --dir.");
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    ::close(lock_);
    fail("Another driver works in " + directory + ". Wait for it, or name another with --dir.");
  }
  if (before && *before != plan) {
    ::close(lock_);
    fail(directory + " is a booking run with " + words_of(*before) + ", not with " +
         words_of(plan) + ". Give the same, or name another folder with --dir.");
  }
  fs::create_directories(services_of(directory));
  fs::create_directories(fs::path(log_of(directory, "")).parent_path());
  if (!before) write_plan(plan_of(directory), plan);
  claim_ = before ? Claim::resumed : Claim::begun;
}

Folder::~Folder() { ::close(lock_); }

}  // namespace booking
