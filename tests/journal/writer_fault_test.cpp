#include <algorithm>
#include <latch>

#include "tests/journal/writer_fixture.hpp"

namespace perdure::journal {
namespace {

using Numbers = std::vector<RecordNumber>;
constexpr Admission kNew = Admission::new_work;
constexpr Admission kUnderWay = Admission::under_way;

class WriterFaultTest : public ::testing::Test {
 protected:
  std::unique_ptr<Writer> open(std::chrono::milliseconds retry = std::chrono::hours(24)) {
    WriterOptions options;
    options.full_disk_retry = retry;
    options.on_full = [this](const Error& why) {
      full_.push_back(why.message);
      opened_when_full_ = calls_.opened().size();
    };
    options.on_room = [this] {
      EXPECT_EQ(calls_.opened().size(), opened_when_full_)
          << "the runtime knows before those who wait";
      ++room_;
    };
    options.on_fatal = [this](const Error& why) {
      EXPECT_TRUE(calls_.failed().empty()) << "the runtime knows before those who wait";
      fatal_.push_back(why.message);
    };
    return std::make_unique<Writer>(store_, gate_, std::move(options));
  }
  void submit_and_wait(Writer& writer, std::uint64_t run, Admission admission) {
    const RecordNumber number = writer.submit(step_of(run, 0), admission).value();
    gate_.when_durable(number, calls_.waiter(number));
  }

  RecordingStore store_;
  Gate gate_;
  Calls calls_;
  std::vector<std::string> full_;
  std::vector<std::string> fatal_;
  std::size_t opened_when_full_ = 0;
  int room_ = 0;
};

TEST_F(WriterFaultTest, AFullDiskKeepsTheBatchItsNumbersAndWhatIsUnderWay) {
  const auto writer = open();
  store_.faults = {disk_full(), disk_full(), std::nullopt};
  submit_and_wait(*writer, 1, kNew);
  submit_and_wait(*writer, 2, kNew);
  writer->commit_here();
  EXPECT_EQ(full_, std::vector<std::string>{disk_full().message});
  EXPECT_EQ(gate_.watermark(), 0U);

  const Result<RecordNumber> refused = writer->submit(step_of(3, 0), kNew);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::storage_full);
  EXPECT_EQ(refused.error().message, disk_full().message);
  EXPECT_EQ(refused.error().known_effect(), ErrorEffect::refused);
  submit_and_wait(*writer, 4, kUnderWay);
  EXPECT_EQ(writer->last_number(), 3U);

  writer->commit_here();
  EXPECT_EQ(full_.size(), 1U) << "told once";
  EXPECT_TRUE(calls_.opened().empty());
  EXPECT_EQ(room_, 0);
  EXPECT_EQ(writer->full().value().message, disk_full().message);
  writer->commit_here();
  EXPECT_EQ(room_, 1);
  EXPECT_FALSE(writer->full().has_value());
  EXPECT_EQ(calls_.opened(), (Numbers{1, 2, 3}));
  ASSERT_EQ(store_.batches.size(), 2U);
  EXPECT_EQ(store_.numbers(0), (Numbers{1, 1, 2, 2}));
  EXPECT_EQ(store_.numbers(1), (Numbers{3, 3}));

  submit_and_wait(*writer, 5, kNew);
  store_.faults = {disk_full()};
  writer->commit_here();
  EXPECT_EQ(full_.size(), 2U) << "full again is news again";
  EXPECT_TRUE(fatal_.empty());
}

TEST_F(WriterFaultTest, AFullDiskIsTriedAgainByTheWritersThread) {
  const auto writer = open(std::chrono::milliseconds(1));
  submit_and_wait(*writer, 1, kNew);
  writer->wake();
  calls_.await(1);
  // Time for the thread to fall asleep, so that it has to be told of the full disk.
  store_.during_commit = [] {
    for (int i = 0; i < 2000; ++i) std::this_thread::yield();
  };
  store_.faults.assign(20, disk_full());
  submit_and_wait(*writer, 2, kNew);
  writer->commit_here();
  calls_.await(2);
  EXPECT_EQ(calls_.opened(), (Numbers{1, 2}));
  EXPECT_TRUE(writer->stop());
  EXPECT_EQ(store_.attempts, 22U);
  EXPECT_EQ(full_.size(), 1U);
  EXPECT_TRUE(store_.batches.at(0).thread != std::this_thread::get_id());
}

TEST_F(WriterFaultTest, AFullDiskIsTriedAgainWhenTheWriterIsWoken) {
  const auto writer = open();
  store_.faults = {disk_full()};
  submit_and_wait(*writer, 1, kNew);
  writer->commit_here();
  writer->wake();
  calls_.await(1);
  EXPECT_EQ(calls_.opened(), Numbers{1});
}

TEST_F(WriterFaultTest, AStopWithAFullDiskSaysSoAndTellsWhoWaits) {
  const auto writer = open();
  store_.faults = {std::nullopt, disk_full(), disk_full()};
  submit_and_wait(*writer, 1, kNew);
  writer->commit_here();
  submit_and_wait(*writer, 2, kNew);
  writer->commit_here();
  const Result<void> stopped = writer->stop();
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error(), disk_full());
  EXPECT_EQ(calls_.opened(), Numbers{1});
  EXPECT_EQ(calls_.failed(), Numbers{2});

