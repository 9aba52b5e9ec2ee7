// File systems that are full, on LMDB and its log.
#include "tests/disks/child.hpp"
#include "tests/disks/ears.hpp"
#include "tests/disks/mounts.hpp"
#include "tests/journal/store_fixture.hpp"

#include <gtest/gtest.h>

#include <sys/resource.h>

#include <csignal>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace perdure::test {
namespace {

/// So many runs are more than a log and tables of a megabyte take together, whenever a checkpoint
/// comes in between.
constexpr int kRuns = 32;

/// Works until the disk is full, has `make_room` called, and sees everything end. 0: as it should.
int work_through_a_full_disk(const fs::path& place, const std::function<void()>& take_room,
                             const std::function<void()>& make_room) {
  Ears ears;
  auto runtime = ears.open(place);
  if (!runtime) return 1;
  std::vector<pd::Run<int>> acknowledged;
  for (int i = 0; i < 4; ++i)
    acknowledged.push_back(
        runtime.value().session(writer, "before " + std::to_string(i)).start(0).value());
  for (const auto& run : acknowledged)
    if (run.wait().value() != kReply) return 2;
  take_room();
  std::vector<std::thread> callers;
  std::mutex mutex;
  std::optional<pd::Error> refused;
  for (int i = 0; i < kRuns; ++i)
    callers.emplace_back([&, i] {
      const auto run = runtime.value().session(writer, std::to_string(i)).start(0);
      const std::lock_guard lock(mutex);
      if (run) {
        acknowledged.push_back(run.value());
      } else {
        refused = run.error();
      }
    });
  ears.wait_for(pd::EventKind::storage_full);
  const auto late = runtime.value().session(writer, "late").start(0);
  if (late || late.error().code != pd::Code::storage_full) return 3;
  make_room();
  ears.wait_for(pd::EventKind::storage_recovered);
  for (std::thread& caller : callers) caller.join();
  if (refused && refused->code != pd::Code::storage_full) return 4;
  for (const auto& run : acknowledged)
    if (run.wait().value() != kReply) return 5;
  if (runtime.value().session(writer, "late").start(0).value().wait().value() != kReply) return 6;
  return runtime.value().shutdown() ? 0 : 7;
}

class FullDiskTest : public ::testing::Test {
 protected:
  [[nodiscard]] fs::path place() const { return directory_.path(); }
  [[nodiscard]] fs::path ballast() const { return place() / "ballast"; }

