// The tables of sessions: what came for them, what they wait for and what they know.

#include "journal/place.hpp"
#include "journal/verifier.hpp"

#include <algorithm>

namespace perdure::journal {
namespace {

/// Before every time that something else is due at, so that a recovery looks at once.
constexpr std::uint64_t kCircleTime = 1;

}  // namespace

Result<void> Verifier::due() {
  return each(Table::due, 8 + kIdBytes + kHashBytes, [&](core::ByteView key) -> Result<void> {
    const auto entry = row<DueRow>(Table::due, key);
    if (!entry) return success();
    using What = DueRow::What;
    if (entry->what == What::retry) return check_step_row(Table::due, key, 8, entry->path);
    if (entry->what == What::wait) return check_due_wait(key, *entry);
    if (entry->what == What::saga) return check_due_saga(key, *entry);
    const auto what = static_cast<std::uint64_t>(entry->what);
    if (!std::ranges::equal(Key{}.add(what).view(), key.last(kHashBytes)))
      findings_.add(
          Table::due, key,
          "it does not stand where a " + std::string(to_string(entry->what)) + " of a run stands");
    if (entry->what == What::message) return check_due_message(key, *entry);
    if (entry->what == What::circle && number_at(key, 0, 8) != kCircleTime)
      findings_.add(Table::due, key, "circles are looked for at the time 1");
    return check_unfinished(Table::due, key, id_at<RunId>(key, 8));
  });
}

/// The time of a step that waits for it.
Result<void> Verifier::check_due_wait(core::ByteView key, const DueRow& due) {
  const Key step = Key{}.add(id_at<RunId>(key, 8)).add(StepPath(due.path).hash());
  PERDURE_TRY(const auto wait, other<WaitRow>(Table::waits, step));
  if (!wait || static_cast<std::uint64_t>(wait->due) != number_at(key, 0, 8))
    findings_.add(Table::due, key, "no step waits for this time");
  return check_step_row(Table::due, key, 8, due.path);
}

/// The time of a message that its session keeps.
Result<void> Verifier::check_due_message(core::ByteView key, const DueRow& due) {
  PERDURE_TRY(const auto run, other<RunRow>(Table::runs, Key{}.add(id_at<RunId>(key, 8))));
  if (!run)
    findings_.add(Table::due, key, "its run is missing or damaged");
  else if (due.session != run->session)
    findings_.add(Table::due, key, "it names another session than its run does");
  else if (run->queued == 0)
    findings_.add(Table::due, key, "its run is not queued");
  return success();
}

Result<void> Verifier::open() {
  return each(Table::open, kIdBytes, [&](core::ByteView key) -> Result<void> {
    const auto entry = row<OpenRow>(Table::open, key);
    if (!entry) return success();
    PERDURE_TRY(const auto session, session_of(entry->run));
    PERDURE_TRY(const auto status, status_of(entry->run));
    if (!session || !status)
      findings_.add(Table::open, key,
                    "its run " + perdure::to_string(entry->run) + " is missing or damaged");
    else if (*session != id_at<SessionId>(key, 0))
      findings_.add(Table::open, key,
                    "its run " + perdure::to_string(entry->run) + " belongs to another session");
    else if (!is_unfinished(*status))
      findings_.add(Table::open, key,
                    "its run " + perdure::to_string(entry->run) +
                        " has ended: " + std::string(to_string(*status)));
    return success();
  });
}

Result<void> Verifier::arrivals(Table table) {
  return each(table, kIdBytes + 8, [&](core::ByteView key) -> Result<void> {
    const auto entry = row<ArrivalRow>(table, key);
    if (!entry) return success();
    check_arrival(table, key, *entry);
    // What is kept is written again, at its place in the queue, when its time has come.
    const RecordNumber place = number_at(key, kIdBytes, 8);
    if (table == Table::kept ? buffer_.number() < place : buffer_.number() != place)
      findings_.add(table, key, "it does not stand at its own number");
    const Key at = Key{}.add(id_at<SessionId>(key, 0));
    PERDURE_TRY(const bool has_session, is_there(Table::sessions, at));
    // Who sends need not know whether the session is there already.
    if (!has_session && table == Table::inbox)
      return check_place_of(table, key, id_at<SessionId>(key, 0), entry->agent, entry->session_key);
    PERDURE_TRY(const auto session, other<SessionRow>(Table::sessions, at));
    if (!session)
      findings_.add(table, key, "its session is missing or damaged");
    else if (session->agent != entry->agent || session->key != entry->session_key)
      findings_.add(table, key, "its session has another address");
    return table == Table::kept ? check_kept(key, *entry) : success();
  });
}

void Verifier::check_arrival(Table table, core::ByteView key, const ArrivalRow& arrival) {
  using What = ArrivalRow::What;
  payloads_.check(table, key, arrival.payload);
  if (arrival.what != What::signal && !arrival.run) findings_.add(table, key, "it names no run");
  if (arrival.what == What::reply && (!arrival.other || arrival.path.empty()))
    findings_.add(table, key, "it does not say what it answers");
  if (arrival.what == What::abort_saga && arrival.saga == 0)
    findings_.add(table, key, "it does not say which saga is to be aborted");
  if (table == Table::kept && arrival.what != What::message && arrival.what != What::signal)
    findings_.add(table, key, "no session keeps a " + std::string(to_string(arrival.what)));
}

/// What is kept belongs to a run that has not ended, or makes one.
Result<void> Verifier::check_kept(core::ByteView key, const ArrivalRow& arrival) {
  using What = ArrivalRow::What;
  if (arrival.what == What::signal && arrival.run)
    return check_unfinished(Table::kept, key, *arrival.run);
  if (arrival.what != What::message || !arrival.run) return success();
  if (!arrival.other) return check_kept_message(key, arrival);
  PERDURE_TRY(const auto run, other<RunRow>(Table::runs, Key{}.add(*arrival.other)));
  if (run && run->queued != 0) return success();
  return check_unfinished(Table::kept, key, *arrival.other);
}

/// A message that waits for its time, or for the session to be free.
Result<void> Verifier::check_kept_message(core::ByteView key, const ArrivalRow& arrival) {
  const SessionId session = id_at<SessionId>(key, 0);
  const std::string name = "its run " + perdure::to_string(*arrival.run);
  PERDURE_TRY(const auto run, other<RunRow>(Table::runs, Key{}.add(*arrival.run)));
  if (!run)
    findings_.add(Table::kept, key, name + " is missing or damaged");
  else if (run->session != session)
    findings_.add(Table::kept, key, name + " belongs to another session");
  else if (run->queued == 0)
    findings_.add(Table::kept, key, name + " is not queued");
  if (arrival.due == 0) {
    PERDURE_TRY(const bool has_open, is_there(Table::open, Key{}.add(session)));
    if (!has_open)
      findings_.add(Table::kept, key, "its session handles no run, so nothing would begin with it");
    return success();
  }
  PERDURE_TRY(const bool is_due,
              is_there(Table::due, due_row(arrival.due, *arrival.run, DueRow::What::message)));
  if (!is_due) findings_.add(Table::kept, key, "nothing is due when its time comes");
  return success();
}

Result<void> Verifier::waits() {
  return each(Table::waits, kIdBytes + kHashBytes, [&](core::ByteView key) -> Result<void> {
    const auto entry = row<WaitRow>(Table::waits, key);
    if (!entry) return success();
    if (entry->step_kind == StepKind::step || entry->step_kind == StepKind::send ||
        entry->step_kind == StepKind::spawn || entry->step_kind == StepKind::commit)
      findings_.add(Table::waits, key,
                    "a " + std::string(to_string(entry->step_kind)) + " waits for nothing");
    if (entry->step_kind == StepKind::call && (!entry->session || !entry->run))
      findings_.add(Table::waits, key, "it does not say who was called");
    if (entry->step_kind == StepKind::join && (!entry->session || !entry->run))
      findings_.add(Table::waits, key, "it does not say which child it waits for");
    if (entry->step_kind == StepKind::sleep && entry->due == 0)
      findings_.add(Table::waits, key, "it sleeps without an end");
    if (entry->due != 0) {
      PERDURE_TRY(const bool is_due, is_there(Table::due, due_row(entry->due, id_at<RunId>(key, 0),
                                                                  StepPath(entry->path))));
      if (!is_due) findings_.add(Table::waits, key, "nothing is due when its time comes");
    }
    return check_step_row(Table::waits, key, 0, entry->path);
  });
}

Result<void> Verifier::children() {
  return each(Table::children, kIdBytes + kHashBytes, [&](core::ByteView key) -> Result<void> {
    const auto entry = row<ChildRow>(Table::children, key);
    if (!entry) return success();
    if (entry->error && entry->ended == 0)
      findings_.add(Table::children, key, "it was refused and has not ended");
    PERDURE_TRY(check_child(key, *entry));
    return check_step_row(Table::children, key, 0, entry->path);
  });
}

/// Where the child is handled, and whether its run has come as far as the row says. A child that
/// has not ended may be a message still, and one whose message was refused has no run.
Result<void> Verifier::check_child(core::ByteView key, const ChildRow& child) {
  const std::string name = "its run " + perdure::to_string(child.run);
  const Key at = Key{}.add(child.session);
  PERDURE_TRY(const bool has_session, is_there(Table::sessions, at));
  PERDURE_TRY(const auto session, other<SessionRow>(Table::sessions, at));
  if (session && (session->agent != child.agent || session->key != child.session_key))
    findings_.add(Table::children, key, "the child's session has another address");
  PERDURE_TRY(const auto of_run, session_of(child.run));
  PERDURE_TRY(const auto status, status_of(child.run));
  if (of_run && *of_run != child.session)
    findings_.add(Table::children, key, name + " belongs to another session");
  const bool has_ended = status && !is_unfinished(*status);
  if (child.ended != 0 && !child.error && !has_ended)
    findings_.add(Table::children, key,
                  "it says that the child has ended, and " + name + " has not");
  return has_session
             ? success()
             : check_place_of(Table::children, key, child.session, child.agent, child.session_key);
}

Result<void> Verifier::state() {
  return each(Table::state, 2 * kIdBytes, [&](core::ByteView key) -> Result<void> {
    const auto entry = row<StateRow>(Table::state, key);
    if (!entry) return success();
    const SessionId session = id_at<SessionId>(key, 0);
    if (!std::ranges::equal(state_row(session, entry->name).view(), key))
      findings_.add(Table::state, key, "it does not stand at the hash of its name");
    if (entry->absent != 0) findings_.add(Table::state, key, "it says that it is not there");
    payloads_.check(Table::state, key, entry->payload);
    PERDURE_TRY(const bool has_session, is_there(Table::sessions, Key{}.add(session)));
    if (!has_session) findings_.add(Table::state, key, "its session is missing");
    return success();
  });
}

Result<void> Verifier::before() {
  return each(Table::before, 2 * kIdBytes, [&](core::ByteView key) -> Result<void> {
    const auto entry = row<StateRow>(Table::before, key);
    if (!entry) return success();
    const RunId run = id_at<RunId>(key, 0);
    if (!std::ranges::equal(before_row(run, entry->name).view(), key))
      findings_.add(Table::before, key, "it does not stand at the hash of its name");
    payloads_.check(Table::before, key, entry->payload);
    if (entry->absent != 0 && !entry->payload.empty())
      findings_.add(Table::before, key, "it says that there was no value, and holds one");
    PERDURE_TRY(const auto session, session_of(run));
    if (!session) findings_.add(Table::before, key, "its run is missing or damaged");
    return success();
  });
}

}  // namespace perdure::journal
