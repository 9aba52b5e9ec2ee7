// Preconditions of changes: what was read must not have changed, be it durable yet or not.
#include "core/limits.hpp"
#include "journal/memory_store.hpp"
#include "journal/row_key.hpp"
#include "journal/session_rows.hpp"
#include "journal/user_rows.hpp"
#include "tests/journal/writer_fixture.hpp"

#include <map>
#include <random>
#include <set>

namespace perdure::journal {
namespace {

Key at(std::string_view table, std::int64_t key) {
  return user_row(table, detail::encode_key(key));
}
Key at(std::int64_t key) { return at("t", key); }

TEST(RecentWritesTest, ARowThatWasWrittenSinceStandsAgainstIt) {
  RecentWrites recent(10, 100);
  recent.note(Table::rows, at(1), 11);
  recent.note(Table::rows, at(2), 12);
  const auto reading = [](std::int64_t key, RecordNumber read_at) {
    Precondition reads(Table::rows, read_at);
    reads.row(at(key));
    reads.seal();
    return reads;
  };
  EXPECT_EQ(recent.conflict(reading(1, 10)), 11U);
  EXPECT_EQ(recent.conflict(reading(1, 11)), std::nullopt) << "it was read as it was written";
  EXPECT_EQ(recent.conflict(reading(2, 11)), 12U);
  EXPECT_EQ(recent.conflict(reading(3, 10)), std::nullopt);
  recent.note(Table::rows, at(1), 13);
  EXPECT_EQ(recent.conflict(reading(1, 10)), 13U) << "the newest one is the one to wait for";
}

TEST(RecentWritesTest, ARangeHasItsFirstRowAndNotItsEnd) {
  RecentWrites recent(0, 100);
  recent.note(Table::rows, at(5), 1);
  const auto scanning = [&](std::int64_t from, std::int64_t to) {
    Precondition reads(Table::rows, 0);
    reads.range(at(from), at(to));
    reads.seal();
    return recent.conflict(reads).has_value();
  };
  EXPECT_TRUE(scanning(5, 6));
  EXPECT_TRUE(scanning(0, 9));
  EXPECT_FALSE(scanning(0, 5));
  EXPECT_FALSE(scanning(6, 9));
  Precondition whole(Table::rows, 0);
  whole.range(first_user_row("t"), behind_user_rows("t"));
  whole.seal();
  EXPECT_TRUE(recent.conflict(whole).has_value());
  Precondition other(Table::rows, 0);
  other.range(first_user_row("s"), behind_user_rows("s"));
  other.range(first_user_row("tt"), behind_user_rows("tt"));
  other.seal();
  EXPECT_FALSE(recent.conflict(other).has_value());
}

TEST(RecentWritesTest, WhatIsForgottenCountsAsChanged) {
  RecentWrites recent(10, 3);
  Precondition old(Table::rows, 9);
  old.row(at(7));
  old.seal();
  EXPECT_EQ(recent.conflict(old), 10U) << "before the writer began";
  Precondition reads(Table::rows, 10);
  reads.row(at(7));
  reads.seal();
  for (RecordNumber number = 11; number <= 13; ++number) recent.note(Table::rows, at(1), number);
  EXPECT_EQ(recent.conflict(reads), std::nullopt);
  recent.note(Table::rows, at(1), 14);
  EXPECT_EQ(recent.conflict(reads), 11U);
  EXPECT_EQ(recent.conflict(Precondition(Table::rows, 0)), std::nullopt) << "it reads nothing";
}

/// Against a model: the number of each row's last write, in all rows that there may be.
TEST(RecentWritesTest, SaysWhatAModelSays) {
  std::mt19937_64 dice(3);
  RecentWrites recent(0, 1000);
  std::map<std::int64_t, RecordNumber> last;
  RecordNumber number = 0;
  for (int i = 0; i < 400; ++i) {
    const auto key = static_cast<std::int64_t>(dice() % 20);
    last[key] = ++number;
    recent.note(Table::rows, at(key), number);
    const RecordNumber read_at = number - std::min<RecordNumber>(number, dice() % 6);
    Precondition reads(Table::rows, read_at);
    bool changed = false;
    for (std::uint64_t n = dice() % 4; n > 0; --n) {
      const auto row = static_cast<std::int64_t>(dice() % 20);
      reads.row(at(row));
      changed |= last.contains(row) && last[row] > read_at;
    }
    if (dice() % 2 == 0) {
      const auto from = static_cast<std::int64_t>(dice() % 20);
      const auto to = from + static_cast<std::int64_t>(dice() % 5);
      reads.range(at(from), at(to));
      for (const auto& [row, written] : last)
        changed |= row >= from && row < to && written > read_at;
    }
    reads.seal();
    ASSERT_EQ(recent.conflict(reads).has_value(), changed) << "write " << i;
  }
}

Change put_row(std::int64_t key, std::string_view value) {
  Change change;
  change.put(Table::rows, at(key), UserRow{"s", core::as_bytes(value)});
  return change;
}
Change after_reading(Change change, std::int64_t key, RecordNumber read_at) {
  Precondition reads(Table::rows, read_at);
  reads.row(at(key));
  reads.seal();
  change.require(std::move(reads));
  return change;
}

class WriterPreconditionsTest : public ::testing::Test {
 protected:
  Gate gate_;
  RecordingStore store_;
  Writer writer_{store_, gate_, {.last_number = 4, .committer = WriterOptions::Committer::owner}};
  Writer::Conflict conflict_;

