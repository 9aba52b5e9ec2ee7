/// 1,000 runs of 10 steps, 100 at once: steps a second, against a bare LMDB loop with the same batches.
#include "bench/bars.hpp"
#include "bench/raw_lmdb.hpp"

#include <perdure/perdure.hpp>

#include "actors/engine.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

namespace perdure::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kSteps = 10;
constexpr int kRuns = 1000;
constexpr int kAtOnce = 100;
constexpr int kRounds = 7;
constexpr std::size_t kRecordBytes = 150;

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
  std::uint64_t raw_run = 1;
  for (int round = 0; round < kRounds; ++round) {
    const auto before = engine.writer().figures();
    const auto begun = Clock::now();
    Driver(engine, round).run();
    const double seconds = std::chrono::duration<double>(Clock::now() - begun).count();
    const auto after = engine.writer().figures();
    const double batch = static_cast<double>(after.records - before.records) /
                         static_cast<double>(after.commits - before.commits);
    // The bare loop: as many records in transactions of the same size, nothing else.
    const auto in_batch = std::max<std::size_t>(1, static_cast<std::size_t>(batch + 0.5));
    const std::size_t records = after.records - before.records;
    const auto raw_begun = Clock::now();
    std::uint32_t index = 0;
    for (std::size_t done = 0; done < records; done += in_batch, ++index)
      raw.commit_batch(in_batch, index % kSteps, kRecordBytes, raw_run + index / kSteps * in_batch);
    raw_run += records;
    const double raw_seconds = std::chrono::duration<double>(Clock::now() - raw_begun).count();
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
                         std::to_string(percentile(batches, 0.5)) + " records a commit");
  return report;
}

}  // namespace perdure::bench
