#include "core/crash_point.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace perdure::core {
namespace {

/// Runs `body` in a forked child; what the child says of itself is held against `said`.
template <class Body>
void expect_killed(Body body, const std::string& said) {
  EXPECT_EXIT(
      {
        body();
        std::exit(0);
      },
      testing::KilledBySignal(SIGKILL), said);
}

template <class Body>
void expect_survives(Body body) {
  EXPECT_EXIT(
      {
        body();
        std::exit(0);
      },
      testing::ExitedWithCode(0), "");
}

TEST(CrashPointDeathTest, KillsWithoutRunningAnythingElse) {
  struct Destroyed {
    ~Destroyed() { std::fputs("a destructor ran\n", stderr); }
  };
  expect_killed(
      [] {
        const Destroyed destroyed;
        std::atexit([] { std::fputs("an exit handler ran\n", stderr); });
        arm_crash_point(CrashPoint::commit_after, 1);
        std::fputs("before\n", stderr);
        crash_point(CrashPoint::commit_after);
        std::fputs("after\n", stderr);
      },
      "^before\n$");
}

TEST(CrashPointDeathTest, KillsAtTheNthPassing) {
  expect_killed(
      [] {
        arm_crash_point(CrashPoint::body_before, 3);
        for (int i = 1; i <= 5; ++i) {
          std::fprintf(stderr, "%d", i);
          crash_point(CrashPoint::body_before);
        }
      },
      "^123$");
}

TEST(CrashPointDeathTest, PassesByAtOtherPointsAndDisarmed) {
  expect_survives([] {
    crash_point(CrashPoint::body_before);
    arm_crash_point(CrashPoint::body_before, 1);
    crash_point(CrashPoint::body_after);
    crash_point(CrashPoint::commit_before);
  });
}

TEST(CrashPointDeathTest, IsArmedByTheEnvironmentUnderEachName) {
  for (std::size_t i = 0; i < kCrashPointCount; ++i) {
    const std::string name(kCrashPointNames[i]);
    const auto point = static_cast<CrashPoint>(i);
    expect_killed(
        [&] {
          setenv("PERDURE_CRASH_AT", name.c_str(), 1);
          if (!arm_crash_point_from_environment()) std::exit(1);
          crash_point(point);
        },
        "");
    expect_killed(
        [&] {
          setenv("PERDURE_CRASH_AT", (name + ":2").c_str(), 1);
          if (!arm_crash_point_from_environment()) std::exit(1);
          crash_point(point);
          std::fputs("once", stderr);
          crash_point(point);
        },
        "^once$");
  }
}

TEST(CrashPointDeathTest, TheEnvironmentMustNameAPoint) {
  for (const char* wrong :
       {"", "no_such_point", "commit_after:", "commit_after:0", "commit_after:x", "commit_after:1x",
        "commit_after:-1", ":1", "Commit_After", "commit_after:99999999999999999999"})
    EXPECT_EXIT(
        {
          setenv("PERDURE_CRASH_AT", wrong, 1);
          std::exit(arm_crash_point_from_environment() ? 1 : 0);
        },
        testing::ExitedWithCode(0), "")
        << "'" << wrong << "' was taken";
}

TEST(CrashPointDeathTest, WithoutTheEnvironmentNothingIsArmed) {
  expect_survives([] {
    unsetenv("PERDURE_CRASH_AT");
    if (!arm_crash_point_from_environment()) std::exit(1);
    for (std::size_t i = 0; i < kCrashPointCount; ++i) crash_point(static_cast<CrashPoint>(i));
  });
}

TEST(CrashPoint, NamesAreThoseOfTheEnumerators) {
  EXPECT_EQ(kCrashPointNames[static_cast<std::size_t>(CrashPoint::run_created)], "run_created");
  EXPECT_EQ(kCrashPointNames[static_cast<std::size_t>(CrashPoint::commit_written)],
            "commit_written");
  EXPECT_EQ(kCrashPointNames[static_cast<std::size_t>(CrashPoint::gate_opened)], "gate_opened");
  EXPECT_EQ(kCrashPointNames[static_cast<std::size_t>(CrashPoint::shutdown_before_clean)],
            "shutdown_before_clean");
  EXPECT_EQ(kCrashPointNames[static_cast<std::size_t>(CrashPoint::blob_renamed)], "blob_renamed");
  EXPECT_EQ(static_cast<std::size_t>(CrashPoint::blob_renamed) + 1, kCrashPointCount);
}

}  // namespace
}  // namespace perdure::core
