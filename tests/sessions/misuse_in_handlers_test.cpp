/// What handlers do wrong with sessions: the operation fails, or its run, in words; and the session
/// works as before.
#include "core/limits.hpp"
#include "tests/sessions/session_fixture.hpp"
#include "tests/support/huge.hpp"

namespace perdure::test {
namespace {

namespace limits = core::limits;

inline constexpr pd::Signal<std::string> note{"note"};

pd::Task<std::string> answer(pd::Context& ctx, std::string text) {
  co_return co_await ctx.step("answer", [&](pd::Step&) { return "about " + text; });
}
inline constexpr pd::Handler ask{"ask", &answer};
pd::Task<int> take_huge(pd::Context&, Huge) { co_return 0; }
inline constexpr pd::Handler take{"take", &take_huge};
inline constexpr pd::Signal<Huge> huge_note{"note"};
inline constexpr pd::State<Huge> huge_cell{"text"};
inline constexpr pd::Agent clerk{"clerk", ask, take};
inline constexpr pd::Agent absent{"absent", ask};

/// What the tests of this file have a handler do: it is asked by name.
pd::Task<std::string> act(pd::Context& ctx, std::string what);
inline constexpr pd::Handler doing{"do", &act};
inline constexpr pd::Agent actor{"actor", doing};

template <class T>
std::string words_of(const pd::Result<T>& result) {
  return result ? std::string("fine") : result.error().to_string();
}

std::string bad_key(const std::string& what) {
  if (what == "empty") return "";
  if (what == "control") return "a\nb";
  return std::string(limits::kKeyBytes + 1, 'k');
}

/// Calls, sends and spawns with a bad key of a session and of a message; gives what each said.
pd::Task<std::string> use_keys(pd::Context& ctx, std::string what) {
  const std::string key = bad_key(what);
  auto bad = ctx.session(clerk, key);
  std::string all = words_of(co_await pd::as_result(bad.call(ask, "x")));
  all += "\n" + words_of(co_await pd::as_result(bad.send(ask, "x")));
  all += "\n" + words_of(co_await pd::as_result(bad.spawn(ask, "x")));
  all += "\n" + words_of(co_await pd::as_result(bad.send(note, "x")));
  if (what == "empty") co_return all;
  auto good = ctx.session(clerk, "c");
  all += "\n" + words_of(co_await pd::as_result(good.call(ask, "x", {.key = key})));
  all += "\n" + words_of(co_await pd::as_result(good.send(ask, "x", {.key = key})));
  all += "\n" + words_of(co_await pd::as_result(good.spawn(ask, "x", {.key = key})));
  co_return all;
}

/// What does not encode fails the handler where it is given, as `Result::value` does.
pd::Task<std::string> use_large(pd::Context& ctx, std::string what) {
  auto to = ctx.session(clerk, "c");
  if (what == "call") co_await to.call(take, Huge{});
  if (what == "send") co_await to.send(take, Huge{});
  if (what == "spawn") co_await to.spawn(take, Huge{});
  if (what == "signal") co_await to.send(huge_note, Huge{});
  if (what == "state") ctx.set(huge_cell, Huge{});
  co_return "nothing was refused";
}

pd::Task<std::string> use_times(pd::Context& ctx) {
  co_await ctx.sleep(-1s);
  co_await ctx.sleep_until(std::chrono::sys_time<std::chrono::microseconds>(-1us));
  std::string all = (co_await ctx.receive(note, {.within = -1s})).value_or("none");
  all += "\n" + words_of(co_await pd::as_result(ctx.within(-1s, ctx.receive(note))));
  all += "\n" + words_of(co_await pd::as_result(
                    ctx.within(-1s, ctx.step("beside", [](pd::Step&) { return 1; }))));
  co_await ctx.session(clerk, "c").send(ask, "x", {.delay = -1s});
  const auto never =
      co_await pd::as_result(ctx.within(1h, ctx.sleep(std::chrono::microseconds::max())));
  co_return all + "\n" + words_of(never);
}

pd::Task<int> one_of_many(pd::Context& ctx, int number) {
  co_return co_await ctx.step("one of many", [&](pd::Step&) { return number; });
}
pd::Task<std::string> use_branches(pd::Context& ctx) {
  std::vector<int> numbers(50);
  const std::vector<int> all = co_await ctx.map(
      std::move(numbers), [&](int number) { return one_of_many(ctx, number); }, {.limit = 0});
  std::vector<pd::Task<int>> none;
  std::string words = std::to_string(all.size());
  words += "\n" + words_of(co_await pd::as_result(ctx.any(std::move(none))));
  std::vector<pd::Task<int>> still_none;
  words += "\n" + words_of(co_await pd::as_result(ctx.race(std::move(still_none))));
  std::vector<pd::Task<int>> of_nothing;
  words += "\n" + std::to_string((co_await ctx.all(std::move(of_nothing))).size());
  co_return words;
}

pd::Task<std::string> use_state(pd::Context& ctx, std::string what) {
  static const std::string long_name(limits::kNameBytes + 1, 's');
  const pd::State<std::string> cell(what == "empty" ? "" : long_name.c_str());
  if (what == "read") co_return ctx.find(cell) ? "a value" : "none";
  ctx.set(cell, "x");
  co_return "was written";
}

pd::Task<std::string> use_version(pd::Context& ctx, std::string what) {
  if (what == "zero") co_return std::to_string(ctx.version("fee", 0, 1));
  if (what == "turned") co_return std::to_string(ctx.version("fee", 2, 1));
  if (what == "long") co_return std::to_string(ctx.version(std::string(300, 'v'), 1, 2));
  if (what == "empty") co_return std::to_string(ctx.version("", 1, 2));
  const int way = outside->mode == 0 ? ctx.version("fee", 1, 2) : ctx.version("fee", 3, 4);
  co_await ctx.sleep(1h);
  co_return std::to_string(way);
}

pd::Task<std::string> use_cancel(pd::Context& ctx, std::string what) {
  const auto child = co_await ctx.session(actor, "child").spawn(doing, "wait patiently");
  pd::CancelOptions options{.why = "because"};
  if (what == "by") options.by = std::string(300, 'b');
  if (what == "grace") options.grace = std::chrono::milliseconds::max();
  if (what == "negative") options.grace = -5s;
  const std::string asked = words_of(co_await pd::as_result(child.cancel(options)));
  const pd::Result<std::string> reply = co_await pd::as_result(child.result());
  co_return asked + "\n" + words_of(reply);
}

pd::Task<std::string> act(pd::Context& ctx, std::string what) {
  const std::size_t space = what.find(' ');
  const std::string rest = space == std::string::npos ? "" : what.substr(space + 1);
  what = what.substr(0, space);
  if (what == "echo") co_return rest;
  if (what == "wait") {
    const pd::Result<std::string> got = co_await pd::catch_cancelled(ctx.receive(note));
    if (got || rest.empty()) co_return got;
    co_await ctx.sleep(1h);
    co_return "tidied up";
  }
  if (what == "keys") co_return co_await use_keys(ctx, rest);
  if (what == "large") co_return co_await use_large(ctx, rest);
  if (what == "times") co_return co_await use_times(ctx);
  if (what == "branches") co_return co_await use_branches(ctx);
  if (what == "state") co_return co_await use_state(ctx, rest);
  if (what == "version") co_return co_await use_version(ctx, rest);
  if (what == "cancel") co_return co_await use_cancel(ctx, rest);
  if (what == "absent") co_return co_await ctx.session(absent, "a").call(ask, rest);
  co_return pd::Error{pd::Code::user, "nobody knows how to " + what};
}

class MisuseInHandlersTest : public SessionFixture {
 protected:
  pd::Result<std::string> result_of(const std::string& what) {
    return session.send(doing, what).value().wait();
  }
  std::string said(const std::string& what) { return words_of(result_of(what)); }
  Lines lines_of(const std::string& what) {
    const pd::Result<std::string> reply = result_of(what);
    EXPECT_TRUE(reply) << words_of(reply);
    Lines lines{""};
    for (const char c : reply ? reply.value() : std::string()) {
      if (c == '\n') {
        lines.emplace_back();
      } else {
        lines.back() += c;
      }
    }
    return lines;
  }
  void expect_all(const Lines& lines, const Lines& words) {
    for (const std::string& line : lines)
      for (const std::string& word : words) EXPECT_TRUE(contains(line, word)) << line;
  }
  void expect_works() {
    for (const kit::End end : {kit::End::clean, kit::End::unclean}) {
      EXPECT_EQ(result_of("echo here").value(), "here");
      EXPECT_EQ(test.session(clerk, "c").call(ask, "tea").value(), "about tea");
      test.restart(end);
    }
    test.run_until_idle();
    EXPECT_TRUE(disk_of(test).due().empty());
  }
  kit::Runtime test{options()};
  decltype(test.session(actor, "")) session = [this] {
    test.serve(clerk);
    return test.session(actor, "s");
  }();
};
PERDURE_TEST_FRAMES(MisuseInHandlersTest);

TEST_P(MisuseInHandlersTest, OfKeys) {
  const Lines empty = lines_of("keys empty");
  EXPECT_EQ(empty.size(), 4U);
  expect_all(empty, {"misuse: the session's key is empty: give it a name"});
  const Lines large = lines_of("keys large");
  EXPECT_EQ(large.size(), 7U);
  expect_all(large, {"too_large: the ", "'s key 'kkk", "1025 bytes, more than the limit of 1024"});
  const std::string control = result_of("keys control").value();
  std::size_t count = 0;
  for (std::size_t at = control.find("misuse: the "); at != std::string::npos;
       at = control.find("misuse: the ", at + 1))
    ++count;
  EXPECT_EQ(count, 7U) << control;
  expect_works();
}

TEST_P(MisuseInHandlersTest, OfValuesThatAreTooLarge) {
  for (const std::string what : {"call", "send", "spawn", "signal", "state"})
    expect_all({said("large " + what)}, {"too_large: ", "over 1 GiB", "pd::Blob"});
  expect_works();
}

TEST_P(MisuseInHandlersTest, OfTimes) {
  auto run = session.send(doing, "times").value();
  test.advance(1h);
  const pd::Result<std::string> reply = run.wait();
  ASSERT_TRUE(reply) << words_of(reply);
  const std::string& all = reply.value();
  EXPECT_TRUE(all.starts_with("none\ntimeout: ")) << all;
  // A body that has begun is waited for, and its value stands.
  EXPECT_TRUE(contains(all, "\nfine\ntimeout: ") || contains(all, "\ntimeout: ")) << all;
  EXPECT_FALSE(contains(all, "misuse")) << all;
  expect_works();
}

TEST_P(MisuseInHandlersTest, OfBranches) {
  const Lines lines = lines_of("branches");
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0], "50");
  expect_all({lines[1], lines[2]}, {"misuse: "});
  EXPECT_EQ(lines[3], "0");
  expect_works();
}

