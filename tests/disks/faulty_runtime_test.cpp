// A runtime on a disk whose writes and syncs fail: the calls fail in this very process
// (faulty_calls.hpp).
#include <perdure/perdure.hpp>

#include "tests/disks/child.hpp"
#include "tests/disks/faulty_calls.hpp"
#include "tests/journal/store_fixture.hpp"
#include "tests/support/frames.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace perdure::test {
namespace {

namespace pd = perdure;

std::atomic<int> bodies{0};

pd::Task<int> two_steps(pd::Context& ctx, int start) {
  const int a = co_await ctx.step("one", [&](pd::Step&) {
    ++bodies;
    return start + 1;
  });
  co_return co_await ctx.step("two", [&](pd::Step&) {
    ++bodies;
    return a + 1;
  });
}
inline constexpr pd::Agent stepping{"stepping", &two_steps};

/// One such record goes through the log, and is enough for a checkpoint.
constexpr int kLarge = 11 << 20;
pd::Task<int> large_step(pd::Context& ctx, int start) {
  const std::string text = co_await ctx.step("large", [&](pd::Step&) {
    ++bodies;
    return std::string(kLarge, 'x');
  });
  co_return start + static_cast<int>(text.size());
}
inline constexpr pd::Agent large{"large", &large_step};

std::atomic<bool> is_held{false};

pd::Task<int> held_step(pd::Context& ctx, int start) {
  co_await ctx.step("held", [](pd::Step&) { is_held.wait(true); });
  co_return start;
}
inline constexpr pd::Agent held{"held", &held_step};

class FaultyRuntimeTest : public ::testing::Test {
 protected:
  pd::Result<pd::Runtime> open() {
    pd::RuntimeOptions options;
    options.journal = (directory_.path() / "journal").string();
    // A runtime that left a slow body behind would hold the journal that the next one opens.
    options.shutdown_within = std::chrono::hours(1);
    auto runtime = pd::Runtime::open(with_frames(std::move(options)));
    if (!runtime) return runtime;
    runtime.value().on_event([this](const pd::Event& event) {
      const std::lock_guard lock(mutex_);
      events_.push_back(event.kind);
      changed_.notify_all();
    });
    runtime.value().serve(stepping, large, held);
    PERDURE_TRY(runtime.value().start());
    return runtime;
  }
  void wait_for(pd::EventKind kind) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return std::ranges::count(events_, kind) > 0; });
  }
  [[nodiscard]] bool was_told(pd::EventKind kind) {
    const std::lock_guard lock(mutex_);
    return std::ranges::count(events_, kind) > 0;
  }
  static pd::Result<int> run(pd::Runtime& runtime, const std::string& key) {
    PERDURE_TRY(const auto run, runtime.session(stepping, key).start(1));
    return run.wait();
  }
  static pd::Result<int> run_large(pd::Runtime& runtime, const std::string& key) {
    PERDURE_TRY(const auto run, runtime.session(large, key).start(0));
    return run.wait();
  }
  /// What ended in an earlier life is there, and nothing of it runs again.
  static void expect_kept(pd::Runtime& runtime, const std::vector<std::string>& keys) {
    const int before = bodies;
    for (const std::string& key : keys) EXPECT_EQ(run(runtime, key).value(), 3) << key;
    EXPECT_EQ(bodies, before);
  }

 private:
  journal::TemporaryDirectory directory_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<pd::EventKind> events_;
  NoFaultsAround faultless_;
};

class EndOfTheRuntimeTest : public FaultyRuntimeTest,
                            public ::testing::WithParamInterface<std::atomic<int>*> {};

TEST_P(EndOfTheRuntimeTest, IsLoudAndTheNextGoesOnFromTheDisk) {
  {
    pd::Runtime runtime = open().value();
    EXPECT_EQ(run(runtime, "before").value(), 3);
    *GetParam() = EIO;
    const auto lost = run(runtime, "lost");
    EXPECT_EQ(lost.error().code, pd::Code::storage_failed) << lost.error().message;
    wait_for(pd::EventKind::storage_failed);
    faults.clear();
    EXPECT_EQ(run(runtime, "later").error().code, pd::Code::storage_failed);
    EXPECT_EQ(runtime.shutdown().error().code, pd::Code::storage_failed);
  }
  pd::Runtime runtime = open().value();
  // What could not be synced may have reached the disk all the same, and then goes on by itself.
  for (const char* key : {"lost", "later"}) EXPECT_EQ(run(runtime, key).value(), 3);
  expect_kept(runtime, {"before", "lost", "later"});
}

INSTANTIATE_TEST_SUITE_P(OfTheLog, EndOfTheRuntimeTest,
                         ::testing::Values(&faults.log_sync, &faults.log_write),
                         [](const auto& given) { return fault_name(given.param); });

