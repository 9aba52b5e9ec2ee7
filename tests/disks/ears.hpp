/// Runtimes that are tried on bad disks, in child processes (child.hpp).
///
/// What this is: agents whose runs take room, or don't end, and a runtime that serves them and
/// tells what it was told.
/// What it promises: who waits for an event sees it also when it came before.
/// What it does not: say in words what is wrong; in a child that is an exit status.
#pragma once

#include <perdure/perdure.hpp>

#include "tests/support/frames.hpp"

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

namespace perdure::test {

namespace fs = std::filesystem;
namespace pd = perdure;

/// A run that records about a hundred kilobytes.
pd::Task<int> large(pd::Context& ctx, int start);
inline constexpr pd::Agent writer{"writer", &large};
inline constexpr int kReply = 100'000;

/// A run that does not end before the runtime does.
pd::Task<int> waits(pd::Context& ctx, int start);
inline constexpr pd::Agent waiting{"waiting", &waits};

/// A runtime with ears. Says what is wrong by aborting.
class Ears {
 public:
  pd::Result<pd::Runtime> open(const fs::path& directory) {
    pd::RuntimeOptions options;
    options.journal = (directory / "journal").string();
    PERDURE_TRY(auto runtime, pd::Runtime::open(with_frames(std::move(options))));
    runtime.on_event([this](const pd::Event& event) {
      const std::lock_guard lock(mutex_);
      events_.push_back(event.kind);
      changed_.notify_all();
    });
    runtime.serve(writer, waiting);
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

/// Runs a session of `writer` to its end; false when it does not end as it should.
bool runs(pd::Runtime& runtime, const std::string& key);
/// A life whose log has grown to a megabyte or so, and is empty again at its end.
bool grow_log(const fs::path& place);

}  // namespace perdure::test