  writer->commit_here();
  writer->wake();
  EXPECT_EQ(writer->stop().error(), disk_full());
  EXPECT_EQ(store_.batches.size(), 1U) << "what was told as lost does not become durable later";
}

/// Keeps the thread that opens it.
class Blocking final : public Gated {
 public:
  Blocking(std::latch& begun, std::latch& go_on) : begun_(begun), go_on_(go_on) {}
  void open() noexcept override {
    begun_.count_down();
    go_on_.wait();
  }
  void fail(const Error&) noexcept override { ADD_FAILURE() << "the disk had room again"; }

 private:
  std::latch& begun_;
  std::latch& go_on_;
};

/// The stop finds the disk full; then another thread finds room for the first batch of two, and is
/// kept from going on until the stop itself has come to the second.
TEST_F(WriterFaultTest, AStopGoesOnWhenOthersFindRoomMeanwhile) {
  std::latch first_opened(1);
  std::latch go_on(1);
  std::thread other;
  std::unique_ptr<Writer> writer;
  WriterOptions options;
  options.batch_bytes_max = 1;  // Each change is a batch.
  options.full_disk_retry = std::chrono::hours(24);
  options.on_full = [&](const Error&) {
    other = std::thread([&] { writer->commit_here(); });
    first_opened.wait();
  };
  writer = std::make_unique<Writer>(store_, gate_, std::move(options));
  gate_.when_durable(writer->submit(step_of(1, 0), kNew).value(),
                     std::make_unique<Blocking>(first_opened, go_on));
  submit_and_wait(*writer, 2, kNew);
  store_.faults = {disk_full()};
  store_.during_commit = [&] {
    if (store_.attempts == 3) go_on.count_down();
  };
  EXPECT_TRUE(writer->stop());
  other.join();
  EXPECT_EQ(store_.attempts, 3U);
  EXPECT_EQ(calls_.opened(), Numbers{2});
}

TEST_F(WriterFaultTest, AFailedDiskIsTheEnd) {
  const auto writer = open();
  store_.faults = {std::nullopt, disk_broken()};
  submit_and_wait(*writer, 1, kNew);
  writer->commit_here();
  submit_and_wait(*writer, 2, kNew);
  submit_and_wait(*writer, 3, kUnderWay);
  writer->commit_here();
  EXPECT_EQ(fatal_, std::vector<std::string>{disk_broken().message});
  EXPECT_EQ(calls_.opened(), Numbers{1});
  EXPECT_EQ(calls_.failed(), (Numbers{2, 3}));

  for (const Admission admission : {kNew, kUnderWay}) {
    const Result<RecordNumber> late = writer->submit(step_of(4, 0), admission);
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, Code::storage_failed);
    EXPECT_EQ(late.error().message, disk_broken().message);
    EXPECT_EQ(late.error().known_effect(), ErrorEffect::refused) << "this change was not written";
  }
  writer->commit_here();
  writer->wake();
  EXPECT_EQ(writer->stop().error(), disk_broken());
  EXPECT_EQ(store_.attempts, 2U) << "nothing is committed after a failed sync";
  EXPECT_EQ(fatal_.size(), 1U);
}

TEST_F(WriterFaultTest, ADiskThatFailsAfterItWasFullIsTheEnd) {
  const auto writer = open();
  store_.faults = {disk_full(), disk_broken()};
  submit_and_wait(*writer, 1, kNew);
  writer->commit_here();
  writer->commit_here();
  EXPECT_EQ(calls_.failed(), Numbers{1});
  EXPECT_EQ(writer->submit(step_of(2, 0), kNew).error().code, Code::storage_failed);
  EXPECT_EQ(writer->stop().error(), disk_broken());
}

TEST_F(WriterFaultTest, AnErrorOfAnyOtherCodeIsTheEndToo) {
  const auto writer = open();
  store_.faults = {Error{Code::corrupt, "a page is damaged"}};
  submit_and_wait(*writer, 1, kNew);
  writer->commit_here();
  EXPECT_EQ(calls_.failed(), Numbers{1});
  EXPECT_EQ(writer->submit(step_of(2, 0), kUnderWay).error().code, Code::corrupt);
}

TEST_F(WriterFaultTest, AFullDiskInTheMiddleOfALongQueueLosesNoOrder) {
  WriterOptions options;
  options.batch_bytes_max = 1;  // Each change is a batch.
  options.full_disk_retry = std::chrono::hours(24);
  Writer writer(store_, gate_, std::move(options));
  store_.faults = {std::nullopt, std::nullopt, disk_full()};
  for (std::uint64_t run = 1; run <= 5; ++run) submit_and_wait(writer, run, kNew);
  writer.commit_here();
  EXPECT_EQ(calls_.opened(), (Numbers{1, 2}));
  submit_and_wait(writer, 6, kUnderWay);
  writer.commit_here();
  EXPECT_EQ(calls_.opened(), (Numbers{1, 2, 3, 4, 5, 6}));
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(store_.numbers(i), (Numbers{i + 1, i + 1}));
}

}  // namespace
}  // namespace perdure::journal
