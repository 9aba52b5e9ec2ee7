/// Children: started once, joined late or early, and what becomes of them when the parent ends.
#include "tests/sessions/session_fixture.hpp"

namespace perdure::test {
namespace {

inline constexpr pd::Signal<int> go{"go"};
inline constexpr pd::Signal<int> end_now{"end-now"};

pd::Task<int> child_handler(pd::Context& ctx, int number) {
  co_await ctx.step("begin", [&](pd::Step&) { outside->add("begin " + std::to_string(number)); });
  const pd::Result<int> got = co_await pd::catch_cancelled(ctx.receive(go));
  if (!got) {
    outside->add("cancelled " + std::to_string(number));
    co_return got.error();
  }
  if (got.value() < 0) co_return pd::Error{pd::Code::refused, "it was told to fail"};
  co_return number + got.value();
}
inline constexpr pd::Handler work{"work", &child_handler};
inline constexpr pd::Handler work_alone{
    "work-alone", &child_handler, {.when_busy = pd::WhenBusy::reject}};
inline constexpr pd::Agent worker{"worker", work, work_alone};

struct Plan {
  std::string how;  ///< `wait`, `cancel` or `abandon`.
  bool join = true;
  std::string key = {};
};
PERDURE_DESCRIBE(Plan, how, join, key);

pd::ParentEnds ends_of(const std::string& how) {
  if (how == "wait") return pd::ParentEnds::wait_for_child;
  return how == "cancel" ? pd::ParentEnds::cancel_child : pd::ParentEnds::abandon_child;
}

/// Starts one child, waits until it may end, and joins it, or not.
pd::Task<std::string> parent_handler(pd::Context& ctx, Plan plan) {
  const pd::ChildRun<int> child =
      co_await ctx.session(worker, "w-" + std::string(ctx.session_key()))
          .spawn(work, 1, {.key = plan.key, .parent_ends = ends_of(plan.how)});
  const int told = co_await ctx.receive(end_now);
  if (told < 0) co_return pd::Error{pd::Code::user, "told to fail"};
  if (!plan.join) co_return "not joined";
  const pd::Result<int> reply = co_await pd::as_result(child.result());
  if (!reply) co_return std::string(to_string(reply.error().code));
  // Asked for again, it is the same.
  const int again = co_await child.result();
  co_return std::to_string(reply.value()) + " " + std::to_string(again);
}
inline constexpr pd::Agent parent{"parent", &parent_handler};

/// Starts one child and cancels it.
pd::Task<std::string> cancelling(pd::Context& ctx, int) {
  const pd::ChildRun<int> child = co_await ctx.session(worker, "w").spawn(work, 1);
  co_await child.cancel({.why = "changed its mind"});
  const pd::Result<int> reply = co_await pd::as_result(child.result());
  co_return reply ? "a value" : reply.error().to_string();
}
inline constexpr pd::Agent canceller{"canceller", &cancelling};

/// Many at once, joined in the opposite order.
pd::Task<int> spread(pd::Context& ctx, int count) {
  std::vector<pd::ChildRun<int>> children;
  for (int i = 0; i < count; ++i)
    children.push_back(co_await ctx.session(worker, "w-" + std::to_string(i)).spawn(work, i));
  int sum = 0;
  for (auto child = children.rbegin(); child != children.rend(); ++child)
    sum += co_await child->result();
  co_return sum;
}
inline constexpr pd::Agent spreader{"spreader", &spread};

pd::Task<std::string> asks_a_busy_one(pd::Context& ctx, int) {
  const pd::ChildRun<int> child = co_await ctx.session(worker, "w").spawn(work_alone, 2);
  co_await ctx.sleep(1s);
  const pd::Result<int> reply = co_await pd::as_result(child.result());
  co_return reply ? "a value" : std::string(to_string(reply.error().code));
}
inline constexpr pd::Agent asker{"asker", &asks_a_busy_one};

class ChildrenTest : public SessionFixture {
 protected:
  static auto child_session(kit::Runtime& test) { return test.session(worker, "w-p"); }
  static auto parent_session(kit::Runtime& test) {
    test.serve(worker);
    return test.session(parent, "p");
  }
};
PERDURE_TEST_FRAMES(ChildrenTest);

TEST_P(ChildrenTest, IsJoinedWhenItHasEndedBefore) {
  kit::Runtime test(options());
  auto run = parent_session(test).start({"cancel"}).value();
  ASSERT_TRUE(child_session(test).send(go, 10));
  test.run_until_idle();
  EXPECT_FALSE(run.result());
  ASSERT_TRUE(parent_session(test).send(end_now, 0));
  EXPECT_EQ(run.wait().value(), "11 11");
  EXPECT_EQ(outside_.count("begin 1"), 1U);
}

TEST_P(ChildrenTest, IsJoinedBeforeItHasEnded) {
  kit::Runtime test(options());
  auto run = parent_session(test).start({"cancel"}).value();
  ASSERT_TRUE(parent_session(test).send(end_now, 0));
  test.run_until_idle();
  EXPECT_TRUE(contains(test.explain(run.id()).value(), "waits for the end of its child 'work'"))
      << test.explain(run.id()).value();
  ASSERT_TRUE(child_session(test).send(go, 10));
  EXPECT_EQ(run.wait().value(), "11 11");
}

TEST_P(ChildrenTest, ItsFailureIsTheJoins) {
  kit::Runtime test(options());
  auto run = parent_session(test).start({"cancel"}).value();
  ASSERT_TRUE(child_session(test).send(go, -1));
  ASSERT_TRUE(parent_session(test).send(end_now, 0));
  EXPECT_EQ(run.wait().value(), "refused");
}

TEST_P(ChildrenTest, IsCancelledWhenTheParentEndsIfItsStartSaidSo) {
  for (const int told : {0, -1}) {
    outside_ = {};
    kit::Runtime test(options());
    auto run = parent_session(test).start({"cancel", false}).value();
    ASSERT_TRUE(parent_session(test).send(end_now, told));
    EXPECT_EQ(run.wait().has_value(), told == 0);
    test.run_until_idle();
    EXPECT_EQ(outside_.count("cancelled 1"), 1U);
    EXPECT_TRUE(disk_of(test).due().empty());
  }
}

TEST_P(ChildrenTest, GoesOnWithoutItsParentIfItsStartSaidSo) {
  kit::Runtime test(options());
  auto run = parent_session(test).start({"abandon", false, "k"}).value();
  ASSERT_TRUE(parent_session(test).send(end_now, 0));
  EXPECT_EQ(run.wait().value(), "not joined");
  ASSERT_TRUE(child_session(test).send(go, 10));
  EXPECT_EQ(child_session(test).run(work, "k").value().wait().value(), 11);
}

TEST_P(ChildrenTest, IsWaitedForIfItsStartSaidSo) {
  kit::Runtime test(options());
  auto run = parent_session(test).start({"wait", false}).value();
  ASSERT_TRUE(parent_session(test).send(end_now, 0));
  test.run_until_idle();
  EXPECT_FALSE(run.result());
  EXPECT_EQ(disk_of(test).head(run.id()).status, journal::RunStatus::waiting);
  for (const kit::End end : {kit::End::clean, kit::End::unclean}) {
    test.restart(end);
    test.run_until_idle();
    EXPECT_FALSE(run.result());
    EXPECT_TRUE(contains(test.explain(run.id()).value(), "waits"));
  }
  ASSERT_TRUE(child_session(test).send(go, 10));
  EXPECT_EQ(run.wait().value(), "not joined");
}

TEST_P(ChildrenTest, IsCancelledWithAParentThatWaitsForIt) {
  for (const bool handler_has_ended : {false, true}) {
    outside_ = {};
    kit::Runtime test(options());
    auto run = parent_session(test).start({"wait", false}).value();
    if (handler_has_ended) {
      ASSERT_TRUE(parent_session(test).send(end_now, 0));
      test.run_until_idle();
    }
    ASSERT_TRUE(run.cancel({.why = "enough", .by = "alice"}));
    test.run_until_idle();
    EXPECT_EQ(outside_.count("cancelled 1"), 1U);
    const auto reply = run.wait();
    // A handler that has ended has its say.
    EXPECT_EQ(reply.has_value(), handler_has_ended);
    test.restart(kit::End::unclean);
    test.run_until_idle();
    EXPECT_EQ(outside_.count("cancelled 1"), 1U);
  }
}

TEST_P(ChildrenTest, IsCancelledWhenTheParentIsKilled) {
  for (const std::string how : {"wait", "cancel", "abandon"}) {
    outside_ = {};
    kit::Runtime test(options());
    auto run = parent_session(test).start({how, false}).value();
    test.run_until_idle();
    ASSERT_TRUE(run.kill());
    test.run_until_idle();
    EXPECT_EQ(outside_.count("cancelled 1"), how == "abandon" ? 0U : 1U) << how;
  }
}

TEST_P(ChildrenTest, IsCancelledByItsParent) {
  kit::Runtime test(options());
  test.serve(worker);
  auto run = test.session(canceller, "c").start(0).value();
  const std::string reply = run.wait().value();
  EXPECT_TRUE(contains(reply, "peer_cancelled")) << reply;
  EXPECT_TRUE(contains(reply, "by run " + to_string(run.id()) + ": changed its mind")) << reply;
}

TEST_P(ChildrenTest, WhoseMessageWasAttachedIsNotTheirsToCancel) {
  kit::Runtime test(options());
  auto first = child_session(test).send(work, 1, {.key = "k"}).value();
  auto run = parent_session(test).start({"cancel", false, "k"}).value();
  ASSERT_TRUE(parent_session(test).send(end_now, 0));
  EXPECT_EQ(run.wait().value(), "not joined");
  test.run_until_idle();
  EXPECT_EQ(outside_.count("cancelled 1"), 0U);
  ASSERT_TRUE(child_session(test).send(go, 10));
  EXPECT_EQ(first.wait().value(), 11);
}

TEST_P(ChildrenTest, WhoseMessageWasAttachedAreJoined) {
  kit::Runtime test(options());
  ASSERT_TRUE(child_session(test).send(work, 1, {.key = "k"}));
  auto run = parent_session(test).start({"wait", true, "k"}).value();
  ASSERT_TRUE(parent_session(test).send(end_now, 0));
  test.run_until_idle();
  ASSERT_TRUE(child_session(test).send(go, 10));
  EXPECT_EQ(run.wait().value(), "11 11");
}

TEST_P(ChildrenTest, WhoseMessageWasRefusedFailTheirJoinAlsoInTheNextProcess) {
  kit::Runtime test(options());
  auto busy = test.session(worker, "w").send(work, 1).value();
  auto run = test.session(asker, "a").start(0).value();
  test.run_until_idle();
  test.restart(kit::End::unclean);
  test.advance(1s);
  EXPECT_EQ(run.wait().value(), "busy");
  EXPECT_FALSE(busy.result());
}

TEST_P(ChildrenTest, AreJoinedInAnyOrder) {
  kit::Runtime test(options());
  test.serve(worker);
  auto run = test.session(spreader, "s").start(20).value();
  for (int i = 0; i < 20; ++i)
    ASSERT_TRUE(test.session(worker, "w-" + std::to_string((i * 7) % 20)).send(go, 100));
  EXPECT_EQ(run.wait().value(), 20 * 100 + 190);
}

TEST_P(ChildrenTest, AreStartedOnceAndLostNeverWhereverTheProcessDies) {
  for (const std::string how : {"wait", "cancel", "abandon"}) {
    for (const bool join : {true, false}) {
      const kit::CrashReport report =
          kit::crash_everywhere({.runtime = options()}, [&](kit::Runtime& test) -> std::string {
            auto run = parent_session(test).start({how, join, "k"}).value();
            (void)parent_session(test).send(end_now, 0);
            test.run_until_idle();
            if (join || how != "cancel") (void)child_session(test).send(go, 10);
            const auto reply = run.wait();
            test.run_until_idle();
            const auto child = child_session(test).run(work, "k").value().wait();
            return (reply ? reply.value() : reply.error().to_string()) + ", " +
                   (child ? std::to_string(child.value()) : child.error().message.substr(0, 21));
          });
      EXPECT_TRUE(report.ok()) << how << " " << join << "\n" << to_string(report);
      EXPECT_GT(report.crashes, 12U);
    }
  }
}

}  // namespace
}  // namespace perdure::test
