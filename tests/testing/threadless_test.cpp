// The seams below the kit: a writer, a step pool and an engine that their owner drives.
#include "actors/step_pool.hpp"
#include "actors/testing_random.hpp"
#include "actors/testing_store.hpp"
#include "journal/batch.hpp"
#include "journal/gate.hpp"
#include "journal/memory_store.hpp"
#include "journal/writer.hpp"

#include "tests/testing/kit_fixture.hpp"

namespace perdure::test {
namespace {

using journal::Admission;
using journal::Change;
using journal::Gate;
using journal::MemoryFault;
using journal::MemoryStore;
using journal::Writer;

Change row(std::uint64_t number) {
  Change change;
  change.put(journal::Table::ready, journal::Key{}.add(number), journal::ReadyRow{});
  return change;
}

class OwnedWriterTest : public ::testing::Test {
 protected:
  explicit OwnedWriterTest(journal::WriterOptions options = {}) {
    options.committer = journal::WriterOptions::Committer::owner;
    options.batch_bytes_max = 1;
    options.on_full = [this](const Error&) { told.emplace_back("full"); };
    options.on_room = [this] { told.emplace_back("room"); };
    options.on_fatal = [this](const Error&) { told.emplace_back("fatal"); };
    writer.emplace(store, gate, std::move(options));
  }
  journal::RecordNumber submit(std::uint64_t number) {
    return writer->submit(row(number), Admission::new_work).value();
  }
  MemoryStore store;
  Gate gate;
  Lines told;
  std::optional<Writer> writer;
};

TEST_F(OwnedWriterTest, CommitsOneChangeAtATimeAndOnlyWhenItsOwnerSaysSo) {
  EXPECT_FALSE(writer->commit_next()) << "nothing is queued";
  submit(1);
  const journal::RecordNumber second = submit(2);
  writer->wake();
  writer->hurry();
  EXPECT_EQ(store.figures().commits, 0U);
  EXPECT_EQ(threads_of_this_process(), 1U);
  EXPECT_TRUE(writer->commit_next());
  EXPECT_EQ(gate.watermark(), second - 1);
  EXPECT_TRUE(writer->commit_next());
  EXPECT_EQ(gate.watermark(), second);
  EXPECT_FALSE(writer->commit_next());
  EXPECT_EQ(store.figures().commits, 2U);
}

TEST_F(OwnedWriterTest, StopCommitsWhatIsQueued) {
  const journal::RecordNumber last = submit(1);
  EXPECT_TRUE(writer->stop().has_value());
  EXPECT_EQ(gate.watermark(), last);
  EXPECT_TRUE(writer->stop().has_value());
  EXPECT_EQ(writer->submit(row(2), Admission::new_work).error().code, Code::closed);
}

TEST_F(OwnedWriterTest, AFullDiskIsTriedAgainWhenTheOwnerSaysSo) {
  const journal::RecordNumber last = submit(1);
  store.fill_disk();
  EXPECT_FALSE(writer->commit_next());
  EXPECT_FALSE(writer->commit_next());
  EXPECT_EQ(told, Lines{"full"});
  store.free_room();
  EXPECT_TRUE(writer->commit_next());
  EXPECT_EQ(told, (Lines{"full", "room"}));
  EXPECT_EQ(gate.watermark(), last);
}

TEST_F(OwnedWriterTest, AFailureEndsItAndStopTellsWhy) {
  submit(1);
  submit(2);
  store.order_fault(MemoryFault::sync_failed);
  EXPECT_FALSE(writer->commit_next());
  EXPECT_FALSE(writer->commit_next());
  EXPECT_EQ(told, Lines{"fatal"});
  EXPECT_EQ(writer->stop().error().code, Code::storage_failed);
}

TEST_F(OwnedWriterTest, AFullDiskDoesNotKeepItFromEnding) {
  submit(1);
  store.fill_disk();
  EXPECT_EQ(writer->stop().error().code, Code::storage_full);
}

class Noted final : public actors::Job {
 public:
  Noted(Lines& lines, std::string name) : lines_(lines), name_(std::move(name)) {}
  ~Noted() override { lines_.push_back("~" + name_); }
  void run() noexcept override { lines_.push_back(name_); }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  Lines& lines_;
  std::string name_;
};

class OwnedPoolTest : public ::testing::Test {
 protected:
  void push(std::string name) { pool_.push(std::make_unique<Noted>(lines_, std::move(name))); }
  bool run_next() {
    return pool_.run_next([](actors::Job& job) { job.run(); });
  }
  Lines lines_;
  actors::StepPool pool_{{.driver = actors::StepPoolOptions::Driver::owner,
                          .after_job = [this](actors::AfterJob) { lines_.push_back("after"); }}};
};

TEST_F(OwnedPoolTest, RunsJobsInOrderOnTheOwnersThreadAndOnlyWhenToldTo) {
  push("a");
  push("b");
  EXPECT_EQ(pool_.queued(), 2U);
  EXPECT_EQ(threads_of_this_process(), 1U);
  EXPECT_TRUE(lines_.empty());
  EXPECT_TRUE(run_next());
  EXPECT_EQ(lines_, (Lines{"a", "~a"}));
  EXPECT_TRUE(run_next());
  EXPECT_FALSE(run_next());
  EXPECT_EQ(lines_, (Lines{"a", "~a", "b", "~b"}));
}

TEST_F(OwnedPoolTest, RunsTheJobThatItsOwnerChooses) {
  for (const char* const name : {"a", "b", "c"}) push(name);
  const auto run = [](actors::Job& job) { job.run(); };
  const auto rank = [](const actors::Job& job) -> std::uint64_t {
    return dynamic_cast<const Noted&>(job).name() == "b" ? 3 : 7;
  };
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(pool_.run_next(run, rank));
  EXPECT_FALSE(pool_.run_next(run, rank));
  EXPECT_EQ(lines_, (Lines{"b", "~b", "a", "~a", "c", "~c"})) << "of equals the oldest";
}

TEST_F(OwnedPoolTest, AJobMayRunTheNext) {
  push("outer");
  push("inner");
  pool_.run_next([this](actors::Job& job) {
    job.run();
    EXPECT_EQ(pool_.running(), 1U);
    EXPECT_TRUE(run_next());
    EXPECT_FALSE(pool_.stop(0ms)) << "a job still runs";
  });
  EXPECT_EQ(lines_, (Lines{"outer", "inner", "~inner", "~outer"}));
  EXPECT_EQ(pool_.running(), 0U);
}

TEST_F(OwnedPoolTest, StopDropsWhatHasNotBegun) {
  push("a");
  const auto is_noted = [](const actors::Job& job) {
    return dynamic_cast<const Noted*>(&job) != nullptr;
  };
  EXPECT_TRUE(pool_.any_queued(is_noted));
  EXPECT_TRUE(pool_.stop(0ms));
  EXPECT_FALSE(pool_.any_queued(is_noted));
  push("b");
  EXPECT_FALSE(run_next());
  EXPECT_EQ(lines_, (Lines{"~a", "~b"}));
}

/// A threadless engine on a memory store, driven by hand.
pd::Task<int> one_step(pd::Context& ctx, int value) {
  co_return co_await ctx.step("one", [&](pd::Step&) { return value + 1; });
}
inline constexpr pd::Agent one_step_agent{"one step", &one_step};

class OwnedEngineTest : public ::testing::Test {
 protected:
  class Shell final : public actors::SessionShell {
   public:
    Shell(actors::SessionAddress address, actors::SessionServices& services, actors::Engine& engine,
          std::deque<std::shared_ptr<SessionShell>>& ready)
        : SessionShell(std::move(address), services), engine_(engine), ready_(ready) {}

