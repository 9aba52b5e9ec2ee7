// Ways to lay out a journal in LMDB, against each other: a program to run by hand. Its figures and
// what followed from them are in docs/decisions/0001-journal-layout.md.
//
// usage: layout_bench DIRECTORY [--past N]
//
// A step is a record of 200 bytes and a head row of 88 that counts it. Each layout gets the same
// steps in the same batches, sorted by key, after N past runs (default 20,000) of 10 steps; every
// commit is synced.
// Ratios are to a commit of a single row (the same 200 bytes, overwritten), interleaved in the same
// run.

#include <lmdb.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/random.hpp"

namespace {

namespace fs = std::filesystem;
using perdure::core::SeededRandom;
using Run = std::array<unsigned char, 16>;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kRecordBytes = 200;
constexpr std::size_t kHeadBytes = 88;
constexpr std::size_t kCountersBytes = 96;
constexpr std::uint32_t kPastSteps = 10;

void must(int code, const char* what) {
  if (code == 0) return;
  std::printf("%s: %s\n", what, mdb_strerror(code));
  std::exit(1);
}

struct Layout {
  std::string_view name;
  bool by_number;  // Records keyed by number and appended, instead of by run and index.
  bool indexed;    // With a table (run, index) -> number beside.
  bool own_heads;  // Head rows in a table of their own.
  char counters;   // 'm': in the unnamed database, 't': in a table, '-': none.
};
constexpr std::array kLayouts{
    Layout{"run+index, head beside", false, false, false, 'm'},
    Layout{"same, counters in a table", false, false, false, 't'},
    Layout{"same, no counters", false, false, false, '-'},
    Layout{"run+index, head table", false, false, true, 'm'},
    Layout{"number, head table, chained", true, false, true, 'm'},
    Layout{"number, head table, indexed", true, true, true, 'm'},
};

class Journal {
 public:
  Journal(const fs::path& directory, const Layout& layout) : layout_(layout) {
    fs::remove_all(directory);
    fs::create_directories(directory);
    must(mdb_env_create(&env_), "create");
    must(mdb_env_set_maxdbs(env_, 8), "maxdbs");
    must(mdb_env_set_mapsize(env_, std::size_t{1} << 36U), "mapsize");
    must(mdb_env_open(env_, directory.c_str(), MDB_NOTLS, 0600), "open");
    MDB_txn* txn = nullptr;
    must(mdb_txn_begin(env_, nullptr, 0, &txn), "begin");
    must(mdb_dbi_open(txn, nullptr, 0, &main_), "main");
    must(mdb_dbi_open(txn, "records", MDB_CREATE, &records_), "records");
    must(mdb_dbi_open(txn, "heads", MDB_CREATE, &heads_), "heads");
    must(mdb_dbi_open(txn, "index", MDB_CREATE, &index_), "index");
    must(mdb_dbi_open(txn, "meta", MDB_CREATE, &meta_), "meta");
    must(mdb_txn_commit(txn), "commit");
  }
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  ~Journal() { mdb_env_close(env_); }

  void sync(bool on) { must(mdb_env_set_flags(env_, MDB_NOSYNC, on ? 0 : 1), "flags"); }

  /// One step of each of `runs`, which are sorted, each at its own index.
  void commit(const std::vector<std::pair<Run, std::uint32_t>>& runs) {
    MDB_txn* txn = nullptr;
    must(mdb_txn_begin(env_, nullptr, 0, &txn), "begin");
    if (layout_.counters != '-') {
      MDB_cursor* meta = open(txn, layout_.counters == 'm' ? main_ : meta_);
      put(meta, key(0xFFFFFFFFU), kCountersBytes);
    }
    MDB_cursor* records = open(txn, records_);
    MDB_cursor* heads = layout_.own_heads ? open(txn, heads_) : records;
    MDB_cursor* index = layout_.indexed ? open(txn, index_) : nullptr;
    for (const auto& [run, step] : runs) {
      ++number_;
      if (layout_.by_number) {
        put(records, number_key(), kRecordBytes, MDB_APPEND);
        if (index != nullptr) put(index, run_key(run, step), 8);
      } else {
        put(records, run_key(run, step), kRecordBytes);
      }
      if (!layout_.own_heads) put(heads, run_key(run, 0xFFFFFFFFU), kHeadBytes);
    }
    if (layout_.own_heads)
      for (const auto& [run, step] : runs)
        put(heads, {reinterpret_cast<const char*>(run.data()), run.size()}, kHeadBytes);
    must(mdb_txn_commit(txn), "commit");
  }

