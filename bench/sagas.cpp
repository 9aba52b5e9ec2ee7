/// Sagas: what a step costs over a plain call, ten thousand aborts at once, and how soon a
/// compensation begins after a crash.
#include "bench/bars.hpp"

#include <perdure/perdure.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <string>

namespace perdure::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kStepsInARun = 300;
constexpr int kRounds = 10;
constexpr int kSagas = 10'000;

struct Seat {
  std::string city;
  int row = 0;
};
PERDURE_DESCRIBE(Seat, city, row);

std::vector<Clock::time_point>* begun = nullptr;

Result<int> take(Step&, const Seat& seat) {
  begun->push_back(Clock::now());
  return seat.row;
}
std::atomic<int> given_back{0};
Result<void> give_back(Step&, const Receipt<Seat, int>&) {
  ++given_back;
  return success();
}
inline constexpr Tool take_seat{"take seat", &take, {.effect = Effect::keyed}};
inline constexpr Undo give_seat_back{"give seat back", &give_back};

Task<int> calling(Context& ctx, int steps) {
  int sum = 0;
  for (int i = 0; i < steps; ++i) sum += co_await ctx.call(take_seat, {"Lisbon", i});
  co_return sum;
}
inline constexpr Agent calling_agent{"calling", &calling};
Task<int> in_a_saga(Context& ctx, int steps) {
  Saga trip{ctx, "trip"};
  int sum = 0;
  for (int i = 0; i < steps; ++i)
    sum += co_await trip.step(take_seat, {"Lisbon", i}, give_seat_back);
  co_await trip.commit();
  co_return sum;
}
inline constexpr Agent saga_agent{"saga", &in_a_saga};

template <class A>
void time_steps(Runtime& runtime, const A& agent, int round, std::vector<double>& us) {
  std::vector<Clock::time_point> times;
  begun = &times;
  (void)runtime.session(agent, std::to_string(round)).start(kStepsInARun).value().wait().value();
  for (std::size_t i = 1; i < times.size(); ++i)
    us.push_back(std::chrono::duration<double, std::micro>(times[i] - times[i - 1]).count());
}

void measure_steps(const std::filesystem::path& where, Report& report) {
  Runtime runtime = Runtime::open({.journal = (where / "saga.journal").string()}).value();
  runtime.serve(calling_agent, saga_agent, take_seat, give_seat_back);
  runtime.start().value();
  std::vector<double> call_us;
  std::vector<double> saga_us;
  for (int round = 0; round < kRounds; ++round) {
    time_steps(runtime, calling_agent, round, call_us);
    time_steps(runtime, saga_agent, round, saga_us);
  }
  const double call = percentile(call_us, 0.5);
  const double saga = percentile(saga_us, 0.5);
  report.bars.push_back({"saga_step_p50_over_call", saga / call, 1.25, Bar::Kind::at_most});
  report.notes.push_back("saga step p50 " + std::to_string(saga) + " us, call p50 " +
                         std::to_string(call) + " us");
  runtime.shutdown().value();
}

/// Calls that all wait for one word.
struct Held {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Completion<int>> calls;
};
Held* held = nullptr;
void hold(Step, Seat, Completion<int> done) {
  const std::lock_guard lock(held->mutex);
  held->calls.push_back(std::move(done));
  held->changed.notify_one();
}
inline constexpr Tool last_word{"last word", &hold, {.effect = Effect::keyed}};
Result<int> take_quietly(Step&, const Seat& seat) { return seat.row; }
inline constexpr Tool take_one{"take one", &take_quietly, {.effect = Effect::keyed}};

Task<int> aborting(Context& ctx, int row) {
  Saga trip{ctx, "trip"};
  co_await trip.step(take_one, {"Lisbon", row}, give_seat_back);
  co_await trip.step(take_one, {"Rome", row}, give_seat_back, {.name = "take another"});
  co_await trip.step(last_word, {"Paris", row}, read_only);
  co_return 1;
}
inline constexpr Agent aborting_agent{"aborting", &aborting};
/// As many calls, of as many runs, without sagas.
Task<int> plain(Context& ctx, int row) {
  co_await ctx.call(last_word, {"Paris", row});
  co_await ctx.call(take_one, {"Lisbon", row});
  co_await ctx.call(take_one, {"Rome", row}, {.name = "take another"});
  co_return 1;
}
inline constexpr Agent plain_agent{"plain", &plain};

