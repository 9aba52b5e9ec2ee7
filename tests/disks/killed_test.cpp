// A process that is killed with SIGKILL, on LMDB: what each durability mode loses by that.
#include <perdure/perdure.hpp>

#include "journal/directory.hpp"
#include "journal/reader.hpp"
#include "tests/disks/child.hpp"
#include "tests/journal/store_fixture.hpp"
#include "tests/support/frames.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>

#include <csignal>
#include <fstream>
#include <numeric>
#include <string>
#include <vector>

namespace perdure::test {
namespace {

namespace pd = perdure;
constexpr int kSteps = 12;

/// What the bodies of a life see. Set in the child before it starts.
struct Life {
  int notes = -1;        ///< A line for each body that ran.
  int dies_in = kSteps;  ///< The body in which the process kills itself.
};
Life life;

pd::Task<int> many_steps(pd::Context& ctx, int start) {
  int sum = start;
  for (int i = 0; i < kSteps; ++i)
    sum += co_await ctx.step("step", [&](pd::Step&) {
      const std::string line = std::to_string(i) + "\n";
      if (::write(life.notes, line.data(), line.size()) < 0) std::abort();
      if (i == life.dies_in) ::raise(SIGKILL);
      return i;
    });
  co_return sum;
}
inline constexpr pd::Agent many{"many", &many_steps};
constexpr int kReply = kSteps * (kSteps - 1) / 2;

class KilledTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string journal() const { return (directory_.path() / "journal").string(); }
  [[nodiscard]] std::string notes() const { return (directory_.path() / "notes").string(); }

  /// One process's life: starts the session, or attaches to it, and waits for its end. 0: it ended
  /// as it should. The bodies that ran meanwhile are left in `ran`.
  int live(pd::Durability durability, std::chrono::milliseconds interval, int dies_in) {
    std::ofstream(notes(), std::ios::trunc).close();
    const int status = in_child([&] {
      life.notes = ::open(notes().c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
      life.dies_in = dies_in;
      pd::RuntimeOptions options;
      options.journal = journal();
      options.durability = durability;
      options.commit_interval = interval;
      auto runtime = pd::Runtime::open(with_frames(std::move(options)));
      if (!runtime) return 1;
      runtime.value().serve(many);
      if (!runtime.value().start()) return 2;
      const auto run = runtime.value().session(many, "s").start(0);
      if (!run) return 3;
      const auto reply = run.value().wait();
      return reply && reply.value() == kReply ? 0 : 4;
    });
    ran_.clear();
    std::ifstream lines(notes());
    for (int step = 0; lines >> step;) ran_.push_back(step);
    return status;
  }
  [[nodiscard]] const std::vector<int>& ran() const { return ran_; }

  /// Results on the disk; each record is checked by the reading.
  [[nodiscard]] int recorded() const {
    const auto opened = journal::JournalForReading::open(journal()).value();
    journal::Reader reader = journal::Reader::open(opened->store()).value();
    int results = 0;
    (void)reader
        .each_run([&](const journal::RunInfo& info) {
          journal::Reader own = journal::Reader::open(opened->store()).value();
          journal::RecordStream records = own.records(info.id).value();
          while (const journal::RecordBuffer* record = records.next().value())
            results += record->kind() == journal::Kind::step_result ? 1 : 0;
          return true;
        })
        .value();
    return results;
  }
  [[nodiscard]] static std::vector<int> from_to(int first, int last) {
    std::vector<int> steps(static_cast<std::size_t>(last - first + 1));
    std::iota(steps.begin(), steps.end(), first);
    return steps;
  }

 private:
  journal::TemporaryDirectory directory_;
  std::vector<int> ran_;
};

class KilledInModeTest : public KilledTest, public ::testing::WithParamInterface<pd::Durability> {};

TEST_P(KilledInModeTest, LosesNothingButTheStepThatItDiedIn) {
  EXPECT_EQ(live(GetParam(), std::chrono::hours(1), 7), kKilled);
  EXPECT_EQ(ran(), from_to(0, 7));
  EXPECT_EQ(recorded(), 7);
  EXPECT_EQ(live(GetParam(), std::chrono::hours(1), kSteps), 0);
  EXPECT_EQ(ran(), from_to(7, kSteps - 1));
}

INSTANTIATE_TEST_SUITE_P(Modes, KilledInModeTest,
                         ::testing::Values(pd::Durability::full, pd::Durability::none));

TEST_F(KilledTest, IntervalLosesWhatWasNotCommittedAndNothingElse) {
  EXPECT_EQ(live(pd::Durability::interval, std::chrono::hours(1), 9), kKilled);
  EXPECT_EQ(ran(), from_to(0, 9)) << "they follow each other without waiting";
  const int kept = recorded();
  EXPECT_LT(kept, 9);
  EXPECT_EQ(live(pd::Durability::full, std::chrono::hours(1), kSteps), 0);
  EXPECT_EQ(ran(), from_to(kept, kSteps - 1)) << "what was recorded is a beginning of what ran";
}

TEST_F(KilledTest, IntervalGoesOnAfterTwoDeaths) {
  int kept = 0;
  for (int dies_in = 2; dies_in < kSteps; dies_in += 5) {
    EXPECT_EQ(live(pd::Durability::interval, std::chrono::milliseconds(1), dies_in), kKilled);
    EXPECT_EQ(ran(), from_to(kept, dies_in));
    EXPECT_GE(recorded(), kept);
    kept = recorded();
    EXPECT_LE(kept, dies_in);
  }
  EXPECT_EQ(live(pd::Durability::interval, std::chrono::milliseconds(1), kSteps), 0);
  EXPECT_EQ(ran(), from_to(kept, kSteps - 1));
  EXPECT_EQ(recorded(), kSteps) << "a clean end commits what is held";
}

TEST_F(KilledTest, AnIntervalOutOfRangeIsRefused) {
  EXPECT_EQ(
      in_child([&] {
        using std::chrono::milliseconds;
        for (const milliseconds wrong : {milliseconds(0), milliseconds(-1), milliseconds::max()}) {
          pd::RuntimeOptions options;
          options.journal = journal();
          options.commit_interval = wrong;
          const auto refused = pd::Runtime::open(std::move(options));
          if (refused || refused.error().code != pd::Code::misuse) return 1;
          if (refused.error().message.find("give 1 ms to 1 day") == std::string::npos) return 2;
        }
        return 0;
      }),
      0);
}

}  // namespace
}  // namespace perdure::test
