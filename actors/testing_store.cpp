#include "actors/testing_store.hpp"

#include <algorithm>

namespace perdure::actors {
namespace {

constexpr std::size_t kRunBytes = sizeof(RunId::bytes);

/// Of a row in `records`: run, then the record's index.
std::pair<RunId, std::uint32_t> record_of(const journal::Key& key) {
  const core::ByteView bytes = key.view();
  RunId run;
  std::copy_n(bytes.begin(), kRunBytes, run.bytes.begin());
  std::uint32_t index = 0;
  for (const std::byte each : bytes.subspan(kRunBytes))
    index = index << 8U | std::to_integer<std::uint32_t>(each);
  return {run, index};
}

Error died() { return Error{Code::storage_failed, "the process has died, as the test ordered"}; }

}  // namespace

Result<void> MortalStore::commit(std::span<const journal::Mutation> batch,
                                 journal::Durability durability) {
  if (dead_) return died();
  ++commits_;
  Records& records = records_.emplace_back();
  for (const journal::Mutation& mutation : batch) {
    if (mutation.table != journal::Table::records) continue;
    const auto record = record_of(mutation.key);
    if (record.second != journal::kHeadIndex) records.push_back(record);
  }
  const auto death = deaths_.find(commits_);
  const bool dies = death != deaths_.end();
  if (dies && death->second == When::before) {
    dead_ = true;
    return died();
  }
  PERDURE_TRY(disk_.commit(batch, durability));
  if (kept_) kept_();
  if (!dies) return success();
  dead_ = true;
  return died();
}

}  // namespace perdure::actors
