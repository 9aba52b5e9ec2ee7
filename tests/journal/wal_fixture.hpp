/// What the tests of the write-ahead log share: batches with a model beside them, the bytes of the
/// log's file, and a disk that is full at a chosen byte.
#pragma once

#include "core/random.hpp"
#include "journal/wal_file.hpp"
#include "tests/journal/store_fixture.hpp"

#include <sys/resource.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace perdure::journal {

inline constexpr core::Hash128 kLogJournal{0x0123'4567'89AB'CDEF, 0xFEDC'BA98'7654'3210};

using RowKey = std::pair<Table, Key>;
/// What the tables have after some batches.
using Model = std::map<RowKey, std::string>;

/// A batch that owns its values, sorted, and what it means.
class Changes {
 public:
  Changes& put(Table table, const Key& key, std::string value) {
    rows_[{table, key}] = std::move(value);
    return *this;
  }
  Changes& erase(Table table, const Key& key) {
    rows_[{table, key}] = std::nullopt;
    return *this;
  }
  /// Borrowed from this.
  [[nodiscard]] std::vector<Mutation> mutations() const {
    std::vector<Mutation> batch;
    batch.reserve(rows_.size());
    for (const auto& [row, value] : rows_) {
      const auto kind = value ? Mutation::Kind::put : Mutation::Kind::erase;
      batch.push_back(
          {row.first, kind, row.second, value ? core::as_bytes(*value) : core::ByteView{}});
    }
    return batch;
  }
  void apply(Model& model) const {
    for (const auto& [row, value] : rows_) {
      if (value)
        model[row] = *value;
      else
        model.erase(row);
    }
  }
  [[nodiscard]] const std::map<RowKey, std::optional<std::string>>& rows() const { return rows_; }

 private:
  std::map<RowKey, std::optional<std::string>> rows_;
};

/// Random batches, the same ones for the same seed.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}
  std::uint64_t below(std::uint64_t end) { return random_.next() % end; }
  std::string text(std::uint64_t size) {
    std::string text(size, static_cast<char>('a' + below(26)));
    if (size != 0) text[below(size)] = static_cast<char>(below(256));
    return text;
  }
  /// Few different ones, many with the same first eight bytes; some empty unless `never_empty`.
  Key key(std::size_t bytes_min = 0) {
    static constexpr std::string_view kStart("same\0\0\xff\xff start", 14);
    Key key;
    const std::uint64_t kind = below(4);
    if (kind == 0) {
      key.add(core::as_bytes(kStart.substr(0, bytes_min + below(kStart.size() - bytes_min))));
    } else {
      if (kind == 1) key.add(core::as_bytes(kStart));
      key.add(std::uint32_t(below(3)));
      if (below(2) == 0) key.add_zero_byte();
      if (kind == 3) key.add(below(4) << 62U);
    }
    return key;
  }
  Changes changes(std::uint64_t rows_max, std::uint64_t value_max, std::size_t key_min = 0) {
    Changes changes;
    for (std::uint64_t i = below(rows_max + 1); i > 0; --i) {
      const auto table = static_cast<Table>(2 + below(kTableCount - 1));
      if (below(3) == 0)
        changes.erase(table, key(key_min));
      else
        changes.put(table, key(key_min), text(below(value_max + 1)));
    }
    return changes;
  }

 private:
  core::SeededRandom random_;
};

/// All rows but the log's own.
inline Model contents(Snapshot& snapshot) {
  const Key checkpoint = Key{}.add(kCheckpointRow);
  Model model;
  for (std::size_t i = 1; i <= kTableCount; ++i) {
    const auto table = static_cast<Table>(i);
    const auto cursor = snapshot.scan(table, {}, {}).value();
    while (cursor->next().value()) {
      const Key key = Key{}.add(cursor->key());
      if (table == Table::meta && key == checkpoint) continue;
      EXPECT_TRUE(model.emplace(RowKey{table, key}, core::as_text(cursor->value())).second);
    }
  }
  return model;
}
inline Model contents(Store& store) {
  const auto snapshot = store.snapshot().value();
  return contents(*snapshot);
}

inline std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
inline void set_bytes(const std::filesystem::path& file, std::string_view bytes) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}
/// Changes a file in place.
inline void patch(const std::filesystem::path& file, std::uint64_t place, std::string_view bytes) {
  std::fstream out(file, std::ios::binary | std::ios::in | std::ios::out);
  out.seekp(static_cast<std::streamoff>(place));
  out << bytes;
}
inline void flip(const std::filesystem::path& file, std::uint64_t place) {
  const char byte = bytes_of(file).at(place);
  patch(file, place, std::string(1, static_cast<char>(~byte)));
}

/// An entry of any bytes, whose checksum holds.
inline WalEntry sealed(std::string bytes, std::uint64_t seed) {
  const std::uint64_t checksum = core::checksum(core::as_bytes(bytes).subspan(8), seed);
  std::memcpy(bytes.data(), &checksum, sizeof checksum);
  WalEntry entry = WalEntry::with_room_for(bytes.size());
  std::ranges::fill(entry.padded(), std::byte{0});
  std::memcpy(entry.padded().data(), bytes.data(), bytes.size());
  return entry;
}

/// While it lives, no file of this process can be written at `bytes` or behind it: a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(std::uint64_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    EXPECT_EQ(::getrlimit(RLIMIT_FSIZE, &before_), 0);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    (void)::setrlimit(RLIMIT_FSIZE, &before_);
    (void)std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

}  // namespace perdure::journal