  /// Nanoseconds a record to read 200 runs of `steps` steps, one after the other.
  double read(const std::vector<Run>& runs, std::uint32_t steps,
              const std::map<Run, std::vector<std::uint64_t>>& numbers) {
    MDB_txn* txn = nullptr;
    must(mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn), "begin");
    std::size_t bytes = 0;
    const auto start = Clock::now();
    for (const Run& run : runs) {
      MDB_val value{};
      if (layout_.by_number) {
        for (const std::uint64_t number : numbers.at(run)) {
          number_ = number;
          MDB_val wanted = val(number_key());
          must(mdb_get(txn, records_, &wanted, &value), "get");
          bytes += value.mv_size;
        }
      } else {
        MDB_cursor* cursor = nullptr;
        must(mdb_cursor_open(txn, records_, &cursor), "cursor");
        MDB_val wanted = val(run_key(run, 0));
        must(mdb_cursor_get(cursor, &wanted, &value, MDB_SET_RANGE), "first");
        for (std::uint32_t i = 1; i < steps; ++i)
          must(mdb_cursor_get(cursor, &wanted, &value, MDB_NEXT), "next");
        bytes += value.mv_size;
        mdb_cursor_close(cursor);
      }
    }
    const std::chrono::duration<double, std::nano> took = Clock::now() - start;
    mdb_txn_abort(txn);
    if (bytes == 0) std::printf("nothing read\n");
    return took.count() / static_cast<double>(runs.size() * steps);
  }
  [[nodiscard]] std::uint64_t number() const { return number_; }

 private:
  static MDB_val val(std::string_view bytes) {
    return {bytes.size(), const_cast<char*>(bytes.data())};
  }
  MDB_cursor* open(MDB_txn* txn, MDB_dbi table) {
    MDB_cursor* cursor = nullptr;
    must(mdb_cursor_open(txn, table, &cursor), "cursor");
    return cursor;
  }
  void put(MDB_cursor* cursor, std::string_view where, std::size_t size, unsigned flags = 0) {
    MDB_val k = val(where);
    MDB_val v{size, value_.data()};
    std::memcpy(value_.data(), &number_, sizeof number_);
    must(mdb_cursor_put(cursor, &k, &v, flags), "put");
  }
  std::string_view key(std::uint32_t number) {
    for (std::size_t i = 0; i < 4; ++i) key_[i] = static_cast<char>(number >> (24 - 8 * i));
    return {key_.data(), 4};
  }
  std::string_view run_key(const Run& run, std::uint32_t index) {
    key(index);
    std::memcpy(key_.data() + 16, key_.data(), 4);
    std::memcpy(key_.data(), run.data(), 16);
    return {key_.data(), 20};
  }
  std::string_view number_key() {
    for (std::size_t i = 0; i < 8; ++i) key_[i] = static_cast<char>(number_ >> (56 - 8 * i));
    return {key_.data(), 8};
  }

  const Layout layout_;
  MDB_env* env_ = nullptr;
  MDB_dbi main_ = 0;
  MDB_dbi records_ = 0;
  MDB_dbi heads_ = 0;
  MDB_dbi index_ = 0;
  MDB_dbi meta_ = 0;
  std::uint64_t number_ = 0;
  std::array<char, 32> key_{};
  std::array<char, 256> value_{};
};

/// What it is all held against: one row of 200 bytes, overwritten.
class OneRow {
 public:
  explicit OneRow(const fs::path& directory) {
    fs::remove_all(directory);
    fs::create_directories(directory);
    must(mdb_env_create(&env_), "create");
    must(mdb_env_set_mapsize(env_, std::size_t{1} << 30U), "mapsize");
    must(mdb_env_open(env_, directory.c_str(), MDB_NOTLS, 0600), "open");
  }
  OneRow(const OneRow&) = delete;
  OneRow& operator=(const OneRow&) = delete;
  ~OneRow() { mdb_env_close(env_); }
  void commit() {
    MDB_txn* txn = nullptr;
    must(mdb_txn_begin(env_, nullptr, 0, &txn), "begin");
    MDB_dbi table = 0;
    must(mdb_dbi_open(txn, nullptr, 0, &table), "table");
    ++value_[0];
    MDB_val k{3, const_cast<char*>("row")};
    MDB_val v{value_.size(), value_.data()};
    must(mdb_put(txn, table, &k, &v, 0), "put");
    must(mdb_txn_commit(txn), "commit");
  }

 private:
  MDB_env* env_ = nullptr;
  std::array<char, kRecordBytes> value_{};
};

/// Given to write calls: what LMDB writes, whatever the page cache makes of it.
std::uint64_t bytes_written() {
  std::ifstream io("/proc/self/io");
  for (std::string word; io >> word;)
    if (word == "wchar:") {
      std::uint64_t bytes = 0;
      io >> bytes;
      return bytes;
    }
  return 0;
}

