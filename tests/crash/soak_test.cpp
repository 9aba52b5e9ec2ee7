// The same as the other tests here, with ever new seeds, for PERDURE_SOAK_SECONDS.
#include "tests/crash/log_lives.hpp"
#include "tests/crash/power_loss.hpp"
#include "tests/crash/process.hpp"
#include "tests/crash/random_deaths.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <iostream>

namespace perdure::crash {
namespace {

TEST(SoakTest, NothingBreaksHoweverLongItGoesOn) {
  const char* const seconds = std::getenv("PERDURE_SOAK_SECONDS");
  if (seconds == nullptr) GTEST_SKIP() << "PERDURE_SOAK_SECONDS says for how long; it is not set";
  const char* const first = std::getenv("PERDURE_SOAK_SEED");
  const auto start = std::chrono::steady_clock::now();
  const auto end = start + std::chrono::seconds(std::atoi(seconds));
  const std::uint64_t from = first != nullptr
                                 ? std::strtoull(first, nullptr, 10)
                                 : static_cast<std::uint64_t>(start.time_since_epoch().count());
  std::uint64_t seed = from;
  for (; std::chrono::steady_clock::now() < end; ++seed) {
    const TemporaryDirectory directory("soak");
    constexpr std::array kModes{Mode::full, Mode::full, Mode::interval, Mode::none};
    const Mode mode = kModes[seed % kModes.size()];
    ASSERT_EQ(live_dangerously(directory.path() / "deaths", mode, seed), "");
    ASSERT_EQ(lose_power_at_random(directory.path() / "power", mode, seed, 100), "");
    {
      const SessionsPart sessions;
      ASSERT_EQ(live_dangerously(directory.path() / "sessions", mode, seed), "");
      ASSERT_EQ(lose_power_at_random(directory.path() / "sessions-power", mode, seed, 100), "");
    }
    ASSERT_EQ(lose_power_of_logs(directory.path() / "logs", seed, 25, 3), "");
  }
  std::cout << seed - from << " sets of journals lived, from seed " << from << '\n';
}

}  // namespace
}  // namespace perdure::crash
