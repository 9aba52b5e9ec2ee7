// The log's file: which entries are its chain, whatever else lies in it.
#include "journal/wal_file.hpp"
#include "tests/journal/wal_fixture.hpp"

#include <gtest/gtest.h>

namespace perdure::journal {
namespace {

namespace fs = std::filesystem;
using Batches = std::vector<std::uint64_t>;

class WalFileTest : public testing::Test {
 protected:
  void SetUp() override { make(); }
  void make() {
    ASSERT_TRUE(WalFile::create(directory_.path(), kLogJournal));
    open();
  }
  void open() {
    file_ = WalFile::open(directory_.path(), kLogJournal, WalFile::Access::write).value();
  }
  [[nodiscard]] fs::path path() const { return directory_.path() / "wal"; }
  [[nodiscard]] Result<std::unique_ptr<WalFile>> opened(core::Hash128 journal = kLogJournal) const {
    return WalFile::open(directory_.path(), journal, WalFile::Access::read);
  }
  void expect_refused(Code code, std::string_view words) const {
    const auto result = opened();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, code) << result.error().message;
    EXPECT_NE(result.error().message.find(words), std::string::npos) << result.error().message;
  }

  enum class Sure : std::uint8_t { yes, no };
  /// The entry behind `after`, of so many bytes in the file.
  [[nodiscard]] WalEntry entry(const WalPosition& after, std::size_t padded = kWalUnit,
                               Sure sure = Sure::yes) const {
    Changes changes;
    // Other bytes for each batch, so that a mixture of two does not hold by chance.
    const char byte = static_cast<char>('a' + after.batch % 26);
    changes.put(Table::runs, number_key(after.batch + 1), std::string(padded - 100, byte));
    return WalEntry::encode(changes.mutations(),
                            {after.batch + 1, after.checksum, sure == Sure::yes}, file_->seed());
  }
  /// Writes it at `place` and says where one stands then.
  WalPosition write(const WalPosition& after, std::uint64_t place, std::size_t padded = kWalUnit,
                    Sure sure = Sure::yes) {
    WalEntry written = entry(after, padded, sure);
    EXPECT_EQ(written.padded_size(), padded);
    if (place + padded > file_->end()) EXPECT_TRUE(file_->extend(place + padded));
    EXPECT_TRUE(file_->write(place, written));
    return {written.batch(), written.checksum(), place + padded};
  }
  WalPosition write_next(const WalPosition& after, std::size_t padded = kWalUnit) {
    return write(after, std::max(after.place, WalFile::kFirst), padded);
  }
  /// The chain behind `from`: the batches, and where it ends.
  std::pair<Batches, WalPosition> chain(const WalPosition& from = {}) {
    Batches batches;
    const WalPosition end = file_
                                ->follow(from,
                                         [&](WalEntry&& one) -> Result<void> {
                                           EXPECT_TRUE(one.holds(file_->seed()));
                                           batches.push_back(one.batch());
                                           return success();
                                         })
                                .value();
    return {batches, end};
  }

  TemporaryDirectory directory_;
  std::unique_ptr<WalFile> file_;
};

TEST_F(WalFileTest, ANewOneIsEmpty) {
  EXPECT_EQ(file_->end(), WalFile::kFirst);
  EXPECT_EQ(chain(), std::pair(Batches{}, WalPosition{}));
  EXPECT_EQ(file_->find_later(0).value().highest_batch, 0U);
  const WalPosition end = write_next({});
  EXPECT_EQ(chain().first, Batches{1});
  EXPECT_EQ(chain().second, end);
  file_.reset();
  make();
  EXPECT_EQ(chain().first, Batches{}) << "what was there is gone";
  EXPECT_EQ(file_->end(), WalFile::kFirst);
}

TEST_F(WalFileTest, AMissingOneIsNotFound) {
  fs::remove(path());
  EXPECT_EQ(opened().error().code, Code::not_found);
}

TEST_F(WalFileTest, ADamagedHeaderIsRefused) {
  const std::string good = bytes_of(path());
  ASSERT_EQ(good.size(), WalFile::kFirst);
  for (std::size_t bit = 0; bit < 40 * 8; ++bit) {
    std::string bytes = good;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    set_bytes(path(), bytes);
    const auto result = opened();
    ASSERT_FALSE(result) << bit;
    const bool is_version = bit / 32 == 3 && bit % 32 != 0;
    ASSERT_EQ(result.error().code, is_version ? Code::newer_format : Code::corrupt) << bit;
  }
  for (std::size_t size = 0; size < 40; ++size) {
    set_bytes(path(), good.substr(0, size));
    expect_refused(Code::corrupt, "is cut off");
  }
  set_bytes(path(), std::string(4096, '\0'));
  expect_refused(Code::corrupt, "is not a journal's log");
  set_bytes(path(), good.substr(0, 40));
  EXPECT_TRUE(opened()) << "nothing else of it is needed";
}

TEST_F(WalFileTest, AnotherJournalsLogIsRefused) {
  for (const core::Hash128 other : {core::Hash128{kLogJournal.low, kLogJournal.high},
                                    core::Hash128{kLogJournal.high, 0}, core::Hash128{}}) {
    const auto result = opened(other);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Code::corrupt);
    EXPECT_NE(result.error().message.find("another journal's log"), std::string::npos);
  }
}