/// Run ids as they come: 48 bits of time, a few new ones a millisecond, the rest random.
std::vector<Run> draw_runs(SeededRandom& random, std::size_t count, std::uint64_t& clock) {
  std::vector<Run> runs(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (i % 8 == 0) ++clock;
    for (std::size_t k = 0; k < 6; ++k)
      runs[i][k] = static_cast<unsigned char>(clock >> (40 - 8 * k));
    random.fill(std::as_writable_bytes(std::span(runs[i])).subspan(6));
  }
  std::ranges::sort(runs);
  return runs;
}

double cpu_us() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

double median(std::vector<double> of) {
  std::ranges::sort(of);
  return of[of.size() / 2];
}

struct Figures {
  double commit_us;
  double ratio;
  double steps_per_s;
  double bytes_per_step;
  double cpu_us_per_step;
  double read_ns;
};

/// `width` runs advance together, for `steps` commits a round.
Figures measure(const fs::path& directory, const Layout& layout, std::size_t width,
                std::size_t past) {
  constexpr std::uint32_t kSteps = 10;
  SeededRandom random(7);
  std::uint64_t clock = 1'700'000'000'000;
  Journal journal(directory / "layout", layout);
  OneRow one(directory / "one");
  journal.sync(false);
  for (std::size_t done = 0; done < past; done += 1000) {
    std::vector<std::pair<Run, std::uint32_t>> batch;
    for (const Run& run : draw_runs(random, 1000, clock)) batch.emplace_back(run, 0);
    for (std::uint32_t step = 0; step < kPastSteps; ++step) {
      for (auto& entry : batch) entry.second = step;
      journal.commit(batch);
    }
  }
  journal.sync(true);
  // What the past left in the page cache goes to the disk here, not in the first measured commit.
  for (int i = 0; i < 3; ++i) journal.commit({{draw_runs(random, 1, clock)[0], 0}});
  const std::size_t rounds = width == 1 ? 60 : width == 100 ? 20 : 6;
  std::vector<double> commits;
  std::vector<double> bare;
  std::uint64_t written = 0;
  double total_s = 0;
  double cpu = 0;
  std::vector<Run> last;
  std::map<Run, std::vector<std::uint64_t>> numbers;
  for (std::size_t round = 0; round < rounds; ++round) {
    last = draw_runs(random, width, clock);
    std::vector<std::pair<Run, std::uint32_t>> batch;
    for (const Run& run : last) batch.emplace_back(run, 0);
    numbers.clear();
    for (std::uint32_t step = 0; step < kSteps; ++step) {
      for (std::size_t i = 0; i < batch.size(); ++i) {
        batch[i].second = step;
        numbers[batch[i].first].push_back(journal.number() + 1 + i);
      }
      const std::uint64_t before = bytes_written();
      const double cpu_before = cpu_us();
      const auto start = Clock::now();
      journal.commit(batch);
      const std::chrono::duration<double> took = Clock::now() - start;
      cpu += cpu_us() - cpu_before;
      written += bytes_written() - before;
      commits.push_back(took.count() * 1e6);
      total_s += took.count();
      const auto again = Clock::now();
      one.commit();
      bare.push_back(std::chrono::duration<double, std::micro>(Clock::now() - again).count());
    }
  }
  const double steps = static_cast<double>(rounds * kSteps * width);
  return {median(commits), median(commits) / median(bare),
          steps / total_s, static_cast<double>(written) / steps,
          cpu / steps,     journal.read(last, kSteps, numbers)};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::printf("usage: layout_bench DIRECTORY [--past N]\n");
    return 2;
  }
  const std::size_t past = argc == 4 ? static_cast<std::size_t>(std::atoll(argv[3])) : 20'000;
  const fs::path directory = argv[1];
  for (const std::size_t width : {std::size_t{1}, std::size_t{100}, std::size_t{1000}}) {
    std::printf("%zu at once, after %zu runs\n", width, past);
    std::printf("  %-28s %10s %9s %9s %10s %8s %8s\n", "layout", "commit, us", "/ one row",
                "steps/s", "bytes/step", "cpu, us", "read, ns");
    for (const Layout& layout : kLayouts) {
      const Figures f = measure(directory, layout, width, past);
      std::printf("  %-28s %10.0f %9.2f %9.0f %10.0f %8.2f %8.0f\n",
                  std::string(layout.name).c_str(), f.commit_us, f.ratio, f.steps_per_s,
                  f.bytes_per_step, f.cpu_us_per_step, f.read_ns);
    }
  }
  fs::remove_all(directory);
  return 0;
}
