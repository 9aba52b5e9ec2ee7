// The process dies at each named crash point, at each of its first passings; the next process goes
// on.
#include "core/crash_point.hpp"
#include "journal/directory.hpp"
#include "journal/reader.hpp"
#include "journal/step_path.hpp"

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

namespace perdure::test {
namespace {

namespace fs = std::filesystem;

struct Life {
  int status = 0;
  std::string output;
  [[nodiscard]] bool killed() const { return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL; }
  [[nodiscard]] bool ended_well() const { return WIFEXITED(status) && WEXITSTATUS(status) == 0; }
};

/// One process's life, with `PERDURE_CRASH_AT` set to `crash_at` where it is not empty.
Life live(const fs::path& journal, const fs::path& effects, const std::string& crash_at) {
  int output[2];
  EXPECT_EQ(pipe(output), 0);
  const pid_t child = fork();
  if (child == 0) {
    dup2(output[1], STDOUT_FILENO);
    close(output[0]);
    close(output[1]);
    if (crash_at.empty()) {
      unsetenv("PERDURE_CRASH_AT");
    } else {
      setenv("PERDURE_CRASH_AT", crash_at.c_str(), 1);
    }
    execl(PERDURE_CRASH_CHILD, "crash_child", journal.c_str(), effects.c_str(), nullptr);
    _exit(127);
  }
  close(output[1]);
  Life life;
  char buffer[4096];
  for (ssize_t got = 0; (got = read(output[0], buffer, sizeof buffer)) > 0;)
    life.output.append(buffer, static_cast<std::size_t>(got));
  close(output[0]);
  waitpid(child, &life.status, 0);
  return life;
}

/// How often each step's body ran, and that its key never changed.
std::map<std::string, int> bodies(const fs::path& effects) {
  std::map<std::string, int> count;
  std::map<std::string, std::string> keys;
  std::ifstream file(effects);
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    std::string id;
    std::string key;
    std::getline(fields, id, '\t');
    std::getline(fields, key, '\t');
    ++count[id];
    EXPECT_EQ(keys.try_emplace(id, key).first->second, key)
        << "the key of step " << id << " changed";
  }
  return count;
}

/// Step ids that the journal holds a result of, read as another process would.
std::set<std::string> recorded(const fs::path& directory) {
  std::set<std::string> ids;
  auto journal = journal::JournalForReading::open(directory);
  if (journal.has_error()) return ids;  // The first life may end before there is a journal.
  auto reader = journal::Reader::open(journal.assume_value()->store()).value();
  EXPECT_TRUE(reader
                  .each_run([&](const journal::RunInfo& info) {
                    auto records = reader.records(info.id).value();
                    for (;;) {
                      const journal::RecordBuffer* record = records.next().value();
                      if (record == nullptr) return true;
                      if (record->kind() != journal::Kind::step_result) continue;
                      const auto result = record->as<journal::StepResult>().value();
                      const std::string id = journal::StepPath(result.path).to_string();
                      EXPECT_TRUE(ids.insert(id).second) << "step " << id << " has two results";
                    }
                  })
                  .has_value());
  return ids;
}

class CrashPoints : public ::testing::TestWithParam<std::size_t> {
 protected:
  void SetUp() override {
    directory_ = fs::temp_directory_path() /
                 ("perdure-crash-" + std::to_string(getpid()) + "-" + std::to_string(GetParam()));
    fs::remove_all(directory_);
    fs::create_directories(directory_);
  }
  void TearDown() override { fs::remove_all(directory_); }
  fs::path directory_;
};

TEST_P(CrashPoints, TheNextProcessGoesOnAndRepeatsNothingThatWasRecorded) {
  const std::string point(core::kCrashPointNames[GetParam()]);
  bool reached = false;
  for (int passing = 1; passing <= 12; ++passing) {
    const fs::path journal = directory_ / ("journal-" + std::to_string(passing));
    const fs::path effects = directory_ / ("effects-" + std::to_string(passing));
    const Life first = live(journal, effects, point + ":" + std::to_string(passing));
    if (!first.killed()) {
      ASSERT_TRUE(first.ended_well()) << point;
      break;  // It is passed less often than that.
    }
    reached = true;
    const std::set<std::string> known = recorded(journal);
    const std::map<std::string, int> before = bodies(effects);
    const Life second = live(journal, effects, "");
    ASSERT_TRUE(second.ended_well()) << point << ":" << passing;
    EXPECT_TRUE(second.output == "30 5 done\n" || second.output == "30 outcome_unknown done\n")
        << second.output;
    const std::map<std::string, int> after = bodies(effects);
    for (const std::string& id : known)
      EXPECT_EQ(before.at(id), after.at(id))
          << "recorded step " << id << " ran again after " << point;
    for (const auto& [id, count] : after)
      EXPECT_LE(count, id == "6" ? 3 : 2) << "step " << id << " after " << point << ":" << passing;
    EXPECT_LE(after.count("5") != 0 ? after.at("5") : 0, 1) << "an at-most-once body ran twice";
  }
  EXPECT_TRUE(reached) << "nothing passes the crash point " << point;
}

INSTANTIATE_TEST_SUITE_P(Every, CrashPoints,
                         ::testing::Range<std::size_t>(0, core::kCrashPointCount),
                         [](const auto& info) {
                           return std::string(core::kCrashPointNames[info.param]);
                         });

}  // namespace
}  // namespace perdure::test
