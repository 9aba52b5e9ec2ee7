#include "journal/verify.hpp"

#include "journal/place.hpp"
#include "journal/verifier.hpp"

#include <algorithm>

namespace perdure::journal {
namespace {

bool belongs_in_ready(RunStatus status) {
  return status == RunStatus::running || status == RunStatus::parked;
}

}  // namespace

Result<void> Verifier::meta() {
  bool has_identity = false;
  std::optional<RecordNumber> last;
  PERDURE_TRY(each(Table::meta, 4, [&](core::ByteView key) -> Result<void> {
    if (std::ranges::equal(key, Key{}.add(kIdentityRow).view()))
      has_identity = row<Identity>(Table::meta, key).has_value();
    else if (std::ranges::equal(key, Key{}.add(kCountersRow).view())) {
      if (const auto counters = row<Counters>(Table::meta, key)) last = counters->last_number;
    } else if (std::ranges::equal(key, Key{}.add(kCheckpointRow).view())) {
      (void)row<Checkpoint>(Table::meta, key);
    } else {
      findings_.add(Table::meta, key, "no version of the journal's format has such a row");
    }
    return success();
  }));
  if (!has_identity)
    findings_.add(Table::meta, Key{}.add(kIdentityRow).view(), "it is missing or damaged");
  if (!last)
    findings_.add(Table::meta, Key{}.add(kCountersRow).view(), "they are missing or damaged");
  last_number_ = last;
  return success();
}

Result<void> Verifier::sessions() {
  return each(Table::sessions, kIdBytes, [&](core::ByteView key) -> Result<void> {
    const auto session = row<SessionRow>(Table::sessions, key);
    if (!session) return success();
    return check_place_of(Table::sessions, key, id_at<SessionId>(key, 0), session->agent,
                          session->key);
  });
}

/// The search for an address begins at its hash and goes on by one while rows are taken.
Result<void> Verifier::check_place_of(Table table, core::ByteView key, const SessionId& session,
                                      std::string_view agent, std::string_view session_key) {
  for (SessionId at = session_hash(agent, session_key); at != session; at = next_session_id(at)) {
    PERDURE_TRY(const bool taken, is_there(Table::sessions, Key{}.add(at)));
    if (taken) continue;
    findings_.add(table, key,
                  "the search for its address '" + std::string(agent) + "/" +
                      std::string(session_key) + "' does not find it");
    break;
  }
  return success();
}

Result<void> Verifier::keys() {
  return each(Table::keys, 2 * kIdBytes, [&](core::ByteView key) -> Result<void> {
    const auto message = row<MessageKeyRow>(Table::keys, key);
    if (!message) return success();
    const SessionId session = id_at<SessionId>(key, 0);
    if (!std::ranges::equal(message_key_row(session, message->key).view(), key))
      findings_.add(Table::keys, key, "it does not stand at the hash of its message key");
    PERDURE_TRY(const auto of_run, session_of(message->run));
    if (!of_run)
      findings_.add(Table::keys, key,
                    "its run " + perdure::to_string(message->run) + " is missing or damaged");
    else if (*of_run != session)
      findings_.add(Table::keys, key,
                    "its run " + perdure::to_string(message->run) + " belongs to another session");
    return success();
  });
}

Result<void> Verifier::runs() {
  return each(Table::runs, kIdBytes, [&](core::ByteView key) -> Result<void> {
    findings_.count_run();
    const auto run = row<RunRow>(Table::runs, key);
    if (!run) return success();
    const RunId id = id_at<RunId>(key, 0);
    PERDURE_TRY(const auto session, other<SessionRow>(Table::sessions, Key{}.add(run->session)));
    if (!session)
      findings_.add(Table::runs, key, "its session is missing or damaged");
    else if (session->agent != run->agent || session->key != run->session_key)
      findings_.add(Table::runs, key, "its session has another address");
    if (run->queued != 0) return check_queued(key, *run);
    PERDURE_TRY(const auto status, status_of(id));
    if (!status) {
      findings_.add(Table::runs, key, "its head row is missing or damaged");
      return success();
    }
    PERDURE_TRY(const auto open, other<OpenRow>(Table::open, Key{}.add(run->session)));
    if (is_unfinished(*status) && (!open || open->run != id))
      findings_.add(Table::runs, key,
                    "it is " + std::string(to_string(*status)) +
                        ", but its session does not have it as its open run");
    PERDURE_TRY(const bool is_ready, is_there(Table::ready, Key{}.add(id)));
    if (belongs_in_ready(*status) && !is_ready)
      findings_.add(Table::runs, key,
                    "it is " + std::string(to_string(*status)) +
                        ", but not in table ready: recovery would miss it");
    return *status == RunStatus::waiting ? check_waiting(key) : success();
  });
}

Result<void> Verifier::check_waiting(core::ByteView key) {
  const Key run = Key{}.add(id_at<RunId>(key, 0));
  PERDURE_TRY(auto waits, snapshot_.scan(Table::waits, run, run));
  PERDURE_TRY(const bool has_wait, waits->next());
  if (has_wait) return success();
  PERDURE_TRY(const bool is_in_backoff, has_attempt_due(run));
  if (is_in_backoff) return success();
  PERDURE_TRY(const bool has_child, has_child_to_wait_for(run));
  if (!has_child)
    findings_.add(Table::runs, key, "it is waiting, but the journal does not say for what");
  return success();
}

Result<bool> Verifier::has_attempt_due(const Key& run) {
  PERDURE_TRY(auto attempts, snapshot_.scan(Table::attempts, run, run));
  for (;;) {
    PERDURE_TRY(const bool found, attempts->next());
    if (!found) return false;
    if (!other_.load(attempts->key(), attempts->value())) return true;
    const Result<AttemptsRow> entry = other_.as<AttemptsRow>();
    // Damage is found on its own.
    if (!entry || entry.assume_value().next_due != 0) return true;
  }
}

Result<bool> Verifier::has_child_to_wait_for(const Key& run) {
  PERDURE_TRY(auto children, snapshot_.scan(Table::children, run, run));
  for (;;) {
    PERDURE_TRY(const bool found, children->next());
    if (!found) return false;
    if (!other_.load(children->key(), children->value())) return true;
    const Result<ChildRow> child = other_.as<ChildRow>();
    // Damage is found on its own.
    if (!child) return true;
    const ChildRow& row = child.assume_value();
    if (row.ended == 0 && row.parent_end == ParentEnd::wait) return true;
  }
}

/// A run that has only its message, which was written with it and so stands at its number.
Result<void> Verifier::check_queued(core::ByteView key, const RunRow& run) {
  const Key at = Key{}.add(run.session).add(buffer_.number());
  PERDURE_TRY(const auto kept, other<ArrivalRow>(Table::kept, at));
  if (!kept || kept->run != id_at<RunId>(key, 0))
    findings_.add(Table::runs, key, "it is queued, but its session does not keep its message");
  return success();
}

Result<void> Verifier::records() {
  PERDURE_TRY(auto cursor, snapshot_.scan(Table::records, {}, {}));
  std::optional<RunCheck> run;
  for (;;) {
    PERDURE_TRY(const bool found, cursor->next());
    const core::ByteView key = found ? cursor->key() : core::ByteView{};
    if (run && (!found || key.size() != kIdBytes + 4 || id_at<RunId>(key, 0) != run->id())) {
      run->finish();
      run.reset();
    }
    if (!found) return success();
    findings_.count(Table::records, key.size() + cursor->value().size());
    if (key.size() != kIdBytes + 4) {
      findings_.add(Table::records, key,
                    "its key has " + std::to_string(key.size()) + " bytes, not 20");
      continue;
    }
    if (!run) {
      const RunId id = id_at<RunId>(key, 0);
      PERDURE_TRY(const auto of_run, other<RunRow>(Table::runs, Key{}.add(id)));
      if (!of_run)
        findings_.add(Table::records, key, "there is no row of its run, or it is damaged");
      else if (of_run->queued != 0)
        findings_.add(Table::records, key, "its run is queued, and has no records yet");
      run.emplace(id, of_run, last_number_, findings_, payloads_);
    }
    run->take(key, cursor->value());
  }
}

Result<void> Verifier::ready() {
  return each(Table::ready, kIdBytes, [&](core::ByteView key) -> Result<void> {
    const auto entry = row<ReadyRow>(Table::ready, key);
    if (!entry) return success();
    const RunId id = id_at<RunId>(key, 0);
    PERDURE_TRY(const auto session, session_of(id));
    PERDURE_TRY(const auto status, status_of(id));
    if (!session || !status)
      findings_.add(Table::ready, key, "its run is missing or damaged");
    else if (*session != entry->session)
      findings_.add(Table::ready, key, "it names another session than its run does");
    else if (!belongs_in_ready(*status))
      findings_.add(Table::ready, key, "its run is " + std::string(to_string(*status)));
    return success();
  });
}

Result<void> Verifier::check_step_row(Table table, core::ByteView key, std::size_t run_at,
                                      std::span<const std::uint32_t> path) {
  if (!std::ranges::equal(Key{}.add(StepPath(path).hash()).view(), key.last(kHashBytes)))
    findings_.add(table, key, "it does not stand at the hash of its step path");
  return check_unfinished(table, key, id_at<RunId>(key, run_at));
}

Result<void> Verifier::check_unfinished(Table table, core::ByteView key, const RunId& run) {
  PERDURE_TRY(const auto status, status_of(run));
  if (!status)
    findings_.add(table, key, "its run is missing or damaged");
  else if (!is_unfinished(*status))
    findings_.add(table, key, "its run has ended: " + std::string(to_string(*status)));
  return success();
}

Result<void> Verifier::attempts() {
  return each(Table::attempts, kIdBytes + kHashBytes, [&](core::ByteView key) -> Result<void> {
    const auto entry = row<AttemptsRow>(Table::attempts, key);
    if (!entry) return success();
    payloads_.check(Table::attempts, key, entry->progress);
    return check_step_row(Table::attempts, key, 0, entry->path);
  });
}

Result<VerifyReport> verify(Store& store, const VerifyOptions& options) {
  PERDURE_TRY(auto snapshot, store.snapshot());
  VerifyReport report;
  Findings findings(report, options.findings_max);
  PayloadCheck payloads(store.blobs(), findings, report);
  PERDURE_TRY(Verifier(*snapshot, findings, payloads).everything());
  return report;
}

}  // namespace perdure::journal
