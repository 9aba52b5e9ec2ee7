// Each kind of damage is found where it is, and foreign files are told apart.

#include "journal/page_checker.hpp"
#include "tests/journal/page_fixture.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace perdure::journal {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kPageBytes = 4096;

template <class T>
T get(const std::string& bytes, std::size_t at) {
  T number;
  std::memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}
template <class T>
void set(std::string& bytes, std::size_t at, T number) {
  std::memcpy(bytes.data() + at, &number, sizeof number);
}

/// A sound file with tables of two levels, values on pages of their own and free pages; and its
/// bytes, to be changed.
class PageCheckerTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(LmdbStore::create(directory_.path()));
    {
      const auto store = LmdbStore::open(directory_.path(), LmdbAccess::write).value();
      TestRows rows;
      for (std::uint64_t run = 0; run < 60; ++run)
        rows.run(run, 4, RunStatus::running).session(run).ready(run);
      ASSERT_TRUE(rows.commit(*store));
      TestBatch large;
      const Key key = Key{}.add(run_id(99));
      large.put(Table::ready, key, sealed(key, Kind::ready, 20'000));
      ASSERT_TRUE(large.commit(*store));
      TestRows more(1000);
      more.run(100, 3, RunStatus::running).session(100).ready(100);
      ASSERT_TRUE(more.commit(*store));
    }
    bytes_ = content_of(file());
    meta_ = (get<std::uint64_t>(bytes_, 144) > get<std::uint64_t>(bytes_, kPageBytes + 144))
                ? 0
                : kPageBytes;
    ASSERT_TRUE(check().sound());
  }
  [[nodiscard]] fs::path file() const { return directory_.path() / "data.mdb"; }
  PageReport check(const PageCheckOptions& options = {}) {
    return check_pages(file(), options).value();
  }
  /// The offset of a page in use whose flags are `flags` and that `wanted` likes.
  template <class Wanted>
  std::size_t page_of(std::uint16_t flags, Wanted&& wanted) {
    for (std::size_t at = 2 * kPageBytes; at < bytes_.size(); at += kPageBytes)
      if (get<std::uint16_t>(bytes_, at + 10) == flags &&
          get<std::uint64_t>(bytes_, at) == at / kPageBytes && is_used(at) && wanted(at))
        return at;
    ADD_FAILURE() << "no such page";
    return 0;
  }
  std::size_t page_of(std::uint16_t flags) {
    return page_of(flags, [](std::size_t) { return true; });
  }
  /// One with more than four records in it.
  std::size_t leaf_of_records() {
    return page_of(kLeafPage, [&](std::size_t at) {
      return get<std::uint16_t>(bytes_, at + 12) > 16 + 8 && bytes_[node(at, 0) + 8] == '\0' &&
             get<std::uint16_t>(bytes_, node(at, 0) + 6) == 20;
    });
  }
  /// A page is in use when it is missed.
  bool is_used(std::size_t at) {
    std::string without = bytes_;
    std::fill_n(without.begin() + static_cast<std::ptrdiff_t>(at), kPageBytes, '\0');
    write_content(file(), without);
    const bool used = !check().sound();
    write_content(file(), bytes_);
    return used;
  }
  std::size_t node(std::size_t page, std::size_t index) {
    return page + get<std::uint16_t>(bytes_, page + 16 + 2 * index);
  }
  /// The changed bytes have a finding on page `page` at byte `offset`, and it says `what`.
  void expect_found(const std::string& changed, std::size_t page, std::size_t offset,
                    const std::string& what) {
    write_content(file(), changed);
    const PageReport report = check();
    EXPECT_FALSE(report.sound()) << what;
    const bool found = std::ranges::any_of(report.findings, [&](const PageFinding& finding) {
      return finding.page == page / kPageBytes && finding.offset == offset &&
             finding.what.find(what) != std::string::npos && !finding.remedy.empty();
    });
    EXPECT_TRUE(found) << "page " << page / kPageBytes << " at " << offset << ": " << what
                       << "\n  found: " << words_of(report);
    write_content(file(), bytes_);
  }
  template <class T>
  void expect_found(std::size_t at, T number, std::size_t page, std::size_t offset,
                    const std::string& what) {
    std::string changed = bytes_;
    set(changed, at, number);
    expect_found(changed, page, offset, what);
  }

  TemporaryDirectory directory_;
  std::string bytes_;
  std::size_t meta_ = 0;  ///< Where the newer meta page begins.
};

