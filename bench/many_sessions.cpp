/// 1,000 runs of 10 steps, 100 at once: steps a second, against a bare LMDB loop with the same
/// batches.
#include "bench/bars.hpp"
#include "bench/raw_lmdb.hpp"

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
constexpr int kRuns = 1000;
constexpr int kAtOnce = 100;
constexpr int kRounds = 7;

Task<int> short_run(Context& ctx, int start) {
  int sum = start;
  for (int i = 0; i < kSteps; ++i)
    sum += co_await ctx.step("a step of a short run", [&](Step&) { return i; });
  co_return sum;
}
inline constexpr Agent short_agent{"short", &short_run};

/// Keeps `kAtOnce` runs going until `kRuns` have ended.
class Driver {
 public:
  Driver(actors::Engine& engine, int round) : engine_(engine), round_(round) {}

  void run() {
    for (int i = 0; i < kAtOnce; ++i) start_next();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ended_ == kRuns; });
  }

 private:
  void start_next() {
    const int number = next_.fetch_add(1);
    if (number >= kRuns) return;
    const std::string key = std::to_string(round_) + "-" + std::to_string(number);
    const Bytes input = encode(number).value();
    engine_.start_session_then({.agent = "short",
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
    if (++ended_ == kRuns) changed_.notify_all();
  }

  actors::Engine& engine_;
  int round_;
  std::atomic<int> next_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  int ended_ = 0;
};

/// Commits `records` records as the runs did, and nothing else: `kAtOnce` runs are going, each
/// commit adds the next record of some of them in the order of their keys, a run that has all its
/// records makes room for a new one. Returns seconds.
double bare_loop(RawLmdb& raw, std::size_t records, std::size_t in_batch, std::size_t bytes) {
  core::SystemClock clock;
  core::SystemRandom random;
  const std::uint32_t in_a_run = kSteps + 2;
  std::deque<RawLmdb::RunKey> going;
  for (int i = 0; i < kAtOnce; ++i) going.push_back({core::draw_run_id(clock, random), 0});
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

}  // namespace

Report measure_many_sessions(const std::filesystem::path& where) {
  RawLmdb raw(where / "many.raw");
  Runtime runtime = Runtime::open({.journal = (where / "many.journal").string()}).value();
  runtime.serve(short_agent);
  runtime.start().value();
  auto& engine = dynamic_cast<actors::Engine&>(*runtime.core());
  std::vector<double> rates;
  std::vector<double> shares;
  std::vector<double> batches;
  std::size_t bytes = 0;
  for (int round = 0; round < kRounds; ++round) {
    const auto before = engine.writer().figures();
    const auto begun = Clock::now();
    Driver(engine, round).run();
    const double seconds = std::chrono::duration<double>(Clock::now() - begun).count();
    const auto after = engine.writer().figures();
    const double batch = static_cast<double>(after.records - before.records) /
                         static_cast<double>(after.commits - before.commits);
    if (round == 0) bytes = record_bytes(where / "many.journal");
    const auto in_batch = std::max<std::size_t>(1, static_cast<std::size_t>(batch + 0.5));
    const std::size_t records = after.records - before.records;
    const double raw_seconds =
        bare_loop(raw, records, std::min<std::size_t>(in_batch, kAtOnce), bytes);
    rates.push_back(kRuns * kSteps / seconds);
    shares.push_back(raw_seconds / seconds);
    batches.push_back(batch);
  }
  const double rate = percentile(rates, 0.5);
  Report report;
  report.bars.push_back({"steps_per_second_100_at_once", rate, 41'000, Bar::Kind::at_least});
  report.bars.push_back(
      {"throughput_over_bare_lmdb_loop", percentile(shares, 0.5), 0.5, Bar::Kind::at_least});
  report.notes.push_back("100 at once: " + std::to_string(rate) + " steps/s (best " +
                         std::to_string(percentile(rates, 1.0)) + ", worst " +
                         std::to_string(percentile(rates, 0.0)) + "), " +
                         std::to_string(percentile(batches, 0.5)) + " records of " +
                         std::to_string(bytes) + " bytes a commit");
  return report;
}

}  // namespace perdure::bench
