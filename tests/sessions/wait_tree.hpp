/// Random trees of combinators whose leaves wait for everything that a handler can wait for, and
/// the handler that is one.
///
/// What this is: what wait_trees_test.cpp runs. Each node is a task; while it lives it is entered
/// in `grove->alive`, so a body, a parent or a test can say who must be there and who must not.
#pragma once

#include "tests/sessions/session_fixture.hpp"

#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace perdure::test {

enum class Node : std::uint8_t {
  step,
  sleep,
  receive,
  receive_within,
  duel,        ///< race(receive, sleep), without tasks between.
  call,        ///< Of another session, which several nodes may call.
  child,       ///< Spawned and joined.
  left_child,  ///< Spawned and never joined.
  kLeaves,
  sequence = kLeaves,
  all,
  any,
  race,
  map,
  within,
  shielded,
  result,  ///< as_result(task)
  caught,  ///< catch_cancelled(task), and a step behind it.
  kKinds,
};

struct Tree {
  Node kind = Node::step;
  int id = 0;
  int parent = -1;
  bool fails = false;     ///< The step, or the run of the session that is called.
  std::int64_t us = 0;    ///< How long it sleeps, waits, or may take.
  std::size_t limit = 0;  ///< The map's.
  pd::ParentEnds ends = pd::ParentEnds::cancel_child;
  std::vector<Tree> kids;
};

class TreeMaker {
 public:
  explicit TreeMaker(std::uint32_t seed) : random_(seed) {}
  Tree make() { return tree(4, -1); }

 private:
  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(random_()) % bound; }
  Node kind(std::uint32_t depth) {
    if (depth > 0 && ids_ < 20 && (depth > 2 || below(3) != 0))
      return static_cast<Node>(below(static_cast<std::uint32_t>(Node::kKinds) -
                                     static_cast<std::uint32_t>(Node::kLeaves)) +
                               static_cast<std::uint32_t>(Node::kLeaves));
    return static_cast<Node>(below(static_cast<std::uint32_t>(Node::kLeaves)));
  }
  Tree tree(std::uint32_t depth, int parent) {
    Tree made;
    made.kind = kind(depth);
    made.id = ids_++;
    made.parent = parent;
    made.fails = below(4) == 0;
    // No two of a tree end at the same time: what is first of two then is not for the tree to say.
    made.us = 1 + below(8'000'000);
    made.limit = below(3);
    made.ends = static_cast<pd::ParentEnds>(1 + below(3));
    std::uint32_t kids = made.kind < Node::kLeaves ? 0 : 1;
    if (made.kind >= Node::sequence && made.kind <= Node::map) kids = 2 + below(2);
    for (std::uint32_t i = 0; i < kids; ++i) made.kids.push_back(tree(depth - 1, made.id));
    return made;
  }
  std::mt19937 random_;
  int ids_ = 0;
};

/// The tree that the handler runs, and who of it lives.
struct Grove {
  explicit Grove(Tree which) : tree(std::move(which)) {}
  Tree tree;
  std::set<int> alive;
  /// What bodies do, so that they take time. Empty: they take none.
  std::function<void()> in_body;
};
inline Grove* grove = nullptr;

/// A node's task, as long as its frame is there.
class Alive {
 public:
  explicit Alive(const Tree* node) : node_(node) {
    EXPECT_TRUE(grove->alive.insert(node->id).second) << "node " << node->id << " runs twice";
    EXPECT_TRUE(node->parent < 0 || grove->alive.contains(node->parent))
        << "node " << node->id << " has begun without its parent";
  }
  Alive(const Alive&) = delete;
  Alive& operator=(const Alive&) = delete;
  ~Alive() {
    alone();
    grove->alive.erase(node_->id);
  }
  /// None of its branches is there any more.
  void alone() const {
    for (const Tree& kid : node_->kids)
      EXPECT_FALSE(grove->alive.contains(kid.id)) << "node " << kid.id << " outlives its awaiter";
  }

 private:
  const Tree* node_;
};

inline constexpr pd::Signal<int> go{"go"};

/// A body that was asked to stop before it began never begins in a new process, so each heeds it.
inline pd::Result<void> heed(const pd::Step& step) {
  if (step.stop_requested()) return pd::Error{pd::Code::cancelled, "heeded"};
  return pd::success();
}

/// Another session's part: a step, then a while.
struct Favour {
  int id = 0;
  std::int64_t us = 0;
  bool fails = false;
};
PERDURE_DESCRIBE(Favour, id, us, fails);

inline pd::Task<std::string> do_favour(pd::Context& ctx, Favour asked) {
  co_await ctx.step("favour " + std::to_string(asked.id),
                    [](pd::Step& step) { return heed(step); });
  if (asked.us % 2 == 0) co_await ctx.sleep(std::chrono::microseconds(asked.us));
  if (asked.fails) co_return pd::Error{pd::Code::refused, "no"};
  co_return "favour " + std::to_string(asked.id);
}
inline constexpr pd::Handler favour{"favour", &do_favour};
inline constexpr pd::Agent helper{"helper", favour};

