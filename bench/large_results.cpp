// What a runtime does with results of a megabyte, beside a bare sequential write of the same bytes
// to one file, synced after each; and how much memory a step takes that writes a blob of a
// gigabyte.
#include "bench/bars.hpp"
#include "core/random.hpp"

#include <perdure/perdure.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace perdure::bench {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::size_t kBytes = std::size_t{1} << 20U;
constexpr int kRounds = 5;
constexpr int kRuns = 8;
constexpr int kSteps = 12;
constexpr int kFilmMegabytes = 1024;

/// A megabyte that no other is equal to, and that does not shrink.
std::string noise(std::uint64_t number) {
  static const std::string sample = [] {
    core::SeededRandom random(1);
    core::Bytes bytes(kBytes);
    random.fill(bytes);
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }();
  std::string content = sample;
  for (std::size_t at = 0; at < kBytes; at += kBytes / 8)
    std::memcpy(content.data() + at, &number, sizeof number);
  return content;
}

Task<std::uint64_t> make_large(Context& ctx, std::uint64_t seed) {
  std::uint64_t bytes = 0;
  for (std::uint64_t i = 0; i < kSteps; ++i)
    bytes += (co_await ctx.step("large", [&](Step&) { return noise(seed * kSteps + i); })).size();
  co_return bytes;
}
inline constexpr Agent maker{"maker", &make_large};

Task<Blob> make_film(Context& ctx, int megabytes) {
  const Blob film = co_await ctx.step("film", [&](Step& step) -> Result<Blob> {
    PERDURE_TRY(BlobWriter writer, step.create_blob());
    for (int i = 0; i < megabytes; ++i)
      PERDURE_TRY(writer.append(noise(1'000'000 + static_cast<std::uint64_t>(i))));
    return writer.finish();
  });
  co_await ctx.step("look", [&](Step& step) -> Result<void> {
    PERDURE_TRY(BlobReader reader, step.open_blob(film));
    std::vector<std::byte> piece(kBytes);
    for (;;) {
      PERDURE_TRY(const std::size_t got, reader.read(piece));
      if (got == 0) return success();
    }
  });
  co_return film;
}
inline constexpr Agent studio{"studio", &make_film};

void must(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "large results: %s\n", what);
  std::exit(1);
}

/// Megabytes a second.
double bare_rate(const fs::path& file, std::uint64_t seed, int count) {
  std::vector<std::string> contents;
  for (int i = 0; i < count; ++i) contents.push_back(noise(seed + static_cast<std::uint64_t>(i)));
  const int out = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  must(out >= 0, "no file for the bare write");
  const auto begun = Clock::now();
  for (const std::string& content : contents)
    must(::write(out, content.data(), content.size()) == static_cast<ssize_t>(content.size()) &&
             ::fdatasync(out) == 0,
         "the bare write failed");
  const double seconds = std::chrono::duration<double>(Clock::now() - begun).count();
  ::close(out);
  fs::remove(file);
  return count / seconds;
}

double result_rate(Runtime& runtime, int round) {
  const auto begun = Clock::now();
  std::vector<Run<std::uint64_t>> runs;
  for (int i = 0; i < kRuns; ++i) {
    const auto seed = static_cast<std::uint64_t>(1 + round * kRuns + i);
    runs.push_back(runtime.session(maker, std::to_string(seed)).start(seed).value());
  }
  for (const auto& run : runs) must(run.wait().value() == kSteps * kBytes, "a result is short");
  return kRuns * kSteps / std::chrono::duration<double>(Clock::now() - begun).count();
}

/// Of this process, in mebibytes: `VmRSS:`, what it has, or `VmHWM:`, the most that it had since
/// `forget_peak`.
double mebibytes(std::string_view which) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(which)) return std::atof(line.c_str() + which.size()) / 1024;
  return 0;
}
void forget_peak() { std::ofstream("/proc/self/clear_refs") << '5'; }

}  // namespace

Report measure_large_results(const fs::path& where) {
  Runtime runtime = Runtime::open({.journal = (where / "large.journal").string()}).value();
  runtime.serve(maker, studio);
  runtime.start().value();
  std::vector<double> bare;
  std::vector<double> rates;
  std::vector<double> shares;
  for (int round = 0; round < kRounds; ++round) {
    bare.push_back(bare_rate(where / "bare", static_cast<std::uint64_t>(10'000 + round * 100),
                             kRuns * kSteps));
    rates.push_back(result_rate(runtime, round));
    shares.push_back(rates.back() / bare.back());
  }
  forget_peak();
  const double before = mebibytes("VmRSS:");
  const auto begun = Clock::now();
  const Blob film = runtime.session(studio, "film").start(kFilmMegabytes).value().wait().value();
  const double seconds = std::chrono::duration<double>(Clock::now() - begun).count();
  must(film.size() == kFilmMegabytes * kBytes, "the film is short");
  Report report;
  report.bars.push_back(
      {"results_1mib_over_sequential_write", percentile(shares, 0.5), 0.7, Bar::Kind::at_least});
  report.bars.push_back(
      {"mebibytes_for_a_blob_of_1_gib", mebibytes("VmHWM:") - before, 64, Bar::Kind::at_most});
  char line[160];
  std::snprintf(line, sizeof line,
                "results of 1 MiB, 8 runs at once: %.0f a second (bare write %.0f MiB/s); 1 GiB "
                "written and read in %.1f s",
                percentile(rates, 0.5), percentile(bare, 0.5), seconds);
  report.notes.emplace_back(line);
  return report;
}

}  // namespace perdure::bench
