#include "bench/raw_lmdb.hpp"

#include <chrono>
#include <cstring>
#include <stdexcept>
#include <string>

namespace perdure::bench {
namespace {

void check(int code, const char* what) {
  if (code != 0) throw std::runtime_error(std::string(what) + ": " + mdb_strerror(code));
}

}  // namespace

RawLmdb::RawLmdb(const std::filesystem::path& directory) {
  std::filesystem::create_directories(directory);
  check(mdb_env_create(&env_), "mdb_env_create");
  check(mdb_env_set_maxdbs(env_, 8), "mdb_env_set_maxdbs");
  check(mdb_env_set_mapsize(env_, std::size_t{64} << 30U), "mdb_env_set_mapsize");
  check(mdb_env_open(env_, directory.c_str(), MDB_NOTLS, 0600), "mdb_env_open");
  MDB_txn* transaction = nullptr;
  check(mdb_txn_begin(env_, nullptr, 0, &transaction), "mdb_txn_begin");
  check(mdb_dbi_open(transaction, "records", MDB_CREATE, &table_), "mdb_dbi_open");
  check(mdb_txn_commit(transaction), "mdb_txn_commit");
}

RawLmdb::~RawLmdb() { mdb_env_close(env_); }

void RawLmdb::put(MDB_txn* transaction, const RunKey& key, std::size_t bytes) {
  unsigned char name[20] = {};
  std::memcpy(name, key.run.bytes.data(), key.run.bytes.size());
  for (std::size_t i = 0; i < 4; ++i)
    name[16 + i] = static_cast<unsigned char>(key.index >> (8 * (3 - i)));
  value_.assign(bytes, static_cast<unsigned char>(key.index));
  MDB_val k{sizeof name, name};
  MDB_val v{value_.size(), value_.data()};
  check(mdb_put(transaction, table_, &k, &v, 0), "mdb_put");
}

double RawLmdb::commit_one(std::size_t bytes) {
  const auto begun = std::chrono::steady_clock::now();
  MDB_txn* transaction = nullptr;
  check(mdb_txn_begin(env_, nullptr, 0, &transaction), "mdb_txn_begin");
  put(transaction, {RunId{}, next_++}, bytes);
  check(mdb_txn_commit(transaction), "mdb_txn_commit");
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begun)
      .count();
}

void RawLmdb::commit_batch(const std::vector<RunKey>& batch, std::size_t bytes) {
  MDB_txn* transaction = nullptr;
  check(mdb_txn_begin(env_, nullptr, 0, &transaction), "mdb_txn_begin");
  for (const RunKey& key : batch) put(transaction, key, bytes);
  check(mdb_txn_commit(transaction), "mdb_txn_commit");
}

}  // namespace perdure::bench
