// What records and snapshots cost, in nanoseconds: a program to run by hand
// (docs/decisions/0001-journal-layout.md).
//
// usage: record_costs DIRECTORY
//
// DIRECTORY is made, filled with a journal of 1,000 runs of 20 steps of about 150 bytes, and
// removed.

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "journal/change.hpp"
#include "journal/lmdb_store.hpp"
#include "journal/reader.hpp"
#include "journal/record.hpp"

namespace {

using namespace perdure::journal;
using perdure::RunId;
namespace core = perdure::core;

constexpr std::uint32_t kRuns = 1000;
constexpr std::uint32_t kSteps = 20;

/// Nanoseconds an iteration, the best of five rounds.
template <class Body>
double measure(std::size_t iterations, Body&& body) {
  double best = 1e18;
  for (int round = 0; round < 5; ++round) {
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < iterations; ++i) body(i);
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
    best = std::min(best, took.count() / static_cast<double>(iterations));
  }
  return best;
}

void print(const char* what, double nanoseconds) {
  std::printf("%-44s %8.1f ns\n", what, nanoseconds);
}

RunId run_of(std::uint32_t number) {
  RunId run;
  for (std::size_t i = 0; i < 4; ++i)
    run.bytes[i] = std::byte{static_cast<unsigned char>(number >> (24 - 8 * i))};
  return run;
}

struct Sample {
  std::vector<std::uint32_t> path{3, 1};
  core::Bytes payload = core::Bytes(64, std::byte{7});
  StepResult result;
  Sample() {
    result.path = path;
    result.name = "charge the card";
    result.type = "Receipt";
    result.stamp = 1'700'000'000'123'456;
    result.busy_us = 1234;
    result.payload = payload;
  }
};

template <class T>
T must(perdure::Result<T> result) {
  if (!result) {
    std::printf("%s\n", result.error().message.c_str());
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return std::move(result).value();
}

void records() {
  const Sample sample;
  core::Bytes bytes;
  print("encode_body", measure(1'000'000, [&](std::size_t) {
          bytes.resize(kEnvelopeBytes);
          encode_body(sample.result, bytes);
        }));
  std::printf("%-44s %8zu bytes\n", "a sealed StepResult", bytes.size());
  const Key key = Key{}.add(run_of(1)).add(std::uint32_t{7});
  print("seal",
        measure(1'000'000, [&](std::size_t i) { seal(key.view(), bytes, Kind::step_result, i); }));
  RecordBuffer buffer;
  print("RecordBuffer::load",
        measure(1'000'000, [&](std::size_t) { must(buffer.load(key.view(), bytes)); }));
  std::uint64_t sum = 0;
  print("RecordBuffer::as<StepResult>", measure(1'000'000, [&](std::size_t) {
          sum += must(buffer.as<StepResult>()).payload.size();
        }));
  print("Change of a step: result and head", measure(300'000, [&](std::size_t i) {
          Change change;
          change.append(run_of(1), static_cast<std::uint32_t>(i & 1023U), sample.result);
          change.put(Table::records, Key{}.add(run_of(1)).add(kHeadIndex),
                     HeadRow{7, RunStatus::running, 1, perdure::Code::user, {}});
          sum += change.bytes();
        }));
  std::printf("%-44s %8zu\n", "(sum)", static_cast<std::size_t>(sum));
}

void fill(Store& store) {
  const Sample sample;
  std::vector<core::Bytes> values;
  std::vector<Mutation> batch;
  values.reserve(kRuns * (kSteps + 1));
  const auto put = [&](const Key& key, const auto& value) {
    core::Bytes& bytes = values.emplace_back(kEnvelopeBytes);
    encode_body(value, bytes);
    seal(key.view(), bytes, std::remove_cvref_t<decltype(value)>::kKind, 1);
    batch.push_back({Table::records, Mutation::Kind::put, key, bytes});
  };
  for (std::uint32_t run = 0; run < kRuns; ++run) {
    for (std::uint32_t step = 0; step < kSteps; ++step)
      put(Key{}.add(run_of(run)).add(step), sample.result);
    put(Key{}.add(run_of(run)).add(kHeadIndex),
        HeadRow{kSteps, RunStatus::running, 1, perdure::Code::user, {}});
  }
  must(store.commit(batch, Durability::full));
}

void reads(const char* name, Store& store) {
  std::printf("--- %s\n", name);
  fill(store);
  print("snapshot", measure(200'000, [&](std::size_t) { must(store.snapshot()); }));
  const auto snapshot = must(store.snapshot());
  print("get", measure(500'000, [&](std::size_t i) {
          const auto run = static_cast<std::uint32_t>(i * 7919 % kRuns);
          must(snapshot->get(Table::records, Key{}.add(run_of(run)).add(kHeadIndex)));
        }));
  std::size_t rows = 0;
  const double scan = measure(10, [&](std::size_t) {
    const auto cursor = must(snapshot->scan(Table::records, {}, {}));
    for (rows = 0; must(cursor->next()); ++rows) {
    }
  });
  print("a row of a whole scan", scan / static_cast<double>(rows));
  std::uint64_t sum = 0;
  const double replay = measure(5, [&](std::size_t) {
    Reader reader = must(Reader::open(store));
    for (std::uint32_t run = 0; run < kRuns; ++run) {
      RecordStream stream = must(reader.records(run_of(run)));
      while (const RecordBuffer* record = must(stream.next()))
        sum += must(record->as<StepResult>()).payload.size();
    }
  });
  print("a record read as replay reads (20 a run)", replay / (kRuns * kSteps));
  print("records() of a run, without reading", measure(100'000, [&](std::size_t i) {
          static Reader reader = must(Reader::open(store));
          must(reader.records(run_of(static_cast<std::uint32_t>(i % kRuns))));
        }));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::printf("usage: record_costs DIRECTORY\n");
    return 2;
  }
  records();
  {
    const std::filesystem::path directory = argv[1];
    std::filesystem::create_directories(directory);
    must(LmdbStore::create(directory));
    const auto lmdb = must(LmdbStore::open(directory, LmdbAccess::write));
    reads("LMDB store", *lmdb);
    std::filesystem::remove_all(directory);
  }
  return 0;
}