TEST_F(PageCheckerTest, FindsDamagedHeaders) {
  const std::size_t leaf = page_of(kLeafPage);
  expect_found<std::uint64_t>(leaf, 77, leaf, leaf, "calls itself page 77");
  expect_found<std::uint16_t>(leaf + 10, 1, leaf, leaf + 10, "is a branch page, and should be a");
  expect_found<std::uint16_t>(leaf + 10, 0x12, leaf, leaf + 10, "is a page of flags 18");
  expect_found<std::uint16_t>(leaf + 12, 5000, leaf, leaf + 12, "has its free room from 5000");
  expect_found<std::uint16_t>(leaf + 12, 16, leaf, leaf + 12, "has 0 nodes, and needs 1");
  expect_found<std::uint16_t>(leaf + 14, 4097, leaf, leaf + 12, "which can't be");
  const std::size_t branch = page_of(kBranchPage);
  expect_found<std::uint16_t>(branch + 12, 18, branch, branch + 12, "has 1 nodes, and needs 2");
}

TEST_F(PageCheckerTest, FindsDamagedNodes) {
  const std::size_t leaf = leaf_of_records();
  const auto first = get<std::uint16_t>(bytes_, leaf + 16);
  expect_found<std::uint16_t>(leaf + 18, 40, leaf, leaf + 18, "has a node 1 at 40, where none can");
  expect_found<std::uint16_t>(leaf + 18, first, leaf, leaf + 18, "has a node 1 where another");
  const std::size_t at = node(leaf, 1);
  expect_found<std::uint16_t>(at + 6, 0, leaf, at + 6, "has a node 1 with a key of 0 bytes");
  expect_found<std::uint16_t>(at + 6, 600, leaf, at + 6, "has a node 1 with a key of 600 bytes");
  expect_found<std::uint32_t>(at, 5000, leaf, at, "which ends outside");
  expect_found<std::uint16_t>(at + 4, 4, leaf, at, "has an entry of flags 4");
  expect_found<std::uint16_t>(at + 4, 2, leaf, at, "has the record of a tree where none");
  std::string changed = bytes_;
  set(changed, at, get<std::uint32_t>(bytes_, at) - 6);
  write_content(file(), changed);
  EXPECT_NE(words_of(check()).find("belongs to no node"), std::string::npos) << words_of(check());
}

TEST_F(PageCheckerTest, FindsKeysOutOfOrder) {
  const std::size_t leaf = leaf_of_records();
  const std::size_t second = node(leaf, 1);
  std::string changed = bytes_;
  changed[second + 8] = '\x7f';
  expect_found(changed, leaf, node(leaf, 2), "has key 2 out of order");
  const std::size_t last = node(leaf, (get<std::uint16_t>(bytes_, leaf + 12) - 16U) / 2U - 1);
  changed = bytes_;
  changed[last + 8] = '\x7f';
  write_content(file(), changed);
  const std::string words = words_of(check());
  EXPECT_NE(words.find("has keys that belong to the page behind it"), std::string::npos) << words;
}

TEST_F(PageCheckerTest, FindsPagesUsedTwiceOrNowhere) {
  const std::size_t branch = page_of(kBranchPage);
  const std::size_t first = node(branch, 0);
  const std::size_t second = node(branch, 1);
  const auto child = get<std::uint32_t>(bytes_, first);
  expect_found<std::uint32_t>(second, child, branch, second, "which is in use elsewhere too");
  expect_found<std::uint32_t>(second, 1, branch, second, "and there are pages 2 to");
  expect_found<std::uint16_t>(second + 4, 1, branch, second, "leads to page 4294967");
  const std::size_t value = page_of(kOverflowPage);
  expect_found<std::uint32_t>(value + 12, 4, value, value + 12, "counts 4 pages for a value");
  expect_found<std::uint32_t>(value + 12, 0x7FFFFFFF, value, value, "leads to 2147483646 pages");
  expect_found<std::uint64_t>(value, 3, value, value, "calls itself page 3");
  expect_found<std::uint16_t>(value + 10, 2, value, value + 10, "should be an overflow page");
}

