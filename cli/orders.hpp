/// The verbs that give orders: retry-now, resume, cancel, kill, send, raise, and those about sagas.
///
/// What this is: from what was typed to a request, to whoever has the journal or into it
/// (journal/control_client.hpp), and what came of it in words or JSON.
/// What it does not: change the journal in any other way.
#pragma once

#include "cli/arguments.hpp"
#include "cli/command.hpp"

namespace perdure::cli {

/// Gives the order, and says what came of it. Errors: what the command line or the payload lacks
/// (`misuse`, `too_large`), `not_found` for the run, else why the order was refused or nobody
/// answered. `ExitCode::unreadable` where there is no journal, which is told to `surroundings.err`.
[[nodiscard]] Result<ExitCode> give_order(const Request& request, const Surroundings& surroundings,
                                          const Screen& screen);

}  // namespace perdure::cli
