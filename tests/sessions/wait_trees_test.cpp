/// Random trees of everything that a handler can await: one result whichever process computes it,
/// nothing outlives what began it, and ids that no interleaving changes.
#include "tests/sessions/wait_tree.hpp"

#include "tests/support/sanitized.hpp"

namespace perdure::test {
namespace {

constexpr std::uint32_t kTrees = kSanitized ? 20 : 300;
constexpr std::uint32_t kCrashedTrees = kSanitized ? 4 : 60;

pd::Task<std::string> tree_handler(pd::Context& ctx, int) {
  co_return co_await walk(ctx, &grove->tree);
}
inline constexpr pd::Agent trees{"trees", &tree_handler};

/// Signals come by this one: a signal has no key, so one whose sender died could come twice.
pd::Task<void> tell_tree(pd::Context& ctx, int number) {
  co_await ctx.session(trees, "t").send(go, number);
}
inline constexpr pd::Handler tell{"tell", &tell_tree};
inline constexpr pd::Agent teller{"teller", tell};

/// What happens to a tree from outside.
struct Act {
  enum class What : std::uint8_t { advance, signal, cancel } what = What::advance;
  std::chrono::microseconds time{0};
};
std::vector<Act> plan_of(std::uint32_t seed) {
  std::mt19937 random(seed * 7919 + 1);
  std::vector<Act> acts;
  bool cancelled = false;
  for (std::size_t count = 2 + random() % 8; acts.size() < count;) {
    Act act{Act::What::advance, std::chrono::microseconds(1 + random() % 4'000'000)};
    const auto what = random() % 8;
    if (what < 4) act.what = Act::What::signal;
    if (what == 4 && !std::exchange(cancelled, true)) act.what = Act::What::cancel;
    acts.push_back(act);
  }
  return acts;
}

enum class Restarts : std::uint8_t { none, between_acts };

class WaitTreesTest : public ::testing::Test {
 protected:
  ~WaitTreesTest() override { grove = nullptr; }

  void grow(std::uint32_t seed) {
    seed_ = seed;
    grove_.emplace(TreeMaker(seed).make());
    grove = &*grove_;
    ids_.clear();
    add_ids(grove->tree, "1", ids_);
    abandoned_.clear();
    note_abandoned(grove->tree);
  }
  void note_abandoned(const Tree& tree) {
    if (tree.ends == pd::ParentEnds::abandon_child)
      abandoned_.insert("child " + std::to_string(tree.id));
    for (const Tree& kid : tree.kids) note_abandoned(kid);
  }

  /// The tree's run from its start to its end, and what is then in its journal.
  std::string live(kit::Runtime& test, Restarts restarts = Restarts::none) {
    test.serve(helper);
    auto run = test.session(trees, "t").start(0).value();
    int told = 0;
    const auto signal = [&] {
      ++told;
      auto sent = test.session(teller, "x").send(tell, told, {.key = std::to_string(told)});
      EXPECT_TRUE(sent.value().wait());
    };
    for (const Act& act : plan_of(seed_)) {
      test.run_until_idle();
      if (restarts == Restarts::between_acts) test.restart(kit::End::unclean);
      switch (act.what) {
        case Act::What::advance: test.advance(act.time); break;
        case Act::What::signal: signal(); break;
        case Act::What::cancel:
          (void)run.cancel({.grace = std::chrono::ceil<std::chrono::milliseconds>(act.time)});
          break;
      }
    }
    // No tree has more waits one behind the other than nodes.
    test.run_until_idle();
    for (int i = 0; i < 60 && !run.result(); ++i) {
      test.advance(10s);
      signal();
      test.run_until_idle();
    }
    EXPECT_TRUE(run.result().has_value()) << test.explain(run.id()).value();
    EXPECT_TRUE(grove->alive.empty());
    expect_all_ended(test, "child ");
    const std::string text = text_of(run.wait()) + "\n" + records(test, run.id());
    test.advance(1min);
    expect_all_ended(test, "");
    EXPECT_TRUE(disk_of(test).due().empty());
    EXPECT_EQ(disk_of(test).damage(), "");
    return text;
  }

