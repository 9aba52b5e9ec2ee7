/// Exit codes of the perdure command.
///
/// What this is: the contract with scripts. Numbers keep their meaning for ever; docs/cli.md lists
/// them.
#pragma once

namespace perdure::cli {

enum class ExitCode : int {
  ok = 0,
  findings = 1,    ///< `verify` found damage.
  usage = 2,       ///< The command line is wrong; nothing was read.
  unreadable = 3,  ///< There is no journal there, or it cannot be read (further).
  not_found = 4,   ///< The journal has no such run or blob, or more than one.
  output = 5,      ///< What was to be said could not be written.
  refused = 6,     ///< An order was refused, or nobody answered it.
};

}  // namespace perdure::cli
