/// The verbs that give orders, as a shell sees them: to a runtime in another process, and to the
/// next one. What they did is seen by the ends of runs.
#include "tests/cli/command_fixture.hpp"

#include <atomic>
#include <csignal>
#include <functional>
#include <nlohmann/json.hpp>

#include "actors/control_server.hpp"
#include "core/crash_point.hpp"
#include "journal/control_client.hpp"

namespace perdure::cli {
namespace {

using namespace std::chrono_literals;

std::atomic<bool> repaired = false;

inline constexpr pd::Signal<std::string> go{"go"};
pd::Task<std::string> wait_for_go(pd::Context& ctx, std::string input) {
  co_return input + " " + co_await ctx.receive(go);
}
inline constexpr pd::Agent waiter{"waiter", &wait_for_go};
pd::Task<int> book(pd::Context& ctx, int) {
  co_return co_await ctx.step("book",
                              [](pd::Step& step) -> pd::Result<int> {
                                if (step.attempt() == 1)
                                  return pd::Error{pd::Code::timeout, "no answer"};
                                return step.attempt();
                              },
                              {.retry = {.delay = 24h, .delay_max = 24h}});
}
inline constexpr pd::Agent booker{"booker", &book};
pd::Task<int> park(pd::Context& ctx, int) {
  const int a = co_await ctx.step("first", [](pd::Step&) { return 42; });
  if (!repaired) throw std::runtime_error("out of order");
  co_return a;
}
inline constexpr pd::Agent parker{"parker", &park};

pd::Task<int> spend(pd::Context& ctx, int tokens) {
  for (int i = 0; i < tokens; ++i)
    co_await ctx.step("spend", [](pd::Step&) {}, {.cost_max = {.tokens = 1}});
  co_return tokens;
}
inline constexpr pd::Agent spender{"spender",
                                   pd::Handler{"run", &spend, {.budget = {.tokens = 2}}}};

class OrdersTest : public CommandTest {
 protected:
  OrdersTest() { repaired = false; }
  [[nodiscard]] pd::Runtime open(pd::Control control = pd::Control::socket) const {
    auto opened = pd::Runtime::open(
        {.journal = path().string(), .control = control, .log = [](const pd::LogRecord&) {}});
    EXPECT_TRUE(opened.has_value()) << opened.error().message;
    pd::Runtime runtime = std::move(opened).value();
    runtime.serve(waiter, booker, parker, spender);
    return runtime;
  }
  [[nodiscard]] pd::Runtime start(pd::Control control = pd::Control::socket) const {
    pd::Runtime runtime = open(control);
    EXPECT_TRUE(runtime.start().has_value());
    return runtime;
  }
};

/// What every verb needs: runs that wait for it.
struct Runs {
  explicit Runs(pd::Runtime& runtime)
      : signalled(runtime.session(waiter, "signalled").start("s").value()),
        cancelled(runtime.session(waiter, "cancelled").start("c").value()),
        killed(runtime.session(waiter, "killed").start("k").value()),
        retried(runtime.session(booker, "retried").start(0).value()),
        parked(runtime.session(parker, "parked").start(0).value()) {}
  /// A handle keeps the journal open, an id does not.
  using Ids = std::array<RunId, 5>;
  Runs(pd::Runtime& runtime, const Ids& ids)
      : signalled(runtime.run<std::string>(ids[0])),
        cancelled(runtime.run<std::string>(ids[1])),
        killed(runtime.run<std::string>(ids[2])),
        retried(runtime.run<int>(ids[3])),
        parked(runtime.run<int>(ids[4])) {}
  [[nodiscard]] Ids ids() const {
    return {signalled.id(), cancelled.id(), killed.id(), retried.id(), parked.id()};
  }
  pd::Run<std::string> signalled;
  pd::Run<std::string> cancelled;
  pd::Run<std::string> killed;
  pd::Run<int> retried;
  pd::Run<int> parked;

