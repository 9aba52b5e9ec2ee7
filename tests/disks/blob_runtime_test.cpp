// A runtime whose results are blobs, on a disk that is full or fails where blobs are; and a damaged
// blob under a run that is replayed. The calls fail in this very process (blob_calls.hpp).
#include <perdure/perdure.hpp>

#include "tests/disks/blob_calls.hpp"
#include "tests/journal/store_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace perdure::test {
namespace {

namespace pd = perdure;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

std::atomic<int> bodies{0};
constexpr std::size_t kLarge = 100'000;
inline constexpr pd::Signal<int> go{"go"};

pd::Task<std::size_t> make_large(pd::Context& ctx, std::string letter) {
  const std::string text = co_await ctx.step(
      "large",
      [&](pd::Step&) {
        ++bodies;
        return std::string(kLarge, letter[0]);
      },
      {.effect = letter == "m" ? pd::Effect::at_most_once : pd::Effect::idempotent});
  if (letter == "w") co_await ctx.receive(go);
  co_return text.size();
}
inline constexpr pd::Agent maker{"maker", &make_large};

class BlobRuntimeTest : public testing::Test {
 protected:
  BlobRuntimeTest() { record_blob_calls(journal().string()); }
  ~BlobRuntimeTest() override {
    blob_faults.clear();
    record_blob_calls({});
  }
  [[nodiscard]] fs::path journal() const { return directory_.path() / "journal"; }
  pd::Runtime open() {
    pd::RuntimeOptions options;
    options.journal = journal().string();
    options.shutdown_within = 1h;
    options.frame_budget_bytes = 0;
    pd::Runtime runtime = pd::Runtime::open(std::move(options)).value();
    runtime.on_event([this](const pd::Event& event) {
      const std::lock_guard lock(mutex_);
      events_.push_back(event);
      changed_.notify_all();
    });
    runtime.serve(maker);
    bodies = 0;
    runtime.start().value();
    return runtime;
  }
  /// And forgets it.
  pd::Error wait_for(pd::EventKind kind) {
    std::unique_lock lock(mutex_);
    const auto find = [&] { return std::ranges::find(events_, kind, &pd::Event::kind); };
    changed_.wait(lock, [&] { return find() != events_.end(); });
    const pd::Event found = *find();
    events_.erase(find());
    return found.error;
  }
  static pd::Run<std::size_t> start(pd::Runtime& runtime, const std::string& letter) {
    return runtime.session(maker, letter).start(letter).value();
  }

 private:
  journal::TemporaryDirectory directory_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<pd::Event> events_;
};

TEST_F(BlobRuntimeTest, AResultWaitsForRoomAndItsBodyRunsOnce) {
  pd::Runtime runtime = open();
  blob_faults.write = ENOSPC;
  const pd::Run<std::size_t> run = start(runtime, "a");
  wait_for(pd::EventKind::storage_full);
  EXPECT_EQ(runtime.session(maker, "b").start("b").error().code, pd::Code::storage_full)
      << "no new work meanwhile";
  blob_faults.clear();
  EXPECT_EQ(run.wait().value(), kLarge);
  wait_for(pd::EventKind::storage_recovered);
  EXPECT_EQ(bodies, 1);
  EXPECT_EQ(start(runtime, "b").wait().value(), kLarge);
}

TEST_F(BlobRuntimeTest, AMessageForWhichThereIsNoRoomIsRefusedAndLeavesNothing) {
  pd::Runtime runtime = open();
  blob_faults.write = ENOSPC;
  const auto refused = runtime.session(maker, "k").start(std::string(kLarge, 'x'));
  EXPECT_EQ(refused.error().code, pd::Code::storage_full) << refused.error().message;
  EXPECT_EQ(refused.error().known_effect(), pd::ErrorEffect::refused);
  blob_faults.clear();
  EXPECT_EQ(start(runtime, "a").wait().value(), kLarge);
  EXPECT_EQ(bodies, 1);
}

TEST_F(BlobRuntimeTest, AShutdownDoesNotWaitForRoomAndTheClassDecides) {
  std::optional<pd::Runtime> runtime = open();
  blob_faults.write = ENOSPC;
  const pd::RunId idempotent = start(*runtime, "a").id();
  const pd::RunId at_most_once = start(*runtime, "m").id();
  wait_for(pd::EventKind::storage_full);
  while (bodies < 2) std::this_thread::yield();
  EXPECT_TRUE(runtime->shutdown()) << "the tables have room";
  runtime.reset();
  blob_faults.clear();
  runtime = open();
  EXPECT_EQ(runtime->run<std::size_t>(idempotent).wait().value(), kLarge);
  EXPECT_EQ(runtime->run<std::size_t>(at_most_once).wait().error().code, pd::Code::outcome_unknown);
  EXPECT_EQ(bodies, 1);
}

TEST_F(BlobRuntimeTest, AFailedSyncIsTheEndAndTheNextGoesOnFromTheDisk) {
  for (std::atomic<int>* const fault : {&blob_faults.file_sync, &blob_faults.directory_sync}) {
    std::optional<pd::Runtime> runtime = open();
    EXPECT_EQ(start(*runtime, "a").wait().value(), kLarge);
    *fault = EIO;
    const std::string letter = fault == &blob_faults.file_sync ? "f" : "d";
    EXPECT_EQ(start(*runtime, letter).wait().error().code, pd::Code::storage_failed);
    wait_for(pd::EventKind::storage_failed);
    blob_faults.clear();
    EXPECT_EQ(runtime->session(maker, "x").start("x").error().code, pd::Code::storage_failed);
    EXPECT_EQ(runtime->shutdown().error().code, pd::Code::storage_failed);
    runtime.reset();
    runtime = open();
    EXPECT_EQ(start(*runtime, letter).wait().value(), kLarge);
    EXPECT_EQ(start(*runtime, "a").wait().value(), kLarge);
    EXPECT_EQ(bodies, 1) << "what was lost runs again, and nothing else";
  }
}

/// The one blob of the journal.
fs::path only_blob(const fs::path& journal) {
  std::error_code none_yet;
  for (const auto& entry : fs::recursive_directory_iterator(journal / "blobs", none_yet))
    if (entry.is_regular_file()) return entry.path();
  return {};
}

TEST_F(BlobRuntimeTest, ADamagedOneParksTheRunThatNeedsItUntilItIsThereAgain) {
  std::optional<pd::Runtime> runtime = open();
  const pd::RunId waiting = start(*runtime, "w").id();
  // Its result is recorded when the shutdown has let it end.
  while (bodies == 0) std::this_thread::yield();
  EXPECT_TRUE(runtime->shutdown());
  runtime.reset();
  const fs::path blob = only_blob(journal());
  const fs::path aside = journal().parent_path() / "aside";
  fs::rename(blob, aside);
  runtime = open();
  EXPECT_TRUE(runtime->session(maker, "w").send(go, 1)) << "it is kept";
  const pd::Error why = wait_for(pd::EventKind::run_parked);
  EXPECT_EQ(why.code, pd::Code::corrupt);
  EXPECT_NE(why.message.find(blob.filename().string()), std::string::npos) << why.message;
  EXPECT_NE(why.message.find("backup"), std::string::npos) << why.message;
  EXPECT_TRUE(runtime->shutdown());
  runtime.reset();
  fs::rename(aside, blob);
  runtime = open();
  EXPECT_EQ(runtime->run<std::size_t>(waiting).wait().value(), kLarge);
  EXPECT_EQ(bodies, 0) << "its step was recorded";
}

}  // namespace
}  // namespace perdure::test
