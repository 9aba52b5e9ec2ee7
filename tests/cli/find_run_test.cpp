#include "cli/find_run.hpp"

#include <gtest/gtest.h>

#include "journal/memory_store.hpp"
#include "tests/cli/journal_builder.hpp"

namespace perdure::cli {
namespace {

class FindRunTest : public testing::Test {
 protected:
  Result<journal::RunInfo> find(std::string_view text) {
    journal::Reader reader = reader_of(store);
    return find_run(reader, text);
  }
  std::string found(std::string_view text) {
    const auto run = find(text);
    return run.has_value() ? to_string(run.value().id) : run.error().to_string();
  }

  journal::MemoryStore store;
  JournalBuilder builder{store};
  const std::string first = "01HF7YAT00AAAAAAAAAAAAAA01";
  const std::string second = "01HF7YAT00AAAAAAAAAAAAZZ01";
  const std::string third = "01HF8ZZZZZAAAAAAAAAAAAAA02";

  void SetUp() override {
    builder.start(id_of(first), "trip", "alice");
    builder.start(id_of(second), "trip", "bob/x");
    builder.start(id_of(third), "cart", "c");
  }
};

TEST_F(FindRunTest, ByItsId) {
  EXPECT_EQ(found(first), first);
  EXPECT_EQ(found("01hf7yat00aaaaaaaaaaaaaa01"), first);
  EXPECT_EQ(found("OIhf7yat00aaaaaaaaaaaaaaoL"), first) << "read as people write zero and one";
}

TEST_F(FindRunTest, ByABeginningOrAnEnd) {
  EXPECT_EQ(found("01HF8"), third);
  EXPECT_EQ(found("AA02"), third);
  EXPECT_EQ(found("zz01"), second);
}

TEST_F(FindRunTest, ByItsSession) {
  EXPECT_EQ(found("trip/alice"), first);
  EXPECT_EQ(found("trip/bob/x"), second) << "a key may have a slash";
}

TEST_F(FindRunTest, NamesTheCandidates) {
  const auto run = find("01HF");
  ASSERT_TRUE(run.has_error());
  EXPECT_EQ(run.error().code, Code::not_found);
  EXPECT_EQ(run.error().message,
            "'01HF' begins or ends the ids of 3 runs; give more of the id:"
            "\n  " +
                first + "  running  trip/alice\n  " + second + "  running  trip/bob/x\n  " + third +
                "  running  cart/c");
}

TEST_F(FindRunTest, NamesOnlyAFewOfManyCandidates) {
  for (int i = 0; i < 10; ++i) builder.start("many", std::to_string(i));
  const std::string message = find("01HF").error().message;
  EXPECT_NE(message.find(" 13 runs;"), std::string::npos);
  EXPECT_NE(message.find("\n  and 8 more"), std::string::npos);
}

TEST_F(FindRunTest, SaysWhatIsNotThere) {
  EXPECT_EQ(find("01HF7YAT00AAAAAAAAAAAAAA09").error().code, Code::not_found);
  EXPECT_EQ(find("ZZZZ").error().code, Code::not_found);
  const auto session = find("trip/nobody");
  EXPECT_EQ(session.error().code, Code::not_found);
  EXPECT_NE(session.error().message.find("'trip/nobody'"), std::string::npos);
}

TEST_F(FindRunTest, RefusesWhatCanBeNoRun) {
  for (const char* text : {"", "01H", "hello world", "01HF7YAT00AAAAAAAAAAAAAA012", "a\x1b[2Jbcd",
                           "80000000000000000000000000"})
    EXPECT_EQ(find(text).error().code, Code::misuse) << text;
  EXPECT_EQ(find("a\x1b[2J").error().message.find('\x1b'), std::string::npos);
}

TEST_F(FindRunTest, ASessionWithoutAStartIsKnownByItsOnlyRun) {
  const RunId sent = builder.start("mail", "inbox", "message-1");
  EXPECT_EQ(found("mail/inbox"), to_string(sent));
  builder.start("mail", "inbox", "message-2");
  const auto run = find("mail/inbox");
  EXPECT_EQ(run.error().code, Code::not_found);
  EXPECT_NE(run.error().message.find("session 'mail/inbox' has 2 runs"), std::string::npos);
}

}  // namespace
}  // namespace perdure::cli
