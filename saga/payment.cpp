#include "saga/payment.hpp"

#include "core/assert.hpp"

#include <algorithm>
#include <utility>

namespace perdure::saga {

Payment::Payment(std::vector<Item> items, Policy policy)
    : items_(std::move(items)),
      policy_(policy),
      at_(items_.size(), At::waits),
      in_group_(items_.size()),
      left_in_group_(items_.size(), 0) {
  for (std::size_t item = 0; item < items_.size(); ++item) {
    const std::size_t group = items_[item].group;
    PERDURE_ASSERT(group == kNoGroup || (group < item && items_[group].is_group),
                   "a group comes before what is in it");
    (group == kNoGroup ? top_ : in_group_[group]).push_back(item);
    if (group != kNoGroup) ++left_in_group_[group];
    if (!items_[item].is_group) ++left_;
  }
  // The last one that ended comes first.
  const auto newest_first = [&](std::size_t a, std::size_t b) {
    return std::pair(items_[a].ended, a) > std::pair(items_[b].ended, b);
  };
  std::ranges::sort(top_, newest_first);
  for (std::vector<std::size_t>& level : in_group_) std::ranges::sort(level, newest_first);
  // Groups with nothing in them are over; inner ones first.
  for (std::size_t item = items_.size(); item-- > 0;)
    if (items_[item].is_group && left_in_group_[item] == 0 && at_[item] != At::over) {
      at_[item] = At::over;
      close_groups(item);
    }
}

/// With `go_on` what is stuck stands aside; and so does a group in which nothing else is left.
bool Payment::holds_up(std::size_t item) const {
  if (at_[item] == At::over) return false;
  if (policy_.when_stuck == WhenStuck::stop) return true;
  if (!items_[item].is_group) return at_[item] != At::failed;
  return std::ranges::any_of(in_group_[item], [&](std::size_t inner) { return holds_up(inner); });
}

void Payment::add_startable(const std::vector<std::size_t>& level,
                            std::vector<std::size_t>& found) const {
  // Of those that hold others up: when the last two of them began, so each can be held against all
  // but itself.
  std::size_t last = kNoGroup;
  std::size_t before_last = kNoGroup;
  for (const std::size_t item : level) {
    if (!holds_up(item)) continue;
    if (policy_.order == Order::reverse) {
      // Only the first one may begin.
      if (last == kNoGroup) last = item;
    } else if (last == kNoGroup || items_[item].begun > items_[last].begun) {
      before_last = std::exchange(last, item);
    } else if (before_last == kNoGroup || items_[item].begun > items_[before_last].begun) {
      before_last = item;
    }
  }
  for (const std::size_t item : level) {
    if (at_[item] != At::waits) continue;
    bool may_begin = holds_up(item);
    if (policy_.order == Order::reverse) {
      may_begin = may_begin && item == last;
    } else {
      const std::size_t other = item == last ? before_last : last;
      may_begin = may_begin && (other == kNoGroup || items_[other].begun <= items_[item].ended);
    }
    if (!may_begin) continue;
    if (items_[item].is_group) {
      add_startable(in_group_[item], found);
    } else {
      found.push_back(item);
    }
  }
}

std::vector<std::size_t> Payment::take_startable() {
  std::vector<std::size_t> found;
  add_startable(top_, found);
  for (const std::size_t item : found) at_[item] = At::begun;
  under_way_ += found.size();
  return found;
}

void Payment::over(std::size_t item) {
  PERDURE_ASSERT(!items_[item].is_group, "a group is over when all in it are");
  if (at_[item] == At::over) return;
  if (at_[item] == At::begun) --under_way_;
  if (at_[item] == At::failed) --stuck_;
  at_[item] = At::over;
  --left_;
  close_groups(item);
}

void Payment::close_groups(std::size_t item) {
  for (std::size_t group = items_[item].group;
       group != kNoGroup && --left_in_group_[group] == 0; group = items_[group].group)
    at_[group] = At::over;
}

void Payment::failed(std::size_t item) {
  if (at_[item] == At::over || at_[item] == At::failed) return;
  if (at_[item] == At::begun) --under_way_;
  at_[item] = At::failed;
  ++stuck_;
}

void Payment::again(std::size_t item) {
  if (at_[item] != At::failed) return;
  at_[item] = At::waits;
  --stuck_;
}

bool Payment::is_stuck() const {
  if (stuck_ == 0 || under_way_ != 0) return false;
  std::vector<std::size_t> found;
  add_startable(top_, found);
  return found.empty();
}

}  // namespace perdure::saga
