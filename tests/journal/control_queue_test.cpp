/// Orders for a journal that nobody has open: written whole, and without a trace of a life.
#include "journal/control_queue.hpp"

#include <perdure/codec.hpp>

#include "journal/control_client.hpp"
#include "journal/directory.hpp"
#include "journal/verify.hpp"
#include "tests/journal/journal_fixture.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace perdure::journal {
namespace {

namespace fs = std::filesystem;

/// A clock at which something happens: at its `at`-th look at the elapsed time.
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

class ControlQueue : public testing::Test {
 protected:
  enum class End : std::uint8_t { clean, crash };
  /// A journal with a run of each status that matters.
  void make(End end) {
    const auto journal = open();
    TestRows rows(journal->last_number() + 1);
    rows.run(1, 2, RunStatus::waiting).session(1).ready(1);
    rows.run(2, 2, RunStatus::parked).session(2).ready(2);
    rows.run(3, 2, RunStatus::completed).session(3);
    ASSERT_TRUE(rows.commit(journal->store()));
    if (end == End::clean) ASSERT_TRUE(journal->close_cleanly(100, 100));
  }
  std::unique_ptr<JournalForWriting> open() {
    return JournalForWriting::open(path(), clock_, random_).value();
  }
  [[nodiscard]] fs::path path() const { return directory_.path() / "trips.journal"; }
  static ControlRequest about(ControlVerb verb, std::uint64_t run) {
    ControlRequest request;
    request.verb = verb;
    request.what.what = row_of(verb);
    request.what.run = run_id(run);
    return request;
  }
  static ControlRequest mail(ControlVerb verb) {
    ControlRequest request;
    request.verb = verb;
    request.what.what = row_of(verb);
    request.what.agent = "cart";
    request.what.session_key = "new";
    request.what.name = "add";
    request.what.payload = core::Bytes(kPayload.begin(), kPayload.end());
    return request;
  }
  Result<ControlReply> queue(const ControlRequest& request) {
    return queue_order(path(), request, clock_, random_);
  }
  std::vector<Arrival> inbox() {
    const auto journal = JournalForReading::open(path()).value();
    Reader reader = Reader::open(journal->store()).value();
    std::vector<Arrival> all;
    EXPECT_TRUE(reader.each_unread([&](const SessionId&, const Arrival& each) {
      all.push_back(each);
      return true;
    }));
    return all;
  }
  Counters counters() {
    const auto journal = JournalForReading::open(path()).value();
    return Reader::open(journal->store()).value().counters().value().value();
  }

  TemporaryDirectory directory_;
  core::ManualClock clock_;
  core::SeededRandom random_{1};
};

TEST_F(ControlQueue, AnOrderIsOneRowUnderItsNumberInTheSessionsInbox) {
  make(End::clean);
  ControlRequest request = about(ControlVerb::cancel, 1);
  request.what.who = "ada@host";
  const ControlReply reply = queue(request).value();
  EXPECT_NE(reply.words.find("is queued: the next runtime that opens this journal acts on it"),
            std::string::npos)
      << reply.words;
  const std::vector<Arrival> all = inbox();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].what, ArrivalRow::What::cancel);
  EXPECT_EQ(all[0].run, run_id(1));
  EXPECT_EQ(all[0].agent + "/" + all[0].session_key, "cart/s1");
  EXPECT_EQ(all[0].who, "ada@host");
  EXPECT_GT(all[0].number, 100U) << "above every number that the journal had";
  EXPECT_EQ(all[0].stamp, clock_.wall().time_since_epoch().count());
  EXPECT_GE(counters().last_number, all[0].number);
}

TEST_F(ControlQueue, AVisitSaysNothingOfHowTheLastRuntimeEnded) {
  for (const End end : {End::clean, End::crash}) {
    fs::remove_all(path());
    make(end);
    ASSERT_TRUE(queue(mail(ControlVerb::signal)));
    EXPECT_EQ(counters().clean, end == End::clean ? 1U : 0U);
    EXPECT_EQ(open()->was_clean(), end == End::clean);
  }
}

TEST_F(ControlQueue, AVisitThatEndsInACrashLeavesTheMarkToo) {
  make(End::clean);
  {
    const auto journal = JournalForWriting::open(path(), clock_, random_, Opening::visit).value();
    TestRows rows(journal->last_number() + 1);
    rows.run(9, 2, RunStatus::completed);
    ASSERT_TRUE(rows.commit(journal->store()));
  }
  EXPECT_EQ(counters().clean, 1U);
}

TEST_F(ControlQueue, AMessageGetsTheIdOfItsRun) {
  make(End::clean);
  ControlRequest request = mail(ControlVerb::message);
  const ControlReply reply = queue(request).value();
  ASSERT_TRUE(reply.run);
  const std::vector<Arrival> all = inbox();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].run, reply.run);
  EXPECT_EQ(all[0].name, "add");
  EXPECT_EQ(all[0].agent_version, 0U) << "the newest that there will be";
}

TEST_F(ControlQueue, AMessageWhoseKeyMadeARunIsNotQueuedAgain) {
  make(End::clean);
  ControlRequest request = mail(ControlVerb::message);
  request.what.session_key = "s3";
  request.what.message_key = "start";
  EXPECT_EQ(queue(request).value().run, run_id(3));
  request.what.payload = encode(std::string("another")).value();
  EXPECT_EQ(queue(request).error().code, Code::already_started);
  EXPECT_TRUE(inbox().empty());
}

