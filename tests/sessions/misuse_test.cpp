/// What callers do wrong from outside: each call says what is wrong and what to do instead, and the
/// session that it was meant for works as before.
#include "core/limits.hpp"
#include "tests/sessions/session_fixture.hpp"
#include "tests/support/huge.hpp"

namespace perdure::test {
namespace {

namespace limits = core::limits;

inline constexpr pd::State<int> sum{"sum"};
inline constexpr pd::Signal<std::string> note{"note"};

pd::Task<int> add_number(pd::Context& ctx, int value) {
  const int now = ctx.get(sum) + co_await ctx.step("look up", [&](pd::Step&) { return value; });
  ctx.set(sum, now);
  co_return now;
}
pd::Task<std::string> repeat_text(pd::Context& ctx, std::string text) {
  const std::string got = co_await ctx.receive(note);
  co_return text + got;
}
int read_sum(const pd::View& view, int) { return view.get(sum); }

inline constexpr pd::Handler add{"add", &add_number};
inline constexpr pd::Handler repeat{"repeat", &repeat_text};
inline constexpr pd::Query get_sum{"sum", &read_sum};
pd::Task<int> take_huge(pd::Context&, Huge) { co_return 0; }
inline constexpr pd::Handler take{"take huge", &take_huge};
inline constexpr pd::Signal<Huge> huge_note{"note"};
inline constexpr pd::Agent desk{"desk", add, repeat, take, get_sum};

class MisuseTest : public SessionFixture {
 protected:
  MisuseTest() : test(options()), session(test.session(desk, "d")) {
    EXPECT_EQ(session.call(add, 1).value(), 1);
  }
  /// Nothing was lost, and the session does what it did.
  void expect_works() {
    const int before = session.query(get_sum, 0).value();
    EXPECT_EQ(session.call(add, 10).value(), before + 10);
    test.restart(kit::End::unclean);
    EXPECT_EQ(session.call(add, 10).value(), before + 20);
    EXPECT_TRUE(disk_of(test).due().empty());
  }
  template <class T>
  void expect_refused(const pd::Result<T>& result, pd::Code code,
                      const std::vector<std::string>& words) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, code) << result.error().to_string();
    for (const std::string& word : words)
      EXPECT_TRUE(contains(result.error().message, word)) << result.error().message;
  }
  /// All that can be asked of a session with this key.
  void expect_key_refused(const std::string& key, pd::Code code,
                          const std::vector<std::string>& words) {
    auto other = test.session(desk, key);
    expect_refused(other.start(add, 1), code, words);
    expect_refused(other.send(add, 1), code, words);
    expect_refused(other.call(add, 1), code, words);
    expect_refused(other.send(note, "n"), code, words);
    expect_refused(other.query(get_sum, 0), code, words);
  }
  /// What reaches the runtime when types have checked nothing.
  static pd::detail::MessageRequest message(std::string_view agent, std::string_view handler) {
    pd::detail::MessageRequest request;
    request.agent = agent;
    request.handler = handler;
    request.session_key = "d";
    return request;
  }
  static pd::detail::QueryRequest question(std::string_view query) {
    pd::detail::QueryRequest request;
    request.agent = "desk";
    request.query = query;
    request.session_key = "d";
    return request;
  }
  static pd::detail::SignalRequest signal(std::string_view agent, std::string_view name) {
    pd::detail::SignalRequest request;
    request.agent = agent;
    request.session_key = "d";
    request.name = name;
    return request;
  }
  kit::Runtime test;
  decltype(test.session(desk, "")) session;
};
PERDURE_TEST_FRAMES(MisuseTest);

TEST_P(MisuseTest, OfRunsThatAreNotThere) {
  const pd::RunId unknown = pd::RunId::parse("01HF7YAT00R5E052FC5M592SZC").value();
  const std::string name = to_string(unknown);
  auto run = test.run<int>(unknown);
  expect_refused(run.wait(), pd::Code::not_found, {name});
  expect_refused(run.cancel(), pd::Code::not_found, {name});
  expect_refused(run.kill(), pd::Code::not_found, {name});
  expect_refused(test.explain(unknown), pd::Code::not_found, {name});
  ASSERT_TRUE(run.result());
  expect_refused(*run.result(), pd::Code::not_found, {name});
  expect_works();
}

TEST_P(MisuseTest, OfSessionsThatAreNotThere) {
  auto nobody = test.session(desk, "nobody");
  // It has no state, and is not made by being asked.
  EXPECT_EQ(nobody.query(get_sum, 0).value(), 0);
  expect_refused(nobody.run(add, "k"), pd::Code::not_found, {"desk/nobody"});
  expect_refused(session.run(add, "k"), pd::Code::not_found, {"desk/d", "'k'"});
  expect_works();
}

TEST_P(MisuseTest, OfARunThatHasEnded) {
  auto run = session.send(add, 1).value();
  EXPECT_EQ(run.wait().value(), 2);
  expect_refused(run.cancel(), pd::Code::not_found, {to_string(run.id()), "has ended"});
  expect_refused(run.kill(), pd::Code::not_found, {to_string(run.id()), "has ended"});
  EXPECT_EQ(run.wait().value(), 2);
  expect_works();
}

