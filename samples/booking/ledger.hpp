/// What one service has booked, in one SQLite file.
///
/// What this is: a service without its HTTP: orders under idempotency keys, and their undoing.
/// What it promises:
///  - the same key again gives the same answer and changes nothing, and so does a refusal;
///  - an order that is undone before it comes leaves a tombstone, and has no effect when it comes;
///  - each change, together with its line in the log, is one transaction that is on the disk before
///    the answer is given: a service that is killed loses nothing that it answered.
/// What it does not: decide what is refused. Whoever opens it does.
///
/// Tables, for auditors:
///
///     bookings(key, trip, traveller, detail, amount_cents, state, reference, reason, done_at,
///              undone_at, times_done, times_undone)
///     log(number, at, request, key, trip, effect, fault)
///
/// A tombstone is a booking in the state `undone` that was never done (`times_done` 0).
#pragma once

#include "database.hpp"
#include "order.hpp"

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace booking {

/// What is on record under a key.
struct Entry {
  State state = State::none;
  std::string trip;
  std::string reference;  ///< Of what was done, even when it is undone since.
  std::string reason;     ///< Of a refusal.
};

/// Why a new order is refused; empty where it is not.
using Refuses = std::function<std::string(const Order&)>;

/// Thread-safe.
class Ledger {
 public:
  /// Opens or makes `file`. References begin with the kind's first letters. Throws `DatabaseError`.
  Ledger(const std::string& file, std::string kind, Refuses refuses);
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;
  /// Leaves one plain file, that may be copied and read anywhere.
  ~Ledger();

  /// Does the order, unless its key is known. Gives what is on record afterwards: `done`,
  /// `refused`, or `undone` where it came too late. A key that is known for another trip changes
  /// nothing: the entry names that trip. `fault` is what happens to this request by plan, for the
  /// log.
  Entry book(const Order& order, std::string_view fault = {});

  /// Undoes what the key did, or leaves a tombstone. Gives what was on record before. A key that is
  /// known for another trip changes nothing: the entry names that trip.
  Entry undo(const std::string& key, const std::string& trip, std::string_view fault = {});

  [[nodiscard]] Entry find(const std::string& key, std::string_view fault = {});

  /// Writes down a request that has no effect: it makes no sense, or the process is about to crash.
  void note(std::string_view request, const std::string& key, const std::string& trip,
            std::string_view fault);

  /// How many requests are in the log.
  [[nodiscard]] std::uint64_t requests();

 private:
  Entry look_up(const std::string& key);
  void log(std::string_view request, const std::string& key, const std::string& trip,
           std::string_view effect, std::string_view fault);
  Entry insert(const Order& order);
  [[nodiscard]] std::string next_reference();

  std::string kind_;
  Refuses refuses_;
  std::mutex mutex_;
  Database database_;
};

}  // namespace booking
