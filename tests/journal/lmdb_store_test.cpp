// What is LMDB's own: sharing within a process, forks, readers, full disks and maps, file
// descriptors.

#include "journal/lmdb_store.hpp"
#include "journal/lmdb_file.hpp"
#include "tests/journal/store_fixture.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <functional>

namespace perdure::journal {
namespace {

namespace fs = std::filesystem;

class LmdbStoreTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(LmdbStore::create(path())); }
  [[nodiscard]] const fs::path& path() const { return directory_.path(); }
  [[nodiscard]] Result<std::unique_ptr<LmdbStore>> open(LmdbAccess access,
                                                        LmdbOptions options = {}) const {
    return LmdbStore::open(path(), access, options);
  }
  static Result<void> put(Store& store, std::uint64_t key, std::string value) {
    return TestBatch{}.put(Table::runs, number_key(key), std::move(value)).commit(store);
  }

 private:
  TemporaryDirectory directory_;
};

/// Runs `body` in a child; what it returns is its exit status.
int in_child(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

TEST_F(LmdbStoreTest, NothingThereIsNotFound) {
  EXPECT_EQ(LmdbStore::open(path() / "nowhere", LmdbAccess::write).error().code, Code::not_found);
  EXPECT_EQ(LmdbStore::open(path() / "nowhere", LmdbAccess::read).error().code, Code::not_found);
  EXPECT_FALSE(fs::exists(path() / "nowhere"));
}

TEST_F(LmdbStoreTest, ReadersOfAProcessShareTheWritersFile) {
  auto writer = open(LmdbAccess::write).value();
  const auto reader = open(LmdbAccess::read).value();
  ASSERT_TRUE(put(*writer, 1, "one"));
  EXPECT_EQ(value_at(*reader, Table::runs, number_key(1)), "one");
  EXPECT_EQ(put(*reader, 2, "two").error().code, Code::misuse);
  // The reader outlives the writer, and another writer comes.
  writer.reset();
  writer = open(LmdbAccess::write).value();
  ASSERT_TRUE(put(*writer, 2, "two"));
  EXPECT_EQ(value_at(*reader, Table::runs, number_key(2)), "two");
}

TEST_F(LmdbStoreTest, ASecondWriterInAProcessIsRefused) {
  const auto writer = open(LmdbAccess::write).value();
  EXPECT_EQ(open(LmdbAccess::write).error().code, Code::held);
  // By another path to the same file too.
  fs::create_directory_symlink(path(), path() / "other");
  EXPECT_EQ(LmdbStore::open(path() / "other", LmdbAccess::write).error().code, Code::held);
  ASSERT_TRUE(put(*writer, 1, "one"));
}

TEST_F(LmdbStoreTest, WritingAfterReadingIsRefusedWithTheRemedy) {
  auto reader = open(LmdbAccess::read).value();
  const auto refused = open(LmdbAccess::write);
  EXPECT_EQ(refused.error().code, Code::misuse);
  EXPECT_NE(refused.error().message.find("close the readers first"), std::string::npos);
  reader.reset();
  EXPECT_TRUE(open(LmdbAccess::write));
}

TEST_F(LmdbStoreTest, AForkedProcessIsRefusedAndDoesNoHarm) {
  auto writer = open(LmdbAccess::write).value();
  ASSERT_TRUE(put(*writer, 1, "one"));
  auto snapshot = writer->snapshot().value();
  EXPECT_EQ(in_child([&] {
              if (put(*writer, 1, "child").error().code != Code::misuse) return 1;
              if (writer->snapshot().error().code != Code::misuse) return 2;
              snapshot.reset();
              writer.reset();  // Must not free the parent's place in the reader table.
              const auto own = open(LmdbAccess::read);
              if (!own || value_at(*own.value(), Table::runs, number_key(1)) != "one") return 3;
              return 0;
            }),
            0);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(put(*writer, 1, std::to_string(i)));
  EXPECT_EQ(value_at(*snapshot, Table::runs, number_key(1)), "one");
}

TEST_F(LmdbStoreTest, TooManySnapshotsAreAnErrorAndEndWhenSomeAreClosed) {
  const auto store = open(LmdbAccess::write).value();
  std::vector<std::unique_ptr<Snapshot>> snapshots;
  for (unsigned i = 0; i < LmdbStore::kMaxReaders; ++i) {
    auto snapshot = store->snapshot();
    ASSERT_TRUE(snapshot) << i;
    snapshots.push_back(std::move(snapshot).value());
  }
  const auto refused = store->snapshot();
  EXPECT_EQ(refused.error().code, Code::misuse);
  EXPECT_NE(refused.error().message.find("At most 510 snapshots"), std::string::npos);
  snapshots.clear();
  EXPECT_TRUE(store->snapshot());
}

TEST_F(LmdbStoreTest, TheSlotsOfADeadReaderAreFreed) {
  // Both die without closing, holding every slot.
  EXPECT_EQ(in_child([&] {
              auto store = open(LmdbAccess::read).value();
              for (unsigned i = 0; i < LmdbStore::kMaxReaders; ++i)
                if (!store->snapshot().value().release()) return 1;
              (void)store.release();
              return 0;
            }),
            0);
  const auto store = open(LmdbAccess::write).value();
  EXPECT_EQ(in_child([&] {
              auto other = open(LmdbAccess::read);
              if (!other) return 1;
              for (unsigned i = 0; i < LmdbStore::kMaxReaders; ++i) {
                auto snapshot = other.value()->snapshot();
                if (!snapshot) return 2;
                (void)snapshot.value().release();
              }
              (void)other.value().release();
              return 0;
            }),
            0);
  EXPECT_TRUE(store->snapshot());
}

TEST_F(LmdbStoreTest, AFullMapLeavesThingsAsTheyWere) {
  const auto store = open(LmdbAccess::write, {.map_bytes = 1U << 20U}).value();
  std::uint64_t fitted = 0;
  for (;; ++fitted) {
    const Result<void> written = put(*store, fitted, std::string(50'000, 'x'));
    if (written) continue;
    EXPECT_EQ(written.error().code, Code::storage_full);
    EXPECT_NE(written.error().message.find("ulimit -v"), std::string::npos);
    break;
  }
  EXPECT_GT(fitted, 5U);
  EXPECT_EQ(value_at(*store, Table::runs, number_key(fitted)), "-");
  EXPECT_EQ(value_at(*store, Table::runs, number_key(fitted - 1)), std::string(50'000, 'x'));
  // With room again, work goes on.
  ASSERT_TRUE(TestBatch{}
                  .erase(Table::runs, number_key(0))
                  .erase(Table::runs, number_key(1))
                  .commit(*store));
  ASSERT_TRUE(put(*store, 900, "a"));
  ASSERT_TRUE(put(*store, 901, "b"));
  EXPECT_TRUE(put(*store, fitted, std::string(50'000, 'y')));
}

TEST_F(LmdbStoreTest, AFullDiskLeavesThingsAsTheyWere) {
  // A limit on the size of files stands in for the disk: it fails the same writes.
  EXPECT_EQ(in_child([&] {
              std::signal(SIGXFSZ, SIG_IGN);
              const auto store = open(LmdbAccess::write).value();
              if (!put(*store, 1, "before")) return 1;
              rlimit limit{};
              ::getrlimit(RLIMIT_FSIZE, &limit);
              limit.rlim_cur = 256U << 10U;
              ::setrlimit(RLIMIT_FSIZE, &limit);
              for (int i = 0; i < 3; ++i) {
                const auto full = put(*store, 2, std::string(1U << 20U, 'x'));
                if (full || full.error().code != Code::storage_full) return 2;
                if (value_at(*store, Table::runs, number_key(2)) != "-") return 3;
                if (!put(*store, 1, "small")) return 4;
              }
              limit.rlim_cur = limit.rlim_max;
              ::setrlimit(RLIMIT_FSIZE, &limit);
              return put(*store, 2, std::string(1U << 20U, 'x')) ? 0 : 5;
            }),
            0);
  const auto store = open(LmdbAccess::write).value();
  EXPECT_EQ(value_at(*store, Table::runs, number_key(1)), "small");
  EXPECT_TRUE(value_at(*store, Table::runs, number_key(2)) == std::string(1U << 20U, 'x'));
}

TEST_F(LmdbStoreTest, AFailedWriteEndsWriting) {
  EXPECT_EQ(in_child([&] {
              const auto store = open(LmdbAccess::write).value();
              if (!put(*store, 1, "before")) return 1;
              // The disk goes away below: every descriptor of the file becomes one that can't
              // write.
              const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
              for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
                std::error_code failed;
                if (fs::read_symlink(entry.path(), failed).filename() == "data.mdb")
                  ::dup2(null, std::stoi(entry.path().filename().string()));
              }
              const auto broken = put(*store, 2, "two");
              if (broken || broken.error().code != Code::storage_failed) return 2;
              const auto after = put(*store, 3, "three");
              if (after || after.error().code != Code::storage_failed) return 3;
              // What was there can still be read.
              return value_at(*store, Table::runs, number_key(1)) == "before" ? 0 : 4;
            }),
            0);
  const auto store = open(LmdbAccess::write).value();
  EXPECT_EQ(value_at(*store, Table::runs, number_key(1)), "before");
  EXPECT_EQ(value_at(*store, Table::runs, number_key(2)), "-");
}

TEST_F(LmdbStoreTest, ReaderFollowsAFileThatOutgrowsItsMap) {
  const auto reader = open(LmdbAccess::read, {.map_bytes = 1U << 20U}).value();
  EXPECT_EQ(value_at(*reader, Table::runs, number_key(1)), "-");
  EXPECT_EQ(in_child([&] {
              const auto writer = open(LmdbAccess::write);
              return writer && put(*writer.value(), 1, std::string(8U << 20U, 'x')) ? 0 : 1;
            }),
            0);
  EXPECT_EQ(value_at(*reader, Table::runs, number_key(1)).size(), 8U << 20U);
}

TEST_F(LmdbStoreTest, ReaderThatCannotFollowSaysWhatToDo) {
  const auto reader = open(LmdbAccess::read, {.map_bytes = 1U << 20U}).value();
  auto old = reader->snapshot().value();
  EXPECT_EQ(in_child([&] {
              const auto writer = open(LmdbAccess::write);
              return writer && put(*writer.value(), 1, std::string(8U << 20U, 'x')) ? 0 : 1;
            }),
            0);
  const auto refused = reader->snapshot();
  EXPECT_EQ(refused.error().code, Code::misuse);
  EXPECT_NE(refused.error().message.find("close its other snapshots"), std::string::npos);
  EXPECT_EQ(value_at(*old, Table::runs, number_key(1)), "-");
  old.reset();
  EXPECT_TRUE(reader->snapshot());
}

TEST_F(LmdbStoreTest, MapsLessWhereTheSystemGrantsLess) {
  const auto store = open(LmdbAccess::write, {.map_bytes = std::size_t{1} << 60U});
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_LT(store.value()->figures().map_bytes, std::size_t{1} << 60U);
  EXPECT_GE(store.value()->figures().map_bytes, std::size_t{1} << 30U);
  EXPECT_TRUE(put(*store.value(), 1, "one"));
}

TEST_F(LmdbStoreTest, NoDescriptorOutlivesAnExec) {
  const auto store = open(LmdbAccess::write).value();
  int of_ours = 0;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
    std::error_code failed;
    const fs::path file = fs::read_symlink(entry.path(), failed);
    if (file.parent_path() != fs::canonical(path())) continue;
    ++of_ours;
    const int flags = ::fcntl(std::stoi(entry.path().filename().string()), F_GETFD);
    EXPECT_NE(flags & FD_CLOEXEC, 0) << file;
  }
  EXPECT_EQ(of_ours, 3);  // data.mdb twice and lock.mdb.
}

TEST_F(LmdbStoreTest, FiguresGrow) {
  const auto store = open(LmdbAccess::write).value();
  const LmdbStore::Figures before = store->figures();
  EXPECT_EQ(before.map_bytes % 4096, 0U);
  ASSERT_TRUE(put(*store, 1, std::string(100'000, 'x')));
  const auto snapshot = store->snapshot().value();
  EXPECT_GE(store->figures().used_bytes, before.used_bytes + 100'000);
  EXPECT_GE(store->figures().reader_slots, 1U);
}

TEST_F(LmdbStoreTest, InspectsItsFile) {
  {
    const auto store = open(LmdbAccess::write).value();
    ASSERT_TRUE(put(*store, 1, std::string(100'000, 'x')));
    EXPECT_EQ(inspect_lmdb_file(path() / "data.mdb").value().length, store->figures().used_bytes);
  }
  const LmdbFileInfo info = inspect_lmdb_file(path() / "data.mdb").value();
  EXPECT_EQ(info.page_bytes, static_cast<std::uint32_t>(::sysconf(_SC_PAGESIZE)));
  EXPECT_EQ(info.length, (info.last_page + 1) * info.page_bytes);
  EXPECT_GE(info.transaction, 2U);
}

/// A damaged byte of a meta page, told apart by where it is.
TEST_F(LmdbStoreTest, DamagedMetaPagesAreRefusedBeforeMapping) {
  const fs::path file = path() / "data.mdb";
  const auto refused = [&](std::streamoff at, char value) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(at);
    const char before = static_cast<char>(stream.get());
    stream.seekp(at);
    stream.put(value);
    stream.flush();
    const auto opened = open(LmdbAccess::write);
    stream.seekp(at);
    stream.put(before);
    stream.flush();
    EXPECT_EQ(opened ? Code::user : opened.error().code, Code::corrupt) << at;
  };
  for (const std::streamoff page : {0, 4096}) {
    refused(page + 10, 0);  // Flags.
    refused(page + 16, 1);  // Magic.
    refused(page + 20, 9);  // Version.
    refused(page + 41, 7);  // Page size.
  }
  // The last page, in the newer of the two.
  const auto info = inspect_lmdb_file(file).value();
  refused(static_cast<std::streamoff>(info.transaction & 1U) * 4096 + 138, 1);
  EXPECT_TRUE(open(LmdbAccess::write));
}

TEST_F(LmdbStoreTest, AFileWithoutTheTablesIsNoJournals) {
  // An LMDB file of somebody else's, made by renaming a table of ours.
  const fs::path file = path() / "data.mdb";
  std::string bytes(fs::file_size(file), '\0');
  std::ifstream(file, std::ios::binary)
      .read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  for (std::size_t at = bytes.find("sessions"); at != std::string::npos;
       at = bytes.find("sessions", at + 1))
    bytes.replace(at, 8, "sessionz");
  std::ofstream(file, std::ios::binary) << bytes;
  const auto opened = open(LmdbAccess::read);
  EXPECT_EQ(opened.error().code, Code::corrupt);
  EXPECT_NE(opened.error().message.find("has no table 'sessions'"), std::string::npos);
}

}  // namespace
}  // namespace perdure::journal
