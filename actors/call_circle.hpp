/// Call circles: sessions that would wait for each other for ever.
///
/// What this is: a look at the wait graph over sessions. A session leads to another when its
/// unfinished run waits for nothing but calls and children, without a time at which it would stop
/// waiting, and one of them is that session's to handle: by its unfinished run, or behind it.
/// What it promises: a circle that it finds moves by itself no more, because no session that can be
/// reached from it can move: knots in the graph of the OR model (Chandy, Misra and Haas,
/// "Distributed deadlock detection", 1983), looked for by depth in one snapshot. The newest queued
/// message of the circle is the one that closed it.
/// What it does not: see what a signal, an operator or a repaired agent might do: a run that waits
/// for a signal, or for time, or is parked, can move.
#pragma once

#include "journal/reader.hpp"

#include <optional>
#include <string>

namespace perdure::actors {

/// The message that closed a circle.
struct CircleCloser {
  journal::SessionId session;  ///< Which keeps it.
  std::string agent;
  std::string session_key;
  journal::RecordNumber number = 0;  ///< Of its row in `kept`.
  std::string words;                 ///< The circle, for a person.
};

/// The circle that `session` is part of, if there is one. Errors: as Reader.
[[nodiscard]] Result<std::optional<CircleCloser>> find_call_circle(
    journal::Reader& reader, const journal::SessionId& session);

}  // namespace perdure::actors
