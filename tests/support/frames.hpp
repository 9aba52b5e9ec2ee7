/// Frames of waiting runs, in tests: kept, or given up at every wait.
///
/// What this is: the options that runtimes of tests get by default. `PERDURE_TEST_FRAMES=given_up`
/// in the environment has every frame given up; without it they stay, as far as the product's own
/// default goes. CMake runs suites both ways (`perdure_test(… FRAMES …)`).
/// What it promises: what a test has chosen itself stays as it is.
#pragma once

#include <perdure/runtime.hpp>
#include <perdure/testing_runtime.hpp>

#include <cstdlib>
#include <string_view>

namespace perdure::test {

[[nodiscard]] inline bool frames_are_given_up() {
  const char* const named = std::getenv("PERDURE_TEST_FRAMES");
  return named != nullptr && std::string_view(named) == "given_up";
}

[[nodiscard]] inline RuntimeOptions with_frames(RuntimeOptions options) {
  const RuntimeOptions usual;
  const bool is_chosen =
      options.frames != usual.frames || options.frame_budget_bytes != usual.frame_budget_bytes;
  if (!is_chosen && frames_are_given_up()) options.frame_budget_bytes = 0;
  return options;
}

/// The kit has no budget: there, each handler is replayed after every step.
[[nodiscard]] inline testing::Options kit_with_frames() {
  testing::Options options;
  if (frames_are_given_up()) options.frames = testing::Frames::replayed;
  return options;
}

}  // namespace perdure::test
