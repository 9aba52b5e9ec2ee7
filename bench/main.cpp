/// perdure_bench: Google Benchmark's options, and `--bars
/// [lone|many|sessions|replay|flat|blobs|large|tools|sagas]`.
#include "bench/bars.hpp"

#include <benchmark/benchmark.h>

#include <unistd.h>
#include <cstdio>
#include <cstring>
#include <string>

namespace {

using perdure::bench::Bar;
using perdure::bench::Report;

/// A directory that is gone when it ends. Below the working directory: /tmp is often no disk.
class Scratch {
 public:
  Scratch()
      : path_(std::filesystem::current_path() / ("perdure-bench-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

struct Measurement {
  const char* name;
  Report (*measure)(const std::filesystem::path&);
};
constexpr Measurement kMeasurements[] = {
    {"lone", &perdure::bench::measure_lone_session},
    {"many", &perdure::bench::measure_many_sessions},
    {"sessions", &perdure::bench::measure_sessions},
    {"replay", &perdure::bench::measure_replay},
    {"flat", &perdure::bench::measure_flat_cost},
    {"blobs", &perdure::bench::measure_blobs},
    {"large", &perdure::bench::measure_large_results},
    {"tools", &perdure::bench::measure_tools},
    {"sagas", &perdure::bench::measure_sagas},
};

/// `only`: one measurement's name, or null for all.
int print_bars(const char* only) {
  const Scratch scratch;
  bool all_ok = true;
  bool any = false;
  for (const Measurement& each : kMeasurements) {
    if (only != nullptr && std::strcmp(only, each.name) != 0) continue;
    any = true;
    const Report report = each.measure(scratch.path());
    for (const Bar& bar : report.bars) {
      std::printf("bar %s %.3f %.3f %s\n", bar.name.c_str(), bar.value, bar.limit,
                  bar.ok() ? "ok" : "short");
      all_ok = all_ok && bar.ok();
    }
    for (const std::string& note : report.notes) std::printf("    %s\n", note.c_str());
    std::fflush(stdout);
  }
  if (!any) {
    std::fprintf(stderr,
                 "no measurement is called %s: lone, many, sessions, replay, flat, blobs, large, "
                 "tools or sagas\n",
                 only);
    return 2;
  }
  return all_ok ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i)
    if (std::strcmp(argv[i], "--bars") == 0)
      return print_bars(i + 1 < argc ? argv[i + 1] : nullptr);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
