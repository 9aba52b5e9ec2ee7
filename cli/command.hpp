/// The perdure command, without its process.
///
/// What this is: from a command line to what is written and the exit code.
/// What it promises: errors name the thing and the remedy, and go to `err`; what is asked for goes
/// to `out`; the exit code tells the two apart.
#pragma once

#include <istream>
#include <ostream>
#include <span>
#include <string>

#include "cli/exit_code.hpp"
#include "cli/output.hpp"
#include "cli/screen.hpp"
#include "core/clock.hpp"

namespace perdure::cli {

/// What the command sees of its process. All of it outlives the call.
struct Surroundings {
  std::ostream& out;
  std::ostream& err;
  core::Clock& clock;
  Colour colour = Colour::off;
  std::size_t columns = 0;  ///< Of the terminal; 0: `out` is none.
  /// What `out` writes through, where that may wait for a reader.
  DescriptorBuffer* buffer = nullptr;
  /// Standard input, for payloads; null: there is none.
  std::istream* in = nullptr;
  /// Who gives orders: `user@host`.
  std::string who = {};
};

/// `arguments` is argv with the program's name.
[[nodiscard]] ExitCode run_command(std::span<const char* const> arguments,
                                   const Surroundings& surroundings);

}  // namespace perdure::cli
