/// An operator's order on the journal: whether it makes sense, and its row where nobody is there to
/// take it.
///
/// What this is: the judgement that a runtime and the command share, and the writing of a row of
/// `inbox` into a journal that no process has open.
/// What it promises: a queued order is durable as a whole or not at all, and the mark of how the
/// last runtime ended stays as it was: an operator's visit is no life.
/// What it does not: act. The next runtime that opens the journal does.
#pragma once

#include <perdure/result.hpp>

#include "core/clock.hpp"
#include "core/random.hpp"
#include "journal/control_protocol.hpp"
#include "journal/directory.hpp"
#include "journal/reader.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace perdure::journal {

/// What an order is about.
struct ControlTarget {
  SessionId session;
  std::string agent;
  std::string key;
  std::optional<RunInfo> run = {};
  /// Of a retry-now: the steps that wait for their next attempt, `step 2 'book room'`.
  std::string steps = {};
  /// `agent/key`.
  [[nodiscard]] std::string address() const { return agent + "/" + key; }
};

/// What `request` is about, if it can be carried out on the journal as `reader` sees it. Errors:
/// `not_found` (no such run), `refused` (it has ended; of a retry-now and a resume also: it has not
/// begun, is not parked, has no step that waits for an attempt), each with what to do instead; as
/// Reader.
[[nodiscard]] Result<ControlTarget> judge_order(Reader& reader, const ControlRequest& request);

/// Whether the budget of `run` can get these limits. Errors: `not_found`, `refused` (it has none of
/// its own, has not begun, or has a higher one); as Reader.
[[nodiscard]] Result<void> judge_raise(Reader& reader, const RunId& run, const Limits& limits);

/// Writes the order into the journal in `directory`, which is there and which nobody has open.
/// `random` draws the id of the run that a message is to make. Errors: `held` (somebody has it
/// open), `already_started`; as `check_request`, `judge_order` and JournalForWriting::open.
[[nodiscard]] Result<ControlReply> queue_order(const std::filesystem::path& directory,
                                               ControlRequest request, core::Clock& clock,
                                               core::Random& random);

/// The same in a journal that the caller has opened, and that no runtime has. Errors: as above, but
/// for those of opening.
[[nodiscard]] Result<ControlReply> queue_order_in(JournalForWriting& journal,
                                                  ControlRequest request, core::Clock& clock,
                                                  core::Random& random);

}  // namespace perdure::journal