class FailedCheckpointOfARuntimeTest : public FaultyRuntimeTest,
                                       public ::testing::WithParamInterface<std::atomic<int>*> {};

TEST_P(FailedCheckpointOfARuntimeTest, IsTheEndAtTheNextCommitAndNothingAcknowledgedIsLost) {
  std::vector<std::string> acknowledged{"before"};
  {
    pd::Runtime runtime = open().value();
    EXPECT_EQ(run(runtime, "before").value(), 3);
    is_held = true;
    EXPECT_TRUE(runtime.session(held, "held").start(1));
    *GetParam() = EIO;
    auto last = run_large(runtime, "large");
    while (last) {
      const std::string key = std::to_string(acknowledged.size());
      last = run(runtime, key);
      if (last) acknowledged.push_back(key);
    }
    EXPECT_EQ(last.error().code, pd::Code::storage_failed) << last.error().message;
    // What is under way comes to its end as well.
    is_held = false;
    is_held.notify_all();
    wait_for(pd::EventKind::storage_failed);
    faults.clear();
    EXPECT_EQ(run(runtime, "later").error().code, pd::Code::storage_failed);
    EXPECT_EQ(runtime.shutdown().error().code, pd::Code::storage_failed);
  }
  pd::Runtime runtime = open().value();
  // What did not end goes on by itself, so that its bodies count before the others are looked at.
  for (const std::string& key : {std::string("later"), std::to_string(acknowledged.size())})
    EXPECT_EQ(run(runtime, key).value(), 3) << key;
  EXPECT_EQ(run_large(runtime, "large").value(), kLarge);
  EXPECT_EQ(runtime.session(held, "held").start(1).value().wait().value(), 1);
  expect_kept(runtime, acknowledged);
  EXPECT_TRUE(runtime.shutdown());
}

TEST_P(FailedCheckpointOfARuntimeTest, IsTheEndOfOneThatHasNothingToDo) {
  bool is_acknowledged = false;
  {
    pd::Runtime runtime = open().value();
    EXPECT_EQ(run(runtime, "before").value(), 3);
    *GetParam() = EIO;
    // A checkpoint of what came before may have ended well already, and one of this can't. Only a
    // slow machine meets its failure before this is acknowledged.
    is_acknowledged = run(runtime, "last").has_value();
    wait_for(pd::EventKind::storage_failed);
    faults.clear();
    EXPECT_EQ(runtime.shutdown().error().code, pd::Code::storage_failed);
  }
  pd::Runtime runtime = open().value();
  if (!is_acknowledged) EXPECT_EQ(run(runtime, "last").value(), 3);
  expect_kept(runtime, {"before", "last"});
}

INSTANTIATE_TEST_SUITE_P(OfASyncOrAWriteOfTheTables, FailedCheckpointOfARuntimeTest,
                         ::testing::Values(&faults.sync, &faults.pages, &faults.meta),
                         [](const auto& given) { return fault_name(given.param); });

TEST_F(FaultyRuntimeTest, AFullDiskIsToldToNewWorkAndRunningWorkGoesOnWhenThereIsRoom) {
  pd::Runtime runtime = open().value();
  EXPECT_EQ(run(runtime, "before").value(), 3);
  faults.log_write = ENOSPC;
  // The first one finds the disk full and waits with its batch: it was taken on already.
  std::optional<pd::Result<int>> first;
  std::thread caller([&] { first = run(runtime, "first"); });
  wait_for(pd::EventKind::storage_full);
  const auto refused = runtime.session(stepping, "second").start(1);
  EXPECT_EQ(refused.error().code, pd::Code::storage_full);
  faults.log_write = 0;
  wait_for(pd::EventKind::storage_recovered);
  caller.join();
  EXPECT_EQ(first->value(), 3);
  EXPECT_EQ(run(runtime, "second").value(), 3);
  EXPECT_TRUE(runtime.shutdown());
}