inline std::string text_of(const pd::Error& error) { return std::string(to_string(error.code)); }
inline std::string text_of(const pd::Result<std::string>& result) {
  return result ? result.value() : text_of(result.error());
}

pd::Task<std::string> walk(pd::Context& ctx, const Tree* tree);

/// A step that fails says so for good.
inline pd::Result<std::string> tree_body(pd::Step& step, const Tree* tree) {
  EXPECT_TRUE(grove->alive.contains(tree->id)) << "the body of a branch that has ended";
  if (grove->in_body) grove->in_body();
  EXPECT_TRUE(grove->alive.contains(tree->id)) << "a frame went while its body ran";
  PERDURE_TRY(heed(step));
  if (tree->fails) return pd::Error{pd::Code::refused, "no"};
  return "s" + std::to_string(tree->id);
}
inline pd::Task<std::string> step_of(pd::Context& ctx, const Tree* tree) {
  const Alive alive(tree);
  co_return co_await ctx.step("s" + std::to_string(tree->id),
                              [tree](pd::Step& step) { return tree_body(step, tree); });
}
inline pd::Task<std::string> sleep_of(pd::Context& ctx, const Tree* tree) {
  const Alive alive(tree);
  co_await ctx.sleep(std::chrono::microseconds(tree->us));
  co_return "slept";
}
inline pd::Task<std::string> receive_of(pd::Context& ctx, const Tree* tree) {
  const Alive alive(tree);
  co_return "go" + std::to_string(co_await ctx.receive(go));
}
inline pd::Task<std::string> receive_within_of(pd::Context& ctx, const Tree* tree) {
  const Alive alive(tree);
  const std::optional<int> got =
      co_await ctx.receive(go, {.within = std::chrono::microseconds(tree->us)});
  co_return got ? "go" + std::to_string(*got) : "nothing";
}
inline pd::Task<std::string> duel_of(pd::Context& ctx, const Tree* tree) {
  const Alive alive(tree);
  const auto won =
      co_await ctx.race(ctx.receive(go), ctx.sleep(std::chrono::microseconds(tree->us)));
  co_return won.index() == 0 ? "go" + std::to_string(std::get<0>(won)) : "time";
}
inline pd::Task<std::string> call_of(pd::Context& ctx, const Tree* tree) {
  const Alive alive(tree);
  co_return co_await ctx.session(helper, "shared " + std::to_string(tree->id % 2))
      .call(favour, {tree->id, tree->us, tree->fails}, {.key = std::to_string(tree->id)});
}
inline auto spawn_of(pd::Context& ctx, const Tree* tree) {
  return ctx.session(helper, "child " + std::to_string(tree->id))
      .spawn(favour, {tree->id, tree->us, tree->fails},
             {.key = std::to_string(tree->id), .parent_ends = tree->ends});
}
inline pd::Task<std::string> child_of(pd::Context& ctx, const Tree* tree) {
  const Alive alive(tree);
  const pd::ChildRun<std::string> child = co_await spawn_of(ctx, tree);
  co_return co_await child.result();
}
inline pd::Task<std::string> left_child_of(pd::Context& ctx, const Tree* tree) {
  const Alive alive(tree);
  co_await spawn_of(ctx, tree);
  co_return "left";
}
inline pd::Task<std::string> sequence_of(pd::Context& ctx, const Tree* tree) {
  const Alive alive(tree);
  std::string text;
  for (const Tree& kid : tree->kids) {
    text += ";";
    text += co_await walk(ctx, &kid);
    alive.alone();
  }
  co_return text;
}
inline std::vector<pd::Task<std::string>> branches_of(pd::Context& ctx, const Tree* tree) {
  std::vector<pd::Task<std::string>> tasks;
  for (const Tree& kid : tree->kids) tasks.push_back(walk(ctx, &kid));
  return tasks;
}
inline std::string text_of(const std::vector<std::string>& values) {
  std::string text;
  for (const std::string& each : values) text += "," + each;
  return "(" + text + ")";
}
inline pd::Task<std::string> all_of(pd::Context& ctx, const Tree* tree) {
  const Alive alive(tree);
  const std::vector<std::string> values = co_await ctx.all(branches_of(ctx, tree));
  alive.alone();
  co_return text_of(values);
}
inline pd::Task<std::string> any_or_race_of(pd::Context& ctx, const Tree* tree) {
  const Alive alive(tree);
  pd::Winner<std::string> won;
  if (tree->kind == Node::any) {
    won = co_await ctx.any(branches_of(ctx, tree));
  } else {
    won = co_await ctx.race(branches_of(ctx, tree));
  }
  alive.alone();
  co_return std::to_string(won.index) + "=" + won.value;
}
inline pd::Task<std::string> map_of(pd::Context& ctx, const Tree* tree) {
  const Alive alive(tree);
  std::vector<const Tree*> kids;
  for (const Tree& kid : tree->kids) kids.push_back(&kid);
  const std::vector<std::string> values = co_await ctx.map(
      kids, [&](const Tree* kid) { return walk(ctx, kid); }, {.limit = tree->limit});
  alive.alone();
  co_return text_of(values);
}
inline pd::Task<std::string> within_of(pd::Context& ctx, const Tree* tree) {
  const Alive alive(tree);
  const std::string value =
      co_await ctx.within(std::chrono::microseconds(tree->us), walk(ctx, &tree->kids[0]));
  alive.alone();
  co_return "within " + value;
}
inline pd::Task<std::string> shielded_of(pd::Context& ctx, const Tree* tree) {
  const Alive alive(tree);
  co_return co_await ctx.shielded(walk(ctx, &tree->kids[0]));
}
inline pd::Task<std::string> result_of(pd::Context& ctx, const Tree* tree) {
  const Alive alive(tree);
  const pd::Result<std::string> result = co_await pd::as_result(walk(ctx, &tree->kids[0]));
  alive.alone();
  co_return "result " + text_of(result);
}
inline pd::Task<std::string> caught_of(pd::Context& ctx, const Tree* tree) {
  const Alive alive(tree);
  const pd::Result<std::string> result = co_await pd::catch_cancelled(walk(ctx, &tree->kids[0]));
  alive.alone();
  const std::string behind = co_await ctx.step(
      "behind" + std::to_string(tree->id), [tree](pd::Step& step) -> pd::Result<std::string> {
        EXPECT_TRUE(grove->alive.contains(tree->id)) << "the body of a branch that has ended";
        PERDURE_TRY(heed(step));
        return std::string("behind");
      });
  co_return "caught " + text_of(result) + behind;
}

