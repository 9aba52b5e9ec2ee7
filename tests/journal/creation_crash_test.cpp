// Whoever makes, opens or closes a journal is killed before each of its system calls in turn.

#include "core/clock.hpp"
#include "core/random.hpp"
#include "journal/directory.hpp"
#include "tests/journal/journal_fixture.hpp"

#include <gtest/gtest.h>

#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>

namespace perdure::journal {
namespace {

namespace fs = std::filesystem;

enum class Ending : std::uint8_t { killed, finished, cannot_trace };

/// Lets a thread of a traced process go on to its next stop, and waits for any of them to stop.
/// `status` is that one's.
pid_t next_stop(pid_t stopped, int& status) {
  // A thread that has ended since is no loss.
  static_cast<void>(::ptrace(PTRACE_SYSCALL, stopped, nullptr, nullptr));
  return ::waitpid(-1, &status, __WALL);
}

/// Runs `body` in a child and kills it before the `call`-th system call (from 1) of its threads
/// together: a checkpoint is written by another one.
Ending run_until_call(int call, const std::function<bool()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(9);
    ::raise(SIGSTOP);
    ::_exit(body() ? 0 : 1);
  }
  int status = 0;
  if (::waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) return Ending::cannot_trace;
  if (::ptrace(PTRACE_SETOPTIONS, child, nullptr,
               PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL) != 0)
    return Ending::cannot_trace;
  // Two stops a call: on the way in and on the way out. New threads stop too, and are not counted.
  pid_t stopped = child;
  for (int stops = 0; stops < 2 * call - 1;) {
    stopped = next_stop(stopped, status);
    if (stopped < 0) return Ending::cannot_trace;
    if (stopped == child && WIFEXITED(status)) {
      EXPECT_EQ(WEXITSTATUS(status), 0);
      return Ending::finished;
    }
    constexpr int kCallStop = SIGTRAP | 0x80;
    if (WIFSTOPPED(status) && WSTOPSIG(status) == kCallStop) ++stops;
  }
  ::kill(child, SIGKILL);
  // The other threads first: the process has ended when the last of them was waited for.
  do {
    stopped = ::waitpid(-1, &status, __WALL);
  } while (stopped >= 0 && !(stopped == child && WIFSIGNALED(status)));
  return Ending::killed;
}

/// In memory where that can be: the kernel keeps what a killed process wrote, synced or not.
class CreationCrash : public testing::Test {
 protected:
  void SetUp() override {
    std::error_code failed;
    const fs::path shared = "/dev/shm";
    const fs::path base = ::access(shared.c_str(), W_OK) == 0 ? shared : temporary_.path();
    directory_ = base / ("perdure-crash-" + std::to_string(::getpid()));
    fs::remove_all(directory_, failed);
    ASSERT_TRUE(fs::create_directory(directory_));
  }
  void TearDown() override {
    std::error_code failed;
    fs::remove_all(directory_, failed);
  }
  [[nodiscard]] fs::path journal() const { return directory_ / "j"; }
  Result<std::unique_ptr<JournalForWriting>> open() {
    return JournalForWriting::open(journal(), clock_, random_);
  }
  /// Kills `body` at every call, until one finishes; `check` sees what each leaves.
  void at_every_call(const std::function<bool()>& body, const std::function<void()>& check) {
    int call = 1;
    for (;; ++call) {
      ASSERT_LT(call, 5000);
      const Ending ending = run_until_call(call, body);
      if (ending == Ending::cannot_trace) GTEST_SKIP() << "processes can't be traced here";
      check();
      if (HasFatalFailure() || ending == Ending::finished) break;
    }
    EXPECT_GT(call, 10);
  }

  TemporaryDirectory temporary_;
  fs::path directory_;
  core::ManualClock clock_;
  core::SeededRandom random_{1};
};

TEST_F(CreationCrash, AJournalIsThereOrNotYet) {
  int complete = 0;
  at_every_call([&] { return open().has_value(); },
                [&] {
                  if (const auto reading = JournalForReading::open(journal())) {
                    ++complete;
                    Reader reader = Reader::open(reading.value()->store()).value();
                    EXPECT_TRUE(reader.identity().value());
                  } else {
                    EXPECT_EQ(reading.error().code, Code::not_found) << reading.error().message;
                  }
                  {
                    const auto writing = open();
                    ASSERT_TRUE(writing) << writing.error().message;
                    EXPECT_EQ(writing.value()->last_number(), 0U);
                    EXPECT_NE(writing.value()->id(), core::Hash128{});
                  }
                  fs::remove_all(journal());
                });
  EXPECT_GT(complete, 0);
}

TEST_F(CreationCrash, AnOpeningOrCleanEndHappensOrNot) {
  {
    const auto first = open().value();
    TestRows rows;
    rows.run(1, 3, RunStatus::running);
    ASSERT_TRUE(rows.commit(first->store()));
    ASSERT_TRUE(first->close_cleanly(3, 102));
  }
  int clean = 0;
  int unclean = 0;
  at_every_call(
      [&] {
        const auto opened = open();
        return opened && opened.value()->close_cleanly(3, 102).has_value();
      },
      [&] {
        const auto writing = open();
        ASSERT_TRUE(writing) << writing.error().message;
        ++(writing.value()->was_clean() ? clean : unclean);
        EXPECT_EQ(writing.value()->last_number(), 3U);
        EXPECT_EQ(writing.value()->last_stamp(), 102);
        Reader reader = Reader::open(writing.value()->store()).value();
        EXPECT_EQ(reader.head(run_id(1)).value()->count, 3U);
        ASSERT_TRUE(writing.value()->close_cleanly(3, 102));
      });
  EXPECT_GT(clean, 0);
  EXPECT_GT(unclean, 0);
}

}  // namespace
}  // namespace perdure::journal
