/// What the tests of pages share: journals of many shapes, their bytes, and what their rows are.
#pragma once

#include "core/random.hpp"
#include "journal/lmdb_store.hpp"
#include "journal/page_checker.hpp"
#include "tests/journal/journal_fixture.hpp"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace perdure::journal {

inline std::string content_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return std::move(text).str();
}
inline void write_content(const std::filesystem::path& file, std::string_view bytes) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}

/// All rows of a store, by table and key.
using AllRows = std::map<std::pair<Table, std::string>, std::string>;
inline AllRows all_rows(Store& store) {
  AllRows rows;
  const auto snapshot = store.snapshot().value();
  for (std::size_t t = 1; t <= kTableCount; ++t) {
    const auto table = static_cast<Table>(t);
    const auto cursor = snapshot->scan(table, {}, {}).value();
    while (cursor->next().value())
      rows[{table, std::string(core::as_text(cursor->key()))}] = core::as_text(cursor->value());
  }
  return rows;
}

/// A sealed row whose body is `bytes` bytes of no meaning: pages and envelopes are sound.
inline std::string sealed(const Key& key, Kind kind, std::size_t bytes, RecordNumber number = 1) {
  core::Bytes value(kEnvelopeBytes + bytes, std::byte{0x5A});
  seal(key.view(), value, kind, number);
  return std::string(core::as_text(value));
}

/// Random changes of a store: rows of every table come, change and go, small and large.
class RandomChanges {
 public:
  RandomChanges(Store& store, std::uint64_t seed) : store_(store), random_(seed) {}

  [[nodiscard]] std::uint64_t below(std::uint64_t limit) { return random_.next() % limit; }
  /// One transaction of up to `most` rows.
  [[nodiscard]] Result<void> commit(std::uint64_t most) {
    TestBatch batch;
    for (std::uint64_t i = below(most) + 1; i > 0; --i) {
      const auto table = static_cast<Table>(2 + below(kTableCount - 1));
      const Key key = Key{}.add(below(500)).add(std::uint64_t{1});
      if (below(3) == 0)
        batch.erase(table, key);
      else
        batch.put(table, key, sealed(key, Kind::ready, size()));
    }
    return batch.commit(store_, Durability::none);
  }

 private:
  /// Mostly small, at times about what goes to pages of its own, seldom large.
  std::size_t size() {
    switch (below(20)) {
      case 0: return below(200'000);
      case 1: return 1900 + below(200);
      case 2: return 4000 + below(200);
      default: return below(120);
    }
  }

  Store& store_;
  core::SeededRandom random_;
};

inline std::string words_of(const PageReport& report) {
  std::string words;
  for (const PageFinding& finding : report.findings)
    words += finding.tree + ": " + finding.what + " at " + std::to_string(finding.offset) + "\n";
  return words;
}

}  // namespace perdure::journal
