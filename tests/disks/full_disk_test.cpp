// File systems that are full or can't be written, on LMDB.
#include <perdure/perdure.hpp>

#include "core/clock.hpp"
#include "core/random.hpp"
#include "journal/directory.hpp"
#include "journal/reader.hpp"
#include "tests/disks/child.hpp"
#include "tests/disks/mounts.hpp"
#include "tests/journal/store_fixture.hpp"

#include <gtest/gtest.h>

#include <sys/resource.h>

#include <barrier>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>
#include <vector>

namespace perdure::test {
namespace {

namespace fs = std::filesystem;
namespace pd = perdure;

/// A run that records about a hundred kilobytes.
pd::Task<int> large(pd::Context& ctx, int start) {
  int sum = start;
  for (int i = 0; i < 4; ++i) {
    const std::string text =
        co_await ctx.step("large", [&](pd::Step&) { return std::string(25'000, 'x'); });
    sum += static_cast<int>(text.size());
  }
  co_return sum;
}
inline constexpr pd::Agent writer{"writer", &large};
constexpr int kReply = 100'000;

/// A runtime with ears. Lives in a child, so it says what is wrong by aborting.
class Ears {
 public:
  pd::Result<pd::Runtime> open(const fs::path& directory) {
    pd::RuntimeOptions options;
    options.journal = (directory / "journal").string();
    PERDURE_TRY(auto runtime, pd::Runtime::open(std::move(options)));
    runtime.on_event([this](const pd::Event& event) {
      const std::lock_guard lock(mutex_);
      events_.push_back(event.kind);
      changed_.notify_all();
    });
    runtime.serve(writer);
    PERDURE_TRY(runtime.start());
    return runtime;
  }
  void wait_for(pd::EventKind kind) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return std::ranges::count(events_, kind) > 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<pd::EventKind> events_;
};

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
  for (int i = 0; i < 8; ++i)
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

class FullDiskTest : public testing::Test {
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

std::barrier may_end{2};

pd::Task<int> many_steps(pd::Context& ctx, int count) {
  for (int i = 0; i < count; ++i) co_await ctx.step("step", [](pd::Step&) {});
  co_await ctx.step("last", [](pd::Step&) {
    may_end.arrive_and_wait();  // That it has begun, and that it may end.
    may_end.arrive_and_wait();
  });
  co_return count;
}
inline constexpr pd::Agent many{"many", &many_steps};

TEST_F(FullDiskTest, ExplainNamesAReaderThatMakesTheFileGrow) {
  EXPECT_EQ(in_child([&] {
              pd::RuntimeOptions options;
              options.journal = (place() / "journal").string();
              options.durability = pd::Durability::none;
              auto runtime = pd::Runtime::open(std::move(options)).value();
              runtime.serve(many);
              if (!runtime.start()) return 1;
              const auto reading = journal::JournalForReading::open(place() / "journal").value();
              auto reader = std::make_optional(journal::Reader::open(reading->store()).value());
              const auto run = runtime.session(many, "s").start(1100).value();
              may_end.arrive_and_wait();
              const auto names_it = [&] {
                return runtime.explain(run.id()).value().find("has read in one snapshot for 1") !=
                       std::string::npos;
              };
              if (!names_it()) return 3;
              reader.reset();
              if (names_it()) return 4;
              may_end.arrive_and_wait();
              return run.wait().value() == 1100 ? 0 : 5;
            }),
            0);
}

class ReadOnlyTest : public FullDiskTest {
 protected:
  ReadOnlyTest() {
    // In a child, since this process is to stay without threads.
    EXPECT_EQ(in_child([&] {
                Ears ears;
                auto runtime = ears.open(place()).value();
                return runtime.session(writer, "s").start(0).value().wait().value() == kReply ? 0
                                                                                              : 1;
              }),
              0);
  }
  /// Reads it whole; refuses to write it, naming `remedy`. 0: so it was.
  int reads_only(std::string_view remedy) const {
    Ears ears;
    const auto refused = ears.open(place());
    if (refused || refused.error().code != pd::Code::misuse) return 1;
    if (refused.error().message.find(remedy) == std::string::npos) return 2;
    const auto reading = journal::JournalForReading::open(place() / "journal");
    if (!reading) return 3;
    journal::Reader reader = journal::Reader::open(reading.value()->store()).value();
    int runs = 0;
    (void)reader
        .each_run([&](const journal::RunInfo& info) {
          runs += info.head.status == journal::RunStatus::completed ? 1 : 0;
          return true;
        })
        .value();
    return runs == 1 ? 0 : 4;
  }
};

TEST_F(ReadOnlyTest, AReadOnlyFileSystemIsReadAndNotWritten) {
  const int status = in_child([&] {
    if (!mount_read_only(place())) return kNoMounts;
    return reads_only("Mount it writable");
  });
  PERDURE_SKIP_WITHOUT_MOUNTS(status);
  EXPECT_EQ(status, 0);
}

TEST_F(ReadOnlyTest, AJournalWithoutWritePermissionIsReadAndNotWritten) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to become somebody else";
  constexpr uid_t kNobody = 65534;
  const auto may = fs::perms::others_read | fs::perms::group_read;
  const auto enter = may | fs::perms::others_exec | fs::perms::group_exec;
  fs::permissions(place(), enter, fs::perm_options::add);
  fs::permissions(place() / "journal", enter, fs::perm_options::add);
  for (const auto& entry : fs::recursive_directory_iterator(place()))
    fs::permissions(entry.path(), entry.is_directory() ? enter : may, fs::perm_options::add);
  EXPECT_EQ(in_child([&] {
              if (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0) return 9;
              return reads_only("give this user the right");
            }),
            0);
}

}  // namespace
}  // namespace perdure::test
