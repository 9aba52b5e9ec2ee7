/// Child processes: started, watched, killed.
///
/// What this is: a process that ends with its object, its output in a file.
/// What it promises: nothing is left behind. A child dies when its object goes, and also when the
/// thread that started it dies, by whatever signal.
/// What it does not: restart anything.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace booking {

struct Command {
  std::string name;               ///< For messages.
  std::vector<std::string> argv;  ///< The program's path first.
  std::string log;                ///< File that its stdout and stderr are appended to.
};

class Process {
 public:
  /// Throws std::runtime_error where the system has no process left, or the log cannot be opened.
  explicit Process(const Command& command);
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  /// How it ended, as waitpid() has it; nothing while it runs.
  [[nodiscard]] std::optional<int> ended();
  /// SIGKILL, and waits until it is gone.
  void kill();
  /// SIGTERM, and SIGKILL if it is not gone by then.
  void stop(std::chrono::milliseconds within);

 private:
  void reap(int options);

  pid_t pid_ = 0;
  std::optional<int> status_;
};

/// "exit 3", "signal 9".
[[nodiscard]] std::string words_of(int status);

/// Waits until `file` is there. Throws std::runtime_error when the process ends first, or it takes
/// too long; `name` is the process's in the message.
void wait_for_file(const std::string& file, Process& process, const std::string& name,
                   std::chrono::milliseconds within);

/// The folder of the program that runs.
[[nodiscard]] std::string program_folder();
/// The program that runs.
[[nodiscard]] std::string program_path();

}  // namespace booking
