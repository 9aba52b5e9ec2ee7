#include "actors/frame_budget.hpp"

#include <algorithm>

namespace perdure::actors {
namespace {

/// What loading a run costs beside its records, in records.
constexpr double kLoad = 20;

}  // namespace

std::vector<SessionAddress> FrameBudget::waits(const SessionAddress& session, std::size_t bytes,
                                               std::size_t records) {
  const std::lock_guard lock(mutex_);
  if (const auto old = entries_.find(session.id); old != entries_.end()) remove_locked(old);
  const double cost = kLoad + static_cast<double>(records);
  const double weight = cost / static_cast<double>(std::max<std::size_t>(bytes, 1));
  const Rank rank{floor_ + weight, ++turns_};
  entries_.emplace(session.id, Entry{session, bytes, rank});
  by_rank_.emplace(rank, session.id);
  bytes_ += bytes;
  std::vector<SessionAddress> chosen;
  while (bytes_ > bytes_max_) {
    const auto lowest = entries_.find(by_rank_.begin()->second);
    floor_ = lowest->second.rank.first;
    chosen.push_back(lowest->second.session);
    remove_locked(lowest);
  }
  return chosen;
}

void FrameBudget::moves(const journal::SessionId& session) {
  const std::lock_guard lock(mutex_);
  if (const auto entry = entries_.find(session); entry != entries_.end()) remove_locked(entry);
}

std::size_t FrameBudget::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

void FrameBudget::remove_locked(Entries::iterator entry) {
  bytes_ -= entry->second.bytes;
  by_rank_.erase(entry->second.rank);
  entries_.erase(entry);
}

}  // namespace perdure::actors
