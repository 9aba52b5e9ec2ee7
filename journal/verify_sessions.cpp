// The tables of sessions: what came for them, what they wait for and what they know.

#include "journal/payload_check.hpp"
#include "journal/place.hpp"
#include "journal/verifier.hpp"

#include <algorithm>

namespace perdure::journal {

Result<void> Verifier::due() {
  return each(Table::due, 8 + kIdBytes + kHashBytes, [&](core::ByteView key) -> Result<void> {
    const auto entry = row<DueRow>(Table::due, key);
    if (!entry) return success();
    using What = DueRow::What;
    if (entry->what == What::retry || entry->what == What::wait)
      return check_step_row(Table::due, key, 8, entry->path);
    const auto what = static_cast<std::uint64_t>(entry->what);
    if (!std::ranges::equal(Key{}.add(what).view(), key.last(kHashBytes)))
      findings_.add(
          Table::due, key,
          "it does not stand where a " + std::string(to_string(entry->what)) + " of a run stands");
    if (entry->what == What::message) {
      if (!entry->session) {
        findings_.add(Table::due, key, "it names no session");
        return success();
      }
      PERDURE_TRY(const auto session, snapshot_.get(Table::sessions, Key{}.add(*entry->session)));
      if (!session) findings_.add(Table::due, key, "its session is missing");
      return success();
    }
    PERDURE_TRY(const auto status, status_of(id_at<RunId>(key, 8)));
    if (!status)
      findings_.add(Table::due, key, "its run is missing or damaged");
    else if (!is_unfinished(*status))
      findings_.add(Table::due, key, "its run has ended: " + std::string(to_string(*status)));
    return success();
  });
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
    if (buffer_.number() != number_at(key, kIdBytes, 8))
      findings_.add(table, key, "it does not stand at its own number");
    if (table == Table::inbox) return success();
    PERDURE_TRY(const auto session,
                other<SessionRow>(Table::sessions, Key{}.add(id_at<SessionId>(key, 0))));
    if (!session)
      findings_.add(table, key, "its session is missing or damaged");
    else if (session->agent != entry->agent || session->key != entry->session_key)
      findings_.add(table, key, "its session has another address");
    return success();
  });
}

void Verifier::check_arrival(Table table, core::ByteView key, const ArrivalRow& arrival) {
  using What = ArrivalRow::What;
  if (!is_well_formed_payload(arrival.payload))
    findings_.add(table, key, "its payload is not encoded as values are");
  if (arrival.what != What::signal && !arrival.run) findings_.add(table, key, "it names no run");
  if (arrival.what == What::reply && (!arrival.other || arrival.path.empty()))
    findings_.add(table, key, "it does not say what it answers");
  if (table == Table::kept && arrival.what != What::message && arrival.what != What::signal)
    findings_.add(table, key, "no session keeps a " + std::string(to_string(arrival.what)));
}

Result<void> Verifier::waits() {
  return each(Table::waits, kIdBytes + kHashBytes, [&](core::ByteView key) -> Result<void> {
    const auto entry = row<WaitRow>(Table::waits, key);
    if (!entry) return success();
    if (entry->step_kind == StepKind::step || entry->step_kind == StepKind::send ||
        entry->step_kind == StepKind::spawn)
      findings_.add(Table::waits, key,
                    "a " + std::string(to_string(entry->step_kind)) + " waits for nothing");
    if (entry->due != 0) {
      const Key due = Key{}
                          .add(static_cast<std::uint64_t>(entry->due))
                          .add(id_at<RunId>(key, 0))
                          .add(StepPath(entry->path).hash());
      PERDURE_TRY(const auto found, snapshot_.get(Table::due, due));
      if (!found) findings_.add(Table::waits, key, "nothing is due when its time comes");
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
    return check_step_row(Table::children, key, 0, entry->path);
  });
}

Result<void> Verifier::state() {
  return each(Table::state, 2 * kIdBytes, [&](core::ByteView key) -> Result<void> {
    const auto entry = row<StateRow>(Table::state, key);
    if (!entry) return success();
    const SessionId session = id_at<SessionId>(key, 0);
    if (!std::ranges::equal(state_row(session, entry->name).view(), key))
      findings_.add(Table::state, key, "it does not stand at the hash of its name");
    if (entry->absent != 0) findings_.add(Table::state, key, "it says that it is not there");
    if (!is_well_formed_payload(entry->payload))
      findings_.add(Table::state, key, "its payload is not encoded as values are");
    PERDURE_TRY(const auto found, snapshot_.get(Table::sessions, Key{}.add(session)));
    if (!found) findings_.add(Table::state, key, "its session is missing");
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
    if (!is_well_formed_payload(entry->payload))
      findings_.add(Table::before, key, "its payload is not encoded as values are");
    PERDURE_TRY(const auto session, session_of(run));
    if (!session) findings_.add(Table::before, key, "its run is missing or damaged");
    return success();
  });
}

}  // namespace perdure::journal
