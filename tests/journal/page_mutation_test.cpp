// Thousands of damaged files: the checker always ends, and what it calls sound LMDB reads and
// writes without dying and without giving other rows unnoticed.

#include "core/clock.hpp"
#include "journal/counted_store.hpp"
#include "journal/verify.hpp"
#include "tests/journal/page_fixture.hpp"
#include "tests/support/sanitized.hpp"

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <functional>
#include <set>

namespace perdure::journal {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kFilesPerShape = test::kSanitized ? 150 : 1100;
constexpr std::size_t kPageBytes = 4096;

/// How the process ends that reads a file which was called sound.
enum class Reading : int {
  same = 0,        ///< Every row as it was.
  noticed = 10,    ///< Not so, and an error or verify says it.
  older = 11,      ///< Rows of two states of the journal, each of them sound.
  unnoticed = 12,  ///< Rows that never were.
  write_failed = 13,
  spread = 14,  ///< What was written made the pages unsound.
};

using Row = std::pair<std::pair<Table, std::string>, std::string>;

struct Shape {
  std::string name;
  std::string before;  ///< An older state of the same file.
  std::string bytes;
  AllRows rows;
  std::set<Row> ever;  ///< Every row that any transaction wrote.
};

/// Notes what is written through it.
class NotingStore final : public Store {
 public:
  NotingStore(Store& inner, std::set<Row>& ever) : inner_(inner), ever_(ever) {}
  Result<void> commit(std::span<const Mutation> batch, Durability durability) override {
    for (const Mutation& change : batch)
      if (change.kind == Mutation::Kind::put)
        ever_.insert({{change.table, std::string(core::as_text(change.key.view()))},
                      std::string(core::as_text(change.value))});
    return inner_.commit(batch, durability);
  }
  Result<std::unique_ptr<Snapshot>> snapshot() override { return inner_.snapshot(); }

 private:
  Store& inner_;
  std::set<Row>& ever_;
};

class PageMutationTest : public testing::Test {
 protected:
  [[nodiscard]] fs::path file() const { return directory_.path() / "data.mdb"; }
  std::unique_ptr<LmdbStore> open(LmdbAccess access) {
    return LmdbStore::open(directory_.path(), access).value();
  }
  /// `fill` is called for the older state and then for the final one.
  Shape shape(const std::string& name, const std::function<void(Store&, int)>& fill) {
    Shape shape{name, {}, {}, {}, {}};
    fs::remove(file());
    EXPECT_TRUE(LmdbStore::create(directory_.path()));
    core::ManualClock clock;
    core::SeededRandom random{7};
    for (int state = 0; state < 2; ++state) {
      const auto store = open(LmdbAccess::write);
      NotingStore noting(*store, shape.ever);
      if (state == 0) EXPECT_TRUE(CountedStore::create(noting, clock, random));
      const auto counted = CountedStore::open(noting, random).value();
      fill(*counted, state);
      shape.before = std::exchange(shape.bytes, content_of(file()));
      shape.rows = all_rows(*store);
    }
    return shape;
  }
  void try_all(const Shape& shape);
  Reading read_back(const Shape& shape);
  Reading in_child(const Shape& shape, int& signal);

  TemporaryDirectory directory_;
};

struct Damaged {
  std::string bytes;
  /// Pages of two states of the journal stand in it. Where they fit each other nobody can tell.
  bool has_two_states = false;
};
Damaged damaged(const Shape& shape, core::SeededRandom& random);

/// What the child does.
Reading PageMutationTest::read_back(const Shape& shape) {
  auto reading = Reading::same;
  {
    auto opened = LmdbStore::open(directory_.path(), LmdbAccess::write);
    if (!opened) return Reading::noticed;
    Store& store = *opened.assume_value();
    const AllRows rows = all_rows(store);
    if (rows != shape.rows) {
      const auto report = verify(store);
      if (!report || !report.assume_value().sound())
        reading = Reading::noticed;
      else
        reading =
            std::ranges::all_of(rows, [&](const Row& row) { return shape.ever.contains(row); })
                ? Reading::older
                : Reading::unnoticed;
    }
    // A free list that lies would now spread the damage.
    RandomChanges changes(store, 3);
    for (int i = 0; i < 3; ++i)
      if (!changes.commit(60)) return Reading::write_failed;
  }
  const auto after = check_pages(file());
  return after && after.assume_value().sound() ? reading : Reading::spread;
}

Reading PageMutationTest::in_child(const Shape& shape, int& signal) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(static_cast<int>(read_back(shape)));
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  return static_cast<Reading>(WEXITSTATUS(status));
}

void flip(std::string& bytes, std::size_t at, std::uint64_t bit) {
  if (at < bytes.size()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << (bit % 8)));
}