  /// Of all sessions whose key begins with `prefix`, but for children that were abandoned.
  void expect_all_ended(kit::Runtime& test, const std::string& prefix) {
    disk_of(test)
        .read()
        .each_run([&](const journal::RunInfo& run) {
          if (!run.session_key.starts_with(prefix)) return true;
          if (!prefix.empty() && abandoned_.contains(run.session_key)) return true;
          EXPECT_GE(run.head.status, journal::RunStatus::completed)
              << "the run of " << run.agent << "/" << run.session_key << " outlives its parent";
          return true;
        })
        .value();
  }

  /// Without starts of attempts, which tell of crashes. Each stands where the tree has it.
  std::string records(kit::Runtime& test, const pd::RunId& run) {
    std::string text;
    for (const std::string& line : disk_of(test).records(run)) {
      const std::size_t path = line.find(' ') + 1;
      const std::size_t name = line.find(" '");
      if (line.starts_with("step_started ")) continue;
      text += line + "\n";
      if (name == std::string::npos) continue;
      std::string kind = line.substr(0, path - 1);
      if (kind == "step_result") kind = "step";
      const auto known = ids_.find(line.substr(path, name - path));
      const std::string what = kind + line.substr(name, line.rfind(' ') - name);
      EXPECT_TRUE(known != ids_.end() && known->second == what) << line;
    }
    return text;
  }

  std::uint32_t seed_ = 0;
  std::optional<Grove> grove_;
  StepIds ids_;
  std::set<std::string> abandoned_;
};

TEST_F(WaitTreesTest, GiveOneResultWithFramesKeptReplayedAndInNewProcesses) {
  std::set<std::string> kinds;
  for (std::uint32_t seed = 1; seed <= kTrees && !HasFailure(); ++seed) {
    grow(seed);
    for (const std::uint64_t order : {1U, 2U}) {
      SCOPED_TRACE("tree " + std::to_string(seed) + ", order " + std::to_string(order));
      kit::Options options{.seed = order, .order = kit::Order::by_seed};
      kit::Runtime kept(options);
      const std::string result = live(kept);
      kit::Runtime restarted(options);
      EXPECT_EQ(live(restarted, Restarts::between_acts), result);
      options.frames = kit::Frames::replayed;
      kit::Runtime replayed(options);
      EXPECT_EQ(live(replayed), result);
      kinds.insert(result.substr(0, result.find_first_of("(;=\n ")));
    }
  }
  EXPECT_GT(kinds.size(), kSanitized ? 5U : 10U) << "the trees are too much alike";
}

TEST_F(WaitTreesTest, GiveOneResultWhereverTheProcessDies) {
  std::uint64_t crashes = 0;
  for (std::uint32_t seed = 1; seed <= kCrashedTrees && !HasFailure(); ++seed) {
    SCOPED_TRACE("tree " + std::to_string(seed));
    grow(seed);
    const kit::CrashReport report =
        kit::crash_everywhere({.runtime = {.seed = seed, .order = kit::Order::by_seed}},
                              [&](kit::Runtime& test) { return live(test); });
    EXPECT_TRUE(report.ok()) << to_string(report);
    crashes += report.crashes;
  }
  EXPECT_GT(crashes, std::uint64_t{20} * kCrashedTrees) << "the trees are too small";
}

TEST_F(WaitTreesTest, HaveTheirStructureWithBodiesThatTakeTimeInAnyOrder) {
  for (std::uint32_t seed = 1; seed <= kTrees && !HasFailure(); ++seed) {
    grow(seed);
    for (const kit::Frames frames : {kit::Frames::kept, kit::Frames::replayed}) {
      SCOPED_TRACE("tree " + std::to_string(seed));
      std::mt19937 random(seed);
      kit::Runtime test({.seed = seed, .frames = frames, .order = kit::Order::by_seed});
      grove->in_body = [&] { test.advance(std::chrono::microseconds(random() % 2'000'000)); };
      (void)live(test);
    }
  }
}

}  // namespace
}  // namespace perdure::test
