// Crashes at every commit, and in random trees of tasks at random commits.
#include "core/random.hpp"
#include "tests/actors/engine_fixture.hpp"

#include <algorithm>

namespace perdure::test {
namespace {

/// A body that says that it ran. In `world->trace`: `run NAME`.
auto noted(std::string name, int value) {
  return [name = std::move(name), value](pd::Step&) {
    world->trace.add("run " + name);
    return value;
  };
}

pd::Task<int> two(pd::Context& ctx, std::string name, int value) {
  const int a = co_await ctx.step(name + " 1", noted(name + " 1", value));
  co_return a + co_await ctx.step(name + " 2", noted(name + " 2", a * 2));
}

pd::Task<std::string> middling(pd::Context& ctx, int start) {
  const int first = co_await ctx.step("first", noted("first", start));
  const auto parts = co_await ctx.all(two(ctx, "left", first), two(ctx, "right", first + 1),
                                      ctx.step("lone", noted("lone", 100)));
  int sum = std::get<0>(parts) + std::get<1>(parts) + std::get<2>(parts);
  for (int i = 0; i < 3; ++i) {
    const std::string name = "loop " + std::to_string(i);
    sum += co_await ctx.step(name, noted(name, i));
  }
  const auto missing = co_await pd::as_result(ctx.step("fails", [](pd::Step&) -> pd::Result<int> {
    world->trace.add("run fails");
    return pd::Error{pd::Code::refused, "no"};
  }));
  const int paid = co_await ctx.step("pays", noted("pays", 1), {.effect = pd::Effect::keyed});
  co_return std::to_string(sum + paid) + missing.error().message;
}
inline constexpr pd::Agent middle_agent{"middling", &middling};

/// Names of the steps whose result is on the disk.
std::set<std::string> recorded(const TestDisk& disk, const pd::RunId& id) {
  std::set<std::string> names;
  for (const std::string& line : disk.records(id)) {
    if (!line.starts_with("step_result")) continue;
    const auto first = line.find('\'');
    names.insert(line.substr(first + 1, line.rfind('\'') - first - 1));
  }
  return names;
}

class RecoveryTest : public EngineFixture {
 protected:
  struct Life {
    std::optional<std::string> reply;
    std::uint64_t commits = 0;
  };
  /// One process: starts the session (or finds it), and waits until it has ended or the process
  /// died.
  template <class A, class M>
  Life life(const A& agent, M message, std::uint64_t die_at, LastCommit what) {
    std::set<std::string> before;
    if (id_ != pd::RunId{}) before = recorded(disk_, id_);
    world_.trace.clear();
    Life result;
    {
      TestEngine engine(disk_);
      if (die_at != 0) engine.die_at_commit(die_at, what);
      engine.start(agent);
      auto started = engine.runtime().session(agent, "s").start(message);
      if (started.has_value()) {
        id_ = started.value().id();
        auto reply = started.value().wait();
        if (reply.has_value())
          result.reply = reply.value();
        else
          EXPECT_EQ(reply.error().code, pd::Code::storage_failed) << reply.error().message;
      } else {
        EXPECT_EQ(started.error().code, pd::Code::storage_failed) << started.error().message;
      }
      result.commits = engine.commits();
    }
    for (const std::string& name : before)
      EXPECT_EQ(world_.trace.count("run " + name), 0U) << name << " was recorded, and ran again";
    std::set<std::string> seen;
    for (const std::string& line : world_.trace.all())
      EXPECT_TRUE(seen.insert(line).second) << line << " twice in one process";
    return result;
  }
  void reset() {
    disk_ = TestDisk{};
    id_ = {};
  }
  pd::RunId id_;
};

TEST_F(RecoveryTest, ACrashAtAnyCommitCostsAtMostWhatItLost) {
  const Life whole = life(middle_agent, 5, 0, LastCommit::lost);
  ASSERT_TRUE(whole.reply.has_value());
  ASSERT_GE(whole.commits, 8U);
  const Lines all_records = disk_.records(id_);
  for (const LastCommit what : {LastCommit::lost, LastCommit::kept})
    for (std::uint64_t n = 1; n <= whole.commits + 1; ++n) {
      reset();
      SCOPED_TRACE("commit " + std::to_string(n) + (what == LastCommit::kept ? " kept" : " lost"));
      Life last = life(middle_agent, 5, n, what);
      if (!last.reply) last = life(middle_agent, 5, 0, LastCommit::lost);
      EXPECT_EQ(last.reply, whole.reply);
      Lines records = disk_.records(id_);
      EXPECT_EQ(std::multiset<std::string>(records.begin(), records.end()),
                std::multiset<std::string>(all_records.begin(), all_records.end()));
    }
}

pd::Task<std::string> in_line(pd::Context& ctx, int steps) {
  int sum = 0;
  for (int i = 0; i < steps; ++i) {
    const std::string name = "step " + std::to_string(i);
    sum += co_await ctx.step(name, noted(name, i));
  }
  co_return std::to_string(sum);
}
inline constexpr pd::Agent line_agent{"line", &in_line};

TEST_F(RecoveryTest, ARunThatEveryProcessDiesDuringStillComesThrough) {
  // Each process records the attempt that the one before it died during, then one result, and dies.
  std::optional<std::string> reply;
  int lives = 0;
  for (; !reply; ++lives) {
    ASSERT_LT(lives, 20);
    reply = life(line_agent, 12, 2, LastCommit::kept).reply;
  }
  EXPECT_EQ(reply, "66");
  EXPECT_GE(lives, 11);
}

/// A random program: steps, sequences and alls, some of which fail and some of which are caught.
/// Its reply does not depend on which of several failures came first.
struct Node {
  enum class Kind { step, failing_step, sequence, all_two, all_three } kind = Kind::step;
  bool caught = false;
  int yields = 0;
  int value = 0;
  std::vector<std::shared_ptr<const Node>> parts;
};
using Tree = std::shared_ptr<const Node>;

class Grower {
 public:
  explicit Grower(std::uint64_t seed) : state_(seed) {}
  std::uint64_t below(std::uint64_t bound) {
    state_ += core::kSplitMixStep;
    return core::split_mix(state_) % bound;
  }
  Tree grow(int depth) {
    auto node = std::make_shared<Node>();
    node->value = static_cast<int>(below(1000));
    node->yields = static_cast<int>(below(30));
    node->caught = below(2) == 0;
    const std::uint64_t choice = depth == 0 ? below(5) : 5 + below(6);
    if (choice < 4)
      node->kind = Node::Kind::step;
    else if (choice < 5)
      node->kind = Node::Kind::failing_step;
    else if (choice < 7)
      node->kind = Node::Kind::sequence;
    else if (choice < 9)
      node->kind = Node::Kind::all_two;
    else
      node->kind = Node::Kind::all_three;
    const std::size_t parts = choice < 5 ? 0 : choice < 7 ? 1 + below(3) : choice < 9 ? 2 : 3;
    for (std::size_t i = 0; i < parts; ++i)
      node->parts.push_back(
          grow(depth == 0 ? 0 : static_cast<int>(below(static_cast<std::uint64_t>(depth)))));
    return node;
  }

