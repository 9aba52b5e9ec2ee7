#include "tests/crash/log_rows.hpp"

#include "journal/lmdb_store.hpp"
#include "journal/record.hpp"

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>

namespace perdure::crash {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kUnit = 4096;
constexpr std::size_t kHeader = 40;

template <class T>
T number_at(std::string_view bytes, std::size_t offset) {
  T number{};
  std::memcpy(&number, bytes.data() + offset, sizeof number);
  return number;
}

template <class T>
T value_of(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().to_string());
  return std::move(result).value();
}

/// As docs/journal_format.md says: the identity's 16 bytes, hashed.
std::uint64_t seed_of(core::Hash128 journal) {
  std::string bytes;
  for (const std::uint64_t half : {journal.high, journal.low})
    for (unsigned shift = 64; shift != 0; shift -= 8)
      bytes.push_back(static_cast<char>(half >> (shift - 8)));
  return core::checksum(core::as_bytes(bytes));
}

/// Where in the chain an entry stands: its number, and the checksum of the one before.
using Link = std::pair<std::uint64_t, std::uint64_t>;

/// Everything in the file that is whole.
std::map<Link, std::string_view> entries_in(std::string_view wal, std::uint64_t seed,
                                            std::vector<std::string>& findings) {
  std::map<Link, std::string_view> entries;
  for (std::size_t at = kUnit; at + kHeader <= wal.size(); at += kUnit) {
    const std::size_t size = number_at<std::uint32_t>(wal, at + 24);
    if (size < kHeader || size > wal.size() - at) continue;
    const std::string_view entry = wal.substr(at, size);
    if (core::checksum(core::as_bytes(entry.substr(8)), seed) != number_at<std::uint64_t>(entry, 0))
      continue;
    const Link link{number_at<std::uint64_t>(entry, 8), number_at<std::uint64_t>(entry, 16)};
    const auto [known, is_new] = entries.emplace(link, entry);
    if (!is_new && known->second != entry)
      findings.push_back("the log has two entries " + std::to_string(link.first) +
                         " behind the same one");
  }
  return entries;
}

void put_on_top(std::string_view entry, Rows& rows) {
  std::size_t at = kHeader;
  for (auto left = number_at<std::uint32_t>(entry, 28); left > 0; --left) {
    const auto table = static_cast<journal::Table>(number_at<std::uint8_t>(entry, at));
    const bool is_erased = number_at<std::uint8_t>(entry, at + 1) == 1;
    const std::size_t key = number_at<std::uint16_t>(entry, at + 2);
    const std::size_t value = number_at<std::uint32_t>(entry, at + 4);
    const std::pair row{table, std::string(entry.substr(at + 8, key))};
    if (is_erased) {
      rows.erase(row);
    } else {
      rows[row] = entry.substr(at + 8 + key, value);
    }
    at += (8 + key + value + 7) / 8 * 8;
  }
}

/// Up to which entry the tables have everything.
Link applied_in(journal::Store& tables) {
  const auto snapshot = value_of(tables.snapshot());
  const journal::Key key = journal::Key{}.add(journal::kCheckpointRow);
  const auto value = value_of(snapshot->get(journal::Table::meta, key));
  if (!value) return {0, 0};
  journal::RecordBuffer buffer;
  if (!buffer.load(key.view(), *value)) throw std::runtime_error("the checkpoint is damaged");
  const auto row = value_of(buffer.as<journal::Checkpoint>());
  return {row.batch, row.checksum};
}

}  // namespace

Rows all_rows(journal::Store& store) {
  Rows rows;
  const auto snapshot = value_of(store.snapshot());
  const journal::Key checkpoint = journal::Key{}.add(journal::kCheckpointRow);
  for (std::size_t table = 1; table <= journal::kTableCount; ++table) {
    const auto named = static_cast<journal::Table>(table);
    const auto cursor = value_of(snapshot->scan(named, {}, {}));
    while (value_of(cursor->next()))
      rows[{named, std::string(core::as_text(cursor->key()))}] = core::as_text(cursor->value());
  }
  rows.erase({journal::Table::meta, std::string(core::as_text(checkpoint.view()))});
  return rows;
}

std::vector<std::string> differ_by_another_way(const fs::path& generation, core::Hash128 journal,
                                               const Rows& read) {
  std::vector<std::string> findings;
  const auto tables = value_of(journal::LmdbStore::open(generation, journal::LmdbAccess::read));
  Rows rows = all_rows(*tables);
  std::ifstream in(generation / "wal", std::ios::binary);
  const std::string wal{std::istreambuf_iterator<char>(in), {}};
  const auto entries = entries_in(wal, seed_of(journal), findings);
  auto [batch, checksum] = applied_in(*tables);
  for (;;) {
    const auto next = entries.find({batch + 1, checksum});
    if (next == entries.end()) break;
    put_on_top(next->second, rows);
    batch += 1;
    checksum = number_at<std::uint64_t>(next->second, 0);
  }
  if (rows != read)
    findings.push_back("the journal's rows up to entry " + std::to_string(batch) +
                       " of its log are not those that are read from it");
  return findings;
}

}  // namespace perdure::crash
