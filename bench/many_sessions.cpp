/// Runs of 10 steps, 100 and 1,000 at once: steps a second, against a bare LMDB loop with the same
/// batches; what a step costs; and what a run costs when there were a million before it.
#include "bench/bars.hpp"
#include "bench/costs.hpp"
#include "bench/raw_lmdb.hpp"
#include "bench/unfinished_runs.hpp"

#include <perdure/perdure.hpp>

#include "actors/engine.hpp"
#include "core/ids.hpp"
#include "journal/directory.hpp"
#include "journal/reader.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>

namespace perdure::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kSteps = 10;

struct Load {
  int runs = 1000;
  int at_once = 100;
  int rounds = 7;
};

Task<int> short_run(Context& ctx, int start) {
  int sum = start;
  for (int i = 0; i < kSteps; ++i)
    sum += co_await ctx.step("a step of a short run", [&](Step&) { return i; });
  co_return sum;
}
inline constexpr Agent short_agent{"short", &short_run};

/// Keeps `at_once` runs going until `runs` have ended.
class Driver {
 public:
  Driver(actors::Engine& engine, const Load& load, std::string label)
      : engine_(engine), load_(load), label_(std::move(label)) {}

  void run() {
    for (int i = 0; i < load_.at_once; ++i) start_next();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ended_ == load_.runs; });
  }

 private:
  void start_next() {
    const int number = next_.fetch_add(1);
    if (number >= load_.runs) return;
    const std::string key = label_ + "-" + std::to_string(number);
    const Bytes input = encode(number).value();
    engine_.send_message_then({.agent = "short",
                               .version = 1,
                               .handler = "run",
                               .session_key = key,
                               .message_key = "start",
                               .input_type = type_name<int>(),
                               .input = input},
                              [this](const Result<RunId>& id) {
                                engine_.when_ended(id.value(),
                                                   [this](const Result<Bytes>&) { one_ended(); });
                              });
  }
  void one_ended() {
    start_next();
    const std::lock_guard lock(mutex_);
    if (++ended_ == load_.runs) changed_.notify_all();
  }

  actors::Engine& engine_;
  const Load& load_;
  std::string label_;
  std::atomic<int> next_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  int ended_ = 0;
};

/// Commits `records` records as the runs did, and nothing else: `at_once` runs are going, each
/// commit adds the next record of some of them in the order of their keys, a run that has all its
/// records makes room for a new one. Returns seconds.
double bare_loop(RawLmdb& raw, const Load& load, std::size_t records, std::size_t in_batch,
                 std::size_t bytes) {
  core::SystemClock clock;
  core::SystemRandom random;
  const std::uint32_t in_a_run = kSteps + 2;
  std::deque<RawLmdb::RunKey> going;
  for (int i = 0; i < load.at_once; ++i) going.push_back({core::draw_run_id(clock, random), 0});
  std::vector<RawLmdb::RunKey> batch;
  const auto begun = Clock::now();
  for (std::size_t done = 0; done < records; done += in_batch) {
    batch.clear();
    for (std::size_t i = 0; i < in_batch; ++i) {
      RawLmdb::RunKey next = going.front();
      going.pop_front();
      batch.push_back(next);
      if (++next.index == in_a_run) next = {core::draw_run_id(clock, random), 0};
      going.push_back(next);
    }
    std::ranges::sort(batch, {}, &RawLmdb::RunKey::run);
    raw.commit_batch(batch, bytes);
  }
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

/// The stored size of a step's result in `run`, as the journal has it.
std::size_t record_bytes(const std::filesystem::path& directory) {
  const auto journal = journal::JournalForReading::open(directory).value();
  journal::Reader reader = journal::Reader::open(journal->store()).value();
  std::size_t bytes = 0;
  reader
      .each_run([&](const journal::RunInfo& info) {
        journal::RecordStream records = reader.records(info.id, 2).value();
        bytes = records.next().value()->stored_bytes();
        return false;
      })
      .value();
  return bytes;
}

struct Rounds {
  std::vector<double> rates;   ///< Steps a second.
  std::vector<double> shares;  ///< Of the bare loop's rate.
  std::vector<double> batches;
  std::size_t bytes = 0;  ///< Of a record.
  Used used;              ///< In all rounds together, without the bare loop.
  Used used_bare;         ///< By the bare loop.
};

Rounds run_rounds(actors::Engine& engine, RawLmdb& raw, const std::filesystem::path& journal,
                  const Load& load, const std::string& label) {
  Rounds rounds;
  for (int round = 0; round < load.rounds; ++round) {
    const auto before = engine.writer().figures();
    const Used used_before = used_so_far();
    const auto begun = Clock::now();
    Driver(engine, load, label + std::to_string(round)).run();
    const double seconds = std::chrono::duration<double>(Clock::now() - begun).count();
    const Used used_after = used_so_far();
    const auto after = engine.writer().figures();
    rounds.used += used_after - used_before;
    const double batch = static_cast<double>(after.records - before.records) /
                         static_cast<double>(after.commits - before.commits);
    if (round == 0) rounds.bytes = record_bytes(journal);
    const auto in_batch = std::max<std::size_t>(1, static_cast<std::size_t>(batch + 0.5));
    const double raw_seconds = bare_loop(
        raw, load, after.records - before.records,
        std::min<std::size_t>(in_batch, static_cast<std::size_t>(load.at_once)), rounds.bytes);
    rounds.used_bare += used_so_far() - used_after;
    rounds.rates.push_back(load.runs * kSteps / seconds);
    rounds.shares.push_back(raw_seconds / seconds);
    rounds.batches.push_back(batch);
  }
  return rounds;
}

std::string per_step(const Used& used, double steps) {
  return std::to_string(used.cpu_seconds / steps * 1e6) + " us of CPU, " +
         std::to_string(static_cast<double>(used.allocations) / steps) + " allocations, " +
         std::to_string(static_cast<double>(used.written_bytes) / steps) + " bytes written";
}

void add_notes(Report& report, const Rounds& rounds, const Load& load) {
  const double steps = static_cast<double>(load.runs) * load.rounds * kSteps;
  report.notes.push_back(std::to_string(load.at_once) +
                         " at once: " + std::to_string(percentile(rounds.rates, 0.5)) +
                         " steps/s (best " + std::to_string(percentile(rounds.rates, 1.0)) +
                         ", worst " + std::to_string(percentile(rounds.rates, 0.0)) + "), " +
                         std::to_string(percentile(rounds.batches, 0.5)) + " records of " +
                         std::to_string(rounds.bytes) + " bytes a commit");
  report.notes.push_back("a step: " + per_step(rounds.used, steps) +
                         "; in the bare loop: " + per_step(rounds.used_bare, steps));
}

}  // namespace

