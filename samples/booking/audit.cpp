
#include "audit.hpp"

#include "database.hpp"

#include <algorithm>
#include <iomanip>
#include <map>
#include <ostream>
#include <set>

namespace booking {
namespace {

constexpr std::string_view kPayment = "payment";
/// A verdict names so many reasons; the others are counted.
constexpr std::size_t kReasonsTold = 3;

/// What one service has of one trip, over all keys.
struct Share {
  std::size_t done = 0;
  std::size_t undone = 0;
  std::size_t refused = 0;
  std::int64_t times_done = 0;

  void add(const Booking& booking) {
    done += booking.state == State::done ? 1U : 0U;
    undone += booking.state == State::undone ? 1U : 0U;
    refused += booking.state == State::refused ? 1U : 0U;
    times_done += booking.times_done;
  }
  [[nodiscard]] State state() const {
    if (done > 0) return State::done;
    if (undone > 0) return State::undone;
    return refused > 0 ? State::refused : State::none;
  }
};

/// By trip, what each service has of it.
using Shares = std::map<std::string, std::array<Share, kinds.size()>>;

std::string in_file(const std::string& kind) { return kind + ".sqlite: "; }

/// What is wrong with one row by itself; empty where nothing is.
std::string fault_of(const Booking& booking) {
  if (booking.times_done > 1) {
    return "was done " + std::to_string(booking.times_done) + " times";
  }
  const std::int64_t is_done = booking.state == State::done ? 1 : 0;
  if (booking.times_done - booking.times_undone != is_done) {
    return "is " + std::string(to_string(booking.state)) + ", though it was done " +
           std::to_string(booking.times_done) + " times and undone " +
           std::to_string(booking.times_undone) + " times";
  }
  if (booking.logged_done != booking.times_done || booking.logged_undone != booking.times_undone) {
    return "was done " + std::to_string(booking.times_done) + " times and undone " +
           std::to_string(booking.times_undone) + " times, but by the log " +
           std::to_string(booking.logged_done) + " and " + std::to_string(booking.logged_undone);
  }
  if (booking.state == State::none) return "has a state that nobody knows";
  return {};
}

void judge_rows(const Books& books, const std::set<std::string>& asked, AuditReport& report) {
  for (const Booking& booking : books.bookings) {
    const std::string subject =
        in_file(books.kind) + "key " + booking.key + " of " + booking.trip + " ";
    if (!asked.contains(booking.trip)) {
      report.reasons.push_back(subject + "belongs to no trip that was asked for");
    }
    if (const std::string fault = fault_of(booking); !fault.empty()) {
      report.reasons.push_back(subject + fault);
    }
  }
  for (const std::string& stranger : books.strangers) {
    report.reasons.push_back(in_file(books.kind) + stranger + " is in the log and in no booking");
  }
}

ServiceCount count_of(const Books& books) {
  ServiceCount count{books.kind, 0, 0, 0, 0, books.requests};
  for (const Booking& booking : books.bookings) {
    const bool is_tombstone = booking.state == State::undone && booking.times_done == 0;
    count.done += booking.state == State::done ? 1U : 0U;
    count.refused += booking.state == State::refused ? 1U : 0U;
    count.undone += booking.state == State::undone && !is_tombstone ? 1U : 0U;
    count.tombstones += is_tombstone ? 1U : 0U;
  }
  return count;
}

std::string words_of(const TripVerdict& trip) {
  std::string words;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const bool is_absent = trip.states[i] == State::none;
    words += (i == 0 ? "" : ", ") + std::string(kinds[i]) + " ";
    words += is_absent ? "absent" : to_string(trip.states[i]);
  }
  return words;
}

TripVerdict judge_trip(const std::string& trip, const std::array<Share, kinds.size()>& shares,
                       std::vector<std::string>& reasons) {
  TripVerdict result{trip, {}, Verdict::undone};
  std::size_t done = 0;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const Share& share = shares[i];
    result.states[i] = share.state();
    done += share.done > 0 ? 1U : 0U;
    const bool is_payment = kinds[i] == kPayment;
    if (is_payment && share.times_done > 1) {
      reasons.push_back(trip + " was charged " + std::to_string(share.times_done) + " times");
      result.verdict = Verdict::broken;
    } else if (share.done > 1) {
      reasons.push_back(trip + " has " + std::to_string(share.done) + " bookings of its " +
                        std::string(kinds[i]));
      result.verdict = Verdict::broken;
    }
  }
  if (done != 0 && done != kinds.size()) {
    reasons.push_back(trip + " is half booked: " + words_of(result));
    result.verdict = Verdict::broken;
  } else if (done != 0 && result.verdict != Verdict::broken) {
    result.verdict = Verdict::booked;
  }
  return result;
}