TEST_F(PageCheckerTest, FindsLiesInTheFreeList) {
  const PageNumber root = get<std::uint64_t>(bytes_, meta_ + 40 + 40);
  const std::size_t page = root * kPageBytes;
  const std::size_t count = (get<std::uint16_t>(bytes_, page + 12) - 16U) / 2U;
  std::size_t at = 0;
  for (std::size_t i = 0; i < count; ++i)
    if (get<std::uint64_t>(bytes_, node(page, i) + 16) >= 2) at = node(page, i);
  ASSERT_NE(at, 0U) << "no list of two pages";
  const std::size_t list = at + 16;
  const auto highest = get<std::uint64_t>(bytes_, list + 8);
  expect_found<std::uint64_t>(list, 500, page, at, "has a list of 500 free pages");
  expect_found<std::uint64_t>(list + 16, highest, page, at, "that is out of order");
  expect_found<std::uint64_t>(list + 8, 1'000'000, page, at, "calls page 1000000 free, and there");
  expect_found<std::uint64_t>(list + 8, root, page, at, "free, which is in use");
  expect_found<std::uint64_t>(at + 8, 1'000'000, page, at, "that transaction 1000000 freed");
  std::string changed = bytes_;
  const std::size_t leaf = page_of(kLeafPage, [&](std::size_t used) {
    return used / kPageBytes != root && used / kPageBytes > get<std::uint64_t>(bytes_, list + 16);
  });
  set<std::uint64_t>(changed, list + 8, leaf / kPageBytes);
  write_content(file(), changed);
  EXPECT_NE(words_of(check()).find("which is in the free list too"), std::string::npos);
  // One less is a page that nobody has: no damage, but told.
  changed = bytes_;
  set<std::uint64_t>(changed, list, get<std::uint64_t>(bytes_, list) - 1);
  write_content(file(), changed);
  EXPECT_TRUE(check().sound()) << words_of(check());
  EXPECT_EQ(check().pages_lost, 1U);
}

TEST_F(PageCheckerTest, FindsRecordsThatCountOtherwise) {
  const std::size_t main = meta_ + 88;
  const std::size_t page = get<std::uint64_t>(bytes_, main + 40) * kPageBytes;
  const std::size_t meta = meta_;
  expect_found<std::uint16_t>(main + 4, 4, meta, main, "says that the main tree has flags 4");
  expect_found<std::uint16_t>(main + 6, 99, meta, main, "gives the tree a depth of 99");
  expect_found<std::uint16_t>(main + 6, 2, page, page + 10, "is a leaf page, and should be");
  expect_found<std::uint64_t>(main + 8, 5, meta, main, "counts 5 branch pages in the tree");
  expect_found<std::uint64_t>(main + 16, 5, meta, main, "counts 5 leaf pages in the tree");
  expect_found<std::uint64_t>(main + 24, 5, meta, main, "counts 5 overflow pages in the tree");
  expect_found<std::uint64_t>(main + 32, 5, meta, main, "counts 5 entries in the tree");
  expect_found<std::uint64_t>(main + 40, kNoPage, meta, main, "levels in the tree");
  // Of a table, in the main tree's page.
  const std::size_t record = bytes_.find("sessions", page) + 8;
  ASSERT_LT(record, page + kPageBytes);
  expect_found<std::uint64_t>(record + 32, 7, page, record, "counts 7 entries in the tree");
  expect_found<std::uint16_t>(record + 4, 4, page, record, "the table 'sessions' has flags 4");
  std::string changed = bytes_;
  changed.replace(record - 8, 8, "sessionz");
  expect_found(changed, meta, main,
               "leads to " + std::to_string(kTableCount - 2) + " of the journal's tables, not " +
                   std::to_string(kTableCount - 1));
  changed = bytes_;
  changed[record - 16 + 4] = '\0';
  expect_found(changed, page, record - 16, "has a value where the record of a table should be");
}

TEST_F(PageCheckerTest, FindsDamagedMetaPages) {
  const auto newest = get<std::uint64_t>(bytes_, meta_ + 144);
  for (const std::size_t page : {std::size_t{0}, kPageBytes}) {
    expect_found<std::uint32_t>(page + 16, 0x12345678, page, page + 16, "does not begin as LMDB's");
    expect_found<std::uint32_t>(page + 20, 7, page, page + 20,
                                "file version 7, which there is not");
    expect_found<std::uint16_t>(page + 10, 2, page, page + 10, "is no meta page");
    expect_found<std::uint64_t>(page, 9, page, page, "calls itself page 9");
    expect_found<std::uint32_t>(page + 40, 4097, page, page + 40, "names a page size of 4097");
    // Either way LMDB would follow another state.
    expect_found<std::uint64_t>(page + 144, newest + 8, kPageBytes, kPageBytes + 144,
                                "which can't both be the last ones");
  }
  const std::size_t newer = meta_;
  expect_found<std::uint64_t>(newer + 136, 1U << 20U, newer, newer + 136, "as the last page");
  expect_found<std::uint64_t>(newer + 32, 4096, newer, newer + 32, "names a map of 4096 bytes");
  expect_found<std::uint16_t>(newer + 44, 9, newer, newer + 44, "of the free list that its flags");
  std::string changed = bytes_;
  set<std::uint64_t>(changed, newer + 136, get<std::uint64_t>(bytes_, newer + 136) + 1);
  const std::size_t behind = bytes_.size();
  expect_found(changed, behind, behind, "is not there and not free");
}

