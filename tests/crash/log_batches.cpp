#include "tests/crash/log_batches.hpp"

#include "journal/wal_entry.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <random>
#include <stdexcept>

namespace perdure::crash {
namespace {

using journal::Key;
using journal::Table;

/// The rows that tell which batches there are: number to nonce.
constexpr Table kNonces = Table::runs;
constexpr std::array kTables{Table::keys, Table::records, Table::ready};
constexpr std::uint64_t kKeys = 24;
/// Every so many batches one that passes the log by.
constexpr std::uint64_t kHugeEach = 37;

std::string text_of(const Key& key) { return std::string(core::as_text(key.view())); }

/// Sizes on both sides of what fills a unit of the log, small ones, and some of many units.
std::size_t draw_size(std::mt19937_64& random) {
  switch (random() % 8) {
    case 0: return 0;
    case 1: return 3900 + random() % 200;
    case 2: return 8000 + random() % 400;
    case 3: return random() % 40'000;
    default: return random() % 600;
  }
}

std::string draw_text(std::size_t size, std::mt19937_64& random) {
  std::string text(size, '\0');
  for (char& each : text) each = static_cast<char>(random());
  return text;
}

}  // namespace

LogBatch::LogBatch(std::uint64_t number, std::string nonce) {
  std::mt19937_64 random(number * 1'000'003 + std::hash<std::string>{}(nonce));
  const std::uint64_t count = 1 + random() % 6;
  for (std::uint64_t i = 0; i < count; ++i) {
    const Table table = kTables[random() % kTables.size()];
    const Key key = Key{}.add(random() % kKeys);
    const bool is_erased = random() % 4 == 0;
    changes_[{table, text_of(key)}] = {
        key, is_erased, is_erased ? std::string() : draw_text(draw_size(random), random)};
  }
  const Key own = Key{}.add(number);
  // Soon gone, because every look at the rows reads it.
  const Key huge = Key{}.add(kKeys);
  if (number % kHugeEach == 0)
    changes_[{Table::records, text_of(huge)}] = {huge, false,
                                                 std::string(journal::kWalEntryMax, nonce.back())};
  if (number % kHugeEach == 2) changes_[{Table::records, text_of(huge)}] = {huge, true, {}};
  changes_[{kNonces, text_of(own)}] = {own, false, std::move(nonce)};
}

std::vector<journal::Mutation> LogBatch::mutations() const {
  std::vector<journal::Mutation> batch;
  for (const auto& [row, change] : changes_)
    batch.push_back(
        {row.first,
         change.is_erased ? journal::Mutation::Kind::erase : journal::Mutation::Kind::put,
         change.key, core::as_bytes(change.value)});
  return batch;
}

void LogBatch::put_into(Rows& rows) const {
  for (const auto& [row, change] : changes_) {
    if (change.is_erased) {
      rows.erase(row);
    } else {
      rows[row] = change.value;
    }
  }
}

std::uint64_t last_batch(const Rows& rows) {
  const auto first = rows.lower_bound({kNonces, {}});
  return static_cast<std::uint64_t>(
      std::count_if(first, rows.end(), [](const auto& row) { return row.first.first == kNonces; }));
}

void KnownBatches::take(std::string_view line) {
  const std::size_t one = line.find(' ');
  const std::size_t two = line.find(' ', one + 1);
  if (one == line.npos || two == line.npos) throw std::invalid_argument("no line of a workload");
  const std::string_view word = line.substr(0, one);
  std::uint64_t number = 0;
  std::from_chars(line.data() + one + 1, line.data() + two, number);
  const std::string nonce(line.substr(two + 1));
  if (word == "begin") {
    begun_ = number;
    return;
  }
  if (word != "durable") committed_[number] = nonce;
  if (word == "none") return;
  // What one sync makes durable, it does to all that was written before it.
  const auto later = committed_.upper_bound(number);
  for (auto each = committed_.begin(); each != later; ++each) durable_[each->first] = each->second;
  committed_.erase(committed_.begin(), later);
}

void KnownBatches::take_lines(std::string_view text) {
  for (std::size_t end = 0; (end = text.find('\n')) != text.npos; text.remove_prefix(end + 1))
    take(text.substr(0, end));
}

void KnownBatches::forget_but(const Rows& rows) {
  committed_.clear();
  begun_ = last_batch(rows);
}

std::vector<std::string> KnownBatches::hold_against(const Rows& rows,
                                                    bool with_all_committed) const {
  std::vector<std::string> findings;
  const std::uint64_t last = last_batch(rows);
  if (last > begun_)
    findings.push_back("it has " + std::to_string(last) + " batches, of " + std::to_string(begun_));
  Rows expected;
  std::map<std::uint64_t, std::string> nonces;
  for (std::uint64_t number = 1; number <= last; ++number) {
    const auto row = rows.find({kNonces, text_of(Key{}.add(number))});
    if (row == rows.end()) return {"batch " + std::to_string(number) + " is missing"};
    nonces[number] = row->second;
    LogBatch(number, row->second).put_into(expected);
  }
  if (rows != expected)
    findings.push_back("its rows are not those of batches 1 to " + std::to_string(last));
  const auto hold = [&](const std::map<std::uint64_t, std::string>& batches,
                        std::string_view what) {
    for (const auto& [number, nonce] : batches) {
      const auto found = nonces.find(number);
      if (found != nonces.end() && found->second == nonce) continue;
      findings.push_back("batch " + std::to_string(number) + " " + nonce + " was " +
                         std::string(what) + ", and " +
                         (found == nonces.end() ? "is lost" : "is now " + found->second));
    }
  };
  hold(durable_, "durable");
  if (with_all_committed) hold(committed_, "committed");
  return findings;
}

}  // namespace perdure::crash
