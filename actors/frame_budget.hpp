/// The frame budget: which frames of waiting runs stay in memory.
///
/// What this is: an account of the frames of runs that only wait, and the choice of those that give
/// theirs up when there are more than the budget allows.
/// What it promises: what is registered never exceeds the budget for longer than it takes the
/// chosen to hear of it. Who was waited for longest goes first, weighed by what replaying it would
/// cost: GreedyDual-Size (Cao and Irani, "Cost-aware WWW proxy caching algorithms", 1997), the cost
/// being the records to replay and the size the bytes of the frames.
/// What it does not: count frames of runs that move (their bodies may borrow from them), or memory
/// that frames own on the heap.
#pragma once

#include "actors/session_address.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace perdure::actors {

/// Thread: any.
class FrameBudget {
 public:
  /// All frames are kept.
  static constexpr std::size_t kUnlimited = SIZE_MAX;

  explicit FrameBudget(std::size_t bytes) : bytes_max_(bytes) {}

  /// The session's run only waits, in frames of `bytes`, which replaying `records` records would
  /// bring back. Whose runs are to give up theirs: they count no more, and may be this one.
  [[nodiscard]] std::vector<SessionAddress> waits(const SessionAddress& session, std::size_t bytes,
                                                  std::size_t records);
  /// The session's run moves, or is gone. Unknown ones are ignored.
  void moves(const journal::SessionId& session);

  [[nodiscard]] bool is_unlimited() const noexcept { return bytes_max_ == kUnlimited; }
  /// Of the runs that are registered.
  [[nodiscard]] std::size_t bytes() const;

 private:
  /// Who is chosen first: by weight, then who came first.
  using Rank = std::pair<double, std::uint64_t>;
  struct Entry {
    SessionAddress session;
    std::size_t bytes = 0;
    Rank rank;
  };
  using Entries = std::map<journal::SessionId, Entry>;
  void remove_locked(Entries::iterator entry);

  std::size_t bytes_max_;
  mutable std::mutex mutex_;
  Entries entries_;
  std::map<Rank, journal::SessionId> by_rank_;
  std::uint64_t turns_ = 0;
  std::size_t bytes_ = 0;
  double floor_ = 0;  ///< Weight of the last that was chosen.
};

}  // namespace perdure::actors
