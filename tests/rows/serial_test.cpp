// Transactions of several sessions at once: as if they had run one after the other.
#include "tests/rows/bank.hpp"

#include <random>

namespace perdure::test {
namespace {

/// What happens in the middle of a body, when it has read: another session's whole run, say. The
/// kit runs one body at a time, but a body may wait for another run, whose bodies run inside it.
std::function<void()> in_body;
void let_others() {
  if (in_body) in_body();
}
/// The same once.
void once(std::function<void()> what) {
  in_body = [what = std::move(what)] {
    const auto kept = what;
    in_body = nullptr;
    kept();
  };
}

pd::Task<std::int64_t> move(pd::Context& ctx, Transfer transfer) {
  co_return co_await ctx.transact("move", [&](pd::Transaction& tx) {
    pd::Result<std::int64_t> left = move_money(tx, ctx.run_id(), transfer);
    let_others();
    return left;
  });
}
inline constexpr pd::Agent mover{"mover", &move};

/// The number of accounts from one on, and the money in them.
using Seen = std::pair<std::int64_t, std::int64_t>;
pd::Result<Seen> look_at(pd::Transaction& tx, const std::string& from) {
  PERDURE_TRY(const auto rows, tx.scan(accounts, {.from = from, .to = "x"}));
  Seen seen{static_cast<std::int64_t>(rows.size()), 0};
  for (const auto& row : rows) seen.second += row.value.cents;
  let_others();
  return seen;
}
pd::Task<Seen> look(pd::Context& ctx, std::string from) {
  co_return co_await ctx.transact("look", [&](pd::Transaction& tx) { return look_at(tx, from); });
}
inline constexpr pd::Agent looker{"looker", &look};

/// The same, and writes down what it saw.
constexpr pd::Table<int, std::int64_t> audits{"audits"};
pd::Task<Seen> audit(pd::Context& ctx, std::string from) {
  co_return co_await ctx.transact("audit", [&](pd::Transaction& tx) -> pd::Result<Seen> {
    PERDURE_TRY(const Seen seen, look_at(tx, from));
    PERDURE_TRY(tx.put(audits, 0, seen.second));
    return seen;
  });
}
inline constexpr pd::Agent auditor{"auditor", &audit};

/// Changes one account as it is told, without looking at it.
pd::Task<int> set_account(pd::Context& ctx, std::pair<std::string, std::int64_t> account) {
  co_await ctx.transact("set", [&](pd::Transaction& tx) -> pd::Result<void> {
    if (account.second < 0) return tx.erase(accounts, account.first);
    return tx.put(accounts, account.first, Account{account.second});
  });
  co_return 0;
}
inline constexpr pd::Agent setter{"setter", &set_account};

class SerialTest : public KitFixture {
 protected:
  ~SerialTest() override { in_body = nullptr; }
  kit::Runtime test_;
  int sets_ = 0;

