/// Judging a booking run by what the services have on record.
///
/// What this is: an auditor. It reads the five databases, and knows nothing but which trips were
/// asked for.
/// What it promises: `ok` means that each trip is booked at all five services or at none, that no
/// service did a key twice or booked a trip twice at a time, that nobody was charged twice, that
/// each charge is of a booked trip, that the log agrees with the bookings, and that nothing in a
/// database belongs to a trip that nobody asked for.
/// What it does not: believe anyone, or excuse a trip that is stuck half way. It changes nothing,
/// and may be run while the services work, though their trips are then hardly settled.
#pragma once

#include "layout.hpp"
#include "order.hpp"

#include <array>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace booking {

/// One row of a service's bookings.
struct Booking {
  std::string key;
  std::string trip;
  std::int64_t amount_cents = 0;
  State state = State::none;
  std::int64_t times_done = 0;
  std::int64_t times_undone = 0;
  std::int64_t logged_done = 0;    ///< How often the log has it done.
  std::int64_t logged_undone = 0;  ///< How often the log has it undone, tombstones apart.
};

/// What a service's database holds.
struct Books {
  std::string kind;
  std::vector<Booking> bookings;
  std::vector<std::string> strangers;  ///< Trips and keys that the log names and no booking has.
  std::int64_t requests = 0;
};

/// A row of the table.
struct ServiceCount {
  std::string kind;
  std::size_t done = 0;
  std::size_t undone = 0;
  std::size_t refused = 0;
  std::size_t tombstones = 0;
  std::int64_t requests = 0;
};

/// What a trip is, all in all.
enum class Verdict : std::uint8_t { booked, undone, broken };

struct TripVerdict {
  std::string trip;
  /// `none` where the service has nothing of the trip. In the order of `kinds`.
  std::array<State, kinds.size()> states{};
  Verdict verdict = Verdict::undone;
};

struct AuditReport {
  std::vector<ServiceCount> services;
  std::vector<TripVerdict> trips;
  std::int64_t charged_cents = 0;  ///< What is charged and not refunded.
  std::vector<std::string> reasons;

  [[nodiscard]] std::size_t count(Verdict verdict) const;
  [[nodiscard]] bool ok() const { return reasons.empty(); }
  /// `audit ok`, or `audit FAILED: ` and the first reasons, in one line.
  [[nodiscard]] std::string verdict() const;
  /// The table, without the verdict.
  void print(std::ostream& out) const;
};

/// Reads the database of one service. Throws `DatabaseError`.
[[nodiscard]] Books read_books(const std::string& directory, std::string_view kind);

/// Judges what was read: one of each kind, in their order.
[[nodiscard]] AuditReport judge(const std::vector<Books>& all,
                                const std::vector<std::string>& trips);

/// Reads and judges. A database that cannot be read is a reason, not an exception.
[[nodiscard]] AuditReport audit(const std::string& directory,
                                const std::vector<std::string>& trips);

}  // namespace booking
