
#include "audit.hpp"
#include "database.hpp"

namespace booking {
namespace {

constexpr std::string_view kBookings = R"(
SELECT key, trip, amount_cents, state, times_done, times_undone,
       (SELECT count(*) FROM log
        WHERE log.key = bookings.key AND log.request = 'do' AND log.effect = 'done'),
       (SELECT count(*) FROM log
        WHERE log.key = bookings.key AND log.request = 'undo' AND log.effect = 'undone')
FROM bookings ORDER BY trip, key)";

/// What the log has an effect of, and the bookings do not know.
constexpr std::string_view kStrangers = R"(
SELECT DISTINCT key, trip FROM log
WHERE effect IN ('done', 'refused', 'undone', 'tombstone')
  AND NOT EXISTS (SELECT 1 FROM bookings
                  WHERE bookings.key = log.key AND bookings.trip = log.trip)
ORDER BY number)";

void check_whole(Database& database) {
  Statement check(database, "PRAGMA integrity_check");
  if (check.step() && check.text(0) != "ok") {
    throw DatabaseError("The database " + database.file() + " is damaged: " + check.text(0));
  }
}

}  // namespace

Books read_books(const std::string& directory, std::string_view kind) {
  Database database(database_of(directory, kind), Access::read_only);
  check_whole(database);
  // One moment for all that is read, should the service be at work.
  database.execute("BEGIN");
  Books books{std::string(kind), {}, {}, 0};
  Statement rows(database, kBookings);
  while (rows.step()) {
    books.bookings.push_back({rows.text(0), rows.text(1), rows.number(2), state_of(rows.text(3)),
                              rows.number(4), rows.number(5), rows.number(6), rows.number(7)});
  }
  Statement strangers(database, kStrangers);
  while (strangers.step()) {
    books.strangers.push_back("key " + strangers.text(0) + " of " + strangers.text(1));
  }
  Statement count(database, "SELECT count(*) FROM log");
  count.step();
  books.requests = count.number(0);
  return books;
}

}  // namespace booking
