#include "journal/page_values.hpp"

#include "journal/user_rows.hpp"

#include <algorithm>
#include <string>

namespace perdure::journal {
namespace {

constexpr std::size_t kIdBytes = 16;

std::size_t key_bytes_of(Table table) {
  switch (table) {
    case Table::meta: return 4;
    case Table::sessions:
    case Table::runs:
    case Table::ready:
    case Table::open:
    case Table::budgets: return kIdBytes;
    case Table::keys:
    case Table::state:
    case Table::before:
    case Table::usage: return 2 * kIdBytes;
    case Table::records:
    case Table::sagas: return kIdBytes + 4;
    case Table::due: return 8 + kIdBytes + 8;
    case Table::attempts:
    case Table::inbox:
    case Table::kept:
    case Table::waits:
    case Table::children:
    case Table::undos: return kIdBytes + 8;
    case Table::rows: break;  // Users' keys.
  }
  return 0;
}

}  // namespace

void PageValueCheck::take(Table table, const TreeEntry& entry) {
  const core::ByteView key = entry.node.key;
  findings_.count(table, key.size() + entry.node.value_bytes);
  if (table == Table::rows && !split_user_row(key))
    return findings_.add(table, key, std::string(kNoUserRowKey));
  if (const std::size_t wanted = key_bytes_of(table); wanted != 0 && key.size() != wanted)
    return findings_.add(
        table, key,
        "its key has " + std::to_string(key.size()) + " bytes, not " + std::to_string(wanted));
  const auto value = value_of(table, entry);
  if (!value) return;
  if (table == Table::runs) findings_.count_run();
  if (table == Table::records) return take_record(key, *value);
  if (const Result<void> loaded = buffer_.load(key, *value); !loaded)
    return findings_.add(table, key, loaded.error());
  if (table == Table::meta && std::ranges::equal(key, Key{}.add(kCountersRow).view())) {
    if (const Result<Counters> counters = buffer_.as<Counters>())
      last_number_ = counters.assume_value().last_number;
  }
  if (last_number_ && buffer_.number() > *last_number_)
    findings_.add(table, key,
                  "its number " + std::to_string(buffer_.number()) +
                      " is above the journal's last number " + std::to_string(*last_number_));
}

void PageValueCheck::end_table() {
  if (run_) run_->finish();
  run_.reset();
}

std::optional<core::ByteView> PageValueCheck::value_of(Table table, const TreeEntry& entry) {
  if (entry.value_at == 0) return entry.node.data;
  if (entry.node.value_bytes > kEnvelopeBytes + kBodyBytesMax) {
    findings_.add(
        table, entry.node.key,
        "it has " + std::to_string(entry.node.value_bytes) + " bytes, more than Perdure writes");
    return std::nullopt;
  }
  value_.resize(entry.node.value_bytes);
  if (const std::string failed = file_.read(entry.value_at, value_); !failed.empty()) {
    findings_.add(table, entry.node.key, "it " + failed);
    return std::nullopt;
  }
  return value_;
}

void PageValueCheck::take_record(core::ByteView key, core::ByteView value) {
  RunId id;
  std::ranges::copy(key.first(kIdBytes), id.bytes.begin());
  if (run_ && run_->id() != id) end_table();
  if (!run_) run_.emplace(id, std::nullopt, last_number_, findings_, payloads_);
  run_->take(key, value);
}

}  // namespace perdure::journal