TEST_P(MisuseInHandlersTest, OfState) {
  expect_all({said("state long")}, {"misuse: a state's name has 257 bytes: give 1 to 256"});
  expect_all({said("state empty")}, {"misuse: a state's name has 0 bytes: give 1 to 256"});
  EXPECT_EQ(said("state read"), "fine");
  EXPECT_EQ(result_of("state read").value(), "none");
  expect_works();
}

TEST_P(MisuseInHandlersTest, OfVersions) {
  const Lines words{"misuse: ctx.version('fee'): versions count from 1"};
  expect_all({said("version zero"), said("version turned")}, words);
  auto run = session.send(doing, "version fee").value();
  test.run_until_idle();
  outside_.mode = 1;
  test.restart();
  test.advance(2h);
  EXPECT_FALSE(run.result());
  const std::string why = test.explain(run.id()).value();
  EXPECT_TRUE(contains(why,
                       "it is parked (diverged): the run went the way of version 2 at 'fee', "
                       "and the code supports 3 to 4: serve code that supports it"))
      << why;
  outside_.mode = 0;
  test.restart();
  EXPECT_EQ(run.wait().value(), "2");
  expect_works();
}

TEST_P(MisuseInHandlersTest, OfNamesOfChanges) {
  expect_all({said("version long")},
             {"misuse: ctx.version: the name of the change has 300 bytes: give 1 to 256"});
  expect_all({said("version empty")}, {"misuse: ", "has 0 bytes: give 1 to 256"});
  expect_works();
}

