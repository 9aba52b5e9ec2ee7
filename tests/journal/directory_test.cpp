// Journal directories: coming into being at any crash, one writer, any readers, and what is
// refused.

#include "journal/directory.hpp"

#include "core/clock.hpp"
#include "core/random.hpp"
#include "journal/file_system.hpp"
#include "journal/generation.hpp"
#include "journal/lmdb_store.hpp"
#include "journal/memory_store.hpp"
#include "tests/journal/journal_fixture.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <sstream>

namespace perdure::journal {
namespace {

namespace fs = std::filesystem;

class DirectoryTest : public testing::Test {
 protected:
  [[nodiscard]] fs::path journal() const { return directory_.path() / "trips.journal"; }
  [[nodiscard]] fs::path generation() const { return journal() / "generation-000001"; }
  Result<std::unique_ptr<JournalForWriting>> open() {
    return JournalForWriting::open(journal(), clock_, random_);
  }
  static void write(const fs::path& file, std::string_view text) {
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
  }
  static std::string read(const fs::path& file) {
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    return text.str();
  }
  /// It is a journal that can be written and read.
  void expect_works() {
    const auto opened = open();
    ASSERT_TRUE(opened) << opened.error().message;
    TestRows rows(opened.value()->last_number() + 1);
    rows.run(1, 2, RunStatus::running);
    ASSERT_TRUE(rows.commit(opened.value()->store()));
    EXPECT_EQ(read(journal() / "CURRENT"), "perdure-journal 1\ngeneration-000001\n");
    for (const auto& entry : fs::directory_iterator(journal()))
      EXPECT_FALSE(entry.path().filename().string().ends_with(".new")) << entry.path();
  }