/// From the word to the end of all runs.
template <class A>
double seconds_after_the_word(Runtime& runtime, const A& agent, const Result<int>& word) {
  Held calls;
  calls.calls.reserve(kSagas);
  held = &calls;
  std::vector<Run<int>> runs;
  for (int i = 0; i < kSagas; ++i)
    runs.push_back(runtime.session(agent, std::to_string(i)).start(i).value());
  {
    std::unique_lock lock(calls.mutex);
    calls.changed.wait(lock, [&] { return calls.calls.size() == kSagas; });
  }
  const Clock::time_point began = Clock::now();
  for (const Completion<int>& call : calls.calls) (void)call(word);
  for (const Run<int>& run : runs) (void)run.wait();
  return std::chrono::duration<double>(Clock::now() - began).count();
}

void measure_aborts(const std::filesystem::path& where, Report& report) {
  Runtime runtime = Runtime::open({.journal = (where / "aborts.journal").string()}).value();
  runtime.serve(aborting_agent, plain_agent, take_one, last_word, give_seat_back);
  runtime.start().value();
  const double plain_s = seconds_after_the_word(runtime, plain_agent, 1);
  given_back = 0;
  const double aborts_s =
      seconds_after_the_word(runtime, aborting_agent, Error{Code::refused, "no"});
  report.bars.push_back(
      {"10000_aborts_over_as_many_plain_runs", aborts_s / plain_s, 6, Bar::Kind::at_most});
  report.notes.push_back(
      std::to_string(kSagas) + " sagas of two actions aborted and undone in " +
      std::to_string(aborts_s) + " s (" + std::to_string(static_cast<int>(given_back / aborts_s)) +
      " compensations/s); as many runs of two plain calls took " + std::to_string(plain_s) + " s");
  runtime.shutdown().value();
}

/// The process dies as the body begins for the first time; the second one takes the time.
struct AfterCrash {
  bool dies = false;
  std::atomic<bool> came = false;
  Clock::time_point at;
  void here() {
    if (dies) ::kill(::getpid(), SIGKILL);
    if (!came) at = Clock::now();
    came = true;
    came.notify_all();
  }
};
AfterCrash* after_crash = nullptr;

Result<void> undo_here(Step&, const Receipt<Seat, int>&) {
  after_crash->here();
  return success();
}
inline constexpr Undo crashing_undo{"crashing undo", &undo_here};
Result<int> step_here(Step&, const Seat&) {
  after_crash->here();
  return 1;
}
inline constexpr Tool crashing_step{"crashing step", &step_here, {.effect = Effect::keyed}};
Task<int> undone(Context& ctx, int row) {
  Saga trip{ctx, "trip"};
  co_await trip.step(take_one, {"Lisbon", row}, crashing_undo);
  co_return Error{Code::refused, "no"};
}
inline constexpr Agent undone_agent{"undone", &undone};
Task<int> stepping(Context& ctx, int row) {
  co_await ctx.call(take_one, {"Lisbon", row});
  co_return co_await ctx.call(crashing_step, {"Lisbon", row});
}
inline constexpr Agent stepping_agent{"stepping", &stepping};

template <class A>
double ms_after_crash(const std::filesystem::path& journal, const A& agent) {
  AfterCrash state;
  after_crash = &state;
  const auto open = [&] {
    Runtime runtime = Runtime::open({.journal = journal.string()}).value();
    runtime.serve(undone_agent, stepping_agent, take_one, crashing_undo, crashing_step);
    return runtime;
  };
  if (const pid_t child = ::fork(); child == 0) {
    state.dies = true;
    Runtime runtime = open();
    runtime.start().value();
    (void)runtime.session(agent, "one").start(1).value().wait();
    ::_exit(1);
  } else {
    (void)::waitpid(child, nullptr, 0);
  }
  Runtime runtime = open();
  const Clock::time_point started = Clock::now();
  runtime.start().value();
  state.came.wait(false);
  runtime.shutdown().value();
  return std::chrono::duration<double, std::milli>(state.at - started).count();
}

void measure_crashes(const std::filesystem::path& where, Report& report) {
  std::vector<double> undo_ms;
  std::vector<double> step_ms;
  for (int round = 0; round < kRounds; ++round) {
    undo_ms.push_back(
        ms_after_crash(where / ("undo" + std::to_string(round) + ".journal"), undone_agent));
    step_ms.push_back(
        ms_after_crash(where / ("step" + std::to_string(round) + ".journal"), stepping_agent));
  }
  const double undo = percentile(undo_ms, 0.5);
  const double step = percentile(step_ms, 0.5);
  report.bars.push_back({"undo_after_crash_p50_over_step", undo / step, 1.5, Bar::Kind::at_most});
  report.notes.push_back("from start() to the compensation that a crash cut off: p50 " +
                         std::to_string(undo) + " ms; to such a step: " + std::to_string(step) +
                         " ms");
}

}  // namespace

Report measure_sagas(const std::filesystem::path& where) {
  Report report;
  measure_crashes(where, report);
  measure_steps(where, report);
  measure_aborts(where, report);
  return report;
}

}  // namespace perdure::bench
