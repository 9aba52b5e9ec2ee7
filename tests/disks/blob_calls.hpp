/// System calls on a journal's blobs, written down, and failing when a test says so.
///
/// What this is: the test program's own `pwrite`, `fdatasync`, `fsync`, `rename`, `unlink` and
/// `mkdir`, which the linker prefers to the C library's.
/// What it promises: only calls on what has `/blobs` in its path, or contains it, are written down
/// and meet faults. Thread: any.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

namespace perdure::test {

/// One call that succeeded; paths are relative to the journal's directory, which is `.`.
struct BlobCall {
  enum class What { write, sync, rename, remove, make };
  What what;
  std::string path;
  std::string to = {};
  friend bool operator==(const BlobCall&, const BlobCall&) = default;
};

struct BlobFaults {
  /// Errno of every one; 0: none fails.
  std::atomic<int> write{0};
  std::atomic<int> file_sync{0};
  std::atomic<int> directory_sync{0};
  std::atomic<int> rename{0};
  std::atomic<int> make{0};
  /// If not negative, so many bytes are written before `write` holds.
  std::atomic<long> bytes_left{-1};
  /// Called before each sync of a shelf, which is a directory of blobs.
  std::function<void()> before_shelf_sync = {};

  void clear();
};
extern BlobFaults blob_faults;

/// From here on, in the journal in `directory`.
void record_blob_calls(const std::string& directory);
[[nodiscard]] std::vector<BlobCall> blob_calls();

}  // namespace perdure::test
