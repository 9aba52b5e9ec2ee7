/// What tests of the built command share that give orders: the command in a process of its own, and
/// looks into the journal.
#pragma once

#include <gtest/gtest.h>

#include <perdure/perdure.hpp>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "cli/exit_code.hpp"
#include "journal/directory.hpp"
#include "journal/reader.hpp"

namespace perdure::cli {

namespace fs = std::filesystem;
namespace pd = perdure;

struct Ended {
  int code = -1;
  std::string out;
  std::string err;
};

inline std::string all_of(int descriptor) {
  std::string text;
  std::array<char, 4096> part{};
  for (;;) {
    const ssize_t count = ::read(descriptor, part.data(), part.size());
    if (count <= 0) return text;
    text.append(part.data(), static_cast<std::size_t>(count));
  }
}

class CommandTest : public testing::Test {
 protected:
  CommandTest() {
    std::string name = (fs::temp_directory_path() / "perdure-orders-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  ~CommandTest() override { fs::remove_all(directory_); }

  [[nodiscard]] fs::path path() const { return directory_ / "trips.journal"; }
  /// The command on the journal. `in`: its standard input.
  Ended run(std::vector<std::string> words, const std::string& in = {},
            const std::string& crash_at = {}) {
    words.insert(words.begin(), PERDURE_COMMAND);
    words.insert(words.end(), {"--journal", path().string()});
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    std::string crash = "PERDURE_CRASH_AT=" + crash_at;
    std::string user = "USER=ada";
    std::vector<char*> environment{user.data()};
    if (!crash_at.empty()) environment.push_back(crash.data());
    environment.push_back(nullptr);
    const std::string input = (directory_ / "in").string();
    const std::string errors = (directory_ / "errors").string();
    std::ofstream(input, std::ios::binary) << in;
    std::array<int, 2> pipe{};
    EXPECT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, input.c_str(), O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
    ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors.c_str(),
                                       O_WRONLY | O_CREAT | O_TRUNC, 0600);
    pid_t child = -1;
    EXPECT_EQ(
        ::posix_spawn(&child, PERDURE_COMMAND, &actions, nullptr, argv.data(), environment.data()),
        0);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(pipe[1]);
    Ended ended;
    ended.out = all_of(pipe[0]);
    ::close(pipe[0]);
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    ended.code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    std::ifstream file(errors, std::ios::binary);
    ended.err = {std::istreambuf_iterator<char>(file), {}};
    return ended;
  }
  void done(const std::vector<std::string>& words, const std::string& part) {
    const Ended ended = run(words);
    EXPECT_EQ(ended.code, 0) << words.front() << ": " << ended.err;
    EXPECT_NE(ended.out.find(part), std::string::npos) << ended.out;
  }
  void refused(const std::vector<std::string>& words, ExitCode code, const std::string& part) {
    const Ended ended = run(words);
    EXPECT_EQ(ended.code, static_cast<int>(code)) << ended.out << ended.err;
    EXPECT_EQ(ended.out, "");
    EXPECT_NE(ended.err.find(part), std::string::npos) << ended.err;
  }
  /// The status of a run in the journal, when it is this one.
  void wait_until(const RunId& run, journal::RunStatus status) const {
    for (;;) {
      const auto journal = journal::JournalForReading::open(path()).value();
      auto reader = journal::Reader::open(journal->store()).value();
      const auto head = reader.head(run).value();
      if (head && head->status == status) return;
      std::this_thread::yield();
    }
  }
  /// The same as the runtime sees it, which is a moment after other processes see it in the log.
  static void wait_until_parked(pd::Runtime& runtime, const RunId& run) {
    for (;; std::this_thread::yield()) {
      const auto why = runtime.explain(run);
      if (why && why.value().find("it is parked (") != std::string::npos) return;
    }
  }
  std::vector<journal::Arrival> inbox() const {
    const auto journal = journal::JournalForReading::open(path()).value();
    auto reader = journal::Reader::open(journal->store()).value();
    std::vector<journal::Arrival> all;
    EXPECT_TRUE(reader.each_unread([&](const journal::SessionId&, const journal::Arrival& each) {
      all.push_back(each);
      return true;
    }));
    return all;
  }
  [[nodiscard]] std::uint32_t clean() const {
    const auto journal = journal::JournalForReading::open(path()).value();
    return journal::Reader::open(journal->store()).value().counters().value()->clean;
  }
  fs::path directory_;
};

}  // namespace perdure::cli
