/// A session by itself: what one step costs, against one raw durable commit.
#include "bench/bars.hpp"
#include "bench/raw_lmdb.hpp"

#include <perdure/perdure.hpp>

#include <algorithm>
#include <chrono>

namespace perdure::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kStepsInARun = 300;
constexpr int kRounds = 10;
constexpr std::size_t kRecordBytes = 150;

/// When each body began. Only the run's own step writes it, one at a time.
std::vector<Clock::time_point>* begun = nullptr;

Task<int> lone(Context& ctx, int steps) {
  int sum = 0;
  for (int i = 0; i < steps; ++i)
    sum += co_await ctx.step("a step of the lone run", [&](Step&) {
      begun->push_back(Clock::now());
      return i;
    });
  co_return sum;
}
inline constexpr Agent lone_agent{"lone", &lone};

}  // namespace

double percentile(std::vector<double> samples, double share) {
  const auto at = static_cast<std::size_t>(share * static_cast<double>(samples.size() - 1));
  std::nth_element(samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(at),
                   samples.end());
  return samples[at];
}

Report measure_lone_session(const std::filesystem::path& where) {
  RawLmdb raw(where / "lone.raw");
  Runtime runtime = Runtime::open({.journal = (where / "lone.journal").string()}).value();
  runtime.serve(lone_agent);
  runtime.start().value();
  std::vector<double> raw_us;
  std::vector<double> step_us;
  // Alternating, so that a disk that changes its mind changes both.
  for (int round = 0; round < kRounds; ++round) {
    for (int i = 0; i < kStepsInARun; ++i) raw_us.push_back(raw.commit_one(kRecordBytes));
    std::vector<Clock::time_point> times;
    begun = &times;
    (void)runtime.session(lone_agent, std::to_string(round))
        .start(kStepsInARun)
        .value()
        .wait()
        .value();
    for (std::size_t i = 1; i < times.size(); ++i)
      step_us.push_back(std::chrono::duration<double, std::micro>(times[i] - times[i - 1]).count());
  }
  const double raw_p50 = percentile(raw_us, 0.5);
  const double step_p50 = percentile(step_us, 0.5);
  Report report;
  report.bars.push_back(
      {"lone_step_p50_over_raw_commit", step_p50 / raw_p50, 1.1, Bar::Kind::at_most});
  report.notes.push_back("lone step p50 " + std::to_string(step_p50) + " us, p99 " +
                         std::to_string(percentile(step_us, 0.99)) +
                         " us; raw LMDB one-put commit p50 " + std::to_string(raw_p50) +
                         " us, p99 " + std::to_string(percentile(raw_us, 0.99)) + " us");
  return report;
}

}  // namespace perdure::bench
