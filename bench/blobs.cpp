// Results of a megabyte, which go to blobs: put, and read again, beside a bare sequential write of
// the same bytes to one file, synced after each megabyte.
#include "bench/bars.hpp"
#include "core/random.hpp"
#include "journal/blob_store.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace perdure::bench {
namespace {

namespace fs = std::filesystem;
using journal::BlobRef;
using journal::BlobStore;
using journal::Durability;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kBytes = std::size_t{1} << 20U;
constexpr int kRounds = 7;
constexpr int kBlobs = 48;

/// Content that no other has, since equal content would be stored once.
class Contents {
 public:
  Contents() {
    core::SeededRandom random(1);
    random.fill(noise_);
    std::string words;
    while (words.size() < kBytes)
      words += "{\"id\":" + std::to_string(random.next() % 100'000) + ",\"name\":\"item " +
               std::to_string(random.next() % 1000) + "\",\"is_open\":true},";
    std::memcpy(words_.data(), words.data(), kBytes);
  }
  core::Bytes noise() { return numbered(noise_); }
  core::Bytes words() { return numbered(words_); }

 private:
  core::Bytes numbered(const core::Bytes& like) {
    core::Bytes content = like;
    const std::uint64_t number = ++number_;
    for (std::size_t at = 0; at < kBytes; at += kBytes / 8)
      std::memcpy(content.data() + at, &number, sizeof number);
    return content;
  }
  core::Bytes noise_ = core::Bytes(kBytes);
  core::Bytes words_ = core::Bytes(kBytes);
  std::uint64_t number_ = 0;
};

/// Megabytes a second of `kBlobs` of them.
template <class Body>
double rate_of(Body&& body) {
  const auto start = Clock::now();
  body();
  return kBlobs / std::chrono::duration<double>(Clock::now() - start).count();
}

void must(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "blobs: %s\n", what);
  std::exit(1);
}

double bare_rate(const fs::path& file, const std::vector<core::Bytes>& contents) {
  const int out = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  must(out >= 0, "no file for the bare write");
  const double rate = rate_of([&] {
    for (const core::Bytes& content : contents)
      must(::write(out, content.data(), content.size()) == static_cast<ssize_t>(content.size()) &&
               ::fdatasync(out) == 0,
           "the bare write failed");
  });
  ::close(out);
  fs::remove(file);
  return rate;
}

double put_rate(BlobStore& store, const std::vector<core::Bytes>& contents, int threads,
                std::vector<BlobRef>& refs) {
  refs.assign(contents.size(), {});
  std::atomic<std::size_t> next = 0;
  return rate_of([&] {
    std::vector<std::thread> running;
    for (int i = 0; i < threads; ++i)
      running.emplace_back([&] {
        for (std::size_t mine = 0; (mine = next++) < contents.size();)
          refs[mine] = store.put(contents[mine], Durability::full).value();
      });
    for (std::thread& thread : running) thread.join();
  });
}

/// As the page cache has them.
double read_rate(const BlobStore& store, const std::vector<BlobRef>& refs) {
  return rate_of([&] {
    for (const BlobRef& ref : refs)
      must(store.directory().get(ref, kBytes).value().size() == kBytes, "a blob is short");
  });
}

struct Samples {
  std::vector<double> ratios;
  std::vector<double> rates;
  void add(double rate, double bare) {
    rates.push_back(rate);
    ratios.push_back(rate / bare);
  }
};

std::string words_of(const char* what, const Samples& samples) {
  char line[160];
  std::snprintf(line, sizeof line, "%-46s %7.0f MiB/s, of the bare write %.2f (%.2f to %.2f)", what,
                percentile(samples.rates, 0.5), percentile(samples.ratios, 0.5),
                percentile(samples.ratios, 0.0), percentile(samples.ratios, 1.0));
  return line;
}

}  // namespace

Report measure_blobs(const fs::path& where) {
  const fs::path directory = where / "blobs";
  fs::create_directories(directory);
  Contents contents;
  Samples lone;
  Samples lone_words;
  Samples many;
  std::vector<double> bare;
  std::vector<double> reads;
  std::vector<double> reads_of_words;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<core::Bytes> noise[2];
    std::vector<core::Bytes> words;
    for (int i = 0; i < kBlobs; ++i) {
      for (auto& each : noise) each.push_back(contents.noise());
      words.push_back(contents.words());
    }
    const fs::path journal = directory / std::to_string(round);
    fs::create_directory(journal);
    {
      const auto store = BlobStore::open(journal, {}).value();
      std::vector<BlobRef> refs;
      // Before each, since the disk changes its mind from second to second.
      double raw = bare_rate(directory / "bare", noise[0]);
      bare.push_back(raw);
      lone.add(put_rate(*store, noise[0], 1, refs), raw);
      reads.push_back(read_rate(*store, refs));
      raw = bare_rate(directory / "bare", noise[0]);
      many.add(put_rate(*store, noise[1], 4, refs), raw);
      raw = bare_rate(directory / "bare", noise[0]);
      lone_words.add(put_rate(*store, words, 1, refs), raw);
      reads_of_words.push_back(read_rate(*store, refs));
    }
    fs::remove_all(journal);
  }
  Report report;
  report.bars.push_back({"blob_puts_1mib_4_threads_over_sequential_write",
                         percentile(many.ratios, 0.5), 0.7, Bar::Kind::at_least});
  report.notes.push_back("bare write and fdatasync of 1 MiB: " +
                         std::to_string(static_cast<int>(percentile(bare, 0.5))) + " MiB/s");
  report.notes.push_back(words_of("put, 1 MiB that does not shrink, one thread:", lone));
  report.notes.push_back(words_of("put, 1 MiB that does not shrink, 4 threads:", many));
  report.notes.push_back(words_of("put, 1 MiB of JSON, one thread:", lone_words));
  report.notes.push_back(
      "read whole, with its SHA-256, from the page cache: " +
      std::to_string(static_cast<int>(percentile(reads, 0.5))) + " MiB/s; JSON " +
      std::to_string(static_cast<int>(percentile(reads_of_words, 0.5))) + " MiB/s");
  return report;
}

}  // namespace perdure::bench