  TemporaryDirectory directory_;
  core::ManualClock clock_;
  core::SeededRandom random_{1};
};

TEST_F(DirectoryTest, MakesAJournalAndOpensItAgain) {
  core::Hash128 id;
  {
    const auto first = open().value();
    EXPECT_TRUE(first->was_clean());
    EXPECT_EQ(first->last_number(), 0U);
    EXPECT_EQ(first->last_stamp(), 0);
    id = first->id();
    EXPECT_NE(id, core::Hash128{});
    Reader reader = Reader::open(first->store()).value();
    EXPECT_EQ(reader.identity().value()->journal, id);
    EXPECT_EQ(reader.identity().value()->created, clock_.wall().time_since_epoch().count());
    EXPECT_EQ(reader.counters().value()->epoch, 1U);
    EXPECT_EQ(reader.counters().value()->clean, 0U);
    ASSERT_TRUE(first->close_cleanly(17, 99));
  }
  const auto second = open().value();
  EXPECT_TRUE(second->was_clean());
  EXPECT_EQ(second->last_number(), 17U);
  EXPECT_EQ(second->last_stamp(), 99);
  EXPECT_EQ(second->id(), id);
  Reader reader = Reader::open(second->store()).value();
  EXPECT_EQ(reader.counters().value()->epoch, 2U);
}

TEST_F(DirectoryTest, KnowsTheLastNumberAndStampAfterAnUncleanEnd) {
  std::uint64_t incarnation = 0;
  {
    const auto first = open().value();
    TestRows rows;
    rows.run(1, 5, RunStatus::running);
    ASSERT_TRUE(rows.commit(first->store()));
    TestRows more(6);
    more.run(2, 1, RunStatus::running);  // An older stamp does not set it back.
    ASSERT_TRUE(more.commit(first->store(), Durability::none));
    Reader reader = Reader::open(first->store()).value();
    incarnation = reader.counters().value()->incarnation;
  }
  const auto second = open().value();
  EXPECT_FALSE(second->was_clean());
  EXPECT_EQ(second->last_number(), 6U);
  EXPECT_EQ(second->last_stamp(), 104);
  Reader reader = Reader::open(second->store()).value();
  EXPECT_NE(reader.counters().value()->incarnation, incarnation);
}

TEST_F(DirectoryTest, ABatchThatFailedLeavesTheCounters) {
  MemoryStore memory;
  {
    const auto journal = JournalForWriting::open_in(memory, clock_, random_).value();
    memory.fill_disk();
    TestRows rows;
    rows.run(1, 5, RunStatus::running);
    EXPECT_EQ(rows.commit(journal->store()).error().code, Code::storage_full);
    memory.free_room();
    TestRows fewer;
    fewer.run(1, 2, RunStatus::running);
    ASSERT_TRUE(fewer.commit(journal->store()));
  }
  EXPECT_EQ(JournalForWriting::open_in(memory, clock_, random_).value()->last_number(), 2U);
}

TEST_F(DirectoryTest, CountersTakeTheirPlaceAmongOtherRowsOfMeta) {
  MemoryStore memory;
  const auto journal = JournalForWriting::open_in(memory, clock_, random_).value();
  TestRows rows;
  rows.put(Table::meta, Key{}.add(std::uint32_t{1}), Identity{{1, 2}, 3, "x"});
  rows.put(Table::meta, Key{}.add(std::uint32_t{9}), Identity{{4, 5}, 6, "y"});
  rows.put(Table::runs, Key{}.add(run_id(1)), RunRow{});
  ASSERT_TRUE(rows.commit(journal->store()));
  const auto snapshot = memory.snapshot().value();
  EXPECT_EQ(rows_of(*snapshot, Table::meta).size(), 3U);
}

TEST_F(DirectoryTest, OnlyItsOwnerMayReadIt) {
  ASSERT_TRUE(open());
  struct stat status{};
  ASSERT_EQ(::stat(journal().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
  ASSERT_EQ(::stat((generation() / "data.mdb").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0077U, 0U);
}

// What a crash can leave at each step of coming into being.

TEST_F(DirectoryTest, GoesOnFromAnEmptyDirectory) {
  fs::create_directory(journal());
  expect_works();
}
TEST_F(DirectoryTest, GoesOnFromALockAlone) {
  write(journal() / "LOCK", "pid 1\n");
  expect_works();
}
TEST_F(DirectoryTest, GoesOnFromAnUnfinishedGeneration) {
  fs::create_directories(journal() / "generation-000001.new");
  expect_works();
}
TEST_F(DirectoryTest, GoesOnFromAGenerationWithHalfAFile) {
  write(journal() / "generation-000001.new" / "data.mdb", std::string(3000, 'x'));
  expect_works();
}
TEST_F(DirectoryTest, GoesOnFromAGenerationWithoutRows) {
  fs::create_directories(journal() / "generation-000001.new");
  ASSERT_TRUE(LmdbStore::create(journal() / "generation-000001.new"));
  expect_works();
}
TEST_F(DirectoryTest, GoesOnFromAGenerationThatCurrentDoesNotName) {
  ASSERT_TRUE(open());
  fs::remove_all(generation());
  fs::remove(journal() / "CURRENT");
  fs::create_directories(generation());
  ASSERT_TRUE(Generation::create(generation(), clock_, random_));
  EXPECT_EQ(JournalForReading::open(journal()).error().code, Code::not_found);
  expect_works();
}
TEST_F(DirectoryTest, GoesOnFromAnUnfinishedCurrent) {
  fs::create_directories(generation());
  ASSERT_TRUE(Generation::create(generation(), clock_, random_));
  write(journal() / "CURRENT.new", "perdure-jour");
  expect_works();
}

TEST_F(DirectoryTest, AJournalThatLostCurrentIsNotMadeAnew) {
  ASSERT_TRUE(open());
  fs::remove(journal() / "CURRENT");
  const auto opened = open();
  EXPECT_EQ(opened.error().code, Code::corrupt);
  EXPECT_NE(opened.error().message.find("'generation-000001'"), std::string::npos);
  // The remedy in the message works.
  write(journal() / "CURRENT", "perdure-journal 1\ngeneration-000001\n");
  expect_works();
}

// What is refused.

TEST_F(DirectoryTest, ADirectoryOfSomethingElseStaysAsItIs) {
  write(journal() / "thesis.txt", "mine");
  const auto opened = open();
  EXPECT_EQ(opened.error().code, Code::misuse);
  EXPECT_NE(opened.error().message.find("thesis.txt"), std::string::npos);
  EXPECT_FALSE(fs::exists(journal() / "LOCK"));
}

TEST_F(DirectoryTest, AFileIsNoJournal) {
  write(journal(), "mine");
  EXPECT_EQ(open().error().code, Code::misuse);
  EXPECT_EQ(JournalForReading::open(journal()).error().code, Code::misuse);
  EXPECT_EQ(read(journal()), "mine");
}

TEST_F(DirectoryTest, TheParentMustExist) {
  const auto opened = JournalForWriting::open(journal() / "deeper" / "still", clock_, random_);
  EXPECT_EQ(opened.error().code, Code::misuse);
  EXPECT_NE(opened.error().message.find("Make that first"), std::string::npos);
  EXPECT_EQ(JournalForWriting::open("", clock_, random_).error().code, Code::misuse);
  EXPECT_EQ(JournalForReading::open("").error().code, Code::misuse);
}

TEST_F(DirectoryTest, ReadingWhatIsNotThereMakesNothing) {
  EXPECT_EQ(JournalForReading::open(journal()).error().code, Code::not_found);
  EXPECT_FALSE(fs::exists(journal()));
}

TEST_F(DirectoryTest, CurrentIsHeldAgainstItsGrammar) {
  ASSERT_TRUE(open());
  const auto code = [&](std::string_view text) {
    write(journal() / "CURRENT", text);
    const Code writing = open().error().code;
    EXPECT_EQ(JournalForReading::open(journal()).error().code, writing) << text;
    return writing;
  };
  EXPECT_EQ(code("perdure-journal 2\nwhatever\n"), Code::newer_format);
  for (const std::string_view text :
       {"", "perdure-journal 1", "perdure-journal 1\n", "perdure-journal 1\ngeneration-000001",
        "perdure-journal 0\ngeneration-000001\n", "perdure-journal x\ngeneration-000001\n",
        "perdure-journal 1\n../../etc\n", "perdure-journal 1\ngeneration-1\n",
        "perdure-journal 1\ngeneration-00000a\n", "perdure-journal 1\ngeneration-000002\n",
        "perdure-journal 1\ngeneration-000001\nmore\n", "sqlite 3\n"})
    EXPECT_EQ(code(text), Code::corrupt) << text;
}

TEST_F(DirectoryTest, DataThatIsNotAJournalsIsRefusedWithThePlace) {
  ASSERT_TRUE(open());
  const fs::path data = generation() / "data.mdb";
  const std::string good = read(data);
  const auto refused = [&](const std::string& text) {
    write(data, text);
    const auto opened = open();
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Code::corrupt) << opened.error().message;
    EXPECT_NE(opened.error().message.find("data.mdb"), std::string::npos);
    EXPECT_EQ(JournalForReading::open(journal()).error().code, Code::corrupt);
  };
  refused("");
  refused("hello");
  refused(std::string(20000, 'x'));
  for (std::size_t size = 0; size < good.size(); size += 4096) refused(good.substr(0, size));
  refused(good.substr(0, good.size() - 1));
  fs::remove(data);
  EXPECT_EQ(open().error().code, Code::corrupt);
  EXPECT_EQ(JournalForReading::open(journal()).error().code, Code::corrupt);
  write(data, good);
  EXPECT_TRUE(open());
}

TEST_F(DirectoryTest, NetworkFileSystemsAreKnown) {
  EXPECT_EQ(network_file_system(0x6969, "nfs4"), "NFS");
  EXPECT_EQ(network_file_system(0xFF534D42, "cifs"), "CIFS");
  EXPECT_EQ(network_file_system(0x01021997, "9p"), "9p");
  EXPECT_EQ(network_file_system(0x65735546, "fuse.sshfs"), "sshfs");
  EXPECT_EQ(network_file_system(0x65735546, "fuse.s3fs"), "s3fs");
  EXPECT_EQ(network_file_system(0x65735546, "fuse.mergerfs"), "");
  EXPECT_EQ(network_file_system(0xEF53, "ext4"), "");
  EXPECT_EQ(network_file_system(0x01021994, "tmpfs"), "");
  EXPECT_TRUE(check_file_system(directory_.path()));
}

// One writer, any readers.

TEST_F(DirectoryTest, ASecondWriterInThisProcessIsRefused) {
  const auto first = open().value();
  const auto second = open();
  ASSERT_EQ(second.error().code, Code::held);
  EXPECT_NE(
      second.error().message.find("process " + std::to_string(::getpid()) + ", which is this one"),
      std::string::npos)
      << second.error().message;
}

/// Runs `body` in a child and returns what it exits with.
template <class Body>
int in_child(Body&& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(DirectoryTest, ASecondWriterInAnotherProcessIsRefusedAndNamesTheHolder) {
  std::array<int, 2> ready{};
  std::array<int, 2> finish{};
  ASSERT_EQ(::pipe(ready.data()), 0);
  ASSERT_EQ(::pipe(finish.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto opened = open();
    char mark = opened ? 'y' : 'n';
    if (::write(ready[1], &mark, 1) != 1) ::_exit(2);
    if (::read(finish[0], &mark, 1) != 1) ::_exit(3);
    ::_exit(0);
  }
  char mark = 'n';
  ASSERT_EQ(::read(ready[0], &mark, 1), 1);
  EXPECT_EQ(mark, 'y');
  const auto second = open();
  EXPECT_EQ(second.error().code, Code::held);
  EXPECT_NE(second.error().message.find("is held by process " + std::to_string(child) + " (/"),
            std::string::npos)
      << second.error().message;
  EXPECT_NE(second.error().message.find("since 2023-11-14 22:13:20 UTC"), std::string::npos);
  const auto reading = JournalForReading::open(journal()).value();
  EXPECT_TRUE(reading->holder()->starts_with("process " + std::to_string(child)));
  ASSERT_EQ(::write(finish[1], &mark, 1), 1);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  for (const int file : {ready[0], ready[1], finish[0], finish[1]}) ::close(file);
  EXPECT_FALSE(reading->holder());
}

TEST_F(DirectoryTest, ReadsWhileItIsWrittenAndAfterItsWriterDied) {
  // The writer dies without closing anything.
  ASSERT_EQ(in_child([&] {
              auto writer = open();
              if (!writer) return 1;
              TestRows rows;
              rows.run(1, 3, RunStatus::running);
              if (!rows.commit(writer.value()->store())) return 2;
              (void)writer.value().release();
              return 0;
            }),
            0);
  {
    const auto reading = JournalForReading::open(journal()).value();
    EXPECT_FALSE(reading->holder());
    Reader reader = Reader::open(reading->store()).value();
    EXPECT_EQ(reader.run(run_id(1)).value()->head.count, 3U);
    EXPECT_EQ(reader.counters().value()->last_number, 3U);
    // It may not write.
    TestRows rows;
    rows.run(2, 1, RunStatus::running);
    EXPECT_EQ(rows.commit(reading->store()).error().code, Code::misuse);
    // Another process writes while this one reads.
    ASSERT_EQ(in_child([&] {
                auto writer = open();
                if (!writer) return 1;
                TestRows more(4);
                more.run(2, 1, RunStatus::running);
                return more.commit(writer.value()->store()) ? 0 : 2;
              }),
              0);
    EXPECT_FALSE(reader.run(run_id(2)).value());
    Reader later = Reader::open(reading->store()).value();
    EXPECT_TRUE(later.run(run_id(2)).value());
  }
  EXPECT_EQ(open().value()->last_number(), 4U);
}

TEST_F(DirectoryTest, OneProcessReadsWhatItWrites) {
  const auto writing = open().value();
  const auto reading = JournalForReading::open(journal()).value();
  TestRows rows;
  rows.run(1, 3, RunStatus::running);
  ASSERT_TRUE(rows.commit(writing->store()));
  Reader reader = Reader::open(reading->store()).value();
  EXPECT_EQ(reader.run(run_id(1)).value()->head.count, 3U);
  EXPECT_EQ(rows.commit(reading->store()).error().code, Code::misuse);
  EXPECT_TRUE(reading->holder());
}

TEST_F(DirectoryTest, APathMayBeRelativeOrEndInASlash) {
  const fs::path before = fs::current_path();
  fs::current_path(directory_.path());
  {
    const auto opened = JournalForWriting::open("trips.journal/", clock_, random_);
    ASSERT_TRUE(opened) << opened.error().message;
  }
  fs::current_path(before);
  expect_works();
}

TEST_F(DirectoryTest, AnotherUserReadsAJournalThatNobodyWrites) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to become somebody else";
  ASSERT_TRUE(open());
  constexpr uid_t kNobody = 65534;
  fs::permissions(directory_.path(), fs::perms::others_all, fs::perm_options::add);
  const auto as_nobody = [&](Code expected) {
    return in_child([&] {
      if (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0) return 9;
      const auto reading = JournalForReading::open(journal());
      const Code got = reading ? Code::user : reading.error().code;
      if (got != expected) return 1;
      if (!reading) return reading.error().message.find("right to") == std::string::npos ? 3 : 0;
      Result<Reader> reader = Reader::open(reading.value()->store());
      return reader && reader.value().counters().value() ? 0 : 2;
    });
  };
  EXPECT_EQ(as_nobody(Code::misuse), 0);
  // May list and read everything, write nothing.
  fs::permissions(journal(), fs::perms::others_read | fs::perms::others_exec,
                  fs::perm_options::add);
  for (const auto& entry : fs::recursive_directory_iterator(journal()))
    fs::permissions(entry.path(),
                    entry.is_directory() ? fs::perms::others_read | fs::perms::others_exec
                                         : fs::perms::others_read,
                    fs::perm_options::add);
  EXPECT_EQ(as_nobody(Code::user), 0);
  {
    const auto writing = open().value();
    EXPECT_EQ(as_nobody(Code::misuse), 0);
  }
  fs::remove(generation() / "lock.mdb");
  EXPECT_EQ(as_nobody(Code::user), 0);
}

}  // namespace
}  // namespace perdure::journal
