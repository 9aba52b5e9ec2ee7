
#include "processes.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

namespace booking {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kPoll{2};
constexpr int kNoProgram = 127;

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what + " (" + std::system_category().message(errno) + ").");
}

/// In the child: only calls that are allowed between fork and exec.
[[noreturn]] void become(char* const* argv, int log, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The parent may have died before it could be said what its death means.
  if (::getppid() != parent) ::_exit(kNoProgram);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  ::execv(argv[0], argv);
  ::_exit(kNoProgram);
}

}  // namespace

Process::Process(const Command& command) {
  std::vector<std::string> words = command.argv;
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const int log =
      ::open(command.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (log < 0) fail("The log " + command.log + " cannot be opened");
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) become(argv.data(), log, parent);
  ::close(log);
  if (pid_ < 0) fail("The process " + command.name + " cannot be started");
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)), status_(other.status_) {}

Process& Process::operator=(Process&& other) noexcept {
  if (this != &other) {
    kill();
    pid_ = std::exchange(other.pid_, 0);
    status_ = other.status_;
  }
  return *this;
}

Process::~Process() { kill(); }

std::optional<int> Process::ended() {
  reap(WNOHANG);
  return status_;
}

void Process::kill() {
  if (pid_ > 0 && !status_) ::kill(pid_, SIGKILL);
  reap(0);
}

void Process::stop(std::chrono::milliseconds within) {
  if (pid_ > 0 && !ended()) ::kill(pid_, SIGTERM);
  const auto until = Clock::now() + within;
  while (pid_ > 0 && !ended() && Clock::now() < until) std::this_thread::sleep_for(kPoll);
  kill();
}

void Process::reap(int options) {
  if (pid_ <= 0 || status_) return;
  int status = 0;
  pid_t waited = 0;
  do {
    waited = ::waitpid(pid_, &status, options);
  } while (waited < 0 && errno == EINTR);
  if (waited == pid_) status_ = status;
}

std::string words_of(int status) {
  if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
  return "exit " + std::to_string(WEXITSTATUS(status));
}

void wait_for_file(const std::string& file, Process& process, const std::string& name,
                   std::chrono::milliseconds within) {
  const auto until = Clock::now() + within;
  std::optional<int> status;
  while (!std::filesystem::exists(file)) {
    status = process.ended();
    if (status || Clock::now() >= until) break;
    std::this_thread::sleep_for(kPoll);
  }
  if (std::filesystem::exists(file)) return;
  const std::string end =
      status ? "ended (" + words_of(*status) + ") before it wrote "
             : "took more than " + std::to_string(within.count()) + " ms and has not written ";
  throw std::runtime_error(name + " " + end + file);
}

std::string program_path() { return std::filesystem::read_symlink("/proc/self/exe").string(); }

std::string program_folder() {
  return std::filesystem::path(program_path()).parent_path().string();
}

}  // namespace booking
