/// Child processes of the tests of disks: what is tried there may end the process, limit it, or
/// change who it is.
#pragma once

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <iostream>

namespace perdure::test {

/// Runs `body` in a child and returns its exit status, or 1000 and the signal that ended it. A
/// child that hangs ends by SIGALRM. No other thread may run in this process.
inline int in_child(const std::function<int()>& body) {
  constexpr unsigned kSeconds = 100;
  constexpr int kSignalled = 1000;
  std::cout.flush();
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(kSeconds);
    ::_exit(body());
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : kSignalled + WTERMSIG(status);
}
inline constexpr int kKilled = 1009;

}  // namespace perdure::test