TEST_P(MisuseTest, OfARunAsOneOfAnotherReply) {
  auto run = session.send(add, 1).value();
  EXPECT_EQ(run.wait().value(), 2);
  expect_refused(test.run<std::string>(run.id()).wait(), pd::Code::undecodable, {});
  expect_works();
}

TEST_P(MisuseTest, OfKeysOfSessions) {
  expect_key_refused("", pd::Code::misuse, {"the session's key is empty: give it a name"});
  expect_key_refused("a\nb", pd::Code::misuse,
                     {"the session's key 'a\nb' has a control character in it"});
  expect_key_refused("a\x7f", pd::Code::misuse, {"has a control character in it"});
  expect_key_refused(std::string(limits::kKeyBytes + 1, 'k'), pd::Code::too_large,
                     {"the session's key 'kkk", "1025 bytes, more than the limit of 1024"});
  // At the limit, and with anything else in it, it is a key.
  EXPECT_EQ(test.session(desk, std::string(limits::kKeyBytes, 'k')).call(add, 3).value(), 3);
  EXPECT_EQ(test.session(desk, "a/b \xff 東京").call(add, 4).value(), 4);
  expect_works();
}

TEST_P(MisuseTest, OfKeysOfMessages) {
  const auto send = [&](const std::string& key) { return session.send(add, 5, {.key = key}); };
  expect_refused(send("a\tb"), pd::Code::misuse, {"the message's key 'a\tb'", "control character"});
  expect_refused(send(std::string(limits::kKeyBytes + 1, 'k')), pd::Code::too_large,
                 {"the message's key 'kkk", "1025 bytes, more than the limit of 1024"});
  EXPECT_EQ(send(std::string(limits::kKeyBytes, 'k')).value().wait().value(), 6);
  // The same key with other input, or with another handler.
  const std::string taken(limits::kKeyBytes, 'k');
  expect_refused(session.send(add, 6, {.key = taken}), pd::Code::already_started,
                 {"'desk/d'", taken, "send it with another key"});
  expect_refused(session.send(repeat, "x", {.key = taken}), pd::Code::already_started, {taken});
  expect_works();
}

TEST_P(MisuseTest, OfMessagesThatAreTooLarge) {
  expect_refused(session.send(take, Huge{}), pd::Code::too_large, {"over 1 GiB", "pd::Blob"});
  expect_refused(session.send(huge_note, Huge{}), pd::Code::too_large, {"over 1 GiB", "pd::Blob"});
  expect_works();
}

TEST_P(MisuseTest, OfAgentsThatAreNotServed) {
  pd::detail::RuntimeCore& core = test.core();
  expect_refused(core.send_message(message("nobody", "add")), pd::Code::not_registered,
                 {"'nobody'", "call serve() with it before start()"});
  pd::detail::MessageRequest newer = message("desk", "add");
  newer.version = 7;
  expect_refused(core.send_message(newer), pd::Code::not_registered, {"'desk'", "version 7"});
  expect_refused(core.send_message(message("desk", "take")), pd::Code::not_registered,
                 {"'desk'", "'take'"});
  expect_refused(core.query(question("total")), pd::Code::not_registered, {"'desk'", "'total'"});
  expect_refused(core.send_signal(signal("nobody", "note")), pd::Code::not_registered,
                 {"'nobody'", "call serve() with it before start()"});
  expect_works();
}

TEST_P(MisuseTest, OfNamesOfSignals) {
  const auto send = [&](const std::string& name) {
    return test.core().send_signal(signal("desk", name));
  };
  expect_refused(send(""), pd::Code::misuse, {"the signal's name is empty"});
  expect_refused(send("a\nb"), pd::Code::misuse, {"the signal's name 'a\nb'", "control"});
  expect_refused(send(std::string(257, 'n')), pd::Code::too_large,
                 {"the signal's name 'nnn", "257 bytes, more than the limit of 256"});
  expect_works();
}

TEST_P(MisuseTest, OfTypesWithLongNames) {
  const std::string long_name(limits::kKeyBytes + 1, 't');
  const pd::Bytes input = pd::encode(5).value();
  pd::detail::MessageRequest five = message("desk", "add");
  five.input_type = long_name;
  five.input = input;
  const auto run = test.core().send_message(five);
  ASSERT_TRUE(run) << run.error().to_string();
  EXPECT_EQ(test.run<int>(run.value()).wait().value(), 6);
  const pd::Bytes text = pd::encode(std::string("!")).value();
  auto waiting = session.send(repeat, "x").value();
  pd::detail::SignalRequest noted = signal("desk", "note");
  noted.type = long_name;
  noted.payload = text;
  EXPECT_TRUE(test.core().send_signal(noted));
  EXPECT_EQ(waiting.wait().value(), "x!");
  expect_works();
}