inline pd::Task<std::string> walk(pd::Context& ctx, const Tree* tree) {
  switch (tree->kind) {
    case Node::step: return step_of(ctx, tree);
    case Node::sleep: return sleep_of(ctx, tree);
    case Node::receive: return receive_of(ctx, tree);
    case Node::receive_within: return receive_within_of(ctx, tree);
    case Node::duel: return duel_of(ctx, tree);
    case Node::call: return call_of(ctx, tree);
    case Node::child: return child_of(ctx, tree);
    case Node::left_child: return left_child_of(ctx, tree);
    case Node::sequence: return sequence_of(ctx, tree);
    case Node::all: return all_of(ctx, tree);
    case Node::any:
    case Node::race: return any_or_race_of(ctx, tree);
    case Node::map: return map_of(ctx, tree);
    case Node::within: return within_of(ctx, tree);
    case Node::shielded: return shielded_of(ctx, tree);
    case Node::result: return result_of(ctx, tree);
    case Node::caught:
    case Node::kKinds: break;
  }
  return caught_of(ctx, tree);
}

/// The steps that `tree` can have, whatever happens: path to kind and name, as the journal has
/// them.
/// A function of the tree alone, and of nothing that the engine does.
using StepIds = std::map<std::string, std::string>;
inline void add_ids(const Tree& tree, const std::string& path, StepIds& ids) {
  const auto below = [&](std::size_t component) { return path + "." + std::to_string(component); };
  const std::string first = below(1);
  switch (tree.kind) {
    case Node::step: ids[first] = "step 's" + std::to_string(tree.id) + "'"; break;
    case Node::sleep: ids[first] = "sleep 'sleep'"; break;
    case Node::receive:
    case Node::receive_within: ids[first] = "receive 'go'"; break;
    case Node::duel:
      ids[first + ".0"] = "receive 'go'";
      ids[first + ".1"] = "sleep 'sleep'";
      break;
    case Node::call: ids[first] = "call 'favour'"; break;
    case Node::child: ids[below(2)] = "join 'favour'"; [[fallthrough]];
    case Node::left_child: ids[first] = "spawn 'favour'"; break;
    case Node::sequence:
      for (std::size_t i = 0; i < tree.kids.size(); ++i) add_ids(tree.kids[i], below(i + 1), ids);
      break;
    case Node::all:
    case Node::any:
    case Node::race:
    case Node::map:
      for (std::size_t i = 0; i < tree.kids.size(); ++i)
        add_ids(tree.kids[i], first + "." + std::to_string(i), ids);
      break;
    case Node::within:
      add_ids(tree.kids[0], first + ".0", ids);
      ids[first + ".1"] = "sleep 'sleep'";
      break;
    case Node::caught:
      ids[below(2)] = "step 'behind" + std::to_string(tree.id) + "'";
      [[fallthrough]];
    case Node::shielded:
    case Node::result:
    case Node::kKinds: add_ids(tree.kids[0], first, ids); break;
  }
}

}  // namespace perdure::test