TEST_P(MisuseInHandlersTest, OfCancelsOfChildren) {
  expect_all({said("cancel by")},
             {"too_large: CancelOptions::by has 300 bytes, more than the limit of 256"});
  // The run that failed so cancels its child as any does, which takes the time that it is given.
  test.advance(31s);
  EXPECT_TRUE(contains(result_of("cancel negative").value(), "\npeer_cancelled: "));
  // For ever is a long time, and not the past: the child tidies up.
  auto patient = session.send(doing, "cancel grace").value();
  test.advance(2h);
  EXPECT_EQ(patient.wait().value(), "fine\nfine");
  expect_works();
}

TEST_P(MisuseInHandlersTest, AMessageForAnAgentThatIsNotServedWaits) {
  auto run = session.send(doing, "absent tea").value();
  test.run_until_idle();
  EXPECT_FALSE(run.result());
  const std::string waits = test.explain(run.id()).value();
  EXPECT_TRUE(contains(waits, "waits for the reply of 'ask', run ")) << waits;
  const pd::RunId called = pd::RunId::parse(waits.substr(waits.find("run ") + 4, 26)).value();
  const std::string why = test.explain(called).value();
  EXPECT_TRUE(contains(why,
                       "it is parked (not_registered): the runtime does not serve agent "
                       "'absent' version 1 with handler 'ask': serve it"))
      << why;
  test.restart(kit::End::unclean);
  test.run_until_idle();
  EXPECT_FALSE(run.result());
  test.serve(absent);
  test.restart();
  EXPECT_EQ(run.wait().value(), "about tea");
  expect_works();
}

