/// Replay: a run of many recorded steps is found unfinished, and goes on.
#include "bench/bars.hpp"

#include <perdure/perdure.hpp>

#include "core/random.hpp"
#include "journal/batch.hpp"
#include "journal/change.hpp"
#include "journal/directory.hpp"
#include "journal/gate.hpp"
#include "journal/reader.hpp"
#include "journal/writer.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace perdure::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kSteps = 500'000;
constexpr const char* kStepName = "a step that was recorded";

struct Arrival {
  std::mutex mutex;
  std::condition_variable changed;
  bool there = false;
  Clock::time_point at;
};
Arrival* arrival = nullptr;

Task<std::uint64_t> long_run(Context& ctx, std::uint32_t steps) {
  std::uint64_t sum = 0;
  for (std::uint32_t i = 0; i < steps; ++i)
    sum += co_await ctx.step(kStepName, [&](Step&) { return static_cast<std::uint64_t>(i); });
  co_return co_await ctx.step("the first that was not", [&](Step&) {
    const std::lock_guard lock(arrival->mutex);
    arrival->at = Clock::now();
    arrival->there = true;
    arrival->changed.notify_all();
    return sum;
  });
}
inline constexpr Agent long_agent{"long", &long_run};

/// Writes the journal that a run of `kSteps` steps leaves behind when its process dies.
RunId write_unfinished_run(const std::string& directory) {
  core::SystemClock clock;
  core::SeededRandom random(1);
  auto journal = journal::JournalForWriting::open(directory, clock, random).value();
  journal::Gate gate;
  journal::Writer writer(journal->store(), gate, {.last_number = journal->last_number()});
  RunId run;
  random.fill(run.bytes);
  const journal::SessionId session = journal::session_hash("long", "one");
  const Bytes input = encode(kSteps).value();
  {
    journal::Change change;
    change.put(journal::Table::sessions, journal::Key{}.add(session),
               journal::SessionRow{"long", "one", 1});
    change.put(journal::Table::keys, journal::message_key_row(session, "start"),
               journal::MessageKeyRow{"start", run});
    change.put(journal::Table::runs, journal::Key{}.add(run),
               journal::RunRow{session, "long", 1, "run", "one", 1});
    change.put(journal::Table::ready, journal::Key{}.add(run), journal::ReadyRow{session});
    change.append(run, 0,
                  journal::RunCreated{"long", 1, "run", "one", "start", type_name<std::uint32_t>(),
                                      input, 1, 1});
    (void)writer.submit(std::move(change), journal::Admission::under_way).value();
  }
  constexpr std::uint32_t kBatch = 10'000;
  for (std::uint32_t first = 0; first < kSteps; first += kBatch) {
    journal::Change change;
    for (std::uint32_t i = first; i < first + kBatch; ++i) {
      const std::uint32_t path = i + 1;
      const Bytes payload = encode(static_cast<std::uint64_t>(i)).value();
      journal::StepResult result;
      result.path = {&path, 1};
      result.name = kStepName;
      result.type = type_name<std::uint64_t>();
      result.stamp = 2;
      result.payload = payload;
      change.append(run, i + 1, result);
    }
    change.put(
        journal::Table::records, journal::Key{}.add(run).add(journal::kHeadIndex),
        journal::HeadRow{first + kBatch + 1, journal::RunStatus::running, 2, Code::user, {}});
    (void)writer.submit(std::move(change), journal::Admission::under_way).value();
    writer.commit_here();
  }
  writer.stop().value();
  journal->close_cleanly(writer.last_number(), 2).value();
  return run;
}

}  // namespace

Report measure_replay(const std::filesystem::path& where) {
  constexpr int kRounds = 5;
  std::vector<double> rates;
  for (int round = 0; round < kRounds; ++round) {
    const std::string directory = (where / ("replay-" + std::to_string(round))).string();
    const RunId run = write_unfinished_run(directory);
    Arrival here;
    arrival = &here;
    Runtime runtime = Runtime::open({.journal = directory}).value();
    runtime.serve(long_agent);
    const auto begun = Clock::now();
    runtime.start().value();
    std::unique_lock lock(here.mutex);
    here.changed.wait(lock, [&] { return here.there; });
    rates.push_back(kSteps / std::chrono::duration<double>(here.at - begun).count());
    lock.unlock();
    (void)runtime.run<std::uint64_t>(run).wait().value();
  }
  const double rate = percentile(rates, 0.5);
  Report report;
  report.bars.push_back({"replayed_steps_per_second", rate, 1'000'000, Bar::Kind::at_least});
  report.notes.push_back("replay of " + std::to_string(kSteps) + " steps: best " +
                         std::to_string(percentile(rates, 1.0)) + ", worst " +
                         std::to_string(percentile(rates, 0.0)) + " steps/s, on one core");
  return report;
}

}  // namespace perdure::bench
