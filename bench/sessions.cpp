/// Sessions: messages between them against steps, waking one that waits, and a step far into a run.
#include "bench/bars.hpp"
#include "bench/raw_lmdb.hpp"

#include <perdure/perdure.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace perdure::bench {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr int kPairs = 100;
constexpr int kMessages = 100;
constexpr std::size_t kRecordBytes = 150;

double seconds_since(Clock::time_point begun) {
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

// --- Messages ------------------------------------------------------------------------------------

Task<int> add_one(Context&, int value) { co_return value + 1; }
inline constexpr Handler add{"add", &add_one};
inline constexpr Agent adder{"adder", add};

/// Each call is two messages: there and back.
Task<int> call_often(Context& ctx, int calls) {
  auto peer = ctx.session(adder, std::string(ctx.session_key()));
  int value = 0;
  for (int i = 0; i < calls; ++i) value = co_await peer.call(add, value);
  co_return value;
}
inline constexpr Agent caller{"caller", &call_often};

Task<int> step_often(Context& ctx, int steps) {
  int value = 0;
  for (int i = 0; i < steps; ++i)
    value = co_await ctx.step("add one", [&](Step&) { return value + 1; });
  co_return value;
}
inline constexpr Agent stepper{"stepper", &step_often};

/// Seconds until `kPairs` sessions of `agent`, started together, have ended.
template <class A>
double together(Runtime& runtime, const A& agent, const std::string& label, int message) {
  const auto begun = Clock::now();
  std::vector<Run<int>> runs;
  for (int i = 0; i < kPairs; ++i)
    runs.push_back(runtime.session(agent, label + "-" + std::to_string(i)).start(message).value());
  for (const Run<int>& run : runs) (void)run.wait().value();
  return seconds_since(begun);
}

void measure_messages(const std::filesystem::path& where, Report& report) {
  constexpr int kRounds = 7;
  Runtime runtime = Runtime::open({.journal = (where / "messages.journal").string()}).value();
  runtime.serve(adder, caller, stepper);
  runtime.start().value();
  std::vector<double> shares;
  std::vector<double> rates;
  for (int round = 0; round < kRounds; ++round) {
    const std::string label = std::to_string(round);
    const double steps = together(runtime, stepper, label, kMessages);
    const double messages = together(runtime, caller, label, kMessages / 2);
    rates.push_back(kPairs * kMessages / messages);
    shares.push_back(steps / messages);
  }
  report.bars.push_back(
      {"message_rate_over_step_rate", percentile(shares, 0.5), 0.5, Bar::Kind::at_least});
  report.notes.push_back(
      "messages between 100 pairs of sessions: " + std::to_string(percentile(rates, 0.5)) +
      " a second (best " + std::to_string(percentile(rates, 1.0)) + ", worst " +
      std::to_string(percentile(rates, 0.0)) + ")");
}

// --- Waking --------------------------------------------------------------------------------------

inline constexpr Signal<int> go{"go"};

/// When the body behind the signal began.
Clock::time_point* woken = nullptr;

Task<int> wait_for_go(Context& ctx, int steps) {
  int sum = 0;
  for (int i = 0; i < steps; ++i) sum += co_await ctx.step("before", [&](Step&) { return i; });
  sum += co_await ctx.receive(go);
  co_return co_await ctx.step("behind", [&](Step&) {
    *woken = Clock::now();
    return sum;
  });
}
inline constexpr Agent waiter{"waiter", &wait_for_go};

/// From the sending of a signal until the first body behind it begins: one durable commit, and the
/// loading and replaying of the run.
void measure_waking(const std::filesystem::path& where, Report& report) {
  constexpr int kRounds = 300;
  constexpr int kSteps = 10;
  RawLmdb raw(where / "waking.raw");
  // Frames are given up, so each waking replays.
  Runtime runtime =
      Runtime::open({.journal = (where / "waking.journal").string(), .frame_budget_bytes = 0})
          .value();
  runtime.serve(waiter);
  runtime.start().value();
  std::vector<Run<int>> runs;
  for (int round = 0; round < kRounds; ++round)
    runs.push_back(runtime.session(waiter, std::to_string(round)).start(kSteps).value());
  // Nothing tells from outside that a run waits but its own words.
  for (const Run<int>& run : runs)
    while (runtime.explain(run.id()).value().find("signal") == std::string::npos) {
    }
  std::vector<double> raw_us;
  std::vector<double> waking_us;
  for (int round = 0; round < kRounds; ++round) {
    raw_us.push_back(raw.commit_one(kRecordBytes));
    Clock::time_point at;
    woken = &at;
    const auto begun = Clock::now();
    runtime.session(waiter, std::to_string(round)).send(go, 1).value();
    (void)runs[static_cast<std::size_t>(round)].wait().value();
    waking_us.push_back(std::chrono::duration<double, std::micro>(at - begun).count());
  }
  report.bars.push_back({"waking_p50_over_raw_commit",
                         percentile(waking_us, 0.5) / percentile(raw_us, 0.5), 2.0,
                         Bar::Kind::at_most});
  report.notes.push_back(
      "waking a run of 10 recorded steps: p50 " + std::to_string(percentile(waking_us, 0.5)) +
      " us, p99 " + std::to_string(percentile(waking_us, 0.99)) +
      " us; raw LMDB one-put commit p50 " + std::to_string(percentile(raw_us, 0.5)) + " us");
}

// --- Long runs -----------------------------------------------------------------------------------

std::vector<Clock::time_point>* begun_at = nullptr;

Task<int> long_run(Context& ctx, int steps) {
  int sum = 0;
  for (int i = 0; i < steps; ++i)
    sum += co_await ctx.step("one of many", [&](Step&) {
      begun_at->push_back(Clock::now());
      return 1;
    });
  co_return sum;
}
inline constexpr Agent long_agent{"long", &long_run};

void measure_long_run(const std::filesystem::path& where, Report& report) {
  constexpr int kSteps = 10'500;
  constexpr int kRounds = 5;
  constexpr std::ptrdiff_t kWindow = 400;
  Runtime runtime = Runtime::open({.journal = (where / "long.journal").string()}).value();
  runtime.serve(long_agent);
  runtime.start().value();
  std::vector<double> ratios;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<Clock::time_point> times;
    times.reserve(kSteps);
    begun_at = &times;
    (void)runtime.session(long_agent, std::to_string(round)).start(kSteps).value().wait().value();
    const auto step_at = [&](std::ptrdiff_t first) {
      std::vector<double> us;
      for (auto at = times.begin() + first; at != times.begin() + first + kWindow; ++at)
        us.push_back(std::chrono::duration<double, std::micro>(at[1] - at[0]).count());
      return percentile(us, 0.5);
    };
    ratios.push_back(step_at(10'000) / step_at(100));
  }
  report.bars.push_back(
      {"step_10000_over_step_100", percentile(ratios, 0.5), 1.2, Bar::Kind::at_most});
}

}  // namespace

Report measure_sessions(const std::filesystem::path& where) {
  Report report;
  measure_messages(where, report);
  measure_waking(where, report);
  measure_long_run(where, report);
  return report;
}

}  // namespace perdure::bench
