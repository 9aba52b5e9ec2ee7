// Large payloads on their way through changes and the writer: what becomes a blob, when it is put,
// and what becomes of the change when it can't be.
#include "core/limits.hpp"
#include "journal/memory_store.hpp"
#include "journal/payload.hpp"
#include "journal/reader.hpp"
#include "journal/session_rows.hpp"
#include "tests/journal/writer_fixture.hpp"

namespace perdure::journal {
namespace {

constexpr std::size_t kThreshold = 1000;

core::Bytes content_of(char letter, std::size_t bytes) {
  return core::Bytes(bytes, std::byte(letter));
}

Change end_of(std::uint64_t run, const PayloadView& payload) {
  Change change(kThreshold);
  change.append(run_of(run), 0, RunEnded{.stamp = 1, .type = "t", .error = {}, .payload = payload});
  change.put(Table::records, record_key(run, kHeadIndex),
             HeadRow{.count = 1,
                     .status = RunStatus::completed,
                     .stamp = 1,
                     .code = Code::user,
                     .reason = {}});
  return change;
}

TEST(LargePayloads, AboveTheThresholdBecomeBlobsOfTheChange) {
  const core::Bytes most = content_of('a', kThreshold);
  const core::Bytes more = content_of('b', kThreshold + 1);
  EXPECT_TRUE(end_of(1, most).blobs().empty());
  const Change change = end_of(1, more);
  ASSERT_EQ(change.blobs().size(), 1U);
  EXPECT_EQ(change.blobs()[0].ref.bytes, kThreshold + 1);
  EXPECT_EQ(change.blobs()[0].content, more);
  EXPECT_LT(change.bytes(), kThreshold) << "the record has the reference alone";
}

TEST(LargePayloads, OfStateStayInRowsForLonger) {
  const auto blobs_of = [](std::size_t bytes) {
    const core::Bytes value = content_of('s', bytes);
    Change change(kThreshold);
    change.put(Table::state, Key{}, StateRow{"name", "t", 0, value});
    return change.blobs().size();
  };
  EXPECT_EQ(blobs_of(core::limits::kInlineStateBytes), 0U);
  EXPECT_EQ(blobs_of(core::limits::kInlineStateBytes + 1), 1U);
}

TEST(LargePayloads, ArePlacedOnceForSeveralChanges) {
  Payload payload(content_of('p', kThreshold + 1));
  Change first(kThreshold);
  first.place(payload);
  ASSERT_TRUE(payload.blob);
  EXPECT_TRUE(payload.is_at_hand());
  Change second(kThreshold);
  second.place(payload);
  ArrivalRow row;
  row.payload = view_of(payload);
  second.put(Table::kept, Key{}, row);
  EXPECT_EQ(first.blobs().size(), 1U);
  EXPECT_TRUE(second.blobs().empty());
  payload.shed();
  EXPECT_FALSE(payload.is_at_hand());
  EXPECT_EQ(payload.size(), kThreshold + 1);
}

TEST(LargePayloads, AreTheSameContentWhereverTheyAre) {
  const core::Bytes bytes = content_of('x', 50);
  Change change(10);
  Payload placed(bytes);
  change.place(placed);
  EXPECT_TRUE(same_content(bytes, view_of(placed)).value());
  EXPECT_TRUE(same_content(view_of(placed), view_of(placed)).value());
  EXPECT_FALSE(same_content(content_of('y', 50), view_of(placed)).value());
  EXPECT_FALSE(same_content(content_of('x', 51), view_of(placed)).value());
  EXPECT_FALSE(same_content(content_of('x', 49), bytes).value());
}

/// A writer on a store in memory, whose blobs can be refused.
class WriterBlobsTest : public testing::Test {
 protected:
  WriterBlobsTest() {
    options_.full_disk_retry = std::chrono::milliseconds(1);
    options_.on_full = [this](const Error&) { told("full"); };
    options_.on_room = [this] { told("room"); };
    options_.on_fatal = [this](const Error& why) { told("fatal: " + why.message); };
    store_.blobs()->when_put([this](const BlobRef&) -> std::optional<Error> {
      const std::lock_guard lock(mutex_);
      ++puts_;
      changed_.notify_all();
      return refusal_;
    });
  }
  std::unique_ptr<Writer> open() { return std::make_unique<Writer>(store_, gate_, options_); }
  void refuse_with(std::optional<Error> why) {
    const std::lock_guard lock(mutex_);
    refusal_ = std::move(why);
  }
  void wait_for_puts(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return puts_ >= count; });
  }
  void told(std::string what) {
    const std::lock_guard lock(mutex_);
    told_.push_back(std::move(what));
  }
  std::vector<std::string> all_told() {
    const std::lock_guard lock(mutex_);
    return told_;
  }

