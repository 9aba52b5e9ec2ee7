/// What the tests of sessions share: the testing kit, with frames kept and given up, and a trace.
///
/// Nothing of the engine is included, so what sessions promise is tested as a user would see it.
#pragma once

#include <perdure/perdure.hpp>
#include <perdure/testing.hpp>

#include "tests/support/kit_disk.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace perdure::test {

namespace pd = perdure;
namespace kit = perdure::testing;
using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

/// What bodies and handlers leave behind. It survives crashes, as the far side does.
struct Outside {
  Lines trace;
  /// For handlers and bodies that behave differently the second time, as repaired code does.
  int mode = 0;
  void add(std::string what) { trace.push_back(std::move(what)); }
  [[nodiscard]] std::size_t count(std::string_view what) const {
    return static_cast<std::size_t>(std::ranges::count(trace, what));
  }
};
inline Outside* outside = nullptr;

/// Each test runs with frames kept, and with frames given up at every wait and replayed.
class SessionFixture : public ::testing::TestWithParam<kit::Frames> {
 protected:
  SessionFixture() { outside = &outside_; }
  ~SessionFixture() override { outside = nullptr; }
  [[nodiscard]] static kit::Options options() {
    kit::Options options;
    options.frames = GetParam();
    return options;
  }
  [[nodiscard]] static bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
  }
  Outside outside_;
};

}  // namespace perdure::test

/// Both ways of a suite that derives from SessionFixture.
#define PERDURE_TEST_FRAMES(Suite)                                                                 \
  INSTANTIATE_TEST_SUITE_P(                                                                        \
      Frames, Suite, ::testing::Values(kit::Frames::kept, kit::Frames::replayed),                  \
      [](const auto& given) { return given.param == kit::Frames::kept ? "kept" : "replayed"; })
