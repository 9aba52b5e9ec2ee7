/// The writer against LMDB alone, in the same run and on the same disk.
///
/// What this is: what numbering, sealing, sorting, the gate and the seams cost over the commits
/// that any journal on LMDB has to make. Each iteration does the same once by the writer and once
/// bare, so that a disk whose mood changes changes both figures.
/// What it does not: set limits (perdure_bench --bars does), or include sessions and replay.
///
/// usage: writer_bench [Google Benchmark's options], in a directory on the disk to measure
#include <benchmark/benchmark.h>

#include <lmdb.h>

#include "actors/step_pool.hpp"
#include "core/clock.hpp"
#include "core/random.hpp"
#include "journal/directory.hpp"
#include "journal/gate.hpp"
#include "journal/writer.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <latch>
#include <memory>
#include <string>
#include <vector>

namespace perdure::journal {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kRecordBytes = 150;  // What a small step's record and its key come to.

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "writer_bench: %s\n", why.c_str());
  std::exit(1);
}
void check(int code, const char* doing) {
  if (code != 0) give_up(std::string(doing) + ": " + mdb_strerror(code));
}

/// A directory in the current one (not in /tmp, which may be memory), removed at the end.
class Directory {
 public:
  explicit Directory(const std::string& name) : path_("writer_bench." + name) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directory(path_);
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// LMDB without anything of ours.
class Bare {
 public:
  Bare() : directory_("bare") {
    check(mdb_env_create(&env_), "mdb_env_create");
    check(mdb_env_set_mapsize(env_, std::size_t{1} << 36U), "mdb_env_set_mapsize");
    check(mdb_env_open(env_, directory_.path().c_str(), MDB_NOTLS, 0600), "mdb_env_open");
    MDB_txn* txn = nullptr;
    check(mdb_txn_begin(env_, nullptr, 0, &txn), "mdb_txn_begin");
    check(mdb_dbi_open(txn, nullptr, 0, &table_), "mdb_dbi_open");
    check(mdb_txn_commit(txn), "mdb_txn_commit");
  }
  ~Bare() { mdb_env_close(env_); }
  Bare(const Bare&) = delete;
  Bare& operator=(const Bare&) = delete;

  /// One durable commit with a record for each of the runs from `first` on.
  void commit(std::uint64_t first, std::uint64_t runs, std::uint32_t index) {
    MDB_txn* txn = nullptr;
    check(mdb_txn_begin(env_, nullptr, 0, &txn), "mdb_txn_begin");
    MDB_cursor* cursor = nullptr;
    check(mdb_cursor_open(txn, table_, &cursor), "mdb_cursor_open");
    for (std::uint64_t run = first; run < first + runs; ++run) {
      const Key key = Key{}.add(std::uint64_t{0}).add(run).add(index);
      MDB_val key_value{key.view().size(), const_cast<std::byte*>(key.view().data())};
      MDB_val value{record_.size(), record_.data()};
      check(mdb_cursor_put(cursor, &key_value, &value, 0), "mdb_cursor_put");
    }
    mdb_cursor_close(cursor);
    check(mdb_txn_commit(txn), "mdb_txn_commit");
  }

 private:
  Directory directory_;
  MDB_env* env_ = nullptr;
  MDB_dbi table_ = 0;
  std::vector<std::byte> record_ = std::vector<std::byte>(kRecordBytes, std::byte{42});
};

class Opened final : public Gated {
 public:
  explicit Opened(std::uint64_t& count) : count_(count) {}
  void open() noexcept override { ++count_; }
  void fail(const Error& why) noexcept override { give_up(why.to_string()); }

 private:
  std::uint64_t& count_;
};

/// A step as the runtime records it: the record and the run's head.
[[nodiscard]] Change step_of(std::uint64_t number, std::uint32_t index) {
  static const core::Bytes payload(24, std::byte{42});
  const std::uint32_t path[] = {index};
  RunId run;
  for (std::size_t i = 16; i-- > 8; number >>= 8U)
    run.bytes[i] = std::byte{static_cast<unsigned char>(number & 255U)};
  StepResult result;
  result.path = path;
  result.name = "step";
  result.type = "string";
  result.stamp = 1'700'000'000'000'000;
  result.payload = payload;
  HeadRow head;
  head.count = index + 1;
  Change change;
  change.append(run, index, result);
  change.put(Table::records, Key{}.add(run).add(kHeadIndex), head);
  return change;
}

/// A writer with its gate, over any store.
class Ours {
 public:
  Ours(Store& store, RecordNumber last) {
    WriterOptions options;
    options.last_number = last;
    writer_ = std::make_unique<Writer>(store, gate_, std::move(options));
  }