  void open(std::map<std::string, std::int64_t> opened) {
    test_.session(opening, "bank").start(std::move(opened)).value().wait().value();
  }
  void set(const std::string& name, std::int64_t cents) {
    test_.session(setter, std::to_string(++sets_)).start({name, cents}).value().wait().value();
  }
};

TEST_F(SerialTest, AStaleBodyRunsAgainAndIsNoFailedAttempt) {
  open({{"alice", 100}, {"bob", 0}});
  once([&] {
    EXPECT_EQ(test_.session(mover, "2").start({"alice", "bob", 30}).value().wait().value(), 70);
  });
  EXPECT_EQ(test_.session(mover, "1").start({"alice", "bob", 30}).value().wait().value(), 40);
  EXPECT_EQ(balances(test_), (Lines{"alice=40", "bob=60"}));
  EXPECT_EQ(step_lines(test_), (Lines{"open accounts 1 #1 value", "move 1 #1 value",
                                      "move 1 #1 value", "move 1 #1 value"}));
}

TEST_F(SerialTest, AFailureThatCameOfStaleRowsIsNone) {
  open({{"alice", 0}, {"bob", 0}});
  once([&] { set("alice", 50); });
  EXPECT_EQ(test_.session(mover, "1").start({"alice", "bob", 30}).value().wait().value(), 20);
  EXPECT_EQ(test_.times("move"), 2U);
}

/// Readers don't lose against writers.
TEST_F(SerialTest, ABodyThatOnlyReadsIsOfTheMomentAtWhichItRead) {
  open({{"a", 1}, {"b", 2}});
  once([&] { set("b", 5); });
  EXPECT_EQ(test_.session(looker, "1").start("a").value().wait().value(), Seen(2, 3));
  EXPECT_EQ(test_.session(looker, "2").start("a").value().wait().value(), Seen(2, 6));
  EXPECT_EQ(test_.times("look"), 2U);
}

TEST_F(SerialTest, WhatItReadIsHeldAgainstWhatChanged) {
  open({{"a", 1}, {"b", 2}});
  once([&] { set("b", 5); });
  EXPECT_EQ(test_.session(auditor, "1").start("a").value().wait().value(), Seen(2, 6));
  once([&] { set("z", 5); });
  EXPECT_EQ(test_.session(auditor, "2").start("a").value().wait().value(), Seen(2, 6));
  EXPECT_EQ(test_.times("audit"), 3U) << "what it did not read does not concern it";
}

/// Rows that come into a range that was scanned, and rows that leave it.
TEST_F(SerialTest, ThereAreNoPhantoms) {
  open({{"a", 1}, {"c", 2}});
  once([&] { set("b", 5); });
  EXPECT_EQ(test_.session(auditor, "1").start("a").value().wait().value(), Seen(3, 8));
  once([&] { set("c", -1); });
  EXPECT_EQ(test_.session(auditor, "2").start("b").value().wait().value(), Seen(1, 5));
  EXPECT_EQ(test_.times("audit"), 4U);
}

/// There, then not there, then there with the same bytes: who read it first is stale.
TEST_F(SerialTest, ARowThatWentAndCameBackHasChanged) {
  open({{"a", 1}});
  once([&] {
    set("a", -1);
    set("a", 1);
  });
  test_.session(auditor, "1").start("a").value().wait().value();
  EXPECT_EQ(test_.times("audit"), 2U);
}

TEST_F(SerialTest, AfterAHundredRunsItIsAnError) {
  open({{"a", 1}});
  int changes = 0;
  in_body = [&] { set("a", ++changes); };
  const auto done = test_.session(auditor, "1").start("a").value().wait();
  ASSERT_TRUE(done.has_error()) << "it waits for its next attempt";
  EXPECT_EQ(test_.times("audit"), 101U);
  in_body = nullptr;
  test_.advance(1min);
  const pd::RunId run = test_.steps().at(1).run;
  EXPECT_EQ(test_.run<Seen>(run).wait().value(), Seen(1, changes));
  EXPECT_EQ(test_.steps().back().attempt, 2);
}

// --- Random transfers ----------------------------------------------------------------------------

pd::Task<std::int64_t> move_many(pd::Context& ctx, std::vector<Transfer> all) {
  std::int64_t refused = 0;
  for (const Transfer& transfer : all) {
    const auto move_one = [&](pd::Transaction& tx) {
      pd::Result<std::int64_t> left = move_money(tx, ctx.run_id(), transfer);
      let_others();
      return left;
    };
    pd::Result<std::int64_t> left = co_await pd::as_result(ctx.transact("one of many", move_one));
    refused += left.has_error() ? 1 : 0;
  }
  co_return refused;
}
inline constexpr pd::Agent many_mover{"many", &move_many};

using Bank = std::map<std::string, std::int64_t>;
struct Recorded {
  journal::RecordNumber number = 0;
  Transfer transfer;
  std::optional<std::int64_t> left;
};

/// What each transfer came to, in the order of records.
std::vector<Recorded> recorded_in(kit::Runtime& test,
                                  const std::map<pd::RunId, std::vector<Transfer>>& asked) {
  std::vector<Recorded> all;
  auto& store = static_cast<actors::TestingEngine&>(test.core()).store();
  journal::Reader reader = journal::Reader::open(store).value();
  for (const auto& [run, transfers] : asked) {
    journal::RecordStream stream = reader.records(run).value();
    std::size_t next = 0;
    while (const journal::RecordBuffer* record = stream.next().value()) {
      if (record->kind() != journal::Kind::step_result) continue;
      const auto result = record->as<journal::StepResult>().value();
      Recorded& each = all.emplace_back();
      each.number = record->number();
      each.transfer = transfers.at(next++);
      if (!result.error) each.left = pd::decode<std::int64_t>(result.payload.inlined()).value();
    }
    EXPECT_EQ(next, transfers.size());
  }
  std::ranges::sort(all, {}, &Recorded::number);
  return all;
}

/// Several sessions with random transfers, whose bodies run inside each other. What became of them
/// is what a bank makes of them that takes them one by one, in the order of their records.
std::size_t run_seed(std::uint64_t seed) {
  kit::Runtime test(kit::Options{.seed = seed, .order = kit::Order::by_seed});
  Bank bank{{"a", 50}, {"b", 50}, {"c", 50}};
  test.session(opening, "bank").start(bank).value().wait().value();
  std::mt19937_64 dice(seed);
  std::vector<pd::Run<std::int64_t>> runs;
  std::map<pd::RunId, std::vector<Transfer>> asked;
  std::size_t count = 0;
  for (int session = 0; session < 4; ++session) {
    std::vector<Transfer> all;
    for (int i = 0; i < 5; ++i) {
      const std::string from(1, static_cast<char>('a' + dice() % 3));
      const std::string to(1, from == "a" ? 'b' : 'a');
      all.push_back({from, to, static_cast<std::int64_t>(dice() % 60)});
    }
    count += all.size();
    runs.push_back(test.session(many_mover, std::to_string(session)).start(all).value());
    asked[runs.back().id()] = all;
  }
  int depth = 0;
  in_body = [&] {
    if (depth == 3 || dice() % 3 != 0) return;
    ++depth;
    (void)runs[dice() % runs.size()].wait();
    --depth;
  };
  test.run_until_idle();
  in_body = nullptr;
  for (const Recorded& each : recorded_in(test, asked)) {
    std::int64_t& from = bank.at(each.transfer.from);
    const bool fits = from >= each.transfer.cents;
    EXPECT_EQ(each.left.has_value(), fits) << "seed " << seed << " record " << each.number;
    if (!fits) continue;
    from -= each.transfer.cents;
    bank.at(each.transfer.to) += each.transfer.cents;
    EXPECT_EQ(each.left, from) << "seed " << seed << " record " << each.number;
  }
  Lines expected;
  for (const auto& [name, cents] : bank) expected.push_back(name + "=" + std::to_string(cents));
  EXPECT_EQ(balances(test), expected) << "seed " << seed;
  return test.times("one of many") - count;
}

TEST_F(SerialTest, TransfersInSeededOrdersAreSerial) {
  std::size_t reruns = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) reruns += run_seed(seed);
  EXPECT_GT(reruns, 20U) << "little was stale, so little was tested";
}

}  // namespace
}  // namespace perdure::test