  void end_as_ordered() const {
    EXPECT_EQ(signalled.wait().value(), "s now");
    EXPECT_EQ(cancelled.wait().error().message.substr(0, 29), "the run was cancelled by ada@");
    EXPECT_NE(cancelled.wait().error().message.find(": enough"), std::string::npos);
    EXPECT_EQ(killed.wait().error().message, "the run was cancelled by bob: now");
    EXPECT_EQ(retried.wait().value(), 2);
    EXPECT_EQ(parked.wait().value(), 42);
  }
};

TEST_F(OrdersTest, ActOnARuntimeInAnotherProcess) {
  pd::Runtime runtime = start();
  const Runs runs(runtime);
  wait_until_parked(runtime, runs.parked.id());
  done({"send", "waiter/signalled", "go", "\"now\""}, "received the signal 'go'");
  done({"cancel", "waiter/cancelled", "--why", "enough", "--grace", "5s"}, "was asked to end");
  done({"kill", to_string(runs.killed.id()), "--why", "now", "--by", "bob"},
       "has ended: cancelled");
  // The runtime may not have the delay in its journal yet.
  Ended retry = run({"retry-now", "booker/retried"});
  while (retry.err.find("no step that waits") != std::string::npos)
    retry = run({"retry-now", "booker/retried"});
  EXPECT_EQ(retry.code, 0) << retry.err;
  EXPECT_NE(retry.out.find("step 1 'book' of run "), std::string::npos) << retry.out;
  refused({"resume", "parker/parked"}, ExitCode::refused, "is parked again: ");
  repaired = true;
  done({"resume", "parker/parked"}, "goes on");
  runs.end_as_ordered();
  done({"send", "waiter/new", "run", "\"m\"", "--message", "--key", "k"}, "the message is run ");
  done({"send", "waiter/new", "go", "\"x\""}, "received");
  auto made = runtime.session(waiter, "new").run(std::get<0>(waiter.handlers), "k").value();
  EXPECT_EQ(made.wait().value(), "m x");
}

TEST_F(OrdersTest, WaitForTheNextRuntimeWhenThereIsNone) {
  Runs::Ids before;
  {
    pd::Runtime runtime = start();
    before = Runs(runtime).ids();
    wait_until(before[0], journal::RunStatus::waiting);
    wait_until(before[3], journal::RunStatus::waiting);
    wait_until(before[4], journal::RunStatus::parked);
  }
  EXPECT_FALSE(fs::exists(path() / "CONTROL"));
  done({"send", "waiter/signalled", "go", "\"now\""}, "the next runtime that opens");
  done({"cancel", "waiter/cancelled", "--why", "enough"}, "is queued");
  done({"kill", to_string(before[2]), "--why", "now", "--by", "bob"}, "is queued");
  done({"retry-now", "booker/retried"}, "is queued");
  repaired = true;
  done({"resume", "parker/parked"}, "is queued");
  done({"send", "waiter/new", "run", "\"m\"", "--message", "--key", "k"}, "is queued");
  done({"send", "waiter/new", "go", "\"x\""}, "is queued");
  EXPECT_EQ(inbox().size(), 7U);
  EXPECT_EQ(clean(), 1U);
  done({"verify"}, "Sound: ");
  pd::Runtime runtime = start();
  Runs(runtime, before).end_as_ordered();
  auto made = runtime.session(waiter, "new").run(std::get<0>(waiter.handlers), "k");
  for (; made.has_error(); std::this_thread::yield())
    made = runtime.session(waiter, "new").run(std::get<0>(waiter.handlers), "k");
  EXPECT_EQ(made.value().wait().value(), "m x");
  ASSERT_TRUE(runtime.shutdown());
  EXPECT_TRUE(inbox().empty());
}

TEST_F(OrdersTest, RaiseABudget) {
  RunId id;
  {
    pd::Runtime runtime = start();
    const auto run = runtime.session(spender, "s").start(5).value();
    id = run.id();
    wait_until_parked(runtime, id);
    refused({"raise", "spender/s", "--tokens", "1"}, ExitCode::refused, "can only be raised");
    refused({"raise", "spender/s"}, ExitCode::usage, "names no limit");
    done({"raise", "spender/s", "--tokens", "3"}, "was raised");
    for (;; std::this_thread::yield())
      if (run.spending().value().used.tokens == 3) break;
    wait_until_parked(runtime, id);
  }
  done({"raise", "spender/s", "--tokens", "4"}, "is queued");
  done({"raise", "spender/s", "--tokens", "5"}, "is queued");
  done({"show", "spender/s"}, "tokens 3 of 3");
  pd::Runtime runtime = start();
  const auto run = runtime.run<int>(id);
  EXPECT_EQ(run.wait().value(), 5);
  EXPECT_EQ(run.spending().value().limits, pd::Budget{.tokens = 5});
  const auto shown = nlohmann::json::parse(this->run({"show", "spender/s", "--json"}).out);
  EXPECT_EQ(shown["budget"]["used"]["tokens"], 5);
  EXPECT_EQ(shown["budget"]["raised_by"].get<std::string>().substr(0, 4), "ada@");
}

/// The sender knows no version, and nobody serves the agent yet: the run waits, and is not lost.
TEST_F(OrdersTest, AMessageForAnAgentThatIsServedLaterWaitsForIt) {
  ASSERT_TRUE(start().shutdown());
  const Ended ended = run({"send", "late/s", "run", "\"m\"", "--message", "--json"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  const auto id = RunId::parse(nlohmann::json::parse(ended.out)["run"].get<std::string>()).value();
  {
    pd::Runtime runtime = start();
    wait_until_parked(runtime, id);
    EXPECT_NE(runtime.explain(id).value().find("does not serve agent 'late'"), std::string::npos);
  }
  constexpr pd::Agent late{"late", &wait_for_go};
  pd::Runtime runtime = open();
  runtime.serve(late);
  ASSERT_TRUE(runtime.start());
  ASSERT_TRUE(runtime.session(late, "s").send(go, "x"));
  EXPECT_EQ(runtime.run<std::string>(id).wait().value(), "m x");
}

/// A runtime that lives in a child and is killed: its socket's name stays behind.
TEST_F(OrdersTest, ARuntimeThatWasKilledIsNobody) {
  std::array<int, 2> ready{};
  ASSERT_EQ(::pipe2(ready.data(), O_CLOEXEC), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    pd::Runtime runtime = start();
    auto run = runtime.session(waiter, "s").start("in").value();
    (void)!::write(ready[1], "+", 1);
    (void)run.wait();
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  done({"send", "waiter/other", "go", "\"a\""}, "keeps the signal");
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  ASSERT_TRUE(fs::exists(path() / "CONTROL"));
  done({"send", "waiter/s", "go", "\"b\""}, "is queued");
  EXPECT_EQ(clean(), 0U) << "the visit does not hide the crash";
  pd::Runtime runtime = start();
  EXPECT_EQ(runtime.session(waiter, "s").start("in").value().wait().value(), "in b");
  EXPECT_EQ(runtime.session(waiter, "other").start("in").value().wait().value(), "in a");
  for (const int end : ready) ::close(end);
}

TEST_F(OrdersTest, ACommandThatIsKilledLeavesAllOrNothing) {
  {
    pd::Runtime runtime = start();
    ASSERT_TRUE(runtime.session(waiter, "s").send(go, "from the program"));
  }
  std::size_t queued = 0;
  std::size_t kills = 0;
  for (const std::string_view name : core::kCrashPointNames) {
    for (int passing = 1; passing <= 4; ++passing) {
      const std::string at = std::string(name) + ":" + std::to_string(passing);
      const Ended ended = run({"send", "waiter/s", "go", "\"x\""}, {}, at);
      const std::size_t now = inbox().size();
      if (ended.code == 0) {
        EXPECT_EQ(now, queued + 1) << at;
      } else {
        ASSERT_EQ(ended.code, -SIGKILL) << at << ended.err;
        ++kills;
        EXPECT_TRUE(now == queued || now == queued + 1) << at;
      }
      queued = now;
      EXPECT_EQ(clean(), 1U) << at;
      if (ended.code == 0) break;
    }
  }
  EXPECT_GE(kills, 4U) << "the points of a commit, at the least";
  done({"verify"}, "Sound: ");
  pd::Runtime runtime = start();
  auto session = runtime.session(waiter, "s");
  EXPECT_EQ(session.start("in").value().wait().value(), "in from the program");
  for (std::size_t i = 0; i < queued; ++i)
    EXPECT_EQ(session.send(std::get<0>(waiter.handlers), "").value().wait().value(), " x") << i;
}

TEST_F(OrdersTest, TakeJsonFromStandardInputAndGiveIt) {
  {
    pd::Runtime runtime = start();
    const auto of_s = runtime.session(waiter, "s").start("in").value();
    wait_until(of_s.id(), journal::RunStatus::waiting);
    const Ended ended = run({"send", "waiter/s", "go", "-", "--json"}, "\n \"from a file\"\n");
    ASSERT_EQ(ended.code, 0) << ended.err;
    const auto told = nlohmann::json::parse(ended.out);
    EXPECT_EQ(told["verb"], "signal");
    EXPECT_EQ(told["delivery"], "answered");
    EXPECT_EQ(told["run"], to_string(of_s.id()));
    EXPECT_EQ(of_s.wait().value(), "in from a file");
  }
  const auto queued = nlohmann::json::parse(run({"send", "waiter/s", "go", "\"b\"", "--json"}).out);
  EXPECT_EQ(queued["delivery"], "queued");
  EXPECT_TRUE(queued["run"].is_null());
}

TEST_F(OrdersTest, SayWhatIsWrong) {
  refused({"cancel", "waiter/s"}, ExitCode::unreadable, "there is no journal in");
  refused({"send", "waiter/s", "go"}, ExitCode::unreadable, "there is no journal in");
  EXPECT_FALSE(fs::exists(path()));
  pd::Runtime runtime = start();
  const auto run_of_s = runtime.session(waiter, "s").start("in").value();
  refused({"cancel", "waiter/nobody"}, ExitCode::not_found, "waiter/nobody");
  refused({"kill", "ZZZZ"}, ExitCode::not_found, "ZZZZ");
  refused({"send", "waiter", "go"}, ExitCode::usage, "agent/key");
  refused({"send", "waiter/s", "go", "{"}, ExitCode::usage, "JSON");
  refused({"send", "waiter/s", "go", "1", "--key", "k"}, ExitCode::usage, "--message");
  refused({"cancel", "waiter/s", "--grace", "soon"}, ExitCode::usage, "write 500ms, 30s, 5m or 2h");
  refused({"send", "nobody/s", "go", "1"}, ExitCode::refused, "does not serve an agent 'nobody'");
  refused({"resume", "waiter/s"}, ExitCode::refused, "is not parked");
  ASSERT_TRUE(run_of_s.kill());
  refused({"kill", to_string(run_of_s.id())}, ExitCode::refused, "has ended (cancelled)");
}

TEST_F(OrdersTest, ARuntimeThatTakesNoneIsNamed) {
  const pd::Runtime runtime = start(pd::Control::none);
  refused({"send", "waiter/s", "go", "1", "--within", "0ms"}, ExitCode::refused,
          "is held by process " + std::to_string(::getpid()));
  EXPECT_FALSE(fs::exists(path() / "CONTROL"));
}

/// A clock at whose `at`-th look at the elapsed time something happens.
class NotingClock final : public core::Clock {
 public:
  core::WallTime wall() override { return clock_.wall(); }
  core::Elapsed elapsed() override {
    if (++looks_ == at) happen();
    return clock_.elapsed();
  }
  int at = 0;
  std::function<void()> happen;

 private:
  core::SystemClock clock_;
  int looks_ = 0;
};

journal::ControlRequest signal() {
  journal::ControlRequest request;
  request.verb = journal::ControlVerb::signal;
  request.what.what = journal::ArrivalRow::What::signal;
  request.what.agent = "waiter";
  request.what.session_key = "s";
  request.what.name = "go";
  request.what.payload = encode(std::string("x")).value();
  return request;
}

TEST_F(OrdersTest, ARuntimeThatIsStartingIsWaitedFor) {
  pd::Runtime runtime = open();
  NotingClock clock;
  core::SystemRandom random;
  // When nobody listened, and somebody held the journal.
  clock.at = 2;
  clock.happen = [&] { ASSERT_TRUE(runtime.start()); };
  const auto given = journal::deliver_order(path(), signal(), clock, random, {.within = 1min});
  ASSERT_TRUE(given) << given.error().message;
  EXPECT_EQ(given.value().how, journal::Delivery::answered);
  EXPECT_EQ(runtime.session(waiter, "s").start("in").value().wait().value(), "in x");
}

TEST_F(OrdersTest, ARuntimeThatShutsDownLeavesTheOrderToTheNext) {
  core::SystemClock time;
  core::SystemRandom random;
  auto holder = journal::JournalForWriting::open(path(), time, random).value();
  actors::Timers timers;
  auto server = actors::ControlServer::open(
                    path(), timers, time,
                    [](const journal::ControlRequest&, actors::ControlServer::Reply reply) {
                      reply({{}, std::nullopt, Error{Code::closed, "it is shutting down"}});
                    })
                    .value();
  NotingClock clock;
  clock.at = 4;
  clock.happen = [&] {
    server.reset();
    holder.reset();
  };
  const auto given = journal::deliver_order(path(), signal(), clock, random, {.within = 1min});
  ASSERT_TRUE(given) << given.error().message;
  EXPECT_EQ(given.value().how, journal::Delivery::queued);
  EXPECT_EQ(inbox().size(), 1U);
}

}  // namespace
}  // namespace perdure::cli