  Result<RecordNumber> submit(Change change) {
    return writer_.submit(std::move(change), Admission::under_way, nullptr, &conflict_);
  }
};

TEST_F(WriterPreconditionsTest, ARowThatIsSubmittedAndNotDurableStandsAgainstAChange) {
  EXPECT_EQ(submit(put_row(1, "a")).value(), 5U);
  const Result<RecordNumber> stale = submit(after_reading(put_row(2, "b"), 1, 4));
  ASSERT_TRUE(stale.has_error());
  EXPECT_EQ(stale.error().code, Code::busy);
  EXPECT_EQ(stale.error().effect, ErrorEffect::refused);
  EXPECT_EQ(conflict_, 5U);
  EXPECT_EQ(writer_.last_number(), 5U) << "it took no number";
  EXPECT_EQ(submit(after_reading(put_row(2, "b"), 3, 4)).value(), 6U);
  EXPECT_EQ(conflict_, std::nullopt);
  EXPECT_EQ(submit(after_reading(put_row(2, "c"), 2, 6)).value(), 7U);
}

TEST_F(WriterPreconditionsTest, AnErasureAndWhatComesBackAreWritesToo) {
  Change erase;
  erase.erase(Table::rows, at(1));
  EXPECT_EQ(submit(std::move(erase)).value(), 5U);
  EXPECT_TRUE(submit(after_reading(put_row(2, "x"), 1, 4)).has_error());
  EXPECT_EQ(conflict_, 5U);
  // There, then not there, then there with the same bytes.
  EXPECT_EQ(submit(put_row(1, "a")).value(), 6U);
  EXPECT_TRUE(submit(after_reading(put_row(2, "x"), 1, 5)).has_error());
  EXPECT_EQ(conflict_, 6U);
}

TEST_F(WriterPreconditionsTest, OrdinaryChangesAreRememberedByNobody) {
  EXPECT_EQ(submit(step_of(1, 0)).value(), 5U);
  Precondition reads(Table::rows, 4);
  reads.range(first_user_row("t"), behind_user_rows("t"));
  reads.seal();
  EXPECT_EQ(writer_.conflict(reads), std::nullopt);
  EXPECT_EQ(submit(put_row(1, "a")).value(), 6U);
  EXPECT_EQ(writer_.conflict(reads), 6U);
}

TEST_F(WriterPreconditionsTest, ARefusedChangeIsUntouchedAndLeavesNothingBehind) {
  EXPECT_EQ(submit(put_row(1, "a")).value(), 5U);
  Change change = after_reading(put_row(2, "b"), 1, 4);
  EXPECT_TRUE(
      writer_.submit(std::move(change), Admission::under_way, nullptr, &conflict_).has_error());
  EXPECT_FALSE(change.empty());
  Precondition other(Table::rows, 5);
  other.row(at(2));
  other.seal();
  EXPECT_EQ(writer_.conflict(other), std::nullopt) << "a refused write was remembered";
  while (writer_.commit_next()) {
  }
  ASSERT_EQ(store_.batches.size(), 1U);
  EXPECT_EQ(store_.batches[0].rows.size(), 1U);
}

/// While the disk is full what is queued stays queued, and stands against others as before.
TEST_F(WriterPreconditionsTest, AFullDiskChangesNothing) {
  store_.faults = {disk_full()};
  EXPECT_EQ(submit(put_row(1, "a")).value(), 5U);
  EXPECT_FALSE(writer_.commit_next());
  EXPECT_TRUE(submit(after_reading(put_row(1, "b"), 1, 4)).has_error());
  EXPECT_EQ(conflict_, 5U);
  EXPECT_TRUE(writer_.commit_next());
  EXPECT_EQ(submit(after_reading(put_row(1, "b"), 1, 5)).value(), 6U);
}

/// Threads that add one to a row: read durable rows, submit, and wait for what stood against them.
/// No addition is lost, and none is made twice.
TEST(WriterPreconditionsStressTest, ManyThreadsCountTogether) {
  constexpr int kThreads = 4;
  constexpr int kEach = 60;
  constexpr std::int64_t kRows = 3;
  MemoryStore store;
  Gate gate;
  Writer writer(store, gate, {});
  std::atomic<int> stale = 0;
  const auto await = [&](RecordNumber number) {
    while (gate.watermark() < number) {
      writer.commit_here();
      std::this_thread::yield();
    }
  };
  const auto add_one = [&](std::int64_t row) {
    for (;;) {
      UserRows rows = UserRows::open(store, gate.watermark()).value();
      const auto before = rows.get("t", detail::encode_key(row)).value();
      const int count = before ? std::stoi(std::string(core::as_text(*before))) : 0;
      Change change = after_reading(put_row(row, std::to_string(count + 1)), row, rows.number());
      Writer::Conflict conflict;
      if (writer.submit(std::move(change), Admission::under_way, nullptr, &conflict).has_value())
        return;
      ASSERT_TRUE(conflict.has_value());
      ++stale;
      await(*conflict);
    }
  };
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      std::mt19937_64 dice(static_cast<std::uint64_t>(t));
      for (int i = 0; i < kEach; ++i) add_one(static_cast<std::int64_t>(dice() % kRows));
    });
  for (std::thread& thread : threads) thread.join();
  ASSERT_TRUE(writer.stop().has_value());
  int sum = 0;
  UserRows rows = UserRows::open(store).value();
  for (std::int64_t row = 0; row < kRows; ++row)
    if (const auto value = rows.get("t", detail::encode_key(row)).value())
      sum += std::stoi(std::string(core::as_text(*value)));
  EXPECT_EQ(sum, kThreads * kEach);
  EXPECT_GT(stale, 0) << "nothing was contended, so nothing was tested";
}

}  // namespace
}  // namespace perdure::journal
