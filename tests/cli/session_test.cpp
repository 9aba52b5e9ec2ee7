#include "cli/session.hpp"

#include <gtest/gtest.h>

#include "journal/memory_store.hpp"
#include "tests/cli/journal_builder.hpp"

namespace perdure::cli {
namespace {

using journal::Table;
using What = journal::ArrivalRow::What;
using namespace std::chrono_literals;

class SessionTest : public testing::Test {
 protected:
  TestScreen show(const std::string& address, Format format,
                  const std::optional<std::string>& holder = std::nullopt) {
    TestScreen shown(builder.now(), format);
    journal::Reader reader = reader_of(store);
    const auto session = find_session(reader, address);
    EXPECT_TRUE(session.has_value()) << session.error().message;
    const auto result = show_session(reader, session.value(), holder, shown.screen);
    EXPECT_TRUE(result.has_value()) << result.error().message;
    return shown;
  }
  std::string text(const std::string& address = "trip/alice") {
    return show(address, Format::text).text();
  }
  nlohmann::json json(const std::string& address = "trip/alice") {
    return show(address, Format::json, "process 4711").json();
  }
  void expect_parts(const std::string& shown, const std::vector<std::string>& parts) {
    for (const std::string& part : parts)
      EXPECT_NE(shown.find(part), std::string::npos) << part << "\nin\n" << shown;
  }
  Error refused(const std::string& address) {
    journal::Reader reader = reader_of(store);
    auto session = find_session(reader, address);
    EXPECT_TRUE(session.has_error());
    return session.has_error() ? std::move(session).error() : Error{};
  }

  journal::MemoryStore store;
  JournalBuilder builder{store};
  const RunId run = builder.start("trip", "alice");
  const core::Bytes approved = payload(std::map<std::string, bool>{{"approved", true}});
};

TEST_F(SessionTest, ShowsASessionThatHasNothing) {
  builder.complete(run, payload(1));
  builder.clock.advance(3s);
  EXPECT_EQ(text(),
            "session   trip/alice\n"
            "created   2023-11-14T22:13:20.000Z (3.00s ago)\n"
            "run       none is unfinished\n"
            "journal   not open for writing in any process\n");
  EXPECT_EQ(json(), nlohmann::json::parse(R"({"agent":"trip","key":"alice",
      "created":"2023-11-14T22:13:20.000000Z","open_run":null,"holder":"process 4711",
      "children":[],"inbox":[],"kept":[],"state":[]})"));
}

TEST_F(SessionTest, ShowsWhatCameAndWhatItKeeps) {
  builder.clock.advance(1s);
  const RunId queued = builder.queue();
  const auto kept =
      builder.arrive(Table::kept, JournalBuilder::arrival(What::signal, "approval", approved));
  builder.clock.advance(1s);
  journal::ArrivalRow cancel = JournalBuilder::arrival(What::cancel, "", {});
  cancel.run = run;
  cancel.who = "ann";
  cancel.why = "too\nslow";
  const auto come = builder.arrive(Table::inbox, cancel);
  expect_parts(
      text(), {"run       " + to_string(run) + ", running\n",
               "\nNEW  WHAT    NAME  SENT  VALUE  ABOUT\n #" + std::to_string(come) +
                   "  cancel         now         for run " + to_string(run) + ", by ann, too …\n",
               "\nKEPT  WHAT     NAME           SENT  VALUE                ABOUT\n  #" +
                   std::to_string(kept - 1) + "  message  main      1.00s ago  \"later\"" +
                   "              makes run " + to_string(queued) + "\n  #" + std::to_string(kept) +
                   "  signal   approval  1.00s ago  [[\"approved\",true]]\n"});
  const auto shown = json();
  EXPECT_EQ(shown["open_run"]["id"], to_string(run));
  ASSERT_EQ(shown["kept"].size(), 2U);
  auto signal = nlohmann::json::parse(R"({"what":"signal","name":"approval","agent_version":0,
      "message_key":"","sent":"2023-11-14T22:13:21.000000Z","run":null,"step":"","other_run":null,
      "caller":null,"due":null,"by_wall_clock":false,"deadline":null,"who":"","why":"",
      "grace_ms":0,"limits":null,"saga":null,"all_sagas":false,"error":null,"payload_type":"string",
      "payload":[["approved",true]]})");
  signal["number"] = kept;
  signal["payload_bytes"] = approved.size();
  EXPECT_EQ(shown["kept"][1], signal);
  EXPECT_EQ(shown["kept"][0]["run"], to_string(queued));
  EXPECT_EQ(shown["kept"][0]["message_key"], "second");
  ASSERT_EQ(shown["inbox"].size(), 1U);
  EXPECT_EQ(shown["inbox"][0]["who"], "ann");
}

TEST_F(SessionTest, TellsTheChildrenOfItsRun) {
  const RunId child = builder.start("cart", "bob");
  builder.child(run, {10}, child, journal::ParentEnd::cancel);
  builder.child(run, {2}, child, journal::ParentEnd::wait);
  expect_parts(text(), {"any process\n\nchild of step 2: run " + to_string(child) +
                        " of cart/bob, which this run does not end without\nchild of step 10: "});
  const auto children = json()["children"];
  ASSERT_EQ(children.size(), 2U);
  EXPECT_EQ(children[0], nlohmann::json::parse(R"({"step":"2","run":")" + to_string(child) +
                                               R"(","agent":"cart","key":"bob",
      "parent_end":"wait","ended":false,"error":null})"));
  EXPECT_EQ(children[1]["parent_end"], "cancel");
  EXPECT_EQ(text("cart/bob").find("child of"), std::string::npos);
}