Report measure_many_sessions(const std::filesystem::path& where) {
  RawLmdb raw(where / "many.raw");
  const std::filesystem::path journal = where / "many.journal";
  Runtime runtime = Runtime::open({.journal = journal.string()}).value();
  runtime.serve(short_agent);
  runtime.start().value();
  auto& engine = dynamic_cast<actors::Engine&>(*runtime.core());
  const Load hundred{.runs = 6000, .at_once = 100, .rounds = 5};
  const Load thousand{.runs = 9000, .at_once = 1000, .rounds = 5};
  const Rounds few = run_rounds(engine, raw, journal, hundred, "few-");
  const Rounds many = run_rounds(engine, raw, journal, thousand, "many-");
  Report report;
  report.bars.push_back(
      {"steps_per_second_100_at_once", percentile(few.rates, 0.5), 41'000, Bar::Kind::at_least});
  report.bars.push_back(
      {"throughput_over_bare_lmdb_loop", percentile(few.shares, 0.5), 0.85, Bar::Kind::at_least});
  report.bars.push_back({"throughput_over_bare_lmdb_loop_1000_at_once",
                         percentile(many.shares, 0.5), 0.85, Bar::Kind::at_least});
  add_notes(report, few, hundred);
  add_notes(report, many, thousand);
  return report;
}

/// The cost of a run in a journal that has held a million, over that in a new one.
Report measure_flat_cost(const std::filesystem::path& where) {
  constexpr std::uint32_t kBefore = 1'000'000;
  const std::string old_journal = (where / "old.journal").string();
  (void)write_unfinished_runs(old_journal, {.agent = "short",
                                            .step_name = "a step of a short run",
                                            .runs = kBefore,
                                            .steps = 0,
                                            .are_finished = true});
  const auto open = [](const std::string& journal) {
    Runtime runtime = Runtime::open({.journal = journal}).value();
    runtime.serve(short_agent);
    runtime.start().value();
    return runtime;
  };
  Runtime old_runtime = open(old_journal);
  Runtime new_runtime = open((where / "new.journal").string());
  const Load load{.runs = 6000, .at_once = 100, .rounds = 5};
  std::vector<double> ratios;
  std::vector<double> old_seconds;
  for (int round = 0; round < load.rounds; ++round) {
    const auto seconds = [&](Runtime& runtime) {
      auto& engine = dynamic_cast<actors::Engine&>(*runtime.core());
      const auto begun = Clock::now();
      Driver(engine, load, "flat-" + std::to_string(round)).run();
      return std::chrono::duration<double>(Clock::now() - begun).count();
    };
    const double in_new = seconds(new_runtime);
    old_seconds.push_back(seconds(old_runtime));
    ratios.push_back(old_seconds.back() / in_new);
  }
  Report report;
  report.bars.push_back(
      {"cost_after_a_million_runs_over_first", percentile(ratios, 0.5), 1.5, Bar::Kind::at_most});
  report.notes.push_back("6,000 runs of 10 steps after a million others: " +
                         std::to_string(percentile(old_seconds, 0.5)) + " s");
  return report;
}

}  // namespace perdure::bench
