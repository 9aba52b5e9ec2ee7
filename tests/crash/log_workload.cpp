// A process to be killed that commits batches (log_batches.hpp) to a store with a write-ahead log,
// which is so small that it goes round every few batches.
//
// usage: crash_log_workload GENERATION OUTSIDE LABEL [TELL]
// OUTSIDE is the file for what becomes known; LABEL is a part of each batch's nonce; TELL is
// written a byte to for each line. PERDURE_CRASH_DURABILITY: full, none, or mixed.
// PERDURE_LOG_BATCHES=N: so many. PERDURE_LOG_SETTLES=1: then everything goes into the tables.
#include "core/crash_point.hpp"
#include "journal/lmdb_store.hpp"
#include "journal/wal_store.hpp"
#include "tests/crash/log_batches.hpp"
#include "tests/crash/log_lives.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

namespace {

using namespace perdure;
using namespace std::chrono_literals;

constexpr unsigned kLifeSeconds = 100;

int outside = -1;
int tell = -1;

void note(std::string_view word, std::uint64_t number, const std::string& nonce) {
  const std::string line = std::string(word) + " " + std::to_string(number) + " " + nonce + "\n";
  if (::write(outside, line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::abort();
  if (tell >= 0 && ::write(tell, "n", 1) != 1) std::abort();
}

std::string from_environment(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
}

Result<void> work(const char* generation, const std::string& label) {
  PERDURE_TRY(const auto tables, journal::LmdbStore::open(generation, journal::LmdbAccess::write));
  PERDURE_TRY(const auto store,
              journal::WalStore::open(generation, crash::kLogJournal, *tables, crash::small_log()));
  std::uint64_t number = crash::last_batch(crash::all_rows(*store));
  note("durable", number, "-");
  const std::string durability = from_environment("PERDURE_CRASH_DURABILITY");
  for (int left = std::atoi(from_environment("PERDURE_LOG_BATCHES").c_str()); left > 0; --left) {
    const std::string nonce = label + "." + std::to_string(++number);
    const crash::LogBatch batch(number, nonce);
    const bool is_full = durability == "full" || (durability == "mixed" && number % 3 == 0);
    note("begin", number, nonce);
    PERDURE_TRY(store->commit(batch.mutations(),
                              is_full ? journal::Durability::full : journal::Durability::none));
    core::crash_point(core::CrashPoint::commit_after);
    note(is_full ? "full" : "none", number, nonce);
  }
  if (from_environment("PERDURE_LOG_SETTLES") != "1") return success();
  PERDURE_TRY(store->checkpoint());
  note("durable", number, "-");
  return success();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4 || !core::arm_crash_point_from_environment()) return 2;
  ::alarm(kLifeSeconds);
  outside = ::open(argv[2], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (outside < 0) return 2;
  if (argc > 4) tell = std::atoi(argv[4]);
  const Result<void> worked = work(argv[1], argv[3]);
  if (worked) return 0;
  std::cerr << worked.error().to_string() << '\n';
  return 1;
}
