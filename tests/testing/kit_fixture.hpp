// What the kit's tests share: a world beside the run, and a look at all that a journal holds.
#pragma once

#include <perdure/perdure.hpp>
#include <perdure/testing.hpp>

#include "actors/testing_core.hpp"
#include "journal/reader.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace perdure::test {

namespace pd = perdure;
namespace kit = perdure::testing;
using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

/// What bodies and handlers of a test leave behind. It survives crashes, as the far side does.
struct Outside {
  Lines trace;
  int counter = 0;
  std::function<void()> in_body;
  [[nodiscard]] std::size_t count(std::string_view what) const {
    return static_cast<std::size_t>(std::ranges::count(trace, what));
  }
};
inline Outside* outside = nullptr;

class KitFixture : public ::testing::Test {
 protected:
  KitFixture() { outside = &outside_; }
  ~KitFixture() override { outside = nullptr; }
  Outside outside_;
};

[[nodiscard]] inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// All rows of all tables, as bytes.
[[nodiscard]] inline std::string journal_bytes(kit::Runtime& test) {
  auto& store = static_cast<actors::TestingEngine&>(test.core()).store();
  std::string all;
  const auto snapshot = store.snapshot().value();
  for (std::size_t table = 1; table <= journal::kTableCount; ++table) {
    const auto cursor = snapshot->scan(static_cast<journal::Table>(table), {}, {}).value();
    while (cursor->next().value()) {
      all += std::to_string(table) + ":";
      for (const auto& view : {cursor->key(), cursor->value()})
        all.append(reinterpret_cast<const char*>(view.data()), view.size());
    }
  }
  return all;
}

[[nodiscard]] inline std::size_t threads_of_this_process() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

/// One line a step: `name id #attempt outcome`.
[[nodiscard]] inline Lines step_lines(const kit::Runtime& test) {
  Lines lines;
  for (const kit::StepRun& step : test.steps()) {
    std::string line = step.name + " " + step.id + " #" + std::to_string(step.attempt) + " ";
    line += step.outcome == kit::StepOutcome::running ? "running"
            : step.error                              ? std::string(to_string(step.error->code))
                                                      : "value";
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace perdure::test
