#include "actors/due_service.hpp"

#include "core/limits.hpp"

#include <algorithm>
#include <limits>
#include <vector>

namespace perdure::actors {
namespace {

/// A clock that counts nanoseconds holds no more: what is due later is due when nobody asks.
std::chrono::microseconds countable(std::chrono::microseconds in) {
  return std::clamp<std::chrono::microseconds>(in, std::chrono::microseconds(0),
                                               core::limits::kDelayMax);
}

}  // namespace

DueService::DueService(journal::Store& store, Timers& timers, core::Clock& clock, Hooks hooks,
                       std::size_t head_rows)
    : store_(store),
      timers_(timers),
      clock_(clock),
      hooks_(std::move(hooks)),
      head_rows_(head_rows) {}

Result<void> DueService::start() {
  calendar_ = clock_.wall().time_since_epoch() - clock_.elapsed();
  return read_rows();
}

void DueService::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
}

void DueService::arm(Item item) {
  const std::lock_guard lock(mutex_);
  if (item.due <= horizon_) arm_locked(item);
}

void DueService::arm_locked(const Item& item) {
  if (stopped_ || !armed_.emplace(item.run, item.path.hash(), item.what, item.due).second) return;
  if (item.by_wall_clock) {
    by_wall_clock_.emplace(item.due, item);
    if (!std::exchange(looks_at_wall_clock_, true)) look_later_locked();
    return;
  }
  timers_.schedule(clock_.elapsed() + countable(item.in), [this, item] { fire(item); });
}

void DueService::look_later_locked() {
  const journal::Stamp now = clock_.wall().time_since_epoch().count();
  const std::chrono::microseconds left(
      std::max<journal::Stamp>(by_wall_clock_.begin()->first - now, 0));
  const auto in = std::min<std::chrono::microseconds>(left, kLookAtWallClock);
  timers_.schedule(clock_.elapsed() + in, [this] { look_at_wall_clock(); });
}

void DueService::look_at_wall_clock() {
  const journal::Stamp now = clock_.wall().time_since_epoch().count();
  std::vector<Item> due;
  {
    const std::lock_guard lock(mutex_);
    while (!by_wall_clock_.empty() && by_wall_clock_.begin()->first <= now) {
      due.push_back(std::move(by_wall_clock_.begin()->second));
      by_wall_clock_.erase(by_wall_clock_.begin());
    }
    looks_at_wall_clock_ = !stopped_ && !by_wall_clock_.empty();
    if (looks_at_wall_clock_) look_later_locked();
  }
  for (const Item& item : due) fire(item);
}

void DueService::fire(const Item& item) {
  {
    const std::lock_guard lock(mutex_);
    armed_.erase({item.run, item.path.hash(), item.what, item.due});
    if (stopped_) return;
  }
  hooks_.due(item.session, {item.run, item.path, item.what, item.due});
}

/// How long the wait was when it began.
Result<journal::Stamp> DueService::whole_delay(journal::Reader& reader, const journal::Due& row) {
  if (row.what != journal::DueRow::What::retry)
    return std::max<journal::Stamp>(row.at - row.begun, 0);
  PERDURE_TRY(const std::vector<journal::Attempts> attempts, reader.attempts(row.run));
  for (const journal::Attempts& each : attempts)
    if (each.path == row.path) return std::max<journal::Stamp>(each.next_due - each.last_stamp, 0);
  return journal::Stamp{0};
}

Result<std::optional<SessionAddress>> DueService::session_of(journal::Reader& reader,
                                                             const journal::Due& row) {
  if (row.session) {
    // The run of a message that is kept has no row yet.
    PERDURE_TRY(const auto address, reader.session(*row.session));
    if (!address) return std::optional<SessionAddress>{};
    return std::optional(SessionAddress{*row.session, address->agent, address->key});
  }
  PERDURE_TRY(const std::optional<journal::RunInfo> info, reader.run(row.run));
  if (!info) return std::optional<SessionAddress>{};
  return std::optional(SessionAddress{info->session, info->agent, info->session_key});
}

/// Arms a head of rows from `next_` on. How long until the first row behind them is due; empty when
/// there is none.
Result<std::optional<std::chrono::microseconds>> DueService::read_head() {
  // First the horizon, then the snapshot: a row that becomes durable in between is armed by its own
  // session, one that is in both is armed once.
  const journal::Stamp now = clock_.wall().time_since_epoch().count();
  // What the wall clock would show if nobody had set it since the start. Which of the two a row was
  // written by is not known: the one by which it has longer to wait makes nothing early.
  const journal::Stamp unset =
      std::chrono::floor<std::chrono::microseconds>(calendar_ + clock_.elapsed()).count();
  {
    const std::lock_guard lock(mutex_);
    horizon_ = std::numeric_limits<journal::Stamp>::max();
  }
  PERDURE_TRY(journal::Reader reader, journal::Reader::open(store_));
  std::vector<journal::Due> rows;
  const auto take = [&](const journal::Due& row) {
    rows.push_back(row);
    return rows.size() <= head_rows_;
  };
  const Result<void> all_read = reader.each_due(take, next_);
  for (const journal::Due& row : rows) {
    PERDURE_TRY(const journal::Stamp whole, whole_delay(reader, row));
    const journal::StepPath path(row.path);
    next_ = journal::due_row(row);
    if (&row - rows.data() == static_cast<std::ptrdiff_t>(head_rows_)) {
      const std::lock_guard lock(mutex_);
      horizon_ = row.at;
      // When the wall clock was set back, the order of the rows does not tell which is due first:
      // then all are read.
      const bool set_back = !row.by_wall_clock && row.at - whole > now;
      return std::optional(std::chrono::microseconds(set_back ? 0 : row.at - now));
    }
    next_.add_zero_byte();
    PERDURE_TRY(std::optional<SessionAddress> session, session_of(reader, row));
    if (!session) continue;
    // Across a restart the wall clock is the only witness: what is left stays within the delay.
    const std::chrono::microseconds in(
        std::clamp<journal::Stamp>(row.at - std::min(now, unset), 0, whole));
    const std::lock_guard lock(mutex_);
    arm_locked({*std::move(session), row.run, path, row.at, in, row.what, row.by_wall_clock});
  }
  PERDURE_TRY(all_read);
  return std::optional<std::chrono::microseconds>{};
}

Result<void> DueService::read_rows() {
  PERDURE_TRY(const std::optional<std::chrono::microseconds> more, read_head());
  if (more) read_later(*more);
  return success();
}

void DueService::read_later(std::chrono::microseconds in) {
  look_whether_to_read(clock_.elapsed() + countable(in));
}

/// At `at`, or before that when somebody set the wall clock on to the rows beyond the head.
void DueService::look_whether_to_read(core::Elapsed at) {
  const core::Elapsed look = clock_.elapsed() + core::Elapsed(kLookAtWallClock);
  timers_.schedule(std::min(at, look), [this, at] {
    const journal::Stamp now = clock_.wall().time_since_epoch().count();
    {
      const std::lock_guard lock(mutex_);
      if (stopped_) return;
      if (clock_.elapsed() < at && now < horizon_) return look_whether_to_read(at);
    }
    if (const Result<void> read = read_rows(); read.has_error()) {
      hooks_.unreadable(read.error());
      read_later(kTryAgain);
    }
  });
}

}  // namespace perdure::actors
