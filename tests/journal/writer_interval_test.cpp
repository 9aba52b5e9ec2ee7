// Mode `interval`: what may leave goes ahead of what is durable, by an interval and no more.
#include "tests/journal/writer_fixture.hpp"

namespace perdure::journal {
namespace {

using Numbers = std::vector<RecordNumber>;
constexpr Admission kNew = Admission::new_work;
constexpr Admission kUnderWay = Admission::under_way;
/// An interval, or a retry, that no test lives to see.
constexpr std::chrono::hours kNever{24};

class WriterIntervalTest : public ::testing::Test {
 protected:
  std::unique_ptr<Writer> open(std::chrono::milliseconds interval = kNever,
                               WriterOptions options = {}) {
    options.early = &early_;
    options.commit_interval = interval;
    options.full_disk_retry = kNever;
    return std::make_unique<Writer>(store_, gate_, std::move(options));
  }
  /// What may leave with the number, and what waits until it is durable.
  RecordNumber submit(Writer& writer, std::uint64_t run, Admission admission = kUnderWay) {
    const RecordNumber number = writer.submit(step_of(run, 0), admission).value();
    early_.when_durable(number, left_.waiter(number));
    gate_.when_durable(number, durable_.waiter(number));
    return number;
  }

  RecordingStore store_;
  Gate gate_;
  Gate early_;
  Calls left_;
  Calls durable_;
};

TEST_F(WriterIntervalTest, WhatIsQueuedLeavesAtOnceAndIsDurableLater) {
  const auto writer = open();
  submit(*writer, 1);
  submit(*writer, 2);
  EXPECT_TRUE(left_.opened().empty()) << "nobody asked for a commit yet";
  writer->commit_here();
  EXPECT_EQ(left_.opened(), (Numbers{1, 2}));
  submit(*writer, 3);
  writer->wake();
  EXPECT_EQ(left_.opened(), (Numbers{1, 2, 3}));
  EXPECT_EQ(store_.attempts, 0U);
  EXPECT_EQ(gate_.watermark(), 0U);
  EXPECT_TRUE(writer->stop());
  EXPECT_EQ(durable_.opened(), (Numbers{1, 2, 3}));
  EXPECT_EQ(store_.batches.size(), 1U) << "one commit for all that was held";
}

TEST_F(WriterIntervalTest, TheIntervalEndsWithACommitOfTheWritersThread) {
  const auto writer = open(std::chrono::milliseconds(5));
  for (std::uint64_t run = 1; run <= 20; ++run) {
    submit(*writer, run);
    writer->commit_here();
    durable_.await(run);
  }
  EXPECT_TRUE(writer->stop());
  ASSERT_EQ(store_.batches.size(), 20U);
  for (const RecordingStore::Batch& batch : store_.batches)
    EXPECT_TRUE(batch.thread != std::this_thread::get_id());
}

TEST_F(WriterIntervalTest, WhoWaitsOutsideIsNotMadeToWaitForTheInterval) {
  const auto writer = open();
  submit(*writer, 1);
  submit(*writer, 2, kNew);
  writer->hurry();
  durable_.await(2);
  EXPECT_EQ(durable_.opened(), (Numbers{1, 2}));
  writer->hurry();  // With nothing to commit.
  EXPECT_TRUE(writer->stop());
  EXPECT_EQ(store_.attempts, 1U);
}

TEST_F(WriterIntervalTest, AsMuchAsABatchIsCommittedWithoutWaiting) {
  WriterOptions options;
  options.batch_bytes_max = 100'000;
  const auto writer = open(kNever, std::move(options));
  for (std::uint64_t run = 1; run <= 20; ++run) {
    const RecordNumber number = writer->submit(step_of(run, 0, 10'000), kUnderWay).value();
    gate_.when_durable(number, durable_.waiter(number));
    writer->commit_here();
  }
  durable_.await(8);
}

TEST_F(WriterIntervalTest, WhileTheDiskIsFullNothingNewLeaves) {
  int rooms = 0;
  WriterOptions options;
  options.on_full = [&](const Error&) { durable_.waiter(0)->fail(disk_full()); };
  options.on_room = [&] { ++rooms; };
  const auto writer = open(kNever, std::move(options));
  store_.faults = {disk_full()};
  submit(*writer, 1);
  writer->commit_here();
  writer->hurry();
  durable_.await(1);  // Told that it is full.
  submit(*writer, 2);
  writer->commit_here();
  writer->wake();
  EXPECT_EQ(left_.opened(), Numbers{1});
  EXPECT_EQ(writer->submit(step_of(3, 0), kNew).error().code, Code::storage_full);
  writer->hurry();
  durable_.await(3);
  EXPECT_EQ(durable_.opened(), (Numbers{1, 2}));
  EXPECT_EQ(left_.opened(), (Numbers{1, 2}));
  EXPECT_EQ(rooms, 1);
}

TEST_F(WriterIntervalTest, BehindASlowCommitAnIntervalsWorkMayLeaveAndNoMore) {
  std::atomic<bool> go_on = false;
  std::atomic<bool> begun = false;
  store_.during_commit = [&] {
    begun = true;
    while (!go_on) std::this_thread::yield();
  };
  const auto writer = open(std::chrono::milliseconds(1));
  submit(*writer, 1);
  writer->commit_here();
  while (!begun) std::this_thread::yield();
  // The queue behind the commit grows old while the disk works.
  submit(*writer, 2);
  writer->commit_here();
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(5);
  while (std::chrono::steady_clock::now() < until) std::this_thread::yield();
  submit(*writer, 3);
  writer->commit_here();
  EXPECT_EQ(std::ranges::count(left_.opened(), 3U), 0) << "it would be lost with more than that";
  EXPECT_GE(writer->committing_for().value(), std::chrono::milliseconds(5));
  go_on = true;
  left_.await(3);
  durable_.await(3);
  EXPECT_TRUE(writer->stop());
  EXPECT_FALSE(writer->committing_for().has_value());
}

TEST_F(WriterIntervalTest, AFailedDiskIsTheEndForBothGates) {
  int fatal = 0;
  WriterOptions options;
  options.on_fatal = [&](const Error&) { ++fatal; };
  const auto writer = open(kNever, std::move(options));
  store_.faults = {std::nullopt, disk_broken()};
  submit(*writer, 1);
  writer->commit_here();
  writer->hurry();
  durable_.await(1);
  submit(*writer, 2);
  writer->commit_here();
  submit(*writer, 3);  // Has not left when the disk fails.
  writer->hurry();
  durable_.await(3);
  left_.await(3);
  EXPECT_EQ(durable_.failed(), (Numbers{2, 3}));
  EXPECT_EQ(left_.opened(), (Numbers{1, 2}));
  EXPECT_EQ(left_.failed(), Numbers{3});
  EXPECT_EQ(writer->submit(step_of(4, 0), kUnderWay).error().code, Code::storage_failed);
  writer->commit_here();
  EXPECT_EQ(early_.watermark(), 2U);
  EXPECT_EQ(writer->stop().error(), disk_broken());
  EXPECT_EQ(store_.attempts, 2U);
  EXPECT_EQ(fatal, 1);
}

TEST_F(WriterIntervalTest, AStopWithAFullDiskSaysSoAndTellsWhoWaits) {
  const auto writer = open();
  submit(*writer, 1);
  writer->commit_here();
  store_.faults = {disk_full(), disk_full(), disk_full()};
  EXPECT_EQ(writer->stop().error(), disk_full());
  EXPECT_EQ(left_.opened(), Numbers{1});
  EXPECT_EQ(durable_.failed(), Numbers{1});
}

TEST_F(WriterIntervalTest, WhatWaitsIsBoundedInBytes) {
  WriterOptions options;
  options.queue_bytes_max = 50'000;
  options.under_way_bytes_max = 100'000;
  const auto writer = open(kNever, std::move(options));
  while (writer->submit(step_of(1, 0, 10'000), kNew)) writer->commit_here();
  EXPECT_EQ(writer->submit(step_of(2, 0, 10'000), kNew).error().code, Code::storage_full);
  std::size_t more = 0;
  while (writer->submit(step_of(2, 0, 10'000), kUnderWay)) ++more;
  EXPECT_GE(more, 3U);
  EXPECT_LE(more, 6U);
}

}  // namespace
}  // namespace perdure::journal
