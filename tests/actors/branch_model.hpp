/// What a tree of branch_tree.hpp gives, computed from the order of its deliveries alone.
///
/// What this is: the rules as functions of time, where a time is the number of a delivery. Nothing
/// of the engine is in it: an operation that starts at one time and is asked to stop at another
/// ends at a third, with a value or a failure.
#pragma once

#include "tests/actors/branch_tree.hpp"
#include "tests/actors/run_driver.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace perdure::test {

class BranchModel {
 public:
  static constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();
  struct Outcome {
    std::size_t end = kNever;
    bool ok = false;
    std::string value;
    pd::Error error;
  };

  explicit BranchModel(const std::vector<RunDriver::Delivery>& deliveries) {
    std::size_t time = 0;
    for (const RunDriver::Delivery& each : deliveries) times_[each.path] = {++time, &each};
  }
  /// What the handler's task that walks `tree` ends with.
  Outcome run(const Tree& tree) { return walk(tree, "1", 0, kNever); }
  /// The steps that the tree has awaited: path to name.
  [[nodiscard]] const std::map<std::string, std::string>& awaited() const { return awaited_; }

 private:
  using Kid = std::function<Outcome(std::size_t index, std::size_t start, std::size_t stop)>;

  static std::string below(const std::string& path, std::size_t component) {
    return path + "." + std::to_string(component);
  }
  static Outcome value(std::size_t end, std::string text) {
    return {end, true, std::move(text), {}};
  }
  static Outcome failure(std::size_t end, pd::Error error) {
    return {end, false, {}, std::move(error)};
  }
  static Outcome cancelled(std::size_t end) {
    return failure(end, {pd::Code::cancelled, "stopped"});
  }

  Outcome step(const std::string& path, const std::string& name) {
    const auto found = times_.find(path);
    if (found == times_.end()) return {};
    const auto& [time, delivery] = found->second;
    awaited_[path] = name;
    if (delivery->error) return failure(time, *delivery->error);
    return value(time, pd::decode<std::string>(delivery->payload).value());
  }
  /// A task that awaited this last: asked to stop before the end, it ends there as cancelled.
  static Outcome in_task(Outcome awaited, std::size_t stop) {
    return awaited.end != kNever && stop < awaited.end ? cancelled(awaited.end) : awaited;
  }

  Outcome walk(const Tree& tree, const std::string& path, std::size_t start, std::size_t stop) {
    const auto kid_below = [&](const std::string& place) {
      return [this, &tree, place](std::size_t i, std::size_t from, std::size_t until) {
        return walk(tree.kids[i], below(place, i), from, until);
      };
    };
    const auto step_below = [&](const std::string& place) {
      return [this, &tree, place](std::size_t i, std::size_t, std::size_t) {
        return step(below(place, i), "s" + std::to_string(tree.kids[i].id));
      };
    };
    const std::size_t count = tree.kids.size();
    const std::string first = below(path, 1);
    using Rule = pd::detail::Rule;
    switch (tree.kind) {
      case TreeKind::step: return in_task(step(first, "s" + std::to_string(tree.id)), stop);
      case TreeKind::sequence: return sequence(tree, path, start, stop);
      case TreeKind::pack:
      case TreeKind::vector:
        return in_task(branches(tree.rule, count, kid_below(below(first, 1)), start, stop), stop);
      case TreeKind::step_vector:
        return in_task(branches(tree.rule, count, step_below(below(first, 1)), start, stop), stop);
      case TreeKind::map:
        return in_task(branches(Rule::all, count, kid_below(first), start, stop, tree.limit), stop);
      case TreeKind::step_map:
        return in_task(branches(Rule::all, count, step_below(first), start, stop, tree.limit),
                       stop);
      case TreeKind::nested: {
        const std::string all = below(first, 1);
        const Kid either = [&](std::size_t i, std::size_t from, std::size_t until) {
          if (i == 0) return branches(tree.rule, 2, kid_below(below(all, 0)), from, until);
          return as_result(step(below(all, 1), "s" + std::to_string(tree.kids[2].id)));
        };
        return in_task(branches(Rule::all, 2, either, start, stop), stop);
      }
      case TreeKind::result: {
        Outcome result = as_result(walk(tree.kids[0], first, start, stop));
        if (result.ok) result.value = "result " + result.value;
        return in_task(std::move(result), stop);
      }
      case TreeKind::caught: return caught(tree, path, start, stop);
      default: return {};
    }
  }

