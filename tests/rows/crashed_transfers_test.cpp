// Transfers with a crash at every commit: each is made exactly once, and money is conserved.
#include "tests/rows/bank.hpp"

namespace perdure::test {
namespace {

/// A transfer between two steps, and another one behind it.
pd::Task<std::int64_t> transfer_twice(pd::Context& ctx, Transfer transfer) {
  co_await ctx.step("before", [](pd::Step&) {});
  const auto move = [&](pd::Transaction& tx) { return move_money(tx, ctx.run_id(), transfer); };
  std::int64_t left = co_await ctx.transact("first", move);
  // The handler's own state is committed with what follows.
  constexpr pd::State<std::int64_t> seen{"seen"};
  ctx.set(seen, left);
  co_await ctx.step("between", [](pd::Step&) {});
  left = co_await ctx.transact("second", move);
  ctx.set(seen, ctx.get(seen) + left);
  // Not what it saw: whose transfer comes first may be another one's after a crash.
  co_return transfer.cents;
}
inline constexpr pd::Agent transferring{"transferring", &transfer_twice};

/// Transfers that don't fit, that fail at first, and side by side in one handler.
pd::Task<std::string> various(pd::Context& ctx, std::string from) {
  const pd::Result<std::int64_t> refused =
      co_await pd::as_result(ctx.transact("too much", [&](pd::Transaction& tx) {
        return move_money(tx, ctx.run_id(), {from, "bank", 1'000'000});
      }));
  const auto one = [&](std::string name, std::string to) {
    return ctx.transact(pd::Name(name), [&, to = std::move(to)](pd::Transaction& tx) {
      return move_money(tx, ctx.run_id(), {from, to, 1});
    });
  };
  auto both = co_await ctx.all(one("left", "bank"), one("right", "bank"));
  const std::int64_t count =
      co_await ctx.transact("count", [](pd::Transaction& tx) -> pd::Result<std::int64_t> {
        PERDURE_TRY(const auto rows, tx.scan(accounts));
        std::int64_t sum = 0;
        for (const auto& row : rows) sum += row.value.cents;
        return sum;
      });
  co_return std::string(to_string(refused.error().code)) + " " +
      std::to_string(std::get<0>(both) + std::get<1>(both)) + " " + std::to_string(count);
}
inline constexpr pd::Agent various_agent{"various", &various};

constexpr std::int64_t kMoney = 300;

pd::Result<void> open_bank(kit::Runtime& test) {
  PERDURE_TRY(auto run,
              test.session(opening, "bank").start({{"alice", 100}, {"bank", 100}, {"bob", 100}}));
  PERDURE_TRY(run.wait());
  return pd::success();
}

pd::Result<std::string> two_transfers(kit::Runtime& test) {
  PERDURE_TRY(open_bank(test));
  PERDURE_TRY(auto a, test.session(transferring, "a").start({"alice", "bob", 7}));
  PERDURE_TRY(auto b, test.session(transferring, "b").start({"bob", "alice", 3}));
  PERDURE_TRY(const std::int64_t of_a, a.wait());
  PERDURE_TRY(const std::int64_t of_b, b.wait());
  EXPECT_EQ(money_in(test), kMoney);
  std::string all = std::to_string(of_a + of_b);
  for (const std::string& line : balances(test)) all += " " + line;
  // A row of each run, however often its body ran.
  return all + " " + std::to_string(test.rows(transfers).scan().value().size());
}

class CrashedTransfersTest : public KitFixture {};

TEST_F(CrashedTransfersTest, EachTransferIsMadeExactlyOnce) {
  const kit::CrashReport report = kit::crash_everywhere([&](kit::Runtime& test) {
    pd::Result<std::string> outcome = two_transfers(test);
    if (outcome.has_value()) EXPECT_EQ(outcome.value(), "10 alice=92 bank=100 bob=108 2");
    return outcome;
  });
  EXPECT_TRUE(report.ok()) << to_string(report);
  EXPECT_GE(report.commits, 12U);
}

TEST_F(CrashedTransfersTest, AlsoWithReplayedFramesAndASecondCrash) {
  const auto scenario = [](kit::Runtime& test) -> pd::Result<std::string> {
    PERDURE_TRY(open_bank(test));
    PERDURE_TRY(auto run, test.session(various_agent, "v").start("alice"));
    PERDURE_TRY(std::string said, run.wait());
    EXPECT_EQ(money_in(test), kMoney);
    for (const std::string& line : balances(test)) said += " " + line;
    return said;
  };
  const kit::CrashReport report = kit::crash_everywhere(
      {.runtime = {.frames = kit::Frames::replayed}, .second_within = 3}, scenario);
  EXPECT_TRUE(report.ok()) << to_string(report);
}

/// After every crash, before anybody goes on: the rows that are there are those whose steps have
/// their record, and no others.
TEST_F(CrashedTransfersTest, RowsAndRecordsAreOneCommit) {
  std::size_t looked = 0;
  const kit::CrashReport report = kit::crash_everywhere([&](kit::Runtime& test) {
    pd::Result<std::string> outcome = two_transfers(test);
    auto& store = static_cast<actors::TestingEngine&>(test.core()).store();
    journal::Reader reader = journal::Reader::open(store).value();
    std::size_t recorded = 0;
    reader
        .each_run([&](const journal::RunInfo& run) {
          journal::RecordStream stream = reader.records(run.id).value();
          while (const journal::RecordBuffer* record = stream.next().value())
            if (record->kind() == journal::Kind::step_result)
              recorded += record->as<journal::StepResult>().value().name == "second" ? 1 : 0;
          return true;
        })
        .value();
    EXPECT_EQ(recorded, test.rows(transfers).scan().value().size());
    ++looked;
    return outcome.has_value();
  });
  EXPECT_TRUE(report.ok()) << to_string(report);
  EXPECT_GT(looked, 20U);
}

}  // namespace
}  // namespace perdure::test