TEST_F(SessionTest, SaysWhatAnArrivalIsAbout) {
  const RunId other = builder.start("shop", "s");
  const Path path{2, 1};
  journal::ArrivalRow call = JournalBuilder::arrival(What::message, "main", approved);
  call.run = run;
  call.caller = journal::Caller{journal::session_hash("shop", "s"), "shop", "s", other, path};
  call.due = builder.now() + 60'000'000;
  builder.arrive(Table::kept, call);
  call.other = other;
  call.due = 0;
  builder.arrive(Table::kept, call);
  journal::ArrivalRow reply = JournalBuilder::arrival(What::reply, "", {});
  reply.run = run;
  reply.path = path;
  reply.other = other;
  reply.error = journal::ErrorView{Code::busy, "come later", {}, {}, {}};
  builder.arrive(Table::inbox, reply);
  expect_parts(text(), {"makes run " + to_string(run) +
                            ", not before 2023-11-14T22:14:20Z (in 1m 0s), called by shop/s\n",
                        "waits with run " + to_string(other) + ", called by shop/s\n",
                        "run " + to_string(other) + " has ended, for step 2.1 of run " +
                            to_string(run) + ", busy: come later"});
  const auto shown = json();
  EXPECT_EQ(shown["kept"][0]["caller"]["step"], "2.1");
  EXPECT_EQ(shown["kept"][0]["due"], "2023-11-14T22:14:20.000000Z");
  EXPECT_EQ(shown["kept"][1]["other_run"], to_string(other));
  EXPECT_EQ(shown["inbox"][0]["step"], "2.1");
  EXPECT_EQ(shown["inbox"][0]["error"]["code"], "busy");
}

TEST_F(SessionTest, ShowsItsState) {
  const auto put = [&](const std::string& name, const std::string& type, const core::Bytes& value) {
    builder.put(Table::state, journal::state_row(journal::session_hash("trip", "alice"), name),
                journal::StateRow{name, type, 0, value});
  };
  put("total", "int", payload(7));
  put("approval", "map", approved);
  builder.put(Table::state, journal::state_row(journal::session_hash("trip", "bob"), "not its"),
              journal::StateRow{"not its", "int", 0, payload(8)});
  expect_parts(text(), {"\nSTATE     TYPE  SIZE  VALUE\n", "total     int    3 B  7\n"});
  EXPECT_EQ(text().find("not its"), std::string::npos);
  const auto state = json()["state"];
  ASSERT_EQ(state.size(), 2U);
  auto total = nlohmann::json::parse(R"({"name":"total","value_type":"int","value":7})");
  total["value_bytes"] = payload(7).size();
  EXPECT_TRUE(state[0] == total || state[1] == total) << state;
}

TEST_F(SessionTest, ShowsWhatCameForOneThatIsNotThereYet) {
  journal::ArrivalRow row = JournalBuilder::arrival(What::signal, "approval", approved);
  row.session_key = "nobody yet";
  builder.arrive(Table::inbox, row);
  expect_parts(text("trip/nobody yet"),
               {"created   not yet: nobody has looked at what came for it\n", "signal  approval"});
  EXPECT_EQ(json("trip/nobody yet")["created"], nullptr);
  EXPECT_EQ(json("trip/nobody yet")["inbox"].size(), 1U);
}

TEST_F(SessionTest, RefusesWhatIsNoSession) {
  EXPECT_EQ(refused("trip/bob").code, Code::not_found);
  EXPECT_NE(refused("trip/bob").message.find("'trip/bob'"), std::string::npos);
  EXPECT_EQ(refused("trip").code, Code::misuse);
}

TEST_F(SessionTest, KeepsControlCharactersFromTheTerminal) {
  const core::Bytes evil = payload(std::string("a\x1b[2J\nb"));
  journal::ArrivalRow row = JournalBuilder::arrival(What::cancel, "na\x1bme", evil);
  row.run = run;
  row.who = "who\x1b";
  row.why = "why\x1b";
  row.type = "ty\x1bpe";
  builder.arrive(Table::inbox, row);
  builder.put(Table::state, journal::state_row(journal::session_hash("trip", "alice"), "x\x1b"),
              journal::StateRow{"x\x1b", "ty\x1bpe", 0, evil});
  for (const Format format : {Format::text, Format::json})
    EXPECT_EQ(show("trip/alice", format, "who\x1b").text().find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace perdure::cli
