// Transactions of one session: what they read, what they write, and when they write nothing.
#include "tests/rows/bank.hpp"

namespace perdure::test {
namespace {

/// What the next body does: handlers are functions without captures.
std::function<pd::Result<std::string>(pd::Transaction&)> body;

pd::Task<std::string> run_body(pd::Context& ctx, int) {
  co_return co_await ctx.transact("body", [](pd::Transaction& tx) { return body(tx); },
                                  {.retry = {.attempts_max = 1}});
}
inline constexpr pd::Agent any{"any", &run_body};

class TransactionsTest : public KitFixture {
 protected:
  kit::Runtime test_;
  int messages_ = 0;

  pd::Result<std::string> run(std::function<pd::Result<std::string>(pd::Transaction&)> what) {
    body = std::move(what);
    return test_.session(any, "s" + std::to_string(++messages_)).start(0).value().wait();
  }
  void put(const std::string& name, std::int64_t cents) {
    run([&](pd::Transaction& tx) -> pd::Result<std::string> {
      PERDURE_TRY(tx.put(accounts, name, Account{cents}));
      return "";
    }).value();
  }
};

std::string line_of(const std::vector<pd::Row<std::string, Account>>& rows) {
  std::string line;
  for (const auto& row : rows) line += row.key + std::to_string(row.value.cents) + " ";
  return line;
}

TEST_F(TransactionsTest, WritesAreThereWithTheResult) {
  put("alice", 5);
  EXPECT_EQ(balances(test_), Lines{"alice=5"});
  EXPECT_EQ(test_.rows(accounts).get("alice").value(), Account{5});
  EXPECT_EQ(test_.rows(accounts).get("bob").value(), std::nullopt);
}

TEST_F(TransactionsTest, ABodyReadsWhatItWrote) {
  put("a", 1);
  put("c", 3);
  put("e", 5);
  const pd::Result<std::string> seen = run([](pd::Transaction& tx) -> pd::Result<std::string> {
    PERDURE_TRY(tx.put(accounts, "b", Account{2}));
    PERDURE_TRY(tx.put(accounts, "c", Account{30}));
    PERDURE_TRY(tx.erase(accounts, "e"));
    PERDURE_TRY(tx.put(accounts, "f", Account{6}));
    PERDURE_TRY(tx.erase(accounts, "f"));
    PERDURE_TRY(tx.put(accounts, "g", Account{7}));
    PERDURE_TRY(const auto c, tx.get(accounts, "c"));
    PERDURE_TRY(const auto e, tx.get(accounts, "e"));
    PERDURE_TRY(const auto all, tx.scan(accounts));
    PERDURE_TRY(const auto some, tx.scan(accounts, {.from = "b", .to = "g", .limit = 1}));
    PERDURE_TRY(const auto behind, tx.scan(accounts, {.after = "b", .limit = 5}));
    return std::to_string(c->cents) + (e ? " e" : "") + " | " + line_of(all) + "| " +
           line_of(some) + "| " + line_of(behind);
  });
  EXPECT_EQ(seen.value(), "30 | a1 b2 c30 g7 | b2 | c30 g7 ");
  EXPECT_EQ(balances(test_), (Lines{"a=1", "b=2", "c=30", "g=7"}));
}

TEST_F(TransactionsTest, ABodyThatFailsWritesNothing) {
  put("a", 1);
  const pd::Result<std::string> failed = run([](pd::Transaction& tx) -> pd::Result<std::string> {
    PERDURE_TRY(tx.put(accounts, "a", Account{2}));
    return pd::Error{pd::Code::user, "changed its mind"};
  });
  EXPECT_EQ(failed.error().message, "changed its mind");
  EXPECT_EQ(failed.error().effect, pd::ErrorEffect::refused);
  const pd::Result<std::string> threw = run([](pd::Transaction& tx) -> pd::Result<std::string> {
    tx.put(accounts, "a", Account{3}).value();
    throw std::runtime_error("oh");
  });
  EXPECT_EQ(threw.error().code, pd::Code::exception);
  EXPECT_EQ(threw.error().effect, pd::ErrorEffect::refused);
  EXPECT_EQ(balances(test_), Lines{"a=1"});
}

/// A body that does not look at the error must not get half of what it wanted.
TEST_F(TransactionsTest, AWriteThatFailedFailsTheTransaction) {
  const pd::Result<std::string> failed = run([](pd::Transaction& tx) -> pd::Result<std::string> {
    PERDURE_TRY(tx.put(accounts, "a", Account{2}));
    (void)tx.put(accounts, std::string(500, 'k'), Account{3});
    return "all well";
  });
  ASSERT_TRUE(failed.has_error());
  EXPECT_EQ(failed.error().code, pd::Code::too_large);
  EXPECT_TRUE(contains(failed.error().message, "'accounts' takes 502 bytes"))
      << failed.error().message;
  EXPECT_EQ(balances(test_), Lines{});
}

TEST_F(TransactionsTest, BadNamesAndKeysAreErrors) {
  const auto code_of = [&](const char* name, const std::string& key) {
    const pd::Table<std::string, Account> table{name};
    const pd::Result<std::string> done = run([&](pd::Transaction& tx) -> pd::Result<std::string> {
      PERDURE_TRY(tx.put(table, key, Account{1}));
      PERDURE_TRY(const auto read, tx.get(table, key));
      return read ? "" : "not there";
    });
    return done.has_error() ? done.error().code : pd::Code::user;
  };
  const std::string long_name(65, 'n');
  EXPECT_EQ(code_of("", "k"), pd::Code::misuse);
  EXPECT_EQ(code_of("a\nb", "k"), pd::Code::misuse);
  EXPECT_EQ(code_of(long_name.c_str(), "k"), pd::Code::too_large);
  EXPECT_EQ(code_of("t", std::string(439, 'k')), pd::Code::too_large);
  EXPECT_EQ(code_of(std::string(64, 'n').c_str(), std::string(438, 'k')), pd::Code::user);
  const pd::Table<std::string, Account> unnamed{""};
  EXPECT_EQ(test_.rows(unnamed).get("k").error().code, pd::Code::misuse);
  EXPECT_EQ(test_.rows(unnamed).scan().error().code, pd::Code::misuse);
  EXPECT_EQ(test_.rows(accounts).get(std::string(500, 'k')).error().code, pd::Code::too_large);
}

/// A deploy that reads rows as another type.
TEST_F(TransactionsTest, ARowOfAnotherTypeIsAnErrorThatNamesIt) {
  put("alice", 5);
  const pd::Table<std::string, std::string> as_text{"accounts"};
  const pd::Result<std::string> read = run([&](pd::Transaction& tx) -> pd::Result<std::string> {
    PERDURE_TRY(const auto value, tx.get(as_text, "alice"));
    return *value;
  });
  ASSERT_TRUE(read.has_error());
  EXPECT_EQ(read.error().code, pd::Code::undecodable);
  EXPECT_TRUE(contains(read.error().message, "row \"alice\" of the user's table 'accounts'"))
      << read.error().message;
  const pd::Table<int, Account> by_number{"accounts"};
  EXPECT_EQ(test_.rows(by_number).scan().error().code, pd::Code::undecodable);
}

TEST_F(TransactionsTest, TablesWithNamesThatBeginAlikeAreApart) {
  const pd::Table<std::string, int> a{"a"};
  const pd::Table<std::string, int> ab{"ab"};
  run([&](pd::Transaction& tx) -> pd::Result<std::string> {
    PERDURE_TRY(tx.put(a, "bc", 1));
    PERDURE_TRY(tx.put(ab, "c", 2));
    return "";
  }).value();
  EXPECT_EQ(test_.rows(a).scan().value().size(), 1U);
  EXPECT_EQ(test_.rows(a).get("bc").value(), 1);
  EXPECT_EQ(test_.rows(ab).scan().value().at(0).key, "c");
}

TEST_F(TransactionsTest, LargeRowsAreBlobs) {
  const pd::Table<int, std::string> texts{"texts"};
  const std::string large(3U << 20U, 'x');
  run([&](pd::Transaction& tx) -> pd::Result<std::string> {
    PERDURE_TRY(tx.put(texts, 1, large));
    PERDURE_TRY(tx.put(texts, 2, "small"));
    PERDURE_TRY(const auto own, tx.get(texts, 1));
    return own == large ? "" : "lost";
  }).value();
  EXPECT_EQ(test_.rows(texts).get(1).value(), large);
  EXPECT_EQ(test_.rows(texts).scan().value().at(1).value, "small");
  const pd::Result<std::string> again = run([&](pd::Transaction& tx) -> pd::Result<std::string> {
    PERDURE_TRY(const auto stored, tx.get(texts, 1));
    return stored == large ? "there" : "lost";
  });
  EXPECT_EQ(again.value(), "there");
}

TEST_F(TransactionsTest, ATransactionHasLimits) {
  const pd::Table<int, int> numbers{"numbers"};
  const auto code_of = [&](std::function<pd::Result<std::string>(pd::Transaction&)> what) {
    const pd::Result<std::string> done = run(std::move(what));
    return done.has_error() ? done.error().code : pd::Code::user;
  };
  EXPECT_EQ(code_of([&](pd::Transaction& tx) -> pd::Result<std::string> {
              for (int i = 0; i <= 10'000; ++i) PERDURE_TRY(tx.put(numbers, i, i));
              return "";
            }),
            pd::Code::too_large);
  EXPECT_EQ(code_of([&](pd::Transaction& tx) -> pd::Result<std::string> {
              for (int i = 0; i <= 100; ++i) {
                PERDURE_TRY(const auto rows, tx.scan(numbers));
                EXPECT_TRUE(rows.empty());
              }
              return "";
            }),
            pd::Code::too_large);
  EXPECT_EQ(balances(test_), Lines{});
}

pd::Task<int> twice(pd::Context& ctx, int) {
  const auto add = [](pd::Transaction& tx) -> pd::Result<int> {
    outside->trace.emplace_back("add");
    PERDURE_TRY(const auto before, tx.get(accounts, "sum"));
    const std::int64_t cents = before.value_or(Account{}).cents + 1;
    PERDURE_TRY(tx.put(accounts, "sum", Account{cents}));
    return static_cast<int>(cents);
  };
  const int first = co_await ctx.transact("first", add);
  const int second = co_await ctx.transact("second", add);
  co_return first * 10 + second;
}
inline constexpr pd::Agent twice_agent{"twice", &twice};

TEST_F(TransactionsTest, AReplayRunsNothing) {
  auto run = test_.session(twice_agent, "s").start(0).value();
  EXPECT_EQ(run.wait().value(), 12);
  EXPECT_EQ(outside_.count("add"), 2U);
  test_.restart(kit::End::unclean);
  EXPECT_EQ(run.wait().value(), 12);
  EXPECT_EQ(outside_.count("add"), 2U);
  EXPECT_EQ(test_.steps().at(0).effect, pd::Effect::transactional);
}

TEST_F(TransactionsTest, ABodyCanBeReplaced) {
  test_.replace("first", [](pd::Transaction& tx) -> pd::Result<int> {
    PERDURE_TRY(tx.put(accounts, "sum", Account{40}));
    return 7;
  });
  EXPECT_EQ(test_.session(twice_agent, "s").start(0).value().wait().value(), 7 * 10 + 41);
}

}  // namespace
}  // namespace perdure::test
