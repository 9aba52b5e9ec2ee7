// What Perdure relies on of LMDB across threads and processes: readers that stay, die or pin pages,
// locks, and the size of the map.

#include "journal/lmdb_store.hpp"
#include "tests/journal/store_fixture.hpp"

#include <gtest/gtest.h>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <thread>

namespace perdure::journal {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kUnderAsan = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool kUnderAsan = true;
#else
constexpr bool kUnderAsan = false;
#endif
#else
constexpr bool kUnderAsan = false;
#endif

/// A process that holds a snapshot of the journal until it is let go or killed.
class OtherReader {
 public:
  explicit OtherReader(const std::filesystem::path& directory) {
    std::array<int, 2> ready{};
    EXPECT_EQ(::pipe(ready.data()), 0);
    EXPECT_EQ(::pipe(stop_.data()), 0);
    process_ = ::fork();
    if (process_ == 0) {
      ::close(stop_[1]);
      ::_exit(read_until_told(directory, ready[1], stop_[0]));
    }
    char mark = 'n';
    EXPECT_EQ(::read(ready[0], &mark, 1), 1);
    EXPECT_EQ(mark, 'y');
    for (const int file : {ready[0], ready[1], stop_[0]}) ::close(file);
  }
  OtherReader(const OtherReader&) = delete;
  OtherReader& operator=(const OtherReader&) = delete;
  ~OtherReader() { EXPECT_LE(end(), 0); }
  [[nodiscard]] pid_t process() const { return process_; }
  void kill() { ::kill(process_, SIGKILL); }
  /// Its exit status; 0: it read to its end what it read first. Below 0: it was killed, or had
  /// ended.
  int end() {
    if (ended_) return -1;
    ended_ = true;
    ::close(stop_[1]);
    int status = 0;
    EXPECT_EQ(::waitpid(process_, &status, 0), process_);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  static int read_until_told(const std::filesystem::path& directory, int ready, int stop) {
    const auto store = LmdbStore::open(directory, LmdbAccess::read);
    if (!store) return 1;
    const auto snapshot = store.value()->snapshot();
    if (!snapshot) return 2;
    const std::string before = value_at(*snapshot.value(), Table::runs, number_key(1));
    char mark = 'y';
    if (::write(ready, &mark, 1) != 1 || ::read(stop, &mark, 1) < 0) return 3;
    return value_at(*snapshot.value(), Table::runs, number_key(1)) == before ? 0 : 4;
  }

  pid_t process_ = -1;
  std::array<int, 2> stop_{};
  bool ended_ = false;
};

class LmdbFactsTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(LmdbStore::create(directory_.path()));
    ASSERT_TRUE(put(*open(LmdbAccess::write), 1, "one"));
  }
  [[nodiscard]] std::unique_ptr<LmdbStore> open(LmdbAccess access, LmdbOptions options = {}) const {
    return LmdbStore::open(directory_.path(), access, options).value();
  }
  static Result<void> put(Store& store, std::uint64_t key, std::string value) {
    return TestBatch{}.put(Table::runs, number_key(key), std::move(value)).commit(store);
  }
  static void commit_times(Store& store, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) ASSERT_TRUE(put(store, 1, std::to_string(i)));
  }
  static std::ptrdiff_t snapshots_of(const LmdbStore& store, pid_t process) {
    return std::ranges::count(store.open_snapshots(), process, &LmdbStore::OpenSnapshot::process);
  }

  TemporaryDirectory directory_;
};

TEST_F(LmdbFactsTest, ASnapshotBelongsToNoThread) {
  const auto store = open(LmdbAccess::write);
  std::unique_ptr<Snapshot> first;
  std::unique_ptr<Snapshot> second;
  std::thread([&] {
    first = store->snapshot().value();
    second = store->snapshot().value();  // A thread may have several.
  }).join();
  ASSERT_TRUE(put(*store, 1, "two"));
  EXPECT_EQ(value_at(*first, Table::runs, number_key(1)), "one");
  std::thread([&] { first.reset(); }).join();
  EXPECT_EQ(value_at(*second, Table::runs, number_key(1)), "one");
  EXPECT_EQ(value_at(*store, Table::runs, number_key(1)), "two");
}

TEST_F(LmdbFactsTest, TheMapIsATebibyte) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_AS, &limit), 0);
  if (limit.rlim_cur != RLIM_INFINITY) GTEST_SKIP() << "address space is limited here";
  EXPECT_EQ(open(LmdbAccess::write)->figures().map_bytes, std::size_t{1} << 40U);
  EXPECT_EQ(open(LmdbAccess::read)->figures().map_bytes, std::size_t{1} << 40U);
}