  /// A step of each of the runs from `first` on, in one commit; returns when the gate has let all
  /// out.
  void steps(std::uint64_t first, std::uint64_t runs, std::uint32_t index) {
    const std::uint64_t before = opened_;
    for (std::uint64_t run = first; run < first + runs; ++run) {
      const Result<RecordNumber> number =
          writer_->submit(step_of(run, index), Admission::under_way);
      if (!number) give_up(number.error().to_string());
      gate_.when_durable(number.assume_value(), std::make_unique<Opened>(opened_));
    }
    writer_->commit_here();
    if (opened_ != before + runs) give_up("the gate did not open");
  }
  [[nodiscard]] double bytes_per_step() const {
    const Writer::Figures figures = writer_->figures();
    return static_cast<double>(figures.bytes) / static_cast<double>(figures.records);
  }

 private:
  Gate gate_;
  std::unique_ptr<Writer> writer_;
  std::uint64_t opened_ = 0;
};

/// A journal on disk as the runtime has one.
class Journal {
 public:
  Journal() : directory_("ours") {
    auto opened = JournalForWriting::open(directory_.path() / "journal", clock_, random_);
    if (!opened) give_up(opened.error().to_string());
    journal_ = std::move(opened).value();
  }
  [[nodiscard]] JournalForWriting& operator*() { return *journal_; }

 private:
  Directory directory_;
  core::SystemClock clock_;
  core::SystemRandom random_;
  std::unique_ptr<JournalForWriting> journal_;
};

/// Keeps nothing: what is left is the writer's own time.
class NoStore final : public Store {
 public:
  Result<void> commit(std::span<const Mutation> batch, Durability) override {
    benchmark::DoNotOptimize(batch.data());
    return success();
  }
  Result<std::unique_ptr<Snapshot>> snapshot() override {
    return Error{Code::unsupported, "a benchmark"};
  }
};

double median_us(std::vector<double>& samples) {
  const auto middle = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2);
  std::ranges::nth_element(samples, middle);
  return *middle * 1e6;
}

template <class Function>
double seconds_of(Function function) {
  const SteadyClock::time_point begin = SteadyClock::now();
  function();
  return std::chrono::duration<double>(SteadyClock::now() - begin).count();
}

/// A step of each of `runs` runs in a commit. The time counted is the writer's.
void steps_in_one_commit(benchmark::State& state) {
  const auto runs = static_cast<std::uint64_t>(state.range(0));
  constexpr std::uint32_t kStepsEach = 20;
  Bare bare;
  Journal journal;
  Ours ours((*journal).store(), (*journal).last_number());
  std::vector<double> bare_seconds;
  std::vector<double> our_seconds;
  std::uint64_t first = 0;
  std::uint32_t index = 0;
  for ([[maybe_unused]] auto iteration : state) {
    bare_seconds.push_back(seconds_of([&] { bare.commit(first, runs, index); }));
    our_seconds.push_back(seconds_of([&] { ours.steps(first, runs, index); }));
    state.SetIterationTime(our_seconds.back());
    if (++index == kStepsEach) {
      index = 0;
      first += runs;
    }
  }
  const double bare_us = median_us(bare_seconds);
  const double our_us = median_us(our_seconds);
  state.counters["bare_p50_us"] = bare_us;
  state.counters["writer_p50_us"] = our_us;
  state.counters["ratio"] = our_us / bare_us;
  state.counters["steps_per_s"] = static_cast<double>(runs) / our_us * 1e6;
  state.counters["bytes_per_step"] = ours.bytes_per_step();
}
BENCHMARK(steps_in_one_commit)->Arg(1)->Arg(100)->Arg(1000)->UseManualTime()->MinTime(3);

