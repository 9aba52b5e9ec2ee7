/// Random trees of tasks and combinators, and the handler that is one.
///
/// What this is: what branches_property_test.cpp runs, and branch_model.hpp computes.
#pragma once

#include "tests/actors/engine_fixture.hpp"

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace perdure::test {

enum class TreeKind : std::uint8_t {
  step,           ///< One step.
  sequence,       ///< One after the other.
  pack,           ///< Two or three tasks under `rule`.
  vector,         ///< A vector of tasks under `rule`.
  step_vector,    ///< A vector of bare steps under `rule`.
  map,            ///< A map to tasks.
  step_map,       ///< A map to bare steps.
  nested,         ///< all(rule(task, task), as_result(step)), without tasks between.
  result,         ///< as_result(task)
  caught,         ///< catch_cancelled(task), and a step behind it.
  at_once,        ///< A task that ends without awaiting. Not modelled.
  fails_at_once,  ///< A task that fails without a delivery. Not modelled.
};

struct Tree {
  TreeKind kind = TreeKind::step;
  pd::detail::Rule rule = pd::detail::Rule::all;
  int id = 0;
  bool fails = false;     ///< The step.
  std::size_t limit = 0;  ///< The map.
  std::vector<Tree> kids;
};

/// Whether bodies heed a request to stop.
enum class Bodies : std::uint8_t { prompt, stubborn };

/// Draws trees. `at_once`: with branches that end where they begin.
class TreeMaker {
 public:
  enum class AtOnce : std::uint8_t { no, yes };
  TreeMaker(std::uint32_t seed, AtOnce at_once) : random_(seed), at_once_(at_once) {}
  Tree make() { return tree(4); }

 private:
  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(random_()) % bound; }
  Tree leaf() {
    Tree made;
    made.id = ids_++;
    made.fails = below(3) == 0;
    if (at_once_ == AtOnce::yes && below(3) == 0)
      made.kind = below(2) == 0 ? TreeKind::at_once : TreeKind::fails_at_once;
    return made;
  }
  Tree step() {
    Tree made;
    made.id = ids_++;
    made.fails = below(3) == 0;
    return made;
  }
  Tree tree(std::uint32_t depth) {
    if (depth == 0 || ids_ > 20) return leaf();
    Tree made;
    made.kind = static_cast<TreeKind>(below(10));
    made.rule = static_cast<pd::detail::Rule>(below(3));
    made.limit = below(4);
    std::uint32_t kids = 2 + below(2);
    switch (made.kind) {
      case TreeKind::step: return leaf();
      case TreeKind::result:
      case TreeKind::caught: kids = 1; break;
      case TreeKind::vector:
      case TreeKind::step_vector: kids = 1 + below(4); break;
      case TreeKind::map:
      case TreeKind::step_map: kids = 1 + below(5); break;
      case TreeKind::nested: kids = 2; break;
      default: break;
    }
    made.id = ids_++;
    const bool steps = made.kind == TreeKind::step_vector || made.kind == TreeKind::step_map;
    for (std::uint32_t i = 0; i < kids; ++i) made.kids.push_back(steps ? step() : tree(depth - 1));
    if (made.kind == TreeKind::nested) made.kids.push_back(step());
    return made;
  }
  std::mt19937 random_;
  AtOnce at_once_;
  int ids_ = 0;
};

/// The tree that the handler runs, and how its bodies behave.
inline const Tree* tree_now = nullptr;
inline Bodies bodies_now = Bodies::prompt;

struct TreeBody {
  std::string name;
  bool fails = false;
  pd::Result<std::string> operator()(pd::Step& step) const {
    if (bodies_now == Bodies::prompt && step.stop_requested())
      return pd::Error{pd::Code::cancelled, "heeded"};
    if (fails) return pd::Error{pd::Code::user, "E" + name};
    return "v" + name;
  }
};

inline auto tree_step(pd::Context& ctx, const std::string& name, bool fails) {
  return ctx.step(name, TreeBody{name, fails}, {.retry = kNoRetry});
}
inline auto tree_step(pd::Context& ctx, const Tree* tree) {
  return tree_step(ctx, "s" + std::to_string(tree->id), tree->fails);
}

inline std::string text_of(const pd::Result<std::string>& result) {
  if (result) return "ok " + result.assume_value();
  // The words of a stop depend on whether the body or the engine answered it.
  const pd::Error& error = result.assume_error();
  return error.code == pd::Code::cancelled ? "cancelled" : error.to_string();
}
inline std::string text_of(const std::vector<std::string>& values) {
  std::string text;
  for (const std::string& each : values) text += "," + each;
  return "(" + text + ")";
}
inline std::string text_of(std::size_t index, const std::string& value) {
  return std::to_string(index) + "=" + value;
}
inline std::string text_of(const pd::Winner<std::string>& winner) {
  return text_of(winner.index, winner.value);
}
template <class... T>
std::string text_of(const std::tuple<T...>& values) {
  return std::apply([](const auto&... each) { return text_of(Lines{each...}); }, values);
}
template <class... T>
std::string text_of(const std::variant<T...>& value) {
  return text_of(value.index(),
                 std::visit([](const auto& each) { return std::string(each); }, value));
}