TEST_F(LmdbFactsTest, TheMapIsLessWhereAddressSpaceIsLimited) {
  if (kUnderAsan) GTEST_SKIP() << "the address sanitizer needs all address space";
  const pid_t child = ::fork();
  if (child == 0) {
    rlimit limit{};
    ::getrlimit(RLIMIT_AS, &limit);
    limit.rlim_cur = std::size_t{4} << 30U;
    ::setrlimit(RLIMIT_AS, &limit);
    const auto store = LmdbStore::open(directory_.path(), LmdbAccess::write);
    if (!store) ::_exit(1);
    const std::size_t bytes = store.value()->figures().map_bytes;
    if (bytes > limit.rlim_cur || bytes < (std::size_t{1} << 30U)) ::_exit(2);
    ::_exit(put(*store.value(), 2, std::string(1U << 20U, 'x')) ? 0 : 3);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(value_at(*open(LmdbAccess::read), Table::runs, number_key(2)).size(), 1U << 20U);
}

TEST_F(LmdbFactsTest, OpeningTwiceDropsNoLockOfTheFirst) {
  const auto writer = open(LmdbAccess::write);
  const auto snapshot = writer->snapshot().value();
  open(LmdbAccess::read).reset();
  EXPECT_FALSE(LmdbStore::open(directory_.path(), LmdbAccess::write));
  // Another process would take this one's snapshot for a dead one's, if the lock were gone.
  const OtherReader other(directory_.path());
  EXPECT_EQ(snapshots_of(*writer, ::getpid()), 1);
  commit_times(*writer, 2 * LmdbStore::kManyCommits);
  EXPECT_EQ(value_at(*snapshot, Table::runs, number_key(1)), "one");
}

TEST_F(LmdbFactsTest, KnowsWhoReadsWhereAndHowFarBehind) {
  const auto writer = open(LmdbAccess::write);
  EXPECT_TRUE(writer->open_snapshots().empty());
  OtherReader other(directory_.path());
  commit_times(*writer, 5);
  const auto own = writer->snapshot().value();
  commit_times(*writer, 2);
  auto all = writer->open_snapshots();
  std::ranges::sort(all, {}, &LmdbStore::OpenSnapshot::behind);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].process, ::getpid());
  EXPECT_EQ(all[0].behind, 2U);
  EXPECT_EQ(all[1].process, other.process());
  EXPECT_EQ(all[1].behind, 7U);
  EXPECT_FALSE(writer->pinned_by()) << "seven commits are nothing";
  EXPECT_EQ(other.end(), 0);
}

TEST_F(LmdbFactsTest, NamesTheReaderThatPinsPagesUntilItLetsGo) {
  const auto writer = open(LmdbAccess::write);
  OtherReader other(directory_.path());
  commit_times(*writer, LmdbStore::kManyCommits - 1);
  EXPECT_FALSE(writer->pinned_by());
  const std::size_t before = writer->figures().used_bytes;
  commit_times(*writer, 40);
  EXPECT_GT(writer->figures().used_bytes, before) << "no page is used again";
  const std::string pinned = writer->pinned_by().value_or("nobody");
  EXPECT_TRUE(pinned.starts_with("process " + std::to_string(other.process()) +
                                 " has read in one snapshot for 7"))
      << pinned;
  EXPECT_EQ(other.end(), 0) << "what it reads is still there";
  EXPECT_FALSE(writer->pinned_by());
  commit_times(*writer, 10);
  const std::size_t after = writer->figures().used_bytes;
  commit_times(*writer, 40);
  EXPECT_EQ(writer->figures().used_bytes, after) << "pages are used again";
}

TEST_F(LmdbFactsTest, TheWriterFreesThePlacesOfDeadReadersAsItGoes) {
  const auto writer = open(LmdbAccess::write);
  OtherReader other(directory_.path());
  other.kill();
  EXPECT_LT(other.end(), 0);
  EXPECT_EQ(snapshots_of(*writer, other.process()), 1) << "it had no time to leave";
  commit_times(*writer, LmdbStore::kManyCommits);
  EXPECT_EQ(snapshots_of(*writer, other.process()), 0);
}

TEST_F(LmdbFactsTest, OpeningFreesThePlacesOfDeadReaders) {
  const auto keeps_the_table = std::make_unique<OtherReader>(directory_.path());
  OtherReader other(directory_.path());
  other.kill();
  EXPECT_LT(other.end(), 0);
  const auto store = open(LmdbAccess::read);
  EXPECT_EQ(snapshots_of(*store, other.process()), 0);
  EXPECT_EQ(snapshots_of(*store, keeps_the_table->process()), 1);
}

TEST_F(LmdbFactsTest, AReaderOfAnotherProcessSurvivesGrowth) {
  const auto writer = open(LmdbAccess::write);
  OtherReader other(directory_.path());
  ASSERT_TRUE(put(*writer, 2, std::string(32U << 20U, 'x')));
  EXPECT_EQ(other.end(), 0);
}

}  // namespace
}  // namespace perdure::journal
