#include <algorithm>

#include "core/limits.hpp"
#include "tests/journal/writer_fixture.hpp"

namespace perdure::journal {
namespace {

using Numbers = std::vector<RecordNumber>;
constexpr Admission kNew = Admission::new_work;
constexpr Admission kUnderWay = Admission::under_way;

/// With a retry that no test lives to see, so that attempts happen only where a test makes them.
WriterOptions patient() {
  WriterOptions options;
  options.full_disk_retry = std::chrono::hours(24);
  return options;
}

class WriterTest : public ::testing::Test {
 protected:
  std::unique_ptr<Writer> open(WriterOptions options = patient()) {
    return std::make_unique<Writer>(store_, gate_, std::move(options));
  }
  RecordingStore store_;
  Gate gate_;
  Calls calls_;
};

TEST_F(WriterTest, NumbersAreDenseFromTheLastOfTheJournal) {
  WriterOptions options = patient();
  options.last_number = 100;
  const auto writer = open(std::move(options));
  EXPECT_EQ(gate_.watermark(), 100U);
  EXPECT_EQ(writer->last_number(), 100U);
  EXPECT_EQ(writer->submit(step_of(1, 0), kNew).value(), 101U);
  Change three;
  for (std::uint32_t i = 0; i < 3; ++i)
    three.append(run_of(2), i, RunEnded{.stamp = 1, .type = "t", .error = {}, .payload = {}});
  EXPECT_EQ(writer->submit(std::move(three), kUnderWay).value(), 104U);
  Change rows_only;
  rows_only.erase(Table::ready, Key{}.add(run_of(1)));
  EXPECT_EQ(writer->submit(std::move(rows_only), kUnderWay).value(), 105U);
  EXPECT_EQ(writer->submit(Change{}, kUnderWay).value(), 106U);
  EXPECT_EQ(writer->submit(step_of(1, 1), kNew).value(), 107U);
  EXPECT_EQ(writer->last_number(), 107U);
}

TEST_F(WriterTest, CommitsNothingUntilItIsAsked) {
  const auto writer = open();
  gate_.when_durable(writer->submit(step_of(1, 0), kNew).value(), calls_.waiter(1));
  EXPECT_EQ(store_.attempts, 0U);
  EXPECT_TRUE(calls_.opened().empty());
}

TEST_F(WriterTest, CommitHereCommitsTheWholeQueueAtOnceOnThisThread) {
  const auto writer = open();
  for (std::uint64_t run = 1; run <= 3; ++run)
    gate_.when_durable(writer->submit(step_of(run, 0), kNew).value(), calls_.waiter(run));
  store_.during_commit = [&] { EXPECT_EQ(gate_.watermark(), 0U); };
  writer->commit_here();
  ASSERT_EQ(store_.batches.size(), 1U);
  EXPECT_EQ(store_.batches[0].thread, std::this_thread::get_id());
  EXPECT_EQ(store_.numbers(0), (Numbers{1, 1, 2, 2, 3, 3}));
  EXPECT_EQ(gate_.watermark(), 3U);
  EXPECT_EQ(calls_.opened(), (Numbers{1, 2, 3}));
}

TEST_F(WriterTest, CommitHereWithNothingQueuedTouchesNoStore) {
  const auto writer = open();
  writer->commit_here();
  static_cast<void>(writer->submit(step_of(1, 0), kNew));
  writer->commit_here();
  writer->commit_here();
  EXPECT_EQ(store_.attempts, 1U);
}

TEST_F(WriterTest, WakeCommitsOnTheWritersThread) {
  const auto writer = open();
  gate_.when_durable(writer->submit(step_of(1, 0), kNew).value(), calls_.waiter(1));
  writer->wake();
  calls_.await(1);
  EXPECT_EQ(calls_.opened(), Numbers{1});
  ASSERT_TRUE(writer->stop());
  ASSERT_EQ(store_.batches.size(), 1U);
  EXPECT_NE(store_.batches[0].thread, std::this_thread::get_id());
}

TEST_F(WriterTest, CommitHereReturnsAtOnceWhenSomebodyElseCommittedMeanwhile) {
  const auto writer = open();
  std::mutex mutex;
  std::condition_variable changed;
  bool committing = false;
  bool go_on = false;
  store_.during_commit = [&] {
    std::unique_lock lock(mutex);
    committing = true;
    changed.notify_all();
    changed.wait(lock, [&] { return go_on; });
  };
  static_cast<void>(writer->submit(step_of(1, 0), kNew));
  std::thread other([&] { writer->commit_here(); });
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return committing; });
  }
  std::thread late([&] { writer->commit_here(); });
  {
    const std::lock_guard lock(mutex);
    go_on = true;
  }
  changed.notify_all();
  late.join();
  other.join();
  EXPECT_EQ(store_.attempts, 1U);
  EXPECT_EQ(gate_.watermark(), 1U);
}

