/// `perdure session AGENT/KEY`: what came for a session, and what it knows.
///
/// What this is: the session's open run and its children, what nobody has looked at yet, what it
/// keeps until its turn comes, and its state as the newest commit left it.
/// What it promises: memory for one row, or a block of lines; payloads and values are whole in
/// JSON.
/// What it does not: show runs that have ended; `perdure runs` does.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/screen.hpp"
#include "journal/reader.hpp"

namespace perdure::cli {

/// A session that the journal knows, if only by what came for it.
struct SessionFacts {
  journal::SessionId id;
  std::string agent;
  std::string key;
  journal::Stamp created = 0;                ///< 0: it has not looked at anything yet.
  std::optional<journal::RunInfo> open_run;  ///< What it handles now.
  std::vector<journal::Child> children;      ///< Of that run, in the order of their steps.
};

/// `text` is `agent/key`. Errors: `misuse` for other text, `not_found`; whatever reading gives.
[[nodiscard]] Result<SessionFacts> find_session(journal::Reader& reader, std::string_view text);

/// `holder`: who has the journal open for writing. Errors: whatever reading gives; what was written
/// before stands.
[[nodiscard]] Result<void> show_session(journal::Reader& reader, const SessionFacts& session,
                                        const std::optional<std::string>& holder,
                                        const Screen& screen);

}  // namespace perdure::cli
