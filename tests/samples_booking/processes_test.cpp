#include "samples/booking/processes.hpp"

#include <sys/wait.h>

#include <csignal>
#include <stdexcept>
#include <utility>

#include "tests/samples_booking/booking_fixture.hpp"

namespace booking {
namespace {

using namespace std::chrono_literals;

class ProcessTest : public ::testing::Test {
 protected:
  [[nodiscard]] Command shell(const std::string& script) const {
    return {"shell", {"/bin/sh", "-c", script}, folder_.of("log")};
  }
  /// Waits for a process to end by itself.
  static int status_of(Process& process) {
    while (true) {
      if (const auto status = process.ended()) return *status;
    }
  }

  TestFolder folder_;
};

TEST_F(ProcessTest, TellsHowItEndedAndKeepsItsWords) {
  Process process(shell("echo out; echo err >&2; exit 3"));
  EXPECT_EQ(words_of(status_of(process)), "exit 3");
  EXPECT_EQ(contents_of(folder_.of("log")), "out\nerr\n");
}

TEST_F(ProcessTest, IsKilledAndGone) {
  Process process(shell("kill -STOP $$"));
  process.kill();
  EXPECT_EQ(words_of(process.ended().value()), "signal 9");
  process.kill();
  EXPECT_EQ(words_of(process.ended().value()), "signal 9");
}

TEST_F(ProcessTest, IsStoppedGentlyWhereItListens) {
  const std::string wait = "touch " + folder_.of("ready") + "; while true; do :; done";
  Process listens(shell("trap 'exit 5' TERM; " + wait));
  wait_for_file(folder_.of("ready"), listens, "shell", 60s);
  listens.stop(60s);
  EXPECT_EQ(words_of(listens.ended().value()), "exit 5");
}

TEST_F(ProcessTest, IsStoppedByForceWhereItDoesNot) {
  const std::string wait = "touch " + folder_.of("ready") + "; while true; do :; done";
  Process deaf(shell("trap '' TERM; " + wait));
  wait_for_file(folder_.of("ready"), deaf, "shell", 60s);
  deaf.stop(1ms);
  EXPECT_EQ(words_of(deaf.ended().value()), "signal 9");
}

TEST_F(ProcessTest, GoesWithItsObject) {
  const std::string script = "echo $$ > " + folder_.of("partial") + "; mv " +
                             folder_.of("partial") + " " + folder_.of("pid") +
                             "; while true; do :; done";
  pid_t pid = 0;
  {
    Process process(shell(script));
    wait_for_file(folder_.of("pid"), process, "shell", 60s);
    pid = std::stoi(contents_of(folder_.of("pid")));
    ASSERT_EQ(::kill(pid, 0), 0);
    Process moved = std::move(process);
    ASSERT_FALSE(moved.ended());
  }
  EXPECT_EQ(::kill(pid, 0), -1);
}

TEST_F(ProcessTest, ThatIsNoProgramEnds) {
  Process process({"nothing", {"/nonexistent/program"}, folder_.of("log")});
  EXPECT_EQ(words_of(status_of(process)), "exit 127");
}

TEST_F(ProcessTest, ThatEndsBeforeItsFileIsAnErrorThatNamesIt) {
  Process process(shell("exit 4"));
  try {
    wait_for_file(folder_.of("never"), process, "the shell", 60s);
    ADD_FAILURE() << "there was a file";
  } catch (const std::runtime_error& error) {
    EXPECT_TRUE(contains(error.what(), "the shell ended (exit 4)")) << error.what();
  }
}

TEST_F(ProcessTest, ThatTakesTooLongIsAnError) {
  Process process(shell("while true; do :; done"));
  EXPECT_THROW(wait_for_file(folder_.of("never"), process, "shell", 1ms), std::runtime_error);
}

}  // namespace
}  // namespace booking
