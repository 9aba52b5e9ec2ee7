// Random trees of tasks and combinators: what they give is a function of the order of deliveries,
// and a crash behind any commit changes nothing of it.
#include "core/bytes.hpp"
#include "tests/actors/branch_model.hpp"
#include "tests/actors/branch_tree.hpp"
#include "tests/actors/run_driver.hpp"

namespace perdure::test {
namespace {

pd::Task<std::string> tree_handler(pd::Context& ctx, int) {
  co_return co_await walk(ctx, tree_now);
}
inline constexpr pd::Agent trees{"trees", &tree_handler};

constexpr std::uint32_t kTrees = kSanitized ? 60 : 600;

class BranchesPropertyTest : public EngineFixture {
 protected:
  BranchesPropertyTest() : agent_(pd::detail::entry_of(trees)) {}

  /// The next body to return: by a draw that depends on the step alone. One that heeds a stop does
  /// so at once, as the engine does when it finds the step again after a crash.
  static std::size_t next(const RunDriver& run, std::uint32_t seed) {
    std::size_t first = 0;
    std::uint64_t least = ~std::uint64_t{0};
    for (std::size_t i = 0; i < run.bodies().size(); ++i) {
      const actors::BodyOrder& body = run.bodies()[i];
      if (bodies_now == Bodies::prompt && body.stop.stop_requested()) return i;
      const std::string& name = body.leaf->name().text;
      const std::uint64_t drawn = core::checksum(std::as_bytes(std::span(name)), seed);
      if (drawn < least) {
        least = drawn;
        first = i;
      }
    }
    return first;
  }
  static void finish(RunDriver& run, std::uint32_t seed) {
    while (!run.over()) {
      ASSERT_FALSE(run.bodies().empty()) << "it waits for nothing";
      run.complete(next(run, seed));
    }
  }
  static std::map<std::string, std::string> steps_of(const RunDriver& run) {
    std::map<std::string, std::string> steps;
    for (const RunDriver::Delivery& each : run.deliveries())
      EXPECT_TRUE(steps.emplace(each.path, each.name).second) << each.path << " twice";
    return steps;
  }
  /// What must hold of every ended run of `tree`.
  static void check(const RunDriver& run, const Tree& tree, TreeMaker::AtOnce at_once) {
    ASSERT_FALSE(run.parked().has_value()) << run.parked()->to_string();
    EXPECT_EQ(run.repeated(), Lines{}) << "recorded, and run again";
    const std::map<std::string, std::string> steps = steps_of(run);
    if (at_once == TreeMaker::AtOnce::yes) return;
    const std::vector<RunDriver::Delivery> deliveries = run.deliveries();
    BranchModel model(deliveries);
    const BranchModel::Outcome expected = model.run(tree);
    ASSERT_NE(expected.end, BranchModel::kNever);
    EXPECT_EQ(model.awaited(), steps);
    const pd::Result<std::string> reply = run.reply<std::string>();
    if (expected.ok) {
      ASSERT_TRUE(reply.has_value()) << reply.error().to_string();
      EXPECT_EQ(reply.value(), expected.value);
    } else {
      ASSERT_TRUE(reply.has_error()) << reply.value();
      EXPECT_EQ(reply.error().code, expected.error.code);
      EXPECT_EQ(reply.error().message, expected.error.message);
    }
  }

  void try_tree(std::uint32_t seed, TreeMaker::AtOnce at_once) {
    const Tree tree = TreeMaker(seed, at_once).make();
    tree_now = &tree;
    RunDriver whole(agent_, 0);
    finish(whole, seed);
    check(whole, tree, at_once);
    const pd::Result<std::string> reply = whole.reply<std::string>();
    steps_ += whole.deliveries().size();
    for (std::size_t crash = 1; crash < whole.commits() && !HasFailure(); ++crash) {
      SCOPED_TRACE("crash behind commit " + std::to_string(crash));
      RunDriver run(agent_, 0);
      while (run.commits() < crash) run.complete(next(run, seed));
      run.crash_and_resume(actors::LastEnd::unclean);
      finish(run, seed);
      check(run, tree, at_once);
      // What a stubborn body returns late, a new process finds stopped before it ran.
      if (bodies_now == Bodies::stubborn) continue;
      EXPECT_EQ(steps_of(run), steps_of(whole));
      ASSERT_EQ(run.reply<std::string>(), reply);
    }
    if (HasFailure()) return;
    SCOPED_TRACE("a new process behind every commit");
    RunDriver run(agent_, 0);
    while (!run.over()) {
      run.complete(next(run, seed));
      if (!run.over()) run.crash_and_resume(actors::LastEnd::clean);
    }
    check(run, tree, at_once);
    if (bodies_now == Bodies::prompt) {
      EXPECT_EQ(run.reply<std::string>(), reply);
    }
  }
  void try_trees(Bodies bodies, TreeMaker::AtOnce at_once, std::uint32_t count) {
    bodies_now = bodies;
    for (std::uint32_t seed = 1; seed <= count && !HasFailure(); ++seed) {
      SCOPED_TRACE("tree " + std::to_string(seed));
      try_tree(seed, at_once);
    }
    if (HasFailure()) return;
    // Trees of one leaf would hold any rule.
    EXPECT_GT(steps_, std::size_t{5} * count) << "the trees are too small";
  }
  pd::detail::AgentEntry agent_;
  std::size_t steps_ = 0;
};

TEST_F(BranchesPropertyTest, TheOrderOfDeliveriesDecidesAndCrashesChangeNothing) {
  try_trees(Bodies::prompt, TreeMaker::AtOnce::no, kTrees);
}

TEST_F(BranchesPropertyTest, BodiesThatDoNotHeedTheirStopChangeNoRule) {
  try_trees(Bodies::stubborn, TreeMaker::AtOnce::no, kTrees);
}

TEST_F(BranchesPropertyTest, BranchesThatEndWhereTheyBeginReplayAsTheyRan) {
  try_trees(Bodies::prompt, TreeMaker::AtOnce::yes, kTrees);
}

}  // namespace
}  // namespace perdure::test