  Outcome sequence(const Tree& tree, const std::string& path, std::size_t start, std::size_t stop) {
    std::string text;
    std::size_t now = start;
    for (std::size_t i = 0; i < tree.kids.size(); ++i) {
      Outcome kid = in_task(walk(tree.kids[i], below(path, i + 1), now, stop), stop);
      if (kid.end == kNever || !kid.ok) return kid;
      text += ";" + kid.value;
      now = kid.end;
    }
    return value(now, text);
  }

  static Outcome as_result(Outcome outcome) {
    if (outcome.end == kNever || (!outcome.ok && outcome.error.code == pd::Code::cancelled))
      return outcome;
    return value(outcome.end, text_of(outcome.ok ? pd::Result<std::string>(outcome.value)
                                                 : pd::Result<std::string>(outcome.error)));
  }

  Outcome caught(const Tree& tree, const std::string& path, std::size_t start, std::size_t stop) {
    const Outcome kid = walk(tree.kids[0], below(path, 1), start, stop);
    if (kid.end == kNever) return kid;
    const bool told = stop < kid.end && !kid.ok;
    const bool stopped = told || (!kid.ok && kid.error.code == pd::Code::cancelled);
    const std::string words = stopped  ? "cancelled"
                              : kid.ok ? "ok " + kid.value
                                       : kid.error.to_string();
    const Outcome behind =
        in_task(step(below(path, 2), (stopped ? "tidy" : "after") + std::to_string(tree.id)),
                told ? kNever : stop);
    if (behind.end == kNever || !behind.ok) return behind;
    return value(behind.end, "caught " + words + behind.value);
  }

  Outcome branches(pd::detail::Rule rule, std::size_t count, const Kid& kid, std::size_t start,
                   std::size_t stop, std::size_t limit = 0) {
    using Rule = pd::detail::Rule;
    const auto decides = [&](const Outcome& each) {
      return each.end != kNever && (rule == Rule::race || each.ok == (rule == Rule::any));
    };
    std::vector<std::pair<std::size_t, Outcome>> begun;  // When, and how it ends.
    const auto decided_at = [&] {
      std::size_t first = kNever;
      for (const auto& [at, each] : begun)
        if (decides(each)) first = std::min(first, each.end);
      return first;
    };
    while (begun.size() < count) {
      std::size_t at = start;
      if (limit != 0 && begun.size() >= limit) {
        std::vector<std::size_t> ends;
        for (const auto& each : begun) ends.push_back(each.second.end);
        std::ranges::sort(ends);
        at = ends[begun.size() - limit];
        if (at == kNever || decided_at() <= at || stop < at) break;
      }
      begun.emplace_back(at, kid(begun.size(), at, stop));
    }
    const std::size_t decided = decided_at();
    std::size_t end = start;
    for (std::size_t i = 0; i < begun.size(); ++i) {
      if (decided != kNever) begun[i].second = kid(i, begun[i].first, std::min(stop, decided));
      end = std::max(end, begun[i].second.end);
    }
    if (end == kNever) return {};
    return judged(rule, count, begun, decided, end);
  }

  static Outcome judged(pd::detail::Rule rule, std::size_t count,
                        const std::vector<std::pair<std::size_t, Outcome>>& begun,
                        std::size_t decided, std::size_t end) {
    using Rule = pd::detail::Rule;
    for (std::size_t i = 0; i < begun.size(); ++i) {
      const Outcome& each = begun[i].second;
      if (each.end != decided) continue;
      if (!each.ok) return failure(end, each.error);
      return value(end, text_of(i, each.value));
    }
    if (rule == Rule::all) {
      if (begun.size() < count) return cancelled(end);
      Lines values;
      for (const auto& each : begun) values.push_back(each.second.value);
      return value(end, text_of(values));
    }
    return none_succeeded(begun, end);
  }

  static Outcome none_succeeded(const std::vector<std::pair<std::size_t, Outcome>>& begun,
                                std::size_t end) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < begun.size(); ++i) order.push_back(i);
    std::ranges::sort(order, {}, [&](std::size_t i) { return begun[i].second.end; });
    pd::Error last = begun[order.back()].second.error;
    if (begun.size() == 1) return failure(end, last);
    std::string words;
    for (const std::size_t i : order)
      words += (words.empty() ? "" : "; ") + ("branch " + std::to_string(i)) + ": " +
               begun[i].second.error.to_string();
    last.message = "all " + std::to_string(begun.size()) + " branches failed: " + words;
    return failure(end, last);
  }

  std::map<std::string, std::pair<std::size_t, const RunDriver::Delivery*>> times_;
  std::map<std::string, std::string> awaited_;
};

}  // namespace perdure::test