TEST_F(WalFileTest, FollowsTheChainFromAnywhereAndAroundItsEnd) {
  std::vector<WalPosition> positions{{}};
  const auto go_on = [&](std::uint64_t place, std::size_t padded) {
    positions.push_back(write(positions.back(), place, padded));
  };
  for (const std::size_t units : {1U, 3U, 2U, 1U}) {
    const std::uint64_t place = std::max(positions.back().place, WalFile::kFirst);
    go_on(place, units * kWalUnit);
  }
  EXPECT_EQ(chain().first, (Batches{1, 2, 3, 4}));
  for (std::size_t i = 0; i < positions.size(); ++i) {
    const auto [batches, end] = chain(positions[i]);
    EXPECT_EQ(batches.size(), positions.size() - 1 - i);
    EXPECT_EQ(end, positions.back());
  }
  // Around the end, over the first entry and a part of the second.
  go_on(WalFile::kFirst, 2 * kWalUnit);
  EXPECT_EQ(chain(positions[2]).first, (Batches{3, 4, 5}));
  EXPECT_EQ(chain(positions[2]).second, positions.back());
  EXPECT_EQ(chain(positions[4]).first, Batches{5});
  EXPECT_EQ(chain(positions[5]).first, Batches{});
  EXPECT_EQ(chain().first, Batches{}) << "the first one is not there any more";
  open();
  EXPECT_EQ(chain(positions[2]).first, (Batches{3, 4, 5})) << "another process finds it too";
}

TEST_F(WalFileTest, EntriesOfAnEarlierLapAreNotFollowed) {
  std::vector<WalPosition> positions{{}};
  for (int i = 0; i < 6; ++i) positions.push_back(write_next(positions.back()));
  WalPosition end = write(positions.back(), WalFile::kFirst);
  for (std::uint64_t batch = 8; batch <= 12; ++batch) {
    // Behind the newest stands one whose number is six lower, and it holds.
    ASSERT_EQ(chain(positions.back()).second, end);
    end = write_next(end);
    ASSERT_EQ(end.batch, batch);
  }
  EXPECT_EQ(chain(positions.back()).first.size(), 6U);
}

TEST_F(WalFileTest, ANumberAloneDoesNotMakeAnEntryTheNext) {
  const WalPosition first = write_next({});
  // The right number and a checksum that holds, behind another entry of the same number.
  write({.batch = 1, .checksum = first.checksum + 1, .place = 0}, first.place);
  EXPECT_EQ(chain().second, first);
  // The right entry before it, and a number too many.
  write({.batch = 2, .checksum = first.checksum, .place = 0}, first.place);
  EXPECT_EQ(chain().second, first);
  write(first, first.place);
  EXPECT_EQ(chain().first, (Batches{1, 2}));
}

TEST_F(WalFileTest, ATornEntryIsNotThere) {
  constexpr std::size_t kPadded = 5 * kWalUnit;
  // Over zeros, and over a whole entry of an earlier lap.
  for (const bool is_over_old : {false, true}) {
    make();
    WalPosition before = write_next({});
    if (is_over_old) {
      write_next(before, kPadded);
      before = write({.batch = 9, .checksum = 1, .place = 0}, WalFile::kFirst);
    } else {
      ASSERT_TRUE(file_->extend(before.place + kPadded));
    }
    WalEntry next = entry(before, kPadded);
    const std::string whole(core::as_text(next.padded()));
    const std::string old = bytes_of(path()).substr(before.place, kPadded);
    for (std::size_t written = 0; written <= kPadded; written += 512) {
      // The beginning only, the end only, and all but one part in the middle.
      patch(path(), before.place, whole.substr(0, written) + old.substr(written));
      const bool is_whole = written >= next.bytes().size();
      ASSERT_EQ(chain(before).first.size(), is_whole ? 1U : 0U) << written;
      patch(path(), before.place, old.substr(0, written) + whole.substr(written));
      ASSERT_EQ(chain(before).first.size(), written == 0 ? 1U : 0U) << written;
      if (written >= next.bytes().size()) break;
      std::string middle = whole;
      middle.replace(written, 512, old, written, 512);
      patch(path(), before.place, middle);
      ASSERT_TRUE(chain(before).first.empty()) << written;
    }
  }
}

