/// LMDB without Perdure: the raw limit that figures are held against.
#pragma once

#include <perdure/run_id.hpp>

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
  /// One record of `bytes` for each of `runs`, in one synced transaction.
  struct RunKey {
    RunId run;
    std::uint32_t index = 0;
  };
  void commit_batch(const std::vector<RunKey>& batch, std::size_t bytes);

 private:
  void put(MDB_txn* transaction, const RunKey& key, std::size_t bytes);
  MDB_env* env_ = nullptr;
  MDB_dbi table_ = 0;
  std::vector<unsigned char> value_;
  std::uint32_t next_ = 0;
};

}  // namespace perdure::bench