 private:
  std::uint64_t state_;
};

pd::Task<int> play(pd::Context& ctx, Tree node);

pd::Task<int> play_step(pd::Context& ctx, Tree node) {
  const std::string name = "step " + ctx.uuid().substr(0, 8);
  co_return co_await ctx.step(name,
                              [&](pd::Step& step) -> pd::Result<int> {
                                world->trace.add("run " + step.name());
                                for (int i = 0; i < node->yields; ++i) std::this_thread::yield();
                                if (node->kind == Node::Kind::failing_step)
                                  return pd::Error{pd::Code::refused, "failed"};
                                return node->value;
                              },
                              {.retry = kNoRetry});
}

/// A branch that lost ends with `cancelled`: what an `all` fails with is "failed" whichever branch
/// it was.
pd::Task<int> play_parts(pd::Context& ctx, Tree node) {
  if (node->kind == Node::Kind::all_two) {
    const auto parts = co_await ctx.all(play(ctx, node->parts[0]), play(ctx, node->parts[1]));
    co_return std::get<0>(parts) * 3 + std::get<1>(parts);
  }
  if (node->kind == Node::Kind::all_three) {
    const auto parts = co_await ctx.all(play(ctx, node->parts[0]), play(ctx, node->parts[1]),
                                        pd::as_result(play(ctx, node->parts[2])));
    const auto& third = std::get<2>(parts);
    co_return std::get<0>(parts) * 5 + std::get<1>(parts) + (third ? third.assume_value() : -7);
  }
  int sum = node->value;
  for (const Tree& part : node->parts) sum = sum % 1000 * 7 + co_await play(ctx, part);
  co_return sum % 1000;
}

pd::Task<int> play(pd::Context& ctx, Tree node) {
  const bool leaf = node->parts.empty();
  if (!node->caught) {
    if (leaf) co_return co_await play_step(ctx, node);
    co_return co_await play_parts(ctx, node);
  }
  if (leaf) {
    const auto result = co_await pd::as_result(play_step(ctx, node));
    co_return result ? result.assume_value() : -1;
  }
  const auto result = co_await pd::as_result(play_parts(ctx, node));
  co_return result ? result.assume_value() : -static_cast<int>(result.error().message.size());
}

pd::Task<std::string> play_seed(pd::Context& ctx, std::uint64_t seed) {
  const auto result = co_await pd::as_result(play(ctx, Grower(seed).grow(4)));
  co_return result ? std::to_string(result.assume_value()) : result.error().message;
}
inline constexpr pd::Agent random_agent{"random", &play_seed};

TEST_F(RecoveryTest, RandomTreesGiveTheSameReplyWhateverCommitsTheirProcessesDieAt) {
  std::size_t crashes = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    reset();
    const Life whole = life(random_agent, seed, 0, LastCommit::lost);
    ASSERT_TRUE(whole.reply.has_value());
    reset();
    Grower random(seed * 1'000'003);
    Life last;
    for (int attempt = 0; attempt < 3 && !last.reply; ++attempt) {
      // Three unclean ends in one step would park the run, so the third process lives.
      const std::uint64_t at = attempt == 2 ? 0 : 1 + random.below(whole.commits + 1);
      last =
          life(random_agent, seed, at, random.below(2) == 0 ? LastCommit::lost : LastCommit::kept);
      crashes += last.reply ? 0U : 1U;
    }
    EXPECT_EQ(last.reply, whole.reply);
    if (HasFailure()) break;
  }
  EXPECT_GT(crashes, 30U) << "the crashes must hit";
}

}  // namespace
}  // namespace perdure::test