TEST_F(ControlQueue, WhatMakesNoSenseIsRefusedAndNothingIsWritten) {
  make(End::clean);
  EXPECT_EQ(queue(about(ControlVerb::cancel, 77)).error().code, Code::not_found);
  EXPECT_EQ(queue(about(ControlVerb::cancel, 3)).error().code, Code::refused);
  EXPECT_EQ(queue(about(ControlVerb::resume, 1)).error().code, Code::refused);
  EXPECT_EQ(queue(about(ControlVerb::retry_now, 1)).error().code, Code::refused);
  EXPECT_EQ(queue(about(ControlVerb::retry_now, 2)).error().code, Code::refused);
  ControlRequest wrong = mail(ControlVerb::signal);
  wrong.what.agent = "a/b";
  EXPECT_EQ(queue(wrong).error().code, Code::misuse);
  EXPECT_TRUE(inbox().empty());
  EXPECT_TRUE(queue(about(ControlVerb::resume, 2)).has_value()) << "that one is parked";
}

TEST_F(ControlQueue, ARunThatHasNotBegunCanBeEndedAndNotTriedAgain) {
  make(End::clean);
  {
    const auto journal = open();
    TestRows rows(journal->last_number() + 1);
    rows.put(Table::runs, Key{}.add(run_id(8)),
             RunRow{session_hash("cart", "s1"), "cart", 2, "add", "s1", 100, 1});
    ASSERT_TRUE(rows.commit(journal->store()));
  }
  EXPECT_EQ(queue(about(ControlVerb::retry_now, 8)).error().code, Code::refused);
  EXPECT_EQ(queue(about(ControlVerb::resume, 8)).error().code, Code::refused);
  EXPECT_TRUE(queue(about(ControlVerb::cancel, 8)).has_value());
  EXPECT_TRUE(queue(about(ControlVerb::kill, 8)).has_value());
  EXPECT_EQ(inbox().size(), 2U);
}

/// Also of a run that has ended: others may draw on it.
TEST_F(ControlQueue, ABudgetIsOnlyRaised) {
  make(End::clean);
  {
    const auto journal = open();
    TestRows rows(journal->last_number() + 1);
    rows.put(Table::budgets, budget_row(run_id(3)), BudgetRow{{.tokens = 9}, 0, 100});
    ASSERT_TRUE(rows.commit(journal->store()));
  }
  const auto raise = [&](std::uint64_t run, const Limits& limits) {
    ControlRequest request = about(ControlVerb::raise, run);
    request.what.limits = limits;
    return queue(request);
  };
  EXPECT_EQ(raise(77, {.tokens = 10}).error().code, Code::not_found);
  const Error none = raise(1, {.tokens = 10}).error();
  EXPECT_EQ(none.code, Code::refused);
  EXPECT_NE(none.message.find("HandlerOptions::budget"), std::string::npos) << none.message;
  EXPECT_EQ(raise(3, {.tokens = 8}).error().code, Code::refused);
  EXPECT_EQ(raise(3, {.money = 8}).error().code, Code::refused);
  EXPECT_TRUE(inbox().empty());
  const ControlReply reply = raise(3, {.tokens = 10}).value();
  EXPECT_NE(reply.words.find("is to be raised"), std::string::npos) << reply.words;
  const std::vector<Arrival> all = inbox();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].what, ArrivalRow::What::raise);
  EXPECT_EQ(all[0].limits, Limits{.tokens = 10});
}

TEST_F(ControlQueue, AStepThatWaitsForAnAttemptCanBeRetried) {
  make(End::clean);
  {
    const auto journal = open();
    const std::array<std::uint32_t, 1> path{2};
    AttemptsRow attempts;
    attempts.path = path;
    attempts.name = "book";
    attempts.count = 1;
    attempts.next_due = 500;
    TestRows rows(journal->last_number() + 1);
    rows.put(Table::attempts, Key{}.add(run_id(1)).add(StepPath(path).hash()), attempts);
    ASSERT_TRUE(rows.commit(journal->store()));
  }
  const ControlReply reply = queue(about(ControlVerb::retry_now, 1)).value();
  EXPECT_TRUE(reply.words.starts_with("step 2 'book' of run ")) << reply.words;
}

TEST_F(ControlQueue, NoJournalComesIntoBeing) {
  EXPECT_FALSE(queue(mail(ControlVerb::signal)));
  EXPECT_FALSE(fs::exists(path()));
  fs::create_directory(path());
  EXPECT_EQ(queue(mail(ControlVerb::signal)).error().code, Code::not_found);
  EXPECT_TRUE(fs::is_empty(path()));
}

TEST_F(ControlQueue, AJournalThatSomebodyHoldsIsLeftAlone) {
  make(End::clean);
  const auto holder = open();
  EXPECT_EQ(queue(mail(ControlVerb::signal)).error().code, Code::held);
  const auto given =
      deliver_order(path(), mail(ControlVerb::signal), clock_, random_, {.within = {}});
  ASSERT_FALSE(given);
  EXPECT_EQ(given.error().code, Code::held);
  EXPECT_NE(given.error().message.find("takes no orders"), std::string::npos);
}

TEST_F(ControlQueue, AHolderThatGoesIsWaitedFor) {
  make(End::clean);
  auto holder = open();
  NotingClock clock;
  // The first look is for the deadline; the next ones when nobody listened, and somebody held it.
  clock.at = 2;
  clock.happen = [&] { holder.reset(); };
  const auto given = deliver_order(path(), mail(ControlVerb::signal), clock, random_,
                                   {.within = std::chrono::minutes(1)});
  ASSERT_TRUE(given) << given.error().message;
  EXPECT_EQ(given.value().how, Delivery::queued);
  EXPECT_EQ(inbox().size(), 1U);
}

}  // namespace
}  // namespace perdure::journal