TEST_F(PageCheckerTest, FindsAFileThatWasCutOff) {
  expect_found("", 0, 0, "is not whole: the file was cut off, it has 0 bytes");
  expect_found(bytes_.substr(0, 100), 0, 0, "is not whole");
  expect_found(bytes_.substr(0, 4200), kPageBytes, kPageBytes, "is not whole");
  const std::size_t last = bytes_.size() - kPageBytes;
  ASSERT_TRUE(is_used(last));
  write_content(file(), bytes_.substr(0, bytes_.size() - 1));
  EXPECT_NE(words_of(check()).find("the file was cut off"), std::string::npos);
  write_content(file(), bytes_.substr(0, bytes_.size() / 2));
  EXPECT_NE(words_of(check()).find("the file was cut off"), std::string::npos);
}

TEST_F(PageCheckerTest, TellsForeignFilesApart) {
  expect_found("Dear diary, " + std::string(5000, '.'), 0, 16, "does not begin as LMDB's");
  std::string changed = bytes_;
  std::reverse(changed.begin() + 16, changed.begin() + 20);
  write_content(file(), changed);
  const auto swapped = check_pages(file());
  EXPECT_EQ(swapped.error().code, Code::unsupported);
  EXPECT_NE(swapped.error().message.find("big-endian"), std::string::npos);
  EXPECT_NE(swapped.error().message.find(file().string()), std::string::npos);
  changed = bytes_;
  set<std::uint32_t>(changed, 20, 2);
  write_content(file(), changed);
  const auto newer = check_pages(file());
  EXPECT_EQ(newer.error().code, Code::newer_format);
  EXPECT_NE(newer.error().message.find("use a newer Perdure"), std::string::npos);
  // Another page size, which the rest of the file does not have.
  changed = bytes_;
  set<std::uint32_t>(changed, 40, 8192);
  write_content(file(), changed);
  EXPECT_FALSE(check().sound());
}

TEST_F(PageCheckerTest, SaysWhatItCannotRead) {
  fs::remove(file());
  EXPECT_EQ(check_pages(file()).error().code, Code::not_found);
  fs::create_directory(file());
  EXPECT_EQ(check_pages(file()).error().code, Code::corrupt);
  fs::remove(file());
  ASSERT_EQ(::mkfifo(file().c_str(), 0600), 0);
  EXPECT_EQ(check_pages(file()).error().code, Code::corrupt);
  fs::remove(file());
  write_content(file(), bytes_);
  fs::permissions(file(), fs::perms::owner_read);
  EXPECT_TRUE(check().sound()) << "it only reads";
}

TEST_F(PageCheckerTest, SaysThatItMayNotRead) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  fs::permissions(file(), fs::perms::none);
  const auto refused = check_pages(file());
  EXPECT_EQ(refused.error().code, Code::misuse);
  EXPECT_NE(refused.error().message.find("right to read it"), std::string::npos);
}

TEST_F(PageCheckerTest, KeepsOnlySoManyFindingsAndStopsWhenTold) {
  std::string changed = bytes_;
  for (std::size_t at = 2 * kPageBytes; at < changed.size(); at += kPageBytes) changed[at] ^= 64;
  const std::size_t main = get<std::uint64_t>(bytes_, meta_ + 88 + 40) * kPageBytes;
  changed[main] ^= 64;
  write_content(file(), changed);
  const PageReport few = check({.findings_max = 2, .stop = {}, .hold = {}});
  EXPECT_EQ(few.findings.size(), 2U);
  EXPECT_GT(few.findings_count, 5U);
  EXPECT_TRUE(few.complete);
  const PageReport stopped = check({.stop = [] { return true; }, .hold = {}});
  EXPECT_FALSE(stopped.complete);
  EXPECT_LT(stopped.findings_count, few.findings_count);
}

TEST_F(PageCheckerTest, HoldsValuesAgainstTheirEnvelopes) {
  const PageCheckOptions values{.values = PageValues::check, .stop = {}, .hold = {}};
  const auto count = [](const VerifyReport& report, Table table) {
    return report.rows[static_cast<std::size_t>(table) - 1];
  };
  PageReport report = check(values);
  EXPECT_EQ(report.values.runs, 61U);
  EXPECT_EQ(report.values.records, 243U);
  EXPECT_EQ(count(report.values, Table::ready), 62U);
  EXPECT_TRUE(report.values.sound()) << report.values.findings[0].what;
  std::string changed = bytes_;
  const std::size_t value = page_of(kOverflowPage);
  changed[value + 10'000] ^= 1;
  write_content(file(), changed);
  report = check(values);
  EXPECT_TRUE(report.sound());
  ASSERT_EQ(report.values.findings.size(), 1U);
  EXPECT_NE(report.values.findings[0].what.find("checksum"), std::string::npos);
  EXPECT_EQ(report.values.findings[0].table, Table::ready);
  EXPECT_TRUE(check().values.sound()) << "they were not to be looked at";
}

}  // namespace
}  // namespace perdure::journal