/// Each charge that stands is of a booked trip.
void judge_charges(const Books& payments, AuditReport& report) {
  std::set<std::string> booked;
  for (const TripVerdict& trip : report.trips) {
    if (trip.verdict == Verdict::booked) booked.insert(trip.trip);
  }
  for (const Booking& booking : payments.bookings) {
    if (booking.state != State::done) continue;
    report.charged_cents += booking.amount_cents;
    if (!booked.contains(booking.trip)) {
      report.reasons.push_back(booking.trip + " is charged " +
                               std::to_string(booking.amount_cents) + " cents and is not booked");
    }
  }
}

}  // namespace

std::size_t AuditReport::count(Verdict verdict) const {
  return static_cast<std::size_t>(std::ranges::count(trips, verdict, &TripVerdict::verdict));
}

std::string AuditReport::verdict() const {
  if (ok()) return "audit ok";
  std::string line = "audit FAILED: ";
  for (std::size_t i = 0; i < std::min(reasons.size(), kReasonsTold); ++i) {
    line += (i == 0 ? "" : "; ") + reasons[i];
  }
  if (reasons.size() > kReasonsTold) {
    line += "; and " + std::to_string(reasons.size() - kReasonsTold) + " more";
  }
  // SQLite's words may have several lines.
  std::ranges::replace(line, '\n', ' ');
  return line;
}

void AuditReport::print(std::ostream& out) const {
  constexpr int wide = 12;
  out << std::left << std::setw(wide) << "service" << std::right;
  for (const char* title : {"done", "undone", "refused", "tombstones", "requests"}) {
    out << std::setw(wide) << title;
  }
  out << '\n';
  for (const ServiceCount& row : services) {
    out << std::left << std::setw(wide) << row.kind << std::right << std::setw(wide) << row.done
        << std::setw(wide) << row.undone << std::setw(wide) << row.refused << std::setw(wide)
        << row.tombstones << std::setw(wide) << row.requests << '\n';
  }
  out << "trips: " << count(Verdict::booked) << " booked, " << count(Verdict::undone) << " undone, "
      << count(Verdict::broken) << " broken; " << charged_cents << " cents charged\n";
}

AuditReport judge(const std::vector<Books>& all, const std::vector<std::string>& trips) {
  AuditReport report;
  const std::set<std::string> asked(trips.begin(), trips.end());
  Shares shares;
  for (const std::string& trip : asked) shares[trip] = {};
  for (std::size_t i = 0; i < all.size() && i < kinds.size(); ++i) {
    report.services.push_back(count_of(all[i]));
    judge_rows(all[i], asked, report);
    for (const Booking& booking : all[i].bookings) shares[booking.trip][i].add(booking);
  }
  for (const auto& [trip, of_services] : shares) {
    report.trips.push_back(judge_trip(trip, of_services, report.reasons));
  }
  for (const Books& books : all) {
    if (books.kind == kPayment) judge_charges(books, report);
  }
  return report;
}

AuditReport audit(const std::string& directory, const std::vector<std::string>& trips) {
  std::vector<Books> all;
  std::vector<std::string> unread;
  for (const std::string_view kind : kinds) {
    try {
      all.push_back(read_books(directory, kind));
    } catch (const DatabaseError& error) {
      all.push_back({std::string(kind), {}, {}, 0});
      unread.emplace_back(error.what());
    }
  }
  AuditReport report = judge(all, trips);
  report.reasons.insert(report.reasons.begin(), unread.begin(), unread.end());
  return report;
}

}  // namespace booking