/// The same without a disk: encoding, numbering, sealing, sorting, the gate.
void steps_without_a_disk(benchmark::State& state) {
  const auto runs = static_cast<std::uint64_t>(state.range(0));
  NoStore store;
  Ours ours(store, 0);
  std::uint32_t index = 0;
  for ([[maybe_unused]] auto iteration : state) ours.steps(0, runs, index++);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(steps_without_a_disk)->Arg(1)->Arg(100)->Arg(1000);

/// Sessions without CAF or replay: each has one step after another, whose body runs on the step
/// pool and whose next begins when the gate has opened for it.
class Sessions {
 public:
  Sessions(Store& store, RecordNumber last, std::uint64_t sessions, std::uint32_t steps_each)
      : steps_each_(steps_each),
        left_(static_cast<std::ptrdiff_t>(sessions)),
        steps_(sessions, 0),
        pool_({.threads_max = 32, .after_job = [this](actors::AfterJob found) {
                 if (found == actors::AfterJob::queue_empty) {
                   writer_->commit_here();
                 } else {
                   writer_->wake();
                 }
               }}) {
    gate_.around_release([this](const std::function<void()>& release) {
      const actors::StepPool::Gather gather(pool_);
      release();
    });
    WriterOptions options;
    options.last_number = last;
    writer_ = std::make_unique<Writer>(store, gate_, std::move(options));
  }
  ~Sessions() {
    static_cast<void>(pool_.stop(std::chrono::hours(1)));
    if (const Result<void> stopped = writer_->stop(); !stopped)
      give_up(stopped.error().to_string());
  }
  Sessions(const Sessions&) = delete;
  Sessions& operator=(const Sessions&) = delete;

  void run() {
    std::vector<std::unique_ptr<actors::Job>> jobs;
    for (std::uint64_t session = 0; session < steps_.size(); ++session)
      jobs.push_back(std::make_unique<Body>(*this, session));
    pool_.push(std::move(jobs));
    left_.wait();
  }
  [[nodiscard]] std::uint64_t commits() const { return writer_->figures().commits; }

 private:
  class Body final : public actors::Job {
   public:
    Body(Sessions& all, std::uint64_t session) : all_(all), session_(session) {}
    void run() noexcept override { all_.step(session_); }

   private:
    Sessions& all_;
    std::uint64_t session_;
  };
  class Next final : public Gated {
   public:
    Next(Sessions& all, std::uint64_t session) : all_(all), session_(session) {}
    void open() noexcept override {
      if (all_.steps_[session_] == all_.steps_each_) return all_.left_.count_down();
      all_.pool_.push(std::make_unique<Body>(all_, session_));
    }
    void fail(const Error& why) noexcept override { give_up(why.to_string()); }

   private:
    Sessions& all_;
    std::uint64_t session_;
  };
  void step(std::uint64_t session) {
    const std::uint32_t index = steps_[session]++;
    const Result<RecordNumber> number =
        writer_->submit(step_of(session, index), Admission::under_way);
    if (!number) give_up(number.error().to_string());
    gate_.when_durable(number.assume_value(), std::make_unique<Next>(*this, session));
  }

  const std::uint32_t steps_each_;
  std::latch left_;
  std::vector<std::uint32_t> steps_;
  Gate gate_;
  std::unique_ptr<Writer> writer_;
  actors::StepPool pool_;
};

void sessions_on_a_pool(benchmark::State& state) {
  const auto count = static_cast<std::uint64_t>(state.range(0));
  const auto steps_each = static_cast<std::uint32_t>(state.range(1));
  double commits = 0;
  for ([[maybe_unused]] auto iteration : state) {
    Journal journal;
    Sessions sessions((*journal).store(), (*journal).last_number(), count, steps_each);
    state.SetIterationTime(seconds_of([&] { sessions.run(); }));
    commits += static_cast<double>(sessions.commits());
  }
  const double steps = static_cast<double>(count) * steps_each;
  state.SetItemsProcessed(state.iterations() * state.range(0) * state.range(1));
  state.counters["steps_per_commit"] = steps * static_cast<double>(state.iterations()) / commits;
}
BENCHMARK(sessions_on_a_pool)
    ->Args({1, 2000})
    ->Args({100, 200})
    ->Args({1000, 100})
    ->UseManualTime()
    ->Iterations(5);

}  // namespace
}  // namespace perdure::journal

BENCHMARK_MAIN();
