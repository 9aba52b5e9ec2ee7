/// An engine for tests: a memory store, a clock that stands still, no CAF.
///
/// What this is: `TestDisk` outlives engines as a disk outlives processes; `TestEngine` is one
/// process's life on it. Sessions run on one thread of the engine's own, or on the step thread that
/// completes them, as the
/// CAF shells do it; so this is also what runs under the thread sanitizer.
#pragma once

#include <perdure/perdure.hpp>

#include "actors/engine.hpp"
#include "core/clock.hpp"
#include "core/random.hpp"
#include "journal/memory_store.hpp"
#include "journal/reader.hpp"
#include "tests/support/disk_view.hpp"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace perdure::test {

/// What stays when a process ends.
struct TestDisk {
  std::shared_ptr<journal::MemoryStore> store = std::make_shared<journal::MemoryStore>();
  std::shared_ptr<core::ManualClock> clock = std::make_shared<core::ManualClock>();
  /// What engines have for a clock; null: `clock`.
  std::shared_ptr<core::Clock> clock_of_engines = {};
  std::shared_ptr<core::SeededRandom> random = std::make_shared<core::SeededRandom>(7);

  /// What the disk holds now.
  [[nodiscard]] DiskView view() const { return DiskView(*store); }
  [[nodiscard]] journal::Reader read() const { return view().read(); }
  [[nodiscard]] journal::Head head(const RunId& run) const { return view().head(run); }
  [[nodiscard]] bool is_ready(const RunId& run) const { return view().is_ready(run); }
  [[nodiscard]] std::vector<journal::Due> due() const { return view().due(); }
  [[nodiscard]] std::vector<journal::Attempts> attempts(const RunId& run) const {
    return view().attempts(run);
  }
  [[nodiscard]] std::vector<std::string> records(const RunId& run) const {
    return view().records(run);
  }
};

/// Whether the commit at which the process dies is on the disk.
enum class LastCommit : std::uint8_t { lost, kept };

/// What one process sees of the disk: the disk, until the process dies.
class ProcessStore final : public journal::Store {
 public:
  explicit ProcessStore(std::shared_ptr<journal::MemoryStore> disk) : disk_(std::move(disk)) {}
  [[nodiscard]] Result<void> commit(std::span<const journal::Mutation> batch,
                                    journal::Durability durability) override;
  [[nodiscard]] Result<std::unique_ptr<journal::Snapshot>> snapshot() override {
    return disk_->snapshot();
  }
  [[nodiscard]] journal::Blobs* blobs() noexcept override { return disk_->blobs(); }
  /// The n-th commit from now (from 1) is the last that begins. 0: none does.
  void die_at_commit(std::uint64_t n, LastCommit what);
  [[nodiscard]] std::uint64_t commits() const;

 private:
  std::shared_ptr<journal::MemoryStore> disk_;
  mutable std::mutex mutex_;
  std::uint64_t commits_ = 0;
  std::uint64_t last_ = std::numeric_limits<std::uint64_t>::max();
  LastCommit what_ = LastCommit::lost;
};

/// Runs what sessions have to do, in order.
class OneThread {
 public:
  OneThread();
  ~OneThread();
  void push(std::function<void()> work);
  /// Everything pushed so far has run.
  void finish();

 private:
  void loop();
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> work_;
  bool busy_ = false;
  bool stop_ = false;
  std::thread thread_;
};

class TestEngine {
 public:
  /// `options.journal`: where operators' orders are taken, or empty. The journal itself is `disk`.
  /// Frames that the options say nothing of are kept or given up as the environment says
  /// (frames.hpp).
  explicit TestEngine(TestDisk& disk, RuntimeOptions options = {});
  /// Ends as a crash does, unless `shutdown` was called: what is not in the store is lost. Bodies
  /// that still run must be able to end.
  ~TestEngine();

  /// The process dies at its n-th commit from now (from 1): that one reaches the disk or not, and
  /// nothing that waits for it happens. 0: whatever it commits from now on is lost.
  void die_at_commit(std::uint64_t n, LastCommit what = LastCommit::lost) {
    store_.die_at_commit(n, what);
  }
  /// Commits since the journal was opened.
  [[nodiscard]] std::uint64_t commits() const { return store_.commits() - opening_commits_; }

  template <class... Things>
  void serve(const Things&... things) {
    runtime_->serve(things...);
  }
  [[nodiscard]] Runtime& runtime() { return *runtime_; }
  [[nodiscard]] actors::Engine& engine() { return *engine_; }
  /// Serves, and starts; asserts that it works.
  template <class... Things>
  void start(const Things&... things) {
    runtime_->serve(things...);
    runtime_->start().value();
  }
  /// The clock goes on, and what is due fires.
  void advance(std::chrono::milliseconds by);
  [[nodiscard]] Result<void> shutdown();
  /// What was posted to sessions so far is handled.
  void settle() { sessions_->finish(); }

  [[nodiscard]] std::vector<Event> events() const;
  [[nodiscard]] std::vector<std::string> log_lines() const;
  /// Waits for the n-th event of a kind (from 1).
  void wait_for_event(EventKind kind, std::size_t count = 1);
  /// Waits until a log line with this event word has come.
  void wait_for_log(std::string_view event, std::size_t count = 1);

 private:
  TestDisk& disk_;
  ProcessStore store_;
  std::uint64_t opening_commits_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Event> events_;
  std::vector<std::pair<std::string, std::string>> logs_;
  std::unique_ptr<OneThread> sessions_;
  std::shared_ptr<actors::Engine> engine_;
  std::optional<Runtime> runtime_;
  bool shut_down_ = false;
};

/// Counts and orders what bodies do, from any thread.
class Trace {
 public:
  void add(std::string what);
  [[nodiscard]] std::vector<std::string> all() const;
  [[nodiscard]] std::size_t count(std::string_view what) const;
  void clear();
  void wait_for(std::string_view what, std::size_t count = 1);

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> entries_;
};

/// A door that bodies wait at until the test opens it.
class Door {
 public:
  void open();
  void pass();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

}  // namespace perdure::test
