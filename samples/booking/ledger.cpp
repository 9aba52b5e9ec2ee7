
#include "ledger.hpp"

#include <cctype>
#include <utility>

namespace booking {
namespace {

constexpr const char* kTables = R"(
CREATE TABLE IF NOT EXISTS bookings(
  key TEXT PRIMARY KEY NOT NULL,
  trip TEXT NOT NULL,
  traveller TEXT NOT NULL,
  detail TEXT NOT NULL,
  amount_cents INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('done', 'undone', 'refused')),
  reference TEXT NOT NULL,
  reason TEXT NOT NULL,
  done_at TEXT,
  undone_at TEXT,
  times_done INTEGER NOT NULL,
  times_undone INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS log(
  number INTEGER PRIMARY KEY,
  at TEXT NOT NULL,
  request TEXT NOT NULL,
  key TEXT NOT NULL,
  trip TEXT NOT NULL,
  effect TEXT NOT NULL,
  fault TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS log_by_key ON log(key))";

constexpr std::string_view kInsert = R"(
INSERT INTO bookings(key, trip, traveller, detail, amount_cents, state, reference, reason,
                     done_at, undone_at, times_done, times_undone)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,
        CASE ?6 WHEN 'done' THEN strftime('%Y-%m-%dT%H:%M:%fZ', 'now') END,
        CASE ?6 WHEN 'undone' THEN strftime('%Y-%m-%dT%H:%M:%fZ', 'now') END,
        ?6 = 'done', 0))";

constexpr std::string_view kUndo = R"(
UPDATE bookings SET state = 'undone', times_undone = times_undone + 1,
                    undone_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
WHERE key = ?)";

/// What an order had for an effect, given what was on record before it came.
std::string_view effect_of(const Entry& before, const Entry& after) {
  switch (before.state) {
    case State::none: return to_string(after.state);
    case State::done: return "done before";
    case State::refused: return "refused before";
    case State::undone: return "came too late";
  }
  return "unrecognised";
}

/// What undoing had for an effect.
std::string_view undo_effect_of(State before) {
  switch (before) {
    case State::none: return "tombstone";
    case State::done: return "undone";
    case State::refused: return "nothing to undo";
    case State::undone: return "undone before";
  }
  return "unrecognised";
}

constexpr std::string_view kOtherTrip = "another trip's key";

}  // namespace

Ledger::Ledger(const std::string& file, std::string kind, Refuses refuses)
    : kind_(std::move(kind)), refuses_(std::move(refuses)), database_(file, Access::read_write) {
  database_.execute(kTables);
}

Ledger::~Ledger() {
  // Where somebody reads it at this moment it stays two files, which are as good to SQLite.
  database_.try_execute("PRAGMA journal_mode = DELETE");
}

Entry Ledger::book(const Order& order, std::string_view fault) {
  const std::scoped_lock lock(mutex_);
  Transaction transaction(database_);
  const Entry before = look_up(order.key);
  const bool is_other = before.state != State::none && before.trip != order.trip;
  Entry after = before.state == State::none ? insert(order) : before;
  log("do", order.key, order.trip, is_other ? kOtherTrip : effect_of(before, after), fault);
  transaction.commit();
  return after;
}

Entry Ledger::undo(const std::string& key, const std::string& trip, std::string_view fault) {
  const std::scoped_lock lock(mutex_);
  Transaction transaction(database_);
  Entry before = look_up(key);
  const bool is_other = before.state != State::none && before.trip != trip;
  if (before.state == State::none) {
    Statement(database_, kInsert, key, trip, "", "", 0, "undone", "", "").step();
  } else if (before.state == State::done && !is_other) {
    Statement(database_, kUndo, key).step();
  }
  log("undo", key, trip, is_other ? kOtherTrip : undo_effect_of(before.state), fault);
  transaction.commit();
  return before;
}

Entry Ledger::find(const std::string& key, std::string_view fault) {
  const std::scoped_lock lock(mutex_);
  Transaction transaction(database_);
  Entry entry = look_up(key);
  log("find", key, entry.trip, "found " + std::string(to_string(entry.state)), fault);
  transaction.commit();
  return entry;
}

void Ledger::note(std::string_view request, const std::string& key, const std::string& trip,
                  std::string_view fault) {
  const std::scoped_lock lock(mutex_);
  Transaction transaction(database_);
  log(request, key, trip, "none", fault);
  transaction.commit();
}

std::uint64_t Ledger::requests() {
  const std::scoped_lock lock(mutex_);
  Statement count(database_, "SELECT count(*) FROM log");
  count.step();
  return static_cast<std::uint64_t>(count.number(0));
}

Entry Ledger::look_up(const std::string& key) {
  Statement row(database_, "SELECT state, trip, reference, reason FROM bookings WHERE key = ?",
                key);
  if (!row.step()) return {};
  return {state_of(row.text(0)), row.text(1), row.text(2), row.text(3)};
}

void Ledger::log(std::string_view request, const std::string& key, const std::string& trip,
                 std::string_view effect, std::string_view fault) {
  Statement(database_,
            "INSERT INTO log(at, request, key, trip, effect, fault) "
            "VALUES (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), ?, ?, ?, ?, ?)",
            request, key, trip, effect, fault)
      .step();
}

Entry Ledger::insert(const Order& order) {
  Entry entry{State::done, order.trip, "", refuses_ ? refuses_(order) : ""};
  if (!entry.reason.empty()) entry.state = State::refused;
  if (entry.state == State::done) entry.reference = next_reference();
  Statement(database_, kInsert, order.key, order.trip, order.traveller, order.detail,
            order.amount_cents, to_string(entry.state), entry.reference, entry.reason)
      .step();
  return entry;
}

std::string Ledger::next_reference() {
  // No row ever goes away, so their number names the next one.
  Statement count(database_, "SELECT count(*) + 1 FROM bookings");
  count.step();
  std::string letters = kind_.substr(0, 2);
  for (char& letter : letters) {
    letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  }
  return letters + "-" + std::to_string(count.number(0));
}

}  // namespace booking
