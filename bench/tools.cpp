/// Tools: what a call costs over a plain step, and what ten thousand calls that wait cost.
#include "bench/bars.hpp"

#include <perdure/perdure.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <string>
#include <string_view>

namespace perdure::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kStepsInARun = 300;
constexpr int kRounds = 10;
constexpr int kSessions = 100;
constexpr int kCallsEach = 100;
constexpr std::size_t kStepThreads = 8;

struct Question {
  std::string city;
  int nights = 0;
};
PERDURE_DESCRIBE(Question, city, nights);

/// When each body began. Only the run's own step writes it, one at a time.
std::vector<Clock::time_point>* begun = nullptr;

Result<int> look_up(Step&, const Question& question) {
  begun->push_back(Clock::now());
  return question.nights;
}
inline constexpr Tool look{"look up the price", &look_up};
/// What may be used is in the journal before it begins.
inline constexpr Tool dear_look{"look up dearly", &look_up, {.cost_max = {.tokens = 1}}};

Task<int> plain(Context& ctx, int steps) {
  int sum = 0;
  for (int i = 0; i < steps; ++i)
    sum += co_await ctx.step("look up the price", [&](Step&) {
      begun->push_back(Clock::now());
      return i;
    });
  co_return sum;
}
inline constexpr Agent plain_agent{"plain", &plain};
Task<int> calling(Context& ctx, int steps) {
  int sum = 0;
  for (int i = 0; i < steps; ++i) sum += co_await ctx.call(look, {"Lisbon", i});
  co_return sum;
}
inline constexpr Agent calling_agent{"calling", &calling};
/// Under a budget that counts attempts.
inline constexpr Agent counted_agent{"counted",
                                     Handler{"run", &calling, {.budget = {.attempts = 1'000'000}}}};
Task<int> paying(Context& ctx, int steps) {
  int sum = 0;
  for (int i = 0; i < steps; ++i) sum += co_await ctx.call(dear_look, {"Lisbon", i});
  co_return sum;
}
inline constexpr Agent paying_agent{"paying",
                                    Handler{"run", &paying, {.budget = {.tokens = 1'000'000}}}};

/// Calls that wait for somebody, as calls of a slow far side do.
struct Waiting {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Completion<int>> calls;
};
Waiting* waiting = nullptr;

void wait_for_answer(Step, Question, Completion<int> completion) {
  const std::lock_guard lock(waiting->mutex);
  waiting->calls.push_back(std::move(completion));
  waiting->changed.notify_one();
}
inline constexpr Tool ask{
    "ask", &wait_for_answer, {.effect = Effect::keyed, .timeout = std::chrono::hours(1)}};

Task<int> asking(Context& ctx, int calls) {
  std::vector<int> numbers(static_cast<std::size_t>(calls));
  const std::vector<int> answers = co_await ctx.map(
      std::move(numbers), [&ctx](int& number) { return ctx.call(ask, {"Lisbon", number}); });
  co_return static_cast<int>(answers.size());
}
inline constexpr Agent asking_agent{"asking", &asking};

/// A number of /proc/self/status.
double status(std::string_view label) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(label)) return std::stod(line.substr(label.size()));
  return 0;
}

template <class A>
void time_steps(Runtime& runtime, const A& agent, int round, std::vector<double>& us) {
  std::vector<Clock::time_point> times;
  begun = &times;
  (void)runtime.session(agent, std::to_string(round)).start(kStepsInARun).value().wait().value();
  for (std::size_t i = 1; i < times.size(); ++i)
    us.push_back(std::chrono::duration<double, std::micro>(times[i] - times[i - 1]).count());
}

void measure_one_call(const std::filesystem::path& where, Report& report) {
  Runtime runtime = Runtime::open({.journal = (where / "call.journal").string()}).value();
  runtime.serve(plain_agent, calling_agent, counted_agent, paying_agent, look, dear_look);
  runtime.start().value();
  std::vector<double> step_us;
  std::vector<double> call_us;
  std::vector<double> counted_us;
  std::vector<double> paid_us;
  // Alternating, so that a disk that changes its mind changes both.
  for (int round = 0; round < kRounds; ++round) {
    time_steps(runtime, plain_agent, round, step_us);
    time_steps(runtime, calling_agent, round, call_us);
    time_steps(runtime, counted_agent, round, counted_us);
    time_steps(runtime, paying_agent, round, paid_us);
  }
  const double step = percentile(step_us, 0.5);
  const double call = percentile(call_us, 0.5);
  report.bars.push_back({"tool_call_p50_over_step", call / step, 1.1, Bar::Kind::at_most});
  report.bars.push_back(
      {"counted_call_p50_over_call", percentile(counted_us, 0.5) / call, 1.15, Bar::Kind::at_most});
  report.bars.push_back({"call_with_a_cost_p50_over_call", percentile(paid_us, 0.5) / call, 1.15,
                         Bar::Kind::at_most});
  report.notes.push_back("call p50 " + std::to_string(call) + " us, p99 " +
                         std::to_string(percentile(call_us, 0.99)) + " us; plain step p50 " +
                         std::to_string(step) + " us, p99 " +
                         std::to_string(percentile(step_us, 0.99)) + " us");
}

void measure_waiting_calls(const std::filesystem::path& where, Report& report) {
  constexpr int kCalls = kSessions * kCallsEach;
  Waiting calls;
  calls.calls.reserve(kCalls);
  waiting = &calls;
  Runtime runtime =
      Runtime::open({.journal = (where / "waiting.journal").string(), .step_threads = kStepThreads})
          .value();
  runtime.serve(asking_agent, ask);
  runtime.start().value();
  const double kib_before = status("VmRSS:");
  const Clock::time_point began = Clock::now();
  std::vector<Run<int>> runs;
  for (int i = 0; i < kSessions; ++i)
    runs.push_back(runtime.session(asking_agent, std::to_string(i)).start(kCallsEach).value());
  {
    std::unique_lock lock(calls.mutex);
    calls.changed.wait(lock, [&] { return calls.calls.size() == kCalls; });
  }
  const double in_flight_s = std::chrono::duration<double>(Clock::now() - began).count();
  const double threads = status("Threads:");
  const double kib_each = (status("VmRSS:") - kib_before) / kCalls;
  const Clock::time_point answered = Clock::now();
  for (const Completion<int>& call : calls.calls) (void)call(1);
  for (const Run<int>& run : runs) (void)run.wait().value();
  const double answered_s = std::chrono::duration<double>(Clock::now() - answered).count();
  runtime.shutdown().value();
  report.bars.push_back({"threads_with_10000_calls_in_flight", threads, 32, Bar::Kind::at_most});
  report.bars.push_back({"kib_per_call_in_flight", kib_each, 4, Bar::Kind::at_most});
  report.notes.push_back(
      std::to_string(kCalls) + " calls in flight after " + std::to_string(in_flight_s) +
      " s with " + std::to_string(static_cast<int>(threads)) + " threads and " +
      std::to_string(kib_each) + " KiB of memory each; answered and recorded in " +
      std::to_string(answered_s) + " s");
}

}  // namespace

Report measure_tools(const std::filesystem::path& where) {
  Report report;
  measure_one_call(where, report);
  measure_waiting_calls(where, report);
  return report;
}

}  // namespace perdure::bench
