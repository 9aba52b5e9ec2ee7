#include "bench/costs.hpp"

#include <sys/resource.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <new>
#include <string>

namespace {

std::atomic<std::uint64_t> allocations{0};

void* allocate(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* const memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}

}  // namespace

// Replaced so that calls are counted. The array and sized forms of the library come here.
void* operator new(std::size_t size) { return allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace perdure::bench {

Used used_so_far() {
  Used used;
  used.allocations = allocations.load();
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  used.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  std::ifstream io("/proc/self/io");
  std::string word;
  std::uint64_t number = 0;
  while (io >> word >> number)
    // Not write_bytes, which counts the whole of a large folio of which one page was written.
    if (word == "wchar:") used.written_bytes = number;
  return used;
}

}  // namespace perdure::bench
