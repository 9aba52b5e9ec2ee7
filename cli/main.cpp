#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <span>
#include <string_view>
#include <system_error>

#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/command.hpp"
#include "cli/output.hpp"

namespace {

using perdure::cli::Colour;
using perdure::cli::ExitCode;

std::string_view variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool on_terminal() { return ::isatty(STDOUT_FILENO) == 1; }

/// https://no-color.org: any value but an empty one means no.
Colour colour() {
  if (!on_terminal() || !variable("NO_COLOR").empty() || variable("TERM") == "dumb")
    return Colour::off;
  return Colour::on;
}

std::size_t columns() {
  winsize size{};
  if (!on_terminal() || ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

}  // namespace

int main(int argc, char** argv) {
  // A reader that goes away (`| head`) is met as a failed write, so that the journal is closed in
  // order.
  std::signal(SIGPIPE, SIG_IGN);
  perdure::core::SystemClock clock;
  perdure::cli::DescriptorBuffer buffer(STDOUT_FILENO);
  std::ostream out(&buffer);
  const std::span<const char* const> arguments(argv, static_cast<std::size_t>(argc));
  const ExitCode code = perdure::cli::run_command(arguments, {.out = out,
                                                              .err = std::cerr,
                                                              .clock = clock,
                                                              .colour = colour(),
                                                              .columns = columns(),
                                                              .buffer = &buffer});
  out.flush();
  if (buffer.failure() != 0 && buffer.failure() != EPIPE) {
    std::cerr << "perdure: the output could not be written: "
              << std::generic_category().message(buffer.failure()) << '\n';
    return static_cast<int>(ExitCode::output);
  }
  return static_cast<int>(code);
}