TEST_F(FaultyRuntimeTest, AFullDiskIsNotMetWhileTheLogHasRoom) {
  {
    pd::Runtime runtime = open().value();
    EXPECT_EQ(run(runtime, "before").value(), 3);
    faults.pages = ENOSPC;
    const int writes = faults.page_writes;
    EXPECT_EQ(run_large(runtime, "1").value(), kLarge);
    while (faults.page_writes == writes) std::this_thread::yield();
    EXPECT_EQ(run(runtime, "small").value(), 3);
    EXPECT_EQ(run_large(runtime, "2").value(), kLarge);
    EXPECT_FALSE(was_told(pd::EventKind::storage_full));

    faults.log_growth = ENOSPC;
    std::optional<pd::Result<int>> waiting;
    std::thread caller([&] {
      for (int i = 3; !was_told(pd::EventKind::storage_full); ++i)
        waiting = run_large(runtime, std::to_string(i));
    });
    wait_for(pd::EventKind::storage_full);
    EXPECT_EQ(runtime.session(stepping, "new").start(1).error().code, pd::Code::storage_full);
    faults.pages = 0;
    wait_for(pd::EventKind::storage_recovered);
    caller.join();
    EXPECT_EQ(waiting->value(), kLarge);
    EXPECT_EQ(run(runtime, "new").value(), 3);
    EXPECT_TRUE(runtime.shutdown());
    faults.clear();
  }
  pd::Runtime runtime = open().value();
  expect_kept(runtime, {"before", "small", "new"});
}

TEST_F(FaultyRuntimeTest, CreatingAndOpeningOnABadDiskAreErrorsThatPass) {
  struct Fault {
    std::atomic<int>* call;
    int why;
  };
  const auto expect_refused = [&](const std::vector<Fault>& all) {
    for (const auto& [call, why] : all) {
      *call = why;
      EXPECT_EQ(open().error().code,
                why == EIO ? pd::Code::storage_failed : pd::Code::storage_full);
      faults.clear();
    }
  };
  expect_refused({{&faults.pages, ENOSPC},
                  {&faults.sync, EIO},
                  {&faults.log_write, ENOSPC},
                  {&faults.log_write, EIO},
                  {&faults.log_sync, EIO}});
  EXPECT_EQ(run(*std::make_unique<pd::Runtime>(open().value()), "s").value(), 3);
  // After a clean end nothing has to go to the tables.
  expect_refused({{&faults.log_write, ENOSPC}, {&faults.log_write, EIO}, {&faults.log_sync, EIO}});
  // After those there is: the entry of an opening that failed.
  expect_refused({{&faults.pages, ENOSPC}, {&faults.sync, EIO}, {&faults.meta, EIO}});
  pd::Runtime runtime = open().value();
  expect_kept(runtime, {"s"});
}

TEST_F(FaultyRuntimeTest, OpeningAfterADeathOnAFullDiskIsAnErrorThatPasses) {
  EXPECT_EQ(in_child([&] {
              pd::Runtime runtime = open().value();
              faults.pages = ENOSPC;
              if (run(runtime, "s").value() != 3) return 1;
              return ::raise(SIGKILL);
            }),
            kKilled);
  faults.pages = ENOSPC;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(open().error().code, pd::Code::storage_full);
  faults.clear();
  pd::Runtime runtime = open().value();
  expect_kept(runtime, {"s"});
}

TEST_F(FaultyRuntimeTest, ANetworkFileSystemIsRefusedByName) {
  constexpr long kNfs = 0x6969;
  faults.file_system = kNfs;
  const auto refused = open();
  EXPECT_EQ(refused.error().code, pd::Code::unsupported);
  EXPECT_NE(refused.error().message.find("on a network file system (NFS)"), std::string::npos)
      << refused.error().message;
  faults.file_system = 0;
  EXPECT_TRUE(open());
}

TEST_F(FaultyRuntimeTest, TheMarkOfACleanEndMayFailAndNothingElseIsLost) {
  for (const int why : {ENOSPC, EIO}) {
    pd::Runtime runtime = open().value();
    EXPECT_EQ(run(runtime, std::to_string(why)).value(), 3);
    faults.log_write = why;
    const auto closed = runtime.shutdown();
    faults.clear();
    EXPECT_EQ(closed.error().code, why == EIO ? pd::Code::storage_failed : pd::Code::storage_full);
  }
  pd::Runtime runtime = open().value();
  expect_kept(runtime, {std::to_string(ENOSPC), std::to_string(EIO)});
}

TEST_F(FaultyRuntimeTest, ACleanEndNeedsRoomForItsMarkOnly) {
  {
    pd::Runtime runtime = open().value();
    faults.pages = ENOSPC;
    EXPECT_EQ(run(runtime, "full").value(), 3);
    EXPECT_TRUE(runtime.shutdown());
  }
  EXPECT_EQ(open().error().code, pd::Code::storage_full) << "all that is still to go to the tables";
  faults.clear();
  {
    pd::Runtime runtime = open().value();
    expect_kept(runtime, {"full"});
    EXPECT_EQ(run(runtime, "failed").value(), 3);
    faults.pages = EIO;
    EXPECT_EQ(runtime.shutdown().error().code, pd::Code::storage_failed) << "no bad disk is hidden";
    faults.clear();
  }
  pd::Runtime runtime = open().value();
  expect_kept(runtime, {"full", "failed"});
}

}  // namespace
}  // namespace perdure::test
