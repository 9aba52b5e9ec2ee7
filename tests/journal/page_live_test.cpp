// A writer at work is no damage, and opening for writing after an unclean end looks first.

#include "core/clock.hpp"
#include "core/limits.hpp"
#include "journal/directory.hpp"
#include "tests/journal/page_fixture.hpp"

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <functional>
#include <thread>

namespace perdure::journal {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kPageBytes = 4096;

class LivePagesTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(LmdbStore::create(directory_.path())); }
  [[nodiscard]] fs::path file() const { return directory_.path() / "data.mdb"; }

  TemporaryDirectory directory_;
};

/// A writer that never rests.
void write_while(Store& store, const std::function<bool()>& goes_on) {
  RandomChanges changes(store, 11);
  while (goes_on())
    if (!changes.commit(30)) return;
}

TEST_F(LivePagesTest, AWriterOfThisProcessIsNoDamage) {
  const auto store = LmdbStore::open(directory_.path(), LmdbAccess::write).value();
  std::atomic<bool> wanted{true};
  std::atomic<bool> running{true};
  std::atomic<int> commits{0};
  std::thread writer([&] {
    write_while(*store, [&] {
      ++commits;
      return wanted.load();
    });
    running = false;
  });
  const auto hold = LmdbHold::open(directory_.path(), LmdbAccess::read).value();
  std::uint64_t last = 0;
  for (int seen = 0; seen < 60 || commits.load() < 200; ++seen) {
    const auto report = check_pages(
        file(), {.values = PageValues::check, .stop = {}, .hold = [&] { return hold->renew(); }});
    EXPECT_TRUE(report) << report.error().message;
    EXPECT_TRUE(running.load()) << "the writer ended by itself";
    if (testing::Test::HasFailure()) break;
    EXPECT_TRUE(report.assume_value().sound()) << words_of(report.assume_value());
    EXPECT_GE(report.assume_value().transaction, last);
    last = report.assume_value().transaction;
  }
  wanted = false;
  writer.join();
}

TEST_F(LivePagesTest, AWriterOfAnotherProcessIsNoDamage) {
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) {
    const auto store = LmdbStore::open(directory_.path(), LmdbAccess::write);
    if (store) write_while(*store.value(), [&] { return ::getppid() == parent; });
    ::_exit(1);
  }
  const auto hold = LmdbHold::open(directory_.path(), LmdbAccess::read).value();
  const std::uint64_t first = hold->renew().value();
  std::uint64_t last = first;
  int status = 0;
  for (int seen = 0; seen < 60 || last < first + 100; ++seen) {
    const auto report = check_pages(file(), {.stop = {}, .hold = [&] { return hold->renew(); }});
    EXPECT_TRUE(report) << report.error().message;
    EXPECT_EQ(::waitpid(child, &status, WNOHANG), 0) << "the writer ended by itself";
    if (testing::Test::HasFailure()) break;
    EXPECT_TRUE(report.value().sound()) << words_of(report.value());
    last = report.value().transaction;
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, &status, 0);
}

/// A clock that goes on by `step` whenever somebody looks.
class HurryingClock final : public core::Clock {
 public:
  core::WallTime wall() override { return calm_.wall(); }
  core::Elapsed elapsed() override { return now_ += step; }
  core::Elapsed step{0};

 private:
  core::ManualClock calm_;
  core::Elapsed now_{0};
};

class UncleanEndTest : public testing::Test {
 protected:
  enum class End : std::uint8_t { clean, unclean };
  /// A journal of some runs, with a damaged page of `records` that opening does not come by.
  void make(End end) {
    {
      const auto journal = JournalForWriting::open(path(), clock_, random_).value();
      TestRows rows;
      for (std::uint64_t run = 0; run < 100; ++run)
        rows.run(run, 4, RunStatus::running).session(run).ready(run);
      ASSERT_TRUE(rows.commit(journal->store()));
      if (end == End::clean) {
        ASSERT_TRUE(journal->close_cleanly(400, 200));
      }
    }
    // The second opening brings what the first left in the log into the file, and does not end.
    if (end == End::unclean) {
      ASSERT_TRUE(JournalForWriting::open(path(), clock_, random_));
    }
    bytes_ = content_of(file());
    for (std::size_t at = kPageBytes * 2; at < bytes_.size(); at += kPageBytes) {
      std::string changed = bytes_;
      changed[at + 1] ^= 64;
      write_content(file(), changed);
      const PageReport report = check_journal_pages(path()).value();
      if (report.findings.size() == 1 && report.findings[0].tree == "records") {
        page_ = at / kPageBytes;
        return;
      }
    }
    FAIL() << "no page of records";
  }
  [[nodiscard]] fs::path path() const { return directory_.path() / "trips.journal"; }
  [[nodiscard]] fs::path file() const { return path() / "generation-000001" / "data.mdb"; }

  TemporaryDirectory directory_;
  HurryingClock clock_;
  core::SeededRandom random_{1};
  std::string bytes_;
  std::size_t page_ = 0;
};

TEST_F(UncleanEndTest, OpeningForWritingFindsDamagedPages) {
  make(End::unclean);
  const auto opened = JournalForWriting::open(path(), clock_, random_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::corrupt);
  for (const std::string& part :
       {file().string(), "page " + std::to_string(page_) + " calls itself page ",
        "at byte " + std::to_string(page_ * kPageBytes), std::string("restore the journal"),
        "perdure verify --journal " + path().string()})
    EXPECT_NE(opened.error().message.find(part), std::string::npos) << opened.error().message;
  write_content(file(), bytes_);
  EXPECT_TRUE(JournalForWriting::open(path(), clock_, random_));
}

TEST_F(UncleanEndTest, ACleanEndNeedsNoCheck) {
  make(End::clean);
  EXPECT_TRUE(JournalForWriting::open(path(), clock_, random_));
}

TEST_F(UncleanEndTest, TheCheckEndsWhenItsTimeIsOver) {
  make(End::unclean);
  clock_.step = core::limits::kPageCheck;
  EXPECT_TRUE(JournalForWriting::open(path(), clock_, random_));
}

TEST_F(UncleanEndTest, ReadersHoldALiveJournal) {
  const auto journal = JournalForWriting::open(path(), clock_, random_).value();
  const PageReport report = check_journal_pages(path()).value();
  EXPECT_TRUE(report.sound()) << words_of(report);
  EXPECT_EQ(check_journal_pages(directory_.path()).error().code, Code::not_found);
}

TEST_F(UncleanEndTest, AFileThatIsGoneIsSaid) {
  {
    ASSERT_TRUE(JournalForWriting::open(path(), clock_, random_));
  }
  fs::remove(file());
  const auto gone = check_journal_pages(path());
  EXPECT_EQ(gone.error().code, Code::corrupt);
  EXPECT_NE(gone.error().message.find(file().string()), std::string::npos);
}

}  // namespace
}  // namespace perdure::journal
