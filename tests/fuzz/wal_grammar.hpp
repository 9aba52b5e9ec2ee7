/// The log's grammar once more.
///
/// What this is: what docs/journal_format.md, "The log", says of entries and rows, written for the
/// fuzz target alone, so that the code is held against something that shares nothing with it.
/// What it does not: care how long it takes.
#pragma once

#include "core/bytes.hpp"
#include "journal/user_rows.hpp"
#include "journal/wal_entry.hpp"

#include <compare>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace perdure::fuzz {

/// Little-endian; 0 where the bytes end.
template <class T>
[[nodiscard]] T number_at(const std::string& bytes, std::size_t at) {
  T number{};
  if (at + sizeof number <= bytes.size()) std::memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}
template <class T>
void set_number(std::string& bytes, std::size_t at, T number) {
  if (at + sizeof number <= bytes.size()) std::memcpy(bytes.data() + at, &number, sizeof number);
}

/// An entry whose checksum holds.
struct Sealed {
  std::uint64_t checksum = 0;
  std::uint64_t batch = 0;
  std::uint64_t previous = 0;
  std::string bytes;
  bool is_sure = false;
};
[[nodiscard]] inline std::optional<Sealed> sealed_at(const std::string& file, std::size_t place,
                                                     std::uint64_t seed) {
  if (place + journal::kWalEntryHeader > file.size()) return std::nullopt;
  const auto size = number_at<std::uint32_t>(file, place + 24);
  if (size < journal::kWalEntryHeader || size > journal::kWalEntryMax) return std::nullopt;
  if (size > file.size() - place) return std::nullopt;
  const core::ByteView behind = core::as_bytes(file).subspan(place + 8, size - 8);
  const auto checksum = number_at<std::uint64_t>(file, place);
  if (core::checksum(behind, seed) != checksum) return std::nullopt;
  return Sealed{checksum, number_at<std::uint64_t>(file, place + 8),
                number_at<std::uint64_t>(file, place + 16), file.substr(place, size),
                (number_at<std::uint32_t>(file, place + 32) & 1U) != 0};
}

struct RowKey {
  journal::Table table;
  std::string key;
  friend auto operator<=>(const RowKey&, const RowKey&) = default;
};
using Versions = std::map<RowKey, std::optional<std::string>>;
using Rows = std::vector<std::pair<RowKey, std::optional<std::string>>>;

/// The rows of an entry, or empty where there is something in it that nobody knows.
[[nodiscard]] inline std::optional<Rows> rows_of(const std::string& entry) {
  Rows rows;
  std::size_t at = journal::kWalEntryHeader;
  for (auto left = number_at<std::uint32_t>(entry, 28); left > 0; --left) {
    if (entry.size() - at < 8) return std::nullopt;
    const auto table = number_at<std::uint8_t>(entry, at);
    const auto kind = number_at<std::uint8_t>(entry, at + 1);
    const std::size_t key = number_at<std::uint16_t>(entry, at + 2);
    const std::size_t value = number_at<std::uint32_t>(entry, at + 4);
    const std::size_t size = (8 + key + value + 7) / 8 * 8;
    if (size > entry.size() - at || table == 0 || table > journal::kTableCount || kind > 1 ||
        key > (static_cast<journal::Table>(table) == journal::Table::rows
                   ? journal::kUserRowKeyBytes
                   : journal::Key::kCapacity))
      return std::nullopt;
    std::optional<std::string> bytes = entry.substr(at + 8 + key, value);
    if (kind == 1) bytes.reset();
    rows.push_back(
        {{static_cast<journal::Table>(table), entry.substr(at + 8, key)}, std::move(bytes)});
    at += size;
  }
  return rows;
}
[[nodiscard]] inline bool is_sorted(const Rows& rows) {
  for (std::size_t i = 1; i < rows.size(); ++i)
    if (!(rows[i - 1].first < rows[i].first)) return false;
  return true;
}

}  // namespace perdure::fuzz
