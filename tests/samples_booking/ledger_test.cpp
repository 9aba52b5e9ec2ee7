#include "samples/booking/ledger.hpp"

#include <sys/wait.h>

#include <csignal>

#include "tests/samples_booking/booking_fixture.hpp"

namespace booking {
namespace {

std::string refuses_nothing(const Order&) { return {}; }

class LedgerTest : public ::testing::Test {
 protected:
  void reopen(Refuses refuses = refuses_nothing) {
    ledger_.reset();
    ledger_ = std::make_unique<Ledger>(file_, "hotel", std::move(refuses));
  }
  std::string value(std::string_view sql) { return value_of(file_, sql); }
  Ledger& ledger() { return *ledger_; }

  TestFolder folder_;
  std::string file_ = folder_.of("hotel.sqlite");
  std::unique_ptr<Ledger> ledger_ = std::make_unique<Ledger>(file_, "hotel", refuses_nothing);
};

TEST_F(LedgerTest, DoesAKeyOnce) {
  const Entry first = ledger().book(order_of("k", "t"));
  const Entry second = ledger().book(order_of("k", "t"));
  EXPECT_EQ(first.state, State::done);
  EXPECT_EQ(first.reference, "HO-1");
  EXPECT_EQ(second.state, State::done);
  EXPECT_EQ(second.reference, first.reference);
  EXPECT_EQ(value("SELECT sum(times_done) FROM bookings"), "1");
  EXPECT_EQ(value("SELECT group_concat(effect) FROM log"), "done,done before");
}

TEST_F(LedgerTest, GivesEachKeyItsOwnReference) {
  EXPECT_EQ(ledger().book(order_of("a", "t")).reference, "HO-1");
  EXPECT_EQ(ledger().book(order_of("b", "t")).reference, "HO-2");
  reopen();
  EXPECT_EQ(ledger().book(order_of("c", "t")).reference, "HO-3");
  EXPECT_EQ(ledger().book(order_of("a", "t")).reference, "HO-1");
}

TEST_F(LedgerTest, UndoesWhatWasDoneOnce) {
  ledger().book(order_of("k", "t"));
  EXPECT_EQ(ledger().undo("k", "t").state, State::done);
  EXPECT_EQ(ledger().undo("k", "t").state, State::undone);
  EXPECT_EQ(ledger().find("k").state, State::undone);
  EXPECT_EQ(value("SELECT times_done || times_undone FROM bookings"), "11");
  EXPECT_NE(value("SELECT undone_at FROM bookings"), "");
}

TEST_F(LedgerTest, DoesNotDoAgainWhatWasUndone) {
  ledger().book(order_of("k", "t"));
  ledger().undo("k", "t");
  EXPECT_EQ(ledger().book(order_of("k", "t")).state, State::undone);
  EXPECT_EQ(value("SELECT state || times_done FROM bookings"), "undone1");
}

TEST_F(LedgerTest, UndoneBeforeItComesHasNoEffect) {
  EXPECT_EQ(ledger().undo("k", "t").state, State::none);
  EXPECT_EQ(ledger().undo("k", "t").state, State::undone);
  EXPECT_EQ(ledger().book(order_of("k", "t")).state, State::undone);
  reopen();
  EXPECT_EQ(ledger().book(order_of("k", "t")).state, State::undone);
  EXPECT_EQ(value("SELECT state || times_done || times_undone FROM bookings"), "undone00");
  EXPECT_EQ(value("SELECT effect FROM log"), "tombstone");
  EXPECT_EQ(value("SELECT effect FROM log WHERE request = 'do'"), "came too late");
}

TEST_F(LedgerTest, RemembersARefusal) {
  reopen([](const Order&) { return "sold out"; });
  EXPECT_EQ(ledger().book(order_of("k", "t")).state, State::refused);
  // There is room again, but this key has had its answer.
  reopen();
  const Entry again = ledger().book(order_of("k", "t"));
  EXPECT_EQ(again.state, State::refused);
  EXPECT_EQ(again.reason, "sold out");
  EXPECT_EQ(again.reference, "");
  EXPECT_EQ(ledger().book(order_of("another", "t")).state, State::done);
}

TEST_F(LedgerTest, UndoingARefusalLeavesItRefused) {
  reopen([](const Order&) { return "sold out"; });
  ledger().book(order_of("k", "t"));
  EXPECT_EQ(ledger().undo("k", "t").state, State::refused);
  EXPECT_EQ(ledger().book(order_of("k", "t")).state, State::refused);
  EXPECT_EQ(value("SELECT effect FROM log WHERE request = 'undo'"), "nothing to undo");
}

TEST_F(LedgerTest, AsksWhetherToRefuseOnlyForANewKey) {
  int asked = 0;
  reopen([&asked](const Order&) {
    ++asked;
    return std::string();
  });
  ledger().book(order_of("k", "t"));
  ledger().book(order_of("k", "t"));
  ledger().undo("early", "t");
  ledger().book(order_of("early", "t"));
  EXPECT_EQ(asked, 1);
}

TEST_F(LedgerTest, ChangesNothingForAnotherTripsKey) {
  ledger().book(order_of("k", "mine"));
  EXPECT_EQ(ledger().book(order_of("k", "yours")).trip, "mine");
  EXPECT_EQ(ledger().undo("k", "yours").trip, "mine");
  EXPECT_EQ(ledger().find("k").state, State::done);
  EXPECT_EQ(value("SELECT trip || times_done || times_undone FROM bookings"), "mine10");
}

TEST_F(LedgerTest, FindsNothingOfAKeyThatNeverCame) {
  EXPECT_EQ(ledger().find("k").state, State::none);
  EXPECT_EQ(value("SELECT count(*) FROM bookings"), "0");
  EXPECT_EQ(value("SELECT request || ' ' || effect FROM log"), "find found none");
}

TEST_F(LedgerTest, LogsFaultsAndWhatCrashedBeforeItsEffect) {
  ledger().book(order_of("k", "t"), "reply lost");
  ledger().note("undo", "k", "t", "crash before the effect");
  EXPECT_EQ(value("SELECT group_concat(effect || ':' || fault) FROM log"),
            "done:reply lost,none:crash before the effect");
  EXPECT_EQ(ledger().requests(), 2U);
  EXPECT_EQ(ledger().find("k").state, State::done);
}

TEST_F(LedgerTest, LeavesOnePlainFile) {
  ledger().book(order_of("k", "t"));
  ledger_.reset();
  EXPECT_FALSE(std::filesystem::exists(file_ + "-wal"));
  std::filesystem::copy_file(file_, folder_.of("copy.sqlite"));
  EXPECT_EQ(value_of(folder_.of("copy.sqlite"), "SELECT state FROM bookings"), "done");
  EXPECT_FALSE(std::filesystem::exists(folder_.of("copy.sqlite-wal")));
}

/// A process that is killed between an effect and its reply; how it ended.
int die_after(const std::string& file, void (*work)(Ledger&)) {
  const pid_t child = ::fork();
  if (child == 0) {
    Ledger ledger(file, "hotel", refuses_nothing);
    work(ledger);
    ::raise(SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

TEST_F(LedgerTest, KeepsItsEffectsWhenItIsKilledBeforeItReplies) {
  ledger_.reset();
  ASSERT_EQ(die_after(file_, [](Ledger& ledger) { ledger.book(order_of("k", "t")); }), SIGKILL);
  // As an auditor finds it.
  EXPECT_EQ(value("SELECT state FROM bookings"), "done");
  reopen();
  EXPECT_EQ(ledger().book(order_of("k", "t")).reference, "HO-1");
  EXPECT_EQ(value("SELECT sum(times_done) FROM bookings"), "1");
  ledger_.reset();
  ASSERT_EQ(die_after(file_, [](Ledger& ledger) { ledger.undo("k", "t"); }), SIGKILL);
  reopen();
  EXPECT_EQ(ledger().find("k").state, State::undone);
}

TEST_F(LedgerTest, ThatCannotBeOpenedIsAnErrorThatNamesIt) {
  folder_.write("text.sqlite", "this is not a database, and long enough to be seen as none at all");
  for (const std::string& name : {folder_.of("nowhere/a.sqlite"), folder_.of("text.sqlite")}) {
    try {
      const Ledger ledger(name, "hotel", refuses_nothing);
      ADD_FAILURE() << name << " was opened";
    } catch (const DatabaseError& error) {
      EXPECT_TRUE(contains(error.what(), name)) << error.what();
    }
  }
}

}  // namespace
}  // namespace booking