  MemoryStore store_;
  Gate gate_;
  WriterOptions options_;
  const core::Bytes large_ = content_of('l', 5000);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Error> refusal_;
  int puts_ = 0;
  std::vector<std::string> told_;
};

constexpr Admission kNew = Admission::new_work;
constexpr Admission kUnderWay = Admission::under_way;

TEST_F(WriterBlobsTest, PutsThemBeforeTheChangeIsQueued) {
  const auto writer = open();
  EXPECT_TRUE(writer->submit(end_of(1, large_), kNew));
  EXPECT_EQ(store_.blobs()->count(), 1U) << "nothing is committed yet";
  EXPECT_EQ(store_.figures().commits, 0U);
  writer->commit_here();
  Reader reader = Reader::open(store_).value();
  RecordStream records = reader.records(run_of(1)).value();
  const RecordBuffer* const record = records.next().value();
  const RunEnded ended = record->as<RunEnded>().value();
  EXPECT_TRUE(ended.payload.inlined().empty());
  EXPECT_EQ(ended.payload.size(), large_.size());
  EXPECT_EQ(reader.copy_of(ended.payload).value(), large_);
}

TEST_F(WriterBlobsTest, RefusesNewWorkForWhichThereIsNoRoomAndLeavesTheChange) {
  const auto writer = open();
  refuse_with(disk_full());
  Change change = end_of(1, large_);
  const auto refused = writer->submit(std::move(change), kNew);
  EXPECT_EQ(refused.error().code, Code::storage_full);
  EXPECT_EQ(refused.error().known_effect(), ErrorEffect::refused);
  EXPECT_EQ(writer->last_number(), 0U);
  refuse_with(std::nullopt);
  ASSERT_FALSE(change.empty()) << "it is untouched";
  EXPECT_TRUE(writer->submit(std::move(change), kNew));
  EXPECT_TRUE(all_told().empty());
}

TEST_F(WriterBlobsTest, HoldsWorkUnderWayUntilThereIsRoom) {
  const auto writer = open();
  refuse_with(disk_full());
  std::thread worker([&] { EXPECT_TRUE(writer->keep(large_, kUnderWay)); });
  wait_for_puts(2);
  EXPECT_TRUE(writer->full());
  EXPECT_EQ(writer->submit(end_of(2, {}), kNew).error().code, Code::storage_full);
  EXPECT_TRUE(writer->submit(end_of(3, {}), kUnderWay)) << "the tables have room";
  refuse_with(std::nullopt);
  worker.join();
  EXPECT_FALSE(writer->full());
  EXPECT_EQ(all_told(), (std::vector<std::string>{"full", "room"}));
}

TEST_F(WriterBlobsTest, LetsGoOfWhoWaitsWhenItStopsOrIsTold) {
  for (const bool stops : {true, false}) {
    const auto writer = open();
    refuse_with(disk_full());
    std::thread worker(
        [&] { EXPECT_EQ(writer->keep(large_, kUnderWay).error().code, Code::storage_full); });
    wait_for_puts(1);
    if (stops) {
      EXPECT_TRUE(writer->stop());
    } else {
      writer->stop_waiting();
    }
    worker.join();
    refuse_with(std::nullopt);
  }
}

TEST_F(WriterBlobsTest, EndsWhenASyncOfOneFails) {
  const auto writer = open();
  Calls calls;
  EXPECT_TRUE(writer->submit(end_of(1, {}), kUnderWay));
  gate_.when_durable(1, calls.waiter(1));
  refuse_with(disk_broken());
  EXPECT_EQ(writer->submit(end_of(2, large_), kUnderWay).error().code, Code::storage_failed);
  EXPECT_EQ(all_told(), (std::vector<std::string>{"fatal: the disk of the test broke"}));
  EXPECT_EQ(calls.failed().size(), 1U);
  refuse_with(std::nullopt);
  EXPECT_EQ(writer->submit(end_of(3, {}), kUnderWay).error().code, Code::storage_failed);
}

TEST_F(WriterBlobsTest, SaysSoWhereAStoreHasNone) {
  RecordingStore bare;
  Writer writer(bare, gate_, options_);
  const auto refused = writer.submit(end_of(1, large_), kUnderWay);
  EXPECT_EQ(refused.error().code, Code::too_large) << refused.error().message;
}

}  // namespace
}  // namespace perdure::journal
