/// Random sagas against a model: steps that fail in each way, branches, save-points, pivots and
/// sagas within sagas. Any seed can be run alone: PERDURE_SAGA_SEED=N.
#include "tests/sagas/saga_fixture.hpp"

#include "core/random.hpp"
#include "tests/support/sanitized.hpp"

#include <cstdlib>
#include <memory>
#include <set>

namespace perdure::test {
namespace {

// --- Plans ---------------------------------------------------------------------------------------

struct Plan;
/// One thing that a saga does.
struct Op {
  enum class Kind : std::uint8_t {
    step,
    caught,
    branches,
    within,
    within_caught,
    back,
    pivot,
    retry
  };
  Kind kind = Kind::step;
  std::string name;
  World::Does does = World::Does::book;
  std::vector<std::string> side_by_side;  ///< Of `branches`: all succeed.
  std::shared_ptr<const Plan> plan;       ///< Of `within`; of `back`, what is gone back over.
};
struct Plan {
  std::string name;
  std::vector<Op> ops;
  bool commits = true;
  bool parallel = false;
};

class Planner {
 public:
  explicit Planner(std::uint64_t seed) : random_(seed) {}
  std::shared_ptr<const Plan> plan(int depth, bool may_pivot) {
    auto made = std::make_shared<Plan>();
    made->name = "saga " + std::to_string(++sagas_);
    made->parallel = one_in(3);
    made->commits = !one_in(3);
    const std::uint64_t ops = 1 + random_.next() % 5;
    bool behind = false;
    for (std::uint64_t i = 0; i < ops; ++i) {
      Op op = this->op(depth, may_pivot, behind);
      behind |= op.kind == Op::Kind::pivot && op.does == World::Does::book;
      made->ops.push_back(std::move(op));
    }
    return made;
  }

 private:
  bool one_in(std::uint64_t n) { return random_.next() % n == 0; }
  std::string name() { return "s" + std::to_string(++steps_); }
  World::Does does() {
    if (!one_in(4)) return World::Does::book;
    constexpr World::Does kFailures[] = {World::Does::refuse, World::Does::fail, World::Does::lose,
                                         World::Does::explode};
    return kFailures[random_.next() % 4];
  }
  Op op(int depth, bool may_pivot, bool behind) {
    Op op;
    op.name = name();
    if (behind) {
      op.kind = Op::Kind::retry;
      return op;
    }
    op.does = does();
    switch (random_.next() % 9) {
      case 0:
      case 1:
      case 2: op.kind = Op::Kind::step; break;
      case 3: op.kind = Op::Kind::caught; break;
      case 4:
        op.kind = Op::Kind::branches;
        for (std::uint64_t i = 0; i < 2 + random_.next() % 3; ++i)
          op.side_by_side.push_back(name());
        break;
      case 5:
      case 6:
        if (depth == 0) break;
        op.kind = one_in(2) ? Op::Kind::within : Op::Kind::within_caught;
        op.plan = plan(depth - 1, false);
        break;
      case 7: {
        op.kind = Op::Kind::back;
        auto over = std::make_shared<Plan>();
        for (std::uint64_t i = 0; i < 1 + random_.next() % 2; ++i) {
          Op inner;
          inner.name = name();
          over->ops.push_back(inner);
        }
        op.plan = over;
        break;
      }
      default:
        if (may_pivot) {
          op.kind = Op::Kind::pivot;
          if (op.does == World::Does::fail || op.does == World::Does::lose ||
              op.does == World::Does::explode)
            op.does = World::Does::refuse;  // What nobody knows of a person has to find out.
        }
    }
    return op;
  }

