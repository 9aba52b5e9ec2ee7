// A process to be killed that puts blobs (blob_lives.hpp) from two threads, the same ones in
// another order, some of them several times.
//
// usage: crash_blob_workload JOURNAL OUTSIDE LABEL [TELL]
// OUTSIDE is the file for what is acknowledged; TELL is written a byte to for each line.
// PERDURE_CRASH_DURABILITY: full, or mixed. PERDURE_BLOBS=N: so many contents.
#include "core/crash_point.hpp"
#include "journal/blob_store.hpp"
#include "tests/crash/blob_lives.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <mutex>
#include <thread>

namespace {

using namespace perdure;
using journal::Durability;

constexpr unsigned kLifeSeconds = 100;

int outside = -1;
int tell = -1;
std::mutex noting;

void note(std::uint64_t number) {
  const std::lock_guard lock(noting);
  const std::string line = std::to_string(number) + "\n";
  if (::write(outside, line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::abort();
  if (tell >= 0 && ::write(tell, "n", 1) != 1) std::abort();
}

std::string from_environment(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
}

/// One of these by turns at once, or in pieces.
Result<journal::BlobRef> put(journal::BlobStore& store, std::uint64_t number,
                             Durability durability) {
  const core::Bytes content = crash::blob_content(number);
  if (number % 2 == 0) return store.put(content, durability);
  PERDURE_TRY(const auto writer, store.begin(durability));
  PERDURE_TRY(writer->append(core::ByteView(content).first(content.size() / 3)));
  PERDURE_TRY(writer->append(core::ByteView(content).subspan(content.size() / 3)));
  return writer->finish();
}

Result<void> work(journal::BlobStore& store, std::uint64_t first, std::uint64_t step) {
  const bool is_mixed = from_environment("PERDURE_CRASH_DURABILITY") == "mixed";
  const std::uint64_t count = std::strtoull(from_environment("PERDURE_BLOBS").c_str(), nullptr, 10);
  for (std::uint64_t i = 0; i < 2 * count; ++i) {
    const std::uint64_t number = (first + i * step) % count;
    // The first time perhaps without syncs; what is acknowledged the second time is durable.
    if (is_mixed && i < count && number % 3 != 0) {
      PERDURE_TRY(put(store, number, Durability::none));
      continue;
    }
    PERDURE_TRY(put(store, number, Durability::full));
    note(number);
  }
  return success();
}

Result<void> live(const char* journal) {
  PERDURE_TRY(const auto store, journal::BlobStore::open(journal, crash::blob_options()));
  Result<void> other = success();
  std::thread thread([&] { other = work(*store, 1, 1); });
  Result<void> one = work(*store, 0, 5);
  thread.join();
  PERDURE_TRY(std::move(one));
  return other;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4 || !core::arm_crash_point_from_environment()) return 2;
  ::alarm(kLifeSeconds);
  outside = ::open(argv[2], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (outside < 0) return 2;
  if (argc > 4) tell = std::atoi(argv[4]);
  const Result<void> lived = live(argv[1]);
  if (lived) return 0;
  std::cerr << lived.error().to_string() << '\n';
  return 1;
}
