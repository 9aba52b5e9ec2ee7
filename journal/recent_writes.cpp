#include "journal/recent_writes.hpp"

#include "core/assert.hpp"

#include <algorithm>
#include <utility>

namespace perdure::journal {

Precondition::Precondition(Table table, RecordNumber read_at) : table_(table), read_at_(read_at) {
  PERDURE_ASSERT(is_watched(table), "only writes to watched tables are remembered");
}

void Precondition::seal() { std::ranges::sort(rows_); }

bool Precondition::covers(const Key& key) const {
  if (std::ranges::binary_search(rows_, key)) return true;
  return std::ranges::any_of(
      ranges_, [&](const Range& range) { return range.from <= key && key < range.to; });
}

void RecentWrites::note(Table table, const Key& key, RecordNumber number) {
  PERDURE_ASSERT(writes_.empty() || writes_.back().number <= number, "numbers do not fall");
  writes_.push_back({number, table, key});
  if (writes_.size() <= most_) return;
  forgotten_ = writes_.front().number;
  writes_.pop_front();
}

std::optional<RecordNumber> RecentWrites::conflict(const Precondition& precondition) const {
  if (precondition.empty()) return std::nullopt;
  if (precondition.read_at() < forgotten_) return forgotten_;
  // From the newest on, so that the first one found is the one to wait for.
  for (auto write = writes_.rbegin();
       write != writes_.rend() && write->number > precondition.read_at(); ++write)
    if (write->table == precondition.table() && precondition.covers(write->key))
      return write->number;
  return std::nullopt;
}

}  // namespace perdure::journal