TEST_P(MisuseTest, AMessageOfAnotherTypeParksItsRunAndWaits) {
  const pd::Bytes text = pd::encode(std::string("five")).value();
  pd::detail::MessageRequest wrong = message("desk", "add");
  wrong.input_type = "string";
  wrong.input = text;
  const auto id = test.core().send_message(wrong);
  ASSERT_TRUE(id) << id.error().to_string();
  auto behind = session.send(add, 4).value();
  test.run_until_idle();
  auto run = test.run<int>(id.value());
  EXPECT_FALSE(run.result());
  const std::string why = test.explain(id.value()).value();
  EXPECT_TRUE(contains(why, "it is parked (diverged)")) << why;
  EXPECT_TRUE(contains(why, "text")) << why;
  EXPECT_FALSE(behind.result());
  // No code can read it, so it is given up; what waited behind it is handled.
  ASSERT_TRUE(run.kill({.why = "not a number"}));
  EXPECT_EQ(run.wait().error().code, pd::Code::cancelled);
  EXPECT_EQ(behind.wait().value(), 5);
  expect_works();
}

TEST_P(MisuseTest, AParkedRunThatWasCancelledEndsWithItsGrace) {
  const pd::Bytes text = pd::encode(std::string("five")).value();
  pd::detail::MessageRequest wrong = message("desk", "add");
  wrong.input = text;
  auto run = test.run<int>(test.core().send_message(wrong).value());
  test.run_until_idle();
  ASSERT_TRUE(run.cancel({.why = "not a number", .grace = 10s}));
  test.advance(11s);
  ASSERT_TRUE(run.result());
  EXPECT_EQ(run.wait().error().code, pd::Code::cancelled);
  expect_works();
}

TEST_P(MisuseTest, ASignalOfAnotherTypeParksTheRunThatTakesIt) {
  auto run = session.send(repeat, "x").value();
  const pd::Bytes number = pd::encode(5).value();
  pd::detail::SignalRequest wrong = signal("desk", "note");
  wrong.payload = number;
  ASSERT_TRUE(test.core().send_signal(wrong));
  test.run_until_idle();
  const std::string why = test.explain(run.id()).value();
  EXPECT_TRUE(contains(why, "it is parked")) << why;
  EXPECT_TRUE(contains(why, "note")) << why;
  ASSERT_TRUE(run.kill());
  test.run_until_idle();
  EXPECT_EQ(run.wait().error().code, pd::Code::cancelled);
  expect_works();
}

TEST_P(MisuseTest, OfTooManySignals) {
  for (std::size_t i = 0; i < limits::kKeptSignals; ++i)
    ASSERT_TRUE(session.send(note, std::to_string(i)));
  const std::vector<std::string> words{"'desk/d'", "10000", "send it later"};
  expect_refused(session.send(note, "one too many"), pd::Code::busy, words);
  EXPECT_EQ(session.send(note, "one too many").error().known_effect(), pd::ErrorEffect::refused);
  // Messages are not signals, and other sessions have room of their own.
  EXPECT_EQ(session.call(add, 1).value(), 2);
  EXPECT_TRUE(test.session(desk, "other").send(note, "here"));
  // The oldest are received first, none is lost, and there is room again.
  EXPECT_EQ(session.call(repeat, "got ").value(), "got 0");
  ASSERT_TRUE(session.send(note, "last"));
  test.restart(kit::End::unclean);
  expect_refused(session.send(note, "one too many"), pd::Code::busy, words);
  EXPECT_EQ(session.call(repeat, "got ").value(), "got 1");
  expect_works();
}

TEST_P(MisuseTest, OfTimes) {
  EXPECT_EQ(session.call(add, 1, {.delay = -1s}).value(), 2);
  EXPECT_EQ(
      session.call(add, 1, {.at = std::chrono::sys_time<std::chrono::microseconds>(-5us)}).value(),
      3);
  // As good as for ever, and not the past.
  auto never = session.send(add, 100, {.delay = std::chrono::microseconds::max()}).value();
  test.advance(1000h);
  EXPECT_FALSE(never.result());
  EXPECT_EQ(session.query(get_sum, 0).value(), 3);
  ASSERT_TRUE(never.cancel({.why = "enough"}));
  expect_works();
}

TEST_P(MisuseTest, OfCancels) {
  auto run = session.send(repeat, "x").value();
  test.run_until_idle();
  expect_refused(run.cancel({.by = std::string(257, 'b')}), pd::Code::too_large,
                 {"CancelOptions::by", "257 bytes, more than the limit of 256"});
  EXPECT_FALSE(run.result());
  // Words of any length are cut where they are shown, and no grace is none.
  ASSERT_TRUE(run.cancel({.why = std::string(1U << 20U, 'w'), .grace = -5s}));
  test.run_until_idle();
  EXPECT_EQ(run.wait().error().code, pd::Code::cancelled);
  EXPECT_LE(run.wait().error().message.size(), limits::kErrorMessageBytes);
  // For ever is a long time, and not the past.
  auto patient = session.send(repeat, "x").value();
  test.run_until_idle();
  ASSERT_TRUE(patient.cancel({.grace = std::chrono::milliseconds::max()}));
  EXPECT_EQ(patient.wait().error().code, pd::Code::cancelled);
  expect_works();
}

}  // namespace
}  // namespace perdure::test