  core::SeededRandom random_;
  int steps_ = 0;
  int sagas_ = 0;
};

std::shared_ptr<const Plan> plan_of(std::uint64_t seed) { return Planner(seed).plan(2, true); }

// --- The model -----------------------------------------------------------------------------------

/// What is booked in the end, computed from the plan alone.
class Model {
 public:
  /// Whether the saga was committed. What stays booked of it goes to `kept`.
  bool run(const Plan& plan, std::vector<std::string>& kept) {
    std::vector<std::string> mine;      // Booked, and part of what a commit keeps.
    std::vector<std::string> leftover;  // Booked by what failed: undone, if anything is.
    bool behind = false;
    bool failed = false;
    for (const Op& op : plan.ops) {
      if (failed) break;
      const bool books = op.does == World::Does::book;
      switch (op.kind) {
        case Op::Kind::step:
          if (books) mine.push_back(op.name);
          failed = !books;
          break;
        case Op::Kind::caught:
          if (books) mine.push_back(op.name);
          if (op.does == World::Does::lose || op.does == World::Does::explode)
            leftover.push_back(op.name);
          break;
        case Op::Kind::branches:
          mine.insert(mine.end(), op.side_by_side.begin(), op.side_by_side.end());
          break;
        case Op::Kind::within: failed = !run(*op.plan, mine); break;
        case Op::Kind::within_caught: (void)run(*op.plan, mine); break;
        case Op::Kind::back: break;
        case Op::Kind::pivot:
          if (books) mine.push_back(op.name);
          behind |= books;
          failed = !books;
          break;
        case Op::Kind::retry: mine.push_back(op.name); break;
      }
    }
    const bool commits = !failed && plan.commits;
    if (commits || behind) kept.insert(kept.end(), mine.begin(), mine.end());
    // It is stuck: a person has to see to what is left.
    if (behind && !commits) kept.insert(kept.end(), leftover.begin(), leftover.end());
    return commits;
  }
};

// --- The handler ---------------------------------------------------------------------------------

pd::Result<Ticket> do_op(pd::Step& step, const Trip& trip) { return world->book(step, trip.city); }
pd::Result<void> undo_op(pd::Step&, const TripReceipt& receipt) {
  return world->cancel(receipt.key, receipt.input.city, receipt.output.has_value());
}
inline constexpr pd::Tool op_tool{"op", &do_op, {.effect = pd::Effect::keyed, .retry = kOnce}};
inline constexpr pd::Undo op_undo{"undo op", &undo_op};

pd::Task<int> run_plan(pd::Context& ctx, std::shared_ptr<const Plan> plan,
                       std::optional<pd::Saga::Ref> parent) {
  const pd::SagaOptions options{.order = plan->parallel ? pd::UndoOrder::parallel
                                                        : pd::UndoOrder::reverse};
  std::optional<pd::Saga> saga;
  if (parent) {
    saga.emplace(ctx, *parent, plan->name, options);
  } else {
    saga.emplace(ctx, plan->name, options);
  }
  for (const Op& op : plan->ops) {
    switch (op.kind) {
      case Op::Kind::step: co_await saga->step(op_tool, {op.name}, op_undo); break;
      case Op::Kind::caught: {
        const auto ignored = co_await pd::as_result(saga->step(op_tool, {op.name}, op_undo));
        (void)ignored;
        break;
      }
      case Op::Kind::branches: {
        std::vector<pd::detail::ToolOperation<Trip, Ticket>> all;
        for (const std::string& name : op.side_by_side)
          all.push_back(saga->step(op_tool, {name}, op_undo));
        co_await ctx.all(std::move(all));
        break;
      }
      case Op::Kind::within: co_await run_plan(ctx, op.plan, saga->ref()); break;
      case Op::Kind::within_caught: {
        const auto ignored = co_await pd::as_result(run_plan(ctx, op.plan, saga->ref()));
        (void)ignored;
        break;
      }
      case Op::Kind::back: {
        const pd::SavePoint here = saga->save_point();
        for (const Op& over : op.plan->ops) co_await saga->step(op_tool, {over.name}, op_undo);
        co_await saga->back_to(here);
        break;
      }
      case Op::Kind::pivot: co_await saga->step(op_tool, {op.name}, pd::pivot); break;
      case Op::Kind::retry: co_await saga->step(op_tool, {op.name}, pd::retriable); break;
    }
  }
  if (!plan->commits) co_return pd::Error{pd::Code::refused, "gives up"};
  co_await saga->commit();
  co_return 1;
}
pd::Task<std::string> random_handler(pd::Context& ctx, std::uint64_t seed) {
  const auto done = co_await pd::as_result(run_plan(ctx, plan_of(seed), std::nullopt));
  co_return done ? "committed" : "undone";
}
inline constexpr pd::Agent random_agent{"random", &random_handler};

void tell_world(const Plan& plan, World& far) {
  for (const Op& op : plan.ops) {
    if (op.does != World::Does::book) far.actions[op.name] = op.does;
    if (op.plan) tell_world(*op.plan, far);
  }
}

/// How it ended and what is booked, by the plan.
std::string wanted(std::uint64_t seed) {
  std::vector<std::string> kept;
  const bool committed = Model().run(*plan_of(seed), kept);
  std::ranges::sort(kept);
  std::string text = committed ? "committed" : "undone";
  for (const std::string& each : kept) text += " " + each;
  return text;
}
/// The same as it is.
std::string outcome(kit::Runtime& test, std::uint64_t seed) {
  World far;
  world = &far;
  tell_world(*plan_of(seed), far);
  auto run = test.session(random_agent, "s").start(seed).value();
  const auto result = run.wait();
  test.run_until_idle();
  std::string text = result.has_value() ? result.value() : result.error().to_string();
  for (const std::string& each : far.booked()) text += " " + each;
  if (const std::string damage = disk_of(test).damage(); !damage.empty()) text += ", " + damage;
  world = nullptr;
  return text;
}

std::vector<std::uint64_t> seeds(std::uint64_t count) {
  if (const char* const one = std::getenv("PERDURE_SAGA_SEED"))
    return {std::strtoull(one, nullptr, 10)};
  std::vector<std::uint64_t> all(count);
  for (std::uint64_t i = 0; i < count; ++i) all[i] = i;
  return all;
}

class RandomSagas : public SagaFixture {};
PERDURE_TEST_FRAMES(RandomSagas);

TEST_P(RandomSagas, EndAsTheModelSays) {
  constexpr std::uint64_t kKept = kSanitized ? 200 : 3000;
  constexpr std::uint64_t kReplayed = kSanitized ? 60 : 1000;
  for (const std::uint64_t seed : seeds(GetParam() == kit::Frames::kept ? kKept : kReplayed)) {
    kit::Runtime test(options());
    ASSERT_EQ(outcome(test, seed), wanted(seed)) << "PERDURE_SAGA_SEED=" << seed;
  }
}

TEST(RandomSagasWithCrashes, EndAsTheModelSays) {
  for (const std::uint64_t seed : seeds(kSanitized ? 8 : 60)) {
    const std::string end = wanted(seed);
    Lines wrong;
    const kit::CrashReport report = kit::crash_everywhere([&](kit::Runtime& test) {
      std::string told = outcome(test, seed);
      if (told != end) wrong.push_back(told);
      return told;
    });
    ASSERT_TRUE(report.ok()) << "PERDURE_SAGA_SEED=" << seed << "\n" << to_string(report);
    ASSERT_EQ(wrong, Lines{}) << "PERDURE_SAGA_SEED=" << seed << ", wanted " << end;
  }
}

}  // namespace
}  // namespace perdure::test
