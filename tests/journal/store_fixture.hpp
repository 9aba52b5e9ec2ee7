/// What the tests of stores share: batches spelled out, rows read back, and a place on disk.
#pragma once

#include "journal/store.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace perdure::journal {

/// A directory that goes away with it.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "perdure-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline Key number_key(std::uint64_t number) { return Key{}.add(number); }

/// A batch that owns its values and sorts itself.
class TestBatch {
 public:
  TestBatch& put(Table table, const Key& key, std::string value) {
    rows_.push_back({table, Mutation::Kind::put, key, std::move(value)});
    return *this;
  }
  TestBatch& erase(Table table, const Key& key) {
    rows_.push_back({table, Mutation::Kind::erase, key, {}});
    return *this;
  }
  [[nodiscard]] Result<void> commit(Store& store, Durability durability = Durability::full) {
    std::ranges::sort(rows_, [](const Row& a, const Row& b) {
      return a.table != b.table ? a.table < b.table : a.key < b.key;
    });
    std::vector<Mutation> batch;
    for (const Row& row : rows_)
      batch.push_back({row.table, row.kind, row.key, core::as_bytes(row.value)});
    return store.commit(batch, durability);
  }

 private:
  struct Row {
    Table table;
    Mutation::Kind kind;
    Key key;
    std::string value;
  };
  std::vector<Row> rows_;
};

/// The value at `key`, or "-" when there is none.
inline std::string value_at(Snapshot& snapshot, Table table, const Key& key) {
  const auto found = snapshot.get(table, key).value();
  return found ? std::string(core::as_text(*found)) : "-";
}
inline std::string value_at(Store& store, Table table, const Key& key) {
  const auto snapshot = store.snapshot().value();
  return value_at(*snapshot, table, key);
}

/// Keys in hexadecimal and values from `from` on within `prefix`.
inline std::vector<std::pair<std::string, std::string>> rows_of(Snapshot& snapshot, Table table,
                                                                const Key& from = {},
                                                                const Key& prefix = {}) {
  std::vector<std::pair<std::string, std::string>> rows;
  const auto cursor = snapshot.scan(table, from, prefix).value();
  while (cursor->next().value())
    rows.emplace_back(core::to_hex(cursor->key()), std::string(core::as_text(cursor->value())));
  return rows;
}

}  // namespace perdure::journal
