/// What the tests of stores share: batches spelled out, rows read back, and a place on disk.
#pragma once

#include "journal/store.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
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

/// A batch that owns its values; of two mutations of a row the later one counts.
class TestBatch {
 public:
  TestBatch& put(Table table, const Key& key, std::string value) {
    rows_[{table, key}] = std::move(value);
    return *this;
  }
  TestBatch& erase(Table table, const Key& key) {
    rows_[{table, key}] = std::nullopt;
    return *this;
  }
  [[nodiscard]] Result<void> commit(Store& store, Durability durability = Durability::full) {
    std::vector<Mutation> batch;
    for (const auto& [row, value] : rows_) {
      if (value)
        batch.push_back({row.first, Mutation::Kind::put, row.second, core::as_bytes(*value)});
      else
        batch.push_back({row.first, Mutation::Kind::erase, row.second, {}});
    }
    return store.commit(batch, durability);
  }

 private:
  std::map<std::pair<Table, Key>, std::optional<std::string>> rows_;
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
