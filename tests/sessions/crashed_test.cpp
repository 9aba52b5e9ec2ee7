/// Wherever the process dies: runs that are killed, replaced, joined, resumed and attached to, and
/// what a code's change, an operator and a lost race make of them.
#include "tests/sessions/session_fixture.hpp"

#include <stdexcept>

namespace perdure::test {
namespace {

inline constexpr pd::Signal<int> go{"go"};

pd::Task<int> work_until_told(pd::Context& ctx, int number) {
  co_await ctx.step("begin", [](pd::Step&) {});
  const int told = co_await ctx.receive(go);
  co_await ctx.step("end", [](pd::Step&) {});
  co_return number + told;
}
pd::Task<int> work_and_nap(pd::Context& ctx, int number) {
  co_await ctx.step("begin", [](pd::Step&) {});
  co_await ctx.sleep(1min);
  co_return number;
}
inline constexpr pd::Handler work{"work", &work_until_told};
inline constexpr pd::Handler nap{"nap", &work_and_nap};
inline constexpr pd::Handler anew{
    "anew", &work_and_nap, {.when_busy = pd::WhenBusy::cancel_and_replace}};
inline constexpr pd::Handler joined{"joined", &work_and_nap, {.when_busy = pd::WhenBusy::join}};
inline constexpr pd::Agent worker{"worker", work, nap, anew, joined};

pd::Task<std::string> call_twice(pd::Context& ctx, int number) {
  auto peer = ctx.session(worker, "w");
  const int first = co_await peer.call(nap, number, {.key = "once"});
  // It has ended by now.
  const int again = co_await peer.call(nap, number, {.key = "once"});
  const auto child = co_await peer.spawn(nap, number, {.key = "once"});
  const int third = co_await child.result();
  const auto other = co_await pd::as_result(peer.call(nap, number + 1, {.key = "once"}));
  co_return std::to_string(first) + std::to_string(again) + std::to_string(third) + " " +
      std::string(other ? "a value" : to_string(other.error().code));
}
inline constexpr pd::Agent caller{"caller", &call_twice};

/// `joined` for two callers at once.
pd::Task<int> call_joined(pd::Context& ctx, int number) {
  co_return co_await ctx.session(worker, "w").call(joined, number);
}
inline constexpr pd::Agent joiner{"joiner", &call_joined};

// --- Receives ------------------------------------------------------------------------------------

/// Each `how` asks once in a way that may lose, and later in one that does not.
pd::Task<std::string> listening(pd::Context& ctx, std::string how) {
  std::string got;
  const auto add = [&](int value) { got += std::to_string(value) + " "; };
  if (how == "within") {
    if (const auto in_time = co_await ctx.receive(go, {.within = 5s})) add(*in_time);
    if (const auto in_time = co_await ctx.receive(go, {.within = 100h})) add(*in_time);
    co_await ctx.step("look", [](pd::Step&) {});
    if (const auto in_time = co_await ctx.receive(go, {.within = 5s})) add(*in_time);
  } else if (how == "race") {
    auto first = co_await ctx.race(ctx.receive(go), ctx.sleep(5s));
    if (first.index() == 0) add(std::get<0>(first));
    add(co_await ctx.receive(go));
  } else if (how == "any") {
    auto first = co_await ctx.any(ctx.receive(go), ctx.step("quick", [](pd::Step&) { return -1; }),
                                  ctx.receive(go));
    if (first.index() == 0) add(std::get<0>(first));
    add(co_await ctx.receive(go));
  } else if (how == "bounded") {
    const auto first = co_await pd::as_result(ctx.within(5s, ctx.receive(go)));
    if (first) add(first.value());
    add(co_await ctx.receive(go));
  } else {
    const pd::Result<int> first = co_await pd::catch_cancelled(ctx.receive(go));
    if (first) add(first.value());
    add(co_await ctx.receive(go));
  }
  co_return got;
}
inline constexpr pd::Agent listener{"listener", &listening};

/// What a handler sends comes exactly once, whatever the process does.
pd::Task<int> saying(pd::Context& ctx, int number) {
  co_await ctx.session(listener, "l").send(go, number);
  co_return number;
}
inline constexpr pd::Agent speaker{"speaker", &saying};

// --- State ---------------------------------------------------------------------------------------

inline constexpr pd::State<int> total{"total"};
inline constexpr pd::State<std::string> note{"note"};

std::string state_now(pd::Context& ctx) {
  const auto found = ctx.find(total);
  return (found ? std::to_string(*found) : "none") + (ctx.find(note) ? "+" : "-");
}
pd::Task<std::string> keep_count(pd::Context& ctx, int amount) {
  std::string seen = state_now(ctx);
  const int before = ctx.get(total);
  ctx.set(note, "busy");
  co_await ctx.step("one", [](pd::Step&) {});
  seen += " " + state_now(ctx);
  const auto told = co_await ctx.receive(go, {.within = 5s});
  ctx.set(total, before + amount + told.value_or(100));
  seen += " " + state_now(ctx);
  co_await ctx.sleep(1s);
  seen += " " + state_now(ctx);
  ctx.erase(note);
  if (ctx.get(total) > 150) ctx.erase(total);
  seen += " " + state_now(ctx);
  co_await ctx.step("two", [](pd::Step&) {});
  co_return seen + " " + state_now(ctx);
}
std::string read_state(const pd::View& view, int) {
  return std::to_string(view.find(total).value_or(-1)) + (view.find(note) ? "+" : "-");
}
inline constexpr pd::Handler counting{"count", &keep_count};
inline constexpr pd::Query reading{"read", &read_state};
inline constexpr pd::Agent counter{"counter", counting, reading};

pd::Task<int> telling(pd::Context& ctx, int number) {
  co_await ctx.session(counter, "c").send(go, number);
  co_return number;
}
inline constexpr pd::Agent teller{"teller", &telling};

// --- Versions and operators ----------------------------------------------------------------------

/// `outside->mode` is the deploy: 0 knows nothing of the change, 1 does, 2 has a bug as well.
pd::Task<std::string> changing(pd::Context& ctx, int) {
  co_await ctx.step("before", [](pd::Step&) {});
  const int way = outside->mode == 0 ? 1 : ctx.version("change", 1, 2);
  if (outside->mode == 2) throw std::runtime_error("a bug");
  co_await ctx.step(way == 1 ? "old" : "new", [](pd::Step&) {});
  co_await ctx.sleep(1min);
  const int later = outside->mode == 0 ? 1 : ctx.version("another", 1, 3);
  co_await ctx.step("behind", [](pd::Step&) {});
  co_return std::to_string(way) + " " + std::to_string(later);
}
inline constexpr pd::Agent changer{"changer", &changing};

pd::Task<int> impatient(pd::Context& ctx, int) {
  const int tries = co_await ctx.step("try",
                                      [](pd::Step&) -> pd::Result<int> {
                                        if (outside->mode == 0)
                                          return pd::Error{pd::Code::user, "not yet"};
                                        return 7;
                                      },
                                      {.retry = {.attempts_max = 0, .delay = 100h}});
  co_await ctx.step("behind", [](pd::Step&) {});
  co_return tries;
}
inline constexpr pd::Agent retried{"retried", &impatient};

pd::Task<int> throwing(pd::Context& ctx, int) {
  co_await ctx.step("before", [](pd::Step&) {});
  if (outside->mode == 0) throw std::runtime_error("a bug");
  co_await ctx.step("behind", [](pd::Step&) {});
  co_return 8;
}
inline constexpr pd::Agent parked{"parked", &throwing, {.on_exception = pd::WhenStuck::park}};
inline constexpr pd::Agent failed{"failed", &throwing, {.on_exception = pd::WhenStuck::fail}};

/// The deadline finds a step that waits for its next attempt.
pd::Task<std::string> late(pd::Context& ctx, int) {
  const auto tried = co_await pd::catch_cancelled(ctx.step(
      "try", [](pd::Step&) -> pd::Result<void> { return pd::Error{pd::Code::user, "not yet"}; },
      {.retry = {.attempts_max = 0, .delay = 1h}}));
  co_await ctx.step("tidy up", [](pd::Step&) {});
  co_await ctx.sleep(1s);
  co_return std::string(to_string(tried.error().code));
}
inline constexpr pd::Handler late_handler{"late", &late, {.deadline = 1min}};
inline constexpr pd::Agent latecomer{"latecomer", late_handler};

class CrashedTest : public SessionFixture {
 protected:
  template <class S>
  void everywhere(S scenario, std::uint64_t second_within = 2) {
    const kit::CrashReport report = kit::crash_everywhere(
        {.runtime = options(), .second_within = second_within}, [&](kit::Runtime& test) {
          outside_ = {};
          return scenario(test);
        });
    EXPECT_TRUE(report.ok()) << to_string(report);
    EXPECT_GT(report.crashes, 15U);
  }
  /// A word that was lost with the process is said again; then it may find what it asks for done.
  static void must(const pd::Result<void>& done) {
    if (!done && done.error().code != pd::Code::not_found) done.value();
  }
};
PERDURE_TEST_FRAMES(CrashedTest);

TEST_P(CrashedTest, AKilledRunEndsOnceAndItsSessionGoesOn) {
  everywhere([](kit::Runtime& test) {
    auto session = test.session(worker, "w");
    auto first = session.send(work, 1, {.key = "1"}).value();
    test.run_until_idle();
    auto second = session.send(nap, 2, {.key = "2"}).value();
    must(first.kill({.why = "enough", .by = "alice"}));
    const auto ended = first.wait();
    EXPECT_FALSE(ended);
    test.advance(2min);
    return ended.error().to_string() + " " + std::to_string(second.wait().value());
  });
}

TEST_P(CrashedTest, AReplacedRunIsCancelledAndItsReplacementHandled) {
  everywhere([](kit::Runtime& test) {
    auto session = test.session(worker, "w");
    auto first = session.send(anew, 1, {.key = "1"}).value();
    test.run_until_idle();
    auto second = session.send(anew, 2, {.key = "2"}).value();
    test.run_until_idle();
    auto third = session.send(nap, 3, {.key = "3"}).value();
    test.advance(3min);
    const auto replaced = first.wait();
    return (replaced ? "not replaced" : replaced.error().to_string()) + " " +
           std::to_string(second.wait().value()) + std::to_string(third.wait().value());
  });
}

TEST_P(CrashedTest, ThoseWhoJoinARunGetItsReply) {
  everywhere([](kit::Runtime& test) {
    test.serve(worker);
    auto one = test.session(joiner, "a").start(1).value();
    test.run_until_idle();
    auto other = test.session(joiner, "b").start(2).value();
    test.run_until_idle();
    test.advance(2min);
    return std::to_string(one.wait().value()) + std::to_string(other.wait().value());
  });
}

TEST_P(CrashedTest, AMessageOfAHandlerAttachesToARunThatHasEnded) {
  everywhere([](kit::Runtime& test) {
    test.serve(worker);
    auto run = test.session(caller, "c").start(4).value();
    test.advance(3min);
    return run.wait().value();
  });
}

TEST_P(CrashedTest, AReceiveThatLosesHasConsumedNothing) {
  for (const std::string how : {"within", "race", "any", "bounded", "cancel"}) {
    for (const bool in_time : {true, false}) {
      SCOPED_TRACE(how + (in_time ? " in time" : " too late"));
      everywhere(
          [&](kit::Runtime& test) {
            test.serve(listener);
            const auto say = [&](int number) {
              const std::string key = std::to_string(number);
              return test.session(speaker, key).start(number).value().wait().value();
            };
            auto run = test.session(listener, "l").start(how).value();
            if (how == "cancel") {
              test.run_until_idle();
              must(run.cancel({.grace = 100h}));
            }
            if (!in_time) test.advance(6s);
            say(1);
            say(2);
            test.advance(1h);
            say(3);
            return run.wait();
          },
          how == "within" ? 2 : 0);
    }
  }
}

TEST_P(CrashedTest, StateIsWhatEachRunLeftAndFound) {
  for (const bool told : {true, false}) {
    SCOPED_TRACE(told);
    everywhere([&](kit::Runtime& test) {
      auto session = test.session(counter, "c");
      std::string all;
      for (int i = 1; i <= 3; ++i) {
        auto run = session.send(counting, i, {.key = std::to_string(i)}).value();
        test.run_until_idle();
        if (told) test.session(teller, std::to_string(i)).start(i).value().wait().value();
        test.run_until_idle();
        all += session.query(reading, 0).value() + " ";
        test.advance(10s);
        all += run.wait().value() + ", " + session.query(reading, 0).value() + "; ";
      }
      return all;
    });
  }
}

TEST_P(CrashedTest, ARunGoesTheWayOfTheCodeThatItPassedTheChangeWith) {
  for (const int first : {0, 1}) {
    SCOPED_TRACE(first);
    everywhere([&](kit::Runtime& test) {
      outside->mode = first;
      auto run = test.session(changer, "c").start(0).value();
      test.run_until_idle();
      outside->mode = 1;
      test.restart(kit::End::unclean);
      test.advance(2min);
      return run.wait().value();
    });
  }
}

TEST_P(CrashedTest, ARunThatWasParkedBehindAChangeGoesItsNewWay) {
  everywhere([](kit::Runtime& test) {
    outside->mode = 2;
    auto run = test.session(changer, "c").start(0).value();
    test.run_until_idle();
    outside->mode = 1;
    test.restart(kit::End::unclean);
    test.advance(2min);
    EXPECT_EQ(run.wait().value(), "2 3");
    return run.wait().value();
  });
}

TEST_P(CrashedTest, AStepThatIsRetriedNowRunsAgainAtOnce) {
  everywhere([](kit::Runtime& test) {
    auto run = test.session(retried, "r").start(0).value();
    test.run_until_idle();
    outside->mode = 1;
    test.core().retry_now(run.id()).value();
    return run.wait();
  });
}

TEST_P(CrashedTest, AParkedRunIsResumed) {
  everywhere([](kit::Runtime& test) {
    auto run = test.session(parked, "p").start(0).value();
    test.run_until_idle();
    outside->mode = 1;
    EXPECT_FALSE(run.result());
    test.core().retry_now(run.id()).value();
    return run.wait();
  });
}

TEST_P(CrashedTest, ARunWhoseHandlerThrowsFailsIfItsAgentSaysSo) {
  everywhere([](kit::Runtime& test) {
    auto run = test.session(failed, "f").start(0).value();
    const auto ended = run.wait();
    EXPECT_FALSE(ended);
    return ended.error().to_string();
  });
}

TEST_P(CrashedTest, ADeadlineIsToldOnceToAStepThatWaitsForItsNextAttempt) {
  everywhere([](kit::Runtime& test) {
    auto run = test.session(latecomer, "l").start(0).value();
    test.advance(90s);
    const auto reply = run.wait();
    EXPECT_TRUE(reply) << reply.error().to_string();
    return reply;
  });
}

TEST_P(CrashedTest, AScenarioMayLeaveMessagesThatWait) {
  everywhere([](kit::Runtime& test) {
    auto session = test.session(worker, "w");
    auto first = session.send(work, 1, {.key = "1"}).value();
    auto queued = session.send(work, 2, {.key = "2"}).value();
    auto delayed = session.send(work, 3, {.key = "3", .delay = 24h}).value();
    test.run_until_idle();
    return !first.result() && !queued.result() && !delayed.result();
  });
}

}  // namespace
}  // namespace perdure::test