   protected:
    void schedule(actors::RunOn) override { ready_.push_back(shared_from_this()); }
    void may_retire() override { (void)engine_.retire(*this); }

   private:
    actors::Engine& engine_;
    std::deque<std::shared_ptr<SessionShell>>& ready_;
  };

  OwnedEngineTest() {
    actors::EngineSeams seams;
    seams.clock = clock_;
    seams.random = std::make_shared<core::SeededRandom>(1);
    seams.journal = journal::JournalForWriting::open_in(store_, *clock_, *seams.random).value();
    seams.timer_pump = actors::EngineSeams::TimerPump::owner;
    seams.turn = [this] { return turn(); };
    seams.make_shell = [this](actors::SessionAddress address, actors::SessionServices& services,
                              actors::Engine& engine) -> std::shared_ptr<actors::SessionShell> {
      return std::make_shared<Shell>(std::move(address), services, engine, ready_);
    };
    RuntimeOptions options;
    options.log = [](const LogRecord&) {};
    engine_ = std::make_shared<actors::Engine>(std::move(options), std::move(seams));
    runtime_.emplace(engine_);
    runtime_->serve(one_step_agent);
    runtime_->start().value();
  }
  ~OwnedEngineTest() override { (void)runtime_->shutdown(); }

  bool turn() {
    if (engine_->writer().commit_next()) return true;
    if (!ready_.empty()) {
      const auto shell = ready_.front();
      ready_.pop_front();
      (void)shell->drain();
      return true;
    }
    return engine_->pool().run_next([](actors::Job& job) { job.run(); });
  }
  MemoryStore store_;
  std::shared_ptr<core::ManualClock> clock_ = std::make_shared<core::ManualClock>();
  std::deque<std::shared_ptr<actors::SessionShell>> ready_;
  std::shared_ptr<actors::Engine> engine_;
  std::optional<pd::Runtime> runtime_;
};

TEST_F(OwnedEngineTest, StartWaitExplainAndShutdownTakeTurns) {
  auto run = runtime_->session(one_step_agent, "s").start(1).value();
  EXPECT_EQ(runtime_->explain(run.id()).value(),
            "step 1 'one' runs its attempt 1 or waits for a step thread");
  EXPECT_EQ(run.wait({.within = 0ms}).error().code, pd::Code::timeout);
  EXPECT_EQ(run.wait().value(), 2);
  while (turn()) {
  }
  EXPECT_EQ(engine_->sessions_in_memory(), 0U);
  EXPECT_TRUE(runtime_->shutdown().has_value());
  EXPECT_EQ(run.wait().error().code, pd::Code::closed);
}

TEST_F(OwnedEngineTest, EachChangeIsCommittedAlone) {
  const core::Bytes input = encode(1).value();
  int started = 0;
  for (const char* const key : {"a", "b"})
    engine_->send_message_then({.agent = "one step",
                                .version = 1,
                                .handler = "run",
                                .session_key = key,
                                .message_key = "start",
                                .input_type = type_name<int>(),
                                .input = input},
                               [&](const Result<RunId>& run) { started += run ? 1 : 0; });
  for (const auto& shell : std::exchange(ready_, {})) (void)shell->drain();
  EXPECT_TRUE(engine_->writer().commit_next());
  EXPECT_EQ(started, 1);
  EXPECT_TRUE(engine_->writer().commit_next());
  EXPECT_EQ(started, 2);
}

TEST(SessionDice, DrawsDependOnTheSeedAndTheSessionAlone) {
  actors::SessionDice alone(1);
  alone.hand_to("a");
  const std::uint64_t first = alone.next();
  const std::uint64_t second = alone.next();
  EXPECT_NE(first, second);
  actors::SessionDice mixed(1);
  mixed.hand_to("b");
  EXPECT_NE(mixed.next(), first);
  mixed.hand_to("a");
  EXPECT_EQ(mixed.next(), first);
  mixed.hand_to("b");
  (void)mixed.next();
  mixed.hand_to("a");
  EXPECT_EQ(mixed.next(), second);
  actors::SessionDice other(2);
  other.hand_to("a");
  EXPECT_NE(other.next(), first);
}

TEST(SessionDice, WhatIsNotKeptIsDrawnAgain) {
  actors::SessionDice dice(1);
  dice.hand_to("a");
  (void)dice.next();
  dice.keep();
  const std::uint64_t second = dice.next();
  const std::uint64_t third = dice.next();
  dice.hand_to("b");
  const std::uint64_t of_b = dice.next();
  dice.take_back();
  EXPECT_EQ(dice.next(), of_b);
  dice.hand_to("a");
  EXPECT_EQ(dice.next(), second);
  EXPECT_EQ(dice.next(), third);
}

class MortalStoreTest : public ::testing::Test {
 protected:
  using When = actors::MortalStore::When;
  MortalStoreTest() {
    store_.on_kept([this] { ++kept_; });
  }
  bool commit(std::uint64_t number) {
    Change change = row(number);
    std::vector<journal::NumberedChange> changes;
    changes.push_back({std::move(change), number, 0});
    journal::Batch batch;
    return store_.commit(batch.build(changes), journal::Durability::full).has_value();
  }
  bool holds(std::uint64_t number) {
    const auto snapshot = store_.snapshot().value();
    return snapshot->get(journal::Table::ready, journal::Key{}.add(number)).value().has_value();
  }
  actors::MortalStore store_;
  int kept_ = 0;
};

TEST_F(MortalStoreTest, DiesBeforeOrAfterACommitAndKeepsWhatItHas) {
  store_.die_at(2, When::before);
  store_.die_at(3, When::after);
  EXPECT_TRUE(commit(1));
  EXPECT_FALSE(commit(2));
  EXPECT_TRUE(store_.dead());
  EXPECT_FALSE(commit(2)) << "the dead commit nothing";
  EXPECT_EQ(store_.commits(), 2U);
  store_.revive();
  EXPECT_FALSE(commit(3));
  EXPECT_TRUE(store_.dead());
  store_.revive();
  EXPECT_TRUE(commit(4));
  EXPECT_TRUE(holds(1) && !holds(2) && holds(3) && holds(4));
  EXPECT_EQ(kept_, 3);
  store_.die();
  EXPECT_FALSE(commit(5));
}

TEST_F(OwnedEngineTest, AFullDiskIsToldInsteadOfWaitedFor) {
  store_.fill_disk();
  const auto started = runtime_->session(one_step_agent, "s").start(1);
  ASSERT_TRUE(started.has_error());
  EXPECT_EQ(started.error().code, pd::Code::timeout);
  EXPECT_TRUE(contains(started.error().message, "is the disk full?"));
  store_.free_room();
  auto run = runtime_->session(one_step_agent, "s").start(1).value();
  store_.fill_disk();
  const auto waited = run.wait();
  EXPECT_EQ(waited.error().code, pd::Code::timeout);
  EXPECT_TRUE(contains(waited.error().message, "the disk is full")) << waited.error().message;
  EXPECT_EQ(runtime_->shutdown().error().code, pd::Code::storage_full) << "and it ends";
}

TEST_F(OwnedEngineTest, AShutdownWithAFullDiskLetsGoOfBodiesAtTheGate) {
  auto run = runtime_->session(one_step_agent, "a").start(1).value();
  store_.fill_disk();
  EXPECT_TRUE(runtime_->session(one_step_agent, "b").start(1).has_error());
  EXPECT_EQ(runtime_->shutdown().error().code, pd::Code::storage_full);
  EXPECT_EQ(run.wait().error().code, pd::Code::closed);
}

}  // namespace
}  // namespace perdure::test