/// Handles of children, kept where they do not belong.
std::optional<pd::ChildRun<std::string>>& stray() {
  static std::optional<pd::ChildRun<std::string>> child;
  return child;
}

pd::Task<std::string> lends(pd::Context& ctx, std::string) {
  const auto child = co_await ctx.session(actor, "of-the-lender").spawn(doing, "wait");
  stray() = child;
  co_return co_await child.result();
}
pd::Task<std::string> borrows(pd::Context& ctx, std::string what) {
  if (what == "with a child of its own")
    (void)co_await ctx.session(actor, "of-the-borrower").spawn(doing, "echo its own");
  if (what == "cancels")
    co_return words_of(co_await pd::as_result(stray()->cancel({.why = "not its to say"})));
  co_return words_of(co_await pd::as_result(stray()->result()));
}
inline constexpr pd::Agent lender{"lender", &lends};
inline constexpr pd::Agent borrower{"borrower", &borrows};

class StrayChildTest : public MisuseInHandlersTest {
 protected:
  void SetUp() override {
    test.serve(lender);
    stray().reset();
    lent_ = std::make_unique<pd::Run<std::string>>(test.session(lender, "l").start("").value());
    test.run_until_idle();
    ASSERT_TRUE(stray());
  }
  void TearDown() override {
    // The child was not touched, and its parent gets its reply.
    EXPECT_TRUE(test.session(actor, "of-the-lender").send(note, "done"));
    EXPECT_EQ(words_of(lent_->wait()), "fine");
    stray().reset();
    expect_works();
  }
  std::unique_ptr<pd::Run<std::string>> lent_;
};
PERDURE_TEST_FRAMES(StrayChildTest);

TEST_P(StrayChildTest, IsNotJoined) {
  const std::string words = test.session(borrower, "b").start("").value().wait().value();
  EXPECT_TRUE(contains(words, "misuse: run " + to_string(stray()->id()) + " is no child of run "))
      << words;
  EXPECT_TRUE(contains(words, "a ChildRun means something in the run alone that spawned it"));
}

TEST_P(StrayChildTest, IsNotTakenForOneThatWasStartedAtTheSameStep) {
  auto run = test.session(borrower, "b").start("with a child of its own").value();
  const pd::Result<std::string> words = run.wait();
  EXPECT_TRUE(contains(words.value(), "misuse: run " + to_string(stray()->id()))) << words.value();
}

TEST_P(StrayChildTest, IsNotCancelled) {
  const std::string words = test.session(borrower, "b").start("cancels").value().wait().value();
  EXPECT_TRUE(contains(words, "misuse: run " + to_string(stray()->id()))) << words;
}

/// What a busy session does, whether the frame of its run is in memory or not.
class BusyTest : public SessionFixture {};
PERDURE_TEST_FRAMES(BusyTest);

pd::Task<std::string> waits(pd::Context& ctx, std::string text) {
  co_return text + co_await ctx.receive(note);
}
inline constexpr pd::Handler joined{"joined", &waits, {.when_busy = pd::WhenBusy::join}};
inline constexpr pd::Agent joiner{"joiner", joined};

TEST_P(BusyTest, AMessageJoinsARunThatWaits) {
  for (const bool restarted : {false, true}) {
    kit::Runtime test(options());
    auto session = test.session(joiner, "j");
    auto first = session.send(joined, "1").value();
    test.run_until_idle();
    if (restarted) test.restart(kit::End::unclean);
    auto second = session.send(joined, "2").value();
    EXPECT_EQ(second.id(), first.id()) << restarted;
    test.run_until_idle();
    ASSERT_TRUE(session.send(note, "!"));
    EXPECT_EQ(first.wait().value(), "1!");
    if (second.id() == first.id()) EXPECT_EQ(second.wait().value(), "1!");
  }
}

}  // namespace
}  // namespace perdure::test
