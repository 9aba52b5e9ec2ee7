/// LMDB without Perdure: the raw limit that figures are held against.
#pragma once

#include <lmdb.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace perdure::bench {

/// One table; throws std::runtime_error when LMDB fails (a benchmark has nobody to tell).
class RawLmdb {
 public:
  explicit RawLmdb(const std::filesystem::path& directory);
  ~RawLmdb();
  RawLmdb(const RawLmdb&) = delete;
  RawLmdb& operator=(const RawLmdb&) = delete;

  /// Commits one record of `bytes` under a 20-byte key, synced; returns microseconds.
  double commit_one(std::size_t bytes);
  /// One record of `bytes` for each of `runs` runs (keys: run, index), in one synced transaction.
  void commit_batch(std::size_t runs, std::uint32_t index, std::size_t bytes, std::uint64_t first_run);

 private:
  void put(MDB_txn* transaction, std::uint64_t run, std::uint32_t index, std::size_t bytes);
  MDB_env* env_ = nullptr;
  MDB_dbi table_ = 0;
  std::vector<unsigned char> value_;
  std::uint32_t next_ = 0;
};

}  // namespace perdure::bench
