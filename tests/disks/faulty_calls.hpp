/// System calls that fail when a test says so.
///
/// What this is: the test program's own `pwrite`, `writev`, `write`, `fallocate`, `statfs`,
/// `fdatasync` and `fsync`, which the linker prefers to the C library's, for LMDB as well. They do
/// what the kernel does, until a fault is ordered.
/// What it promises: only calls on files named data.mdb (the tables) and wal (the log) meet faults,
/// but for `statfs`. Thread: any.
#pragma once

#include <atomic>
#include <string>

namespace perdure::test {

struct Faults {
  /// Of the tables. Errno of every `fdatasync`; 0: none fails.
  std::atomic<int> sync{0};
  /// Errno of every write of pages (not of a meta page).
  std::atomic<int> pages{0};
  /// So many bytes of pages are written before they fail with `pages`, or are cut short when that
  /// is 0 and this is not negative.
  std::atomic<long> bytes_left{-1};
  /// Somebody frees room right after the next write that is cut short.
  std::atomic<bool> room_comes{false};
  /// Errno of the writes of a meta page.
  std::atomic<int> meta{0};
  /// Of the log. Errno of every `fdatasync` and `fsync`; 0: none fails.
  std::atomic<int> log_sync{0};
  /// Errno of every write.
  std::atomic<int> log_write{0};
  /// Errno of every write at the end of the file or behind it.
  std::atomic<int> log_growth{0};
  /// If not negative, so many bytes are written, and the write behind them fails with ENOSPC; those
  /// after it don't.
  std::atomic<long> log_bytes_left{-1};
  /// The magic number that `statfs` gives of every file system; 0: the true one.
  std::atomic<long> file_system{0};
  /// Calls seen so far.
  std::atomic<int> syncs{0};
  std::atomic<int> page_writes{0};
  std::atomic<int> meta_writes{0};
  std::atomic<int> log_syncs{0};

  /// No call fails from here on.
  void clear() noexcept;
};
extern Faults faults;
/// `"log_sync"` and so on, for the name of a test with this fault.
[[nodiscard]] std::string fault_name(const std::atomic<int>* fault);

/// No call fails before the test, nor after it.
class NoFaultsAround {
 public:
  NoFaultsAround() { faults.clear(); }
  NoFaultsAround(const NoFaultsAround&) = delete;
  NoFaultsAround& operator=(const NoFaultsAround&) = delete;
  ~NoFaultsAround() { faults.clear(); }
};

}  // namespace perdure::test
