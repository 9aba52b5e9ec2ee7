#include "journal/verify_run.hpp"

#include "journal/place.hpp"
#include "journal/row_scan.hpp"
#include "journal/session_rows.hpp"
#include "journal/verify_payloads.hpp"

#include <limits>
#include <utility>

namespace perdure::journal {
namespace {

std::uint32_t index_of(core::ByteView key) {
  std::uint32_t index = 0;
  for (const std::byte byte : key.subspan(kIdBytes))
    index = (index << 8U) | std::to_integer<std::uint32_t>(byte);
  return index;
}

}  // namespace

void Findings::add(Table table, core::ByteView key, std::string what) {
  add(table, key, std::move(what),
      "restore the journal from a backup; runs that are not named here are sound");
}

void Findings::add(Table table, core::ByteView key, const Error& error) {
  if (error.code == Code::newer_format)
    add(table, key, error.message, "verify it with the Perdure that wrote it");
  else if (error.code == Code::storage_failed || error.code == Code::misuse)
    add(table, key, error.message, "see to it that the file can be read, and verify again");
  else
    add(table, key, error.message);
}

void Findings::add(Table table, core::ByteView key, std::string what, std::string remedy) {
  ++report_.findings_count;
  if (report_.findings.size() >= most_) return;
  report_.findings.push_back(
      {table, core::to_hex(key), place_of(table, key), std::move(what), std::move(remedy)});
}

void Findings::count(Table table, std::size_t bytes) noexcept {
  ++report_.rows[static_cast<std::size_t>(table) - 1];
  report_.bytes += bytes;
}

RunCheck::RunCheck(const RunId& id, const std::optional<RunRow>& row,
                   std::optional<RecordNumber> last_number, Findings& findings,
                   PayloadCheck& payloads)
    : id_(id),
      last_number_(last_number),
      findings_(findings),
      payloads_(payloads),
      has_row_(row.has_value()) {
  stamp_ = std::numeric_limits<Stamp>::min();
  if (!row) return;
  agent_ = row->agent;
  handler_ = row->handler;
  session_key_ = row->session_key;
  agent_version_ = row->agent_version;
  created_ = row->created;
}

void RunCheck::add(core::ByteView key, std::string what) {
  findings_.add(Table::records, key, std::move(what));
}

void RunCheck::take(core::ByteView key, core::ByteView value) {
  const std::uint32_t index = index_of(key);
  const Result<void> loaded = buffer_.load(key, value);
  if (!loaded) {
    findings_.add(Table::records, key, loaded.error());
    // It is there, if damaged: what follows is not missing.
    if (index == kHeadIndex)
      has_head_ = true;
    else
      next_ = index + 1;
    return;
  }
  if (last_number_ && buffer_.number() > *last_number_)
    add(key, "its number " + std::to_string(buffer_.number()) +
                 " is above the journal's last number " + std::to_string(*last_number_));
  if (index == kHeadIndex)
    take_head(key);
  else
    take_record(key, index);
}

void RunCheck::take_record(core::ByteView key, std::uint32_t index) {
  findings_.count_record();
  if (index != next_) {
    const std::string from = std::to_string(next_);
    add(key, index == next_ + 1 ? "record " + from + " before it is missing"
                                : "records " + from + " to " + std::to_string(index - 1) +
                                      " before it are missing");
  }
  next_ = index + 1;
  if (ended_) add(key, "it stands behind the run's end");
  if ((index == 0) != (buffer_.kind() == Kind::run_created))
    add(key, index == 0 ? "a run's first record is its creation, this is a " +
                              std::string(to_string(buffer_.kind()))
                        : std::string("a run is created by its first record only"));
  if (buffer_.number() <= number_)
    add(key, "its number " + std::to_string(buffer_.number()) +
                 " does not follow the number before it, " + std::to_string(number_));
  number_ = buffer_.number();
  switch (buffer_.kind()) {
    case Kind::run_created: return check_created(key);
    case Kind::step_result: return check_result(key);
    case Kind::run_ended: return check_ended(key);
    case Kind::step_started: {
      const Result<StepStarted> record = buffer_.as<StepStarted>();
      if (!record) return findings_.add(Table::records, key, record.error());
      return check_order(key, record.assume_value().stamp);
    }
    case Kind::version_mark: {
      const Result<VersionMark> record = buffer_.as<VersionMark>();
      if (!record) return findings_.add(Table::records, key, record.error());
      return check_order(key, record.assume_value().stamp);
    }
    case Kind::cancel_requested: {
      const Result<CancelRequested> record = buffer_.as<CancelRequested>();
      if (!record) return findings_.add(Table::records, key, record.error());
      return check_order(key, record.assume_value().stamp);
    }
    case Kind::saga_aborted: {
      const Result<SagaAborted> record = buffer_.as<SagaAborted>();
      if (!record) return findings_.add(Table::records, key, record.error());
      if (record.assume_value().saga == 0) add(key, "it does not say which saga was aborted");
      return check_order(key, record.assume_value().stamp);
    }
    default: add(key, "it is a " + std::string(to_string(buffer_.kind())) + ", which is no record");
  }
}

void RunCheck::check_order(core::ByteView key, Stamp stamp) {
  if (stamp < stamp_) add(key, "its stamp is before that of the record before it");
  stamp_ = stamp;
}

void RunCheck::check_created(core::ByteView key) {
  const Result<RunCreated> record = buffer_.as<RunCreated>();
  if (!record) return findings_.add(Table::records, key, record.error());
  const RunCreated& created = record.assume_value();
  check_order(key, created.stamp);
  check_payload(key, created.payload, false);
  if (has_row_ && (created.agent != agent_ || created.handler != handler_ ||
                   created.session_key != session_key_ || created.agent_version != agent_version_ ||
                   created.stamp != created_))
    add(key, "it does not agree with the row of its run");
}

void RunCheck::check_result(core::ByteView key) {
  const Result<StepResult> record = buffer_.as<StepResult>();
  if (!record) return findings_.add(Table::records, key, record.error());
  check_order(key, record.assume_value().stamp);
  check_payload(key, record.assume_value().payload, record.assume_value().error.has_value());
  if (record.assume_value().path.empty()) add(key, "its step has no path");
}

void RunCheck::check_ended(core::ByteView key) {
  ended_ = true;
  const Result<RunEnded> record = buffer_.as<RunEnded>();
  if (!record) return findings_.add(Table::records, key, record.error());
  ended_in_error_ = record.assume_value().error.has_value();
  check_order(key, record.assume_value().stamp);
  check_payload(key, record.assume_value().payload, ended_in_error_);
}

void RunCheck::check_payload(core::ByteView key, const PayloadView& payload, bool has_error) {
  if (has_error && !payload.empty()) add(key, "it holds an error and a payload");
  payloads_.check(Table::records, key, payload);
}

void RunCheck::take_head(core::ByteView key) {
  has_head_ = true;
  const Result<HeadRow> row = buffer_.as<HeadRow>();
  if (!row) return findings_.add(Table::records, key, row.error());
  const HeadRow& head = row.assume_value();
  if (head.count != next_)
    add(key, "it counts " + std::to_string(head.count) + " records, and the last one is " +
                 (next_ == 0 ? std::string("missing") : "number " + std::to_string(next_ - 1)));
  if (head.ahead > head.count)
    add(key, "it counts more records that the handler has not gone on from than there are");
  if (head.stamp < stamp_) add(key, "its stamp is before that of the run's last record");
  const bool says_ended = head.status >= RunStatus::completed;
  if (says_ended != ended_)
    add(key, "it says that the run is " + std::string(to_string(head.status)) +
                 (ended_ ? ", but its last record is its end" : ", but its records do not end it"));
  else if (ended_ && ended_in_error_ == (head.status == RunStatus::completed))
    add(key, "it says that the run is " + std::string(to_string(head.status)) +
                 ", but the run ended with " + (ended_in_error_ ? "an error" : "a reply"));
}

void RunCheck::finish() {
  if (!has_head_)
    findings_.add(Table::records, Key{}.add(id_).add(kHeadIndex).view(), "it is missing");
}

}  // namespace perdure::journal
