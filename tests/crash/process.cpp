#include "tests/crash/process.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <stdexcept>

namespace perdure::crash {
namespace {

namespace fs = std::filesystem;

/// A run that was parked goes on in the next life; once is always enough.
constexpr int kLivesToComplete = 4;
constexpr unsigned kLookSeconds = 200;

/// The workload; by turns another, where `PERDURE_CRASH_OTHER_WORKLOAD` names one: the same program
/// built by another compiler, so that each goes on from what the other left.
const char* next_workload() {
  static int turn = 0;
  const char* const other = std::getenv("PERDURE_CRASH_OTHER_WORKLOAD");
  return other != nullptr && ++turn % 2 == 0 ? other : PERDURE_CRASH_WORKLOAD;
}

[[noreturn]] void become(const char* workload, const fs::path& journal, const fs::path& outside,
                         const std::string& label, Mode mode, const Plan& plan, int tell) {
  ::setenv("PERDURE_CRASH_DURABILITY", to_string(mode).data(), 1);
  ::unsetenv("PERDURE_CRASH_AT");
  ::setenv("PERDURE_CRASH_STOP_AFTER", std::to_string(plan.stop_after_notes).c_str(), 1);
  if (!plan.crash_at.empty()) ::setenv("PERDURE_CRASH_AT", plan.crash_at.c_str(), 1);
  for (const auto& [name, value] : plan.environment) ::setenv(name.c_str(), value.c_str(), 1);
  const std::string descriptor = std::to_string(tell);
  ::execl(workload, "crash_workload", journal.c_str(), outside.c_str(), label.c_str(),
          descriptor.c_str(), nullptr);
  ::_exit(127);
}

/// Kills `child` when it has written as many bytes to `notes` as the plan says.
void watch(pid_t child, int notes, int kill_after) {
  char byte = 0;
  for (int count = 0; ::read(notes, &byte, 1) == 1;)
    if (++count == kill_after) ::kill(child, SIGKILL);
}

[[noreturn]] void tell_what_is_found(const std::function<std::vector<std::string>()>& look,
                                     int tell) {
  std::vector<std::string> findings;
  try {
    findings = look();
  } catch (const std::exception& failed) {
    findings.push_back(failed.what());
  }
  std::string text;
  for (std::string& line : findings) {
    std::ranges::replace(line, '\n', ' ');
    text += line + "\n";
  }
  const ssize_t written = ::write(tell, text.data(), text.size());
  ::_exit(written == static_cast<ssize_t>(text.size()) ? 0 : 1);
}

std::string words_of(const Plan& plan) {
  std::string words;
  if (!plan.crash_at.empty()) words += " at " + plan.crash_at;
  if (plan.kill_after_notes != 0)
    words += " after " + std::to_string(plan.kill_after_notes) + " notes";
  if (plan.stop_after_notes != 0)
    words += " or stopped after " + std::to_string(plan.stop_after_notes) + " notes";
  for (const auto& [name, value] : plan.environment)
    if (name != "LD_PRELOAD") words += " " + name + "=" + value;
  return words.empty() ? " undisturbed" : words;
}

}  // namespace

std::string_view to_string(Mode mode) noexcept {
  switch (mode) {
    case Mode::full: return "full";
    case Mode::interval: return "interval";
    case Mode::none: return "none";
  }
  return "unrecognised";
}

Ahead ahead_in(Mode mode) noexcept {
  return mode == Mode::interval ? Ahead::an_interval : Ahead::nothing;
}

bool Outcome::killed() const { return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL; }
bool Outcome::completed() const { return WIFEXITED(status) && WEXITSTATUS(status) == 0; }
bool Outcome::parked() const { return WIFEXITED(status) && WEXITSTATUS(status) == 3; }
bool Outcome::stopped() const { return WIFEXITED(status) && WEXITSTATUS(status) == 4; }
std::string Outcome::words() const {
  if (WIFEXITED(status)) return "exit " + std::to_string(WEXITSTATUS(status));
  return "signal " + std::to_string(WTERMSIG(status)) +
         (WTERMSIG(status) == SIGALRM ? " (it hung)" : "");
}

SessionsPart::SessionsPart() { ::setenv("PERDURE_CRASH_PART", "sessions", 1); }
SessionsPart::~SessionsPart() { ::unsetenv("PERDURE_CRASH_PART"); }

Outcome live(const fs::path& journal, const fs::path& outside, const std::string& label, Mode mode,
             const Plan& plan) {
  int notes[2];
  if (::pipe(notes) != 0) throw std::runtime_error("no pipe");
  const char* const workload = plan.program.empty() ? next_workload() : plan.program.c_str();
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("no process");
  if (child == 0) {
    ::close(notes[0]);
    become(workload, journal, outside, label, mode, plan, notes[1]);
  }
  ::close(notes[1]);
  watch(child, notes[0], plan.kill_after_notes);
  ::close(notes[0]);
  Outcome outcome;
  ::waitpid(child, &outcome.status, 0);
  return outcome;
}

std::vector<std::string> look_in_a_process(const std::function<std::vector<std::string>()>& look) {
  int found[2];
  if (::pipe(found) != 0) throw std::runtime_error("no pipe");
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("no process");
  if (child == 0) {
    ::alarm(kLookSeconds);
    tell_what_is_found(look, found[1]);
  }
  ::close(found[1]);
  std::string text;
  std::array<char, 4096> buffer{};
  for (ssize_t got = 0; (got = ::read(found[0], buffer.data(), buffer.size())) > 0;)
    text.append(buffer.data(), static_cast<std::size_t>(got));
  ::close(found[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  std::vector<std::string> lines;
  for (std::size_t end = 0; (end = text.find('\n')) != std::string::npos;) {
    lines.push_back(text.substr(0, end));
    text.erase(0, end + 1);
  }
  if (status != 0)
    lines.push_back("whoever reads the journal dies, with status " + std::to_string(status));
  return lines;
}

TemporaryDirectory::TemporaryDirectory(const std::string& name) {
  path_ = fs::temp_directory_path() / ("perdure-" + name + "-" + std::to_string(::getpid()));
  fs::remove_all(path_);
  fs::create_directories(path_);
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

Lives::Lives(fs::path directory, Mode mode) : directory_(std::move(directory)), mode_(mode) {
  fs::create_directories(directory_);
}

Outcome Lives::live(const Plan& plan) {
  before_.push_back(recorded_steps(facts_));
  plans_.push_back(words_of(plan));
  const std::string label = "L" + std::to_string(before_.size());
  const Outcome outcome = crash::live(journal_path(), outside_path(), label, mode_, plan);
  if (!outcome.as_planned())
    findings_.push_back("life " + label + " ended with " + outcome.words());
  facts_ = read_journal(journal_path());
  // Its shutdown was over, and death came before it could say so.
  if (outcome.killed() && plan.stop_after_notes != 0 && facts_.ended_cleanly)
    std::ofstream(outside_path(), std::ios::app) << to_line({"stopped"});
  const Ended ended = outcome.completed() ? Ended::all_of_it : Ended::maybe;
  for (const std::string& finding :
       judge(read_history(outside_path()), facts_, before_, ended, ahead_in(mode_)))
    findings_.push_back("after life " + label + ": " + finding);
  return outcome;
}

void Lives::complete() {
  for (int i = 0; i < kLivesToComplete; ++i)
    if (live({}).completed()) return;
  findings_.push_back("not everything ended, and nobody disturbed it");
}

std::string Lives::report() const {
  std::string text = "durability " + std::string(to_string(mode_)) + "\n";
  for (const std::string& finding : findings_) text += finding + "\n";
  for (std::size_t i = 0; i < plans_.size(); ++i)
    text += "life L" + std::to_string(i + 1) + " was killed" + plans_[i] + "\n";
  return text;
}

}  // namespace perdure::crash
