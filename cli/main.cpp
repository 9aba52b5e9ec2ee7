#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/command.hpp"
#include "cli/output.hpp"
#include "core/crash_point.hpp"

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

/// Who gives orders. It is recorded, not believed: who may give any, the system decides.
std::string who() {
  std::string_view user = variable("USER");
  if (user.empty()) user = variable("LOGNAME");
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  return (user.empty() ? "uid " + std::to_string(::geteuid()) : std::string(user)) + "@" +
         host.data();
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
  if (!perdure::core::arm_crash_point_from_environment()) {
    std::cerr
        << "perdure: PERDURE_CRASH_AT names no crash point (core/crash_point.hpp lists them)\n";
    return static_cast<int>(ExitCode::usage);
  }
  perdure::core::SystemClock clock;
  perdure::cli::DescriptorBuffer buffer(STDOUT_FILENO);
  std::ostream out(&buffer);
  const std::span<const char* const> arguments(argv, static_cast<std::size_t>(argc));
  const ExitCode code = perdure::cli::run_command(arguments, {.out = out,
                                                              .err = std::cerr,
                                                              .clock = clock,
                                                              .colour = colour(),
                                                              .columns = columns(),
                                                              .buffer = &buffer,
                                                              .in = &std::cin,
                                                              .who = who()});
  out.flush();
  if (buffer.failure() != 0 && buffer.failure() != EPIPE) {
    std::cerr << "perdure: the output could not be written: "
              << std::generic_category().message(buffer.failure()) << '\n';
    return static_cast<int>(ExitCode::output);
  }
  return static_cast<int>(code);
}
