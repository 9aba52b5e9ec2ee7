/// An engine for tests: a memory store, a clock that stands still, no CAF.
///
/// What this is: `TestDisk` outlives engines as a disk outlives processes; `TestEngine` is one process's life
/// on it. Sessions run on one thread of the engine's own, or on the step thread that completes them, as the
/// CAF shells do it; so this is also what runs under the thread sanitizer.
#pragma once

#include <perdure/perdure.hpp>

#include "actors/engine.hpp"
#include "core/clock.hpp"
#include "core/random.hpp"
#include "journal/memory_store.hpp"

#include <condition_variable>
#include <cstdint>
#include <deque>
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
  std::shared_ptr<core::SeededRandom> random = std::make_shared<core::SeededRandom>(7);
  journal::RecordNumber last_number = 0;
  bool clean = true;
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
  explicit TestEngine(TestDisk& disk, RuntimeOptions options = {});
  /// Ends as a crash does, unless `shutdown` was called: what is not in the store is lost. Bodies that still
  /// run must be able to end.
  ~TestEngine();

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

  [[nodiscard]] std::vector<Event> events() const;
  [[nodiscard]] std::vector<std::string> log_lines() const;
  /// Waits for the n-th event of a kind (from 1).
  void wait_for_event(EventKind kind, std::size_t count = 1);
  /// Waits until a log line with this event word has come.
  void wait_for_log(std::string_view event, std::size_t count = 1);

 private:
  TestDisk& disk_;
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
