/// Replay: a run of many recorded steps, then many runs of a few, are found unfinished and go on.
#include "bench/bars.hpp"
#include "bench/unfinished_runs.hpp"

#include <perdure/perdure.hpp>

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace perdure::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kStepName = "a step that was recorded";
constexpr std::uint32_t kSteps = 500'000;
constexpr std::uint32_t kRuns = 10'000;
constexpr std::uint32_t kStepsOfARun = 5;

/// Notes when as many bodies as were waited for have begun.
class Arrivals {
 public:
  explicit Arrivals(std::uint32_t expected) : left_(expected) {}
  void one() {
    const std::lock_guard lock(mutex_);
    if (--left_ != 0) return;
    at_ = Clock::now();
    changed_.notify_all();
  }
  [[nodiscard]] Clock::time_point wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return left_ == 0; });
    return at_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint32_t left_;
  Clock::time_point at_;
};
Arrivals* arrivals = nullptr;

Task<std::uint64_t> long_run(Context& ctx, std::uint32_t steps) {
  std::uint64_t sum = 0;
  for (std::uint32_t i = 0; i < steps; ++i)
    sum += co_await ctx.step(kStepName, [&](Step&) { return static_cast<std::uint64_t>(i); });
  co_return co_await ctx.step("the first that was not", [&](Step&) {
    arrivals->one();
    return sum;
  });
}
inline constexpr Agent long_agent{"long", &long_run};

/// Seconds from `start()` until every run has begun the first body that was not recorded.
double resume(const std::string& directory, std::uint32_t runs, std::uint32_t steps) {
  const std::vector<RunId> ids = write_unfinished_runs(
      directory,
      {.agent = "long", .step_name = kStepName, .runs = runs, .steps = steps, .message = steps});
  Arrivals here(runs);
  arrivals = &here;
  Runtime runtime = Runtime::open({.journal = directory}).value();
  runtime.serve(long_agent);
  const auto begun = Clock::now();
  runtime.start().value();
  const double seconds = std::chrono::duration<double>(here.wait() - begun).count();
  for (const RunId& id : ids) (void)runtime.run<std::uint64_t>(id).wait().value();
  return seconds;
}

}  // namespace

Report measure_replay(const std::filesystem::path& where) {
  constexpr int kRounds = 5;
  std::vector<double> rates;
  std::vector<double> resumes;
  for (int round = 0; round < kRounds; ++round) {
    const std::string number = std::to_string(round);
    rates.push_back(kSteps / resume((where / ("replay-" + number)).string(), 1, kSteps));
    resumes.push_back(resume((where / ("resume-" + number)).string(), kRuns, kStepsOfARun));
  }
  Report report;
  report.bars.push_back(
      {"replayed_steps_per_second", percentile(rates, 0.5), 2'000'000, Bar::Kind::at_least});
  report.bars.push_back(
      {"seconds_to_resume_10000_runs", percentile(resumes, 0.5), 1.0, Bar::Kind::at_most});
  report.notes.push_back("replay of " + std::to_string(kSteps) + " steps: best " +
                         std::to_string(percentile(rates, 1.0)) + ", worst " +
                         std::to_string(percentile(rates, 0.0)) + " steps/s, on one core");
  report.notes.push_back("10,000 runs of 5 recorded steps, each at its next body: best " +
                         std::to_string(percentile(resumes, 0.0)) + ", worst " +
                         std::to_string(percentile(resumes, 1.0)) + " s");
  return report;
}

}  // namespace perdure::bench