 private:
  journal::TemporaryDirectory directory_;
};

TEST_F(FullDiskTest, RunningWorkWaitsAndGoesOnWhenThereIsRoom) {
  const int status = in_child([&] {
    if (!mount_small(place(), 32U << 20U)) return kNoMounts;
    return work_through_a_full_disk(
        place(), [&] { fill(ballast(), 64U << 10U); }, [&] { fs::remove(ballast()); });
  });
  PERDURE_SKIP_WITHOUT_MOUNTS(status);
  EXPECT_EQ(status, 0);
}

TEST_F(FullDiskTest, ALimitOfTheFilesSizeIsAFullDisk) {
  EXPECT_EQ(in_child([&] {
              std::signal(SIGXFSZ, SIG_IGN);
              rlimit limit{};
              ::getrlimit(RLIMIT_FSIZE, &limit);
              const auto set = [&](rlim_t bytes) {
                limit.rlim_cur = bytes;
                ::setrlimit(RLIMIT_FSIZE, &limit);
              };
              return work_through_a_full_disk(
                  place(), [&] { set(1U << 20U); }, [&] { set(limit.rlim_max); });
            }),
            0);
}

TEST_F(FullDiskTest, NoJournalIsMadeWithoutRoomAndNothingStandsInTheWayLater) {
  int status = 0;
  // From no room at all to enough, page by page: it fails at each place where it may.
  status = in_child([&] {
    if (!mount_small(place(), 2U << 20U)) return kNoMounts;
    int failures = 0;
    for (std::size_t room = 0; room < (1U << 20U); room += 4096) {
      fill(ballast(), room);
      Ears ears;
      auto runtime = ears.open(place());
      if (runtime && runtime.value().shutdown()) return failures > 3 ? 0 : 1;
      if (!runtime && runtime.error().code != pd::Code::storage_full) return 2;
      ++failures;
      if (room % 8192 == 0) fs::remove_all(place() / "journal");
    }
    return 3;
  });
  PERDURE_SKIP_WITHOUT_MOUNTS(status);
  EXPECT_EQ(status, 0);
}

TEST_F(FullDiskTest, OpeningAndClosingWithoutRoomLosesNothing) {
  const int status = in_child([&] {
    if (!mount_small(place(), 8U << 20U)) return kNoMounts;
    pd::RunId id;
    {
      Ears ears;
      auto runtime = ears.open(place()).value();
      id = runtime.session(writer, "s").start(0).value().id();
      if (runtime.run<int>(id).wait().value() != kReply) return 1;
      fill(ballast(), 0);
      const auto closed = runtime.shutdown();
      if (!closed && closed.error().code != pd::Code::storage_full) return 2;
    }
    for (int i = 0; i < 3; ++i) {
      Ears ears;
      fs::remove(place() / "journal" / "generation-000001" / "lock.mdb");
      fill(ballast(), 0);
      const auto refused = ears.open(place());
      if (!refused && refused.error().code != pd::Code::storage_full) return 3;
    }
    fs::remove(ballast());
    Ears ears;
    auto runtime = ears.open(place()).value();
    return runtime.run<int>(id).wait().value() == kReply && runtime.shutdown() ? 0 : 4;
  });
  PERDURE_SKIP_WITHOUT_MOUNTS(status);
  EXPECT_EQ(status, 0);
}

TEST_F(FullDiskTest, TheLogTakesWhatFitsWhileTheTablesCanNotGrow) {
  const int status = in_child([&] {
    if (!mount_small(place(), 32U << 20U)) return kNoMounts;
    if (!grow_log(place())) return 1;
    {
      Ears ears;
      auto runtime = ears.open(place()).value();
      fill(ballast(), 0);
      for (const char* key : {"a", "b", "c"})
        if (!runs(runtime, key)) return 2;
      const auto full = [&] {
        return runtime.session(writer, "late").start(0).error().code == pd::Code::storage_full;
      };
      std::thread caller([&] {
        for (int i = 0; runs(runtime, std::to_string(i)) && i < 30;) ++i;
      });
      ears.wait_for(pd::EventKind::storage_full);
      if (!full()) return 3;
      fs::remove(ballast());
      ears.wait_for(pd::EventKind::storage_recovered);
      caller.join();
      if (!runs(runtime, "late")) return 4;
      fill(ballast(), 0);
      if (!runtime.shutdown()) return 5;
    }
    fs::remove(ballast());
    Ears ears;
    auto runtime = ears.open(place()).value();
    for (const char* key : {"a", "b", "c", "0", "late"})
      if (!runs(runtime, key)) return 6;
    return runtime.shutdown() ? 0 : 7;
  });
  PERDURE_SKIP_WITHOUT_MOUNTS(status);
  EXPECT_EQ(status, 0);
}

/// What is in the log needs room in the tables, and waits there until there is some.
TEST_F(FullDiskTest, OpeningAfterADeathOnAFullDiskIsAnErrorThatPasses) {
  const int status = in_child([&] {
    if (!mount_small(place(), 32U << 20U)) return kNoMounts;
    if (!grow_log(place())) return 1;
    const int died = in_child([&] {
      Ears ears;
      auto runtime = ears.open(place()).value();
      fill(ballast(), 0);
      for (const char* key : {"a", "b", "c"})
        if (!runs(runtime, key)) return 1;
      return ::raise(SIGKILL);
    });
    if (died != kKilled) return 2;
    for (int i = 0; i < 3; ++i) {
      Ears ears;
      const auto refused = ears.open(place());
      if (refused || refused.error().code != pd::Code::storage_full) return 3;
    }
    fs::remove(ballast());
    Ears ears;
    auto runtime = ears.open(place()).value();
    for (const char* key : {"a", "b", "c"})
      if (!runs(runtime, key)) return 4;
    return runtime.shutdown() ? 0 : 5;
  });
  PERDURE_SKIP_WITHOUT_MOUNTS(status);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace perdure::test