pd::Task<std::string> walk(pd::Context& ctx, const Tree* tree);

/// `Make` gives the branches anew: operations are awaited once.
template <class Make>
pd::Task<std::string> under_rule(pd::Context& ctx, pd::detail::Rule rule, Make make) {
  if (rule == pd::detail::Rule::all) {
    const auto values = co_await ctx.all(make());
    co_return text_of(values);
  }
  if (rule == pd::detail::Rule::any) {
    const auto won = co_await ctx.any(make());
    co_return text_of(won);
  }
  const auto won = co_await ctx.race(make());
  co_return text_of(won);
}

template <class... Kids>
pd::Task<std::string> pack_of(pd::Context& ctx, pd::detail::Rule rule, Kids... kids) {
  if (rule == pd::detail::Rule::all) {
    const auto values = co_await ctx.all(walk(ctx, kids)...);
    co_return text_of(values);
  }
  if (rule == pd::detail::Rule::any) {
    const auto won = co_await ctx.any(walk(ctx, kids)...);
    co_return text_of(won);
  }
  const auto won = co_await ctx.race(walk(ctx, kids)...);
  co_return text_of(won);
}

/// all(rule(task, task), as_result(step)): text of the values.
inline pd::Task<std::string> nested_of(pd::Context& ctx, const Tree* tree) {
  const Tree* const a = &tree->kids[0];
  const Tree* const b = &tree->kids[1];
  std::string inner;
  std::string outer;
  if (tree->rule == pd::detail::Rule::all) {
    auto both = co_await ctx.all(ctx.all(walk(ctx, a), walk(ctx, b)),
                                 pd::as_result(tree_step(ctx, &tree->kids[2])));
    inner = text_of(std::get<0>(both));
    outer = text_of(std::get<1>(both));
  } else if (tree->rule == pd::detail::Rule::any) {
    auto both = co_await ctx.all(ctx.any(walk(ctx, a), walk(ctx, b)),
                                 pd::as_result(tree_step(ctx, &tree->kids[2])));
    inner = text_of(std::get<0>(both));
    outer = text_of(std::get<1>(both));
  } else {
    auto both = co_await ctx.all(ctx.race(walk(ctx, a), walk(ctx, b)),
                                 pd::as_result(tree_step(ctx, &tree->kids[2])));
    inner = text_of(std::get<0>(both));
    outer = text_of(std::get<1>(both));
  }
  co_return "(," + inner + "," + outer + ")";
}

inline pd::Task<std::string> walk(pd::Context& ctx, const Tree* tree) {
  std::vector<const Tree*> kids;
  for (const Tree& kid : tree->kids) kids.push_back(&kid);
  switch (tree->kind) {
    case TreeKind::step: co_return co_await tree_step(ctx, tree);
    case TreeKind::sequence: {
      std::string text;
      for (const Tree* const kid : kids) {
        text += ";";
        text += co_await walk(ctx, kid);
      }
      co_return text;
    }
    case TreeKind::pack:
      if (kids.size() == 2) co_return co_await pack_of(ctx, tree->rule, kids[0], kids[1]);
      co_return co_await pack_of(ctx, tree->rule, kids[0], kids[1], kids[2]);
    case TreeKind::vector:
      co_return co_await under_rule(ctx, tree->rule, [&ctx, kids] {
        std::vector<pd::Task<std::string>> tasks;
        for (const Tree* const kid : kids) tasks.push_back(walk(ctx, kid));
        return tasks;
      });
    case TreeKind::step_vector:
      co_return co_await under_rule(ctx, tree->rule, [&ctx, kids] {
        std::vector<decltype(tree_step(ctx, kids[0]))> steps;
        for (const Tree* const kid : kids) steps.push_back(tree_step(ctx, kid));
        return steps;
      });
    case TreeKind::map: {
      const auto values = co_await ctx.map(kids, [&](const Tree* kid) { return walk(ctx, kid); },
                                           {.limit = tree->limit});
      co_return text_of(values);
    }
    case TreeKind::step_map: {
      const auto values = co_await ctx.map(
          kids, [&](const Tree* kid) { return tree_step(ctx, kid); }, {.limit = tree->limit});
      co_return text_of(values);
    }
    case TreeKind::nested: co_return co_await nested_of(ctx, tree);
    case TreeKind::result: {
      const pd::Result<std::string> result = co_await pd::as_result(walk(ctx, kids[0]));
      co_return "result " + text_of(result);
    }
    case TreeKind::caught: {
      const pd::Result<std::string> result = co_await pd::catch_cancelled(walk(ctx, kids[0]));
      const bool stopped = result.has_error() && result.assume_error().code == pd::Code::cancelled;
      const std::string name = (stopped ? "tidy" : "after") + std::to_string(tree->id);
      const std::string behind = co_await tree_step(ctx, name, false);
      co_return "caught " + text_of(result) + behind;
    }
    case TreeKind::at_once: co_return "now" + std::to_string(tree->id);
    case TreeKind::fails_at_once: co_await pd::fail({pd::Code::refused, "at once"});
  }
  co_return "not reached";
}

}  // namespace perdure::test