TEST_F(WriterTest, ChangesThatArriveDuringACommitAreTheNextBatch) {
  const auto writer = open();
  static_cast<void>(writer->submit(step_of(1, 0), kNew));
  store_.during_commit = [&] {
    store_.during_commit = nullptr;
    for (std::uint64_t run = 2; run <= 4; ++run)
      static_cast<void>(writer->submit(step_of(run, 0), kNew));
  };
  writer->commit_here();
  EXPECT_EQ(gate_.watermark(), 1U) << "what came after the call is not its business";
  writer->commit_here();
  ASSERT_EQ(store_.batches.size(), 2U);
  EXPECT_EQ(store_.numbers(1), (Numbers{2, 2, 3, 3, 4, 4}));
}

TEST_F(WriterTest, ABatchIsBoundedButForOneLargeChange) {
  WriterOptions options = patient();
  options.batch_bytes_max = 10'000;
  const auto writer = open(std::move(options));
  for (const std::size_t payload : {3'000U, 3'000U, 50'000U, 6'000U, 6'000U, 100U})
    static_cast<void>(writer->submit(step_of(store_.attempts + 1, 0, payload), kNew));
  std::vector<std::uint64_t> watermarks;
  store_.during_commit = [&] { watermarks.push_back(gate_.watermark()); };
  writer->commit_here();
  EXPECT_EQ(watermarks, (std::vector<std::uint64_t>{0, 2, 3, 4}))
      << "each batch opens the gate before the next is written";
  EXPECT_EQ(gate_.watermark(), 6U);
}

TEST_F(WriterTest, AnEmptyChangeBecomesDurableWithoutACommit) {
  const auto writer = open();
  gate_.when_durable(writer->submit(Change{}, kNew).value(), calls_.waiter(1));
  writer->commit_here();
  EXPECT_EQ(store_.attempts, 0U);
  EXPECT_EQ(calls_.opened(), Numbers{1});
}

TEST_F(WriterTest, RefusesNewWorkWhenTooMuchWaitsAndWorkUnderWayLater) {
  WriterOptions options = patient();
  options.queue_bytes_max = 10'000;
  options.under_way_bytes_max = 20'000;
  const auto writer = open(std::move(options));
  EXPECT_TRUE(writer->submit(step_of(1, 0, 9'000), kNew));
  const Result<RecordNumber> refused = writer->submit(step_of(2, 0, 9'000), kNew);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::storage_full);
  EXPECT_EQ(refused.error().known_effect(), ErrorEffect::refused);
  EXPECT_EQ(writer->last_number(), 1U) << "what was refused took no number";
  EXPECT_TRUE(writer->submit(step_of(3, 0, 9'000), kUnderWay));
  EXPECT_FALSE(writer->submit(step_of(4, 0, 9'000), kUnderWay));
  writer->commit_here();
  EXPECT_TRUE(writer->submit(step_of(4, 0, 9'000), kNew));
  EXPECT_EQ(writer->last_number(), 3U);
}

TEST_F(WriterTest, RefusesAChangeThatBrokeALimitAndTakesNoNumberForIt) {
  const auto writer = open();
  const core::Bytes payload(core::limits::kInlinePayloadBytes + 1);
  Change change;
  change.append(run_of(1), 0, RunEnded{.stamp = 1, .type = "t", .error = {}, .payload = payload});
  const Result<RecordNumber> refused = writer->submit(std::move(change), kUnderWay);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::too_large);
  EXPECT_EQ(writer->last_number(), 0U);
}

TEST_F(WriterTest, ACompleteStopFlushesAndThenNothingIsAccepted) {
  const auto writer = open();
  for (std::uint64_t run = 1; run <= 3; ++run)
    gate_.when_durable(writer->submit(step_of(run, 0), kNew).value(), calls_.waiter(run));
  EXPECT_TRUE(writer->stop());
  EXPECT_EQ(calls_.opened(), (Numbers{1, 2, 3}));
  const Result<RecordNumber> late = writer->submit(step_of(4, 0), kUnderWay);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::closed);
  EXPECT_TRUE(writer->stop());
  EXPECT_EQ(store_.batches.size(), 1U);
}

TEST_F(WriterTest, CountsWhatBecameDurable) {
  const auto writer = open();
  static_cast<void>(writer->submit(step_of(1, 0), kNew));
  static_cast<void>(writer->submit(step_of(1, 1), kNew));
  EXPECT_EQ(writer->figures().commits, 0U);
  writer->commit_here();
  Change rows_only;
  rows_only.erase(Table::ready, Key{}.add(run_of(1)));
  static_cast<void>(writer->submit(std::move(rows_only), kNew));
  writer->commit_here();
  const Writer::Figures figures = writer->figures();
  EXPECT_EQ(figures.commits, 2U);
  EXPECT_EQ(figures.changes, 3U);
  EXPECT_EQ(figures.records, 2U);
  std::size_t bytes = 0;
  for (const auto& batch : store_.batches)
    for (const auto& row : batch.rows) bytes += row.key.view().size() + row.value.size();
  EXPECT_EQ(figures.bytes, bytes);
}

}  // namespace
}  // namespace perdure::journal