TEST_F(WalFileTest, AnEntryThatTheFileEndsInIsNotThere) {
  const WalPosition first = write_next({});
  const WalPosition second = write_next(first, 2 * kWalUnit);
  const std::string good = bytes_of(path());
  for (std::uint64_t size = first.place; size < second.place - 100; size += 37) {
    fs::resize_file(path(), size);
    ASSERT_EQ(chain().first, Batches{1}) << size;
    ASSERT_EQ(file_->find_later(1).value().highest_batch, 1U) << size;
    set_bytes(path(), good);
  }
  EXPECT_EQ(chain().first, (Batches{1, 2}));
}

TEST_F(WalFileTest, FindsLaterEntriesThatHold) {
  std::vector<WalPosition> positions{{}};
  for (int i = 0; i < 5; ++i) positions.push_back(write_next(positions.back(), 2 * kWalUnit));
  const auto later = [&](std::uint64_t batch) { return file_->find_later(batch).value(); };
  EXPECT_EQ(later(5).highest_batch, 5U);
  EXPECT_FALSE(later(5).sure_at);
  EXPECT_EQ(later(3).highest_batch, 5U);
  EXPECT_TRUE(later(3).sure_at);
  EXPECT_EQ(later(4).sure_at, positions[4].place);
  // One that does not hold does not count, and neither does one of another journal.
  flip(path(), positions[4].place + kWalEntryHeader + 20);
  EXPECT_EQ(later(3).highest_batch, 4U);
  EXPECT_EQ(later(3).sure_at, positions[3].place);
  EXPECT_EQ(later(4).highest_batch, 4U);
  Changes changes;
  changes.put(Table::runs, number_key(9), "another journal's");
  WalEntry foreign = WalEntry::encode(changes.mutations(), {9, 0, true}, file_->seed() + 1);
  ASSERT_TRUE(file_->write(positions[4].place, foreign));
  EXPECT_EQ(later(4).highest_batch, 4U);
  // One that was written when others before it may not have been durable counts, but is no proof.
  write({.batch = 20, .checksum = 5, .place = 0}, positions[4].place, kWalUnit, Sure::no);
  EXPECT_EQ(later(4).highest_batch, 21U);
  EXPECT_FALSE(later(4).sure_at);
  EXPECT_TRUE(later(3).sure_at);
}

TEST_F(WalFileTest, GrowsByZeros) {
  const WalPosition end = write_next({});
  ASSERT_TRUE(file_->extend(64 * kWalUnit));
  EXPECT_EQ(file_->end(), 64 * kWalUnit);
  const std::string bytes = bytes_of(path());
  ASSERT_EQ(bytes.size(), 64 * kWalUnit);
  EXPECT_EQ(bytes.find_first_not_of('\0', end.place), std::string::npos);
  EXPECT_EQ(chain().second, end);
  // A process that died while it grew leaves a part of a unit, which is no room.
  fs::resize_file(path(), 10 * kWalUnit + 17);
  patch(path(), 10 * kWalUnit, "rubbish");
  open();
  EXPECT_EQ(file_->end(), 10 * kWalUnit);
  ASSERT_TRUE(file_->extend(11 * kWalUnit));
  EXPECT_EQ(bytes_of(path()).substr(10 * kWalUnit), std::string(kWalUnit, '\0'));
  EXPECT_EQ(chain().second, end);
}

TEST_F(WalFileTest, WhenItCantGrowItIsAsItWas) {
  const WalPosition end = write_next({});
  const std::string before = bytes_of(path());
  {
    const FileSizeLimit limit(30 * kWalUnit);
    EXPECT_EQ(file_->extend(64 * kWalUnit).error().code, Code::storage_full);
  }
  EXPECT_EQ(file_->end(), end.place);
  EXPECT_TRUE(bytes_of(path()) == before);
  ASSERT_TRUE(file_->extend(64 * kWalUnit));
  EXPECT_EQ(file_->end(), 64 * kWalUnit);
}

TEST_F(WalFileTest, AWriteThatFailsLeavesNothingThatHolds) {
  const WalPosition before = write_next({});
  ASSERT_TRUE(file_->extend(before.place + 8 * kWalUnit));
  // The disk is full at each half-kilobyte of the entry; near its end all of its bytes are there,
  // and only zeros behind them are not.
  for (std::uint64_t at = 512; at < 2 * kWalUnit; at += 512) {
    WalEntry next = entry(before, 2 * kWalUnit);
    {
      const FileSizeLimit limit(before.place + at);
      EXPECT_EQ(file_->write(before.place, next).error().code, Code::storage_full);
    }
    ASSERT_EQ(chain().second, before) << at;
    ASSERT_EQ(file_->find_later(1).value().highest_batch, 1U) << at;
  }
  write_next(before, 2 * kWalUnit);
  EXPECT_EQ(chain().first, (Batches{1, 2}));
}

}  // namespace
}  // namespace perdure::journal
