/// Which trips a folder is about.
///
/// What this is: how many trips, and the seed that decides what they are and what goes wrong.
/// What it promises: the same plan gives the same trips, in every process. A folder that has a plan
/// is never used for another one.
/// What it does not: say how much goes wrong. A run may be resumed with more or less of that.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace booking {

struct Plan {
  std::uint32_t trips = 0;
  std::uint64_t seed = 1;
  friend bool operator==(const Plan&, const Plan&) = default;
};

/// What a traveller asks for.
struct Trip {
  std::string id;  ///< `trip-0001`
  std::string traveller;
  std::string city;
  std::int64_t amount_cents = 0;
};

/// The trip of this number; the first is 1.
[[nodiscard]] std::string trip_id(std::uint32_t number);
[[nodiscard]] Trip trip_of(const Plan& plan, std::uint32_t number);
/// Every trip's id.
[[nodiscard]] std::vector<std::string> trip_ids(std::uint32_t trips);

enum class Claim : std::uint8_t { begun, resumed };

/// A folder that one driver at a time has for itself, with the plan in it.
class Folder {
 public:
  /// Makes the folder and what belongs in it, or takes up an earlier run with the same plan.
  /// Throws std::runtime_error where it holds something else, another plan, or another driver.
  Folder(std::string directory, const Plan& plan);
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder();
  [[nodiscard]] Claim claim() const { return claim_; }

 private:
  int lock_ = -1;
  Claim claim_ = Claim::begun;
};

}  // namespace booking
