/// Journals of sessions are what `verify` holds to be true, at every place where a process can die.
#include "tests/sessions/session_fixture.hpp"

namespace perdure::test {
namespace {

inline constexpr pd::Signal<int> go{"go"};
inline constexpr pd::State<int> seen{"seen"};

pd::Task<int> wait_for_go(pd::Context& ctx, int number) {
  ctx.set(seen, ctx.get(seen) + 1);
  const pd::Result<int> got = co_await pd::catch_cancelled(ctx.receive(go));
  if (!got) co_await ctx.step("tidy up", [](pd::Step&) {});
  co_return number;
}
pd::Task<std::string> call_back(pd::Context& ctx, std::string to);
inline constexpr pd::Handler wait{"wait", &wait_for_go, {.deadline = 100h}};
inline constexpr pd::Handler reject{"reject", &wait_for_go, {.when_busy = pd::WhenBusy::reject}};
inline constexpr pd::Handler back{"back", &call_back};
inline constexpr pd::Agent worker{"worker", wait, reject, back};

/// Calls `to`, which calls it back: a circle.
pd::Task<std::string> call_back(pd::Context& ctx, std::string to) {
  if (to.empty()) co_return "called";
  const std::string here(ctx.session_key());
  const auto reply =
      co_await pd::as_result(ctx.session(worker, to).call(back, here, {.key = "from " + here}));
  co_return reply ? reply.value() : std::string(to_string(reply.error().code));
}

/// Children of all sorts, one of them refused (each with a key, by which the kit tells runs of one
/// session apart); then it ends, or fails, at the signal.
pd::Task<std::string> bring_up(pd::Context& ctx, int end_with) {
  using enum pd::ParentEnds;
  auto of = [&](const char* key) { return ctx.session(worker, key); };
  const auto kept = co_await of("kept").spawn(wait, 1, {.key = "1", .parent_ends = wait_for_child});
  const auto queued =
      co_await of("kept").spawn(wait, 2, {.key = "2", .parent_ends = abandon_child});
  const auto refused = co_await of("kept").spawn(reject, 3, {.key = "3"});
  co_await of("cancelled").spawn(wait, 4, {.key = "4"});
  co_await of("kept").send(wait, 5, {.key = "5", .delay = 1h});
  const std::string circle = co_await of("a").call(back, "b", {.key = "from the parent"});
  if (co_await ctx.receive(go) < 0) co_return pd::Error{pd::Code::user, "told to fail"};
  const auto reply = co_await pd::as_result(refused.result());
  co_return circle + " " + std::string(reply ? "a value" : to_string(reply.error().code)) + " " +
      std::to_string(end_with);
}
inline constexpr pd::Agent parent{"parent", &bring_up};

class SoundJournalTest : public SessionFixture {
 protected:
  /// What follows one after the other; each time the journal is looked at.
  static std::string live(kit::Runtime& test, int told) {
    const auto look = [&](const char* when) {
      if (const std::string found = disk_of(test).damage(); !found.empty())
        throw pd::Exception(pd::Error{pd::Code::corrupt, std::string(when) + ":\n" + found});
    };
    test.serve(worker);
    auto run = test.session(parent, "p").start(7).value();
    look("begun");
    test.run_until_idle();
    look("it waits for the signal");
    (void)test.session(parent, "p").send(go, told);
    test.run_until_idle();
    look("its handler has ended");
    test.advance(40s);
    look("what was cancelled has had its grace");
    (void)test.session(worker, "kept").send(go, 1);
    test.advance(2h);
    look("its child has ended");
    const auto reply = run.wait();
    (void)test.session(worker, "kept").send(go, 1);
    test.advance(101h);
    look("deadlines have passed");
    return reply ? reply.value() : reply.error().to_string();
  }
};
PERDURE_TEST_FRAMES(SoundJournalTest);

TEST_P(SoundJournalTest, OfChildrenAndCircles) {
  kit::Runtime test(options());
  EXPECT_EQ(live(test, 1), "deadlock busy 7");
  EXPECT_TRUE(disk_of(test).due().empty());
}

TEST_P(SoundJournalTest, WhereverTheProcessDies) {
  for (const int told : {1, -1}) {
    const kit::CrashReport report = kit::crash_everywhere(
        {.runtime = options()}, [&](kit::Runtime& test) { return live(test, told); });
    EXPECT_TRUE(report.ok()) << told << "\n" << to_string(report);
    EXPECT_GT(report.crashes, 30U);
  }
}

}  // namespace
}  // namespace perdure::test
