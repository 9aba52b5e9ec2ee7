/// What the parts of a step cost, in nanoseconds: payloads and records.
#include <perdure/perdure.hpp>

#include "journal/change.hpp"
#include "journal/record.hpp"

#include <benchmark/benchmark.h>

#include <string>

namespace perdure::bench {

struct Booking {
  std::string id;
  int price_cents = 0;
};
PERDURE_DESCRIBE(Booking, id, price_cents);

namespace {

const Booking kBooking{"LX-1234-2026", 12'345};

void encode_struct(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(encode(kBooking));
}
BENCHMARK(encode_struct);

void decode_struct(benchmark::State& state) {
  const Bytes bytes = encode(kBooking).value();
  for (auto _ : state) benchmark::DoNotOptimize(decode<Booking>(bytes));
}
BENCHMARK(decode_struct);

void encode_int(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(encode(42));
}
BENCHMARK(encode_int);

void decode_int(benchmark::State& state) {
  const Bytes bytes = encode(42).value();
  for (auto _ : state) benchmark::DoNotOptimize(decode<int>(bytes));
}
BENCHMARK(decode_int);

void append_step_result(benchmark::State& state) {
  const Bytes payload = encode(kBooking).value();
  const std::uint32_t path = 7;
  journal::StepResult result;
  result.path = {&path, 1};
  result.name = "book a flight to Lisbon";
  result.type = "Booking";
  result.payload = payload;
  for (auto _ : state) {
    journal::Change change;
    change.append(RunId{}, 1, result);
    benchmark::DoNotOptimize(change.bytes());
  }
}
BENCHMARK(append_step_result);

}  // namespace
}  // namespace perdure::bench