/// One of the kinds of damage that files take.
Damaged damaged(const Shape& shape, core::SeededRandom& random) {
  std::string bytes = shape.bytes;
  bool has_two_states = false;
  const auto below = [&](std::size_t limit) -> std::size_t { return random.next() % limit; };
  const std::size_t pages = bytes.size() / kPageBytes;
  const std::size_t page = below(pages) * kPageBytes;
  switch (below(12)) {
    case 0: flip(bytes, below(bytes.size()), below(8)); break;
    case 1:
      for (std::size_t i = below(16) + 1; i > 0; --i) flip(bytes, below(bytes.size()), below(8));
      break;
    case 2: flip(bytes, page + below(16), below(8)); break;
    case 3: flip(bytes, below(2) * kPageBytes + below(152), below(8)); break;
    case 4: flip(bytes, page + 16 + below(64), below(8)); break;
    case 5: {  // In the nodes of a page, or of its last ones.
      const std::size_t room = below(2) == 0 ? 64 : 1024;
      flip(bytes, page + kPageBytes - 1 - below(room), below(8));
      break;
    }
    case 6: bytes.resize(below(2) == 0 ? below(bytes.size()) : page); break;
    case 7: std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(page), bytes.end(), '\0'); break;
    case 8: {  // A copy that was overtaken by the writer: some of it older.
      has_two_states = true;
      const std::size_t from = below(2) == 0 ? 0 : page;
      const std::size_t to = from == 0 ? page : bytes.size();
      const std::size_t end = std::min(to, shape.before.size());
      if (from < end) bytes.replace(from, end - from, shape.before, from, end - from);
      break;
    }
    case 9: {  // One page stands where another should.
      const std::string other = bytes.substr(below(pages) * kPageBytes, kPageBytes);
      bytes.replace(page, kPageBytes, other);
      break;
    }
    case 10: {  // A field of two bytes gets an extreme value.
      static constexpr std::array<std::string_view, 4> kValues{
          {{"\0\0", 2}, {"\xff\xff", 2}, {"\x10\0", 2}, {"\0\x10", 2}}};
      const std::size_t at = page + (below(2) == 0 ? below(48) : below(kPageBytes - 2)) / 2 * 2;
      bytes.replace(at, 2, kValues[below(kValues.size())]);
      break;
    }
    default:
      for (std::size_t i = 0; i < kPageBytes; ++i)
        bytes[page + i] = static_cast<char>(random.next());
  }
  return {std::move(bytes), has_two_states};
}

void PageMutationTest::try_all(const Shape& shape) {
  std::map<int, int> ends;
  for (std::uint64_t seed = 1; seed <= kFilesPerShape; ++seed) {
    core::SeededRandom random{seed};
    fs::remove(file());  // Writing over it would wait for the disk each time.
    const Damaged damage = damaged(shape, random);
    write_content(file(), damage.bytes);
    const auto report = check_pages(file(), {.values = PageValues::check, .stop = {}, .hold = {}});
    if (!report || !report.assume_value().sound()) {
      ++ends[-1];
      continue;
    }
    int signal = 0;
    const Reading reading = in_child(shape, signal);
    ++ends[static_cast<int>(reading)];
    ASSERT_EQ(signal, 0) << "shape " << shape.name << ", seed " << seed << ": LMDB died";
    ASSERT_TRUE(reading == Reading::same || reading == Reading::noticed ||
                (reading == Reading::older && damage.has_two_states))
        << "shape " << shape.name << ", seed " << seed << ": the child said "
        << static_cast<int>(reading);
  }
  // Both kinds of files were met: the test would show nothing otherwise.
  EXPECT_GT(ends[-1], static_cast<int>(kFilesPerShape) / 4) << shape.name;
  EXPECT_GT(ends[static_cast<int>(Reading::same)], static_cast<int>(kFilesPerShape) / 20)
      << shape.name;
  for (const auto& [end, count] : ends) RecordProperty(shape.name + std::to_string(end), count);
}

TEST_F(PageMutationTest, ASmallJournal) {
  try_all(shape("small", [](Store& store, int state) {
    TestRows rows(1 + 10 * static_cast<RecordNumber>(state));
    const auto run = static_cast<std::uint64_t>(state) + 1;
    rows.run(run, 4, RunStatus::running).session(run).ready(run);
    EXPECT_TRUE(rows.commit(store));
  }));
}

TEST_F(PageMutationTest, AJournalWithBranchPages) {
  try_all(shape("branches", [](Store& store, int state) {
    for (std::uint64_t i = 0; i < 3; ++i) {
      const std::uint64_t first = (static_cast<std::uint64_t>(state) * 3 + i) * 40;
      TestRows rows(1 + first * 4);
      for (std::uint64_t run = first; run < first + 40; ++run)
        rows.run(run, 4, RunStatus::running).session(run).ready(run);
      EXPECT_TRUE(rows.commit(store, Durability::none));
    }
  }));
}

TEST_F(PageMutationTest, AJournalOfEveryKindOfPage) {
  try_all(shape("mixed", [](Store& store, int state) {
    RandomChanges changes(store, 5 + static_cast<std::uint64_t>(state));
    for (int i = 0; i < 12; ++i) EXPECT_TRUE(changes.commit(12));
  }));
}

}  // namespace
}  // namespace perdure::journal
