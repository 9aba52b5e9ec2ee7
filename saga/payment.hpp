/// Payment: in which order what a saga owes is undone.
///
/// What this is: the order of undoing as a value, without I/O: which compensation may begin now,
/// given what was done of them, what failed and what a person decided.
/// What it promises: nothing begins before everything that depends on it is over. In reverse order
/// an action is undone when all that ended after it are over; in parallel order when all that began
/// after it had ended are, so branches that ran side by side are undone side by side. A saga within
/// a saga counts as one action, which ended with its commit.
/// What it does not: undo anything (coordinator.hpp).
///
/// After Garcia-Molina & Salem, "Sagas" (SIGMOD 1987), for the reverse order and its generalisation
/// to parallel sagas.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace perdure::saga {

class Payment {
 public:
  static constexpr std::size_t kNoGroup = std::numeric_limits<std::size_t>::max();
  /// When an action ended that never did, as far as anybody knows.
  static constexpr std::uint32_t kNever = std::numeric_limits<std::uint32_t>::max();

  /// Something to be undone, or a group of them: a saga within.
  struct Item {
    std::size_t group = kNoGroup;  ///< The position of the group that it is in, which comes before.
    bool is_group = false;
    // When it began and ended, by any clock that all of them share.
    std::uint32_t begun = 0;
    std::uint32_t ended = kNever;
  };
  enum class Order : std::uint8_t { reverse, parallel };
  enum class WhenStuck : std::uint8_t { stop, go_on };
  struct Policy {
    Order order = Order::reverse;
    WhenStuck when_stuck = WhenStuck::stop;
  };

  Payment(std::vector<Item> items, Policy policy);

  /// What may begin now and has not, in the order in which it is to be begun. They count as begun.
  [[nodiscard]] std::vector<std::size_t> take_startable();
  /// It is over: undone, or given up by a person.
  void over(std::size_t item);
  /// It could not be undone.
  void failed(std::size_t item);
  /// It failed, and is to be tried again: `take_startable` gives it again.
  void again(std::size_t item);

  /// All are over.
  [[nodiscard]] bool is_settled() const noexcept { return left_ == 0; }
  /// Something failed, and nothing else is under way or may begin.
  [[nodiscard]] bool is_stuck() const;
  [[nodiscard]] std::size_t stuck() const noexcept { return stuck_; }
  [[nodiscard]] bool is_over(std::size_t item) const { return at_[item] == At::over; }
  [[nodiscard]] bool is_failed(std::size_t item) const { return at_[item] == At::failed; }
  [[nodiscard]] std::size_t size() const noexcept { return items_.size(); }

 private:
  enum class At : std::uint8_t { waits, begun, failed, over };
  /// Whether it holds up what came before it.
  [[nodiscard]] bool holds_up(std::size_t item) const;
  void add_startable(const std::vector<std::size_t>& level, std::vector<std::size_t>& found) const;
  void close_groups(std::size_t item);

  std::vector<Item> items_;
  Policy policy_;
  std::vector<At> at_;
  std::vector<std::size_t> top_;
  std::vector<std::vector<std::size_t>> in_group_;
  std::vector<std::size_t> left_in_group_;  ///< Of a group: what is not over, groups included.
  std::size_t left_ = 0;                    ///< Items that are no groups.
  std::size_t under_way_ = 0;
  std::size_t stuck_ = 0;
};

}  // namespace perdure::saga
