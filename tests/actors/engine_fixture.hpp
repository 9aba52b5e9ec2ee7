/// What the engine's tests share: a disk, a trace, doors.
#pragma once

#include <perdure/testing.hpp>

#include "actors/testing_core.hpp"
#include "tests/support/frames.hpp"
#include "tests/support/test_engine.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace perdure::test {

namespace pd = perdure;
namespace kit = perdure::testing;
using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

/// What handlers and bodies of a test see beside their run. Handlers are free functions, so there
/// is one `world` at a time.
class World {
 public:
  Trace trace;
  /// For handlers and bodies that behave differently the second time, as repaired code does.
  std::atomic<int> mode = 0;
  /// What a body does while it runs, on one thread.
  std::function<void()> in_body;

  Door& door(const std::string& name) {
    const std::lock_guard lock(mutex_);
    return doors_[name];
  }

 private:
  std::mutex mutex_;
  std::map<std::string, Door> doors_;
};
inline World* world = nullptr;

/// Tells when it is destroyed.
class Local {
 public:
  explicit Local(std::string name) : name_(std::move(name)) {}
  Local(const Local&) = delete;
  Local& operator=(const Local&) = delete;
  ~Local() { world->trace.add("~" + name_); }

 private:
  std::string name_;
};

class EngineFixture : public ::testing::Test {
 protected:
  EngineFixture() { world = &world_; }
  ~EngineFixture() override { world = nullptr; }

  [[nodiscard]] static bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
  }
  /// The journal of a runtime of the testing kit.
  [[nodiscard]] static DiskView disk_of(testing::Runtime& test) {
    return DiskView(engine_of(test).store());
  }
  [[nodiscard]] static actors::TestingEngine& engine_of(testing::Runtime& test) {
    return static_cast<actors::TestingEngine&>(test.core());
  }
  World world_;
  TestDisk disk_;
};

/// A retry policy without jitter.
inline constexpr pd::Retry kPlainRetry{.jitter = 0.0};
inline constexpr pd::Retry kNoRetry{.attempts_max = 1};

}  // namespace perdure::test
