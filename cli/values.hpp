/// The journal's values as JSON objects.
///
/// What this is: one function for each kind of thing that the command shows. docs/cli.md is the
/// contract with programs that read them: names of fields stay.
/// What it does not: leave out anything, but for payloads above the bound that the caller sets.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "cli/json.hpp"
#include "core/limits.hpp"
#include "journal/reader.hpp"
#include "journal/session_rows.hpp"

namespace perdure::cli {

[[nodiscard]] JsonObject json_of(const Error& error);
[[nodiscard]] JsonObject json_of(const journal::RunInfo& run);
/// What has come for a session, with its payload, which `reader` reads.
[[nodiscard]] JsonObject json_of(const journal::ArrivalRow& arrival, journal::RecordNumber number,
                                 journal::Reader& reader);
/// A run that another one started.
[[nodiscard]] JsonObject json_of(const journal::Child& child);
/// Sets an error, or null.
void set_error(JsonObject& object, std::string name,
               const std::optional<journal::ErrorView>& error);
/// Sets who waits for a run's end, or null: `agent`, `key`, `run`, `step` and `saga`.
void set_caller(JsonObject& object, const std::optional<journal::Caller>& caller);
/// Sets a run's id, or null.
void set_run(JsonObject& object, std::string name, const std::optional<RunId>& run);
/// `1.0.2`.
[[nodiscard]] std::string path_text(std::span<const std::uint32_t> path);
/// Sets which saga of a run is meant, or null, and whether all are: `saga` and `all_sagas`.
void set_meant_saga(JsonObject& object, std::uint32_t saga);
/// Sets what is known of an abort, but for its time.
void set_aborted(JsonObject& object, const journal::SagaAborted& aborted);
/// Sets a time, or null for 0, which in rows means that there is none.
void set_time(JsonObject& object, std::string name, journal::Stamp stamp);

/// All that a record holds itself, and the same of what is a blob.
inline constexpr std::size_t kWholePayload = core::limits::kInlinePayloadBytes;
/// Sets `NAME_type`, `NAME_bytes` and `NAME`, and `NAME_blob` for a payload that is a blob. `NAME`
/// is null for an empty payload, for one above `bytes_max` (then `NAME_omitted` is true) and for
/// one that can't be read or is no JSON (then `NAME_error` says why).
void set_payload(JsonObject& object, const std::string& name, std::string_view type,
                 const journal::PayloadView& payload, journal::Reader& reader,
                 std::size_t bytes_max = kWholePayload);
/// The payload on one line of at most `columns` columns, for people. Of large blobs only the id.
[[nodiscard]] std::string payload_line(const journal::PayloadView& payload, journal::Reader& reader,
                                       std::size_t columns);

/// A record of a run, whatever its kind.
struct RecordContent {
  journal::Stamp stamp = 0;
  JsonObject fields;
};
/// Errors: `corrupt`, `newer_format`; and `corrupt` for a kind that has no place in a run.
[[nodiscard]] Result<RecordContent> content_of(const journal::RecordBuffer& record,
                                               journal::Reader& reader);

}  // namespace perdure::cli
