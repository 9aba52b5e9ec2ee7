#include "journal/place.hpp"

#include <perdure/run_id.hpp>

#include "journal/user_rows.hpp"

#include <algorithm>
#include <optional>

namespace perdure::journal {
namespace {

constexpr std::size_t kIdBytes = 16;

std::string run_at(core::ByteView key, std::size_t offset) {
  RunId run;
  std::ranges::copy(key.subspan(offset, kIdBytes), run.bytes.begin());
  return perdure::to_string(run);
}

std::uint32_t number_at(core::ByteView key, std::size_t offset) {
  std::uint32_t number = 0;
  for (const std::byte byte : key.subspan(offset, 4))
    number = (number << 8U) | std::to_integer<std::uint32_t>(byte);
  return number;
}

}  // namespace

std::string_view to_string(Table table) noexcept {
  switch (table) {
    case Table::meta: return "meta";
    case Table::sessions: return "sessions";
    case Table::keys: return "keys";
    case Table::runs: return "runs";
    case Table::records: return "records";
    case Table::ready: return "ready";
    case Table::due: return "due";
    case Table::attempts: return "attempts";
    case Table::open: return "open";
    case Table::inbox: return "inbox";
    case Table::kept: return "kept";
    case Table::waits: return "waits";
    case Table::state: return "state";
    case Table::before: return "before";
    case Table::children: return "children";
    case Table::rows: return "rows";
    case Table::budgets: return "budgets";
    case Table::usage: return "usage";
    case Table::sagas: return "sagas";
    case Table::undos: return "undos";
  }
  return "unrecognised";
}

std::string place_of(Table table, core::ByteView key) {
  const std::string in_table = " of table " + std::string(to_string(table));
  if (table == Table::records && key.size() == kIdBytes + 4) {
    const std::uint32_t index = number_at(key, kIdBytes);
    if (index == kHeadIndex) return "the head row of run " + run_at(key, 0);
    return "record " + std::to_string(index) + " of run " + run_at(key, 0);
  }
  if ((table == Table::runs || table == Table::ready) && key.size() == kIdBytes)
    return "the row of run " + run_at(key, 0) + in_table;
  if (table == Table::attempts && key.size() == kIdBytes + 8)
    return "the attempts of a step of run " + run_at(key, 0);
  if (table == Table::waits && key.size() == kIdBytes + 8)
    return "what a step of run " + run_at(key, 0) + " waits for";
  if (table == Table::children && key.size() == kIdBytes + 8)
    return "a child of run " + run_at(key, 0);
  if (table == Table::budgets && key.size() == kIdBytes)
    return "the budget of run " + run_at(key, 0);
  if (table == Table::usage && key.size() == 2 * kIdBytes)
    return "what run " + run_at(key, kIdBytes) + " used of the budget of run " + run_at(key, 0);
  if (table == Table::sagas && key.size() == kIdBytes + 4)
    return "saga " + std::to_string(number_at(key, kIdBytes)) + " of run " + run_at(key, 0);
  if (table == Table::undos && key.size() == kIdBytes + 8)
    return "what is to be undone of saga " + std::to_string(number_at(key, kIdBytes)) + " of run " +
           run_at(key, 0);
  if (table == Table::before && key.size() == 2 * kIdBytes)
    return "a value before run " + run_at(key, 0);
  if (table == Table::due && key.size() == 8 + kIdBytes + 8)
    return "a due time of run " + run_at(key, 8);
  if (table == Table::meta && key.size() == 4) {
    const std::uint32_t row = number_at(key, 0);
    if (row == kIdentityRow) return "the journal's identity";
    if (row == kCountersRow) return "the journal's counters";
    if (row == kCheckpointRow) return "the journal's checkpoint";
  }
  if (table == Table::rows)
    if (const std::optional<UserRowKey> row = split_user_row(key)) return place_of(*row);
  return "row " + core::to_hex(key) + in_table;
}

Error with_place(Error error, Table table, core::ByteView key) {
  error.message = place_of(table, key) + ": " + error.message;
  if (error.code == Code::corrupt)
    error.message += ". Run 'perdure verify' for the whole damage, and restore a backup";
  return error;
}

}  // namespace perdure::journal
